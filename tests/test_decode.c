/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decoding and post-processing on cases made by hand; every expected number is worked out here or
 * in the comment beside it. */
#include <stdlib.h>
#include <string.h>

#include "kernels/decode/decode.h"
#include "nn-check.h"

/* ---- PicoDet ---- */

#define LABELS 3
#define BINS 8

/* A 128 × 64 input: grids of 16×8, 8×4, 4×2 and 2×1 cells. */
enum { LEVELS = 4, INPUT_WIDTH = 128, INPUT_HEIGHT = 64 };

typedef struct head {
  nn_tensor tensors[2 * LEVELS];
  const nn_tensor *outputs[2 * LEVELS];
  nn_decode_input input;
} head;

static int
level_cells (int l)
{
  return (INPUT_WIDTH >> (3 + l)) * (INPUT_HEIGHT >> (3 + l));
}

/* All scores 0, all bins equal: an expectation of 3.5 strides to each side. */
static void
head_init (head *h, int frame_width, int frame_height)
{
  for (int l = 0; l < LEVELS; l++) {
    int64_t scores[3] = { 1, level_cells (l), LABELS }, boxes[3] = { 1, level_cells (l), 4 * BINS };
    h->tensors[l] = nn_tensor_make (NN_F32, 3, scores, NN_LAYOUT_ROW_MAJOR,
                                    calloc ((size_t) level_cells (l) * LABELS, sizeof (float)));
    h->tensors[LEVELS + l] = nn_tensor_make (NN_F32, 3, boxes, NN_LAYOUT_ROW_MAJOR,
                                             calloc ((size_t) level_cells (l) * 4 * BINS, sizeof (float)));
  }
  for (int i = 0; i < 2 * LEVELS; i++)
    h->outputs[i] = &h->tensors[i];
  h->input = (nn_decode_input) {
    .outputs = h->outputs,
    .n_outputs = 2 * LEVELS,
    .input_width = INPUT_WIDTH,
    .input_height = INPUT_HEIGHT,
    .frame_width = frame_width,
    .frame_height = frame_height,
    .placement = { .scale_x = (float) INPUT_WIDTH / (float) frame_width,
                   .scale_y = (float) INPUT_HEIGHT / (float) frame_height },
    .n_labels = LABELS,
    .threshold = 0.5f,
    .iou_threshold = 0.5f,
  };
}

static void
head_clear (head *h)
{
  for (int i = 0; i < 2 * LEVELS; i++)
    free (h->tensors[i].data);
}

static float *
score_at (head *h, int l, int cell, int label)
{
  return (float *) h->tensors[l].data + cell * LABELS + label;
}

/* The bin `distance` gets all the probability. */
static void
set_side (head *h, int l, int cell, int side, int distance)
{
  float *bins = (float *) h->tensors[LEVELS + l].data + (cell * 4 + side) * BINS;
  for (int k = 0; k < BINS; k++)
    bins[k] = k == distance ? 100 : 0;
}

static void
set_box (head *h, int l, int cell, int left, int top, int right, int bottom)
{
  set_side (h, l, cell, 0, left);
  set_side (h, l, cell, 1, top);
  set_side (h, l, cell, 2, right);
  set_side (h, l, cell, 3, bottom);
}

static nn_detections
decode (head *h)
{
  nn_detections result = { 0 };
  nn_error err = { .message = "" };
  if (!CHECK (nn_decode_picodet (&h->input, &result, &err) == NN_OK))
    printf ("  %s\n", err.message);
  return result;
}

static void
check_box (const nn_region *r, double x0, double y0, double x1, double y1)
{
  CHECK_NEAR (r->x0, x0, 1e-3);
  CHECK_NEAR (r->y0, y0, 1e-3);
  CHECK_NEAR (r->x1, x1, 1e-3);
  CHECK_NEAR (r->y1, y1, 1e-3);
}

