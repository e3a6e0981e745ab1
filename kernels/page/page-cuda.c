/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page-cuda.h"

#include "../cuda/floats.h"
#include "page-tiles.h"
#include "place.h"
#include "taps.h"

#include <stdlib.h>
#include <string.h>

#define N_SLOTS 2
#define MAX_AXES 64             /* … and those of one call, are kept … */
#define MAX_TAPS ((size_t) 1 << 20) /* … up to so many taps */
#define MAX_FRAMES 65535        /* of a launch */

/* The taps that resize one axis: in nn_page_cuda.taps from `first` on, and at the same place in each slot. */
typedef struct axis {
  nn_resize_filter filter;
  int source, n, width;
  size_t first;
} axis;

/* What one launch reads: values[3][256], frames[room_for_frames], all taps. Written here, then copied to the device. */
typedef struct slot {
  char *host, *device;
  size_t bytes, head;   /* of all, and in front of the taps */
  size_t n_taps;        /* that are on the device */
  cudaEvent_t done;     /* when the launch has read it */
} slot;

struct nn_page_cuda {
  axis *axes;
  int n_axes, room_for_axes;
  nn_tile_tap *taps;
  size_t n_taps, room_for_taps;
  int *frame_axes; /* of the call's frames: x, y, x, y … */
  int room_for_frames;
  slot slots[N_SLOTS];
  int next;
};

#define VALUES_BYTES (3 * 256 * sizeof (float))

nn_page_cuda *
nn_page_cuda_new (nn_error *err)
{
  nn_page_cuda *page = calloc (1, sizeof *page);
  if (!page) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the pages' work space");
    return NULL;
  }
  for (int i = 0; i < N_SLOTS; i++)
    if (NN_CUDA (cudaEventCreateWithFlags (&page->slots[i].done, cudaEventDisableTiming), err)) {
      nn_page_cuda_free (page);
      return NULL;
    }
  return page;
}

void
nn_page_cuda_free (nn_page_cuda *page)
{
  if (!page)
    return;
  for (int i = 0; i < N_SLOTS; i++) {
    slot *s = &page->slots[i];
    if (!s->done)
      continue;
    cudaEventSynchronize (s->done);
    cudaFreeHost (s->host);
    cudaFree (s->device);
    cudaEventDestroy (s->done);
  }
  free (page->axes);
  free (page->taps);
  free (page->frame_axes);
  free (page);
}

/* ---- taps ---- */

/* Makes room for `wanted` elements of `size` bytes, twice as many as before at least. */
static void *
grow (void *memory, size_t *room, size_t wanted, size_t size, nn_error *err)
{
  if (wanted <= *room)
    return memory;
  size_t more = wanted > 2 * *room ? wanted : 2 * *room;
  void *grown = realloc (memory, more * size);
  if (!grown) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for the pages' resizing");
    return NULL;
  }
  *room = more;
  return grown;
}

static nn_status
append_taps (nn_page_cuda *page, const nn_taps *taps, nn_error *err)
{
  size_t n = (size_t) taps->n * (size_t) taps->width;
  nn_tile_tap *grown = grow (page->taps, &page->room_for_taps, page->n_taps + n, sizeof *grown, err);
  if (!grown)
    return err->status;
  page->taps = grown;
  for (size_t i = 0; i < n; i++)
    page->taps[page->n_taps + i] = (nn_tile_tap) { taps->index[i], taps->weight[i] };
  page->n_taps += n;
  return NN_OK;
}

