/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Markdown, as CommonMark 0.31 and GitHub's dialect read it: blocks in reading order with a blank line between them.
 * What the text layer says comes out of a reader as it went in, whatever is in it: lines are without white space at their
 * ends, which Markdown does not keep, and every character that could mean something is escaped (CommonMark 2.4). */
#include "layoutwriter.h"

#include <string.h>

#include "layoutroles.h"
#include "regiontext.h"

typedef struct {
  GstLayoutWriter parent;
  gboolean titled;
  gboolean any; /* blocks so far */
  gboolean in_list;
} MarkdownWriter;

/* Means something in the middle of a line too; the last ones in dialects (math, strikethrough, tables). */
static gboolean
is_special (gchar c)
{
  return c && strchr ("\\`*_[]<>&#~|$^", c);
}

/* Where an ordered list would begin: the sign behind at most nine digits. */
static gsize
find_number_sign (const gchar * line)
{
  gsize digits = strspn (line, "0123456789");

  return digits > 0 && digits <= 9 && (line[digits] == '.' || line[digits] == ')') ? digits : G_MAXSIZE;
}

static void
append_line (GString * out, const gchar * line)
{
  const gsize sign = find_number_sign (line);

  for (gsize i = 0; line[i]; i++) {
    const gboolean first = i == 0 && strchr ("-+=:", line[i]);

    if (first || i == sign || is_special (line[i]))
      g_string_append_c (out, '\\');
    g_string_append_c (out, line[i]);
  }
}

static void
append_lines (GString * out, gchar ** lines, const gchar * between)
{
  for (guint i = 0; lines[i]; i++) {
    g_string_append (out, i ? between : "");
    append_line (out, lines[i]);
  }
}

/* A block of its own; items of one list stand together. */
static void
begin_block (MarkdownWriter * self, gboolean item, GString * out)
{
  if (self->any)
    g_string_append (out, item && self->in_list ? "" : "\n");
  self->any = TRUE;
  self->in_list = item;
}

/* Says what is there. Whatever the words are, they do not end the comment. */
static void
append_comment (GString * out, const gchar * words)
{
  g_autofree gchar *valid = g_utf8_make_valid (words, -1);

  g_string_append (out, "<!-- ");
  for (const gchar * p = valid; *p; p++)
    g_string_append_c (out, g_ascii_iscntrl (*p) || strchr ("<>", *p) ? ' ' : *p);
  g_string_append (out, " -->\n");
}

/* As it is, between fences longer than any run of their sign in it. */
static void
append_fenced (GString * out, const gchar * text)
{
  g_autofree gchar *valid = g_utf8_make_valid (text, -1);
  g_autofree gchar *fence = NULL;
  gsize longest = 2, run = 0;

  for (gchar * p = valid; *p; p++) {
    run = *p == '`' ? run + 1 : 0;
    longest = MAX (longest, run);
    if (g_ascii_iscntrl (*p) && *p != '\n' && *p != '\t')
      *p = ' ';
  }
  fence = g_strnfill (longest + 1, '`');
  g_string_append_printf (out, "%s\n%s\n%s\n", fence, valid, fence);
}

static void
append_heading (MarkdownWriter * self, const GstLayoutRole * role, gchar ** lines, GString * out)
{
  const gboolean title = role->kind == GST_LAYOUT_KIND_TITLE
      || (role->kind == GST_LAYOUT_KIND_ANY_HEADING && !self->titled);

  self->titled |= title;
  g_string_append (out, title ? "# " : "## ");
  append_lines (out, lines, " ");
  g_string_append_c (out, '\n');
}

static void
append_item (gchar ** lines, GString * out)
{
  const gsize bullet = gst_region_text_bullet (lines[0]);

  g_string_append (out, "- ");
  append_line (out, lines[0] + bullet);
  for (guint i = 1; lines[i]; i++) {
    g_string_append (out, "\n  ");
    append_line (out, lines[i]);
  }
  g_string_append_c (out, '\n');
}

static gboolean
is_text (GstLayoutKind kind)
{
  return kind != GST_LAYOUT_KIND_PICTURE && kind != GST_LAYOUT_KIND_TABLE
      && kind != GST_LAYOUT_KIND_FORM && kind != GST_LAYOUT_KIND_KEY_VALUE;
}

static void
append_region (MarkdownWriter * self, const GstDocRegion * r, GString * out)
{
  const GstLayoutRole *role = gst_layout_role (r->label);
  g_auto (GStrv) lines = gst_region_text_lines (r->text);
  const gboolean item = role->kind == GST_LAYOUT_KIND_LIST_ITEM && lines[0];

  if (role->furniture)
    return;
  begin_block (self, item, out);
  if (lines[0] == NULL || !is_text (role->kind))
    append_comment (out, r->label);
  if (lines[0] == NULL)
    return;
  if (role->kind == GST_LAYOUT_KIND_TITLE || role->kind == GST_LAYOUT_KIND_HEADING
      || role->kind == GST_LAYOUT_KIND_ANY_HEADING) {
    append_heading (self, role, lines, out);
  } else if (item) {
    append_item (lines, out);
  } else if (role->kind == GST_LAYOUT_KIND_CODE || !is_text (role->kind)) {
    append_fenced (out, r->text);
  } else {
    append_lines (out, lines, "\n");
    g_string_append_c (out, '\n');
  }
}

static void
markdown_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in, const GArray * regions, GString * out)
{
  MarkdownWriter *self = (MarkdownWriter *) writer;

  if (in->page && in->page->error) {
    g_autofree gchar *words = g_strdup_printf ("page %u failed: %s", gst_layout_json_number (in), in->page->error);

    begin_block (self, FALSE, out);
    append_comment (out, words);
  }
  for (guint i = 0; i < regions->len; i++)
    append_region (self, &g_array_index (regions, GstDocRegion, i), out);
}

const GstLayoutWriterClass gst_layout_writer_markdown = {
  .name = "markdown",
  .holds = GST_LAYOUT_HOLDS_DOCUMENT,
  .size = sizeof (MarkdownWriter),
  .page = markdown_page,
};
