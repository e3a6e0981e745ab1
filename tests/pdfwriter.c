/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pdfwriter.h"

#include <glib/gstdio.h>
#include <string.h>

static gchar *folder;

guint8
pdf_grey (guint number)
{
  return (guint8) (250 - number % 200);
}

static void
begin_object (GString * pdf, GArray * offsets)
{
  gsize offset = pdf->len;

  g_array_append_val (offsets, offset);
  g_string_append_printf (pdf, "%u 0 obj\n", offsets->len);
}

static void
append_page (GString * pdf, GArray * offsets, const PdfPageSpec * page,
    guint number)
{
  gchar *fill = g_strdup_printf ("%.4f g -1000 -1000 9999 9999 re f",
      pdf_grey (number) / 255.0);
  const gchar *content = page->content ? page->content : fill;

  begin_object (pdf, offsets);
  g_string_append_printf (pdf, "<</Type/Page/Parent 2 0 R/Rotate %d"
      "/MediaBox[0 0 %g %g]", page->rotate, page->width, page->height);
  if (page->crop[2] > 0)
    g_string_append_printf (pdf, "/CropBox[%g %g %g %g]", page->crop[0],
        page->crop[1], page->crop[2], page->crop[3]);
  if (page->content)
    g_string_append (pdf, "/Resources<</Font<<"
        "/F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
        "/B<</Type/Font/Subtype/Type1/BaseFont/Helvetica-BoldOblique>>>>>>");
  g_string_append_printf (pdf, "/Contents %u 0 R>>\nendobj\n",
      offsets->len + 1);
  begin_object (pdf, offsets);
  g_string_append_printf (pdf, "<</Length %" G_GSIZE_FORMAT
      ">>\nstream\n%s\nendstream\nendobj\n", strlen (content), content);
  g_free (fill);
}

static void
append_table (GString * pdf, GArray * offsets)
{
  gsize start = pdf->len;

  g_string_append_printf (pdf, "xref\n0 %u\n0000000000 65535 f \n",
      offsets->len + 1);
  for (guint i = 0; i < offsets->len; i++)
    g_string_append_printf (pdf, "%010" G_GSIZE_FORMAT " 00000 n \n",
        g_array_index (offsets, gsize, i));
  g_string_append_printf (pdf, "trailer\n<</Size %u/Root 1 0 R>>\nstartxref\n%"
      G_GSIZE_FORMAT "\n%%%%EOF\n", offsets->len + 1, start);
}

gchar *
pdf_write_bytes (const gchar * name, const gchar * bytes, gsize size)
{
  gchar *path;
  GError *error = NULL;

  if (!folder)
    folder = g_dir_make_tmp ("doclayout-XXXXXX", &error);
  g_assert_no_error (error);
  path = g_build_filename (folder, name, NULL);
  g_file_set_contents (path, bytes, (gssize) size, &error);
  g_assert_no_error (error);
  return path;
}

gchar *
pdf_write (const gchar * name, const PdfPageSpec * pages, guint n_pages)
{
  GString *pdf = g_string_new ("%PDF-1.4\n");
  GArray *offsets = g_array_new (FALSE, FALSE, sizeof (gsize));
  gchar *path;

  begin_object (pdf, offsets);
  g_string_append (pdf, "<</Type/Catalog/Pages 2 0 R>>\nendobj\n");
  begin_object (pdf, offsets);
  g_string_append_printf (pdf, "<</Type/Pages/Count %u/Kids[", n_pages);
  for (guint i = 0; i < n_pages; i++)
    g_string_append_printf (pdf, "%u 0 R ", 3 + 2 * i);
  g_string_append (pdf, "]>>\nendobj\n");
  for (guint i = 0; i < n_pages; i++)
    append_page (pdf, offsets, &pages[i], i + 1);
  append_table (pdf, offsets);
  path = pdf_write_bytes (name, pdf->str, pdf->len);
  g_array_unref (offsets);
  g_string_free (pdf, TRUE);
  return path;
}

gchar *
pdf_write_plain (const gchar * name, guint n_pages)
{
  PdfPageSpec *pages = g_new0 (PdfPageSpec, n_pages);
  gchar *path;

  for (guint i = 0; i < n_pages; i++) {
    pages[i].width = 72;
    pages[i].height = 108;
  }
  path = pdf_write (name, pages, n_pages);
  g_free (pages);
  return path;
}

void
pdf_remove_files (void)
{
  GDir *dir = folder ? g_dir_open (folder, 0, NULL) : NULL;
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    gchar *path = g_build_filename (folder, name, NULL);

    g_remove (path);
    g_free (path);
  }
  g_clear_pointer (&dir, g_dir_close);
  if (folder)
    g_rmdir (folder);
  g_clear_pointer (&folder, g_free);
}
