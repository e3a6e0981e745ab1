/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutorder.h"

#include <math.h>
#include <stdlib.h>

#include "layoutcut.h"
#include "layoutmeaning.h"

/* Share of a region's area that lies in what holds it. */
#define HELD 0.8

/* The farthest that a caption is from what it belongs to, as a share of the page's height; and the share of the
 * narrower one's width that is above or below the other (or of the lower one's height, beside it). */
#define CAPTION_DISTANCE 0.1
#define CAPTION_ALIGNED 0.5

/* A strip of text up an edge: its width at most, as a share of the page's shorter side, and how often that goes into its
 * height at least. */
#define STRIP_WIDTH 0.05
#define STRIP_ASPECT 3

typedef struct
{
  GstLayoutCutBox box;          /* from right to left it is mirrored; its id is the region's index */
  GstLayoutCutBox outer;        /* around it and its captions */
  const GstLayoutMeaning *meaning;
  GstLayoutPart part;
  gint owner;                   /* what it follows: what holds it, or what it is the caption of; -1: nothing */
  gboolean is_caption;          /* the latter */
  gboolean is_followed;         /* it is the owner of others */
} Place;

typedef struct
{
  GArray *regions;
  Place *places;                /* one a region */
  guint n;
  gdouble width, height;
  guint next;                   /* the order to give */
} Ordering;

typedef struct
{
  guint caption, object;
  gboolean is_foreign;          /* the caption's label is of another kind of object */
  gdouble distance;             /* doubled where the caption is on the side where such do not stand usually */
} Pair;

/* ------------------------------------------------------------------ boxes */

static gdouble
area (const GstLayoutCutBox * b)
{
  return (b->x1 - b->x0) * (b->y1 - b->y0);
}

static gdouble
shared_width (const GstLayoutCutBox * a, const GstLayoutCutBox * b)
{
  return MIN (a->x1, b->x1) - MAX (a->x0, b->x0);
}

static gdouble
shared_height (const GstLayoutCutBox * a, const GstLayoutCutBox * b)
{
  return MIN (a->y1, b->y1) - MAX (a->y0, b->y0);
}

/* Whether nearly all of `a` is in `b`, or, of what has no area, its middle. */
static gboolean
is_held (const GstLayoutCutBox * a, const GstLayoutCutBox * b)
{
  gdouble x = (a->x0 + a->x1) / 2, y = (a->y0 + a->y1) / 2;

  if (area (a) > 0)
    return shared_width (a, b) > 0 && shared_height (a, b) > 0
        && shared_width (a, b) * shared_height (a, b) >= HELD * area (a);
  return x >= b->x0 && x <= b->x1 && y >= b->y0 && y <= b->y1;
}

/* ------------------------------------------------------------------ parts of the page */

static void
place (Ordering * o, guint index, gboolean mirrored)
{
  const GstDocRegion *r = &g_array_index (o->regions, GstDocRegion, index);
  Place *p = &o->places[index];

  p->meaning = gst_layout_meaning (r->label);
  p->part = p->meaning->part;
  p->owner = -1;
  p->box = (GstLayoutCutBox) { MIN (r->x0, r->x1), MIN (r->y0, r->y1), MAX (r->x0, r->x1),
    MAX (r->y0, r->y1), p->meaning->kind, index
  };
  if (mirrored) {
    gdouble x0 = p->box.x0;

    p->box.x0 = o->width - p->box.x1;
    p->box.x1 = o->width - x0;
  }
  if (!isfinite (r->x0) || !isfinite (r->y0) || !isfinite (r->x1) || !isfinite (r->y1))
    p->part = GST_LAYOUT_PART_NOWHERE;
  else if (p->part == GST_LAYOUT_PART_MARGIN)
    p->part = p->box.y0 + p->box.y1 < o->height ? GST_LAYOUT_PART_HEADER : GST_LAYOUT_PART_FOOTER;
}

static gboolean
is_strip (const Ordering * o, const Place * p)
{
  gdouble width = p->box.x1 - p->box.x0;

  return p->part == GST_LAYOUT_PART_BODY && !p->meaning->belongs_to && p->meaning->kind != GST_LAYOUT_CUT_OBJECT
      && width <= STRIP_WIDTH * MIN (o->width, o->height) && p->box.y1 - p->box.y0 >= STRIP_ASPECT * width;
}

/* Strips of text with all else of the body on one side of them. Where there is nothing else they are the body: vertical
 * writing. */
static void
find_asides (Ordering * o)
{
  gdouble left = G_MAXDOUBLE, right = -G_MAXDOUBLE;

  for (guint i = 0; i < o->n; i++) {
    if (o->places[i].part == GST_LAYOUT_PART_BODY && !is_strip (o, &o->places[i])) {
      left = MIN (left, o->places[i].box.x0);
      right = MAX (right, o->places[i].box.x1);
    }
  }
  for (guint i = 0; left <= right && i < o->n; i++)
    if (is_strip (o, &o->places[i]) && (o->places[i].box.x1 <= left || o->places[i].box.x0 >= right))
      o->places[i].part = GST_LAYOUT_PART_ASIDE;
}

