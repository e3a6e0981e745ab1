/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The render worker itself, asked in its own protocol: what it does with the memory for words. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gst/check/check.h>

#include "elements/pdfrenderprotocol.h"
#include "elements/pdftext.h"
#include "pdfwriter.h"

#define SIDE 72
#define FRAME_SIZE (SIDE * SIDE * 4)
#define MEMORY_SIZE 8192

static gint worker_socket, frame, memory;
static const guint8 *words;     /* the memory */
static pid_t pid;

static void
setup (void)
{
  const gchar *path = g_getenv ("DOCLAYOUT_RENDER_WORKER");
  gchar *argv[] = { (gchar *) path, NULL };
  posix_spawn_file_actions_t actions;
  gint sockets[2];

  fail_unless (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
          sockets) == 0);
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, sockets[1], PDF_RENDER_FD);
  fail_unless (posix_spawn (&pid, path, &actions, NULL, argv, environ) == 0);
  posix_spawn_file_actions_destroy (&actions);
  close (sockets[1]);
  worker_socket = sockets[0];
  frame = memfd_create ("frame", MFD_CLOEXEC);
  memory = memfd_create ("words", MFD_CLOEXEC);
  fail_unless (ftruncate (frame, FRAME_SIZE) == 0
      && ftruncate (memory, MEMORY_SIZE) == 0);
  words = mmap (NULL, MEMORY_SIZE, PROT_READ, MAP_SHARED, memory, 0);
  fail_unless (words != MAP_FAILED);
}

static void
teardown (void)
{
  close (worker_socket);
  waitpid (pid, NULL, 0);
  munmap ((gpointer) words, MEMORY_SIZE);
  close (memory);
  close (frame);
  pdf_remove_files ();
}

/* Sends the request with `n_fds` descriptors and waits for the reply. */
static struct pdf_render_reply
ask (struct pdf_render_request request, guint n_fds, const gint * fds)
{
  union
  {
    struct cmsghdr header;
    gchar bytes[CMSG_SPACE (2 * sizeof (gint))];
  } control = { 0 };
  struct iovec part = { &request, sizeof request };
  struct msghdr message = {.msg_iov = &part,.msg_iovlen = 1 };
  struct pdf_render_reply reply;
  static guint id;

  request.version = PDF_RENDER_VERSION;
  request.id = ++id;
  if (n_fds > 0) {
    control.header = (struct cmsghdr) {
    .cmsg_len = CMSG_LEN (n_fds * sizeof (gint)),.cmsg_level = SOL_SOCKET,
      .cmsg_type = SCM_RIGHTS};
    memcpy (CMSG_DATA (&control.header), fds, n_fds * sizeof (gint));
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE (n_fds * sizeof (gint));
  }
  fail_unless (sendmsg (worker_socket, &message, 0) == sizeof request);
  fail_unless (recv (worker_socket, &reply, sizeof reply, 0) == sizeof reply);
  fail_unless (reply.id == id && reply.type == request.type);
  return reply;
}

/* Opens a document with a page of `n` words, one of three and one of none; memory is for `text_size` bytes of them. */
static struct pdf_render_reply
open_document (guint n, guint n_fds, guint64 text_size)
{
  GString *content = g_string_new ("BT /F 4 Tf 4 TL 2 68 Td ");
  PdfPageSpec pages[] = { {SIDE, SIDE}, {SIDE, SIDE}, {SIDE, SIDE} };
  struct pdf_render_request request = {.type = PDF_RENDER_OPEN,.text_size =
        text_size
  };
  struct pdf_render_reply reply;
  gint fds[2] = { -1, memory };
  gchar *path;

  for (guint i = 0; i < n; i++)
    g_string_append_printf (content, "(word)Tj %s ", i % 5 == 4 ?
        "-40 -4 Td" : "10 0 Td");
  g_string_append (content, "ET");
  pages[0].content = content->str;
  pages[1].content = "BT /F 12 Tf 5 50 Td (two)Tj /B 12 Tf 25 0 Td (more)Tj "
      "-20 -20 Td (words)Tj ET";
  path = pdf_write ("words.pdf", pages, G_N_ELEMENTS (pages));
  fds[0] = open (path, O_RDONLY | O_CLOEXEC);
  reply = ask (request, n_fds, fds);
  close (fds[0]);
  g_free (path);
  g_string_free (content, TRUE);
  return reply;
}

