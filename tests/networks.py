# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small networks for tests of the graph: built node by node, run by ONNX Runtime without its
optimisations and by the engine.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

try:
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

import nnrun

rng = np.random.default_rng(20240607)
X = [2, 8, 12, 10]
TOLERANCE = 1e-5  # of worst_difference(): |difference| / (1 + |value|)
CHAIN = 3  # times nnrun.ROUNDINGS on a GPU: some have twenty nodes, with values larger than their results


def f32(*shape, low=-1.0, high=1.0):
    return rng.uniform(low, high, shape).astype("f4")


class Net:
    """Nodes appended one by one; constants are named by counting. Weights are such that `precision` holds them
    exactly; single numbers (epsilons, roots of two) stay, by which fusions know what they see."""

    def __init__(self, inputs=None, opset=15, precision="fp32"):
        self.inputs = inputs or {"x": X}
        self.opset, self.precision, self.nodes, self.constants = opset, precision, [], []

    def constant(self, array):
        name = f"k{len(self.constants)}"
        array = nnrun.round_to(self.precision if np.size(array) > 1 else "fp32", array)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, op, *operands, n_out=1, **attributes):
        operands = [o if isinstance(o, str) else self.constant(o) for o in operands]
        results = [f"v{len(self.nodes)}_{i}" for i in range(n_out)]
        self.nodes.append(helper.make_node(op, operands, results, name=f"n{len(self.nodes)}", **attributes))
        return results[0] if n_out == 1 else results

    def conv(self, x, c_in=8, c_out=8, k=3, bias=False, **attributes):
        spread = (3 / (c_in * k * k)) ** 0.5
        operands = [f32(c_out, c_in, k, k, low=-spread, high=spread)] + ([f32(c_out)] if bias else [])
        return self.add("Conv", x, *operands, pads=[k // 2] * 4, **attributes)

    def batch_norm(self, x, c=8, **attributes):
        return self.add("BatchNormalization", x, f32(c), f32(c), f32(c), f32(c, low=0.1, high=2),
                        **attributes)

    def model(self, *outputs):
        inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.inputs.items()]
        outputs = [onnx.ValueInfoProto(name=o) for o in outputs]
        graph = helper.make_graph(self.nodes, "case", inputs, outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)


def reference(model, feeds):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def run_engine(nn_run, folder, model, feeds, threads=1):
    """The nodes in the file, and the names of the operators that ran."""
    onnx.save(model, folder / "case.onnx")
    paths = []
    for name, value in feeds.items():
        paths.append(folder / f"in.{name}")
        value.tofile(paths[-1])
    batch = next(iter(feeds.values())).shape[0]
    command = [nn_run, "--batch", str(batch), "--threads", str(threads), "--sessions", "2", "--out", folder,
               folder / "case.onnx", *paths]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip() or f"exit status {done.returncode}")
    words = re.search(r"nodes \d+ of (\d+), arena .*\nrun:(.*)", done.stdout)
    return int(words[1]), words[2].split()


def worst_difference(folder, expected):
    worst = 0.0
    for i, want in enumerate(expected):
        have = np.fromfile(folder / f"{i}.raw", want.dtype).reshape(want.shape)
        if not np.isfinite(have).all():
            return float("inf")
        worst = max(worst, float(np.max(np.abs(have - want) / (1 + np.abs(want)))) if want.size else 0.0)
    return worst


# ---------------------------------------------------------------- cases that say which operators must run

CASES = []


def case(ran, inputs, opset=17, half=1):
    """`ran`: operators by name, "Name*3" for three of them. `half`: how many times further off than others a network
    of half precision may be. The function it decorates adds nodes to a Net and returns its outputs."""
    def register(build):
        counts = Counter()
        for word in ran.split():
            name, _, count = word.partition("*")
            counts[name] += int(count or 1)
        CASES.append((build.__name__, build, counts, inputs, opset, half))
        return build
    return register


def outputs_of(folder, n):
    return [(folder / f"{i}.raw").read_bytes() for i in range(n)]


def make_engines(args):
    """nn-run as cases run, each with two sessions: what results must be the same bytes."""
    if args.device == "cuda":
        return [nnrun.NnRun(args.program, "--sessions", 2, "--device", "cuda", "--precision", args.precision,
                            wrapper=args.wrapper)]
    return [nnrun.NnRun(args.program, "--sessions", 2, "--threads", threads, wrapper=args.wrapper) for threads in (1, 3)]


def check_case(args, engines, folder, build, counts, inputs, opset, half):
    net = Net(inputs, opset, args.precision)
    results = build(net)
    results = results if isinstance(results, tuple) else (results,)
    feeds = {name: nnrun.round_to(args.precision, f32(*shape, low=-2, high=2)) for name, shape in net.inputs.items()}
    model = net.model(*results)
    expected, found = reference(model, feeds), []
    onnx.save(model, folder / "case.onnx")
    for engine in engines:
        try:
            said = "\n".join(engine(folder / "case.onnx", folder, feeds.values()))
        except nnrun.Failed as error:
            raise AssertionError(error) from None
        found.append(outputs_of(folder, len(results)))
    worst = worst_difference(folder, expected)
    further = CHAIN * (half if args.precision != "fp32" else 1) if args.device == "cuda" else 0
    limit = TOLERANCE + further * nnrun.ROUNDINGS[args.precision]
    assert worst <= limit, f"differs by {worst:g}, allowed {limit:g}"
    before, ran = re.search(r"nodes \d+ of (\d+), arena .*\nrun:(.*)", said).groups()
    # A GPU's plans join other nodes, and have a Cast at the shores of each island of float32.
    ran = ran.split()
    assert Counter(ran) == counts or args.device == "cuda", f"ran {' '.join(ran)}"
    assert found[0] == found[-1], "three threads give something else than one"
    return f"{before} → {len(ran)} nodes, worst {worst:.1e}"


def run_cases():
    """Runs CASES as the command line says; the exit status. On a CPU on one thread and on three, which must give the
    same bytes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program", metavar="NN-RUN")
    nnrun.add_arguments(parser)
    args = parser.parse_args()
    engines, failed = make_engines(args), 0
    for name, *rest in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"ok   {name}: {check_case(args, engines, Path(folder), *rest)}")
            except AssertionError as error:
                failed += 1
                print(f"FAIL {name}: {error}")
    status = max(engine.close() for engine in engines)
    print(f"{len(CASES)} networks compared with ONNX Runtime, {failed} failed")
    return 1 if failed or status else 0
