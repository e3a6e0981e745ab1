/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages to a document of one of several formats. Pure: text comes out, no files, no elements.
 *
 * To add a format: a file with a const GstLayoutWriterClass, a value here, and its row in
 * layoutwriter.c.
 */
#pragma once

#include "layoutjson.h"

G_BEGIN_DECLS

typedef enum {
  GST_LAYOUT_FORMAT_JSONL,
  GST_LAYOUT_FORMAT_JSON,
  GST_LAYOUT_FORMAT_COCO,
  GST_LAYOUT_FORMAT_DOCLING,
  GST_LAYOUT_FORMAT_MARKDOWN,
  GST_LAYOUT_FORMAT_ALTO,
  GST_LAYOUT_FORMAT_PAGEXML,
} GstLayoutFormat;

#define GST_TYPE_LAYOUT_FORMAT (gst_layout_format_get_type ())
GType gst_layout_format_get_type (void);

/* What one file can hold. */
typedef enum {
  GST_LAYOUT_HOLDS_ANYTHING, /* pages of any number of documents */
  GST_LAYOUT_HOLDS_DOCUMENT,
  GST_LAYOUT_HOLDS_PAGE,
} GstLayoutHolds;

typedef struct _GstLayoutWriter GstLayoutWriter;

/* A format. Each function appends to `out` what can be written by then; a format whose beginning
 * depends on later pages writes all of it at the end. Pages come in order, each with its regions
 * as gst_layout_json_regions() gives them (none on a page that failed). */
typedef struct {
  const gchar *name;
  GstLayoutHolds holds;
  gboolean appendable; /* a file is as whole as each of its pages, so that more can follow */
  gsize size;          /* of an instance, which begins with a GstLayoutWriter and is zeroed */
  void (*begin) (GstLayoutWriter * writer, const GstLayoutJsonPage * first, GString * out);
  void (*page) (GstLayoutWriter * writer, const GstLayoutJsonPage * in, const GArray * regions,
      GString * out);
  void (*end) (GstLayoutWriter * writer, GString * out);
  /* The text of a second file beside the first, after end(). NULL: there is none. */
  void (*companion) (GstLayoutWriter * writer, GString * out);
  void (*finalize) (GstLayoutWriter * writer); /* what the instance holds; may be NULL */
} GstLayoutWriterClass;

struct _GstLayoutWriter {
  const GstLayoutWriterClass *klass;
  guint64 pages; /* written before this one */
};

const GstLayoutWriterClass *gst_layout_writer_class (GstLayoutFormat format);

/* A writer of one file. */
GstLayoutWriter *gst_layout_writer_new (GstLayoutFormat format);
void gst_layout_writer_free (GstLayoutWriter * writer);

/* A page, and before the first one what begins the file. */
void gst_layout_writer_page (GstLayoutWriter * writer, const GstLayoutJsonPage * in,
    const GArray * regions, GString * out);

/* What ends a file of at least one page. */
void gst_layout_writer_end (GstLayoutWriter * writer, GString * out);

/* The formats, in the files named after them. */
extern const GstLayoutWriterClass gst_layout_writer_jsonl, gst_layout_writer_json, gst_layout_writer_coco,
    gst_layout_writer_docling, gst_layout_writer_markdown, gst_layout_writer_alto, gst_layout_writer_pagexml;

G_END_DECLS
