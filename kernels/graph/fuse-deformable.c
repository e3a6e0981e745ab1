/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Deformable attention over several feature maps, as RT-DETR, RT-DETRv2 and D-FINE are exported: for
 * each map a Slice of the values, rearranged to an image, a GridSample of it, their Concat, a product
 * with the attention weights and the sum over the points. Made one node:
 *
 * DeformableAttention, all float32 and row-major
 *   operand 0, values: [batch, Σ height · width, heads · size], the maps one after another
 *   operand 1, positions: [batch, queries, heads, points, 2], x and y, -1 … 1 over the map; with
 *     operand 3, offsets from the box's centre in parts of its width and height
 *   operand 2, weights: [batch, queries, heads, points]
 *   operand 3, boxes: [batch, queries, 4], cx cy w h, 0 … 1 over the map; or left out
 *   attribute heads
 *   attributes heights, widths, points: one number a map
 *   attribute scales, with operand 3: one a point, what its offset is multiplied by
 *   attribute softmax: 1 if the weights are yet to be made by a softmax over the points
 *   result: [batch, queries, heads · size], Σ over points of weight · value there, bilinear, zeros
 *     outside the map, pixel centres at half numbers (align_corners 0)
 */
#include "fuse.h"
#include "shape.h"

#include <string.h>

enum { MAX_MAPS = 8 };

typedef struct deformable {
  int64_t batch, heads, size, queries, points; /* points of all maps together */
  int64_t n_maps, heights[MAX_MAPS], widths[MAX_MAPS], map_points[MAX_MAPS];
  nn_value *values;    /* [batch, Σ, heads, size] */
  nn_value *positions; /* [batch, queries, heads, …, 2] */
  nn_value *weights;   /* [batch, queries, heads, …] */
  nn_value *boxes;     /* … 4; NULL: positions are what they are called */
  float *scales;       /* a point, with boxes */
  bool softmax;
} deformable;

/* x where `value` is x with its dimensions 1 and 2 swapped, then perhaps reshaped. */
static nn_value *
swapped_back (nn_value *value)
{
  static const int perm[NN_MAX_RANK] = { 0, 2, 1, 3, 4, 5, 6, 7 };
  nn_value *from = nn_fuse_reshaped_from (value);
  return from->rank >= 4 && nn_fuse_is_transpose (from->producer, from->rank, perm) ? from->producer->in[0]
                                                                                    : NULL;
}

/* [batch, queries, heads, then dimensions of which there are `rest` elements]. */
static bool
is_by_query (const deformable *d, const nn_value *value, int64_t rest)
{
  return value != NULL && value->rank >= 4 && value->dtype == NN_F32 && value->dim[0] == d->batch
         && value->dim[1] == d->queries && value->dim[2] == d->heads
         && nn_shape_count (value->rank - 3, value->dim + 3) == rest;
}

/* Whether a Slice takes `n` elements from `start` of dimension `axis` and everything of the others. */
static bool
is_slice (const nn_node *node, int axis, int64_t start, int64_t n)
{
  int64_t starts[NN_MAX_RANK], steps[NN_MAX_RANK], counts[NN_MAX_RANK];
  nn_error ignored;
  if (nn_shape_slice_ranges (node, starts, steps, counts, &ignored) != NN_OK)
    return false;
  for (int i = 0; i < node->in[0]->rank; i++)
    if (steps[i] != 1 || starts[i] != (i == axis ? start : 0)
        || counts[i] != (i == axis ? n : node->in[0]->dim[i]))
      return false;
  return true;
}

/* ---- the values of one map ---- */

/* [batch, tokens, heads, size] where the map is a slice of the last dimension of [batch · heads, size,
 * tokens]. */
