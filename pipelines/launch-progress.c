/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch-progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_INTERVAL_S 5
#define BAR_CELLS 20

struct launch_progress {
  gboolean terminal;
  gboolean bar_shown;
  guint timer;
  gint64 start_us;
  guint pages, failed, total;
  guint regions;
  GHashTable *labels; /* interned label → count */
  char *device;
};

static double
seconds_since_start (const launch_progress *progress)
{
  return (g_get_monotonic_time () - progress->start_us) / 1e6;
}

static double
pages_per_second (const launch_progress *progress)
{
  double seconds = seconds_since_start (progress);
  return seconds > 0 ? progress->pages / seconds : 0;
}

/* "page 7 of 12, 4.2 pages/s, 0:02 left, cpu" */
static GString *
describe_state (const launch_progress *progress)
{
  GString *text = g_string_new (NULL);
  double rate = pages_per_second (progress);
  g_string_append_printf (text, "page %u", progress->pages);
  if (progress->total > 0)
    g_string_append_printf (text, " of %u", progress->total);
  g_string_append_printf (text, ", %.1f pages/s", rate);
  if (progress->total >= progress->pages && rate > 0) {
    guint left = (guint) ((progress->total - progress->pages) / rate + 0.5);
    g_string_append_printf (text, ", %u:%02u left", left / 60, left % 60);
  }
  if (progress->device)
    g_string_append_printf (text, ", %s", progress->device);
  return text;
}