static void
test_picodet_boxes (void)
{
  head h;
  head_init (&h, 256, 64); /* twice as wide as the input */
  /* Level 1, stride 16, 8 columns: cell 10 is column 2, row 1; centre (40, 24). */
  *score_at (&h, 1, 10, 2) = 0.75f;
  set_box (&h, 1, 10, 1, 0, 2, 1);
  /* Level 0, stride 8, 16 columns: cell 127 is column 15, row 7; centre (124, 60), clamped. */
  *score_at (&h, 0, 127, 0) = 0.9f;
  set_box (&h, 0, 127, 4, 5, 7, 3);
  nn_detections d = decode (&h);
  if (CHECK (d.n == 2)) {
    check_box (&d.regions[0], (124 - 32) * 2, 60 - 40, 256, 64);
    CHECK (d.regions[0].class_id == 0 && d.regions[0].score == 0.9f);
    check_box (&d.regions[1], (40 - 16) * 2, 24, (40 + 32) * 2, 24 + 16);
    CHECK (d.regions[1].class_id == 2 && d.regions[1].score == 0.75f);
  }
  nn_detections_clear (&d);
  head_clear (&h);
}

/* Two bins as likely as each other: their mean; with log-odds ln 3: a quarter of the way. */
static void
test_picodet_expectation (void)
{
  head h;
  head_init (&h, INPUT_WIDTH, INPUT_HEIGHT);
  *score_at (&h, 1, 18, 1) = 0.6f; /* column 2, row 2: centre (40, 40) */
  float *bins = (float *) h.tensors[LEVELS + 1].data + 18 * 4 * BINS;
  for (int side = 0; side < 4; side++)
    for (int k = 0; k < BINS; k++)
      bins[side * BINS + k] = -1000;
  bins[0] = bins[1] = 3;                                   /* left: 0.5 */
  bins[BINS + 1] = 5 + logf (3), bins[BINS + 2] = 5;       /* top: 1.25 */
  bins[2 * BINS + 2] = 80;                                 /* right: 2 */
  bins[3 * BINS] = -7;                                     /* bottom: 0 */
  nn_detections d = decode (&h);
  if (CHECK (d.n == 1))
    check_box (&d.regions[0], 40 - 8, 40 - 20, 40 + 32, 40);
  nn_detections_clear (&d);
  head_clear (&h);
}

static void
test_picodet_letterbox (void)
{
  head h;
  head_init (&h, 64, 64); /* lies in the middle of the input at its own size */
  h.input.placement = (nn_page_placement) { .scale_x = 1, .scale_y = 1, .offset_x = 32, .offset_y = 0 };
  *score_at (&h, 0, 3 * 16 + 8, 0) = 0.8f; /* centre (68, 28) */
  set_box (&h, 0, 3 * 16 + 8, 1, 1, 1, 1);
  nn_detections d = decode (&h);
  if (CHECK (d.n == 1))
    check_box (&d.regions[0], 68 - 8 - 32, 20, 68 + 8 - 32, 36);
  nn_detections_clear (&d);
  head_clear (&h);
}

static void
test_picodet_threshold (void)
{
  head h;
  head_init (&h, INPUT_WIDTH, INPUT_HEIGHT);
  *score_at (&h, 0, 5, 1) = 0.5f; /* not above it */
  *score_at (&h, 0, 6, 1) = nextafterf (0.5f, 1);
  nn_detections d = decode (&h);
  CHECK (d.n == 1 && d.regions[0].score > 0.5f);
  nn_detections_clear (&d);
  head_clear (&h);
}

