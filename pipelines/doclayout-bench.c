/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measures how fast pages go through the renderer, the network and the whole pipeline on this machine. */
#include <gst/gst.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "bench-frames.h"
#include "bench-report.h"
#include "bench-run.h"
#include "launch-property.h"

enum {
  EXIT_ALL_WELL = 0,
  EXIT_FATAL = 1,
  EXIT_USAGE = 2,
  EXIT_PAGES_FAILED = 3
};

/* Pages before the clock starts: two batches of a GPU's default size. */
#define WARM_UP 32
/* Frames that the network alone is given over and over. */
#define KEPT_FRAMES 64

typedef struct {
  char **files, **options;
  int pages, repeat;
  char *only; /* stage; NULL: all */
  gboolean json, memory, verbose, version;
  guint failed; /* pages */
} bench;

static const char description[]
  = "Prints pages a second of three pipelines: pdfsrc ! fakesink, frames rendered before ! cudalayoutdetect !\n"
    "fakesink, and pdfsrc ! cudalayoutdetect ! queue ! jsonsink location=/dev/null. Start-up and the first 32 pages of each\n"
    "are not in the time. Several documents run one after the other; their pages and times are added up.\n\n"
    "Exit status: 0 all well, 1 a run failed, 2 wrong usage, 3 some pages failed.\n";

static gboolean
parse_arguments (int *argc, char ***argv, bench *b, GError **error)
{
  const GOptionEntry entries[] = {
    { "pages", 0, 0, G_OPTION_ARG_INT, &b->pages,
      "Pages that each measurement is of at least (600); documents are repeated for that", "N" },
    { "repeat", 0, 0, G_OPTION_ARG_INT, &b->repeat, "Rounds, of which medians are printed (3)", "N" },
    { "only", 0, 0, G_OPTION_ARG_STRING, &b->only, "Measure one of renderer, network, whole", "STAGE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &b->json, "Print one JSON object", NULL },
    { "memory", 0, 0, G_OPTION_ARG_NONE, &b->memory,
      "Compare the kinds of memory that cudalayoutdetect proposes to elements before it", NULL },
    { "option", 'p', 0, G_OPTION_ARG_FILENAME_ARRAY, &b->options,
      "Set it on the first element that has it", "PROPERTY=VALUE" },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &b->verbose, "Print each document too", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &b->version, "Print the version", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &b->files, NULL, NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE.pdf… - measure the pipeline's speed");
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (!g_option_context_parse (context, argc, argv, error) || b->version)
    return b->version;
  if (!b->files)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "no PDF file given; see --help");
  else if (b->pages < 1 || b->pages > 100000000)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "pages is to be from 1 to 100000000");
  else if (b->repeat < 1 || b->repeat > 1000)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "repeat is to be from 1 to 1000");
  else if (b->only && !g_strv_contains (bench_stage_names, b->only))
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "only takes renderer, network or whole");
  else
    return TRUE;
  return FALSE;
}

/* ------------------------------------------------------------------ pipelines */

/* (transfer floating) */
static GstElement *
make_element (const char *factory, const char *name, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, name);
  if (!element)
    g_set_error (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT, "no element \"%s\"", factory);
  return element;
}

