#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fills the large weights that the structure files here lack with seeded random ones, so that whole
detectors can be tested without anybody's trained weights.

    fill_weights.py STRUCTURE.onnx.xz OUT.onnx [SEED]
    fill(STRUCTURE, SEED, calm=True), then confident(): as well conditioned as trained networks are

*-structure.onnx.xz are RT-DETR-R50, RT-DETRv2-R50 and D-FINE-L (640x640, 17 classes) and
PP-DocLayoutV3 (800x800, 25 classes, with order logits) as Hugging Face transformers 5.17 exports
them at operator set 17 (Apache-2.0), without the weights of convolutions and linear layers. heron-docling
is RT-DETRv2-R50 with its post-processing in the graph, as docling publishes its models.

Plain random weights do not do: after twenty layers all places look the same, all scores are equal,
the top-k is a tie, and two implementations differ in everything behind it. Here each layer's
weights are projected so that what all places have in common does not pass, and scaled so that what
they do not have in common keeps its size. Both are measured on a drawn page, in one run: the layers
behind see what they will see. Scores then spread over classes and queries. Even so two queries can
be so near each other at the top-k's last rank that they swap: compare query by query, by boxes.

PP-DocLayoutV3 makes its first boxes of where a mask is above 0, and rounding would move the edges of
masks that differ from place to place. There all but the heads stay plain, masks are all or nothing,
and boxes cover nearly the whole page: good for comparing numbers, not for looking at regions.

