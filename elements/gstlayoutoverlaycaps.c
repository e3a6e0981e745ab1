/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layoutoverlay's pads and what may flow through them. Frames go on with the caps that they came with, to which the
 * caps feature of compositions is added where what is drawn goes beside them; then their format and the memory they lie
 * in are no matter. */
#include "gstlayoutoverlayprivate.h"

#include "layoutcompose.h"

#define GST_CAT_DEFAULT gst_layout_overlay_debug
GST_DEBUG_CATEGORY_EXTERN (gst_layout_overlay_debug);

#define COMPOSITION GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION
#define DRAWABLE GST_VIDEO_CAPS_MAKE (GST_LAYOUT_COMPOSE_FORMATS)
#define TEMPLATE GST_STATIC_CAPS (DRAWABLE "; video/x-raw(ANY)")

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, TEMPLATE);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, TEMPLATE);
static GstStaticCaps drawable_caps = GST_STATIC_CAPS (DRAWABLE);

/* ------------------------------------------------------------------ caps */

static gboolean
is_drawable (const GstCaps * caps)
{
  GstCaps *drawable = gst_static_caps_get (&drawable_caps);
  gboolean is = gst_caps_is_subset (caps, drawable);

  gst_caps_unref (drawable);
  return is;
}

static gboolean
has_composition (const GstCaps * caps, guint index)
{
  return gst_caps_features_contains (gst_caps_get_features (caps, index), COMPOSITION);
}

/* Structure `index` of `caps`, with the feature or without it. */
static GstCaps *
nth_with (const GstCaps * caps, guint index, gboolean composition)
{
  GstCaps *nth = gst_caps_copy_nth (caps, index);
  GstCapsFeatures *features = gst_caps_get_features (nth, 0);

  if (gst_caps_features_is_any (features))
    return nth;
  if (!composition)
    gst_caps_features_remove (features, COMPOSITION);
  else if (!has_composition (nth, 0))
    gst_caps_features_add (features, COMPOSITION);
  return nth;
}

static void
append_drawable (GstCaps * to, const GstCaps * caps, guint index)
{
  GstCaps *nth = gst_caps_copy_nth (caps, index);
  GstCaps *drawable = gst_static_caps_get (&drawable_caps);

  gst_caps_append (to, gst_caps_intersect_full (nth, drawable, GST_CAPS_INTERSECT_FIRST));
  gst_caps_unref (drawable);
  gst_caps_unref (nth);
}

/* What can come in where `theirs` can go out: what may go out with compositions may come in without. */
static GstCaps *
incoming (const GstCaps * theirs)
{
  GstCaps *caps = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (theirs); i++) {
    if (has_composition (theirs, i) || gst_caps_features_is_any (gst_caps_get_features (theirs, i))) {
      gst_caps_append (caps, nth_with (theirs, i, FALSE));
      gst_caps_append (caps, nth_with (theirs, i, TRUE));
    } else {
      append_drawable (caps, theirs, i);
    }
  }
  return caps;
}

/* What can go out where `theirs` can come in. */
static GstCaps *
outgoing (const GstCaps * theirs)
{
  GstCaps *caps = gst_caps_new_empty ();

  for (guint i = 0; i < gst_caps_get_size (theirs); i++) {
    gst_caps_append (caps, nth_with (theirs, i, TRUE));
    if (!has_composition (theirs, i))
      append_drawable (caps, theirs, i);
  }
  return caps;
}

static GstCaps *
query_caps (GstLayoutOverlay * self, GstPad * pad, GstCaps * filter)
{
  const gboolean in = pad == self->sinkpad;
  GstCaps *template = gst_pad_get_pad_template_caps (pad);
  GstCaps *theirs = gst_pad_peer_query_caps (in ? self->srcpad : self->sinkpad, NULL);
  GstCaps *ours, *caps;

  if (gst_caps_is_any (theirs)) {
    caps = gst_caps_ref (template);
  } else {
    ours = in ? incoming (theirs) : outgoing (theirs);
    caps = gst_caps_intersect_full (ours, template, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (ours);
  }
  gst_caps_unref (theirs);
  gst_caps_unref (template);
  if (filter) {
    ours = caps;
    caps = gst_caps_intersect_full (filter, ours, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (ours);
  }
  return caps;
}

static gboolean
pad_query (GstPad * pad, GstObject * parent, GstQuery * query)
{
  GstCaps *filter, *caps;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CAPS)
    return gst_pad_query_default (pad, parent, query);
  gst_query_parse_caps (query, &filter);
  caps = query_caps (GST_LAYOUT_OVERLAY (parent), pad, filter);
  gst_query_set_caps_result (query, caps);
  gst_caps_unref (caps);
  return TRUE;
}

/* ------------------------------------------------------------------ negotiation */

/* Some elements answer only for the caps that they were told: `caps` are told before. */
static gboolean
wants_compositions (GstLayoutOverlay * self, GstCaps * caps)
{
  GstQuery *query = gst_query_new_allocation (caps, FALSE);
  gboolean wants = gst_pad_peer_query (self->srcpad, query)
      && gst_query_find_allocation_meta (query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);

  gst_query_unref (query);
  return wants;
}

/* Whether downstream takes frames of `composed`, caps with the feature. */
static gboolean
takes (GstLayoutOverlay * self, GstCaps * composed)
{
  GstCaps *theirs = gst_pad_peer_query_caps (self->srcpad, composed);
  gboolean does = !gst_caps_is_empty (theirs);

  gst_caps_unref (theirs);
  return does;
}

/* As GStreamer's textoverlay does it. Elements that take any caps at all may know nothing of compositions, so that those
 * who do are to say it in the allocation query; but frames that cannot be drawn on, or are not taken then, have no other
 * way; what came in with the feature is of that kind. */
gboolean
gst_layout_overlay_negotiate (GstLayoutOverlay * self, GstCaps * caps)
{
  const gboolean drawable = is_drawable (caps);
  GstCaps *composed = nth_with (caps, 0, TRUE);
  gboolean ok = FALSE;

  gst_pad_check_reconfigure (self->srcpad);
  self->composes = FALSE;
  if (takes (self, composed)) {
    ok = gst_pad_set_caps (self->srcpad, composed);
    self->composes = ok && (!drawable || wants_compositions (self, composed)
        || !gst_pad_peer_query_accept_caps (self->srcpad, caps));
  }
  if (!self->composes)
    ok = drawable && gst_pad_set_caps (self->srcpad, caps);
  GST_DEBUG_OBJECT (self, "%s %" GST_PTR_FORMAT, self->composes ? "composing" : ok ? "drawing on"
      : "cannot draw on", (gpointer) caps);
  gst_caps_unref (composed);
  if (!ok)
    gst_pad_mark_reconfigure (self->srcpad);
  return ok;
}

/* ------------------------------------------------------------------ pads */

void
gst_layout_overlay_add_templates (GstElementClass * klass)
{
  gst_element_class_add_static_pad_template (klass, &sink_template);
  gst_element_class_add_static_pad_template (klass, &src_template);
}

void
gst_layout_overlay_add_pads (GstLayoutOverlay * self)
{
  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_query_function (self->sinkpad, pad_query);
  GST_PAD_SET_PROXY_ALLOCATION (self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);

  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_query_function (self->srcpad, pad_query);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
}
