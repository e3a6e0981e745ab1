/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect's inside: gstcudalayoutdetect.c has the states, gstcudalayoutdetectproperties.c the
 * properties, gstcudalayoutdetectpads.c what comes in, gstcudalayoutdetecttask.c what becomes of it,
 * gstcudalayoutdetectlive.c latency and late frames, gstcudalayoutdetectswap.c another
 * model while it works. */
#pragma once

#include "gstcudalayoutdetect.h"
#include "layoutdetector.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_cuda_layout_detect_debug);

typedef enum {
  GST_LAYOUT_DUPLICATES_RESOLVE,
  GST_LAYOUT_DUPLICATES_KEEP,
} GstLayoutDuplicates;

/* Another model while one is in use: under the object lock. */
typedef struct {
  gboolean open;            /* in PAUSED and PLAYING, where a model that is named is loaded at once */
  gboolean wanted;          /* model-file was set, and the thread has not looked at it yet */
  GThread *thread;          /* that loads, and frees what is not used any more; NULL until there is something to load */
  GstLayoutDetector *ready; /* loaded; the task takes it */
  GstLayoutDetector *old;   /* what the task used before; the thread frees it */
  GCond changed;
} GstLayoutSwap;

struct _GstCudaLayoutDetect {
  GstElement parent;

  GstPad *sinkpad, *srcpad;
  GstLayoutQueue *queue;
  GstLayoutStats *stats;
  /* Replaced while pads are inactive, or by the task, under the object lock; never NULL in PAUSED. */
  GstLayoutDetector *detector;
  GstLayoutSwap swap;

  /* Properties: under the object lock. */
  GstLayoutConfig config;
  gdouble threshold, iou_threshold;
  gint max_detections;
  nn_resize_filter resize_filter;
  GstLayoutDuplicates duplicates;
  GstLayoutReading reading;
  guint batch_timeout; /* milliseconds */
  gboolean qos;

  GstVideoInfo info;      /* sink pad's thread; format unknown before caps */
  GstSegment arriving;    /* sink pad's thread: of the next buffer */
  GstSegment segment;     /* task: of the next batch */
  GQueue flight;          /* source pad's stream lock: the items (GArray) of the batches in flight, in order */
  gboolean failed;        /* task, and others after the queue's result told them: an error was posted */

  /* Of live pipelines: under the object lock. */
  GstClockTime announced;        /* what LATENCY answered for a batch */
  gboolean live;                 /* what upstream said then, */
  GstClockTime upstream_latency; /* and its least latency */
  GstClockTime pipeline_latency; /* what the LATENCY event said */
  GstClockTime last_begun;       /* running time when a frame last went to the engine */

  gboolean arrival_dropped; /* sink pad's thread: the last buffer was */
  gboolean batch_dropped;   /* task: the last buffer was */
};

void gst_cuda_layout_detect_add_templates (GstElementClass * klass);

/* Makes both pads and adds them. */
void gst_cuda_layout_detect_add_pads (GstCudaLayoutDetect * self);

/* Starts, or starts again, the source pad's task; it pauses itself when the queue's result says so. */
gboolean gst_cuda_layout_detect_start_task (GstCudaLayoutDetect * self);
/* Forgets the batches in flight. From any thread: a flush may come while another one stops the element. The task has
 * the lock while it works. */
void gst_cuda_layout_detect_drop_flight (GstCudaLayoutDetect * self);
/* After the last buffer nobody else would tell the application that the stream ended early. */
void gst_cuda_layout_detect_end_early (GstCudaLayoutDetect * self, GstFlowReturn result);

/* Loads what `model-file` names now beside the model in use, in a thread of its own, if that was set since the last load;
 * does nothing unless the swap is open. What comes of it is told by messages. */
void gst_cuda_layout_detect_load_model (GstCudaLayoutDetect * self);
/* The task, with the source pad's stream lock: goes over to the model that was loaded, if there is one and no batch is in
 * flight. Where one is, the queue has been interrupted, so that batches end soon. */
void gst_cuda_layout_detect_swap_model (GstCudaLayoutDetect * self);
/* Once there is a detector: model-file counts at once. */
void gst_cuda_layout_detect_open_swap (GstCudaLayoutDetect * self);
/* When the element is to stop: model-file is only noted, and what comes of a load under way is dropped; then, with pads
 * inactive, waits for that. */
void gst_cuda_layout_detect_close_swap (GstCudaLayoutDetect * self);
void gst_cuda_layout_detect_end_swap (GstCudaLayoutDetect * self);

/* Answers LATENCY, and remembers what upstream said. */
gboolean gst_cuda_layout_detect_answer_latency (GstCudaLayoutDetect * self, GstQuery * query);
/* A live pipeline waits as long as its slowest batch takes, so it is told when that has grown. */
void gst_cuda_layout_detect_announce_latency (GstCudaLayoutDetect * self);
/* What the pipeline's LATENCY event says. */
void gst_cuda_layout_detect_set_latency (GstCudaLayoutDetect * self, GstClockTime latency);
/* Forgets what was said of the pipeline. */
void gst_cuda_layout_detect_reset_live (GstCudaLayoutDetect * self);
/* Late frames of live sources are dropped (freed), each with a QoS message; what comes next has DISCONT set. TRUE
 * if it was dropped, or at least one was. The first is for the sink pad's thread, the second for the task, before
 * it begins a batch. */
gboolean gst_cuda_layout_detect_drop_arrival (GstCudaLayoutDetect * self, GstLayoutItem * item);
gboolean gst_cuda_layout_detect_drop_late (GstCudaLayoutDetect * self, GArray * items);

/* Adds the properties to the class, and gives a new element their defaults. */
void gst_cuda_layout_detect_install_properties (GstCudaLayoutDetectClass * klass);
void gst_cuda_layout_detect_set_defaults (GstCudaLayoutDetect * self);

/* Says where the network runs: a warning where that is not what the user may expect, a line in the log, and a message. */
void gst_cuda_layout_detect_tell_device (GstCudaLayoutDetect * self);

/* Posts `error` and frees it. */
void gst_cuda_layout_detect_post (GstCudaLayoutDetect * self, GError * error);

G_END_DECLS
