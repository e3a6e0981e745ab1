/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpdfsrcprivate.h"

#include "pdfrenderprotocol.h"

/* With page-size-mode=fit: the size that the next elements ask for, nearest to the first page's. */
static gboolean
choose_fit_size (GstPdfSrc * self, const struct pdf_render_size *size)
{
  GstPad *pad = GST_BASE_SRC_PAD (self);
  GstCaps *ours = gst_pad_get_pad_template_caps (pad);
  GstCaps *caps = gst_pad_peer_query_caps (pad, ours);
  GstPdfScaling native = {.dpi = self->scaling.dpi };
  GstPdfGeometry first;
  GstStructure *structure;
  gchar *reason = NULL;
  gboolean ok;

  if (!gst_pdf_geometry_for_page (&native, size, &first, &reason))
    gst_pdf_geometry_for_a4 (&native, &first);
  g_free (reason);
  gst_caps_unref (ours);
  ok = !gst_caps_is_empty (caps);
  if (ok) {
    caps = gst_caps_make_writable (gst_caps_truncate (caps));
    structure = gst_caps_get_structure (caps, 0);
    gst_structure_fixate_field_nearest_int (structure, "width", first.width);
    gst_structure_fixate_field_nearest_int (structure, "height", first.height);
    gst_structure_get (structure, "width", G_TYPE_INT,
        &self->scaling.fit_width, "height", G_TYPE_INT,
        &self->scaling.fit_height, NULL);
  }
  gst_caps_unref (caps);
  return ok;
}

/* Whether the next elements look at GstVideoMeta. `caps` are those of the frames; NULL before the first. */
static gboolean
query_video_meta (GstPdfSrc * self, GstCaps * caps)
{
  GstQuery *query = gst_query_new_allocation (caps, FALSE);
  gboolean known = gst_pad_peer_query (GST_BASE_SRC_PAD (self), query)
      && gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);

  gst_query_unref (query);
  return known;
}

gboolean
gst_pdf_src_choose_scaling (GstPdfSrc * self, GError ** error)
{
  GstPdfSrcPageSizeMode mode;
  struct pdf_render_size size;
  GstCaps *caps;

  GST_OBJECT_LOCK (self);
  mode = self->page_size_mode;
  GST_OBJECT_UNLOCK (self);
  if (mode == GST_PDF_SRC_PAGE_SIZE_FIT) {
    if (!gst_pdf_renderer_first_size (self->renderer, &size, error))
      return FALSE;
    if (!choose_fit_size (self, &size)) {
      g_set_error_literal (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
          "the next element takes no BGRx video; put videoconvert before it");
      return FALSE;
    }
    if ((guint64) self->scaling.fit_width * self->scaling.fit_height >
        PDF_RENDER_MAX_PIXELS) {
      g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
          "the next element asks for frames of %u × %u pixels, over the limit "
          "of %u in all", self->scaling.fit_width, self->scaling.fit_height,
          PDF_RENDER_MAX_PIXELS);
      return FALSE;
    }
  }
  /* Else each page would have to be copied. Elements that cannot answer yet get packed rows too, which all take. */
  caps = gst_pad_get_current_caps (GST_BASE_SRC_PAD (self));
  self->scaling.packed = !query_video_meta (self, caps);
  gst_clear_caps (&caps);
  gst_pdf_renderer_set_scaling (self->renderer, &self->scaling);
  return TRUE;
}

gboolean
gst_pdf_src_ensure_caps (GstPdfSrc * self, const GstPdfGeometry * geometry,
    guint page, GError ** error)
{
  GstPad *pad = GST_BASE_SRC_PAD (self);
  gboolean same = GST_VIDEO_INFO_WIDTH (&self->info) == (gint) geometry->width
      && GST_VIDEO_INFO_HEIGHT (&self->info) == (gint) geometry->height;
  GstCaps *caps;
  gboolean ok = TRUE;

  if (same && !self->reconfigure)
    return TRUE;
  gst_video_info_set_format (&self->info, GST_VIDEO_FORMAT_BGRx,
      geometry->width, geometry->height);
  self->info.fps_n = self->rate_n;
  self->info.fps_d = self->rate_d;
  caps = gst_video_info_to_caps (&self->info);
  if (!same)
    ok = gst_pad_peer_query_accept_caps (pad, caps)
        && gst_base_src_set_caps (GST_BASE_SRC (self), caps);
  if (ok) {
    self->video_meta = query_video_meta (self, caps);
    self->reconfigure = FALSE;
  } else if (!GST_PAD_IS_FLUSHING (pad)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
        "Page %u of \"%s\" has %u × %u BGRx pixels, which the next element "
        "does not take; page-size-mode=fit gives all pages the size that it "
        "asks for, videoconvert other formats", page, self->file,
        geometry->width, geometry->height);
  }
  gst_caps_unref (caps);
  return ok;
}
