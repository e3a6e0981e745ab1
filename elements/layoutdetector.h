/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's detector, fed with buffers: frames in, layout metas on them. */
#pragma once

#include "layoutconfig.h"
#include "layoutmodel.h"
#include "layoutqueue.h"
#include "layoutstats.h"

G_BEGIN_DECLS

typedef struct _GstLayoutDetector GstLayoutDetector;

/* NULL with `error` set where the model, the labels or the device cannot be had. */
GstLayoutDetector *gst_layout_detector_open (const GstLayoutConfig * config, GError ** error);
/* Whether it was opened with these values. */
gboolean gst_layout_detector_is_for (const GstLayoutDetector * detector,
    const GstLayoutConfig * config);
void gst_layout_detector_free (GstLayoutDetector * detector); /* NULL is fine */

guint gst_layout_detector_batch (const GstLayoutDetector * detector);
const gchar *gst_layout_detector_device (const GstLayoutDetector * detector);
/* A structure "doclayout-device" with device, reason (why that one), model, model-sha256. (transfer full) */
GstStructure *gst_layout_detector_message (const GstLayoutDetector * detector);
/* A line for the log: family, labels, device, memory. (transfer full) */
gchar *gst_layout_detector_describe (const GstLayoutDetector * detector);

/* Looks at those of `items` (of GstLayoutItem) that are to be looked at, at most a batch of them, and
 * puts the layout meta on each, making the buffer writable (pixels are not copied). On failure no
 * buffer is changed. */
gboolean gst_layout_detector_run (GstLayoutDetector * detector, GArray * items,
    const nn_detector_settings * settings, GstLayoutStats * stats, GError ** error);

G_END_DECLS