Such networks magnify rounding errors a hundredfold. Calm ones do not: the last layer of each residual branch adds
little to what passes by it, attention looks nearly everywhere, convolutions let pass what places have in common.
Rounded to halves RT-DETRv2's first scores are off by 0.002 of their spread, and regions of both RT-DETR can be compared.
PP-DocLayoutV3's cannot: its masks still decide by rounding errors.
"""
import lzma
import pathlib
import re
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import yolo_graph

VARIANCE_MIN = 1e-6
PLAIN_VARIANCE = 1.6  # times a layer's inputs, where nothing is measured
SCORE_SPREAD = 1.5  # of logits
# Of boxes before the sigmoid. Each layer moves those of the layer before and looks where they are, so
# that large moves magnify rounding errors; nothing looks where the last ones are.
BOX_SPREAD, LAST_BOX_SPREAD = 0.02, 0.7
# Of a calm network, by node: how far the results spread that are 1 elsewhere.
CALM = ((re.compile(r"layer\.2/convolution|bottlenecks.*conv2"), 0.2),
        (re.compile(r"o_proj|output_proj|mlp/fc2|mlp/layers\.1|gateway"), 0.1),
        (re.compile(r"sampling_offsets|attention_weights|[qk]_proj"), 0.2))
CONFIDENT = 2  # scores a class and page


def is_empty(tensor):
    return (tensor.data_type == TensorProto.FLOAT and not tensor.raw_data and len(tensor.float_data) == 0
            and int(np.prod(tensor.dims)) > 0)


def consumers(graph):
    """By name of a weight: the first Conv or MatMul that multiplies with it, through Identity nodes; else
    the first node that reads it."""
    alias, found = {}, {}
    for node in graph.node:
        if node.op_type == "Identity":
            alias[node.output[0]] = alias.get(node.input[0], node.input[0])
        for i, name in enumerate(node.input):
            name = alias.get(name, name)
            product = node.op_type in ("Conv", "MatMul", "Gemm") and i == 1
            if name not in found or (product and found[name].op_type not in ("Conv", "MatMul", "Gemm")):
                found[name] = node
    return found


def start_values(tensor, node, random, plain):
    noise = random.standard_normal(tuple(tensor.dims))
    variance = PLAIN_VARIANCE if plain else 1
    if node.op_type == "Conv":
        return noise * np.sqrt(variance / np.prod(tensor.dims[1:]))
    if node.op_type in ("MatMul", "Gemm"):
        return noise * np.sqrt(variance / tensor.dims[-2])
    return (node.op_type == "Mul" and not plain) + 0.1 * noise  # a normalisation's scale or shift


def calm_spread(node):
    return next((spread for pattern, spread in CALM if pattern.search(node.name)), 1.0)


def add_probe(graph, node, weight, number, target):
    """Behind `node`: its result without the mean over all places, with a spread of `target`. The mean of
    its operand and the spread that it had become results of the network."""
    x, y = node.input[0], node.output[0]
    places = [2, 3] if node.op_type == "Conv" else [-2]
    parts = ("raw", "mean", "centred", "square", "variance", "eps", "spread", "of", "unit", "target")
    raw, mean, centred, square, variance, eps, spread, of, unit, wanted = (f"probe{number}.{part}" for part in parts)
    node.output[0] = raw
    graph.initializer.extend((numpy_helper.from_array(np.float32(VARIANCE_MIN), eps),
                              numpy_helper.from_array(np.float32(target), wanted)))
    graph.node.extend((helper.make_node("ReduceMean", [x], [of], axes=places, keepdims=1),
                       helper.make_node("ReduceMean", [raw], [mean], axes=places, keepdims=1),
                       helper.make_node("Sub", [raw, mean], [centred]),
                       helper.make_node("Mul", [centred, centred], [square]),
                       helper.make_node("ReduceMean", [square], [variance], keepdims=0),
                       helper.make_node("Add", [variance, eps], [f"{variance}+"]),
                       helper.make_node("Sqrt", [f"{variance}+"], [spread]),
                       helper.make_node("Div", [centred, spread], [unit]),
                       helper.make_node("Mul", [unit, wanted], [y])))
    graph.output.extend(helper.make_empty_tensor_value_info(name) for name in (of, spread))
    return weight, of, spread


def open_session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def feeds(session, x):
    """The page, and for docling's what size its boxes are to have: the page's."""
    image, *size = (value.name for value in session.get_inputs())
    return {image: x, **{name: np.array([x.shape[:1:-1]]) for name in size}}


def measure(model, weights, x, calm):
    """For each weight the mean of what it is multiplied with, and the spread of the product."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.node[:], probe.graph.output[:]
    first = consumers(model.graph)
    probed = {first[name].output[0]: name for name in weights if first[name].op_type in ("Conv", "MatMul")}
    found = []
    for node in model.graph.node:
        probe.graph.node.append(node)
        if node.output[0] in probed:
            found.append(add_probe(probe.graph, probe.graph.node[-1], probed[node.output[0]], len(found),
                                   calm_spread(node) if calm else 1))
    session = open_session(probe)
    results = session.run([name for _, *names in found for name in names], feeds(session, x))
    return {weight: (results[2 * i], float(results[2 * i + 1])) for i, (weight, _, _) in enumerate(found)}


def adjust(w, node, mean, spread, classes, calm):
    """Without the direction of `mean` over the inputs, and with the spread that the layer is to have."""
    if calm:
        spread = spread / calm_spread(node)
    target = SCORE_SPREAD if w.shape[-1] == classes else BOX_SPREAD if w.shape[-1] == 4 else 1.0
    if node.op_type == "Conv":
        m = mean.reshape(-1, 1, 1).astype(np.float64)
        if not calm and m.size == w.shape[1] and m.size > 1:
            w = w - m * (w * m).sum(axis=1, keepdims=True) / (m * m).sum()
        return w / spread
    m = mean.reshape(-1, 1).astype(np.float64)
    if m.size == w.shape[0]:
        w = w - m * (w * m).sum(axis=0, keepdims=True) / max((m * m).sum(), 1e-12)
    return w * target / spread


def n_classes(model):
    return next(t.dims[0] for t in model.graph.initializer if t.name.endswith("enc_score_head.bias"))


