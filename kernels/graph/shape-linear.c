/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shape.h"

#include <inttypes.h>
#include <string.h>

/* Batch dimensions broadcast; a vector operand gets a dimension that the result does not keep. In a
 * file there are two operands. */
nn_status
nn_shape_matmul (nn_node *node, const nn_graph *graph, nn_error *err)
{
  if (node->n_in != 2)
    return nn_fail (err, NN_ERR_FORMAT, "%d operands, expected 2", node->n_in);
  const nn_value *a = node->in[0], *b = node->in[1];
  int64_t dim[NN_MAX_RANK];
  if (a->rank < 1 || b->rank < 1)
    return nn_fail (err, NN_ERR_FORMAT, "a scalar operand");
  if (a->dtype != b->dtype)
    return nn_fail (err, NN_ERR_FORMAT, "operands of different types");
  int64_t inner_b = b->rank == 1 ? b->dim[0] : b->dim[b->rank - 2];
  if (a->dim[a->rank - 1] != inner_b)
    return nn_fail (err, NN_ERR_FORMAT, "%" PRId64 " columns times %" PRId64 " rows", a->dim[a->rank - 1],
                    inner_b);
  int batch_a = a->rank > 2 ? a->rank - 2 : 0, batch_b = b->rank > 2 ? b->rank - 2 : 0;
  int rank = batch_a > batch_b ? batch_a : batch_b;
  for (int i = 0; i < rank; i++) {
    int ia = i - (rank - batch_a), ib = i - (rank - batch_b);
    int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
    if (da != db && da != 1 && db != 1)
      return nn_fail (err, NN_ERR_FORMAT, "batch dimensions %" PRId64 " and %" PRId64 " do not broadcast", da,
                      db);
    dim[i] = da == 1 ? db : da;
  }
  if (a->rank > 1)
    dim[rank++] = a->dim[a->rank - 2];
  if (b->rank > 1)
    dim[rank++] = b->dim[b->rank - 1];
  return nn_shape_set (node, 0, a->dtype, rank, dim, err);
}

nn_status
nn_shape_gemm (nn_node *node, const nn_graph *graph, nn_error *err)
{
  const nn_value *a = node->in[0], *b = node->in[1];
  if (a->rank != 2 || b->rank != 2)
    return nn_fail (err, NN_ERR_FORMAT, "operands of %d and %d dimensions, expected 2", a->rank, b->rank);
  if (a->dtype != b->dtype)
    return nn_fail (err, NN_ERR_FORMAT, "operands of different types");
  int ta = nn_node_int (node, "transA", 0) != 0, tb = nn_node_int (node, "transB", 0) != 0;
  if (a->dim[!ta] != b->dim[tb])
    return nn_fail (err, NN_ERR_FORMAT, "%" PRId64 " columns times %" PRId64 " rows", a->dim[!ta],
                    b->dim[tb]);
  int64_t dim[2] = { a->dim[ta], b->dim[!tb] };
  if (nn_node_has (node, 2)) {
    const nn_value *c = node->in[2];
    if (c->dtype != a->dtype)
      return nn_fail (err, NN_ERR_FORMAT, "operands of different types");
    for (int i = 0; i < c->rank; i++)
      if (c->rank > 2 || (c->dim[i] != 1 && c->dim[i] != dim[i + 2 - c->rank]))
        return nn_fail (err, NN_ERR_FORMAT, "operand 2 does not broadcast to the product");
  }
  return nn_shape_set (node, 0, a->dtype, 2, dim, err);
}

/* ---- Einsum ---- */

