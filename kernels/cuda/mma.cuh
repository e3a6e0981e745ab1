/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Products of 16x16 and 16x8 halves by the threads of a warp, as PTX has them (mma.m16n8k16). With row = lane / 4
 * and col = 2 (lane % 4), a thread has of
 *   a, 16x16: [row][col, +1], [row + 8][col, +1], [row][col + 8, +9], [row + 8][col + 8, +9]
 *   b, 16x8:  [col, +1][row], [col + 8, +9][row]
 *   c, 16x8:  [row][col, +1], [row + 8][col, +1] (float32)
 * so that two c side by side, rounded, are an a. */
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

static __device__ __forceinline__ void
mma (float c[4], const unsigned a[4], unsigned b0, unsigned b1, __half)
{
  asm ("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
       "{%0, %1, %2, %3};"
       : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
       : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

static __device__ __forceinline__ void
mma (float c[4], const unsigned a[4], unsigned b0, unsigned b1, __nv_bfloat16)
{
  asm ("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
       "{%0, %1, %2, %3};"
       : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
       : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* Four 8x8 matrices, of which thread i has [i / 4][2 (i % 4), +1]; `row` is row i % 8 of matrix i / 8. */
static __device__ __forceinline__ void
load_matrices (unsigned m[4], const void *row)
{
  asm volatile ("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3])
                : "r"((unsigned) __cvta_generic_to_shared (row))
                : "memory");
}

/* … [2 (i % 4), +1][i / 4]. */
static __device__ __forceinline__ void
load_matrices_transposed (unsigned m[4], const void *row)
{
  asm volatile ("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                : "=r"(m[0]), "=r"(m[1]), "=r"(m[2]), "=r"(m[3])
                : "r"((unsigned) __cvta_generic_to_shared (row))
                : "memory");
}

/* The first in the lower half. */
static __device__ __forceinline__ unsigned
pack (float x, float y, __half)
{
  __half2 pair = __floats2half2_rn (x, y);
  return *(unsigned *) &pair;
}

static __device__ __forceinline__ unsigned
pack (float x, float y, __nv_bfloat16)
{
  __nv_bfloat162 pair = __floats2bfloat162_rn (x, y);
  return *(unsigned *) &pair;
}

/* 16 bytes from global to shared memory, both aligned to that, without waiting; zeros where `there` is false. */
static __device__ __forceinline__ void
copy_later (void *to, const void *from, bool there)
{
  asm volatile ("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"((unsigned) __cvta_generic_to_shared (to)),
                "l"(from), "r"(there ? 16 : 0)
                : "memory");
}

static __device__ __forceinline__ void
end_copies (void)
{
  asm volatile ("cp.async.commit_group;" ::: "memory");
}

/* Until all of this thread's copies are done but those of the last N groups. */
template <int N>
static __device__ __forceinline__ void
wait_for_copies (void)
{
  asm volatile ("cp.async.wait_group %0;" ::"n"(N) : "memory");
}
