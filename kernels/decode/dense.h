/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dense heads: thousands of cells with scores and a box each, of which some dozens pass the threshold. Decoding them is
 * finding these candidates, and then sorting, NMS and placing. A GPU does the first part where the outputs lie, so that
 * candidates come back and not megabytes of outputs; it compiles the very functions that the host's decoders use, those
 * below. The second part stays on the host: 30 to 60 candidates take 3 to 7 µs there, while the device is at the next
 * batch.
 *
 * Candidates come in any order: the second part begins with a sort that knows no equals but identical regions.
 * Families of DETR's kind have no such head: their outputs are 300 queries, 25 KB a page, which cost next to nothing
 * to copy and less to decode.
 */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __CUDACC__
#define NN_DENSE __device__ static inline
#else
#define NN_DENSE static inline
#endif

#define NN_LEVELS_MAX 5

/* A class of a cell with a score above the threshold. The box is in pixels of the network's input, in double so that
 * placing it on the frame rounds once; it may be not finite. */
typedef struct nn_candidate {
  double x0, y0, x1, y1;
  float score;
  int class_id;
} nn_candidate;

typedef enum nn_head_kind {
  NN_HEAD_PICODET, /* scores [cells][labels]; boxes [cells][4][bins], as picodet.c says */
  NN_HEAD_YOLOV8,  /* scores [labels][cells]; boxes [4][cells], as yolov8.c says */
} nn_head_kind;

/* A grid of cells, of page 0. */
typedef struct nn_level {
  const float *scores, *boxes;
  int64_t scores_page, boxes_page; /* elements from page to page */
  int cells, labels;
  int stride, columns, bins; /* PicoDet's */
} nn_level;

typedef struct nn_head {
  nn_head_kind kind;
  int pages;
  int n_levels;
  nn_level levels[NN_LEVELS_MAX];
  int most_cells; /* that may pass on a level; with more the host decodes the page, which picks the best */
} nn_head;

NN_DENSE nn_level
nn_level_of_page (const nn_level *level, int page)
{
  nn_level l = *level;
  l.scores += page * l.scores_page;
  l.boxes += page * l.boxes_page;
  return l;
}

/* The cell's best score, or the threshold where none is above it. */
NN_DENSE float
nn_picodet_best (const nn_level *l, int cell, float threshold)
{
  const float *score = l->scores + (int64_t) cell * l->labels;
  float best = threshold;
  for (int c = 0; c < l->labels; c++)
    best = score[c] > best ? score[c] : best;
  return best;
}

/* Σ k softmax (x)[k], in strides. */
NN_DENSE double
nn_picodet_expected_bin (const float *x, int bins)
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

NN_DENSE nn_candidate
nn_picodet_box (const nn_level *l, int cell)
{
  const float *x = l->boxes + (int64_t) cell * 4 * l->bins;
  double distance[4];
  for (int side = 0; side < 4; side++)
    distance[side] = nn_picodet_expected_bin (x + side * l->bins, l->bins) * l->stride;
  double cx = (cell % l->columns + 0.5) * l->stride;
  double cy = (cell / l->columns + 0.5) * l->stride;
  nn_candidate box = { cx - distance[0], cy - distance[1], cx + distance[2], cy + distance[3], 0, -1 };
  return box;
}

NN_DENSE bool
nn_picodet_passes (const nn_level *l, int cell, int class_id, float threshold, nn_candidate *candidate)
{
  float score = l->scores[(int64_t) cell * l->labels + class_id];
  candidate->score = score;
  candidate->class_id = class_id;
  return score > threshold && isfinite (score);
}

/* An anchor counts with its best class. */
NN_DENSE bool
nn_yolov8_passes (const nn_level *l, int anchor, float threshold, nn_candidate *candidate)
{
  const float *score = l->scores + anchor, *at = l->boxes + anchor;
  const int64_t n = l->cells;
  candidate->score = threshold;
  candidate->class_id = -1;
  for (int c = 0; c < l->labels; c++)
    if (score[c * n] > candidate->score && isfinite (score[c * n])) {
      candidate->score = score[c * n];
      candidate->class_id = c;
    }
  if (candidate->class_id < 0)
    return false;
  float x = at[0], y = at[n], w = at[2 * n] / 2, h = at[3 * n] / 2;
  candidate->x0 = x - w;
  candidate->y0 = y - h;
  candidate->x1 = x + w;
  candidate->y1 = y + h;
  return true;
}
