/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of documents for people and files, from their URIs. Pure. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The last part of a URI's path without its escapes: "a b.pdf" of "file:///x/a%20b.pdf". It is a
 * name that a file can have: UTF-8 or the file's own bytes, no slash, no control characters, not
 * empty, neither "." nor "..". "document" where `uri` is NULL or has no such part. (transfer full) */
gchar *gst_document_file_name (const gchar * uri);

/* The same without its suffix: "a b". (transfer full) */
gchar *gst_document_name (const gchar * uri);

G_END_DECLS
