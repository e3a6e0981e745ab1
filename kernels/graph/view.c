/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes that would only copy: where their result's elements lie in some other value's memory in just the
 * order that the result wants, it becomes a view of that value. Strides are followed through chains of such
 * nodes (as NumPy follows them through reshape and transpose), because a chain is often whole again at its
 * end: a channels-last image reordered, flattened and transposed to rows of channels has not moved at all. */
#include "../ops.h"
#include "graph.h"
#include "shape.h"

#include <stdlib.h>
#include <string.h>

/* Where a value's elements lie: in `root`, its data a byte offset. */
typedef struct place {
  nn_value *root;
  size_t offset;
  nn_tensor view; /* of the value's shape; data unused */
} place;

static bool
is_one_of (const nn_node *node, const char *const *names, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (nn_node_is (node, names[i]))
      return true;
  return false;
}

/* ---- strides of results ---- */

/* Splits or joins dimensions between in[i0 … i1) and out[o0 … o1), which have as many elements. */
static bool
reshape_run (const nn_tensor *in, int i0, int i1, nn_tensor *out, int o0, int o1)
{
  int64_t step = -1, expected = -1;
  for (int i = i1 - 1; i >= i0; i--) {
    if (in->dim[i] == 1)
      continue;
    if (step < 0)
      step = in->stride[i];
    else if (in->stride[i] != expected)
      return false;
    expected = in->stride[i] * in->dim[i];
  }
  step = step < 0 ? 1 : step;
  for (int o = o1 - 1; o >= o0; o--) {
    out->stride[o] = step;
    step *= out->dim[o];
  }
  return true;
}

/* `out` has its shape; finds its strides over the elements of `in` in row-major order. */
static bool
reshape (const nn_tensor *in, nn_tensor *out)
{
  int i = 0, o = 0;
  if (nn_tensor_count (in) == 0)
    return false;
  while (i < in->rank || o < out->rank) {
    int i0 = i, o0 = o;
    int64_t n = i < in->rank ? in->dim[i++] : 1, m = o < out->rank ? out->dim[o++] : 1;
    while (n != m)
      if (n < m)
        n *= in->dim[i++];
      else
        m *= out->dim[o++];
    if (!reshape_run (in, i0, i, out, o0, o))
      return false;
  }
  return true;
}

static bool
slice (const nn_node *node, place *p, const nn_tensor *in)
{
  int64_t start[NN_MAX_RANK], step[NN_MAX_RANK], count[NN_MAX_RANK];
  nn_error ignored;
  if (nn_shape_slice_ranges (node, start, step, count, &ignored) != NN_OK)
    return false;
  for (int i = 0; i < in->rank; i++) {
    if (step[i] < 0)
      return false;
    p->offset += (size_t)(start[i] * in->stride[i]) * nn_dtype_size (in->dtype);
    p->view.stride[i] = in->stride[i] * step[i];
  }
  return true;
}

/* Part `index`, whose results before it must be there to be counted. */
static bool
split (const nn_node *node, int index, place *p, const nn_tensor *in)
{
  int axis = nn_shape_axis (nn_node_int (node, "axis", 0), in->rank);
  for (int i = 0; i < index; i++) {
    if (node->out[i] == NULL)
      return false;
    p->offset += (size_t)(node->out[i]->dim[axis] * in->stride[axis]) * nn_dtype_size (in->dtype);
  }
  memcpy (p->view.stride, in->stride, sizeof in->stride);
  return true;
}

