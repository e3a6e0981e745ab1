/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces of JSON, appended to a string: numbers and strings as every reader takes them, whatever
 * the locale. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* With at most `decimals` (0 to 9) of them, rounded, zeros at the end left out; no exponent below
 * 1e15. What is not a number (NaN, infinite) is null. */
void gst_json_append_number (GString * s, gdouble v, guint decimals);

/* With as many digits as it takes to read the same number again. */
void gst_json_append_exact (GString * s, gdouble v);

/* "[a, b]", each as gst_json_append_number() does. */
void gst_json_append_numbers (GString * s, const gdouble * v, guint n, guint decimals);

/* null where it is not known. */
void gst_json_append_unsigned (GString * s, guint64 v, gboolean known);

/* With its quotes; null for NULL. There is no line break in it, and what is not UTF-8 is U+FFFD. */
void gst_json_append_string (GString * s, const gchar * text);

/* `"key": `, with a comma before it unless an object has just been opened. */
void gst_json_append_key (GString * s, const gchar * key);

G_END_DECLS
