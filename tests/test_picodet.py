#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""PicoDet's decoding and NMS against RapidLayout's PPPostProcess, on random network outputs.

usage: test_picodet.py NN-DECODE [--bench]

Random scores reach the limits that pages rarely reach: 1000 cells a level, 200 boxes of a class
before NMS, 100 after. Boxes may differ by 0.01 pixel, scores not at all. Exit status 77 (skipped)
without packages.
"""
import subprocess
import sys
import time

try:
    import numpy as np
    from rapid_layout.model_handler.pp.post_process import PPPostProcess

    from decoding import Decoder, Stretch, request
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

STRIDES = (8, 16, 32, 64)
LABELS, BINS = 10, 8
BOX_TOLERANCE = 0.01

# (frame, input, threshold, IoU threshold, the scores' power: the higher, the fewer are large)
CASES = [
    ((850, 1100), (608, 800), 0.5, 0.5, 60), ((850, 1100), (608, 800), 0.5, 0.5, 1),
    ((850, 1100), (608, 800), 0.01, 0.5, 1), ((850, 1100), (608, 800), 0.01, 0.9, 4),
    ((850, 1100), (608, 800), 0.01, 0.99, 4), ((300, 2000), (608, 800), 0.3, 0.3, 20),
    ((77, 41), (320, 192), 0.05, 0.5, 3), ((4000, 3000), (200, 104), 0.2, 0.6, 2),
    ((850, 1100), (608, 800), 0.999999, 0.5, 40), ((850, 1100), (608, 800), 0.01, 0.02, 1),
    ((850, 1100), (608, 800), 0.01, 0.05, 1),  # so few stay that the limits before NMS tell
]


def random_outputs(rng, size, power):
    """Scores without ties, and box logits that make some boxes wide and some narrow."""
    cells = [-(-size[0] // s) * -(-size[1] // s) for s in STRIDES]
    scores = [rng.random((1, n, LABELS)).astype(np.float32) ** power for n in cells]
    boxes = [rng.normal(0, 3, (1, n, 4 * BINS)).astype(np.float32) for n in cells]
    flat = np.concatenate([s.ravel() for s in scores])
    ranks = np.argsort(np.argsort(flat, kind="stable"), kind="stable")
    distinct = np.maximum.accumulate(np.sort(flat) + np.arange(flat.size) * 1e-7).astype(np.float32)[ranks]
    out, start = [], 0
    for s in scores:
        out.append(distinct[start:start + s.size].reshape(s.shape))
        start += s.size
    return out, boxes


def arguments(frame, size, threshold, iou, scores, boxes):
    return "picodet", Stretch(frame, size), LABELS, scores + boxes, {}, threshold, iou


def ours(decoder, *case):
    return [(label, score, box) for label, score, box, _ in decoder(*arguments(*case))]


def theirs(frame, size, threshold, iou, scores, boxes):
    process = PPPostProcess(list(range(LABELS)), threshold, iou)
    image = np.empty((1, 3, size[1], size[0]), np.float32)
    found, values, labels = process((frame[1], frame[0]), image, scores + boxes)
    return [(label, score, box) for label, score, box in zip(labels, values, found)]


def compare(a, b):
    """Both sorted by class and score: scores are distinct within a class, but for boxes of one cell."""
    assert len(a) == len(b), f"{len(a)} regions, there {len(b)}"
    assert all(x[1] >= y[1] for x, y in zip(a, a[1:])), "not sorted"
    worst = 0.0
    for x, y in zip(sorted(a, key=lambda r: (r[0], -r[1])), sorted(b, key=lambda r: (r[0], -r[1]))):
        assert x[:2] == y[:2], (x, y)
        worst = max(worst, float(np.abs(np.subtract(x[2], y[2])).max()))
    assert worst <= BOX_TOLERANCE, f"a box is off by {worst} pixels"
    return worst


def bench(binary, rng):
    """Medians of 31 runs, on scores as few as a page has."""
    scores, boxes = random_outputs(rng, (608, 800), 3000)
    case = ((850, 1100), (608, 800), 0.5, 0.5, scores, boxes)
    program = subprocess.run([binary, "31"], input=request(*arguments(*case)), capture_output=True, check=True)
    times = []
    for _ in range(31):
        start = time.perf_counter()
        found = theirs(*case)
        times.append((time.perf_counter() - start) * 1e3)
    print(f"decoding {len(found)} regions: {float(program.stderr)} ms, RapidLayout {sorted(times)[15]:.3f} ms")


def main():
    rng = np.random.default_rng(3)
    if "--bench" in sys.argv:
        return bench(sys.argv[1], rng)
    decoder = Decoder(sys.argv[1])
    total, worst = 0, 0.0
    for frame, size, threshold, iou, power in CASES:
        case = (frame, size, np.float32(threshold), np.float32(iou), *random_outputs(rng, size, power))
        a, b = ours(decoder, *case), theirs(*case)
        worst = max(worst, compare(a, b))
        total += len(a)
    decoder.close()
    print(f"{len(CASES)} cases, {total} regions as RapidLayout finds them, boxes at most {worst:.6f} pixels off")
    assert total > 1000
    return 0


if __name__ == "__main__":
    sys.exit(main())