def fill(structure, seed=0, calm=False):
    model = onnx.load_from_string(lzma.decompress(pathlib.Path(structure).read_bytes()))
    random = np.random.default_rng(seed)
    nodes = consumers(model.graph)
    weights = {t.name: t for t in model.graph.initializer if is_empty(t)}
    plain = not calm and any(output.name == "order_logits" for output in model.graph.output)  # PP-DocLayoutV3
    for name, tensor in weights.items():
        values = start_values(tensor, nodes[name], random, plain)
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))
    size = model.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    classes = n_classes(model)
    heads = {name for name, tensor in weights.items() if len(tensor.dims) == 2 and tensor.dims[-1] in (classes, 4)}
    for name, (mean, spread) in measure(model, heads if plain else weights, yolo_graph.page(size, seed), calm).items():
        w = adjust(numpy_helper.to_array(weights[name]), nodes[name], mean, spread, classes, calm)
        weights[name].CopyFrom(numpy_helper.from_array(w.astype(np.float32), name))
    return model


def last_product(graph, columns):
    """The last MatMul with a weight of so many columns, and that weight."""
    alias = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Identity"}
    weights = {t.name: t for t in graph.initializer}
    found = None
    for node in graph.node:
        if node.op_type == "MatMul":
            weight = weights.get(alias.get(node.input[1], node.input[1]))
            found = (node, weight) if weight is not None and weight.dims[-1] == columns else found
    return found


def spread_last(model, columns, seed, xs):
    """Gives the last product with so many columns (a head: class scores, or 4 for boxes) random weights
    of its own, such that its results spread among the queries of each page of `xs`. fill() measures one
    page; on others what all queries have in common would decide, and all regions be of one class."""
    node, weight = last_product(model.graph, columns)
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.append(helper.make_empty_tensor_value_info(node.input[0]))
    session = open_session(probe)
    operands = [session.run(None, feeds(session, x))[0][0].astype(np.float64) for x in xs]
    common, _ = np.linalg.qr(np.stack([h.mean(axis=0) for h in operands], axis=1))
    w = np.random.default_rng(seed).standard_normal(tuple(weight.dims))
    w -= common @ (common.T @ w)
    w *= (LAST_BOX_SPREAD if columns == 4 else SCORE_SPREAD) / np.mean([(h @ w).std() for h in operands])
    node.input[1] = f"{weight.name}.last"  # other layers may share the weight that was there
    model.graph.initializer.append(numpy_helper.from_array(w.astype(np.float32), node.input[1]))


def initializer(model, name):
    alias = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Identity"}
    return next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == alias.get(name, name))


def replace(model, node, i, array):
    node.input[i] = f"{node.input[i]}.{node.name}"
    model.graph.initializer.append(numpy_helper.from_array(array.astype(np.float32), node.input[i]))


def confident(model, xs):
    """For each class CONFIDENT scores of at least 0.5 a page, on average over those of `xs`. The
    last class head gets the weights of that by which the top-k chooses, as training makes them agree: the
    queries at the top-k's edge, where ranks may swap, are then none of the confident ones."""
    first = next(node for node in model.graph.node if node.name.endswith("enc_score_head/MatMul"))
    last, _ = last_product(model.graph, n_classes(model))
    add = next(node for node in model.graph.node if last.output[0] in node.input and node.op_type == "Add")
    bias = list(add.input).index(last.output[0]) ^ 1
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.append(helper.make_empty_tensor_value_info(last.input[0]))
    session = open_session(probe)
    operands = [session.run([last.input[0]], feeds(session, x))[0] for x in xs]
    w = initializer(model, first.input[1]).astype(np.float64)
    scores = [h[0].astype(np.float64) @ w for h in operands]
    scale = SCORE_SPREAD / np.mean([s.std() for s in scores])
    replace(model, last, 1, w * scale)
    replace(model, add, bias, -scale * np.mean([np.sort(s, axis=0)[-CONFIDENT] for s in scores], axis=0))


if __name__ == "__main__":
    onnx.save(fill(sys.argv[1], int(sys.argv[3]) if len(sys.argv) > 3 else 0), sys.argv[2])
