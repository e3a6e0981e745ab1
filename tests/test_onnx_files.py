#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ONNX files in every form that writers make, read by the engine and by ONNX Runtime: elements in
each field, packed and not, external data, each operator set, sections in other orders, much text, and
graphs as large as the limits allow.

    test_onnx_files.py NN-RUN
"""
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-5  # of 1 + the largest value
rng = np.random.default_rng(7)
failed = checked = 0


def check(ok, what, why=""):
    global failed, checked
    checked += 1
    if not ok:
        failed += 1
        print(f"FAILED {what}: {why}")


def engine(path, x, folder):
    x.tofile(folder / "x.raw")
    done = subprocess.run([sys.argv[1], "--out", folder, path, folder / "x.raw"], capture_output=True, text=True,
                          timeout=120)
    if done.returncode != 0:
        return None, done.stderr.strip()
    return np.fromfile(folder / "0.raw", np.float32), ""


def runtime(path, x):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0].reshape(-1)


def compare(what, model, folder, x, want=None):
    """`model` is a ModelProto, bytes, or a path. `want`: where ONNX Runtime is not to be asked."""
    path = folder / "model.onnx" if not isinstance(model, Path) else model
    if isinstance(model, bytes):
        path.write_bytes(model)
    elif not isinstance(model, Path):
        onnx.save(model, path)
    got, why = engine(path, x, folder)
    want = runtime(path, x) if want is None else want
    if got is None or got.shape != want.shape:
        return check(False, what, why or f"{got.size} elements instead of {want.size}")
    error = np.abs(got - want).max(initial=0)
    check(error <= TOLERANCE * (1 + np.abs(want).max(initial=0)), what, f"off by {error:.3g}")


def make(nodes, weights, shape, opset=13, ir_version=8):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


# ---------------------------------------------------------------- elements

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def tensor_bytes(kind, array, form):
    """A TensorProto by hand: the typed field of `kind`, packed in one piece, in two, or not at all."""
    number, pack = {TensorProto.FLOAT: (4, "<f"), TensorProto.DOUBLE: (10, "<d"), TensorProto.INT64: (7, None)}.get(kind, (5, None))
    values = array.view(np.uint16) if array.dtype == np.float16 else array
    items = [struct.pack(pack, v) if pack else varint(int(v)) for v in values.reshape(-1)]
    out = b"".join(varint(1 << 3) + varint(d) for d in array.shape) + varint(2 << 3) + varint(kind) + field(8, b"w")
    if form == "raw":
        return out + field(9, array.tobytes())
    if form == "unpacked":
        wire = {None: 0, "<f": 5, "<d": 1}[pack]
        return out + b"".join(varint(number << 3 | wire) + item for item in items)
    cut = len(items) // 2 if form == "two pieces" else 0
    return out + (field(number, b"".join(items[:cut])) if cut else b"") + field(number, b"".join(items[cut:]))


def elements(folder):
    """y = x + w as float: w has each type and form, small and beyond the size that stays in the file."""
    kinds = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64, TensorProto.INT64: np.int64,
             TensorProto.INT32: np.int32, TensorProto.UINT8: np.uint8, TensorProto.INT8: np.int8, TensorProto.BOOL: np.bool_}
    for kind, dtype in kinds.items():
        for n in (0, 1, 7, 70000):
            low, high = (0, 2) if dtype == np.bool_ else (0, 200) if dtype == np.uint8 else (-100, 100)
            w = rng.integers(low, high, n).astype(dtype)
            x = rng.standard_normal(n).astype(np.float32)
            for form in ("raw", "packed", "two pieces", "unpacked"):
                model = make([helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT), helper.make_node("Add", ["x", "f"], ["y"])], [], [n])
                if n == 0:  # a declared 0 is an open dimension to us; make it by slicing
                    model = make([helper.make_node("Cast", ["w"], ["f"], to=TensorProto.FLOAT), helper.make_node("Concat", ["x", "f"], ["y"], axis=0)], [], [3])
                data = model.SerializeToString() + field(7, field(5, tensor_bytes(kind, w, form)))
                x_in = x if n else np.ones(3, np.float32)
                want = x + w.astype(np.float32) if n else x_in
                compare(f"{np.dtype(dtype).name}, {n} elements, {form}", data, folder, x_in, want)


# ---------------------------------------------------------------- external data

def external(folder):
    weights = {"w": rng.standard_normal((40, 8, 3, 3)).astype(np.float32), "b": rng.standard_normal(40).astype(np.float32),
               "m": rng.standard_normal((100, 300)).astype(np.float32), "n": np.array([1, -1, 100], np.int64)}
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"]), helper.make_node("Reshape", ["c", "n"], ["r"]),
             helper.make_node("MatMul", ["r", "m"], ["y"])]
    x = rng.standard_normal((1, 8, 12, 12)).astype(np.float32)
    want = None
    for what, options in {"inside": None, "one file": {"location": "all.bin", "size_threshold": 0},
                          "one file for the large": {"location": "large.bin", "size_threshold": 1024},
                          "a file each": {"all_tensors_to_one_file": False, "size_threshold": 0}}.items():
        model = make(nodes, [numpy_helper.from_array(v, k) for k, v in weights.items()], [1, 8, 12, 12])
        below = folder / what.replace(" ", "-")
        below.mkdir()
        if options:
            onnx.save_model(model, below / "model.onnx", save_as_external_data=True, convert_attribute=True, **options)
        else:
            onnx.save(model, below / "model.onnx")
        want = runtime(below / "model.onnx", x) if want is None else want
        compare(f"external data, {what}", below / "model.onnx", folder, x, want)


# ---------------------------------------------------------------- operator sets, order, text

def opsets(folder):
    """What the operator set changes in what is read: where axes and splits stand."""
    x = rng.standard_normal((2, 6, 5, 4)).astype(np.float32)
    w = numpy_helper.from_array(rng.standard_normal((6, 6, 3, 3)).astype(np.float32), "w")
    for opset in range(7, 22):
        weights = [w, numpy_helper.from_array(np.array([2, 2, 2], np.int64), "sizes"), numpy_helper.from_array(np.array([1], np.int64), "axis"),
                   numpy_helper.from_array(np.float32(-0.5), "low"), numpy_helper.from_array(np.float32(0.75), "high")]
        new = opset >= 13
        nodes = [helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("BatchNormalization", ["c", "s", "s", "s", "s"], ["b"]),
                 helper.make_node("Split", ["b", "sizes"] if new else ["b"], ["p", "q", "r"], axis=1, **({} if new else {"split": [2, 2, 2]})),
                 helper.make_node("Clip", ["p", "low", "high"] if opset >= 11 else ["p"], ["l"], **({} if opset >= 11 else {"min": -0.5, "max": 0.75})),
                 helper.make_node("Add", ["l", "q"], ["a"]), helper.make_node("MaxPool", ["a"], ["mp"], kernel_shape=[2, 2]),
                 helper.make_node("Unsqueeze", ["mp", "axis"] if new else ["mp"], ["u"], **({} if new else {"axes": [1]})),
                 helper.make_node("Squeeze", ["u", "axis"] if new else ["u"], ["sq"], **({} if new else {"axes": [1]})),
                 helper.make_node("Softmax", ["sq"], ["so"], axis=3), helper.make_node("Flatten", ["so"], ["fl"]), helper.make_node("Tanh", ["fl"], ["y"])]
        weights.append(numpy_helper.from_array(rng.uniform(0.5, 1, 6).astype(np.float32), "s"))
        used = {name for n in nodes for name in n.input}
        compare(f"operator set {opset}", make(nodes, [t for t in weights if t.name in used], list(x.shape), opset,
                                              min(10, 8 if opset < 20 else 10)), folder, x)


def text_and_order(folder):
    x = rng.standard_normal((1, 4)).astype(np.float32)
    model = make([helper.make_node("MatMul", ["x", "w"], ["y"], doc_string="n" * 100000)],
                 [numpy_helper.from_array(rng.standard_normal((4, 3)).astype(np.float32), "w")], [1, 4])
    want = runtime_of(model, folder, x)
    parts = [(7, model.graph.SerializeToString())] + [(8, s.SerializeToString()) for s in model.opset_import]
    rest = varint(1 << 3) + varint(8)
    for what, order in {"graph first": parts, "graph last": parts[::-1]}.items():
        compare(what, b"".join(field(*p) for p in order) + rest, folder, x, want)
    compare("unknown fields", field(900, b"some") + varint(901 << 3) + varint(7) + model.SerializeToString() + field((1 << 29) - 1, b"x" * 16), folder, x, want)
    model.doc_string = "d" * (20 << 20)
    model.producer_name = "é" * 100000
    for i in range(2000):
        entry = model.metadata_props.add()
        entry.key, entry.value = f"key {i}", "v" * 1000
    compare("much text", model, folder, x, want)
    model.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3]))
    compare("a weight that is an input too", model, folder, x, want)


def runtime_of(model, folder, x):
    onnx.save(model, folder / "reference.onnx")
    return runtime(folder / "reference.onnx", x)


def passing_on(folder):
    """Outputs that are inputs or weights."""
    x = rng.standard_normal(5).astype(np.float32)
    model = make([helper.make_node("Identity", ["x"], ["y"])], [], [5])
    compare("an output that is an input's Identity", model, folder, x)
    model.graph.node[0].output[0], model.graph.output[0].name = "unread", "x"
    compare("an output that is the input", model, folder, x, x)
    model = make([helper.make_node("Relu", ["x"], ["unread"])], [numpy_helper.from_array(x + 1, "y")], [5])
    compare("an output that is a weight", model, folder, x, x + 1)
    model = make([helper.make_node("Identity", ["w"], ["a"]), helper.make_node("Identity", ["a"], ["y"])],
                 [numpy_helper.from_array(np.arange(70000, dtype=np.float32), "w")], [5])
    compare("an output that is a large weight's Identity", model, folder, x, np.arange(70000, dtype=np.float32))


def subgraphs(folder):
    x = np.ones(5, np.float32)
    body = helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "body", [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, [5])])
    for op, attributes in {"If": {"then_branch": body, "else_branch": body}, "Loop": {"body": body}, "Scan": {"body": body, "num_scan_inputs": 1}}.items():
        onnx.save(make([helper.make_node(op, ["x"], ["y"], name="branch", **attributes)], [], [5]), folder / "model.onnx")
        got, why = engine(folder / "model.onnx", x, folder)
        check(got is None and f"node 'branch' ({op})" in why, f"{op} is refused by name", why)


def many_nodes(folder):
    """As many nodes as are allowed, half of them Identities that go; within seconds."""
    x = rng.standard_normal(5).astype(np.float32)
    nodes = [helper.make_node("Relu" if i % 2 else "Identity", [f"v{i - 1}" if i else "x"], [f"v{i}"]) for i in range(49999)]
    nodes.append(helper.make_node("Relu", ["v49998"], ["y"]))
    onnx.save(make(nodes, [], [5]), folder / "model.onnx")
    start = time.monotonic()
    compare("50000 nodes", folder / "model.onnx", folder, x, np.maximum(x, 0))
    took = time.monotonic() - start
    check(took < 10, "50000 nodes", f"took {took:.1f} s")
    print(f"50000 nodes in {took:.2f} s")


def main():
    for test in (elements, external, opsets, text_and_order, passing_on, subgraphs, many_nodes):
        with tempfile.TemporaryDirectory() as folder:
            test(Path(folder))
    print(f"{checked - failed} files are read right, {failed} are not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
