/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What decoders share: outputs of the expected shape, and boxes on their way back to the frame. */
#include "decode.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static bool
is_number (int64_t dim, int64_t wanted)
{
  return wanted < 0 ? dim >= 1 : dim == wanted;
}

static void
describe_wanted (char *text, size_t size, nn_dtype dtype, int64_t rows, int64_t columns)
{
  char r[24] = "?", c[24] = "";
  if (rows >= 0)
    snprintf (r, sizeof r, "%" PRId64, rows);
  if (columns > 0)
    snprintf (c, sizeof c, ",%" PRId64, columns);
  else if (columns < 0)
    snprintf (c, sizeof c, ",?");
  snprintf (text, size, "%s[1,%s%s]", nn_dtype_name (dtype), r, c);
}

const nn_tensor *
nn_decode_output (const nn_decode_input *input, int index, const char *what, nn_dtype dtype, int64_t rows,
                  int64_t columns, nn_error *err)
{
  const nn_tensor *t = index >= 0 && index < input->n_outputs ? input->outputs[index] : NULL;
  int rank = columns == 0 ? 2 : 3;
  if (t && t->dtype == dtype && t->rank == rank && t->dim[0] == 1 && is_number (t->dim[1], rows)
      && (rank == 2 || is_number (t->dim[2], columns)))
    return t;
  char wanted[80], found[96] = "missing";
  describe_wanted (wanted, sizeof wanted, dtype, rows, columns);
  if (t)
    nn_tensor_describe (t, found, sizeof found);
  nn_fail (err, NN_ERR_FORMAT, "the network's output of %s is %s, not %s", what, found, wanted);
  return NULL;
}

nn_status
nn_decode_add (const nn_decode_input *input, nn_region *region, int64_t class_id, nn_detections *result,
               nn_error *err)
{
  if (class_id < 0 || class_id >= input->n_labels)
    return nn_fail (err, NN_ERR_FORMAT,
                    "the network found something of class %lld, but there are %d labels: name the model's own",
                    (long long) class_id, input->n_labels);
  region->class_id = (int) class_id;
  return nn_detections_add (result, region, err);
}

bool
nn_decode_place (const nn_decode_input *input, double x0, double y0, double x1, double y1, nn_region *region)
{
  const nn_page_placement *p = &input->placement;
  region->x0 = (float) ((x0 - p->offset_x) / p->scale_x);
  region->y0 = (float) ((y0 - p->offset_y) / p->scale_y);
  region->x1 = (float) ((x1 - p->offset_x) / p->scale_x);
  region->y1 = (float) ((y1 - p->offset_y) / p->scale_y);
  return isfinite (region->x0) && isfinite (region->y0) && isfinite (region->x1) && isfinite (region->y1);
}

void
nn_decode_place_all (const nn_decode_input *input, nn_detections *detections)
{
  int kept = 0;
  for (int i = 0; i < detections->n; i++) {
    nn_region r = detections->regions[i];
    if (nn_decode_place (input, r.x0, r.y0, r.x1, r.y1, &r))
      detections->regions[kept++] = r;
  }
  detections->n = kept;
}

void
nn_decode_finish (const nn_decode_input *input, nn_detections *detections)
{
  const float width = (float) input->frame_width, height = (float) input->frame_height;
  for (int i = 0; i < detections->n; i++) {
    nn_region *r = &detections->regions[i];
    r->x0 = fminf (fmaxf (r->x0, 0), width);
    r->x1 = fminf (fmaxf (r->x1, 0), width);
    r->y0 = fminf (fmaxf (r->y0, 0), height);
    r->y1 = fminf (fmaxf (r->y1, 0), height);
  }
  nn_detections_sort (detections);
}