static void
test_picodet_nms (void)
{
  head h;
  head_init (&h, INPUT_WIDTH, INPUT_HEIGHT);
  /* Neighbours at stride 8, 6 + 6 strides wide: 88 of 104 pixels in common, IoU 0.846. */
  for (int cell = 50; cell < 52; cell++) {
    set_box (&h, 0, cell, 6, 3, 6, 3);
    *score_at (&h, 0, cell, 1) = cell == 50 ? 0.6f : 0.7f;
  }
  *score_at (&h, 0, 50, 2) = 0.55f; /* of another class: stays */
  nn_detections d = decode (&h);
  CHECK (d.n == 2 && d.regions[0].score == 0.7f && d.regions[1].class_id == 2);
  nn_detections_clear (&d);
  h.input.iou_threshold = 0.85f;
  d = decode (&h);
  CHECK (d.n == 3);
  nn_detections_clear (&d);
  head_clear (&h);
}

static void
test_picodet_not_finite (void)
{
  head h;
  head_init (&h, INPUT_WIDTH, INPUT_HEIGHT);
  *score_at (&h, 0, 1, 0) = NAN;
  *score_at (&h, 0, 1, 1) = 0.8f; /* a good score beside a bad one */
  *score_at (&h, 0, 20, 0) = INFINITY;
  *score_at (&h, 1, 3, 2) = 0.9f;
  ((float *) h.tensors[LEVELS + 1].data)[3 * 4 * BINS + 5] = NAN;
  *score_at (&h, 2, 1, 2) = 0.9f;
  ((float *) h.tensors[LEVELS + 2].data)[1 * 4 * BINS + 9] = INFINITY;
  nn_detections d = decode (&h);
  CHECK (d.n == 1 && d.regions[0].class_id == 1 && d.regions[0].score == 0.8f);
  nn_detections_clear (&d);
  head_clear (&h);
}

/* At most 100 boxes of a class come out of NMS: here no two overlap. */
static void
test_picodet_limits (void)
{
  head h;
  head_init (&h, INPUT_WIDTH, INPUT_HEIGHT);
  for (int cell = 0; cell < 128; cell++) {
    set_box (&h, 0, cell, 0, 0, 1, 1);
    *score_at (&h, 0, cell, 0) = 0.5f + (float) cell / 1024; /* exact, with or without fused operations */
  }
  h.input.iou_threshold = 0.9f;
  nn_detections d = decode (&h);
  CHECK (d.n == 100);
  CHECK (d.n > 0 && d.regions[0].score == 0.5f + 127.0f / 1024 && d.regions[d.n - 1].score == 0.5f + 28.0f / 1024);
  nn_detections_clear (&d);
  head_clear (&h);
}

static void
test_picodet_wrong_shapes (void)
{
  head h;
  nn_detections d = { 0 };
  nn_error err;
  head_init (&h, INPUT_WIDTH, INPUT_HEIGHT);
  h.tensors[1].dim[1]--;
  CHECK (nn_decode_picodet (&h.input, &d, &err) == NN_ERR_FORMAT);
  CHECK_TEXT (err.message, "level 1");
  CHECK_TEXT (err.message, "float32[1,31,3]");
  h.tensors[1].dim[1]++;
  h.input.n_labels = 4;
  CHECK (nn_decode_picodet (&h.input, &d, &err) == NN_ERR_FORMAT);
  nn_detections_clear (&d);
  head_clear (&h);
}

