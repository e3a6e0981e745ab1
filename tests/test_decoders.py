#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each family's decoder against its published post-processing (references.py) on random network outputs:
PicoDet's aside, which test_picodet.py compares.

usage: test_decoders.py NN-DECODE [SEED]

Classes and reading order must be equal, scores within 1e-6 (the last bits of an exponential), boxes
within 0.01 pixel. Exit status 77 (skipped) without numpy.
"""
import sys

try:
    import numpy as np

    import references
    from decoding import Decoder, LetterBox, Stretch, compare, suppress
    from references import corners, regions, sigmoid
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

FRAMES = [(850, 1100), (1700, 700), (77, 41), (3000, 4000)]
SCORE_TOLERANCE = 1e-6


def random_boxes(rng, n):
    """cx cy w h in 0 … 1, some over the edge."""
    return np.concatenate([rng.random((n, 2)), rng.random((n, 2)) * 0.5], axis=1).astype(np.float32)


def detr_cases(rng):
    for frame in FRAMES:
        for classes, queries, mean, threshold in ((17, 300, -4, 0.3), (25, 300, 1, 0.3), (3, 40, 0, 0.01)):
            logits = rng.normal(mean, 2, (1, queries, classes)).astype(np.float32)
            boxes = random_boxes(rng, queries)[None]
            place = rng.choice([Stretch, LetterBox])(frame, (640, 640))
            roles = {"scores": 1, "boxes": 0}
            yield (("detr", place, classes, [boxes, logits], roles, threshold),
                   references.detr(place, logits, boxes, threshold))
            order = rng.normal(0, 2, (1, queries, queries)).astype(np.float32)
            yield (("detr-ordered", place, classes, [order, logits, boxes], {"scores": 1, "boxes": 2, "order": 0},
                    threshold), references.detr(place, logits, boxes, threshold, order))


def docling_cases(rng):
    for frame in FRAMES:
        for kind in (Stretch, LetterBox):
            place = kind(frame, (640, 640))
            shown = np.array([s / k for s, k in zip(place.size, place.scale)] * 2, np.float64)
            boxes = (corners(random_boxes(rng, 300).astype(np.float64)) * shown).astype(np.float32)[None]
            labels, scores = rng.integers(0, 17, (1, 300)), np.sort(rng.random((1, 300)).astype(np.float32))
            yield (("docling", place, 17, [labels, boxes, scores], {"labels": 0, "boxes": 1, "scores": 2}, 0.3),
                   references.docling(place, labels, boxes, scores, 0.3))


def paddle_cases(rng):
    for frame in FRAMES:
        for columns in (6, 7, 8):
            place, count = Stretch(frame, (800, 800)), rng.integers(1, 300, 1).astype(np.int32)
            rows = np.zeros((300, columns), np.float32)
            rows[:, 0], rows[:, 1] = rng.integers(-1, 25, 300), rng.random(300)
            rows[:, 2:6] = corners(random_boxes(rng, 300)) * np.array(frame * 2)
            rows[:, 6:] = rng.integers(0, 20, (300, columns - 6))
            yield (("pp-doclayout", place, 25, [rows, count], {"boxes": 0, "count": 1}, 0.5),
                   references.paddle(place, rows, count, 0.5))


def yolov8_cases(rng):
    for frame in FRAMES:
        for classes, anchors, power, threshold, iou in ((11, 8400, 30, 0.25, 0.7), (11, 2100, 2, 0.01, 0.45),
                                                        (1, 500, 1, 0.3, 0.2)):
            place = LetterBox(frame, (640, 640))
            head = np.concatenate([random_boxes(rng, anchors).T * 640,
                                   rng.random((classes, anchors)) ** power]).astype(np.float32)[None]
            yield (("yolov8", place, classes, [head], {"scores": 0}, threshold, iou),
                   references.yolov8(place, head, threshold, iou))


def yolov10_cases(rng):
    for frame in FRAMES:
        place = LetterBox(frame, (1024, 1024))
        rows = np.zeros((1, 300, 6), np.float32)
        rows[0, :, :4] = corners(random_boxes(rng, 300)) * 1024
        rows[0, :, 4], rows[0, :, 5] = rng.random(300), rng.integers(0, 10, 300)
        yield ("yolov10", place, 10, [rows], {"boxes": 0}, 0.2), references.yolov10(place, rows, 0.2)


def activated(scores, activation):
    if activation == "sigmoid":
        return sigmoid(scores)
    if activation == "softmax":
        e = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
        return (e / e.sum(axis=1, keepdims=True)).astype(np.float32)
    return scores


def coded(boxes, format_, size):
    """cx cy w h of 0 … 1 in another form; `size` in pixels, or 1."""
    boxes = boxes * np.array(size * 2, np.float32)
    if format_ == "xyxy":
        return corners(boxes)
    return boxes if format_ == "cxcywh" else np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)


def custom_cases(rng):
    for number in range(36):
        coding = {"format": ("xyxy", "cxcywh", "xywh")[number % 3], "normalised": bool(number % 2),
                  "activation": ("none", "sigmoid", "softmax")[number // 3 % 3],
                  "background": ("none", "first", "last")[number // 9 % 3], "nms": number % 4 < 2}
        place, n, classes = Stretch(FRAMES[number % 4], (320, 256)), 200, 6
        boxes = random_boxes(rng, n)
        columns = classes + (coding["background"] != "none")
        raw = (rng.random((n, columns)) if coding["activation"] == "none" else rng.normal(0, 3, (n, columns)))
        raw = raw.astype(np.float32)
        scores = activated(raw, coding["activation"])
        first = int(coding["background"] == "first")
        scores = scores[:, first:first + classes]
        best, values = scores.argmax(axis=1), scores.max(axis=1)
        keep = np.flatnonzero(values > 0.4)
        pixels = corners(boxes[keep] * np.array(place.size * 2, np.float32))
        left = suppress(best[keep], values[keep], pixels, 0.5) if coding["nms"] else np.arange(len(keep))
        wanted = regions(best[keep][left], values[keep][left], place.place(pixels[left]))
        sent = coded(boxes, coding["format"], (1, 1) if coding["normalised"] else place.size)
        yield (("custom", place, classes, [raw[None], sent[None].astype(np.float32)], {"scores": 0, "boxes": 1},
                0.4, 0.5, coding), wanted)


def custom_label_cases(rng):
    """Labels in an output of their own; background is a number of it."""
    for kind in (np.int64, np.int32, np.float32):
        for background in ("none", "first", "last"):
            place, boxes = Stretch((850, 1100), (320, 256)), random_boxes(rng, 100)
            scores, labels = rng.random(100).astype(np.float32), rng.integers(0, 7, 100)
            ids = labels - (background == "first")
            keep = (scores > 0.4) & (ids >= 0) & (ids < 6)
            if background == "none":
                labels, keep = labels % 6, scores > 0.4
                ids = labels
            pixels = corners(boxes * np.array(place.size * 2, np.float32))
            yield (("custom", place, 6, [scores[None], boxes[None], labels[None].astype(kind)],
                    {"scores": 0, "boxes": 1, "labels": 2}, 0.4, 0.5, {"format": "cxcywh", "background": background}),
                   regions(ids[keep], scores[keep], place.place(pixels[keep])))


def check_placement(decoder, rng):
    """What lay in the frame comes back to where it lay, through a letterbox and without."""
    for _ in range(60):
        frame, size = (tuple(int(v) for v in rng.integers(low, 2000, 2)) for low in (20, 64))
        for kind in (Stretch, LetterBox):
            place = kind(frame, size)
            boxes = np.sort(rng.random((20, 2, 2)), axis=1).reshape(20, 4) * np.array(frame * 2)
            boxes[0] = (0, 0, *frame)
            rows = np.zeros((1, 20, 6), np.float32)
            rows[0, :, :4] = boxes * np.array(place.scale * 2) + np.array(place.offset * 2)
            rows[0, :, 4] = np.linspace(1, 0.5, 20)
            found = decoder("yolov10", place, 1, [rows], {"boxes": 0}, 0.2)
            off = np.abs(np.array([r[2] for r in found]) - boxes).max()
            assert off < 1e-5 * max(*frame, *size) / min(1, *place.scale), (frame, size, off)


def check_refusals(decoder, rng):
    """Outputs that do not belong together, classes without a label, numbers that are none."""
    place, boxes = Stretch((100, 100), (64, 64)), random_boxes(rng, 9)[None]
    logits, labels = np.full((1, 9, 5), 2, np.float32), np.full((1, 9), 5)
    cases = [(("detr", place, 4, [logits, boxes], {"scores": 0, "boxes": 1}, 0.3), "float32[1,9,5], not float32[1,?,4]"),
             (("detr", place, 5, [logits, boxes[:, :8]], {"scores": 0, "boxes": 1}, 0.3), "not float32[1,9,4]"),
             (("docling", place, 5, [labels, boxes, logits[:, :, 0]], {"labels": 0, "boxes": 1, "scores": 2}, 0.3),
              "class 5, but there are 5 labels"),
             (("yolov10", place, 5, [np.full((1, 3, 6), 7, np.float32)], {"boxes": 0}, 0.3), "class 7"),
             (("yolov8", place, 4, [np.zeros((1, 9, 50), np.float32)], {"scores": 0}, 0.3), "not float32[1,8,?]"),
             (("pp-doclayout", place, 5, [np.full((3, 7), 9, np.float32), np.array([3], np.int32)],
               {"boxes": 0, "count": 1}, 0.3), "class 9"),
             (("pp-doclayout", place, 5, [np.zeros((3, 9), np.float32), np.array([3], np.int32)],
               {"boxes": 0, "count": 1}, 0.3), "float32[3,9]"),
             (("custom", place, 5, [logits, boxes], {"scores": 0, "boxes": 1, "labels": 0}, 0.3), "output of labels")]
    for arguments, message in cases:
        try:
            decoder(*arguments)
        except ValueError as error:
            assert message in str(error), (message, str(error))
        else:
            raise AssertionError(f"no complaint about {message}")
    boxes[0, 0] = np.nan
    boxes[0, 1, 2] = np.inf
    logits[:] = -9
    logits[0, :, 3] = 2
    logits[0, 2, 3] = np.nan
    found = decoder("detr", place, 5, [logits, boxes], {"scores": 0, "boxes": 1}, 0.3)
    assert len(found) == 6 and all(np.isfinite(r[2]).all() for r in found), found
    counted = [np.full((3, 6), 1, np.float32), np.array([99], np.int32)]
    assert len(decoder("pp-doclayout", place, 5, counted, {"boxes": 0, "count": 1}, 0.3)) == 3
    counted[1][0] = -1
    assert not decoder("pp-doclayout", place, 5, counted, {"boxes": 0, "count": 1}, 0.3)


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    rng = np.random.default_rng(seed)
    decoder = Decoder(sys.argv[1])
    for cases in (detr_cases, docling_cases, paddle_cases, yolov8_cases, yolov10_cases, custom_cases,
                  custom_label_cases):
        count = total = 0
        worst = 0.0
        for arguments, wanted in cases(rng):
            worst = max(worst, compare(decoder(*arguments), wanted, score_tolerance=SCORE_TOLERANCE))
            count, total = count + 1, total + len(wanted)
        print(f"{cases.__name__}: {count} cases, {total} regions, boxes at most {worst:.6f} pixels off (seed {seed})")
        assert total >= 5 * count
    check_placement(decoder, rng)
    check_refusals(decoder, rng)
    decoder.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
