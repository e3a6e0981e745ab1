# SPDX-License-Identifier: LGPL-2.1-or-later
"""nn-run with many models in one process, which a GPU needs: its context takes half a second. And how near
results must be at which precision.

Half precisions store each activation with 11 (fp16) or 8 (bf16) bits of mantissa and sum in float32. Both sides get
inputs and weights that such a number holds exactly, so that what a test sees is the rounding of results, and for
fused nodes and chains of a few nodes that of what lies between: each at most half a unit in the last place,
2^-11 or 2^-8 of a value. Larger than 65504 there is nothing in fp16: results are compared as what it makes of them.
TF32 rounds the operands of products only, to 11 bits. In fp32 a GPU's libraries sum in any order, or multiply by
Winograd's way, which costs one or two of the seven digits.
"""
import os
import subprocess
import threading
from pathlib import Path

import numpy as np

DEVICES = ("cpu", "cuda")
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
# Added to a case's own tolerance on a GPU, relative to the largest result; of halves four roundings, within which
# ONNX Runtime stays that rounds each value of every case here.
ROUNDINGS = {"fp32": 1e-4, "tf32": 4 * 2.0 ** -11, "bf16": 4 * 2.0 ** -8, "fp16": 4 * 2.0 ** -11}
HALF_MAX = 65504.0
TIMEOUT = 120  # seconds a model


class Failed(RuntimeError):
    """What nn-run said."""


def add_arguments(parser):
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument("--precision", choices=PRECISIONS, default="fp32")
    parser.add_argument("--wrapper", default="", help="a command to run nn-run under, such as compute-sanitizer with options")


def round_to(precision, array):
    """Float32 numbers as that precision holds them; anything else as it is."""
    array = np.asarray(array)
    if array.dtype != np.float32 or precision not in ("fp16", "bf16"):
        return array
    if precision == "fp16":
        finite = np.where(np.isfinite(array), np.clip(array, -HALF_MAX, HALF_MAX), array)
        return finite.astype(np.float16).astype(np.float32).reshape(array.shape)
    bits = np.ascontiguousarray(array).view(np.uint32).astype(np.uint64)
    bits = ((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(array), bits, array).astype(np.float32).reshape(array.shape)


def within_half(precision, array):
    """What is too large for fp16 is its largest number there; infinities are, too, where a sum made them."""
    return np.clip(array, -HALF_MAX, HALF_MAX) if precision == "fp16" and array.dtype == np.float32 else array


class NnRun:
    """One process; started when first used, and again after it ended: a failure on a GPU breaks all that follows."""

    def __init__(self, program, *options, wrapper=""):
        self.command = [*wrapper.split(), str(program), *map(str, options), "--stdin"]
        self.timeout = TIMEOUT * (10 if wrapper else 1)
        self.process, self.status = None, 0
        self.planned = False  # the last one's plan was made, whatever came then

    def __call__(self, model, folder, inputs):
        """Runs the model on these arrays; what it printed. Raises Failed."""
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        timer = threading.Timer(self.timeout, self.process.kill)
        timer.start()
        try:
            return self.converse(model, folder, self.write(folder, inputs))
        finally:
            timer.cancel()

    @staticmethod
    def write(folder, inputs):
        paths = [os.path.join(folder, f"in{i}.raw") for i in range(len(inputs))]
        for path, array in zip(paths, inputs):
            np.ascontiguousarray(array).tofile(path)
        return paths

    def converse(self, model, folder, paths):
        lines, line = [], ""
        try:
            self.process.stdin.write(" ".join(map(str, [model, folder, *paths])) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        for line in self.process.stdout:
            if line.startswith("end "):
                break
            lines.append(line.rstrip("\n"))
        self.planned = any(text.startswith("load ") for text in lines)
        if line == "end 0\n":
            return lines
        status = self.close() if line != "end 1\n" else 1
        said = [text for text in lines if text.startswith("nn-run: ")]
        if not said:
            said = [f"nn-run ended with {status}: {' '.join(lines[-1:])}"]
        raise Failed("\n".join(said))

    def close(self):
        """The worst exit status of all its processes, once all is done."""
        if self.process is not None:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
            self.status = max(self.status, abs(self.process.wait()))
            self.process = None
        return self.status


def outputs(lines, folder):
    """The arrays that the lines of a run tell of."""
    found = []
    for line in lines:
        if line.startswith("output "):
            _, index, kind, *dims = line.split()
            found.append(np.fromfile(Path(folder) / f"{index}.raw", dtype=np.dtype(kind)).reshape([int(d) for d in dims]))
    return found
