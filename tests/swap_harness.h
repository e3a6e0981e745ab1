/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect around the fake engine, models to swap, and what is told about that. A model's file holds the label of
 * what it finds. */
#pragma once

#include "fake_harness.h"

/* Batches are not ended by time. */
#define SWAP_LONG "batch-timeout=3600000 "

typedef struct SwapTest {
  char *one, *two, *three, *bad; /* paths; the last one's content is not a model */
  GstHarness *h;
  GstBus *bus;
  int one_again; /* atomic: model-file was notified, and named model one */
} SwapTest;

extern SwapTest swap;

/* A test case with the models. */
TCase *swap_tcase_new (const gchar *name);

/* Starts the element with model one and `properties`, as in a launch line; on a GPU unless they say otherwise. */
void swap_start (const gchar *properties);
/* Frees all; there must have been no error, and nothing may be left. */
void swap_stop (void);

void swap_set_model (const gchar *path);
/* The property names this file. */
void swap_check_model (const gchar *path);

/* The next message of this type and name (NULL: any) within `timeout`; NULL: none. Others stay for later. */
GstMessage *swap_pop (GstMessageType type, const gchar *name, GstClockTime timeout);
/* No such message has come. */
void swap_check_none (GstMessageType type, const gchar *name);
/* The swap to the file is told within `timeout`, in all that it takes, and done; the second on the GPU, in the end. */
void swap_check_updated (const gchar *path, GstClockTime timeout, const gchar *device);
void swap_wait_updated (const gchar *path);
/* A warning comes, with both parts in its text. */
void swap_wait_warning (GQuark domain, gint code, const gchar *part, const gchar *other);

/* Pages `first` … `first` + `n` - 1. */
void swap_push (guint first, guint n);
/* The buffer is page `number` with one layout with one region; its label. */
const gchar *swap_label (GstBuffer *buffer, guint number);
/* Takes them, all with this label. */
void swap_pull (guint first, guint n, const gchar *label);
