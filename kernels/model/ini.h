/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads files of the form that GLib's GKeyFile has:
 *
 *   # a comment
 *   [group]
 *   key = value
 *
 * Space around a key and a value is no part of them. In a value \s \n \t \r and \\ stand for what they
 * do in GKeyFile. Stricter than that: a key may stand in a group once only.
 */
#pragma once

#include <stddef.h>

#include "../status.h"

#define NN_INI_MAX_BYTES ((size_t) 1 << 20)
#define NN_INI_MAX_ENTRIES 4096

typedef struct nn_ini_entry {
  const char *group, *key, *value; /* UTF-8 */
  int line;                        /* from 1 */
} nn_ini_entry;

typedef struct nn_ini {
  char *text; /* what the entries point into */
  nn_ini_entry *entries;
  size_t n;
} nn_ini;

/* Reads the file; free with nn_ini_clear(), after a failure too. A message says FILE:LINE. */
nn_status nn_ini_read (nn_ini *ini, const char *path, nn_error *err);
void nn_ini_clear (nn_ini *ini);
