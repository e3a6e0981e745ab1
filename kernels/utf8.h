/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text as files and messages hold it. */
#pragma once

#include <stddef.h>

/* Bytes of the UTF-8 sequence at `text`, of which `n` ≥ 1 bytes are there; 0 if there is none. Forms that
 * are too long, surrogates and what lies beyond Unicode are none (RFC 3629). */
size_t nn_utf8_length (const char *text, size_t n);
