/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv-way.h"
#include "tuning.h"

#include "../graph/shape.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { X, W, BIAS, RESIDUAL };

/* The last takes what no other does. */
static const nn_cuda_conv_way *const ways[]
    = { &nn_cuda_conv_depthwise, &nn_cuda_conv_few, &nn_cuda_conv_cudnn, &nn_cuda_conv_graph, &nn_cuda_conv_product,
        &nn_cuda_conv_implicit, &nn_cuda_conv_any };

enum { WAYS = sizeof ways / sizeof ways[0] };

/* A way's variant, ready to run. */
typedef struct made {
  const nn_cuda_conv_way *way; /* NULL: nothing */
  void *source, *state;
  int variant;
} made;

enum { KEY_BYTES = 640 }; /* room for the longest numbers everywhere: two problems never have one key */

/* One that nodes of the same problem share: asking cuDNN for its engines takes longer than all else of a node. */
typedef struct shared {
  char key[KEY_BYTES];
  int device, users;
  made made;
  struct shared *next;
} shared;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the list and the users' counts */
static shared *all_shared;

/* A prepared node. */
typedef struct conv {
  nn_cuda_conv_node node;
  made made;
  shared *shared; /* whose `made` is a copy of; NULL: it is the node's own */
  const void *forms[NN_CUDA_CONV_FORMS]; /* of the store; what the bits of nn_cuda_conv_way.needs stand for */
} conv;

/* ---- constants ---- */

/* Takes those of the needed forms that are not there yet. */
static nn_status
take_forms (const nn_cuda *cuda, conv *c, unsigned needs, nn_error *err)
{
  for (int i = 0; i < NN_CUDA_CONV_FORMS; i++)
    if ((needs >> i & 1) != 0 && c->forms[i] == NULL
        && nn_cuda_conv_take (cuda, &c->node, 1u << i, &c->forms[i], err) != NN_OK)
      return err->status;
  return NN_OK;
}

static void
drop_forms (conv *c, unsigned needs)
{
  for (int i = 0; i < NN_CUDA_CONV_FORMS; i++)
    if ((needs >> i & 1) == 0 && c->forms[i] != NULL) {
      nn_cuda_store_give_back (c->forms[i]);
      c->forms[i] = NULL;
    }
}

/* ---- making a way's variant ready, and running it ---- */

static void
unmake_state (made *m)
{
  if (m->state != NULL)
    m->way->release (m->state);
  m->state = NULL;
}

static void
unmake (made *m)
{
  if (m->way == NULL)
    return;
  unmake_state (m);
  if (m->source != NULL)
    m->way->close (m->source);
  *m = (made){ 0 };
}

static nn_status
make_state (const nn_cuda *cuda, conv *c, made *m, nn_error *err)
{
  nn_status status = take_forms (cuda, c, m->way->needs, err);
  if (status == NN_OK && m->way->prepare != NULL)
    status = m->way->prepare (cuda, &c->node, m->source, m->variant, &m->state, err);
  if (status != NN_OK)
    cudaGetLastError (); /* so that the next launch is not blamed */
  return status;
}

static size_t
scratch_of (const made *m)
{
  return m->way->scratch_bytes != NULL ? m->way->scratch_bytes (m->state) : 0;
}

static nn_status
run_made (const nn_cuda *cuda, const conv *c, const made *m, nn_cuda_conv_data data, void *scratch, nn_error *err)
{
  for (int i = 0; i < NN_CUDA_CONV_FORMS; i++)
    if ((m->way->needs >> i & 1) != 0 && c->forms[i] != NULL)
      *(1u << i < NN_CUDA_CONV_BIAS ? &data.w : &data.bias) = c->forms[i];
  return m->way->run (cuda, &c->node, m->variant, m->state, &data, scratch, err);
}

/* ---- choosing ---- */

/* What another node of the same problem has. */
static bool
find_shared (const nn_cuda *cuda, conv *c, const char *key)
{
  nn_error ignored;
  pthread_mutex_lock (&mutex);
  shared *s = all_shared;
  while (s != NULL && (s->device != cuda->index || strcmp (s->key, key) != 0))
    s = s->next;
  if (s != NULL && take_forms (cuda, c, s->made.way->needs, &ignored) == NN_OK) {
    s->users++;
    c->shared = s;
    c->made = s->made;
  }
  pthread_mutex_unlock (&mutex);
  return c->shared != NULL;
}

