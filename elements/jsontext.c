/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "jsontext.h"

#include <math.h>
#include <string.h>

/* The text of `scaled` / 10^decimals, without zeros at its end. */
static void
append_fixed (GString * s, guint64 scaled, guint decimals, gboolean negative)
{
  gchar buf[32], *at = buf + sizeof (buf);
  guint shown = 0;

  for (; decimals > 0 && scaled % 10 == 0; decimals--)
    scaled /= 10;
  do {
    *--at = (gchar) ('0' + scaled % 10);
    scaled /= 10;
    if (++shown == decimals)
      *--at = '.';
  } while (scaled > 0 || shown <= decimals);
  if (negative)
    *--at = '-';
  g_string_append_len (s, at, buf + sizeof (buf) - at);
}

/* json-glib writes 0.93 as 0.93000000000000005, hence the few lines of our own. */
void
gst_json_append_number (GString * s, gdouble v, guint decimals)
{
  static const gdouble powers[] = { 1, 10, 100, 1000, 10000 };
  gdouble scaled = decimals < G_N_ELEMENTS (powers)
      ? fabs (v) * powers[decimals] : INFINITY;
  gchar format[8], buf[64], *end;

  if (!isfinite (v)) {
    g_string_append (s, "null");
    return;
  }
  if (fabs (v) >= 1e15) {
    g_string_append (s, g_ascii_dtostr (buf, sizeof (buf), v));
    return;
  }
  /* A page has a thousand of them. Nearer the middle between two, the product's own rounding might decide. */
  if (scaled < 1e12 && fabs (scaled - floor (scaled) - 0.5) > 1e-3) {
    guint64 rounded = (guint64) (scaled + 0.5);

    append_fixed (s, rounded, decimals, v < 0 && rounded > 0);
    return;
  }
  g_snprintf (format, sizeof (format), "%%.%uf", decimals);
  g_ascii_formatd (buf, sizeof (buf), format, v);
  if (strchr (buf, '.')) {
    for (end = buf + strlen (buf); end[-1] == '0'; end--);
    if (end[-1] == '.')
      end--;
    *end = '\0';
  }
  g_string_append (s, g_str_equal (buf, "-0") ? "0" : buf);
}

void
gst_json_append_exact (GString * s, gdouble v)
{
  gchar buf[G_ASCII_DTOSTR_BUF_SIZE], format[8];

  if (!isfinite (v)) {
    g_string_append (s, "null");
    return;
  }
  for (guint digits = 15; digits <= 17; digits++) {
    g_snprintf (format, sizeof (format), "%%.%ug", digits);
    g_ascii_formatd (buf, sizeof (buf), format, v);
    if (g_ascii_strtod (buf, NULL) == v)
      break;
  }
  g_string_append (s, buf);
}

void
gst_json_append_unsigned (GString * s, guint64 v, gboolean known)
{
  if (known)
    g_string_append_printf (s, "%" G_GUINT64_FORMAT, v);
  else
    g_string_append (s, "null");
}

/* The Unicode line separators are escaped too: many readers split text at them. */
void
gst_json_append_string (GString * s, const gchar * text)
{
  g_autofree gchar *valid = NULL;

  if (!text) {
    g_string_append (s, "null");
    return;
  }
  valid = g_utf8_make_valid (text, -1);
  g_string_append_c (s, '"');
  for (const gchar * p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c == '"' || c == '\\')
      g_string_append_printf (s, "\\%c", (gchar) c);
    else if (c < 0x20 || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029)
      g_string_append_printf (s, "\\u%04x", c);
    else
      g_string_append_unichar (s, c);
  }
  g_string_append_c (s, '"');
}

void
gst_json_append_key (GString * s, const gchar * key)
{
  gchar last = s->str[s->len - 1];

  if (last != '{')
    g_string_append (s, ", ");
  g_string_append_printf (s, "\"%s\": ", key);
}

void
gst_json_append_numbers (GString * s, const gdouble * v, guint n, guint decimals)
{
  g_string_append_c (s, '[');
  for (guint i = 0; i < n; i++) {
    if (i > 0)
      g_string_append (s, ", ");
    gst_json_append_number (s, v[i], decimals);
  }
  g_string_append_c (s, ']');
}
