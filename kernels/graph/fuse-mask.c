/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a mask covers: reductions over the places where an image of numbers exceeds a threshold.
 * PP-DocLayoutV3 finds the box around each of its 300 masks so, by way of ten images of zeros and
 * ones. Made a node each:
 *
 * MaskedReduce, row-major
 *   operand 0, x: [rows …, places …], float32
 *   operand 1, table: [places …], float32, constant; left out for "count"
 *   attribute reduce: "max", "min", "count"
 *   attributes threshold, fill
 *   result: [rows …] or reshaped, max or min over the places of (x > threshold ? table : fill), float32,
 *     or how many exceed the threshold, int64
 */
#include "fuse.h"
#include "shape.h"

#include <string.h>

typedef struct masked {
  nn_value *x, *table;
  const char *reduce;
  float threshold, fill;
} masked;

/* How many elements each of the results of a reduction over the last dimensions is made from; 0 if it is
 * none. */
static int64_t
reduced_elements (const nn_node *node)
{
  const nn_value *x = node->in[0];
  unsigned axes, all = (1u << x->rank) - 1;
  nn_error ignored;
  if (nn_shape_reduced_axes (node, &axes, &ignored) != NN_OK)
    return 0;
  int first = x->rank;
  while (first > 0 && (axes >> (first - 1) & 1) != 0)
    first--;
  return axes == (all & ~((1u << first) - 1)) ? nn_shape_count (x->rank - first, x->dim + first) : 0;
}

/* The Greater with a constant number that makes these booleans. */
static nn_node *
comparison (const nn_value *booleans, float *threshold)
{
  nn_node *greater = nn_fuse_producer (booleans, "Greater");
  return greater != NULL && nn_fuse_scalar (greater->in[1], threshold)
                 && nn_fuse_has_shape (greater->in[0], booleans->rank, booleans->dim)
             ? greater
             : NULL;
}

/* Cast of the comparison to `dtype`. */
static nn_node *
cast_comparison (const nn_value *value, nn_dtype dtype, float *threshold)
{
  nn_node *cast = nn_fuse_producer (value, "Cast");
  return cast != NULL && value->dtype == dtype ? comparison (cast->in[0], threshold) : NULL;
}

/* table · (x > threshold), or NULL. */
static nn_node *
match_product (const nn_value *value, masked *m)
{
  nn_node *mul = nn_fuse_producer (value, "Mul");
  for (int i = 0; mul != NULL && i < 2; i++) {
    nn_node *greater = cast_comparison (mul->in[i], NN_F32, &m->threshold);
    m->table = mul->in[1 - i];
    if (greater != NULL && m->table->constant != NULL && m->table->dtype == NN_F32)
      return greater;
  }
  return NULL;
}

/* Where (x > threshold, table · (x > threshold), fill), or NULL. */
static nn_node *
match_choice (const nn_value *value, masked *m)
{
  nn_node *where = nn_fuse_producer (value, "Where");
  nn_node *greater = where != NULL ? match_product (where->in[1], m) : NULL;
  return greater != NULL && greater->out[0] == where->in[0] && nn_fuse_scalar (where->in[2], &m->fill)
             ? greater
             : NULL;
}

/* Whether the table's places are the last dimensions of x, and all that is reduced. */
static bool
fits (const masked *m, int64_t reduced)
{
  const nn_value *x = m->x, *table = m->table;
  return table->rank <= x->rank && nn_tensor_count (table->constant) == reduced
         && memcmp (table->dim, x->dim + x->rank - table->rank, (size_t)table->rank * sizeof table->dim[0])
                == 0;
}

static bool
match (const nn_node *node, masked *m)
{
  int64_t reduced = reduced_elements (node);
  const nn_value *of = nn_fuse_reshaped_from (node->in[0]);
  nn_node *greater = NULL;
  *m = (masked){ .reduce = "count" };
  if (reduced < 1)
    return false;
  if (nn_node_is (node, "ReduceSum")) {
    greater = cast_comparison (of, NN_I64, &m->threshold);
  } else if (nn_node_is (node, "ReduceMax")) {
    m->reduce = "max";
    greater = match_product (of, m);
  } else if (nn_node_is (node, "ReduceMin")) {
    m->reduce = "min";
    greater = match_choice (of, m);
  }
  if (greater == NULL || greater->in[0]->dtype != NN_F32)
    return false;
  m->x = greater->in[0];
  return m->table == NULL || fits (m, reduced);
}

static bool
set_attributes (nn_graph *graph, nn_node *node, const masked *m)
{
  nn_attr *attrs = nn_graph_alloc (graph, 3 * sizeof *attrs);
  if (attrs == NULL)
    return false;
  attrs[0] = (nn_attr){ .name = "reduce", .type = NN_ATTR_STRING, .s = m->reduce };
  attrs[1] = (nn_attr){ .name = "threshold", .type = NN_ATTR_FLOAT, .f = m->threshold };
  attrs[2] = (nn_attr){ .name = "fill", .type = NN_ATTR_FLOAT, .f = m->fill };
  node->attrs = attrs;
  node->n_attrs = 3;
  return true;
}

int
nn_fuse_mask (nn_graph *graph, nn_node *node, nn_error *err)
{
  static const char *const ops[] = { "ReduceSum", "ReduceMax", "ReduceMin" };
  masked m;
  int before = graph->n_nodes;
  bool reduces = false;
  for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
    reduces = reduces || nn_node_is (node, ops[i]);
  if (!reduces || !match (node, &m))
    return 0;
  nn_value *in[] = { m.x, m.table };
  nn_node *fused = nn_graph_add_node (graph, node, nn_op_find ("MaskedReduce"), node->name, in,
                                      m.table != NULL ? 2 : 1, &node->out[0], 1);
  if (fused == NULL || !set_attributes (graph, fused, &m)) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a node");
    return -1;
  }
  nn_graph_remove_node (graph, node);
  nn_graph_drop_unread (graph);
  return before - graph->n_nodes;
}
