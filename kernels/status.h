/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of the engine.
 *
 * A function that can fail takes an nn_error* as its last argument, which may not be NULL. On
 * failure it fills it by nn_fail() and returns the status (or NULL where it returns an object);
 * on success it leaves it alone. The message is one sentence for the user that names what failed,
 * where (file, node, tensor) and, if known, what to do. The engine never prints, exits or aborts.
 */
#pragma once

typedef enum nn_status {
  NN_OK = 0,
  NN_ERR_ARGUMENT,    /* the caller asked for something that cannot be */
  NN_ERR_IO,          /* a file cannot be opened or read */
  NN_ERR_FORMAT,      /* the file is not what it should be: truncated, not ONNX, inconsistent */
  NN_ERR_UNSUPPORTED, /* valid, but this build has no such operator, type or model family */
  NN_ERR_LIMIT,       /* a stated limit (nesting, counts, sizes) is exceeded */
  NN_ERR_MEMORY,      /* out of memory */
  NN_ERR_DEVICE,      /* the device or its library failed or is not there */
} nn_status;

typedef struct nn_error {
  nn_status status;
  char message[512]; /* a line of UTF-8 without control characters, cut at a whole character if too long */
} nn_error;

/* Fills `err` and returns `status`, so that `return nn_fail (err, NN_ERR_IO, "…", …);` reads well. */
nn_status nn_fail (nn_error *err, nn_status status, const char *format, ...)
  __attribute__ ((format (printf, 3, 4)));

/* Puts "WHERE: " in front of the message that `err` holds already and returns its status. */
nn_status nn_fail_in (nn_error *err, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
