/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* outputfile: what others see under the name, before, after, and when something goes wrong. */
#include "elements/outputfile.h"
#include "gst_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static gchar *folder, *path;

static void
setup (void)
{
  folder = g_dir_make_tmp ("outputfile-XXXXXX", NULL);
  path = g_build_filename (folder, "pages.jsonl", NULL);
}

static void
teardown (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    g_autofree gchar *entry = g_build_filename (folder, name, NULL);
    g_remove (entry);
  }
  g_dir_close (dir);
  g_rmdir (folder);
  g_free (folder);
  g_free (path);
}

static void
put (const gchar * content)
{
  fail_unless (g_file_set_contents (path, content, -1, NULL));
}

static void
check_content (const gchar * expected)
{
  g_autofree gchar *content = NULL;

  if (expected == NULL) {
    fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
    return;
  }
  fail_unless (g_file_get_contents (path, &content, NULL, NULL));
  fail_unless_equals_string (content, expected);
}

static guint
mode_of (const gchar * file)
{
  struct stat st;

  fail_unless (stat (file, &st) == 0);
  return st.st_mode & 07777;
}

static GstOutputFile *
must_open (const gchar * location, gboolean append)
{
  GError *error = NULL;
  GstOutputFile *file = gst_output_file_open (location, append, &error);

  fail_unless (file != NULL, "%s", error ? error->message : "");
  return file;
}

/* `text` is a part of the message. */
static void
check_refused (const gchar * location, gboolean append, gint code, const gchar * text)
{
  GError *error = NULL;

  fail_unless (gst_output_file_open (location, append, &error) == NULL, "%s", location);
  fail_unless (g_error_matches (error, G_FILE_ERROR, code), "%s", error->message);
  fail_unless (strstr (error->message, text) != NULL, "%s", error->message);
  fail_unless (strstr (error->message, location) != NULL, "%s", error->message);
  g_error_free (error);
}

static void
must_write (GstOutputFile * file, const gchar * text)
{
  fail_unless_equals_int (gst_output_file_write (file, text, FALSE, NULL), GST_FLOW_OK);
}

static void
must_commit (GstOutputFile * file)
{
  GError *error = NULL;

  fail_unless (gst_output_file_commit (file, &error), "%s", error ? error->message : "");
  gst_output_file_free (file);
}

/* Nothing, or the old content, under the name until the commit; nothing beside it after. */
GST_START_TEST (test_commit)
{
  const gchar *old = __i__ ? "old\n" : NULL;
  GstOutputFile *file;

  umask (0027);
  if (old)
    put (old);
  if (old)
    fail_unless (g_chmod (path, 0604) == 0);
  file = must_open (path, FALSE);
  must_write (file, "one\n");
  fail_unless_equals_int (gst_output_file_write (file, "two\n", TRUE, NULL), GST_FLOW_OK);
  check_content (old);
  fail_unless_equals_int (doc_count_entries (folder), old ? 2 : 1);
  must_commit (file);
  check_content ("one\ntwo\n");
  fail_unless_equals_int (doc_count_entries (folder), 1);
  fail_unless_equals_int (mode_of (path), old ? 0604 : 0640);
}

GST_END_TEST

GST_START_TEST (test_no_commit)
{
  const gchar *old = __i__ ? "old\n" : NULL;
  GstOutputFile *file;

  if (old)
    put (old);
  file = must_open (path, FALSE);
  fail_unless_equals_int (gst_output_file_write (file, "one\n", TRUE, NULL), GST_FLOW_OK);
  gst_output_file_free (file);
  check_content (old);
  fail_unless_equals_int (doc_count_entries (folder), old ? 1 : 0);
}

GST_END_TEST

/* More than the buffer holds, in order. */
GST_START_TEST (test_many_lines)
{
  g_autoptr (GString) expected = g_string_new (NULL);
  GstOutputFile *file = must_open (path, FALSE);

  for (guint i = 0; i < 20000; i++) {
    g_autofree gchar *line = g_strdup_printf ("line %u\n", i);
    must_write (file, line);
    g_string_append (expected, line);
  }
  must_commit (file);
  check_content (expected->str);
}

GST_END_TEST

