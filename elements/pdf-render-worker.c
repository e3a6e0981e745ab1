/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The render worker: draws pages of one PDF, or of an image file, into frames of the process that started it.
 *
 * The only program of this project that links poppler, which is GPL; it shares nothing with the
 * plugin but the messages in pdfrenderprotocol.h. It opens no files but the fonts that a document
 * lacks, and may die at any time: the plugin starts another.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cairo.h>
#include <poppler.h>

#include "imagedocument.h"
#include "pdf-render-text.h"
#include "pdfrenderprotocol.h"

/* What a request can have along. */
#define MAX_FDS 2
/* Frames stay mapped, as faulting their pages in costs more than drawing a plain page; but those
 * that the plugin has freed since must not pile up. */
#define MAX_MAPPINGS 32
#define MAX_MAPPED_BYTES ((size_t) 128 << 20)

struct mapping {
  uint64_t frame;
  uint64_t used;                /* when, for finding the one that waited longest */
  size_t size;
  unsigned char *data;
};

struct worker {
  PopplerDocument *document;
  image_document *images;       /* the document, if it is an image file */
  PopplerPage *page;            /* the one that was asked for last */
  image_page image;             /* it, of an image file; no pixels: none was */
  int page_index;
  struct mapping mappings[MAX_MAPPINGS];
  size_t mapped;
  uint64_t clock;
  unsigned char *text;          /* the memory for words; NULL: none are wanted */
  size_t text_size;
};

static void
fail (struct pdf_render_reply *reply, enum pdf_render_status status, const char *reason)
{
  reply->status = status;
  strncpy (reply->reason, reason, sizeof reply->reason - 1);
}

/* Whether the document behind `fd`, which is closed, asks for a password. */
static bool
asks_for_password (int fd)
{
  GError *error = NULL;
  PopplerDocument *document = poppler_document_new_from_fd (fd, NULL, &error);
  bool asks = g_error_matches (error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);
  g_clear_error (&error);
  g_clear_object (&document);
  return asks;
}

/* FALSE if there is to be memory for words and is none. */
static bool
map_text (struct worker *worker, const struct pdf_render_request *request, int fd)
{
  struct stat status;

  if (request->text_size == 0)
    return true;
  if (fd < 0 || fstat (fd, &status) != 0 || (uint64_t) status.st_size < request->text_size)
    return false;
  void *data = mmap (NULL, request->text_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED)
    return false;
  worker->text = data;
  worker->text_size = request->text_size;
  return true;
}

/* Whether the file behind `fd` is an image, which then is the document. */
static bool
open_images (struct worker *worker, int fd, struct pdf_render_reply *reply)
{
  guchar start[12];
  GError *error = NULL;

  ssize_t n = pread (fd, start, sizeof start, 0);
  if (n <= 0 || !image_document_is_image (start, (gsize) n))
    return false;
  GMappedFile *file = g_mapped_file_new_from_fd (fd, FALSE, &error);
  if (file) {
    GBytes *bytes = g_mapped_file_get_bytes (file);
    worker->images = image_document_new (bytes, &error);
    g_bytes_unref (bytes);
    g_mapped_file_unref (file);
  }
  if (worker->images)
    reply->n_pages = image_document_get_n_pages (worker->images);
  else
    fail (reply, PDF_RENDER_FAILED, error->message);
  g_clear_error (&error);
  close (fd);
  return true;
}

/* `fd` becomes poppler's, or is closed. */
static void
open_document (struct worker *worker, const struct pdf_render_request *request, int fd,
               struct pdf_render_reply *reply)
{
  const char *password = request->has_password ? request->password : NULL;
  GError *error = NULL;

  if (worker->document || worker->images || fd < 0) {
    fail (reply, PDF_RENDER_FAILED, "no document came with the request to open one");
    return;
  }
  if (open_images (worker, fd, reply))
    return;
  int again = password ? dup (fd) : -1;
  /* Poppler closes the descriptor, also when it fails, except where it could not use it at all;
   * then this process has no more use for its table of descriptors either. */
  worker->document = poppler_document_new_from_fd (fd, password, &error);
  if (worker->document) {
    reply->n_pages = (uint32_t) MAX (poppler_document_get_n_pages (worker->document), 0);
    if (again >= 0)
      close (again);
    return;
  }
  /* Given a wrong password, poppler (22.12) calls the file damaged. */
  bool encrypted = g_error_matches (error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED)
                   || (again >= 0 && asks_for_password (again));
  fail (reply, encrypted ? PDF_RENDER_ENCRYPTED : PDF_RENDER_FAILED,
        error ? error->message : "the document cannot be read");
  g_clear_error (&error);
}