/* Sets what the user said; where `all`, an element of the pipeline must have each property. */
static gboolean
set_options (const bench *b, GstElement *pipeline, gboolean all, GError **error)
{
  for (char **option = b->options; option && *option; option++) {
    g_autoptr (GError) why = NULL;
    if (launch_property_set_anywhere (pipeline, *option, &why))
      continue;
    if (!all && g_error_matches (why, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
      continue;
    g_propagate_error (error, g_steal_pointer (&why));
    return FALSE;
  }
  return TRUE;
}

/* Room for pages between two threads, one of which writes lines while the other looks for regions. (transfer floating) */
static GstElement *
make_queue (GError **error)
{
  GstElement *queue = make_element ("queue", "lines", error);
  if (queue)
    g_object_set (queue, "max-size-buffers", 16, "max-size-bytes", 0, "max-size-time", (guint64) 0, NULL);
  return queue;
}

/* source (transfer floating; or NULL: with `error` set already) ! cudalayoutdetect, where `detect` ! queue ! jsonsink,
 * where `json`, else fakesink; with the user's options. NULL with `error` set. (transfer full) */
static GstElement *
make_pipeline (const bench *b, GstElement *source, gboolean detect, gboolean json, GError **error)
{
  g_autoptr (GstElement) pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  if (!source)
    return NULL;
  gst_bin_add (GST_BIN (pipeline), source);
  GstElement *detector = detect ? make_element ("cudalayoutdetect", "detect", error) : NULL;
  if (detect && !detector)
    return NULL;
  GstElement *sink = make_element (json ? "jsonsink" : "fakesink", "sink", error);
  if (!sink)
    return NULL;
  if (json)
    g_object_set (sink, "location", "/dev/null", NULL);
  gst_bin_add (GST_BIN (pipeline), sink);
  if (detector)
    gst_bin_add (GST_BIN (pipeline), detector);
  GstElement *queue = json ? make_queue (error) : NULL;
  if (json && !queue)
    return NULL;
  if (queue)
    gst_bin_add (GST_BIN (pipeline), queue);
  GstElement *next = queue ? queue : sink;
  if (!(detector ? gst_element_link_many (source, detector, next, NULL) : gst_element_link (source, next))
      || (queue && !gst_element_link (queue, sink))) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_PAD, "the elements do not fit together");
    return NULL;
  }
  return set_options (b, pipeline, detect && json, error) ? g_steal_pointer (&pipeline) : NULL;
}

/* A pdfsrc of some pages. (transfer floating) */
static GstElement *
make_pdfsrc (const char *path, const char *pages, GError **error)
{
  GstElement *source = make_element ("pdfsrc", "src", error);
  if (source)
    g_object_set (source, "location", path, "pages", pages, NULL);
  return source;
}

/* `count` pages of a document of `n`, in its order, over and over, as the property pages takes it. */
static char *
repeat_pages (guint n, guint count)
{
  GString *text = g_string_new (NULL);
  for (; count > 0; count -= MIN (n, count))
    g_string_append_printf (text, "%s1-%u", text->len ? "," : "", MIN (n, count));
  return g_string_free (text, FALSE);
}

static GPtrArray *
collect_frames (const bench *b, const char *path, guint *pages, GError **error)
{
  g_autofree char *first = g_strdup_printf ("-%d", KEPT_FRAMES);
  g_autoptr (GstElement) pipeline = make_pipeline (b, make_pdfsrc (path, first, error), FALSE, FALSE, error);
  return pipeline ? bench_frames_collect (pipeline, KEPT_FRAMES, pages, error) : NULL;
}

/* ------------------------------------------------------------------ measurements */

static gboolean
measure (bench *b, GstElement *pipeline, bench_result *result, GError **error)
{
  if (!pipeline || !bench_run (pipeline, WARM_UP, result, error))
    return FALSE;
  b->failed += result->failed;
  return TRUE;
}

static void
tell (const bench *b, guint round, const char *path, const char *what, const bench_result *result)
{
  fprintf (stderr, "round %u of %d, %s, %s: %.1f pages/s\n", round + 1, b->repeat, path, what,
           result->figures[BENCH_PAGES] / result->figures[BENCH_SECONDS]);
}

/* Pages of each document that leave a pipeline while the clock runs: whole batches of the usual sizes, since the
 * last of a stream that is not full is another matter. */
static guint
pages_each (const bench *b)
{
  guint n = g_strv_length (b->files);
  guint each = ((guint) b->pages + n - 1) / n;
  return (each + WARM_UP - 1) / WARM_UP * WARM_UP;
}

