/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "product-library.h"

#include <stdlib.h>

#define WORKSPACE_BYTES ((size_t) 32 << 20)

/* cuBLASLt's matrices are column-major: it is asked for the transposed product, whose left side is B. */
struct nn_cuda_product_library {
  cublasLtMatmulDesc_t operation;
  cublasLtMatrixLayout_t left, right, added, result;
  cublasLtMatmulHeuristicResult_t found[NN_CUDA_LIBRARY_ALGORITHMS];
  int n_found, chosen;
  const void *bias; /* of the store, in the result's type */
  bool adds;        /* the residual */
  bool is_whole;    /* nothing is left to do behind it */
};

static cudaDataType_t
data_type (nn_dtype dtype)
{
  return dtype == NN_F16 ? CUDA_R_16F : dtype == NN_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

/* Of the activations that it has, with or without a bias; CUBLASLT_EPILOGUE_DEFAULT for all others. */
static cublasLtEpilogue_t
epilogue (nn_activation_kind kind, bool bias)
{
  if (kind == NN_ACT_RELU)
    return bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
  if (kind == NN_ACT_GELU_TANH)
    return bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
  return bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
}

/* One matrix as it lies: element (i, j) at i row_step + j column_step. A column-major one is as good as the transposed
 * row-major one. False if it is neither, or its rows overlap. */
static bool
find_leading (int64_t rows, int64_t columns, int64_t row_step, int64_t column_step, bool *row_major, int64_t *leading)
{
  *row_major = column_step == 1 || columns == 1;
  int64_t length = *row_major ? columns : rows, n = *row_major ? rows : columns;
  *leading = *row_major ? row_step : column_step;
  if (n == 1)
    *leading = length;
  return (*row_major || row_step == 1 || rows == 1) && *leading >= length;
}

static nn_status
make_layout (const nn_cuda_product_problem *p, nn_dtype dtype, int64_t length, int64_t n, int64_t leading,
             int64_t batch_step, cublasLtMatrixLayout_t *layout, nn_error *err)
{
  int32_t count = (int32_t) (p->n_batch > 0 ? p->batch[0].n : 1);
  nn_status status = NN_BLAS (cublasLtMatrixLayoutCreate (layout, data_type (dtype), (uint64_t) length, (uint64_t) n,
                                                          leading), err);
  if (status != NN_OK || count == 1)
    return status;
  status = NN_BLAS (cublasLtMatrixLayoutSetAttribute (*layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                                      sizeof count), err);
  return status != NN_OK ? status
                         : NN_BLAS (cublasLtMatrixLayoutSetAttribute (
                                      *layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &batch_step,
                                      sizeof batch_step), err);
}

static nn_status
set_operation (nn_cuda_product_library *library, cublasLtMatmulDescAttributes_t attribute, const void *value,
               size_t size, nn_error *err)
{
  return NN_BLAS (cublasLtMatmulDescSetAttribute (library->operation, attribute, value, size), err);
}

static nn_status
set_bias (const nn_cuda *cuda, const nn_cuda_product_problem *p, const float *bias, nn_cuda_product_library *library,
          nn_error *err)
{
  int32_t type = (int32_t) data_type (p->result);
  nn_status status = nn_cuda_take_converted (cuda, bias, p->n, p->result, &library->bias, err);
  if (status == NN_OK)
    status = set_operation (library, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &library->bias, sizeof library->bias, err);
  return status != NN_OK ? status
                         : set_operation (library, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, &type, sizeof type, err);
}

static nn_status
make_operation (const nn_cuda *cuda, const nn_cuda_product_problem *p, const float *bias, bool left_transposed,
                bool right_transposed, nn_cuda_product_library *library, nn_error *err)
{
  cublasComputeType_t compute
    = p->dtype == NN_F32 && cuda->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
  int32_t left = left_transposed ? CUBLAS_OP_T : CUBLAS_OP_N, right = right_transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  library->adds = p->residual == p->result;
  bool adds_all = library->adds || p->residual == NN_DTYPE_NONE;
  uint32_t behind = epilogue (adds_all ? p->activation.kind : NN_ACT_NONE, bias != NULL);
  library->is_whole = adds_all && (p->activation.kind == NN_ACT_NONE || p->activation.kind == NN_ACT_RELU
                                   || p->activation.kind == NN_ACT_GELU_TANH);
  nn_status status = NN_BLAS (cublasLtMatmulDescCreate (&library->operation, compute, CUDA_R_32F), err);
  if (status == NN_OK)
    status = set_operation (library, CUBLASLT_MATMUL_DESC_TRANSA, &left, sizeof left, err);
  if (status == NN_OK)
    status = set_operation (library, CUBLASLT_MATMUL_DESC_TRANSB, &right, sizeof right, err);
  if (status == NN_OK)
    status = set_operation (library, CUBLASLT_MATMUL_DESC_EPILOGUE, &behind, sizeof behind, err);
  return status != NN_OK || bias == NULL ? status : set_bias (cuda, p, bias, library, err);
}

/* Sums that are split among blocks are added as float32, in a fixed order. */
static nn_status
find_algorithms (const nn_cuda *cuda, const nn_cuda_product_problem *p, nn_cuda_product_library *library,
                 nn_error *err)
{
  static const cublasLtMatmulPreferenceAttributes_t aligned[]
    = { CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES };
  uint32_t bytes = (uint32_t) p->alignment, sums = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  uint64_t workspace = WORKSPACE_BYTES;
  cublasLtMatmulPreference_t preference;
  nn_status status = NN_BLAS (cublasLtMatmulPreferenceCreate (&preference), err);
  if (status != NN_OK)
    return status;
  bool is_set = cublasLtMatmulPreferenceSetAttribute (preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                                      sizeof workspace) == CUBLAS_STATUS_SUCCESS
                && cublasLtMatmulPreferenceSetAttribute (preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &sums,
                                                         sizeof sums) == CUBLAS_STATUS_SUCCESS;
  for (int i = 0; i < 4; i++)
    is_set = is_set && cublasLtMatmulPreferenceSetAttribute (preference, aligned[i], &bytes, sizeof bytes)
                         == CUBLAS_STATUS_SUCCESS;
  if (!is_set
      || cublasLtMatmulAlgoGetHeuristic (cuda->blas, library->operation, library->left, library->right, library->added,
                                         library->result, preference, NN_CUDA_LIBRARY_ALGORITHMS, library->found,
                                         &library->n_found) != CUBLAS_STATUS_SUCCESS)
    library->n_found = 0;
  cublasLtMatmulPreferenceDestroy (preference);
  while (library->n_found > 0 && library->found[library->n_found - 1].state != CUBLAS_STATUS_SUCCESS)
    library->n_found--;
  return NN_OK;
}

/* Whether cuBLASLt multiplies these types, for one dimension of batches at most. */
static bool
has_types (const nn_cuda_product_problem *p)
{
  return (p->result == p->dtype || p->result == NN_F32) && p->n_batch <= 1 && p->m > 0 && p->n > 0 && p->k > 0
         && (p->n_batch == 0 || (p->batch[0].n > 0 && p->batch[0].n <= INT32_MAX));
}

static nn_status
describe (const nn_cuda *cuda, const nn_cuda_product_problem *p, const float *bias, nn_cuda_product_library *library,
          nn_error *err)
{
  const nn_cuda_product_batch none = { 1, 0, 0, 0, 0 }, *batch = p->n_batch > 0 ? &p->batch[0] : &none;
  int64_t a_leading, b_leading, d_leading, added_leading;
  bool a_rows, b_rows, d_rows, added_rows, adds = p->residual == p->result;
  if (!find_leading (p->m, p->k, p->a_row, p->a_column, &a_rows, &a_leading)
      || !find_leading (p->k, p->n, p->b_row, p->b_column, &b_rows, &b_leading)
      || !find_leading (p->m, p->n, p->d_row, 1, &d_rows, &d_leading)
      || !find_leading (p->m, p->n, adds ? p->residual_row : p->d_row, 1, &added_rows, &added_leading))
    return NN_OK;
  nn_status status = make_operation (cuda, p, bias, !b_rows, !a_rows, library, err);
  if (status == NN_OK)
    status = make_layout (p, p->dtype, b_rows ? p->n : p->k, b_rows ? p->k : p->n, b_leading, batch->b,
                          &library->left, err);
  if (status == NN_OK)
    status = make_layout (p, p->dtype, a_rows ? p->k : p->m, a_rows ? p->m : p->k, a_leading, batch->a,
                          &library->right, err);
  if (status == NN_OK)
    status = make_layout (p, p->result, p->n, p->m, d_leading, batch->d, &library->result, err);
  if (status == NN_OK)
    status = make_layout (p, p->result, p->n, p->m, added_leading, adds ? batch->residual : batch->d,
                          &library->added, err);
  return status != NN_OK ? status : find_algorithms (cuda, p, library, err);
}

nn_cuda_product_library *
nn_cuda_library_new (const nn_cuda *cuda, const nn_cuda_product_problem *p, const float *bias)
{
  nn_error ignored;
  nn_cuda_product_library *l = has_types (p) ? calloc (1, sizeof *l) : NULL;
  if (l == NULL || (describe (cuda, p, bias, l, &ignored) == NN_OK && l->n_found > 0))
    return l;
  nn_cuda_library_free (l);
  return NULL;
}

void
nn_cuda_library_free (nn_cuda_product_library *library)
{
  if (library == NULL)
    return;
  cublasLtMatrixLayout_t layouts[] = { library->left, library->right, library->added, library->result };
  for (int i = 0; i < 4; i++)
    if (layouts[i] != NULL)
      cublasLtMatrixLayoutDestroy (layouts[i]);
  if (library->operation != NULL)
    cublasLtMatmulDescDestroy (library->operation);
  nn_cuda_store_give_back (library->bias);
  free (library);
}

int
nn_cuda_library_algorithms (const nn_cuda_product_library *library)
{
  return library->n_found;
}

void
nn_cuda_library_choose (nn_cuda_product_library *library, int algorithm)
{
  library->chosen = algorithm;
}

size_t
nn_cuda_library_workspace (const nn_cuda_product_library *library)
{
  return library->found[library->chosen].workspaceSize;
}

nn_status
nn_cuda_library_run (const nn_cuda *cuda, const nn_cuda_product_library *library, const nn_cuda_product_args *args,
                     void *workspace, nn_error *err)
{
  const nn_cuda_product_problem *p = &args->problem;
  const cublasLtMatmulHeuristicResult_t *found = &library->found[library->chosen];
  float beta = library->adds ? 1 : 0;
  nn_status status
    = NN_BLAS (cublasLtMatmul (cuda->blas, library->operation, &p->scale, args->b, library->left, args->a,
                               library->right, &beta, library->adds ? args->residual : args->d, library->added, args->d,
                               library->result, &found->algo, workspace, found->workspaceSize, cuda->stream), err);
  if (status != NN_OK || library->is_whole)
    return status;
  nn_cuda_product_args rest = *args;
  rest.problem.scale = 1;
  rest.bias = NULL;
  if (library->adds)
    rest.problem.residual = NN_DTYPE_NONE;
  nn_cuda_launch_product_finish (&rest, cuda->stream);
  return nn_cuda_launched ("finish_product", err);
}
