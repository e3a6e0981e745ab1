#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The detector's settings on the sample's pages, against RapidLayout where it has the like, and
its refusals: labels that do not fit, models of no known family.

usage: test_detector.py NN-DETECT; exit status 77 (skipped) without packages or model
"""
import logging
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import cv2
    import numpy as np
    import onnx
    from onnx import TensorProto, helper
    from PIL import Image, ImageDraw, ImageFont
    from rapid_layout import RapidLayout

    import pages
    from nndetect import Detector, iou, match
    from parity import reference_regions
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

CONTAINERS = {"table", "figure"}


def detect(program, model, images, *options):
    detector = Detector(program, str(model), *options)
    results = [detector(image, "BGRX") for image in images]
    detector.close()
    return results


def run(program, *arguments, frames=b""):
    result = subprocess.run([program, *map(str, arguments)], input=frames, capture_output=True, timeout=60, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def check_threshold(program, model, images):
    """What is above 0.5 does not depend on what is below."""
    high, low = (detect(program, model, images, f"threshold={t}", "max=1000") for t in (-1, 0.2))
    for a, b in zip(high, low):
        assert a and len(b) > len(a)
        assert a == [region for region in b if region["score"] > 0.5]
    print(f"threshold: {sum(map(len, high))} regions above 0.5, {sum(map(len, low))} above 0.2")


def check_max(program, model, images):
    for a, b in zip(detect(program, model, images, "max=1000"), detect(program, model, images, "max=3")):
        assert b == a[:3] and len(b) == 3


def check_iou_threshold(program, model, images):
    """NMS at 1 leaves everything, at 0 nothing that touches another of its class."""
    loose = detect(program, model, images, "iou=1", "max=1000")
    strict = detect(program, model, images, "iou=0", "max=1000")
    usual = detect(program, model, images, "max=1000")
    for a, b, c in zip(loose, usual, strict):
        assert len(a) > len(b) >= len(c) > 0
        for i, r in enumerate(c):
            assert all(r["label"] != s["label"] or iou(r["bbox"], s["bbox"]) == 0 for s in c[:i])


def check_duplicates(program, model, images):
    """At a low threshold there are many; resolving takes away regions and changes none."""
    kept = detect(program, model, images, "threshold=0.1", "duplicates=keep", "max=1000")
    resolved = detect(program, model, images, "threshold=0.1", "duplicates=resolve", "max=1000")
    gone = 0
    for a, b in zip(kept, resolved):
        assert [r for r in a if r in b] == b
        gone += len(a) - len(b)
        for i, r in enumerate(b):
            for s in b[:i]:
                containers = (r["label"] in CONTAINERS) + (s["label"] in CONTAINERS)
                assert r["label"] == s["label"] or containers == 1 or iou(r["bbox"], s["bbox"]) <= 0.8, (r, s)
    assert gone > 0
    print(f"duplicates: {gone} of {sum(map(len, kept))} regions are another one's block")


WORDS = ("the of network document layout page region column text model table figure detection analysis image method "
         "results shown each one line block found between training with for and a in on is are by").split()


def three_columns(rng):
    """A page of three columns of small print, in which the default model sees text and references at once."""
    page = Image.new("RGB", (827, 1170), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(9)
    for left in (60, 303, 546):
        y = 90.0
        while y < 1080:
            last = rng.random() < 0.1
            x, right = left, left + 219 * (rng.uniform(0.3, 0.8) if last else 1)
            while (word := WORDS[rng.integers(len(WORDS))]) and x + draw.textlength(word + " ", font=font) <= right:
                draw.text((x, y), word, fill=0, font=font)
                x += draw.textlength(word + " ", font=font)
            y += 18.2 if last else 13
    return np.asarray(page)


def check_three_columns(program, model, images):
    """One region a column, where the network gives most of them twice."""
    twice = 0
    for seed in range(4):
        page = [three_columns(np.random.default_rng(seed))]
        kept, = detect(program, model, page, "duplicates=keep", "max=1000")
        resolved, = detect(program, model, page, "duplicates=resolve", "max=1000")
        columns = [r for r in kept if r["bbox"][3] - r["bbox"][1] > 900]
        again = [r for i, r in enumerate(columns)
                 if any(iou(r["bbox"], s["bbox"]) > 0.8 and r["label"] != s["label"] for s in columns[:i])]
        twice += len(again)
        left = sorted(r["bbox"][0] // 243 for r in resolved if r["bbox"][3] - r["bbox"][1] > 900)
        assert left == sorted({r["bbox"][0] // 243 for r in columns}), (seed, resolved)
    assert twice >= 4, f"only {twice} columns were found twice: this tests nothing"
    print(f"three columns: {twice} of 12 found twice, one region each left")


def check_filters(program, model, images):
    """Each filter against the reference with its resize replaced; a level of 255 may differ."""
    layout = RapidLayout(model_dir_or_path=str(model))
    prepare = layout.model_handler.model_processors.pp_preprocess
    size = (prepare.size[1], prepare.size[0])
    resizes = {1: lambda im: cv2.resize(im, size),
               2: lambda im: np.asarray(Image.fromarray(im).resize(size, Image.BILINEAR)),
               3: lambda im: cv2.resize(im, size, interpolation=cv2.INTER_CUBIC),
               4: lambda im: cv2.resize(im, size, interpolation=cv2.INTER_AREA)}
    compared = 0
    for method, resize in resizes.items():
        prepare.resize = resize
        for ours, image in zip(detect(program, model, images, f"filter={method}"), images):
            theirs = reference_regions(layout, image)
            clear = [r for r in theirs if r["score"] > 0.52]
            assert clear
            for r in clear:
                best = max((s for s in ours if s["label"] == r["label"]), key=lambda s: iou(r["bbox"], s["bbox"]))
                assert iou(r["bbox"], best["bbox"]) > 0.97 and abs(best["score"] - r["score"]) < 0.01, (r, best)
                compared += 1
    print(f"filters: {compared} regions as the reference finds them")


def check_formats(program, model, images):
    """The same pixels in every format; grey ones as GRAY8 too; red and blue in the reference's order."""
    tinted = (images[0] * [1, 0.6, 0.2]).astype(np.uint8)
    theirs = reference_regions(RapidLayout(model_dir_or_path=str(model)), tinted)
    for name in ("BGRX", "RGBX", "RGB", "BGR"):
        detector = Detector(program, str(model))
        pairs, rest = match(detector(tinted, name), theirs)
        detector.close()
        assert pairs and not rest and all(abs(a["score"] - b["score"]) < 0.002 for _, a, b in pairs), (name, rest)
    grey = np.repeat(images[0].mean(axis=2).astype(np.uint8)[:, :, None], 3, 2)
    detector = Detector(program, str(model))
    results = [detector(grey, name) for name in ("BGRX", "RGBX", "RGB", "BGR")]
    detector.close()
    height, width = grey.shape[:2]
    frame = struct.pack("4i", 4, width, height, width) + grey[:, :, 0].tobytes()
    status, output, _ = run(program, model, frames=frame)
    assert status == 0 and results[0]
    assert all(result == results[0] for result in results)
    assert output.count('"label"') == len(results[0])
    assert all(f'"score":{r["score"]:.9g}' in output for r in results[0])


