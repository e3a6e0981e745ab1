/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is freed all at once. */
#pragma once

#include <stddef.h>

typedef struct nn_pool nn_pool;

nn_pool *nn_pool_new (void); /* NULL if there is no memory */
void nn_pool_free (nn_pool *pool); /* NULL is fine */

/* Zeroed; `align` is a power of two up to 64. NULL if there is no memory. */
void *nn_pool_alloc (nn_pool *pool, size_t bytes, size_t align);
