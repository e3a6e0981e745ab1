/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks for tests of the engine, which uses no GLib: a failed one is printed and counted, and
 * the test goes on. main() ends with `return nn_check_report ("what was compared");`. */
#pragma once

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int nn_checks, nn_checks_failed;

/* CHECK (condition), or CHECK (condition, "what is so instead: %d", …). */
#define CHECK(...) NN_CHECK (__VA_ARGS__, (const char *) NULL)
#define NN_CHECK(condition, ...) \
  ((condition) ? nn_check_good () : nn_check_bad (__FILE__, __LINE__, __func__, #condition, __VA_ARGS__))
#define CHECK_NEAR(a, b, tolerance) nn_check_near ((a), (b), (tolerance), #a, __FILE__, __LINE__, __func__)
#define CHECK_TEXT(text, part) nn_check_text ((text), (part), __FILE__, __LINE__, __func__)

static inline int
nn_check_good (void)
{
  nn_checks++;
  return 1;
}

/* `format` NULL: the condition says it all. */
static inline int
nn_check_bad (const char *file, int line, const char *function, const char *what, const char *format, ...)
{
  va_list args;
  nn_checks++;
  nn_checks_failed++;
  printf ("%s:%d: %s: not true: %s", file, line, function, what);
  if (format) {
    printf (": ");
    va_start (args, format);
    vprintf (format, args);
    va_end (args);
  }
  printf ("\n");
  return 0;
}

static inline int
nn_check_near (double a, double b, double tolerance, const char *what, const char *file, int line,
               const char *function)
{
  nn_checks++;
  if (fabs (a - b) <= tolerance)
    return 1;
  nn_checks_failed++;
  printf ("%s:%d: %s: %s is %.9g, not %.9g ± %g\n", file, line, function, what, a, b, tolerance);
  return 0;
}

static inline int
nn_check_text (const char *text, const char *part, const char *file, int line, const char *function)
{
  nn_checks++;
  if (strstr (text, part))
    return 1;
  nn_checks_failed++;
  printf ("%s:%d: %s: \"%s\" does not say \"%s\"\n", file, line, function, text, part);
  return 0;
}

static inline int
nn_check_report (const char *what)
{
  printf ("%s: %d checks, %d failed\n", what, nn_checks, nn_checks_failed);
  return nn_checks_failed ? 1 : 0;
}
