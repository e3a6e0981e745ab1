/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpdfsrcprivate.h"

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_PAGES,
  PROP_DPI,
  PROP_PASSWORD,
  PROP_PAGE_SIZE_MODE,
  PROP_FRAMERATE,
  PROP_RENDER_WORKERS,
  PROP_PAGE_TIMEOUT,
  PROP_WORKER_MEMORY_LIMIT,
  PROP_MAX_ERRORS,
  PROP_TEXT,
  PROP_N_PAGES,
  PROP_STATS
};

#define DEFAULT_DPI 100.0
#define DEFAULT_PAGE_SIZE_MODE GST_PDF_SRC_PAGE_SIZE_NATIVE
#define DEFAULT_RENDER_WORKERS 0
#define DEFAULT_PAGE_TIMEOUT 30000
#define DEFAULT_WORKER_MEMORY_LIMIT (G_GUINT64_CONSTANT (2) << 30)
#define DEFAULT_MAX_ERRORS -1

#define GST_TYPE_PDF_SRC_PAGE_SIZE_MODE (gst_pdf_src_page_size_mode_get_type ())
static GType
gst_pdf_src_page_size_mode_get_type (void)
{
  static const GEnumValue values[] = {
    {GST_PDF_SRC_PAGE_SIZE_NATIVE,
        "Each page in its own size; new caps where it changes", "native"},
    {GST_PDF_SRC_PAGE_SIZE_FIT,
        "Pages fit into width × height of the caps, white around", "fit"},
    {0, NULL, NULL}
  };
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type,
        g_enum_register_static ("GstPdfSrcPageSizeMode", values));
  return type;
}

static GstStructure *
make_stats (GstPdfSrc * self)
{
  GstPdfRendererStats stats = { 0 };

  if (self->renderer)
    gst_pdf_renderer_get_stats (self->renderer, &stats);
  return gst_structure_new ("application/x-pdfsrc-stats",
      "pages", G_TYPE_UINT, self->position,
      "failed-pages", G_TYPE_UINT, self->n_errors,
      "failed-texts", G_TYPE_UINT, self->n_text_errors,
      "bytes-copied", G_TYPE_UINT64, self->bytes_copied,
      "workers-started", G_TYPE_UINT, stats.started,
      "workers-lost", G_TYPE_UINT, stats.lost,
      "workers-renewed", G_TYPE_UINT, stats.renewed, NULL);
}

static void
set_string (gchar ** string, const GValue * value)
{
  g_free (*string);
  *string = g_value_dup_string (value);
}

