/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Without these functions libgstcuda takes the driver for none; no test calls them. */

#define UNUSED(name) \
  __attribute__ ((visibility ("default"))) int name (void); \
  int \
  name (void) \
  { \
    return 801; /* CUDA_ERROR_NOT_SUPPORTED */ \
  }

UNUSED (cuCtxEnablePeerAccess)
UNUSED (cuCtxDisablePeerAccess)
UNUSED (cuGraphicsMapResources)
UNUSED (cuGraphicsUnmapResources)
UNUSED (cuGraphicsUnregisterResource)
UNUSED (cuMemAlloc_v2)
UNUSED (cuStreamDestroy)
UNUSED (cuModuleLoadData)
UNUSED (cuModuleUnload)
UNUSED (cuModuleGetFunction)
UNUSED (cuTexObjectCreate)
UNUSED (cuTexObjectDestroy)
UNUSED (cuLaunchKernel)
UNUSED (cuGraphicsGLRegisterImage)
UNUSED (cuGraphicsGLRegisterBuffer)
UNUSED (cuGLGetDevices_v2)
UNUSED (cuGraphicsResourceSetMapFlags_v2)
UNUSED (cuGraphicsSubResourceGetMappedArray)
UNUSED (cuGraphicsResourceGetMappedPointer_v2)
UNUSED (cuCtxSynchronize)
UNUSED (cuCtxGetLimit)
UNUSED (cuCtxSetLimit)
UNUSED (cuMemcpyDtoD_v2)
UNUSED (cuMemcpyDtoDAsync_v2)
UNUSED (cuMemcpyDtoH_v2)
UNUSED (cuMemcpyDtoHAsync_v2)
UNUSED (cuMemcpyHtoD_v2)
UNUSED (cuMemcpyHtoDAsync_v2)
UNUSED (cuMemsetD2D8_v2)
UNUSED (cuMemsetD2D8Async)
UNUSED (cuMemsetD2D16_v2)
UNUSED (cuMemsetD2D16Async)
UNUSED (cuMemsetD2D32_v2)
UNUSED (cuMemsetD2D32Async)
UNUSED (cuEventCreate)
UNUSED (cuEventDestroy_v2)
UNUSED (cuEventRecord)
UNUSED (cuEventSynchronize)
UNUSED (cuIpcGetEventHandle)
UNUSED (cuIpcOpenEventHandle)
UNUSED (cuIpcGetMemHandle)
UNUSED (cuIpcOpenMemHandle)
UNUSED (cuIpcCloseMemHandle)
