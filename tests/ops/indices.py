# SPDX-License-Identifier: LGPL-2.1-or-later
"""Operators that go by indices, which may come from anywhere: what lies outside must be refused."""
import numpy as np

from .cases import exact, integers, ints, node, normal, random, refused

HOSTILE = (4, -5, 2 ** 31, -2 ** 31, 2 ** 62, -2 ** 63)  # all outside a dimension of 4


def gathers():
    for axis, indices in ((0, ints(2, 0, -1)), (1, np.array([[1, 1], [0, -2]], np.int64)), (2, np.array(3, np.int64))):
        exact(f"Gather over {axis}", node("Gather", ["x", "i"], ["y"], axis=axis), {"x": normal(3, 4, 5)}, {"i": indices})
        exact(f"Gather over {axis} of bytes", node("Gather", ["x", "i"], ["y"], axis=axis),
              {"x": integers(0, 255, 3, 4, 5, kind=np.uint8), "i": indices})
    for block in (1, 2, 3, 4, 6, 8, 256, 257):  # multiples of a vector, and not
        for kind in (np.float32, np.uint8):
            exact(f"Gather of blocks of {block} {kind.__name__}", node("Gather", ["x", "i"], ["y"], axis=1),
                  {"x": integers(0, 99, 3, 7, block, kind=kind), "i": integers(-7, 7, 2, 5)})
    exact("Gather by no index", node("Gather", ["x", "i"], ["y"]), {"x": normal(3, 4)}, {"i": ints()})
    exact("Gather by int32", node("Gather", ["x", "i"], ["y"]), {"x": normal(3, 4), "i": np.array([1, 0], np.int32)})
    for axis, shape in ((0, (2, 4, 5)), (1, (3, 7, 5)), (2, (3, 4, 9)), (1, (2, 6, 3)), (-1, (1, 1, 1))):
        for kind in (np.float32, np.int64, np.bool_):
            extent = (3, 4, 5)[axis]
            exact(f"GatherElements over {axis} {shape} {kind.__name__}", node("GatherElements", ["x", "i"], ["y"], axis=axis),
                  {"x": integers(0, 2 if kind == np.bool_ else 99, 3, 4, 5, kind=kind), "i": integers(-extent, extent, *shape)})
    exact("GatherElements by int32", node("GatherElements", ["x", "i"], ["y"], axis=1),
          {"x": normal(3, 4), "i": integers(-4, 4, 3, 6, kind=np.int32)})
    exact("GatherElements of a transposition", [node("Transpose", ["x"], ["t"]), node("GatherElements", ["t", "i"], ["y"], axis=1)],
          {"x": normal(5, 4), "i": integers(-5, 5, 4, 7)})
    for batch, data, places in ((0, (3, 4, 5), (2, 2)), (0, (3, 4, 5), (6, 1)), (0, (3, 4, 5), (2, 3, 3)), (0, (3, 4, 5), (3,)),
                                (1, (3, 4, 5), (3, 2, 1)), (1, (3, 4, 5), (3, 2)), (2, (3, 4, 5), (3, 4, 1)), (2, (2, 3, 4, 5, 6), (2, 3, 7, 2))):
        depth = places[-1]
        limit = np.array(data[batch:batch + depth])
        index = np.floor((random.random(places) * 2 - 1) * limit).astype(np.int64)
        exact(f"GatherND {data} at {places} behind {batch}", node("GatherND", ["x", "i"], ["y"], batch_dims=batch), {"x": normal(*data), "i": index})
    for index in HOSTILE:
        x = {"x": normal(3, 4), "i": np.full((3, 1), index, np.int64)}
        refused(f"Gather at {index}", node("Gather", ["x", "i"], ["y"], axis=1), x, {}, "gather making y", f"index {index}")
        refused(f"GatherElements at {index}", node("GatherElements", ["x", "i"], ["y"], axis=1), x, {}, "gatherelements making y", f"index {index}")
        refused(f"GatherND at {index}", node("GatherND", ["x", "i"], ["y"]), {**x, "x": normal(4, 3)}, {}, "gathernd making y", f"index {index}")
        refused(f"Gather of a constant at {index}", node("Gather", ["c", "i"], ["y"], axis=1), {"unused": normal(1)},
                {"c": normal(3, 4), "i": ints(index)}, "gather making y", f"index {index}")
    refused("GatherElements with larger indices", node("GatherElements", ["x", "i"], ["y"], axis=1), {"x": normal(3, 4), "i": integers(0, 1, 4, 4)}, {},
            "gatherelements making y", "dimension 0")
    refused("GatherND too deep", node("GatherND", ["x", "i"], ["y"]), {"x": normal(3, 4), "i": integers(0, 1, 2, 3)}, {}, "gathernd making y", "3 indices")


