/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The transforms of Winograd's F(4×4, 3×3): Lavin and Gray, "Fast Algorithms for Convolutional Neural
 * Networks", arXiv:1509.09308, section 4.3 (points 0, ±1, ±2, ∞). */
#include "simd-level.h"

/* One column of Bᵀ d. */
static inline void
transform_in (const vec d[6], vec *to, int step)
{
  vec a = d[4] - 4 * d[2], b = d[3] - 4 * d[1], c = d[4] - d[2], e = 2 * (d[3] - d[1]);
  to[0] = 4 * d[0] - 5 * d[2] + d[4];
  to[1 * step] = a + b;
  to[2 * step] = a - b;
  to[3 * step] = c + e;
  to[4 * step] = c - e;
  to[5 * step] = 4 * d[1] - 5 * d[3] + d[5];
}

/* One column of Aᵀ m. */
static inline void
transform_out (const vec m[6], vec *to, int step)
{
  vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
  to[0] = m[0] + a + c;
  to[1 * step] = b + 2 * d;
  to[2 * step] = a + 4 * c;
  to[3 * step] = b + 8 * d + m[5];
}

void
NN_SIMD_WINOGRAD_IN (const nn_winograd_in *tile)
{
  for (int64_t c = 0; c < tile->channels; c += LANES) {
    vec half[36], column[6], out[6];
    for (int x = 0; x < 6; x++) {
      for (int y = 0; y < 6; y++)
        column[y] = *(const vec *) (tile->pixels[y * 6 + x] + c);
      transform_in (column, half + x, 6);
    }
    for (int y = 0; y < 6; y++) {
      transform_in (half + y * 6, out, 1);
      for (int x = 0; x < 6; x++)
        *(vec *) (tile->to + (y * 6 + x) * tile->step + c) = out[x];
    }
  }
}

static inline __attribute__ ((always_inline)) void
store_pixels (const nn_winograd_out *tile, int64_t channel, vec *out)
{
  vec bias = *(const vec *) (tile->bias + channel);
  for (int i = 0; i < 16; i++)
    out[i] += bias;
  for (int y = 0; y < tile->rows && tile->residual; y++)
    for (int x = 0; x < tile->cols; x++)
      out[y * 4 + x]
          += *(const vec *) (tile->residual + y * tile->residual_row + x * tile->residual_col + channel);
  activate_vectors (&tile->activation, 16, out);
  for (int y = 0; y < tile->rows; y++)
    for (int x = 0; x < tile->cols; x++)
      *(vec *) (tile->y + y * tile->y_row + x * tile->y_col + channel) = out[y * 4 + x];
}

void
NN_SIMD_WINOGRAD_OUT (const nn_winograd_out *tile)
{
  for (int64_t c = 0; c < tile->channels; c += LANES) {
    vec half[24], column[6], out[16];
    for (int x = 0; x < 6; x++) {
      for (int y = 0; y < 6; y++)
        column[y] = *(const vec *) (tile->from + (y * 6 + x) * tile->step + c);
      transform_out (column, half + x, 6);
    }
    for (int y = 0; y < 4; y++)
      transform_out (half + y * 6, out + y * 4, 1);
    store_pixels (tile, c, out);
  }
  for (int y = 0; y < tile->rows && !is_applied_to_vectors (tile->activation.kind); y++)
    for (int x = 0; x < tile->cols; x++) {
      float *pixel = tile->y + y * tile->y_row + x * tile->y_col;
      NN_SIMD_TABLE (math).activate (&tile->activation, tile->channels, pixel, pixel);
    }
}
