/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "values.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number at `*text`, which moves behind it and the space there. */
static bool
read_number (const char **text, double *number)
{
  locale_t c = newlocale (LC_ALL_MASK, "C", (locale_t) 0);
  if (c == (locale_t) 0)
    return false;
  char *end;
  *number = strtod_l (*text, &end, c);
  freelocale (c);
  bool ok = end != *text && isfinite (*number);
  *text = end + strspn (end, " \t");
  return ok;
}

bool
nn_value_number (const char *text, double *number)
{
  return nn_value_numbers (text, number, 1);
}

bool
nn_value_numbers (const char *text, double *numbers, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (i > 0 && *text++ != ',')
      return false;
    if (!read_number (&text, &numbers[i]))
      return false;
  }
  return *text == '\0';
}

int
nn_value_choice (const char *text, const char *const *choices)
{
  for (int i = 0; choices[i]; i++)
    if (!strcmp (text, choices[i]))
      return i;
  return -1;
}
