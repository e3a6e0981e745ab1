/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which model cudalayoutdetect uses, and how: the properties that count when it starts. */
#pragma once

#include <glib.h>

#include "kernels/nn.h"

G_BEGIN_DECLS

typedef enum {
  GST_LAYOUT_DEVICE_AUTO,
  GST_LAYOUT_DEVICE_CUDA,
  GST_LAYOUT_DEVICE_CPU,
} GstLayoutDevice;

typedef enum {
  GST_LAYOUT_MEMORY_AUTO,
  GST_LAYOUT_MEMORY_SHARED,
  GST_LAYOUT_MEMORY_MANAGED,
  GST_LAYOUT_MEMORY_PINNED,
} GstLayoutMemory;

typedef struct {
  /* NULL or empty: not set. Owned. */
  gchar *model_file, *labels_file, *modelinfo_file, *family, *mean, *std;
  GstLayoutDevice device;
  nn_precision precision;
  gint cuda_device;
  GstLayoutMemory memory;              /* that upstream is proposed */
  guint batch, threads;                /* 0: see gst_layout_config_batch(); all processors */
  gint input_width, input_height;      /* 0: as the model says */
  nn_channel_order channel_order;
  nn_letterbox letterbox;
} GstLayoutConfig;

void gst_layout_config_copy (GstLayoutConfig * to, const GstLayoutConfig * from);
gboolean gst_layout_config_equal (const GstLayoutConfig * a, const GstLayoutConfig * b);
void gst_layout_config_clear (GstLayoutConfig * config);

/* The most pages at once on a device. */
guint gst_layout_config_batch (const GstLayoutConfig * config, nn_device_kind device);

/* For the engine; its strings are the config's. */
nn_detector_options gst_layout_config_options (const GstLayoutConfig * config, nn_device_kind device);

G_END_DECLS
