/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ini.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "textfile.h"

/* One file being read. */
typedef struct reader {
  nn_ini *ini;
  const char *path, *group; /* NULL before the first group */
  int line;
  size_t capacity;
} reader;

static char *
strip (char *text)
{
  static const char space[] = " \t\r";
  text += strspn (text, space);
  size_t n = strlen (text);
  while (n > 0 && strchr (space, text[n - 1]))
    n--;
  text[n] = '\0';
  return text;
}

/* Replaces escapes in place; false where there is another one. */
static bool
unescape (char *text)
{
  static const char letters[] = "sntr\\", stand_for[] = " \n\t\r\\";
  char *to = text;
  for (const char *from = text; *from; from++) {
    if (*from != '\\') {
      *to++ = *from;
      continue;
    }
    const char *letter = *++from ? strchr (letters, *from) : NULL;
    if (!letter)
      return false;
    *to++ = stand_for[letter - letters];
  }
  *to = '\0';
  return true;
}

static nn_status
read_group (reader *r, char *text, nn_error *err)
{
  char *end = strchr (text, ']');
  if (!end || end[1] || end == text + 1)
    return nn_fail (err, NN_ERR_FORMAT, "%s:%d: \"%.60s\" is no group: write [NAME]", r->path, r->line, text);
  *end = '\0';
  r->group = text + 1;
  return NN_OK;
}

static nn_status
check_new (const reader *r, const char *key, nn_error *err)
{
  for (size_t i = 0; i < r->ini->n; i++) {
    const nn_ini_entry *e = &r->ini->entries[i];
    if (!strcmp (e->group, r->group) && !strcmp (e->key, key))
      return nn_fail (err, NN_ERR_FORMAT, "%s:%d: key \"%.60s\" stands in line %d already", r->path, r->line,
                      key, e->line);
  }
  return NN_OK;
}

static nn_status
add_entry (reader *r, const nn_ini_entry *entry, nn_error *err)
{
  nn_ini *ini = r->ini;
  if (ini->n == NN_INI_MAX_ENTRIES)
    return nn_fail (err, NN_ERR_LIMIT, "%s:%d: more than %d keys", r->path, r->line, NN_INI_MAX_ENTRIES);
  if (ini->n == r->capacity) {
    r->capacity = r->capacity ? 2 * r->capacity : 32;
    nn_ini_entry *entries = realloc (ini->entries, r->capacity * sizeof *entries);
    if (!entries)
      return nn_fail (err, NN_ERR_MEMORY, "%s: out of memory", r->path);
    ini->entries = entries;
  }
  ini->entries[ini->n++] = *entry;
  return NN_OK;
}

static nn_status
read_entry (reader *r, char *text, nn_error *err)
{
  char *equals = strchr (text, '=');
  if (!equals || equals == text)
    return nn_fail (err, NN_ERR_FORMAT, "%s:%d: \"%.60s\" is neither [GROUP] nor KEY = VALUE nor a # comment",
                    r->path, r->line, text);
  if (!r->group)
    return nn_fail (err, NN_ERR_FORMAT, "%s:%d: a key before the first [GROUP]", r->path, r->line);
  *equals = '\0';
  char *key = strip (text), *value = strip (equals + 1);
  nn_status status = check_new (r, key, err);
  if (status)
    return status;
  if (!unescape (value))
    return nn_fail (
        err, NN_ERR_FORMAT,
        "%s:%d: key \"%.60s\": a backslash that is not \\s, \\n, \\t, \\r or \\\\ (write \\\\ for one)",
        r->path, r->line, key);
  return add_entry (r, &(nn_ini_entry) { r->group, key, value, r->line }, err);
}

nn_status
nn_ini_read (nn_ini *ini, const char *path, nn_error *err)
{
  *ini = (nn_ini) { .text = nn_textfile_read (path, NN_INI_MAX_BYTES, err) };
  if (!ini->text)
    return err->status;
  reader r = { .ini = ini, .path = path };
  nn_status status = NN_OK;
  for (char *line = ini->text, *next; line && !status; line = next) {
    next = strchr (line, '\n');
    if (next)
      *next++ = '\0';
    r.line++;
    line = strip (line);
    if (*line == '[')
      status = read_group (&r, line, err);
    else if (*line && *line != '#')
      status = read_entry (&r, line, err);
  }
  return status;
}

void
nn_ini_clear (nn_ini *ini)
{
  free (ini->text);
  free (ini->entries);
  *ini = (nn_ini) { 0 };
}
