#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Any model's network beside ONNX Runtime and OpenVINO, in one run: time to load and plan, milliseconds a
batch, peak memory.

    tests/benchmark_models.py BUILD MODEL.onnx… [--threads 1,2] [--batch 1,4] [--rounds N] [--repeat N]

BUILD is a meson build folder. Each measurement is a process of its own that loads the model and runs it,
REPEAT times after a first run that does not count; the engines take turns, ROUNDS times, so that a
change of the machine's speed meets all of them. All compute in float32 on random input with the same
number of threads. Memory is the process's peak resident size; the Python packages' own share (what a process
that only imports them takes) is told below the table. Needs the packages of tests/requirements.txt, and
openvino for its rows (left out where it is missing). Prints a Markdown table of medians.
"""
import argparse
import importlib.util
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

ENGINES = {"ONNX Runtime": "onnxruntime", "OpenVINO": "openvino"}
OURS = "gst-doclayout"


# ---- in the process that is measured ----

def inputs_of(shapes, batch):
    """Random images; int64 inputs are sizes of pages."""
    import numpy
    random = numpy.random.default_rng(0)
    for kind, shape in shapes:
        dims = [d if isinstance(d, int) and d > 0 else batch for d in shape]
        yield numpy.full(dims, 640, numpy.int64) if "int64" in kind else random.random(dims, dtype=numpy.float32)


def onnxruntime_run(model, threads, batch):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    feeds = dict(zip([i.name for i in inputs], inputs_of([(i.type, i.shape) for i in inputs], batch)))
    return lambda: session.run(None, feeds)


def openvino_run(model, threads, batch):
    import openvino
    core = openvino.Core()
    network = core.read_model(model)
    shapes = {}
    for port in network.inputs:
        shape = port.partial_shape
        shape[0] = batch
        shapes[port] = shape
    network.reshape(shapes)
    request = core.compile_model(network, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                                                  "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    feeds = list(inputs_of([(str(p.element_type), list(p.shape)) for p in network.inputs], batch))
    return lambda: request.infer(feeds)


def measure_here(engine, model, threads, batch, repeat):
    __import__(engine)
    start = time.perf_counter()
    if model == "-":
        return
    run = {"onnxruntime": onnxruntime_run, "openvino": openvino_run}[engine](model, threads, batch)
    load = time.perf_counter() - start
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"load": load, "ms": statistics.median(times[1:])}))


# ---- the one that measures ----

def run_process(command):
    """What it printed, and its peak resident size in MiB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command[0]} failed: {' '.join(command)}")
    return text, usage.ru_maxrss / 1024


def measure_ours(build, model, threads, batch, repeat):
    text, peak = run_process([f"{build}/tests/nn-run", "--threads", str(threads), "--batch", str(batch),
                              "--repeat", str(repeat), model])
    load = re.search(r"load ([0-9.]+) s, plan ([0-9.]+) s", text)
    return float(load[1]) + float(load[2]), float(re.search(r"median ([0-9.]+) ms", text)[1]), peak


def measure_theirs(engine, model, threads, batch, repeat):
    text, peak = run_process([sys.executable, __file__, "--measure", engine, model, str(threads), str(batch),
                              str(repeat)])
    result = json.loads(text)
    return result["load"], result["ms"], peak


def compare(args, engines, model, threads, batch):
    results = {name: [] for name in [OURS, *engines]}
    for _ in range(args.rounds):
        results[OURS].append(measure_ours(args.build, model, threads, batch, args.repeat))
        for name in engines:
            results[name].append(measure_theirs(ENGINES[name], model, threads, batch, args.repeat))
    for name, rows in results.items():
        load, ms, peak = (statistics.median(column) for column in zip(*rows))
        ratio = statistics.median(ours[1] / row[1] for ours, row in zip(results[OURS], rows))
        print(f"| {Path(model).stem} | {threads} | {batch} | {name} | {ms:.1f} | {ratio:.2f} | {load:.2f} | {peak:.0f} |",
              flush=True)


def numbers(text):
    return [int(number) for number in text.split(",")]


def main():
    if sys.argv[1:2] == ["--measure"]:
        engine, model, *rest = sys.argv[2:]
        measure_here(engine, model, *map(int, rest))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=lambda p: str(Path(p).resolve()))
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--batch", type=numbers, default=[1])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    engines = [name for name, package in ENGINES.items() if importlib.util.find_spec(package)]
    print("| model | threads | batch | | ms a batch | ours ÷ this | load and plan, s | peak MiB |\n" + "|---" * 8 + "|")
    for model, threads, batch in itertools.product(args.models, args.threads, args.batch):
        compare(args, engines, model, threads, batch)
    print()
    for name in engines:
        _, peak = run_process([sys.executable, __file__, "--measure", ENGINES[name], "-", "1", "1", "1"])
        print(f"{name}: {peak:.0f} MiB of its peak are a process that only imports it.")


if __name__ == "__main__":
    main()
