/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nn-inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A page of A0 at 300 dpi has 140 million. */
#define MAX_PIXELS ((int64_t) 1 << 28)

/* The pixels of an RGB image, or NULL with `err` set. */
static uint8_t *
new_pixels (int64_t width, int64_t height, nn_frame *frame, nn_error *err)
{
  if (width < 1 || height < 1 || width > MAX_PIXELS / height) {
    nn_fail (err, NN_ERR_LIMIT, "an image of %lld × %lld pixels; up to %lld in all are read",
             (long long) width, (long long) height, (long long) MAX_PIXELS);
    return NULL;
  }
  uint8_t *data = malloc ((size_t) (3 * width * height));
  if (data == NULL)
    nn_fail (err, NN_ERR_MEMORY, "out of memory for %lld × %lld pixels", (long long) width,
             (long long) height);
  *frame = (nn_frame){ data, (int) width, (int) height, 3 * (int) width, NN_PIXEL_RGB };
  return data;
}

/* ---------------------------------------------------------------- PNG */

#ifdef HAVE_PNG
#include <png.h>

static nn_status
read_png (FILE *file, nn_frame *frame, nn_error *err)
{
  png_image image = { .version = PNG_IMAGE_VERSION };
  const png_color white = { 255, 255, 255 };
  nn_status status = NN_OK;
  if (!png_image_begin_read_from_stdio (&image, file))
    return nn_fail (err, NN_ERR_FORMAT, "%s", image.message);
  image.format = PNG_FORMAT_RGB;
  uint8_t *pixels = new_pixels (image.width, image.height, frame, err);
  if (pixels == NULL)
    status = err->status;
  else if (!png_image_finish_read (&image, &white, pixels, frame->stride, NULL))
    status = nn_fail (err, NN_ERR_FORMAT, "%s", image.message);
  png_image_free (&image);
  return status;
}
#else
#define read_png NULL
#endif

/* ---------------------------------------------------------------- JPEG */

#ifdef HAVE_JPEG
#include <setjmp.h>

#include <jpeglib.h>

typedef struct jpeg_failure {
  struct jpeg_error_mgr manager; /* first: libjpeg knows of this part only */
  jmp_buf out;
  char text[JMSG_LENGTH_MAX];
} jpeg_failure;

static void
leave (j_common_ptr jpeg)
{
  jpeg_failure *failure = (jpeg_failure *) jpeg->err;
  jpeg->err->format_message (jpeg, failure->text);
  longjmp (failure->out, 1);
}

/* libjpeg's own prints warnings. */
static void
say_nothing (j_common_ptr jpeg)
{
}

/* False, without a message of its own where libjpeg has one. */
static bool
decode_jpeg (struct jpeg_decompress_struct *jpeg, nn_frame *frame, nn_error *err)
{
  jpeg->out_color_space = JCS_RGB;
  jpeg_start_decompress (jpeg);
  uint8_t *pixels = new_pixels (jpeg->output_width, jpeg->output_height, frame, err);
  if (pixels == NULL)
    return false;
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW row = pixels + (size_t) jpeg->output_scanline * (size_t) frame->stride;
    jpeg_read_scanlines (jpeg, &row, 1);
  }
  jpeg_finish_decompress (jpeg);
  return true;
}

static nn_status
read_jpeg (FILE *file, nn_frame *frame, nn_error *err)
{
  struct jpeg_decompress_struct jpeg;
  jpeg_failure failure;
  jpeg.err = jpeg_std_error (&failure.manager);
  failure.manager.error_exit = leave;
  failure.manager.output_message = say_nothing;
  if (setjmp (failure.out) != 0) {
    jpeg_destroy_decompress (&jpeg);
    return nn_fail (err, NN_ERR_FORMAT, "%s", failure.text);
  }
  jpeg_create_decompress (&jpeg);
  jpeg_stdio_src (&jpeg, file);
  jpeg_read_header (&jpeg, TRUE);
  bool ok = decode_jpeg (&jpeg, frame, err);
  jpeg_destroy_decompress (&jpeg);
  return ok ? NN_OK : err->status;
}
#else
#define read_jpeg NULL
#endif

/* ---------------------------------------------------------------- PNM */

static bool
next_number (FILE *file, int64_t *number)
{
  int c = getc (file);
  while (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '#') {
    if (c == '#')
      while (c != '\n' && c != EOF)
        c = getc (file);
    c = getc (file);
  }
  for (*number = 0; c >= '0' && c <= '9' && *number < MAX_PIXELS; c = getc (file))
    *number = 10 * *number + (c - '0');
  return c == ' ' || c == '\t' || c == '\n' || c == '\r'; /* one such ends a number */
}

/* Grey pixels lie at the end of the room for colours, and are spread from the first on. */
static nn_status
read_pnm (FILE *file, nn_frame *frame, nn_error *err)
{
  int64_t width, height, most;
  char magic[2];
  if (fread (magic, 1, 2, file) != 2 || !next_number (file, &width) || !next_number (file, &height)
      || !next_number (file, &most))
    return nn_fail (err, NN_ERR_FORMAT, "damaged: its size cannot be read");
  if (most != 255)
    return nn_fail (err, NN_ERR_UNSUPPORTED, "PNM files with 256 levels only, not with %lld",
                    (long long) most + 1);
  uint8_t *pixels = new_pixels (width, height, frame, err);
  if (pixels == NULL)
    return err->status;
  size_t n = (size_t) (width * height), bytes = magic[1] == '6' ? 3 * n : n;
  uint8_t *from = pixels + 3 * n - bytes;
  if (fread (from, 1, bytes, file) != bytes)
    return nn_fail (err, NN_ERR_FORMAT, "truncated: there should be %zu bytes of pixels", bytes);
  for (size_t i = 0; bytes == n && i < n; i++)
    memset (pixels + 3 * i, from[i], 3);
  return NN_OK;
}

/* ---------------------------------------------------------------- any */

static const struct {
  const char *kind, *magic, *package;
  nn_status (*read) (FILE *file, nn_frame *frame, nn_error *err); /* NULL: this build cannot */
} kinds[] = {
  { "PNG", "\x89PNG\r\n\x1a\n", "libpng-dev", read_png },
  { "JPEG", "\xff\xd8\xff", "libjpeg-dev", read_jpeg },
  { "PNM", "P5", NULL, read_pnm },
  { "PNM", "P6", NULL, read_pnm },
};

static nn_status
read_any (FILE *file, nn_frame *frame, nn_error *err)
{
  char start[9] = "";
  if (fread (start, 1, 8, file) == 0 && ferror (file))
    return nn_fail (err, NN_ERR_IO, "%s", strerror (errno));
  rewind (file);
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (strncmp (start, kinds[i].magic, strlen (kinds[i].magic)) != 0)
      continue;
    if (kinds[i].read != NULL)
      return kinds[i].read (file, frame, err);
    return nn_fail (err, NN_ERR_UNSUPPORTED, "this build reads no %s files: install %s and build it again",
                    kinds[i].kind, kinds[i].package);
  }
  return nn_fail (err, NN_ERR_FORMAT, "not a PNG, JPEG or binary PNM (P5, P6) file");
}

nn_status
inspect_read_image (const char *path, nn_frame *frame, nn_error *err)
{
  FILE *file = fopen (path, "rbe");
  if (file == NULL)
    return nn_fail (err, NN_ERR_IO, "%s: %s", path, strerror (errno));
  nn_status status = read_any (file, frame, err);
  fclose (file);
  return status == NN_OK ? NN_OK : nn_fail_in (err, "%s", path);
}
