/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../ops.h"
#include "../graph/shape.h"
#include "onnx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ATTRS 64
#define MAX_OPERANDS 4096

typedef struct builder {
  const Onnx__GraphProto *proto;
  nn_onnx_source *source;
  nn_graph *graph; /* the source's */
  nn_onnx_names names;
  nn_value *in[MAX_OPERANDS], *out[MAX_OPERANDS];
  int n_operators;
  nn_error *err;
} builder;

static nn_status
out_of_memory (builder *b)
{
  return nn_fail (b->err, NN_ERR_MEMORY, "out of memory for the graph");
}

static bool
is_constant (const Onnx__NodeProto *node)
{
  return strcmp (node->op_type, "Constant") == 0;
}

const char *
nn_onnx_node_name (const Onnx__NodeProto *node)
{
  if (node->name != NULL && node->name[0] != '\0')
    return node->name;
  return node->n_output > 0 ? node->output[0] : "";
}

/* ---------------------------------------------------------------- model */

static nn_status
read_opset (builder *b, const Onnx__ModelProto *model)
{
  b->graph->opset = 0;
  for (size_t i = 0; i < model->n_opset_import; i++) {
    const Onnx__OperatorSetIdProto *set = model->opset_import[i];
    if (set->domain == NULL || set->domain[0] == '\0' || strcmp (set->domain, "ai.onnx") == 0)
      b->graph->opset = set->version;
  }
  if (b->source->declares)
    return NN_OK;
  if (b->graph->opset < NN_ONNX_MIN_OPSET || b->graph->opset > NN_ONNX_MAX_OPSET)
    return nn_fail (b->err, NN_ERR_UNSUPPORTED, "operator set %" PRId64 " is not supported (%d to %d are)",
                    b->graph->opset, NN_ONNX_MIN_OPSET, NN_ONNX_MAX_OPSET);
  return NN_OK;
}

static nn_status
read_metadata (builder *b, const Onnx__ModelProto *model)
{
  const char **list = nn_graph_alloc (b->graph, (2 * model->n_metadata_props + 1) * sizeof *list);
  if (list == NULL)
    return out_of_memory (b);
  for (size_t i = 0; i < model->n_metadata_props; i++) {
    const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
    list[2 * i] = nn_graph_strdup (b->graph, entry->key != NULL ? entry->key : "");
    list[2 * i + 1] = nn_graph_strdup (b->graph, entry->value != NULL ? entry->value : "");
    if (list[2 * i] == NULL || list[2 * i + 1] == NULL)
      return out_of_memory (b);
  }
  b->graph->metadata = list;
  return NN_OK;
}

/* ---------------------------------------------------------------- values */

/* Type and dimensions of an input or output as far as they are declared. */
static nn_status
declare (builder *b, nn_value *value, const Onnx__ValueInfoProto *info)
{
  const Onnx__TypeProto *type = info->type;
  if (type == NULL || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return nn_fail (b->err, NN_ERR_UNSUPPORTED, "'%s' is not declared as a tensor", info->name);
  const Onnx__TensorShapeProto *shape = type->tensor_type->shape;
  value->dtype = nn_dtype_from_onnx (type->tensor_type->elem_type);
  if (value->dtype == NN_DTYPE_NONE)
    return nn_fail (b->err, NN_ERR_UNSUPPORTED, "'%s' has element type %" PRId32 ", which is not supported",
                    info->name, type->tensor_type->elem_type);
  if (shape == NULL)
    return NN_OK;
  if (shape->n_dim > NN_MAX_RANK)
    return nn_fail (b->err, NN_ERR_UNSUPPORTED, "'%s' has %zu dimensions (at most %d)", info->name,
                    shape->n_dim, NN_MAX_RANK);
  value->rank = (int) shape->n_dim;
  for (int i = 0; i < value->rank; i++) {
    const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];
    bool known =
        dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && dim->dim_value > 0;
    value->dim[i] = known ? dim->dim_value : NN_DIM_UNKNOWN;
  }
  return NN_OK;
}

