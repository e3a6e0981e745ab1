/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layouttopology.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  guint a, b;
  gdouble beside;               /* pixels of height that they share; < 0: less their distance */
} Pair;

typedef struct
{
  GstLayoutCutBox *boxes;       /* by their middles' heights */
  guint n;
  gdouble tolerance;
  guint words;                  /* a row of `after` */
  guint64 *after;               /* bit b of row a: b is read after a */
} Sorting;

static gint
compare_middles (gconstpointer pa, gconstpointer pb)
{
  const GstLayoutCutBox *a = pa, *b = pb;
  const gdouble ka[] = { a->y0 + a->y1, a->x0, a->x1, a->y0, a->id };
  const gdouble kb[] = { b->y0 + b->y1, b->x0, b->x1, b->y0, b->id };

  for (guint i = 0; i < G_N_ELEMENTS (ka); i++)
    if (ka[i] != kb[i])
      return ka[i] < kb[i] ? -1 : 1;
  return 0;
}

static gint
compare_pairs (gconstpointer pa, gconstpointer pb)
{
  const Pair *a = pa, *b = pb;

  if (a->beside != b->beside)
    return a->beside > b->beside ? -1 : 1;
  if (a->a != b->a)
    return a->a < b->a ? -1 : 1;
  return a->b < b->b ? -1 : a->b > b->b;
}

static gboolean
share_width (const Sorting * s, guint a, guint b)
{
  const GstLayoutCutBox *p = &s->boxes[a], *q = &s->boxes[b];
  gdouble least = MIN (p->x1 - p->x0, q->x1 - q->x0);

  return MIN (p->x1, q->x1) - MAX (p->x0, q->x0) > MIN (s->tolerance, least / 4);
}

static gboolean
is_after (const Sorting * s, guint a, guint b)
{
  return s->after[a * s->words + b / 64] >> (b % 64) & 1;
}

/* `a` before `b`, and so what is before a before what is after b; unless it is the other way round. */
static void
put_before (Sorting * s, guint a, guint b)
{
  const guint64 *of_b = s->after + b * s->words;

  if (is_after (s, a, b) || is_after (s, b, a))
    return;
  for (guint i = 0; i < s->n; i++) {
    guint64 *row = s->after + i * s->words;

    if (i != a && !is_after (s, i, a))
      continue;
    for (guint w = 0; w < s->words; w++)
      row[w] |= of_b[w];
    row[b / 64] |= (guint64) 1 << (b % 64);
  }
}

/* Breuel's first rule. From the bottom up, so that most of what follows from it is there already. */
static void
order_by_height (Sorting * s)
{
  for (guint a = s->n; a-- > 0;)
    for (guint b = a + 1; b < s->n; b++)
      if (share_width (s, a, b))
        put_before (s, a, b);
}

/* And his second. What is between the two and spans both has put the upper one before the lower one already. */
static void
order_by_side (Sorting * s)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (Pair));

  for (guint a = 0; a < s->n; a++) {
    for (guint b = 0; b < s->n; b++) {
      const GstLayoutCutBox *p = &s->boxes[a], *q = &s->boxes[b];
      Pair pair = { a, b, MIN (p->y1, q->y1) - MAX (p->y0, q->y0) };

      if (a != b && !is_after (s, a, b) && !is_after (s, b, a)
          && p->x0 + p->x1 < q->x0 + q->x1)
        g_array_append_val (pairs, pair);
    }
  }
  g_array_sort (pairs, compare_pairs);
  for (guint i = 0; i < pairs->len; i++)
    put_before (s, g_array_index (pairs, Pair, i).a, g_array_index (pairs, Pair, i).b);
}

/* The highest one that nothing is left to be read before. */
static guint
find_next (const Sorting * s, const gboolean * done)
{
  for (guint i = 0; i < s->n; i++) {
    gboolean free = !done[i];

    for (guint j = 0; free && j < s->n; j++)
      free = done[j] || !is_after (s, j, i);
    if (free)
      return i;
  }
  g_return_val_if_reached (0);
}

void
gst_layout_topology_sort (GstLayoutCutBox * boxes, guint n, gdouble tolerance)
{
  g_autofree GstLayoutCutBox *sorted = g_new (GstLayoutCutBox, n);
  g_autofree gboolean *done = g_new0 (gboolean, n);
  g_autofree guint64 *after = NULL;
  Sorting s = { sorted, n, tolerance, (n + 63) / 64, NULL };

  memcpy (sorted, boxes, n * sizeof *boxes);
  qsort (sorted, n, sizeof *sorted, compare_middles);
  s.after = after = g_new0 (guint64, (gsize) n * s.words);
  order_by_height (&s);
  order_by_side (&s);
  for (guint i = 0; i < n; i++) {
    guint next = find_next (&s, done);

    done[next] = TRUE;
    boxes[i] = sorted[next];
  }
}