static bool
load_image (struct worker *worker, uint32_t index, struct pdf_render_reply *reply)
{
  GError *error = NULL;

  if (image_document_get_page (worker->images, index, &worker->image, &error)) {
    worker->page_index = (int) index;
    return true;
  }
  fail (reply, g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOMEM) ? PDF_RENDER_NO_MEMORY : PDF_RENDER_FAILED,
        error->message);
  g_error_free (error);
  return false;
}

static void
drop_page (struct worker *worker)
{
  g_clear_object (&worker->page);
  image_page_clear (&worker->image);
}

static bool
load_page (struct worker *worker, uint32_t index, struct pdf_render_reply *reply)
{
  if ((worker->page || worker->image.pixels) && worker->page_index == (int) index)
    return true;
  drop_page (worker);
  if (worker->images)
    return load_image (worker, index, reply);
  if (worker->document && index < PDF_RENDER_MAX_PAGES)
    worker->page = poppler_document_get_page (worker->document, (int) index);
  if (!worker->page) {
    fail (reply, PDF_RENDER_FAILED, "the document has no such page, or it is damaged");
    return false;
  }
  worker->page_index = (int) index;
  return true;
}

static void
unmap (struct worker *worker, struct mapping *mapping)
{
  munmap (mapping->data, mapping->size);
  worker->mapped -= mapping->size;
  memset (mapping, 0, sizeof *mapping);
}

static struct mapping *
oldest_mapping (struct worker *worker)
{
  struct mapping *oldest = NULL;

  for (size_t i = 0; i < MAX_MAPPINGS; i++) {
    struct mapping *m = &worker->mappings[i];
    if (m->data && (!oldest || m->used < oldest->used))
      oldest = m;
  }
  return oldest;
}

static struct mapping *
find_mapping (struct worker *worker, uint64_t frame)
{
  for (size_t i = 0; i < MAX_MAPPINGS; i++) {
    if (worker->mappings[i].frame == frame)
      return &worker->mappings[i];
  }
  return NULL;
}

/* The frame's bytes, or NULL. */
static unsigned char *
map_frame (struct worker *worker, const struct pdf_render_request *request, int fd)
{
  size_t size = request->frame_size;
  struct mapping *mapping = find_mapping (worker, request->frame);
  struct stat status;

  if (mapping && mapping->size == size) {
    mapping->used = ++worker->clock;
    return mapping->data;
  }
  if (mapping || fd < 0 || fstat (fd, &status) != 0 || (uint64_t) status.st_size < size)
    return NULL;
  while (worker->mapped && (worker->mapped + size > MAX_MAPPED_BYTES || !find_mapping (worker, 0)))
    unmap (worker, oldest_mapping (worker));
  void *data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED)
    return NULL;
  mapping = find_mapping (worker, 0);
  *mapping = (struct mapping) { request->frame, ++worker->clock, size, data };
  worker->mapped += size;
  return data;
}

static bool
geometry_is_sane (const struct pdf_render_request *r)
{
  return r->frame != 0 && r->width > 0 && r->width <= PDF_RENDER_MAX_SIDE && r->height > 0
    && r->height <= PDF_RENDER_MAX_SIDE && r->stride % 4 == 0 && r->stride >= r->width * 4
    && r->frame_size >= (uint64_t) r->stride * r->height && isfinite (r->scale) && r->scale > 0
    && isfinite (r->x) && isfinite (r->y);
}

/* Drawn on nothing, with white put below afterwards: a page is a transparency group of its own, so
 * blend modes must not see the paper. */
static cairo_status_t
draw (const struct worker *worker, const struct pdf_render_request *request, unsigned char *data)
{
  cairo_surface_t *surface = cairo_image_surface_create_for_data (data, CAIRO_FORMAT_ARGB32,
      (int) request->width, (int) request->height, (int) request->stride);
  cairo_t *cr = cairo_create (surface);

  memset (data, 0, (size_t) request->stride * request->height);
  cairo_save (cr);
  cairo_translate (cr, request->x, request->y);
  cairo_scale (cr, request->scale, request->scale);
  if (worker->page)
    poppler_page_render (worker->page, cr);
  else
    image_page_render (&worker->image, cr);
  cairo_restore (cr);
  cairo_set_operator (cr, CAIRO_OPERATOR_DEST_OVER);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);

  cairo_status_t status = cairo_status (cr);
  cairo_destroy (cr);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status (surface);
  cairo_surface_destroy (surface);
  return status;
}

static void
tell_size (const struct worker *worker, struct pdf_render_size *size)
{
  if (worker->page) {
    poppler_page_get_size (worker->page, &size->width, &size->height);
    return;
  }
  image_page_get_size (&worker->image, &size->width, &size->height);
  size->scale = image_page_get_scale (&worker->image);
  size->in_pixels = worker->image.dpi_x == 0;
}