/* From now on the node's own is for all. Without memory it stays its own. */
static void
share (const nn_cuda *cuda, conv *c, const char *key)
{
  shared *s = c->shared == NULL && c->made.way->knows_no_weights ? calloc (1, sizeof *s) : NULL;
  if (s == NULL)
    return;
  snprintf (s->key, sizeof s->key, "%s", key);
  s->device = cuda->index;
  s->users = 1;
  s->made = c->made;
  c->shared = s;
  pthread_mutex_lock (&mutex);
  s->next = all_shared;
  all_shared = s;
  pthread_mutex_unlock (&mutex);
}

static void
leave_shared (conv *c)
{
  pthread_mutex_lock (&mutex);
  shared **at = &all_shared;
  while (*at != c->shared)
    at = &(*at)->next;
  if (--c->shared->users == 0) {
    *at = c->shared->next;
    unmake (&c->shared->made);
    free (c->shared);
  }
  pthread_mutex_unlock (&mutex);
  c->shared = NULL;
}

/* Everything that a time depends on. */
static void
name_problem (const nn_cuda *cuda, const nn_cuda_conv_node *node, char *key, size_t size)
{
  const nn_cuda_conv_shape *s = &node->shape;
  int n = snprintf (
      key, size,
      "conv %s%s n%" PRId64 " c%" PRId64 "x%" PRId64 "x%" PRId64 " k%" PRId64 "x%" PRId64 "x%" PRId64
      " filter %" PRId64 "x%" PRId64 " stride %" PRId64 "x%" PRId64 " dilation %" PRId64 "x%" PRId64
      " pad %" PRId64 ",%" PRId64 " groups %" PRId64 " activation %d%s align %d choice %d",
      nn_dtype_name (node->dtype), node->dtype == NN_F32 && cuda->tf32 ? " tf32" : "", s->batch, s->in_channels,
      s->in_height, s->in_width, s->out_channels, s->out_height, s->out_width, s->kh, s->kw, s->stride_h,
      s->stride_w, s->dilation_h, s->dilation_w, s->pad_top, s->pad_left, s->groups,
      (int) node->activation.kind, node->has_residual ? " residual" : "",
      node->alignment < 16 ? node->alignment : 16, (int) cuda->choice);
  if (nn_cuda_conv_has_gaps (node) && n > 0 && (size_t) n < size)
    snprintf (key + n, size - (size_t) n, " pitch %" PRId64 ",%" PRId64 ",%" PRId64, s->x_pitch, s->y_pitch,
              s->residual_pitch);
}

static bool
is_chosen (const nn_cuda *cuda, const nn_cuda_conv_way *way)
{
  return cuda->choice == NN_CUDA_CHOICE_BEST || way == &nn_cuda_conv_product /* it heeds the choice itself */
         || way->own == (cuda->choice == NN_CUDA_CHOICE_OWN);
}

/* What the tuning file says, if that can still be made. */
static bool
make_known (const nn_cuda *cuda, conv *c, const char *key)
{
  char choice[64], name[32];
  nn_error ignored;
  int variant;
  if (!nn_tuning_find (cuda->tuning, key, choice, sizeof choice)
      || sscanf (choice, "%31s %d", name, &variant) != 2 || variant < 0)
    return false;
  for (int i = 0; i < WAYS; i++) {
    if (strcmp (ways[i]->name, name) != 0)
      continue;
    made m = { .way = ways[i], .variant = variant };
    if (variant < m.way->open (cuda, &c->node, variant, &m.source) && make_state (cuda, c, &m, &ignored) == NN_OK) {
      c->made = m;
      return true;
    }
    unmake (&m);
  }
  return false;
}

/* What one variant is timed with. */
typedef struct trial {
  const nn_cuda *cuda;
  const conv *c;
  const made *made;
  nn_cuda_conv_data data;
  size_t y_bytes;
  unsigned long long *digest;
  void *memory, *scratch;
} trial;

