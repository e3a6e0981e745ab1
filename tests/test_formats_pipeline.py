# SPDX-License-Identifier: LGPL-2.1-or-later
"""The formats of jsonsink from one pipeline over the sample document, beside its JSON Lines; and what a process that is killed leaves.

usage: test_formats_pipeline.py SOURCE-ROOT
"""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

try:
    from docling_core.types.doc import ContentLayer, DoclingDocument
    from lxml import etree
    from pycocotools.coco import COCO

    from formats import pages, xml
except ImportError as error:
    print(f"skipped: {error.name} is not installed (tests/run.sh makes an environment that has it)")
    sys.exit(77)

ROOT = Path(sys.argv.pop(1))
SAMPLE = ROOT / "pipelines/sample.pdf"
FILES = {"jsonl": "a.jsonl", "json": "a.json", "coco": "coco.json", "docling": "docling.json", "markdown": "a.md", "alto": "alto.xml",
         "pagexml": "%s-%p.xml"}


class OneStream(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        sinks = [f"t. ! queue ! jsonsink format={name} location={cls.folder.name}/{file}" for name, file in FILES.items()]
        line = f"pdfsrc location={SAMPLE} text=true ! cudalayoutdetect ! tee name=t {' '.join(sinks)}"
        subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=True, timeout=200)
        cls.lines = [json.loads(line) for line in cls.read("a.jsonl").splitlines()]
        cls.regions = [region for line in cls.lines for region in line["regions"]]

    @classmethod
    def read(cls, name):
        return (Path(cls.folder.name) / name).read_text(encoding="utf-8")

    def test_json(self):
        self.assertGreater(len(self.regions), 50)
        self.assertEqual(json.loads(self.read("a.json")), self.lines)

    def test_coco(self):
        truth = COCO(f"{self.folder.name}/coco.images.json")
        results = truth.loadRes(f"{self.folder.name}/coco.json")
        self.assertEqual(truth.getImgIds(), [line["page"] for line in self.lines])
        found = list(results.anns.values())
        names = {category["id"]: category["name"] for category in truth.dataset["categories"]}
        self.assertEqual([names[result["category_id"]] for result in found], [region["label"] for region in self.regions])
        for result, region in zip(found, self.regions):
            x0, y0, x1, y1 = region["bbox"]
            for value, expected in zip(result["bbox"], (x0, y0, x1 - x0, y1 - y0)):
                self.assertAlmostEqual(value, expected, delta=0.011)
            self.assertAlmostEqual(result["score"], region["score"], delta=0.00006)

    def test_docling(self):
        document = DoclingDocument.model_validate_json(self.read("docling.json"))
        self.assertEqual(document.name, "sample")
        layers = {ContentLayer.BODY, ContentLayer.FURNITURE}
        items = [item for item, _ in document.iterate_items(included_content_layers=layers)]
        expected = [(line["page"], region) for line in self.lines for region in line["regions"]]
        self.assertEqual(len(items), len(expected))
        for item, (page, region) in zip(items, expected):
            box = item.prov[0].bbox
            self.assertEqual(item.prov[0].page_no, page)
            self.assertEqual(getattr(item, "orig", region["text"]), region["text"])
            for value, want in zip((box.l, box.t, box.r, box.b), region["bbox_pt"]):
                self.assertAlmostEqual(value, want, delta=0.001)
        sizes = [[document.pages[line["page"]].size.width, document.pages[line["page"]].size.height] for line in self.lines]
        self.assertEqual(sizes, [line["size_pt"] for line in self.lines])

    def test_markdown(self):
        table = pages.label_table(ROOT / "docs/formats.md")
        shown = [region for region in self.regions if table[region["label"]][1] != "left out"]
        blocks = [block for block in self.read("a.md").split("\n\n") if block]
        self.assertEqual(len(blocks), len(shown))
        for block, region in zip(blocks, shown):
            if table[region["label"]][1] == "paragraph" and region["text"]:
                self.assertEqual(block.replace("\\", "").strip(), "\n".join(pages.lines(region["text"])).replace("\\", ""))

    def test_xml(self):
        alto = xml.read(f"{self.folder.name}/alto.xml", xml.ALTO_SCHEMA)
        xml.check_elements(alto)
        self.assertEqual(len(list(alto.iter(xml.ALTO + "ElementRef"))), len(self.regions))
        words = [word.get("CONTENT") for word in alto.iter(xml.ALTO + "String")]
        self.assertEqual(words, [word for region in self.regions for word in pages.flow(region["text"]).split(" ") if word])
        placed = [line.get("HPOS") is not None for line in alto.iter(xml.ALTO + "TextLine")]
        print(f"{sum(placed)} of {len(placed)} lines of text have places", file=sys.stderr)
        self.assertEqual(sum(placed), len(placed))
        for line in self.lines:
            page = xml.read(f"{self.folder.name}/sample-{line['page']}.xml", xml.PAGE_SCHEMA)
            labels = [label.get("value") for label in page.iter(xml.PAGE + "Label")]
            self.assertEqual(labels, [region["label"] for region in line["regions"]])


class Killed(unittest.TestCase):
    def test_whole_or_absent(self):
        """At any moment of a run a file is not there, or it is whole."""
        rand = random.Random(1)
        whole = 0
        for attempt in range(24):
            name = ("json", "alto")[attempt % 2]
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "a"
                process = subprocess.Popen(["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=3000", "!",
                                            "video/x-raw,width=16,height=16", "!", "jsonsink", f"format={name}", f"location={path}"])
                while not os.listdir(folder) and process.poll() is None:
                    time.sleep(0.002)
                try:  # up to the end of the run, and often near it
                    process.wait(timeout=rand.choice((0.02, 0.1, 0.4)) * rand.random())
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                process.wait()
                if path.exists():
                    whole += 1
                    pages_in_it = len(json.loads(path.read_text())) if name == "json" else \
                        len(list(etree.parse(path).iter(xml.ALTO + "Page")))
                    self.assertEqual(pages_in_it, 3000)
        print(f"{whole} files of 24 were whole, the others absent", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
