/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames in each kind of memory: the network gets the same pixels, and only what the device cannot read is copied.
 *
 *   memory MODEL.onnx    one input [1,3,H,W], one output; exit status 77 without a device
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/nn.h"
#include "kernels/session.h"
#include "tests/nn-check.h"

enum { WIDTH = 413, HEIGHT = 583, STRIDE = 4 * WIDTH + 12, BYTES = STRIDE * HEIGHT };

static nn_memory_path own; /* the device's */
static nn_session *session;
static uint8_t *pixels; /* as they are to be */
static float *expected; /* from pageable memory */

/* Runs the frame at `memory`; a frame is copied, or it is not. */
static void
check_frame (const char *what, const uint8_t *memory, bool copied)
{
  const nn_frame frame = { .data = memory, .width = WIDTH, .height = HEIGHT, .stride = STRIDE, .format = NN_PIXEL_BGRX };
  const nn_page_spec spec = { .filter = NN_RESIZE_BILINEAR, .std = { 1, 1, 1 } };
  nn_page_placement placement;
  nn_error err = { 0 };
  nn_status status = nn_session_fill_pages (session, 0, &frame, 1, &spec, &placement, &err);
  status = status == NN_OK ? nn_session_run (session, &err) : status;
  CHECK (status == NN_OK, "%s: %s", what, err.message);
  if (status != NN_OK)
    return;
  const nn_tensor *y = nn_session_output (session, 0);
  if (expected == NULL) {
    expected = malloc (nn_tensor_bytes (y));
    memcpy (expected, y->data, nn_tensor_bytes (y));
  }
  CHECK (memcmp (expected, y->data, nn_tensor_bytes (y)) == 0, "%s: other results", what);
  size_t least = copied && own != NN_MEMORY_DIRECT ? (size_t) BYTES - 12 : 0, staged = nn_session_staged_bytes (session);
  CHECK (staged == least, "%s: %zu bytes copied instead of %zu", what, staged, least);
  printf ("%s: %zu bytes copied\n", what, staged);
}

static void
check_allocated (nn_memory_kind kind, const char *what, bool staged)
{
  void *memory;
  nn_error err = { 0 };
  nn_status status = nn_memory_alloc (0, kind, BYTES, &memory, &err);
  CHECK (status == NN_OK || (kind == NN_MEMORY_MANAGED && status == NN_ERR_UNSUPPORTED), "%s: %s", what, err.message);
  if (status != NN_OK)
    return;
  memcpy (memory, pixels, BYTES);
  check_frame (what, memory, staged);
  nn_memory_free (0, kind, memory);
}

static void
check_registered (uint8_t *memory, size_t size, nn_memory_path path)
{
  nn_error err = { 0 };
  nn_status status = nn_memory_register (0, memory, size, &err);
  CHECK (status == NN_OK, "%s", err.message);
  check_frame ("shared, registered", memory, path == NN_MEMORY_STAGED);
  CHECK (nn_memory_register (0, memory, size, &err) != NN_OK, "registered twice");
  memset (memory, 0, BYTES); /* the host writes, and the device sees it */
  memcpy (memory, pixels, BYTES);
  check_frame ("shared, written again", memory, path == NN_MEMORY_STAGED);
  nn_memory_unregister (0, memory);
  check_frame ("shared, not registered any more", memory, true);
}

static void
check_shared (nn_memory_path path)
{
  int fd = memfd_create ("frame", MFD_CLOEXEC);
  size_t size = (BYTES + 4095) / 4096 * 4096;
  uint8_t *memory = ftruncate (fd, (off_t) size) == 0 ? mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                                                      : MAP_FAILED;
  CHECK (memory != MAP_FAILED, "no memory");
  memcpy (memory, pixels, BYTES);
  check_frame ("shared", memory, true);
  if (own == NN_MEMORY_REGISTERED)
    check_registered (memory, size, path);
  munmap (memory, size);
  close (fd);
}

static void
check_path (nn_memory_path path, const char *file)
{
  nn_error err = { 0 };
  const nn_plan_options options = { .device = NN_DEVICE_CUDA, .batch = 1, .threads = 1, .precision = NN_PRECISION_FP32 };
  setenv ("DOCLAYOUT_CUDA_MEMORY_PATH", nn_memory_path_name (path), 1);
  CHECK (nn_memory_path_of (NN_DEVICE_CUDA, 0) == path, "not that path");
  printf ("-- %s\n", nn_memory_path_name (path));
  nn_model *model = nn_model_open (file, &err);
  nn_plan *plan = model != NULL ? nn_plan_new (model, &options, &err) : NULL;
  session = plan != NULL ? nn_session_new (plan, &err) : NULL;
  CHECK (session != NULL, "%s", err.message);
  if (session != NULL) {
    check_frame ("pageable", pixels, true);
    check_shared (path);
    check_allocated (NN_MEMORY_PINNED, "pinned", path == NN_MEMORY_STAGED);
    check_allocated (NN_MEMORY_MANAGED, "managed", false);
  }
  nn_session_free (session);
  nn_plan_unref (plan);
  nn_model_unref (model);
}

int
main (int argc, char **argv)
{
  nn_error err = { 0 };
  if (argc != 2) {
    printf ("usage: memory MODEL.onnx\n");
    return 2;
  }
  if (nn_device_check (NN_DEVICE_CUDA, 0, &err) != NN_OK) {
    printf ("skipped: %s\n", err.message);
    return 77;
  }
  unsetenv ("DOCLAYOUT_CUDA_MEMORY_PATH");
  own = nn_memory_path_of (NN_DEVICE_CUDA, 0);
  printf ("the device's memory path is %s\n", nn_memory_path_name (own));
  pixels = malloc (BYTES);
  for (int i = 0; i < BYTES; i++)
    pixels[i] = (uint8_t) (i * 2654435761u >> 24);
  check_path (own, argv[1]);
  if (own == NN_MEMORY_REGISTERED) { /* the others' flow of control; what they are for, only their devices show */
    check_path (NN_MEMORY_DIRECT, argv[1]);
    check_path (NN_MEMORY_STAGED, argv[1]);
  }
  free (pixels);
  free (expected);
  return nn_check_report ("kinds of memory");
}
