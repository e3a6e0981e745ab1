# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small networks for tests of the graph: built node by node, run by ONNX Runtime without its
optimisations and by the engine.
"""
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

rng = np.random.default_rng(20240607)
X = [2, 8, 12, 10]
TOLERANCE = 1e-5  # of worst_difference(): |difference| / (1 + |value|)


def f32(*shape, low=-1.0, high=1.0):
    return rng.uniform(low, high, shape).astype("f4")


class Net:
    """Nodes appended one by one; constants are named by counting."""

    def __init__(self, inputs=None, opset=15):
        self.inputs = inputs or {"x": X}
        self.opset, self.nodes, self.constants = opset, [], []

    def constant(self, array):
        name = f"k{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
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


def case(ran, inputs, opset=17):
    """`ran`: operators by name, "Name*3" for three of them. The function it decorates adds nodes to a Net and
    returns its outputs."""
    def register(build):
        counts = Counter()
        for word in ran.split():
            name, _, count = word.partition("*")
            counts[name] += int(count or 1)
        CASES.append((build.__name__, build, counts, inputs, opset))
        return build
    return register


def outputs_of(folder, n):
    return [(folder / f"{i}.raw").read_bytes() for i in range(n)]


def check_case(nn_run, folder, build, counts, inputs, opset):
    net = Net(inputs, opset)
    results = build(net)
    results = results if isinstance(results, tuple) else (results,)
    feeds = {name: f32(*shape, low=-2, high=2) for name, shape in net.inputs.items()}
    model = net.model(*results)
    expected = reference(model, feeds)
    before, ran = run_engine(nn_run, folder, model, feeds)
    worst, single = worst_difference(folder, expected), outputs_of(folder, len(results))
    assert worst <= TOLERANCE, f"differs by {worst:g}"
    assert Counter(ran) == counts, f"ran {' '.join(ran)}"
    run_engine(nn_run, folder, model, feeds, threads=3)
    assert outputs_of(folder, len(results)) == single, "three threads give something else than one"
    return f"{before} → {len(ran)} nodes, worst {worst:.1e}"


def run_cases(nn_run):
    """Runs CASES on one thread and on three, which must give the same bytes; the exit status."""
    failed = 0
    for name, *rest in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"ok   {name}: {check_case(nn_run, Path(folder), *rest)}")
            except AssertionError as error:
                failed += 1
                print(f"FAIL {name}: {error}")
    print(f"{len(CASES)} networks compared with ONNX Runtime, {failed} failed")
    return 1 if failed else 0
