/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast poppler alone draws a document's pages, for comparison with pdfsrc, whose worker draws in the same way:
 *
 *   poppler-pages FILE.pdf PROCESSES PAGES DPI FRAMES
 *
 * Independent processes, each with the document open, draw PAGES pages of it in all, over and over in its order, split
 * round robin, into FRAMES memories (memfd) of each process in turn: with 1 what is drawn into stays in the cache,
 * with 2 a page can be looked at while the next one is drawn. Prints pages a second; opening the document and each
 * process's first 16 pages are not in the time. Exit status 1 where something fails. */
#include <cairo.h>
#include <math.h>
#include <poppler.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 16
#define MAX_BYTES ((size_t) 256 << 20)

/* What is to be done, by all processes together. */
typedef struct {
  char *uri;
  int processes, pages, frames;
  double dpi;
} work;

static void
die (const char *what)
{
  fprintf (stderr, "poppler-pages: %s\n", what);
  exit (1);
}

static void
draw (PopplerDocument *document, int number, double dpi, unsigned char *data)
{
  double width, height;
  PopplerPage *page = poppler_document_get_page (document, number);
  if (!page)
    die ("a page cannot be had");
  poppler_page_get_size (page, &width, &height);
  int columns = (int) ceil (width * dpi / 72), rows = (int) ceil (height * dpi / 72);
  int stride = (columns * 4 + 15) & ~15;
  if ((size_t) stride * (size_t) rows > MAX_BYTES)
    die ("a page is too large");
  memset (data, 0, (size_t) stride * (size_t) rows);
  cairo_surface_t *surface
    = cairo_image_surface_create_for_data (data, CAIRO_FORMAT_ARGB32, columns, rows, stride);
  cairo_t *cr = cairo_create (surface);
  cairo_save (cr);
  cairo_scale (cr, dpi / 72, dpi / 72);
  poppler_page_render (page, cr);
  cairo_restore (cr);
  cairo_set_operator (cr, CAIRO_OPERATOR_DEST_OVER);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  if (cairo_status (cr) != CAIRO_STATUS_SUCCESS)
    die ("a page cannot be drawn");
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  g_object_unref (page);
}

/* Frames that take memory as they are drawn into. */
static unsigned char *
make_frames (int n)
{
  size_t size = MAX_BYTES * (size_t) n;
  int fd = memfd_create ("frames", MFD_CLOEXEC);
  void *data = fd >= 0 && ftruncate (fd, (off_t) size) == 0
                 ? mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                 : MAP_FAILED;
  if (data == MAP_FAILED)
    die ("no memory");
  return data;
}

/* Says on `ready` that it is warm, waits for the end of `go`, and draws its share. */
static void
be_process (const work *w, int self, int ready, int go)
{
  GError *error = NULL;
  PopplerDocument *document = poppler_document_new_from_file (w->uri, NULL, &error);
  unsigned char *frames = make_frames (w->frames);
  int n = document ? poppler_document_get_n_pages (document) : 0;
  char byte = 0;
  if (n < 1)
    die (error ? error->message : "no pages");
  for (int i = 0; i < WARM_UP; i++)
    draw (document, i % n, w->dpi, frames + (size_t) (i % w->frames) * MAX_BYTES);
  if (write (ready, &byte, 1) != 1 || read (go, &byte, 1) != 0)
    die ("a pipe is broken");
  for (int i = self; i < w->pages; i += w->processes)
    draw (document, i % n, w->dpi, frames + (size_t) (i / w->processes % w->frames) * MAX_BYTES);
}

static double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* Starts the processes, and closes `go` when all are ready: the clock starts. */
static double
start (const work *w)
{
  int ready[2], go[2];
  char byte;
  if (pipe (ready) != 0 || pipe (go) != 0)
    die ("no pipe");
  for (int i = 0; i < w->processes; i++) {
    pid_t pid = fork ();
    if (pid < 0)
      die ("no process");
    if (pid > 0)
      continue;
    close (ready[0]);
    close (go[1]);
    be_process (w, i, ready[1], go[0]);
    exit (0);
  }
  close (ready[1]);
  for (int i = 0; i < w->processes; i++)
    if (read (ready[0], &byte, 1) != 1)
      die ("a process failed");
  close (go[1]);
  return now ();
}

int
main (int argc, char **argv)
{
  if (argc != 6)
    die ("usage: poppler-pages FILE.pdf PROCESSES PAGES DPI FRAMES");
  g_autofree char *path = g_canonicalize_filename (argv[1], NULL);
  g_autofree char *uri = g_filename_to_uri (path, NULL, NULL);
  work w = { uri, atoi (argv[2]), atoi (argv[3]), atoi (argv[5]), g_ascii_strtod (argv[4], NULL) };
  if (w.processes < 1 || w.pages < 1 || w.frames < 1 || !(w.dpi > 0))
    die ("the numbers are to be above 0");
  double began = start (&w);
  bool failed = false;
  for (int i = 0, status; i < w.processes; i++)
    failed |= wait (&status) < 0 || status != 0;
  if (failed)
    die ("a process failed");
  printf ("%.2f\n", w.pages / (now () - began));
  return 0;
}
