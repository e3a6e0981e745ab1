# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reductions, and what else looks along a dimension: TopK, ArgMax, CumSum."""
import numpy as np

from .cases import EXACT, case, channels_last, exact, integers, ints, node, normal, odd, random, refused

REAL = ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp")
AXES = ([-1], [0], [1], [0, 2], [1, 2], [0, 1, 2, 3], [3, 1])


def reductions():
    for op in REAL:
        for axes in AXES:
            for keep in (0, 1):
                x = normal(3, 5, 4, 7)
                x = np.abs(x) + np.float32(0.1) if op in ("ReduceLogSum", "ReduceProd") else x
                case(f"{op} over {axes} keeping {keep}", node(op, ["x"], ["y"], axes=axes, keepdims=keep), {"x": x})
        case(f"{op} over all", node(op, ["x"], ["y"]), {"x": np.abs(normal(3, 5, 4)) + np.float32(0.1)})
        case(f"{op} with the axes as an operand", node(op, ["x", "a"], ["y"]), {"x": np.abs(normal(3, 5, 4)) + np.float32(0.1)}, {"a": ints(1)}, opset=18)
    for axes in AXES:
        for keep in (0, 1):
            case(f"ReduceSum over {axes} keeping {keep}", node("ReduceSum", ["x", "a"], ["y"], keepdims=keep), {"x": normal(3, 5, 4, 7)}, {"a": ints(*axes)})
    for n in (1, 2, 3, 5, 8, 17, 32, 33, 80, 256, 257, 512, 2056, 4100):  # lanes a row, threads a column
        for op in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2"):
            case(f"{op} of rows of {n}", node(op, ["x"], ["y"], axes=[-1]), {"x": normal(3, 7, n)})
            case(f"{op} of columns of {n}", node(op, ["x"], ["y"], axes=[1]), {"x": normal(2, n, 37)})
    case("ReduceMax of many short rows", node("ReduceMax", ["x"], ["y"], axes=[-1], keepdims=0), {"x": normal(2, 8400, 17)})
    case("ReduceMean of few long columns", node("ReduceMean", ["x"], ["y"], axes=[1]), {"x": normal(2, 1600, 260)})
    case("ReduceMean of columns of all", node("ReduceMean", ["x"], ["y"], axes=[0]), {"x": normal(300, 5)})
    case("ReduceSum with attributes", node("ReduceSum", ["x"], ["y"], axes=[1]), {"x": normal(3, 5)}, opset=11)
    case("ReduceSum without axes", node("ReduceSum", ["x"], ["y"]), {"x": normal(3, 5)})
    case("ReduceSum of no axes", node("ReduceSum", ["x", "a"], ["y"], noop_with_empty_axes=1), {"x": normal(3, 5)}, {"a": ints()})
    case("ReduceMean of channels-last memory", [channels_last("x", "l"), node("ReduceMean", ["l"], ["y"], axes=[2, 3])], {"x": normal(2, 5, 4, 6)})
    case("ReduceMean of a transposition", [node("Transpose", ["x"], ["t"]), node("ReduceMean", ["t"], ["y"], axes=[-1])], {"x": normal(40, 30)})
    # A running sum in single precision would be off by 1e-3 here; that of ONNX Runtime is by some 1e-5.
    large = {"x": (random.random((2, 300000)) + 1).astype(np.float32)}
    for op in ("ReduceMean", "ReduceL1"):
        case(f"{op} of many", node(op, ["x"], ["y"], axes=[1]), large, tolerance=(5e-5, 0))
    for op in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceProd"):
        for kind in (np.int64, np.int32, np.float64):
            axes = (["x", "a"], {"a": ints(1)}, {}) if op == "ReduceSum" else (["x"], {}, {"axes": [1]})
            case(f"{op} {kind.__name__}", node(op, axes[0], ["y"], **axes[2]), {"x": integers(1, 9, 3, 4, 5, kind=kind)}, axes[1],
                 tolerance=EXACT if kind != np.float64 else (1e-14, 0))
    case("ReduceLogSumExp of large numbers", node("ReduceLogSumExp", ["x"], ["y"], axes=[1]), {"x": normal(3, 5, scale=500)})
    infinite = normal(4, 5)
    infinite[0, 1], infinite[1, 2] = np.inf, -np.inf
    for op in ("ReduceMean", "ReduceL2", "ReduceLogSumExp"):
        case(f"{op} of NaN", node(op, ["x"], ["y"], axes=[1]), {"x": np.where(normal(5, 70) > 2.2, np.float32(np.nan), normal(5, 70))})
    for op in ("ReduceMax", "ReduceMin", "ReduceMean"):
        case(f"{op} of infinities", node(op, ["x"], ["y"], axes=[1]), {"x": infinite})
    empty = [node("Slice", ["x", "b", "e"], ["s"])]
    case("ReduceSum of nothing", empty + [node("ReduceSum", ["s", "a"], ["y"])], {"x": normal(3, 5)}, {"b": ints(3), "e": ints(3), "a": ints(0)})
    refused("ReduceMax of nothing", empty + [node("ReduceMax", ["s"], ["y"], axes=[0])], {"x": normal(3, 5)}, {"b": ints(3), "e": ints(3)},
            "reducemax making y", "empty")


