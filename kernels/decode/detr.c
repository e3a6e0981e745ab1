/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RT-DETR and its kin, decoded as transformers' post_process_object_detection() does it.
 *
 * Outputs: scores [1, queries, classes], logits whose sigmoids are independent of each other; boxes
 * [1, queries, 4], centre and size in 0 … 1 of the input; order [1, queries, queries] where there is
 * one (PP-DocLayoutV3): the logit of "row comes before column", of which the upper triangle counts.
 * The best `queries` pairs of a query and a class stay, so that one query may give two regions.
 */
#include "decode.h"

#include <math.h>
#include <stdlib.h>

typedef struct pair {
  float key; /* the logit: sigmoids tie where logits do not */
  int index; /* query × classes + class */
} pair;

typedef struct head {
  const float *logits, *boxes, *order; /* order may be NULL */
  int queries, classes;
} head;

static float
sigmoid (float x)
{
  return 1 / (1 + expf (-x));
}

/* Largest first; of equals the one that comes first. */
static int
compare_best (const void *pa, const void *pb)
{
  const pair *a = pa, *b = pb;
  if (a->key != b->key)
    return a->key < b->key ? 1 : -1;
  return (a->index > b->index) - (a->index < b->index);
}

static int
compare_votes (const void *pa, const void *pb)
{
  const pair *a = pa, *b = pb;
  if (a->key != b->key)
    return a->key > b->key ? 1 : -1;
  return (a->index > b->index) - (a->index < b->index);
}

static nn_status
get_head (const nn_decode_input *input, head *h, nn_error *err)
{
  const nn_roles *roles = &input->roles;
  const nn_tensor *logits
      = nn_decode_output (input, roles->scores, "class scores", NN_F32, -1, input->n_labels, err);
  if (!logits)
    return err->status;
  int64_t queries = logits->dim[1];
  if (queries > INT16_MAX)
    return nn_fail (err, NN_ERR_LIMIT, "the network has %lld queries", (long long) queries);
  const nn_tensor *boxes = nn_decode_output (input, roles->boxes, "boxes", NN_F32, queries, 4, err);
  if (!boxes)
    return err->status;
  h->logits = logits->data;
  h->boxes = boxes->data;
  h->queries = (int) queries;
  h->classes = input->n_labels;
  if (roles->order < 0)
    return NN_OK;
  const nn_tensor *order = nn_decode_output (input, roles->order, "order", NN_F32, queries, queries, err);
  if (!order)
    return err->status;
  h->order = order->data;
  return NN_OK;
}

/* Each query's place: queries by the number of those that come before them, as pairs vote. */
static void
rank_queries (const head *h, pair *votes, int *place)
{
  for (int j = 0; j < h->queries; j++) {
    double before = 0;
    for (int i = 0; i < h->queries; i++)
      if (i < j)
        before += (double) sigmoid (h->order[i * h->queries + j]);
      else if (i > j)
        before += (double) (1 - sigmoid (h->order[j * h->queries + i]));
    votes[j] = (pair) { (float) before, j };
  }
  qsort (votes, (size_t) h->queries, sizeof *votes, compare_votes);
  for (int i = 0; i < h->queries; i++)
    place[votes[i].index] = i;
}

static int
best_pairs (const head *h, float threshold, pair *pairs)
{
  /* Most logits are far below what the threshold's is, and need no exponential. */
  const float least = threshold > 0 && threshold < 1 ? logf (threshold / (1 - threshold)) - 0.01f : -INFINITY;
  int n = 0;
  for (int i = 0; i < h->queries * h->classes; i++)
    if (h->logits[i] > least && sigmoid (h->logits[i]) > threshold)
      pairs[n++] = (pair) { h->logits[i], i };
  if (n <= h->queries)
    return n;
  qsort (pairs, (size_t) n, sizeof *pairs, compare_best);
  return h->queries;
}

static nn_status
add_pairs (const nn_decode_input *input, const head *h, const pair *pairs, int n, const int *place,
           nn_detections *result, nn_error *err)
{
  for (int i = 0; i < n; i++) {
    int query = pairs[i].index / h->classes;
    const float *box = h->boxes + 4 * query;
    double cx = box[0] * (double) input->input_width, cy = box[1] * (double) input->input_height;
    double w = box[2] * (double) input->input_width / 2, h2 = box[3] * (double) input->input_height / 2;
    nn_region region = { .score = sigmoid (pairs[i].key),
                         .class_id = pairs[i].index % h->classes,
                         .order = place ? place[query] : -1 };
    if (!nn_decode_place (input, cx - w, cy - h2, cx + w, cy + h2, &region))
      continue;
    nn_status status = nn_detections_add (result, &region, err);
    if (status)
      return status;
  }
  return NN_OK;
}

nn_status
nn_decode_detr (const nn_decode_input *input, nn_detections *result, nn_error *err)
{
  head h = { 0 };
  result->n = 0;
  nn_status status = get_head (input, &h, err);
  if (status)
    return status;
  size_t n_pairs = (size_t) h.queries * (size_t) h.classes;
  pair *pairs = malloc (n_pairs * sizeof *pairs), *votes = NULL;
  int *place = NULL;
  if (h.order) {
    votes = malloc ((size_t) h.queries * sizeof *votes);
    place = malloc ((size_t) h.queries * sizeof *place);
  }
  if (!pairs || (h.order && (!votes || !place))) {
    status = nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu scores", n_pairs);
  } else {
    if (h.order)
      rank_queries (&h, votes, place);
    status = add_pairs (input, &h, pairs, best_pairs (&h, input->threshold, pairs), place, result, err);
  }
  free (pairs);
  free (votes);
  free (place);
  nn_decode_finish (input, result);
  return status;
}