/* ------------------------------------------------------------------ what belongs to what */

/* Whether `low` … `high` has a middle between the two, with neither on its side. */
static gboolean
is_in_gap (gdouble low, gdouble high, gdouble a0, gdouble a1, gdouble b0, gdouble b1)
{
  return low + high > 2 * MIN (a1, b1) && low + high < 2 * MAX (a0, b0);
}

/* Whether another region of the body lies between a caption and what it may belong to. Captions may lie together. */
static gboolean
is_parted (const Ordering * o, const GstLayoutCutBox * a, const GstLayoutCutBox * b, gboolean below)
{
  for (guint i = 0; i < o->n; i++) {
    const Place *p = &o->places[i];
    const GstLayoutCutBox *c = &p->box;

    if (p->part != GST_LAYOUT_PART_BODY || p->meaning->belongs_to || c->id == a->id || c->id == b->id)
      continue;
    if (below ? is_in_gap (c->y0, c->y1, a->y0, a->y1, b->y0, b->y1)
        && MIN (shared_width (a, c), shared_width (b, c)) > 0
        : is_in_gap (c->x0, c->x1, a->x0, a->x1, b->x0, b->x1)
        && MIN (shared_height (a, c), shared_height (b, c)) > 0)
      return TRUE;
  }
  return FALSE;
}

/* FALSE where the caption cannot belong to the object. */
static gboolean
measure (const Ordering * o, guint caption, guint object, Pair * pair)
{
  const GstLayoutCutBox *a = &o->places[caption].box, *b = &o->places[object].box;
  const gboolean below = shared_width (a, b) >= CAPTION_ALIGNED * MIN (a->x1 - a->x0, b->x1 - b->x0);
  const gboolean beside = shared_height (a, b) >= CAPTION_ALIGNED * MIN (a->y1 - a->y0, b->y1 - b->y0);
  const guint wanted = o->places[caption].meaning->belongs_to, is = o->places[object].meaning->is;
  const guint possible = wanted & GST_LAYOUT_IS_ANY ? GST_LAYOUT_IS_ANY : wanted;

  if (caption == object || o->places[object].part != GST_LAYOUT_PART_BODY || !(is & possible) || !(below || beside))
    return FALSE;
  *pair = (Pair) { caption, object, !(is & wanted), 0 };
  if (!(below && beside))
    pair->distance = MAX (0, -(below ? shared_height (a, b) : shared_width (a, b)));
  if (pair->distance > CAPTION_DISTANCE * o->height || (pair->distance > 0 && is_parted (o, a, b, below)))
    return FALSE;
  if (below && (is & GST_LAYOUT_IS_PICTURE ? a->y0 < b->y0 : a->y0 > b->y0))
    pair->distance *= 2;
  return TRUE;
}

static gint
compare_pairs (gconstpointer pa, gconstpointer pb)
{
  const Pair *a = pa, *b = pb;

  if (a->is_foreign != b->is_foreign)
    return a->is_foreign ? 1 : -1;
  if (a->distance != b->distance)
    return a->distance < b->distance ? -1 : 1;
  if (a->caption != b->caption)
    return a->caption < b->caption ? -1 : 1;
  return a->object < b->object ? -1 : a->object > b->object;
}

static void
attach (Ordering * o, const GArray * pairs, gboolean one_each)
{
  g_autofree gboolean *taken = g_new0 (gboolean, o->n);

  for (guint i = 0; i < pairs->len; i++) {
    const Pair *pair = &g_array_index (pairs, Pair, i);
    Place *caption = &o->places[pair->caption];

    if (caption->owner >= 0 || (one_each && taken[pair->object]))
      continue;
    caption->owner = (gint) pair->object;
    caption->is_caption = TRUE;
    taken[pair->object] = TRUE;
  }
}

/* The nearest pairs first, one caption an object; then those that are left over, which may be parts of one picture. */
static void
find_captions (Ordering * o)
{
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (Pair));

  for (guint i = 0; i < o->n; i++) {
    Pair pair;

    if (o->places[i].part != GST_LAYOUT_PART_BODY || !o->places[i].meaning->belongs_to)
      continue;
    for (guint j = 0; j < o->n; j++)
      if (measure (o, i, j, &pair))
        g_array_append_val (pairs, pair);
  }
  g_array_sort (pairs, compare_pairs);
  attach (o, pairs, TRUE);
  attach (o, pairs, FALSE);
}

/* Whether `a` has more area; of two of one area, it is the one with the lower index. */
static gboolean
is_larger (const GstLayoutCutBox * a, const GstLayoutCutBox * b)
{
  return area (a) != area (b) ? area (a) > area (b) : a->id < b->id;
}

/* The smallest region that holds one and is larger. */
static void
find_holders (Ordering * o)
{
  for (guint i = 0; i < o->n; i++) {
    Place *p = &o->places[i];

    if (p->part != GST_LAYOUT_PART_BODY || p->is_caption)
      continue;
    for (guint j = 0; j < o->n; j++) {
      const Place *q = &o->places[j];

      if (q->part == GST_LAYOUT_PART_BODY && q->meaning->holds && is_larger (&q->box, &p->box) && is_held (&p->box, &q->box)
          && (p->owner < 0 || is_larger (&o->places[p->owner].box, &q->box)))
        p->owner = (gint) j;
    }
  }
}