static nn_value *
values_sliced_last (nn_value *map, int64_t start, int64_t n)
{
  static const int perm[4] = { 0, 2, 3, 1 };
  nn_node *slice = nn_fuse_producer (nn_fuse_reshaped_from (map), "Slice");
  if (slice == NULL || slice->in[0]->rank != 3 || !is_slice (slice, 2, start, n))
    return NULL;
  nn_node *transpose = nn_fuse_producer (nn_fuse_reshaped_from (slice->in[0]), "Transpose");
  return nn_fuse_is_transpose (transpose, 4, perm) ? transpose->in[0] : NULL;
}

/* … where it is a slice of its tokens before any rearrangement. */
static nn_value *
values_sliced_first (const deformable *d, nn_value *map, int64_t start, int64_t n)
{
  static const int perm[3] = { 0, 2, 1 };
  const int64_t joined[3] = { d->batch, n, d->heads * d->size };
  nn_node *transpose = nn_fuse_producer (nn_fuse_reshaped_from (map), "Transpose");
  if (!nn_fuse_is_transpose (transpose, 3, perm) || !nn_fuse_has_shape (transpose->in[0], 3, joined))
    return NULL;
  nn_node *slice = nn_fuse_producer (nn_fuse_reshaped_from (transpose->in[0]), "Slice");
  return slice != NULL && slice->in[0]->rank == 4 && is_slice (slice, 1, start, n) ? slice->in[0] : NULL;
}

static bool
match_map (deformable *d, nn_value *map, int64_t start, int64_t n)
{
  nn_value *values = values_sliced_first (d, map, start, n);
  if (values == NULL)
    values = values_sliced_last (map, start, n);
  if (values == NULL || (d->values != NULL && d->values != values))
    return false;
  d->values = values;
  return values->rank == 4 && values->dtype == NN_F32 && values->dim[0] == d->batch
         && values->dim[2] == d->heads && values->dim[3] == d->size;
}

/* ---- the positions in one map ---- */

/* Part `index` of a Split over points, of positions whose dimensions 1 and 2 were swapped before. */
static nn_value *
positions_split (const nn_value *grid, int64_t first, int64_t n)
{
  nn_node *split = nn_fuse_producer (grid, "Split");
  if (split == NULL || split->in[0]->rank != 4 || nn_shape_axis (nn_node_int (split, "axis", 0), 4) != 2)
    return NULL;
  int64_t before = 0;
  for (int i = 0; i < split->n_out && split->out[i] != grid; i++) {
    if (split->out[i] == NULL)
      return NULL;
    before += split->out[i]->dim[2];
  }
  return before == first && grid->dim[2] == n ? swapped_back (split->in[0]) : NULL;
}

/* Those of map `index`, gathered from [batch, queries, heads, maps, points, 2]. */
static nn_value *
positions_gathered (nn_value *grid, int64_t index, int64_t n)
{
  nn_value *by_query = swapped_back (grid);
  nn_node *gather = by_query != NULL ? nn_fuse_producer (by_query, "Gather") : NULL;
  int64_t which;
  int count;
  nn_error ignored;
  if (gather == NULL || gather->in[0]->rank != 6 || gather->in[0]->dim[4] != n
      || nn_shape_axis (nn_node_int (gather, "axis", 0), 6) != 3 || gather->in[1]->rank != 0
      || nn_shape_constant_ints (gather, 1, &which, 1, &count, &ignored) != NN_OK)
    return NULL;
  return which == index ? gather->in[0] : NULL;
}

static bool
match_positions (deformable *d, nn_value *grid, int64_t index, int64_t n)
{
  nn_value *positions = positions_split (grid, d->points, n);
  if (positions == NULL)
    positions = positions_gathered (grid, index, n);
  if (positions == NULL || (d->positions != NULL && d->positions != positions))
    return false;
  d->positions = positions;
  return true;
}

/* ---- all maps, and what is done with their samples ---- */

static bool
is_plain_sample (const nn_node *sample)
{
  const char *mode = nn_node_string (sample, "mode", "bilinear");
  return (strcmp (mode, "bilinear") == 0 || strcmp (mode, "linear") == 0)
         && strcmp (nn_node_string (sample, "padding_mode", "zeros"), "zeros") == 0
         && nn_node_int (sample, "align_corners", 0) == 0 && sample->in[0]->rank == 4;
}

