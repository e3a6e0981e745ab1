/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layouttext.h"

#include "layouthyphen.h"
#include "layoutsnap.h"

/* Of a word, the least that a region must cover: detectors' boxes clip first and last lines, and touch those of their
 * neighbours. As in docling's layout post-processing. */
#define LEAST_SHARE 0.2

/* A region's text as it grows. */
typedef struct
{
  GString *text;
  guint line;                   /* of its last word */
  gboolean ends;                /* the word that began in a line ended in the next one: break the line behind it */
  GstLayoutHull hull;
} Builder;

/* ------------------------------------------------------------------ whose word it is */

static gdouble
length_shared (gdouble a0, gdouble a1, gdouble b0, gdouble b1)
{
  return MIN (a1, b1) - MAX (a0, b0);
}

/* The share of the word that the region covers, 0 … 1; of a word without area, whether its middle is in it. */
static gdouble
share (const GstDocTextSpan * w, const GstDocRegion * r)
{
  gdouble area = (w->x1 - w->x0) * (w->y1 - w->y0);
  gdouble width = length_shared (w->x0, w->x1, r->x0, r->x1);
  gdouble height = length_shared (w->y0, w->y1, r->y0, r->y1);
  gdouble x = (w->x0 + w->x1) / 2, y = (w->y0 + w->y1) / 2;

  if (area > 0)
    return width > 0 && height > 0 ? width * height / area : 0;
  return x >= r->x0 && x <= r->x1 && y >= r->y0 && y <= r->y1 ? 1 : 0;
}

static gdouble
area_of (const GstDocRegion * r)
{
  return (r->x1 - r->x0) * (r->y1 - r->y0);
}

static gint
find_owner (const GArray * regions, const GstDocTextSpan * word)
{
  const GstDocRegion *best = NULL;
  gdouble most = 0;
  gint owner = -1;

  for (guint i = 0; i < regions->len; i++) {
    const GstDocRegion *r = &g_array_index (regions, GstDocRegion, i);
    gdouble covered = share (word, r);

    if (covered < LEAST_SHARE || covered < most)
      continue;
    if (owner < 0 || covered > most || area_of (r) < area_of (best)
        || (area_of (r) == area_of (best) && r->score > best->score)) {
      best = r;
      most = covered;
      owner = (gint) i;
    }
  }
  return owner;
}

static guint
count_characters (const gchar * text)
{
  guint n = 0;

  for (const gchar * p = text; *p; p = g_utf8_next_char (p))
    n += !g_unichar_isspace (g_utf8_get_char (p));
  return n;
}

/* ------------------------------------------------------------------ texts */

static void
widen (GstLayoutHull * hull, const GstDocTextSpan * word)
{
  hull->x0 = MIN (hull->x0, word->x0);
  hull->y0 = MIN (hull->y0, word->y0);
  hull->x1 = MAX (hull->x1, word->x1);
  hull->y1 = MAX (hull->y1, word->y1);
}

/* `joiner`: NULL where words are not joined. */
static void
append (Builder * b, const GstDocTextSpan * word, const GstLayoutHyphens * joiner)
{
  gboolean new_line = b->text->len > 0 && word->line != b->line;

  if (new_line && joiner && gst_layout_hyphens_join (joiner, b->text, word->text)) {
    b->ends = TRUE;
  } else {
    if (b->text->len > 0)
      g_string_append_c (b->text, new_line || b->ends ? '\n' : ' ');
    b->ends = FALSE;
  }
  g_string_append (b->text, word->text);
  b->line = word->line;
  widen (&b->hull, word);
}

/* The orphans' line is at its end. */
static void
end_orphan (GArray * orphans, Builder * b)
{
  GstDocTextLine line = { NULL, b->hull.x0, b->hull.y0, b->hull.x1, b->hull.y1 };

  if (b->text->len == 0)
    return;
  line.text = g_strdup (b->text->str);
  g_array_append_val (orphans, line);
  g_string_truncate (b->text, 0);
  b->hull = (GstLayoutHull) GST_LAYOUT_NO_HULL;
}

static gboolean
are_of_a_line (const GArray * words, guint i, guint k)
{
  return g_array_index (words, GstDocTextSpan, i).line == g_array_index (words, GstDocTextSpan, k).line;
}

/* Words that no region takes go with the nearest one in their line that has an owner; of two as near with the first. */
static void
complete_lines (const GArray * words, gint * owners)
{
  const gint n = (gint) words->len;
  g_autofree gint *before = g_new (gint, words->len); /* the nearest one up to here that has an owner, or -1 */
  gint after = -1;                                    /* and from here on */

  for (gint i = 0; i < n; i++)
    before[i] = owners[i] >= 0 ? i : i > 0 && are_of_a_line (words, i - 1, i) ? before[i - 1] : -1;
  for (gint i = n - 1; i >= 0; i--) {
    if (i + 1 < n && !are_of_a_line (words, i, i + 1))
      after = -1;
    if (before[i] == i)
      after = i;
    else if (before[i] >= 0 && (after < 0 || i - before[i] <= after - i))
      owners[i] = owners[before[i]];
    else if (after >= 0)
      owners[i] = owners[after];
  }
}

gint *
gst_layout_text_owners (const GArray * regions, const GArray * words)
{
  gint *owners = g_new (gint, words->len);

  for (guint i = 0; i < words->len; i++)
    owners[i] = find_owner (regions, &g_array_index (words, GstDocTextSpan, i));
  complete_lines (words, owners);
  return owners;
}

static void
share_out (GstDocLayout * layout, const GArray * words, Builder * builders, const GstLayoutHyphens * joiner)
{
  g_autofree gint *owners = gst_layout_text_owners (layout->regions, words);
  Builder orphan = { g_string_new (NULL), 0, FALSE, GST_LAYOUT_NO_HULL };

  for (guint i = 0; i < words->len; i++) {
    const GstDocTextSpan *word = &g_array_index (words, GstDocTextSpan, i);
    guint n = count_characters (word->text);

    if (n == 0)
      continue;
    layout->characters += n;
    if (owners[i] >= 0 || word->line != orphan.line)
      end_orphan (layout->orphans, &orphan);
    append (owners[i] >= 0 ? &builders[owners[i]] : &orphan, word, joiner);
    if (owners[i] >= 0)
      layout->region_characters += n;
    else
      layout->orphan_characters += n;
  }
  end_orphan (layout->orphans, &orphan);
  g_string_free (orphan.text, TRUE);
}

void
gst_layout_text (GstDocLayout * layout, const GArray * words, gboolean join_hyphens, gboolean snap)
{
  const guint n = layout->regions->len;
  g_autofree Builder *builders = g_new0 (Builder, n);
  g_autofree GstLayoutHull *hulls = g_new (GstLayoutHull, n);
  GstLayoutHyphens *joiner = join_hyphens ? gst_layout_hyphens_new (words) : NULL;

  g_clear_pointer (&layout->orphans, g_array_unref);
  layout->orphans = gst_doc_text_lines_new ();
  layout->characters = layout->region_characters = layout->orphan_characters = 0;
  for (guint i = 0; i < n; i++) {
    builders[i].text = g_string_new (NULL);
    builders[i].hull = (GstLayoutHull) GST_LAYOUT_NO_HULL;
  }
  share_out (layout, words, builders, joiner);
  for (guint i = 0; i < n; i++) {
    GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);

    g_free (r->text);
    r->text = g_string_free (builders[i].text, FALSE);
    hulls[i] = builders[i].hull;
  }
  if (snap)
    gst_layout_snap (layout, hulls);
  gst_layout_hyphens_free (joiner);
}
