/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JPEG 2000 through OpenJPEG, from memory: grey, sRGB and sYCC, of any depth, subsampled or not. */
#include "imageformats.h"

#include <math.h>
#include <openjpeg.h>
#include <string.h>

typedef struct {
  const guchar *data;
  gsize size, at;
  char said[200];
} source;

static OPJ_SIZE_T
read_bytes (void *to, OPJ_SIZE_T n, void *user)
{
  source *s = user;

  n = MIN (n, s->size - s->at);
  if (n == 0)
    return (OPJ_SIZE_T) -1;
  memcpy (to, s->data + s->at, n);
  s->at += n;
  return n;
}

static OPJ_OFF_T
skip (OPJ_OFF_T n, void *user)
{
  source *s = user;

  if (n < 0 || (gsize) n > s->size - s->at)
    return -1;
  s->at += (gsize) n;
  return n;
}

static OPJ_BOOL
seek (OPJ_OFF_T at, void *user)
{
  source *s = user;

  if (at < 0 || (gsize) at > s->size)
    return OPJ_FALSE;
  s->at = (gsize) at;
  return OPJ_TRUE;
}

static void
hear_error (const char *message, void *user)
{
  source *s = user;

  g_strlcpy (s->said, message, sizeof s->said);
  g_strchomp (s->said);
}

