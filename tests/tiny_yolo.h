/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network of a few kilobytes for tests that need one that runs, in a file made at test time. */
#pragma once

/* Writes it into a folder that goes at exit. It is a YOLOv8 of 32×32 pixels with one class, and finds one region in
 * the middle of each page, whose score is the page's grey, 0 … 1. Its path, which stays valid; NULL on failure. */
const char *tiny_yolo_write (void);
