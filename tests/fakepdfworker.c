/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A render worker that misbehaves, for tests of those who use one.
 *
 * FAKE_WORKER says how: entries "page=deed", separated by commas, pages from 1; page 0 is the opening.
 * FAKE_WORKER_LOG names a file to which each deed is appended, a line each. All other pages are
 * 72 × 108 points and are filled with their number; their words, where these are wanted, are "page" and that number.
 * FAKE_WORKER_PAGES is the number of pages (10). The deed "inode" does no harm; its line ends in the number of the file
 * that the page was drawn into. With the deed 0=requests the log has a line for each request: "request", its type, the
 * number of descriptors that came along, and the bytes for words.
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elements/pdfrenderprotocol.h"
#include "elements/pdftext.h"

#define MAX_FDS 2

/* The deed for a page (0: opening), or "". */
static const char *
deed_for (unsigned page)
{
  static char deed[32];
  const char *at = getenv ("FAKE_WORKER");

  for (; at && *at; at = strchr (at, ',') ? strchr (at, ',') + 1 : NULL) {
    unsigned number;
    if (sscanf (at, "%u=%31[a-z0-9-]", &number, deed) == 2 && number == page)
      return deed;
  }
  return "";
}

static int
count_in_log (const char *line)
{
  const char *name = getenv ("FAKE_WORKER_LOG");
  FILE *log = name ? fopen (name, "r") : NULL;
  char text[64];
  int n = 0;

  while (log && fgets (text, sizeof text, log))
    n += strcmp (text, line) == 0;
  if (log)
    fclose (log);
  return n;
}

static void
write_log (const char *line)
{
  const char *name = getenv ("FAKE_WORKER_LOG");
  int fd = name ? open (name, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;

  if (fd >= 0 && write (fd, line, strlen (line)) < 0)
    _exit (9);
  if (fd >= 0)
    close (fd);
}

static bool
is (const char *deed, const char *name)
{
  return strcmp (deed, name) == 0;
}

/* What is done instead of an answer. */
static void
misbehave (const char *deed)
{
  char garbage[1000];

  memset (garbage, 0xa5, sizeof garbage);
  if (is (deed, "hang"))
    for (;;)
      pause ();
  if (is (deed, "die"))
    _exit (3);
  if (is (deed, "crash"))
    raise (SIGSEGV);
  if (is (deed, "garbage"))
    send (PDF_RENDER_FD, garbage, sizeof garbage, MSG_NOSIGNAL);
  if (is (deed, "short"))
    send (PDF_RENDER_FD, garbage, 4, MSG_NOSIGNAL);
  if (is (deed, "close"))
    close (PDF_RENDER_FD);
}

/* Makes a true reply a false one. */
static void
lie (const char *deed, struct pdf_render_reply *reply)
{
  if (is (deed, "slow"))
    usleep (300000);
  if (is (deed, "fail"))
    reply->status = PDF_RENDER_FAILED, strcpy (reply->reason, "asked to \xff""fail");
  if (is (deed, "no-memory"))
    reply->status = PDF_RENDER_NO_MEMORY;
  if (is (deed, "bad-status"))
    reply->status = 99;
  if (is (deed, "bad-id"))
    reply->id++;
  if (is (deed, "bad-type"))
    reply->type++;
  if (is (deed, "endless-reason"))
    reply->status = PDF_RENDER_FAILED, memset (reply->reason, 'x', sizeof reply->reason);
  if (is (deed, "nan"))
    reply->size.width = NAN;
  if (is (deed, "infinite"))
    reply->size.height = INFINITY;
  if (is (deed, "wide"))
    reply->size.width = 144;
  if (is (deed, "other-size"))
    reply->status = PDF_RENDER_OTHER_SIZE;
  if (is (deed, "huge"))
    reply->size.width = 1e9;
  if (is (deed, "zero"))
    reply->size.height = 0;
  if (is (deed, "negative"))
    reply->size.width = -72;
  if (is (deed, "many-pages"))
    reply->n_pages = 4000000000u;
  if (is (deed, "no-pages"))
    reply->n_pages = 0;
  if (is (deed, "fewer-pages") && count_in_log ("0 fewer-pages\n") > 1)
    reply->n_pages--;
  if (is (deed, "encrypted"))
    reply->status = PDF_RENDER_ENCRYPTED;
}

static void
lie_about_words (const char *deed, struct pdf_render_reply *reply)
{
  if (is (deed, "text-reason"))
    strcpy (reply->reason, "no \xff""words");
  if (is (deed, "text-fail"))
    reply->status = PDF_RENDER_FAILED, strcpy (reply->reason, "asked to fail");
  if (is (deed, "text-long"))
    reply->text_size = PDF_RENDER_MAX_TEXT + 1;
  if (is (deed, "text-endless"))
    reply->text_size = UINT32_MAX;
  if (is (deed, "text-cut"))
    reply->text_size--;
  if (is (deed, "text-zeros"))
    reply->text_size = PDF_RENDER_MAX_TEXT;
}

/* The words of a page, which are false where the deed says so. */
static void
write_words (unsigned page, const char *deed, unsigned char *memory, struct pdf_render_reply *reply)
{
  PdfTextWriter writer;
  char number[16];

  snprintf (number, sizeof number, "%u", page);
  pdf_text_writer_init (&writer);
  pdf_text_writer_add (&writer, "page", 1, 2, is (deed, "text-nan") ? NAN : 30, 12, 11, "Fake-Bold", 1, 0);
  pdf_text_writer_add (&writer, number, 32, 2, is (deed, "text-box") ? 31 : 40, 12,
                       is (deed, "text-size") ? -1 : 11, "", 0, is (deed, "text-line") ? 2 : 0);
  GByteArray *bytes = pdf_text_writer_end (&writer);
  memcpy (memory, bytes->data, bytes->len);
  reply->text_size = bytes->len;
  if (is (deed, "text-garbage"))
    memset (memory, 0xa5, bytes->len);
  if (is (deed, "text-latin1"))
    memory[0] = 0xe9;
  if (is (deed, "text-padding"))
    memory[5] = 1;              /* behind "page" and its end */
  g_byte_array_unref (bytes);
}

static void
paint (const struct pdf_render_request *request, int fd)
{
  unsigned char *data = mmap (NULL, request->frame_size, PROT_WRITE, MAP_SHARED, fd, 0);

  if (data == MAP_FAILED)
    _exit (8);
  memset (data, (int) request->page + 1, (size_t) request->stride * request->height);
  munmap (data, request->frame_size);
}

/* The line for a page's deed. */
static void
describe (char *line, size_t size, unsigned page, const char *deed, unsigned long long inode)
{
  if (is (deed, "inode"))
    snprintf (line, size, "%u inode %llu\n", page, inode);
  else
    snprintf (line, size, "%u %s\n", page, deed);
}

static bool
receive (struct pdf_render_request *request, int fds[MAX_FDS])
{
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE (MAX_FDS * sizeof (int))];
  } control;
  struct iovec part = { request, sizeof *request };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
    .msg_controllen = sizeof control };
  bool ok = recvmsg (PDF_RENDER_FD, &message, 0) == (ssize_t) sizeof *request;

  fds[0] = fds[1] = -1;
  if (ok && message.msg_controllen > 0)
    memcpy (fds, CMSG_DATA (&control.header), control.header.cmsg_len - CMSG_LEN (0));
  return ok;
}

