/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PicoDet's head, decoded as PaddleDetection's and RapidLayout 1.2.1's PPPostProcess do it.
 *
 * Outputs: a [1, cells, classes] of scores for each level, then a [1, cells, 4 × bins] of boxes
 * for each. Level l is a grid of stride 8 << l pixels over the input, row by row. A box's four
 * distances from its cell's centre (left, top, right, bottom) are expectations over `bins`
 * equidistant values, 0 … bins - 1 strides, with the softmax of the outputs as probabilities.
 */
#include "decode.h"

#include <limits.h>
#include <stdlib.h>

/* The reference's limits: cells a level, then boxes a class before and after NMS. */
#define CELLS_A_LEVEL 1000
#define BOXES_BEFORE_NMS 200
#define BOXES_AFTER_NMS 100

typedef struct cell {
  int index;
  float score; /* of its best class */
} cell;

/* Level `index` of outputs of `pages` pages. */
static nn_status
get_level (const nn_decode_input *input, int index, int64_t pages, nn_level *l, nn_error *err)
{
  const nn_tensor *scores = input->outputs[index];
  const nn_tensor *boxes = input->outputs[index + input->n_outputs / 2];
  l->stride = 8 << index;
  l->columns = (input->input_width + l->stride - 1) / l->stride;
  l->cells = l->columns * ((input->input_height + l->stride - 1) / l->stride);
  if (scores->dtype != NN_F32 || boxes->dtype != NN_F32 || scores->rank != 3 || boxes->rank != 3
      || scores->dim[0] != pages || boxes->dim[0] != pages || scores->dim[1] != l->cells || boxes->dim[1] != l->cells
      || scores->dim[2] != input->n_labels || boxes->dim[2] < 8 || boxes->dim[2] > 4096 || boxes->dim[2] % 4) {
    char a[96], b[96];
    return nn_fail (err, NN_ERR_FORMAT, "level %d of the network's outputs is %s and %s, not %d cells of %d scores"
                    " and of 4 equal groups of box bins", index, nn_tensor_describe (scores, a, sizeof a),
                    nn_tensor_describe (boxes, b, sizeof b), l->cells, input->n_labels);
  }
  l->scores = scores->data;
  l->boxes = boxes->data;
  l->labels = input->n_labels;
  l->bins = (int) boxes->dim[2] / 4;
  l->scores_page = (int64_t) l->cells * l->labels;
  l->boxes_page = (int64_t) l->cells * boxes->dim[2];
  return NN_OK;
}

static int
compare_cells (const void *pa, const void *pb)
{
  const cell *a = pa, *b = pb;
  if (a->score != b->score)
    return a->score < b->score ? 1 : -1;
  return (a->index > b->index) - (a->index < b->index);
}

/* The level's best cells with a score above the threshold, best first; `cells` has room for all. */
static int
best_cells (const nn_level *l, float threshold, cell *cells)
{
  int n = 0;
  for (int i = 0; i < l->cells; i++) {
    float best = nn_picodet_best (l, i, threshold);
    if (best > threshold)
      cells[n++] = (cell) { i, best };
  }
  if (n <= CELLS_A_LEVEL)
    return n;
  qsort (cells, (size_t) n, sizeof *cells, compare_cells);
  return CELLS_A_LEVEL;
}

/* With its box in frame pixels, not clamped; one that is not finite is left out. */
static nn_status
add (const nn_decode_input *input, const nn_candidate *c, nn_detections *result, nn_error *err)
{
  nn_region region = { .score = c->score, .class_id = c->class_id, .order = -1 };
  bool finite = nn_decode_place (input, c->x0, c->y0, c->x1, c->y1, &region);
  return finite ? nn_detections_add (result, &region, err) : NN_OK;
}

static nn_status
add_level (const nn_decode_input *input, int index, nn_detections *result, nn_error *err)
{
  nn_level l = { 0 };
  nn_status status = get_level (input, index, 1, &l, err);
  if (status)
    return status;
  cell *cells = malloc ((size_t) l.cells * sizeof *cells);
  if (!cells)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d cells", l.cells);
  int n = best_cells (&l, input->threshold, cells);
  for (int i = 0; i < n && !status; i++) {
    nn_candidate candidate = nn_picodet_box (&l, cells[i].index);
    for (int c = 0; c < l.labels && !status; c++)
      if (nn_picodet_passes (&l, cells[i].index, c, input->threshold, &candidate))
        status = add (input, &candidate, result, err);
  }
  free (cells);
  return status;
}

static void
choose (const nn_decode_input *input, nn_detections *result)
{
  nn_detections_sort (result);
  nn_detections_keep_best (result, input->n_labels, BOXES_BEFORE_NMS);
  nn_detections_suppress (result, input->iou_threshold, INT_MAX);
  nn_detections_keep_best (result, input->n_labels, BOXES_AFTER_NMS);
  /* After NMS, as the reference does: a clamped box has another IoU. */
  nn_decode_finish (input, result);
}

nn_status
nn_decode_picodet (const nn_decode_input *input, nn_detections *result, nn_error *err)
{
  result->n = 0;
  for (int index = 0; index < input->n_outputs / 2; index++) {
    nn_status status = add_level (input, index, result, err);
    if (status)
      return status;
  }
  choose (input, result);
  return NN_OK;
}

/* ---- where a device finds the candidates ---- */

static nn_status
get_head (const nn_decode_input *outputs, nn_head *head, nn_error *err)
{
  const nn_tensor *first = outputs->outputs[0];
  nn_decode_input input = *outputs;
  input.n_labels = first->rank == 3 ? (int) first->dim[2] : 0;
  *head = (nn_head) { .kind = NN_HEAD_PICODET,
                      .pages = (int) first->dim[0],
                      .n_levels = outputs->n_outputs / 2,
                      .most_cells = CELLS_A_LEVEL };
  if (head->n_levels < 1 || head->n_levels > NN_LEVELS_MAX)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "the network has %d levels, not 1 to %d", head->n_levels, NN_LEVELS_MAX);
  for (int i = 0; i < head->n_levels; i++)
    if (get_level (&input, i, head->pages, &head->levels[i], err))
      return err->status;
  return NN_OK;
}

static nn_status
finish (const nn_decode_input *input, const nn_candidate *candidates, int n, nn_detections *result, nn_error *err)
{
  result->n = 0;
  for (int i = 0; i < n; i++)
    if (add (input, &candidates[i], result, err))
      return err->status;
  choose (input, result);
  return NN_OK;
}

const nn_dense nn_dense_picodet = { get_head, finish };
