/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image formats that gdk-pixbuf does not read whole, or not at all; imagedocument.c asks them. */
#pragma once

#include <gdk-pixbuf/gdk-pixbuf.h>

/* A decoded page has 8 bits a sample, RGB or RGBA, not premultiplied. The pixbuf's option "orientation" has the number that
 * EXIF and TIFF have for it, where it is not 1. Resolutions are in pixels an inch, 0 where the file does not tell. Errors are
 * in G_FILE_ERROR. */

/* Indices of the directories that are pages, in the file's order: not its previews and masks. Array of guint, not empty
 * (transfer full); NULL with `error`. */
GArray *image_tiff_list_pages (GBytes *bytes, GError **error);

GdkPixbuf *image_tiff_read (GBytes *bytes, guint directory, double *dpi_x, double *dpi_y, GError **error);

GdkPixbuf *image_jpeg2000_read (GBytes *bytes, double *dpi_x, double *dpi_y, GError **error);