/* The axis with these taps, which are made if they are not there. */
static nn_status
find_axis (nn_page_cuda *page, nn_resize_filter filter, int source, int n, int *index, nn_error *err)
{
  for (*index = 0; *index < page->n_axes; ++*index) {
    const axis *a = &page->axes[*index];
    if (a->filter == filter && a->source == source && a->n == n)
      return NN_OK;
  }
  size_t room = (size_t) page->room_for_axes;
  axis *grown = grow (page->axes, &room, (size_t) page->n_axes + 1, sizeof *grown, err);
  if (!grown)
    return err->status;
  page->axes = grown;
  page->room_for_axes = (int) room;
  nn_taps taps;
  nn_status status = nn_taps_make (&taps, filter, source, n, err);
  if (status)
    return status;
  axis made = { .filter = filter, .source = source, .n = n, .width = taps.width, .first = page->n_taps };
  status = append_taps (page, &taps, err);
  nn_taps_clear (&taps);
  if (!status)
    page->axes[page->n_axes++] = made;
  return status;
}

static void
forget_taps (nn_page_cuda *page)
{
  page->n_axes = 0;
  page->n_taps = 0;
  for (int i = 0; i < N_SLOTS; i++)
    page->slots[i].n_taps = 0;
}

static nn_status
find_axes (nn_page_cuda *page, const nn_frame *frames, int n, const nn_page_spec *spec, const nn_tensor *input,
           nn_error *err)
{
  if (page->n_axes > MAX_AXES || page->n_taps > MAX_TAPS)
    forget_taps (page);
  size_t room = (size_t) page->room_for_frames;
  int *grown = grow (page->frame_axes, &room, (size_t) n, 2 * sizeof *grown, err);
  if (!grown)
    return err->status;
  page->frame_axes = grown;
  page->room_for_frames = (int) room;
  for (int i = 0; i < n; i++) {
    nn_page_placement ignored;
    nn_area area = nn_place_area (&frames[i], spec, (int) input->dim[3], (int) input->dim[2], &ignored);
    nn_resize_filter filter
        = nn_taps_filter (spec->filter, frames[i].width, frames[i].height, area.width, area.height);
    if (find_axis (page, filter, frames[i].width, area.width, &page->frame_axes[2 * i], err)
        || find_axis (page, filter, frames[i].height, area.height, &page->frame_axes[2 * i + 1], err))
      return err->status;
  }
  return NN_OK;
}

/* ---- what the launch reads ---- */

/* The slot that was used longest ago, when it is free, with room for `n_frames` and all taps. */
static nn_status
take_slot (nn_page_cuda *page, int n_frames, slot **taken, nn_error *err)
{
  slot *s = *taken = &page->slots[page->next];
  page->next = (page->next + 1) % N_SLOTS;
  nn_status status = NN_CUDA (cudaEventSynchronize (s->done), err);
  if (status)
    return status;
  size_t head = VALUES_BYTES + (size_t) n_frames * sizeof (nn_tile_frame);
  if (head > s->head) {
    s->head = head;
    s->n_taps = 0;
  }
  size_t wanted = s->head + page->n_taps * sizeof (nn_tile_tap);
  if (wanted <= s->bytes)
    return NN_OK;
  cudaFreeHost (s->host);
  cudaFree (s->device);
  s->host = s->device = NULL;
  s->bytes = s->n_taps = 0;
  if (NN_CUDA (cudaMallocHost ((void **) &s->host, 2 * wanted), err)
      || NN_CUDA (cudaMalloc ((void **) &s->device, 2 * wanted), err))
    return err->status;
  s->bytes = 2 * wanted;
  return NN_OK;
}

static nn_tile_frame
describe (const nn_page_cuda *page, const slot *s, const nn_frame *frame, const int axes[2], const nn_page_spec *spec,
          nn_area area)
{
  const nn_tile_tap *taps = (const nn_tile_tap *) (s->device + s->head);
  const axis *x = &page->axes[axes[0]], *y = &page->axes[axes[1]];
  int bytes = nn_place_pixel_bytes (frame->format);
  const uint8_t *last_row = frame->data + (int64_t) frame->stride * (frame->height - 1);
  nn_tile_frame made = { .data = frame->data,
                         .end = last_row + (int64_t) frame->width * bytes,
                         .stride = frame->stride,
                         .pixel_bytes = bytes,
                         .x = area.x,
                         .y = area.y,
                         .width = area.width,
                         .height = area.height,
                         .x_taps = x->width,
                         .y_taps = y->width,
                         .x_tap = taps + x->first,
                         .y_tap = taps + y->first,
                         .fixed_point = x->filter == NN_RESIZE_BILINEAR,
                         .rounds_between = x->filter == NN_RESIZE_BILINEAR_ANTIALIAS };
  for (int c = 0; c < 3; c++)
    made.channel[c] = frame->format == NN_PIXEL_GRAY8 ? 0 : nn_place_channel (frame->format, spec, c);
  return made;
}

