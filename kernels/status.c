/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

/* Formats into `buffer`, cutting before a UTF-8 sequence that would not fit whole. */
static void
format_cut (char *buffer, size_t size, const char *format, va_list args)
{
  int n = vsnprintf (buffer, size, format, args);
  if (n < (int) size)
    return;
  size_t end = size - 1;
  size_t start = end;
  while (start > 0 && ((unsigned char) buffer[start - 1] & 0xc0) == 0x80)
    start--;
  if (start == 0)
    return;
  unsigned char lead = (unsigned char) buffer[start - 1];
  size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (start - 1 + length > end)
    buffer[start - 1] = '\0';
}

/* Names in messages come from files: their control characters, line breaks among them, and what is no
 * UTF-8, as where a format cut a name, become '?'. */
static void
disarm (char *text)
{
  size_t left = strlen (text);
  for (size_t length; left > 0; text += length, left -= length) {
    unsigned char *c = (unsigned char *) text;
    length = nn_utf8_length (text, left);
    if (length == 2 && c[0] == 0xc2 && c[1] < 0xa0)
      c[0] = c[1] = '?';
    else if (length == 0 || c[0] < ' ' || c[0] == 0x7f)
      c[0] = '?';
    length = length == 0 ? 1 : length;
  }
}

nn_status
nn_fail (nn_error *err, nn_status status, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  err->status = status;
  format_cut (err->message, sizeof err->message, format, args);
  va_end (args);
  disarm (err->message);
  return status;
}

nn_status
nn_fail_in (nn_error *err, const char *format, ...)
{
  char cause[sizeof err->message];
  char where[sizeof err->message];
  va_list args;
  memcpy (cause, err->message, sizeof cause);
  va_start (args, format);
  format_cut (where, sizeof where, format, args);
  va_end (args);
  return nn_fail (err, err->status, "%s: %s", where, cause);
}
