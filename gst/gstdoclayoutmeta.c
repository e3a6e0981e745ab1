/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstdoclayoutmeta.h"
#include "gstdoclayoutmirror.h"

#include <gst/video/video.h>

static void
clear_region (gpointer data)
{
  g_clear_pointer (&((GstDocRegion *) data)->text, g_free);
}

static void
clear_line (gpointer data)
{
  g_clear_pointer (&((GstDocTextLine *) data)->text, g_free);
}

GstDocLayout *
gst_doc_layout_new (guint width, guint height)
{
  GstDocLayout *layout = g_new0 (GstDocLayout, 1);

  layout->width = layout->origin_width = width;
  layout->height = layout->origin_height = height;
  layout->origin_sx = layout->origin_sy = 1.0;
  layout->regions = g_array_new (FALSE, TRUE, sizeof (GstDocRegion));
  g_array_set_clear_func (layout->regions, clear_region);
  return layout;
}

GArray *
gst_doc_text_lines_new (void)
{
  GArray *lines = g_array_new (FALSE, TRUE, sizeof (GstDocTextLine));

  g_array_set_clear_func (lines, clear_line);
  return lines;
}

void
gst_doc_layout_free (GstDocLayout * layout)
{
  if (layout == NULL)
    return;
  g_array_unref (layout->regions);
  g_clear_pointer (&layout->orphans, g_array_unref);
  g_free (layout->model);
  g_free (layout->model_sha256);
  g_free (layout->device);
  g_free (layout);
}

/* ------------------------------------------------------------------ to a structure */

