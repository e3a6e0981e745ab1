/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frames.h"

#include "../page/page-cuda.h"
#include "../page/place.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

struct nn_cuda_frames {
  const nn_cuda_device *device;
  cudaStream_t stream;
  nn_page_cuda *pages;
  nn_frame *frames; /* as the kernel is told of them */
  int room;
  nn_memory_path path;
  bool reads_pageable;
  uint8_t *staging;  /* pinned, mapped */
  size_t staging_bytes;
  size_t staged;     /* bytes of the last call */
};

nn_cuda_frames *
nn_cuda_frames_new (const nn_cuda_device *device, cudaStream_t stream, nn_error *err)
{
  nn_cuda_frames *f = calloc (1, sizeof *f);
  if (f == NULL) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for pages");
    return NULL;
  }
  f->device = device;
  f->stream = stream;
  f->path = nn_cuda_memory_path (device->index);
  f->reads_pageable = nn_cuda_reads_pageable (device->index);
  if ((f->pages = nn_page_cuda_new (err)) == NULL) {
    free (f);
    return NULL;
  }
  return f;
}

void
nn_cuda_frames_free (nn_cuda_frames *f)
{
  if (f == NULL)
    return;
  nn_page_cuda_free (f->pages);
  cudaFreeHost (f->staging);
  free (f->frames);
  free (f);
}

/* The last row may end with its last pixel. */
static size_t
bytes_of (const nn_frame *frame)
{
  return (size_t) frame->stride * (size_t) (frame->height - 1)
         + (size_t) frame->width * (size_t) nn_place_pixel_bytes (frame->format);
}

/* Where the device reads the frame; NULL: it cannot. By what the driver says of both its ends. */
static const uint8_t *
device_pointer (const nn_cuda_frames *f, const nn_frame *frame)
{
  struct cudaPointerAttributes first, last;
  size_t reach = bytes_of (frame) - 1;
  if (f->path == NN_MEMORY_DIRECT && f->reads_pageable)
    return frame->data;
  if (cudaPointerGetAttributes (&first, frame->data) != cudaSuccess
      || cudaPointerGetAttributes (&last, frame->data + reach) != cudaSuccess) {
    cudaGetLastError ();
    return NULL;
  }
  if (first.type == cudaMemoryTypeUnregistered || last.type != first.type
      || (char *) last.devicePointer != (char *) first.devicePointer + reach)
    return NULL;
  if (first.type == cudaMemoryTypeHost && f->path == NN_MEMORY_DIRECT)
    return frame->data;
  return first.type == cudaMemoryTypeHost && f->path == NN_MEMORY_STAGED ? NULL : first.devicePointer;
}

static nn_status
ensure_room (nn_cuda_frames *f, int n, nn_error *err)
{
  if (n <= f->room)
    return NN_OK;
  nn_frame *more = realloc (f->frames, (size_t) n * sizeof *more);
  if (more == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for %d pages", n);
  f->frames = more;
  f->room = n;
  return NN_OK;
}

static nn_status
ensure_staging (nn_cuda_frames *f, size_t bytes, nn_error *err)
{
  if (bytes <= f->staging_bytes)
    return NN_OK;
  cudaFreeHost (f->staging);
  f->staging = NULL;
  f->staging_bytes = 0;
  if (NN_CUDA (cudaHostAlloc ((void **) &f->staging, bytes, cudaHostAllocMapped | cudaHostAllocPortable), err))
    return err->status;
  f->staging_bytes = bytes;
  return NN_OK;
}

/* Copies the frames that have no device pointer, one behind the other. */
static nn_status
stage (nn_cuda_frames *f, const nn_frame *pages, int n, nn_error *err)
{
  size_t bytes = 0;
  for (int i = 0; i < n; i++)
    bytes += f->frames[i].data == NULL ? (bytes_of (&pages[i]) + 255) / 256 * 256 : 0;
  f->staged = 0;
  if (ensure_staging (f, bytes, err) != NN_OK)
    return err->status;
  uint8_t *to = f->staging;
  for (int i = 0; i < n; i++)
    if (f->frames[i].data == NULL) {
      memcpy (to, pages[i].data, bytes_of (&pages[i]));
      f->staged += bytes_of (&pages[i]);
      f->frames[i].data = to;
      to += (bytes_of (&pages[i]) + 255) / 256 * 256;
    }
  return NN_OK;
}

nn_status
nn_cuda_frames_fill (nn_cuda_frames *f, const nn_frame *pages, int n, const nn_page_spec *spec,
                     const nn_tensor *input, nn_page_placement *placements, nn_error *err)
{
  if (ensure_room (f, n, err) != NN_OK)
    return err->status;
  for (int i = 0; i < n; i++) {
    if (nn_place_check_frame (&pages[i], err) != NN_OK) /* before anything of it is read here */
      return n > 1 ? nn_fail_in (err, "page %d of %d in the batch", i + 1, n) : err->status;
    f->frames[i] = pages[i];
    f->frames[i].data = device_pointer (f, &pages[i]);
  }
  if (stage (f, pages, n, err) != NN_OK)
    return err->status;
  return nn_page_cuda_fill (f->pages, f->frames, n, spec, input, placements, f->stream, err);
}

size_t
nn_cuda_frames_staged (const nn_cuda_frames *f)
{
  return f != NULL ? f->staged : 0;
}
