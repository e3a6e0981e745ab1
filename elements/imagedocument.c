/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "imagedocument.h"

#include "imageformats.h"

#include <math.h>
#include <string.h>

enum format { FORMAT_NONE, FORMAT_PIXBUF, FORMAT_TIFF, FORMAT_JPEG2000 };

struct image_document {
  GBytes *bytes;
  enum format format;
  GArray *directories; /* of guint; NULL: the file is one page */
};

/* How the files begin: PNG 3rd edition 5.2; ITU-T T.81 B.1.1.3; TIFF 6.0 section 2, and its 64-bit form (BigTIFF); ITU-T
 * T.800 annexes I.5.1 (JP2 file) and A.4.1 (codestream alone). */
static const struct {
  enum format format;
  guint size;
  const char *bytes;
} beginnings[] = {
  { FORMAT_PIXBUF, 8, "\x89PNG\r\n\x1a\n" },
  { FORMAT_PIXBUF, 3, "\xff\xd8\xff" },
  { FORMAT_TIFF, 4, "II\x2a\0" },
  { FORMAT_TIFF, 4, "MM\0\x2a" },
  { FORMAT_TIFF, 4, "II\x2b\0" },
  { FORMAT_TIFF, 4, "MM\0\x2b" },
  { FORMAT_JPEG2000, 12, "\0\0\0\x0cjP  \r\n\x87\n" },
  { FORMAT_JPEG2000, 4, "\xff\x4f\xff\x51" },
};

static enum format
find_format (const guchar *start, gsize size)
{
  for (guint i = 0; i < G_N_ELEMENTS (beginnings); i++)
    if (size >= beginnings[i].size && memcmp (start, beginnings[i].bytes, beginnings[i].size) == 0)
      return beginnings[i].format;
  return FORMAT_NONE;
}

gboolean
image_document_is_image (const guchar *start, gsize size)
{
  return find_format (start, size) != FORMAT_NONE;
}

image_document *
image_document_new (GBytes *bytes, GError **error)
{
  gsize size;
  const guchar *start = g_bytes_get_data (bytes, &size);
  enum format format = find_format (start, size);
  GArray *directories = NULL;

  if (format == FORMAT_NONE) {
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "it is no PNG, JPEG, TIFF or JPEG 2000 file");
    return NULL;
  }
  if (format == FORMAT_TIFF && !(directories = image_tiff_list_pages (bytes, error)))
    return NULL;
  image_document *self = g_new0 (image_document, 1);
  *self = (image_document) { g_bytes_ref (bytes), format, directories };
  return self;
}

void
image_document_free (image_document *self)
{
  g_clear_pointer (&self->directories, g_array_unref);
  g_bytes_unref (self->bytes);
  g_free (self);
}

guint
image_document_get_n_pages (const image_document *self)
{
  return self->directories ? self->directories->len : 1;
}

static double
option_as_dpi (GdkPixbuf *pixbuf, const char *name)
{
  const char *value = gdk_pixbuf_get_option (pixbuf, name);

  return value ? g_ascii_strtod (value, NULL) : 0;
}

static GdkPixbuf *
read_with_gdk_pixbuf (GBytes *bytes, double *dpi_x, double *dpi_y, GError **error)
{
  GInputStream *stream = g_memory_input_stream_new_from_bytes (bytes);
  GError *why = NULL;
  GdkPixbuf *pixbuf = gdk_pixbuf_new_from_stream (stream, NULL, &why);

  g_object_unref (stream);
  if (!pixbuf) {
    gboolean memory = g_error_matches (why, GDK_PIXBUF_ERROR, GDK_PIXBUF_ERROR_INSUFFICIENT_MEMORY);
    g_set_error_literal (error, G_FILE_ERROR, memory ? G_FILE_ERROR_NOMEM : G_FILE_ERROR_INVAL, why->message);
    g_error_free (why);
    return NULL;
  }
  *dpi_x = option_as_dpi (pixbuf, "x-dpi");
  *dpi_y = option_as_dpi (pixbuf, "y-dpi");
  return pixbuf;
}

/* A row of RGB or RGBA over white, as cairo has pixels. */
static void
convert_row (const guchar *from, int channels, int width, guint32 *to)
{
  for (int i = 0; i < width; i++, from += channels) {
    guint alpha = channels == 4 ? from[3] : 255, paper = 255 * (255 - alpha) + 127;
    guint red = (from[0] * alpha + paper) / 255, green = (from[1] * alpha + paper) / 255,
          blue = (from[2] * alpha + paper) / 255;
    to[i] = red << 16 | green << 8 | blue;
  }
}