static nn_status
upload (const slot *s, size_t from, size_t bytes, cudaStream_t stream, nn_error *err)
{
  return NN_CUDA (cudaMemcpyAsync (s->device + from, s->host + from, bytes, cudaMemcpyHostToDevice, stream), err);
}

/* The values and frames, and the taps that the slot has not yet. */
static nn_status
fill_slot (nn_page_cuda *page, slot *s, const nn_frame *frames, int n, const nn_page_spec *spec,
           const nn_tensor *input, nn_page_placement *placements, cudaStream_t stream, nn_error *err)
{
  nn_place_values (spec, (float (*)[256]) s->host);
  nn_tile_frame *described = (nn_tile_frame *) (s->host + VALUES_BYTES);
  for (int i = 0; i < n; i++) {
    nn_area area
        = nn_place_area (&frames[i], spec, (int) input->dim[3], (int) input->dim[2], &placements[i]);
    described[i] = describe (page, s, &frames[i], page->frame_axes + 2 * i, spec, area);
  }
  if (upload (s, 0, VALUES_BYTES + (size_t) n * sizeof *described, stream, err))
    return err->status;
  size_t more = (page->n_taps - s->n_taps) * sizeof *page->taps, from = s->head + s->n_taps * sizeof *page->taps;
  if (more == 0)
    return NN_OK;
  memcpy (s->host + from, page->taps + s->n_taps, more);
  if (upload (s, from, more, stream, err))
    return err->status;
  s->n_taps = page->n_taps;
  return NN_OK;
}

static nn_status
check (const nn_frame *frames, int n, const nn_page_spec *spec, const nn_tensor *input, nn_error *err)
{
  if (n < 1 || n > MAX_FRAMES || !nn_cuda_is_float (input->dtype) || input->rank != 4 || input->dim[0] < n) {
    char text[128];
    return nn_fail (err, NN_ERR_UNSUPPORTED, "%d pages do not fit into a network input of %s", n,
                    nn_tensor_describe (input, text, sizeof text));
  }
  for (int i = 0; i < n; i++)
    if (nn_place_check (&frames[i], input, err))
      return err->status;
  return NN_OK;
}

nn_status
nn_page_cuda_fill (nn_page_cuda *page, const nn_frame *frames, int n, const nn_page_spec *spec,
                   const nn_tensor *input, nn_page_placement *placements, cudaStream_t stream, nn_error *err)
{
  slot *s;
  if (check (frames, n, spec, input, err) || find_axes (page, frames, n, spec, input, err)
      || take_slot (page, n, &s, err))
    return err->status;
  nn_status status = fill_slot (page, s, frames, n, spec, input, placements, stream, err);
  if (!status) {
    nn_tile_job job = { .frames = (const nn_tile_frame *) (s->device + VALUES_BYTES),
                        .values = (const float *) s->device,
                        .n = n,
                        .pad = spec->pad,
                        .input = *input };
    nn_cuda_launch_page_tiles (&job, stream);
    status = nn_cuda_launched ("page_tiles", err);
  }
  nn_error ignored; /* the first failure is the one to tell; what was enqueued before it still reads the slot */
  nn_status recorded = NN_CUDA (cudaEventRecord (s->done, stream), status ? &ignored : err);
  return status ? status : recorded;
}
