#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sidecars: each key changes what it should, options go before it, and bad files are refused with the
line and what is allowed. The regions are compared with ONNX Runtime and numpy; the example in
docs/modelinfo.md is one of the cases.

usage: test_modelinfo.py NN-DETECT [SEED]; exit status 77 (skipped) without packages
"""
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

try:
    import cv2
    import numpy as np
    import onnx
    import onnxruntime

    import pages
    import references
    import tiny_models
    from decoding import LetterBox, Stretch, suppress
    from test_models import EXACT, HERON, NAMES, RESAMPLED, antialias, match, page
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

DOCUMENT = pages.ROOT / "docs" / "modelinfo.md"
SIZE = (256, 256)


def run(program, model, image, *options):
    """The regions as references.py has them but with labels, or the message of a failure."""
    height, width = image.shape[:2]
    frame = struct.pack("4i", 2, width, height, 3 * width) + image.tobytes()
    done = subprocess.run([program, str(model), "duplicates=keep", "max=1000", *options], input=frame,
                          capture_output=True, timeout=60, check=False)
    if done.returncode:
        assert done.returncode == 1, (done.returncode, done.stderr)
        return done.stderr.decode().strip()
    return [(r["label"], r["score"], tuple(r["bbox"]), r["order"]) for r in json.loads(done.stdout)["regions"]]


class Folder:
    """A model and its sidecar in a folder of their own."""

    def __init__(self, folder, model):
        self.path, self.sidecar = folder / "model.onnx", folder / "model.onnx.modelinfo"
        onnx.save(model, self.path)
        self.session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])

    def say(self, text, group="[gst-doclayout]\n"):
        self.sidecar.write_text(group + text, encoding="utf-8")


def network_input(image, size=SIZE, resize=antialias, bgr=False, mean=(0, 0, 0), std=(1, 1, 1), scale=1):
    x = resize(image, size).astype(np.float64)[:, :, ::-1 if bgr else 1] / 255
    return ((x - mean) / std * scale).transpose(2, 0, 1)[None].astype(np.float32)


def letterbox(pad):
    def fit(image, size):
        place = LetterBox(image.shape[1::-1], size)
        inner = [int(round(float(s) * f)) for s, f in zip(place.scale, place.frame)]
        whole = np.full((size[1], size[0], 3), pad, np.uint8)
        x, y = place.offset
        whole[y:y + inner[1], x:x + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
        return whole
    return fit


def resized(flag):
    return lambda image, size: cv2.resize(image, size, interpolation=flag)


def docling(folder, place, x, threshold=0.3, labels=HERON):
    shown = [int(np.rint(s / np.float64(k))) for s, k in zip(place.size, place.scale)]
    outputs = folder.session.run(None, {"images": x, "orig_target_sizes": np.array([shown])})
    return [(labels[c], *rest) for c, *rest in references.docling(place, *outputs, threshold)]


def agree(ours, theirs, threshold=0.3, tolerance=EXACT):
    assert isinstance(ours, list), ours
    alone, _ = match(ours, theirs, threshold, tolerance)
    assert alone == 0 if tolerance is EXACT else alone <= 2 + len(ours) / 15, f"{alone} of {len(ours)} have no like"
    assert len(ours) >= 5, "too few regions to compare anything"


# What a sidecar says, the same as options of nn-detect, and the same for the reference. Where there is
# no such option the second is None.
PAGE = {"mean": (0.5, 0.4, 0.3), "std": (0.25, 0.5, 1)}
PAGES = [
    ("channel-order = bgr\n", ["order=2"], {"bgr": True}, SIZE, EXACT),
    ("mean = 0.5, 0.4,0.3\nstd=0.25,0.5,1\n", ["mean=0.5,0.4,0.3", "std=0.25,0.5,1"], PAGE, SIZE, EXACT),
    ("scale = 255\nmean=0.5,0.5,0.5\nstd = 200,200,200\n", None,
     {"scale": 255, "mean": (0.5,) * 3, "std": (200,) * 3}, SIZE, EXACT),
    ("resize-filter = bilinear\n", ["filter=1"], {"resize": resized(cv2.INTER_LINEAR)}, (200, 411), EXACT),
    ("resize-filter = bilinear-antialias\n", ["filter=2"], {}, (600, 411), RESAMPLED),
    ("resize-filter = bicubic\n", ["filter=3"], {"resize": resized(cv2.INTER_CUBIC)}, (200, 411), RESAMPLED),
    ("resize-filter = area\n", ["filter=4"], {"resize": resized(cv2.INTER_AREA)}, (512, 512), RESAMPLED),
    ("letterbox = true\npad = 7\nresize-filter = bilinear\n", None, {"resize": letterbox(7)}, (200, 411), EXACT),
    ("letterbox = true\nresize-filter = bilinear\n", ["letterbox=2", "filter=1"], {"resize": letterbox(114)},
     (411, 200), EXACT),
]


def check_pages(program, folder, rng):
    for text, options, how, frame, tolerance in PAGES:
        image = page(rng, frame)
        place = (LetterBox if "letterbox" in text else Stretch)(frame, SIZE)
        wanted = docling(folder, place, network_input(image, **how))
        folder.say(text)
        told = run(program, folder.path, image)
        agree(told, wanted, tolerance=tolerance)
        folder.sidecar.unlink()
        plain = run(program, folder.path, image)
        if frame == SIZE or "antialias" not in text:
            assert plain != told, f"{text!r} changes nothing"
        if options is None:
            continue
        assert run(program, folder.path, image, *options) == told, f"{options} is not {text!r}"
        folder.say("channel-order=bgr\nmean=0.1,0.1,0.1\nstd=3,3,3\nletterbox=false\nresize-filter=bicubic\n")
        other = ["order=1", "mean=0,0,0", "std=1,1,1", "letterbox=1", "filter=2"]
        given = dict(o.split("=") for o in other + options)
        assert run(program, folder.path, image, *(f"{k}={v}" for k, v in given.items())) == told, "options come first"
        folder.sidecar.unlink()
    print(f"pages: {len(PAGES)} sidecars, and the same as options")


def check_gstreamer(program, folder, rng):
    """GStreamer's own groups alone."""
    image, place = page(rng, SIZE), Stretch(SIZE, SIZE)
    for ranges, how in (("0.0,2.0", {"scale": 2}), ("-1.0,1.0;0,1;-0.5,0.5",
                        {"mean": (0.5, 0, 0.5), "std": (0.5, 1, 1)})):
        folder.say("[modelinfo]\nversion=1.0\ngroup-id=g\n\n[images]\nid=i\ntype=float32\ndims=-1,3,256,256\n"
                   f"dir=input\nranges={ranges}\n\n[boxes]\nid=b\ndir=output\n", group="")
        agree(run(program, folder.path, image), docling(folder, place, network_input(image, **how)))
    folder.say("[images]\nranges=0,255\n[gst-doclayout]\nmean=0,0,0\nstd=1,1,1\n", group="")
    agree(run(program, folder.path, image), docling(folder, place, network_input(image)))  # ours goes first
    print("GStreamer's groups: 3 sidecars")


