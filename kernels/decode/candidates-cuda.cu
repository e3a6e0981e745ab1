/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread a cell: it reads the scores, and the box only where one of them passes. Candidates go straight to the host's
 * memory, in the order in which threads come by; they are counted in the device's. The last block of a page tells the
 * host how many there are, or, if they are too many, copies the page's outputs: later would be too late, since the next
 * session's run overwrites them. It leaves the counts at 0 for the next run. So it all is one node of the graph.
 */
#include "candidates-cuda.h"

#define THREADS 128 /* few, so that one page alone has blocks for most multiprocessors */

__device__ static void
append (const nn_candidates_job &job, int page, const nn_candidate &candidate)
{
  int i = atomicAdd (&job.counts[page].n, 1);
  if (i < NN_CANDIDATES_MOST)
    job.candidates[(int64_t) page * NN_CANDIDATES_MOST + i] = candidate;
}

template <nn_head_kind KIND>
__device__ static void
look_at (const nn_candidates_job &job, int page, int level, int cell, float threshold)
{
  const nn_level l = nn_level_of_page (&job.head.levels[level], page);
  if (KIND == NN_HEAD_YOLOV8) {
    nn_candidate candidate;
    if (nn_yolov8_passes (&l, cell, threshold, &candidate)) {
      atomicAdd (&job.counts[page].cells[level], 1);
      append (job, page, candidate);
    }
  } else if (nn_picodet_best (&l, cell, threshold) > threshold) {
    atomicAdd (&job.counts[page].cells[level], 1);
    nn_candidate candidate = nn_picodet_box (&l, cell);
    for (int c = 0; c < l.labels; c++)
      if (nn_picodet_passes (&l, cell, c, threshold, &candidate))
        append (job, page, candidate);
  }
}

/* Whether all other blocks are done with the page. The same for all threads of the block. */
__device__ static bool
is_last (nn_candidate_count *count)
{
  __shared__ bool last;
  __syncthreads ();
  if (threadIdx.x == 0) {
    __threadfence ();
    last = atomicAdd (&count->blocks_done, 1) == (int) gridDim.x - 1;
    __threadfence ();
  }
  __syncthreads ();
  return last;
}

/* The page's number of candidates, or -1; clears the count. */
__device__ static int
take_count (const nn_head &head, nn_candidate_count *count)
{
  int n = atomicExch (&count->n, 0);
  bool fits = n <= NN_CANDIDATES_MOST;
  for (int l = 0; l < head.n_levels; l++)
    fits = atomicExch (&count->cells[l], 0) <= head.most_cells && fits;
  atomicExch (&count->blocks_done, 0);
  return fits ? n : -1;
}

template <typename T>
__device__ static void
copy_as (char *to, const char *from, int64_t bytes)
{
#pragma unroll 4
  for (int64_t i = threadIdx.x; i < bytes / (int64_t) sizeof (T); i += THREADS)
    ((T *) to)[i] = ((const T *) from)[i];
}

__device__ static void
copy_outputs (const nn_candidates_job &job, int page)
{
  for (int i = 0; i < job.n_outputs; i++) {
    const nn_output_copy &o = job.outputs[i];
    char *to = (char *) o.to + page * o.page_bytes;
    const char *from = (const char *) o.from + page * o.page_bytes;
    if (((uintptr_t) to | (uintptr_t) from | (uintptr_t) o.page_bytes) % sizeof (float4) == 0)
      copy_as<float4> (to, from, o.page_bytes);
    else
      copy_as<float> (to, from, o.page_bytes);
  }
}

template <nn_head_kind KIND>
__global__ static void __launch_bounds__ (THREADS)
find_candidates (const __grid_constant__ nn_candidates_job job)
{
  __shared__ int found;
  const float threshold = *job.threshold;
  for (int page = blockIdx.y; page < job.head.pages; page += gridDim.y) {
    int cell = blockIdx.x * THREADS + threadIdx.x, level = 0;
    while (level < job.head.n_levels && cell >= job.head.levels[level].cells)
      cell -= job.head.levels[level++].cells;
    if (level < job.head.n_levels)
      look_at<KIND> (job, page, level, cell, threshold);
    if (!is_last (&job.counts[page]))
      continue;
    if (threadIdx.x == 0)
      job.found[page] = found = take_count (job.head, &job.counts[page]);
    __syncthreads ();
    if (found < 0)
      copy_outputs (job, page);
  }
}

void
nn_cuda_launch_candidates (const nn_candidates_job *job, cudaStream_t stream)
{
  int cells = 0;
  for (int l = 0; l < job->head.n_levels; l++)
    cells += job->head.levels[l].cells;
  dim3 grid ((cells + THREADS - 1) / THREADS, job->head.pages < 65535 ? job->head.pages : 65535);
  if (job->head.kind == NN_HEAD_YOLOV8)
    find_candidates<NN_HEAD_YOLOV8><<<grid, THREADS, 0, stream>>> (*job);
  else
    find_candidates<NN_HEAD_PICODET><<<grid, THREADS, 0, stream>>> (*job);
}
