/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#ifdef NN_CUDA_MODULE_FILE

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const nn_backend *cuda;
static nn_error cuda_error;

/* The module stays open: CUDA has threads and exit handlers of its own. dlerror() names the library that is
 * missing, be it the module itself or cuDNN. */
static void
load_cuda (void)
{
  const char *file = getenv ("DOCLAYOUT_CUDA_MODULE");
  void *module = dlopen (file != NULL && *file != '\0' ? file : NN_CUDA_MODULE_FILE, RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) {
    nn_fail (&cuda_error, NN_ERR_DEVICE, "the CUDA backend cannot be loaded: %s", dlerror ());
    return;
  }
  nn_cuda_module_entry entry;
  *(void **) &entry = dlsym (module, "nn_cuda_module");
  if (entry == NULL || (cuda = entry (NN_VERSION)) == NULL)
    nn_fail (&cuda_error, NN_ERR_DEVICE, "the CUDA backend is not of this version (" NN_VERSION "): install both again");
}

static const nn_backend *
find_cuda (nn_error *err)
{
  pthread_once (&once, load_cuda);
  if (cuda == NULL)
    *err = cuda_error;
  return cuda;
}

#else

static const nn_backend *
find_cuda (nn_error *err)
{
  nn_fail (err, NN_ERR_UNSUPPORTED, "this build has no CUDA backend");
  return NULL;
}

#endif

const nn_backend *
nn_backend_find (nn_device_kind kind, nn_error *err)
{
  return kind == NN_DEVICE_CPU ? &nn_backend_cpu : find_cuda (err);
}

nn_status
nn_device_check (nn_device_kind device, int index, nn_error *err)
{
  const nn_backend *backend = nn_backend_find (device, err);
  return backend != NULL ? backend->check (index, err) : err->status;
}

nn_status
nn_cuda_describe (nn_cuda_info *info, nn_error *err)
{
  const nn_backend *backend = nn_backend_find (NN_DEVICE_CUDA, err);
  *info = (nn_cuda_info){ 0 };
  return backend != NULL ? backend->describe (info, err) : err->status;
}

nn_status
nn_device_describe (int index, nn_device_info *info, nn_error *err)
{
  const nn_backend *backend = nn_backend_find (NN_DEVICE_CUDA, err);
  *info = (nn_device_info){ 0 };
  return backend != NULL ? backend->describe_device (index, info, err) : err->status;
}
