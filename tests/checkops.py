#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every operator of the engine's table against ONNX Runtime, on random and extreme input.

To add a case: one `case (...)` line in a function that is listed in FAMILIES, here (what moves
windows or multiplies matrices) or in tests/ops/: a name, the nodes (`node` makes one; the chain's
values are named by hand), the inputs as arrays, weights as a dict, and the tolerance if the default
is not right. Run one family by its name:

    tests/checkops.py --nn-run build/tests/nn-run [--seed N] [--choice direct] [FAMILY …]
    tests/checkops.py --nn-run build/tests/nn-run --device cuda [--precision fp16] [FAMILY …]

Each case runs with each implementation of --choice; on a GPU it runs there and on the CPU, and the two are compared
too. NaN and infinities must be in the same places. How near results must be at which precision: nnrun.py. A case
that the GPU refuses with the words "on CUDA" is counted apart.
"""
import argparse
import os
import sys
import tempfile
import time

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f"skipped: {error.name} is not installed (tests/run.sh makes an environment that has it)")
    sys.exit(77)

import nnrun
from ops import elements, images, indices, moves, reductions
from ops.cases import DEFAULT, EXACT, case, cases, channels_last, node, normal, random, start

WINOGRAD = (2e-5, 1e-5)  # 3x3 convolutions of many channels (kernels/cpu/conv-winograd.c)


# ---------------------------------------------------------------- convolution

def conv(name, x, w, bias=True, after=None, tolerance=DEFAULT, **attributes):
    weights = {"w": normal(*w, scale=(np.prod(w[1:]) ** -0.5))}
    inputs = ["x", "w"]
    if bias:
        weights["b"] = normal(w[0])
        inputs.append("b")
    nodes = [node("Conv", inputs, ["y" if after is None else "c"], **attributes)]
    case(name, nodes + (after or []), {"x": normal(*x)}, weights, tolerance)


def convolutions():
    conv("1x1", (1, 16, 9, 7), (24, 16, 1, 1))
    conv("1x1 of 1 pixel", (1, 256, 1, 1), (64, 256, 1, 1))
    conv("1x1 of 1 channel each", (1, 1, 5, 5), (1, 1, 1, 1))
    conv("1x1 strided", (1, 8, 9, 9), (8, 8, 1, 1), strides=[2, 3])
    conv("1x1, many inputs", (1, 2048, 3, 5), (40, 2048, 1, 1), tolerance=(3e-5, 1e-5))
    conv("1x1, 42 outputs", (1, 128, 13, 10), (42, 128, 1, 1))
    conv("3x3 of an image", (1, 3, 33, 29), (16, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    conv("3x3", (1, 17, 12, 11), (23, 17, 3, 3), pads=[1, 1, 1, 1])
    conv("3x3 without bias", (1, 5, 8, 8), (7, 5, 3, 3), bias=False)
    conv("3x3, batch of 3", (3, 6, 7, 9), (33, 6, 3, 3), pads=[1, 1, 1, 1])
    conv("pads differ on each side", (1, 6, 10, 9), (8, 6, 3, 4), pads=[2, 0, 1, 3], strides=[1, 2])
    conv("pads larger than the filter", (1, 4, 3, 3), (5, 4, 3, 3), pads=[5, 4, 6, 3])
    conv("pads larger than the filter, depthwise", (1, 16, 3, 3), (16, 1, 3, 3), pads=[5, 4, 6, 3], group=16)
    conv("dilated", (1, 7, 15, 14), (9, 7, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3])
    conv("dilated more than the image", (1, 4, 5, 5), (4, 4, 3, 3), dilations=[4, 4], pads=[4, 4, 4, 4])
    conv("filter of the image's size", (1, 4, 6, 5), (8, 4, 6, 5))
    conv("1 high", (1, 8, 1, 40), (12, 8, 1, 5), pads=[0, 2, 0, 2])
    conv("SAME_UPPER", (1, 5, 10, 11), (6, 5, 3, 4), auto_pad="SAME_UPPER", strides=[2, 2])
    conv("SAME_LOWER", (1, 5, 10, 11), (6, 5, 4, 3), auto_pad="SAME_LOWER", strides=[3, 2])
    conv("VALID", (1, 5, 10, 11), (6, 5, 4, 3), auto_pad="VALID")
    conv("2 groups", (1, 12, 7, 7), (10, 6, 3, 3), group=2, pads=[1, 1, 1, 1])
    conv("5 groups of odd size", (1, 15, 6, 5), (35, 3, 2, 3), group=5)
    conv("1 dimension", (2, 6, 31), (9, 6, 5), strides=[2], pads=[2, 2])
    for channels in (1, 3, 8, 16, 21, 48, 67):
        conv(f"depthwise 3x3, {channels}", (1, channels, 9, 14), (channels, 1, 3, 3), group=channels,
             pads=[1, 1, 1, 1])
    for width in range(1, 17):  # each place where the last whole tile of pixels can end
        conv(f"depthwise 3x3, {width} wide", (1, 16, 3, width), (16, 1, 3, 3), group=16, pads=[1, 1, 1, 1])
    for stride in (1, 2, 3):
        conv(f"depthwise 5x5, stride {stride}", (1, 32, 23, 31), (32, 1, 5, 5), group=32, pads=[2, 2, 2, 2],
             strides=[stride, stride])
    conv("depthwise, two filters a channel", (1, 12, 8, 8), (24, 1, 3, 3), group=12, pads=[1, 1, 1, 1])
    conv("depthwise, dilated", (1, 20, 12, 17), (20, 1, 3, 3), group=20, dilations=[2, 2], pads=[2, 2, 2, 2])
    conv("depthwise, no pad, narrow", (1, 16, 5, 5), (16, 1, 5, 5), group=16)
    for inputs, outputs in ((16, 16), (32, 16), (48, 80), (256, 128)):  # multiples of a vector: Winograd's way
        for size in ((1, 4), (4, 4), (5, 7), (12, 13), (40, 30)):
            conv(f"3x3 of {inputs}>{outputs} channels, {size}", (1, inputs, *size), (outputs, inputs, 3, 3),
                 pads=[1, 1, 1, 1], tolerance=WINOGRAD)
    conv("3x3 of whole vectors without padding", (2, 32, 9, 11), (32, 32, 3, 3), tolerance=WINOGRAD)
    conv("3x3 of whole vectors, pads differ", (2, 32, 9, 11), (32, 32, 3, 3), pads=[0, 2, 3, 1], tolerance=WINOGRAD)
    conv("3x3 of whole vectors without bias", (1, 32, 9, 11), (32, 32, 3, 3), bias=False, tolerance=WINOGRAD)
    conv("3x3 of so many channels that a tile is larger than a block", (1, 29248, 4, 4), (16, 29248, 3, 3), pads=[1, 1, 1, 1],
         tolerance=(1e-4, 1e-5))
    conv("3x3 of whole vectors, several blocks", (3, 256, 44, 41), (256, 256, 3, 3), pads=[1, 1, 1, 1], tolerance=WINOGRAD)
    for inputs, outputs in ((1, 9), (3, 32), (12, 7), (40, 24), (96, 200)):  # beside and of whole vectors of 8
        conv(f"3x3, {inputs}>{outputs}", (2, inputs, 13, 11), (outputs, inputs, 3, 3), pads=[1, 1, 1, 1])
        conv(f"1x1, {inputs}>{outputs}", (2, inputs, 13, 11), (outputs, inputs, 1, 1))
        conv(f"1x1 with pads, {inputs}>{outputs}", (1, inputs, 5, 4), (outputs, inputs, 1, 1), pads=[1, 0, 2, 1])
    conv("big batch", (17, 16, 33, 31), (40, 16, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2])
    conv("2 groups of whole vectors", (2, 32, 9, 8), (48, 16, 3, 3), group=2, pads=[1, 1, 1, 1])
    conv("groups of 1 output", (1, 24, 9, 8), (6, 4, 3, 3), group=6, pads=[1, 1, 1, 1])
    conv("pads at the end only, stride 2", (1, 16, 12, 12), (24, 16, 3, 3), strides=[2, 2], pads=[0, 0, 1, 1])
    conv("dilated, whole vectors", (1, 16, 15, 14), (24, 16, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3])
    for pads in ([1, 1, 1, 1], [2, 0, 1, 2]):
        conv(f"depthwise 3x3, big batch, pads {pads}", (9, 24, 14, 13), (24, 1, 3, 3), group=24, pads=pads)
    depthwise_in_sequence()
    for _ in range(20):
        random_conv()
    case("weights computed by the network", node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1]),
         {"x": normal(1, 5, 6, 7), "w": normal(9, 5, 3, 3), "b": normal(9)})
    case("depthwise weights computed by the network", node("Conv", ["x", "w"], ["y"], group=9),
         {"x": normal(1, 9, 6, 7), "w": normal(9, 1, 3, 3)})
    x = normal(1, 8, 6, 6)
    x[0, 3, 2, 2] = np.nan
    case("NaN reaches its neighbours only", node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1]), {"x": x},
         {"w": normal(6, 8, 3, 3)})
    of_images()


def of_images():
    """First layers: few channels, rows of whole vectors of 8."""
    for channels, outputs, size, stride in ((3, 32, 3, 2), (3, 16, 3, 2), (3, 64, 7, 2), (3, 48, 6, 2), (3, 96, 4, 4), (3, 8, 3, 1),
                                            (1, 24, 5, 1), (4, 72, 2, 1), (2, 40, 1, 1)):
        for rows, columns in ((34, 136), (9, 24)):
            conv(f"{size}x{size} of {channels} channels, {outputs} outputs, {rows}x{columns}", (2, channels, rows, columns),
                 (outputs, channels, size, size), pads=[size // 2] * 4, strides=[stride] * 2)
    conv("3x3 of an image, pads at the end only", (3, 3, 64, 80), (32, 3, 3, 3), pads=[0, 0, 1, 1], strides=[2, 2])
    x = normal(1, 3, 20, 40)
    x[0, 1, 7, 9] = x[0, 0, 19, 39] = np.nan
    case("NaN in an image reaches its neighbours only", node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], strides=[2, 2]),
         {"x": x}, {"w": normal(16, 3, 3, 3)})


def depthwise_in_sequence():
    """Sizes that change from one to the next, which libraries have got wrong."""
    nodes, weights, value = [], {}, "x"
    for i, (size, stride) in enumerate(((3, 1), (3, 2), (5, 1), (3, 1), (5, 2), (3, 1), (3, 2))):
        weights[f"w{i}"] = normal(32, 1, size, size, scale=1 / size)
        nodes.append(node("Conv", [value, f"w{i}"], [f"y{i}"], group=32, strides=[stride] * 2, pads=[size // 2] * 4))
        value = f"y{i}"
    case("depthwise ones of several sizes", nodes, {"x": normal(2, 32, 40, 36)}, weights, outputs=("y0", "y3", value))


def random_conv():
    group = int(random.choice([1, 1, 1, 2, 3]))
    inputs, outputs = group * int(random.integers(1, 40)), group * int(random.integers(1, 80))
    k, stride, dilation = random.integers(1, 5, 2), random.integers(1, 4, 2), random.integers(1, 3, 2)
    pads = [int(p) for p in random.integers(0, 4, 4)]
    size = [int(v) for v in (k - 1) * dilation + random.integers(1, 20, 2)]
    attributes = {"group": group, "strides": stride.tolist(), "dilations": dilation.tolist(), "pads": pads}
    conv(f"random {inputs}>{outputs} {size} {attributes} {k}", (int(random.integers(1, 3)), inputs, *size),
         (outputs, inputs // group, *k.tolist()), **attributes)


def constant(name, value):
    return numpy_helper.from_array(np.array(value, np.float32), name)


def fused():
    """What the graph passes make one node of: same result as node by node."""
    act = {"relu": [node("Relu", ["c"], ["y"])],
           "leaky relu": [node("LeakyRelu", ["c"], ["y"], alpha=0.1)],
           "sigmoid": [node("Sigmoid", ["c"], ["y"])],
           "tanh": [node("Tanh", ["c"], ["y"])],
           "hard sigmoid": [node("HardSigmoid", ["c"], ["y"], alpha=0.3, beta=0.4)],
           "silu": [node("Sigmoid", ["c"], ["s"]), node("Mul", ["c", "s"], ["y"])]}
    for name, after in act.items():
        conv(f"conv and {name}", (1, 20, 7, 9), (35, 20, 3, 3), after=after, pads=[1, 1, 1, 1])
        conv(f"conv of whole vectors and {name}", (1, 32, 7, 9), (48, 32, 3, 3), after=after, pads=[1, 1, 1, 1],
             tolerance=WINOGRAD)
        conv(f"depthwise conv and {name}", (1, 37, 7, 9), (37, 1, 3, 3), after=after, group=37)
        added = [node("Add", ["sum", "r"], ["c"]), *after]
        for size, inputs, outputs, group in ((1, 24, 40, 1), (1, 13, 21, 1), (3, 16, 24, 1), (3, 9, 22, 1), (3, 16, 16, 16)):
            first = node("Conv", ["x", "w", "b"], ["sum"], pads=[size // 2] * 4, group=group)
            case(f"conv {size}x{size} {inputs}>{outputs} of {group}, residual and {name}", [first, *added],
                 {"x": normal(2, inputs, 7, 9), "r": normal(2, outputs, 7, 9)},
                 {"w": normal(outputs, inputs // group, size, size, scale=0.1), "b": normal(outputs)}, WINOGRAD)
    for name in ("relu", "leaky relu", "silu"):  # large enough to leave the convolutions on a GPU
        branch = lambda y: [node("Conv", ["x", "w" + y], ["c" + y], pads=[1, 1, 1, 1]),
                            *(node(n.op_type, [i + y for i in n.input], [o + y for o in n.output]) for n in act[name])]
        case(f"difference of large convolutions with {name}", [*branch("1"), *branch("2"), node("Sub", ["y1", "y2"], ["y"])],
             {"x": normal(1, 3, 264, 264)}, {"w1": normal(64, 3, 3, 3, scale=0.2), "w2": normal(64, 3, 3, 3, scale=0.2)})
    for channels in (16, 30):
        after = [node("BatchNormalization", ["c", "scale", "shift", "mean", "var"], ["n"], epsilon=1e-3),
                 node("Add", ["n", "three"], ["a"]), node("Clip", ["a", "zero", "six"], ["k"]),
                 node("Mul", ["n", "k"], ["m"]), node("Div", ["m", "six"], ["y"])]
        weights = {"w": normal(channels, 8, 3, 3, scale=0.2), "scale": normal(channels), "shift": normal(channels),
                   "mean": normal(channels), "var": np.abs(normal(channels)) + 0.1,
                   "three": np.float32(3), "zero": np.float32(0), "six": np.float32(6)}
        case(f"conv, normalisation, hard swish, {channels}", [node("Conv", ["x", "w"], ["c"])] + after,
             {"x": normal(1, 8, 9, 12)}, weights)
    residual = [node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), node("Add", ["c", "r"], ["a"]),
                node("Relu", ["a"], ["y"])]
    for channels in (16, 19):
        case(f"conv, residual, relu, {channels}", residual,
             {"x": normal(1, 8, 9, 12), "r": normal(1, channels, 9, 12)}, {"w": normal(channels, 8, 3, 3)})
    case("conv of whole vectors, residual, relu", residual,
         {"x": normal(2, 32, 9, 14), "r": normal(2, 48, 9, 14)}, {"w": normal(48, 32, 3, 3)}, WINOGRAD)
    case("depthwise conv, residual, relu", [node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], group=24), *residual[1:]],
         {"x": normal(1, 24, 9, 12), "r": normal(1, 24, 9, 12)}, {"w": normal(24, 1, 3, 3)})
    pairs()


def pairs():
    """A depthwise convolution and a 1x1 one, which the CPU does in bands of rows."""
    def pair(name, x, outputs, k, first, second, residual=False, between="Relu", bias=True, after="HardSigmoid"):
        channels = x[1]
        nodes = [node("Conv", ["x", "d", "e"][:2 + bias], ["c"], group=channels, **first), node(between, ["c"], ["a"]),
                 node("Conv", ["a", "w", "b"][:2 + bias], ["p"], **second)]
        inputs = {"x": normal(*x)}
        if residual:
            inputs["r"] = normal(x[0], outputs, x[2], x[3])
            nodes.append(node("Add", ["p", "r"], ["s"]))
        nodes.append(node(after, [nodes[-1].output[0]], ["y"]))
        case(name, nodes, inputs, {"d": normal(channels, 1, *k), "e": normal(channels),
                                   "w": normal(outputs, channels, 1, 1, scale=0.2), "b": normal(outputs)})

    same = {"pads": [1, 1, 1, 1]}
    pair("pair", (1, 24, 19, 12), 40, (5, 5), {"pads": [2, 2, 2, 2]}, {})
    pair("pair of several bands", (1, 64, 90, 40), 64, (3, 3), same, {})
    pair("pair of several bands, strides", (1, 128, 90, 70), 8, (3, 3), {"strides": [2, 2], **same}, {})
    pair("pair of odd sizes, batch of 2", (2, 37, 21, 13), 43, (3, 5), {"strides": [2, 3], "pads": [0, 3, 2, 1]}, {})
    pair("pair with a residual", (1, 16, 9, 11), 33, (3, 3), same, {}, residual=True)
    pair("pair, bands and a residual", (2, 48, 100, 30), 20, (3, 3), same, {}, residual=True)
    pair("pair with dear activations", (1, 19, 9, 11), 35, (3, 3), same, {}, between="Sigmoid", after="Tanh")
    pair("pair without bias", (1, 32, 9, 11), 16, (3, 3), same, {}, bias=False)
    pair("pair of one wide row", (1, 16, 1, 3000), 5, (1, 7), {"pads": [0, 3, 0, 3]}, {})
    pair("no pair: the second has strides", (1, 16, 9, 11), 33, (3, 3), same, {"strides": [2, 1]})
    pair("no pair: the second has pads", (1, 16, 9, 11), 33, (3, 3), same, same)
    pair("pair of 1 channel", (1, 1, 9, 11), 1, (3, 3), same, {})
    case("no pair: two readers", [node("Conv", ["x", "d"], ["c"], group=16), node("Conv", ["c", "w"], ["p"]),
                                  node("Mul", ["c", "p"], ["y"])],
         {"x": normal(1, 16, 6, 7)}, {"d": normal(16, 1, 3, 3), "w": normal(16, 16, 1, 1)})
    case("no pair: the first is a result of the network", [node("Conv", ["x", "d"], ["c"], group=16), node("Conv", ["c", "w"], ["y"])],
         {"x": normal(1, 16, 6, 7)}, {"d": normal(16, 1, 3, 3), "w": normal(16, 16, 1, 1)}, outputs=("y", "c"))


# ---------------------------------------------------------------- pools, resize, softmax

def pools():
    for shape in ((1, 16, 5, 7), (2, 19, 1, 1), (1, 3, 40, 30), (2, 6, 11)):
        case(f"GlobalAveragePool {shape}", node("GlobalAveragePool", ["x"], ["y"]), {"x": normal(*shape)})
    for op in ("MaxPool", "AveragePool"):
        for channels in (16, 5):
            x = {"x": normal(1, channels, 13, 11)}
            case(f"{op} 2x2, {channels}", node(op, ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2]), x)
            case(f"{op} 3x3 padded, {channels}", node(op, ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), x)
            case(f"{op} 3x2 uneven, {channels}", node(op, ["x"], ["y"], kernel_shape=[3, 2], strides=[1, 3], pads=[2, 0, 1, 1]), x)
            case(f"{op} ceil_mode, {channels}", node(op, ["x"], ["y"], kernel_shape=[3, 3], strides=[3, 4], ceil_mode=1), x)
        case(f"{op} SAME_UPPER", node(op, ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"), x)
        case(f"{op} of 1 dimension", node(op, ["x"], ["y"], kernel_shape=[3], strides=[2]), {"x": normal(2, 5, 17)})
    case("AveragePool counts padding", node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1), x)
    case("MaxPool dilated", node("MaxPool", ["x"], ["y"], kernel_shape=[2, 3], dilations=[2, 2]), x)
    negative = {"x": -np.abs(normal(1, 4, 6, 6))}
    case("MaxPool of negative numbers, padded", node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]), negative)


def resizes():
    x = {"x": normal(1, 7, 6, 5)}
    scales = [[1, 1, 2, 2], [1, 1, 3, 0.5], [1, 1, 1.7, 2.3], [1, 1, 0.6, 0.7], [1, 1, 1, 1]]
    for coordinates in ("asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"):
        for scale in scales:
            weights = {"s": np.array(scale, np.float32)}
            for rounding in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"):
                case(f"nearest {coordinates} {rounding} {scale}",
                     node("Resize", ["x", "", "s"], ["y"], mode="nearest", nearest_mode=rounding,
                          coordinate_transformation_mode=coordinates), x, weights, tolerance=EXACT)
            case(f"linear {coordinates} {scale}",
                 node("Resize", ["x", "", "s"], ["y"], mode="linear", coordinate_transformation_mode=coordinates), x, weights)
    for mode in ("nearest", "linear"):
        case(f"{mode} half_pixel_symmetric", node("Resize", ["x", "", "s"], ["y"], mode=mode,
             coordinate_transformation_mode="half_pixel_symmetric"), x, {"s": np.array([1, 1, 2.3, 1.7], np.float32)}, opset=19)
    for size in ([1, 7, 12, 10], [1, 7, 4, 9], [1, 7, 1, 1]):
        sizes = {"n": np.array(size, np.int64)}
        case(f"nearest to {size}", node("Resize", ["x", "", "", "n"], ["y"], mode="nearest"), x, sizes, tolerance=EXACT)
        case(f"linear to {size}", node("Resize", ["x", "", "", "n"], ["y"], mode="linear"), x, sizes)
    case("nearest, batch of 2", node("Resize", ["x", "", "s"], ["y"], mode="nearest"), {"x": normal(2, 16, 4, 4)},
         {"s": np.array([1, 1, 2, 2], np.float32)}, tolerance=EXACT)


def softmaxes():
    for shape, axis in (((3, 10), -1), ((2, 5, 8), 1), ((2, 5, 8), 0), ((1, 6, 4, 3), 1), ((7,), 0), ((2, 1), 1), ((4, 300), 1),
                        ((301, 33), 1), ((3, 64), 1), ((3, 65), 1), ((2, 1024), -1), ((2, 1025), -1), ((1, 8400), 1), ((2, 1100, 3), 1)):
        case(f"Softmax {shape} over {axis}", node("Softmax", ["x"], ["y"], axis=axis), {"x": normal(*shape, scale=5)})
    for axis in range(4):
        case(f"Softmax of channels-last memory over {axis}",
             [channels_last("x", "l"), node("Softmax", ["l"], ["y"], axis=axis)], {"x": normal(2, 5, 4, 3, scale=5)})
    x = normal(6, 40)
    x[1], x[2, 7], x[3, 7], x[4, 7] = -np.inf, -np.inf, np.inf, np.nan
    for op in ("Softmax", "LogSoftmax"):
        case(f"{op} of infinities and NaN", node(op, ["x"], ["y"], axis=1), {"x": x})
    case("Softmax of large numbers", node("Softmax", ["x"], ["y"], axis=1), {"x": normal(3, 9, scale=1000)})


# ---------------------------------------------------------------- products of matrices

def products():
    for a, b in (((3, 4), (4, 5)), ((1, 300), (300, 70)), ((50, 1), (1, 33)), ((2, 3, 7, 9), (9, 20)), ((2, 3, 7, 9), (2, 3, 9, 4)),
                 ((3, 7, 9), (2, 1, 9, 17)), ((9,), (9, 4)), ((5, 9), (9,)), ((9,), (9,)), ((2, 5, 9), (9,)), ((13, 64), (64, 128))):
        for name, split in (("", {}), (" by a constant", {"b": None})):
            inputs = {"a": normal(*a), "b": normal(*b)}
            weights = {key: inputs.pop(key) for key in split}
            case(f"MatMul {a} {b}{name}", node("MatMul", ["a", "b"], ["y"]), inputs, weights)
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            a, b = normal(*((6, 19) if not trans_a else (19, 6))), normal(*((19, 37) if not trans_b else (37, 19)))
            for c in ((), (37,), (6, 1), (6, 37)):
                case(f"Gemm {trans_a}{trans_b} c {c}", node("Gemm", ["a", "b", "c"], ["y"], transA=trans_a, transB=trans_b,
                     alpha=0.5, beta=1.5), {"a": a}, {"b": b, "c": normal(*c)})
    case("Gemm without c", node("Gemm", ["a", "b"], ["y"]), {"a": normal(5, 8), "b": normal(8, 3)})
    case("MatMul and relu", [node("MatMul", ["a", "b"], ["m"]), node("Relu", ["m"], ["y"])], {"a": normal(7, 40)}, {"b": normal(40, 50)})
    for a, b in (((33, 45), (45, 41)), ((300, 256), (256, 4)), ((257, 96), (96, 1)), ((1, 512), (512, 91)), ((130, 1029), (1029, 72)),
                 ((2, 1, 5, 16), (3, 16, 24)), ((3, 1, 40), (40, 8)), ((2, 1, 3, 5, 8), (3, 1, 8, 16))):
        for name, constant in (("", ""), (" by a constant", "b"), (", a constant", "a")):
            arrays = {"a": normal(*a), "b": normal(*b)}
            weights = {constant: arrays.pop(constant)} if constant else {}
            case(f"MatMul {a} {b}{name}", node("MatMul", ["a", "b"], ["y"]), arrays, weights, tolerance=(3e-5, 1e-5))
    linear()


def linear():
    """Products with what the graph passes put into them."""
    act = {"nothing": [node("Identity", ["c"], ["y"])],
           "relu": [node("Relu", ["c"], ["y"])],
           "leaky relu": [node("LeakyRelu", ["c"], ["y"], alpha=0.1)],
           "clip": [node("Clip", ["c", "low", "high"], ["y"])],
           "sigmoid": [node("Sigmoid", ["c"], ["y"])],
           "tanh": [node("Tanh", ["c"], ["y"])],
           "hard sigmoid": [node("HardSigmoid", ["c"], ["y"], alpha=0.3, beta=0.4)],
           "silu": [node("Sigmoid", ["c"], ["s"]), node("Mul", ["c", "s"], ["y"])],
           "gelu": [node("Div", ["c", "root"], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["e", "one"], ["f"]),
                    node("Mul", ["c", "f"], ["g"]), node("Mul", ["g", "half"], ["y"])]}
    numbers = {"low": np.float32(-0.5), "high": np.float32(0.75), "root": np.float32(2 ** 0.5), "one": np.float32(1),
               "half": np.float32(0.5)}
    for name, after in act.items():
        used = {key: value for key, value in numbers.items() if any(key in n.input for n in after)}
        for rows, columns in (((2, 37), 72), ((1, 130), 43)):
            inputs = {"x": normal(*rows, 96), "r": normal(*rows, columns)}
            weights = {"w": normal(96, columns, scale=0.1), "b": normal(columns), **used}
            case(f"product of {rows}, bias, {name}", [node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "b"], ["c"]), *after],
                 {"x": inputs["x"]}, weights)
            case(f"product of {rows}, bias, residual, {name}",
                 [node("MatMul", ["x", "w"], ["p"]), node("Add", ["p", "b"], ["q"]), node("Add", ["q", "r"], ["c"]), *after], inputs, weights)
    case("products of one operand", [node("MatMul", ["x", name], [f"p{name}"]) for name in "uvw"]
         + [node("Add", ["pu", "b"], ["u2"]), node("Concat", ["u2", "pv", "pw"], ["y"], axis=2)],
         {"x": normal(2, 19, 32)}, {"u": normal(32, 24), "v": normal(32, 5), "w": normal(32, 40), "b": normal(24)})


FAMILIES = {f.__name__: f for f in (convolutions, fused, pools, resizes, softmaxes, products, *elements.FAMILIES, *images.FAMILIES,
                                  *indices.FAMILIES, *moves.FAMILIES, *reductions.FAMILIES)}

# Of kernels (nn-run --choice), and the best ones with several threads.
EVERY_CHOICE = ["best", "direct", "lesser", "portable", "threads"]

# Written without vectors: the same code whatever the choice.
ONE_CODE = {f.__name__ for f in (*indices.FAMILIES, *moves.FAMILIES, *reductions.FAMILIES)}


# ---------------------------------------------------------------- running

def make_model(nodes, inputs, weights, opset, outputs, strict):
    typed = lambda name, array: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
    graph = helper.make_graph(nodes, "case", [typed(k, np.asarray(v)) for k, v in inputs.items()],
                              [helper.make_empty_tensor_value_info(o) for o in outputs],
                              [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    if not strict:
        return model
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    types = {v.name: v for v in list(inferred.graph.output) + list(inferred.graph.value_info)}
    del model.graph.output[:]
    # A function of ONNX has no type there; here all of these are float32.
    model.graph.output.extend(v if v.type.WhichOneof("value") else helper.make_tensor_value_info(v.name, TensorProto.FLOAT, None)
                              for v in (types[o] for o in outputs))
    return model


def run_engine(engine, path, folder, inputs):
    return nnrun.outputs(engine(path, folder, list(inputs.values())), folder)


def error_of(got, want, tolerance):
    """None where they agree, else why not; and the largest error beside the largest value."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)} instead of {want.dtype}{list(want.shape)}", 0
    if want.size == 0:
        return None, 0
    if want.dtype == np.bool_:  # 0 and 1, no other bytes
        got, want = got.view(np.uint8), want.view(np.uint8)
    if want.dtype.kind != "f":
        wrong = int((got != want).sum())
        return (f"{wrong} of {want.size} differ" if wrong else None), wrong
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    finite = np.isfinite(want) & np.isfinite(got)
    if not (same | finite).all():
        at = tuple(np.argwhere(~(same | finite))[0])
        return f"{got[at]} instead of {want[at]} at {at}", np.inf
    if not finite.any():
        return None, 0
    difference = np.abs(got[finite].astype(np.float64) - want[finite])
    allowed = tolerance[0] * np.abs(want[finite]).max() + tolerance[1] if tolerance != EXACT else 0
    worst = difference.max()
    if worst <= allowed:
        return None, worst
    at = tuple(map(int, np.argwhere(finite)[difference.argmax()]))
    return f"off by {worst:.3g}, allowed {allowed:.3g}: {got[at]} instead of {want[at]} at {at}", worst


