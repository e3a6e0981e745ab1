/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DeformableAttention (graph/fuse-deformable.c says what it is): for each query and head, the weighted sum
 * of a few places of some feature maps, each interpolated between the four pixels around it (Zhu et al.,
 * "Deformable DETR", 2021, section 4.1). Pixels outside a map are zeros.
 */
#include "cpu.h"
#include "parallel.h"
#include "simd.h"

#include "../graph/shape.h"

#include <math.h>

typedef struct deformable {
  const nn_call *call;
  const nn_simd_math *simd;
  const int64_t *heights, *widths, *points; /* a level */
  const float *scales;                      /* a point; NULL: positions are given */
  int64_t levels, heads, size, queries, all_points;
  bool softmax;
  char *scratch;
  size_t scratch_step; /* bytes a thread */
} deformable;

/* One thread's: the pixels that a head's points lie between. */
typedef struct corners {
  const float **row;
  float *weight, *share; /* of each corner; of each point */
  int64_t n;
} corners;

static deformable
describe (const nn_call *call)
{
  const nn_node *node = call->node;
  const nn_attr *points = nn_node_attr (node, "points"), *scales = nn_node_attr (node, "scales");
  const nn_tensor *value = &call->in[0], *weights = &call->in[2];
  deformable d = { .call = call,
                   .simd = nn_simd_math_kernels (),
                   .levels = (int64_t)points->n,
                   .heights = nn_node_attr (node, "heights")->ints,
                   .widths = nn_node_attr (node, "widths")->ints,
                   .points = points->ints,
                   .scales = scales != NULL ? scales->floats : NULL,
                   .heads = nn_node_int (node, "heads", 1),
                   .queries = weights->dim[1],
                   .all_points = weights->dim[3],
                   .softmax = nn_node_int (node, "softmax", 0) != 0,
                   .scratch = call->scratch };
  d.size = value->dim[2] / d.heads;
  size_t each = 4 * (sizeof (float *) + sizeof (float)) + sizeof (float);
  d.scratch_step = ((size_t)d.all_points * each + 63) / 64 * 64;
  return d;
}

static size_t
scratch_bytes (const nn_call *call)
{
  deformable d = describe (call);
  return d.scratch_step * (size_t)nn_cpu_threads ();
}

static void
add_corner (const deformable *d, const float *map, int64_t height, int64_t width, int64_t row, int64_t col,
            float weight, corners *c)
{
  if (row < 0 || row >= height || col < 0 || col >= width)
    return;
  c->row[c->n] = map + (row * width + col) * d->call->in[0].stride[1];
  c->weight[c->n++] = weight;
}

/* The four pixels around (x, y), in pixels of the map from the first one's centre. */
static void
add_point (const deformable *d, const float *map, int64_t height, int64_t width, float x, float y,
           float share, corners *c)
{
  if (!(x > -1 && x < (float)width && y > -1 && y < (float)height)) /* NaN lies nowhere */
    return;
  float left = floorf (x), top = floorf (y), right = x - left, below = y - top;
  int64_t col = (int64_t)left, row = (int64_t)top;
  add_corner (d, map, height, width, row, col, share * (1 - right) * (1 - below), c);
  add_corner (d, map, height, width, row, col + 1, share * right * (1 - below), c);
  add_corner (d, map, height, width, row + 1, col, share * (1 - right) * below, c);
  add_corner (d, map, height, width, row + 1, col + 1, share * right * below, c);
}

/* How much each point counts, which sums up to 1 if that is for us to see to. */
static void
find_shares (const deformable *d, const float *weights, float *share)
{
  int64_t n = d->all_points;
  float factor = 1;
  if (!d->softmax) {
    for (int64_t i = 0; i < n; i++)
      share[i] = weights[i];
    return;
  }
  factor = 1 / d->simd->exp_sum (n, d->simd->largest (n, weights), weights, share);
  for (int64_t i = 0; i < n; i++)
    share[i] *= factor;
}

/* Where point `point` lies, 0 … 1 over the map. */
static void
locate (const deformable *d, const float *offset, const float *box, int64_t point, float *x, float *y)
{
  if (box == NULL) {
    *x = (offset[0] + 1) * 0.5f;
    *y = (offset[1] + 1) * 0.5f;
  } else {
    *x = box[0] + offset[0] * box[2] * d->scales[point];
    *y = box[1] + offset[1] * box[3] * d->scales[point];
  }
}

static void
run_head (const deformable *d, int64_t query, int64_t head, corners *c)
{
  const nn_tensor *in = d->call->in;
  int64_t first = (query * d->heads + head) * d->all_points, point = 0;
  const float *offsets = (const float *)in[1].data + 2 * first;
  const float *box = d->scales != NULL ? (const float *)in[3].data + 4 * query : NULL;
  const float *map = (const float *)in[0].data + query / d->queries * in[0].stride[0] + head * d->size;
  float *y = (float *)d->call->out[0].data + (query * d->heads + head) * d->size;
  find_shares (d, (const float *)in[2].data + first, c->share);
  c->n = 0;
  for (int64_t level = 0; level < d->levels; level++) {
    int64_t height = d->heights[level], width = d->widths[level];
    for (int64_t i = 0; i < d->points[level]; i++, point++) {
      float across, down;
      locate (d, offsets + 2 * point, box, point, &across, &down);
      add_point (d, map, height, width, across * (float)width - 0.5f, down * (float)height - 0.5f,
                 c->share[point], c);
    }
    map += height * width * in[0].stride[1];
  }
  d->simd->weighted_sum (d->size, c->n, c->row, c->weight, y);
}

static void
run_queries (const void *arg, int64_t begin, int64_t end, int thread)
{
  const deformable *d = arg;
  char *room = d->scratch + (size_t)thread * d->scratch_step;
  corners c = { .row = (const float **)room };
  c.weight = (float *)(room + 4 * (size_t)d->all_points * sizeof *c.row);
  c.share = c.weight + 4 * d->all_points;
  for (int64_t query = begin; query < end; query++)
    for (int64_t head = 0; head < d->heads; head++)
      run_head (d, query, head, &c);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  deformable d = describe (call);
  int64_t each = d.heads * d.all_points * (4 * d.size + 32); /* 32: finding the place */
  nn_cpu_share (call->in[0].dim[0] * d.queries, nn_cpu_least (each), run_queries, &d);
  return NN_OK;
}

const nn_kernel nn_cpu_deformable_attention = {
  .prepare = nn_cpu_need_floats,
  .scratch_bytes = scratch_bytes,
  .run = run,
};
