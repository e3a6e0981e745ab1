#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values that need not be moved or not all be computed: views, channels in the place of their Concat, rows and
parts that are picked, masks that are reduced; beside ONNX Runtime without its optimisations.

    test_views.py NN-RUN
"""
import sys

from networks import case, f32, np, run_cases

B, N, C = 2, 29, 24  # pages, tokens, channels


def linear(net, x, c_in=C, c_out=C, swap=False):
    spread = (3 / c_in) ** 0.5
    product = net.add("MatMul", x, f32(c_in, c_out, low=-spread, high=spread))
    return net.add("Add", *((f32(c_out), product) if swap else (product, f32(c_out))))


# ---------------------------------------------------------------- values that do not move

@case("Tanh*2", inputs={"x": [B, N, C]})
def reshapes_of_one_value(net):
    x = net.add("Tanh", "x")
    flat = net.add("Reshape", x, np.array([B * N, C]))
    back = net.add("Squeeze", net.add("Unsqueeze", net.add("Flatten", flat, axis=0), np.array([1])), np.array([0]))
    return net.add("Tanh", net.add("Reshape", back, np.array([N, B, C])))


@case("Tanh", inputs={"x": [B, N, C]})
def output_that_is_a_view_of_another_output(net):
    x = net.add("Tanh", "x")
    return x, net.add("Reshape", x, np.array([N, B * C])), net.add("Unsqueeze", x, np.array([0]))


@case("Reshape", inputs={"x": [B, N, C]})
def output_is_no_view_of_an_input(net):
    return net.add("Reshape", "x", np.array([B, C, N]))


@case("Tanh*3", inputs={"x": [1, N, C]})
def slices_of_whole_rows(net):
    x = net.add("Tanh", "x")
    a, b = net.add("Split", x, np.array([9, N - 9]), n_out=2, axis=1)
    c = net.add("Slice", b, np.array([4]), np.array([-3]), np.array([1]))
    return net.add("Tanh", a), net.add("Tanh", c), x


@case("Tanh*2 Slice*2 Split", inputs={"x": [B, N, C]})
def slices_of_parts_of_rows(net):
    x = net.add("Tanh", "x")
    a, b = net.add("Split", x, np.array([9, C - 9]), n_out=2, axis=2)
    c = net.add("Slice", x, np.array([0]), np.array([N]), np.array([1]), np.array([2]))
    return net.add("Tanh", a), b, c, net.add("Slice", x, np.array([-1]), np.array([-99]), np.array([0]), np.array([-1]))


@case("Tanh*2", inputs={"x": [B, N, C]})
def transposes_of_single_rows(net):
    x = net.add("Reshape", net.add("Tanh", "x"), np.array([B, 1, N * C, 1]))
    return net.add("Tanh", net.add("Transpose", x, perm=[0, 2, 3, 1]))


@case("Tanh Transpose Tanh", inputs={"x": [B, N, C]})
def transpose_that_moves(net):
    return net.add("Tanh", net.add("Transpose", net.add("Tanh", "x"), perm=[0, 2, 1]))


@case("Tanh Transpose Tanh", inputs={"x": [B, N, C]})
def flattened_transpose(net):
    moved = net.add("Transpose", net.add("Tanh", "x"), perm=[1, 0, 2])
    return net.add("Tanh", net.add("Reshape", moved, np.array([-1])))


@case("Tanh Transpose Tanh*2", inputs={"x": [B, N, C]})
def transposes_that_undo_each_other(net):
    there = net.add("Transpose", net.add("Tanh", "x"), perm=[0, 2, 1])
    return net.add("Tanh", net.add("Transpose", there, perm=[0, 2, 1])), net.add("Tanh", there)


@case("Conv MatMul Conv Reorder", inputs={"x": [B, 8, 6, 5]})
def image_to_tokens_and_back(net):
    tokens = net.add("Transpose", net.add("Reshape", net.conv("x"), np.array([B, 8, -1])), perm=[0, 2, 1])
    image = net.add("Transpose", linear(net, tokens, 8, 8), perm=[0, 2, 1])
    return net.conv(net.add("Reshape", image, np.array([B, 8, 6, 5])))


@case("Conv Reorder Tanh", inputs={"x": [B, 8, 6, 5]})
def image_to_rows_of_pixels_of_a_channel(net):
    return net.add("Tanh", net.add("Reshape", net.conv("x"), np.array([B, 8, -1])))


@case("Tanh*2", inputs={"x": [B, N, C]})
def nodes_that_keep_their_operand(net):
    x = net.add("Cast", net.add("Tanh", "x"), to=1)
    x = net.add("Expand", x, np.array([1, N, 1]))
    x = net.add("Concat", net.add("Tile", x, np.array([1, 1, 1])), axis=1)
    return net.add("Tanh", x)


@case("Tanh*2 Expand", inputs={"x": [B, N, C]})
def expansion_to_more(net):
    return net.add("Tanh", net.add("Expand", net.add("Tanh", "x"), np.array([3, 1, 1, 1])))


# ---------------------------------------------------------------- channels of an image

IMAGE = {"x": [B, 8, 6, 5]}


@case("Conv*4 Reorder", inputs=IMAGE)
def convolutions_into_a_concat(net):
    joined = net.add("Concat", net.conv("x"), net.conv("x", c_out=5), net.conv("x", c_out=16, k=1), axis=1)
    return net.conv(joined, c_in=29)


@case("Conv*4 Reorder", inputs=IMAGE)
def split_halves_into_a_concat(net):
    # As YOLOv8 has it: both halves, and what is computed from the second one.
    a, b = net.add("Split", net.conv("x", c_out=12), np.array([7, 5]), n_out=2, axis=1)
    inner = net.conv(net.conv(b, c_in=5, c_out=3), c_in=3, c_out=3)
    return net.conv(net.add("Concat", a, b, inner, axis=1), c_in=15)


@case("Conv*3 Concat Reorder", inputs=IMAGE)
def split_halves_swapped_in_a_concat(net):
    a, b = net.add("Split", net.conv("x", c_out=12), np.array([7, 5]), n_out=2, axis=1)
    return net.conv(net.add("Concat", b, a, net.conv("x"), axis=1), c_in=20)


@case("Conv*4 Concat Reorder*2", inputs=IMAGE)
def split_halves_in_a_concat_of_what_is_sliced_too(net):
    x = net.conv("x", c_out=12)
    a, b = net.add("Split", x, np.array([7, 5]), n_out=2, axis=1)
    middle = net.add("Slice", x, np.array([2]), np.array([9]), np.array([1]))
    return net.conv(net.add("Concat", a, b, net.conv("x"), axis=1), c_in=20), net.conv(middle, c_in=7)


@case("Conv*3 Concat Reorder", inputs=IMAGE)
def split_half_in_a_concat(net):
    a, b = net.add("Split", net.conv("x", c_out=12), np.array([7, 5]), n_out=2, axis=1)
    return net.conv(net.add("Concat", a, net.conv(b, c_in=5), axis=1), c_in=15)


@case("Conv*3 MaxPool*2 Resize Reorder", inputs=IMAGE)
def concat_into_a_concat(net):
    pool = {"kernel_shape": [3, 3], "pads": [1] * 4}
    x = net.conv("x")
    inner = net.add("Concat", net.add("MaxPool", x, **pool), net.add("MaxPool", net.conv("x"), **pool), axis=1)
    up = net.add("Resize", x, "", np.array([1, 1, 1, 1], "f4"), mode="nearest")
    return net.conv(net.add("Concat", up, inner, axis=1), c_in=24)


@case("Conv*2 Concat Reorder", inputs=IMAGE)
def concat_of_one_value_twice(net):
    x = net.conv("x")
    return net.conv(net.add("Concat", x, x, axis=1), c_in=16)


@case("Conv*3 Reorder*3", inputs=IMAGE)
def concat_of_outputs(net):
    x, y = net.conv("x"), net.conv("x")
    return net.conv(net.add("Concat", x, y, axis=1), c_in=16), x, y


@case("Conv*3 Add Mul Reorder", inputs=IMAGE)
def parts_that_others_read(net):
    # Elementwise nodes and residuals read and write channels with gaps between the pixels.
    a, b = net.add("Split", net.conv("x"), np.array([3, 5]), n_out=2, axis=1)
    sums = net.add("Add", net.conv(b, c_in=5, c_out=5), b)
    return net.conv(net.add("Concat", net.add("Mul", a, f32(1)), net.add("Tanh", net.add("Add", sums, f32(5, 1, 1))),
                            axis=1))


# Parts as a GPU takes them: whole vectors of channels, but for the cases that say otherwise.

WIDE = {"x": [B, 16, 9, 7]}


@case("Conv*5 Reorder*3", inputs=WIDE)
def parts_read_by_all_kinds_of_convolutions(net):
    joined = net.add("Concat", net.conv("x", c_in=16, c_out=24), net.conv("x", c_in=16, c_out=8, k=1), axis=1)
    depthwise = net.add("Conv", joined, f32(32, 1, 3, 3), pads=[1] * 4, group=32)
    return net.conv(joined, c_in=32, k=1), net.conv(joined, c_in=32), depthwise


@case("Conv*6 Reorder*4", inputs=WIDE)
def parts_made_and_read_by_convolutions(net):
    # Each part is read where it lies too.
    a, b = net.conv("x", c_in=16, c_out=24), net.conv("x", c_in=16, c_out=8, k=1)
    c = net.add("Conv", "x", f32(16, 1, 3, 3), pads=[1] * 4, group=16)
    joined = net.add("Concat", a, b, c, axis=1)
    return net.conv(joined, c_in=48, k=1), net.conv(a, c_in=24), net.conv(b, k=1), c


@case("Conv*7 Reorder*4", inputs=WIDE)
def split_read_by_all_kinds_of_convolutions(net):
    a, b, c = net.add("Split", net.conv("x", c_in=16, c_out=48), np.array([8, 16, 24]), n_out=3, axis=1)
    d = net.add("Conv", c, f32(24, 1, 5, 5, low=-0.2, high=0.2), pads=[2] * 4, group=24)
    e = net.add("Conv", b, f32(16, 8, 3, 3, low=-0.2, high=0.2), pads=[1] * 4, group=2)
    joined = net.conv(net.add("Concat", a, b, c, net.conv(d, c_in=24), axis=1), c_in=56, k=1)
    return joined, e, net.conv(a, c_out=12), net.conv(b, c_in=16, k=1, strides=[2, 2])


@case("Conv*3 Resize MaxPool Reorder", inputs={"x": [B, 8, 6, 5]})
def resized_beside_a_convolution(net):
    up = net.add("Resize", net.conv("x"), "", np.array([1, 1, 2, 2], "f4"), mode="linear")
    pool = net.add("MaxPool", up, kernel_shape=[3, 3], pads=[1] * 4)
    return net.conv(net.add("Concat", net.conv(up, c_out=16), up, pool, axis=1), c_in=32, k=1)


@case("Conv*6 Reorder", inputs=WIDE)
def concat_in_concat_in_concat(net):
    a = net.conv("x", c_in=16)
    b = net.add("Concat", a, net.conv(a), axis=1)
    c = net.add("Concat", net.conv(b, c_in=16), b, axis=1)
    d = net.add("Concat", net.conv(c, c_in=24, k=1), c, net.conv("x", c_in=16, c_out=16), axis=1)
    return net.conv(d, c_in=48, k=1)


@case("Conv*4 Reorder", inputs=WIDE)
def parts_of_odd_channels(net):
    # The second part does not begin at a vector, the third one does; pixels are whole vectors all the same.
    parts = [net.conv("x", c_in=16, c_out=c) for c in (12, 4, 16)]
    return net.conv(net.add("Concat", *parts, axis=1), c_in=32)


@case("Conv*4 Reorder", inputs=WIDE, half=3)
def activated_convolutions_into_a_concat(net):
    parts = [net.conv("x", c_in=16, c_out=c, k=k) for c, k in ((24, 3), (12, 1), (12, 3))]
    parts = [net.add("Mul", x, net.add("Sigmoid", x)) for x in parts]
    return net.conv(net.add("Concat", *parts, axis=1), c_in=48)


@case("Conv*6 Reorder", inputs=WIDE, half=3)
def residuals_that_are_parts(net):
    # As YOLOv8's bottlenecks have it, and a residual that the result lies beside.
    a, b = net.add("Split", net.conv("x", c_in=16, c_out=16), np.array([8, 8]), n_out=2, axis=1)
    c = net.add("Relu", net.add("Add", net.conv(net.conv(b)), b))
    d = net.add("Add", net.conv(net.conv(c), k=1), c)
    return net.conv(net.add("Concat", a, b, c, d, axis=1), c_in=32, k=1, bias=True)


@case("Conv*2 Add Silu GlobalAveragePool Reorder", inputs=WIDE)
def parts_between_elementwise_nodes(net):
    a, b = net.add("Split", net.conv("x", c_in=16, c_out=24), np.array([8, 16]), n_out=2, axis=1)
    joined = net.add("Concat", net.add("Add", a, f32(8, 1, 1)), net.add("Mul", b, net.add("Sigmoid", b)), axis=1)
    return net.conv(joined, c_in=24), net.add("GlobalAveragePool", b)


# ---------------------------------------------------------------- what a mask covers

HW = [40, 5]  # more than a few vectors, and an odd rest


def mask(net, x="m", threshold=0.5):
    return net.add("Greater", x, np.float32(threshold))


def covered(net, booleans, reduce, table=None, fill=3.4e38, axes=None):
    table = f32(*HW, low=0, high=200) if table is None else table
    product = net.add("Mul", table, net.add("Cast", booleans, to=1))
    if reduce == "ReduceMin":
        product = net.add("Where", booleans, product, np.float32(fill))
    if axes is None:
        product, axes = net.add("Reshape", product, np.array([B, 3, -1])), [-1]
    return net.add(reduce, product, axes=axes, keepdims=0)


MASK = {"m": [B, 3, *HW]}


@case("MaskedReduce*3", inputs=MASK)
def box_around_a_mask(net):
    booleans = net.add("Cast", mask(net), to=9)
    count = net.add("ReduceSum", net.add("Cast", booleans, to=7), np.array([-2, -1]), keepdims=0)
    # Masks that cover nothing have their minimum at the fill, as in the models.
    return covered(net, booleans, "ReduceMax"), covered(net, booleans, "ReduceMin", fill=9.0), count


@case("MaskedReduce", inputs=MASK)
def mask_reduced_without_a_reshape(net):
    return covered(net, mask(net, threshold=5), "ReduceMax", axes=[2, 3])


@case("Greater Cast Mul ReduceMax", inputs=MASK)
def mask_reduced_along_rows(net):
    return covered(net, mask(net), "ReduceMax", axes=[3])


@case("Greater Cast Mul ReduceMax", inputs=MASK)
def mask_reduced_along_columns(net):
    return covered(net, mask(net), "ReduceMax", axes=[2])


@case("Greater Cast Mul ReduceMax", inputs=MASK)
def mask_by_a_table_of_rows(net):
    return covered(net, mask(net), "ReduceMax", table=f32(HW[1]))


@case("Greater*2 Cast Mul Where ReduceMin", inputs=MASK)
def choice_by_another_mask(net):
    product = net.add("Mul", f32(*HW), net.add("Cast", mask(net), to=1))
    product = net.add("Where", mask(net, threshold=0.0), product, np.float32(7))
    return net.add("ReduceMin", net.add("Reshape", product, np.array([B, 3, -1])), axes=[-1], keepdims=0)


@case("Greater Cast ReduceSum", inputs=MASK)
def count_along_columns(net):
    return net.add("ReduceSum", net.add("Cast", mask(net), to=7), np.array([2]), keepdims=0)


# ---------------------------------------------------------------- parts and rows that are picked

K = 5


def picked(net, x, c, repeat="Tile", scores="x"):
    """The rows of x with the highest scores, as exporters write it."""
    _, rows = net.add("TopK", net.add("ReduceMax", scores, axes=[-1], keepdims=0), np.array([K]), n_out=2, axis=1)
    rows = net.add("Unsqueeze", rows, np.array([-1]))
    to = np.array([1, 1, c]) if repeat == "Tile" else np.array([B, K, c])
    return net.add("GatherElements", x, net.add(repeat, rows, to), axis=1)


@case("ReduceMax TopK GatherND MatMul*2 GatherND Add", inputs={"x": [B, N, C]})
def rows_picked_before_their_layers(net):
    # The second GatherND is of the constant.
    x = linear(net, net.add("Relu", linear(net, "x")), c_out=4)
    return net.add("Sigmoid", picked(net, net.add("Add", x, f32(B, N, 4)), 4))


@case("ReduceMax TopK GatherND MatMul", inputs={"x": [B, N, C]})
def rows_picked_by_expanded_indices(net):
    return picked(net, linear(net, "x", c_out=4), 4, repeat="Expand")


@case("MatMul ReduceMax TopK GatherND MatMul", inputs={"x": [B, N, C]})
def rows_picked_from_a_layer_that_others_read(net):
    x = net.add("Relu", linear(net, "x"))
    return picked(net, linear(net, x, c_out=4), 4, scores=x)


@case("MatMul ReduceMax TopK GatherND", inputs={"x": [B, N, C]})
def rows_picked_from_an_output(net):
    x = linear(net, "x")
    return picked(net, x, C), x


@case("ReduceMax TopK MatMul Add GatherND", inputs={"x": [B, N, C]})
def rows_picked_behind_a_broadcast_add(net):
    return picked(net, net.add("Add", linear(net, "x"), f32(N, 1)), C)


@case("MatMul ReduceMax TopK Tile GatherElements", inputs={"x": [B, N, C]})
def columns_picked_are_no_rows(net):
    _, columns = net.add("TopK", net.add("ReduceMax", "x", axes=[1], keepdims=1), np.array([K]), n_out=2, axis=2)
    return net.add("GatherElements", linear(net, "x"), net.add("Tile", columns, np.array([1, N, 1])), axis=2)


def stacked(net, n=3):
    layers = [net.add("Unsqueeze", linear(net, "x", c_out=4), np.array([1])) for _ in range(n)]
    return net.add("Concat", *layers, axis=1)


@case("MatMul", inputs={"x": [B, N, C]})
def last_of_a_stack(net):
    return net.add("Gather", stacked(net), np.array(-1), axis=1)


@case("MatMul*3 Concat", inputs={"x": [B, N, C]})
def last_of_a_stack_that_is_an_output(net):
    stack = stacked(net)
    return net.add("Gather", stack, np.array(1), axis=1), stack


@case("MatMul*3 Concat Gather", inputs={"x": [B, N, C]})
def row_of_a_stack(net):
    return net.add("Gather", stacked(net), np.array(1), axis=2)


@case("MatMul Concat Gather", inputs={"x": [B, N, C]})
def one_of_a_longer_part(net):
    return net.add("Gather", net.add("Concat", linear(net, "x"), "x", axis=1), np.array(0), axis=1)


@case("Conv*2 Pad Reorder", inputs={"x": [B, 8, 6, 5]})
def padding_between_convolutions(net):
    # The output alone changes its layout.
    return net.conv(net.add("Pad", net.conv("x"), np.array([0, 0, 0, 0, 0, 0, 1, 2])))


sys.exit(run_cases())