/* NULL with `error` where cairo has no memory, or takes no picture of that size. */
static cairo_surface_t *
make_surface (GdkPixbuf *pixbuf, GError **error)
{
  int width = gdk_pixbuf_get_width (pixbuf), height = gdk_pixbuf_get_height (pixbuf);
  int channels = gdk_pixbuf_get_n_channels (pixbuf), from_stride = gdk_pixbuf_get_rowstride (pixbuf);
  const guchar *from = gdk_pixbuf_read_pixels (pixbuf);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_status_t status = cairo_surface_status (surface);

  if (status != CAIRO_STATUS_SUCCESS) {
    cairo_surface_destroy (surface);
    g_set_error (error, G_FILE_ERROR, status == CAIRO_STATUS_NO_MEMORY ? G_FILE_ERROR_NOMEM : G_FILE_ERROR_INVAL,
                 "an image of %d × %d pixels: %s", width, height, cairo_status_to_string (status));
    return NULL;
  }
  guchar *to = cairo_image_surface_get_data (surface);
  int to_stride = cairo_image_surface_get_stride (surface);
  for (int y = 0; y < height; y++)
    convert_row (from + (gsize) y * from_stride, channels, width, (guint32 *) (void *) (to + (gsize) y * to_stride));
  cairo_surface_mark_dirty (surface);
  return surface;
}

/* Orientations from 5 on exchange width and height (TIFF 6.0, Orientation). */
static GdkPixbuf *
turn_upright (GdkPixbuf *pixbuf, double *dpi_x, double *dpi_y)
{
  const char *orientation = gdk_pixbuf_get_option (pixbuf, "orientation");
  GdkPixbuf *upright = gdk_pixbuf_apply_embedded_orientation (pixbuf);

  if (upright && orientation && orientation[0] >= '5' && orientation[0] <= '8') {
    double x = *dpi_x;
    *dpi_x = *dpi_y;
    *dpi_y = x;
  }
  g_object_unref (pixbuf);
  return upright;
}

/* Some files tell one of the two, or what cannot be. */
static void
check_resolution (double *dpi_x, double *dpi_y)
{
  gboolean x = isfinite (*dpi_x) && *dpi_x >= 1, y = isfinite (*dpi_y) && *dpi_y >= 1;

  if (!x)
    *dpi_x = y ? *dpi_y : 0;
  if (!y)
    *dpi_y = *dpi_x;
}

gboolean
image_document_get_page (image_document *self, guint index, image_page *page, GError **error)
{
  GdkPixbuf *pixbuf;

  *page = (image_page) { 0 };
  if (index >= image_document_get_n_pages (self)) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "it has no page %u", index + 1);
    return FALSE;
  }
  if (self->format == FORMAT_TIFF)
    pixbuf = image_tiff_read (self->bytes, g_array_index (self->directories, guint, index), &page->dpi_x, &page->dpi_y,
                              error);
  else if (self->format == FORMAT_JPEG2000)
    pixbuf = image_jpeg2000_read (self->bytes, &page->dpi_x, &page->dpi_y, error);
  else
    pixbuf = read_with_gdk_pixbuf (self->bytes, &page->dpi_x, &page->dpi_y, error);
  if (!pixbuf)
    return FALSE;
  pixbuf = turn_upright (pixbuf, &page->dpi_x, &page->dpi_y);
  if (!pixbuf) {
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "there is no memory to turn it");
    return FALSE;
  }
  check_resolution (&page->dpi_x, &page->dpi_y);
  page->pixels = make_surface (pixbuf, error);
  g_object_unref (pixbuf);
  return page->pixels != NULL;
}

void
image_page_clear (image_page *page)
{
  g_clear_pointer (&page->pixels, cairo_surface_destroy);
}

void
image_page_get_size (const image_page *page, double *width, double *height)
{
  *width = cairo_image_surface_get_width (page->pixels);
  *height = cairo_image_surface_get_height (page->pixels);
  if (page->dpi_x > 0) {
    *width *= 72 / page->dpi_x;
    *height *= 72 / page->dpi_y;
  }
}

double
image_page_get_scale (const image_page *page)
{
  return page->dpi_x > 0 ? MAX (page->dpi_x, page->dpi_y) / 72 : 1;
}

/* Where a pixel of the page is one of the surface, it stays as it is: pixman sees that. */
void
image_page_render (const image_page *page, cairo_t *cr)
{
  int width = cairo_image_surface_get_width (page->pixels), height = cairo_image_surface_get_height (page->pixels);
  double width_pt, height_pt;

  image_page_get_size (page, &width_pt, &height_pt);
  cairo_save (cr);
  cairo_scale (cr, width_pt / width, height_pt / height);
  cairo_set_source_surface (cr, page->pixels, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_GOOD);
  cairo_rectangle (cr, 0, 0, width, height);
  cairo_fill (cr);
  cairo_restore (cr);
}
