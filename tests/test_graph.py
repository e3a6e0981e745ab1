#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small networks through the whole engine, beside ONNX Runtime without its optimisations.

Each case says how many nodes must be left, and how many Reorders beside them (a Conv works
channels-last, outputs are row-major): a fusion that does not happen fails as much as one that computes
something else, and so does one that happens where it must not.

    test_graph.py NN-RUN
"""
import sys
import tempfile
from pathlib import Path

from networks import TOLERANCE, Net, X, f32, np, reference, run_engine, worst_difference


def hard_swish(net, x, c=6.0, shift=3.0, swap=False, last="Div"):
    clipped = net.add("Clip", net.add("Add", x, np.float32(shift)), np.float32(0), np.float32(c))
    product = net.add("Mul", clipped, x) if swap else net.add("Mul", x, clipped)
    return net.add(last, product, np.float32(c if last == "Div" else 1 / c))


CASES = []


def case(nodes, reorders=1):
    def register(build):
        CASES.append((build.__name__, build, nodes + reorders))
        return build
    return register


# ---------------------------------------------------------------- BatchNormalization, bias, residual

@case(nodes=1)
def conv_batch_norm(net):
    return net.batch_norm(net.conv("x"), epsilon=1e-3)


@case(nodes=1)
def conv_with_bias_batch_norm_relu(net):
    return net.add("Relu", net.batch_norm(net.conv("x", bias=True)))


@case(nodes=1)
def depthwise_conv_batch_norm(net):
    return net.batch_norm(net.conv("x", c_in=1, group=8, strides=[2, 2]))


@case(nodes=2, reorders=2)
def batch_norm_of_a_conv_that_another_reads(net):
    c = net.conv("x")
    return net.batch_norm(c), c


@case(nodes=1, reorders=0)
def batch_norm_alone(net):
    return net.batch_norm("x")


@case(nodes=1)
def bias_as_add(net):
    return net.add("Add", net.conv("x", bias=True), f32(1, 8, 1, 1))


@case(nodes=1)
def bias_as_add_from_the_left(net):
    return net.add("Add", f32(8, 1, 1), net.conv("x"))


@case(nodes=2)
def add_along_the_width_is_no_bias(net):
    return net.add("Add", net.conv("x"), f32(10))


@case(nodes=2)
def add_along_the_height_is_no_bias(net):
    return net.add("Add", net.conv("x", c_out=12), f32(1, 12, 1))


@case(nodes=2)
def residual_relu(net):
    first = net.conv("x")
    return net.add("Relu", net.add("Add", net.conv(first, k=1), first))


@case(nodes=3)
def residual_that_is_computed_later(net):
    main = net.conv("x")
    side = net.add("Tanh", net.add("MaxPool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
    return net.add("Relu", net.add("Add", main, side))


@case(nodes=3, reorders=1)
def add_of_a_broadcast_is_no_residual(net):
    return net.add("Add", net.conv("x"), net.add("GlobalAveragePool", "x"))


@case(nodes=2)
def residual_of_a_conv_with_batch_norm(net):
    c = net.batch_norm(net.conv("x"))
    return net.add("Add", c, net.batch_norm(net.conv(c)))


@case(nodes=1)
def frozen_batch_norm(net):
    scaled = net.add("Mul", net.conv("x", bias=True), f32(1, 8, 1, 1))
    return net.add("Relu", net.add("Add", scaled, f32(8, 1, 1)))


@case(nodes=2)
def factors_of_the_last_dimension(net):
    return net.add("Mul", net.conv("x"), f32(10))


@case(nodes=3, reorders=2)
def factors_for_a_conv_that_another_reads(net):
    c = net.conv("x")
    return net.add("Mul", c, f32(8, 1, 1)), net.add("Tanh", c)


@case(nodes=1)
def conv_of_one_point_beside_another(net):
    return net.add("Relu", net.add("Add", net.batch_norm(net.conv("x")), net.batch_norm(net.conv("x", k=1))))


@case(nodes=1)
def conv_of_one_point_first_with_biases(net):
    return net.add("Add", net.conv("x", k=1, bias=True), net.conv("x", k=5, bias=True))


@case(nodes=1)
def conv_of_one_point_beside_another_with_strides_and_groups(net):
    spread = {"strides": [2, 2], "group": 2}
    small = net.add("Conv", "x", f32(8, 4, 1, 1), **spread)
    return net.add("Add", net.add("Conv", "x", f32(8, 4, 3, 3), pads=[1] * 4, **spread), small)


@case(nodes=2)
def conv_of_one_point_beside_one_moved_by_a_pixel(net):
    large = net.add("Conv", "x", f32(8, 8, 3, 3), pads=[2, 2, 0, 0])
    return net.add("Add", large, net.conv("x", k=1))


@case(nodes=3)
def conv_of_one_point_that_reads_something_else(net):
    c = net.conv("x")
    return net.add("Add", net.conv(c), net.conv("x", k=1))


@case(nodes=3, reorders=2)
def conv_of_one_point_that_another_reads_too(net):
    small = net.conv("x", k=1)
    return net.add("Add", net.conv("x"), small), net.add("Tanh", small)


# ---------------------------------------------------------------- activations written out

@case(nodes=1)
def hard_swish_after_conv(net):
    return hard_swish(net, net.batch_norm(net.conv("x")))


@case(nodes=1)
def hard_swish_swapped(net):
    return hard_swish(net, net.conv("x"), swap=True)


@case(nodes=1)
def hard_swish_times_a_sixth(net):
    return hard_swish(net, net.conv("x"), last="Mul")


@case(nodes=1, reorders=0)
def hard_swish_of_the_input(net):
    return hard_swish(net, "x")


@case(nodes=2)
def hard_swish_twice(net):
    return hard_swish(net, net.conv(hard_swish(net, net.conv("x"))))


@case(nodes=5, reorders=2)
def hard_swish_whose_product_another_reads(net):
    # Conv, Add with the Clip, Mul, Div, and the other reader.
    c = net.conv("x")
    clip = net.add("Clip", net.add("Add", c, np.float32(3)), np.float32(0), np.float32(6))
    product = net.add("Mul", c, clip)
    return net.add("Div", product, np.float32(6)), net.add("Tanh", product)


@case(nodes=4)
def division_by_another_number(net):
    c = net.conv("x")
    clip = net.add("Clip", net.add("Add", c, np.float32(3)), np.float32(0), np.float32(6))
    return net.add("Div", net.add("Mul", c, clip), np.float32(5))


@case(nodes=4)
def clip_from_another_number(net):
    c = net.conv("x")
    clip = net.add("Clip", net.add("Add", c, np.float32(3)), np.float32(1), np.float32(6))
    return net.add("Div", net.add("Mul", c, clip), np.float32(6))


@case(nodes=1)
def silu(net):
    c = net.conv("x")
    return net.add("Mul", c, net.add("Sigmoid", c))


@case(nodes=1)
def silu_swapped(net):
    c = net.conv("x")
    return net.add("Mul", net.add("Sigmoid", c), c)


@case(nodes=4, reorders=1)
def gate_of_another_value(net):
    c = net.conv("x")
    return net.add("Mul", c, net.add("Sigmoid", net.add("GlobalAveragePool", c)))


@case(nodes=1)
def hard_sigmoid_times_x(net):
    c = net.conv("x")
    return net.add("Mul", c, net.add("HardSigmoid", c, alpha=0.1666667, beta=0.5))


@case(nodes=3, reorders=1)
def other_hard_sigmoid_times_x(net):
    c = net.conv("x")
    return net.add("Mul", c, net.add("HardSigmoid", c, alpha=0.2, beta=0.5))


@case(nodes=5, reorders=1)
def squeeze_and_excite(net):
    x = hard_swish(net, net.batch_norm(net.conv("x")))
    inner = net.add("Relu", net.conv(net.add("GlobalAveragePool", x), c_out=4, k=1, bias=True))
    gate = net.add("HardSigmoid", net.conv(inner, c_in=4, k=1, bias=True), alpha=0.1666667, beta=0.5)
    return net.add("Mul", x, gate)


def activation_case(name, **attributes):
    def build(net):
        operands = attributes.pop("operands", [])
        return net.add(name, net.conv("x"), *operands, **attributes)
    build.__name__ = f"conv_{name.lower()}"
    CASES.append((build.__name__, build, 2))


for op, options in {"Relu": {}, "LeakyRelu": {"alpha": 0.3}, "Sigmoid": {}, "Tanh": {}, "HardSwish": {},
                    "HardSigmoid": {"alpha": 0.3, "beta": 0.4},
                    "Clip": {"operands": [np.float32(-0.5), np.float32(0.75)]}}.items():
    activation_case(op, **options)


@case(nodes=2, reorders=2)
def activation_of_a_conv_that_another_reads(net):
    c = net.conv("x")
    return net.add("Relu", c), c


@case(nodes=1, reorders=0)
def add_relu(net):
    return net.add("Relu", net.add("Add", "x", f32(*X)))


@case(nodes=2)
def one_activation_each(net):
    return net.add("Tanh", net.add("Relu", net.conv("x")))


# ---------------------------------------------------------------- folding, layouts, outputs

@case(nodes=1)
def shape_subgraph_vanishes(net):
    # Conv; the Reshape moves nothing: [N, 8·12·10], computed from Shape as exporters write it.
    c = net.conv("x")
    n = net.add("Gather", net.add("Shape", c), np.array(0), axis=0)
    target = net.add("Concat", net.add("Unsqueeze", n, np.array([0])), np.array([-1]), axis=0)
    return net.add("Reshape", c, target)


@case(nodes=1, reorders=0)
def node_of_which_only_the_shape_is_read(net):
    channels = net.add("Shape", net.add("Tanh", "x"), start=1, end=2)
    return net.add("Reshape", "x", net.add("Concat", np.array([-1]), channels, axis=0))


@case(nodes=1)
def padding_same_upper(net):
    return net.add("Conv", "x", f32(8, 8, 4, 2), auto_pad="SAME_UPPER", strides=[1, 3])


@case(nodes=1)
def padding_same_lower(net):
    return net.add("Conv", "x", f32(8, 8, 4, 2), auto_pad="SAME_LOWER", strides=[1, 3])


@case(nodes=1)
def constants_fold(net):
    k = net.add("Add", net.add("Mul", f32(8, 1, 1), f32(8, 1, 1)), f32(8, 1, 1))
    return net.add("Add", net.conv("x"), k)


@case(nodes=1, reorders=0)
def dead_branches_and_identities_go(net):
    net.add("Tanh", net.conv("x"))
    return net.add("Identity", net.add("Relu", net.add("Identity", "x")))


@case(nodes=0, reorders=0)
def output_is_a_constant(net):
    return net.add("Mul", f32(2, 3), f32(2, 3))


@case(nodes=0, reorders=0)
def output_is_the_input(net):
    return net.add("Identity", "x")


@case(nodes=1, reorders=0)
def outputs_twice(net):
    r = net.add("Relu", "x")
    return r, net.add("Identity", r)


@case(nodes=2, reorders=2)
def conv_to_an_inner_output(net):
    c = net.conv("x")
    return c, net.conv(c, k=1)


@case(nodes=3, reorders=1)
def layouts_meet(net):
    c = net.conv("x")
    t = net.add("Transpose", c, perm=[0, 1, 3, 2])
    u = net.add("Transpose", t, perm=[0, 1, 3, 2])
    return net.add("Concat", net.conv(c), u, c, axis=1)


@case(nodes=4, reorders=1)
def split_concat_resize(net):
    a, b = net.add("Split", net.conv("x"), np.array([3, 5]), n_out=2, axis=1)
    up = net.add("Resize", net.add("Concat", b, a, axis=1), "", np.array([1, 1, 2, 2], "f4"), mode="nearest",
                 coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    return net.add("Add", up, net.constant(f32(1)))


@case(nodes=2)
def unused_part_of_a_split(net):
    _, b = net.add("Split", net.conv("x"), np.array([3, 5]), n_out=2, axis=1)
    return b


# ---------------------------------------------------------------- running them

def check(nn_run, folder, build, nodes):
    net = Net()
    outputs = build(net)
    model = net.model(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    feeds = {name: f32(*shape, low=-4, high=4) for name, shape in net.inputs.items()}
    expected = reference(model, feeds)
    before, ran = run_engine(nn_run, folder, model, feeds)
    after = len(ran)
    assert before == len(net.nodes), f"{before} nodes counted, {len(net.nodes)} there"
    worst = worst_difference(folder, expected)
    assert worst <= TOLERANCE, f"differs by {worst:g}"
    assert after == nodes, f"{after} nodes left, expected {nodes}"
    return f"{before} → {after} nodes, {len(expected)} outputs, worst {worst:.1e}"


def main():
    failed = 0
    for name, build, nodes in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"ok   {name}: {check(sys.argv[1], Path(folder), build, nodes)}")
            except AssertionError as error:
                failed += 1
                print(f"FAIL {name}: {error}")
    print(f"{len(CASES)} networks compared with ONNX Runtime, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
