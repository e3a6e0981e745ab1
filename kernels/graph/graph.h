/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The graph: nodes that read and write values. It is built by onnx/ and rewritten by the passes
 * below until a session can run it node by node.
 *
 * Ownership: the graph owns its nodes, values, names, attributes and constants; everything comes
 * from its own pool and is freed at once by nn_graph_free(). Passes take nodes out of the list
 * and add new ones; pointers into the graph stay valid until it is freed. A graph is used by one
 * thread until planned, and read-only (so shareable) afterwards.
 */
#pragma once

#include "../status.h"
#include "../tensor.h"

typedef struct nn_graph nn_graph;
typedef struct nn_node nn_node;
typedef struct nn_value nn_value;
typedef struct nn_op nn_op;

#define NN_DIM_UNKNOWN (-1)

struct nn_value {
  const char *name;
  nn_dtype dtype;              /* NN_DTYPE_NONE until the shape pass */
  int rank;                    /* -1 until known */
  int64_t dim[NN_MAX_RANK];    /* NN_DIM_UNKNOWN until known */
  nn_layout layout;            /* where the elements lie; set by the layout pass */
  const nn_tensor *constant;   /* weights, Constant nodes, folded results; else NULL */
  nn_node *producer;           /* NULL: graph input, constant or view */
  nn_value *view_of;           /* whose memory it lies in, which is no view itself; else NULL */
  size_t view_offset;          /* bytes from there, a multiple of the element's size */
  bool is_part;                /* a view with gaps: some channels of a channels-last value, or some columns of rows */
  int64_t stride[NN_MAX_RANK]; /* of a part, in elements */
  int n_uses;                  /* operands that read it, plus one for each graph output it is and for
                                  each view of it */
  int n_packed;                /* of these, operands whose node needs the constant no longer */
  int index;                   /* position in nn_graph.values */
};

typedef enum nn_attr_type {
  NN_ATTR_FLOAT,
  NN_ATTR_INT,
  NN_ATTR_STRING,
  NN_ATTR_TENSOR,
  NN_ATTR_FLOATS,
  NN_ATTR_INTS,
} nn_attr_type;

typedef struct nn_attr {
  const char *name;
  nn_attr_type type;
  float f;
  int64_t i;
  const char *s; /* NUL-terminated copy */
  const nn_tensor *t;
  const float *floats; /* not NULL for a list of that type, even an empty one */
  const int64_t *ints;
  size_t n; /* of floats or ints */
} nn_attr;

/* An activation fused into the node that comes before it. x is the node's result. */
typedef enum nn_activation_kind {
  NN_ACT_NONE = 0,
  NN_ACT_RELU,
  NN_ACT_LEAKY_RELU,   /* x < 0 ? alpha x : x */
  NN_ACT_CLIP,         /* min (max (x, alpha), beta) */
  NN_ACT_SIGMOID,
  NN_ACT_HARD_SIGMOID, /* clip (alpha x + beta, 0, 1) */
  NN_ACT_HARD_SWISH,   /* x clip (alpha x + beta, 0, 1) */
  NN_ACT_SILU,         /* x sigmoid (x) */
  NN_ACT_GELU,         /* x (1 + erf (x / √2)) / 2 */
  NN_ACT_TANH,
  NN_ACT_GELU_TANH,    /* x (1 + tanh (√(2 / π) (x + 0.044715 x³))) / 2 */
} nn_activation_kind;

typedef struct nn_activation {
  nn_activation_kind kind;
  float alpha, beta;
} nn_activation;

struct nn_node {
  const nn_op *op;
  const char *name;  /* the ONNX node's name, or its first output's where it has none */
  nn_value **in;     /* n_in operands; NULL where an optional one is left out */
  nn_value **out;    /* n_out results; NULL where nobody wants it */
  int n_in, n_out;
  const nn_attr *attrs;
  size_t n_attrs;
  nn_activation activation;
  nn_node *prev, *next; /* topological order */
};

/* What a pass did to the number of nodes. */
typedef struct nn_change {
  const char *name;
  int nodes; /* < 0: so many vanished */
  struct nn_change *next;
} nn_change;

struct nn_graph {
  nn_node *first, *last;
  int n_nodes;
  nn_value **values;
  int n_values;
  nn_value **inputs, **outputs; /* of the network, without initialisers */
  int n_inputs, n_outputs;
  int64_t opset; /* of the default domain */
  const char **metadata; /* key, value, key, value …, NULL */
  nn_change *changes, *last_change; /* in the order of the passes; nn_graph_note_change() */
  struct nn_pool *pool;
  struct nn_weights *weights;
};

/* ---- building (onnx/, passes, tests) ---- */
nn_graph *nn_graph_new (nn_error *err);
void nn_graph_free (nn_graph *graph); /* NULL is fine */

/* Memory that lives as long as the graph, zeroed, aligned to 64 bytes; NULL if there is none. */
void *nn_graph_alloc (nn_graph *graph, size_t bytes);
char *nn_graph_strdup (nn_graph *graph, const char *text);

/* Memory for a constant's elements, zeroed, aligned to 64 bytes; NULL if there is none. Large ones
 * are given back as soon as no constant that lies in them is needed (nn_graph_release_*). */
void *nn_graph_alloc_weights (nn_graph *graph, size_t bytes);

nn_value *nn_graph_add_value (nn_graph *graph, const char *name);
/* A value that holds `tensor`, whose data must live as long as the graph or come from
 * nn_graph_alloc_weights() of this graph. */
