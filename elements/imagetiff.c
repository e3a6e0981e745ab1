/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TIFF through libtiff, from memory: its pages, and any of its kinds of pixels as RGBA. */
#include "imageformats.h"

#include <stdarg.h>
#include <string.h>
#include <tiffio.h>

/* The file in memory, and what libtiff said of it last. */
typedef struct {
  const guchar *data;
  tmsize_t size, at;
  char said[200];
} source;

static tmsize_t
read_bytes (thandle_t handle, void *to, tmsize_t n)
{
  source *s = handle;

  n = CLAMP (n, 0, s->at < s->size ? s->size - s->at : 0);
  memcpy (to, s->data + s->at, n);
  s->at += n;
  return n;
}

static tmsize_t
write_nothing (G_GNUC_UNUSED thandle_t handle, G_GNUC_UNUSED void *from, G_GNUC_UNUSED tmsize_t n)
{
  return -1;
}

/* Places beyond the end are allowed: there is nothing to be read there. */
static toff_t
seek (thandle_t handle, toff_t offset, int whence)
{
  source *s = handle;
  toff_t base = whence == SEEK_CUR ? (toff_t) s->at : whence == SEEK_END ? (toff_t) s->size : 0;
  toff_t at = base + offset;

  if (at > G_MAXINT64)
    return (toff_t) -1;
  s->at = (tmsize_t) at;
  return at;
}

static int
close_nothing (G_GNUC_UNUSED thandle_t handle)
{
  return 0;
}

static toff_t
get_size (thandle_t handle)
{
  return (toff_t) ((source *) handle)->size;
}

static int
map (thandle_t handle, void **base, toff_t *size)
{
  source *s = handle;

  *base = (void *) s->data;
  *size = (toff_t) s->size;
  return 1;
}

static void
unmap (G_GNUC_UNUSED thandle_t handle, G_GNUC_UNUSED void *base, G_GNUC_UNUSED toff_t size)
{
}

/* libtiff passes no handle of ours to those who listen before 4.5, and a worker reads one file at a time. */
static source *listener;

static void G_GNUC_PRINTF (2, 0)
hear_error (G_GNUC_UNUSED const char *module, const char *format, va_list arguments)
{
  if (listener)
    g_vsnprintf (listener->said, sizeof listener->said, format, arguments);
}

static TIFF *
open_tiff (source *s, GBytes *bytes)
{
  gsize size;

  *s = (source) { .data = g_bytes_get_data (bytes, &size) };
  s->size = (tmsize_t) size;
  listener = s;
  TIFFSetErrorHandler (hear_error);
  TIFFSetWarningHandler (NULL);
  return TIFFClientOpen ("the file", "r", s, read_bytes, write_nothing, seek, close_nothing, get_size, map, unmap);
}

static void
close_tiff (TIFF *tiff)
{
  if (tiff)
    TIFFClose (tiff);
  listener = NULL;
}

static void
fail (const source *s, GError **error)
{
  g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, *s->said ? s->said : "it is a damaged TIFF file");
}

/* TIFF 6.0, NewSubfileType: bit 0 is a preview of another directory, bit 2 its mask. */
GArray *
image_tiff_list_pages (GBytes *bytes, GError **error)
{
  source s;
  TIFF *tiff = open_tiff (&s, bytes);
  GArray *pages = g_array_new (FALSE, FALSE, sizeof (guint));

  if (tiff) {
    guint directory = 0;
    do {
      guint32 kind = 0;
      TIFFGetField (tiff, TIFFTAG_SUBFILETYPE, &kind);
      if (!(kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)))
        g_array_append_val (pages, directory);
      directory++;
    } while (TIFFReadDirectory (tiff));
  }
  if (pages->len == 0) {
    fail (&s, error);
    g_clear_pointer (&pages, g_array_unref);
  }
  close_tiff (tiff);
  return pages;
}

static void
read_resolution (TIFF *tiff, double *dpi_x, double *dpi_y)
{
  float x = 0, y = 0;
  guint16 unit = RESUNIT_INCH;

  TIFFGetField (tiff, TIFFTAG_XRESOLUTION, &x);
  TIFFGetField (tiff, TIFFTAG_YRESOLUTION, &y);
  TIFFGetFieldDefaulted (tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
  double factor = unit == RESUNIT_CENTIMETER ? 2.54 : unit == RESUNIT_INCH ? 1 : 0;
  *dpi_x = x * factor;
  *dpi_y = y * factor;
}

/* libtiff's pixels have R in the lowest byte and are premultiplied, first row first where it is asked not to turn them. */
static GdkPixbuf *
make_pixbuf (const guint32 *raster, guint32 width, guint32 height)
{
  GdkPixbuf *pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, (int) width, (int) height);

  if (!pixbuf)
    return NULL;
  for (guint32 y = 0; y < height; y++) {
    guchar *to = gdk_pixbuf_get_pixels (pixbuf) + (gsize) y * gdk_pixbuf_get_rowstride (pixbuf);
    const guint32 *from = raster + (gsize) y * width;
    for (guint32 x = 0; x < width; x++, to += 3) {
      guint paper = 255 - TIFFGetA (from[x]);
      to[0] = (guchar) MIN (TIFFGetR (from[x]) + paper, 255);
      to[1] = (guchar) MIN (TIFFGetG (from[x]) + paper, 255);
      to[2] = (guchar) MIN (TIFFGetB (from[x]) + paper, 255);
    }
  }
  return pixbuf;
}

/* As they lie in the file: orientations are turned later, all eight of them, of which libtiff turns four. What a damaged
 * strip leaves out stays white. */
static GdkPixbuf *
read_pixels (TIFF *tiff, source *s, GError **error)
{
  TIFFRGBAImage image;
  char why[1024] = "";
  GdkPixbuf *pixbuf = NULL;

  if (!TIFFRGBAImageOK (tiff, why) || !TIFFRGBAImageBegin (&image, tiff, 0, why)) {
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, why);
    return NULL;
  }
  image.req_orientation = image.orientation;
  gsize n = (gsize) image.width * image.height;
  guint32 *raster = image.width <= G_MAXINT32 && image.height <= G_MAXINT32 ? g_try_new (guint32, n) : NULL;
  if (raster) {
    memset (raster, 0xff, n * sizeof *raster);
    if (TIFFRGBAImageGet (&image, raster, image.width, image.height))
      pixbuf = make_pixbuf (raster, image.width, image.height);
    else
      fail (s, error);
  }
  if (!pixbuf && !(error && *error))
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "there is no memory for %u × %u pixels", image.width,
                 image.height);
  g_free (raster);
  TIFFRGBAImageEnd (&image);
  return pixbuf;
}

GdkPixbuf *
image_tiff_read (GBytes *bytes, guint directory, double *dpi_x, double *dpi_y, GError **error)
{
  source s;
  TIFF *tiff = open_tiff (&s, bytes);
  GdkPixbuf *pixbuf = NULL;

  if (tiff && TIFFSetDirectory (tiff, (tdir_t) directory)) {
    guint16 orientation = ORIENTATION_TOPLEFT;
    char number[] = "1";
    read_resolution (tiff, dpi_x, dpi_y);
    TIFFGetField (tiff, TIFFTAG_ORIENTATION, &orientation);
    number[0] = (char) ('0' + (orientation >= 1 && orientation <= 8 ? orientation : 1));
    pixbuf = read_pixels (tiff, &s, error);
    if (pixbuf)
      gdk_pixbuf_set_option (pixbuf, "orientation", number);
  } else {
    fail (&s, error);
  }
  close_tiff (tiff);
  return pixbuf;
}