/* Operand `index` of the Concat: samples [batch · heads, size, queries, points of the map]. */
static bool
match_sample (deformable *d, nn_value *sampled, int64_t *start)
{
  nn_node *sample = nn_fuse_producer (nn_fuse_reshaped_from (sampled), "GridSample");
  if (sample == NULL || d->n_maps == MAX_MAPS || !is_plain_sample (sample))
    return false;
  const int64_t *map = sample->in[0]->dim, *out = sample->out[0]->dim;
  const int64_t shape[] = { d->batch * d->heads, d->size, d->queries };
  int64_t i = d->n_maps, n = out[3];
  if (memcmp (out, shape, sizeof shape) != 0 || !match_map (d, sample->in[0], *start, map[2] * map[3])
      || !match_positions (d, sample->in[1], i, n))
    return false;
  d->heights[i] = map[2];
  d->widths[i] = map[3];
  d->map_points[i] = n;
  d->points += n;
  *start += map[2] * map[3];
  d->n_maps++;
  return true;
}

/* The samples side by side: points are the last dimension, or the last two. */
static bool
match_samples (deformable *d, nn_value *samples, int64_t points)
{
  nn_node *concat = nn_fuse_producer (nn_fuse_reshaped_from (samples), "Concat");
  int64_t start = 0;
  if (concat == NULL)
    return false;
  int rank = concat->out[0]->rank;
  if ((rank != 4 && rank != 5) || nn_shape_axis (nn_node_int (concat, "axis", 0), rank) != 3)
    return false;
  for (int i = 0; i < concat->n_in; i++)
    if (!match_sample (d, concat->in[i], &start))
      return false;
  return d->points == points && start == d->values->dim[1] && is_by_query (d, d->positions, points * 2)
         && d->positions->dim[d->positions->rank - 1] == 2;
}

/* The Mul of samples [batch · heads, size, queries, points] and weights [batch · heads, 1, queries, points].
 */
static bool
match_product (deformable *d, const nn_node *mul)
{
  for (int i = 0; i < 2; i++) {
    nn_value *samples = mul->in[i], *weights = mul->in[1 - i];
    const int64_t dim[] = { d->batch * d->heads, 1, d->queries, samples->dim[samples->rank - 1] };
    d->weights = swapped_back (weights);
    if (samples->rank == 4 && nn_fuse_has_shape (weights, 4, dim) && is_by_query (d, d->weights, dim[3]))
      return match_samples (d, samples, dim[3]);
  }
  return false;
}

/* The whole pattern, which ends in `out`: the sum [batch · heads, size, queries] as [batch, queries, heads ·
 * size]. */
static bool
match (const nn_node *out, deformable *d)
{
  static const int perm[3] = { 0, 2, 1 };
  unsigned axes;
  nn_error ignored;
  if (!nn_fuse_is_transpose (out, 3, perm))
    return false;
  nn_node *sum = nn_fuse_producer (nn_fuse_reshaped_from (out->in[0]), "ReduceSum");
  nn_node *mul = sum != NULL ? nn_fuse_sole_producer (sum, 0, "Mul") : NULL;
  if (mul == NULL || mul->out[0]->rank != 4 || mul->out[0]->dtype != NN_F32
      || nn_shape_axes (sum, 1, 4, 0, &axes, &ignored) != NN_OK || axes != 1u << 3)
    return false;
  const int64_t *dim = mul->out[0]->dim, *joined = out->in[0]->dim; /* [batch, heads · size, queries] */
  *d = (deformable){ .batch = joined[0], .size = dim[1], .queries = dim[2] };
  if (d->size < 1 || d->batch < 1 || joined[1] % d->size != 0 || joined[2] != d->queries)
    return false;
  d->heads = joined[1] / d->size;
  return d->heads > 0 && dim[0] == d->batch * d->heads && match_product (d, mul);
}

