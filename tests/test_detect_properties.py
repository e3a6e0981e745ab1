#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cudalayoutdetect's properties of the model, in a pipeline, against the engine alone with the same
options (which test_modelinfo.py compares with references): each changes the regions, and to what it
should. Bad values are errors that say what is allowed.

usage: test_detect_properties.py NN-DETECT; exit status 77 (skipped) without packages or GStreamer's pngdec
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    from PIL import Image

    import tiny_models
    from test_layoutjson import comma_locale
    from test_models import NAMES, page
    from test_modelinfo import run
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

# The property and the same as an option of nn-detect.
CASES = [
    ("docling", "channel-order=bgr", ["order=2"]),
    ("docling", "mean=0.5,0.4,0.3", ["mean=0.5,0.4,0.3"]),
    ("docling", "std=0.25,0.5,1", ["std=0.25,0.5,1"]),
    ("docling", "letterbox=yes", ["letterbox=2"]),
    ("docling", "resize-filter=area", ["filter=4"]),
    ("docling", "threshold=0.55", ["threshold=0.55"]),
    ("docling", "labels-file={folder}/labels.txt", ["labels={folder}/labels.txt"]),
    ("docling", "modelinfo={folder}/other.modelinfo", ["modelinfo={folder}/other.modelinfo"]),
    ("docling", "modelinfo={folder}/other.modelinfo mean=0,0,0", ["modelinfo={folder}/other.modelinfo", "mean=0,0,0"]),
    ("detr", "input-width=320 input-height=192", ["width=320", "height=192"]),
    ("yolov8", "letterbox=no", ["letterbox=1"]),
    ("yolov8", "iou-threshold=0.0", ["iou=0"]),
]
SAME = ["", "model-family=docling", "threads=1", "threads=3 batch-size=2", "channel-order=rgb", 'mean=""']
BAD = [("model-family=resnet", 'no model family "resnet"'), ("model-family=picodet", "not of the family picodet"),
       ("mean=1", "mean=1: it takes three numbers"), ("std=1,1,0", "std=1,1,0: it takes three numbers above 0"),
       ("input-width=99", "an input of width 99"), ("modelinfo=/no/such.modelinfo", "/no/such.modelinfo: cannot open")]


def launch(folder, model, properties, env=None):
    """The regions, or the messages of a failure."""
    output = folder / "out.jsonl"
    output.unlink(missing_ok=True)
    done = subprocess.run(["gst-launch-1.0", "filesrc", f"location={folder / 'page.png'}", "!", "pngdec", "!",
                           "cudalayoutdetect", f"model-file={folder / model}.onnx", "duplicates=keep",
                           "max-detections=1000", *properties.format(folder=folder).split(), "!", "jsonsink",
                           f"location={output}"], capture_output=True, text=True, timeout=60, check=False, env=env)
    if done.returncode:
        return done.stdout + done.stderr
    line, = output.read_text(encoding="utf-8").splitlines()
    return sorted((r["label"], round(r["score"], 3), *r["bbox"]) for r in json.loads(line)["regions"])


def agree(ours, wanted):
    assert isinstance(ours, list), ours
    theirs = sorted((label, round(score, 3), *box) for label, score, box, _ in wanted)
    assert len(ours) == len(theirs) >= 5, (len(ours), len(theirs))
    for label, score, *box in ours:
        off = [np.abs(np.subtract(box, b)).max() for n, s, *b in theirs if n == label and abs(s - score) < 0.002]
        assert off and min(off) < 0.02, (label, score, box)


def check_locale(folder):
    """A decimal comma in the user's language changes no number that the user writes."""
    env = comma_locale(str(folder))
    if env is None:
        print("no locale with a decimal comma can be made here (package locales): that part was left out")
        return
    for properties in ("mean=0.5,0.4,0.3", "modelinfo={folder}/other.modelinfo"):
        assert launch(folder, "docling", properties, env) == launch(folder, "docling", properties), properties


def prepare(folder, rng):
    for name, model in (("docling", tiny_models.docling(rng)), ("detr", tiny_models.detr(rng, size=None)),
                        ("yolov8", tiny_models.yolov8(rng, NAMES))):
        onnx.save(model, folder / f"{name}.onnx")
    (folder / "labels.txt").write_text("".join(f"Ä{i}\n" for i in range(17)), encoding="utf-8")
    (folder / "other.modelinfo").write_text("[gst-doclayout]\nmean=0.5,0.5,0.5\nchannel-order=bgr\n", encoding="utf-8")
    image = page(rng, (200, 411))
    Image.fromarray(image).save(folder / "page.png")
    return image


def main():
    if not shutil.which("gst-launch-1.0") or subprocess.run(["gst-inspect-1.0", "--exists", "pngdec"]).returncode:
        print("skipped: no gst-launch-1.0, or no pngdec (gstreamer1.0-plugins-good)")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        image = prepare(folder, np.random.default_rng(4))
        plain = {}
        for model in ("docling", "detr", "yolov8"):
            plain[model] = launch(folder, model, "")
            agree(plain[model], run(sys.argv[1], folder / f"{model}.onnx", image))
        for model, properties, options in CASES:
            ours = launch(folder, model, properties)
            assert ours != plain[model], f"{properties} changes nothing"
            agree(ours, run(sys.argv[1], folder / f"{model}.onnx", image, *(o.format(folder=folder) for o in options)))
        for properties in SAME:
            assert launch(folder, "docling", properties) == plain["docling"], f"{properties} changes something"
        check_locale(folder)
        for properties, words in BAD:
            message = launch(folder, "docling", properties)
            assert isinstance(message, str) and words in message, (properties, message)
    print(f"{len(CASES)} settings change the regions, {len(SAME)} do not, {len(BAD)} are refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