def check_refused(path, folder, inputs, words, engine, at_run_time):
    """None if the engine refuses the model (or its input) in one line that has all the words. What the CPU finds
    wrong at run time only (`at_run_time`), in numbers that another node computed, a GPU does not see: there it must
    only survive."""
    try:
        run_engine(engine, path, folder, inputs)
    except nnrun.Failed as error:
        missing = [word for word in words if word not in str(error)]
        if not missing and str(error).startswith("nn-run: ") and "\n" not in str(error):
            return None
        return f"refused without {missing}: {error}"
    return None if at_run_time else "not refused"


def reference(model, inputs, outputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(list(outputs), {k: np.asarray(v) for k, v in inputs.items()})


def check_refusals(engines, path, folder, inputs, words):
    failures, at_run_time = [], False
    for choice, engine in engines.items():
        reason = check_refused(path, folder, inputs, words, engine, at_run_time and choice == "cuda")
        failures += [f"{choice}: {reason}"] if reason else []
        at_run_time = at_run_time or engine.planned
    return failures


def on_gpu(tolerance, precision, inputs):
    """Copies stay exact at every precision, but of what it cannot hold."""
    holds = all(np.asarray(v).dtype not in (np.float64, np.float16) for v in inputs.values())
    return tolerance if tolerance == EXACT and holds else (tolerance[0] + nnrun.ROUNDINGS[precision], tolerance[1])


def compare(choice, gots, wants, tolerance, precision):
    failures, worst = [], 0
    for got, want in zip(gots, wants, strict=True):
        reason, size = error_of(nnrun.within_half(precision, got), nnrun.within_half(precision, want), tolerance)
        worst = max(worst, size)
        failures += [f"{choice}: {reason}"] if reason else []
    return failures, worst


def check(one, engines, precision):
    """What went wrong, the largest error, and whether a GPU cannot run this at all."""
    name, nodes, inputs, weights, tolerance, opset, outputs, words = one
    inputs, weights = ({k: nnrun.round_to(precision, v) for k, v in arrays.items()} for arrays in (inputs, weights))
    model = make_model(nodes, inputs, weights, opset, outputs, strict=not words)
    try:
        wants = reference(model, inputs, outputs) if not words else []
    except Exception as error:  # of any kind that pybind11 makes; the case is wrong, not the engine
        return [f"ONNX Runtime: {str(error).splitlines()[0]}"], 0, False
    failures, worst, results, unsupported = [], 0, {}, False
    near = on_gpu(tolerance, precision, inputs)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        onnx.save(model, path)
        if words:
            return check_refusals(engines, path, folder, inputs, words), 0, False
        for choice, engine in engines.items():
            cuda = choice == "cuda"
            try:
                results[choice] = run_engine(engine, path, folder, inputs)
            except nnrun.Failed as error:
                unsupported = cuda and not engine.planned and "on CUDA" in str(error)
                failures += [] if unsupported else [f"{choice}: {error}"]
                continue
            wrong, size = compare(choice, results[choice], wants, near if cuda else tolerance,
                                  precision if cuda else "fp32")
            failures, worst = failures + wrong, max(worst, size)
        if "cuda" in results and "cpu" in results:
            failures += compare("cuda beside cpu", results["cuda"], results["cpu"], near, precision)[0]
    return failures, worst, unsupported


# Of CPU kernels: how nn-run is told to use them.
HOW = {"threads": ["--threads", "3"], **{choice: ["--choice", choice] for choice in EVERY_CHOICE if choice != "threads"}}


def make_engines(args):
    if args.device == "cuda":
        return {"cpu": nnrun.NnRun(args.nn_run),
                "cuda": nnrun.NnRun(args.nn_run, "--device", "cuda", "--precision", args.precision, wrapper=args.wrapper)}
    return {choice: nnrun.NnRun(args.nn_run, *HOW[choice], wrapper=args.wrapper) for choice in EVERY_CHOICE}


def check_family(family, args, engines):
    """A row of the closing table, the last but one of its numbers being the failures."""
    start(args.seed)
    FAMILIES[family]()
    if args.wrapper:  # it would be started anew for many of them
        cases[:] = [one for one in cases if not one[-1]]
    wrong = unsupported = worst = 0
    began = time.monotonic()
    for one in cases:
        failures, size, missing = check(one, engines, args.precision)
        worst, wrong, unsupported = max(worst, size), wrong + bool(failures), unsupported + missing
        for failure in failures:
            print(f"FAILED {family}: {one[0]}: {failure}", flush=True)
        if missing:
            print(f"not on CUDA {family}: {one[0]}")
        if args.verbose and not failures:
            print(f"ok {family}: {one[0]}: {size:.3g}", flush=True)
    return family, len(cases), wrong, unsupported, worst, time.monotonic() - began, ", ".join(engines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nn-run", required=True)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    parser.add_argument("--choice", action="append", choices=EVERY_CHOICE)
    parser.add_argument("--verbose", action="store_true")
    nnrun.add_arguments(parser)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=", ".join(FAMILIES))
    args = parser.parse_intermixed_args()
    print(f"seed {args.seed}, onnxruntime {onnxruntime.__version__}, {args.device}, {args.precision}")
    every, rows = make_engines(args), []
    for family in args.families or FAMILIES:
        some = args.choice or (["best", "threads"] if family in ONE_CODE else EVERY_CHOICE)
        rows.append(check_family(family, args, every if args.device == "cuda" else {c: every[c] for c in some}))
    status = max(engine.close() for engine in every.values())
    print(f"{'family':26} {'cases':>5} {'wrong':>5} {'not on CUDA':>11} {'largest error':>13} {'s':>6}  compared")
    for row in rows:
        print("{:26} {:5} {:5} {:11} {:13.3g} {:6.1f}  {}".format(*row))
    total, failed = (sum(row[i] for row in rows) for i in (1, 2))
    print(f"{total - failed} cases agree, {failed} do not" + (f"; nn-run ended with {status}" if status else ""))
    return 1 if failed or status else 0


if __name__ == "__main__":
    sys.exit(main())
