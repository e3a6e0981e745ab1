/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one kind of Python literal that files hold: a dict from 0, 1, 2 … to strings, or a list. */
#include "labels.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LABELS 10000

typedef struct parser {
  const char *at;
  char **labels;
  int n;
} parser;

/* Space, then `expected` if it stands there. */
static bool
skip (parser *p, char expected)
{
  p->at += strspn (p->at, " \n\t");
  if (*p->at != expected)
    return false;
  p->at++;
  return true;
}

/* "3:", where three labels came before. */
static bool
read_number (parser *p)
{
  char *end;
  long number = strtol (p->at, &end, 10);
  if (end == p->at || number != p->n)
    return false;
  p->at = end;
  return skip (p, ':');
}

/* A string in either quotes; a backslash stands before a quote or a backslash only. */
static char *
read_string (parser *p)
{
  char quote = skip (p, '\'') ? '\'' : skip (p, '"') ? '"' : '\0';
  char *text = quote ? malloc (strlen (p->at) + 1) : NULL;
  char *to = text;
  while (text && *p->at && *p->at != quote) {
    if (*p->at == '\\' && !(*++p->at && strchr ("'\"\\", *p->at)))
      break;
    *to++ = *p->at++;
  }
  if (text && *p->at == quote) {
    *to = '\0';
    p->at++;
    return text;
  }
  free (text);
  return NULL;
}

static bool
read_all (parser *p)
{
  bool dict = skip (p, '{');
  if (!dict && !skip (p, '['))
    return false;
  char close = dict ? '}' : ']';
  while (!skip (p, close)) {
    if (p->n == MAX_LABELS || (p->n > 0 && !skip (p, ',')))
      return false;
    if (p->n > 0 && skip (p, close)) /* a comma may stand behind the last */
      break;
    if ((dict && !read_number (p)) || !(p->labels[p->n] = read_string (p)))
      return false;
    p->n++;
  }
  return p->n > 0 && p->at[strspn (p->at, " \n\t")] == '\0';
}

char **
nn_labels_from_python (const char *text, nn_error *err)
{
  parser p = { .at = text, .labels = calloc (MAX_LABELS + 1, sizeof *p.labels) };
  if (!p.labels) {
    nn_fail (err, NN_ERR_MEMORY, "out of memory for labels");
    return NULL;
  }
  if (read_all (&p))
    return p.labels;
  nn_labels_free (p.labels);
  nn_fail (err, NN_ERR_FORMAT, "\"%.60s\" is not a Python dict from 0, 1, … to labels (at \"%.20s\")", text,
           p.at);
  return NULL;
}
