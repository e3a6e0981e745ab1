/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutresult.h"

#include <fribidi.h>

#include "gst/gstdoctextmeta.h"
#include "layoutorder.h"
#include "layoutpoints.h"
#include "layouttext.h"

/* Whether most of the letters go from right to left: what the Unicode Bidirectional Algorithm calls strong. */
static gboolean
is_right_to_left (const GArray * words)
{
  gint64 right = 0, left = 0;

  for (guint i = 0; i < words->len; i++) {
    const gchar *text = g_array_index (words, GstDocTextSpan, i).text;

    for (; *text; text = g_utf8_next_char (text)) {
      FriBidiCharType type = fribidi_get_bidi_type (g_utf8_get_char (text));

      right += FRIBIDI_IS_LETTER (type) && FRIBIDI_IS_RTL (type);
      left += FRIBIDI_IS_LETTER (type) && !FRIBIDI_IS_RTL (type);
    }
  }
  return right > left;
}

static void
read_page (GstDocLayout * layout, const gint * told, GstBuffer * buffer, const GstLayoutReading * reading)
{
  GVariant *spans = gst_doc_text_meta_get (buffer);
  GArray *words = NULL;
  GstDocPage page;
  gboolean right_to_left = reading->direction == GST_LAYOUT_DIRECTION_RTL;

  gst_doc_page_meta_get (buffer, &page);
  if (spans)
    words = gst_layout_place_words (&page, layout, spans);
  if (words) {
    if (reading->direction == GST_LAYOUT_DIRECTION_AUTO)
      right_to_left = is_right_to_left (words);
    gst_layout_text (layout, words, reading->join_hyphens, reading->snap);
    g_array_unref (words);
  }
  gst_layout_order (layout, told, right_to_left);
  g_clear_pointer (&spans, g_variant_unref);
}

GstDocLayout *
gst_layout_result_new (const nn_detector * detector, const GstLayoutModel * model, const nn_frame * frame,
    const nn_detections * found, gdouble ms, GstBuffer * buffer, const GstLayoutReading * reading)
{
  GstDocLayout *layout = gst_doc_layout_new (frame->width, frame->height);
  g_autofree gint *told = g_new (gint, found->n);

  layout->model = g_strdup (model->name);
  layout->model_sha256 = g_strdup (model->sha256);
  layout->device = g_strdup (nn_detector_device_name (detector));
  layout->infer_ms = ms;
  for (gint i = 0; i < found->n; i++) {
    const nn_region *r = &found->regions[i];
    const GstDocRegion region = {
      .id = i,
      .class_id = r->class_id,
      .label = g_intern_string (nn_detector_label (detector, r->class_id)),
      .score = r->score,
      .x0 = r->x0,
      .y0 = r->y0,
      .x1 = r->x1,
      .y1 = r->y1,
    };

    g_array_append_val (layout->regions, region);
    told[i] = r->order;
  }
  read_page (layout, told, buffer, reading);
  return layout;
}