def check_decoding(program, folder, rng):
    image, place = page(rng, SIZE), Stretch(SIZE, SIZE)
    x = network_input(image)
    folder.say("threshold = 0.55\n")
    agree(run(program, folder.path, image), docling(folder, place, x, 0.55), 0.55)
    agree(run(program, folder.path, image, "threshold=0.5"), docling(folder, place, x, 0.5), 0.5)
    names = [f"Ä{i}" for i in range(17)]
    folder.say("labels = " + " ,\t".join(names) + "\n")
    agree(run(program, folder.path, image), docling(folder, place, x, labels=names))
    (folder.path.parent / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    folder.say("labels-file = names.txt\n")
    agree(run(program, folder.path, image), docling(folder, place, x, labels=names))
    (folder.path.parent / "more.txt").write_text("\n".join(HERON), encoding="utf-8")
    agree(run(program, folder.path, image, f"labels={folder.path.parent}/more.txt"), docling(folder, place, x))
    folder.sidecar.write_text("\ufeff[gst-doclayout]\r\nlabels-file = bom.txt\r\n", encoding="utf-8", newline="")
    (folder.path.parent / "bom.txt").write_text("\ufeff" + "\r\n".join(names), encoding="utf-8", newline="")
    agree(run(program, folder.path, image), docling(folder, place, x, labels=names))  # as Windows writes them
    folder.say("family = docling\n")
    agree(run(program, folder.path, image), docling(folder, place, x))
    for text in ("family = picodet\n", "boxes-output = boxes\nnms = true\n"):
        folder.say(text)
        agree(run(program, folder.path, image, "family=docling"), docling(folder, place, x))


def check_places(program, folder, rng):
    """Which file is read."""
    image = page(rng, SIZE)
    folder.say("threshold = 1\n")
    assert run(program, folder.path, image) == []
    short = folder.sidecar.rename(folder.path.with_suffix(".modelinfo"))
    assert run(program, folder.path, image) == []
    folder.say("threshold = 0.3\n")
    assert len(run(program, folder.path, image)) >= 5, "MODEL.onnx.modelinfo goes before MODEL.modelinfo"
    assert run(program, folder.path, image, f"modelinfo={short}") == []
    folder.sidecar.unlink()
    short.unlink()
    message = run(program, folder.path, image, f"modelinfo={short}")
    assert f"{short}: cannot open: No such file" in message, message


def check_size(program, folder, rng):
    """Sizes are for models that leave theirs open."""
    frame = (300, 200)
    image, place = page(rng, frame), Stretch(frame, (320, 192))
    outputs = folder.session.run(None, {"pixel_values": network_input(image, (320, 192))})
    wanted = [(HERON[c], *rest) for c, *rest in references.detr(place, *outputs, 0.3)]
    agree(run(program, folder.path, image, "width=320", "height=192"), wanted, tolerance=RESAMPLED)
    folder.say("input-width = 320\ninput-height = 192\n")
    agree(run(program, folder.path, image), wanted, tolerance=RESAMPLED)
    folder.say("[pixel_values]\ndims=-1,3,192,320\n", group="")
    agree(run(program, folder.path, image), wanted, tolerance=RESAMPLED)
    agree(run(program, folder.path, image, "width=320", "height=192"), wanted, tolerance=RESAMPLED)
    folder.sidecar.unlink()


def check_iou(program, folder, rng):
    image, place = page(rng, SIZE), LetterBox(SIZE, SIZE)
    head = folder.session.run(None, {"images": network_input(image)})[0]
    for iou in (0.0, 0.3):
        wanted = [(NAMES[c], *rest) for c, *rest in references.yolov8(place, head, 0.25, iou)]
        folder.say(f"iou-threshold = {iou}\n")
        agree(run(program, folder.path, image), wanted, 0.25)
        agree(run(program, folder.path, image, f"iou={iou}"), wanted, 0.25)
    assert len(run(program, folder.path, image, "iou=1")) > len(wanted)


def check_named_family(program, folder, rng):
    """A YOLO model whose input has another name is no detector of a known family until it is said to be one."""
    image = page(rng, SIZE)
    head = folder.session.run(None, {"images": network_input(image)})[0]
    wanted = [(NAMES[c], *rest) for c, *rest in references.yolov8(LetterBox(SIZE, SIZE), head, 0.25, 0.7)]
    model = onnx.load(folder.path)
    model.graph.input[0].name = "data"
    for node in model.graph.node:
        node.input[:] = ["data" if name == "images" else name for name in node.input]
    onnx.save(model, folder.path)
    assert "not a detector of a known family; inputs: data" in run(program, folder.path, image)
    assert "it is not of the family yolov10" in run(program, folder.path, image, "family=yolov10")
    agree(run(program, folder.path, image, "family=yolov8"), wanted, 0.25)
    folder.say("family = yolov8\n")
    agree(run(program, folder.path, image), wanted, 0.25)


def check_example(program, folder, rng):
    """docs/modelinfo.md: a softmax over a background and six classes, BGR, area, NMS."""
    frame, names = (512, 512), ["caption", "formula", "list", "picture", "table", "text"]
    image, place = page(rng, frame), Stretch(frame, SIZE)
    x = network_input(image, resize=resized(cv2.INTER_AREA), bgr=True)
    classes, places = (o[0].astype(np.float64) for o in folder.session.run(["classes", "places"], {"x": x}))
    e = np.exp(classes - classes.max(axis=1, keepdims=True))
    scores = (e / e.sum(axis=1, keepdims=True))[:, 1:]
    best, values = scores.argmax(axis=1), scores.max(axis=1)
    keep = np.flatnonzero(values > 0.4)
    boxes = places[keep] * np.array(SIZE * 2)
    left = suppress(best[keep], values[keep], boxes, 0.5)
    wanted = [(names[c], *rest) for c, *rest in
              references.regions(best[keep][left], values[keep][left], place.place(boxes[left]))]
    message = run(program, folder.path, image)
    assert "not a detector" in message and "x float32[?,3,256,256]" in message and "scores-output=" in message, message
    assert "places float32[?,?,4]" in message and "docs/modelinfo.md" in message, message
    example, = re.findall(r"^```ini\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    folder.say(example, group="")
    agree(run(program, folder.path, image), wanted, 0.4, RESAMPLED)


BAD = [
    ("threshold 1\n", 2, '"threshold 1" is neither [GROUP] nor KEY = VALUE'),
    ("= 1\n", 2, "is neither"),
    (" \r \t= 1\n", 2, "is neither"),
    ("[gst\n", 2, '"[gst" is no group'),
    ("[]\n", 2, "is no group"),
    ("\n\ntreshold = 1\n", 4, 'unknown key "treshold"; there are family, input-width'),
    ("threshold = 1.5\n", 2, '"1.5"; it takes a number, 0 to 1'),
    ("threshold = 0,5\n", 2, "0 to 1"),
    ("threshold = nan\n", 2, "0 to 1"),
    ("iou-threshold =\n", 2, '""; it takes'),
    ("threshold = 0.5\n# x\nthreshold = 0.5\n", 4, 'key "threshold" stands in line 2 already'),
    ("channel-order = gbr\n", 2, "rgb or bgr"),
    ("channel-order =\n", 2, "rgb or bgr"),
    ("mean = 1,2\n", 2, "three numbers"),
    ("mean = 1,2,3,4\n", 2, "three numbers"),
    ("std = 1,0,1\n", 2, "above 0"),
    ("scale = 2\n", 2, "1 or 255"),
    ("resize-filter = lanczos\n", 2, "bilinear, bilinear-antialias, bicubic or area"),
    ("letterbox = yes\n", 2, "true or false"),
    ("pad = 256\n", 2, "0 to 255"),
    ("pad = 1.5\n", 2, "0 to 255"),
    ("labels = a,,b\n", 2, "none of them empty"),
    ("labels =\n", 2, "none of them empty"),
    ("labels-file = none.txt\n", 2, "none.txt: cannot open"),
    ("labels = a\\qb\n", 2, "a backslash"),
    ("input-width = 0\n", 2, "1 to 32767"),
    ("input-height = 1e9\n", 2, "1 to 32767"),
    ("box-format = yxyx\n", 2, "xyxy, cxcywh or xywh"),
    ("box-units = metres\n", 2, "pixels or normalised"),
    ("score-activation = relu\n", 2, "none, sigmoid or softmax"),
    ("background = middle\n", 2, "none, first or last"),
    ("nms = 1\n", 2, "true or false"),
    ("family =\n", 2, "the name of a family"),
    ("[gst-doclayot]\nthreshold=1\n", 3, "[gst-doclayot] is neither [gst-doclayout] nor [modelinfo] nor named as"),
    ("[modelinfo]\nversion=2.0\n", 3, "1.0, the version"),
    ("[images]\nranges=1\n", 3, "MIN,MAX"),
    ("[images]\nranges=0,1;0,1\n", 3, "MIN,MAX"),
    ("[images]\nranges=1,1\n", 3, "MIN,MAX"),
    ("[images]\nranges=0,1;0,1;0,1;0,1\n", 3, "MIN,MAX"),
    ("[images]\ndims=1,3,5\n", 3, "N,3,height,width"),
    ("[images]\ndims=-1,3,256.5,256\n", 3, "N,3,height,width"),
    ("[images]\ndims=-1,3,256,-7\n", 3, "N,3,height,width"),
    ("[images]\ndims=-1,1,256,256\n", 3, "N,3,height,width"),
]
# Well formed, but not for this model.
UNFIT = [
    ("family = resnet\n", 'no model family "resnet"; there are docling, detr-ordered'),
    ("family = picodet\n", "it is not of the family picodet; inputs: images float32[?,3,256,256]"),
    ("family = custom\n", "needs scores-output and boxes-output"),
    ("boxes-output = boxes\n", "needs scores-output and boxes-output"),
    ("boxes-output = boxes\nscores-output = scores\n", "its one input is not an image"),
    ("threshold=0.4\nnms = true\n", ':3: key "nms" is for the family custom only, and this model is of the family doc'),
    ("family = docling\nboxes-output = boxes\n", ':3: key "boxes-output" is for the family custom only'),
    ("input-width = 640\n", "an input of width 640 was asked for, but the model is made for 256"),
]


def check_refusals(program, folder, rng):
    image = page(rng, SIZE)
    for text, line, words in BAD:
        folder.say(text)
        message = run(program, folder.path, image)
        assert isinstance(message, str), f"{text!r} is taken"
        assert f"{folder.sidecar}:{line}: " in message and words in message, (text, message)
    for text, words in UNFIT:
        folder.say(text)
        message = run(program, folder.path, image)
        assert isinstance(message, str) and words in message, (text, message)
    for data, words in ((b"[gst-doclayout]\nfamily = \xff\n", ":2: not UTF-8"), (b"[g]\0", ":1: not UTF-8"),
                        (b"threshold = 1\n", ":1: a key before the first [GROUP]"),
                        (b"[g]\na=\xc0\xaf\n", ":2: not UTF-8"), (b"#" * ((1 << 20) + 1), "larger than"),
                        (b"[modelinfo]\n" + b"".join(b"k%d=\n" % i for i in range(4097)), "more than 4096 keys")):
        folder.sidecar.write_bytes(data)
        message = run(program, folder.path, image)
        assert isinstance(message, str) and f"{folder.sidecar}" in message and words in message, (data[:40], message)
    folder.sidecar.unlink()
    for option, words in (("mean=1,2", "mean=1,2: it takes three numbers"), ("std=1,1,-1", "std=1,1,-1: it takes three"),
                          ("family=x", 'no model family "x"'), ("height=99", "an input of height 99")):
        message = run(program, folder.path, image, option)
        assert isinstance(message, str) and words in message, (option, message)
    print(f"refused: {len(BAD) + len(UNFIT) + 10} sidecars and options")


def check_labels(program, folder, rng):
    """What is said where the file does not tell its labels, or tells nonsense."""
    image = page(rng, SIZE)
    cases = [(tiny_models.detr(rng, 9), "none are known for 9 classes"),
             (tiny_models.paddle(rng, 6, 20), "no labels in it: name a labels file")]
    for names, words in (("{0: 'a'}", "1 labels for 5 classes: there must be one for each"), ("{0: 'a', 2: 'b'}", "is not a Python dict"),
                         ("{0: 'a'", "is not a Python dict"), ("", "is not a Python dict"),
                         ("{0: 'a'} x", "is not a Python dict"), ("{0: open('a')}", "is not a Python dict")):
        model = tiny_models.yolov8(rng, NAMES)
        onnx.helper.set_model_props(model, {"names": names})
        cases.append((model, words))
    for model, words in cases:
        onnx.save(model, folder.path)
        message = run(program, folder.path, image)
        assert isinstance(message, str) and words in message and str(folder.path) in message, (words, message)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    rng = np.random.default_rng(seed)
    checks = [(tiny_models.docling(rng), (check_pages, check_gstreamer, check_decoding, check_places, check_refusals)),
              (tiny_models.detr(rng, size=None), (check_size,)),
              (tiny_models.yolov8(rng, NAMES), (check_iou, check_named_family)),
              (tiny_models.custom(rng), (check_example,)), (tiny_models.custom(rng), (check_labels,))]
    failed = 0
    for model, functions in checks:
        for check in functions:
            with tempfile.TemporaryDirectory() as name:
                try:
                    check(sys.argv[1], Folder(pathlib.Path(name), model), rng)
                except AssertionError as error:
                    failed += 1
                    print(f"FAILED {check.__name__}: {error}")
    print(f"{failed} checks failed (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