static nn_status
run_trial (void *arg, nn_error *err)
{
  const trial *t = arg;
  return run_made (t->cuda, t->c, t->made, t->data, t->scratch, err);
}

/* x, residual, y, a digest and scratch in one piece, with numbers in the first three: an activation of our own is timed
 * in place on a y that cuDNN wrote, and initcheck does not see all that cuDNN writes. */
static nn_status
start_trial (trial *t, nn_error *err)
{
  const nn_cuda_conv_shape *s = &t->c->node.shape;
  const nn_dtype dtype = t->c->node.dtype;
  int64_t x = (nn_cuda_conv_x_extent (s) + 63) / 64 * 64, y = (nn_cuda_conv_y_extent (s) + 63) / 64 * 64;
  int64_t residual = (nn_cuda_conv_residual_extent (&t->c->node) + 63) / 64 * 64;
  size_t size = nn_dtype_size (dtype);
  const size_t digest_bytes = 256; /* what follows stays aligned */
  if (nn_cuda_alloc (t->cuda, (size_t) (x + residual + y) * size + digest_bytes + NN_CUDA_CONV_MAX_SCRATCH, &t->memory,
                     err)
      != NN_OK)
    return err->status;
  char *at = t->memory;
  nn_cuda_launch_conv_noise (at, x + residual + y, dtype, t->cuda->stream);
  t->data = (nn_cuda_conv_data){ .x = at, .residual = residual > 0 ? at + (size_t) x * size : NULL,
                                 .y = at + (size_t) (x + residual) * size };
  t->y_bytes = (size_t) y * size;
  t->digest = (unsigned long long *) (at + (size_t) (x + residual + y) * size);
  t->scratch = (char *) t->digest + digest_bytes;
  return nn_cuda_launched ("conv-noise", err);
}

/* The digest of what a run makes of a y that is filled with this byte. */
static nn_status
digest_run (trial *t, int fill, unsigned long long *digest, nn_error *err)
{
  const nn_cuda_conv_node *node = &t->c->node;
  const nn_cuda_conv_shape *s = &node->shape;
  cudaStream_t stream = t->cuda->stream;
  nn_status status;
  if ((status = NN_CUDA (cudaMemsetAsync (t->data.y, fill, t->y_bytes, stream), err)) != NN_OK
      || (status = NN_CUDA (cudaMemsetAsync (t->digest, 0, sizeof *t->digest, stream), err)) != NN_OK
      || (status = run_trial (t, err)) != NN_OK)
    return status;
  nn_cuda_launch_conv_digest (t->data.y, s->batch * s->out_height * s->out_width, s->out_channels, s->y_pitch,
                              node->dtype, t->digest, stream);
  if ((status = nn_cuda_launched ("conv-digest", err)) != NN_OK
      || (status = NN_CUDA (cudaMemcpyAsync (digest, t->digest, sizeof *digest, cudaMemcpyDefault, stream), err))
             != NN_OK)
    return status;
  return NN_CUDA (cudaStreamSynchronize (stream), err);
}

/* Whether what lay in y before, a NaN or infinity of another tensor, does not matter: to some engines y is also the
 * residual that they multiply by 0. */
static bool
overwrites (trial *t)
{
  unsigned long long zeros = 0, nans = 0;
  nn_error ignored;
  return digest_run (t, 0, &zeros, &ignored) == NN_OK && digest_run (t, 0xFF, &nans, &ignored) == NN_OK
         && zeros == nans;
}

/* Times all variants of a way; the fastest so far stays in c->made. */
static void
try_way (trial *t, conv *c, const nn_cuda_conv_way *way, float *best)
{
  made m = { .way = way };
  nn_error ignored;
  int n = way->open (t->cuda, &c->node, -1, &m.source), fastest = -1;
  float ms;
  for (m.variant = 0; m.variant < n; m.variant++) {
    t->made = &m;
    if (make_state (t->cuda, c, &m, &ignored) == NN_OK && scratch_of (&m) <= NN_CUDA_CONV_MAX_SCRATCH
        && nn_tuning_time (t->cuda, run_trial, t, *best, &ms, &ignored) == NN_OK && ms < *best
        && overwrites (t)) {
      *best = ms;
      fastest = m.variant;
    }
    unmake_state (&m);
  }
  m.variant = fastest;
  if (fastest >= 0 && make_state (t->cuda, c, &m, &ignored) == NN_OK) {
    unmake (&c->made);
    c->made = m;
  } else {
    unmake (&m);
  }
}

