/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs one pipeline written as for gst-launch-1.0, which itself cannot serve here: it prints to
 * standard output, where the pages go, and exits 0 when pages failed. */
#include <glib-unix.h>
#include <gst/gst.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "launch-pages.h"
#include "launch-progress.h"
#include "launch-property.h"

enum {
  EXIT_ALL_WELL = 0,
  EXIT_FATAL = 1,
  EXIT_USAGE = 2,
  EXIT_PAGES_FAILED = 3,
  EXIT_INTERRUPTED = 130 /* as a shell reports SIGINT */
};

typedef struct {
  GstElement *pipeline;
  GMainLoop *loop;
  launch_progress *progress;
  GPtrArray *warnings; /* held back until a page passes: a run that fails says one thing only */
  char *first_file, *last_file; /* of those that sinks told of */
  guint n_files;
  gboolean verbose, quiet;
  gboolean interrupted;
  gboolean finished; /* EOS came */
  int status;
} launch;

typedef struct {
  char **set, **options, **pipeline;
  gboolean number_files, quiet, verbose, version;
} arguments;

static const char description[]
  = "PIPELINE is written as for gst-launch-1.0. Progress goes to standard error. Ctrl-C finishes the\n"
    "pages under way and ends the stream; a second one stops at once.\n\n"
    "Exit status: 0 all well, 1 the run failed, 2 wrong usage, 3 some pages failed, 130 interrupted.\n";

