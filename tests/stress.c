/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stress.h"

#include "gst/gstdoclayoutmeta.h"

#include <glib/gstdio.h>

/* What must have happened before it is enough. */
#define ENOUGH_PAGES 300
#define ENOUGH_TIMES 40

#define N_AFTERWARDS 20         /* pages */

/* Frames of any of these caps fit into what is pushed. */
static const gchar *const caps[] = {
  "video/x-raw,format=GRAY8,width=4,height=4,framerate=1/1",
  "video/x-raw,format=GRAY8,width=8,height=4,framerate=1/1",
  "video/x-raw,format=GRAY8,width=16,height=16,framerate=1/1",
};

#define FRAME_BYTES (16 * 16)

typedef struct
{
  GstHarness *h;
  GstBus *bus;
  gchar *models[2];             /* the element's, and a copy of it */
  GMutex upstream;              /* held by who is the upstream streaming thread now */
  guint64 next;                 /* page to push */
  guint64 last;                 /* page that came out, + 1 */
  guint64 first;                /* that may come out: those before were flushed */
  gint n_out;                   /* atomic */
  gint calm;                    /* atomic: pages are kept for the test */
} Stress;

/* One thread that does one thing again and again. */
typedef struct
{
  Stress *stress;
  void (*disturb) (Stress * stress, GRand * rand);
  GRand *rand;
  gint times;                   /* atomic */
  GstHarnessThread *thread;
} Disturber;

/* ------------------------------------------------------------------ pages */

/* Lighter than what frames are padded with to the shape of a network's input. */
static guint8
grey (guint64 number)
{
  return (guint8) (120 + number % 130);
}

static GstFlowReturn
push_page (Stress * s)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, FRAME_BYTES, NULL);
  GstFlowReturn result;

  g_mutex_lock (&s->upstream);
  gst_buffer_memset (buffer, 0, grey (s->next), FRAME_BYTES);
  GST_BUFFER_PTS (buffer) = s->next++ * GST_MSECOND;
  GST_BUFFER_DURATION (buffer) = GST_MSECOND;
  result = gst_harness_push (s->h, buffer);
  g_mutex_unlock (&s->upstream);
  return result;
}

/* A page has its own regions and the size that the caps before it say. */
static void
check_page (GstPad * pad, GstBuffer * buffer, guint64 number)
{
  GstDocLayout *layout = gst_doc_layout_meta_get (buffer);
  GstCaps *current = gst_pad_get_current_caps (pad);
  GstVideoInfo info;

  fail_unless (layout != NULL, "page %" G_GUINT64_FORMAT " has no layout",
      number);
  fail_unless (current && gst_video_info_from_caps (&info, current));
  fail_unless_equals_int (layout->width, GST_VIDEO_INFO_WIDTH (&info));
  fail_unless_equals_int (layout->height, GST_VIDEO_INFO_HEIGHT (&info));
  fail_unless (layout->regions->len <= 1);
  if (layout->regions->len == 1) {
    gdouble score = g_array_index (layout->regions, GstDocRegion, 0).score;

    fail_unless (ABS (score - grey (number) / 255.0) < 2e-3,
        "page %" G_GUINT64_FORMAT " scores %g", number, score);
  }
  gst_caps_unref (current);
  gst_doc_layout_free (layout);
}

static GstPadProbeReturn
on_page (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  Stress *s = data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  guint64 number = GST_BUFFER_PTS (buffer) / GST_MSECOND;

  fail_unless (number >= s->last, "page %" G_GUINT64_FORMAT " after %"
      G_GUINT64_FORMAT, number, s->last - 1);
  s->last = number + 1;
  fail_unless (number >= s->first, "page %" G_GUINT64_FORMAT " was flushed",
      number);
  check_page (pad, buffer, number);
  g_atomic_int_inc (&s->n_out);
  return g_atomic_int_get (&s->calm) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

/* ------------------------------------------------------------------ disturbances */

/* What is serialized comes from one thread at a time, and a stream begins before its pages; all else comes whenever it
 * likes. Functions whose names end in _locked have the lock. */

static void
push_caps_locked (Stress * s, guint number)
{
  GstCaps *other = gst_caps_from_string (caps[number]);

  gst_harness_push_event (s->h, gst_event_new_caps (other));
  gst_caps_unref (other);
}

static void
begin_stream_locked (Stress * s)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (s->h, gst_event_new_stream_start ("stress"));
  push_caps_locked (s, 0);
  gst_harness_push_event (s->h, gst_event_new_segment (&segment));
}

static void
change_settings (Stress * s, GRand * rand)
{
  g_object_set (s->h->element,
      "threshold", g_rand_double (rand),
      "iou-threshold", g_rand_double (rand),
      "max-detections", g_rand_int_range (rand, 1, 100),
      "resize-filter", g_rand_int_range (rand, 0, 5),
      "duplicates", g_rand_int_range (rand, 0, 2),
      "batch-timeout", g_rand_int_range (rand, 0, 4), NULL);
}

