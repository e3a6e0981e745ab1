# SPDX-License-Identifier: LGPL-2.1-or-later
"""Normalisations, samples of images, transposed convolutions, and Einsum."""
import numpy as np

from .cases import case, channels_last, exact, integers, node, normal, odd, random, refused


def normalizations():
    for shape, axis in (((3, 256), -1), ((2, 5, 33), 2), ((2, 5, 33), 1), ((2, 5, 33), 0), ((1, 4, 6, 7), -1), ((1, 1), -1), ((2, 3000), 1),
                        ((301, 8), 1), ((5, 264), 1), ((3, 1024), 1), ((3, 1032), 1), ((2, 999), 1), ((3, 2, 40), 1)):
        for bias in (True, False):
            weights = {"s": normal(*shape[axis:]), "b": normal(*shape[axis:])}
            case(f"LayerNormalization {shape} from {axis} bias {bias}", node("LayerNormalization", ["x", "s", "b"][:2 + bias], ["y"], axis=axis, epsilon=1e-6),
                 {"x": normal(*shape, scale=3)}, weights if bias else {"s": weights["s"]}, opset=17)
    # The mean is large beside what varies: a sum of squares would have nothing left.
    case("LayerNormalization far from 0", node("LayerNormalization", ["x", "s"], ["y"]), {"x": normal(4, 256) + np.float32(1000)}, {"s": normal(256)}, opset=17,
         tolerance=(3e-4, 0))
    case("LayerNormalization of equals", node("LayerNormalization", ["x", "s"], ["y"]), {"x": np.full((2, 64), 3, np.float32)}, {"s": normal(64)}, opset=17)
    case("LayerNormalization of channels-last memory", [channels_last("x", "l"), node("LayerNormalization", ["l", "s"], ["y"])], {"x": normal(1, 5, 4, 6)}, {"s": normal(6)}, opset=17)
    refused("LayerNormalization with its mean", node("LayerNormalization", ["x", "s"], ["y", "m"]), {"x": normal(4, 8)}, {"s": normal(8)},
            "layernormalization making y m", "result 1", outputs=("y", "m"), opset=17)
    for shape in ((2, 5, 6, 7), (1, 3, 40), (2, 4, 1, 1), (1, 3, 70, 90)):
        case(f"InstanceNormalization {shape}", node("InstanceNormalization", ["x", "s", "b"], ["y"]), {"x": normal(*shape)}, {"s": normal(shape[1]), "b": normal(shape[1])})
    for groups in (1, 2, 6):
        case(f"GroupNormalization {groups}", node("GroupNormalization", ["x", "s", "b"], ["y"], num_groups=groups, epsilon=1e-3), {"x": normal(2, 6, 5, 4)},
             {"s": normal(groups), "b": normal(groups)}, opset=18)
    for shape, axis in (((3, 10), -1), ((2, 5, 8), 1), ((1, 6, 4, 3), 1), ((5, 1), 1), ((2, 700), 1), ((2, 1500), 1)):
        case(f"LogSoftmax {shape} over {axis}", node("LogSoftmax", ["x"], ["y"], axis=axis), {"x": normal(*shape, scale=5)})


def windows():
    """Channels in eights and not, and more taps and pixels than a kernel has in hand at once."""
    for channels in (8, 40, 12):
        x = {"x": normal(2, channels, 17, 23)}
        for op in ("MaxPool", "AveragePool"):
            case(f"{op} 5x5, {channels}", node(op, ["x"], ["y"], kernel_shape=[5, 5], pads=[2, 2, 2, 2]), x)
            case(f"{op} 13x9, {channels}", node(op, ["x"], ["y"], kernel_shape=[13, 9], strides=[2, 3], pads=[6, 4, 6, 4]), x)
            case(f"{op} 3x3, stride 2, {channels}", node(op, ["x"], ["y"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), x)
        case(f"MaxPool dilated, {channels}", node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], dilations=[3, 2], pads=[2, 1, 2, 1]), x)
        case(f"GlobalAveragePool, {channels}", node("GlobalAveragePool", ["x"], ["y"]), {"x": normal(2, channels, 31, 40) + np.float32(3)})
        for scale in ([1, 1, 2, 2], [1, 1, 0.7, 1.6]):
            weights = {"s": np.array(scale, np.float32)}
            exact(f"Resize nearest {scale}, {channels}", node("Resize", ["x", "", "s"], ["y"], mode="nearest", nearest_mode="floor",
                  coordinate_transformation_mode="asymmetric"), x, weights)
            case(f"Resize linear {scale}, {channels}", node("Resize", ["x", "", "s"], ["y"], mode="linear"), x, weights)
    case("GlobalAveragePool of one pixel a row", node("GlobalAveragePool", ["x"], ["y"]), {"x": normal(1, 16, 700, 1)})