/* A link stays a link, and its target, there or not, gets the lines. */
GST_START_TEST (test_links)
{
  g_autofree gchar *first = g_build_filename (folder, "first", NULL);
  g_autofree gchar *second = g_build_filename (folder, "second", NULL);
  GstOutputFile *file;

  if (__i__)
    put ("old\n");
  fail_unless (symlink ("second", first) == 0 && symlink (path, second) == 0);
  file = must_open (first, FALSE);
  must_write (file, "one\n");
  must_commit (file);
  fail_unless (g_file_test (first, G_FILE_TEST_IS_SYMLINK));
  fail_unless (g_file_test (second, G_FILE_TEST_IS_SYMLINK));
  fail_if (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  check_content ("one\n");
}

GST_END_TEST

GST_START_TEST (test_append)
{
  static const struct
  {
    const gchar *before, *after;
    gboolean unfinished;
  } rows[] = {
    {NULL, "one\n", FALSE}, {"", "one\n", FALSE}, {"old\n", "old\none\n", FALSE},
    {"old\n{\"a\"", "old\n{\"a\"\none\n", TRUE},
  };
  GstOutputFile *file;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_unlink (path);
    if (rows[i].before)
      put (rows[i].before);
    file = must_open (path, TRUE);
    fail_unless_equals_int (gst_output_file_was_unfinished (file), rows[i].unfinished);
    must_write (file, "one\n");
    check_content (rows[i].before);
    must_commit (file);
    check_content (rows[i].after);

    if (rows[i].before)
      put (rows[i].before);
    else
      g_unlink (path);
    file = must_open (path, TRUE);
    fail_unless_equals_int (gst_output_file_write (file, "one\n", TRUE, NULL), GST_FLOW_OK);
    check_content (rows[i].before ? rows[i].after : NULL);
    gst_output_file_free (file);
    check_content (rows[i].before);
  }
}

GST_END_TEST

GST_START_TEST (test_append_twice)
{
  GstOutputFile *file;

  put ("old\n");
  file = must_open (path, TRUE);
  check_refused (path, TRUE, g_file_error_from_errno (EBUSY), "Another writer");
  must_write (file, "one\n");
  must_commit (file);
  file = must_open (path, TRUE);
  must_write (file, "two\n");
  must_commit (file);
  check_content ("old\none\ntwo\n");
}

GST_END_TEST

GST_START_TEST (test_refused)
{
  g_autofree gchar *nowhere = g_build_filename (folder, "none", "a.jsonl", NULL);
  g_autofree gchar *below = g_build_filename (path, "a.jsonl", NULL);
  g_autofree gchar *link = g_build_filename (folder, "link", NULL);

  put ("old\n");
  fail_unless (symlink (folder, link) == 0);
  check_refused (folder, FALSE, G_FILE_ERROR_ISDIR, "directory");
  check_refused (link, TRUE, G_FILE_ERROR_ISDIR, "directory");
  check_refused (nowhere, FALSE, G_FILE_ERROR_NOENT, "No such file");
  check_refused (below, FALSE, G_FILE_ERROR_NOTDIR, "Not a directory");
  check_refused ("/dev/fd/999", FALSE, g_file_error_from_errno (EBADF), "Bad file descriptor");
  check_content ("old\n");
  fail_unless_equals_int (doc_count_entries (folder), 2);
}

GST_END_TEST

/* As another user, for root may write everywhere. */
GST_START_TEST (test_forbidden)
{
  g_autofree gchar *other = g_build_filename (folder, "new.jsonl", NULL);

  put ("old\n");
  fail_unless (g_chmod (path, 0444) == 0 && g_chmod (folder, 0555) == 0);
  if (geteuid () == 0)
    fail_unless (seteuid (65534) == 0);
  check_refused (path, FALSE, G_FILE_ERROR_ACCES, "Permission denied");
  check_refused (path, TRUE, G_FILE_ERROR_ACCES, "Permission denied");
  check_refused (other, FALSE, G_FILE_ERROR_ACCES, "Permission denied");
  if (getuid () == 0)
    fail_unless (seteuid (0) == 0);
  g_chmod (folder, 0777);
  if (geteuid () == 0)
    fail_unless (seteuid (65534) == 0);
  check_refused (path, FALSE, G_FILE_ERROR_ACCES, "Permission denied");
  if (getuid () == 0)
    fail_unless (seteuid (0) == 0);
  check_content ("old\n");
}

GST_END_TEST

/* The disk is full after 8 KiB, as far as this process can see. */
static GstFlowReturn
write_past_limit (GstOutputFile * file, GError ** error)
{
  const struct rlimit limit = { 8192, RLIM_INFINITY };
  GstFlowReturn ret = GST_FLOW_OK;

  signal (SIGXFSZ, SIG_IGN);
  fail_unless (setrlimit (RLIMIT_FSIZE, &limit) == 0);
  for (guint i = 0; i < 3000 && ret == GST_FLOW_OK; i++)
    ret = gst_output_file_write (file, "a line\n", TRUE, error);
  return ret;
}

GST_START_TEST (test_write_fails)
{
  const gboolean append = __i__;
  GError *error = NULL;
  GstOutputFile *file;

  put ("old\n");
  file = must_open (path, append);
  fail_unless_equals_int (write_past_limit (file, &error), GST_FLOW_ERROR);
  fail_unless (strstr (error->message, path) != NULL, "%s", error->message);
  g_error_free (error);
  gst_output_file_free (file);
  check_content ("old\n");
  fail_unless_equals_int (doc_count_entries (folder), 1);
}

GST_END_TEST

GST_START_TEST (test_device_full)
{
  GError *error = NULL;
  GstOutputFile *file = must_open ("/dev/full", FALSE);

  fail_unless_equals_int (gst_output_file_write (file, "one\n", FALSE, &error), GST_FLOW_ERROR);
  fail_unless (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC));
  g_error_free (error);
  gst_output_file_free (file);
}

GST_END_TEST

