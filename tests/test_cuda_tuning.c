/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file of choices made by timing: what is kept is found again, and a damaged file is as good as none. Needs the CUDA
 * libraries, but neither a driver nor a GPU. */
#include "kernels/cuda/tuning.h"

#include "nn-check.h"

#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

static const nn_cuda device = { .architecture = 90, .n_multiprocessors = 132 };
static char folder[] = "/tmp/doclayout-tuning-XXXXXX";

static const char *
choice_of (const nn_tuning *tuning, const char *key)
{
  static char choice[16];
  return nn_tuning_find (tuning, key, choice, sizeof choice) ? choice : "none";
}

/* The one file that is there; NULL: none. */
static const char *
path (void)
{
  static char found[256];
  char pattern[256];
  glob_t files;
  snprintf (pattern, sizeof pattern, "%s/gst-doclayout/tuning-*", folder);
  if (glob (pattern, 0, NULL, &files) != 0)
    return NULL;
  CHECK (files.gl_pathc == 1, "%zu files", files.gl_pathc);
  snprintf (found, sizeof found, "%s", files.gl_pathv[0]);
  globfree (&files);
  return found;
}

static void
test_kept (void)
{
  nn_tuning *first = nn_tuning_open (&device), *second = nn_tuning_open (&device);
  CHECK (strcmp (choice_of (first, "a key"), "none") == 0);
  nn_tuning_keep (first, "a key", "one");
  nn_tuning_keep (first, "a key", "two");
  nn_tuning_keep (second, "another", "");
  nn_tuning_keep (second, "with\ttab", "x");
  nn_tuning_keep (second, "long", "more than sixteen characters");
  CHECK (strcmp (choice_of (first, "a key"), "two") == 0);
  CHECK (strcmp (choice_of (second, "long"), "none") == 0);
  nn_tuning_close (first);
  nn_tuning_close (second); /* keeps what the first has written */
  nn_tuning *again = nn_tuning_open (&device);
  CHECK (strcmp (choice_of (again, "a key"), "two") == 0);
  CHECK (strcmp (choice_of (again, "another"), "") == 0);
  CHECK (strcmp (choice_of (again, "with"), "none") == 0);
  nn_tuning_close (again);
}

/* What is found in a file of one choice, "x", and `text` behind it, with its header or without. */
static void
check_file (const char *text, bool has_header, const char *wanted)
{
  char header[512] = "";
  FILE *file = fopen (path (), "r");
  CHECK (fgets (header, sizeof header, file) != NULL);
  fclose (file);
  file = fopen (path (), "w");
  fprintf (file, "%sgood\tx\n%s", has_header ? header : "", text);
  fclose (file);
  nn_tuning *tuning = nn_tuning_open (&device);
  CHECK (strcmp (choice_of (tuning, "good"), wanted) == 0, "with '%s'", text);
  nn_tuning_close (tuning);
  file = fopen (path (), "w");
  fputs (header, file);
  fclose (file);
}

int
main (void)
{
  if (mkdtemp (folder) == NULL)
    return 1;
  setenv ("XDG_CACHE_HOME", folder, 1);
  nn_tuning_close (NULL);
  CHECK (strcmp (choice_of (NULL, "a key"), "none") == 0);
  test_kept ();
  check_file ("fine\ty\n", true, "x");
  check_file ("no tab\n", true, "none");
  check_file ("two\ttabs\there\n", true, "none");
  check_file ("\tno key\n", true, "none");
  check_file ("\n", true, "none");
  check_file ("cut\tof", true, "none");
  check_file ("", false, "none");
  unlink (path ());
  char parent[64];
  snprintf (parent, sizeof parent, "%s/gst-doclayout", folder);
  CHECK (rmdir (parent) == 0 && rmdir (folder) == 0);
  return nn_check_report ("choices made by timing");
}
