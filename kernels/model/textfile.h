/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small text files that a user writes. */
#pragma once

#include <stddef.h>

#include "../status.h"

/* The whole file but for a byte order mark, which editors on Windows put first, NUL-terminated; the
 * caller frees it. NULL with `path` named in the message if it
 * cannot be read, is larger than `most` bytes, or is no text: not UTF-8, or with a NUL in it. */
char *nn_textfile_read (const char *path, size_t most, nn_error *err);
