# SPDX-License-Identifier: LGPL-2.1-or-later
"""format=coco: pycocotools loads both files and finds in them what was put in, to the last bit."""
import contextlib
import io
import json

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from . import pages as p


def check_values(document, results, images):
    expected = [(number, region[1] + 1, [x0, y0, x1 - x0, y1 - y0], region[2])
                for number, page in enumerate(document, 1) for region in page.get("regions", ())
                for x0, y0, x1, y1 in [region[3:7]]]
    found = [(r["image_id"], r["category_id"], r["bbox"], r["score"]) for r in results]
    assert found == expected, (found[:3], expected[:3])
    assert all(set(r) == {"image_id", "category_id", "bbox", "score"} for r in results)
    assert [image["id"] for image in images["images"]] == list(range(1, len(document) + 1))
    for image, page in zip(images["images"], document):
        assert (image["width"], image["height"]) == (page["layout-width"], page["layout-height"])
        assert (image["document"], image["page"]) == (page["document"], page["page"])
        assert image["file_name"] == f"{p.file_name(page['document'])}#page={page['page']}"
    classes = {region[1] + 1: region[0] for page in document for region in page.get("regions", ())}
    assert {category["id"]: category["name"] for category in images["categories"]} == classes


def evaluate(truth_file, result_file, document):
    """Average precision of the results where the pages' own regions are the truth."""
    truth = COCO(truth_file)
    boxes = [(number, region) for number, page in enumerate(document, 1) for region in page.get("regions", ())]
    truth.dataset["annotations"] = [
        {"id": i, "image_id": number, "category_id": r[1] + 1, "iscrowd": 0, "bbox": [r[3], r[4], r[5] - r[3], r[6] - r[4]],
         "area": (r[5] - r[3]) * (r[6] - r[4])} for i, (number, r) in enumerate(boxes, 1)]
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(result_file), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[0]


def check(write, document, count):
    output, companion = write("coco", document)
    results, images = json.loads(output.read_text()), json.loads(companion.read_text())
    check_values(document, results, images)
    if results:  # pycocotools takes no empty list
        with contextlib.redirect_stdout(io.StringIO()):
            precision = evaluate(str(companion), str(output), document)
        assert abs(precision - 1) < 1e-9, precision
    count["coco results"] += len(results)