/* Deeds are done when a page is to be rendered, but for those about its size. */
static bool
applies (const char *deed, const struct pdf_render_request *request)
{
  static const char *const of_size[] = { "nan", "infinite", "huge", "zero", "negative", "wide" };
  bool about_size = false;

  for (size_t i = 0; i < sizeof of_size / sizeof *of_size; i++)
    about_size |= is (deed, of_size[i]);
  return *deed && (request->type == PDF_RENDER_OPEN || (about_size && request->expected.width > 0)
                   || request->type == (about_size ? PDF_RENDER_PAGE_SIZE : PDF_RENDER_RENDER));
}

static void
log_request (const struct pdf_render_request *request, const int fds[MAX_FDS])
{
  char line[64];

  if (!is (deed_for (0), "requests"))
    return;
  snprintf (line, sizeof line, "request %u %d %llu\n", request->type, (fds[0] >= 0) + (fds[1] >= 0),
            (unsigned long long) request->text_size);
  write_log (line);
}

/* The memory for words, or NULL. */
static unsigned char *
map_words (const struct pdf_render_request *request, int fd)
{
  void *memory = mmap (NULL, request->text_size, PROT_WRITE, MAP_SHARED, fd, 0);

  close (fd);
  if (memory == MAP_FAILED)
    _exit (7);
  return memory;
}

/* Does the page's deed, which may have been to be done only once. */
static void
do_deed (const char *deed, unsigned page, unsigned long long inode, struct pdf_render_reply *reply)
{
  char line[64], once[40];

  describe (line, sizeof line, page, deed, inode);
  write_log (line);
  /* "die-1": only the first time. */
  snprintf (once, sizeof once, "%s", deed);
  char *only_first = strstr (once, "-1");
  if (only_first)
    *only_first = '\0';
  if (only_first && count_in_log (line) > 1)
    return;
  misbehave (once);
  lie (once, reply);
  lie_about_words (once, reply);
}

int
main (void)
{
  struct pdf_render_request request;
  const char *pages = getenv ("FAKE_WORKER_PAGES");
  unsigned char *words = NULL;
  int fds[MAX_FDS];

  while (receive (&request, fds)) {
    struct pdf_render_reply reply = { .version = PDF_RENDER_VERSION, .type = request.type,
      .id = request.id };
    unsigned page = request.type == PDF_RENDER_OPEN ? 0 : request.page + 1;
    struct stat file = { 0 };

    reply.n_pages = pages ? (uint32_t) atoi (pages) : 10;
    reply.size.width = 72;
    reply.size.height = 108;
    log_request (&request, fds);
    const char *deed = deed_for (page);
    if (request.text_size > 0)
      words = map_words (&request, fds[1]);
    if (request.type == PDF_RENDER_RENDER)
      paint (&request, fds[0]);
    if (request.type == PDF_RENDER_RENDER && words)
      write_words (page, deed, words, &reply);
    if (fds[0] >= 0 && fstat (fds[0], &file) == 0)
      close (fds[0]);
    if (applies (deed, &request))
      do_deed (deed, page, file.st_ino, &reply);
    if (request.expected.width > 0 && reply.status == PDF_RENDER_OK
        && !(reply.size.width == request.expected.width && reply.size.height == request.expected.height))
      reply.status = PDF_RENDER_OTHER_SIZE;
    if (send (PDF_RENDER_FD, &reply, sizeof reply, MSG_NOSIGNAL) < 0)
      return 1;
  }
  return 0;
}
