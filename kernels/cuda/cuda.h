/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CUDA backend: what its kernels share. The files have the names of those in cpu/: NAME.c checks a
 * node and prepares it, NAME.cu has the device code and extern "C" launchers, which NAME.h declares.
 *
 * Types. The plan's precision decides how floating-point activations are stored (graph/precision.c): all
 * float32, or most of them half (NN_F16, NN_BF16) and islands of float32. Every kernel takes floating-point
 * operands and results of NN_F32, NN_F16 and NN_BF16, each on its own, and computes in float32; but the products
 * (Conv, ConvTranspose, MatMul, Gemm, Einsum, Attention), whose activations are all of one type, and the result of
 * MatMul and Gemm, which may be float32 where the operands are half. Constants stay as they are in the graph
 * (float32) unless prepare() packs them. Integers and bools are as on the CPU.
 *
 * Memory. In prepare() constants' data are host memory (float32 row-major); in run() they are device memory, with
 * the same type and strides, and those marked in nn_call.packed are NULL. Activations are device memory, dense in
 * their layout, aligned to their element's size only (views): kernels that load more at once check. Operands of
 * Attention and DeformableAttention may have gaps between their rows (dimension 1): they are columns of a wider product
 * (merge.c).
 *
 * Libraries. cuDNN and cuBLASLt have to open; beyond that, nothing may depend on them. Where they have nothing for a
 * node (a GPU that is newer than they are) or fail, a kernel here takes it, without an error.
 *
 * NaN and infinity. The kernels here pass them on as the CPU's do, and store as 65504 what is too large for a half; a
 * Cast of the network's makes that an infinity, as the CPU's does. The libraries promise neither: their rectifier may
 * make 0 of NaN, and an infinity of what is too large. Which of the two computes a node is a matter of timing. So
 * nothing may rely on either: results are the CPU's, up to rounding, where all values are finite and fit their type.
 *
 * Running. run() only enqueues on nn_cuda.stream: no synchronisation, no allocation, no host memory that may
 * change, since it is recorded into a CUDA graph once and replayed. Launches are checked by nn_cuda_launched().
 * Results repeat bit for bit: no floating-point atomics.
 */
#pragma once

#include "../ops.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nn_tuning nn_tuning;

/* For tests: which implementations products and convolutions take. */
typedef enum nn_cuda_choice {
  NN_CUDA_CHOICE_BEST,    /* what measures best for each node */
  NN_CUDA_CHOICE_OWN,     /* of the kernels here */
  NN_CUDA_CHOICE_LIBRARY, /* of cuDNN and cuBLASLt, where they can do it */
} nn_cuda_choice;

/* What a plan's kernels are prepared and run with: nn_call.device. */
typedef struct nn_cuda {
  int index;             /* of the device, as CUDA counts */
  int architecture;      /* compute capability × 10: 80, 90, 121 */
  int n_multiprocessors;
  size_t shared_bytes;   /* of shared memory that one block can have */
  nn_dtype dtype;        /* of products' operands: NN_F32, NN_F16 or NN_BF16 */
  bool tf32;             /* NN_F32 products may round operands to TF32 */
  cudaStream_t stream;
  cudnnHandle_t cudnn;   /* on `stream` */
  cublasLtHandle_t blas;
  nn_tuning *tuning;     /* choices that were made by timing (tuning.h) */
  nn_cuda_choice choice;
} nn_cuda;

static inline const nn_cuda *
nn_cuda_of (const nn_call *call)
{
  return (const nn_cuda *) call->device;
}

/* Fills `err` where a call of a library failed: "cudaMalloc: out of memory (backend.c:80)". NN_ERR_MEMORY for memory,
 * else NN_ERR_DEVICE. Used through the macros: if (NN_CUDA (cudaMalloc (&p, n), err)) return err->status; */
nn_status nn_cuda_check (cudaError_t result, const char *what, const char *file, int line, nn_error *err);
nn_status nn_cudnn_check (cudnnStatus_t result, const char *what, const char *file, int line, nn_error *err);
nn_status nn_blas_check (cublasStatus_t result, const char *what, const char *file, int line, nn_error *err);
#define NN_CUDA(call, err) nn_cuda_check (call, #call, __FILE__, __LINE__, err)
#define NN_CUDNN(call, err) nn_cudnn_check (call, #call, __FILE__, __LINE__, err)
#define NN_BLAS(call, err) nn_blas_check (call, #call, __FILE__, __LINE__, err)

/* After a launch: what cudaGetLastError() has to say. */
nn_status nn_cuda_launched (const char *kernel, nn_error *err);

/* Device memory for a prepared node (not for run()); freed by cudaFree(). */
nn_status nn_cuda_alloc (const nn_cuda *cuda, size_t bytes, void **memory, nn_error *err);

