/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "textfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 sequence at `text`, of which `n` bytes are there; 0 if there is none. Too long
 * forms, surrogates and what lies beyond Unicode are none. */
static size_t
sequence_length (const uint8_t *text, size_t n)
{
  static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
  if (text[0] < 0x80)
    return 1;
  size_t length = text[0] >= 0xf8 ? 0 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc0 ? 2 : 0;
  if (length == 0 || length > n)
    return 0;
  uint32_t code = text[0] & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((text[i] & 0xc0) != 0x80)
      return 0;
    code = code << 6 | (text[i] & 0x3f);
  }
  return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : length;
}

/* The line of the first byte that is no text; 0 if all is. */
static int
find_no_text (const char *text, size_t n)
{
  int line = 1;
  for (size_t i = 0, length; i < n; i += length) {
    length = sequence_length ((const uint8_t *) text + i, n - i);
    if (length == 0 || text[i] == '\0')
      return line;
    line += text[i] == '\n';
  }
  return 0;
}

static char *
read_stream (FILE *file, const char *path, size_t most, nn_error *err)
{
  char *text = malloc (most + 1);
  if (!text) {
    nn_fail (err, NN_ERR_MEMORY, "%s: out of memory", path);
    return NULL;
  }
  size_t n = fread (text, 1, most + 1, file);
  int line;
  if (ferror (file))
    nn_fail (err, NN_ERR_IO, "%s: cannot read: %s", path, strerror (errno));
  else if (n > most)
    nn_fail (err, NN_ERR_LIMIT, "%s: larger than %zu bytes", path, most);
  else if ((line = find_no_text (text, n)) != 0)
    nn_fail (err, NN_ERR_FORMAT, "%s:%d: not UTF-8 text", path, line);
  else {
    text[n] = '\0';
    return text;
  }
  free (text);
  return NULL;
}

char *
nn_textfile_read (const char *path, size_t most, nn_error *err)
{
  FILE *file = fopen (path, "rbe");
  if (!file) {
    nn_fail (err, NN_ERR_IO, "%s: cannot open: %s", path, strerror (errno));
    return NULL;
  }
  char *text = read_stream (file, path, most, err);
  fclose (file);
  return text;
}
