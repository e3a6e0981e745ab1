/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One block, one region. Detectors give a block twice under two classes (text and reference, text
 * and list item), which users then find twice in their output (docling issues 747 and 3522).
 *
 * Two regions of different classes are one block if they cover each other (IoU), or if one holds
 * nearly all of the other and the two scores are close. The better score stays; but no region goes
 * for a small part of it, or the rest of the block would be lost: then both stay. A container (a
 * table, a figure …) and what lies in it are two things, whatever they cover; two containers on
 * one block are one, but one may hold the other (a figure in a table, a table in a form). What is
 * only ever a part of another block (a formula in a line, a checkbox) stays where that holds it.
 */
#include "decode.h"

#include <math.h>
#include <strings.h>

/* As in docling's layout post-processing. */
#define SAME_BLOCK_IOU 0.8f
#define SAME_BLOCK_HELD 0.8f

/* Closer scores do not tell which of two it is: the network hesitates between two readings of one
 * block. Farther apart, a box within another is rather a part of its own (a title in a column). On
 * 115 pages with PicoDet at threshold 0.35 the differences were either below 0.19 or above 0.29. */
#define CLOSE_SCORES 0.25f

/* The least share of the larger box that a better box within it covers if the larger is to go. */
#define WORTH_THE_BLOCK 0.5f

static const char *const containers[] = { "table", "document_index", "figure", "picture",
                                          "image", "chart",          "form",   "key_value_region", NULL };
static const char *const parts[] = { "inline_formula",    "formula_number",      "reference_content",
                                     "checkbox_selected", "checkbox_unselected", NULL };

static bool
class_is_in (const char *const *names, int class_id, char *const *labels, int n_labels)
{
  for (; class_id >= 0 && class_id < n_labels && *names; names++)
    if (!strcasecmp (labels[class_id], *names))
      return true;
  return false;
}

/* Whether `worse` is the block that `better` is. */
static bool
is_same_block (const nn_region *better, const nn_region *worse, char *const *labels, int n_labels)
{
  bool better_contains = class_is_in (containers, better->class_id, labels, n_labels);
  bool worse_contains = class_is_in (containers, worse->class_id, labels, n_labels);
  if (better->class_id == worse->class_id || better_contains != worse_contains)
    return false;
  if (nn_region_iou (better, worse) > SAME_BLOCK_IOU)
    return true;
  float area = nn_region_area (better), other = nn_region_area (worse), smaller = fminf (area, other);
  return !better_contains && !class_is_in (parts, worse->class_id, labels, n_labels)
         && area > WORTH_THE_BLOCK * other
         && nn_region_intersection (better, worse) > SAME_BLOCK_HELD * smaller
         && fabsf (better->score - worse->score) < CLOSE_SCORES;
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