def arguments():
    for op in ("ArgMax", "ArgMin"):
        for axis in (0, 1, -1):
            for keep in (0, 1):
                exact(f"{op} over {axis} keeping {keep}", node(op, ["x"], ["y"], axis=axis, keepdims=keep), {"x": normal(3, 4, 5)})
        for last in (0, 1):
            exact(f"{op} of equals, last {last}", node(op, ["x"], ["y"], axis=1, select_last_index=last), {"x": integers(0, 3, 4, 9, kind=np.float32)})
        for kind in (np.int32, np.float64, np.uint8):
            exact(f"{op} {kind.__name__}", node(op, ["x"], ["y"], axis=1), {"x": integers(0, 3, 4, 9, kind=kind)})
        for n in (1, 31, 32, 33, 80, 1000):
            exact(f"{op} of rows of {n}", node(op, ["x"], ["y"], axis=-1), {"x": normal(5, n)})
    for exclusive in (0, 1):
        for reverse in (0, 1):
            for axis in (0, 1, -1):
                case(f"CumSum over {axis} {exclusive} {reverse}", node("CumSum", ["x", "a"], ["y"], exclusive=exclusive, reverse=reverse),
                     {"x": normal(3, 4, 50)}, {"a": np.int64(axis)})
    for kind in (np.int64, np.int32, np.float64):
        case(f"CumSum {kind.__name__}", node("CumSum", ["x", "a"], ["y"]), {"x": integers(0, 9, 3, 4, kind=kind)}, {"a": np.int32(1)}, tolerance=(1e-14, 0) if kind == np.float64 else EXACT)
    case("CumSum in channels-last memory", [channels_last("x", "l"), node("CumSum", ["l", "a"], ["y"])], {"x": normal(1, 5, 4, 6)}, {"a": np.int64(1)})


def topk(name, x, k, outputs=("y", "i"), opset=13, **attributes):
    exact(f"TopK {name}", node("TopK", ["x", "k"], ["y", "i"], **attributes),
          {"x": x}, {"k": ints(k)}, outputs=outputs, opset=opset)


def tops():
    for largest in (0, 1):
        for axis, k in ((0, 2), (1, 3), (-1, 1), (2, 5)):
            topk(f"{k} over {axis}, largest {largest}", normal(3, 4, 5), k, axis=axis, largest=largest)
        for kind in (np.float32, np.float64, np.int64, np.int32):
            topk(f"of equals {kind.__name__}, largest {largest}", integers(-2, 3, 4, 60, kind=kind), 17, largest=largest)
        topk(f"of many, largest {largest}", normal(2, 8400), 300, largest=largest)
        topk(f"all of them, largest {largest}", integers(0, 50, 1, 2000, kind=np.float32), 2000, largest=largest)
        topk(f"of infinities and zeros, largest {largest}", np.array([[0.0, -0.0, np.inf, -np.inf, 1e-40, -1e-40, 3e38, 0.0, -0.0, np.inf]], np.float32), 9, largest=largest)
        big = np.array([2 ** 53, 2 ** 53 + 1, -2 ** 63, 2 ** 63 - 1, 2 ** 53 + 2, -2 ** 63 + 1], np.int64)
        topk(f"of large integers, largest {largest}", big, 6, largest=largest)
    for largest in (0, 1):
        # Without NaN, whose place among the best depends on the version of ONNX Runtime.
        topk(f"of strange numbers, largest {largest}", np.nan_to_num(odd(4, 33), nan=1, posinf=np.inf, neginf=-np.inf), 20, largest=largest)
        for n, k in ((1, 1), (31, 31), (777, 777), (1023, 1), (1024, 33), (1025, 1024), (5000, 1025), (24000, 300), (5000, 4096), (5000, 4097)):
            topk(f"{k} of {n}, largest {largest}", normal(2, n), k, largest=largest)
        topk(f"of zeros, largest {largest}", np.zeros((2, 3000), np.float32), 300, largest=largest)
        topk(f"of few different numbers, largest {largest}", integers(0, 4, 3, 8400, kind=np.float32), 300, largest=largest)
        topk(f"of one number above equals, largest {largest}", np.pad(np.ones((1, 1), np.float32), ((0, 0), (2000, 2000))), 5, largest=largest)
        topk(f"of close numbers, largest {largest}", 1 + integers(0, 300, 2, 9000, kind=np.float32) * np.float32(2 ** -23), 300, largest=largest)
    topk("of sorted numbers", np.arange(500, dtype=np.float32), 40)
    topk("of numbers sorted downwards", np.arange(500, 0, -1, dtype=np.float32), 40)
    topk("without indices", normal(3, 20), 4, outputs=("y",))
    topk("without values", normal(3, 20), 4, outputs=("i",))
    topk("none", normal(3, 20), 0)
    topk("in the form of operator set 11", normal(3, 20), 4, opset=11)
    case("TopK unsorted", [node("TopK", ["x", "k"], ["v", "unused"], sorted=0), node("ReduceSum", ["v", "a"], ["y"])], {"x": normal(3, 50)}, {"k": ints(7), "a": ints(1)})
    refused("TopK of more than there is", node("TopK", ["x", "k"], ["y", "i"]), {"x": normal(3, 20)}, {"k": ints(21)}, "topk making y i", "21 of 20")
    refused("TopK of a computed number", node("TopK", ["x", "k"], ["y", "i"]), {"x": normal(3, 20), "k": ints(3)}, {}, "topk making y i", "operand 1")


FAMILIES = (reductions, arguments, tops)
