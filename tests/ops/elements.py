# SPDX-License-Identifier: LGPL-2.1-or-later
"""Operators that make one element from one, or from one of each operand."""
import numpy as np
from onnx import TensorProto

from .cases import EXACT, DEFAULT, case, channels_last, exact, integers, ints, node, normal, odd, random


SHAPES = [((1, 16, 5, 7), (1, 16, 5, 7)), ((2, 3, 4, 5), (1,)), ((2, 3, 4, 5), ()), ((1, 8, 6, 6), (1, 8, 1, 1)),
          ((1, 8, 6, 6), (8, 1, 1)), ((3, 1, 5), (1, 4, 5)), ((4, 1), (1, 7)), ((6,), (2, 3, 1)), ((1, 1, 1, 1), (1,)),
          ((2, 19, 1, 3), (2, 1, 23, 3))]


def elementwise():
    for op in ("Add", "Sub", "Mul", "Div"):
        for a, b in SHAPES:
            case(f"{op} {a} {b}", node(op, ["a", "b"], ["y"]), {"a": normal(*a), "b": normal(*b) + np.float32(5)})
            case(f"{op} {b} {a}", node(op, ["a", "b"], ["y"]), {"a": normal(*b), "b": normal(*a)})
        case(f"{op} of strange numbers", node(op, ["a", "b"], ["y"]), {"a": odd(1, 5, 8, 9), "b": odd(1, 5, 8, 9)})
        case(f"{op} with a constant", node(op, ["a", "b"], ["y"]), {"a": normal(1, 5, 8, 9)}, {"b": normal(1, 5, 1, 1)})
        for kind in (np.int64, np.int32, np.float64):
            values = lambda *shape: random.integers(1, 1000, shape).astype(kind)
            for b in (values(5), np.array([1, -1, 3, -7, 1000], kind)):
                case(f"{op} {kind.__name__}", node(op, ["a", "b"], ["y"]), {"a": values(3, 5) - 400, "b": b},
                     tolerance=EXACT if kind != np.float64 else DEFAULT)


def groups():
    """Large enough for the kernels that take 8 or 4 elements at a time, of whole groups and not, and chains."""
    inverse_sigmoid = [node("Clip", ["x", "zero", "one"], ["c"]), node("Clip", ["c", "little", ""], ["n"]), node("Sub", ["one", "c"], ["m"]),
                       node("Clip", ["m", "little", ""], ["d"]), node("Div", ["n", "d"], ["q"]), node("Log", ["q"], ["y"])]
    numbers = {"zero": np.float32(0), "one": np.float32(1), "little": np.float32(1e-5)}
    for last in (64, 36, 35):
        for a, b in (((4, 1200, last), (4, 1200, last)), ((4, 1200, last), (last,)), ((4, 1200, last), (1, 1200, last)),
                     ((4, 1200, last), (4, 1200, 1)), ((4, 1200, last), ()), ((4, 1, last), (1, 1200, 1))):
            case(f"Add {a} {b}", node("Add", ["a", "b"], ["y"]), {"a": normal(*a), "b": normal(*b)})
            case(f"chain of {a} {b}", [node("Sub", ["a", "b"], ["d"]), node("Exp", ["d"], ["e"]), node("Mul", ["e", "b"], ["m"]),
                                       node("Greater", ["a", "b"], ["g"]), node("Where", ["g", "m", "d"], ["y"])],
                 {"a": normal(*a), "b": normal(*b)})
        case(f"inverse sigmoid of {last}", inverse_sigmoid, {"x": random.random((3, 1000, last), np.float32) * np.float32(1.2)}, numbers)
        case(f"BatchNormalization in channels-last memory, {last}", [channels_last("x", "l"), node("BatchNormalization", ["l", "s", "b", "m", "v"], ["y"])],
             {"x": normal(2, last, 50, 48)}, {"s": normal(last), "b": normal(last), "m": normal(last), "v": np.abs(normal(last)) + 0.01})
        exact(f"Greater of {last}", node("Greater", ["a", "b"], ["y"]), {"a": normal(3, 1000, last), "b": normal(last)})
        exact(f"Where of {last}", node("Where", ["c", "a", "b"], ["y"]),
              {"c": random.random((3, 1000, 1)) < 0.5, "a": normal(3, 1000, last), "b": normal(last)})
        case(f"activated operands, {last}",
             [node("LeakyRelu", ["a"], ["l"], alpha=0.2), node("Sigmoid", ["b"], ["s"]), node("Sub", ["l", "b"], ["left"]),
              node("Sub", ["a", "s"], ["right"]), node("LeakyRelu", ["a"], ["l2"], alpha=0.3), node("Tanh", ["b"], ["t"]),
              node("Sub", ["l2", "t"], ["both"]), node("Sigmoid", ["both"], ["after"])],
             {"a": normal(4, 1200, last), "b": normal(4, 1200, last)}, outputs=("left", "right", "after"))
    case("Add of a part that is not aligned", [node("Split", ["x"], ["a", "b"], axis=0), node("Add", ["a", "b"], ["y"])], {"x": normal(2, 105001)})
    case("chain of a scalar", inverse_sigmoid, {"x": np.float32(0.3)}, numbers)
    none = {"from": ints(0), "to": ints(0)}
    case("chain of nothing", [node("Slice", ["w", "from", "to"], ["x"]), *inverse_sigmoid], {"w": normal(3, 4)}, {**numbers, **none})
    case("Add of nothing", [node("Slice", ["w", "from", "to"], ["a"]), node("Add", ["a", "b"], ["y"])], {"w": normal(2, 5, 3), "b": normal(3)}, none)
    case("two readers in a chain", [node("Exp", ["x"], ["e"]), node("Neg", ["e"], ["n"]), node("Add", ["e", "n"], ["s"]), node("Mul", ["s", "e"], ["y"])],
         {"x": normal(7, 9)})
    case("a result inside a chain", [node("Exp", ["x"], ["e"]), node("Neg", ["e"], ["n"]), node("Sin", ["n"], ["y"])], {"x": normal(7, 9)},
         outputs=("y", "n"))


