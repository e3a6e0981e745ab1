/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pagerange.h"

typedef struct
{
  guint first, last;            /* from 1, both included */
} Span;

/* Spans, not single pages: "1-" of a document that claims ten million pages costs nothing. */
struct _GstDocPageRange
{
  GArray *spans;
};

/* Reads a number at `*text` and moves behind it; `missing` where there is none. Numbers that do not
 * fit are as good as the greatest that does. */
static guint
parse_number (const gchar ** text, guint missing)
{
  guint64 value = 0;

  if (!g_ascii_isdigit (**text))
    return missing;
  for (; g_ascii_isdigit (**text); (*text)++)
    value = MIN (value * 10 + (guint64) (**text - '0'), G_MAXUINT);
  return (guint) value;
}

static void
skip_blanks (const gchar ** text)
{
  while (g_ascii_isspace (**text))
    (*text)++;
}

static gboolean
parse_span (const gchar ** text, Span * span)
{
  const gchar *start;

  skip_blanks (text);
  start = *text;
  span->first = parse_number (text, 1);
  skip_blanks (text);
  if (**text == '-') {
    (*text)++;
    skip_blanks (text);
    if (!g_ascii_isdigit (**text) && !g_ascii_isdigit (*start))
      return FALSE;
    span->last = parse_number (text, G_MAXUINT);
    skip_blanks (text);
  } else if (*text == start || !g_ascii_isdigit (*start)) {
    return FALSE;
  } else {
    span->last = span->first;
  }
  return span->first >= 1 && span->first <= span->last
      && (**text == ',' || **text == '\0');
}

GstDocPageRange *
gst_doc_page_range_parse (const gchar * text, GError ** error)
{
  GstDocPageRange *range = g_new0 (GstDocPageRange, 1);
  const gchar *at = text ? text : "";
  Span span = { 1, G_MAXUINT };

  range->spans = g_array_new (FALSE, FALSE, sizeof (Span));
  skip_blanks (&at);
  if (*at == '\0') {
    g_array_append_val (range->spans, span);
    return range;
  }
  for (;; at++) {
    if (!parse_span (&at, &span)) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "\"%s\" are not pages: write for example 1-5,9 or 7- or -3, "
          "counting from 1", text);
      gst_doc_page_range_free (range);
      return NULL;
    }
    g_array_append_val (range->spans, span);
    if (*at == '\0')
      return range;
  }
}

void
gst_doc_page_range_free (GstDocPageRange * range)
{
  g_array_unref (range->spans);
  g_free (range);
}

guint
gst_doc_page_range_clip (GstDocPageRange * range, guint n_pages)
{
  guint64 total = 0;

  for (guint i = 0; i < range->spans->len;) {
    Span *span = &g_array_index (range->spans, Span, i);

    span->last = MIN (span->last, n_pages);
    if (span->first > span->last) {
      g_array_remove_index (range->spans, i);
    } else {
      total += span->last - span->first + 1;
      i++;
    }
  }
  return (guint) MIN (total, G_MAXINT);
}

guint
gst_doc_page_range_get (const GstDocPageRange * range, guint index)
{
  for (guint i = 0; i < range->spans->len; i++) {
    const Span *span = &g_array_index (range->spans, Span, i);
    guint n = span->last - span->first + 1;

    if (index < n)
      return span->first + index;
    index -= n;
  }
  return 0;
}
