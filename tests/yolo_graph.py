# SPDX-License-Identifier: LGPL-2.1-or-later
"""Detectors of the shape of YOLOv8, YOLOv10 and YOLO11, with seeded random weights.

Block structure follows the public descriptions of these networks; no weights of anybody's are in
here. Every convolution's results are standardised over drawn pages, as training with batch
normalisation does it: with plain random weights all places look the same after twenty layers, all
scores are equal, and comparing two implementations compares rounding errors. Boxes and labels mean
nothing; a page gives some hundred candidates above 0.2.

    model = build("8", 640, 11, 0.25, seed=1)     # as YOLOv8n for 11 classes

Input `images` [batch, 3, size, size], RGB in 0 … 1. Output `output0`:
"8", "11": [batch, 4 + classes, anchors], cx cy w h in pixels of the input and sigmoid scores;
"10": [batch, 300, 6], x0 y0 x1 y1 score class by falling score.
Metadata keys: names (a Python dict literal), imgsz, stride, task.
"""
import numpy as np
import onnxruntime
from onnx import ModelProto, TensorProto, helper, numpy_helper

OPSET = 17
REG_MAX = 16  # bins of each side of a box
STRIDES = (8, 16, 32)
MAX_DETECTIONS = 300
PAGE_MEASURED = 640  # a smaller page has too few pixels at stride 32 to tell a spread from
VARIANCE_MIN = 1e-6


