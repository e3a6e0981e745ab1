/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages pass from the render worker to the network and on to the sink in one memory: no pixel is copied on the way.
 * The engine is the fake one, which tells the addresses it is given; worker and elements are the real ones.
 */
#include "fake_harness.h"
#include "fake_pipeline.h"
#include "gst/gstdoclayoutmeta.h"
#include "gst/gstunifiedallocator.h"
#include "pdfwriter.h"

#include <sys/stat.h>
#include <unistd.h>

#define N_PAGES 7
#define ODD 103                 /* pixels: rows end in padding */
#define EVEN 72
#define HEIGHT 108

/* A page at one place of its way. */
typedef struct
{
  const guint8 *pixels;         /* of the first plane */
  gint stride;                  /* bytes */
  gboolean shared;              /* unified memory, with a descriptor */
} Place;

/* What has been seen, in order. */
static GArray *pushed, *looked_at, *left;       /* of Place: by pdfsrc, by the engine, behind the detector */
static GPtrArray *kept;         /* buffers at the sink: while they are here, no other page has their memory */

/* Addresses are those of where the page lies, so all its bytes must be in one memory. */
static GstPadProbeReturn
note_place (GstPad * pad, GstPadProbeInfo * info, gpointer places)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstMapInfo map;
  Place place = { NULL, meta ? meta->stride[0] : 0,
    gst_is_unified_memory (memory) && gst_unified_memory_get_fd (memory) >= 0
  };

  fail_unless_equals_int (gst_buffer_n_memory (buffer), 1);
  fail_unless (gst_memory_map (memory, &map, GST_MAP_READ));
  place.pixels = map.data + (meta ? meta->offset[0] : 0);
  gst_memory_unmap (memory, &map);
  g_array_append_val (*(GArray **) places, place);
  return GST_PAD_PROBE_OK;
}

static void
note_frame (const nn_frame * page)
{
  Place place = { page->data, page->stride, FALSE };

  g_array_append_val (looked_at, place);
}

