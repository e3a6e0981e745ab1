/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sees the pages of a running pipeline go by. */
#pragma once

#include <gst/gst.h>

#define LAUNCH_PAGE_MESSAGE "doclayout-page"

/* From now on `pipeline` posts an element message LAUNCH_PAGE_MESSAGE for each page, with the
 * fields that launch_progress_page() takes. Pages are read from the metas where they leave the
 * first cudalayoutdetect, or, in a pipeline that has none, where they enter the first sink. */
void launch_pages_watch (GstElement *pipeline);

/* Gives each file that the multifilesink `sink` writes the number of its page. */
void launch_pages_number_files (GstElement *sink);