static bool
is_letter (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One term of the equation, without its spaces; returns where it ends. */
static const char *
read_term (const char *text, char letters[NN_MAX_RANK + 1], int *n, nn_error *err)
{
  for (*n = 0; is_letter (*text) || *text == ' '; text++) {
    if (*text == ' ')
      continue;
    if (*n == NN_MAX_RANK) {
      nn_fail (err, NN_ERR_UNSUPPORTED, "a term of the equation has more than %d letters", NN_MAX_RANK);
      return NULL;
    }
    letters[(*n)++] = *text;
  }
  letters[*n] = '\0';
  return text;
}

/* The dimension that a letter stands for; false where two differ or there is none. */
static bool
find_dim (const nn_node *node, const nn_einsum *e, char letter, int64_t *dim)
{
  *dim = -1;
  for (int i = 0; i < node->n_in; i++)
    for (int d = 0; d < e->rank[i]; d++) {
      if (e->letters[i][d] != letter)
        continue;
      if (*dim >= 0 && *dim != node->in[i]->dim[d])
        return false;
      *dim = node->in[i]->dim[d];
    }
  return *dim >= 0;
}

static int
count_letter (const nn_node *node, const nn_einsum *e, char letter)
{
  int n = 0;
  for (int i = 0; i < node->n_in; i++)
    for (const char *at = e->letters[i]; *at != '\0'; at++)
      n += *at == letter;
  return n;
}

/* Without an arrow the result has the letters that are there once, in alphabetical order. */
static nn_status
implicit_result (const nn_node *node, nn_einsum *e, nn_error *err)
{
  for (int letter = 'A'; letter <= 'z'; letter++) {
    if (!is_letter ((char) letter) || count_letter (node, e, (char) letter) != 1)
      continue;
    if (e->n_result == NN_MAX_RANK)
      return nn_fail (err, NN_ERR_UNSUPPORTED, "a result of more than %d dimensions", NN_MAX_RANK);
    e->result[e->n_result++] = (char) letter;
  }
  e->result[e->n_result] = '\0';
  return NN_OK;
}

static nn_status
read_equation (const nn_node *node, nn_einsum *e, nn_error *err)
{
  const char *equation = nn_node_string (node, "equation", ""), *at = equation;
  for (int i = 0; i < node->n_in; i++) {
    if (node->in[i] == NULL)
      return nn_fail (err, NN_ERR_FORMAT, "operand %d is left out", i);
    at += i > 0 && *at == ',';
    if ((at = read_term (at, e->letters[i], &e->rank[i], err)) == NULL)
      return err->status;
    if (e->rank[i] != node->in[i]->rank)
      return nn_fail (err, NN_ERR_UNSUPPORTED, "equation '%s' gives operand %d %d letters; it has %d dimensions", equation,
                      i, e->rank[i], node->in[i]->rank);
  }
  if (*at == '\0')
    return implicit_result (node, e, err);
  if (at[0] != '-' || at[1] != '>')
    return nn_fail (err, NN_ERR_UNSUPPORTED, "equation '%s' is not supported", equation);
  at = read_term (at + 2, e->result, &e->n_result, err);
  if (at != NULL && *at != '\0')
    return nn_fail (err, NN_ERR_UNSUPPORTED, "equation '%s' is not supported", equation);
  return at != NULL ? NN_OK : err->status;
}

/* Letters that the result does not have are summed over. */
static nn_status
find_sums (const nn_node *node, nn_einsum *e, nn_error *err)
{
  for (int i = 0; i < node->n_in; i++)
    for (int d = 0; d < e->rank[i]; d++) {
      char letter = e->letters[i][d];
      if (strchr (e->result, letter) != NULL || strchr (e->sums, letter) != NULL)
        continue;
      if (e->n_sums == NN_MAX_RANK)
        return nn_fail (err, NN_ERR_UNSUPPORTED, "a sum over more than %d dimensions", NN_MAX_RANK);
      if (!find_dim (node, e, letter, &e->sum_dim[e->n_sums]))
        return nn_fail (err, NN_ERR_FORMAT, "letter '%c' stands for dimensions of different size", letter);
      e->sums[e->n_sums++] = letter;
    }
  return NN_OK;
}

nn_status
nn_shape_einsum (const nn_node *node, nn_einsum *e, nn_error *err)
{
  *e = (nn_einsum) { 0 };
  nn_status status = read_equation (node, e, err);
  return status != NN_OK ? status : find_sums (node, e, err);
}

nn_status
nn_shape_einsum_result (nn_node *node, const nn_graph *graph, nn_error *err)
{
  nn_einsum e;
  int64_t dim[NN_MAX_RANK];
  nn_status status = nn_shape_einsum (node, &e, err);
  if (status != NN_OK)
    return status;
  if (node->n_in == 2 && node->in[1]->dtype != node->in[0]->dtype)
    return nn_fail (err, NN_ERR_FORMAT, "operands of different types");
  for (int i = 0; i < e.n_result; i++) {
    if (strchr (e.result + i + 1, e.result[i]) != NULL || !find_dim (node, &e, e.result[i], &dim[i]))
      return nn_fail (err, NN_ERR_FORMAT, "letter '%c' of the result is there twice, in no operand, or of different size",
                      e.result[i]);
  }
  return nn_shape_set (node, 0, node->in[0]->dtype, e.n_result, dim, err);
}
