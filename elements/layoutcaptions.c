/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutcaptions.h"

#include <math.h>

#include "layoutmeaning.h"
#include "layoutroles.h"

static const gchar *
label_of (const GArray * regions, guint i)
{
  return g_array_index (regions, GstDocRegion, i).label;
}

static gdouble
gap (gdouble a0, gdouble a1, gdouble b0, gdouble b1)
{
  return MAX (0, MAX (a0, b0) - MIN (a1, b1));
}

static gdouble
distance (const GstDocRegion * a, const GstDocRegion * b)
{
  return hypot (gap (a->x0, a->x1, b->x0, b->x1), gap (a->y0, a->y1, b->y0, b->y1));
}

/* What a caption can be of: pictures, tables, or both. */
static guint
belongs_to (const gchar * label)
{
  if (gst_layout_role (label)->kind != GST_LAYOUT_KIND_CAPTION)
    return 0;
  return gst_layout_meaning (label)->belongs_to & (GST_LAYOUT_IS_PICTURE | GST_LAYOUT_IS_TABLE);
}

static gboolean
is_subject (const gchar * label, guint wanted)
{
  const GstLayoutRole *role = gst_layout_role (label);

  if (role->kind == GST_LAYOUT_KIND_PICTURE)
    return !role->furniture && (wanted & GST_LAYOUT_IS_PICTURE);
  return role->kind == GST_LAYOUT_KIND_TABLE && (wanted & GST_LAYOUT_IS_TABLE);
}

static gint
find_subject (const GArray * regions, guint caption, gdouble limit)
{
  const GstDocRegion *r = &g_array_index (regions, GstDocRegion, caption);
  const guint wanted = belongs_to (label_of (regions, caption));
  gdouble nearest = INFINITY;
  gint found = -1;

  for (guint i = 0; i < regions->len; i++) {
    gdouble d;

    if (!is_subject (label_of (regions, i), wanted))
      continue;
    d = distance (r, &g_array_index (regions, GstDocRegion, i));
    if (d <= limit && d < nearest) {
      nearest = d;
      found = (gint) i;
    }
  }
  return found;
}

gint *
gst_layout_captions (const GArray * regions, guint height)
{
  gint *subjects = g_new (gint, regions->len);

  for (guint i = 0; i < regions->len; i++)
    subjects[i] = belongs_to (label_of (regions, i)) ? find_subject (regions, i, height / 10.0) : -1;
  return subjects;
}
