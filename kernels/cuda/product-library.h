/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A product by cuBLASLt, for product.c. What it cannot add or apply itself (a residual of another type, most
 * activations) is done in place behind it, by a kernel of product-float.cu. */
#pragma once

#include "cuda.h"
#include "product.h"

#define NN_CUDA_LIBRARY_ALGORITHMS 12

typedef struct nn_cuda_product_library nn_cuda_product_library;

/* Describes a product whose weights are packed, and asks for algorithms, the most promising first; the first one is
 * chosen. NULL where it has none for this product, or fails: our own kernels do without. `bias` is in host memory. */
nn_cuda_product_library *nn_cuda_library_new (const nn_cuda *cuda, const nn_cuda_product_problem *problem,
                                              const float *bias);
void nn_cuda_library_free (nn_cuda_product_library *library); /* NULL is fine */

int nn_cuda_library_algorithms (const nn_cuda_product_library *library); /* 1 … NN_CUDA_LIBRARY_ALGORITHMS */
void nn_cuda_library_choose (nn_cuda_product_library *library, int algorithm);
size_t nn_cuda_library_workspace (const nn_cuda_product_library *library); /* of the chosen one */

/* args->bias is not used. */
nn_status nn_cuda_library_run (const nn_cuda *cuda, const nn_cuda_product_library *library,
                               const nn_cuda_product_args *args, void *workspace, nn_error *err);