/* These are for the next time that it starts. */
static void
change_setup (Stress * s, GRand * rand)
{
  g_object_set (s->h->element, "batch-size", g_rand_int_range (rand, 1, 6),
      "threads", g_rand_int_range (rand, 1, 4), NULL);
}

static void
change_model (Stress * s, GRand * rand)
{
  g_object_set (s->h->element, "model-file",
      s->models[g_rand_int_range (rand, 0, G_N_ELEMENTS (s->models))], NULL);
}

static void
read_properties (Stress * s, GRand * rand)
{
  g_autofree gchar *device = NULL, *model = NULL;
  GstStructure *stats;

  g_object_get (s->h->element, "stats", &stats, "device-used", &device,
      "model-file", &model, NULL);
  gst_structure_free (stats);
}

static void
change_caps (Stress * s, GRand * rand)
{
  g_mutex_lock (&s->upstream);
  push_caps_locked (s, g_rand_int_range (rand, 0, G_N_ELEMENTS (caps)));
  g_mutex_unlock (&s->upstream);
}

static void
push_segment_locked (Stress * s)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (s->h, gst_event_new_segment (&segment));
}

static void
send_events (Stress * s, GRand * rand)
{
  g_mutex_lock (&s->upstream);
  gst_harness_push_event (s->h,
      gst_event_new_tag (gst_tag_list_new_empty ()));
  gst_harness_push_event (s->h, gst_event_new_gap (0, GST_SECOND));
  push_segment_locked (s);
  g_mutex_unlock (&s->upstream);
}

static void
end_stream (Stress * s, GRand * rand)
{
  g_mutex_lock (&s->upstream);
  gst_harness_push_event (s->h, gst_event_new_eos ());
  begin_stream_locked (s);
  g_mutex_unlock (&s->upstream);
}

static void
send_queries (Stress * s, GRand * rand)
{
  GstCaps *any = gst_caps_from_string (caps[0]);
  GstQuery *queries[] = {
    gst_query_new_allocation (any, TRUE), gst_query_new_drain (),
    gst_query_new_caps (NULL)
  };

  g_mutex_lock (&s->upstream);
  for (guint i = 0; i < G_N_ELEMENTS (queries); i++) {
    gst_pad_peer_query (s->h->srcpad, queries[i]);
    gst_query_unref (queries[i]);
  }
  g_mutex_unlock (&s->upstream);
  gst_harness_query_latency (s->h);
  gst_caps_unref (any);
}

static void
send_upstream (Stress * s, GRand * rand)
{
  gst_harness_push_upstream_event (s->h, gst_event_new_reconfigure ());
  gst_harness_push_upstream_event (s->h,
      gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 1.5, 0, 0));
  gst_harness_push_upstream_event (s->h, gst_event_new_latency (GST_SECOND));
}

static void
flush (Stress * s, GRand * rand)
{
  gst_harness_push_event (s->h, gst_event_new_flush_start ());
  if (g_rand_boolean (rand))
    g_usleep (g_rand_int_range (rand, 0, 1000));
  g_mutex_lock (&s->upstream);
  s->first = s->next;
  gst_harness_push_event (s->h, gst_event_new_flush_stop (TRUE));
  push_segment_locked (s);
  g_mutex_unlock (&s->upstream);
}

