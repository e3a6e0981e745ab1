/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RT-DETR with its post-processing in the graph, as docling publishes its models and RT-DETR's own
 * export makes them.
 *
 * Outputs: labels int64 [1, n], boxes [1, n, 4] of x0 y0 x1 y1, and scores [1, n]. The network was
 * told the size of what its whole input shows, in frame pixels, so that boxes are in frame pixels
 * too; where the frame fills only a part of the input they start at the input's corner.
 */
#include "decode.h"

#include <math.h>

nn_status
nn_decode_docling (const nn_decode_input *input, nn_detections *result, nn_error *err)
{
  const nn_page_placement *p = &input->placement;
  const nn_tensor *labels = nn_decode_output (input, input->roles.labels, "labels", NN_I64, -1, 0, err);
  result->n = 0;
  if (!labels)
    return err->status;
  int64_t n = labels->dim[1];
  const nn_tensor *boxes = nn_decode_output (input, input->roles.boxes, "boxes", NN_F32, n, 4, err);
  const nn_tensor *scores
      = boxes ? nn_decode_output (input, input->roles.scores, "scores", NN_F32, n, 0, err) : NULL;
  if (!scores)
    return err->status;
  for (int64_t i = 0; i < n; i++) {
    const float *box = (const float *) boxes->data + 4 * i;
    float score = ((const float *) scores->data)[i];
    int64_t class_id = ((const int64_t *) labels->data)[i];
    nn_region region = { .score = score, .order = -1 };
    if (!(score > input->threshold) || !isfinite (score)
        || !nn_decode_place (input, box[0] * (double) p->scale_x, box[1] * (double) p->scale_y,
                             box[2] * (double) p->scale_x, box[3] * (double) p->scale_y, &region))
      continue;
    nn_status status = nn_decode_add (input, &region, class_id, result, err);
    if (status)
      return status;
  }
  nn_decode_finish (input, result);
  return NN_OK;
}
