/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutplace.h"

#define STEPS 12                /* from corner to corner along a side */

/* In double: areas of frames can be beyond an int. */
static gdouble
shared_area (const GstLayoutRect * a, const GstLayoutRect * b)
{
  gdouble w = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x);
  gdouble h = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);

  return w > 0 && h > 0 ? w * h : 0;
}

static gdouble
hidden (const GstLayoutPlaces * p, const GstLayoutRect * by)
{
  gdouble area = 0;

  for (guint i = 0; i < p->boxes->len; i++)
    area += shared_area (by, &g_array_index (p->boxes, GstLayoutRect, i));
  for (guint i = 0; i < p->tags->len; i++)
    area += 4 * shared_area (by, &g_array_index (p->tags, GstLayoutRect, i));
  return area;
}

static gboolean
is_inside (const GstLayoutPlaces * p, const GstLayoutRect * r)
{
  return r->x >= 0 && r->y >= 0 && r->x + r->width <= p->width && r->y + r->height <= p->height;
}

/* The best place so far, 0, 0 until there is one, and what it hides. */
typedef struct
{
  GstLayoutRect rect;
  gdouble hides;
} Best;

static Best
begin (const GstLayoutRect * rect)
{
  return (Best) { {0, 0, rect->width, rect->height}, G_MAXDOUBLE };
}

/* Of places that hide as much the first stays. */
static void
consider (const GstLayoutPlaces * p, gint x, gint y, Best * best)
{
  const GstLayoutRect rect = { x, y, best->rect.width, best->rect.height };
  gdouble hides;

  if (!is_inside (p, &rect) || (hides = hidden (p, &rect)) >= best->hides)
    return;
  best->rect = rect;
  best->hides = hides;
}

void
gst_layout_place_tag (const GstLayoutPlaces * p, const GstLayoutRect * box,
    GstLayoutRect * tag)
{
  const gint most = p->width - tag->width;
  const gint left = MAX (0, MIN (box->x, most)), bottom = box->y + box->height;
  const gint right = MAX (0, MIN (box->x + box->width - tag->width, most));
  const gint places[][2] = {
    {left, box->y - tag->height}, {right, box->y - tag->height},
    {box->x - tag->width, box->y}, {box->x + box->width, box->y},
    {left, bottom}, {right, bottom}, {left, box->y}, {left, bottom - tag->height},
  };
  Best best = begin (tag);

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    consider (p, places[i][0], places[i][1], &best);
  *tag = best.rect;
}

void
gst_layout_place_at_side (const GstLayoutPlaces * p, gint margin,
    GstLayoutRect * rect)
{
  const gint left = margin, right = p->width - rect->width - margin;
  const gint top = margin, bottom = p->height - rect->height - margin;
  Best best = begin (rect);

  consider (p, right, bottom, &best);
  consider (p, right, top, &best);
  consider (p, left, bottom, &best);
  consider (p, left, top, &best);
  for (gint i = 1; i < STEPS; i++) {
    gint y = bottom - (gint) ((gint64) (bottom - top) * i / STEPS);

    consider (p, right, y, &best);
    consider (p, left, y, &best);
  }
  *rect = best.rect;
}