def distinct(extent, *shape):
    """Places along the last dimension, none twice: with a place written twice the order would matter."""
    return np.argsort(random.random((*shape[:-1], extent)), axis=-1)[..., :shape[-1]].astype(np.int64)


def scatters():
    for shape in ((3, 4), (2, 3), (3, 1)):
        exact(f"ScatterElements {shape}", node("ScatterElements", ["x", "i", "u"], ["y"], axis=1), {"x": normal(3, 4), "i": distinct(4, *shape), "u": normal(*shape)})
    exact("ScatterElements over 0", node("ScatterElements", ["x", "i", "u"], ["y"]), {"x": normal(5, 3), "i": distinct(5, 3, 2).T.copy(), "u": normal(2, 3)})
    exact("ScatterElements from the end", node("ScatterElements", ["x", "i", "u"], ["y"], axis=-1),
          {"x": integers(0, 9, 3, 4), "i": np.full((3, 1), -1, np.int64), "u": integers(10, 19, 3, 1)})
    for reduction, opset in (("add", 16), ("mul", 16), ("min", 18), ("max", 18)):
        for kind in (np.float32, np.int64, np.int32, np.float64):
            exact(f"ScatterElements {reduction} {kind.__name__}", node("ScatterElements", ["x", "i", "u"], ["y"], axis=1, reduction=reduction),
                  {"x": integers(1, 9, 3, 4, kind=kind), "i": integers(-4, 4, 3, 6), "u": integers(1, 9, 3, 6, kind=kind)}, opset=opset)
            exact(f"ScatterND {reduction} {kind.__name__}", node("ScatterND", ["x", "i", "u"], ["y"], reduction=reduction),
                  {"x": integers(1, 9, 3, 4, kind=kind), "i": integers(-3, 3, 6, 1), "u": integers(1, 9, 6, 4, kind=kind)}, opset=opset)
    for data, places in (((5, 4), (3, 1)), ((5, 4), (2, 2)), ((5, 4, 3), (2, 2, 1)), ((5, 4, 3), (1, 3)), ((6,), (4, 1))):
        depth = places[-1]
        n = int(np.prod(places[:-1]))
        rows = distinct(data[0], n).reshape(*places[:-1], 1)  # differ in the first index already
        rest = integers(0, min(data[1:] or (1,)), *places[:-1], depth - 1)
        exact(f"ScatterND {data} at {places}", node("ScatterND", ["x", "i", "u"], ["y"]),
              {"x": normal(*data), "i": np.concatenate((rows, rest), -1), "u": normal(*places[:-1], *data[depth:])})
    exact("ScatterND of long blocks", node("ScatterND", ["x", "i", "u"], ["y"]), {"x": normal(40, 300), "i": distinct(40, 30).reshape(30, 1), "u": normal(30, 300)})
    exact("ScatterND of nothing", node("ScatterND", ["x", "i", "u"], ["y"]), {"x": normal(4, 3)}, {"i": integers(0, 1, 0, 1), "u": normal(0, 3)})
    exact("ScatterND of bools", node("ScatterND", ["x", "i", "u"], ["y"]), {"x": random.random((4, 3)) < 0.5, "i": ints(2, 0).reshape(2, 1), "u": random.random((2, 3)) < 0.5})
    for index in HOSTILE:
        refused(f"ScatterElements at {index}", node("ScatterElements", ["x", "i", "u"], ["y"], axis=1),
                {"x": normal(3, 4), "i": np.full((3, 1), index, np.int64), "u": normal(3, 1)}, {}, "scatterelements making y", f"index {index}")
        refused(f"ScatterND at {index}", node("ScatterND", ["x", "i", "u"], ["y"]),
                {"x": normal(4, 3), "i": np.full((1, 1), index, np.int64), "u": normal(1, 3)}, {}, "scatternd making y", f"index {index}")
    refused("ScatterND of too few updates", node("ScatterND", ["x", "i", "u"], ["y"]), {"x": normal(4, 3), "i": integers(0, 1, 2, 1), "u": normal(1, 3)}, {},
            "scatternd making y", "updates")
    refused("ScatterElements with an unknown reduction", node("ScatterElements", ["x", "i", "u"], ["y"], reduction="median"),
            {"x": normal(4, 3), "i": integers(0, 1, 1, 3), "u": normal(1, 3)}, {}, "scatterelements making y", "median", opset=16)


FAMILIES = (gathers, scatters)
