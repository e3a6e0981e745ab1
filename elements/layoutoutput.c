/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutoutput.h"

#include "documentname.h"
#include "locationpattern.h"
#include "outputfile.h"

#include <string.h>

struct _GstLayoutOutput
{
  GstLayoutFormat format;
  gchar *location, *images_location;
  GstLocationPattern pattern;
  gboolean append;

  GMutex lock;                  /* of what follows, for set_flushing() */
  GstOutputFile *file, *companion;
  gboolean flushing;

  gchar *name;                  /* of the file at hand */
  GstLayoutWriter *writer;      /* NULL: before its first page */
  gboolean ended;
  gchar *document, *stem;       /* of the page before; the stem is its name among files */
  guint n_documents;
  GHashTable *stems, *names;    /* taken in this stream: of documents, of files */
};

static gboolean
refuse (GError ** error, gint code, const gchar * format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
refuse (GError ** error, gint code, const gchar * format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, G_FILE_ERROR, code, text);
  return FALSE;
}

static gboolean
check_settings (const GstLayoutOutputSettings * settings, GError ** error)
{
  const GstLayoutWriterClass *klass = gst_layout_writer_class (settings->format);

  if (settings->append && !klass->appendable)
    return refuse (error, G_FILE_ERROR_INVAL, "Nothing can be put behind a finished file of "
        "format=%s: append=true needs format=jsonl.", klass->name);
  return TRUE;
}

static void
take_files (GstLayoutOutput * output, GstOutputFile * file, GstOutputFile * companion)
{
  g_mutex_lock (&output->lock);
  output->file = file;
  output->companion = companion;
  if (file)
    gst_output_file_set_flushing (file, output->flushing);
  if (companion)
    gst_output_file_set_flushing (companion, output->flushing);
  g_mutex_unlock (&output->lock);
}

/* The name of the second file beside `name`; NULL: there is none. */
static gchar *
companion_name (const GstLayoutOutput * output, const gchar * name, GstOutputFile * file,
    guint page)
{
  g_autofree gchar *stem = NULL;
  const gchar *slash, *dot;

  if (gst_layout_writer_class (output->format)->companion == NULL)
    return NULL;
  if (output->images_location)
    return gst_location_expand (output->images_location, output->stem ? output->stem : "",
        output->n_documents, page);
  if (gst_output_file_is_in_place (file))
    return NULL;
  slash = strrchr (name, '/');
  dot = strrchr (slash ? slash : name, '.');
  stem = g_strndup (name, dot && dot != name ? (gsize) (dot - name) : strlen (name));
  return g_strconcat (stem, ".images.json", NULL);
}

static gboolean
open_files (GstLayoutOutput * output, const gchar * name, guint page, GError ** error)
{
  GstOutputFile *file = gst_output_file_open (name, output->append, error), *companion = NULL;
  g_autofree gchar *second = file ? companion_name (output, name, file, page) : NULL;
  gboolean ok = file != NULL;

  if (second && g_str_equal (second, name))
    ok = refuse (error, G_FILE_ERROR_INVAL, "location and images-location both name '%s': "
        "two files need two names.", name);
  else if (second)
    ok = (companion = gst_output_file_open (second, FALSE, error)) != NULL;
  if (!ok) {
    g_clear_pointer (&file, gst_output_file_free);
    return FALSE;
  }
  take_files (output, file, companion);
  g_free (output->name);
  output->name = g_strdup (name);
  return TRUE;
}

GstLayoutOutput *
gst_layout_output_new (const GstLayoutOutputSettings * settings, GError ** error)
{
  GstLayoutOutput *output;

  if (!check_settings (settings, error))
    return NULL;
  output = g_new0 (GstLayoutOutput, 1);
  g_mutex_init (&output->lock);
  output->format = settings->format;
  output->append = settings->append;
  output->location = g_strdup (settings->location);
  output->images_location = g_strdup (settings->images_location);
  output->pattern = gst_location_pattern (output->location);
  output->stems = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  output->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (output->pattern == GST_LOCATION_ONE_FILE) {
    g_autofree gchar *name = gst_location_expand (output->location, "", 0, 0);

    if (!open_files (output, name, 0, error))
      g_clear_pointer (&output, gst_layout_output_free);
  }
  return output;
}

gboolean
gst_layout_output_is_pattern (const GstLayoutOutput * output)
{
  return output->pattern != GST_LOCATION_ONE_FILE;
}

static gboolean
is_next_document (const GstLayoutOutput * output, const GstLayoutJsonPage * in)
{
  return output->n_documents == 0
      || g_strcmp0 (output->document, gst_layout_json_document (in)) != 0;
}

gboolean
gst_layout_output_is_elsewhere (const GstLayoutOutput * output, const GstLayoutJsonPage * in)
{
  const GstLayoutHolds holds = gst_layout_writer_class (output->format)->holds;

  if (output->n_documents == 0)
    return output->file == NULL;
  if ((output->pattern & GST_LOCATION_A_PAGE) || holds == GST_LAYOUT_HOLDS_PAGE)
    return TRUE;
  return (output->pattern != GST_LOCATION_ONE_FILE || holds == GST_LAYOUT_HOLDS_DOCUMENT)
      && is_next_document (output, in);
}

/* The name that stands for the document: a second "a.pdf" is "a-2". */
static gchar *
find_stem (GstLayoutOutput * output)
{
  g_autofree gchar *plain = gst_document_name (output->document);
  gchar *stem = g_strdup (plain);

  for (guint i = 2; !g_hash_table_add (output->stems, g_strdup (stem)); i++) {
    g_free (stem);
    stem = g_strdup_printf ("%s-%u", plain, i);
  }
  return stem;
}