/* As a device does it: candidates of all cells, here from the last to the first, then the host's part. */
static void
test_picodet_dense (void)
{
  head h;
  nn_head dense;
  nn_candidate candidates[16];
  nn_detections got = { 0 };
  nn_error err;
  int n = 0;
  head_init (&h, INPUT_WIDTH, INPUT_HEIGHT);
  for (int cell = 50; cell < 53; cell++) {
    set_box (&h, 0, cell, 6, 3, 6, 3);
    *score_at (&h, 0, cell, 1) = 0.6f; /* equals, of which NMS keeps the first in the order of boxes */
  }
  *score_at (&h, 3, 1, 0) = 0.9f;
  *score_at (&h, 3, 1, 2) = 0.7f;
  CHECK (nn_dense_picodet.head (&h.input, &dense, &err) == NN_OK && dense.n_levels == LEVELS && dense.pages == 1);
  for (int l = dense.n_levels - 1; l >= 0; l--)
    for (int cell = dense.levels[l].cells - 1; cell >= 0; cell--) {
      nn_candidate box = nn_picodet_box (&dense.levels[l], cell);
      for (int c = 0; c < LABELS && n < 16; c++)
        if (nn_picodet_passes (&dense.levels[l], cell, c, h.input.threshold, &box))
          candidates[n++] = box;
    }
  CHECK (n == 5 && nn_dense_picodet.finish (&h.input, candidates, n, &got, &err) == NN_OK);
  nn_detections wanted = decode (&h);
  CHECK (wanted.n == 3 && got.n == 3);
  for (int i = 0; i < wanted.n && i < got.n; i++)
    CHECK (memcmp (&wanted.regions[i], &got.regions[i], sizeof (nn_region)) == 0);
  nn_detections_clear (&wanted);
  nn_detections_clear (&got);
  head_clear (&h);
}

/* ---- lists of regions ---- */

static nn_detections
list (const nn_region *regions, int n)
{
  nn_detections d = { 0 };
  nn_error err;
  for (int i = 0; i < n; i++)
    CHECK (nn_detections_add (&d, &regions[i], &err) == NN_OK);
  nn_detections_sort (&d);
  return d;
}

#define LIST(...) \
  list ((nn_region[]) { __VA_ARGS__ }, (int) (sizeof ((nn_region[]) { __VA_ARGS__ }) / sizeof (nn_region)))

static void
test_iou (void)
{
  nn_region a = { 0, 0, 10, 10 }, half = { 5, 0, 15, 10 }, away = { 10, 0, 20, 10 }, empty = { 3, 3, 3, 9 };
  nn_region turned = { 10, 10, 0, 0 };
  CHECK_NEAR (nn_region_iou (&a, &a), 1, 1e-6);
  CHECK_NEAR (nn_region_iou (&a, &half), 50.0 / 150, 1e-6);
  CHECK (nn_region_iou (&a, &away) == 0);
  CHECK (nn_region_iou (&a, &empty) == 0 && nn_region_iou (&empty, &empty) == 0);
  CHECK (nn_region_iou (&a, &turned) == 0 && nn_region_iou (&turned, &turned) == 0);
}

static void
test_sort (void)
{
  nn_detections d = LIST ({ 5, 9, 8, 10, 0.5f, 1 }, { 0, 2, 1, 3, 0.5f, 2 }, { 3, 1, 4, 2, 0.5f, 1 },
                          { 2, 1, 4, 2, 0.5f, 1 }, { 0, 0, 1, 1, 0.9f, 7 });
  const float x0[] = { 0, 2, 3, 5, 0 };
  for (int i = 0; i < 5; i++)
    CHECK (d.regions[i].x0 == x0[i]);
  CHECK (d.regions[0].class_id == 7 && d.regions[4].class_id == 2);
  nn_detections_clear (&d);
  CHECK (d.regions == NULL && d.n == 0 && d.capacity == 0);
}

/* A suppresses B; C overlaps B only, so it stays. */
static void
test_suppress_chain (void)
{
  nn_detections d = LIST ({ 0, 0, 10, 10, 0.9f, 0 }, { 3, 0, 13, 10, 0.8f, 0 }, { 6, 0, 16, 10, 0.7f, 0 });
  nn_detections_suppress (&d, 0.5f, 3); /* 7/13 = 0.54; A and C: 4/16 */
  CHECK (d.n == 2 && d.regions[1].score == 0.7f);
  nn_detections_clear (&d);
}