nn_value *nn_graph_add_constant (nn_graph *graph, const char *name, const nn_tensor *tensor);
/* Appends a node, or puts it in front of `before`. Operand and result arrays are copied; producer
 * and n_uses are kept right here and in the functions below. */
nn_node *nn_graph_add_node (nn_graph *graph, nn_node *before, const nn_op *op, const char *name,
                            nn_value *const *in, int n_in, nn_value *const *out, int n_out);
void nn_graph_remove_node (nn_graph *graph, nn_node *node);
/* Removes results that nobody reads, and nodes that have no others. */
void nn_graph_drop_unread (nn_graph *graph);
/* `index` may lie beyond n_in, up to 3: operands in between are left out. */
void nn_node_set_input (nn_node *node, int index, nn_value *value);
/* Makes a result (not yet constant) one, like nn_graph_add_constant(); `tensor` lies in the pool. */
void nn_graph_set_constant (nn_graph *graph, nn_value *value, nn_tensor *tensor);
/* Frees the elements of constants that nobody reads, or of the one given: to be called after its
 * last reader has gone. constant->data is NULL afterwards, type and shape stay. */
void nn_graph_release_unread (nn_graph *graph);
void nn_graph_release_if_unread (nn_graph *graph, nn_value *value);
/* One operand that reads this constant has packed what it needs. With the last of them the elements
 * are freed; never those of a graph output. */
void nn_graph_release_operand (nn_graph *graph, nn_value *value);

/* Whether the value is one of the network's, which keep their memory and type. */
bool nn_graph_is_input (const nn_graph *graph, const nn_value *value);
bool nn_graph_is_output (const nn_graph *graph, const nn_value *value);

bool nn_node_is (const nn_node *node, const char *op); /* false for NULL */
const nn_attr *nn_node_attr (const nn_node *node, const char *name); /* NULL if absent */
int64_t nn_node_int (const nn_node *node, const char *name, int64_t fallback);
float nn_node_float (const nn_node *node, const char *name, float fallback);
const char *nn_node_string (const nn_node *node, const char *name, const char *fallback);
const char *nn_graph_metadata (const nn_graph *graph, const char *key); /* NULL if absent */

/* ---- passes, in the order in which nn_plan_new() runs them ---- */

/* Notes what the pass `name` (a literal) did to a graph that had `before` nodes, for those who want to
 * know; nothing if that is nothing. Without memory the note is left out. */
void nn_graph_note_change (nn_graph *graph, const char *name, int before);

/* Shapes and types of every value, from the inputs' (all dimensions known) on; runs nodes whose
 * operands are all constant on the CPU and makes their results constants (shape subgraphs vanish
 * here), then drops what nobody reads. Names the node whose shape cannot be told, and refuses an
 * op without a row in the op table, naming node and op. */
nn_status nn_graph_infer (nn_graph *graph, nn_error *err);

/* Rewrites patterns to fewer nodes: BatchNormalization into Conv, activations written as several
 * nodes, activation into the node before. Notes what each did; returns how many nodes vanished. */
int nn_graph_fuse (nn_graph *graph, nn_error *err);

/* For a device that stores floats as `half` (NN_F16, NN_BF16): gives most float32 values that type, and leaves
 * float32 what needs it (precision.c). Inputs that only products read become halves too; outputs never. Puts "Cast"
 * nodes in front of products, whose operands are all halves. Nothing for NN_F32. */
nn_status nn_graph_assign_precision (nn_graph *graph, nn_dtype half, nn_error *err);

/* Chooses every value's layout by the ops' policies (ops.h) and puts "Reorder" nodes where two
 * neighbours disagree. The network's outputs are row-major. */
nn_status nn_graph_assign_layouts (nn_graph *graph, nn_error *err);

/* Whether the node's kernel takes its operand `index` (-1: makes its result) as some channels of each pixel of `root`,
 * the first of which lies `offset` bytes into that. */
typedef bool (*nn_takes_part) (const nn_node *node, int index, const nn_value *root, size_t offset);

/* Takes out nodes whose results lie in another value's memory as they are (Reshape, Transpose, Slice, Reorder
 * … where nothing would move): these results become views. Where all that read and write them take parts, the results
 * of Split along the channels too, and operands of Concat are computed into its result (takes_part NULL: nothing
 * does). With `rows`, for a device whose attention takes any row stride, values that nn_graph_takes_rows() are parts
 * of rows. */
nn_status nn_graph_find_views (nn_graph *graph, nn_takes_part takes_part, bool rows, nn_error *err);

/* Whether all that read the value take it with gaps between its rows (dimension 1): the kernels of Attention and
 * DeformableAttention on some devices, also by way of a Reshape of what lies in a row. */
bool nn_graph_takes_rows (const nn_graph *graph, const nn_value *value);

/* Makes the result of a Conv or MatMul a view of its residual, where that is read for the last time; for devices whose
 * kernels read each of its elements before they write the result's there. */
nn_status nn_graph_reuse_residuals (nn_graph *graph, nn_error *err);

/* Type, shape and strides; data NULL. */
nn_tensor nn_value_tensor (const nn_value *value);

/* Where each value lies in one arena. offset[value->index] is SIZE_MAX for constants and values
 * without memory; lifetimes that overlap never share bytes; every offset but a view's is a multiple of 64. The
 * graph's inputs keep their place for the whole run, or have none in the arena (`inputs_apart`; nor have their
 * views); its outputs keep it from where they are computed on. Fails with
 * NN_ERR_LIMIT if the arena would exceed `limit` bytes, naming the node. */
nn_status nn_graph_plan_arena (const nn_graph *graph, bool inputs_apart, size_t limit, size_t *offset,
                               size_t *arena_bytes, nn_error *err);