def activations():
    for shape in ((1, 16, 5, 9), (3, 7), (1,), ()):
        for op, attributes in (("Relu", {}), ("LeakyRelu", {"alpha": 0.2}), ("LeakyRelu", {}), ("Sigmoid", {}),
                               ("HardSigmoid", {"alpha": 0.1, "beta": 0.6}), ("HardSigmoid", {}), ("Tanh", {})):
            case(f"{op} {attributes} {shape}", node(op, ["x"], ["y"], **attributes), {"x": normal(*shape, scale=3)})
        case(f"HardSwish {shape}", node("HardSwish", ["x"], ["y"]), {"x": normal(*shape, scale=3)}, opset=14)
    for op in ("Relu", "LeakyRelu", "Sigmoid", "Tanh"):
        case(f"{op} of strange numbers", node(op, ["x"], ["y"]), {"x": odd(4, 33)})
    bounds = {"lo": np.float32(-1), "hi": np.float32(2)}
    case("Clip", node("Clip", ["x", "lo", "hi"], ["y"]), {"x": odd(4, 33)}, bounds)
    case("Clip from below", node("Clip", ["x", "lo"], ["y"]), {"x": normal(4, 33)}, bounds)
    case("Clip from above", node("Clip", ["x", "", "hi"], ["y"]), {"x": normal(4, 33)}, bounds)
    case("Clip with attributes", node("Clip", ["x"], ["y"], min=-0.5, max=0.25), {"x": normal(4, 33)}, opset=10)
    case("Gelu", node("Gelu", ["x"], ["y"]), {"x": normal(4, 33)}, opset=20)
    extremes = np.linspace(-120, 120, 4801, dtype=np.float32)
    case("Sigmoid far out", node("Sigmoid", ["x"], ["y"]), {"x": extremes})
    case("Tanh far out", node("Tanh", ["x"], ["y"]), {"x": extremes})
    for shape in ((1, 21, 6, 5), (2, 16, 3, 3), (3, 8), (2, 5, 11)):
        channels = shape[1]
        case(f"BatchNormalization {shape}", node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], epsilon=1e-4),
             {"x": normal(*shape)}, {"s": normal(channels), "b": normal(channels), "m": normal(channels),
                                     "v": np.abs(normal(channels)) + 0.01})
    case("Gelu with tanh", node("Gelu", ["x"], ["y"], approximate="tanh"), {"x": normal(4, 33)}, opset=20)
    for kind in (np.int64, np.int32, np.uint8, np.int8, np.float64):
        x = {"x": integers(0, 100, 5, 7, kind=kind)}
        exact(f"Clip {kind.__name__}", node("Clip", ["x", "lo", "hi"], ["y"]), x, {"lo": kind(20), "hi": kind(60)})
        exact(f"Clip {kind.__name__} from above", node("Clip", ["x", "", "hi"], ["y"]), x, {"hi": kind(60)})


# ---------------------------------------------------------------- functions

# name, factor of the operands, offset, operator set, tolerance
FUNCTIONS = [("Exp", 3, 0, 13, DEFAULT), ("Erf", 2, 0, 13, DEFAULT), ("Sin", 5, 0, 13, DEFAULT), ("Cos", 5, 0, 13, DEFAULT),
             ("Reciprocal", 1, 0, 13, DEFAULT), ("Floor", 3, 0, 13, EXACT), ("Ceil", 3, 0, 13, EXACT), ("Round", 3, 0, 13, EXACT),
             ("Softplus", 9, 0, 13, DEFAULT), ("Abs", 3, 0, 13, EXACT), ("Neg", 3, 0, 13, EXACT), ("Sign", 3, 0, 13, EXACT),
             ("Elu", 3, 0, 13, DEFAULT), ("Selu", 3, 0, 13, DEFAULT)]


