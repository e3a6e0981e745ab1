#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nn_page_fill() against OpenCV and Pillow: every filter, pixel format and stride, random sizes.

usage: test_page.py NN-RESIZE [--cases N] [--seed N]

Bilinear (the default model's) must be equal to cv2.resize, level by level; the others may be one
level off. Exit status 77 (skipped) where a package is missing.
"""
import argparse
import struct
import subprocess
import sys

try:
    import cv2
    import numpy as np
    from PIL import Image
    from rapid_layout.model_handler.utils import LetterBox  # Ultralytics' own, copied there
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

FORMATS = {"BGRX": 4, "RGBX": 4, "RGB": 3, "BGR": 3, "GRAY8": 1}
FORMAT_NAMES = list(FORMATS)
BILINEAR, ANTIALIAS, BICUBIC, AREA = 1, 2, 3, 4
FILTER_NAMES = {BILINEAR: "bilinear", ANTIALIAS: "bilinear-antialias", BICUBIC: "bicubic", AREA: "area"}
TOLERANCE = {BILINEAR: 0, ANTIALIAS: 1, BICUBIC: 1, AREA: 1}
# Of all values, so many may be off: exact halves that rounding in float and in fixed point puts on
# either side, which are frequent where pages have two levels only.
SHARE = {BILINEAR: 0, ANTIALIAS: 0.05, BICUBIC: 0.05, AREA: 0.05}

# (frame size, input size): edges that random sizes would rarely hit
EDGES = [
    ((1, 1), (608, 800)), ((1, 700), (37, 41)), ((900, 1), (37, 41)), ((2, 2), (5, 3)), ((608, 800), (608, 800)),
    ((1216, 1600), (608, 800)), ((1216, 800), (608, 800)), ((850, 1100), (608, 800)), ((827, 1170), (608, 800)),
    ((9000, 3), (64, 64)), ((3, 9000), (64, 64)), ((100, 4000), (608, 800)), ((607, 799), (608, 800)),
    ((640, 640), (1, 1)), ((33, 17), (1, 77)), ((2480, 3508), (608, 800)), ((1, 1), (1, 1)), ((5, 7), (1000, 1)),
    ((1, 5000), (3, 2)), ((640, 640), (640, 1)),
]


def reference_resize(image, width, height, method):
    if method == ANTIALIAS:
        return np.asarray(Image.fromarray(image).resize((width, height), Image.BILINEAR))
    shrinks = image.shape[1] >= width and image.shape[0] >= height
    if method == AREA and not shrinks:
        method = BILINEAR
    flags = {BILINEAR: cv2.INTER_LINEAR, BICUBIC: cv2.INTER_CUBIC, AREA: cv2.INTER_AREA}
    return cv2.resize(image, (width, height), interpolation=flags[method])


def reference(case):
    """The network's input in 8-bit levels, [3, H, W], and the placement."""
    image, width, height = case["rgb"], case["input"][0], case["input"][1]
    inner_width, inner_height, x, y = width, height, 0, 0
    if case["letterbox"]:  # ultralytics' LetterBox
        scale = min(height / image.shape[0], width / image.shape[1])
        inner_width = max(1, int(round(image.shape[1] * scale)))
        inner_height = max(1, int(round(image.shape[0] * scale)))
        x = int(round((width - inner_width) / 2 - 0.1))
        y = int(round((height - inner_height) / 2 - 0.1))
    result = np.full((height, width, 3), case["pad"], np.uint8)
    result[y:y + inner_height, x:x + inner_width] = reference_resize(image, inner_width, inner_height, case["filter"])
    if case["bgr"]:
        result = result[:, :, ::-1]
    placement = (inner_width / image.shape[1], inner_height / image.shape[0], x, y)
    return result.transpose(2, 0, 1), placement


def encode(case, rng):
    """The request's bytes: the frame in its format, with noise between the rows."""
    name, rgb = case["format"], case["rgb"]
    height, width = rgb.shape[:2]
    pixels = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    pixels[:, :, :3] = rgb if name.startswith("RGB") else rgb[:, :, ::-1]
    pixels = pixels[:, :, :FORMATS[name]]
    stride = width * FORMATS[name] + case["gap"]
    rows = rng.integers(0, 256, (height, stride), dtype=np.uint8)
    rows[:, :width * FORMATS[name]] = pixels.reshape(height, -1)
    data = rows.tobytes()[:stride * height - case["gap"]]
    head = struct.pack("11i6f", FORMAT_NAMES.index(name), width, height, stride, *case["input"], case["filter"],
                       case["bgr"], case["letterbox"], case["pad"], case["channels_last"],
                       *case["mean"], *case["std"])
    return head + data


def make_case(rng, frame, size, method, **settings):
    if rng.random() < 0.5:  # black on white with hard edges, as pages are; else noise
        image = np.where(rng.random((frame[1], frame[0])) < 0.8, 255, 0).astype(np.uint8)
        image = np.repeat(image[:, :, None], 3, 2)
    else:
        image = rng.integers(0, 256, (frame[1], frame[0], 3), dtype=np.uint8)
    name = settings.get("format") or FORMAT_NAMES[rng.integers(len(FORMAT_NAMES))]
    if name == "GRAY8":
        image = np.repeat(image[:, :, :1], 3, 2)
    case = dict(rgb=np.ascontiguousarray(image), input=size, filter=method, format=name,
                gap=int(rng.integers(0, 17)), bgr=int(rng.integers(2)), letterbox=int(rng.random() < 0.3),
                pad=int(rng.integers(256)), channels_last=int(rng.integers(2)),
                mean=rng.random(3).round(3).tolist(), std=(0.1 + rng.random(3)).round(3).tolist())
    case.update(settings)
    case["format"] = name
    return case


def make_cases(rng, count):
    for frame, size in EDGES:
        for method in FILTER_NAMES:
            yield make_case(rng, frame, size, method, letterbox=0)
    for name in FORMAT_NAMES:
        for method in FILTER_NAMES:
            for bgr in (0, 1):
                yield make_case(rng, (91, 120), (61, 80), method, format=name, bgr=bgr)
    for _ in range(count):
        frame = tuple(int(v) for v in np.exp(rng.uniform(0, np.log(700), 2)))
        size = tuple(int(v) for v in np.exp(rng.uniform(0, np.log(300), 2)))
        for method in FILTER_NAMES:
            yield make_case(rng, frame, size, method)


def check_letterbox(program, rng, count):
    """The whole input, grey and all, as LetterBox makes it; where the page lies in it is told right."""
    for _ in range(count):
        frame = tuple(int(v) for v in np.exp(rng.uniform(0, np.log(900), 2)))
        size = tuple(int(v) for v in rng.integers(1, 11, 2) * 32)
        case = make_case(rng, frame, size, BILINEAR, letterbox=1, pad=114, bgr=0, mean=[0] * 3, std=[1] * 3)
        if min(round(side * min(size[0] / frame[0], size[1] / frame[1])) for side in frame) < 1:
            continue  # nothing is left of one side, and LetterBox fails
        status, placement, values = run(program, case, rng)
        wanted = LetterBox(new_shape=(size[1], size[0]))(image=case["rgb"])
        assert status == 0 and wanted.shape == (size[1], size[0], 3), (frame, size, wanted.shape)
        assert np.array_equal(np.rint(values * 255), wanted.transpose(2, 0, 1)), (frame, size)
        x0, y0 = placement[2:]
        x1, y1 = x0 + placement[0] * frame[0], y0 + placement[1] * frame[1]
        outside = np.ones(wanted.shape[:2], bool)
        outside[round(y0):round(y1), round(x0):round(x1)] = False
        assert (wanted[outside] == 114).all() and max(abs(v - round(v)) for v in (x1, y1)) < 1e-3, (frame, size)
    print(f"letterbox: {count} pages as LetterBox places them")


def run(program, case, rng):
    program.stdin.write(encode(case, rng))
    program.stdin.flush()
    width, height = case["input"]
    size = 4 + 16 + 12 * width * height
    data = program.stdout.read(size)
    assert len(data) == size, "nn-resize ended early"
    status, *placement = struct.unpack("i4f", data[:20])
    return status, placement, np.frombuffer(data[20:], np.float32).reshape(3, height, width)


def check(case, status, placement, values):
    """How many levels each value is off; raises where anything else is wrong."""
    assert status == 0, f"status {status}"
    wanted, wanted_placement = reference(case)
    assert np.allclose(placement, wanted_placement, rtol=1e-6, atol=1e-6), (placement, wanted_placement)
    mean = np.array(case["mean"], np.float64)[:, None, None]
    std = np.array(case["std"], np.float64)[:, None, None]
    levels = (values * std + mean) * 255
    assert np.abs(levels - np.rint(levels)).max() < 2e-3, "values are not on whole levels"
    return np.abs(np.rint(levels) - wanted).astype(int)


class Tally:
    """What one filter's cases came to."""

    def __init__(self):
        self.cases = self.values = self.off = self.worst = 0

    def add(self, off):
        self.cases += 1
        self.values += off.size
        self.off += np.count_nonzero(off)
        self.worst = max(self.worst, int(off.max()))

    def share(self):
        return self.off / self.values


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    program = subprocess.Popen([arguments.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    tallies, failures = {method: Tally() for method in FILTER_NAMES}, 0
    for case in make_cases(rng, arguments.cases):
        off, method = check(case, *run(program, case, rng)), case["filter"]
        tallies[method].add(off)
        if off.max() > TOLERANCE[method]:
            failures += 1
            shape = f"{case['rgb'].shape[1]}x{case['rgb'].shape[0]} {case['format']} -> {case['input']}"
            print(f"{FILTER_NAMES[method]} {shape} letterbox {case['letterbox']}: {off.max()} levels off")
    check_letterbox(program, rng, arguments.cases)
    program.stdin.close()
    assert program.wait() == 0, "nn-resize failed"
    for method, name in FILTER_NAMES.items():
        tally = tallies[method]
        print(f"{name}: {tally.cases} cases, {tally.values} values, at most {tally.worst} levels off (allowed "
              f"{TOLERANCE[method]}), a share of {tally.share():.5f} (allowed {SHARE[method]})")
        failures += tally.share() > SHARE[method]
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
