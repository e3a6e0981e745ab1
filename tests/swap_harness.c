/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "swap_harness.h"

#include "gst/gstdoclayoutmeta.h"

#include <glib/gstdio.h>

SwapTest swap;

/* ------------------------------------------------------------------ models */

static gchar *
model_new (const gchar * text)
{
  gchar *path;
  gint fd = g_file_open_tmp ("gst-doclayout-swap-XXXXXX", &path, NULL);

  fail_unless (fd >= 0);
  g_close (fd, NULL);
  fail_unless (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static void
add_models (void)
{
  swap.one = model_new ("one");
  swap.two = model_new ("two");
  swap.three = model_new ("three");
  swap.bad = model_new ("bad");
}

static void
remove_models (void)
{
  gchar *models[] = { swap.one, swap.two, swap.three, swap.bad };

  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    g_unlink (models[i]);
    g_free (models[i]);
  }
}

void
swap_set_model (const gchar * path)
{
  g_object_set (swap.h->element, "model-file", path, NULL);
}

void
swap_check_model (const gchar * path)
{
  g_autofree gchar *now = NULL;

  g_object_get (swap.h->element, "model-file", &now, NULL);
  fail_unless_equals_string (now, path);
}

static void
on_notify (GObject * element)
{
  g_autofree gchar *now = NULL;

  g_object_get (element, "model-file", &now, NULL);
  if (strcmp (now, swap.one) == 0)
    g_atomic_int_set (&swap.one_again, TRUE);
}

/* ------------------------------------------------------------------ messages */

static GQueue kept = G_QUEUE_INIT;      /* messages that came before one that was waited for */

static gboolean
is_this (GstMessage * message, GstMessageType type, const gchar * name)
{
  return GST_MESSAGE_TYPE (message) == type
      && (name == NULL || gst_message_has_name (message, name));
}

GstMessage *
swap_pop (GstMessageType type, const gchar * name, GstClockTime timeout)
{
  GstMessage *message;

  for (GList * l = kept.head; l; l = l->next) {
    if (is_this (l->data, type, name)) {
      message = l->data;
      g_queue_delete_link (&kept, l);
      return message;
    }
  }
  while ((message = gst_bus_timed_pop (swap.bus, timeout))) {
    if (is_this (message, type, name))
      break;
    g_queue_push_tail (&kept, message);
  }
  return message;
}

void
swap_check_none (GstMessageType type, const gchar * name)
{
  fail_unless (swap_pop (type, name, 0) == NULL, "there is a %s",
      name ? name : gst_message_type_get_name (type));
}

void
swap_start (const gchar * properties)
{
  g_autofree gchar *all = g_strdup_printf ("model-file=%s %s", swap.one, properties);

  swap.h = fake_start (all);
  swap.bus = gst_bus_new ();
  gst_element_set_bus (swap.h->element, swap.bus);
  swap.one_again = FALSE;
  g_signal_connect (swap.h->element, "notify::model-file", G_CALLBACK (on_notify),
      NULL);
}

void
swap_stop (void)
{
  swap_check_none (GST_MESSAGE_ERROR, NULL);
  gst_element_set_bus (swap.h->element, NULL);
  gst_harness_teardown (swap.h);
  g_queue_clear_full (&kept, (GDestroyNotify) gst_message_unref);
  gst_object_unref (swap.bus);
  fail_unless_equals_int (fake_engine.n_alive, 0);
}

static void
check_text (const GstStructure * s, const gchar * field, const gchar * text)
{
  fail_unless_equals_string (gst_structure_get_string (s, field), text);
}

void
swap_check_updated (const gchar * path, GstClockTime timeout, const gchar * device)
{
  g_autofree gchar *name = g_path_get_basename (path), *text = NULL;
  g_autofree gchar *sha256 = NULL;
  GstMessage *message = swap_pop (GST_MESSAGE_ELEMENT, "model-updated", timeout);
  const GstStructure *s;

  fail_unless (message != NULL, "%s was not told", path);
  fail_unless (g_file_get_contents (path, &text, NULL, NULL));
  sha256 = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
  s = gst_message_get_structure (message);
  check_text (s, "model", name);
  check_text (s, "model-sha256", sha256);
  check_text (s, "device", device);
  gst_message_unref (message);
  message = swap_pop (GST_MESSAGE_ELEMENT, "doclayout-device", GST_SECOND);
  fail_unless (message != NULL, "the device was not told");
  s = gst_message_get_structure (message);
  check_text (s, "model-sha256", sha256);
  gst_message_unref (message);
  swap_check_model (path);
}

void
swap_wait_updated (const gchar * path)
{
  swap_check_updated (path, 20 * GST_SECOND, "cuda:0 Fake");
}

void
swap_wait_warning (GQuark domain, gint code, const gchar * part,
    const gchar * other)
{
  GstMessage *message = swap_pop (GST_MESSAGE_WARNING, NULL, 20 * GST_SECOND);
  GError *warning;

  fail_unless (message != NULL, "no warning");
  gst_message_parse_warning (message, &warning, NULL);
  fail_unless (g_error_matches (warning, domain, code), "%s",
      warning->message);
  fail_unless (strstr (warning->message, part) != NULL
      && strstr (warning->message, other) != NULL, "%s", warning->message);
  g_error_free (warning);
  gst_message_unref (message);
}

/* ------------------------------------------------------------------ pages */

void
swap_push (guint first, guint n)
{
  for (guint i = first; i < first + n; i++)
    fail_unless_equals_int (gst_harness_push (swap.h, fake_page (i)), GST_FLOW_OK);
}

const gchar *
swap_label (GstBuffer * buffer, guint number)
{
  GstDocLayout *layout = gst_doc_layout_meta_get (buffer);
  const GstDocRegion *region;
  const gchar *label;
  gpointer state = NULL;
  guint n = 0;
  GstMeta *meta;

  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), number * GST_SECOND);
  while ((meta = gst_buffer_iterate_meta (buffer, &state)))
    n += gst_meta_info_is_custom (meta->info)
        && gst_custom_meta_has_name ((GstCustomMeta *) meta,
        GST_DOC_LAYOUT_META_NAME);
  fail_unless_equals_int (n, 1);
  fail_unless_equals_int (layout->regions->len, 1);
  region = &g_array_index (layout->regions, GstDocRegion, 0);
  fail_unless_equals_float (region->score, (number & 0xff) / 255.0f);
  label = region->label;
  gst_doc_layout_free (layout);
  return label;
}

void
swap_pull (guint first, guint n, const gchar * label)
{
  for (guint i = first; i < first + n; i++) {
    GstBuffer *buffer = gst_harness_pull (swap.h);

    fail_unless (buffer != NULL, "page %u did not come", i);
    fail_unless_equals_string (swap_label (buffer, i), label);
    gst_buffer_unref (buffer);
  }
}

TCase *
swap_tcase_new (const gchar * name)
{
  TCase *tc = fake_tcase_new (name);

  tcase_add_unchecked_fixture (tc, add_models, remove_models);
  return tc;
}
