# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small networks with the inputs and outputs of each model family: one convolution whose kernels tile the
input, so that each tile is a query, and what the family's export has behind it. Weights are random.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F32, I64, I32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32


class Graph:
    """Nodes and constants as they come; every method returns the name of a value."""

    def __init__(self, rng, page="image", size=None, kernel=32, batch="batch"):
        self.rng, self.nodes, self.constants, self.count = rng, [], [], 0
        self.page, self.kernel = page, kernel
        shape = (3, size[1], size[0]) if size else ("channels", "height", "width")
        self.inputs = [helper.make_tensor_value_info(page, F32, [batch, *shape])]

    def constant(self, array):
        self.count += 1
        name = f"constant{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def add(self, op, *inputs, name=None, **attributes):
        self.count += 1
        name = name or f"{op}{self.count}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], name=name, **attributes))
        return name

    def input(self, name, kind, *shape):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def tiles(self, channels, bias=0.0, scale=1.0, name=None):
        """[N, channels, tiles] of numbers around `bias`; no two channels are equal where a page is one grey."""
        weights = self.rng.normal(0, scale / self.kernel, (channels, 3, self.kernel, self.kernel))
        weights -= weights.mean(axis=(1, 2, 3), keepdims=True)
        biases = (bias + self.rng.normal(0, 0.2, channels)).astype(np.float32)
        conv = self.add("Conv", self.page, self.constant(weights.astype(np.float32)), self.constant(biases),
                        strides=[self.kernel] * 2)
        return self.add("Reshape", conv, self.constant(np.array([0, 0, -1])), name=name)

    def queries(self, channels, name=None, **how):
        """[N, tiles, channels]"""
        return self.add("Transpose", self.tiles(channels, **how), perm=[0, 2, 1], name=name)

    def sigmoid(self, value, name=None):
        return self.add("Sigmoid", value, name=name)

    def boxes(self, name=None):
        """[N, tiles, 4] of cx cy w h in 0 … 1, at most half as large as the page."""
        size = self.add("Mul", self.sigmoid(self.queries(2)), self.constant(np.float32(0.5)))
        return self.add("Concat", self.sigmoid(self.queries(2)), size, axis=2, name=name)

    def corner_boxes(self, name=None):
        """The same as x0 y0 x1 y1."""
        matrix = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-.5, 0, .5, 0], [0, -.5, 0, .5]], np.float32)
        return self.add("MatMul", self.boxes(), self.constant(matrix), name=name)

    def classes(self, n):
        """[N, tiles, 1] whole numbers below `n`, as floats."""
        share = self.add("Mul", self.sigmoid(self.queries(1)), self.constant(np.float32(n - 0.01)))
        return self.add("Cast", self.add("Cast", share, to=I64), to=F32)

    def model(self, outputs, metadata=None):
        """`outputs`: (name, type, shape)…"""
        values = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs]
        graph = helper.make_graph(self.nodes, "tiny", self.inputs, values, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        if metadata:
            helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        return model


def detr(rng, classes=17, size=(256, 256), ordered=False):
    """As transformers exports RT-DETR; PP-DocLayoutV3's, if `ordered`."""
    g = Graph(rng, "pixel_values", size)
    g.queries(classes, "logits", bias=-1.2)
    g.boxes("pred_boxes")
    outputs = [("logits", F32, ("a", "b", classes)), ("pred_boxes", F32, ("c", "d", "e"))]
    if ordered:
        g.add("MatMul", g.queries(8), g.tiles(8), name="order_logits")
        outputs.append(("order_logits", F32, ("f", "g", "h")))
    return g.model(outputs)


def docling(rng, classes=17, size=(256, 256)):
    g = Graph(rng, "images", size)
    sizes = g.add("Cast", g.input("orig_target_sizes", I64, "batch", 2), to=F32)
    g.add("Squeeze", g.add("Cast", g.classes(classes), to=I64), g.constant(np.array([2])), name="labels")
    whole = g.add("Unsqueeze", g.add("Concat", sizes, sizes, axis=1), g.constant(np.array([1])))
    g.add("Mul", g.corner_boxes(), whole, name="boxes")
    g.add("Squeeze", g.sigmoid(g.queries(1)), g.constant(np.array([2])), name="scores")
    return g.model([("labels", I64, ("batch", "n")), ("boxes", F32, ("batch", "n", 4)),
                    ("scores", F32, ("batch", "n"))])


def paddle(rng, columns=7, classes=25, size=(256, 256), reads_shape=True, counts=False):
    """As Paddle2ONNX converts PP-DocLayout: boxes of the frame by dividing the input's size by the scale.
    Some graphs have im_shape and do not read it. `counts`: a number for each page, not one for all."""
    g = Graph(rng, "image", size)
    shape, scale = g.input("im_shape", F32, "batch", 2), g.input("scale_factor", F32, "batch", 2)
    whole = g.add("Div", shape if reads_shape else g.constant(np.array([size[::-1]], np.float32)), scale)
    whole = g.add("Gather", whole, g.constant(np.array([1, 0, 1, 0])), axis=1)
    boxes = g.add("Mul", g.corner_boxes(), g.add("Unsqueeze", whole, g.constant(np.array([1]))))
    parts = [g.classes(classes), g.sigmoid(g.queries(1)), boxes]
    parts += [g.classes(9)] + [g.queries(1)] * (columns == 8) if columns > 6 else []
    rows = g.add("Reshape", g.add("Concat", *parts, axis=2), g.constant(np.array([-1, columns])), name="rows")
    n = g.add("Slice", g.add("Shape", rows), *(g.constant(np.array([v])) for v in (0, 1)))
    n = g.add("Cast", g.add("Sub", n, g.constant(np.array([3]))), to=I32, name=None if counts else "count")
    if counts:
        pages = g.add("Slice", g.add("Shape", g.page), *(g.constant(np.array([v])) for v in (0, 1)))
        tiles = g.constant(np.int32(size[0] * size[1] // g.kernel**2 - 3))
        g.add("Cast", g.add("Expand", tiles, pages), to=I32, name="count")
    return g.model([("rows", F32, ("n", columns)), ("count", I32, ("batch",))])


def picodet(rng, labels, size=(256, 256)):
    """One level, of stride 8."""
    g = Graph(rng, "image", size, kernel=8)
    cells = size[0] * size[1] // 64
    g.sigmoid(g.queries(len(labels), bias=-1.5), name="scores")
    g.queries(32, name="bins")
    return g.model([("scores", F32, ("batch", cells, len(labels))), ("bins", F32, ("batch", cells, 32))],
                   {"character": "\n".join(labels)})


def ultralytics_metadata(names, size):
    return {"names": str(dict(enumerate(names))), "imgsz": str([size[1], size[0]]), "stride": "32", "task": "detect"}


def yolov8(rng, names, size=(256, 256), fixed=True):
    g = Graph(rng, "images", size if fixed else None)
    boxes = g.add("Mul", g.boxes(), g.constant(np.array(size * 2, np.float32)))
    g.add("Concat", g.add("Transpose", boxes, perm=[0, 2, 1]), g.sigmoid(g.tiles(len(names), bias=-1.0)),
          axis=1, name="output0")
    return g.model([("output0", F32, ("batch", 4 + len(names), "anchors"))], ultralytics_metadata(names, size))


def yolov10(rng, names, size=(256, 256), fixed=True):
    g = Graph(rng, "images", size if fixed else None)
    boxes = g.add("Mul", g.corner_boxes(), g.constant(np.array(size * 2, np.float32)))
    g.add("Concat", boxes, g.sigmoid(g.queries(1)), g.classes(len(names)), axis=2, name="output0")
    return g.model([("output0", F32, ("batch", "n", 6))], ultralytics_metadata(names, size))


def custom(rng, classes=6, size=(256, 256)):
    """Of no family: softmax over the classes and a background before them."""
    g = Graph(rng, "x", size)
    g.queries(classes + 1, "classes", scale=5.0)
    g.corner_boxes("places")
    return g.model([("classes", F32, ("batch", "n", classes + 1)), ("places", F32, ("batch", "n", 4))])
