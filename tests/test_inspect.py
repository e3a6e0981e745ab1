#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""nn-inspect on the default model and on small ones, beside what the onnx package says of the same files:
operators, operations (from its shape inference), weights; and beside nn-detect for regions.
usage: test_inspect.py NN-INSPECT NN-DETECT; exit status 77 (skipped) without packages or model
"""
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from PIL import Image

    import pages
    import tiny_models
    from nndetect import Detector, match
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

INSPECT, DETECT = sys.argv[1:3]
WILL_RUN, WILL_NOT_RUN, USAGE, NO_DETECTOR = range(4)
rng = np.random.default_rng(20240611)


def run(*arguments, **options):
    done = subprocess.run([INSPECT, *map(str, arguments)], capture_output=True, timeout=120, check=False, **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def report(status, *arguments):
    """The JSON report; nothing may be said beside it."""
    code, out, err = run("--json", *arguments)
    assert code == status and err == "", (code, out[-300:], err)
    assert out.count("\n") == 1
    return json.loads(out)


def text_of(status, *arguments):
    code, out, err = run(*arguments)
    assert code == status and err == "", (code, out[-300:], err)
    return out


def fails(status, cause, *arguments):
    """One line on standard error, nothing on standard output."""
    code, out, err = run(*arguments)
    lines = err.splitlines()
    assert code == status and out == "", (arguments, code, out[-300:], err)
    assert cause in lines[0] and lines[0].startswith("nn-inspect: "), err
    assert len(lines) == (2 if status == USAGE else 1), err


# ---------------------------------------------------------------- models

class Net:
    def __init__(self, inputs, opset=15):
        self.inputs, self.opset, self.nodes, self.constants = inputs, opset, [], []

    def constant(self, *shape):
        name = f"k{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(rng.uniform(0.5, 1, shape).astype("f4"), name))
        return name

    def add(self, op, *operands, name=None, **attributes):
        number, result = len(self.nodes), f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, operands, [result], name=name or f"n{number}", **attributes))
        return result

    def save(self, path, *outputs, shapes=None, **properties):
        inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.inputs.items()]
        outputs = [helper.make_tensor_value_info(o, TensorProto.FLOAT, shapes[o]) if shapes
                   else onnx.ValueInfoProto(name=o) for o in outputs]
        graph = helper.make_graph(self.nodes, "net", inputs, outputs, self.constants)
        domains = {n.domain for n in self.nodes if n.domain}
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", self.opset)]
                                  + [helper.make_opsetid(d, 1) for d in domains], **properties)
        onnx.save(model, path)
        return path


def shapes_of(model):
    """Shapes of all values by onnx's inference."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = [*graph.input, *graph.output, *graph.value_info]
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    shapes.update({t.name: list(t.dims) for t in graph.initializer})
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            shapes[node.output[0]] = list(node.attribute[0].t.dims)
    return shapes


def flop_of(model):
    """Two for each multiply-add of convolutions and products, node by node."""
    shapes, total = shapes_of(model), 0
    for node in model.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        out = np.prod(shapes[node.output[0]], dtype=np.int64)
        if node.op_type == "Conv":
            channels = shapes[node.input[0]][1] // attributes.get("group", 1)
            total += 2 * out * channels * np.prod(shapes[node.input[1]][2:], dtype=np.int64)
        elif node.op_type in ("MatMul", "Gemm"):
            total += 2 * out * shapes[node.input[0]][0 if attributes.get("transA") else -1]
    return int(total)


def check_operators(got, model):
    """As counted in the file; returns what is marked as not supported."""
    want = collections.Counter((n.op_type, n.domain) for n in model.graph.node if n.op_type != "Constant")
    assert {(o["name"], o["domain"]): o["nodes"] for o in got["operators"]} == dict(want)
    assert [o["name"] for o in got["operators"]] == sorted(o["name"] for o in got["operators"])
    return {o["name"] for o in got["operators"] if not o["supported"]}


def check_values(got, protos):
    names = {TensorProto.FLOAT: "float32", TensorProto.INT64: "int64"}
    want = [{"name": v.name, "type": names[v.type.tensor_type.elem_type],
             "shape": [d.dim_value or None for d in v.type.tensor_type.shape.dim]} for v in protos]
    assert got == want, (got, want)