/* ---- positions = 2 (centre + offset · size of the box · scale) - 1 ---- */

/* If `node` is an `op` of a value and the constant number c, the value; else NULL. */
static nn_value *
with_number (const nn_value *value, const char *op, float c, bool either_side)
{
  float number;
  nn_node *node = nn_fuse_producer (value, op);
  for (int i = 1; node != NULL && i >= (either_side ? 0 : 1); i--)
    if (nn_fuse_scalar (node->in[i], &number) && number == c)
      return node->in[1 - i];
  return NULL;
}

/* The boxes where `value` is elements `start` and start + 1 of each. */
static nn_value *
boxes_of (const deformable *d, const nn_value *value, int64_t start)
{
  nn_node *slice = nn_fuse_producer (value, "Slice");
  int last = value->rank - 1;
  if (slice == NULL || slice->in[0]->dim[last] != 4 || slice->in[0]->dim[0] != d->batch
      || slice->in[0]->dim[1] != d->queries || value->rank != d->positions->rank
      || nn_shape_count (value->rank, slice->in[0]->dim) != d->batch * d->queries * 4)
    return NULL;
  return is_slice (slice, last, start, 2) ? slice->in[0] : NULL;
}

/* Takes a constant factor, one number or one a point, into the scales. */
static bool
take_factor (deformable *d, const nn_value *value, bool divides)
{
  const nn_tensor *t = value->constant;
  int64_t n = nn_tensor_count (t);
  if (value->dtype != NN_F32
      || (n != 1 && (n != d->points || value->rank != 2 || value->dim[1] != 1 || d->positions->rank != 5)))
    return false;
  for (int64_t i = 0; i < d->points; i++) {
    float c = ((const float *)t->data)[n == 1 ? 0 : i];
    d->scales[i] = divides ? d->scales[i] / c : d->scales[i] * c;
  }
  return true;
}

/* Walks down a chain of products to the offsets, by way of constants and the boxes' sizes (once). */
static nn_value *
match_offsets (deformable *d, nn_value *value, const nn_value *boxes)
{
  bool sized = false;
  for (;;) {
    nn_node *mul = nn_fuse_producer (value, "Mul"), *div = nn_fuse_producer (value, "Div");
    if (div != NULL && div->in[1]->constant != NULL && take_factor (d, div->in[1], true)) {
      value = div->in[0];
      continue;
    }
    int side = mul == NULL ? -1 : mul->in[0]->constant != NULL ? 0 : mul->in[1]->constant != NULL ? 1 : -1;
    if (side >= 0 && take_factor (d, mul->in[side], false)) {
      value = mul->in[1 - side];
      continue;
    }
    side = sized || mul == NULL ? -1 : boxes_of (d, mul->in[0], 2) == boxes ? 0 : 1;
    if (side < 0 || boxes_of (d, mul->in[side], 2) != boxes)
      return sized ? value : NULL;
    sized = true;
    value = mul->in[1 - side];
  }
}

