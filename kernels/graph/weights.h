/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of large constants, each a mapping of its own, so that it goes back to the system as soon
 * as nobody reads it: a plan packs weights into copies of its own, and the two together would be
 * twice the model.
 */
#pragma once

#include <stddef.h>

typedef struct nn_weights nn_weights;

/* From this size on a constant's elements have a mapping of their own. */
#define NN_WEIGHTS_MIN_BYTES ((size_t) 64 << 10)

nn_weights *nn_weights_new (void); /* NULL if there is no memory */
void nn_weights_free (nn_weights *weights); /* NULL is fine */

/* Zeroed, aligned to 64 bytes; NULL if there is no memory. */
void *nn_weights_alloc (nn_weights *weights, size_t bytes);

/* One more, or one fewer, constant has its elements in the mapping that `data` points into; with the
 * last one it is unmapped. Nothing happens where `data` lies elsewhere. */
void nn_weights_hold (nn_weights *weights, const void *data);
void nn_weights_drop (nn_weights *weights, const void *data);

size_t nn_weights_bytes (const nn_weights *weights); /* mapped now */