/* Finds where result `index` lies, from where the operand does. */
static bool
follow (const nn_node *node, int index, const place *from, place *p)
{
  static const char *const reshapes[] = { "Reshape", "Unsqueeze", "Squeeze", "Flatten" };
  const nn_value *out = node->out[index];
  const nn_tensor *in = &from->view;
  if (out->dtype != in->dtype)
    return false;
  *p = (place){ from->root, from->offset, *in };
  p->view.rank = out->rank;
  memcpy (p->view.dim, out->dim, sizeof out->dim);
  if (is_one_of (node, reshapes, sizeof reshapes / sizeof reshapes[0]))
    return reshape (in, &p->view);
  if (nn_node_is (node, "Reorder"))
    return true;
  if (nn_node_is (node, "Transpose")) {
    p->view = nn_shape_transposed (node, in);
    return true;
  }
  if (nn_node_is (node, "Slice"))
    return slice (node, p, in);
  return nn_node_is (node, "Split") && split (node, index, p, in);
}

/* ---- the walk ---- */

/* Who writes the next input must not overwrite the last output. */
static bool
is_allowed (const nn_graph *graph, const nn_value *value, const nn_value *root)
{
  return root->producer != NULL || !nn_graph_is_output (graph, value);
}

/* The value's memory, whatever it is a copy of. */
static place
own_place (nn_value *value)
{
  bool is_view = value->view_of != NULL;
  return (place){ is_view ? value->view_of : value, is_view ? value->view_offset : 0,
                  nn_value_tensor (value) };
}

static bool
is_image (const nn_value *value)
{
  return value->rank == 4 && value->layout == NN_LAYOUT_CHANNELS_LAST;
}

/* Whether `value` can be some channels of each pixel of `root`. */
static bool
has_pixels_of (const nn_value *value, const nn_value *root)
{
  return is_image (value) && is_image (root) && value->dtype == root->dtype && value->dim[0] == root->dim[0]
         && value->dim[2] == root->dim[2] && value->dim[3] == root->dim[3];
}

static bool
is_part_of (const nn_value *value, const place *p)
{
  if (!has_pixels_of (value, p->root))
    return false;
  nn_tensor whole = nn_tensor_make (value->dtype, 4, p->root->dim, NN_LAYOUT_CHANNELS_LAST, NULL);
  return memcmp (whole.stride, p->view.stride, 4 * sizeof whole.stride[0]) == 0;
}

/* What follows dimension 1 lies as it does in a dense value. */
static bool
has_dense_rows (const nn_value *value, const place *p)
{
  int64_t expected = 1;
  for (int i = value->rank - 1; i > 1; i--) {
    if (value->dim[i] != 1 && p->view.stride[i] != expected)
      return false;
    expected *= value->dim[i];
  }
  return value->rank > 2 && value->layout == NN_LAYOUT_ROW_MAJOR && p->view.stride[1] >= expected
         && p->view.stride[0] >= 0;
}

/* Whether operand `index` of the node may have gaps between its rows. */
static bool
reads_rows (const nn_graph *graph, const nn_node *node, int index)
{
  if (nn_node_is (node, "Attention"))
    return index < 3;
  if (nn_node_is (node, "DeformableAttention"))
    return true;
  const nn_value *in = node->in[index], *out = node->n_out == 1 ? node->out[0] : NULL;
  return index == 0 && nn_node_is (node, "Reshape") && out != NULL && out->rank > 2 && in->rank > 2
         && out->dim[0] == in->dim[0] && out->dim[1] == in->dim[1] && nn_graph_takes_rows (graph, out);
}

bool
nn_graph_takes_rows (const nn_graph *graph, const nn_value *value)
{
  if (nn_graph_is_output (graph, value))
    return false;
  for (const nn_node *node = graph->first; node != NULL; node = node->next)
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] == value && !reads_rows (graph, node, i))
        return false;
  return true;
}

/* Whether all that read the value take it where it would lie in `root`. */
static bool
readers_take (const nn_graph *graph, nn_takes_part takes_part, const nn_value *value, const nn_value *root,
              size_t offset)
{
  for (const nn_node *node = graph->first; node != NULL; node = node->next)
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] == value && !takes_part (node, i, root, offset))
        return false;
  return true;
}

/* What may be a view with gaps. */
typedef struct allowed {
  nn_takes_part part; /* NULL: no parts */
  bool rows;
} allowed;

