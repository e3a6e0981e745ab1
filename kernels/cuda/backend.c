/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans on a GPU. A plan has a stream, on which the nodes of all its sessions run, recorded as one CUDA graph a
 * session; a session has a second stream, on which its pages come in while another session's nodes run. */
#include "../backend.h"
#include "../decode/candidates-cuda.h"
#include "device.h"
#include "frames.h"
#include "memory.h"
#include "merge.h"
#include "parts.h"
#include "postpone.h"
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A plan's. `cuda` is what kernels get: it comes first. */
typedef struct plan {
  nn_cuda cuda;
  nn_cuda_device *device;
  int batch;
  struct plan *owner; /* of the stream: itself, or the plan whose runs this one's follow */
  pthread_mutex_t enqueuing; /* of the owner: what one thread records, no other may enqueue on */
  size_t bytes; /* device memory that alloc() gave */
  struct block *blocks;
  const void **constants; /* taken from the store */
  size_t n_constants, room;
  nn_cuda_recorder *recorder; /* while a run is recorded */
} plan;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the blocks of all plans and their bytes */

/* What alloc() gave: freed by address, whose size is told here. */
typedef struct block {
  void *memory;
  size_t bytes;
  struct block *next;
} block;

/* A session's. */
typedef struct stream {
  plan *plan;
  nn_steps steps;
  void *arg;
  cudaStream_t copies;
  cudaEvent_t sent, began, ran;
  bool sending, started;
  cudaGraphExec_t graph;
  nn_cuda_frames *frames;
  double last_run;
} stream;

/* ---- plans ---- */

static const nn_kernel *
kernel (const nn_op *op)
{
  const nn_op *own = nn_op_find (op->name);
  return own != NULL ? own->cuda : NULL;
}

static nn_dtype
dtype_of (nn_precision precision)
{
  if (precision == NN_PRECISION_FP32 || precision == NN_PRECISION_TF32)
    return NN_F32;
  return precision == NN_PRECISION_BF16 ? NN_BF16 : NN_F16;
}

static void
close_plan (void *device)
{
  plan *p = device;
  if (p == NULL)
    return;
  if (p->device != NULL)
    cudaSetDevice (p->device->index);
  for (size_t i = 0; i < p->n_constants; i++)
    nn_cuda_store_give_back (p->constants[i]);
  free (p->constants);
  if (p->cuda.stream != NULL && p->owner == p)
    cudaStreamDestroy (p->cuda.stream);
  if (p->device != NULL)
    nn_cuda_device_give_back (p->device);
  pthread_mutex_destroy (&p->enqueuing);
  free (p);
}

