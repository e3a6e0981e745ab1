/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutsnap.h"

#include <math.h>

#include "layoutmeaning.h"

/* Share of a box that lies in another one for the two not to be neighbours. */
#define HELD 0.8

typedef struct
{
  gdouble low[2], high[2];      /* of x, of y */
} Box;

static gboolean
is_finite (const Box * b)
{
  return isfinite (b->low[0]) && isfinite (b->low[1]) && isfinite (b->high[0]) && isfinite (b->high[1]);
}

static gdouble
shared (const Box * a, const Box * b, guint axis)
{
  return MIN (a->high[axis], b->high[axis]) - MAX (a->low[axis], b->low[axis]);
}

static gdouble
overlap (const Box * a, const Box * b)
{
  return MAX (0, shared (a, b, 0)) * MAX (0, shared (a, b, 1));
}

static gdouble
area (const Box * b)
{
  return (b->high[0] - b->low[0]) * (b->high[1] - b->low[1]);
}

/* What the region's box becomes, but for its neighbours; TRUE if it is another one. */
static gboolean
draw (const GstDocLayout * layout, const GstDocRegion * r, const GstLayoutHull * hull, Box * box)
{
  Box drawn = { {MAX (0, hull->x0), MAX (0, hull->y0)},
    {MIN (layout->width, hull->x1), MIN (layout->height, hull->y1)}
  };

  *box = (Box) { {r->x0, r->y0}, {r->x1, r->y1} };
  if ((gst_layout_meaning (r->label)->is & ~GST_LAYOUT_IS_LISTING) || !(drawn.low[0] < drawn.high[0])
      || !(drawn.low[1] < drawn.high[1]))
    return FALSE;
  *box = drawn;
  return TRUE;
}

/* Takes back what two boxes that were `a` and `b` have grown into each other. */
static void
part (const Box * a, const Box * b, Box * to_a, Box * to_b)
{
  const guint axis = shared (a, b, 1) <= shared (a, b, 0);
  gdouble middle;

  if (a->low[axis] + a->high[axis] > b->low[axis] + b->high[axis]) {
    part (b, a, to_b, to_a);
    return;
  }
  if (shared (a, b, axis) > 0) {
    to_a->high[axis] = MIN (to_a->high[axis], a->high[axis]);
    to_b->low[axis] = MAX (to_b->low[axis], b->low[axis]);
    return;
  }
  middle = CLAMP ((to_a->high[axis] + to_b->low[axis]) / 2, a->high[axis], b->low[axis]);
  to_a->high[axis] = MIN (to_a->high[axis], middle);
  to_b->low[axis] = MAX (to_b->low[axis], middle);
}

static void
part_all (const Box * before, Box * after, const gboolean * drawn, guint n)
{
  for (guint i = 0; i < n; i++) {
    for (guint j = i + 1; is_finite (&before[i]) && j < n; j++) {
      gdouble was = overlap (&before[i], &before[j]);

      if (is_finite (&before[j]) && (drawn[i] || drawn[j]) && overlap (&after[i], &after[j]) > was
          && !(was > HELD * MIN (area (&before[i]), area (&before[j]))))
        part (&before[i], &before[j], &after[i], &after[j]);
    }
  }
}

void
gst_layout_snap (GstDocLayout * layout, const GstLayoutHull * hulls)
{
  const guint n = layout->regions->len;
  g_autofree Box *before = g_new (Box, n), *after = g_new (Box, n);
  g_autofree gboolean *drawn = g_new (gboolean, n);

  for (guint i = 0; i < n; i++) {
    const GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);

    before[i] = (Box) { {r->x0, r->y0}, {r->x1, r->y1} };
    drawn[i] = draw (layout, r, &hulls[i], &after[i]);
  }
  part_all (before, after, drawn, n);
  for (guint i = 0; i < n; i++) {
    GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);

    if (drawn[i]) {
      r->x0 = after[i].low[0];
      r->y0 = after[i].low[1];
      r->x1 = after[i].high[0];
      r->y1 = after[i].high[1];
    }
  }
}
