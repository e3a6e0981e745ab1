/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one symbol of the module. */
#include "../backend.h"

#include <string.h>

__attribute__ ((visibility ("default"))) const nn_backend *nn_cuda_module (const char *version);

const nn_backend *
nn_cuda_module (const char *version)
{
  return strcmp (version, NN_VERSION) == 0 ? &nn_backend_cuda : NULL;
}
