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
is_one_of (const char *const *names, const char *label)
{
  for (; *names; names++)
    if (!strcasecmp (label, *names))
      return true;
  return false;
}

void
nn_label_kinds (char *const *labels, int n_labels, uint8_t *kinds)
{
  for (int i = 0; i < n_labels; i++)
    kinds[i] = (uint8_t) ((is_one_of (containers, labels[i]) ? NN_LABEL_CONTAINER : 0)
                          | (is_one_of (parts, labels[i]) ? NN_LABEL_PART : 0));
}

static unsigned
kind_of (const nn_region *region, const uint8_t *kinds, int n_labels)
{
  return region->class_id >= 0 && region->class_id < n_labels ? kinds[region->class_id] : 0;
}

/* Whether `worse` is the block that `better` is. All pairs of a page are asked for: most do not even touch. */
static bool
is_same_block (const nn_region *better, const nn_region *worse, const uint8_t *kinds, int n_labels)
{
  float shared = nn_region_intersection (better, worse);
  if (!(shared > 0) || better->class_id == worse->class_id)
    return false;
  unsigned kind = kind_of (better, kinds, n_labels), other_kind = kind_of (worse, kinds, n_labels);
  if ((kind & NN_LABEL_CONTAINER) != (other_kind & NN_LABEL_CONTAINER))
    return false;
  if (nn_region_iou (better, worse) > SAME_BLOCK_IOU)
    return true;
  float area = nn_region_area (better), other = nn_region_area (worse), smaller = fminf (area, other);
  return (kind & NN_LABEL_CONTAINER) == 0 && (other_kind & NN_LABEL_PART) == 0 && area > WORTH_THE_BLOCK * other
         && shared > SAME_BLOCK_HELD * smaller && fabsf (better->score - worse->score) < CLOSE_SCORES;
}

void
nn_detections_resolve_duplicates (nn_detections *detections, const uint8_t *kinds, int n_labels)
{
  int kept = 0;
  for (int i = 0; i < detections->n; i++) {
    nn_region region = detections->regions[i];
    bool stays = true;
    for (int j = 0; j < kept && stays; j++)
      stays = !is_same_block (&detections->regions[j], &region, kinds, n_labels);
    if (stays)
      detections->regions[kept++] = region;
  }
  detections->n = kept;
}
