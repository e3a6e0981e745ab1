/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "locationpattern.h"

/* The conversion that `p` begins with, or 0; its length, and the digits it is to have. */
static gchar
read_conversion (const gchar * p, guint * length, guint * digits)
{
  *length = 1;
  *digits = 0;
  if (p[0] != '%')
    return 0;
  if (p[1] == '0' && g_ascii_isdigit (p[2]) && (p[3] == 'd' || p[3] == 'p')) {
    *digits = (guint) (p[2] - '0');
    *length = 4;
    return p[3];
  }
  if (p[1] == '%' || p[1] == 's' || p[1] == 'd' || p[1] == 'p') {
    *length = 2;
    return p[1];
  }
  return 0;
}

GstLocationPattern
gst_location_pattern (const gchar * location)
{
  GstLocationPattern pattern = GST_LOCATION_ONE_FILE;
  guint length, digits;

  for (const gchar * p = location; *p; p += length) {
    gchar conversion = read_conversion (p, &length, &digits);

    if (conversion == 's')
      pattern |= GST_LOCATION_A_NAME;
    else if (conversion == 'd')
      pattern |= GST_LOCATION_A_NUMBER;
    else if (conversion == 'p')
      pattern |= GST_LOCATION_A_PAGE;
  }
  return pattern;
}

gchar *
gst_location_expand (const gchar * location, const gchar * name, guint number, guint page)
{
  GString *s = g_string_new (NULL);
  guint length, digits;

  for (const gchar * p = location; *p; p += length) {
    gchar conversion = read_conversion (p, &length, &digits);

    if (conversion == 's')
      g_string_append (s, name);
    else if (conversion == 'd' || conversion == 'p')
      g_string_append_printf (s, "%0*u", (int) digits, conversion == 'd' ? number : page);
    else
      g_string_append_c (s, *p);
  }
  return g_string_free (s, FALSE);
}
