/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces of XML 1.0, appended to a string. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* As the content of an element or of an attribute. Characters that XML does not allow, escaped or not, and what is not
 * UTF-8, are U+FFFD. NULL is nothing. */
void gst_xml_append_text (GString * s, const gchar * text);

/* ` name="text"`. */
void gst_xml_append_attribute (GString * s, const gchar * name, const gchar * text);

/* ` name="1.5"`, with at most two decimals, whatever the locale. */
void gst_xml_append_number (GString * s, const gchar * name, gdouble v);

/* `<name>text</name>` and a line break. */
void gst_xml_append_element (GString * s, const gchar * name, const gchar * text);

G_END_DECLS