static gboolean
run_stage (bench *b, bench_stage stage, const char *path, GPtrArray *frames, guint document_pages,
           bench_result *result, GError **error)
{
  guint count = pages_each (b) + WARM_UP;
  g_autofree char *pages = repeat_pages (document_pages, count);
  GstElement *source = stage == BENCH_NETWORK ? bench_frames_new (frames, count, BENCH_FRAMES_HAND_OVER)
                                              : make_pdfsrc (path, pages, error);
  g_autoptr (GstElement) pipeline
    = make_pipeline (b, source, stage != BENCH_RENDERER, stage == BENCH_WHOLE, error);
  return measure (b, pipeline, result, error);
}

/* All stages of one document; frames are not kept while the whole pipeline's memory is looked at. */
static gboolean
run_round (bench *b, bench_document *document, guint round, GError **error)
{
  const bench_stage order[] = { BENCH_NETWORK, BENCH_RENDERER, BENCH_WHOLE };
  guint pages;
  g_autoptr (GPtrArray) frames = collect_frames (b, document->path, &pages, error);
  for (guint i = 0; frames && i < G_N_ELEMENTS (order); i++) {
    bench_result *result = &document->rounds[order[i]][round];
    if (b->only && strcmp (b->only, bench_stage_names[order[i]]) != 0) {
      bench_result_clear (result);
      continue;
    }
    if (!run_stage (b, order[i], document->path, frames, pages, result, error))
      return FALSE;
    tell (b, round, document->path, bench_stage_names[order[i]], result);
    if (order[i] == BENCH_NETWORK)
      g_ptr_array_set_size (frames, 0);
    if (result->warning && round == 0)
      fprintf (stderr, "warning: %s\n", result->warning);
  }
  return frames != NULL;
}

static void
free_results (bench_result *results, guint rounds)
{
  for (guint i = 0; results && i < rounds; i++)
    bench_result_clear (&results[i]);
  g_free (results);
}

static gboolean
measure_stages (bench *b, GError **error)
{
  g_autoptr (GPtrArray) documents = g_ptr_array_new ();
  gboolean ok = TRUE;
  for (char **file = b->files; *file; file++) {
    bench_document *document = g_new0 (bench_document, 1);
    document->path = *file;
    for (int stage = 0; stage < BENCH_N_STAGES; stage++)
      document->rounds[stage] = g_new0 (bench_result, b->repeat);
    g_ptr_array_add (documents, document);
  }
  for (guint round = 0; ok && round < (guint) b->repeat; round++)
    for (guint i = 0; ok && i < documents->len; i++)
      ok = run_round (b, g_ptr_array_index (documents, i), round, error);
  if (ok && b->json)
    bench_report_json (documents, b->repeat);
  else if (ok)
    bench_report_table (documents, b->repeat, b->verbose);
  for (guint i = 0; i < documents->len; i++) {
    bench_document *document = g_ptr_array_index (documents, i);
    for (int stage = 0; stage < BENCH_N_STAGES; stage++)
      free_results (document->rounds[stage], b->repeat);
    g_free (document);
  }
  return ok;
}

/* ------------------------------------------------------------------ kinds of memory */

static GParamSpecEnum *
find_memory_property (GError **error)
{
  g_autoptr (GstElement) detector = make_element ("cudalayoutdetect", NULL, error);
  if (!detector)
    return NULL;
  gst_object_ref_sink (detector);
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (detector), "memory");
  if (spec && G_IS_PARAM_SPEC_ENUM (spec))
    return G_PARAM_SPEC_ENUM (spec);
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "this cudalayoutdetect has no property memory");
  return NULL;
}

static gboolean
run_memory (bench *b, const char *name, GPtrArray *frames, bench_result *result, GError **error)
{
  GstElement *source = bench_frames_new (frames, pages_each (b) + WARM_UP, BENCH_FRAMES_COPY);
  g_autoptr (GstElement) pipeline = make_pipeline (b, source, TRUE, FALSE, error);
  if (!pipeline)
    return FALSE;
  g_autoptr (GstElement) detector = gst_bin_get_by_name (GST_BIN (pipeline), "detect");
  gst_util_set_object_arg (G_OBJECT (detector), "memory", name);
  return measure (b, pipeline, result, error);
}

