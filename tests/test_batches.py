#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Batches as GPUs run them (kernels/detector-batches.c), on the CPU, beside a page at a time: every number of every
region is the same, whatever the batch, however full the last one is, and with two of them in flight. A model that
takes one page a run, or mixes pages up in larger ones, runs them one by one.

usage: test_batches.py NN-DETECT; exit status 77 (skipped) without packages
"""
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx

    import tiny_models
    from test_models import MODELS, NAMES, page
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

# name: how it is built, whether its pages stay apart in a batch
BATCHES = {**{name: (build, not name.startswith("pp-doclayout")) for name, (build, *_) in MODELS.items()},
           "pp-doclayout, counts": (lambda rng: tiny_models.paddle(rng, counts=True), True),
           "picodet": (lambda rng: tiny_models.picodet(rng, NAMES), True),
           "custom": (tiny_models.custom, True),
           "one page a run": (lambda rng: one_page(tiny_models.yolov8(rng, NAMES)), False),
           "mixes pages up": (lambda rng: mixed_up(rng), False)}
SIDECAR = """[gst-doclayout]
labels = a, b, c, d, e, f
boxes-output = places
box-format = xyxy
box-units = normalised
scores-output = classes
score-activation = softmax
background = first
"""


def one_page(model):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    return model


def mixed_up(rng):
    """As a file exported for one page, with its 1 in the shape that a Reshape makes."""
    model = tiny_models.yolov8(rng, NAMES)
    model.graph.node[-1].output[0] = "several"
    shape = onnx.numpy_helper.from_array(np.array([1, 4 + len(NAMES), -1]), "shape of one")
    model.graph.initializer.append(shape)
    model.graph.node.append(onnx.helper.make_node("Reshape", ["several", "shape of one"], ["output0"]))
    return model


def as_input(image):
    height, width = image.shape[:2]
    return struct.pack("4i", 2, width, height, 3 * width) + image.tobytes()


def run(program, model, frames, *options):
    return subprocess.run([program, model, "max=1000", *options], input=b"".join(frames), capture_output=True,
                          timeout=60, check=False)


def check(program, path, frames, apart):
    wanted = run(program, path, frames, "batch=1")
    assert wanted.returncode == 0 and wanted.stdout.count(b"label") > 5 * len(frames), wanted.stderr.decode()
    assert len(set(wanted.stdout.splitlines())) == len(frames), "all pages give the same"
    for batch in (1, 2, 5, 8, 16):
        for flight in (1, 2):
            ours = run(program, path, frames, f"batch={batch}", f"flight={flight}", "runner=batches")
            assert ours.stdout == wanted.stdout, f"batch={batch} flight={flight}: {ours.stderr.decode()}"
            assert f"pages a run: {batch if apart else 1}\n" == ours.stderr.decode(), ours.stderr.decode()


def check_failure(program, path, frames):
    """A frame that cannot be read stops its batch; those before it are there."""
    bad = struct.pack("4i", 2, 30, 1, 89) + bytes(89)
    ours = run(program, path, [*frames[:6], bad, *frames[6:]], "batch=4", "flight=1", "runner=batches")
    assert ours.returncode == 1 and b"page 3 of 4 in the batch" in ours.stderr, ours.stderr.decode()
    assert len(ours.stdout.splitlines()) == 4
    ours = run(program, path, [bad, *frames], "batch=4", "flight=2", "runner=batches")
    assert ours.returncode == 1 and b"page 1 of 4 in the batch" in ours.stderr, ours.stderr.decode()


def main():
    rng = np.random.default_rng(7)
    frames = [as_input(page(rng, (200 + 31 * i, 420 - 17 * i))) for i in range(13)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for name, (build, apart) in BATCHES.items():
            path = folder / f"{name}.onnx"
            onnx.save(build(rng), path)
            if name == "custom":
                path.with_name(path.name + ".modelinfo").write_text(SIDECAR, encoding="utf-8")
            check(sys.argv[1], path, frames, apart)
        check_failure(sys.argv[1], folder / "detr.onnx", frames)
    print(f"{len(BATCHES)} models: batches change nothing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
