/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a run tells its user while it goes and at its end. Everything goes to standard error, so
 * that standard output stays free for the pages themselves. On a terminal: a line a page over a
 * progress bar; elsewhere a progress line every few seconds and a line for each page that failed. */
#pragma once

#include <gst/gst.h>

typedef struct launch_progress launch_progress;

launch_progress *launch_progress_new (void);
void launch_progress_free (launch_progress *progress);

/* The clock of "pages/s" starts here. */
void launch_progress_start (launch_progress *progress);

/* Counts a page and shows it. Fields of `page`, each optional: page (uint, from 1), pages (uint: what
 * this run will bring; 0 = unknown), error (string: why the page failed), regions (uint), labels (a
 * structure of label → uint), device (string). */
void launch_progress_page (launch_progress *progress, const GstStructure *page);

/* Shows a line of text above the bar. */
void launch_progress_say (launch_progress *progress, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Takes the bar away and leaves what was said. */
void launch_progress_end (launch_progress *progress);

/* Pages, failed pages, regions by class, pages/s, device. */
void launch_progress_summary (launch_progress *progress);

guint launch_progress_failed_pages (const launch_progress *progress);
guint launch_progress_pages (const launch_progress *progress);
