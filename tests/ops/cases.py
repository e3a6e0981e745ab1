# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the families of cases share: how a case is made, and numbers to put in. See tests/checkops.py."""
import numpy as np
from onnx import helper

EXACT = (0.0, 0.0)
DEFAULT = (1e-5, 1e-5)  # relative to the largest finite result; absolute

random = np.random.default_rng()  # one object for all families: start() seeds it
cases = []


def start(seed):
    """Forgets all cases and starts the random numbers anew."""
    cases.clear()
    random.bit_generator.state = np.random.default_rng(seed).bit_generator.state


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, name=f"{op.lower()} making {' '.join(outputs)}", **attributes)


def case(name, nodes, inputs, weights=None, tolerance=DEFAULT, opset=13, outputs=("y",), words=()):
    """With `words` the engine must refuse it: one line with all of them, and no crash."""
    nodes = nodes if isinstance(nodes, list) else [nodes]
    cases.append((name, nodes, inputs, weights or {}, tolerance, opset, outputs, words))


def exact(name, nodes, inputs, weights=None, **rest):
    case(name, nodes, inputs, weights, tolerance=EXACT, **rest)


def refused(name, nodes, inputs, weights, *words, **rest):
    case(name, nodes, inputs, weights, words=words, **rest)


def normal(*shape, scale=1.0):
    return (random.standard_normal(shape) * scale).astype(np.float32)


def integers(low, high, *shape, kind=np.int64):
    return random.integers(low, high, shape).astype(kind)


def ints(*values):
    return np.array(values, np.int64)


def odd(*shape):
    """Normal numbers with NaN, infinities, zeros of both signs and extremes strewn in."""
    x = normal(*shape, scale=4)
    strange = [np.nan, np.inf, -np.inf, 0.0, -0.0, 3e38, -3e38, 1e-40, 88.8, -104.0]
    flat = x.reshape(-1)
    places = random.permutation(flat.size)[:len(strange)]
    flat[places] = strange[:len(places)]
    return x


def channels_last(name, result):
    """A node that passes a float32 image on, in memory as convolutions leave it."""
    return node("MaxPool", [name], [result], kernel_shape=[1, 1])