def check_plan(got, model):
    """What must hold of any plan."""
    plan = got["plan"]
    assert plan["nodes_before"] == sum(n.op_type != "Constant" for n in model.graph.node)
    assert plan["nodes_after"] == len(plan["nodes"])
    assert plan["nodes_before"] + sum(c["nodes"] for c in plan["changes"]) == plan["nodes_after"]
    assert plan["flop"] == sum(n["flop"] for n in plan["nodes"]) == flop_of(model)
    assert plan["load_ms"] > 0 and plan["plan_ms"] > 0
    return plan


# ---------------------------------------------------------------- tests

def test_default_model(path, _):
    model, got = onnx.load(path), report(WILL_RUN, path)
    assert got["file"] == str(path) and got["bytes"] == path.stat().st_size
    assert (got["opset"], got["ir_version"]) == (model.opset_import[0].version, model.ir_version)
    assert (got["producer"], got["producer_version"]) == (model.producer_name, model.producer_version)
    assert got["family"] == "picodet" and got["will_run"] and got["network_runs"] and got["error"] is None
    labels = next(p.value for p in model.metadata_props if p.key == "character")
    assert got["labels"] == labels.split("\n")
    check_values(got["inputs"], model.graph.input)
    check_values(got["outputs"], model.graph.output)
    assert check_operators(got, model) == set()
    plan, counts = check_plan(got, model), collections.Counter(n.op_type for n in model.graph.node)
    changes = {c["name"]: c["nodes"] for c in plan["changes"]}
    assert changes["BatchNormalization into the Conv before"] == -counts["BatchNormalization"] < 0
    after = collections.Counter(n["operator"] for n in plan["nodes"])
    assert after["Conv"] + 2 * after["ConvPair"] == counts["Conv"] and after["ConvPair"] == -changes["joined for the device"]
    assert 0 < after["Reorder"] <= changes["Reorder between layouts"]  # some move nothing
    shapes = shapes_of(model)
    filters = sum(4 * np.prod(shapes[n.input[1]]) for n in model.graph.node if n.op_type == "Conv")
    assert filters < plan["weight_bytes"] < 1.05 * filters
    assert max(n["value_bytes"] for n in plan["nodes"]) <= plan["arena_bytes"] < sum(n["value_bytes"] for n in plan["nodes"])
    print(f"default model: {plan['flop'] / 1e9:.2f} GFLOP, {plan['weight_bytes']} bytes of weights")


def test_text(path, _):
    """The same figures as in JSON."""
    got, out = report(WILL_RUN, path), text_of(WILL_RUN, path)
    plan, lines = got["plan"], [" ".join(line.split()) for line in out.splitlines()]
    for line in (f"file {path}", f"family {got['family']}", f"labels {len(got['labels'])}: " + ", ".join(got["labels"]),
                 "inputs image float32[1,3,800,608]",
                 f"plan for cpu, 1 page a run, 1 thread: {plan['nodes_before']} nodes become {plan['nodes_after']}",
                 f"work {plan['flop'] / 1e9:.2f} GFLOP a run",
                 f"memory weights {plan['weight_bytes'] / 1e6:.1f} MB; each session {plan['arena_bytes'] / 1e6:.1f} MB "
                 f"and {plan['scratch_bytes'] / 1e6:.1f} MB of scratch",
                 *(f"{o['nodes']} {o['name']}" for o in got["operators"]),
                 *(f"{c['nodes']:+d} {c['name']}" for c in plan["changes"])):
        assert line in lines, (line, out)
    assert lines[-1] == "It will run."


def mixed_net():
    net = Net({"x": ["N", 4, 16, 16], "a": ["N", 5, 24]})
    c = net.add("Conv", "x", net.constant(8, 4, 3, 3), net.constant(8), pads=[1] * 4, strides=[2, 2], name="first")
    c = net.add("Relu", net.add("BatchNormalization", c, *(net.constant(8) for _ in range(4))))
    c = net.add("Conv", c, net.constant(8, 2, 5, 1), group=4, name="grouped")
    m = net.add("MatMul", "a", net.constant(24, 7), name="matmul")
    g = net.add("Gemm", net.constant(3, 6), net.constant(9, 3), transA=1, transB=1, name="known")
    return net, (c, m, g)