/* What stands in the way at the end does not cost the lines: the message says where they are. */
GST_START_TEST (test_name_taken)
{
  GstOutputFile *file = must_open (path, FALSE);
  g_autofree gchar *content = NULL, *kept = NULL;
  const gchar *start;
  GError *error = NULL;

  must_write (file, "one\n");
  fail_unless (g_mkdir (path, 0700) == 0);
  fail_if (gst_output_file_commit (file, &error));
  gst_output_file_free (file);
  start = strchr (error->message, '\'') + 1;
  kept = g_strndup (start, strchr (start, '\'') - start);
  fail_unless (g_file_get_contents (kept, &content, NULL, NULL), "%s", error->message);
  fail_unless_equals_string (content, "one\n");
  g_error_free (error);
}

GST_END_TEST

static gchar *
read_some (gint fd, gsize size)
{
  gchar *text = g_malloc0 (size + 1);
  gsize done = 0;
  gssize n;

  while (done < size && (n = read (fd, text + done, size - done)) > 0)
    done += n;
  return text;
}

/* Written line by line, and a reader that goes away is an error and not the end of the process. */
GST_START_TEST (test_pipe)
{
  GError *error = NULL;
  g_autofree gchar *location = NULL, *text = NULL;
  GstOutputFile *file;
  gint fds[2];

  fail_unless (pipe (fds) == 0);
  location = g_strdup_printf ("/dev/fd/%d", fds[1]);
  signal (SIGPIPE, SIG_DFL);
  file = must_open (location, FALSE);
  close (fds[1]);
  must_write (file, "one\n");
  text = read_some (fds[0], 4);
  fail_unless_equals_string (text, "one\n");
  close (fds[0]);
  fail_unless_equals_int (gst_output_file_write (file, "two\n", FALSE, &error), GST_FLOW_ERROR);
  fail_unless (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_PIPE));
  g_error_free (error);
  gst_output_file_free (file);
}

GST_END_TEST

static gpointer
read_later (gpointer data)
{
  gint fd;

  g_usleep (200 * 1000);
  fd = open (path, O_RDONLY);
  data = read_some (fd, 8);
  close (fd);
  return data;
}

/* A named pipe: the reader may come later. */
GST_START_TEST (test_fifo)
{
  GstOutputFile *file;
  GThread *reader;
  g_autofree gchar *text = NULL;

  fail_unless (mkfifo (path, 0600) == 0);
  file = must_open (path, FALSE);
  reader = g_thread_new ("reader", read_later, NULL);
  must_write (file, "one\n");
  must_write (file, "two\n");
  must_commit (file);
  text = g_thread_join (reader);
  fail_unless_equals_string (text, "one\ntwo\n");
}

GST_END_TEST

static gpointer
interrupt (gpointer file)
{
  g_usleep (200 * 1000);
  gst_output_file_set_flushing (file, TRUE);
  return NULL;
}

/* A reader that does not come, or does not read, can be given up, and nothing is lost by it. */
GST_START_TEST (test_interrupt)
{
  const gboolean opened = __i__;
  GstFlowReturn ret = GST_FLOW_OK;
  GstOutputFile *file;
  GThread *thread;
  gint fd = -1, n;

  fail_unless (mkfifo (path, 0600) == 0);
  if (opened)
    fd = open (path, O_RDONLY | O_NONBLOCK);
  file = must_open (path, FALSE);
  thread = g_thread_new ("interrupt", interrupt, file);
  for (n = 0; ret == GST_FLOW_OK && n < 100000; n++)
    ret = gst_output_file_write (file, "0123456\n", FALSE, NULL);
  g_thread_join (thread);
  fail_unless_equals_int (ret, GST_FLOW_FLUSHING);
  if (opened) {
    g_autofree gchar *before = read_some (fd, 65536), *rest = NULL;

    gst_output_file_set_flushing (file, FALSE);
    must_write (file, "the end\n");
    rest = read_some (fd, 65536);
    fail_unless_equals_int (strlen (before) + strlen (rest), 8 * (n + 1));
    fail_unless (g_str_has_suffix (rest, "0123456\nthe end\n"));
    close (fd);
  }
  gst_output_file_free (file);
}

GST_END_TEST

static Suite *
outputfile_suite (void)
{
  Suite *s = suite_create ("outputfile");
  TCase *tc = tcase_create ("files");

  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_loop_test (tc, test_commit, 0, 2);
  tcase_add_loop_test (tc, test_no_commit, 0, 2);
  tcase_add_test (tc, test_many_lines);
  tcase_add_loop_test (tc, test_links, 0, 2);
  tcase_add_test (tc, test_append);
  tcase_add_test (tc, test_append_twice);
  tcase_add_test (tc, test_refused);
  tcase_add_test (tc, test_forbidden);
  tcase_add_loop_test (tc, test_write_fails, 0, 2);
  tcase_add_test (tc, test_device_full);
  tcase_add_test (tc, test_name_taken);
  tcase_add_test (tc, test_pipe);
  tcase_add_test (tc, test_fifo);
  tcase_add_loop_test (tc, test_interrupt, 0, 2);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (outputfile)