static gboolean
parse_arguments (int *argc, char ***argv, arguments *args, GError **error)
{
  const GOptionEntry entries[] = {
    { "set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &args->set,
      "Set a property of a named element; VALUE is taken as it is", "ELEMENT.PROPERTY=VALUE" },
    { "option", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &args->options,
      "Set it on the first element that has it", "PROPERTY=VALUE" },
    { "number-files", 0, 0, G_OPTION_ARG_NONE, &args->number_files,
      "Number the files of multifilesinks by page", NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &args->quiet, "Say nothing at the end of a run that went well", NULL },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &args->verbose, "Say more about errors", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &args->version, "Print the version", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &args->pipeline, NULL, NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  g_autoptr (GOptionContext) context
    = g_option_context_new ("[--] PIPELINE - run a pipeline over the pages of a document");
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  g_option_context_set_strict_posix (context, TRUE);
  return g_option_context_parse (context, argc, argv, error);
}

static void
free_arguments (arguments *args)
{
  g_strfreev (args->set);
  g_strfreev (args->options);
  g_strfreev (args->pipeline);
}

static void
number_files (GstElement *pipeline)
{
  g_autoptr (GstIterator) sinks
    = gst_bin_iterate_all_by_element_factory_name (GST_BIN (pipeline), "multifilesink");
  g_auto (GValue) item = G_VALUE_INIT;
  while (gst_iterator_next (sinks, &item) == GST_ITERATOR_OK) {
    launch_pages_number_files (g_value_get_object (&item));
    g_value_reset (&item);
  }
}

/* The pipeline that the arguments describe, or NULL with `error` set. */
static GstElement *
build_pipeline (const arguments *args, GError **error)
{
  g_autoptr (GstElement) pipeline
    = gst_parse_launchv_full ((const char **) args->pipeline, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  if (!pipeline)
    return NULL;
  gst_object_ref_sink (pipeline);
  if (!GST_IS_PIPELINE (pipeline)) {
    GstElement *only = g_steal_pointer (&pipeline);
    pipeline = gst_pipeline_new (NULL);
    gst_bin_add (GST_BIN (pipeline), only);
    gst_object_unref (only);
  }
  for (char **set = args->set; set && *set; set++)
    if (!launch_property_set (pipeline, *set, error))
      return NULL;
  for (char **option = args->options; option && *option; option++)
    if (!launch_property_set_anywhere (pipeline, *option, error))
      return NULL;
  if (args->number_files)
    number_files (pipeline);
  launch_pages_watch (pipeline);
  return g_steal_pointer (&pipeline);
}

static void
say_warnings (launch *run)
{
  for (guint i = 0; i < run->warnings->len; i++)
    launch_progress_say (run->progress, "warning: %s", (char *) g_ptr_array_index (run->warnings, i));
  g_ptr_array_set_size (run->warnings, 0);
}

static void
on_error (launch *run, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  gst_message_parse_error (message, &error, &debug);
  launch_progress_end (run->progress);
  launch_progress_say (run->progress, "error: %s", error->message);
  if (run->verbose)
    launch_progress_say (run->progress, "from %s: %s", GST_MESSAGE_SRC_NAME (message), debug ? debug : "-");
  /* A sink that fails has said all there is to say of what it wrote. */
  if (launch_progress_pages (run->progress) > 0
      && !GST_OBJECT_FLAG_IS_SET (GST_MESSAGE_SRC (message), GST_ELEMENT_FLAG_SINK))
    launch_progress_say (run->progress, "the run ended there; what it has written is not complete");
  run->status = EXIT_FATAL;
  g_main_loop_quit (run->loop);
}

static void
on_warning (launch *run, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  const GstStructure *details = NULL;
  gst_message_parse_warning_details (message, &details);
  if (details && gst_structure_has_field (details, "page"))
    return; /* said when the page itself comes by */
  gst_message_parse_warning (message, &error, NULL);
  g_ptr_array_add (run->warnings, g_strdup (error->message));
  if (launch_progress_pages (run->progress) > 0)
    say_warnings (run);
}

static void
note_file (launch *run, const char *name)
{
  char **file = run->n_files++ ? &run->last_file : &run->first_file;
  g_free (*file);
  *file = g_strdup (name);
}

static void
on_element_message (launch *run, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  if (gst_structure_has_name (structure, LAUNCH_PAGE_MESSAGE)) {
    say_warnings (run);
    launch_progress_page (run->progress, structure);
  } else if (gst_structure_has_name (structure, "GstMultiFileSink")) {
    note_file (run, gst_structure_get_string (structure, "filename"));
  } else if (gst_structure_has_name (structure, "jsonsink-file")) {
    note_file (run, gst_structure_get_string (structure, "location"));
  }
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  launch *run = user_data;
  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    on_error (run, message);
    return G_SOURCE_REMOVE; /* what follows from it is no news */
  case GST_MESSAGE_WARNING:
    on_warning (run, message);
    break;
  case GST_MESSAGE_ELEMENT:
    on_element_message (run, message);
    break;
  case GST_MESSAGE_LATENCY:
    gst_bin_recalculate_latency (GST_BIN (run->pipeline));
    break;
  case GST_MESSAGE_EOS:
    run->finished = TRUE;
    g_main_loop_quit (run->loop);
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

static void
send_eos (const GValue *item, gpointer user_data)
{
  gst_element_send_event (g_value_get_object (item), gst_event_new_eos ());
}

/* A source takes the event only between two buffers, and the pipeline that passes it on would
 * refuse to change its state meanwhile: hence to each source, and from a thread of its own. */
static void
end_sources (GstElement *pipeline, gpointer user_data)
{
  g_autoptr (GstIterator) sources = gst_bin_iterate_sources (GST_BIN (pipeline));
  gst_iterator_foreach (sources, send_eos, NULL);
}

static void
stop_sink (const GValue *item, gpointer user_data)
{
  gst_element_set_state (g_value_get_object (item), GST_STATE_NULL);
}

/* A source that still waits to take the end of the stream holds its state: what it pushes into
 * goes first, so that it wakes up. */
static void
stop (launch *run)
{
  if (run->interrupted && !run->finished) {
    g_autoptr (GstIterator) sinks = gst_bin_iterate_sinks (GST_BIN (run->pipeline));
    gst_iterator_foreach (sinks, stop_sink, NULL);
  }
  gst_element_set_state (run->pipeline, GST_STATE_NULL);
}

static gboolean
on_interrupt (gpointer user_data)
{
  launch *run = user_data;
  if (run->interrupted) {
    g_main_loop_quit (run->loop);
    return G_SOURCE_CONTINUE;
  }
  run->interrupted = TRUE;
  launch_progress_say (run->progress, "interrupted: finishing the pages under way (again: stop at once)");
  gst_element_call_async (run->pipeline, end_sources, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static void
say_path (const GValue *item, gpointer user_data)
{
  GstElement *sink = g_value_get_object (item);
  g_autofree char *path = NULL;
  GObjectClass *class = G_OBJECT_GET_CLASS (sink);
  GParamSpec *spec = g_object_class_find_property (class, "location");
  /* That of a multifilesink or a jsonsink may be a pattern; their files are known from their messages. */
  if (!spec || spec->value_type != G_TYPE_STRING || g_object_class_find_property (class, "index")
      || g_object_class_find_property (class, "empty-pages"))
    return;
  g_object_get (sink, "location", &path, NULL);
  if (path && strcmp (path, "-") != 0)
    fprintf (stderr, "written: %s\n", path);
}

static void
say_written_paths (launch *run)
{
  g_autoptr (GstIterator) sinks = gst_bin_iterate_sinks (GST_BIN (run->pipeline));
  gst_iterator_foreach (sinks, say_path, NULL);
  if (run->n_files == 1)
    fprintf (stderr, "written: %s\n", run->first_file);
  else if (run->n_files > 1)
    fprintf (stderr, "written: %s to %s, %u files\n", run->first_file, run->last_file, run->n_files);
}

static void
report_end (launch *run)
{
  say_warnings (run);
  launch_progress_end (run->progress);
  if (run->interrupted)
    launch_progress_say (run->progress, "interrupted after %u pages%s", launch_progress_pages (run->progress),
                         run->finished ? "" : ", stopped before they were finished");
  if (!run->quiet)
    launch_progress_summary (run->progress);
  if (!run->quiet && run->finished && launch_progress_pages (run->progress) > 0)
    say_written_paths (run);
  if (run->interrupted)
    run->status = EXIT_INTERRUPTED;
  else if (launch_progress_failed_pages (run->progress) > 0)
    run->status = EXIT_PAGES_FAILED;
}

static void
run_pipeline (launch *run)
{
  GstBus *bus = gst_element_get_bus (run->pipeline);
  guint watch = gst_bus_add_watch (bus, on_message, run);
  gst_object_unref (bus);

  launch_progress_start (run->progress);
  /* An element that refuses to start says why on the bus; until it has started there is nothing
   * to finish, and a signal ends the program as usual. */
  GstStateChangeReturn started = gst_element_set_state (run->pipeline, GST_STATE_PLAYING);
  guint interrupt = g_unix_signal_add (SIGINT, on_interrupt, run);
  guint terminate = g_unix_signal_add (SIGTERM, on_interrupt, run);
  if (started == GST_STATE_CHANGE_FAILURE) {
    while (run->status == EXIT_ALL_WELL && g_main_context_iteration (NULL, FALSE))
      continue;
    if (run->status == EXIT_ALL_WELL)
      launch_progress_say (run->progress, "error: the pipeline could not start");
    run->status = EXIT_FATAL;
  } else {
    g_main_loop_run (run->loop);
  }
  if (run->status == EXIT_ALL_WELL)
    report_end (run);
  stop (run);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  if (run->status != EXIT_FATAL)
    g_source_remove (watch);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  arguments args = { 0 };
  launch run = { 0 };

  setlocale (LC_ALL, "");
  if (!parse_arguments (&argc, &argv, &args, &error) || (!args.pipeline && !args.version)) {
    fprintf (stderr, "error: %s\n", error ? error->message : "no pipeline given; see --help");
    free_arguments (&args);
    return EXIT_USAGE;
  }
  if (args.version) {
    puts ("doclayout-launch " GST_DOC_VERSION);
    free_arguments (&args);
    return EXIT_ALL_WELL;
  }
  run.pipeline = build_pipeline (&args, &error);
  if (!run.pipeline) {
    gboolean missing = g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT);
    fprintf (stderr, "error: %s\n", error->message);
    free_arguments (&args);
    return missing ? EXIT_FATAL : EXIT_USAGE;
  }
  run.verbose = args.verbose;
  run.quiet = args.quiet;
  run.loop = g_main_loop_new (NULL, FALSE);
  run.progress = launch_progress_new ();
  run.warnings = g_ptr_array_new_with_free_func (g_free);
  run_pipeline (&run);

  launch_progress_free (run.progress);
  g_ptr_array_unref (run.warnings);
  g_main_loop_unref (run.loop);
  gst_object_unref (run.pipeline);
  g_free (run.first_file);
  g_free (run.last_file);
  free_arguments (&args);
  return run.status;
}
