/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page.h"

#include "place.h"
#include "resample.h"

#include <stdlib.h>

struct nn_page {
  nn_resampler *resampler; /* of the last frame's size; NULL at first */
  float value[3][256];     /* channel, level → network input */
};

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

static nn_status
check (const nn_frame *frame, const nn_tensor *input, nn_error *err)
{
  if (input->dtype != NN_F32 || input->rank != 4 || input->dim[0] != 1) {
    char text[128];
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a page does not fit into a network input of %s",
                    nn_tensor_describe (input, text, sizeof text));
  }
  return nn_place_check (frame, input, err);
}

static nn_status
ensure_resampler (nn_page *page, nn_resize_filter filter, const nn_frame *frame, nn_area inner,
                  nn_error *err)
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
  nn_area inner = nn_place_area (frame, spec, width, height, placement);
  status = ensure_resampler (page, spec->filter, frame, inner, err);
  if (status)
    return status;

  nn_place_values (spec, page->value);
  nn_resampler_begin (page->resampler, frame);
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
        write_span (to + left * step, step, row + nn_place_channel (frame->format, spec, c), filled, page->value[c]);
      fill_span (to + (left + filled) * step, step, width - left - filled, pad);
    }
  }
  return NN_OK;
}