static bool
may_be_part (const nn_graph *graph, const nn_value *value, const place *p, allowed a)
{
  return (a.part != NULL && is_part_of (value, p) && readers_take (graph, a.part, value, p->root, p->offset))
         || (a.rows && has_dense_rows (value, p) && nn_graph_takes_rows (graph, value));
}

/* Makes result `index` a view if it is dense in what its operand is a copy of, or else in the operand; or a part. */
static bool
make_view (const nn_graph *graph, const nn_node *node, int index, allowed a, place *places)
{
  nn_value *x = node->in[0], *out = node->out[index];
  place own = own_place (x), p;
  const place *from[] = { &places[x->index], &own };
  bool followed = false;
  if (x->dtype != out->dtype)
    return false;
  for (int i = 0; i < 2; i++) {
    if (!follow (node, index, from[i], &p))
      continue;
    if (!followed)
      places[out->index] = p;
    followed = true;
    bool dense = nn_tensor_is_dense (&p.view, out->layout);
    if (is_allowed (graph, out, p.root) && (dense || may_be_part (graph, out, &p, a))) {
      out->view_of = p.root;
      out->view_offset = p.offset;
      out->is_part = !dense;
      memcpy (out->stride, p.view.stride, sizeof out->stride);
      return true;
    }
  }
  return false;
}

/* Makes views of the node's results; true if that is all of them. */
static bool
make_views (const nn_graph *graph, nn_node *node, allowed a, place *places)
{
  bool all = true;
  if (node->n_in == 0 || node->in[0] == NULL || node->in[0]->constant != NULL
      || node->activation.kind != NN_ACT_NONE)
    return false;
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != NULL)
      all = make_view (graph, node, i, a, places) && all;
  return all;
}

/* Split keeps all its results or none: it writes each of them. */
static void
take_back (nn_node *node)
{
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != NULL) {
      node->out[i]->view_of = NULL;
      node->out[i]->is_part = false;
    }
}

/* A value's memory is needed while views of it are read. */
static void
hold_roots (nn_node *node)
{
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] != NULL)
      node->out[i]->view_of->n_uses++;
}

/* Views that were only on the way to others hold nothing. */
static void
drop_unread_views (nn_graph *graph)
{
  for (int i = 0; i < graph->n_values; i++) {
    nn_value *value = graph->values[i];
    if (value->view_of != NULL && value->n_uses == 0) {
      value->view_of->n_uses--;
      value->view_of = NULL;
    }
  }
  nn_graph_drop_unread (graph);
}

/* ---- operands of a Concat ---- */

/* Whether the value is computed by a node into memory of its own, which may lie elsewhere. (Outputs of the
 * network are row-major and never asked about.) */
static bool
can_move (const nn_value *value)
{
  return value->producer != NULL && value->view_of == NULL;
}

/* What find_parts() goes by. */
typedef struct mover {
  const nn_graph *graph;
  nn_takes_part takes_part;
  int *n_views; /* of each value, by index */
} mover;

/* Whether it may lie there for all that write and read it. */
static bool
may_move_to (const mover *m, const nn_value *value, const nn_value *root, size_t offset)
{
  return m->takes_part (value->producer, -1, root, offset)
         && readers_take (m->graph, m->takes_part, value, root, offset);
}

static void
move_to (int *n_views, nn_value *value, nn_value *root, size_t offset)
{
  value->view_of = root;
  value->view_offset = offset;
  value->is_part = true;
  nn_tensor whole = nn_tensor_make (root->dtype, root->rank, root->dim, root->layout, NULL);
  memcpy (value->stride, whole.stride, sizeof value->stride);
  root->n_uses++;
  n_views[root->index]++;
}

/* Moves a value whose parts are operands `first` … of the Concat, one after another and all there are, with
 * them. Returns how many operands that was; 0 if it is not so. */