def samples():
    far = normal(2, 7, 5, 2)
    for mode in ("bilinear", "nearest"):
        for padding in ("zeros", "border", "reflection"):
            for corners in (0, 1):
                attributes = {"mode": mode, "padding_mode": padding, "align_corners": corners}
                case(f"GridSample {mode} {padding} {corners}", node("GridSample", ["x", "g"], ["y"], **attributes), {"x": normal(2, 5, 6, 9), "g": far}, opset=16)
                case(f"GridSample {mode} {padding} {corners} of one pixel", node("GridSample", ["x", "g"], ["y"], **attributes),
                     {"x": normal(2, 3, 1, 1), "g": far / 4}, opset=16) if not (corners and padding == "reflection") else None
                case(f"GridSample {mode} {padding} {corners} from far out", node("GridSample", ["x", "g"], ["y"], **attributes),
                     {"x": normal(2, 3, 4, 5), "g": far * 9}, opset=16)
    case("GridSample linear", node("GridSample", ["x", "g"], ["y"], mode="linear"), {"x": normal(2, 5, 6, 9), "g": far}, opset=20)
    case("GridSample at constant places", node("GridSample", ["x", "g"], ["y"]), {"x": normal(2, 5, 6, 9)}, {"g": far}, opset=16)
    for channels in (8, 24):
        case(f"GridSample of {channels} channels", node("GridSample", ["x", "g"], ["y"]), {"x": normal(2, channels, 6, 9), "g": far}, opset=16)
    case("GridSample of one channel", node("GridSample", ["x", "g"], ["y"]), {"x": normal(1, 1, 6, 9), "g": far[:1]}, opset=16)
    x = {"x": normal(2, 5, 6, 9), "g": far}
    refused("GridSample cubic", node("GridSample", ["x", "g"], ["y"], mode="bicubic"), x, {}, "gridsample making y", "bicubic", opset=16)
    # What comes out does not matter, but that nothing is read outside the image does; see also the sanitizers.
    wild = odd(2, 7, 5, 2)
    for padding in ("zeros", "border", "reflection"):
        for mode in ("bilinear", "nearest"):
            case(f"GridSample at strange places {mode} {padding}", [node("GridSample", ["x", "g"], ["s"], mode=mode, padding_mode=padding), node("Shape", ["s"], ["y"])],
                 {"x": x["x"], "g": wild}, opset=16)


def transposed():
    def conv(name, x, w, bias=True, group=1, **attributes):
        weights = {"w": normal(*w, scale=0.3), "b": normal(w[1] * group)}
        case(f"ConvTranspose {name}", node("ConvTranspose", ["x", "w", "b"][:2 + bias], ["y"], group=group, **attributes), {"x": normal(*x)},
             weights if bias else {"w": weights["w"]})

    conv("2x2, stride 2", (1, 8, 5, 6), (8, 12, 2, 2), strides=[2, 2])
    conv("3x3", (2, 5, 4, 7), (5, 3, 3, 3))
    conv("padded", (1, 5, 4, 7), (5, 3, 4, 3), strides=[2, 3], pads=[1, 0, 2, 1])
    conv("without bias", (1, 5, 4, 7), (5, 3, 3, 3), bias=False)
    conv("with output padding", (1, 5, 4, 7), (5, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    conv("dilated", (1, 5, 4, 7), (5, 3, 3, 2), dilations=[2, 3])
    conv("in groups", (1, 6, 4, 7), (6, 2, 3, 3), group=3, strides=[2, 1])
    conv("depthwise", (1, 6, 4, 7), (6, 1, 3, 3), group=6)
    conv("SAME_UPPER", (1, 5, 4, 7), (5, 3, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER")
    conv("SAME_LOWER", (1, 5, 4, 7), (5, 3, 3, 3), strides=[2, 2], auto_pad="SAME_LOWER")
    conv("to a size", (1, 5, 4, 7), (5, 3, 3, 3), strides=[2, 2], output_shape=[8, 15])
    for _ in range(6):
        k, stride, dilation = random.integers(1, 5, 2), random.integers(1, 4, 2), random.integers(1, 3, 2)
        size = random.integers(2, 7, 2)
        pads = [int(random.integers(0, max(1, (k[i % 2] - 1) * dilation[i % 2]))) // 2 for i in range(4)]
        conv(f"random {size} {k} {stride} {dilation} {pads}", (2, 4, *size.tolist()), (4, 3, *k.tolist()), strides=stride.tolist(),
             dilations=dilation.tolist(), pads=pads)


def sums():
    for equation, a, b in (("i,j->ij", (5,), (7,)), ("ij,jk->ik", (3, 4), (4, 5)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
                           ("ij,kj", (3, 4), (5, 4)), ("ij,ij->", (3, 4), (3, 4)), ("ii,i->i", (4, 4), (4,)), (" i j , j k -> k i ", (3, 4), (4, 5)), ("ij,kl->ijkl", (2, 3), (4, 5)),
                           ("bnchw,bc->bnhw", (1, 2, 3, 4, 5), (1, 3))):
        case(f"Einsum {equation}", node("Einsum", ["a", "b"], ["y"], equation=equation), {"a": normal(*a), "b": normal(*b)})
    for equation, a in (("ij->ji", (3, 4)), ("ij->i", (3, 4)), ("ii->i", (4, 4)), ("ii", (4, 4)), ("ijk->", (2, 3, 4))):
        case(f"Einsum {equation}", node("Einsum", ["a"], ["y"], equation=equation), {"a": normal(*a)})
    for kind in (np.int64, np.int32, np.float64):
        case(f"Einsum {kind.__name__}", node("Einsum", ["a", "b"], ["y"], equation="ij,jk->ik"), {"a": integers(0, 9, 3, 4, kind=kind), "b": integers(0, 9, 4, 5, kind=kind)})
    for equation, words in (("i...,j->j", "i...,j->j"), ("ij,j->i", "dimensions"), ("i,j->k", "'k'"), ("i,j->ii", "'i'"), ("i,j,k->i", "i,j,k->i")):
        refused(f"Einsum {equation}", node("Einsum", ["a", "b"], ["y"], equation=equation), {"a": normal(3), "b": normal(4)}, {}, "einsum making y", words)


FAMILIES = (normalizations, windows, samples, transposed, sums)
