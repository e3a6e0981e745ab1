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
#include <math.h>
#include <stdlib.h>

/* The reference's limits: cells a level, then boxes a class before and after NMS. */
#define CELLS_A_LEVEL 1000
#define BOXES_BEFORE_NMS 200
#define BOXES_AFTER_NMS 100

typedef struct cell {
  int index;
  float score; /* of its best class */
} cell;

typedef struct level {
  const float *scores, *boxes; /* [cells][labels], [cells][4][bins] */
  int stride, columns, cells, bins;
} level;

static nn_status
get_level (const nn_decode_input *input, int index, level *l, nn_error *err)
{
  const nn_tensor *scores = input->outputs[index];
  const nn_tensor *boxes = input->outputs[index + input->n_outputs / 2];
  l->stride = 8 << index;
  l->columns = (input->input_width + l->stride - 1) / l->stride;
  l->cells = l->columns * ((input->input_height + l->stride - 1) / l->stride);
  if (scores->dtype != NN_F32 || boxes->dtype != NN_F32 || scores->rank != 3 || boxes->rank != 3
      || scores->dim[0] != 1 || boxes->dim[0] != 1 || scores->dim[1] != l->cells || boxes->dim[1] != l->cells
      || scores->dim[2] != input->n_labels || boxes->dim[2] < 8 || boxes->dim[2] > 4096 || boxes->dim[2] % 4) {
    char a[96], b[96];
    return nn_fail (err, NN_ERR_FORMAT, "level %d of the network's outputs is %s and %s, not %d cells of %d scores"
                    " and of 4 equal groups of box bins", index, nn_tensor_describe (scores, a, sizeof a),
                    nn_tensor_describe (boxes, b, sizeof b), l->cells, input->n_labels);
  }
  l->scores = scores->data;
  l->boxes = boxes->data;
  l->bins = (int) boxes->dim[2] / 4;
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
best_cells (const nn_decode_input *input, const level *l, cell *cells)
{
  int n = 0;
  for (int i = 0; i < l->cells; i++) {
    const float *score = l->scores + (size_t) i * (size_t) input->n_labels;
    float best = input->threshold;
    for (int c = 0; c < input->n_labels; c++)
      best = score[c] > best ? score[c] : best;
    if (best > input->threshold)
      cells[n++] = (cell) { i, best };
  }
  if (n <= CELLS_A_LEVEL)
    return n;
  qsort (cells, (size_t) n, sizeof *cells, compare_cells);
  return CELLS_A_LEVEL;
}

/* Σ k softmax (x)[k], in strides. */
static double
expected_bin (const float *x, int bins)
{
  double sum = 0, weighted = 0;
  float max = x[0];
  for (int k = 1; k < bins; k++)
    max = x[k] > max ? x[k] : max;
  for (int k = 0; k < bins; k++) {
    double p = exp ((double) x[k] - (double) max);
    sum += p;
    weighted += k * p;
  }
  return weighted / sum;
}

/* The cell's box in frame pixels, not clamped; false where it is not finite. */
static bool
cell_box (const nn_decode_input *input, const level *l, int index, nn_region *region)
{
  const float *x = l->boxes + (size_t) index * 4 * (size_t) l->bins;
  double distance[4];
  for (int side = 0; side < 4; side++)
    distance[side] = expected_bin (x + side * l->bins, l->bins) * l->stride;
  double cx = (index % l->columns + 0.5) * l->stride;
  double cy = (int) (index / l->columns) * (double) l->stride + 0.5 * l->stride;
  return nn_decode_place (input, cx - distance[0], cy - distance[1], cx + distance[2], cy + distance[3],
                          region);
}

static nn_status
add_level (const nn_decode_input *input, int index, nn_detections *result, nn_error *err)
{
  level l = { 0 };
  nn_status status = get_level (input, index, &l, err);
  if (status)
    return status;
  cell *cells = malloc ((size_t) l.cells * sizeof *cells);
  if (!cells)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d cells", l.cells);
  int n = best_cells (input, &l, cells);
  for (int i = 0; i < n && !status; i++) {
    const float *score = l.scores + (size_t) cells[i].index * (size_t) input->n_labels;
    nn_region region = { .order = -1 };
    if (!cell_box (input, &l, cells[i].index, &region))
      continue;
    for (int c = 0; c < input->n_labels && !status; c++)
      if (score[c] > input->threshold && isfinite (score[c])) {
        region.score = score[c];
        region.class_id = c;
        status = nn_detections_add (result, &region, err);
      }
  }
  free (cells);
  return status;
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
  nn_detections_sort (result);
  nn_detections_keep_best (result, input->n_labels, BOXES_BEFORE_NMS);
  nn_detections_suppress (result, input->iou_threshold, INT_MAX);
  nn_detections_keep_best (result, input->n_labels, BOXES_AFTER_NMS);
  /* After NMS, as the reference does: a clamped box has another IoU. */
  nn_decode_finish (input, result);
  return NN_OK;
}
