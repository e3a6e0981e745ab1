/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layout meta: the regions found on a frame.
 *
 * A GstCustomMeta named "GstDocLayoutMeta". Its boxes follow scaling (videoscale), borders included;
 * elements that move the picture without telling (videoflip, videocrop) drop it. Fields:
 *   width, height   uint    pixels of the frame that the boxes refer to
 *   regions         array of structures "region", best first, each with
 *     id            uint    from 0 in the page
 *     class-id      int
 *     label         string
 *     score         double  0 … 1
 *     x0, y0, x1, y1  double  pixels of this buffer's frame, top-left origin
 *     order         uint    place in reading order, from 0; dense, each once
 *     text          string  of the page's text layer; absent: it was not asked for
 *   model           string  file name without its folder
 *   model-sha256    string  hexadecimal
 *   device          string  "cpu", "cuda:0 NVIDIA GB10"
 *   infer-ms        double  the engine's time for the page's batch, shared out among its pages
 *   origin-sx, origin-sy, origin-tx, origin-ty  double  x of the frame that the detector saw =
 *                           x × origin-sx + origin-tx; likewise y
 *   origin-width, origin-height  uint  pixels of that frame
 * and where the page's text was asked for
 *   orphans         array of structures "line", in the order of the page's text: lines that no region took, each with
 *     text          string
 *     x0, y0, x1, y1  double  as those of a region
 *   characters, region-characters, orphan-characters  uint  in the page's text layer; of these in regions; in orphans.
 *                           Unicode code points that are not white space, counted before hyphens are joined, so that
 *                           the first is the sum of the others
 * Python, with python3-gi alone or with gst-python (read and passing on, tests/test_metas.py):
 *   layout = buffer.get_custom_meta("GstDocLayoutMeta").get_structure()
 *   found, regions = layout.get_array("regions")
 *   for i in range(regions.n_values):
 *       region = regions.get_nth(i)
 *       print(region.get_uint("order")[1], region.get_string("label"), region.get_double("x0")[1])
 * An empty page has the meta with no regions; a page that was not looked at has none.
 */
#pragma once

#include "gstdocprelude.h"

G_BEGIN_DECLS

#define GST_DOC_LAYOUT_META_NAME "GstDocLayoutMeta"

typedef struct {
  guint id;
  gint class_id;
  const gchar *label; /* interned, never NULL */
  gdouble score;
  gdouble x0, y0, x1, y1;
  guint order;
  gchar *text; /* UTF-8, lines end in '\n' but for the last; "": there is none; NULL: not asked for. The layout's */
} GstDocRegion;

typedef struct {
  gchar *text; /* UTF-8, never NULL; the array's */
  gdouble x0, y0, x1, y1;
} GstDocTextLine;

/* Both arrays free the texts of what is removed from them; what is appended must have a text of its own. */
typedef struct {
  guint width, height;
  GArray *regions; /* of GstDocRegion */
  gchar *model, *model_sha256, *device; /* may be NULL */
  gdouble infer_ms;
  gdouble origin_sx, origin_sy, origin_tx, origin_ty;
  guint origin_width, origin_height;
  GArray *orphans; /* of GstDocTextLine; NULL: text was not asked for, and the counts are 0 */
  guint characters, region_characters, orphan_characters;
} GstDocLayout;

/* An empty layout of a frame of `width` × `height` pixels that the detector saw itself. */
GST_DOC_API
GstDocLayout *gst_doc_layout_new (guint width, guint height);
/* An empty array for `orphans`. */
GST_DOC_API
GArray *gst_doc_text_lines_new (void);
GST_DOC_API
void gst_doc_layout_free (GstDocLayout * layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstDocLayout, gst_doc_layout_free)

GST_DOC_API
void gst_doc_layout_meta_register (void);

/* Adds the meta (replacing one that is there) and what other elements understand of it:
 * GstAnalyticsRelationMeta on GStreamer ≥ 1.24, else GstVideoRegionOfInterestMeta.
 * FALSE if `buffer` is not writable. `layout` stays the caller's. */
GST_DOC_API
gboolean gst_doc_layout_meta_add (GstBuffer * buffer, const GstDocLayout * layout);

/* A copy of what the meta says, or NULL where there is none. (transfer full) */
GST_DOC_API
GstDocLayout *gst_doc_layout_meta_get (GstBuffer * buffer);

G_END_DECLS
