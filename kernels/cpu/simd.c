/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "simd.h"

#include "cpu.h"
#include "simd-levels.h" /* NN_SIMD_LEVELS (X): X (name, condition) for each, best first; by meson */

#define DECLARE(name, condition)                 \
  extern const nn_simd_conv nn_simd_conv_##name; \
  extern const nn_simd_math nn_simd_math_##name;
NN_SIMD_LEVELS (DECLARE)
DECLARE (baseline, true)

/* Below the best; -1: all. */
static int
levels_to_skip (void)
{
  nn_cpu_choice choice = nn_cpu_chosen ();
  return choice == NN_CPU_CHOICE_PORTABLE ? -1 : choice == NN_CPU_CHOICE_LESSER;
}

#define RETURN(name, condition, kind) \
  if ((condition) && skip-- == 0)     \
    return &nn_simd_##kind##_##name;
#define RETURN_CONV(name, condition) RETURN (name, condition, conv)
#define RETURN_MATH(name, condition) RETURN (name, condition, math)

const nn_simd_conv *
nn_simd_conv_kernels (void)
{
  int skip = levels_to_skip ();
  if (skip >= 0) {
    NN_SIMD_LEVELS (RETURN_CONV)
  }
  return &nn_simd_conv_baseline;
}

const nn_simd_math *
nn_simd_math_kernels (void)
{
  int skip = levels_to_skip ();
  if (skip >= 0) {
    NN_SIMD_LEVELS (RETURN_MATH)
  }
  return &nn_simd_math_baseline;
}
