/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect's properties: gstcudalayoutdetectproperties.c says what they are, gstcudalayoutdetectvalues.c sets
 * and gets them. */
#pragma once

#include "gstcudalayoutdetectpads.h"

G_BEGIN_DECLS

typedef enum {
  PROP_0,
  PROP_MODEL_FILE,
  PROP_LABELS_FILE,
  PROP_MODELINFO,
  PROP_MODEL_FAMILY,
  PROP_INPUT_WIDTH,
  PROP_INPUT_HEIGHT,
  PROP_CHANNEL_ORDER,
  PROP_MEAN,
  PROP_STD,
  PROP_LETTERBOX,
  PROP_DEVICE,
  PROP_CUDA_DEVICE_ID,
  PROP_PRECISION,
  PROP_MEMORY,
  PROP_THRESHOLD,
  PROP_IOU_THRESHOLD,
  PROP_MAX_DETECTIONS,
  PROP_RESIZE_FILTER,
  PROP_DUPLICATES,
  PROP_READING_DIRECTION,
  PROP_SNAP,
  PROP_JOIN_HYPHENS,
  PROP_BATCH_SIZE,
  PROP_THREADS,
  PROP_BATCH_TIMEOUT,
  PROP_QOS,
  PROP_DEVICE_USED,
  PROP_MEMORY_PATH,
  PROP_STATS,
} GstCudaLayoutDetectProperty;

void gst_cuda_layout_detect_set_property (GObject * object, guint id, const GValue * value, GParamSpec * pspec);
void gst_cuda_layout_detect_get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec);

G_END_DECLS
