/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "weights.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct mapping {
  char *data;
  size_t bytes;
  int holders;
} mapping;

struct nn_weights {
  mapping *mappings; /* by address */
  size_t n, capacity, bytes;
};

nn_weights *
nn_weights_new (void)
{
  return calloc (1, sizeof (nn_weights));
}

void
nn_weights_free (nn_weights *weights)
{
  if (weights == NULL)
    return;
  for (size_t i = 0; i < weights->n; i++)
    munmap (weights->mappings[i].data, weights->mappings[i].bytes);
  free (weights->mappings);
  free (weights);
}

/* How many mappings begin at or before `data`. */
static size_t
count_before (const nn_weights *weights, const void *data)
{
  size_t low = 0, high = weights->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if ((uintptr_t)weights->mappings[middle].data <= (uintptr_t)data)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static mapping *
find (const nn_weights *weights, const void *data)
{
  size_t n = count_before (weights, data);
  if (n == 0)
    return NULL;
  mapping *m = &weights->mappings[n - 1];
  return (uintptr_t)data - (uintptr_t)m->data < m->bytes ? m : NULL;
}

static int
reserve (nn_weights *weights)
{
  if (weights->n < weights->capacity)
    return 1;
  size_t capacity = weights->capacity > 0 ? 2 * weights->capacity : 64;
  mapping *grown = realloc (weights->mappings, capacity * sizeof *grown);
  if (grown == NULL)
    return 0;
  weights->mappings = grown;
  weights->capacity = capacity;
  return 1;
}

/* malloc() would keep freed blocks below its growing threshold in the heap. */
void *
nn_weights_alloc (nn_weights *weights, size_t bytes)
{
  if (bytes == 0 || !reserve (weights))
    return NULL;
  char *data = mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED)
    return NULL;
  size_t at = count_before (weights, data);
  memmove (weights->mappings + at + 1, weights->mappings + at,
           (weights->n - at) * sizeof weights->mappings[0]);
  weights->mappings[at] = (mapping){ .data = data, .bytes = bytes };
  weights->n++;
  weights->bytes += bytes;
  return data;
}

void
nn_weights_hold (nn_weights *weights, const void *data)
{
  mapping *m = find (weights, data);
  if (m != NULL)
    m->holders++;
}

void
nn_weights_drop (nn_weights *weights, const void *data)
{
  mapping *m = find (weights, data);
  if (m == NULL || --m->holders > 0)
    return;
  munmap (m->data, m->bytes);
  weights->bytes -= m->bytes;
  weights->n--;
  memmove (m, m + 1, (weights->n - (size_t)(m - weights->mappings)) * sizeof *m);
}

size_t
nn_weights_bytes (const nn_weights *weights)
{
  return weights->bytes;
}