static void
note_page (GstLayoutOutput * output, const GstLayoutJsonPage * in)
{
  if (!is_next_document (output, in))
    return;
  g_free (output->document);
  g_free (output->stem);
  output->document = g_strdup (gst_layout_json_document (in));
  output->stem = find_stem (output);
  output->n_documents++;
}

gboolean
gst_layout_output_begin (GstLayoutOutput * output, const GstLayoutJsonPage * in, GError ** error)
{
  const GstLayoutWriterClass *klass = gst_layout_writer_class (output->format);
  g_autofree gchar *name = NULL;

  note_page (output, in);
  if (output->pattern == GST_LOCATION_ONE_FILE) {
    const gboolean page = klass->holds == GST_LAYOUT_HOLDS_PAGE;
    const gchar *document = gst_layout_json_document (in);

    return refuse (error, G_FILE_ERROR_INVAL, "A file of format=%s holds one %s, and page %u of "
        "%s is not of it: put %s into the location '%s'.", klass->name, page ? "page" : "document",
        gst_layout_json_number (in), document ? document : "the stream", page ? "%p (the page's "
        "number) and, for several documents, %s (the name)" : "%s (the document's name) or %d (its "
        "number)", output->location);
  }
  name = gst_location_expand (output->location, output->stem, output->n_documents,
      gst_layout_json_number (in));
  if (!g_hash_table_add (output->names, g_strdup (name)))
    return refuse (error, G_FILE_ERROR_EXIST, "The location '%s' names one file for page %u of "
        "%s and for one before it: put %%s (the document's name), %%d (its number) or %%p (the "
        "page's) into it.", output->location, gst_layout_json_number (in), output->document
        ? output->document : "the stream");
  return open_files (output, name, gst_layout_json_number (in), error);
}

GstFlowReturn
gst_layout_output_page (GstLayoutOutput * output, const GstLayoutJsonPage * in,
    const GArray * regions, gboolean flush, GError ** error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  note_page (output, in);
  if (output->writer == NULL)
    output->writer = gst_layout_writer_new (output->format);
  gst_layout_writer_page (output->writer, in, regions, text);
  return gst_output_file_write (output->file, text->str, flush, error);
}

GstFlowReturn
gst_layout_output_drain (GstLayoutOutput * output, GError ** error)
{
  GstFlowReturn ret = gst_output_file_write (output->file, NULL, TRUE, error);

  if (ret == GST_FLOW_OK && output->companion)
    ret = gst_output_file_write (output->companion, NULL, TRUE, error);
  return ret;
}

GstFlowReturn
gst_layout_output_finish (GstLayoutOutput * output, GError ** error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) second = g_string_new (NULL);
  GstFlowReturn ret;

  if (output->file == NULL || output->writer == NULL || output->ended)
    return GST_FLOW_OK;
  output->ended = TRUE;
  gst_layout_writer_end (output->writer, text);
  ret = gst_output_file_write (output->file, text->str, FALSE, error);
  if (output->companion == NULL || ret == GST_FLOW_ERROR)
    return ret;
  output->writer->klass->companion (output->writer, second);
  if (gst_output_file_write (output->companion, second->str, FALSE, error) == GST_FLOW_ERROR)
    return GST_FLOW_ERROR;
  return ret == GST_FLOW_OK ? gst_layout_output_drain (output, error) : ret;
}

gboolean
gst_layout_output_commit (GstLayoutOutput * output, GError ** error)
{
  const gboolean whole = gst_layout_output_has_pages (output);

  if (whole && output->companion && !gst_output_file_commit (output->companion, error))
    return FALSE;
  if (whole && !gst_output_file_commit (output->file, error))
    return FALSE;
  gst_layout_output_discard (output);
  return TRUE;
}

void
gst_layout_output_discard (GstLayoutOutput * output)
{
  GstOutputFile *file = output->file, *companion = output->companion;

  take_files (output, NULL, NULL);
  g_clear_pointer (&companion, gst_output_file_free);
  g_clear_pointer (&file, gst_output_file_free);
  g_clear_pointer (&output->writer, gst_layout_writer_free);
  output->ended = FALSE;
}

gboolean
gst_layout_output_has_pages (const GstLayoutOutput * output)
{
  return output->file != NULL && output->writer != NULL;
}

const gchar *
gst_layout_output_file_name (const GstLayoutOutput * output)
{
  return output->file ? output->name : NULL;
}

gboolean
gst_layout_output_was_unfinished (const GstLayoutOutput * output)
{
  return output->file && gst_output_file_was_unfinished (output->file);
}

void
gst_layout_output_set_flushing (GstLayoutOutput * output, gboolean flushing)
{
  g_mutex_lock (&output->lock);
  output->flushing = flushing;
  if (output->file)
    gst_output_file_set_flushing (output->file, flushing);
  if (output->companion)
    gst_output_file_set_flushing (output->companion, flushing);
  g_mutex_unlock (&output->lock);
}

void
gst_layout_output_free (GstLayoutOutput * output)
{
  gst_layout_output_discard (output);
  g_hash_table_unref (output->stems);
  g_hash_table_unref (output->names);
  g_mutex_clear (&output->lock);
  g_free (output->location);
  g_free (output->images_location);
  g_free (output->name);
  g_free (output->document);
  g_free (output->stem);
  g_free (output);
}