def page(size, seed):
    """[1, 3, size, size]: scanned paper with rows of dark dashes, frames and coloured pictures."""
    random = np.random.default_rng(seed)
    x = np.full((1, 3, size, size), 0.85, np.float32)
    for _ in range(size // 6):
        top, left = random.integers(0, size, 2)
        height, width = random.integers(size // 80 + 1, size // 5, 2)
        block = x[:, :, top:top + height, left:left + width]
        kind = random.integers(3)
        if kind == 0:
            block[:, :, ::4, :] = block[:, :, 1::4, :] = 0.15
            block[:, :, :, ::random.integers(3, 9)] = 0.85
        elif kind == 1:
            block[:] = 0.3
            block[:, :, 2:-2, 2:-2] = 0.85
        else:
            block[:] = random.random((1, 3, 1, 1)) * 0.9
    return (x + random.standard_normal(x.shape).astype(np.float32) * 0.05).clip(0, 1)


class Net:
    """Collects nodes. A value is (name, channels)."""

    def __init__(self, seed, width):
        self.random = np.random.default_rng(seed)
        self.width = width
        self.nodes, self.weights = [], []
        self.convs = []  # (node, what its results are to have: mean, standard deviation)

    def channels(self, n):
        return max(8, int(np.ceil(min(n, 1024) * self.width / 8)) * 8)

    def constant(self, value, dtype=None):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"{kind.lower()}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"/{kind}_{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def plain_conv(self, x, outputs, k=1, stride=1, group=1, mean=0.0, spread=0.25):
        """With a spread this small SiLU bends little, and rounding errors grow little from block to block."""
        shape = (outputs, x[1] // group, k, k)
        w = self.random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))
        means = mean + self.random.standard_normal(outputs) * 0.2
        y = self.op("Conv", x[0], self.constant(w, np.float32), self.constant(np.zeros(outputs), np.float32),
                    kernel_shape=[k, k], strides=[stride] * 2, pads=[k // 2] * 4, group=group, dilations=[1, 1])
        self.convs.append((self.nodes[-1], means, spread))
        return y, outputs

    def conv(self, x, outputs, k=1, stride=1, group=1):
        y, _ = self.plain_conv(x, outputs, k, stride, group)
        return self.op("Mul", y, self.op("Sigmoid", y)), outputs

    def add(self, a, b):
        return self.op("Add", a[0], b[0]), a[1]

    def concat(self, *parts):
        return self.op("Concat", *(p[0] for p in parts), axis=1), sum(p[1] for p in parts)

    def halves(self, x):
        half = x[1] // 2
        return [(name, half) for name in
                self.op("Split", x[0], self.constant([half, half], np.int64), outputs=2, axis=1)]

    def upsample(self, x):
        return self.op("Resize", x[0], "", self.constant([1, 1, 2, 2], np.float32), mode="nearest",
                       coordinate_transformation_mode="asymmetric", nearest_mode="floor"), x[1]

    def reshape(self, name, *shape):
        return self.op("Reshape", name, self.constant(shape, np.int64))


# ---------------------------------------------------------------- blocks

def bottleneck(net, x, shortcut, hidden=1.0):
    y = net.conv(net.conv(x, max(8, int(x[1] * hidden)), 3), x[1], 3)
    return net.add(x, y) if shortcut else y


def c3k(net, x, outputs, shortcut):
    y = net.conv(x, outputs // 2)
    for _ in range(2):
        y = bottleneck(net, y, shortcut)
    return net.conv(net.concat(y, net.conv(x, outputs // 2)), outputs)


def inverted(net, x, shortcut):
    """YOLOv10's compact inverted block with its large kernel, as one depthwise 7x7."""
    y = net.conv(x, x[1], 3, group=x[1])
    y = net.conv(y, 2 * x[1])
    y = net.conv(y, y[1], 7, group=y[1])
    y = net.conv(y, x[1])
    y = net.conv(y, x[1], 3, group=x[1])
    return net.add(x, y) if shortcut else y


def c2f(net, x, outputs, n, block, e=0.5):
    hidden = max(4, int(net.channels(outputs) * e))
    parts = net.halves(net.conv(x, 2 * hidden))
    for _ in range(n):
        parts.append(block(parts[-1]))
    return net.conv(net.concat(*parts), net.channels(outputs))


def sppf(net, x, outputs):
    parts = [net.conv(x, x[1] // 2)]
    for _ in range(3):
        pooled = net.op("MaxPool", parts[-1][0], kernel_shape=[5, 5], strides=[1, 1], pads=[2, 2, 2, 2])
        parts.append((pooled, parts[0][1]))
    return net.conv(net.concat(*parts), net.channels(outputs))


def attention(net, x, side):
    """Multi-head self-attention over the pixels, keys half as wide as values, and a depthwise
    convolution of the values for the position."""
    heads = max(1, x[1] // 64)
    value = x[1] // heads
    key = value // 2
    qkv = net.plain_conv(x, heads * (2 * key + value))
    pixels = side * side
    parts = net.reshape(qkv[0], 0, heads, 2 * key + value, pixels)
    q, k, v = net.op("Split", parts, net.constant([key, key, value], np.int64), outputs=3, axis=2)
    scores = net.op("MatMul", net.op("Transpose", q, perm=[0, 1, 3, 2]), k)
    scores = net.op("Mul", scores, net.constant(key ** -0.5, np.float32))
    weights = net.op("Softmax", scores, axis=-1)
    y = net.op("MatMul", v, net.op("Transpose", weights, perm=[0, 1, 3, 2]))
    y = net.reshape(y, 0, x[1], side, side)
    place = net.plain_conv((net.reshape(v, 0, x[1], side, side), x[1]), x[1], 3, group=x[1])
    return net.plain_conv(net.add((y, x[1]), place), x[1])


def psa(net, x, side, n=1):
    a, b = net.halves(net.conv(x, x[1]))
    for _ in range(n):
        b = net.add(b, attention(net, b, side))
        b = net.add(b, net.plain_conv(net.conv(b, 2 * b[1]), b[1]))
    return net.conv(net.concat(a, b), x[1])


def scdown(net, x, outputs):
    outputs = net.channels(outputs)
    return net.plain_conv(net.conv(x, outputs), outputs, 3, 2, group=outputs)


# ---------------------------------------------------------------- networks up to the head

def neck(net, levels, stage, down):
    """Top-down and bottom-up again: three feature maps to detect on."""
    p3, p4, p5 = levels
    n4 = stage(net.concat(net.upsample(p5), p4), 512, False)
    n3 = stage(net.concat(net.upsample(n4), p3), 256, False)
    m4 = stage(net.concat(net.conv(n3, net.channels(256), 3, 2), n4), 512, False)
    return n3, m4, stage(net.concat(down(m4), p5), 1024, True)


def yolo8(net, x, side):
    def stage(y, outputs, n, shortcut):
        return c2f(net, y, outputs, n, lambda z: bottleneck(net, z, shortcut))

    def down(y, outputs):
        return net.conv(y, net.channels(outputs), 3, 2)

    y = stage(down(down(x, 64), 128), 128, 1, True)
    p3 = stage(down(y, 256), 256, 2, True)
    p4 = stage(down(p3, 512), 512, 2, True)
    p5 = sppf(net, stage(down(p4, 1024), 1024, 1, True), 1024)
    return neck(net, (p3, p4, p5), lambda y, outputs, last: stage(y, outputs, 1, False), lambda y: down(y, 512))


def yolo10(net, x, side):
    def stage(y, outputs, n, shortcut):
        return c2f(net, y, outputs, n, lambda z: bottleneck(net, z, shortcut))

    def neck_stage(y, outputs, last):
        if last:
            return c2f(net, y, outputs, 1, lambda z: inverted(net, z, True))
        return stage(y, outputs, 1, False)

    y = net.conv(net.conv(x, net.channels(64), 3, 2), net.channels(128), 3, 2)
    p3 = stage(net.conv(stage(y, 128, 1, True), net.channels(256), 3, 2), 256, 2, True)
    p4 = stage(scdown(net, p3, 512), 512, 2, True)
    p5 = psa(net, sppf(net, stage(scdown(net, p4, 1024), 1024, 1, True), 1024), side // 32)
    return neck(net, (p3, p4, p5), neck_stage, lambda y: scdown(net, y, 512))


def yolo11(net, x, side):
    def small(y, outputs, e=0.5):
        return c2f(net, y, outputs, 1, lambda z: bottleneck(net, z, True, 0.5), e)

    def large(y, outputs):
        return c2f(net, y, outputs, 1, lambda z: c3k(net, z, z[1], True))

    def down(y, outputs):
        return net.conv(y, net.channels(outputs), 3, 2)

    y = small(down(down(x, 64), 128), 256, 0.25)
    p3 = small(down(y, 256), 512, 0.25)
    p4 = large(down(p3, 512), 512)
    p5 = psa(net, sppf(net, large(down(p4, 1024), 1024), 1024), side // 32)
    return neck(net, (p3, p4, p5), lambda y, outputs, last: (large if last else small)(y, outputs),
                lambda y: down(y, 512))


# ---------------------------------------------------------------- head

def head_level(net, x, classes, first, light):
    """One level's raw results: 4 · REG_MAX sides, then a score a class, before the sigmoid."""
    hidden = max(16, first // 4, REG_MAX * 4)
    sides = net.plain_conv(net.conv(net.conv(x, hidden, 3), hidden, 3), REG_MAX * 4, spread=2.0)
    hidden = max(first, min(classes, 100))
    if light:
        y = net.conv(net.conv(x, x[1], 3, group=x[1]), hidden)
        y = net.conv(net.conv(y, hidden, 3, group=hidden), hidden)
    else:
        y = net.conv(net.conv(x, hidden, 3), hidden, 3)
    scores = net.plain_conv(y, classes, mean=-4.0, spread=1.0)
    return net.op("Concat", sides[0], scores[0], axis=1)


def anchors(size):
    points, strides = [], []
    for stride in STRIDES:
        steps = np.arange(size // stride) + 0.5
        x, y = np.meshgrid(steps, steps)
        points.append(np.stack((x, y)).reshape(2, -1))
        strides.append(np.full((1, x.size), stride))
    return np.concatenate(points, 1)[None].astype(np.float32), np.concatenate(strides, 1).astype(np.float32)


def boxes(net, sides, points, strides, corners):
    """The expectation over the bins of each side, then the box around the anchor, in pixels."""
    bins = net.op("Transpose", net.reshape(sides, 0, 4, REG_MAX, -1), perm=[0, 2, 1, 3])
    bins = net.op("Softmax", bins, axis=1)
    weights = net.constant(np.arange(REG_MAX).reshape(1, REG_MAX, 1, 1), np.float32)
    distance = net.reshape(net.op("Conv", bins, weights, kernel_shape=[1, 1]), 0, 4, -1)
    low = net.op("Slice", distance, *(net.constant([v], np.int64) for v in (0, 2, 1)))
    high = net.op("Slice", distance, *(net.constant([v], np.int64) for v in (2, 4, 1)))
    at = net.constant(points)
    low, high = net.op("Sub", at, low), net.op("Add", high, at)
    if corners:
        box = net.op("Concat", low, high, axis=1)
    else:
        centre = net.op("Div", net.op("Add", low, high), net.constant(2, np.float32))
        box = net.op("Concat", centre, net.op("Sub", high, low), axis=1)
    return net.op("Mul", box, net.constant(strides))


def best_of(net, boxes_, scores, classes, count):
    """YOLOv10's end: the best anchors, of these the best scores, no suppression."""
    boxes_ = net.op("Transpose", boxes_, perm=[0, 2, 1])
    scores = net.op("Transpose", scores, perm=[0, 2, 1])
    k = net.constant([min(MAX_DETECTIONS, count)], np.int64)
    axis = net.constant([-1], np.int64)
    _, index = net.op("TopK", net.op("ReduceMax", scores, axes=[-1], keepdims=0), k, outputs=2, axis=-1)
    index = net.op("Unsqueeze", index, axis)
    boxes_ = net.op("GatherElements", boxes_, net.op("Tile", index, net.constant([1, 1, 4], np.int64)), axis=1)
    scores = net.op("GatherElements", scores, net.op("Tile", index, net.constant([1, 1, classes], np.int64)), axis=1)
    score, index = net.op("TopK", net.op("Flatten", scores, axis=1), k, outputs=2, axis=-1)
    n = net.constant(classes, np.int64)
    row, label = net.op("Div", index, n), net.op("Mod", index, n)
    batch = net.op("Gather", net.op("Shape", boxes_), net.constant(0, np.int64), axis=0)
    image = net.op("Range", net.constant(0, np.int64), batch, net.constant(1, np.int64))
    image = net.op("Expand", net.op("Unsqueeze", image, axis), net.op("Shape", row))
    pairs = net.op("Concat", net.op("Unsqueeze", image, axis), net.op("Unsqueeze", row, axis), axis=-1)
    label = net.op("Cast", net.op("Unsqueeze", label, axis), to=TensorProto.FLOAT)
    return net.op("Concat", net.op("GatherND", boxes_, pairs), net.op("Unsqueeze", score, axis), label, axis=-1)


def detect(net, levels, size, classes, light, end_to_end):
    raw = [net.reshape(head_level(net, x, classes, levels[0][1], light), 0, REG_MAX * 4 + classes, -1) for x in levels]
    whole = net.op("Concat", *raw, axis=2)
    sides, scores = net.op("Split", whole, net.constant([REG_MAX * 4, classes], np.int64), outputs=2, axis=1)
    points, strides = anchors(size)
    box, scores = boxes(net, sides, points, strides, end_to_end), net.op("Sigmoid", scores)
    if end_to_end:
        return best_of(net, box, scores, classes, points.shape[2])
    return net.op("Concat", box, scores, axis=1)


def statistics(model, convs, pages):
    """What to multiply with and what to add to every convolution's results so that they have the mean
    and the spread that they are to have, over the pixels of `pages`. One run tells all: with
    InstanceNormalization behind each convolution its successors see what they will see."""
    probe = ModelProto()
    probe.CopyFrom(model)
    del probe.graph.node[:], probe.graph.output[:]
    wanted = {node.output[0]: (means, spread) for node, means, spread in convs}
    for node in model.graph.node:
        probe.graph.node.append(node)
        name = node.output[0]
        if name in wanted:
            means, spread = wanted[name]
            probe.graph.node[-1].output[0] = f"{name}.raw"
            probe.graph.output.append(helper.make_empty_tensor_value_info(f"{name}.raw"))
            scale = np.full(means.size, spread, np.float32)
            probe.graph.initializer.extend((numpy_helper.from_array(scale, f"{name}.s"),
                                            numpy_helper.from_array(means.astype(np.float32), f"{name}.m")))
            probe.graph.node.append(helper.make_node("InstanceNormalization", [f"{name}.raw", f"{name}.s", f"{name}.m"],
                                                     [name], epsilon=VARIANCE_MIN))
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    found = []
    results = session.run([f"{name}.raw" for name in wanted], {"images": pages})
    for raw, (means, spread) in zip(results, wanted.values(), strict=True):
        raw = raw.astype(np.float64)
        scale = spread / np.sqrt(raw.var(axis=(0, 2, 3)) + VARIANCE_MIN)
        found.append((scale, means - raw.mean(axis=(0, 2, 3)) * scale))
    return found


def apply(model, convs, found):
    weights = {w.name: w for w in model.graph.initializer}
    for (node, _, _), (scale, shift) in zip(convs, found, strict=True):
        w, b = weights[node.input[1]], weights[node.input[2]]
        scaled = numpy_helper.to_array(w) * scale[:, None, None, None]
        w.CopyFrom(numpy_helper.from_array(scaled.astype(np.float32), w.name))
        b.CopyFrom(numpy_helper.from_array(shift.astype(np.float32), b.name))


def unfilled(version, size, classes, width, seed, dynamic):
    versions = {"8": (yolo8, False, False), "10": (yolo10, True, True), "11": (yolo11, True, False)}
    body, light, end_to_end = versions[version]
    net = Net(seed, width)
    last = detect(net, body(net, ("images", 3), size), size, classes, light, end_to_end)
    net.nodes.append(helper.make_node("Identity", [last], ["output0"], name="output"))
    batch = "batch" if dynamic else 1
    count = sum((size // s) ** 2 for s in STRIDES)
    shape = [batch, min(MAX_DETECTIONS, count), 6] if end_to_end else [batch, 4 + classes, count]
    graph = helper.make_graph(net.nodes, f"yolo{version}",
                              [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, size, size])],
                              [helper.make_tensor_value_info("output0", TensorProto.FLOAT, shape)], net.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8), net.convs


def build(version: str, size: int, classes: int, width: float, seed: int, dynamic: bool = False) -> ModelProto:
    """`version` "8", "10" or "11"; `size` a multiple of 32; `width` 0.25 for the smallest that is
    published; `dynamic` leaves the batch open instead of 1."""
    if size % STRIDES[-1] != 0:
        raise ValueError(f"size {size} is not a multiple of {STRIDES[-1]}")
    four = [page(PAGE_MEASURED, i) for i in range(4)]
    pages = np.block([four[:2], four[2:]])
    found = statistics(*unfilled(version, 2 * PAGE_MEASURED, classes, width, seed, False), pages)
    model, convs = unfilled(version, size, classes, width, seed, dynamic)
    apply(model, convs, found)
    helper.set_model_props(model, {"names": repr({i: f"class {i}" for i in range(classes)}),
                                   "imgsz": f"[{size}, {size}]", "stride": str(STRIDES[-1]), "task": "detect"})
    return model
