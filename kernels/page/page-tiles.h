/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel behind page-cuda.h. */
#pragma once

#include "../tensor.h"

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* nn_taps (taps.h) with index and weight side by side: tap k of result i is at k · n + i. */
typedef struct nn_tile_tap {
  int index;
  float weight;
} nn_tile_tap;

/* A frame, which area of the input it fills, and how. Pointers are the device's. */
typedef struct nn_tile_frame {
  const uint8_t *data, *end; /* the first byte of the first pixel, and behind the last byte of the last */
  int stride, pixel_bytes;   /* bytes */
  int channel[3];            /* which byte of a pixel is channel c of the input */
  int x, y, width, height;   /* of the area */
  int x_taps, y_taps;        /* taps a result, along each axis */
  const nn_tile_tap *x_tap, *y_tap;
  bool fixed_point;    /* two taps a side, with OpenCV's arithmetic for bytes */
  bool rounds_between; /* to 8 bits after the rows */
} nn_tile_frame;

typedef struct nn_tile_job {
  const nn_tile_frame *frames; /* [n], device memory */
  const float *values;         /* [3][256], device memory: channel, level → input */
  int n;                       /* ≤ 65535 */
  uint8_t pad;                 /* the level outside the areas */
  nn_tensor input;             /* device memory, floating-point [≥ n,3,H,W], any strides */
} nn_tile_job;

void nn_cuda_launch_page_tiles (const nn_tile_job *job, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