static void
gst_pdf_src_set_property (GObject * object, guint id, const GValue * value,
    GParamSpec * spec)
{
  GstPdfSrc *self = GST_PDF_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      set_string (&self->location, value);
      break;
    case PROP_PAGES:
      set_string (&self->pages, value);
      break;
    case PROP_DPI:
      self->dpi = g_value_get_double (value);
      break;
    case PROP_PASSWORD:
      set_string (&self->password, value);
      break;
    case PROP_PAGE_SIZE_MODE:
      self->page_size_mode = g_value_get_enum (value);
      break;
    case PROP_FRAMERATE:
      self->fps_n = gst_value_get_fraction_numerator (value);
      self->fps_d = gst_value_get_fraction_denominator (value);
      break;
    case PROP_RENDER_WORKERS:
      self->render_workers = g_value_get_uint (value);
      break;
    case PROP_PAGE_TIMEOUT:
      self->page_timeout = g_value_get_uint (value);
      break;
    case PROP_WORKER_MEMORY_LIMIT:
      self->worker_memory_limit = g_value_get_uint64 (value);
      break;
    case PROP_MAX_ERRORS:
      self->max_errors = g_value_get_int (value);
      break;
    case PROP_TEXT:
      self->text = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_pdf_src_get_property (GObject * object, guint id, GValue * value,
    GParamSpec * spec)
{
  GstPdfSrc *self = GST_PDF_SRC (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_LOCATION:
      g_value_set_string (value, self->location);
      break;
    case PROP_PAGES:
      g_value_set_string (value, self->pages);
      break;
    case PROP_DPI:
      g_value_set_double (value, self->dpi);
      break;
    case PROP_PAGE_SIZE_MODE:
      g_value_set_enum (value, self->page_size_mode);
      break;
    case PROP_FRAMERATE:
      gst_value_set_fraction (value, self->fps_n, self->fps_d);
      break;
    case PROP_RENDER_WORKERS:
      g_value_set_uint (value, self->render_workers);
      break;
    case PROP_PAGE_TIMEOUT:
      g_value_set_uint (value, self->page_timeout);
      break;
    case PROP_WORKER_MEMORY_LIMIT:
      g_value_set_uint64 (value, self->worker_memory_limit);
      break;
    case PROP_MAX_ERRORS:
      g_value_set_int (value, self->max_errors);
      break;
    case PROP_TEXT:
      g_value_set_boolean (value, self->text);
      break;
    case PROP_N_PAGES:
      g_value_set_uint (value, self->n_pages);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, make_stats (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

#define READY (GST_PARAM_MUTABLE_READY | G_PARAM_STATIC_STRINGS)

static void
install_document_properties (GObjectClass * klass)
{
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "File", "Name of the PDF or image file",
          NULL,
          G_PARAM_READWRITE | READY));
  g_object_class_install_property (klass, PROP_PAGES,
      g_param_spec_string ("pages", "Pages", "Pages to render, counting from 1: "
          "1-5,9 or 7- or -3; in the order as written, a page that is named "
          "twice comes twice, what is not in the document is left out. "
          "All if not set", NULL, G_PARAM_READWRITE | READY));
  g_object_class_install_property (klass, PROP_PASSWORD,
      g_param_spec_string ("password", "Password", "User or owner password of "
          "an encrypted document", NULL, G_PARAM_WRITABLE | READY));
  g_object_class_install_property (klass, PROP_TEXT,
      g_param_spec_boolean ("text", "Text", "Whether buffers have the words of "
          "their pages too, as GstDocTextMeta", FALSE,
          G_PARAM_READWRITE | READY));
  g_object_class_install_property (klass, PROP_N_PAGES,
      g_param_spec_uint ("n-pages", "Number of pages", "Pages in the document; "
          "0 while it is not open", 0, G_MAXUINT, 0,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_frame_properties (GObjectClass * klass)
{
  g_object_class_install_property (klass, PROP_DPI,
      g_param_spec_double ("dpi", "Resolution", "Dots an inch, with "
          "page-size-mode=native; an image keeps its own", 1, 1200, DEFAULT_DPI,
          G_PARAM_READWRITE | READY));
  g_object_class_install_property (klass, PROP_PAGE_SIZE_MODE,
      g_param_spec_enum ("page-size-mode", "Page size mode",
          "How the size of a frame is chosen", GST_TYPE_PDF_SRC_PAGE_SIZE_MODE,
          DEFAULT_PAGE_SIZE_MODE, G_PARAM_READWRITE | READY));
  g_object_class_install_property (klass, PROP_FRAMERATE,
      gst_param_spec_fraction ("framerate", "Frame rate", "Pages a second, as a "
          "timeline; how fast they are shown is the sink's matter",
          1, 86400, 1000, 1, 1, 1, G_PARAM_READWRITE | READY));
}

static void
install_worker_properties (GObjectClass * klass)
{
  g_object_class_install_property (klass, PROP_RENDER_WORKERS,
      g_param_spec_uint ("render-workers", "Render workers", "Processes that "
          "render pages at most, fewer for short documents; 0: one a core",
          0, 256, DEFAULT_RENDER_WORKERS, G_PARAM_READWRITE | READY));
  g_object_class_install_property (klass, PROP_PAGE_TIMEOUT,
      g_param_spec_uint ("page-timeout", "Page timeout", "Milliseconds after "
          "which a page, or opening the document, counts as failed", 1,
          G_MAXINT, DEFAULT_PAGE_TIMEOUT, G_PARAM_READWRITE | READY));
  g_object_class_install_property (klass, PROP_WORKER_MEMORY_LIMIT,
      g_param_spec_uint64 ("worker-memory-limit", "Worker memory limit",
          "Bytes of memory for each render worker, frames not counted",
          16 << 20, G_MAXUINT64, DEFAULT_WORKER_MEMORY_LIMIT,
          G_PARAM_READWRITE | READY));
  g_object_class_install_property (klass, PROP_MAX_ERRORS,
      g_param_spec_int ("max-errors", "Maximum of errors", "Pages that may fail "
          "before the stream ends with an error; -1: any number", -1, G_MAXINT,
          DEFAULT_MAX_ERRORS, G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING
          | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics", "Since the stream's start: "
          "pages, failed-pages, failed-texts (pages without the words that were "
          "asked for), bytes-copied (guint64; 0 unless elements that do "
          "not look at GstVideoMeta come in the middle), workers-started, "
          "workers-lost (killed at a limit, or died), workers-renewed (because "
          "of age or size)",
          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

void
gst_pdf_src_install_properties (GstPdfSrcClass * klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = gst_pdf_src_set_property;
  object_class->get_property = gst_pdf_src_get_property;
  install_document_properties (object_class);
  install_frame_properties (object_class);
  install_worker_properties (object_class);
  gst_type_mark_as_plugin_api (GST_TYPE_PDF_SRC_PAGE_SIZE_MODE, 0);
}

void
gst_pdf_src_set_defaults (GstPdfSrc * self)
{
  self->dpi = DEFAULT_DPI;
  self->page_size_mode = DEFAULT_PAGE_SIZE_MODE;
  self->fps_n = self->fps_d = 1;
  self->render_workers = DEFAULT_RENDER_WORKERS;
  self->page_timeout = DEFAULT_PAGE_TIMEOUT;
  self->worker_memory_limit = DEFAULT_WORKER_MEMORY_LIMIT;
  self->max_errors = DEFAULT_MAX_ERRORS;
}