static struct pdf_render_reply
render (guint page)
{
  return ask ((struct pdf_render_request) {
        .type = PDF_RENDER_RENDER,.page = page,.frame = 1,.frame_size =
        FRAME_SIZE,.width = SIDE,.height = SIDE,.stride = SIDE * 4,.scale = 1},
      1, &frame);
}

static guint
count_words (const struct pdf_render_reply *reply)
{
  GVariant *spans = pdf_text_read (words, reply->text_size);
  guint n;

  fail_unless (spans != NULL);
  n = (guint) g_variant_n_children (spans);
  g_variant_unref (spans);
  return n;
}

GST_START_TEST (test_words)
{
  struct pdf_render_reply reply = open_document (60, 2, MEMORY_SIZE);
  const guint expected[] = { 60, 3, 0 };

  fail_unless (reply.status == PDF_RENDER_OK && reply.n_pages == 3
      && reply.text_size == 0);
  for (guint i = 0; i < 3; i++) {
    reply = render (i);
    fail_unless (reply.status == PDF_RENDER_OK && *reply.reason == '\0');
    fail_unless_equals_int (count_words (&reply), expected[i]);
  }
}

GST_END_TEST

/* A page with more words than there is room for is drawn, and says so; nothing is written over the end. */
GST_START_TEST (test_too_many_words)
{
  struct pdf_render_reply reply = open_document (60, 2, 1000);
  guint8 pixels[FRAME_SIZE];

  fail_unless (reply.status == PDF_RENDER_OK);
  reply = render (0);
  fail_unless (reply.status == PDF_RENDER_OK && reply.text_size == 0);
  fail_unless (strstr (reply.reason, "limit of 1000") != NULL, "%s",
      reply.reason);
  for (guint i = 0; i < MEMORY_SIZE; i++)
    fail_unless (words[i] == 0, "byte %u is written", i);
  fail_unless (pread (frame, pixels, FRAME_SIZE, 0) == FRAME_SIZE);
  fail_unless (pixels[0] == 255 && memcmp (pixels, pixels + 1, FRAME_SIZE - 1));
  reply = render (1);
  fail_unless (*reply.reason == '\0');
  fail_unless_equals_int (count_words (&reply), 3);
}

GST_END_TEST

GST_START_TEST (test_no_words_wanted)
{
  struct pdf_render_reply reply = open_document (60, 1, 0);

  fail_unless (reply.status == PDF_RENDER_OK);
  reply = render (0);
  fail_unless (reply.status == PDF_RENDER_OK && reply.text_size == 0
      && *reply.reason == '\0');
}

GST_END_TEST

/* Less memory than is promised, or none. */
GST_START_TEST (test_no_memory)
{
  struct pdf_render_reply reply = __i__
      ? open_document (1, 2, MEMORY_SIZE + 1) : open_document (1, 1, 100);

  fail_unless_equals_int (reply.status, PDF_RENDER_NO_MEMORY);
}

GST_END_TEST

static Suite *
pdf_render_worker_suite (void)
{
  Suite *s = suite_create ("pdf-render-worker");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_checked_fixture (tc, setup, teardown);
  tcase_add_test (tc, test_words);
  tcase_add_test (tc, test_too_many_words);
  tcase_add_test (tc, test_no_words_wanted);
  tcase_add_loop_test (tc, test_no_memory, 0, 2);
  return s;
}

GST_CHECK_MAIN (pdf_render_worker)
