# SPDX-License-Identifier: LGPL-2.1-or-later
"""nn-detect as a function of pages, and how two lists of its regions are compared."""
import json
import struct
import subprocess

import numpy as np

IOU_LEAST = 0.99
FORMATS = ["BGRX", "RGBX", "RGB", "BGR"]  # as nn_pixel_format counts them


class Detector:
    """Our side: nn-detect, a page in, regions out."""

    def __init__(self, program, model, *options):
        self.process = subprocess.Popen([program, model, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, rgb, name):
        height, width = rgb.shape[:2]
        pixels = rgb if name.startswith("RGB") else rgb[:, :, ::-1]
        if name.endswith("X"):
            pixels = np.concatenate([pixels, np.full((height, width, 1), 255, np.uint8)], axis=2)
        data = np.ascontiguousarray(pixels).tobytes()
        head = struct.pack("4i", FORMATS.index(name), width, height, len(data) // height)
        try:
            self.process.stdin.write(head + data)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        assert line, "nn-detect ended early"
        return json.loads(line)["regions"]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait() == 0, "nn-detect failed"


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def match(ours, theirs, least=IOU_LEAST):
    """Pairs of one region each, and those left over on either side."""
    candidates = sorted(((iou(a["bbox"], b["bbox"]), i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs)
                         if a["label"] == b["label"] and iou(a["bbox"], b["bbox"]) >= least), reverse=True)
    pairs, used_ours, used_theirs = [], set(), set()
    for overlap, i, j in candidates:
        if i not in used_ours and j not in used_theirs:
            used_ours.add(i)
            used_theirs.add(j)
            pairs.append((overlap, ours[i], theirs[j]))
    rest = [("ours", r) for i, r in enumerate(ours) if i not in used_ours]
    rest += [("theirs", r) for j, r in enumerate(theirs) if j not in used_theirs]
    return pairs, rest