static nn_status
add_initializers (builder *b)
{
  for (size_t i = 0; i < b->proto->n_initializer; i++) {
    const Onnx__TensorProto *proto = b->proto->initializer[i];
    nn_tensor tensor;
    if (proto->name == NULL || proto->name[0] == '\0')
      return nn_fail (b->err, NN_ERR_FORMAT, "initializer %zu has no name", i);
    nn_status status = nn_onnx_tensor (b->source, proto, &tensor, b->err);
    if (status != NN_OK)
      return nn_fail_in (b->err, "initializer '%s'", proto->name);
    nn_value *value = nn_graph_add_constant (b->graph, proto->name, &tensor);
    if (value == NULL)
      return out_of_memory (b);
    if ((status = nn_onnx_names_add (&b->names, value->name, -1, value, b->err)) != NN_OK)
      return status;
  }
  if (b->proto->n_sparse_initializer > 0)
    return nn_fail (b->err, NN_ERR_UNSUPPORTED, "sparse initializers are not supported");
  return nn_onnx_names_sort (&b->names, b->err);
}

/* An input that has an initialiser is a weight that callers could override; ours never do. */
static nn_status
add_inputs (builder *b)
{
  nn_graph *graph = b->graph;
  const nn_onnx_names initializers = b->names;
  graph->inputs = nn_graph_alloc (graph, b->proto->n_input * sizeof *graph->inputs);
  if (graph->inputs == NULL)
    return out_of_memory (b);
  for (size_t i = 0; i < b->proto->n_input; i++) {
    const Onnx__ValueInfoProto *info = b->proto->input[i];
    if (info->name == NULL || info->name[0] == '\0')
      return nn_fail (b->err, NN_ERR_FORMAT, "input %zu has no name", i);
    nn_onnx_names known = { .entries = b->names.entries, .n = initializers.n };
    if (nn_onnx_names_find (&known, info->name) != NULL)
      continue;
    nn_value *value = nn_graph_add_value (graph, info->name);
    if (value == NULL)
      return out_of_memory (b);
    nn_status status = declare (b, value, info);
    if (status == NN_OK)
      status = nn_onnx_names_add (&b->names, value->name, -1, value, b->err);
    if (status != NN_OK)
      return status;
    graph->inputs[graph->n_inputs++] = value;
  }
  return NN_OK;
}

static nn_status
check_node (builder *b, const Onnx__NodeProto *node)
{
  if (node->op_type == NULL || node->op_type[0] == '\0')
    return nn_fail (b->err, NN_ERR_FORMAT, "it has no operator");
  if (node->n_output == 0)
    return nn_fail (b->err, NN_ERR_FORMAT, "it has no outputs");
  if (node->n_input > MAX_OPERANDS || node->n_output > MAX_OPERANDS || node->n_attribute > MAX_ATTRS)
    return nn_fail (b->err, NN_ERR_LIMIT, "more than %d operands or %d attributes", MAX_OPERANDS, MAX_ATTRS);
  return NN_OK;
}

static nn_status
fail_in_node (builder *b, const Onnx__NodeProto *node)
{
  return nn_fail_in (b->err, "node '%s' (%s)", nn_onnx_node_name (node),
                     node->op_type != NULL ? node->op_type : "?");
}

/* Every result gets its value before any node is built, so that a reader can tell a name that
 * nothing provides from one that comes too late. */
