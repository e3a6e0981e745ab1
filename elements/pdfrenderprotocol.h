/* SPDX-License-Identifier: MIT */
/* What pdfsrc and a render worker say to each other.
 *
 * A worker is a process of its own that is started with one end of a socket pair (AF_UNIX,
 * SOCK_SEQPACKET: one packet is one message) as descriptor PDF_RENDER_FD. It answers each request,
 * in order, with one reply and ends when the socket is closed. Both structures have one size on all
 * machines and are in the machine's byte order, since both ends run on it. Unused fields are zero.
 *
 *   request            descriptor sent along      a reply with status OK says
 *   OPEN               the document, read only,   n_pages
 *                      and where words are wanted
 *                      memory for them, a sealed
 *                      memfd
 *   PAGE_SIZE          none                       the page's size
 *   RENDER             the frame, a sealed memfd  the pixels are in the frame, `text_size` bytes of the page's
 *                                                 words (pdftext.h) in the memory for them, if there is one; they
 *                                                 stay there until the next request. `reason` where there are none
 *                                                 to be had
 *
 * A worker opens no document and no frame by name. It knows a frame that it has mapped before by
 * `frame`, which is never used for two memories. Nothing that a worker says is trusted: a reply of
 * another size, version, type or id ends it, and so do words that are none.
 */
#pragma once

#include <stdint.h>

#define PDF_RENDER_VERSION 4
#define PDF_RENDER_FD 3

/* Limits of a frame: cairo's is 32767 pixels a side; 2^27 pixels are 512 MiB. */
#define PDF_RENDER_MAX_SIDE 16384
#define PDF_RENDER_MAX_PIXELS (UINT32_C (1) << 27)
/* Limits of a document. PDF passwords have at most 127 bytes. */
#define PDF_RENDER_MAX_PAGES 10000000
#define PDF_RENDER_MAX_PASSWORD 128
#define PDF_RENDER_MAX_REASON 200
/* Limit of a page's words, in bytes: some 200,000 words. A memfd takes memory only where it is written to, so that
 * it has this size from the start. */
#define PDF_RENDER_MAX_TEXT (UINT32_C (16) << 20)

enum pdf_render_type {
  PDF_RENDER_OPEN = 1,
  PDF_RENDER_PAGE_SIZE,
  PDF_RENDER_RENDER,
};

enum pdf_render_status {
  PDF_RENDER_OK,
  PDF_RENDER_FAILED,            /* OPEN: the document is damaged. Else: this page cannot be had */
  PDF_RENDER_ENCRYPTED,         /* OPEN: the password is wrong or missing */
  PDF_RENDER_NO_MEMORY,         /* the worker's memory limit was met: it should be replaced */
  PDF_RENDER_OTHER_SIZE,        /* RENDER: the page is not of the size that was expected, but of the reply's */
  PDF_RENDER_N_STATUS
};

/* How large a page is, as it is seen: cropped and turned. */
struct pdf_render_size {
  double width, height;         /* points of 1/72 inch */
  double scale;                 /* pixels a point that the page is made of, an image's; 0: it can be drawn at any */
  uint32_t in_pixels;           /* the file tells no resolution: points are its pixels, scale is 1 */
  uint32_t reserved;
};

struct pdf_render_request {
  uint32_t version;             /* PDF_RENDER_VERSION */
  uint32_t type;
  uint32_t id;                  /* the reply has the same */
  uint32_t page;                /* from 0 */
  /* RENDER: white everywhere, then the page's crop box scaled by `scale` (pixels a point) with its
   * top left corner at pixel x, y. Pixels are B, G, R, 255; `stride` bytes a row. */
  uint64_t frame;
  uint64_t frame_size;          /* bytes of the descriptor that may be mapped */
  uint32_t width, height, stride;
  uint32_t has_password;
  double scale, x, y;
  struct pdf_render_size expected; /* RENDER: the page's size; width 0: any will do */
  uint64_t text_size;           /* OPEN: bytes of the memory for words that may be mapped; 0: there is none */
  char password[PDF_RENDER_MAX_PASSWORD]; /* OPEN: NUL-terminated UTF-8 */
};

struct pdf_render_reply {
  uint32_t version, type, id;
  uint32_t status;
  uint32_t n_pages;
  uint32_t text_size;
  struct pdf_render_size size;
  char reason[PDF_RENDER_MAX_REASON]; /* NUL-terminated: why the status is not OK, or there are no words */
};

_Static_assert (sizeof (struct pdf_render_request) == 112 + PDF_RENDER_MAX_PASSWORD, "no padding");
_Static_assert (sizeof (struct pdf_render_reply) == 56 + PDF_RENDER_MAX_REASON, "no padding");