/* Down at any moment; up with nobody pushing, since the stream has to begin first. */
static void
change_state (Stress * s, GRand * rand)
{
  static const GstState states[] = { GST_STATE_NULL, GST_STATE_READY,
    GST_STATE_PAUSED
  };
  GstState state = states[g_rand_int_range (rand, 0, G_N_ELEMENTS (states))];

  fail_unless (gst_element_set_state (s->h->element,
          state) != GST_STATE_CHANGE_FAILURE);
  g_mutex_lock (&s->upstream);
  if (state != GST_STATE_PAUSED)
    s->first = s->next;
  fail_unless (gst_element_set_state (s->h->element,
          GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  begin_stream_locked (s);
  g_mutex_unlock (&s->upstream);
}

/* What drops pages rests a while in between, so that some get through. */
static const struct
{
  const gchar *name;
  void (*disturb) (Stress * stress, GRand * rand);
  gulong rest;                  /* µs */
} kinds[] = {
  {"settings", change_settings, 300},
  {"setup", change_setup, 300},
  {"model", change_model, 2000},
  {"reading", read_properties, 300},
  {"caps", change_caps, 2500},
  {"events", send_events, 300},
  {"queries", send_queries, 1000},
  {"upstream", send_upstream, 300},
  {"end", end_stream, 3000},
  {"flush", flush, 4000},
  {"states", change_state, 10000},
};

guint
stress_n_kinds (void)
{
  return G_N_ELEMENTS (kinds);
}

const gchar *
stress_kind (guint kind)
{
  return kinds[kind].name;
}

/* ------------------------------------------------------------------ running */

static void
disturb (gpointer thread, gpointer data)
{
  Disturber *d = data;

  d->disturb (d->stress, d->rand);
  g_atomic_int_inc (&d->times);
}

static void
start_disturber (Disturber * d, Stress * s, guint kind)
{
  d->stress = s;
  d->disturb = kinds[kind].disturb;
  d->rand = g_rand_new_with_seed (kind);
  d->thread = gst_harness_stress_custom_start (s->h, NULL, disturb, d,
      kinds[kind].rest);
}

static gboolean
is_enough (Stress * s, Disturber * d, guint n)
{
  gboolean enough = g_atomic_int_get (&s->n_out) >= ENOUGH_PAGES;

  for (guint i = 0; i < n; i++)
    enough &= g_atomic_int_get (&d[i].times) >= ENOUGH_TIMES;
  return enough;
}

static void
add_models (Stress * s)
{
  g_autofree gchar *bytes = NULL;
  gsize size;

  g_object_get (s->h->element, "model-file", &s->models[0], NULL);
  s->models[1] = g_strconcat (s->models[0], "-copy", NULL);
  fail_unless (g_file_get_contents (s->models[0], &bytes, &size, NULL)
      && g_file_set_contents (s->models[1], bytes, (gssize) size, NULL));
}

static void
remove_models (Stress * s)
{
  g_unlink (s->models[1]);
  for (guint i = 0; i < G_N_ELEMENTS (s->models); i++)
    g_free (s->models[i]);
}

static void
check_no_error (Stress * s)
{
  GstMessage *message = gst_bus_pop_filtered (s->bus, GST_MESSAGE_ERROR);
  GError *error = NULL;

  if (message)
    gst_message_parse_error (message, &error, NULL);
  fail_unless (error == NULL, "%s", error ? error->message : "");
}

/* Undisturbed again, after a flush, it gives every page. */
static void
check_afterwards (Stress * s)
{
  guint64 number;

  g_object_set (s->h->element, "threshold", 0.0, "batch-size", 3,
      "batch-timeout", 3600000, "model-file", s->models[0], NULL);
  gst_element_set_state (s->h->element, GST_STATE_READY);
  gst_element_set_state (s->h->element, GST_STATE_PLAYING);
  gst_harness_push_event (s->h, gst_event_new_flush_start ());
  gst_harness_push_event (s->h, gst_event_new_flush_stop (TRUE));
  begin_stream_locked (s);
  g_atomic_int_set (&s->calm, TRUE);
  number = s->next;
  for (guint i = 0; i < N_AFTERWARDS; i++)
    fail_unless_equals_int (push_page (s), GST_FLOW_OK);
  gst_harness_push_event (s->h, gst_event_new_eos ());
  for (guint i = 0; i < N_AFTERWARDS; i++) {
    GstBuffer *buffer = gst_harness_pull (s->h);
    GstDocLayout *layout;

    fail_unless (buffer != NULL, "page %u did not come", i);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer),
        (number + i) * GST_MSECOND);
    layout = gst_doc_layout_meta_get (buffer);
    fail_unless_equals_int (layout->regions->len, 1);
    gst_doc_layout_free (layout);
    gst_buffer_unref (buffer);
  }
}

void
stress_run (GstElement * element, gint kind)
{
  Disturber d[G_N_ELEMENTS (kinds)] = { {0} };
  const guint n = kind == STRESS_ALL ? G_N_ELEMENTS (kinds) : 1;
  Stress s = { gst_harness_new_with_element (element, "sink", "src"),
    gst_bus_new ()
  };

  g_mutex_init (&s.upstream);
  add_models (&s);
  gst_element_set_bus (element, s.bus);
  gst_pad_add_probe (s.h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, on_page, &s,
      NULL);
  gst_harness_set_src_caps_str (s.h, caps[0]);
  for (guint i = 0; i < n; i++)
    start_disturber (&d[i], &s, kind == STRESS_ALL ? i : (guint) kind);
  while (!is_enough (&s, d, n)) {
    if (push_page (&s) != GST_FLOW_OK)
      g_usleep (100);           /* it is flushing, or has no caps yet */
  }
  for (guint i = 0; i < n; i++) {
    gst_harness_stress_thread_stop (d[i].thread);
    g_rand_free (d[i].rand);
  }
  check_afterwards (&s);
  check_no_error (&s);
  gst_element_set_bus (element, NULL);
  gst_object_unref (s.bus);
  g_mutex_clear (&s.upstream);
  remove_models (&s);
  gst_harness_teardown (s.h);
}
