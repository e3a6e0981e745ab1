/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "simd.h"

#include "cpu.h"
#include "simd-levels.h" /* written by meson: NN_SIMD_LEVELS (X) is X (name, condition) for each, best first */

#define DECLARE(name, condition)                 \
  extern const nn_simd_conv nn_simd_conv_##name; \
  extern const nn_simd_math nn_simd_math_##name;
NN_SIMD_LEVELS (DECLARE)
DECLARE (baseline, true)

#define RETURN_CONV(name, condition) \
  if (condition)                     \
    return &nn_simd_conv_##name;

const nn_simd_conv *
nn_simd_conv_kernels (void)
{
  if (nn_cpu_chosen () != NN_CPU_CHOICE_PORTABLE) {
    NN_SIMD_LEVELS (RETURN_CONV)
  }
  return &nn_simd_conv_baseline;
}

#define RETURN_MATH(name, condition) \
  if (condition)                     \
    return &nn_simd_math_##name;

const nn_simd_math *
nn_simd_math_kernels (void)
{
  if (nn_cpu_chosen () != NN_CPU_CHOICE_PORTABLE) {
    NN_SIMD_LEVELS (RETURN_MATH)
  }
  return &nn_simd_math_baseline;
}
