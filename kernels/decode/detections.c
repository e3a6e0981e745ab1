/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode.h"

#include <stdlib.h>

nn_status
nn_detections_add (nn_detections *detections, const nn_region *region, nn_error *err)
{
  if (detections->n == detections->capacity) {
    int capacity = detections->capacity ? detections->capacity * 2 : 64;
    nn_region *regions = realloc (detections->regions, (size_t) capacity * sizeof *regions);
    if (!regions)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d regions", capacity);
    detections->regions = regions;
    detections->capacity = capacity;
  }
  detections->regions[detections->n++] = *region;
  return NN_OK;
}

void
nn_detections_clear (nn_detections *detections)
{
  free (detections->regions);
  *detections = (nn_detections) { 0 };
}

static int
order (float a, float b)
{
  return (a > b) - (a < b);
}

static int
compare (const void *pa, const void *pb)
{
  const nn_region *a = pa, *b = pb;
  const int by[] = { order (b->score, a->score), (a->class_id > b->class_id) - (a->class_id < b->class_id),
                     order (a->y0, b->y0),       order (a->x0, b->x0),
                     order (a->y1, b->y1),       order (a->x1, b->x1) };
  for (size_t i = 0; i < sizeof by / sizeof *by; i++)
    if (by[i])
      return by[i];
  return 0;
}

void
nn_detections_sort (nn_detections *detections)
{
  if (detections->n > 1)
    qsort (detections->regions, (size_t) detections->n, sizeof *detections->regions, compare);
}

void
nn_detections_keep_best (nn_detections *detections, int n_labels, int n)
{
  int kept = 0;
  for (int label = 0; label < n_labels; label++) {
    int of_label = 0;
    for (int i = 0; i < detections->n; i++)
      if (detections->regions[i].class_id == label && ++of_label > n)
        detections->regions[i].class_id = -1;
  }
  for (int i = 0; i < detections->n; i++)
    if (detections->regions[i].class_id >= 0)
      detections->regions[kept++] = detections->regions[i];
  detections->n = kept;
}

void
nn_detections_suppress (nn_detections *detections, float iou_threshold, int most)
{
  int kept = 0;
  for (int i = 0; i < detections->n && kept < most; i++) {
    nn_region region = detections->regions[i];
    bool stays = true;
    for (int j = 0; j < kept && stays; j++)
      stays = detections->regions[j].class_id != region.class_id
              || !(nn_region_iou (&detections->regions[j], &region) > iou_threshold);
    if (stays)
      detections->regions[kept++] = region;
  }
  detections->n = kept;
}
