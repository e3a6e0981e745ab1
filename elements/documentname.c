/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "documentname.h"

#include <string.h>

#define UNNAMED "document"

gchar *
gst_document_file_name (const gchar * uri)
{
  const gchar *start = uri ? strstr (uri, "://") : NULL;
  g_autofree gchar *path = NULL, *name = NULL;
  const gchar *last;

  start = start ? start + strlen ("://") : uri ? uri : "";
  path = g_strndup (start, strcspn (start, "?#"));
  last = strrchr (path, '/');
  name = g_uri_unescape_string (last ? last + 1 : path, NULL);
  if (name == NULL)
    name = g_strdup (last ? last + 1 : path);
  for (gchar * p = name; *p; p++)
    if (*p == '/' || g_ascii_iscntrl (*p))
      *p = '_';
  if (name[0] == '\0' || g_str_equal (name, ".") || g_str_equal (name, ".."))
    return g_strdup (UNNAMED);
  return g_steal_pointer (&name);
}

gchar *
gst_document_name (const gchar * uri)
{
  gchar *name = gst_document_file_name (uri);
  gchar *dot = strrchr (name, '.');

  if (dot && dot > name && dot[1])
    *dot = '\0';
  return name;
}
