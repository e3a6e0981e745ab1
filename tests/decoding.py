# SPDX-License-Identifier: LGPL-2.1-or-later
"""A family's decoder on outputs given as arrays: the other end of nn-decode.c, and how two lists of
regions are compared."""
import struct
import subprocess

import numpy as np

REGION = struct.Struct("5f2i")
ROLES = ("scores", "boxes", "labels", "order", "count")
TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 5, np.dtype(np.int32): 6}  # as nn_dtype counts them
FORMATS = ("xyxy", "cxcywh", "xywh")
ACTIVATIONS = ("none", "sigmoid", "softmax")
BACKGROUNDS = ("none", "first", "last")


class Stretch:
    """Where a frame lies in an input that it fills; sizes are (width, height)."""

    def __init__(self, frame, size):
        self.frame, self.size = frame, size
        self.scale = np.float32(size[0]) / np.float32(frame[0]), np.float32(size[1]) / np.float32(frame[1])
        self.offset = 0, 0

    def place(self, boxes):
        """x0 y0 x1 y1 of the input in pixels to the frame's, cut at its edges."""
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        scale, offset = np.array(self.scale * 2, np.float64), np.array(self.offset * 2, np.float64)
        return np.clip((boxes - offset) / scale, 0, np.array(self.frame * 2))


class LetterBox(Stretch):
    """The same for Ultralytics' LetterBox."""

    def __init__(self, frame, size):
        super().__init__(frame, size)
        scale = min(size[1] / frame[1], size[0] / frame[0])
        inner = [max(1, int(round(side * scale))) for side in frame]
        self.scale = tuple(np.float32(i) / np.float32(f) for i, f in zip(inner, frame))
        self.offset = tuple(int(round((s - i) / 2 - 0.1)) for s, i in zip(size, inner))


def request(family, place, labels, outputs, roles, threshold, iou=0.5, coding=None):
    coding = {"format": "xyxy", "normalised": True, "activation": "none", "background": "none", "nms": False,
              **(coding or {})}
    head = struct.pack("32s6i6f", family.encode(), *place.frame, *place.size, labels, len(outputs), threshold, iou,
                       *place.scale, *place.offset)
    head += struct.pack("5i", *(roles.get(role, -1) for role in ROLES))
    head += struct.pack("5i", FORMATS.index(coding["format"]), coding["normalised"],
                        ACTIVATIONS.index(coding["activation"]), BACKGROUNDS.index(coding["background"]),
                        coding["nms"])
    for array in outputs:
        head += struct.pack(f"{2 + array.ndim}i", TYPES[array.dtype], array.ndim, *array.shape)
        head += np.ascontiguousarray(array).tobytes()
    return head


class Decoder:
    """nn-decode, running. A call gives [(class, score, box, order)…], best first, or raises ValueError."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, *arguments, **keywords):
        self.process.stdin.write(request(*arguments, **keywords))
        self.process.stdin.flush()
        status, = struct.unpack("i", self.process.stdout.read(4))
        if status:
            raise ValueError(self.process.stdout.read(512).split(b"\0")[0].decode())
        count, = struct.unpack("i", self.process.stdout.read(4))
        data = self.process.stdout.read(count * REGION.size)
        return [(v[5], v[4], v[:4], v[6]) for v in REGION.iter_unpack(data)]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait() == 0, "nn-decode failed"


def suppress(classes, scores, boxes, threshold, most=None):
    """Indices that greedy NMS within each class leaves, best first, as torchvision's nms() does it."""
    kept = []
    x0, y0, x1, y1 = boxes.T
    area = (x1 - x0) * (y1 - y0)
    for i in np.argsort(-scores, kind="stable"):
        k = np.array(kept, int)
        k = k[classes[k] == classes[i]] if kept else k
        both = (np.clip(np.minimum(x1[k], x1[i]) - np.maximum(x0[k], x0[i]), 0, None)
                * np.clip(np.minimum(y1[k], y1[i]) - np.maximum(y0[k], y0[i]), 0, None))
        if not (both / (area[k] + area[i] - both) > threshold).any():
            kept.append(int(i))
    return kept[:most]


def compare(ours, theirs, box_tolerance=0.01, score_tolerance=0.0):
    """Two lists of (class, score, box, order) hold the same regions, ours best first. Returns the worst box."""
    assert len(ours) == len(theirs), f"{len(ours)} regions, there {len(theirs)}"
    assert all(x[1] >= y[1] for x, y in zip(ours, ours[1:])), "not sorted"
    worst = 0.0
    # Scores may differ in their last bits, so that order alone does not tell which is which.
    rest = list(theirs)
    for class_id, score, box, order in ours:
        off = [np.inf if c != class_id or o != order or abs(s - score) > score_tolerance
               else float(np.abs(np.subtract(box, b)).max()) for c, s, b, o in rest]
        nearest = int(np.argmin(off))
        assert off[nearest] <= box_tolerance, ((class_id, score, box, order), rest[nearest])
        worst = max(worst, off[nearest])
        del rest[nearest]
    return worst
