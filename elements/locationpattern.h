/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locations that stand for many files. Pure.
 *
 *   %s          the document's name without its suffix
 *   %d, %05d    the document's number in the stream, from 1; filled up with zeros to 5 digits
 *   %p, %04p    the page's number, likewise
 *   %%          a percent sign
 * Any other percent sign stands for itself, as it does in a name that is no pattern.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  GST_LOCATION_ONE_FILE = 0,
  GST_LOCATION_A_NAME = 1 << 0,   /* has %s */
  GST_LOCATION_A_NUMBER = 1 << 1, /* has %d */
  GST_LOCATION_A_PAGE = 1 << 2,   /* has %p */
} GstLocationPattern;

/* What of it changes from file to file. */
GstLocationPattern gst_location_pattern (const gchar * location);

/* The name of one file. (transfer full) */
gchar *gst_location_expand (const gchar * location, const gchar * name, guint number, guint page);

G_END_DECLS