/* Whether the box covers anything but what follows `owner`, or holds all of it. */
static gboolean
covers_others (const Ordering * o, const GstLayoutCutBox * box, gint owner)
{
  for (gint i = 0; i < (gint) o->n; i++) {
    const Place *p = &o->places[i];

    if (p->part == GST_LAYOUT_PART_BODY && i != owner && p->owner != owner
        && shared_width (&p->box, box) > 0 && shared_height (&p->box, box) > 0 && !is_held (box, &p->box))
      return TRUE;
  }
  return FALSE;
}

/* Pictures are sorted together with their captions, which else would leave gaps as if something were missing. */
static void
find_outer_boxes (Ordering * o)
{
  for (guint i = 0; i < o->n; i++)
    o->places[i].outer = o->places[i].box;
  for (guint i = 0; i < o->n; i++) {
    const GstLayoutCutBox *caption = &o->places[i].box;
    gint owner = o->places[i].owner;
    GstLayoutCutBox box;

    if (owner < 0)
      continue;
    o->places[owner].is_followed = TRUE;
    box = o->places[owner].outer;
    box.x0 = MIN (box.x0, caption->x0);
    box.y0 = MIN (box.y0, caption->y0);
    box.x1 = MAX (box.x1, caption->x1);
    box.y1 = MAX (box.y1, caption->y1);
    if (o->places[i].is_caption && !covers_others (o, &box, owner))
      o->places[owner].outer = box;
  }
}

/* ------------------------------------------------------------------ giving places */

static gint
compare_heights (gconstpointer pa, gconstpointer pb)
{
  const GstLayoutCutBox *a = pa, *b = pb;

  if (a->y0 + a->y1 != b->y0 + b->y1)
    return a->y0 + a->y1 < b->y0 + b->y1 ? -1 : 1;
  if (a->x0 != b->x0)
    return a->x0 < b->x0 ? -1 : 1;
  return a->id < b->id ? -1 : a->id > b->id;
}

/* Gives places to those regions of a part that follow `owner`, and to what follows each. */
static void
give (Ordering * o, GstLayoutPart part, gint owner, gboolean captions)
{
  g_autoptr (GArray) boxes = g_array_new (FALSE, FALSE, sizeof (GstLayoutCutBox));

  for (guint i = 0; i < o->n; i++) {
    const Place *p = &o->places[i];

    if (p->part == part && p->owner == owner && p->is_caption == captions)
      g_array_append_val (boxes, p->outer);
  }
  if (captions)
    g_array_sort (boxes, compare_heights);
  else if (part != GST_LAYOUT_PART_NOWHERE)
    gst_layout_cut ((GstLayoutCutBox *) boxes->data, boxes->len, o->width, o->height);
  for (guint i = 0; i < boxes->len; i++) {
    guint id = g_array_index (boxes, GstLayoutCutBox, i).id;

    g_array_index (o->regions, GstDocRegion, id).order = o->next++;
    if (o->places[id].is_followed) {
      give (o, part, (gint) id, FALSE);
      give (o, part, (gint) id, TRUE);
    }
  }
}

typedef struct
{
  gint told;
  guint index;
} Told;

static gint
compare_told (gconstpointer pa, gconstpointer pb)
{
  const Told *a = pa, *b = pb;

  if (a->told != b->told)
    return a->told < b->told ? -1 : 1;
  return a->index < b->index ? -1 : a->index > b->index;
}

/* FALSE where the model told none. */
static gboolean
take_told (GArray * regions, const gint * told)
{
  g_autofree Told *sorted = g_new (Told, regions->len);

  for (guint i = 0; i < regions->len; i++) {
    if (told[i] < 0)
      return FALSE;
    sorted[i] = (Told) { told[i], i };
  }
  qsort (sorted, regions->len, sizeof *sorted, compare_told);
  for (guint i = 0; i < regions->len; i++)
    g_array_index (regions, GstDocRegion, sorted[i].index).order = i;
  return TRUE;
}

void
gst_layout_order (GstDocLayout * layout, const gint * told, gboolean right_to_left)
{
  Ordering o = { layout->regions, NULL, layout->regions->len, layout->width, layout->height, 0 };

  if (o.n == 0 || (told && take_told (o.regions, told)))
    return;
  o.places = g_new0 (Place, o.n);
  for (guint i = 0; i < o.n; i++)
    place (&o, i, right_to_left);
  find_asides (&o);
  if (o.n <= GST_LAYOUT_CUT_MOST) {
    find_captions (&o);
    find_holders (&o);
  }
  find_outer_boxes (&o);
  for (GstLayoutPart part = 0; part < GST_LAYOUT_N_PARTS; part++)
    give (&o, part, -1, FALSE);
  g_free (o.places);
}
