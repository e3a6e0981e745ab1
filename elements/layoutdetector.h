/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's detector, fed with buffers: frames in, layout metas on them. */
#pragma once

#include "layoutdevice.h"
#include "layoutqueue.h"
#include "layoutresult.h"
#include "layoutstats.h"

G_BEGIN_DECLS

typedef struct _GstLayoutDetector GstLayoutDetector;

/* NULL with `error` set where the model, the labels or the device cannot be had. */
GstLayoutDetector *gst_layout_detector_open (const GstLayoutConfig * config, GError ** error);
/* As above, for a model that is to follow `in_use` (NULL: none) while that one works: what a GPU that has that one has
 * no room for, or fails to do, is an error with device=auto too, and does not go to the CPU. */
GstLayoutDetector *gst_layout_detector_open_beside (const GstLayoutConfig * config,
    const GstLayoutDetector * in_use, GError ** error);
/* Looks at a batch of blank pages, so that the first real ones do not pay for what is done once. FALSE with `error` set.
 * Nothing may be in flight. */
gboolean gst_layout_detector_warm_up (GstLayoutDetector * detector, GError ** error);
/* Whether it was opened with these values, and its device has not failed since. */
gboolean gst_layout_detector_is_for (const GstLayoutDetector * detector,
    const GstLayoutConfig * config);
/* Whether the model's file is there and holds what it was opened with. Any thread, as is the one above. */
gboolean gst_layout_detector_is_fresh (const GstLayoutDetector * detector);
void gst_layout_detector_free (GstLayoutDetector * detector); /* NULL is fine */

/* What it was opened with, and the model; the detector's. */
const GstLayoutConfig *gst_layout_detector_config (const GstLayoutDetector * detector);
const GstLayoutModel *gst_layout_detector_model (const GstLayoutDetector * detector);
guint gst_layout_detector_batch (const GstLayoutDetector * detector);
/* Bytes of weights and work space on the device; they may grow when a batch is started. */
gsize gst_layout_detector_memory (const GstLayoutDetector * detector);
const gchar *gst_layout_detector_device (const GstLayoutDetector * detector);
/* How frames reach it: "cpu", "direct", "registered", "staged" (nn.h). */
const gchar *gst_layout_detector_memory_path (const GstLayoutDetector * detector);
/* The CUDA context in which it reads frames (layoutcudamemory.h); NULL: on the CPU, or in none. (transfer full) */
GstObject *gst_layout_detector_get_cuda_context (const GstLayoutDetector * detector);
/* The pool that upstream is proposed for frames of these caps, not configured. NULL: for a GPU's memory that is not
 * the detector's. (transfer full) */
GstBufferPool *gst_layout_detector_pool_new (const GstLayoutDetector * detector, const GstCaps * caps);
/* What the user is to know of the device that was chosen; NULL: nothing. */
const GError *gst_layout_detector_warning (const GstLayoutDetector * detector);
/* A structure "doclayout-device" with device, precision, memory-path, reason (why that one), model, model-sha256.
 * (transfer full) */
GstStructure *gst_layout_detector_message (const GstLayoutDetector * detector);
/* A structure "model-updated" with model, model-sha256, device. (transfer full) */
GstStructure *gst_layout_detector_update_message (const GstLayoutDetector * detector);
/* A line for the log: family, labels, device, memory. (transfer full) */
gchar *gst_layout_detector_describe (const GstLayoutDetector * detector);

/* Batches that may be started and not finished, and those that are. */
guint gst_layout_detector_capacity (const GstLayoutDetector * detector);
guint gst_layout_detector_in_flight (const GstLayoutDetector * detector);

/* Until when (monotonic, µs) the next batch may be waited for: for half the time that the one in flight
 * is going to take, as the one before it did; without end where none is. */
gint64 gst_layout_detector_may_wait (const GstLayoutDetector * detector);

/* Starts to look at those of `items` (of GstLayoutItem) that are to be looked at, at most a batch of
 * them. The array stays the caller's and as it is until it is finished or dropped. FALSE with `error`
 * set: this batch is not in flight; where the engine failed, no other is any more. */
gboolean gst_layout_detector_start (GstLayoutDetector * detector, GArray * items,
    const nn_detector_settings * settings, const GstLayoutReading * reading, GError ** error);
/* Waits for the batch that was started first, and puts the layout meta on each of its pages, making the
 * buffer writable (pixels are not copied). On failure no buffer is changed, and none is in flight. */
gboolean gst_layout_detector_finish (GstLayoutDetector * detector, GstLayoutStats * stats,
    GError ** error);
/* Waits for what is in flight, and forgets it. */
void gst_layout_detector_drop (GstLayoutDetector * detector);

G_END_DECLS
