/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where cudalayoutdetect runs: the device that its properties ask for, or the CPU where device=auto
 * cannot have a GPU, and why. */
#pragma once

#include "layoutconfig.h"
#include "layoutmodel.h"

G_BEGIN_DECLS

typedef struct {
  nn_device_kind kind;
  gchar *reason;   /* "device=auto, and …" */
  guint batch;     /* the most pages at once, once there is a detector */
  gboolean stay;   /* the caller's, once it is made: with device=auto too a GPU that fails or is short of memory is an error */
  GError *warning; /* what the user is to know of the choice; NULL: nothing. Owned, as is `reason` */
} GstLayoutChoice;

/* What can be known without a model. FALSE with `error` set where the device that is asked for is not
 * there, or cannot do what is asked of it. */
gboolean gst_layout_choice_make (GstLayoutChoice * choice, const GstLayoutConfig * config, GError ** error);
void gst_layout_choice_clear (GstLayoutChoice * choice);

/* Makes the detector on the device that was chosen, or, with device=auto, on the CPU where the GPU
 * cannot run this model: `choice` is another then. Where nobody asked for a batch size, it is halved until it fits into
 * the GPU's memory. NULL with `error` set. */
nn_detector *gst_layout_choice_open (GstLayoutChoice * choice, const GstLayoutConfig * config,
    nn_model * model, GError ** error);

G_END_DECLS
