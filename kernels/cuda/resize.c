/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize over height and width. The taps are made on the host, by the same code as the CPU's. */
#include "resize.h"

#include "../graph/shape.h"
#include "cuda.h"
#include "image.h"

#include <stdlib.h>

typedef struct resize {
  bool linear;
  nn_cuda_resize_tap *taps; /* of the rows, then of the columns; device memory */
} resize;

static void
release (void *shared)
{
  resize *made = shared;
  if (made != NULL)
    cudaFree (made->taps);
  free (made);
}

static void
fill_taps (const nn_call *call, int axis, nn_resize_tap *work, nn_cuda_resize_tap *taps)
{
  nn_shape_resize_taps (call, axis, work);
  for (int64_t i = 0; i < call->out[0].dim[axis]; i++)
    taps[i] = (nn_cuda_resize_tap) { .first = (int) work[i].first,
                                     .second = (int) work[i].second,
                                     .weight = { 1 - work[i].weight, work[i].weight } };
}

/* `taps`: host memory for the rows' and the columns' taps; `work` for the longer of them. */
static nn_status
upload_taps (const nn_call *call, nn_resize_tap *work, nn_cuda_resize_tap *taps, resize *made, nn_error *err)
{
  const nn_cuda *cuda = nn_cuda_of (call);
  const nn_tensor *y = &call->out[0];
  size_t bytes = (size_t) (y->dim[2] + y->dim[3]) * sizeof *taps;
  nn_status status = nn_cuda_alloc (cuda, bytes, (void **) &made->taps, err);
  if (status != NN_OK)
    return status;
  fill_taps (call, 2, work, taps);
  fill_taps (call, 3, work, taps + y->dim[2]);
  return NN_CUDA (cudaMemcpyAsync (made->taps, taps, bytes, cudaMemcpyHostToDevice, cuda->stream), err);
}

/* Scales and sizes are needed no longer. */
static void
mark_packed (nn_call *call)
{
  for (int i = 1; i < call->node->n_in; i++)
    if (nn_node_has (call->node, i) && call->node->in[i]->constant != NULL)
      call->packed |= 1u << i;
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  if (!nn_image_is_good (x) || !nn_image_is_good (y))
    return nn_fail (err, NN_ERR_UNSUPPORTED, "Resize of %s of rank %d, or of its size, is not supported on CUDA",
                    nn_dtype_name (x->dtype), x->rank);
  nn_status status = nn_shape_resize_check (call, err);
  if (status != NN_OK)
    return status;
  resize *made = calloc (1, sizeof *made);
  size_t longer = (size_t) (y->dim[2] > y->dim[3] ? y->dim[2] : y->dim[3]);
  nn_resize_tap *work = calloc (longer + 1, sizeof *work);
  nn_cuda_resize_tap *taps = calloc ((size_t) (y->dim[2] + y->dim[3]) + 1, sizeof *taps);
  if (made == NULL || work == NULL || taps == NULL)
    status = nn_fail (err, NN_ERR_MEMORY, "out of memory");
  else if (nn_tensor_count (y) > 0)
    status = upload_taps (call, work, taps, made, err);
  free (work);
  free (taps); /* pageable memory has been read when cudaMemcpyAsync() returns */
  if (status != NN_OK) {
    release (made);
    return status;
  }
  made->linear = nn_shape_resize_is_linear (call->node);
  mark_packed (call);
  call->shared = made;
  return NN_OK;
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const resize *made = call->shared;
  const nn_tensor *x = &call->in[0], *y = &call->out[0];
  if (nn_tensor_count (y) == 0)
    return NN_OK;
  nn_cuda_launch_resize (x, y, made->taps, made->taps + y->dim[2], made->linear, nn_cuda_of (call)->stream);
  return nn_cuda_launched ("resize", err);
}

const nn_kernel nn_cuda_resize = { .prepare = prepare, .run = run, .release = release };
