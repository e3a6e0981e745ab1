/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page.h"

#include "resample.h"

#include <math.h>
#include <stdlib.h>

struct nn_page {
  nn_resampler *resampler; /* of the last frame's size; NULL at first */
  float value[3][256];     /* channel, level → network input */
};

/* The part of the network's input that the frame fills. */
typedef struct area {
  int x, y, width, height;
} area;

nn_page *
nn_page_new (nn_error *err)
{
  nn_page *page = calloc (1, sizeof *page);
  if (!page)
    nn_fail (err, NN_ERR_MEMORY, "out of memory for a page's work space");
  return page;
}

void
nn_page_free (nn_page *page)
{
  if (!page)
    return;
  nn_resampler_free (page->resampler);
  free (page);
}

static int
bytes_per_pixel (nn_pixel_format format)
{
  switch (format) {
  case NN_PIXEL_BGRX:
  case NN_PIXEL_RGBX:
    return 4;
  case NN_PIXEL_RGB:
  case NN_PIXEL_BGR:
    return 3;
  case NN_PIXEL_GRAY8:
    return 1;
  }
  return 0;
}

static nn_status
check (const nn_frame *frame, const nn_tensor *input, nn_error *err)
{
  int bytes = bytes_per_pixel (frame->format);
  if (!bytes)
    return nn_fail (err, NN_ERR_ARGUMENT, "unknown pixel format %d", (int) frame->format);
  if (!frame->data || frame->width < 1 || frame->height < 1
      || frame->stride < (int64_t) frame->width * bytes)
    return nn_fail (err, NN_ERR_ARGUMENT, "a frame of %d×%d pixels with rows of %d bytes cannot be read",
                    frame->width, frame->height, frame->stride);
  if (input->dtype != NN_F32 || input->rank != 4 || input->dim[0] != 1 || input->dim[1] != 3
      || input->dim[2] < 1 || input->dim[3] < 1 || input->dim[2] > INT16_MAX || input->dim[3] > INT16_MAX) {
    char text[128];
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a page does not fit into a network input of %s",
                    nn_tensor_describe (input, text, sizeof text));
  }
  return NN_OK;
}

/* Ultralytics' LetterBox: one scale, sizes rounded half to even, the odd pixel of padding after. */
static area
letterbox (const nn_frame *frame, int width, int height)
{
  double scale = fmin ((double) width / frame->width, (double) height / frame->height);
  area inner = { .width = (int) fmax (1, rint (frame->width * scale)),
                 .height = (int) fmax (1, rint (frame->height * scale)) };
  inner.x = (width - inner.width) / 2;
  inner.y = (height - inner.height) / 2;
  return inner;
}

static void
fill_table (nn_page *page, const nn_page_spec *spec)
{
  for (int c = 0; c < 3; c++)
    for (int level = 0; level < 256; level++)
      page->value[c][level] = (float) ((level / 255.0 - spec->mean[c]) / spec->std[c]);
}

static nn_status
ensure_resampler (nn_page *page, nn_resize_filter filter, const nn_frame *frame, area inner, nn_error *err)
{
  if (page->resampler
      && nn_resampler_fits (page->resampler, filter, frame->width, frame->height, inner.width, inner.height))
    return NN_OK;
  nn_resampler_free (page->resampler);
  page->resampler = nn_resampler_new (filter, frame->width, frame->height, inner.width, inner.height, err);
  return page->resampler ? NN_OK : err->status;
}

static void
fill_span (float *to, int64_t stride, int n, float value)
{
  for (int i = 0; i < n; i++)
    to[i * stride] = value;
}

/* `pixels`: the channel's byte of the first of `n` 4-byte pixels. */
static void
write_span (float *restrict to, int64_t stride, const uint8_t *restrict pixels, int n,
            const float *restrict value)
{
  if (stride == 1)
    for (int i = 0; i < n; i++)
      to[i] = value[pixels[4 * i]];
  else
    for (int i = 0; i < n; i++)
      to[i * stride] = value[pixels[4 * i]];
}

nn_status
nn_page_fill (nn_page *page, const nn_frame *frame, const nn_page_spec *spec, nn_tensor *input,
              nn_page_placement *placement, nn_error *err)
{
  nn_status status = check (frame, input, err);
  if (status)
    return status;
  int width = (int) input->dim[3], height = (int) input->dim[2];
  area inner = { .width = width, .height = height };
  if (spec->letterbox)
    inner = letterbox (frame, width, height);
  status = ensure_resampler (page, spec->filter, frame, inner, err);
  if (status)
    return status;

  fill_table (page, spec);
  nn_resampler_begin (page->resampler, frame);
  bool frame_bgr = frame->format == NN_PIXEL_BGRX || frame->format == NN_PIXEL_BGR;
  int64_t step = input->stride[3];
  for (int y = 0; y < height; y++) {
    bool inside = y >= inner.y && y < inner.y + inner.height;
    const uint8_t *row = inside ? nn_resampler_row (page->resampler, y - inner.y) : NULL;
    int left = inside ? inner.x : width, filled = inside ? inner.width : 0;
    for (int c = 0; c < 3; c++) {
      float *to = (float *) input->data + c * input->stride[1] + y * input->stride[2];
      float pad = page->value[c][spec->pad];
      fill_span (to, step, left, pad);
      if (row)
        write_span (to + left * step, step, row + (frame_bgr == spec->bgr ? c : 2 - c), filled, page->value[c]);
      fill_span (to + (left + filled) * step, step, width - left - filled, pad);
    }
  }
  *placement = (nn_page_placement) { .scale_x = (float) inner.width / (float) frame->width,
                                     .scale_y = (float) inner.height / (float) frame->height,
                                     .offset_x = (float) inner.x,
                                     .offset_y = (float) inner.y };
  return NN_OK;
}