static guint
terminal_columns (void)
{
  struct winsize size;
  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

static void
hide_bar (launch_progress *progress)
{
  if (progress->bar_shown)
    fputs ("\r\033[K", stderr);
  progress->bar_shown = FALSE;
}

static void
show_bar (launch_progress *progress)
{
  if (!progress->terminal)
    return;
  g_autoptr (GString) line = g_string_new (NULL);
  if (progress->total > 0) {
    guint full = MIN (progress->pages * BAR_CELLS / progress->total, BAR_CELLS);
    g_string_append_c (line, '[');
    for (guint i = 0; i < BAR_CELLS; i++)
      g_string_append_c (line, i < full ? '#' : '.');
    g_string_append (line, "] ");
  }
  GString *state = describe_state (progress);
  g_string_append (line, state->str);
  g_string_free (state, TRUE);
  /* A bar that wraps could not be taken away again. */
  gsize columns = terminal_columns () - 1;
  if ((gsize) g_utf8_strlen (line->str, -1) > columns)
    g_string_truncate (line, g_utf8_offset_to_pointer (line->str, columns) - line->str);
  fprintf (stderr, "\r\033[K%s", line->str);
  progress->bar_shown = TRUE;
  fflush (stderr);
}

static gboolean
show_line (gpointer user_data)
{
  launch_progress *progress = user_data;
  GString *state = describe_state (progress);
  fprintf (stderr, "%s\n", state->str);
  g_string_free (state, TRUE);
  return G_SOURCE_CONTINUE;
}

launch_progress *
launch_progress_new (void)
{
  launch_progress *progress = g_new0 (launch_progress, 1);
  const char *term = g_getenv ("TERM");
  progress->terminal = isatty (STDERR_FILENO) && g_strcmp0 (term, "dumb") != 0;
  progress->labels = g_hash_table_new (g_str_hash, g_str_equal);
  progress->start_us = g_get_monotonic_time ();
  return progress;
}

void
launch_progress_free (launch_progress *progress)
{
  launch_progress_end (progress);
  g_hash_table_unref (progress->labels);
  g_free (progress->device);
  g_free (progress);
}

void
launch_progress_start (launch_progress *progress)
{
  progress->start_us = g_get_monotonic_time ();
  if (!progress->terminal)
    progress->timer = g_timeout_add_seconds (LINE_INTERVAL_S, show_line, progress);
}

void
launch_progress_end (launch_progress *progress)
{
  hide_bar (progress);
  g_clear_handle_id (&progress->timer, g_source_remove);
}

void
launch_progress_say (launch_progress *progress, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  gboolean bar = progress->bar_shown;
  hide_bar (progress);
  fprintf (stderr, "%s\n", text);
  if (bar)
    show_bar (progress);
}

static gint
compare_counts (gconstpointer a, gconstpointer b, gpointer labels)
{
  guint count_a = GPOINTER_TO_UINT (g_hash_table_lookup (labels, a));
  guint count_b = GPOINTER_TO_UINT (g_hash_table_lookup (labels, b));
  return count_a != count_b ? (count_a < count_b ? 1 : -1) : strcmp (a, b);
}

/* "text 12, table 2", the most frequent first; "" where there is none. */
static char *
describe_labels (GHashTable *labels)
{
  GString *text = g_string_new (NULL);
  GList *names = g_hash_table_get_keys (labels);
  names = g_list_sort_with_data (names, compare_counts, labels);
  for (GList *l = names; l; l = l->next)
    g_string_append_printf (text, "%s%s %u", text->len ? ", " : "", (const char *) l->data,
                            GPOINTER_TO_UINT (g_hash_table_lookup (labels, l->data)));
  g_list_free (names);
  return g_string_free (text, FALSE);
}

/* The label counts of one page, which are added to those of the run too. */
static GHashTable *
count_labels (launch_progress *progress, const GstStructure *labels)
{
  GHashTable *counts = g_hash_table_new (g_str_hash, g_str_equal);
  for (gint i = 0; labels && i < gst_structure_n_fields (labels); i++) {
    const char *name = g_intern_string (gst_structure_nth_field_name (labels, i));
    guint count = 0, before = GPOINTER_TO_UINT (g_hash_table_lookup (progress->labels, name));
    gst_structure_get_uint (labels, name, &count);
    g_hash_table_insert (counts, (char *) name, GUINT_TO_POINTER (count));
    g_hash_table_insert (progress->labels, (char *) name, GUINT_TO_POINTER (before + count));
  }
  return counts;
}

static void
show_page (launch_progress *progress, guint number, const char *error, guint regions, GHashTable *labels)
{
  if (error) {
    launch_progress_say (progress, "page %u failed: %s", number, error);
  } else if (progress->terminal) {
    g_autofree char *text = describe_labels (labels);
    launch_progress_say (progress, "page %u: %u region%s%s%s", number, regions, regions == 1 ? "" : "s",
                         *text ? ": " : "", text);
  }
}

void
launch_progress_page (launch_progress *progress, const GstStructure *page)
{
  guint number = 0, regions = 0;
  const char *error = gst_structure_get_string (page, "error");
  const char *device = gst_structure_get_string (page, "device");
  const GValue *labels = gst_structure_get_value (page, "labels");

  progress->pages++;
  progress->failed += error != NULL;
  gst_structure_get_uint (page, "pages", &progress->total);
  if (!gst_structure_get_uint (page, "page", &number) || number == 0)
    number = progress->pages;
  gst_structure_get_uint (page, "regions", &regions);
  progress->regions += regions;
  if (device && !progress->device)
    progress->device = g_strdup (device);

  g_autoptr (GHashTable) counts = count_labels (progress, labels ? gst_value_get_structure (labels) : NULL);
  hide_bar (progress);
  show_page (progress, number, error, regions, counts);
  show_bar (progress);
}

void
launch_progress_summary (launch_progress *progress)
{
  double seconds = seconds_since_start (progress);
  launch_progress_end (progress);
  g_autofree char *labels = describe_labels (progress->labels);
  fprintf (stderr, "pages:   %u%s", progress->pages, progress->failed ? "" : "\n");
  if (progress->failed)
    fprintf (stderr, ", %u of them failed\n", progress->failed);
  fprintf (stderr, "regions: %u%s%s\n", progress->regions, *labels ? ": " : "", labels);
  fprintf (stderr, "speed:   %.1f pages/s, %.1f s\n", pages_per_second (progress), seconds);
  if (progress->device)
    fprintf (stderr, "device:  %s\n", progress->device);
}

guint
launch_progress_failed_pages (const launch_progress *progress)
{
  return progress->failed;
}

guint
launch_progress_pages (const launch_progress *progress)
{
  return progress->pages;
}
