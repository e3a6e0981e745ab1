/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutdevice.h"

/* NVIDIA's; the second file is there in containers too. */
static gboolean
has_driver (void)
{
  return g_file_test ("/proc/driver/nvidia/version", G_FILE_TEST_EXISTS)
      || g_file_test ("/dev/nvidiactl", G_FILE_TEST_EXISTS);
}

/* Only a GPU has other precisions; auto is each device's own. */
static gboolean
wants_gpu_precision (const GstLayoutConfig * config)
{
  return config->precision != NN_PRECISION_AUTO
      && config->precision != NN_PRECISION_FP32;
}

/* Whether the CPU is no news: to a build that was made without CUDA, where nothing else is asked for
 * and there is no GPU that lies idle. */
static gboolean
is_expected (const GstLayoutConfig * config, const nn_error * reason)
{
  return reason->status == NN_ERR_UNSUPPORTED && !wants_gpu_precision (config)
      && !has_driver ();
}

/* What nn_device_check() said. */
static GError *
missing (const nn_error * reason)
{
  return g_error_new_literal (GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
      reason->message);
}

/* Takes `cause`. */
static void
choose_cpu (GstLayoutChoice * choice, const GstLayoutConfig * config,
    GError * cause)
{
  gst_layout_choice_clear (choice);
  choice->kind = NN_DEVICE_CPU;
  choice->reason = g_strdup_printf ("device=auto, and %s", cause->message);
  choice->warning = cause;
  if (wants_gpu_precision (config))
    g_prefix_error (&choice->warning, "The network runs on the CPU, and in "
        "fp32 instead of %s: ", nn_precision_name (config->precision));
  else
    g_prefix_error (&choice->warning, "The network runs on the CPU: ");
}

/* Takes `cause`. */
static void
refuse (GError * cause, GError ** error)
{
  g_set_error (error, cause->domain, cause->code, "device=cuda: %s. Use "
      "device=cpu or device=auto.", cause->message);
  g_error_free (cause);
}

gboolean
gst_layout_choice_make (GstLayoutChoice * choice,
    const GstLayoutConfig * config, GError ** error)
{
  nn_error reason = { 0 };

  *choice = (GstLayoutChoice) {
    NN_DEVICE_CPU,
  };
  if (config->device == GST_LAYOUT_DEVICE_CPU) {
    if (wants_gpu_precision (config)) {
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "precision=%s does not go with device=cpu, which runs in fp32 only. "
          "Use precision=auto, or device=cuda.",
          nn_precision_name (config->precision));
      return FALSE;
    }
    choice->reason = g_strdup ("device=cpu");
    return TRUE;
  }
  if (nn_device_check (NN_DEVICE_CUDA, config->cuda_device, &reason) == NN_OK) {
    choice->kind = NN_DEVICE_CUDA;
    choice->reason = g_strdup (config->device == GST_LAYOUT_DEVICE_CUDA
        ? "device=cuda" : "device=auto, and there is a GPU");
    return TRUE;
  }
  if (config->device == GST_LAYOUT_DEVICE_CUDA) {
    refuse (missing (&reason), error);
    return FALSE;
  }
  choose_cpu (choice, config, missing (&reason));
  if (is_expected (config, &reason))
    g_clear_error (&choice->warning);
  return TRUE;
}

void
gst_layout_choice_clear (GstLayoutChoice * choice)
{
  g_clear_pointer (&choice->reason, g_free);
  g_clear_error (&choice->warning);
}

static nn_detector *
open_on (GstLayoutChoice * choice, const GstLayoutConfig * config,
    nn_model * model, nn_error * reason)
{
  nn_detector_options options = gst_layout_config_options (config,
      choice->kind);
  nn_detector *detector;

  if (choice->kind == NN_DEVICE_CPU)
    options.precision = NN_PRECISION_FP32;
  while ((detector = nn_detector_new (model, &options, reason)) == NULL
      && reason->status == NN_ERR_MEMORY && choice->kind == NN_DEVICE_CUDA
      && config->batch == 0 && options.batch > 1)
    options.batch /= 2;
  choice->batch = (guint) options.batch;
  return detector;
}

nn_detector *
gst_layout_choice_open (GstLayoutChoice * choice,
    const GstLayoutConfig * config, nn_model * model, GError ** error)
{
  nn_error reason = { 0 };
  nn_detector *detector = open_on (choice, config, model, &reason);
  gboolean failed = choice->kind == NN_DEVICE_CUDA
      && (reason.status == NN_ERR_DEVICE || reason.status == NN_ERR_MEMORY);

  if (detector)
    return detector;
  if (failed && config->device == GST_LAYOUT_DEVICE_CUDA) {
    refuse (gst_layout_error_from_nn (&reason), error);
    return NULL;
  }
  /* What it does not support, such as an operator, another device may. */
  if (choice->kind == NN_DEVICE_CUDA && config->device == GST_LAYOUT_DEVICE_AUTO
      && (failed ? !choice->stay : reason.status == NN_ERR_UNSUPPORTED)) {
    choose_cpu (choice, config, gst_layout_error_from_nn (&reason));
    detector = open_on (choice, config, model, &reason);
  }
  if (detector == NULL)
    g_propagate_error (error, gst_layout_error_from_nn (&reason));
  return detector;
}
