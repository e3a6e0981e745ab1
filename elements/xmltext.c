/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "xmltext.h"

#include "jsontext.h"

#define DECIMALS 2

/* The production Char of XML 1.0, within what UTF-8 can be. */
static gboolean
is_allowed (gunichar c)
{
  return c >= 0x20 ? c != 0xfffe && c != 0xffff : c == '\t' || c == '\n' || c == '\r';
}

void
gst_xml_append_text (GString * s, const gchar * text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text ? text : "", -1);
  g_autofree gchar *escaped = NULL;
  g_autoptr (GString) allowed = g_string_new (NULL);

  for (const gchar * p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    g_string_append_unichar (allowed, is_allowed (c) ? c : 0xfffd);
  }
  escaped = g_markup_escape_text (allowed->str, allowed->len);
  g_string_append (s, escaped);
}

void
gst_xml_append_attribute (GString * s, const gchar * name, const gchar * text)
{
  g_string_append_printf (s, " %s=\"", name);
  gst_xml_append_text (s, text);
  g_string_append_c (s, '"');
}

void
gst_xml_append_number (GString * s, const gchar * name, gdouble v)
{
  g_string_append_printf (s, " %s=\"", name);
  gst_json_append_number (s, v, DECIMALS);
  g_string_append_c (s, '"');
}

void
gst_xml_append_element (GString * s, const gchar * name, const gchar * text)
{
  g_string_append_printf (s, "<%s>", name);
  gst_xml_append_text (s, text);
  g_string_append_printf (s, "</%s>\n", name);
}