static void
test_keep_best (void)
{
  nn_detections d = LIST ({ 0, 0, 1, 1, 0.9f, 0 }, { 1, 0, 2, 1, 0.8f, 1 }, { 2, 0, 3, 1, 0.7f, 0 },
                          { 3, 0, 4, 1, 0.6f, 1 }, { 4, 0, 5, 1, 0.5f, 1 });
  nn_detections_keep_best (&d, 2, 2);
  CHECK (d.n == 4 && d.regions[3].score == 0.6f);
  nn_detections_keep_best (&d, 2, 1);
  CHECK (d.n == 2 && d.regions[0].class_id == 0 && d.regions[1].class_id == 1);
  nn_detections_clear (&d);
}

static void
test_grow_and_reuse (void)
{
  nn_detections d = { 0 };
  nn_error err;
  for (int i = 0; i < 1000; i++)
    CHECK (nn_detections_add (&d, &(nn_region) { .score = (float) i, .class_id = i }, &err) == NN_OK);
  CHECK (d.n == 1000 && d.regions[999].class_id == 999 && d.regions[0].class_id == 0);
  const nn_region *before = d.regions;
  d.n = 0;
  nn_detections_add (&d, &(nn_region) { .class_id = 5 }, &err);
  CHECK (d.regions == before && d.n == 1);
  nn_detections_clear (&d);
}

/* ---- duplicates across classes ---- */

enum { TEXT, TITLE, REFERENCE, TABLE, FIGURE, CAPTION, FORMULA, N_LABELS };
static char names[][16] = { "text", "title", "reference", "Table", "figure", "figure_caption", "inline_formula" };
static char *labels[] = { names[0], names[1], names[2], names[3], names[4], names[5], names[6], NULL };

static int
resolved (nn_detections *d)
{
  uint8_t kinds[N_LABELS];
  nn_label_kinds (labels, N_LABELS, kinds);
  nn_detections_resolve_duplicates (d, kinds, N_LABELS);
  return d->n;
}

/* A page of three columns, the last two of them references: each found as text as well, once
 * better, once worse, and once by a box that holds only the column's upper part. */
static void
test_duplicates_three_columns (void)
{
  nn_detections d = LIST ({ 50, 100, 250, 1000, 0.95f, TEXT },      /* column 1: text alone */
                          { 300, 100, 500, 1000, 0.90f, REFERENCE }, /* column 2 */
                          { 298, 104, 503, 996, 0.62f, TEXT },       /* IoU 0.96 */
                          { 550, 100, 750, 1000, 0.70f, TEXT },      /* column 3 */
                          { 551, 99, 749, 1001, 0.68f, REFERENCE },  /* IoU 0.99 */
                          { 552, 100, 748, 500, 0.60f, REFERENCE }); /* held by column 3 */
  CHECK (resolved (&d) == 3);
  CHECK (d.regions[0].class_id == TEXT && d.regions[0].x0 == 50);
  CHECK (d.regions[1].class_id == REFERENCE && d.regions[1].x0 == 300);
  CHECK (d.regions[2].class_id == TEXT && d.regions[2].x0 == 550);
  nn_detections_clear (&d);
}

static void
test_duplicates_stay (void)
{
  /* half of each other; one class; a confident title in a text block found with less */
  nn_detections d = LIST ({ 0, 0, 100, 100, 0.9f, TEXT }, { 50, 0, 150, 100, 0.9f, REFERENCE });
  CHECK (resolved (&d) == 2);
  nn_detections_clear (&d);
  d = LIST ({ 0, 0, 100, 100, 0.9f, TEXT }, { 0, 0, 100, 99, 0.8f, TEXT });
  CHECK (resolved (&d) == 2);
  nn_detections_clear (&d);
  d = LIST ({ 0, 0, 100, 100, 0.55f, TEXT }, { 0, 0, 100, 20, 0.95f, TITLE });
  CHECK (resolved (&d) == 2);
  nn_detections_clear (&d);
  /* the other way round: the title is much worse */
  d = LIST ({ 0, 0, 100, 100, 0.95f, TEXT }, { 0, 0, 100, 20, 0.55f, TITLE });
  CHECK (resolved (&d) == 2);
  nn_detections_clear (&d);
  /* as good as the block, but dropping the block for it would lose the rest */
  d = LIST ({ 0, 0, 100, 100, 0.75f, TEXT }, { 0, 0, 100, 20, 0.85f, TITLE });
  CHECK (resolved (&d) == 2);
  nn_detections_clear (&d);
  d = LIST ({ 0, 0, 0, 100, 0.9f, TEXT }, { 0, 0, 0, 100, 0.9f, TITLE }); /* no area */
  CHECK (resolved (&d) == 2);
  nn_detections_clear (&d);
}

