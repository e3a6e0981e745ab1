/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-run.h"

#include <math.h>

#include "bench-process.h"
#include "gst/gstdocpagemeta.h"

/* Reading the sizes of some processes takes a millisecond or more, for as long as their tables are. */
#define MEMORY_INTERVAL (GST_SECOND / 2)

typedef struct {
  gint64 us; /* monotonic; 0: not reached */
  double process, workers;
} mark;

typedef struct {
  GstElement *pipeline;
  guint warm_up, pages, failed;
  const char *memory_type;
  mark start, end;
  double memory;
} run;

static void
set_mark (mark *m)
{
  bench_process_cpu (&m->process, &m->workers);
  m->us = g_get_monotonic_time ();
}

static void
on_page (run *r, GstBuffer *buffer)
{
  GstDocPage page;
  GstMemory *memory = gst_buffer_n_memory (buffer) > 0 ? gst_buffer_peek_memory (buffer, 0) : NULL;
  if (memory && !r->memory_type)
    r->memory_type = g_intern_string (memory->allocator->mem_type);
  r->failed += gst_doc_page_meta_get (buffer, &page) && page.error;
  if (++r->pages != r->warm_up)
    return;
  set_mark (&r->start);
  gst_element_post_message (
    r->pipeline, gst_message_new_application (GST_OBJECT (r->pipeline), gst_structure_new_empty ("started")));
}

static GstPadProbeReturn
on_sink (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  run *r = user_data;
  if (GST_PAD_PROBE_INFO_TYPE (info) & GST_PAD_PROBE_TYPE_BUFFER)
    on_page (r, GST_PAD_PROBE_INFO_BUFFER (info));
  else if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS)
    set_mark (&r->end);
  return GST_PAD_PROBE_OK;
}

static char *
warning_of (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  const GstStructure *details = NULL;
  gst_message_parse_warning_details (message, &details);
  if (details && gst_structure_has_field (details, "page"))
    return NULL; /* pages that fail are counted */
  gst_message_parse_warning (message, &error, NULL);
  return g_strdup (error->message);
}

/* Until the end of the stream. */
static gboolean
wait_for_end (run *r, bench_result *result, GError **error)
{
  const GstMessageType types
    = GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_APPLICATION;
  g_autoptr (GstBus) bus = gst_element_get_bus (r->pipeline);
  for (;;) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (bus, MEMORY_INTERVAL, types);
    GstMessageType type = message ? GST_MESSAGE_TYPE (message) : GST_MESSAGE_UNKNOWN;
    if (type == GST_MESSAGE_EOS)
      return TRUE;
    if (type == GST_MESSAGE_ERROR) {
      gst_message_parse_error (message, error, NULL);
      return FALSE;
    }
    if (type == GST_MESSAGE_WARNING && !result->warning)
      result->warning = warning_of (message);
    r->memory = fmax (r->memory, bench_process_memory ());
  }
}

/* The stats of a named element, or NULL. (transfer full) */
static GstStructure *
stats_of (GstElement *pipeline, const char *name)
{
  g_autoptr (GstElement) element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstStructure *stats = NULL;
  if (element)
    g_object_get (element, "stats", &stats, NULL);
  return stats;
}

static double
number (const GstStructure *stats, const char *field)
{
  guint64 whole;
  guint small;
  double value;
  if (stats && gst_structure_get_uint64 (stats, field, &whole))
    return (double) whole;
  if (stats && gst_structure_get_uint (stats, field, &small))
    return small;
  if (stats && gst_structure_get_double (stats, field, &value))
    return value;
  return (double) NAN;
}

static void
note_figures (run *r, bench_result *result)
{
  double *figures = result->figures;
  g_autoptr (GstStructure) src = stats_of (r->pipeline, "src");
  g_autoptr (GstStructure) detect = stats_of (r->pipeline, "detect");
  figures[BENCH_PAGES] = r->pages - r->warm_up;
  figures[BENCH_SECONDS] = (double) (r->end.us - r->start.us) / 1e6;
  figures[BENCH_CPU_PROCESS] = r->end.process - r->start.process;
  figures[BENCH_CPU_WORKERS] = r->end.workers - r->start.workers;
  figures[BENCH_CPU] = figures[BENCH_CPU_PROCESS] + figures[BENCH_CPU_WORKERS];
  figures[BENCH_MEMORY] = r->memory;
  /* The elements count the warm-up too. */
  double share = figures[BENCH_PAGES] / r->pages;
  figures[BENCH_COPIED_PDFSRC] = number (src, "bytes-copied") * share;
  figures[BENCH_COPIED_DETECT] = number (detect, "bytes-copied") * share;
  figures[BENCH_STAGED] = number (detect, "bytes-staged") * share;
  figures[BENCH_BUSY] = number (detect, "device-busy") * figures[BENCH_SECONDS];
  figures[BENCH_DEVICE_MEMORY] = number (detect, "memory");
  result->failed = r->failed;
  result->memory_type = r->memory_type;
  g_autoptr (GstElement) detector = gst_bin_get_by_name (GST_BIN (r->pipeline), "detect");
  if (detector)
    g_object_get (detector, "device-used", &result->device, "memory-path", &result->memory_path, NULL);
}

void
bench_result_clear (bench_result *result)
{
  g_clear_pointer (&result->device, g_free);
  g_clear_pointer (&result->memory_path, g_free);
  g_clear_pointer (&result->warning, g_free);
  for (int f = 0; f < BENCH_N_FIGURES; f++)
    result->figures[f] = (double) NAN;
}

gboolean
bench_run (GstElement *pipeline, guint warm_up, bench_result *result, GError **error)
{
  run r = { .pipeline = pipeline, .warm_up = warm_up, .memory = (double) NAN };
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_sink, &r, NULL);
  *result = (bench_result) { 0 };
  bench_result_clear (result);

  /* An element that refuses has posted its error by then, which comes first. */
  if (gst_element_set_state (pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
    GST_ELEMENT_ERROR (pipeline, CORE, STATE_CHANGE, ("The pipeline could not start."), (NULL));
  gboolean ended = wait_for_end (&r, result, error);
  if (ended && r.pages <= r.warm_up)
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "only %u pages came, which is no measurement",
                 r.pages);
  else if (ended)
    note_figures (&r, result);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (ended && r.pages > r.warm_up)
    return TRUE;
  bench_result_clear (result);
  return FALSE;
}
