/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models of no known family, by what their sidecar says (docs/modelinfo.md).
 *
 * Outputs: boxes [1, n, 4], and either scores [1, n, classes] or scores [1, n] with labels [1, n] of
 * int64, int32 or float. A box's best class counts.
 */
#include "decode.h"

#include <math.h>

typedef struct head {
  const float *boxes, *scores;
  const nn_tensor *labels; /* NULL: scores has a column a class */
  int64_t n, columns;
} head;

static const nn_tensor *
get_labels (const nn_decode_input *input, int64_t n, nn_error *err)
{
  nn_dtype dtype = input->outputs[input->roles.labels]->dtype;
  if (dtype != NN_I32 && dtype != NN_F32)
    dtype = NN_I64;
  return nn_decode_output (input, input->roles.labels, "labels", dtype, n, 0, err);
}

static nn_status
get_head (const nn_decode_input *input, head *h, nn_error *err)
{
  const nn_roles *roles = &input->roles;
  const nn_tensor *boxes = nn_decode_output (input, roles->boxes, "boxes", NN_F32, -1, 4, err);
  if (!boxes)
    return err->status;
  *h = (head) { .boxes = boxes->data, .n = boxes->dim[1] };
  if (roles->labels >= 0 && !(h->labels = get_labels (input, h->n, err)))
    return err->status;
  if (roles->labels < 0)
    h->columns = input->n_labels + (input->coding.background != NN_BACKGROUND_NONE);
  const nn_tensor *scores = nn_decode_output (input, roles->scores, "scores", NN_F32, h->n, h->columns, err);
  if (!scores)
    return err->status;
  h->scores = scores->data;
  return NN_OK;
}

static double
softmax_of (const float *x, int64_t n, double value)
{
  double sum = 0, max = x[0];
  for (int64_t i = 1; i < n; i++)
    max = x[i] > max ? x[i] : max; /* fmax() in a loop breaks gcc 12 for aarch64 */
  for (int64_t i = 0; i < n; i++)
    sum += exp (x[i] - max);
  return exp (value - max) / sum;
}

static float
activate (const nn_coding *coding, float value, const float *row, int64_t columns)
{
  switch (coding->activation) {
  case NN_SCORE_SIGMOID:
    return (float) (1 / (1 + exp (-(double) value)));
  case NN_SCORE_SOFTMAX:
    return (float) softmax_of (row, columns, value);
  case NN_SCORE_READY:
    break;
  }
  return value;
}

static int64_t
label_at (const nn_tensor *labels, int64_t i)
{
  if (labels->dtype == NN_I64)
    return ((const int64_t *) labels->data)[i];
  if (labels->dtype == NN_I32)
    return ((const int32_t *) labels->data)[i];
  float value = ((const float *) labels->data)[i];
  return value >= 0 && value < INT16_MAX ? (int64_t) value : -1;
}

/* The best class of box `i`, background aside, and its score. */
static void
classify (const nn_decode_input *input, const head *h, int64_t i, int64_t *class_id, float *score)
{
  const nn_coding *coding = &input->coding;
  int first = coding->background == NN_BACKGROUND_FIRST;
  if (h->labels) {
    *class_id = label_at (h->labels, i) - first;
    *score = activate (coding, h->scores[i], h->scores + i, 1);
    return;
  }
  const float *row = h->scores + i * h->columns;
  *class_id = 0;
  for (int c = 1; c < input->n_labels; c++)
    if (row[first + c] > row[first + *class_id] || isnan (row[first + *class_id]))
      *class_id = c;
  *score = activate (coding, row[first + *class_id], row, h->columns);
}

/* The box in input pixels. */
static void
get_box (const nn_decode_input *input, const float *box, nn_region *region)
{
  float sx = 1, sy = 1;
  if (input->coding.normalised) {
    sx = (float) input->input_width;
    sy = (float) input->input_height;
  }
  float a = box[0] * sx, b = box[1] * sy, c = box[2] * sx, d = box[3] * sy;
  switch (input->coding.format) {
  case NN_BOX_CXCYWH:
    region->x0 = a - c / 2, region->y0 = b - d / 2, region->x1 = a + c / 2, region->y1 = b + d / 2;
    return;
  case NN_BOX_XYWH:
    region->x0 = a, region->y0 = b, region->x1 = a + c, region->y1 = b + d;
    return;
  case NN_BOX_XYXY:
    break;
  }
  region->x0 = a, region->y0 = b, region->x1 = c, region->y1 = d;
}

static nn_status
add_boxes (const nn_decode_input *input, const head *h, nn_detections *result, nn_error *err)
{
  for (int64_t i = 0; i < h->n; i++) {
    nn_region region = { .order = -1 };
    int64_t class_id;
    classify (input, h, i, &class_id, &region.score);
    /* Models say -1 where there is nothing. */
    if (!(region.score > input->threshold) || !isfinite (region.score) || class_id < 0)
      continue;
    if (h->labels && input->coding.background == NN_BACKGROUND_LAST && class_id == input->n_labels)
      continue;
    get_box (input, h->boxes + 4 * i, &region);
    nn_status status = nn_decode_add (input, &region, class_id, result, err);
    if (status)
      return status;
  }
  return NN_OK;
}

nn_status
nn_decode_custom (const nn_decode_input *input, nn_detections *result, nn_error *err)
{
  head h = { 0 };
  result->n = 0;
  nn_status status = get_head (input, &h, err);
  if (!status)
    status = add_boxes (input, &h, result, err);
  if (status)
    return status;
  nn_detections_sort (result);
  if (input->coding.nms)
    nn_detections_suppress (result, input->iou_threshold, result->n);
  nn_decode_place_all (input, result);
  nn_decode_finish (input, result);
  return NN_OK;
}
