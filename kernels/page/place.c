/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "place.h"

#include <math.h>

int
nn_place_pixel_bytes (nn_pixel_format format)
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

int
nn_place_channel (nn_pixel_format format, const nn_page_spec *spec, int c)
{
  bool frame_bgr = format == NN_PIXEL_BGRX || format == NN_PIXEL_BGR;
  return frame_bgr == spec->bgr ? c : 2 - c;
}

nn_status
nn_place_check_frame (const nn_frame *frame, nn_error *err)
{
  int bytes = nn_place_pixel_bytes (frame->format);
  if (!bytes)
    return nn_fail (err, NN_ERR_ARGUMENT, "unknown pixel format %d", (int) frame->format);
  if (!frame->data || frame->width < 1 || frame->height < 1
      || frame->stride < (int64_t) frame->width * bytes)
    return nn_fail (err, NN_ERR_ARGUMENT, "a frame of %d×%d pixels with rows of %d bytes cannot be read",
                    frame->width, frame->height, frame->stride);
  return NN_OK;
}

nn_status
nn_place_check (const nn_frame *frame, const nn_tensor *input, nn_error *err)
{
  if (nn_place_check_frame (frame, err))
    return err->status;
  if (input->rank != 4 || input->dim[1] != 3 || input->dim[2] < 1 || input->dim[3] < 1
      || input->dim[2] > INT16_MAX || input->dim[3] > INT16_MAX) {
    char text[128];
    return nn_fail (err, NN_ERR_UNSUPPORTED, "a page does not fit into a network input of %s",
                    nn_tensor_describe (input, text, sizeof text));
  }
  return NN_OK;
}

/* Ultralytics' LetterBox: one scale, sizes rounded half to even, the odd pixel of padding after. */
static nn_area
letterbox (const nn_frame *frame, int width, int height)
{
  double scale = fmin ((double) width / frame->width, (double) height / frame->height);
  nn_area inner = { .width = (int) fmax (1, rint (frame->width * scale)),
                    .height = (int) fmax (1, rint (frame->height * scale)) };
  inner.x = (width - inner.width) / 2;
  inner.y = (height - inner.height) / 2;
  return inner;
}

nn_area
nn_place_area (const nn_frame *frame, const nn_page_spec *spec, int width, int height,
               nn_page_placement *placement)
{
  nn_area inner = { .width = width, .height = height };
  if (spec->letterbox)
    inner = letterbox (frame, width, height);
  *placement = (nn_page_placement) { .scale_x = (float) inner.width / (float) frame->width,
                                     .scale_y = (float) inner.height / (float) frame->height,
                                     .offset_x = (float) inner.x,
                                     .offset_y = (float) inner.y };
  return inner;
}

void
nn_place_values (const nn_page_spec *spec, float value[3][256])
{
  for (int c = 0; c < 3; c++)
    for (int level = 0; level < 256; level++)
      value[c][level] = (float) ((level / 255.0 - spec->mean[c]) / spec->std[c]);
}
