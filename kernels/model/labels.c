/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "labels.h"

#include <stdlib.h>
#include <string.h>

#include "textfile.h"

/* A label file is a few hundred bytes; anything larger is another file named by mistake. */
#define MAX_BYTES (1 << 20)

int
nn_labels_count (char *const *labels)
{
  int n = 0;
  while (labels[n])
    n++;
  return n;
}

void
nn_labels_free (char **labels)
{
  if (!labels)
    return;
  for (char **label = labels; *label; label++)
    free (*label);
  free (labels);
}

/* The parts of `text` between separators, without a carriage return at the end of each. */
static bool
split (const char *text, const char *separator, char **labels)
{
  const size_t skip = strlen (separator);
  for (int n = 0;; n++) {
    const char *end = strstr (text, separator);
    size_t length = end ? (size_t) (end - text) : strlen (text);
    labels[n] = strndup (text, length > 0 && text[length - 1] == '\r' ? length - 1 : length);
    if (!labels[n])
      return false;
    if (!end)
      return true;
    text = end + skip;
  }
}

char **
nn_labels_split (const char *text, const char *separator, nn_error *err)
{
  size_t n = 1;
  for (const char *at = strstr (text, separator); at; at = strstr (at + strlen (separator), separator))
    n++;
  char **labels = calloc (n + 1, sizeof *labels);
  if (!labels || !split (text, separator, labels)) {
    nn_labels_free (labels);
    nn_fail (err, NN_ERR_MEMORY, "out of memory for %zu labels", n);
    return NULL;
  }
  while (n > 0 && !*labels[n - 1]) {
    free (labels[--n]);
    labels[n] = NULL;
  }
  if (n == 0) {
    nn_labels_free (labels);
    nn_fail (err, NN_ERR_FORMAT, "there are no labels");
    return NULL;
  }
  return labels;
}

char **
nn_labels_read (const char *path, nn_error *err)
{
  char *text = nn_textfile_read (path, MAX_BYTES, err);
  if (!text) {
    nn_fail_in (err, "labels file");
    return NULL;
  }
  char **labels = nn_labels_split (text, "\n", err);
  free (text);
  if (!labels)
    nn_fail_in (err, "labels file %s", path);
  return labels;
}
