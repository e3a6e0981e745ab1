/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t) 64 << 10)
#define CHUNK_ALIGN ((size_t) 64)

typedef struct chunk {
  struct chunk *next;
  size_t used, size; /* of what follows the header */
} chunk;

struct nn_pool {
  chunk *chunks; /* the first is the one that small pieces come from */
};

/* The header is padded so that what follows it is aligned. */
static char *
chunk_data (chunk *c)
{
  return (char *) c + CHUNK_ALIGN;
}

static chunk *
chunk_new (size_t size)
{
  _Static_assert(sizeof (chunk) <= CHUNK_ALIGN, "the header fits its place");
  if (size > SIZE_MAX / 2)
    return NULL;
  size_t total = (CHUNK_ALIGN + size + CHUNK_ALIGN - 1) & ~(CHUNK_ALIGN - 1);
  chunk *c = aligned_alloc (CHUNK_ALIGN, total);
  if (c == NULL)
    return NULL;
  memset (c, 0, total);
  c->size = total - CHUNK_ALIGN;
  return c;
}

nn_pool *
nn_pool_new (void)
{
  return calloc (1, sizeof (nn_pool));
}

void
nn_pool_free (nn_pool *pool)
{
  if (pool == NULL)
    return;
  for (chunk *c = pool->chunks, *next; c != NULL; c = next) {
    next = c->next;
    free (c);
  }
  free (pool);
}

static void *
alloc_own_chunk (nn_pool *pool, size_t bytes)
{
  chunk *c = chunk_new (bytes);
  if (c == NULL)
    return NULL;
  c->used = c->size;
  if (pool->chunks != NULL) {
    c->next = pool->chunks->next;
    pool->chunks->next = c;
  } else {
    pool->chunks = c;
  }
  return chunk_data (c);
}

void *
nn_pool_alloc (nn_pool *pool, size_t bytes, size_t align)
{
  if (bytes >= CHUNK_BYTES / 4)
    return alloc_own_chunk (pool, bytes);
  chunk *c = pool->chunks;
  size_t at = c != NULL ? (c->used + align - 1) & ~(align - 1) : 0;
  if (c == NULL || at > c->size || bytes > c->size - at) {
    c = chunk_new (CHUNK_BYTES);
    if (c == NULL)
      return NULL;
    c->next = pool->chunks;
    pool->chunks = c;
    at = 0;
  }
  c->used = at + bytes;
  return chunk_data (c) + at;
}