def check_labels(program, model, images):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "labels.txt"
        path.write_text("".join(f"Ä{i}\r\n" for i in range(10)) + "\n\n", encoding="utf-8")
        regions = detect(program, model, images[:1], f"labels={path}")[0]
        plain = detect(program, model, images[:1])[0]
        names = pages_labels(model)
        assert [r["label"] for r in regions] == [f"Ä{names.index(r['label'])}" for r in plain]
        path.write_text("a\nb\n", encoding="utf-8")
        status, _, message = run(program, model, f"labels={path}")
        assert status == 1 and str(path) in message and "2 labels for 10 classes" in message, message
        path.write_bytes(b"\x00\x01" * 99)
        status, _, message = run(program, model, f"labels={path}")
        assert status == 1 and str(path) in message, message
        status, _, message = run(program, model, f"labels={folder}/none.txt")
        assert status == 1 and "none.txt: cannot open: No such file" in message, message


def pages_labels(model):
    """The labels as the file's metadata has them."""
    metadata = {p.key: p.value for p in onnx.load(str(model)).metadata_props}
    return metadata["character"].split("\n")


def check_unknown_family(program):
    """Refused, with what the file has listed: a network that is no detector, and a near miss."""
    def model_file(folder, name, inputs, outputs):
        nodes = [helper.make_node("Relu", [inputs[0].name], [o.name]) for o in outputs]
        path = pathlib.Path(folder) / name
        onnx.save(helper.make_model(helper.make_graph(nodes, "g", inputs, outputs),
                                    opset_imports=[helper.make_opsetid("", 13)]), path)
        return path

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    with tempfile.TemporaryDirectory() as folder:
        path = model_file(folder, "relu.onnx", [value("frames", 1, "n", 4)], [value("scores", 1, "n", 4)])
        status, _, message = run(program, path)
        assert status == 1 and str(path) in message, message
        assert "frames float32[1,?,4]" in message and "scores float32[1,?,4]" in message, message
        image = value("image", 1, 3, 8, 8)
        path = model_file(folder, "near.onnx", [image], [value("a", 1, 3, 8, 8), value("b", 1, 3, 8, 8)])
        status, _, message = run(program, path)
        assert status == 1 and "not a detector" in message and "b float32[1,3,8,8]" in message, message
        print(f"refused: {message.strip()}")


def main():
    program = sys.argv[1]
    model = pages.model_file()
    if not model:
        print("skipped: the default model is not in the cache (pipelines/detect.sh fetches it)")
        return 77
    logging.disable(logging.INFO)
    images = [image for _, image in pages.pdf_pages(pages.SAMPLE, 3)]
    for check in (check_threshold, check_max, check_iou_threshold, check_duplicates, check_three_columns,
                  check_filters, check_formats, check_labels):
        check(program, model, images)
    check_unknown_family(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
