#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every output of the default model (or DOCLAYOUT_MODEL) against ONNX Runtime, on random input and
on something like a page: the largest difference relative to the output's largest value."""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error.name} is not installed (tests/run.sh makes an environment that has it)")
    sys.exit(77)

LIMIT = 1e-4


def default_model():
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("DOCLAYOUT_MODEL") or cache / "gst-doclayout" / "layout_cdla.onnx")


def page_like(shape, random):
    """White with dark lines of text and a grey figure, normalised as the model's family does it."""
    _, _, height, width = shape
    page = np.ones((height, width))
    for top in range(height // 12, height // 2, 14):
        ink = random.random(width) < 0.5
        page[top:top + 7, :] = np.where(ink, 0.1, 1.0)
    page[height * 2 // 3:height * 5 // 6, width // 4:width * 3 // 4] = 0.5
    page[:, :width // 10] = page[:, -width // 10:] = 1
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return ((page[None] - mean[:, None, None]) / std[:, None, None])[None].astype(np.float32)


def run_engine(nn_run, model, x, options):
    with tempfile.TemporaryDirectory() as folder:
        x.tofile(os.path.join(folder, "x.raw"))
        text = subprocess.run([nn_run, *options, "--out", folder, model, os.path.join(folder, "x.raw")],
                              check=True, stdout=subprocess.PIPE, text=True, timeout=300).stdout
        lines = [line.split() for line in text.splitlines() if line.startswith("output ")]
        return [np.fromfile(os.path.join(folder, index + ".raw"), dtype=kind).reshape([int(d) for d in dims])
                for _, index, kind, *dims in lines]


def compare(name, session, nn_run, model, x, options):
    wants = session.run(None, {session.get_inputs()[0].name: x})
    gots = run_engine(nn_run, model, x, options)
    worst = 0
    for info, want, got in zip(session.get_outputs(), wants, gots, strict=True):
        if got.shape != want.shape or not np.isfinite(got).all():
            print(f"{name}: {info.name}: {got.shape} instead of {want.shape}, or not finite")
            return np.inf
        worst = max(worst, float(np.abs(got - want).max() / np.abs(want).max()))
    print(f"{name}: {len(wants)} outputs, {sum(w.size for w in wants)} numbers, largest relative error {worst:.2e}")
    return worst


def count_threads(nn_run, model, choice):
    """Threads of the process while one session runs with --threads 1: its own, and main's."""
    text = subprocess.run([nn_run, "--choice", choice, "--threads", "1", model], check=True,
                          stdout=subprocess.PIPE, text=True, timeout=300).stdout
    return int(text.split("process threads ")[1].split()[0])


def count_allocations(nn_run, model):
    """How often one run asks for memory: not at all."""
    text = subprocess.run([nn_run, "--threads", "2", model], check=True, stdout=subprocess.PIPE, text=True,
                          timeout=300).stdout
    return int(text.split("allocations ")[1].split()[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nn-run", required=True)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    args = parser.parse_args()
    model = default_model()
    if not model.exists():
        print(f"skipped: there is no {model} (pipelines/detect.sh fetches it)")
        return 77
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    shape = [1] + session.get_inputs()[0].shape[1:]
    random = np.random.default_rng(args.seed)
    print(f"seed {args.seed}, {model.name} against onnxruntime {onnxruntime.__version__}, limit {LIMIT:g}")
    noise, page = random.standard_normal(shape).astype(np.float32), page_like(shape, random)
    worst = 0
    for choice in ("best", "direct", "lesser", "portable"):
        for name, x in (("noise", noise), ("page", page)):
            worst = max(worst, compare(f"{name}, {choice}", session, args.nn_run, str(model), x, ["--choice", choice]))
    worst = max(worst, compare("page, 3 sessions side by side", session, args.nn_run, str(model), page, ["--sessions", "3"]))
    worst = max(worst, compare("page, 2 threads", session, args.nn_run, str(model), page, ["--threads", "2"]))
    threads = {choice: count_threads(args.nn_run, str(model), choice) for choice in ("best", "direct")}
    print(f"process threads with --threads 1: {threads} (2 expected: the run's and main's)")
    allocations = count_allocations(args.nn_run, str(model))
    print(f"allocations in a run: {allocations} (none expected)")
    return int(worst > LIMIT or allocations != 0 or any(n != 2 for n in threads.values()))


if __name__ == "__main__":
    sys.exit(main())