/* One holds the other, the scores are close: the better stays if it is the larger or most of it. */
static void
test_duplicates_held (void)
{
  nn_detections d = LIST ({ 0, 0, 100, 100, 0.85f, TEXT }, { 0, 0, 100, 20, 0.75f, TITLE });
  CHECK (resolved (&d) == 1 && d.regions[0].class_id == TEXT);
  nn_detections_clear (&d);
  d = LIST ({ 0, 0, 100, 100, 0.75f, TEXT }, { 0, 0, 100, 60, 0.85f, REFERENCE });
  CHECK (resolved (&d) == 1 && d.regions[0].class_id == REFERENCE);
  nn_detections_clear (&d);
}

static void
test_duplicates_containers (void)
{
  /* text in a figure and over a whole table; a caption is no container */
  nn_detections d = LIST ({ 0, 0, 100, 100, 0.9f, FIGURE }, { 10, 10, 90, 20, 0.9f, TEXT },
                          { 200, 0, 300, 100, 0.8f, TABLE }, { 200, 0, 300, 98, 0.85f, TEXT });
  CHECK (resolved (&d) == 4);
  nn_detections_clear (&d);
  d = LIST ({ 0, 0, 100, 20, 0.9f, CAPTION }, { 0, 0, 100, 21, 0.6f, TEXT });
  CHECK (resolved (&d) == 1);
  nn_detections_clear (&d);
  /* one block as figure and as table is one; a figure in a table's cell stays */
  d = LIST ({ 0, 0, 100, 100, 0.9f, FIGURE }, { 2, 1, 100, 99, 0.6f, TABLE });
  CHECK (resolved (&d) == 1 && d.regions[0].class_id == FIGURE);
  nn_detections_clear (&d);
  d = LIST ({ 0, 0, 100, 100, 0.9f, TABLE }, { 5, 5, 45, 45, 0.85f, FIGURE });
  CHECK (resolved (&d) == 2);
  nn_detections_clear (&d);
}

/* What is always a part of a block stays in it; but one block under both classes is one. */
static void
test_duplicates_parts (void)
{
  nn_detections d = LIST ({ 0, 0, 100, 100, 0.85f, TEXT }, { 10, 10, 30, 20, 0.8f, FORMULA });
  CHECK (resolved (&d) == 2);
  nn_detections_clear (&d);
  d = LIST ({ 0, 0, 100, 100, 0.85f, TEXT }, { 1, 0, 100, 99, 0.8f, FORMULA });
  CHECK (resolved (&d) == 1 && d.regions[0].class_id == TEXT);
  nn_detections_clear (&d);
}

int
main (void)
{
  test_picodet_boxes ();
  test_picodet_expectation ();
  test_picodet_letterbox ();
  test_picodet_threshold ();
  test_picodet_nms ();
  test_picodet_not_finite ();
  test_picodet_limits ();
  test_picodet_wrong_shapes ();
  test_picodet_dense ();
  test_iou ();
  test_sort ();
  test_suppress_chain ();
  test_keep_best ();
  test_grow_and_reuse ();
  test_duplicates_three_columns ();
  test_duplicates_stay ();
  test_duplicates_held ();
  test_duplicates_containers ();
  test_duplicates_parts ();
  return nn_check_report ("PicoDet's head, NMS, duplicates, by hand");
}