static nn_status
open_plan (const nn_plan_options *options, const void *beside, void **device, nn_error *err)
{
  const plan *other = beside;
  if (other != NULL && other->cuda.index != options->cuda_device)
    return nn_fail (err, NN_ERR_ARGUMENT, "a plan on GPU %d beside one on GPU %d", options->cuda_device,
                    other->cuda.index);
  plan *p = calloc (1, sizeof *p);
  if (p == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  p->batch = options->batch;
  p->owner = other != NULL ? other->owner : p;
  p->cuda.stream = other != NULL ? other->cuda.stream : NULL;
  pthread_mutex_init (&p->enqueuing, NULL);
  if (nn_cuda_device_take (options->cuda_device, &p->device, err) != NN_OK
      || (p->owner == p && NN_CUDA (cudaStreamCreateWithFlags (&p->cuda.stream, cudaStreamNonBlocking), err))) {
    close_plan (p);
    return err->status;
  }
  const struct cudaDeviceProp *properties = &p->device->properties;
  p->cuda = (nn_cuda){ .index = p->device->index,
                       .architecture = properties->major * 10 + properties->minor,
                       .n_multiprocessors = properties->multiProcessorCount,
                       .shared_bytes = properties->sharedMemPerBlockOptin,
                       .dtype = dtype_of (options->precision),
                       .tf32 = options->precision == NN_PRECISION_TF32,
                       .stream = p->cuda.stream,
                       .cudnn = p->device->cudnn,
                       .blas = p->device->blas,
                       .tuning = p->device->tuning,
                       .choice = nn_cuda_chosen () };
  *device = p;
  return NN_OK;
}

static const char *
device_name (const void *device)
{
  return ((const plan *) device)->device->name;
}

static nn_status
rewrite (nn_graph *graph, nn_error *err)
{
  nn_status status = nn_cuda_merge_products (graph, err);
  if (status == NN_OK)
    status = nn_cuda_postpone_activations (graph, err);
  return status == NN_OK ? nn_cuda_join_chains (graph, err) : status;
}

static nn_dtype
dtype (const void *device)
{
  return ((const plan *) device)->cuda.dtype;
}

static size_t
bytes (const void *device)
{
  const plan *p = device;
  pthread_mutex_lock (&mutex);
  size_t of_blocks = p->bytes;
  pthread_mutex_unlock (&mutex);
  return of_blocks + nn_cuda_store_bytes (p->cuda.index);
}

static void
end (void *device)
{
  plan *p = device;
  pthread_mutex_unlock (&p->owner->enqueuing);
  pthread_mutex_unlock (&p->device->mutex);
}

static nn_status
begin (void *device, nn_error *err)
{
  plan *p = device;
  if (NN_CUDA (cudaSetDevice (p->cuda.index), err))
    return err->status;
  pthread_mutex_lock (&p->device->mutex);
  pthread_mutex_lock (&p->owner->enqueuing);
  if (NN_CUDNN (cudnnSetStream (p->cuda.cudnn, p->cuda.stream), err) == NN_OK)
    return NN_OK;
  end (p);
  return err->status;
}

/* ---- memory ---- */

/* Cleared once, so that the first run, which only warms up, reads numbers. Plans' streams do not wait for the one that
 * clears. */
static void *
alloc (void *device, size_t n_bytes, nn_error *err)
{
  plan *p = device;
  block *b = calloc (1, sizeof *b);
  if (b == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory");
    return NULL;
  }
  b->bytes = n_bytes;
  if (NN_CUDA (cudaSetDevice (p->cuda.index), err) || NN_CUDA (cudaMalloc (&b->memory, n_bytes), err)
      || NN_CUDA (cudaMemset (b->memory, 0, n_bytes), err) || NN_CUDA (cudaStreamSynchronize (NULL), err)) {
    cudaFree (b->memory);
    free (b);
    return NULL;
  }
  pthread_mutex_lock (&mutex);
  b->next = p->blocks;
  p->blocks = b;
  p->bytes += n_bytes;
  pthread_mutex_unlock (&mutex);
  return b->memory;
}

static void
free_memory (void *device, void *memory)
{
  plan *p = device;
  if (memory == NULL)
    return;
  pthread_mutex_lock (&mutex);
  block **at = &p->blocks;
  while ((*at)->memory != memory)
    at = &(*at)->next;
  block *b = *at;
  *at = b->next;
  p->bytes -= b->bytes;
  pthread_mutex_unlock (&mutex);
  cudaSetDevice (p->cuda.index);
  cudaFree (memory);
  free (b);
}

static void *
alloc_host (void *device, size_t n_bytes, nn_error *err)
{
  const plan *p = device;
  void *memory = NULL;
  if (NN_CUDA (cudaSetDevice (p->cuda.index), err) == NN_OK)
    NN_CUDA (cudaHostAlloc (&memory, n_bytes, cudaHostAllocDefault), err);
  return memory;
}

static void
free_host (void *device, void *memory)
{
  if (memory == NULL)
    return;
  cudaSetDevice (((const plan *) device)->cuda.index);
  cudaFreeHost (memory);
}

static nn_status
upload (void *device, const nn_tensor *constant, void **memory, nn_error *err)
{
  plan *p = device;
  if (p->n_constants == p->room) {
    size_t room = p->room * 2 + 64;
    const void **more = realloc (p->constants, room * sizeof *more);
    if (more == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory");
    p->constants = more;
    p->room = room;
  }
  size_t n_bytes = nn_tensor_bytes (constant);
  const void *copy;
  if (nn_cuda_store_take (&p->cuda, constant->data, n_bytes, "as it is", n_bytes, NULL, NULL, &copy, err) != NN_OK)
    return err->status;
  p->constants[p->n_constants++] = copy;
  *memory = (void *) copy; /* tensors' data are not const, but kernels do not write constants */
  return NN_OK;
}

/* ---- runs ---- */

static void
close_stream (void *opened)
{
  stream *s = opened;
  if (s == NULL)
    return;
  cudaSetDevice (s->plan->cuda.index);
  if (s->started)
    cudaEventSynchronize (s->ran);
  if (s->copies != NULL)
    cudaStreamSynchronize (s->copies); /* of a run that was not started */
  if (s->graph != NULL)
    cudaGraphExecDestroy (s->graph);
  nn_cuda_frames_free (s->frames);
  if (s->copies != NULL)
    cudaStreamDestroy (s->copies);
  cudaEvent_t events[] = { s->sent, s->began, s->ran };
  for (int i = 0; i < 3; i++)
    if (events[i] != NULL)
      cudaEventDestroy (events[i]);
  free (s);
}

static nn_status
depend (void *device, int step, const int *before, int n, nn_error *err)
{
  const plan *p = device;
  return p->recorder != NULL ? nn_cuda_recorder_depend (p->recorder, step, before, n, err) : NN_OK;
}

/* Libraries load code and allocate in a first run, which recording would not take. */
static nn_status
warm_up_and_record (stream *s, nn_error *err)
{
  plan *p = s->plan;
  if (begin (p, err) != NN_OK)
    return err->status;
  nn_status status = s->steps (s->arg, err);
  if (status == NN_OK)
    status = NN_CUDA (cudaStreamSynchronize (p->cuda.stream), err);
  if (status == NN_OK && (p->recorder = nn_cuda_recorder_new (p->cuda.stream, err)) == NULL)
    status = err->status;
  if (status == NN_OK)
    status = nn_cuda_record (p->cuda.stream, s->steps, s->arg, 1, &s->graph, err);
  nn_cuda_recorder_free (p->recorder);
  p->recorder = NULL;
  if (status == NN_OK)
    status = NN_CUDA (cudaGraphUpload (s->graph, p->cuda.stream), err);
  if (status != NN_OK)
    cudaStreamSynchronize (p->cuda.stream); /* the memory that is written there is freed next */
  end (p);
  return status;
}

/* A whole batch is waited for without a processor; a single page without the time that waking up takes. */
static nn_status
open_stream (void *device, nn_steps steps, void *arg, void **opened, nn_error *err)
{
  plan *p = device;
  stream *s = calloc (1, sizeof *s);
  if (s == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for a session");
  *s = (stream){ .plan = p, .steps = steps, .arg = arg };
  unsigned waiting = p->batch > 1 ? cudaEventBlockingSync : cudaEventDefault;
  if (NN_CUDA (cudaSetDevice (p->cuda.index), err)
      || NN_CUDA (cudaStreamCreateWithFlags (&s->copies, cudaStreamNonBlocking), err)
      || NN_CUDA (cudaEventCreateWithFlags (&s->sent, cudaEventDisableTiming), err)
      || NN_CUDA (cudaEventCreate (&s->began), err) || NN_CUDA (cudaEventCreateWithFlags (&s->ran, waiting), err)
      || warm_up_and_record (s, err) != NN_OK) {
    close_stream (s);
    return err->status;
  }
  *opened = s;
  return NN_OK;
}

static nn_status
send (void *opened, void *to, const void *from, size_t n_bytes, nn_error *err)
{
  stream *s = opened;
  if (NN_CUDA (cudaSetDevice (s->plan->cuda.index), err))
    return err->status;
  s->sending = true;
  return NN_CUDA (cudaMemcpyAsync (to, from, n_bytes, cudaMemcpyHostToDevice, s->copies), err);
}

static nn_status
receive (void *device, void *to, const void *from, size_t n_bytes, nn_error *err)
{
  return NN_CUDA (cudaMemcpyAsync (to, from, n_bytes, cudaMemcpyDeviceToHost, ((const plan *) device)->cuda.stream), err);
}

static nn_status
find_candidates (void *device, const nn_candidates_job *job, nn_error *err)
{
  nn_cuda_launch_candidates (job, ((const plan *) device)->cuda.stream);
  return nn_cuda_launched ("candidates", err);
}

static nn_status
fill_pages (void *opened, const nn_frame *frames, int n, const nn_page_spec *spec, const nn_tensor *input,
            nn_page_placement *placements, nn_error *err)
{
  stream *s = opened;
  if (NN_CUDA (cudaSetDevice (s->plan->cuda.index), err))
    return err->status;
  if (s->frames == NULL && (s->frames = nn_cuda_frames_new (s->plan->device, s->copies, err)) == NULL)
    return err->status;
  s->sending = true;
  return nn_cuda_frames_fill (s->frames, frames, n, spec, input, placements, err);
}

/* Pages count as on their way until a run that waits for them has started. */
static nn_status
enqueue_run (stream *s, nn_error *err)
{
  cudaStream_t nodes = s->plan->cuda.stream;
  if (s->sending
      && (NN_CUDA (cudaEventRecord (s->sent, s->copies), err)
          || NN_CUDA (cudaStreamWaitEvent (nodes, s->sent, 0), err)))
    return err->status;
  if (NN_CUDA (cudaEventRecord (s->began, nodes), err) || NN_CUDA (cudaGraphLaunch (s->graph, nodes), err)
      || NN_CUDA (cudaEventRecord (s->ran, nodes), err))
    return err->status;
  s->sending = false;
  s->started = true;
  return NN_OK;
}

static nn_status
run (void *opened, nn_error *err)
{
  stream *s = opened;
  if (NN_CUDA (cudaSetDevice (s->plan->cuda.index), err))
    return err->status;
  pthread_mutex_lock (&s->plan->owner->enqueuing);
  nn_status status = enqueue_run (s, err);
  pthread_mutex_unlock (&s->plan->owner->enqueuing);
  return status;
}

static nn_status
wait (void *opened, nn_error *err)
{
  stream *s = opened;
  float ms = 0;
  if (NN_CUDA (cudaSetDevice (s->plan->cuda.index), err))
    return err->status;
  if (!s->started) {
    /* Pages that were on their way when the run failed are not read any more after this. */
    bool sending = s->sending;
    s->sending = false;
    return sending ? NN_CUDA (cudaStreamSynchronize (s->copies), err) : NN_OK;
  }
  s->started = false;
  if (NN_CUDA (cudaEventSynchronize (s->ran), err))
    return err->status;
  s->last_run = cudaEventElapsedTime (&ms, s->began, s->ran) == cudaSuccess ? ms * 1e-3 : 0;
  return NN_OK;
}

static double
last_run (const void *opened)
{
  return ((const stream *) opened)->last_run;
}

static size_t
staged (const void *opened)
{
  return nn_cuda_frames_staged (((const stream *) opened)->frames);
}

/* Recorded several times over, so that what a launch costs does not count. */
static nn_status
time_steps (void *opened, nn_steps steps, void *arg, double *seconds, nn_error *err)
{
  enum { TIMES = 20 };
  stream *s = opened;
  plan *p = s->plan;
  cudaGraphExec_t graph = NULL;
  float ms = 0;
  if (begin (p, err) != NN_OK)
    return err->status;
  nn_status status = nn_cuda_record (p->cuda.stream, steps, arg, TIMES, &graph, err);
  for (int i = 0; i < 2 && status == NN_OK; i++) /* the first warms up */
    if (NN_CUDA (cudaEventRecord (s->began, p->cuda.stream), err)
        || NN_CUDA (cudaGraphLaunch (graph, p->cuda.stream), err)
        || NN_CUDA (cudaEventRecord (s->ran, p->cuda.stream), err)
        || NN_CUDA (cudaEventSynchronize (s->ran), err)
        || NN_CUDA (cudaEventElapsedTime (&ms, s->began, s->ran), err))
      status = err->status;
  end (p);
  if (graph != NULL)
    cudaGraphExecDestroy (graph);
  *seconds = ms * 1e-3 / TIMES;
  return status;
}

const nn_backend nn_backend_cuda = {
  .kind = NN_DEVICE_CUDA,
  .name = "cuda",
  .adds_in_place = true,
  .check = nn_cuda_device_check,
  .describe = nn_cuda_describe_all,
  .describe_device = nn_cuda_describe_device,
  .kernel = kernel,
  .takes_part = nn_cuda_takes_part,
  .takes_rows = true,
  .memory = &nn_cuda_memory,
  .rewrite = rewrite,
  .open = open_plan,
  .close = close_plan,
  .device_name = device_name,
  .dtype = dtype,
  .bytes = bytes,
  .alloc = alloc,
  .free = free_memory,
  .begin = begin,
  .end = end,
  .upload = upload,
  .depend = depend,
  .open_stream = open_stream,
  .close_stream = close_stream,
  .alloc_host = alloc_host,
  .free_host = free_host,
  .send = send,
  .fill_pages = fill_pages,
  .receive = receive,
  .find_candidates = find_candidates,
  .run = run,
  .wait = wait,
  .last_run = last_run,
  .staged = staged,
  .time = time_steps,
};