def test_costs(_, folder):
    """Of a small model, number by number; of no family, it is refused as a detector only."""
    net, outputs = mixed_net()
    path = net.save(folder / "mixed.onnx", *outputs, producer_name="a \"quoted\\\n\x1b[31m name", producer_version="7")
    for batch in (1, 3):
        got = report(NO_DETECTOR, "--batch", batch, "--threads", 2, path)
        plan, nodes = got["plan"], {n["name"]: n for n in got["plan"]["nodes"]}
        assert (plan["batch"], plan["threads"], plan["device"]) == (batch, 2, "cpu")
        assert nodes["first"]["flop"] == batch * 2 * (8 * 8 * 8) * (4 * 9) and nodes["first"]["fused"] == "Relu"
        assert nodes["grouped"]["flop"] == batch * 2 * (8 * 4 * 8) * (2 * 5) and nodes["grouped"]["fused"] == ""
        assert nodes["matmul"]["flop"] == batch * 2 * (5 * 7) * 24 and "known" not in nodes
        assert plan["flop"] == sum(n["flop"] for n in plan["nodes"])
        changes = {c["name"]: c["nodes"] for c in plan["changes"]}
        assert changes["known before the run, or read by nobody"] == -1
        assert plan["nodes_before"] == 6 and 6 + sum(changes.values()) == plan["nodes_after"] == len(plan["nodes"])
        assert nodes["first"]["shape"] == [batch, 8, 8, 8] and nodes["first"]["type"] == "float32"
        assert nodes["first"]["weight_bytes"] == 4 * (8 * 4 * 9 + 8)
        assert nodes["first"]["value_bytes"] == 4 * batch * (4 * 16 * 16 + 8 * 8 * 8)
        assert nodes["matmul"]["value_bytes"] == 4 * batch * 5 * (24 + 7)
        # The product of two constants is a constant itself, which nothing reads but the output.
        assert plan["weight_bytes"] == 4 * ((8 * 4 * 9 + 8) + 8 * 2 * 5 + 24 * 7 + 6 * 9)
    assert got["inputs"][0] == {"name": "x", "type": "float32", "shape": [None, 4, 16, 16]}
    assert got["producer"] == "a \"quoted\\\n\x1b[31m name" and not got["will_run"] and got["network_runs"]
    assert got["family"] is None and "x float32[?,4,16,16]" in got["error"] and outputs[0] in got["error"]
    out = text_of(NO_DETECTOR, path)
    assert "\x1b" not in out and "?[31m name 7" in out and "\nfamily" not in out
    assert "x float32[?,4,16,16]" in out.splitlines()[-1]


def test_gemm(_, folder):
    net = Net({"a": [6, 10]})
    g = net.add("Gemm", "a", net.constant(4, 6), transA=1, transB=1)
    r = net.add("Softmax", net.add("MatMul", net.constant(3, 10), g))
    path = net.save(folder / "gemm.onnx", r)
    assert check_plan(report(NO_DETECTOR, "--batch", 6, path), onnx.load(path))["flop"] == 2 * (10 * 4 * 6 + 3 * 4 * 10)


def test_pair(_, folder):
    """A depthwise convolution with the 1×1 behind it costs what both cost, and says what is between."""
    net = Net({"x": [1, 8, 20, 12]})
    c = net.add("Relu", net.add("Conv", "x", net.constant(8, 1, 5, 5), group=8, pads=[2] * 4, strides=[2, 2]))
    c = net.add("Conv", c, net.constant(24, 8, 1, 1), net.constant(24))
    s = net.add("Conv", "x", net.constant(24, 8, 1, 1), strides=[2, 2])
    path = net.save(folder / "pair.onnx", net.add("Sigmoid", net.add("Add", c, s)))
    plan = check_plan(report(NO_DETECTOR, path), onnx.load(path))
    pair = next(n for n in plan["nodes"] if n["operator"] == "ConvPair")
    assert pair["flop"] == 2 * (10 * 6) * (8 * 25 + 24 * 8) and pair["fused"] == "Relu, Add, Sigmoid", pair


