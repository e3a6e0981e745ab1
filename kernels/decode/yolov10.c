/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YOLOv10, DocLayout-YOLO and other YOLO exports that need no NMS.
 *
 * Output `boxes`: [1, n, 6] of x0 y0 x1 y1 in input pixels, score, class; best first.
 */
#include "decode.h"

#include <math.h>

nn_status
nn_decode_yolov10 (const nn_decode_input *input, nn_detections *result, nn_error *err)
{
  const nn_tensor *rows = nn_decode_output (input, input->roles.boxes, "regions", NN_F32, -1, 6, err);
  result->n = 0;
  if (!rows)
    return err->status;
  for (int64_t i = 0; i < rows->dim[1]; i++) {
    const float *row = (const float *) rows->data + 6 * i;
    nn_region region = { .score = row[4], .order = -1 };
    if (!(row[4] > input->threshold) || !isfinite (row[4])
        || !nn_decode_place (input, row[0], row[1], row[2], row[3], &region))
      continue;
    int64_t class_id = row[5] >= 0 && row[5] < INT16_MAX ? (int64_t) row[5] : -1;
    nn_status status = nn_decode_add (input, &region, class_id, result, err);
    if (status)
      return status;
  }
  nn_decode_finish (input, result);
  return NN_OK;
}
