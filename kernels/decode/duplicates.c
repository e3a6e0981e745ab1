/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One block, one region. Detectors give a block twice under two classes (text and reference, text
 * and list item), which users then find twice in their output (docling issues 747 and 3522).
 *
 * Two regions of different classes are one block if they cover each other (IoU), or if one holds
 * nearly all of the other and the two scores are close. The better score stays. A container (a
 * table, a figure …) and what lies in it are two things, whatever they cover; two containers on
 * one block are one, but one may hold the other (a figure in a table, a table in a form).
 */
#include "decode.h"

#include <math.h>
#include <strings.h>

/* As in docling's layout post-processing. */
#define SAME_BLOCK_IOU 0.8f
#define SAME_BLOCK_HELD 0.8f

/* Scores closer than this do not tell which of the two it is: the network hesitates between two
 * readings of one block. Farther apart, a box within another is rather a part of its own (a title
 * in a text column), which the threshold alone decides on. */
#define CLOSE_SCORES 0.25f

static bool
is_container (const char *label)
{
  static const char *const containers[] = { "table", "document_index", "figure",  "picture",
                                            "image", "chart",          "form",    "key_value_region" };
  for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
    if (!strcasecmp (label, containers[i]))
      return true;
  return false;
}

static bool
class_is_container (int class_id, char *const *labels, int n_labels)
{
  return class_id >= 0 && class_id < n_labels && is_container (labels[class_id]);
}

static bool
is_same_block (const nn_region *a, const nn_region *b, char *const *labels, int n_labels)
{
  bool a_contains = class_is_container (a->class_id, labels, n_labels);
  bool b_contains = class_is_container (b->class_id, labels, n_labels);
  if (a->class_id == b->class_id || a_contains != b_contains)
    return false;
  if (nn_region_iou (a, b) > SAME_BLOCK_IOU)
    return true;
  float smaller = fminf (nn_region_area (a), nn_region_area (b));
  return !a_contains && smaller > 0 && nn_region_intersection (a, b) > SAME_BLOCK_HELD * smaller
         && fabsf (a->score - b->score) < CLOSE_SCORES;
}

void
nn_detections_resolve_duplicates (nn_detections *detections, char *const *labels, int n_labels)
{
  int kept = 0;
  for (int i = 0; i < detections->n; i++) {
    nn_region region = detections->regions[i];
    bool stays = true;
    for (int j = 0; j < kept && stays; j++)
      stays = !is_same_block (&detections->regions[j], &region, labels, n_labels);
    if (stays)
      detections->regions[kept++] = region;
  }
  detections->n = kept;
}
