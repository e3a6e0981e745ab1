/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstpdfsrcprivate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe would have to be read to its end first. */
gint
gst_pdf_src_open_file (GstPdfSrc * self)
{
  gint fd = open (self->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status;
  gchar head[1024];
  gssize n;

  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
        ("There is no file \"%s\".", self->file), GST_ERROR_SYSTEM);
    return -1;
  }
  if (fd < 0 || fstat (fd, &status) != 0) {
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ,
        ("\"%s\" cannot be opened for reading: %s.", self->file,
            g_strerror (errno)), (NULL));
  } else if (!S_ISREG (status.st_mode)) {
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ,
        ("\"%s\" is %s.", self->file, S_ISDIR (status.st_mode)
            ? "a folder; location is to be one PDF or image file" : "not a plain file"),
        (NULL));
  } else if (status.st_size == 0) {
    GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
        ("\"%s\" is not a PDF file, nor an image: it is empty.", self->file), (NULL));
  } else {
    n = pread (fd, head, sizeof head, 0);
    self->looks_like_pdf = n > 0 && memmem (head, (gsize) n, "%PDF-", 5);
    return fd;
  }
  if (fd >= 0)
    close (fd);
  return -1;
}

gboolean
gst_pdf_src_check_settings (GstPdfSrc * self)
{
  GError *error = NULL;

  if (!self->file || !*self->file) {
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
        ("No file is given; set the property location."), (NULL));
    return FALSE;
  }
  self->range = gst_doc_page_range_parse (self->wanted, &error);
  if (!self->range) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("The property pages is malformed: %s.", error->message), (NULL));
    g_error_free (error);
    return FALSE;
  }
  return TRUE;
}

void
gst_pdf_src_post_error (GstPdfSrc * self, const GError * error)
{
  gboolean has_password;

  GST_OBJECT_LOCK (self);
  has_password = self->password != NULL;
  GST_OBJECT_UNLOCK (self);
  if (g_error_matches (error, GST_PDF_ERROR, GST_PDF_ERROR_FLUSHING)) {
    GST_DEBUG_OBJECT (self, "flushing");
  } else if (g_error_matches (error, GST_PDF_ERROR, GST_PDF_ERROR_WORKER)) {
    GST_ELEMENT_ERROR (self, LIBRARY, INIT,
        ("\"%s\" cannot be rendered: %s.", self->file, error->message), (NULL));
  } else if (g_error_matches (error, GST_PDF_ERROR, GST_PDF_ERROR_ENCRYPTED)) {
    GST_ELEMENT_ERROR (self, STREAM, DECRYPT_NOKEY,
        ("\"%s\" is encrypted%s.", self->file, has_password
            ? " and the given password does not open it"
            : "; set the property password"), ("%s", error->message));
  } else if (!self->looks_like_pdf) {
    GST_ELEMENT_ERROR (self, STREAM, WRONG_TYPE,
        ("\"%s\" is not a PDF file, nor an image (PNG, JPEG, TIFF, JPEG 2000) "
            "that can be read.", self->file), ("%s", error->message));
  } else {
    GST_ELEMENT_ERROR (self, STREAM, DECODE,
        ("\"%s\" is damaged: %s.", self->file, error->message), (NULL));
  }
}

gboolean
gst_pdf_src_choose_pages (GstPdfSrc * self, guint n_pages)
{
  guint count = gst_doc_page_range_clip (self->range, n_pages);

  GST_OBJECT_LOCK (self);
  self->n_pages = n_pages;
  self->count = count;
  GST_OBJECT_UNLOCK (self);
  if (n_pages == 0)
    GST_ELEMENT_ERROR (self, STREAM, DECODE,
        ("\"%s\" has no pages.", self->file), (NULL));
  else if (count == 0)
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("None of the pages %s is in \"%s\", which has %u.", self->wanted,
            self->file, n_pages), (NULL));
  return count > 0;
}
