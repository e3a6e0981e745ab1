/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of layoutoverlay share. */
#pragma once

#include <gst/video/video.h>

#include "gstlayoutoverlay.h"
#include "layoutdraw.h"

G_BEGIN_DECLS

struct _GstLayoutOverlay {
  GstElement parent;

  GstPad *sinkpad, *srcpad;

  /* of the stream: under the sink pad's stream lock */
  GstVideoInfo info;        /* format unknown: no caps yet */
  gboolean composes;        /* downstream lays the picture over the frame */

  /* properties: under the object lock */
  GstLayoutStyle style;
  gchar *classes;
};

void gst_layout_overlay_install_properties (GstLayoutOverlayClass * klass);
void gst_layout_overlay_set_defaults (GstLayoutOverlay * self);
/* A copy, which gst_layout_overlay_clear_style() frees. */
void gst_layout_overlay_copy_style (GstLayoutOverlay * self, GstLayoutStyle * style);
void gst_layout_overlay_clear_style (GstLayoutStyle * style);

/* Adds the templates to the class, and to a new element its pads, without their chain and event functions. */
void gst_layout_overlay_add_templates (GstElementClass * klass);
void gst_layout_overlay_add_pads (GstLayoutOverlay * self);
/* Chooses how frames of `caps` (fixed) go on, and tells downstream: with what is drawn as a composition beside them, where
 * the next elements want that; else drawn on. FALSE: neither can be. */
gboolean gst_layout_overlay_negotiate (GstLayoutOverlay * self, GstCaps * caps);

G_END_DECLS