/* Replaces positions by what they are computed from, if they are so. */
static nn_status
match_boxes (nn_graph *graph, deformable *d, nn_error *err)
{
  nn_value *doubled = with_number (d->positions, "Sub", 1, false);
  nn_value *sum = doubled != NULL ? with_number (doubled, "Mul", 2, true) : NULL;
  nn_node *add = sum != NULL ? nn_fuse_producer (sum, "Add") : NULL;
  if (add == NULL)
    return NN_OK;
  d->scales = nn_graph_alloc (graph, (size_t)d->points * sizeof *d->scales);
  if (d->scales == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  for (int64_t i = 0; i < d->points; i++)
    d->scales[i] = 1;
  for (int i = 0; i < 2; i++) {
    nn_value *boxes = boxes_of (d, add->in[i], 0);
    nn_value *offsets = boxes != NULL ? match_offsets (d, add->in[1 - i], boxes) : NULL;
    if (offsets == NULL || !nn_fuse_same_shape (offsets, d->positions))
      continue;
    d->boxes = boxes;
    d->positions = offsets;
    return NN_OK;
  }
  return NN_OK;
}

static void
match_softmax (deformable *d)
{
  nn_value *weights = nn_fuse_reshaped_from (d->weights);
  nn_node *softmax = nn_fuse_producer (weights, "Softmax");
  const int64_t dim[] = { d->batch, d->queries, d->heads, d->points };
  if (softmax == NULL || !nn_fuse_has_shape (weights, 4, dim)
      || nn_shape_axis (nn_node_int (softmax, "axis", -1), 4) != 3)
    return;
  d->weights = softmax->in[0];
  d->softmax = true;
}

/* ---- the node ---- */

static nn_attr
ints_attr (nn_graph *graph, const char *name, const int64_t *ints, int64_t n)
{
  int64_t *copy = nn_graph_alloc (graph, (size_t)n * sizeof *copy);
  if (copy != NULL)
    memcpy (copy, ints, (size_t)n * sizeof *copy);
  return (nn_attr){ .name = name, .type = NN_ATTR_INTS, .ints = copy, .n = (size_t)n };
}

static bool
set_attributes (nn_graph *graph, nn_node *node, const deformable *d)
{
  nn_attr *attrs = nn_graph_alloc (graph, 6 * sizeof *attrs);
  if (attrs == NULL)
    return false;
  attrs[0] = (nn_attr){ .name = "heads", .type = NN_ATTR_INT, .i = d->heads };
  attrs[1] = (nn_attr){ .name = "softmax", .type = NN_ATTR_INT, .i = d->softmax };
  attrs[2] = ints_attr (graph, "heights", d->heights, d->n_maps);
  attrs[3] = ints_attr (graph, "widths", d->widths, d->n_maps);
  attrs[4] = ints_attr (graph, "points", d->map_points, d->n_maps);
  attrs[5]
      = (nn_attr){ .name = "scales", .type = NN_ATTR_FLOATS, .floats = d->scales, .n = (size_t)d->points };
  node->attrs = attrs;
  node->n_attrs = d->boxes != NULL ? 6 : 5;
  return attrs[2].ints != NULL && attrs[3].ints != NULL && attrs[4].ints != NULL;
}

static nn_status
emit (nn_graph *graph, nn_node *out, const deformable *d, nn_error *err)
{
  const int64_t values[] = { d->batch, d->values->dim[1], d->heads * d->size };
  const int64_t positions[] = { d->batch, d->queries, d->heads, d->points, 2 };
  const int64_t boxes[] = { d->batch, d->queries, 4 };
  nn_value *in[4] = { nn_fuse_reshape (graph, out, d->values, 3, values, err),
                      nn_fuse_reshape (graph, out, d->positions, 5, positions, err),
                      nn_fuse_reshape (graph, out, d->weights, 4, positions, err), NULL };
  if (d->boxes != NULL)
    in[3] = nn_fuse_reshape (graph, out, d->boxes, 3, boxes, err);
  if (in[0] == NULL || in[1] == NULL || in[2] == NULL || (d->boxes != NULL && in[3] == NULL))
    return err->status;
  nn_node *fused = nn_graph_add_node (graph, out, nn_op_find ("DeformableAttention"), out->name, in,
                                      d->boxes != NULL ? 4 : 3, &out->out[0], 1);
  if (fused == NULL || !set_attributes (graph, fused, d))
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
  return NN_OK;
}

int
nn_fuse_deformable (nn_graph *graph, nn_node *node, nn_error *err)
{
  deformable d;
  int before = graph->n_nodes;
  if (!match (node, &d))
    return 0;
  match_softmax (&d);
  if (match_boxes (graph, &d, err) != NN_OK || emit (graph, node, &d, err) != NN_OK)
    return -1;
  nn_graph_remove_node (graph, node);
  nn_graph_drop_unread (graph);
  return before - graph->n_nodes;
}