static GstPadProbeReturn
keep (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  g_ptr_array_add (kept, gst_buffer_ref (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

static void
add_lists (void)
{
  pushed = g_array_new (FALSE, FALSE, sizeof (Place));
  looked_at = g_array_new (FALSE, FALSE, sizeof (Place));
  left = g_array_new (FALSE, FALSE, sizeof (Place));
  kept = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_buffer_unref);
}

static void
remove_lists (void)
{
  g_array_unref (pushed);
  g_array_unref (looked_at);
  g_array_unref (left);
  g_ptr_array_unref (kept);
  pdf_remove_files ();
}

static GstElement *
start (const gchar * rest, guint width)
{
  PdfPageSpec pages[N_PAGES] = { {0} };
  g_autofree gchar *document = NULL;
  GstElement *pipeline;

  for (guint i = 0; i < N_PAGES; i++) {
    pages[i].width = width;
    pages[i].height = HEIGHT;
  }
  document = pdf_write ("pages.pdf", pages, N_PAGES);
  pipeline = fake_pipeline_new ("pdfsrc name=src dpi=72 location=%s ! %s",
      document, rest);
  fake_engine.see = note_frame;
  fake_engine.ms = 2;
  fake_pipeline_probe (pipeline, "src", "src", note_place, &pushed);
  fake_pipeline_probe (pipeline, "detect", "src", note_place, &left);
  fake_pipeline_probe (pipeline, "sink", "sink", keep, NULL);
  fake_pipeline_play (pipeline);
  fail_unless_equals_int (pushed->len, N_PAGES);
  fail_unless_equals_int (looked_at->len, N_PAGES);
  fail_unless_equals_int (left->len, N_PAGES);
  fail_unless_equals_int (kept->len, N_PAGES);
  return pipeline;
}

static const Place *
place (const GArray * places, guint page)
{
  return &g_array_index (places, Place, page);
}

/* Pages that the network did not read from where the worker wrote them. */
static guint
count_copied (void)
{
  guint n = 0;

  for (guint i = 0; i < N_PAGES; i++)
    n += !place (pushed, i)->shared
        || place (looked_at, i)->pixels != place (pushed, i)->pixels;
  return n;
}

/* The page at the sink is as the worker drew it, all of it, and has the regions that the network found there. */
static void
check_kept (guint i, guint width)
{
  GstBuffer *buffer = g_ptr_array_index (kept, i);
  GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  const guint stride = meta ? (guint) meta->stride[0] : width * 4;
  GstDocLayout *layout = gst_doc_layout_meta_get (buffer);
  GstMapInfo map;

  fail_unless (gst_buffer_map (buffer, &map, GST_MAP_READ));
  fail_unless (map.size >= stride * HEIGHT);
  for (guint y = 0; y < HEIGHT; y++)
    for (guint x = 0; x < width * 4; x++)
      fail_unless (x % 4 == 3 || map.data[y * stride + x] == pdf_grey (i + 1),
          "page %u at %u,%u: %u", i, x / 4, y, map.data[y * stride + x]);
  gst_buffer_unmap (buffer, &map);
  fail_unless (layout && layout->regions->len == 1);
  fail_unless_equals_float (g_array_index (layout->regions, GstDocRegion,
          0).score, pdf_grey (i + 1) / 255.0f);
  gst_doc_layout_free (layout);
}

/* What is written to the descriptor stands where the network read: the memory is the file's own. */
static void
check_descriptor (guint i)
{
  GstMemory *memory = gst_buffer_peek_memory (g_ptr_array_index (kept, i), 0);
  gint fd = gst_unified_memory_get_fd (memory);
  guint8 before = *place (looked_at, i)->pixels, other = ~before;

  fail_unless (fd >= 0);
  fail_unless (pwrite (fd, &other, 1, (off_t) memory->offset) == 1);
  fail_unless_equals_int (*place (looked_at, i)->pixels, other);
}

static const gchar *const plain_lines[] = {
  "cudalayoutdetect name=detect ! jsonsink name=sink location=/dev/null",
  "queue ! capsfilter caps=video/x-raw,format=BGRx ! queue ! cudalayoutdetect "
      "name=detect batch-size=3 ! queue ! jsonsink name=sink "
      "location=/dev/null",
  /* others have the page too, and draw on it */
  "tee name=t ! queue ! cudalayoutdetect name=detect batch-size=2 ! jsonsink "
      "name=sink location=/dev/null t. ! queue ! layoutoverlay ! jsonsink "
      "location=/dev/null",
  "tee name=t ! queue ! jsonsink location=/dev/null t. ! queue ! "
      "cudalayoutdetect name=detect batch-size=2 ! jsonsink name=sink "
      "location=/dev/null",
  "cudalayoutdetect name=detect ! tee name=t ! queue ! layoutoverlay ! "
      "jsonsink location=/dev/null t. ! queue ! jsonsink name=sink "
      "location=/dev/null",
};

/* The number of the file that a page's memory is. */
static guint64
inode (guint i)
{
  GstMemory *memory = gst_buffer_peek_memory (g_ptr_array_index (kept, i), 0);
  struct stat file;

  fail_unless (fstat (gst_unified_memory_get_fd (memory), &file) == 0);
  return file.st_ino;
}

/* The files that the worker drew into are the memories that come out, page by page. */
GST_START_TEST (from_the_worker)
{
  g_autofree gchar *log = pdf_write_bytes ("log", "", 0);
  g_autofree gchar *lines = NULL;
  GstElement *pipeline;

  g_setenv ("DOCLAYOUT_RENDER_WORKER", g_getenv ("FAKE_WORKER_PROGRAM"), TRUE);
  g_setenv ("FAKE_WORKER_LOG", log, TRUE);
  g_setenv ("FAKE_WORKER_PAGES", G_STRINGIFY (N_PAGES), TRUE);
  g_setenv ("FAKE_WORKER", "1=inode,2=inode,3=inode,4=inode,5=inode,6=inode,"
      "7=inode", TRUE);
  pipeline = start (plain_lines[1], EVEN);
  fail_unless (g_file_get_contents (log, &lines, NULL, NULL));
  for (guint i = 0; i < N_PAGES; i++) {
    g_autofree gchar *line = g_strdup_printf ("%u inode %" G_GUINT64_FORMAT
        "\n", i + 1, inode (i));

    fail_unless (strstr (lines, line) != NULL, "not %s in:\n%s", line, lines);
  }
  fake_pipeline_free (pipeline);
}

GST_END_TEST

static void
check_not_copied (const gchar * line, guint width)
{
  GstElement *pipeline = start (line, width);

  fail_unless_equals_int (count_copied (), 0);
  for (guint i = 0; i < N_PAGES; i++) {
    GstBuffer *buffer = g_ptr_array_index (kept, i);

    fail_unless (place (left, i)->pixels == place (pushed, i)->pixels);
    fail_unless_equals_int (place (looked_at, i)->stride,
        place (pushed, i)->stride);
    fail_unless (place (pushed, i)->stride >= (gint) width * 4);
    fail_unless_equals_int (gst_buffer_n_memory (buffer), 1);
    check_kept (i, width);
    check_descriptor (i);
  }
  fake_pipeline_free (pipeline);
}

/* Through queues, filters and tees, whoever else has the page. */
GST_START_TEST (not_copied)
{
  check_not_copied (plain_lines[__i__ / 2], __i__ % 2 ? ODD : EVEN);
}

GST_END_TEST

/* The network gets the very pixels although the sink only takes rows without padding, where there is none. */
GST_START_TEST (no_video_meta)
{
  check_not_copied ("cudalayoutdetect name=detect ! fakesink name=sink", EVEN);
}

GST_END_TEST

/* What copies on purpose: that it shows is what makes the tests above mean something. */
static const struct
{
  const gchar *line;
  guint width;
} copying[] = {
  {"videoconvert ! capsfilter caps=video/x-raw,format=RGB ! cudalayoutdetect "
        "name=detect ! jsonsink name=sink location=/dev/null", EVEN},
  {"queue ! videoscale ! capsfilter caps=video/x-raw,width=50 ! "
        "cudalayoutdetect name=detect ! jsonsink name=sink location=/dev/null",
      ODD},
};

GST_START_TEST (copies_show)
{
  GstElement *pipeline = start (copying[__i__].line, copying[__i__].width);

  fail_unless_equals_int (count_copied (), N_PAGES);
  fake_pipeline_free (pipeline);
}

GST_END_TEST

/* For those who would not look at their stride, pages are drawn with packed rows. */
GST_START_TEST (packed)
{
  GstElement *pipeline =
      start ("queue ! cudalayoutdetect name=detect ! fakesink name=sink", ODD);

  fail_unless_equals_int (count_copied (), 0);
  for (guint i = 0; i < N_PAGES; i++) {
    fail_unless (place (left, i)->pixels == place (pushed, i)->pixels);
    fail_unless_equals_int (place (looked_at, i)->stride, ODD * 4);
    fail_unless_equals_int (gst_buffer_get_size (g_ptr_array_index (kept, i)),
        ODD * 4 * HEIGHT);
    check_kept (i, ODD);
  }
  fake_pipeline_free (pipeline);
}

GST_END_TEST

static Suite *
zero_copy_suite (void)
{
  Suite *s = suite_create ("no copy of pixels");
  TCase *tc = fake_tcase_new ("pages");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, add_lists, remove_lists);
  tcase_add_loop_test (tc, not_copied, 0, 2 * G_N_ELEMENTS (plain_lines));
  tcase_add_test (tc, from_the_worker);
  tcase_add_test (tc, no_video_meta);
  tcase_add_loop_test (tc, copies_show, 0, G_N_ELEMENTS (copying));
  tcase_add_test (tc, packed);
  return s;
}

GST_CHECK_MAIN (zero_copy)