/* Leaves c->made alone where nothing can be timed, or nothing runs. The last way is not for competing. */
static void
make_fastest (const nn_cuda *cuda, conv *c, const char *key)
{
  trial t = { .cuda = cuda, .c = c };
  nn_error ignored;
  float best = 1e30f;
  if (start_trial (&t, &ignored) == NN_OK)
    for (int i = 0; i < WAYS - 1; i++)
      if (is_chosen (cuda, ways[i]))
        try_way (&t, c, ways[i], &best);
  cudaStreamSynchronize (cuda->stream);
  cudaFree (t.memory);
  cudaGetLastError ();
  if (c->made.way != NULL) {
    char choice[64];
    snprintf (choice, sizeof choice, "%s %d", c->made.way->name, c->made.variant);
    nn_tuning_keep (cuda->tuning, key, choice);
  }
}

/* Without timing: the first of our own. */
static nn_status
make_first (const nn_cuda *cuda, conv *c, nn_error *err)
{
  nn_error last; /* of the way that takes everything */
  for (int i = 0; i < WAYS; i++) {
    made m = { .way = ways[i] };
    int n = ways[i]->own ? ways[i]->open (cuda, &c->node, -1, &m.source) : 0;
    for (m.variant = 0; m.variant < n; m.variant++)
      if (make_state (cuda, c, &m, &last) == NN_OK) {
        c->made = m;
        return NN_OK;
      }
    unmake (&m);
  }
  *err = last;
  return err->status;
}

static nn_status
choose (const nn_cuda *cuda, conv *c, nn_error *err)
{
  char key[KEY_BYTES];
  name_problem (cuda, &c->node, key, sizeof key);
  if (c->node.is_constant && c->node.has_pixels && c->node.shape.batch > 0 && c->node.shape.in_channels > 0
      && !find_shared (cuda, c, key) && !make_known (cuda, c, key))
    make_fastest (cuda, c, key);
  nn_status status = c->made.way == NULL ? make_first (cuda, c, err) : NN_OK;
  if (status == NN_OK)
    share (cuda, c, key);
  if (status == NN_OK)
    drop_forms (c, c->made.way->needs);
  return status;
}

/* ---- what a plan calls ---- */

static void
release (void *prepared)
{
  conv *c = prepared;
  if (c->shared != NULL)
    leave_shared (c);
  else
    unmake (&c->made);
  drop_forms (c, 0);
  free (c);
}

static nn_status
prepare (nn_call *call, nn_error *err)
{
  conv *c = calloc (1, sizeof *c);
  if (c == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory");
  if (nn_cuda_conv_fill (call, &c->node, err) != NN_OK || choose (nn_cuda_of (call), c, err) != NN_OK) {
    release (c);
    return err->status;
  }
  call->packed = (c->node.w != NULL ? 1u << W : 0) | (c->node.bias != NULL ? 1u << BIAS : 0);
  c->node.w = c->node.bias = NULL; /* they may go now */
  call->shared = c;
  return NN_OK;
}

static size_t
scratch_bytes (const nn_call *call)
{
  return scratch_of (&((const conv *) call->shared)->made);
}

static nn_status
run (const nn_call *call, nn_error *err)
{
  const conv *c = call->shared;
  const nn_cuda_conv_data data = { .x = call->in[X].data, .w = call->in[W].data,
                                   .bias = nn_node_has (call->node, BIAS) ? call->in[BIAS].data : NULL,
                                   .residual = c->node.has_residual ? call->in[RESIDUAL].data : NULL,
                                   .y = call->out[0].data };
  return run_made (nn_cuda_of (call), c, &c->made, data, call->scratch, err);
}

const nn_kernel nn_cuda_conv = {
  .prepare = prepare,
  .scratch_bytes = scratch_bytes,
  .run = run,
  .release = release,
};