def functions():
    for op, factor, offset, opset, tolerance in FUNCTIONS:
        for shape in ((3, 33), (), (2, 5, 3, 7)):
            case(f"{op} {shape}", node(op, ["x"], ["y"]), {"x": normal(*shape, scale=factor)}, tolerance=tolerance, opset=opset)
        case(f"{op} in channels-last memory", [channels_last("x", "l"), node(op, ["l"], ["y"])],
             {"x": normal(1, 5, 4, 6, scale=factor)}, tolerance=tolerance)
    for op in ("Log", "Sqrt"):
        case(op, node(op, ["x"], ["y"]), {"x": np.abs(normal(3, 33)) + np.float32(1e-3)})
        case(f"{op} strided", [node("Transpose", ["x"], ["t"]), node(op, ["t"], ["y"])], {"x": np.abs(normal(3, 33))})
    # Sin and Cos of huge numbers are for the mathematics library; Softplus of ONNX Runtime is no better there.
    for op in ("Exp", "Erf", "Log", "Sqrt", "Floor", "Ceil", "Round", "Abs", "Neg", "Reciprocal", "Elu"):
        case(f"{op} of strange numbers", node(op, ["x"], ["y"]), {"x": odd(4, 33)})
    halves = np.arange(-9, 10, dtype=np.float32) / 2
    exact("Round of halves", node("Round", ["x"], ["y"]), {"x": halves})
    case("Exp far out", node("Exp", ["x"], ["y"]), {"x": np.linspace(-87, 88.7, 4001, dtype=np.float32)}, tolerance=(1e-6, 0))
    case("Erf far out", node("Erf", ["x"], ["y"]), {"x": np.linspace(-9, 9, 4001, dtype=np.float32)}, tolerance=(0, 1e-6))
    case("Elu with alpha", node("Elu", ["x"], ["y"], alpha=0.3), {"x": normal(4, 9)})
    case("Selu with both", node("Selu", ["x"], ["y"], alpha=2.0, gamma=0.7), {"x": normal(4, 9)})
    for kind in (np.int64, np.int32, np.int8):
        x = {"x": np.concatenate((integers(-100, 100, 30, kind=kind), np.array([0, 127, -127], kind)))}
        for op in ("Abs", "Neg", "Sign"):
            exact(f"{op} {kind.__name__}", node(op, ["x"], ["y"]), x)
    for op in ("Exp", "Log", "Sqrt", "Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Reciprocal", "Sin", "Cos"):
        case(f"{op} float64", node(op, ["x"], ["y"]), {"x": np.abs(normal(20)).astype(np.float64) + 0.1}, tolerance=(1e-14, 0))
    for op in ("IsNaN", "IsInf"):
        exact(op, node(op, ["x"], ["y"]), {"x": odd(4, 33)})
    exact("IsInf of one sign", node("IsInf", ["x"], ["y"], detect_negative=0), {"x": odd(4, 33)})
    exact("IsInf of the other sign", node("IsInf", ["x"], ["y"], detect_positive=0), {"x": odd(4, 33)})
    exact("Not", node("Not", ["x"], ["y"]), {"x": random.random((3, 5)) < 0.5})


# ---------------------------------------------------------------- comparisons, logic, arithmetic

def comparisons():
    for op in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
        for kind in (np.float32, np.float64, np.int64, np.int32):
            for a, b in (SHAPES[0], SHAPES[4], SHAPES[5], SHAPES[6]):
                exact(f"{op} {kind.__name__} {a} {b}", node(op, ["a", "b"], ["y"]),
                      {"a": integers(-2, 3, *a, kind=kind), "b": integers(-2, 3, *b, kind=kind)}, opset=16)
        exact(f"{op} of strange numbers", node(op, ["a", "b"], ["y"]), {"a": odd(9, 9), "b": odd(9, 9)}, opset=16)
    exact("Equal of bools", node("Equal", ["a", "b"], ["y"]), {"a": random.random(20) < 0.5, "b": random.random(20) < 0.5})
    big = np.array([2 ** 53, 2 ** 53 + 1, -2 ** 62], np.int64)  # not told apart as double
    exact("Equal of large numbers", node("Equal", ["a", "b"], ["y"]), {"a": big, "b": big + np.int64(1)})
    for op in ("And", "Or", "Xor"):
        for a, b in SHAPES[:7]:
            exact(f"{op} {a} {b}", node(op, ["a", "b"], ["y"]), {"a": random.random(a) < 0.5, "b": random.random(b) < 0.5})
    for kind in (np.float32, np.float64, np.int64, np.int32, np.uint8):
        for c, a, b in (((3, 5), (3, 5), (3, 5)), ((3, 1), (5,), ()), ((1,), (2, 3, 4), (3, 1)), ((2, 3, 4, 5), (4, 1), (1, 3, 1, 5))):
            exact(f"Where {kind.__name__} {c} {a} {b}", node("Where", ["c", "a", "b"], ["y"]),
                  {"c": random.random(c) < 0.5, "a": integers(0, 99, *a, kind=kind), "b": integers(0, 99, *b, kind=kind)})
    exact("Where in channels-last memory", [channels_last("a", "l"), node("Greater", ["l", "b"], ["c"]), node("Where", ["c", "l", "b"], ["y"])],
          {"a": normal(1, 5, 4, 6)}, {"b": normal(5, 1, 1)})


