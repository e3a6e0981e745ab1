/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PP-DocLayout as PaddleDetection exports it, its post-processing in the graph.
 *
 * Outputs: `boxes` [n, 6 … 8], rows of class, score, x0 y0 x1 y1 in pixels, and `count` [1] int32: so
 * many rows are filled. The network was told the scale from frame to input, so that boxes are in frame
 * pixels; where the frame fills only a part of the input they start at the input's corner. Further
 * columns tell the reading order as PaddleX sorts it: 7 columns (V3): by the seventh; 8 (V2): by the
 * seventh, then by the eighth, falling.
 */
#include "decode.h"

#include <math.h>
#include <stdlib.h>

typedef struct row {
  float first, second; /* the order's keys */
  int region;          /* index into the regions */
} row;

static int
compare (const void *pa, const void *pb)
{
  const row *a = pa, *b = pb;
  if (a->first != b->first)
    return a->first > b->first ? 1 : -1;
  if (a->second != b->second)
    return a->second < b->second ? 1 : -1;
  return (a->region > b->region) - (a->region < b->region);
}

static nn_status
get_rows (const nn_decode_input *input, const nn_tensor **boxes, int64_t *n, nn_error *err)
{
  const nn_roles *roles = &input->roles;
  const nn_tensor *t = input->outputs[roles->boxes], *count = input->outputs[roles->count];
  char a[96], b[96];
  if (t->dtype != NN_F32 || t->rank != 2 || t->dim[1] < 6 || t->dim[1] > 8 || count->dtype != NN_I32
      || nn_tensor_count (count) != 1)
    return nn_fail (err, NN_ERR_FORMAT,
                    "the network's outputs are %s and %s, not float32[?,6 to 8] and the number of its rows"
                    " for one page",
                    nn_tensor_describe (t, a, sizeof a), nn_tensor_describe (count, b, sizeof b));
  *boxes = t;
  *n = *(const int32_t *) count->data;
  if (*n < 0 || *n > t->dim[0])
    *n = *n < 0 ? 0 : t->dim[0];
  return NN_OK;
}

/* Adds one row, if it counts. */
static nn_status
add_row (const nn_decode_input *input, const float *at, nn_detections *result, nn_error *err)
{
  const nn_page_placement *p = &input->placement;
  nn_region region = { .score = at[1], .order = -1 };
  if (!(at[1] > input->threshold) || !isfinite (at[1]) || !(at[0] >= 0)
      || !nn_decode_place (input, at[2] * (double) p->scale_x, at[3] * (double) p->scale_y,
                           at[4] * (double) p->scale_x, at[5] * (double) p->scale_y, &region))
    return NN_OK;
  return nn_decode_add (input, &region, at[0] < INT16_MAX ? (int64_t) at[0] : INT16_MAX, result, err);
}

static void
set_order (nn_detections *result, row *rows)
{
  qsort (rows, (size_t) result->n, sizeof *rows, compare);
  for (int i = 0; i < result->n; i++)
    result->regions[rows[i].region].order = i;
}

nn_status
nn_decode_pp_doclayout (const nn_decode_input *input, nn_detections *result, nn_error *err)
{
  const nn_tensor *boxes = NULL;
  int64_t n = 0;
  result->n = 0;
  nn_status status = get_rows (input, &boxes, &n, err);
  if (status)
    return status;
  int64_t columns = boxes->dim[1];
  row *rows = calloc ((size_t) n + 1, sizeof *rows);
  if (!rows)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d rows", (int) n);
  for (int64_t i = 0; i < n && !status; i++) {
    const float *at = (const float *) boxes->data + i * columns;
    int before = result->n;
    status = add_row (input, at, result, err);
    if (result->n > before && columns > 6)
      rows[before] = (row) { at[6], columns > 7 ? at[7] : 0, before };
  }
  if (!status && columns > 6)
    set_order (result, rows);
  free (rows);
  nn_decode_finish (input, result);
  return status;
}
