/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image file as a document of pages: PNG, JPEG, JPEG 2000, and TIFF, which may have several.
 *
 * For the render worker, which may die of a file: nothing here limits time or memory, and a file that is cut short while
 * it is read ends the process (SIGBUS).
 */
#pragma once

#include <cairo.h>
#include <glib.h>

typedef struct image_document image_document;

/* One page, decoded, the way up that the file says it is to be seen. */
typedef struct {
  cairo_surface_t *pixels;      /* CAIRO_FORMAT_RGB24; what was transparent is white */
  double dpi_x, dpi_y;          /* pixels an inch; 0: the file does not tell */
} image_page;

/* Whether the file begins as one of these formats does. `start` are its first `size` bytes: 12 are enough. */
gboolean image_document_is_image (const guchar *start, gsize size);

/* The document that the bytes are, which it keeps a reference to. NULL with `error` (G_FILE_ERROR) where they are no
 * image that can be read. (transfer full) */
image_document *image_document_new (GBytes *bytes, GError **error);
void image_document_free (image_document *self);

/* From 1. */
guint image_document_get_n_pages (const image_document *self);

/* Decodes a page, counted from 0. FALSE with `error` (G_FILE_ERROR). */
gboolean image_document_get_page (image_document *self, guint index, image_page *page, GError **error);
void image_page_clear (image_page *page);

/* The page's size in points of 1/72 inch; of a page that tells no resolution, in pixels. */
void image_page_get_size (const image_page *page, double *width, double *height);

/* Pixels a point at which no pixel is lost and those of a page with square pixels stay as they are. */
double image_page_get_scale (const image_page *page);

/* Draws it with its top left corner at 0, 0, in points. */
void image_page_render (const image_page *page, cairo_t *cr);