static nn_status
add_results (builder *b)
{
  size_t n_results = 0;
  for (size_t i = 0; i < b->proto->n_node; i++) {
    const Onnx__NodeProto *node = b->proto->node[i];
    if (check_node (b, node) != NN_OK)
      return fail_in_node (b, node);
    b->n_operators += !is_constant (node);
    n_results += node->n_output;
    if (n_results > NN_ONNX_MAX_RESULTS)
      return nn_fail (b->err, NN_ERR_LIMIT, "more than %zu results of nodes", NN_ONNX_MAX_RESULTS);
    for (size_t o = 0; o < node->n_output; o++) {
      if (node->output[o][0] == '\0')
        continue;
      bool later = is_constant (node) && !b->source->declares; /* add_constant() makes it */
      nn_value *value = later ? NULL : nn_graph_add_value (b->graph, node->output[o]);
      if (value == NULL && !later)
        return out_of_memory (b);
      nn_status status = nn_onnx_names_add (&b->names, node->output[o], (int64_t) i, value, b->err);
      if (status != NN_OK)
        return status;
    }
  }
  return nn_onnx_names_sort (&b->names, b->err);
}

/* ---------------------------------------------------------------- nodes */

/* Old files leave `type` out; then the field that is set tells. */
static Onnx__AttributeProto__AttributeType
attr_type (const Onnx__AttributeProto *a)
{
  if (a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED)
    return a->type;
  return a->has_f           ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
         : a->has_i         ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT
         : a->has_s         ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING
         : a->t != NULL     ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR
         : a->g != NULL     ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH
         : a->n_floats > 0  ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS
         : a->n_ints > 0    ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
         : a->n_strings > 0 ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS
                            : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED;
}

static nn_status
read_string (builder *b, const ProtobufCBinaryData *bytes, nn_attr *attr)
{
  char *copy = nn_graph_alloc (b->graph, bytes->len + 1);
  if (copy == NULL)
    return out_of_memory (b);
  if (bytes->len > 0)
    memcpy (copy, bytes->data, bytes->len);
  attr->s = copy;
  attr->type = NN_ATTR_STRING;
  return NN_OK;
}

static nn_status
read_tensor (builder *b, const Onnx__TensorProto *proto, nn_attr *attr)
{
  nn_tensor *tensor = nn_graph_alloc (b->graph, sizeof *tensor);
  if (tensor == NULL)
    return out_of_memory (b);
  if (proto == NULL)
    return nn_fail (b->err, NN_ERR_FORMAT, "the tensor is missing");
  attr->t = tensor;
  attr->type = NN_ATTR_TENSOR;
  return nn_onnx_tensor (b->source, proto, tensor, b->err);
}

/* What empty lists point to: rules and kernels need not ask before they copy. */
static const float no_floats[1];
static const int64_t no_ints[1];

static nn_status
read_attr (builder *b, const Onnx__AttributeProto *proto, nn_attr *attr)
{
  switch (attr_type (proto)) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
      attr->type = NN_ATTR_FLOAT;
      attr->f = proto->f;
      return NN_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
      attr->type = NN_ATTR_INT;
      attr->i = proto->i;
      return NN_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
      return read_string (b, &proto->s, attr);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
      return read_tensor (b, proto->t, attr);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
      attr->type = NN_ATTR_FLOATS;
      attr->floats = proto->n_floats > 0 ? proto->floats : no_floats;
      attr->n = proto->n_floats;
      return NN_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
      attr->type = NN_ATTR_INTS;
      attr->ints = proto->n_ints > 0 ? proto->ints : no_ints;
      attr->n = proto->n_ints;
      return NN_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS:
      return nn_fail (b->err, NN_ERR_UNSUPPORTED, "subgraphs are not supported");
    default:
      return nn_fail (b->err, NN_ERR_UNSUPPORTED, "its type (%d) is not supported", (int) proto->type);
  }
}