static int
move_split (const mover *m, const nn_node *concat, int first, nn_value *root, size_t offset)
{
  nn_value *whole = concat->in[first]->view_of;
  int *n_views = m->n_views;
  size_t size = nn_dtype_size (root->dtype), at = 0;
  int n = 0;
  if (whole == NULL || !concat->in[first]->is_part || !can_move (whole) || !has_pixels_of (whole, root)
      || !may_move_to (m, whole, root, offset))
    return 0;
  for (; first + n < concat->n_in && at < (size_t)whole->dim[1] * size; n++) {
    const nn_value *part = concat->in[first + n];
    if (part->view_of != whole || part->view_offset != at
        || !readers_take (m->graph, m->takes_part, part, root, offset + at))
      return 0;
    at += (size_t)part->dim[1] * size;
  }
  if (at != (size_t)whole->dim[1] * size || n != n_views[whole->index])
    return 0;
  for (int i = 0; i < n; i++) {
    nn_value *part = concat->in[first + i];
    whole->n_uses--;
    move_to (n_views, part, root, offset + part->view_offset);
  }
  n_views[whole->index] = 0;
  move_to (n_views, whole, root, offset);
  return n;
}

/* Has the operands of a Concat along the channels computed where it would copy them to. True if that is all.
 */
static bool
make_parts (const mover *m, const nn_node *concat)
{
  nn_value *out = concat->out[0], *root = out->view_of != NULL ? out->view_of : out;
  size_t offset = out->view_of != NULL ? out->view_offset : 0;
  bool all = true;
  if (!is_image (out) || nn_shape_axis (nn_node_int (concat, "axis", 0), 4) != 1
      || (root != out && !out->is_part))
    return false;
  for (int i = 0, n; i < concat->n_in; i += n) {
    nn_value *value = concat->in[i];
    bool alone = can_move (value) && m->n_views[value->index] == 0 && has_pixels_of (value, root)
                 && may_move_to (m, value, root, offset);
    n = alone ? 1 : move_split (m, concat, i, root, offset);
    if (alone)
      move_to (m->n_views, value, root, offset);
    all = all && n > 0;
    n = n > 0 ? n : 1;
    for (int k = i; k < i + n; k++)
      offset += (size_t)concat->in[k]->dim[1] * nn_dtype_size (root->dtype);
  }
  return all;
}

/* From the last Concat on, so that one whose result goes into another knows where that lies. */
static nn_status
find_parts (nn_graph *graph, nn_takes_part takes_part, nn_error *err)
{
  int *n_views = calloc ((size_t)graph->n_values + 1, sizeof *n_views);
  const mover m = { graph, takes_part, n_views };
  if (n_views == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d values", graph->n_values);
  for (int i = 0; i < graph->n_values; i++)
    if (graph->values[i]->view_of != NULL)
      n_views[graph->values[i]->view_of->index]++;
  for (nn_node *node = graph->last, *prev; node != NULL; node = prev) {
    prev = node->prev;
    if (nn_node_is (node, "Concat") && make_parts (&m, node))
      nn_graph_remove_node (graph, node);
  }
  free (n_views);
  return NN_OK;
}

nn_status
nn_graph_find_views (nn_graph *graph, nn_takes_part takes_part, bool rows, nn_error *err)
{
  place *places = calloc ((size_t)graph->n_values + 1, sizeof *places);
  if (places == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d values", graph->n_values);
  for (int i = 0; i < graph->n_values; i++) {
    nn_value *value = graph->values[i];
    if (value->rank >= 0)
      places[i] = own_place (value);
  }
  for (nn_node *node = graph->first, *next; node != NULL; node = next) {
    next = node->next;
    if (make_views (graph, node, (allowed){ takes_part, rows }, places)) {
      hold_roots (node);
      nn_graph_remove_node (graph, node);
    } else {
      take_back (node);
    }
  }
  free (places);
  drop_unread_views (graph);
  return takes_part != NULL ? find_parts (graph, takes_part, err) : NN_OK;
}