static void
region_to_value (const GstDocRegion * region, GValue * value)
{
  GstStructure *s = gst_structure_new ("region",
      "id", G_TYPE_UINT, region->id,
      "class-id", G_TYPE_INT, region->class_id,
      "label", G_TYPE_STRING, region->label ? region->label : "",
      "score", G_TYPE_DOUBLE, region->score,
      "x0", G_TYPE_DOUBLE, region->x0, "y0", G_TYPE_DOUBLE, region->y0,
      "x1", G_TYPE_DOUBLE, region->x1, "y1", G_TYPE_DOUBLE, region->y1,
      "order", G_TYPE_UINT, region->order, NULL);

  if (region->text)
    gst_structure_set (s, "text", G_TYPE_STRING, region->text, NULL);
  g_value_init (value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (value, s);
}

static void
line_to_value (const GstDocTextLine * line, GValue * value)
{
  g_value_init (value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (value, gst_structure_new ("line",
          "text", G_TYPE_STRING, line->text,
          "x0", G_TYPE_DOUBLE, line->x0, "y0", G_TYPE_DOUBLE, line->y0,
          "x1", G_TYPE_DOUBLE, line->x1, "y1", G_TYPE_DOUBLE, line->y1, NULL));
}

static void
set_regions (GstStructure * s, const GArray * regions)
{
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (guint i = 0; i < regions->len; i++) {
    GValue value = G_VALUE_INIT;

    region_to_value (&g_array_index (regions, GstDocRegion, i), &value);
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (s, "regions", &array);
}

static void
set_text (GstStructure * s, const GstDocLayout * layout)
{
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  for (guint i = 0; i < layout->orphans->len; i++) {
    GValue value = G_VALUE_INIT;

    line_to_value (&g_array_index (layout->orphans, GstDocTextLine, i), &value);
    gst_value_array_append_and_take_value (&array, &value);
  }
  gst_structure_take_value (s, "orphans", &array);
  gst_structure_set (s, "characters", G_TYPE_UINT, layout->characters,
      "region-characters", G_TYPE_UINT, layout->region_characters,
      "orphan-characters", G_TYPE_UINT, layout->orphan_characters, NULL);
}

static void
layout_to_structure (const GstDocLayout * layout, GstStructure * s)
{
  gst_structure_remove_all_fields (s);
  gst_structure_set (s, "width", G_TYPE_UINT, layout->width,
      "height", G_TYPE_UINT, layout->height,
      "infer-ms", G_TYPE_DOUBLE, layout->infer_ms,
      "origin-sx", G_TYPE_DOUBLE, layout->origin_sx,
      "origin-sy", G_TYPE_DOUBLE, layout->origin_sy,
      "origin-tx", G_TYPE_DOUBLE, layout->origin_tx,
      "origin-ty", G_TYPE_DOUBLE, layout->origin_ty,
      "origin-width", G_TYPE_UINT, layout->origin_width,
      "origin-height", G_TYPE_UINT, layout->origin_height, NULL);
  if (layout->model)
    gst_structure_set (s, "model", G_TYPE_STRING, layout->model, NULL);
  if (layout->model_sha256)
    gst_structure_set (s, "model-sha256", G_TYPE_STRING, layout->model_sha256,
        NULL);
  if (layout->device)
    gst_structure_set (s, "device", G_TYPE_STRING, layout->device, NULL);
  set_regions (s, layout->regions);
  if (layout->orphans)
    set_text (s, layout);
}

/* ------------------------------------------------------------------ and from one */

static gboolean
box_from_structure (const GstStructure * s, gdouble * x0, gdouble * y0,
    gdouble * x1, gdouble * y1)
{
  return gst_structure_get_double (s, "x0", x0)
      && gst_structure_get_double (s, "y0", y0)
      && gst_structure_get_double (s, "x1", x1)
      && gst_structure_get_double (s, "y1", y1);
}

/* FALSE where a field is missing or of another type: such a region is left out. `place` is its order where none is told. */
static gboolean
region_from_value (const GValue * value, guint place, GstDocRegion * region)
{
  const GstStructure *s;
  const gchar *label;

  if (!GST_VALUE_HOLDS_STRUCTURE (value))
    return FALSE;
  s = gst_value_get_structure (value);
  label = gst_structure_get_string (s, "label");
  if (label == NULL || !gst_structure_get_uint (s, "id", &region->id)
      || !gst_structure_get_int (s, "class-id", &region->class_id)
      || !gst_structure_get_double (s, "score", &region->score)
      || !box_from_structure (s, &region->x0, &region->y0, &region->x1,
          &region->y1))
    return FALSE;
  region->label = g_intern_string (label);
  if (!gst_structure_get_uint (s, "order", &region->order))
    region->order = place;
  region->text = g_strdup (gst_structure_get_string (s, "text"));
  return TRUE;
}

static gboolean
line_from_value (const GValue * value, GstDocTextLine * line)
{
  const GstStructure *s;
  const gchar *text;

  if (!GST_VALUE_HOLDS_STRUCTURE (value))
    return FALSE;
  s = gst_value_get_structure (value);
  text = gst_structure_get_string (s, "text");
  if (text == NULL || !box_from_structure (s, &line->x0, &line->y0, &line->x1,
          &line->y1))
    return FALSE;
  line->text = g_strdup (text);
  return TRUE;
}

static void
get_regions (const GstStructure * s, GArray * regions)
{
  const GValue *array = gst_structure_get_value (s, "regions");

  if (array == NULL || !GST_VALUE_HOLDS_ARRAY (array))
    return;
  for (guint i = 0; i < gst_value_array_get_size (array); i++) {
    GstDocRegion region;

    if (region_from_value (gst_value_array_get_value (array, i), regions->len,
            &region))
      g_array_append_val (regions, region);
  }
}

static void
get_text (const GstStructure * s, GstDocLayout * layout)
{
  const GValue *array = gst_structure_get_value (s, "orphans");

  if (array == NULL || !GST_VALUE_HOLDS_ARRAY (array))
    return;
  layout->orphans = gst_doc_text_lines_new ();
  for (guint i = 0; i < gst_value_array_get_size (array); i++) {
    GstDocTextLine line;

    if (line_from_value (gst_value_array_get_value (array, i), &line))
      g_array_append_val (layout->orphans, line);
  }
  gst_structure_get_uint (s, "characters", &layout->characters);
  gst_structure_get_uint (s, "region-characters", &layout->region_characters);
  gst_structure_get_uint (s, "orphan-characters", &layout->orphan_characters);
}

static GstDocLayout *
layout_from_structure (const GstStructure * s)
{
  GstDocLayout *layout = gst_doc_layout_new (0, 0);

  gst_structure_get_uint (s, "width", &layout->width);
  gst_structure_get_uint (s, "height", &layout->height);
  layout->model = g_strdup (gst_structure_get_string (s, "model"));
  layout->model_sha256 =
      g_strdup (gst_structure_get_string (s, "model-sha256"));
  layout->device = g_strdup (gst_structure_get_string (s, "device"));
  gst_structure_get_double (s, "infer-ms", &layout->infer_ms);
  gst_structure_get_double (s, "origin-sx", &layout->origin_sx);
  gst_structure_get_double (s, "origin-sy", &layout->origin_sy);
  gst_structure_get_double (s, "origin-tx", &layout->origin_tx);
  gst_structure_get_double (s, "origin-ty", &layout->origin_ty);
  gst_structure_get_uint (s, "origin-width", &layout->origin_width);
  gst_structure_get_uint (s, "origin-height", &layout->origin_height);
  get_regions (s, layout->regions);
  get_text (s, layout);
  return layout;
}

/* ------------------------------------------------------------------ scaling */

static void
map_box (gdouble * x0, gdouble * y0, gdouble * x1, gdouble * y1, gdouble sx,
    gdouble sy, gdouble tx, gdouble ty)
{
  *x0 = *x0 * sx + tx;
  *x1 = *x1 * sx + tx;
  *y0 = *y0 * sy + ty;
  *y1 = *y1 * sy + ty;
}

/* new = old × scale + offset, on both axes. */
static void
layout_map (GstDocLayout * layout, gdouble sx, gdouble sy, gdouble tx,
    gdouble ty)
{
  for (guint i = 0; i < layout->regions->len; i++) {
    GstDocRegion *r = &g_array_index (layout->regions, GstDocRegion, i);

    map_box (&r->x0, &r->y0, &r->x1, &r->y1, sx, sy, tx, ty);
  }
  for (guint i = 0; layout->orphans && i < layout->orphans->len; i++) {
    GstDocTextLine *l = &g_array_index (layout->orphans, GstDocTextLine, i);

    map_box (&l->x0, &l->y0, &l->x1, &l->y1, sx, sy, tx, ty);
  }
  layout->origin_sx /= sx;
  layout->origin_sy /= sy;
  layout->origin_tx -= tx * layout->origin_sx;
  layout->origin_ty -= ty * layout->origin_sy;
}

/* The part of `out` that `in` fills when scaled with its aspect kept, as videoscale computes it
 * under its default, add-borders=true. Elements do not tell us their borders, but without them
 * they keep the display aspect, which gives none here. */
static void
picture_size (const GstVideoInfo * in, const GstVideoInfo * out, gint * width,
    gint * height)
{
  gint in_n, in_d, n, d;

  *width = GST_VIDEO_INFO_WIDTH (out);
  *height = GST_VIDEO_INFO_HEIGHT (out);
  if (!gst_util_fraction_multiply (GST_VIDEO_INFO_WIDTH (in),
          GST_VIDEO_INFO_HEIGHT (in), GST_VIDEO_INFO_PAR_N (in),
          GST_VIDEO_INFO_PAR_D (in), &in_n, &in_d)
      || !gst_util_fraction_multiply (in_n, in_d, GST_VIDEO_INFO_PAR_D (out),
          GST_VIDEO_INFO_PAR_N (out), &n, &d))
    return;
  if (gst_util_uint64_scale_int (*width, d, n) <= (guint64) * height)
    *height = gst_util_uint64_scale_int (*width, d, n);
  else
    *width = gst_util_uint64_scale_int (*height, n, d);
}

static void
layout_scale (GstDocLayout * layout, const GstVideoMetaTransform * scale)
{
  gint in_width = GST_VIDEO_INFO_WIDTH (scale->in_info);
  gint in_height = GST_VIDEO_INFO_HEIGHT (scale->in_info);
  gint width, height;

  layout->width = GST_VIDEO_INFO_WIDTH (scale->out_info);
  layout->height = GST_VIDEO_INFO_HEIGHT (scale->out_info);
  if (in_width == (gint) layout->width && in_height == (gint) layout->height)
    return;
  picture_size (scale->in_info, scale->out_info, &width, &height);
  layout_map (layout, (gdouble) width / in_width, (gdouble) height / in_height,
      ((gint) layout->width - width) / 2, ((gint) layout->height - height) / 2);
}

/* ------------------------------------------------------------------ the meta */

static gboolean
layout_meta_transform (GstBuffer * dest, GstCustomMeta * meta,
    GstBuffer * buffer, GQuark type, gpointer data, gpointer user_data)
{
  const GstStructure *s = gst_custom_meta_get_structure (meta);
  g_autoptr (GstDocLayout) layout = NULL;
  GstCustomMeta *copy;

  if (GST_META_TRANSFORM_IS_COPY (type)) {
    /* Some of a frame's bytes are no frame: boxes mean nothing there. */
    if (((GstMetaTransformCopy *) data)->region)
      return FALSE;
    layout = layout_from_structure (s);
  } else if (GST_VIDEO_META_TRANSFORM_IS_SCALE (type)) {
    layout = layout_from_structure (s);
    layout_scale (layout, data);
  } else {
    return FALSE;
  }
  copy = gst_buffer_get_custom_meta (dest, GST_DOC_LAYOUT_META_NAME);
  if (copy == NULL)
    copy = gst_buffer_add_custom_meta (dest, GST_DOC_LAYOUT_META_NAME);
  layout_to_structure (layout, gst_custom_meta_get_structure (copy));
  return TRUE;
}

void
gst_doc_layout_meta_register (void)
{
  static gsize once = 0;
  /* What the boxes depend on: an element that changes one of these and cannot transform the meta
   * drops it. */
  static const gchar *tags[] = { GST_META_TAG_VIDEO_STR,
    GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL
  };

  if (g_once_init_enter (&once)) {
    /* A second copy of this library in the process may have been first. */
    if (gst_meta_get_info (GST_DOC_LAYOUT_META_NAME) == NULL)
      gst_meta_register_custom (GST_DOC_LAYOUT_META_NAME, tags,
          layout_meta_transform, NULL, NULL);
    g_once_init_leave (&once, 1);
  }
}

gboolean
gst_doc_layout_meta_add (GstBuffer * buffer, const GstDocLayout * layout)
{
  GstCustomMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), FALSE);
  g_return_val_if_fail (layout != NULL, FALSE);

  if (!gst_buffer_is_writable (buffer))
    return FALSE;
  gst_doc_layout_meta_register ();
  meta = gst_buffer_get_custom_meta (buffer, GST_DOC_LAYOUT_META_NAME);
  gst_doc_layout_mirror (buffer, layout, meta != NULL);
  if (meta == NULL)
    meta = gst_buffer_add_custom_meta (buffer, GST_DOC_LAYOUT_META_NAME);
  layout_to_structure (layout, gst_custom_meta_get_structure (meta));
  return TRUE;
}

GstDocLayout *
gst_doc_layout_meta_get (GstBuffer * buffer)
{
  GstCustomMeta *meta;

  g_return_val_if_fail (GST_IS_BUFFER (buffer), NULL);

  gst_doc_layout_meta_register ();
  meta = gst_buffer_get_custom_meta (buffer, GST_DOC_LAYOUT_META_NAME);
  if (meta == NULL)
    return NULL;
  return layout_from_structure (gst_custom_meta_get_structure (meta));
}