static nn_status
read_attrs (builder *b, const Onnx__NodeProto *proto, const nn_attr **attrs)
{
  nn_attr *list = nn_graph_alloc (b->graph, proto->n_attribute * sizeof *list);
  if (list == NULL)
    return out_of_memory (b);
  for (size_t i = 0; i < proto->n_attribute; i++) {
    const Onnx__AttributeProto *attr = proto->attribute[i];
    if (attr->name == NULL || attr->name[0] == '\0')
      return nn_fail (b->err, NN_ERR_FORMAT, "attribute %zu has no name", i);
    for (size_t k = 0; k < i; k++)
      if (strcmp (list[k].name, attr->name) == 0)
        return nn_fail (b->err, NN_ERR_FORMAT, "attribute '%s' is there twice", attr->name);
    if ((list[i].name = nn_graph_strdup (b->graph, attr->name)) == NULL)
      return out_of_memory (b);
    if (read_attr (b, attr, &list[i]) != NN_OK)
      return nn_fail_in (b->err, "attribute '%s'", attr->name);
  }
  *attrs = list;
  return NN_OK;
}

/* The value that `name` means to node `order`. */
static nn_status
resolve (builder *b, const char *name, int64_t order, nn_value **value)
{
  const nn_onnx_name *entry = nn_onnx_names_find (&b->names, name);
  if (entry == NULL)
    return nn_fail (b->err, NN_ERR_FORMAT, "it reads '%s', which nothing provides", name);
  if (entry->order >= order)
    return nn_fail (b->err, NN_ERR_FORMAT,
                    "it reads '%s', which is computed later: the nodes are out of order or form a cycle",
                    name);
  *value = entry->value;
  return NN_OK;
}

/* A Constant's value as a tensor, from whichever attribute it has. */
static nn_status
constant_tensor (builder *b, const nn_attr *attr, nn_tensor *tensor)
{
  int64_t n = (int64_t) attr->n;
  void *copy;
  switch (attr->type) {
    case NN_ATTR_TENSOR:
      *tensor = *attr->t;
      return NN_OK;
    case NN_ATTR_FLOATS:
      *tensor = nn_tensor_make (NN_F32, 1, &n, NN_LAYOUT_ROW_MAJOR, (void *) (uintptr_t) attr->floats);
      return NN_OK;
    case NN_ATTR_INTS:
      *tensor = nn_tensor_make (NN_I64, 1, &n, NN_LAYOUT_ROW_MAJOR, (void *) (uintptr_t) attr->ints);
      return NN_OK;
    case NN_ATTR_FLOAT:
    case NN_ATTR_INT:
      if ((copy = nn_graph_alloc (b->graph, sizeof (int64_t))) == NULL)
        return out_of_memory (b);
      if (attr->type == NN_ATTR_INT)
        *(int64_t *) copy = attr->i;
      else
        *(float *) copy = attr->f;
      *tensor =
          nn_tensor_make (attr->type == NN_ATTR_INT ? NN_I64 : NN_F32, 0, NULL, NN_LAYOUT_ROW_MAJOR, copy);
      return NN_OK;
    default:
      return nn_fail (b->err, NN_ERR_UNSUPPORTED, "a constant of this kind is not supported");
  }
}

static nn_status
add_constant (builder *b, const Onnx__NodeProto *proto, const nn_attr *attrs)
{
  nn_tensor tensor;
  if (proto->n_attribute != 1 || proto->n_output != 1)
    return nn_fail (b->err, NN_ERR_FORMAT, "a Constant has one attribute and one output");
  nn_status status = constant_tensor (b, attrs, &tensor);
  if (status != NN_OK)
    return status;
  nn_onnx_name *entry = nn_onnx_names_find (&b->names, proto->output[0]);
  if (entry == NULL)
    return nn_fail (b->err, NN_ERR_FORMAT, "its output has no name");
  entry->value = nn_graph_add_constant (b->graph, proto->output[0], &tensor);
  return entry->value != NULL ? NN_OK : out_of_memory (b);
}

