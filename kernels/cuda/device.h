/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GPU as the plans of this process share it: its libraries' handles and the choices made by timing. */
#pragma once

#include "../nn.h"
#include "cuda.h"

#include <pthread.h>

#define NN_CUDA_NAME_SIZE 320

typedef struct nn_cuda_device {
  int index, users;
  char name[NN_CUDA_NAME_SIZE]; /* "cuda:0 NVIDIA GB10" */
  struct cudaDeviceProp properties;
  /* Held while a plan is prepared or recorded: the handles work on one stream at a time. */
  pthread_mutex_t mutex;
  cudnnHandle_t cudnn;
  cublasLtHandle_t blas;
  nn_tuning *tuning;
  struct nn_cuda_device *next;
} nn_cuda_device;

/* nn_backend.check(): whether there is a driver, this device, and code for it. */
nn_status nn_cuda_device_check (int index, nn_error *err);

/* nn_backend.describe() and describe_device(). */
nn_status nn_cuda_describe_all (nn_cuda_info *info, nn_error *err);
nn_status nn_cuda_describe_device (int index, nn_device_info *info, nn_error *err);

/* Checks, and makes the device the calling thread's; the same object for the same index. */
nn_status nn_cuda_device_take (int index, nn_cuda_device **device, nn_error *err);
void nn_cuda_device_give_back (nn_cuda_device *device);

/* Of the store's items on a device. */
size_t nn_cuda_store_bytes (int device);

/* Whether the module has machine code or PTX for the current device (device.cu). */
cudaError_t nn_cuda_has_code (void);

/* For tests: DOCLAYOUT_CUDA_KERNELS names the implementations that products and convolutions may use. */
nn_cuda_choice nn_cuda_chosen (void);
