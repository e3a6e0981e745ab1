/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a network once on data from files, for tests that compare with other engines:
 *
 *   nn-run [-b BATCH] [-t THREADS] [-r REPEATS] MODEL OUT-PREFIX INPUT...
 *
 * Each INPUT is the raw elements of one input, row-major; output I is written to OUT-PREFIX.I. A line
 * of standard output tells nodes before and after planning, arena bytes, and milliseconds of the
 * fastest run; a line each follows for the outputs. Exit status 1 with the engine's message on
 * standard error where it refuses.
 */
#include "kernels/nn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
fail (const char *message)
{
  fprintf (stderr, "%s\n", message);
  return 1;
}

static double
now_ms (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

/* Element `index` in row-major order of a tensor with any strides. */
static char *
element (const nn_tensor *tensor, int64_t index)
{
  int64_t at = 0;
  for (int d = tensor->rank - 1; d >= 0; d--) {
    at += index % tensor->dim[d] * tensor->stride[d];
    index /= tensor->dim[d];
  }
  return (char *) tensor->data + at * (int64_t) nn_dtype_size (tensor->dtype);
}

static int
read_input (const char *path, nn_tensor *input)
{
  FILE *file = fopen (path, "rb");
  if (file == NULL)
    return fail ("cannot open the input");
  size_t size = nn_dtype_size (input->dtype);
  int64_t n = nn_tensor_count (input);
  int64_t done = 0;
  while (done < n && fread (element (input, done), size, 1, file) == 1)
    done++;
  bool whole = done == n && fgetc (file) == EOF;
  fclose (file);
  return whole ? 0 : fail ("the input has not the network's size");
}

static int
write_output (const char *prefix, int index, const nn_tensor *output)
{
  char path[4096], text[256];
  snprintf (path, sizeof path, "%s.%d", prefix, index);
  FILE *file = fopen (path, "wb");
  if (file == NULL)
    return fail ("cannot write an output");
  fwrite (output->data, 1, nn_tensor_bytes (output), file);
  if (fclose (file) != 0)
    return fail ("cannot write an output");
  printf ("%s\n", nn_tensor_describe (output, text, sizeof text));
  return nn_tensor_is_dense (output, NN_LAYOUT_ROW_MAJOR) ? 0 : fail ("an output is not row-major");
}

static int
run (nn_model *model, nn_plan *plan, nn_session *session, int repeats, const char *prefix, char **inputs)
{
  nn_error err;
  double best = 0;
  int rc = 0;
  for (int r = 0; r < repeats && rc == 0; r++) {
    for (int i = 0; i < nn_model_n_inputs (model) && rc == 0; i++)
      rc = read_input (inputs[i], nn_session_input (session, i));
    double start = now_ms ();
    if (rc == 0 && nn_session_run (session, &err) != NN_OK)
      return fail (err.message);
    double took = now_ms () - start;
    best = r == 0 || took < best ? took : best;
  }
  printf ("nodes %d %d arena %zu ms %.3f\n", nn_plan_nodes_before (plan), nn_plan_nodes_after (plan),
          nn_plan_arena_bytes (plan), best);
  for (int i = 0; i < nn_model_n_outputs (model) && rc == 0; i++)
    rc = write_output (prefix, i, nn_session_output (session, i));
  return rc;
}

int
main (int argc, char **argv)
{
  int batch = 1, threads = 1, repeats = 1, option;
  while ((option = getopt (argc, argv, "b:t:r:")) != -1)
    *(option == 'b' ? &batch : option == 't' ? &threads : &repeats) = atoi (optarg);
  if (argc - optind < 2)
    return 2;
  nn_error err = { 0 };
  nn_model *model = nn_model_open (argv[optind], &err);
  nn_plan *plan = model != NULL ? nn_plan_new (model, NN_DEVICE_CPU, batch, &err) : NULL;
  nn_session *session = plan != NULL ? nn_session_new (plan, threads, &err) : NULL;
  int rc = 1;
  if (session == NULL)
    fail (err.message);
  else if (argc - optind - 2 != nn_model_n_inputs (model))
    fail ("the number of inputs is not the network's");
  else
    rc = run (model, plan, session, repeats, argv[optind + 1], argv + optind + 2);
  nn_session_free (session);
  nn_plan_unref (plan);
  nn_model_unref (model);
  return rc;
}
