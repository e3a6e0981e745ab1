/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "utf8.h"

#include <stdint.h>

size_t
nn_utf8_length (const char *text, size_t n)
{
  static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
  const uint8_t *at = (const uint8_t *) text;
  if (at[0] < 0x80)
    return 1;
  size_t length = at[0] >= 0xf8 ? 0 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc0 ? 2 : 0;
  if (length == 0 || length > n)
    return 0;
  uint32_t code = at[0] & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xc0) != 0x80)
      return 0;
    code = code << 6 | (at[i] & 0x3f);
  }
  return code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : length;
}
