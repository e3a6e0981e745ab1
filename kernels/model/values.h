/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values that users write, read the same way in every locale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Each is false where the text is not wholly such a value, which is finite. */
bool nn_value_number (const char *text, double *number);
/* `n` numbers, with commas between them. */
bool nn_value_numbers (const char *text, double *numbers, size_t n);
/* The index of `text` in the NULL-terminated `choices`, or -1. */
int nn_value_choice (const char *text, const char *const *choices);
