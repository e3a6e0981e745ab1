/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of labels: NULL-terminated arrays that nn_labels_free() frees. */
#pragma once

#include "../nn.h"

/* One label a line, UTF-8; empty lines at the end are dropped. NULL on failure. */
char **nn_labels_read (const char *path, nn_error *err);
char **nn_labels_split (const char *text, const char *separator, nn_error *err);
/* From a Python literal, {0: 'text', 1: 'title'} or ['text', 'title'], as Ultralytics writes it. */
char **nn_labels_from_python (const char *text, nn_error *err);
/* Those of the published layout models that have `n` classes: 17 (docling's heron) and 25
 * (PP-DocLayoutV2 and V3); NULL without an error where none are known. */
char **nn_labels_known (int n, nn_error *err);
int nn_labels_count (char *const *labels);
void nn_labels_free (char **labels); /* NULL is fine */