static void
leave_out (bench_memory *memory, guint rounds, const char *why)
{
  g_free (memory->note);
  memory->note = g_strdup (why);
  free_results (g_steal_pointer (&memory->results), rounds);
}

/* A machine that cannot have a kind of memory refuses it in the first round; for a CPU there is but one kind, which
 * stands for all: `first`. */
static void
compare_memory (bench *b, bench_memory *memory, const bench_memory *first, guint round, GPtrArray *frames)
{
  g_autoptr (GError) error = NULL;
  if (!memory->results)
    return;
  if (memory != first && first->results && g_str_has_prefix (first->results[0].device, "cpu")) {
    leave_out (memory, round, "the network runs on the CPU, for which all are the same");
    return;
  }
  bench_result *result = &memory->results[round];
  if (!run_memory (b, memory->name, frames, result, &error)) {
    leave_out (memory, round, error->message);
    return;
  }
  tell (b, round, b->files[0], memory->name, result);
  if (!memory->note)
    memory->note = g_strdup (result->warning);
}

/* Those that have the first one's size: a pool's buffers all have one. */
static void
keep_one_size (GPtrArray *frames)
{
  GstCaps *caps = gst_sample_get_caps (g_ptr_array_index (frames, 0));
  for (guint i = frames->len; i-- > 1;)
    if (!gst_caps_is_equal (caps, gst_sample_get_caps (g_ptr_array_index (frames, i))))
      g_ptr_array_remove_index (frames, i);
}

static gboolean
measure_memories (bench *b, GError **error)
{
  GParamSpecEnum *spec = find_memory_property (error);
  guint pages;
  g_autoptr (GPtrArray) frames = spec ? collect_frames (b, b->files[0], &pages, error) : NULL;
  g_autoptr (GPtrArray) memories = g_ptr_array_new ();
  if (!frames)
    return FALSE;
  keep_one_size (frames);
  for (guint i = 0; i < spec->enum_class->n_values; i++) {
    bench_memory *memory = g_new0 (bench_memory, 1);
    memory->name = (char *) spec->enum_class->values[i].value_nick;
    memory->results = g_new0 (bench_result, b->repeat);
    g_ptr_array_add (memories, memory);
  }
  for (guint round = 0; round < (guint) b->repeat; round++)
    for (guint i = 0; i < memories->len; i++)
      compare_memory (b, g_ptr_array_index (memories, i), g_ptr_array_index (memories, 0), round, frames);
  if (b->json)
    bench_report_memories_json (memories, b->repeat);
  else
    bench_report_memories_table (memories, b->repeat);
  for (guint i = 0; i < memories->len; i++) {
    bench_memory *memory = g_ptr_array_index (memories, i);
    free_results (memory->results, b->repeat);
    g_free (memory->note);
    g_free (memory);
  }
  return TRUE;
}

/* Whether the options fit the pipeline, before it takes its time. */
static gboolean
check_options (const bench *b, GError **error)
{
  g_autoptr (GstElement) pipeline
    = make_pipeline (b, make_pdfsrc (b->files[0], NULL, error), TRUE, TRUE, error);
  return pipeline != NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  bench b = { .pages = 600, .repeat = 3 };
  int status = EXIT_ALL_WELL;

  setlocale (LC_ALL, "");
  if (!parse_arguments (&argc, &argv, &b, &error))
    status = EXIT_USAGE;
  else if (b.version)
    puts ("doclayout-bench " GST_DOC_VERSION);
  else if (!check_options (&b, &error))
    status = error->domain == GST_PARSE_ERROR ? EXIT_FATAL : EXIT_USAGE;
  else if (!(b.memory ? measure_memories : measure_stages) (&b, &error))
    status = EXIT_FATAL;
  else if (b.failed > 0)
    status = EXIT_PAGES_FAILED;
  if (error)
    fprintf (stderr, "error: %s\n", error->message);
  if (b.failed > 0)
    fprintf (stderr, "%u pages failed\n", b.failed);
  g_strfreev (b.files);
  g_strfreev (b.options);
  g_free (b.only);
  return status;
}
