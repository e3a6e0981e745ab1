#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Full-size networks of each architecture, from the page to its regions, against ONNX Runtime with the
family's published pre- and post-processing (references.py): RT-DETR, RT-DETRv2, D-FINE and
PP-DocLayoutV3 as transformers exports them, RT-DETRv2 as docling publishes it (tests/models/), and
YOLOv8, v10 and 11 (yolo_graph.py). test_models.py does the same with many forms of tiny networks;
checkfamilies.py compares the numbers of these networks before they are decoded.

usage: test_fullsize.py NN-DETECT [--device cuda] [--precision fp32] [NAME …]

Halves round so much that such networks make something else of the page: tests/gpu/regions.py compares those.

Weights are random, and heads such that scores spread over classes on the very pages (spread_last());
each threshold lets some tens of regions a page through, more of some. Such networks make something
else entirely of a page of which one pixel in a hundred is one level brighter, so both sides must see
the same numbers. Three pages a model:

  the first page of the sample document, and a drawn one: as large as the input, not resampled
  where a page is stretched: the second page at twice the input's width and in steps of 32 levels.
  Weights of all filters are multiples of 1/32 at that scale, so that no level needs rounding
  where it keeps its shape: the second page as rendered. OpenCV's resize is equal to ours

The same region is one of the same label and place in the order whose box is within 0.05 pixels: sums
of a hundred layers in another order move boxes by up to 0.03, the wrong pixel by 0.5 or more. Its
score must be within 1e-4 (YOLO), 1e-3 (the others): with and without its optimisations ONNX Runtime
differs from itself by up to 9.5e-4 there (D-FINE). Two places that are nearly equal may swap at the top-k's last
rank: STRAYS of the regions may be on one side only, not counting those that close to the threshold.
Fewer than 5 regions a page, or 4 labels a model, compare nothing. Exit status 77 (skipped) without
packages.
"""
import argparse
import pathlib
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    from PIL import Image

    import nnrun
    import pages
    import references
    from decoding import LetterBox, Stretch
    from nndetect import Detector
    from test_models import HERON, PP_DOCLAYOUT, antialias, bicubic, letterbox, pair, worst_box
    if next(pages.images(), None) is None:
        import pypdfium2  # noqa: F401: pages are rendered then
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "models"))
import fill_weights
import yolo_graph

SEED = 0
DRAWN = 7  # the drawn page's seed
SAME_DETR, SAME_YOLO = (0.05, 1e-3, 0), (0.05, 1e-4, 0)  # box in pixels, score, place in the order
STRAYS = 0.005  # of all regions of both sides
REGIONS_LEAST, LABELS_LEAST = 5, 4
YOLO_LABELS = [f"class {i}" for i in range(11)]


def detr(name):
    def build(xs):
        model = fill_weights.fill(pathlib.Path(fill_weights.__file__).parent / f"{name}-structure.onnx.xz", SEED)
        fill_weights.spread_last(model, fill_weights.n_classes(model), SEED, xs)
        if name == "pp-doclayout-v3":  # else its boxes are all alike
            fill_weights.spread_last(model, 4, SEED, xs)
        return model
    return build


def yolo(version):
    return lambda xs: yolo_graph.build(version, 640, len(YOLO_LABELS), 0.25, SEED, dynamic=True)


def decode_detr(place, outputs, threshold):
    return references.detr(place, outputs["logits"], outputs["pred_boxes"], threshold, outputs.get("order_logits"))


def decode_docling(place, outputs, threshold):
    return references.docling(place, outputs["labels"], outputs["boxes"], outputs["scores"], threshold)


def decode_yolov8(place, outputs, threshold):
    return references.yolov8(place, outputs["output0"], threshold, 0.7)


def decode_yolov10(place, outputs, threshold):
    return references.yolov10(place, outputs["output0"], threshold)


# name: how it is built, the input's side, labels, threshold, resize, placement, decoder, what is the same
STRETCHED, KEPT = (antialias, Stretch), (letterbox, LetterBox)
MODELS = {
    "rtdetr-r50": (detr("rtdetr-r50"), 640, HERON, 0.5, *STRETCHED, decode_detr, SAME_DETR),
    "rtdetrv2-r50": (detr("rtdetrv2-r50"), 640, HERON, 0.4, *STRETCHED, decode_detr, SAME_DETR),
    "dfine-l": (detr("dfine-l"), 640, HERON, 0.5, *STRETCHED, decode_detr, SAME_DETR),
    "pp-doclayout-v3": (detr("pp-doclayout-v3"), 800, PP_DOCLAYOUT, 0.3, bicubic, Stretch, decode_detr, SAME_DETR),
    "heron-docling": (detr("heron-docling"), 640, HERON, 0.4, *STRETCHED, decode_docling, SAME_DETR),
    "yolov8": (yolo("8"), 640, YOLO_LABELS, 0.08, *KEPT, decode_yolov8, SAME_YOLO),
    "yolov10": (yolo("10"), 640, YOLO_LABELS, 0.08, *KEPT, decode_yolov10, SAME_YOLO),
    "yolo11": (yolo("11"), 640, YOLO_LABELS, 0.1, *KEPT, decode_yolov8, SAME_YOLO),
}


def frames(size, resize):
    """Two pages as large as the input, and one that becomes it in the same way everywhere."""
    some = list(pages.images())[:2] or list(pages.pdf_pages(pages.SAMPLE, 5))[:2]
    first, second = (Image.fromarray(pixels) for _, pixels in some)
    drawn = np.rint(yolo_graph.page(size, DRAWN)[0].transpose(1, 2, 0) * 255).astype(np.uint8)
    wide = np.asarray(second.resize((2 * size, size), Image.BICUBIC)) & 0xe0
    return [np.asarray(first.resize((size, size), Image.BICUBIC)), drawn,
            np.asarray(second) if resize is letterbox else wide]


def to_input(image, resize, size):
    inner = resize(image, (size, size))
    assert image.shape[:2] != (size, size) or np.array_equal(inner, image), "what has its size already was resampled"
    return (inner.transpose(2, 0, 1)[None] / np.float32(255)).astype(np.float32)


def run_reference(session, x, place):
    image, *size = (value.name for value in session.get_inputs())
    feeds = {image: x, **{name: np.array([place.frame]) for name in size}}
    return dict(zip([value.name for value in session.get_outputs()], session.run(None, feeds)))


class Tally:
    """What a model's pages gave."""

    def __init__(self, threshold, tolerance):
        self.threshold, self.tolerance = threshold, tolerance
        self.pages = self.ours = self.theirs = self.strays = self.at_threshold = 0
        self.worst_box = self.worst_score = 0.0
        self.labels = set()

    def add(self, ours, theirs):
        pairs, *alone = pair(ours, theirs, self.tolerance)
        alone = [region for side in alone for region in side]
        near = sum(region[1] - self.threshold <= self.tolerance[1] for region in alone)
        self.pages += 1
        self.ours, self.theirs = self.ours + len(ours), self.theirs + len(theirs)
        self.strays, self.at_threshold = self.strays + len(alone) - near, self.at_threshold + near
        self.worst_box = max(self.worst_box, worst_box(pairs))
        self.worst_score = max([self.worst_score, *(abs(a[1] - b[1]) for a, b in pairs)])
        self.labels |= {a[0] for a, _ in pairs}

    def __str__(self):
        return (f"{self.ours} regions above {self.threshold} on {self.pages} pages, there {self.theirs}, of "
                f"{len(self.labels)} labels; {self.strays} strays, {self.at_threshold} more at the threshold; "
                f"boxes at most {self.worst_box:.5f} pixels off, scores {self.worst_score:.1e}")

    def check(self):
        assert self.strays <= STRAYS * (self.ours + self.theirs), "regions are not the same"
        assert min(self.ours, self.theirs) >= REGIONS_LEAST * self.pages, "too few regions to compare anything"
        assert len(self.labels) >= LABELS_LEAST, "too few labels to compare anything"


