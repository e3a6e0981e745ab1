# SPDX-License-Identifier: LGPL-2.1-or-later
"""Operators that only move, repeat or make elements."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .cases import case, channels_last, exact, integers, ints, node, normal, odd, random, refused


def moves():
    for axis in (0, 1, 2, 3, -1):
        parts = [[2, 3, 4, 5] for _ in range(3)]
        parts[1][axis], parts[2][axis] = 1, 7
        exact(f"Concat over {axis}", node("Concat", ["a", "b", "c"], ["y"], axis=axis), dict(zip("abc", (normal(*p) for p in parts))))
    exact("Concat of int64", node("Concat", ["a", "b"], ["y"], axis=0), {"a": ints(1, 2), "b": ints(3)})
    exact("Concat with a constant", node("Concat", ["a", "b"], ["y"], axis=1), {"a": normal(1, 4, 3, 3)}, {"b": normal(1, 2, 3, 3)})
    for n in (2, 4, 5, 16, 17, 40):
        names = [f"x{i}" for i in range(n)]
        exact(f"Concat of {n}", node("Concat", names, ["y"], axis=1), {name: normal(2, i % 5 + 1, 4) for i, name in enumerate(names, 1)})
        exact(f"Concat of {n} numbers", node("Concat", names, ["y"], axis=0), {name: ints(i) for i, name in enumerate(names)})
        exact(f"Split in {n}", node("Split", ["x"], names, axis=1), {"x": normal(3, 4 * n, 5)}, outputs=names)
    exact("Concat of channels in channels-last memory", [*(channels_last(a, a + "l") for a in "abc"), node("Concat", ["al", "bl", "cl"], ["j"], axis=1),
          node("Relu", ["j"], ["y"])], {"a": normal(2, 8, 5, 4), "b": normal(2, 3, 5, 4), "c": normal(2, 16, 5, 4)})
    for axis in (0, 1, 2, -1):
        x = [4, 4, 4, 4]
        x[axis] = 9
        exact(f"Split over {axis}", node("Split", ["x", "n"], ["y", "z", "w"], axis=axis), {"x": normal(*x)}, {"n": ints(2, 6, 1)},
              outputs=("y", "z", "w"))
    exact("Split in equal parts", node("Split", ["x"], ["y", "z"], axis=1), {"x": normal(2, 6, 3)}, outputs=("y", "z"))
    exact("Split with an unused result", node("Split", ["x", "n"], ["unused", "y"], axis=1), {"x": normal(1, 6, 3)}, {"n": ints(5, 1)})
    for perm in ([0, 2, 1], [2, 1, 0], [1, 0, 2], None):
        exact(f"Transpose {perm}", node("Transpose", ["x"], ["y"], **({"perm": perm} if perm else {})), {"x": normal(5, 37, 19)})
    for perm in ([0, 2, 3, 1], [0, 3, 1, 2], [3, 2, 1, 0], [1, 0, 3, 2]):
        exact(f"Transpose {perm}", node("Transpose", ["x"], ["y"], perm=perm), {"x": normal(2, 5, 18, 7)})
    # Edges of tiles and vectors; the last is large enough for the largest tiles.
    for shape in ((2, 31, 33), (1, 32, 64), (3, 65, 16), (2, 15, 40), (1, 130, 62), (1, 1090, 2050)):
        exact(f"Transpose of {shape}", node("Transpose", ["x"], ["y"], perm=[0, 2, 1]), {"x": normal(*shape)})
    for kind in (np.uint8, np.int64, np.float64, np.bool_):
        exact(f"Transpose of {kind.__name__}", node("Transpose", ["x"], ["y"], perm=[1, 0, 2, 3]),
              {"x": integers(0, 2, 20, 35, 1, 1, kind=kind)})
        exact(f"Transpose of rows of {kind.__name__}", node("Transpose", ["x"], ["y"], perm=[1, 0, 2]), {"x": integers(0, 2, 5, 6, 7, kind=kind)})
    exact("Transpose of heads", node("Transpose", ["x"], ["y"], perm=[0, 2, 1, 3]), {"x": normal(2, 30, 8, 32)})
    exact("Transpose of 6 dimensions", node("Transpose", ["x"], ["y"], perm=[4, 1, 5, 0, 3, 2]), {"x": normal(2, 3, 4, 2, 5, 3)})
    exact("Transpose of nothing", [node("Slice", ["x", "b", "e"], ["s"]), node("Transpose", ["s"], ["y"])], {"x": normal(4, 6)},
          {"b": ints(2), "e": ints(2)})
    exact("Transpose of bytes", node("Transpose", ["x"], ["y"]), {"x": random.integers(0, 255, (30, 17)).astype(np.uint8)})
    exact("Reshape", node("Reshape", ["x", "n"], ["y"]), {"x": normal(2, 3, 4, 5)}, {"n": ints(0, -1, 5)})
    exact("Reshape after a convolution's layout", [node("Relu", ["x"], ["r"]), node("MaxPool", ["r"], ["p"], kernel_shape=[1, 1]),
          node("Reshape", ["p", "n"], ["q"]), node("Transpose", ["q"], ["y"], perm=[0, 2, 1])], {"x": normal(1, 10, 4, 5)}, {"n": ints(1, 10, 20)})
    exact("Flatten", node("Flatten", ["x"], ["y"], axis=2), {"x": normal(2, 3, 4, 5)})
    exact("Squeeze", node("Squeeze", ["x", "n"], ["y"]), {"x": normal(1, 3, 1, 5)}, {"n": ints(0, 2)})
    exact("Unsqueeze", node("Unsqueeze", ["x", "n"], ["y"]), {"x": normal(3, 5)}, {"n": ints(0, 3)})
    exact("Identity", node("Identity", ["x"], ["y"]), {"x": normal(3, 5)})
    exact("Dropout", node("Dropout", ["x"], ["y"]), {"x": normal(3, 5)})
    exact("Dropout, told that it is no training", node("Dropout", ["x", "ratio", "training"], ["y"]),
          {"x": normal(3, 5)}, {"ratio": np.float32(0.5), "training": np.array(False)})
    exact("Dropout of operator set 7", node("Dropout", ["x"], ["y"], ratio=0.5), {"x": normal(3, 5)}, opset=7)
    refused("Dropout that trains", node("Dropout", ["x", "ratio", "training"], ["y"]), {"x": normal(3, 5)},
            {"ratio": np.float32(0.5), "training": np.array(True)}, "training")
    refused("Dropout's mask", node("Dropout", ["x"], ["z", "y"]), {"x": normal(3, 5)}, {}, "Dropout")
    slices = {"b": ints(1, -1), "e": ints(9, -100), "a": ints(1, 3), "s": ints(2, -2)}
    exact("Slice", node("Slice", ["x", "b", "e", "a", "s"], ["y"]), {"x": normal(2, 6, 3, 7)}, slices)
    exact("Slice to nothing", node("Slice", ["x", "b", "e"], ["y"]), {"x": normal(4, 6)}, {"b": ints(2), "e": ints(2)})
    exact("Shape", node("Shape", ["x"], ["y"]), {"x": normal(3, 4, 5)})
    kinds = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64, TensorProto.INT32: np.int32,
             TensorProto.INT64: np.int64, TensorProto.UINT8: np.uint8, TensorProto.BOOL: np.bool_}
    for to in kinds:
        for source in kinds.values():
            exact(f"Cast {source.__name__} to {TensorProto.DataType.Name(to)}", node("Cast", ["x"], ["y"], to=to),
                  {"x": (random.integers(0, 200, (3, 7)) * (1 if source == np.bool_ else 0.75)).astype(source)})
        exact(f"Cast float16 to {TensorProto.DataType.Name(to)}", node("Cast", ["x"], ["y"], to=to),
              {"x": np.abs(normal(3, 7, scale=9)).astype(np.float16)})
    halves = np.concatenate((normal(200, scale=100), normal(50, scale=1e-6), odd(40),
                             np.array([65504, 65519.9, 65520, 5.9e-8, 2.9e-8, 6.1e-5, 1.00048828125, 1.00146484375], np.float32)))
    exact("Cast float32 to float16", node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16), {"x": halves})
    exact("Cast float64 to float16", node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16), {"x": halves.astype(np.float64)})
    exact("Cast int64 to float16", node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16), {"x": integers(-70000, 70000, 50)})
    for b in (1, 2, 3):
        for mode in ("DCR", "CRD"):
            exact(f"DepthToSpace {b} {mode}", node("DepthToSpace", ["x"], ["y"], blocksize=b, mode=mode), {"x": normal(2, 5 * b * b, 3, 4)})
        exact(f"SpaceToDepth {b}", node("SpaceToDepth", ["x"], ["y"], blocksize=b), {"x": normal(2, 5, 3 * b, 4 * b)})
    exact("Split in parts of which the last is smaller", node("Split", ["x"], ["y", "z", "w"], axis=1, num_outputs=3), {"x": normal(2, 7, 3)},
          opset=18, outputs=("y", "z", "w"))


# ---------------------------------------------------------------- repeating, filling

def tensor(value):
    return numpy_helper.from_array(np.array([value]))


def fills():
    for shape, to in (((3, 1), (3, 5)), ((1,), (2, 3)), ((2, 1, 4), (1, 3, 1)), ((), (2, 2)), ((3, 4), ()), ((1, 5, 1, 7), (2, 1, 3, 7))):
        exact(f"Expand {shape} to {to}", node("Expand", ["x", "s"], ["y"]), {"x": normal(*shape)}, {"s": ints(*to)})
    exact("Expand of bools", node("Expand", ["x", "s"], ["y"]), {"x": random.random((3, 1)) < 0.5}, {"s": ints(3, 4)})
    exact("Expand to nothing", node("Expand", ["x", "s"], ["y"]), {"x": normal(3, 1)}, {"s": ints(3, 0)})
    for value in (np.float32(2.5), np.int64(-3), np.bool_(True), np.float64(0.1), np.int32(7)):
        exact(f"ConstantOfShape {value.dtype}", [node("Shape", ["x"], ["s"]), node("ConstantOfShape", ["s"], ["y"], value=tensor(value))], {"x": normal(2, 3)})
    exact("ConstantOfShape without a value", [node("Shape", ["x"], ["s"]), node("ConstantOfShape", ["s"], ["y"])], {"x": normal(2, 3)})
    exact("ConstantOfShape of a scalar", node("ConstantOfShape", ["s"], ["c"]), {"x": normal(1)}, {"s": ints()}, outputs=("c",))
    ranges = [(0, 10, 1), (10, 0, -3), (0, 10, 3), (5, 5, 1), (5, 1, 1), (-7, 7, 2), (1, 2, 5), (3, -3, -6)]
    for start, limit, delta in ranges:
        for kind in (np.int64, np.int32, np.float32, np.float64):
            exact(f"Range {start} {limit} {delta} {kind.__name__}", [node("Range", ["a", "b", "c"], ["r"]), node("Identity", ["r"], ["y"])],
                  {"unused": normal(1)}, {"a": kind(start), "b": kind(limit), "c": kind(delta)})
    case("Range of fractions", node("Range", ["a", "b", "c"], ["y"]), {"unused": normal(1)},
         {"a": np.float32(0.25), "b": np.float32(9), "c": np.float32(0.1)})
    for repeats in ((1, 1, 1), (2, 1, 3), (3, 2, 1), (1, 7, 2), (2, 0, 1)):
        exact(f"Tile {repeats}", node("Tile", ["x", "r"], ["y"]), {"x": normal(2, 3, 5)}, {"r": ints(*repeats)})
    exact("Tile of 5 dimensions", node("Tile", ["x", "r"], ["y"]), {"x": normal(2, 3, 2, 3, 2)}, {"r": ints(2, 3, 2, 2, 3)})
    exact("Expand of long rows", node("Expand", ["x", "s"], ["y"]), {"x": normal(1, 3, 64)}, {"s": ints(5, 3, 64)})
    exact("Expand of numbers to long rows", node("Expand", ["x", "s"], ["y"]), {"x": normal(3, 1)}, {"s": ints(2, 3, 67)})
    exact("Tile of int64 indices", node("Tile", ["x", "r"], ["y"]), {"x": integers(0, 99, 1, 7, 1)}, {"r": ints(1, 1, 4)})
    exact("Size", node("Size", ["x"], ["y"]), {"x": normal(3, 4, 5)})
    exact("Shape of a part", node("Shape", ["x"], ["y"], start=1, end=-1), {"x": normal(3, 4, 5, 6)}, opset=15)
    for upper in (0, 1):
        for k in (None, 0, 1, -1, 3, -2, 99, -99, 2 ** 62, -2 ** 62):
            exact(f"Trilu upper {upper} k {k}", node("Trilu", ["x", "k"][:1 if k is None else 2], ["y"], upper=upper),
                  {"x": normal(2, 4, 6)}, {} if k is None else {"k": np.int64(k)}, opset=14)
        exact(f"Trilu of int64 {upper}", node("Trilu", ["x"], ["y"], upper=upper), {"x": integers(1, 9, 5, 3)}, opset=14)
    exact("NonZero of a constant", node("NonZero", ["c"], ["y"]), {"unused": normal(1)}, {"c": np.array([[0, 1.5, 0], [2, 0, -1]], np.float32)})


def pads():
    def pad(name, shape, amounts, mode="constant", **rest):
        exact(f"Pad {name} {shape} by {amounts} {mode}", node("Pad", ["x", "p"], ["y"], mode=mode), {"x": normal(*shape)},
              {"p": ints(*amounts)}, **rest)

    for mode in ("constant", "edge", "reflect"):
        pad("all around", (3, 4), (1, 2, 2, 1), mode)
        pad("an image", (1, 3, 5, 6), (0, 0, 2, 1, 0, 0, 3, 4), mode)
        pad("by nothing", (3, 4), (0, 0, 0, 0), mode)
        pad("to the limit", (4, 3), (3, 0, 3, 2), mode)
        pad("with cuts", (5, 6), (-1, 2, -1, -2), mode)
        exact(f"Pad of channels-last memory {mode}", [channels_last("x", "l"), node("Pad", ["l", "p"], ["y"], mode=mode)],
              {"x": normal(1, 5, 4, 6)}, {"p": ints(0, 0, 1, 2, 0, 0, 2, 1)})
        for kind in (np.int64, np.int32, np.float64):
            exact(f"Pad {kind.__name__} {mode}", node("Pad", ["x", "p"], ["y"], mode=mode), {"x": integers(0, 99, 4, 5, kind=kind)}, {"p": ints(1, 2, 2, 1)})
    pad("wrapping", (4, 5), (3, 4, 2, 5), "wrap", opset=19)
    pad("a whole dimension cut away", (3, 4), (-2, 0, -1, 1))
    pad("a scalar's dimension", (1,), (4, 3), "edge")
    exact("Pad with a value", node("Pad", ["x", "p", "v"], ["y"]), {"x": normal(3, 4)}, {"p": ints(1, 2, 2, 1), "v": np.float32(-7.5)})
    exact("Pad with a computed value", node("Pad", ["x", "p", "v"], ["y"]), {"x": normal(3, 4), "v": normal()}, {"p": ints(1, 2, 2, 1)})
    exact("Pad of some axes", node("Pad", ["x", "p", "", "a"], ["y"]), {"x": normal(2, 3, 4)}, {"p": ints(1, 2, 2, 1), "a": ints(-1, 0)}, opset=18)
    exact("Pad with attributes", node("Pad", ["x"], ["y"], pads=[1, 2, 2, 1], value=0.5), {"x": normal(3, 4)}, opset=10)
    x = {"x": normal(3, 4)}
    for name, amounts, mode, words in (("more than there is", (0, 3, 0, 0, 4), "constant", ("pads",)), ("cut too much", (-2, 0, -2, 0), "constant", ("dimension 0",)),
                                       ("reflected too far", (3, 0, 0, 0), "reflect", ("reflect", "dimension 0")),
                                       ("far too much", (2 ** 62, 0, 2 ** 62, 0), "constant", ("dimension 0",))):
        refused(f"Pad {name}", node("Pad", ["x", "p"], ["y"], mode=mode), x, {"p": ints(*amounts)}, "pad making y", "Pad", *words)


FAMILIES = (moves, fills, pads)
