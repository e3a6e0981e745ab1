/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-process.h"

#include <glib.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double
seconds_of (int who)
{
  struct rusage usage;
  if (getrusage (who, &usage) != 0)
    return 0;
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static char *
read_proc (const char *process, const char *file)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/%s", process, file);
  char *text = NULL;
  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

/* Adds what `get` says of each child. A child belongs to the thread that started it. */
static double
sum_over_children (double (*get) (const char *process))
{
  double sum = 0;
  g_autoptr (GDir) threads = g_dir_open ("/proc/self/task", 0, NULL);
  for (const char *thread; threads && (thread = g_dir_read_name (threads));) {
    g_autofree char *file = g_strdup_printf ("task/%s/children", thread);
    g_autofree char *text = read_proc ("self", file);
    g_auto (GStrv) children = g_strsplit (text ? g_strstrip (text) : "", " ", 0);
    for (char **child = children; *child; child++)
      sum += get (*child);
  }
  return sum;
}

/* User and system time are the 14th and 15th field; the second, a name in brackets, may have blanks. */
static double
child_seconds (const char *process)
{
  g_autofree char *text = read_proc (process, "stat");
  const char *rest = text ? strrchr (text, ')') : NULL;
  g_auto (GStrv) fields = g_strsplit (rest ? rest : "", " ", 15);
  if (g_strv_length (fields) < 15)
    return 0;
  guint64 ticks = g_ascii_strtoull (fields[12], NULL, 10) + g_ascii_strtoull (fields[13], NULL, 10);
  return (double) ticks / (double) sysconf (_SC_CLK_TCK);
}

void
bench_process_cpu (double *self, double *children)
{
  double ended;
  *self = seconds_of (RUSAGE_SELF);
  /* Again where one ended meanwhile, which would count twice or not at all. */
  do {
    ended = seconds_of (RUSAGE_CHILDREN);
    *children = ended + sum_over_children (child_seconds);
  } while (seconds_of (RUSAGE_CHILDREN) > ended);
}

static double
proportional_bytes (const char *process)
{
  g_autofree char *text = read_proc (process, "smaps_rollup");
  const char *line = text ? strstr (text, "\nPss:") : NULL;
  return line ? (double) g_ascii_strtoull (line + strlen ("\nPss:"), NULL, 10) * 1024 : 0;
}

double
bench_process_memory (void)
{
  double self = proportional_bytes ("self");
  return self > 0 ? self + sum_over_children (proportional_bytes) : (double) NAN;
}
