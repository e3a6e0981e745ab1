/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

nn_status
nn_fail (nn_error *err, nn_status status, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  err->status = status;
  format_cut (err->message, sizeof err->message, format, args);
  va_end (args);
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