def test_attention(_, folder):
    """One node costs what its two products cost; a product says that it adds a residual."""
    heads = lambda net, perm: net.add("Transpose", net.add("Reshape", "x", "split"), perm=perm)
    net = Net({"x": [1, 15, 24]})
    net.constants += [numpy_helper.from_array(np.array(v), n) for n, v in (("split", [1, 15, 3, 8]), ("join", [1, 15, 24]))]
    share = net.add("Softmax", net.add("MatMul", heads(net, [0, 2, 1, 3]), heads(net, [0, 2, 3, 1])), axis=-1)
    mixed = net.add("Transpose", net.add("MatMul", share, heads(net, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    product = net.add("MatMul", net.add("Reshape", mixed, "join"), net.constant(24, 24), name="product")
    path = net.save(folder / "attention.onnx", net.add("Relu", net.add("Add", product, "x")))
    nodes = {n["operator"]: n for n in check_plan(report(NO_DETECTOR, path), onnx.load(path))["nodes"]}
    assert nodes["Attention"]["flop"] == 2 * 2 * 3 * (15 * 15 * 8), nodes["Attention"]
    assert nodes["MatMul"]["fused"] == "Add, Relu" and len(nodes) == 2, nodes


def test_open_size(_, folder):
    """An open image size is what the options say, or the family's own: here of RT-DETR, told by names."""
    net = Net({"pixel_values": ["N", 3, "H", "W"]})
    net.constants += [numpy_helper.from_array(np.int64([0, 21, -1]), "rows"), numpy_helper.from_array(np.int64([17, 4]), "parts")]
    c = net.add("Reshape", net.add("Conv", "pixel_values", net.constant(21, 3, 16, 16), strides=[16, 16]), "rows")
    net.add("Split", net.add("Transpose", c, perm=[0, 2, 1]), "parts", axis=2)
    net.nodes[-1].output[:] = ["logits", "pred_boxes"]
    path = net.save(folder / "open.onnx", "logits", "pred_boxes", shapes={"logits": ["N", "Q", 17], "pred_boxes": ["N", "Q", 4]})
    got = report(WILL_RUN, "--batch", 2, path)
    assert got["plan"]["flop"] == 2 * 2 * (40 * 40 * 21) * (3 * 256) and got["inputs"][0]["shape"] == [None, 3, None, None]
    got = report(WILL_RUN, "--input-width", 320, "--input-height", 160, path)
    assert got["plan"]["flop"] == 2 * (20 * 10 * 21) * (3 * 256) and len(got["labels"]) == 17
    net.inputs = {"x": net.inputs["pixel_values"]}
    net.nodes[0].input[0] = "x"
    path = net.save(folder / "unknown.onnx", "logits")
    assert "is open" in report(WILL_NOT_RUN, path)["error"]
    got = report(NO_DETECTOR, "--input-width", 320, "--input-height", 160, path)
    assert got["plan"]["flop"] == 2 * (20 * 10 * 21) * (3 * 256)


def test_unsupported(_, folder):
    """All of them are listed, by the program and in the engine's own message."""
    body = helper.make_graph([helper.make_node("Identity", ["going"], ["goes"])], "body",
                             [helper.make_tensor_value_info("i", TensorProto.INT64, []),
                              helper.make_tensor_value_info("going", TensorProto.BOOL, [])],
                             [helper.make_tensor_value_info("goes", TensorProto.BOOL, [])])
    net = Net({"x": [1, 8, 8, 8]})
    c = net.add("Conv", "x", net.constant(8, 8, 1, 1))
    for _ in range(2):
        c = net.add("NoSuchOp", c)
    c = net.add("Relu", net.add("Conv", c, net.constant(8, 8, 1, 1), domain="com.example"))
    net.add("Loop", "", "", name="loop", body=body)
    for _ in range(3):
        net.add("NonMaxSuppression", c, c)
    path = net.save(folder / "unsupported.onnx", c)
    got = report(WILL_NOT_RUN, path)
    marked = check_operators(got, onnx.load(path))
    assert marked == {"NoSuchOp", "Conv", "Loop", "NonMaxSuppression"} and "plan" not in got
    assert {o["domain"] for o in got["operators"] if o["name"] == "Conv" and not o["supported"]} == {"com.example"}
    assert not got["will_run"] and not got["network_runs"]
    check_values(got["inputs"], onnx.load(path).graph.input)
    listed = "com.example.Conv (1), Loop (1), NoSuchOp (2), NonMaxSuppression (3)"
    assert listed in got["error"] and "'n1' (NoSuchOp)" in got["error"], got["error"]
    lines = text_of(WILL_NOT_RUN, path).splitlines()
    assert sorted(line.split()[1] for line in lines if line.endswith("NOT SUPPORTED")) == [
        "Loop", "NoSuchOp", "NonMaxSuppression", "com.example.Conv"]
    assert "operators  6, in 9 nodes; 4 not supported" in lines and listed in lines[-1]
    done = subprocess.run([DETECT, path], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and listed in done.stderr, done.stderr
    # So many that no message holds them all: it is cut, and still text.
    net = Net({"x": [1]})
    for i in range(90):
        net.add(f"Größe{i:02}", "x")
    got = report(WILL_NOT_RUN, net.save(folder / "many.onnx", "v0"))
    assert "Größe00 (1), Größe01 (1)" in got["error"] and len(got["operators"]) == 90


def test_refused(path, folder):
    """Files that cannot be read, networks that cannot be planned, detectors that lack labels."""
    whole = path.read_bytes()
    for name, data in (("truncated.onnx", whole[:len(whole) // 2]), ("empty.onnx", b""), ("text.onnx", b"no model")):
        (folder / name).write_bytes(data)
        fails(WILL_NOT_RUN, str(folder / name), folder / name)
        fails(WILL_NOT_RUN, str(folder / name), "--json", folder / name)
    fails(WILL_NOT_RUN, "nothing.onnx: No such file", folder / "nothing.onnx")
    fails(WILL_NOT_RUN, "is a folder", folder)
    assert "takes 1 pages" in report(WILL_NOT_RUN, "--batch", 2, path)["error"]
    for precision in ([], ["--precision", "fp16"]):
        if run("--device", "cuda", *precision, path)[0] != 0:
            assert "CUDA" in report(WILL_NOT_RUN, "--device", "cuda", *precision, path)["error"]
    net, outputs = mixed_net()
    net.opset = 99
    got = report(WILL_NOT_RUN, net.save(folder / "new.onnx", *outputs))
    assert "operator set 99" in got["error"] and got["opset"] == 99 and len(got["operators"]) == 5
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, folder / "unlabelled.onnx")
    got = report(NO_DETECTOR, folder / "unlabelled.onnx")
    assert got["family"] is None and got["network_runs"] and "labels" in got["error"] and got["labels"] == []
    assert "labels" in text_of(NO_DETECTOR, folder / "unlabelled.onnx").splitlines()[-1]


def test_settings(path, folder):
    """What the model does not tell, or tells otherwise."""
    labels = [f"label {i}" for i in range(10)]
    (folder / "labels.txt").write_text("\n".join(labels))
    got = report(WILL_RUN, "--labels-file", folder / "labels.txt", folder / "unlabelled.onnx")
    assert got["labels"] == labels and got["family"] == "picodet"
    assert "No such file" in report(NO_DETECTOR, "--labels-file", folder / "none.txt", path)["error"]
    assert "nonsense" in report(NO_DETECTOR, "--model-family", "nonsense", path)["error"]
    assert "No such file" in report(NO_DETECTOR, "--modelinfo", folder / "none.modelinfo", path)["error"]


def test_misfits(_, folder):
    """Outputs that are not what they were taken for, which shows before there is a page."""
    path = folder / "misfit.onnx"
    onnx.save(tiny_models.custom(rng), path)
    sidecar = folder / "misfit.onnx.modelinfo"
    said = "[gst-doclayout]\nlabels=a,b,c,d,e,f\nscores-output=classes\nboxes-output=places\nbackground=first\n"
    sidecar.write_text(said)
    assert report(WILL_RUN, path)["family"] == "custom"
    sidecar.write_text(said + "labels-output=classes\n")
    got = report(NO_DETECTOR, path)
    assert got["error"] == f"{path}: the network's output of labels is float32[1,64,7], not float32[1,64]", got["error"]
    sidecar.write_text(said.replace("=places", "=classes"))
    got = report(NO_DETECTOR, path)
    assert got["error"] == f"{path}: the network's output of boxes is float32[1,64,7], not float32[1,?,4]", got["error"]


def test_names(_, folder):
    """A file's name is any bytes; JSON is UTF-8."""
    net, outputs = mixed_net()
    path = net.save(os.fsencode(folder) + b"/\xff\xe9\xc3\xa9\xed\xa0\x80\".onnx", *outputs)
    done = subprocess.run([INSPECT, "--json", path], capture_output=True, check=False)
    assert done.returncode == NO_DETECTOR and done.stderr == b""
    assert json.loads(done.stdout.decode())["file"].endswith("/\ufffd\ufffdé\ufffd\ufffd\ufffd\".onnx")


def seconds_of(path, runs):
    start = time.monotonic()
    got = report(WILL_RUN, f"--profile={runs}", path)
    return got, time.monotonic() - start


def test_profile(path, _):
    """The nodes' times make the runs', and these what the process took more."""
    for _ in range(3): # the machine may be busy with something else
        short, short_time = seconds_of(path, 1)
        got, long_time = seconds_of(path, 21)
        plan, one = got["plan"], (long_time - short_time) / 20 * 1e3
        if 0.5 < plan["run_ms"] / one < 2:
            break
    times = [n["ms"] for n in plan["nodes"]]
    assert plan["runs"] == 21 and short["plan"]["runs"] == 1 and min(times) > 0
    print(f"profile: nodes {sum(times):.2f} ms, run {plan['run_ms']:.2f} ms, by the process's time {one:.2f} ms")
    assert 0.9 < sum(times) / plan["run_ms"] <= 1.0 and 0.5 < plan["run_ms"] / one < 2
    slow = max(plan["nodes"], key=lambda n: n["ms"])
    assert "Conv" in slow["operator"] and slow["ms"] < 0.5 * plan["run_ms"]


def test_profile_text(path, _):
    out = text_of(WILL_RUN, "--profile", path)
    assert "the mean of 10" in out
    operators, nodes = (part.splitlines()[1:] for part in out.split("GFLOP/s  ")[1:])
    for table in (operators, nodes[:20]):
        rows = [line.split()[:2] for line in table if "%" in line]
        times = [float(ms) for ms, _ in rows]
        assert len(rows) > 5 and times == sorted(times, reverse=True)
        assert abs(sum(float(share) for _, share in rows) - 100) < 5 or len(rows) == 20
    assert "the other" in nodes[20] and "float32[" in nodes[0] and "(HardSwish" in "".join(nodes)


def save_pictures(folder, rgb):
    """(file, the pixels that must be seen) of one page in every format."""
    page, grey = Image.fromarray(rgb), Image.fromarray(rgb).convert("L")
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:rgb.shape[0] // 3] = 0
    cut = rgb.copy()
    cut[:rgb.shape[0] // 3] = 255
    holed = Image.fromarray(np.dstack([rgb, alpha]))
    greys = np.asarray(grey.convert("RGB"))
    for name, image, want in (("a.png", page, rgb), ("grey.png", grey, greys), ("holed.png", holed, cut),
                              ("a.ppm", page, rgb), ("grey.pgm", grey, greys), ("a.jpg", page, None),
                              ("grey.jpg", grey, None)):
        image.save(folder / name)
        yield name, want if want is not None else np.asarray(Image.open(folder / name).convert("RGB"))


def test_run(path, folder):
    """The regions that nn-detect finds in the same pixels; JPEG decoders may differ by a level."""
    _, rgb = next(pages.pdf_pages(pages.SAMPLE, 1))
    detector, found = Detector(DETECT, str(path), "duplicates=resolve", "max=300"), 0
    for name, want in save_pictures(folder, np.ascontiguousarray(rgb)):
        got = report(WILL_RUN, "--run", folder / name, path)["page"]
        theirs = detector(np.ascontiguousarray(want), "RGB")
        assert (got["height"], got["width"]) == want.shape[:2] and got["infer_ms"] > 0 and theirs
        assert all(r["order"] is None for r in got["regions"]) # the model tells none
        if name.endswith(".jpg"):
            pairs, rest = match(got["regions"], theirs)
            assert all(abs(r["score"] - 0.5) < 0.02 for _, r in rest), rest
            assert min(p[0] for p in pairs) > 0.95 and max(abs(a["score"] - b["score"]) for _, a, b in pairs) < 0.02
        else:
            same = [np.float32([r["score"], *r["bbox"]]).tolist() for r in theirs]
            assert [np.float32([r["score"], *r["bbox"]]).tolist() for r in got["regions"]] == same, name
            assert [r["label"] for r in got["regions"]] == [r["label"] for r in theirs]
        found += len(theirs)
    detector.close()
    regions = got["regions"]
    rows = [line.split() for line in text_of(WILL_RUN, "--run", folder / "grey.jpg", path).splitlines()[-1 - len(regions):-1]]
    assert rows == [[f"{r['score']:.4f}", *(f"{v:.2f}" for v in r["bbox"]), r["label"]] for r in regions]
    print(f"run: {found} regions in 7 files")


def test_bad_pictures(path, folder):
    whole = {kind: (folder / f"a.{kind}").read_bytes() for kind in ("png", "ppm", "jpg")}
    for name, data, cause in (
            ("cut.png", whole["png"][:2000], "cut.png: "), ("cut.ppm", whole["ppm"][:2000], "truncated"),
            ("huge.ppm", b"P6 99999999 99999999 255\n", "pixels"), ("narrow.ppm", b"P6 0 5 255\n", "0 × 5 pixels"),
            ("flat.ppm", b"P6 5 0 255\n", "5 × 0 pixels"),
            ("deep.pgm", b"P5 2 2 65535\n12345678", "256 levels"), ("noise.jpg", whole["jpg"][:30], "noise.jpg: "),
            ("page.txt", b"not a picture", "not a PNG"), ("none.png", b"", "not a PNG")):
        (folder / name).write_bytes(data)
        fails(WILL_NOT_RUN, cause, "--run", folder / name, path)
    fails(WILL_NOT_RUN, "No such file", "--run", folder / "nothing.png", path)


def test_usage(path, _):
    for cause, arguments in (("no model", []), ("one model", [path, path]), ("'0'", ["--batch", "0", path]),
                             ("'x'", ["--threads", "x", path]), ("'gpu'", ["--device", "gpu", path]),
                             ("'half'", ["--precision", "half", path]), ("fp32 only", ["--precision", "fp16", path]),
                             ("go together", ["--input-width", 640, path]),
                             ("'-1'", ["--profile=-1", path]), ("'3x'", ["--batch", "3x", path])):
        fails(USAGE, cause, *arguments)
    assert run("--nonsense", path)[0] == USAGE and run("--run")[0] == USAGE
    code, out, _ = run("--help")
    assert code == 0 and all(word in out for word in ("--batch", "--profile", "--run", "--json", "Exit status"))
    code, out, _ = run("--version")
    assert code == 0 and out.startswith("nn-inspect 0.")


def test_no_partial_output(path, _):
    """Interrupted, it has written nothing; a full disk is told."""
    process = subprocess.Popen([INSPECT, "--json", "--profile=10000", path], stdout=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert out == b"" and process.returncode == -signal.SIGINT, (out[:100], process.returncode)
    done = subprocess.run(["sh", "-c", 'exec "$0" "$1" >/dev/full', INSPECT, path], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "No space left" in done.stderr


def main():
    model = pages.model_file()
    if not model:
        print("skipped: the default model is not in the cache (pipelines/detect.sh fetches it)")
        return 77
    with tempfile.TemporaryDirectory() as name:
        for test in [value for key, value in globals().items() if key.startswith("test_")]:
            test(model, pathlib.Path(name))
            print(f"ok: {test.__name__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