static nn_status
add_operator (builder *b, const Onnx__NodeProto *proto, int64_t order, const nn_attr *attrs)
{
  const nn_op *op = nn_op_find (proto->op_type);
  if (proto->n_input < (size_t) op->min_in || (op->max_in >= 0 && proto->n_input > (size_t) op->max_in))
    return nn_fail (b->err, NN_ERR_FORMAT, "%zu operands", proto->n_input);
  for (size_t i = 0; i < proto->n_input; i++) {
    b->in[i] = NULL;
    /* Of any number of operands none is optional. */
    if (proto->input[i][0] == '\0' && (i < (size_t) op->min_in || op->max_in < 0))
      return nn_fail (b->err, NN_ERR_FORMAT, "operand %zu is left out", i);
    if (proto->input[i][0] != '\0' && resolve (b, proto->input[i], order, &b->in[i]) != NN_OK)
      return b->err->status;
  }
  for (size_t o = 0; o < proto->n_output; o++)
    b->out[o] = proto->output[o][0] != '\0' ? nn_onnx_names_find (&b->names, proto->output[o])->value : NULL;
  nn_node *node = nn_graph_add_node (b->graph, NULL, op, nn_onnx_node_name (proto), b->in,
                                     (int) proto->n_input, b->out, (int) proto->n_output);
  if (node == NULL)
    return out_of_memory (b);
  node->attrs = attrs;
  node->n_attrs = proto->n_attribute;
  return NN_OK;
}

static nn_status
add_nodes (builder *b)
{
  for (size_t i = 0; !b->source->declares && i < b->proto->n_node; i++) {
    const Onnx__NodeProto *node = b->proto->node[i];
    const nn_attr *attrs = NULL;
    nn_status status = read_attrs (b, node, &attrs);
    if (status == NN_OK)
      status =
          is_constant (node) ? add_constant (b, node, attrs) : add_operator (b, node, (int64_t) i, attrs);
    if (status != NN_OK)
      return fail_in_node (b, node);
  }
  return NN_OK;
}

static nn_status
add_outputs (builder *b)
{
  nn_graph *graph = b->graph;
  graph->outputs = nn_graph_alloc (graph, b->proto->n_output * sizeof *graph->outputs);
  if (graph->outputs == NULL)
    return out_of_memory (b);
  if (b->proto->n_output == 0)
    return nn_fail (b->err, NN_ERR_FORMAT, "the network has no outputs");
  for (size_t i = 0; i < b->proto->n_output; i++) {
    const Onnx__ValueInfoProto *info = b->proto->output[i];
    nn_value *value = NULL;
    if (info->name == NULL || info->name[0] == '\0')
      return nn_fail (b->err, NN_ERR_FORMAT, "output %zu has no name", i);
    nn_status status = resolve (b, info->name, INT64_MAX, &value);
    if (status != NN_OK)
      return nn_fail_in (b->err, "output %zu", i);
    if (value->rank < 0 && info->type != NULL && (status = declare (b, value, info)) != NN_OK)
      return status;
    graph->outputs[graph->n_outputs++] = value;
    value->n_uses++;
  }
  return NN_OK;
}

static nn_status
check_model (builder *b, const Onnx__ModelProto *model)
{
  if (model->graph->n_node > NN_ONNX_MAX_NODES)
    return nn_fail (b->err, NN_ERR_LIMIT, "%zu nodes (at most %zu)", model->graph->n_node, NN_ONNX_MAX_NODES);
  nn_status status = read_opset (b, model);
  return status == NN_OK ? read_metadata (b, model) : status;
}

nn_status
nn_onnx_build_graph (const Onnx__ModelProto *model, nn_onnx_source *source, int *n_operators, nn_error *err)
{
  static nn_status (*const steps[]) (builder *) = { add_initializers, add_inputs, add_results, add_nodes,
                                                    add_outputs };
  builder *b = calloc (1, sizeof *b);
  if (b == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for the graph");
  b->proto = model->graph;
  b->source = source;
  b->graph = source->graph;
  b->err = err;
  nn_status status = check_model (b, model);
  for (size_t i = 0; status == NN_OK && i < sizeof steps / sizeof steps[0]; i++)
    status = steps[i](b);
  *n_operators = b->n_operators;
  nn_onnx_names_clear (&b->names);
  free (b);
  return status;
}