/* A constant made ready for the device, once for all plans of the process that ask for the same: the store finds
 * it by the content of `elements` (host memory) and by `kind`, which names the form and all that `pack` depends on
 * ("conv krsc f16 64x3x3x3"). `pack` enqueues on cuda->stream what writes the `packed_bytes` at `packed` from a
 * device copy of `elements`; NULL: it is copied as it is. */
typedef nn_status (*nn_cuda_packer) (const nn_cuda *cuda, void *packed, const void *elements, const void *arg,
                                     nn_error *err);
nn_status nn_cuda_store_take (const nn_cuda *cuda, const void *elements, size_t bytes, const char *kind,
                              size_t packed_bytes, nn_cuda_packer pack, const void *arg, const void **packed,
                              nn_error *err);
void nn_cuda_store_give_back (const void *packed); /* NULL is fine */

/* The kernels, in the order of the op table. */
extern const nn_kernel nn_cuda_abs, nn_cuda_add, nn_cuda_and, nn_cuda_arg_max, nn_cuda_arg_min;
extern const nn_kernel nn_cuda_attention, nn_cuda_average_pool, nn_cuda_batch_normalization, nn_cuda_cast;
extern const nn_kernel nn_cuda_ceil, nn_cuda_clip, nn_cuda_concat, nn_cuda_constant_of_shape, nn_cuda_conv;
extern const nn_kernel nn_cuda_conv_transpose, nn_cuda_cos, nn_cuda_cumsum, nn_cuda_deformable_attention;
extern const nn_kernel nn_cuda_depth_to_space, nn_cuda_div, nn_cuda_copy, nn_cuda_einsum, nn_cuda_elu;
extern const nn_kernel nn_cuda_equal, nn_cuda_erf, nn_cuda_exp, nn_cuda_expand, nn_cuda_floor, nn_cuda_gather;
extern const nn_kernel nn_cuda_gather_elements, nn_cuda_gather_nd, nn_cuda_gelu, nn_cuda_gemm;
extern const nn_kernel nn_cuda_global_average_pool, nn_cuda_greater, nn_cuda_greater_or_equal;
extern const nn_kernel nn_cuda_grid_sample, nn_cuda_group_normalization, nn_cuda_hard_sigmoid;
extern const nn_kernel nn_cuda_hard_swish, nn_cuda_instance_normalization, nn_cuda_is_inf, nn_cuda_is_nan;
extern const nn_kernel nn_cuda_layer_normalization, nn_cuda_leaky_relu, nn_cuda_less, nn_cuda_less_or_equal;
extern const nn_kernel nn_cuda_log, nn_cuda_log_softmax, nn_cuda_masked_reduce, nn_cuda_matmul, nn_cuda_max;
extern const nn_kernel nn_cuda_max_pool, nn_cuda_mean, nn_cuda_min, nn_cuda_mod, nn_cuda_mul, nn_cuda_neg;
extern const nn_kernel nn_cuda_not, nn_cuda_or, nn_cuda_prelu, nn_cuda_pad, nn_cuda_pow, nn_cuda_range;
extern const nn_kernel nn_cuda_reciprocal, nn_cuda_reduce_l1, nn_cuda_reduce_l2, nn_cuda_reduce_log_sum;
extern const nn_kernel nn_cuda_reduce_log_sum_exp, nn_cuda_reduce_max, nn_cuda_reduce_mean, nn_cuda_reduce_min;
extern const nn_kernel nn_cuda_reduce_prod, nn_cuda_reduce_sum, nn_cuda_reduce_sum_square, nn_cuda_relu;
extern const nn_kernel nn_cuda_resize, nn_cuda_round, nn_cuda_scatter_elements, nn_cuda_scatter_nd;
extern const nn_kernel nn_cuda_selu, nn_cuda_shape, nn_cuda_sigmoid, nn_cuda_sign, nn_cuda_silu, nn_cuda_sin;
extern const nn_kernel nn_cuda_size, nn_cuda_slice, nn_cuda_softmax, nn_cuda_softplus, nn_cuda_space_to_depth;
extern const nn_kernel nn_cuda_split, nn_cuda_sqrt, nn_cuda_sub, nn_cuda_sum, nn_cuda_tanh, nn_cuda_tile;
extern const nn_kernel nn_cuda_topk, nn_cuda_transpose, nn_cuda_trilu, nn_cuda_where, nn_cuda_xor;

/* Joins elementwise nodes of a fused graph to nodes "Chain" that only this device has (chains.c). */
nn_status nn_cuda_join_chains (nn_graph *graph, nn_error *err);
extern const nn_kernel nn_cuda_chain;

#ifdef __cplusplus
}
#endif
