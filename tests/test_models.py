#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole models of each family, from the frame to its regions, against ONNX Runtime with the family's
published pre- and post-processing: nothing is told but the file. The networks are small (tiny_models.py).

usage: test_models.py NN-DETECT [SEED]

Frames as large as the input need no resampling, and OpenCV's bilinear one is equal to ours: there the
regions must be the same ones, in the same reading order. Elsewhere a level of 255 may differ here and
there, and with it a box by a pixel, a score by 0.005, a place in the order by one, and one region in
thirty altogether, where a number that stands for a class is rounded. Fewer than 5 regions an image
compare nothing. Exit status 77 (skipped) without packages.
"""
import pathlib
import sys
import tempfile

try:
    import cv2
    import numpy as np
    import onnx
    import onnxruntime
    from PIL import Image

    import references
    import tiny_models
    from decoding import LetterBox, Stretch, suppress
    from nndetect import Detector
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

EXACT = (0.01, 1e-5, 0)  # box in pixels, score, place in the order
RESAMPLED = (1.0, 0.005, 1)
NAMES = ["Caption", "Foot'note", 'List "item"', "Page\\footer", "Text"]
HERON = ("caption footnote formula list_item page_footer page_header picture section_header table text title "
         "document_index code checkbox_selected checkbox_unselected form key_value_region").split()
PP_DOCLAYOUT = ("abstract algorithm aside_text chart content display_formula doc_title figure_title footer "
                "footer_image footnote formula_number header header_image image inline_formula number "
                "paragraph_title reference reference_content seal table text vertical_text vision_footnote").split()


def antialias(image, size):
    return np.asarray(Image.fromarray(image).resize(size, Image.BILINEAR))


def bicubic(image, size):
    return cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)


def letterbox(image, size):
    place = LetterBox(image.shape[1::-1], size)
    inner = [int(round(float(s) * f)) for s, f in zip(place.scale, place.frame)]
    whole = np.full((size[1], size[0], 3), 114, np.uint8)
    x, y = place.offset
    whole[y:y + inner[1], x:x + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    return whole


def run_detr(session, x, place):
    return references.detr(place, *session.run(["logits", "pred_boxes"], {"pixel_values": x}), 0.3)


def run_ordered(session, x, place):
    logits, boxes, order = session.run(["logits", "pred_boxes", "order_logits"], {"pixel_values": x})
    return references.detr(place, logits, boxes, 0.5, order)


def run_docling(session, x, place):
    return references.docling(place, *session.run(None, {"images": x, "orig_target_sizes": np.array([place.frame])}),
                              0.3)


def run_paddle(session, x, place):
    shape = np.array([place.size[::-1]], np.float32)
    scale = shape / np.array([place.frame[::-1]], np.float32)
    return references.paddle(place, *session.run(None, {"image": x, "im_shape": shape, "scale_factor": scale}), 0.5)


def run_yolov8(session, x, place):
    return references.yolov8(place, session.run(None, {"images": x})[0], 0.25, 0.7)


def run_yolov10(session, x, place):
    return references.yolov10(place, session.run(None, {"images": x})[0], 0.2)


# name: how it is built, the input's size, labels, resize, placement, the reference
MODELS = {
    "detr": (lambda rng: tiny_models.detr(rng), (256, 256), HERON, antialias, Stretch, run_detr),
    "detr, open size": (lambda rng: tiny_models.detr(rng, size=None), (640, 640), HERON, antialias, Stretch, run_detr),
    "detr-ordered": (lambda rng: tiny_models.detr(rng, 25, ordered=True), (256, 256), PP_DOCLAYOUT, bicubic, Stretch,
                     run_ordered),
    "docling": (lambda rng: tiny_models.docling(rng, size=(320, 256)), (320, 256), HERON, antialias, Stretch,
                run_docling),
    "pp-doclayout V3": (lambda rng: tiny_models.paddle(rng, 7), (256, 256), PP_DOCLAYOUT, bicubic, Stretch, run_paddle),
    "pp-doclayout V2": (lambda rng: tiny_models.paddle(rng, 8, reads_shape=False), (256, 256), PP_DOCLAYOUT, bicubic, Stretch,
                        run_paddle),
    "yolov8": (lambda rng: tiny_models.yolov8(rng, NAMES), (256, 256), NAMES, letterbox, LetterBox, run_yolov8),
    "yolov8, open size": (lambda rng: tiny_models.yolov8(rng, NAMES, (320, 224), fixed=False), (320, 224), NAMES,
                          letterbox, LetterBox, run_yolov8),
    "yolov10": (lambda rng: tiny_models.yolov10(rng, NAMES, (320, 320), fixed=False), (320, 320), NAMES, letterbox,
                LetterBox, run_yolov10),
}


def page(rng, size):
    """Patches of all greys and tints, as text and pictures are from far away."""
    patches = rng.integers(0, 256, (-(-size[1] // 8), -(-size[0] // 8), 3), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(patches, np.ones((8, 8, 1), np.uint8))[:size[1], :size[0]])


def pair(ours, theirs, tolerance):
    """Pairs of regions that are the same but for the tolerance, and those left over on either side."""
    rest, pairs, alone = list(theirs), [], []
    most_box, most_score, most_order = tolerance
    for region in ours:
        label, score, box, order = region
        off = [np.inf if c != label or abs(o - order) > most_order or abs(s - score) > most_score
               else float(np.abs(np.subtract(box, b)).max()) for c, s, b, o in rest]
        best = int(np.argmin(off)) if off else -1
        if best >= 0 and off[best] <= most_box:
            pairs.append((region, rest.pop(best)))
        else:
            alone.append(region)
    return pairs, alone, rest


def worst_box(pairs):
    return max((float(np.abs(np.subtract(a[2], b[2])).max()) for a, b in pairs), default=0.0)


def match(ours, theirs, threshold, tolerance):
    """How many regions are on one side only, and the worst box of the others. A region that close to the
    threshold may be."""
    pairs, *alone = pair(ours, theirs, tolerance)
    return sum(region[1] - threshold > tolerance[1] for side in alone for region in side), worst_box(pairs)


def check(program, rng, folder, name):
    build, size, labels, resize, place, reference = MODELS[name]
    path = folder / (name.replace(" ", "-").replace(",", "") + ".onnx")
    onnx.save(build(rng), path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    detector = Detector(program, str(path), "duplicates=keep", "max=1000")
    threshold = {"detr": 0.3, "docling": 0.3, "yolov8": 0.25, "yolov10": 0.2}.get(name.split(",")[0], 0.5)
    total, flipped, worst, frames = 0, 0, 0.0, [size, (212, 300), (900, 640), (61, 500)]
    for frame in frames:
        image = page(rng, frame)
        x = (resize(image, size).transpose(2, 0, 1)[None] / np.float32(255)).astype(np.float32)
        theirs = reference(session, x, place(frame, size))
        ours = [(labels.index(r["label"]), r["score"], r["bbox"], r["order"]) for r in detector(image, "RGB")]
        exact = frame == size or resize is letterbox
        alone, off = match(ours, theirs, threshold, EXACT if exact else RESAMPLED)
        assert alone == 0 if exact else alone <= 2 + len(ours) / 15, f"{frame}: {alone} of {len(ours)} have no like"
        total, flipped, worst = total + len(ours), flipped + alone, max(worst, off)
    detector.close()
    print(f"{name}: {total} regions on {len(frames)} images, boxes at most {worst:.5f} pixels off, {flipped} flipped")
    assert total >= 5 * len(frames), "too few regions to compare anything"


def check_same_class(program, rng, folder):
    """Networks that need no NMS give a block twice at times: resolving takes those of a class by their IoU."""
    path, labels = folder / "one.onnx", folder / "one.txt"
    onnx.save(tiny_models.docling(rng, classes=1), path)
    labels.write_text("text\n", encoding="utf-8")
    image = page(rng, (256, 256))
    for iou, options in ((0.8, []), (0.3, ["iou=0.3"]), (0.1, ["iou=0.1"])):
        keeping, resolving = (Detector(program, str(path), f"labels={labels}", "threshold=0.1", f"duplicates={how}",
                                       "max=1000", *options) for how in ("keep", "resolve"))
        kept, left = keeping(image, "RGB"), resolving(image, "RGB")
        keeping.close()
        resolving.close()
        boxes, scores = np.array([r["bbox"] for r in kept]), np.array([r["score"] for r in kept])
        wanted = suppress(np.zeros(len(kept), int), scores, boxes, iou)
        assert left == [kept[i] for i in wanted], (iou, len(left), len(wanted))
        print(f"one class: {len(left)} of {len(kept)} regions overlap less than {iou}")
    assert len(left) < len(kept), "nothing overlaps"


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    rng = np.random.default_rng(seed)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in (*MODELS, None):
            try:
                if name:
                    check(sys.argv[1], rng, pathlib.Path(folder), name)
                else:
                    check_same_class(sys.argv[1], rng, pathlib.Path(folder))
            except AssertionError as error:
                failed += 1
                print(f"FAILED {name}: {error}")
    print(f"{len(MODELS)} models, {failed} failed (seed {seed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
