/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tests of pdfsrc with a worker that misbehaves (fakepdfworker.c, which the test's environment names). */
#pragma once

#include "pdfpipeline.h"

/* A fixture: ten pages, and a log of what workers do. */
extern gchar *fake_worker_document;
void fake_worker_setup (void);
void fake_worker_teardown (void);

/* How often a worker did the deed, which is a line of the log. */
guint fake_worker_count (const gchar * deed);

/* A number of pdfsrc's stats. */
guint fake_worker_stat (PdfRun * run, const gchar * name);
