/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "textfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../utf8.h"

/* The line of the first byte that is no text; 0 if all is. */
static int
find_no_text (const char *text, size_t n)
{
  int line = 1;
  for (size_t i = 0, length; i < n; i += length) {
    length = nn_utf8_length (text + i, n - i);
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
    size_t skip = n >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    memmove (text, text + skip, n - skip);
    text[n - skip] = '\0';
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
