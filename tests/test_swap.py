#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cudalayoutdetect goes from one model to the next while pages flow, models of several families, with other
input sizes and other labels. Each page's regions are those that its model alone finds.

usage: test_swap.py SWAP-MODELS [cpu|cuda]; exit status 77 (skipped) without packages
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx

    import tiny_models
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ORDER = ["detr", "yolov8", "picodet", "other", "detr"]


def make_models(folder):
    rng = np.random.default_rng(7)
    models = {"detr": tiny_models.detr(rng), "yolov8": tiny_models.yolov8(rng, ["a", "b", "c"], (320, 224)),
              "picodet": tiny_models.picodet(rng, ["d", "e"]), "other": tiny_models.detr(rng)}
    for name, model in models.items():
        onnx.save(model, folder / f"{name}.onnx")


def run(program, folder, models, *options):
    """[page number, model, regions] a page."""
    done = subprocess.run([*program, *options, *(folder / f"{name}.onnx" for name in models)], capture_output=True,
                          text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    pages = [line.split(" ", 2) for line in done.stdout.splitlines()]
    assert all(len(page) == 3 for page in pages), [page for page in pages if len(page) != 3][:3]
    return [(int(number), name.removesuffix(".onnx"), regions) for number, name, regions in pages]


def alone(program, folder, name):
    found = {regions for _, _, regions in run(program, folder, [name])}
    assert len(found) == 1, f"{name}: the same page has {len(found)} results"
    regions, = found
    assert regions.count(" ") >= 2, f"{name}: {regions}"
    return regions


def check(pages, expected, restarts):
    order = [pages[0][1]] + [b[1] for a, b in zip(pages, pages[1:]) if a[1] != b[1]]
    assert order == ORDER, order
    wrong = [number for number, name, regions in pages if regions != expected[name]]
    assert not wrong, f"pages {wrong[:5]} … of {len(pages)} have other regions than their model finds"
    numbers = [number for number, _, _ in pages]
    assert numbers[0] == 0
    jumps = [b for a, b in zip(numbers, numbers[1:]) if b != a + 1]
    assert jumps == [0] * restarts, jumps


def main():
    program = [sys.argv[1], "--device", *(sys.argv[2:] or ["cpu"])]
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        make_models(folder)
        expected = {name: alone(program, folder, name) for name in set(ORDER)}
        assert len(set(expected.values())) == len(expected)
        pages = run(program, folder, ORDER)
        check(pages, expected, 0)
        sought = run(program, folder, ORDER, "--seek")
        check(sought, expected, len(ORDER) - 1)
        print(f"{len(pages)} and {len(sought)} pages, {len(ORDER) - 1} swaps each")


if __name__ == "__main__":
    main()