def powers():
    base = {"a": np.abs(normal(3, 7)) + np.float32(0.1)}
    for exponent in (2, 3, 0.5, -1, 0, 1.7):
        case(f"Pow by {exponent}", node("Pow", ["a", "b"], ["y"]), base, {"b": np.float32(exponent)})
    case("Pow of negative numbers by 2", node("Pow", ["a", "b"], ["y"]), {"a": normal(3, 7)}, {"b": np.float32(2)})
    case("Pow of strange numbers by 2", node("Pow", ["a", "b"], ["y"]), {"a": odd(4, 33)}, {"b": np.float32(2)})
    case("Pow of strange numbers", node("Pow", ["a", "b"], ["y"]), {"a": odd(9, 9), "b": odd(9, 9)})
    case("Pow broadcast", node("Pow", ["a", "b"], ["y"]), {"a": np.abs(normal(3, 1, 4)), "b": normal(5, 1)})
    for kind in (np.int64, np.int32, np.float64):
        case(f"Pow by {kind.__name__}", node("Pow", ["a", "b"], ["y"]), {"a": normal(3, 7)}, {"b": kind(3)})
        case(f"Pow of {kind.__name__}", node("Pow", ["a", "b"], ["y"]), {"a": integers(1, 9, 3, 7, kind=kind)}, {"b": kind(3)})


def arithmetic():
    for kind in (np.int64, np.int32):
        b = np.array([1, -1, 3, -7, 10], kind)
        for fmod in (0, 1):
            exact(f"Mod {kind.__name__} fmod {fmod}", node("Mod", ["a", "b"], ["y"], fmod=fmod), {"a": integers(-50, 50, 6, 5, kind=kind), "b": b})
    for kind in (np.float32, np.float64):
        case(f"Mod {kind.__name__}", node("Mod", ["a", "b"], ["y"], fmod=1), {"a": integers(-50, 50, 6, 5, kind=kind), "b": np.array([1, -1, 3, -7, 0.5], kind)})
    for a, b in SHAPES[:6]:
        for op in ("Min", "Max", "Sum", "Mean"):
            case(f"{op} {a} {b}", node(op, ["a", "b"], ["y"]), {"a": normal(*a), "b": normal(*b)})
    for op in ("Min", "Max", "Sum", "Mean"):
        case(f"{op} of one", node(op, ["a"], ["y"]), {"a": normal(3, 5)})
        case(f"{op} of four", node(op, list("abcd"), ["y"]), {k: normal(*s) for k, s in zip("abcd", ((3, 1), (5,), (2, 1, 1), ()))})
    for op in ("Min", "Max", "Sum"):
        case(f"{op} float64", node(op, list("ab"), ["y"]), {k: normal(5).astype(np.float64) for k in "ab"}, tolerance=(1e-14, 0))
    for op in ("Min", "Max"):
        for kind in (np.int64, np.int32):
            exact(f"{op} {kind.__name__}", node(op, list("abc"), ["y"]), {k: integers(-9, 9, 4, 5, kind=kind) for k in "abc"})
        case(f"{op} of strange numbers", node(op, ["a", "b"], ["y"]), {"a": odd(9, 9), "b": odd(9, 9)})
    for slope in ((5, 1, 1), (1,), (1, 5, 4, 6)):
        case(f"PRelu {slope}", node("PRelu", ["x", "s"], ["y"]), {"x": normal(1, 5, 4, 6)}, {"s": normal(*slope)})
    case("PRelu in channels-last memory", [channels_last("x", "l"), node("PRelu", ["l", "s"], ["y"])], {"x": normal(1, 5, 4, 6)}, {"s": normal(5, 1, 1)})


FAMILIES = (elementwise, groups, activations, functions, comparisons, powers, arithmetic)