def check(args, folder, name):
    build, size, labels, threshold, resize, place, decode, tolerance = MODELS[name]
    path = str(folder / f"{name}.onnx")
    images = frames(size, resize)
    xs = [to_input(image, resize, size) for image in images]
    onnx.save(build(xs), path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    detector = Detector(args.program, path, "duplicates=keep", "max=1000", f"threshold={threshold}",
                        f"device={args.device}", f"precision={args.precision}")
    tally = Tally(threshold, tolerance)
    for image, x in zip(images, xs):
        where = place(image.shape[1::-1], (size, size))
        ours = [(labels.index(r["label"]), r["score"], r["bbox"], r["order"]) for r in detector(image, "RGB")]
        tally.add(ours, decode(where, run_reference(session, x, where), threshold))
    detector.close()
    print(f"{name}: {tally}", flush=True)
    tally.check()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", metavar="NN-DETECT")
    nnrun.add_arguments(parser)
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_intermixed_args()
    names, failed = args.names or list(MODELS), 0
    print(f"weights of seed {SEED}, the drawn page of seed {DRAWN}, onnxruntime {onnxruntime.__version__}")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(args, pathlib.Path(folder), name)
            except AssertionError as error:
                failed += 1
                print(f"FAILED {name}: {error}")
    print(f"{len(names)} models, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