/* Whether the loaded page is of the size that the request expects; else the reply tells its size. */
static bool
is_expected (const struct worker *worker, const struct pdf_render_request *request, struct pdf_render_reply *reply)
{
  const struct pdf_render_size *expected = &request->expected, *size = &reply->size;

  if (expected->width == 0)
    return true;
  tell_size (worker, &reply->size);
  if (size->width == expected->width && size->height == expected->height && size->scale == expected->scale
      && size->in_pixels == expected->in_pixels)
    return true;
  reply->status = PDF_RENDER_OTHER_SIZE;
  return false;
}

/* The words of the loaded page, which has been drawn. */
static void
tell_text (struct worker *worker, struct pdf_render_reply *reply)
{
  const char *reason = NULL;

  GByteArray *words = pdf_render_text_new (worker->page, &reason);
  if (!words) {
    fail (reply, PDF_RENDER_OK, reason);
    return;
  }
  if (words->len <= worker->text_size) {
    memcpy (worker->text, words->data, words->len);
    reply->text_size = words->len;
  } else {
    snprintf (reply->reason, sizeof reply->reason, "it takes %u bytes, over the limit of %zu", words->len,
              worker->text_size);
  }
  g_byte_array_unref (words);
}

static void
render (struct worker *worker, const struct pdf_render_request *request, int fd,
        struct pdf_render_reply *reply)
{
  if (!geometry_is_sane (request)) {
    fail (reply, PDF_RENDER_FAILED, "the frame's geometry makes no sense");
    return;
  }
  if (!load_page (worker, request->page, reply) || !is_expected (worker, request, reply))
    return;
  unsigned char *data = map_frame (worker, request, fd);
  if (!data) {
    fail (reply, PDF_RENDER_NO_MEMORY, "the frame cannot be mapped");
    return;
  }
  cairo_status_t status = draw (worker, request, data);
  if (worker->text && worker->page && status == CAIRO_STATUS_SUCCESS)
    tell_text (worker, reply);
  drop_page (worker);
  if (worker->mapped > MAX_MAPPED_BYTES)
    unmap (worker, oldest_mapping (worker));    /* the only one, which does not come again */
  if (status != CAIRO_STATUS_SUCCESS)
    fail (reply, status == CAIRO_STATUS_NO_MEMORY ? PDF_RENDER_NO_MEMORY : PDF_RENDER_FAILED,
          cairo_status_to_string (status));
}

static void
handle (struct worker *worker, const struct pdf_render_request *request, int fds[MAX_FDS],
        struct pdf_render_reply *reply)
{
  switch (request->type) {
    case PDF_RENDER_OPEN:
      if (map_text (worker, request, fds[1])) {
        open_document (worker, request, fds[0], reply);
        fds[0] = -1;
      } else {
        fail (reply, PDF_RENDER_NO_MEMORY, "the memory for words cannot be mapped");
      }
      break;
    case PDF_RENDER_PAGE_SIZE:
      if (load_page (worker, request->page, reply))
        tell_size (worker, &reply->size);
      break;
    case PDF_RENDER_RENDER:
      render (worker, request, fds[0], reply);
      break;
    default:
      fail (reply, PDF_RENDER_FAILED, "unknown request");
  }
  for (int i = 0; i < MAX_FDS; i++)
    if (fds[i] >= 0)
      close (fds[i]);
}

/* One request with the descriptors that came along (or -1). False when there are no more. */
static bool
receive (struct pdf_render_request *request, int fds[MAX_FDS])
{
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE (MAX_FDS * sizeof (int))];
  } control;
  struct iovec part = { request, sizeof *request };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
    .msg_controllen = sizeof control };
  ssize_t n;

  do
    n = recvmsg (PDF_RENDER_FD, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  fds[0] = fds[1] = -1;
  struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR (&message) : NULL;
  if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
    memcpy (fds, CMSG_DATA (header), MIN (header->cmsg_len - CMSG_LEN (0), MAX_FDS * sizeof *fds));
  return n == (ssize_t) sizeof *request && request->version == PDF_RENDER_VERSION;
}

int
main (void)
{
  struct worker worker = { 0 };
  struct pdf_render_request request;
  int fds[MAX_FDS];

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  setrlimit (RLIMIT_CORE, &(struct rlimit) { 0, 0 });

  while (receive (&request, fds)) {
    struct pdf_render_reply reply = { .version = PDF_RENDER_VERSION, .type = request.type,
      .id = request.id };
    request.password[sizeof request.password - 1] = '\0';
    handle (&worker, &request, fds, &reply);
    if (send (PDF_RENDER_FD, &reply, sizeof reply, MSG_NOSIGNAL) != (ssize_t) sizeof reply)
      break;
  }
  /* The end of the process is the quickest way to free a document. */
  return 0;
}
