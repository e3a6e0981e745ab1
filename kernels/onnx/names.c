/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sorted array: unlike a hash table it has no worst case that a file could aim for. */
#include "onnx.h"

#include <stdlib.h>
#include <string.h>

nn_status
nn_onnx_names_add (nn_onnx_names *names, const char *name, int64_t order, nn_value *value, nn_error *err)
{
  if (names->n == names->capacity) {
    size_t capacity = names->capacity > 0 ? 2 * names->capacity : 256;
    nn_onnx_name *grown = realloc (names->entries, capacity * sizeof *grown);
    if (grown == NULL)
      return nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu names", capacity);
    names->entries = grown;
    names->capacity = capacity;
  }
  names->entries[names->n++] = (nn_onnx_name){ .name = name, .order = order, .value = value };
  return NN_OK;
}

static int
compare (const void *a, const void *b)
{
  return strcmp (((const nn_onnx_name *) a)->name, ((const nn_onnx_name *) b)->name);
}

nn_status
nn_onnx_names_sort (nn_onnx_names *names, nn_error *err)
{
  if (names->n > 0)
    qsort (names->entries, names->n, sizeof names->entries[0], compare);
  for (size_t i = 1; i < names->n; i++)
    if (strcmp (names->entries[i - 1].name, names->entries[i].name) == 0)
      return nn_fail (err, NN_ERR_FORMAT, "two values are named '%s'", names->entries[i].name);
  return NN_OK;
}

nn_onnx_name *
nn_onnx_names_find (const nn_onnx_names *names, const char *name)
{
  nn_onnx_name key = { .name = name };
  return names->n > 0 ? bsearch (&key, names->entries, names->n, sizeof key, compare) : NULL;
}

void
nn_onnx_names_clear (nn_onnx_names *names)
{
  free (names->entries);
  *names = (nn_onnx_names){ 0 };
}
