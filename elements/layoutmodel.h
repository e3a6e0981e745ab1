/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Model files for cudalayoutdetect: where the default one lies, and one opened model for all elements
 * of the process that name the same file. */
#pragma once

#include <gst/gst.h>

#include "kernels/nn.h"

G_BEGIN_DECLS

typedef struct {
  nn_model *model;
  gchar *path;
  gchar *name;   /* file name without its folder */
  gchar *sha256; /* of the file, hexadecimal */
  /*< private > */
  gchar *key;
  gint users;
} GstLayoutModel;

/* The model that is used where none is named: DOCLAYOUT_MODEL, else the user's cache folder. */
gchar *gst_layout_model_default_path (void);

/* Opens `path`, or finds it opened by another element and unchanged since. NULL with `error` set
 * (GST_RESOURCE_ERROR or GST_STREAM_ERROR): its message says what to do. `is_default`: the path comes
 * from gst_layout_model_default_path(). Give it back with gst_layout_model_unref(). */
GstLayoutModel *gst_layout_model_open (const gchar * path, gboolean is_default, GError ** error);
void gst_layout_model_unref (GstLayoutModel * model); /* NULL is fine */

/* An engine's error as GStreamer knows it. */
GError *gst_layout_error_from_nn (const nn_error * error);

G_END_DECLS
