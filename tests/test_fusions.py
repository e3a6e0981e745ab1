#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the fusions make of transformers: subgraphs as exporters write them, beside ONNX Runtime without its
optimisations, and near misses, which must stay as they are.

    test_fusions.py NN-RUN
"""
import sys

from networks import CASES, case, f32, np, run_cases

B, N, C, HEADS = 2, 29, 24, 3  # pages, tokens, channels


def linear(net, x, c_in=C, c_out=C, swap=False):
    spread = (3 / c_in) ** 0.5
    product = net.add("MatMul", x, f32(c_in, c_out, low=-spread, high=spread))
    return net.add("Add", *((f32(c_out), product) if swap else (product, f32(c_out))))


# ---------------------------------------------------------------- products

@case("MatMul", inputs={"x": [B, N, C]})
def bias_and_activation(net):
    return net.add("Relu", linear(net, "x", c_out=37))


@case("MatMul", inputs={"x": [B, N, C]})
def bias_from_the_left_of_more_dimensions(net):
    return net.add("Add", f32(1, 1, 7), net.add("MatMul", "x", f32(C, 7)))


@case("MatMul", inputs={"x": [B, N, C]})
def bias_of_a_product_of_activations(net):
    return net.add("Add", net.add("MatMul", "x", "y"), f32(5))


CASES[-1][3].update({"y": [B, C, 5]})


@case("MatMul Add", inputs={"x": [B, N, C]})
def number_a_row_is_no_bias(net):
    return net.add("Add", net.add("MatMul", "x", f32(C, 7)), f32(N, 1))


@case("MatMul Add", inputs={"x": [B, 7, C]})
def number_a_row_is_no_bias_of_as_many_columns(net):
    return net.add("Add", net.add("MatMul", "x", f32(C, 7)), f32(7, 1))


@case("MatMul Add", inputs={"x": [B, N, C]})
def one_number_is_no_bias(net):
    return net.add("Add", net.add("MatMul", "x", f32(C, 7)), f32(1))


@case("MatMul Add", inputs={"x": [B, N, C]})
def bias_that_adds_dimensions(net):
    return net.add("Add", net.add("MatMul", "x", f32(C, 7)), f32(3, 1, 1, 7))


@case("MatMul Add", inputs={"x": [B, N, C]})
def product_that_another_reads(net):
    product = net.add("MatMul", "x", f32(C, 7))
    return net.add("Add", product, f32(7)), product


@case("MatMul*2", inputs={"x": [B, N, C]})
def bias_residual_activation(net):
    first = linear(net, "x")
    return net.add("Relu", net.add("Add", first, linear(net, first, swap=True)))


@case("MatMul Tanh", inputs={"x": [B, N, C]})
def residual_computed_later(net):
    product = linear(net, "x")
    return net.add("Add", product, net.add("Tanh", "x"))


@case("MatMul Add", inputs={"x": [B, N, C]})
def broadcast_is_no_residual(net):
    return net.add("Add", net.add("MatMul", "x", f32(C, 7)), "y")


CASES[-1][3].update({"y": [1, N, 7]})


# ---------------------------------------------------------------- GELU, LayerNormalization

def erf_part(net, x, by="Div", one=1.0, root=2 ** 0.5):
    scaled = net.add(by, x, np.float32(root if by == "Div" else 1 / root))
    return net.add("Add", net.add("Erf", scaled), np.float32(one))


@case("Gelu", inputs={"x": [B, N, C]})
def gelu_as_exported(net):
    return net.add("Mul", net.add("Mul", "x", erf_part(net, "x")), np.float32(0.5))


@case("Gelu", inputs={"x": [B, N, C]})
def gelu_with_half_x(net):
    return net.add("Mul", net.add("Mul", "x", np.float32(0.5)), erf_part(net, "x", by="Mul"))


@case("Gelu", inputs={"x": [B, N, C]})
def gelu_with_half_of_the_gate(net):
    return net.add("Mul", net.add("Mul", np.float32(0.5), erf_part(net, "x")), "x")


@case("MatMul", inputs={"x": [B, N, C]})
def gelu_into_the_product(net):
    x = linear(net, "x")
    return net.add("Mul", net.add("Mul", x, erf_part(net, x)), np.float32(0.5))


@case("Div Erf Add Mul*2", inputs={"x": [B, N, C]})
def gelu_by_another_root(net):
    return net.add("Mul", net.add("Mul", "x", erf_part(net, "x", root=1.5)), np.float32(0.5))


@case("Div Erf Add Mul*2", inputs={"x": [B, N, C]})
def gelu_with_another_half(net):
    return net.add("Mul", net.add("Mul", "x", erf_part(net, "x")), np.float32(0.4))


@case("Div Erf Add Mul*2", inputs={"x": [B, N, C]})
def gelu_with_another_one(net):
    return net.add("Mul", net.add("Mul", "x", erf_part(net, "x", one=2.0)), np.float32(0.5))


@case("Div Erf Add Mul*2 Tanh", inputs={"x": [B, N, C]})
def gelu_of_something_else(net):
    return net.add("Mul", net.add("Mul", net.add("Tanh", "x"), erf_part(net, "x")), np.float32(0.5))


@case("Div Erf Add Mul*2", inputs={"x": [B, N, C]})
def gelu_whose_gate_is_an_output(net):
    gate = erf_part(net, "x")
    return net.add("Mul", net.add("Mul", "x", gate), np.float32(0.5)), gate


def layer_norm(net, x, square="Pow", axis=-1, other=None, epsilon=1e-5, c=C):
    centred = net.add("Sub", x, net.add("ReduceMean", x, axes=[axis]))
    squared = net.add("Pow", centred, np.float32(2)) if square == "Pow" else net.add("Mul", centred, centred)
    if other is not None:
        squared = net.add("Mul", centred, other)
    variance = net.add("ReduceMean", squared, axes=[axis])
    root = net.add("Sqrt", net.add("Add", variance, np.float32(epsilon)))
    scaled = net.add("Mul", net.add("Div", centred, root), f32(c))
    return net.add("Add", scaled, f32(c))


@case("LayerNormalization", inputs={"x": [B, N, C]})
def layer_norm_with_pow(net):
    return layer_norm(net, "x", epsilon=1e-2)


@case("LayerNormalization", inputs={"x": [B, N, C]})
def layer_norm_with_mul_by_positive_axis(net):
    return layer_norm(net, "x", square="Mul", axis=2)


@case("MatMul LayerNormalization MatMul", inputs={"x": [B, N, C]})
def layer_norm_between_products(net):
    return linear(net, layer_norm(net, linear(net, "x")))


@case("ReduceMean*2 Sub Pow Add Sqrt Div Mul Add", inputs={"x": [B, N, C]})
def layer_norm_along_another_axis(net):
    return layer_norm(net, "x", axis=1)


@case("ReduceMean*2 Sub Mul*2 Add Sqrt Div Add", inputs={"x": [B, N, C]})
def layer_norm_of_another_square(net):
    return layer_norm(net, "x", other="x")


# ---------------------------------------------------------------- attention

def heads(net, x, perm, n=N, c=C):
    return net.add("Transpose", net.add("Reshape", x, np.array([B, n, -1, c // HEADS])), perm=perm)


def together(net, x, n=N):
    return net.add("Reshape", net.add("Transpose", x, perm=[0, 2, 1, 3]), np.array([B, n, -1]))


def attention(net, x, n=N, scale=("Mul", 0.42), mask=None, axis=-1, keys=None, key_perm=(0, 2, 3, 1), after=None):
    """As the exporter of transformers writes it: q and k each scaled by the root of the scale."""
    q = heads(net, linear(net, x), [0, 2, 1, 3], n)
    k = heads(net, linear(net, keys or x), key_perm, n)
    if scale:
        q, k = (net.add(scale[0], t, np.float32(scale[1])) for t in (q, k))
    scores = net.add("MatMul", q, k)
    if after:
        scores = net.add("Div", scores, np.float32(after))
    if mask is not None:
        scores = net.add("Add", scores, mask)
    share = net.add("Softmax", scores, axis=axis)
    v = heads(net, linear(net, x), [0, 2, 1, 3], n)
    return together(net, net.add("MatMul", share, v), n), share


@case("MatMul*4 Attention", inputs={"x": [B, N, C]})
def attention_as_exported(net):
    return linear(net, attention(net, "x")[0])


@case("MatMul*3 Attention", inputs={"x": [B, N, C]})
def attention_scaled_after_the_product(net):
    return attention(net, "x", scale=None, after=2.83)[0]


@case("MatMul*3 Attention", inputs={"x": [B, N, C]})
def attention_with_a_mask_a_page(net):
    return attention(net, "x", mask="m")[0]


CASES[-1][3].update({"m": [B, 1, N, N]})


@case("MatMul*3 Attention", inputs={"x": [B, N, C]})
def attention_with_one_mask_a_head(net):
    return attention(net, "x", mask=f32(HEADS, N, N, low=-3, high=3))[0]


@case("MatMul*3 Attention", inputs={"x": [B, 201, C]}, half=10)
def attention_with_scores_that_overflow_an_exponential(net):
    return attention(net, "x", n=201, mask=f32(201, 201, low=-110, high=110))[0]


@case("MatMul*3 Attention", inputs={"x": [B, N, C]})
def attention_with_a_mask_a_token(net):
    return attention(net, "x", mask=np.where(f32(1, 1, 1, N) > 0.5, -1e9, 0).astype("f4"), after=3)[0]


@case("MatMul*3 Attention", inputs={"x": [B, N, C]}, half=10)
def attention_of_keys_transposed_twice(net):
    q = heads(net, linear(net, "x"), [0, 2, 1, 3])
    k = net.add("Transpose", heads(net, linear(net, "x"), [0, 2, 1, 3]), perm=[0, 1, 3, 2])
    share = net.add("Softmax", net.add("MatMul", q, k), axis=-1)
    return together(net, net.add("MatMul", share, heads(net, linear(net, "x"), [0, 2, 1, 3])))


@case("MatMul*3 Attention", inputs={"x": [B, 1, C]})
def attention_of_one_token(net):
    return attention(net, "x", n=1)[0]


@case("Slice Transpose*4 MatMul*2 Softmax", inputs={"x": [B, N, HEADS, C // HEADS]})
def attention_without_heads(net):
    x = net.add("Slice", "x", np.array([0]), np.array([0]), np.array([2]))
    q, k, v = (net.add("Transpose", x, perm=perm) for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
    share = net.add("Softmax", net.add("MatMul", q, k), axis=-1)
    return net.add("Transpose", net.add("MatMul", share, v), perm=[0, 2, 1, 3])


@case("MatMul*3 Attention", inputs={"x": [B, 1201, C]})
def attention_of_many_tokens(net):
    return attention(net, "x", n=1201)[0]


@case("Attention MatMul", inputs={"q": [B, 5, C], "x": [B, N, C], "v": [B, N, 2 * C]})
def attention_of_other_tokens_and_wider_values(net):
    q, k = heads(net, "q", [0, 2, 1, 3], 5), heads(net, "x", [0, 2, 3, 1])
    share = net.add("Softmax", net.add("MatMul", q, k), axis=-1)
    return linear(net, together(net, net.add("MatMul", share, heads(net, "v", [0, 2, 1, 3], c=2 * C)), 5), 2 * C)


def attention_of(size, queries, tokens, mask=None):
    """A case by these numbers; `size`: channels a head."""
    c = HEADS * size

    def build(net):
        q, k = heads(net, "q", [0, 2, 1, 3], queries, c), heads(net, "k", [0, 2, 3, 1], tokens, c)
        v = heads(net, "v", [0, 2, 1, 3], tokens, c)
        scores = net.add("Mul", net.add("MatMul", q, k), np.float32(size ** -0.5))
        if mask is not None:
            scores = net.add("Add", scores, mask)
        return together(net, net.add("MatMul", net.add("Softmax", scores, axis=-1), v), queries)

    build.__name__ = f"attention_of_{queries}_queries_{tokens}_tokens_size_{size}{'' if mask is None else '_masked'}"
    case("Attention", inputs={"q": [B, queries, c], "k": [B, tokens, c], "v": [B, tokens, c]})(build)


def masked_out(*shape):
    """Minus infinity in many places, but never all along a row; the first row has its last token only."""
    mask = np.where(f32(*shape) > 0.2, -np.inf, 0).astype("f4")
    mask.reshape(-1, shape[-1])[0] = -np.inf
    mask[..., -1] = 1
    return mask


for NUMBERS in ((1, 7, 9), (5, 3, 131), (16, 1, 300), (24, 65, 64), (32, 300, 301), (40, 9, 128), (64, 17, 129),
                (100, 5, 63), (128, 33, 65), (136, 5, 7)):
    attention_of(*NUMBERS)
attention_of(32, 19, 261, masked_out(19, 261))
attention_of(64, 5, 140, masked_out(HEADS, 1, 140))
attention_of(24, 37, 33, masked_out(B, 1, 37, 33))
attention_of(5, 3, 70, masked_out(1, 1, 3, 70))


@case("MatMul*2 Softmax Transpose*4", inputs={"x": [B, N, C], "q": [1, 5, C]})
def attention_of_one_page_for_all(net):
    q = net.add("Transpose", net.add("Reshape", "q", np.array([1, 5, -1, C // HEADS])), perm=[0, 2, 1, 3])
    share = net.add("Softmax", net.add("MatMul", q, heads(net, "x", [0, 2, 3, 1])), axis=-1)
    return together(net, net.add("MatMul", share, heads(net, "x", [0, 2, 1, 3])), 5)


@case("MatMul*5 Softmax Transpose*4", inputs={"x": [B, N, C]})
def attention_whose_shares_are_an_output(net):
    return attention(net, "x", scale=None)


@case("MatMul*5 Softmax Transpose*4", inputs={"x": [B, N, C]})
def attention_along_another_axis(net):
    return attention(net, "x", scale=None, axis=2)[0]


@case("MatMul*5 Softmax Transpose*4", inputs={"x": [B, C // HEADS, C]})
def attention_with_keys_not_transposed(net):
    return attention(net, "x", n=C // HEADS, scale=None, key_perm=[0, 2, 1, 3])[0]


@case("MatMul*5 Softmax Transpose*4 Mul*2", inputs={"x": [B, N, C]})
def attention_scaled_by_channel(net):
    q = net.add("Mul", heads(net, linear(net, "x"), [0, 2, 1, 3]), f32(C // HEADS))
    k = net.add("Mul", heads(net, linear(net, "x"), [0, 2, 3, 1]), f32(N))
    share = net.add("Softmax", net.add("MatMul", q, k), axis=-1)
    return together(net, net.add("MatMul", share, heads(net, linear(net, "x"), [0, 2, 1, 3])))


# ---------------------------------------------------------------- deformable attention

Q, D = 211, 8                        # queries, channels a head
MAPS, POINTS = [(5, 7), (3, 4), (2, 1)], [4, 3, 2]
TOKENS = sum(h * w for h, w in MAPS)
STARTS = np.cumsum([0] + [h * w for h, w in MAPS])


def places(net, offsets, boxes, n, two=2.0, half=0.5, rank=5):
    """Positions -1 … 1 from offsets [B, Q, HEADS, …, 2] and boxes [B, Q, 4]."""
    for axis in range(2, rank - 1):
        boxes = net.add("Unsqueeze", boxes, np.array([axis]))
    centre, size = (net.add("Slice", boxes, np.array([a]), np.array([b]), np.array([rank - 1]), np.array([1]))
                    for a, b in ((0, 2), (2, 2 ** 63 - 1)))
    if rank == 6:
        offsets = net.add("Div", offsets, np.float32(n))
    else:
        offsets = net.add("Mul", offsets, f32(n, 1, low=0.1, high=0.5))
    offsets = net.add("Mul", net.add("Mul", offsets, size), np.float32(half))
    return net.add("Sub", net.add("Mul", net.add("Add", centre, offsets), np.float32(two)), np.float32(1))


def rows_of_heads(net, x, perm, shape):
    return net.add("Reshape", net.add("Transpose", x, perm=perm), np.array(shape))


def weighted(net, samples, weights, n, last=(0, 2, 1), d=D):
    weights = rows_of_heads(net, weights, [0, 2, 1, 3], [B * HEADS, 1, Q, n])
    total = net.add("ReduceSum", net.add("Mul", samples, weights), np.array([-1]), keepdims=0)
    return net.add("Transpose", net.add("Reshape", total, np.array([B, HEADS * d, Q])), perm=list(last))


def sampled(net, maps, grids, **options):
    options = {"mode": "bilinear", "padding_mode": "zeros", "align_corners": 0, **options}
    return [net.add("GridSample", m, g, **options) for m, g in zip(maps, grids)]


def second_form(net, positions, weights, points=POINTS, order=(0, 1, 2), grid_order=(0, 1, 2), d=D, **options):
    """RT-DETRv2 and D-FINE: values transposed, then sliced; positions split by map."""
    n = sum(points)
    values = net.add("Transpose", net.add("Reshape", "v", np.array([B, TOKENS, HEADS, d])), perm=[0, 2, 3, 1])
    values = net.add("Reshape", values, np.array([B * HEADS, d, TOKENS]))
    maps = []
    for i in order:
        part = net.add("Slice", values, STARTS[i:i + 1], STARTS[i + 1:i + 2], np.array([-1]))
        maps.append(net.add("Reshape", part, np.array([B * HEADS, d, *MAPS[i]])))
    positions = rows_of_heads(net, positions, [0, 2, 1, 3, 4], [B * HEADS, Q, n, 2])
    grids = net.add("Split", positions, np.array([points[i] for i in order]), n_out=3, axis=-2)
    grids = [grids[i] for i in grid_order]
    return weighted(net, net.add("Concat", *sampled(net, maps, grids, **options), axis=-1), weights, n, d=d)


def first_form(net, positions, weights, n=4, grid_order=(0, 1, 2)):
    """RT-DETR: values sliced, then transposed; positions of one map gathered from [B, Q, HEADS, maps, n, 2]."""
    values, maps, grids = net.add("Reshape", "v", np.array([B, TOKENS, HEADS, D])), [], []
    for i, (h, w) in enumerate(MAPS):
        part = net.add("Slice", values, STARTS[i:i + 1], STARTS[i + 1:i + 2], np.array([1]))
        part = net.add("Transpose", net.add("Reshape", part, np.array([B, h * w, -1])), perm=[0, 2, 1])
        maps.append(net.add("Reshape", part, np.array([B * HEADS, D, h, w])))
        grid = net.add("Gather", positions, np.array(grid_order[i]), axis=3)
        grids.append(rows_of_heads(net, grid, [0, 2, 1, 3, 4], [B * HEADS, Q, n, 2]))
    samples = [net.add("Unsqueeze", s, np.array([-2])) for s in sampled(net, maps, grids)]
    samples = net.add("Reshape", net.add("Concat", *samples, axis=-2), np.array([B * HEADS, D, Q, 3 * n]))
    return weighted(net, samples, weights, 3 * n)


def offsets_and_boxes(n):
    return {"v": [B, TOKENS, HEADS * D], "o": [B, Q, HEADS * n * 2], "w": [B, Q, HEADS * n], "b": [B, Q, 4]}


def positions_given(n, d=D):
    return {"v": [B, TOKENS, HEADS * d], "p": [B, Q, HEADS, n, 2], "w": [B, Q, HEADS, n]}


def soft(net, n):
    return net.add("Softmax", net.add("Reshape", "w", np.array([B, Q, HEADS, n])), axis=-1)


def split_offsets(net, n):
    return net.add("Reshape", "o", np.array([B, Q, HEADS, n, 2]))


@case("DeformableAttention", inputs=offsets_and_boxes(9))
def deformable_as_rt_detr_v2_has_it(net):
    return second_form(net, places(net, split_offsets(net, 9), "b", 9), soft(net, 9))


@case("DeformableAttention", inputs=offsets_and_boxes(12))
def deformable_as_rt_detr_has_it(net):
    offsets = net.add("Reshape", "o", np.array([B, Q, HEADS, 3, 4, 2]))
    weights = net.add("Reshape", soft(net, 12), np.array([B, Q, HEADS, 3, 4]))
    weights = net.add("Transpose", weights, perm=[0, 2, 1, 3, 4])
    weights = net.add("Reshape", weights, np.array([B * HEADS, 1, Q, 12]))
    positions = places(net, offsets, "b", 4, rank=6)
    values, maps, grids = net.add("Reshape", "v", np.array([B, TOKENS, HEADS, D])), [], []
    for i, (h, w) in enumerate(MAPS):
        part = net.add("Slice", values, STARTS[i:i + 1], STARTS[i + 1:i + 2], np.array([1]))
        part = net.add("Transpose", net.add("Reshape", part, np.array([B, h * w, -1])), perm=[0, 2, 1])
        maps.append(net.add("Reshape", part, np.array([B * HEADS, D, h, w])))
        grid = net.add("Gather", positions, np.array(i), axis=3)
        grids.append(rows_of_heads(net, grid, [0, 2, 1, 3, 4], [B * HEADS, Q, 4, 2]))
    samples = [net.add("Unsqueeze", s, np.array([-2])) for s in sampled(net, maps, grids)]
    samples = net.add("Reshape", net.add("Concat", *samples, axis=-2), np.array([B * HEADS, D, Q, 12]))
    total = net.add("ReduceSum", net.add("Mul", samples, weights), np.array([-1]), keepdims=0)
    return net.add("Transpose", net.add("Reshape", total, np.array([B, HEADS * D, Q])), perm=[0, 2, 1])


@case("DeformableAttention", inputs=positions_given(9))
def deformable_of_positions_far_outside(net):
    return second_form(net, "p", "w")


@case("DeformableAttention", inputs=positions_given(12))
def deformable_of_gathered_positions(net):
    positions = net.add("Reshape", "p", np.array([B, Q, HEADS, 3, 4, 2]))
    return first_form(net, positions, "w")


@case("DeformableAttention", inputs=positions_given(3))
def deformable_of_one_point_a_map(net):
    return second_form(net, "p", "w", points=[1, 1, 1])


@case("DeformableAttention", inputs=positions_given(47))
def deformable_of_more_points_than_a_warp_has_threads(net):
    return second_form(net, "p", net.add("Softmax", "w", axis=-1), points=[4, 40, 3])


@case("DeformableAttention", inputs=positions_given(9, 32))
def deformable_of_32_channels(net):
    return second_form(net, "p", "w", d=32)


@case("DeformableAttention", inputs=positions_given(9, 24))
def deformable_of_24_channels(net):
    return second_form(net, "p", net.add("Softmax", "w", axis=-1), d=24)


@case("DeformableAttention", inputs=positions_given(9, 13))
def deformable_of_13_channels(net):
    return second_form(net, "p", "w", d=13)


@case("DeformableAttention", inputs=positions_given(9, 264))
def deformable_of_264_channels(net):
    return second_form(net, "p", "w", d=264)


@case("DeformableAttention Mul Sub Add Slice*2 Mul*3", inputs=offsets_and_boxes(9))
def positions_not_from_minus_one_to_one(net):
    return second_form(net, places(net, split_offsets(net, 9), "b", 9, two=3.0), soft(net, 9))


@case("DeformableAttention", inputs=offsets_and_boxes(9))
def offsets_of_the_whole_box(net):
    return second_form(net, places(net, split_offsets(net, 9), "b", 9, half=1.0), soft(net, 9))


@case("Greater Cast Mul ReduceMax", inputs={"x": [4, 5]}, opset=18)
def mask_that_is_not_reduced(net):
    covered = net.add("Cast", net.add("Greater", "x", np.float32(0)), to=1)
    return net.add("ReduceMax", net.add("Mul", covered, f32(4, 5)), noop_with_empty_axes=1)


UNFUSED = "Transpose*4 Split Slice*3 Reorder*7 GridSample*3 Concat Mul ReduceSum"


@case(UNFUSED, inputs=positions_given(9))
def maps_in_another_order(net):
    return second_form(net, "p", "w", order=(1, 0, 2))


@case(UNFUSED, inputs=positions_given(9))
def positions_in_another_order(net):
    return second_form(net, "p", "w", points=[3, 3, 3], grid_order=(0, 2, 1))


@case("Slice*3 Transpose*8 Gather*3 Reorder*9 GridSample*3 Concat Mul ReduceSum", inputs=positions_given(12))
def gathered_positions_in_another_order(net):
    positions = net.add("Reshape", "p", np.array([B, Q, HEADS, 3, 4, 2]))
    return first_form(net, positions, "w", grid_order=(1, 0, 2))


@case(UNFUSED, inputs=positions_given(9))
def samples_repeat_the_border(net):
    return second_form(net, "p", "w", padding_mode="border")


@case(UNFUSED, inputs=positions_given(9))
def samples_align_the_corners(net):
    return second_form(net, "p", "w", align_corners=1)


@case(UNFUSED, inputs=positions_given(9))
def samples_of_the_nearest_pixel(net):
    return second_form(net, "p", "w", mode="nearest")


sys.exit(run_cases())