static guint32
read_32 (const guchar *p)
{
  return (guint32) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* What is in the first box of this type among those in `size` bytes (ITU-T T.800, I.4); NULL: there is none. */
static const guchar *
find_box (const guchar *boxes, gsize size, const char *type, gsize *content_size)
{
  while (size >= 8) {
    guint64 length = read_32 (boxes);
    gsize header = 8;
    if (length == 1 && size >= 16) {
      length = (guint64) read_32 (boxes + 8) << 32 | read_32 (boxes + 12);
      header = 16;
    } else if (length == 0) {
      length = size;
    }
    if (length < header || length > size)
      return NULL;
    if (memcmp (boxes + 4, type, 4) == 0) {
      *content_size = (gsize) length - header;
      return boxes + header;
    }
    boxes += length;
    size -= (gsize) length;
  }
  return NULL;
}

/* The resolution at which the page was captured, or is to be shown (I.5.3.7): numerators, denominators and exponents of ten, in
 * pixels a metre, vertical first. OpenJPEG does not tell. */
static void
read_resolution (const source *s, double *dpi_x, double *dpi_y)
{
  gsize size;
  const guchar *header = find_box (s->data, s->size, "jp2h", &size), *all, *r;

  *dpi_x = *dpi_y = 0;
  if (!header || !(all = find_box (header, size, "res ", &size)))
    return;
  gsize content;
  if (!(r = find_box (all, size, "resc", &content)) && !(r = find_box (all, size, "resd", &content)))
    return;
  guint32 vertical = read_32 (r), horizontal = content >= 10 ? read_32 (r + 4) : 0;
  if (content < 10 || !(vertical & 0xffff) || !(horizontal & 0xffff))
    return;
  *dpi_y = (double) (vertical >> 16) / (vertical & 0xffff) * pow (10, (gint8) r[8]) * 0.0254;
  *dpi_x = (double) (horizontal >> 16) / (horizontal & 0xffff) * pow (10, (gint8) r[9]) * 0.0254;
}

/* A component's sample at a pixel of the page, 0 to 255. */
static int
sample (const opj_image_comp_t *c, guint32 x, guint32 y)
{
  guint32 column = MIN (x / c->dx, c->w - 1), row = MIN (y / c->dy, c->h - 1);
  gint64 value = c->data[(gsize) row * c->w + column];

  if (c->sgnd)
    value += G_GINT64_CONSTANT (1) << (c->prec - 1);
  value = c->prec > 8 ? value >> (c->prec - 8) : value * 255 / ((1 << c->prec) - 1);
  return (int) CLAMP (value, 0, 255);
}

static guchar
to_byte (double value)
{
  return (guchar) CLAMP (value + 0.5, 0, 255);
}

/* sYCC: IEC 61966-2-1, annex G, whose numbers are those of JFIF. */
static void
from_sycc (const int in[3], guchar *out)
{
  double y = in[0], cb = in[1] - 128, cr = in[2] - 128;

  out[0] = to_byte (y + 1.402 * cr);
  out[1] = to_byte (y - 0.344136 * cb - 0.714136 * cr);
  out[2] = to_byte (y + 1.772 * cb);
}

/* Pixels of the page, whose first and last lie at x0, y0 and before x1, y1 of the image's grid. */
static void
convert (const opj_image_t *image, GdkPixbuf *pixbuf)
{
  gboolean grey = image->numcomps < 3;
  gboolean sycc = !grey && (image->color_space == OPJ_CLRSPC_SYCC
                            || (image->color_space != OPJ_CLRSPC_SRGB && image->comps[1].dx > image->comps[0].dx));

  for (guint32 y = 0; y < image->y1 - image->y0; y++) {
    guchar *to = gdk_pixbuf_get_pixels (pixbuf) + (gsize) y * gdk_pixbuf_get_rowstride (pixbuf);
    for (guint32 x = 0; x < image->x1 - image->x0; x++, to += 3) {
      int in[3];
      for (guint i = 0; i < 3; i++)
        in[i] = sample (&image->comps[grey ? 0 : i], x, y);
      if (sycc)
        from_sycc (in, to);
      else
        for (guint i = 0; i < 3; i++)
          to[i] = (guchar) in[i];
    }
  }
}

static gboolean
is_sane (const opj_image_t *image)
{
  if (image->numcomps == 0 || image->x1 <= image->x0 || image->y1 <= image->y0
      || image->x1 - image->x0 > G_MAXINT32 || image->y1 - image->y0 > G_MAXINT32)
    return FALSE;
  for (guint32 i = 0; i < MIN (image->numcomps, 3); i++) {
    const opj_image_comp_t *c = &image->comps[i];
    if (!c->data || c->w == 0 || c->h == 0 || c->dx == 0 || c->dy == 0 || c->prec == 0 || c->prec > 31)
      return FALSE;
  }
  return TRUE;
}

static opj_image_t *
decode (source *s)
{
  static const guchar codestream[] = { 0xff, 0x4f };
  gboolean bare = memcmp (s->data, codestream, sizeof codestream) == 0;
  opj_dparameters_t parameters;
  opj_codec_t *codec = opj_create_decompress (bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
  opj_stream_t *stream = opj_stream_default_create (OPJ_TRUE);
  opj_image_t *image = NULL;
  gboolean ok = codec && stream;

  if (ok) {
    opj_set_default_decoder_parameters (&parameters);
    opj_set_error_handler (codec, hear_error, s);
    opj_stream_set_user_data (stream, s, NULL);
    opj_stream_set_user_data_length (stream, s->size);
    opj_stream_set_read_function (stream, read_bytes);
    opj_stream_set_skip_function (stream, skip);
    opj_stream_set_seek_function (stream, seek);
    ok = opj_setup_decoder (codec, &parameters) && opj_read_header (stream, codec, &image)
         && opj_decode (codec, stream, image) && opj_end_decompress (codec, stream);
  }
  if (!ok || !is_sane (image))
    g_clear_pointer (&image, opj_image_destroy);
  g_clear_pointer (&stream, opj_stream_destroy);
  g_clear_pointer (&codec, opj_destroy_codec);
  return image;
}

GdkPixbuf *
image_jpeg2000_read (GBytes *bytes, double *dpi_x, double *dpi_y, GError **error)
{
  source s = { .data = g_bytes_get_data (bytes, NULL), .size = g_bytes_get_size (bytes) };
  opj_image_t *image = decode (&s);
  GdkPixbuf *pixbuf;

  if (!image) {
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, *s.said ? s.said : "it is a damaged JPEG 2000 file");
    return NULL;
  }
  read_resolution (&s, dpi_x, dpi_y);
  pixbuf = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8, (int) (image->x1 - image->x0), (int) (image->y1 - image->y0));
  if (pixbuf)
    convert (image, pixbuf);
  else
    g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_NOMEM, "there is no memory for its pixels");
  opj_image_destroy (image);
  return pixbuf;
}
