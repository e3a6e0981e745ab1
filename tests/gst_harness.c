/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gst_harness.h"

static GHashTable *alive_before;

/* The objects that the leaks tracer knows, by address, with a line on each; NULL without it. */
static GHashTable *
live_objects (void)
{
  GHashTable *objects = NULL;
  GList *tracers = gst_tracing_get_active_tracers ();

  for (GList *l = tracers; l; l = l->next) {
    GstStructure *s = NULL;
    const GValue *list;

    if (g_strcmp0 (G_OBJECT_TYPE_NAME (l->data), "GstLeaksTracer") != 0)
      continue;
    objects = g_hash_table_new_full (NULL, NULL, NULL, g_free);
    g_signal_emit_by_name (l->data, "get-live-objects", &s);
    list = gst_structure_get_value (s, "live-objects-list");
    for (guint i = 0; list && i < gst_value_list_get_size (list); i++) {
      const GstStructure *entry =
          gst_value_get_structure (gst_value_list_get_value (list, i));
      const GValue *object = gst_structure_get_value (entry, "object");
      gpointer address = g_value_peek_pointer (object);

      g_hash_table_insert (objects, address,
          G_VALUE_HOLDS_OBJECT (object) && GST_IS_OBJECT (address)
          ? g_strdup_printf ("%s %s", G_OBJECT_TYPE_NAME (address),
              GST_OBJECT_NAME (address))
          : g_strdup (G_VALUE_TYPE_NAME (object)));
    }
    gst_structure_free (s);
  }
  g_list_free_full (tracers, gst_object_unref);
  return objects;
}

static void
leaks_start (void)
{
  alive_before = live_objects ();
}

static void
leaks_check (void)
{
  GHashTable *now = live_objects ();
  GHashTableIter iter;
  gpointer address, line;
  GString *leaked = g_string_new (NULL);

  if (now == NULL)
    return;
  g_hash_table_iter_init (&iter, now);
  while (g_hash_table_iter_next (&iter, &address, &line)) {
    if (!g_hash_table_contains (alive_before, address))
      g_string_append_printf (leaked, "\n  %s", (gchar *) line);
  }
  g_hash_table_unref (now);
  g_hash_table_unref (alive_before);
  fail_unless (leaked->len == 0, "left behind:%s", leaked->str);
  g_string_free (leaked, TRUE);
}

TCase *
doc_tcase_new (const gchar * name)
{
  TCase *tcase = tcase_create (name);

  tcase_add_checked_fixture (tcase, leaks_start, leaks_check);
  return tcase;
}

GstBuffer *
doc_frame_new (const gchar * caps_string, guint8 value, GstClockTime pts)
{
  GstCaps *caps = gst_caps_from_string (caps_string);
  GstVideoInfo info;
  GstBuffer *buffer;

  fail_unless (gst_video_info_from_caps (&info, caps), "%s", caps_string);
  gst_caps_unref (caps);
  buffer = gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_buffer_memset (buffer, 0, value, GST_VIDEO_INFO_SIZE (&info));
  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DURATION (buffer) = GST_SECOND;
  return buffer;
}

GstPadProbeReturn
doc_note (GstPad * pad, GstPadProbeInfo * info, gpointer text)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    g_string_append_printf (text, "%u ", (guint) (GST_BUFFER_PTS
            (GST_PAD_PROBE_INFO_BUFFER (info)) / GST_SECOND));
  else
    g_string_append_printf (text, "%s ",
        GST_EVENT_TYPE_NAME (GST_PAD_PROBE_INFO_EVENT (info)));
  return GST_PAD_PROBE_OK;
}

guint
doc_count_entries (const gchar * folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  g_dir_close (dir);
  return n;
}
