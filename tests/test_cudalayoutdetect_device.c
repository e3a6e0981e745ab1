/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cudalayoutdetect with an engine that has a GPU or has not (fake_engine.h): where it runs, and what it says about
 * that. */
#include "fake_harness.h"

/* What came of going to PAUSED once: the messages, each of which is posted once or not at all. */
typedef struct
{
  GstStateChangeReturn state;
  GError *error, *warning;
  gchar *device, *precision, *reason;   /* as doclayout-device says */
} Outcome;

static void
note (Outcome * o, GstMessage * message)
{
  const GstStructure *s;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      fail_unless (o->error == NULL, "a second error");
      gst_message_parse_error (message, &o->error, NULL);
      g_print ("  error: %s\n", o->error->message);
      break;
    case GST_MESSAGE_WARNING:
      fail_unless (o->warning == NULL, "a second warning");
      fail_unless (o->device == NULL, "the device was told before");
      gst_message_parse_warning (message, &o->warning, NULL);
      g_print ("  warning: %s\n", o->warning->message);
      break;
    case GST_MESSAGE_ELEMENT:
      fail_unless (o->device == NULL, "a second device");
      s = gst_message_get_structure (message);
      fail_unless (gst_structure_has_name (s, "doclayout-device"));
      o->device = g_strdup (gst_structure_get_string (s, "device"));
      o->precision = g_strdup (gst_structure_get_string (s, "precision"));
      o->reason = g_strdup (gst_structure_get_string (s, "reason"));
      fail_unless (gst_structure_has_field (s, "model-sha256"));
      break;
    default:
      break;
  }
}

static Outcome
start (const gchar * properties)
{
  GstElement *element = fake_element_new (properties);
  GstBus *bus = gst_bus_new ();
  GstMessage *message;
  Outcome o = { 0 };

  gst_element_set_bus (element, bus);
  o.state = gst_element_set_state (element, GST_STATE_PAUSED);
  while ((message = gst_bus_pop (bus))) {
    note (&o, message);
    gst_message_unref (message);
  }
  fail_unless_equals_int (o.state == GST_STATE_CHANGE_FAILURE,
      o.error != NULL);
  fail_unless_equals_int (o.error == NULL, o.device != NULL);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  return o;
}

static void
clear (Outcome * o)
{
  g_clear_error (&o->error);
  g_clear_error (&o->warning);
  g_free (o->device);
  g_free (o->precision);
  g_free (o->reason);
}

static void
broken (nn_error * error, nn_status status, const gchar * message)
{
  error->status = status;
  g_strlcpy (error->message, message, sizeof error->message);
}

#define NO_LIBRARY "libcuda.so.1: cannot open shared object file"

GST_START_TEST (with_a_gpu)
{
  static const struct
  {
    const gchar *properties, *device, *precision;
    nn_precision asked;
    gint batch, checks;
  } cases[] = {
    {"", "cuda:0 Fake", "fp16", NN_PRECISION_AUTO, 16, 1},
    {"device=cuda batch-size=5", "cuda:0 Fake", "fp16", NN_PRECISION_AUTO, 5,
        1},
    {"precision=tf32", "cuda:0 Fake", "tf32", NN_PRECISION_TF32, 16, 1},
    {"device=cuda precision=bf16", "cuda:0 Fake", "bf16", NN_PRECISION_BF16,
        16, 1},
    {"device=cpu batch-size=2", "cpu", "fp32", NN_PRECISION_FP32, 2, 0},
    {"device=cpu batch-size=2 precision=fp32", "cpu", "fp32",
        NN_PRECISION_FP32, 2, 0},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Outcome o;

    fake_engine.n_checks = 0;
    o = start (cases[i].properties);
    fail_unless (o.error == NULL && o.warning == NULL, "case %u", i);
    fail_unless_equals_string (o.device, cases[i].device);
    fail_unless_equals_string (o.precision, cases[i].precision);
    fail_unless (fake_engine.options.precision == cases[i].asked);
    fail_unless_equals_int (fake_engine.options.batch, cases[i].batch);
    fail_unless_equals_int (fake_engine.n_checks, cases[i].checks);
    clear (&o);
  }
}

GST_END_TEST

GST_START_TEST (which_gpu)
{
  Outcome o = start ("cuda-device-id=3");

  fail_unless_equals_int (fake_engine.checked_index, 3);
  fail_unless_equals_int (fake_engine.options.cuda_device, 3);
  clear (&o);
}

GST_END_TEST

/* The GPU is not there: auto runs elsewhere and says why, once each start; cuda does not. */
GST_START_TEST (without_a_gpu)
{
  Outcome o;

  broken (&fake_engine.check, NN_ERR_DEVICE, NO_LIBRARY);
  o = start ("");
  fail_unless_equals_string (o.device, "cpu");
  fail_unless_equals_string (o.reason, "device=auto, and " NO_LIBRARY);
  fail_unless_equals_string (o.warning->message,
      "The network runs on the CPU: " NO_LIBRARY);
  fail_unless (g_error_matches (o.warning, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_FOUND));
  clear (&o);

  o = start ("precision=fp16");
  fail_unless_equals_string (o.precision, "fp32");
  fail_unless_equals_string (o.warning->message, "The network runs on the "
      "CPU, and in fp32 instead of fp16: " NO_LIBRARY);
  clear (&o);

  o = start ("device=cuda");
  fail_unless (o.warning == NULL);
  fail_unless_equals_string (o.error->message, "device=cuda: " NO_LIBRARY
      ". Use device=cpu or device=auto.");
  fail_unless (g_error_matches (o.error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_NOT_FOUND));
  clear (&o);
}

GST_END_TEST

/* A build without CUDA is somebody's choice: no warning, unless a GPU lies idle or something was asked for that
 * only a GPU has. */
GST_START_TEST (built_without)
{
  gboolean driver = g_file_test ("/proc/driver/nvidia/version",
      G_FILE_TEST_EXISTS) || g_file_test ("/dev/nvidiactl",
      G_FILE_TEST_EXISTS);
  Outcome o;

  broken (&fake_engine.check, NN_ERR_UNSUPPORTED, "no CUDA backend");
  o = start ("");
  fail_unless_equals_string (o.reason, "device=auto, and no CUDA backend");
  fail_unless_equals_int (o.warning != NULL, driver);
  clear (&o);
  o = start ("precision=bf16");
  fail_unless (o.warning != NULL);
  clear (&o);
  o = start ("device=cuda");
  fail_unless (strstr (o.error->message, "no CUDA backend") != NULL);
  clear (&o);
}

GST_END_TEST

/* The GPU is there, and this model cannot be had on it. */
GST_START_TEST (no_detector_there)
{
  static const struct
  {
    nn_status status;
    gboolean falls_back;        /* with auto */
    const gchar *error;         /* with cuda */
  } cases[] = {
    {NN_ERR_MEMORY, TRUE, "device=cuda: why. Use device=cpu or device=auto."},
    {NN_ERR_DEVICE, TRUE, "device=cuda: why. Use device=cpu or device=auto."},
    {NN_ERR_UNSUPPORTED, TRUE, "why"},
    {NN_ERR_FORMAT, FALSE, "why"},
    {NN_ERR_IO, FALSE, "why"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Outcome o;

    broken (&fake_engine.no_detector, cases[i].status, "why");
    o = start ("precision=fp32");
    fail_unless_equals_int (o.error == NULL, cases[i].falls_back);
    if (cases[i].falls_back) {
      fail_unless_equals_string (o.device, "cpu");
      fail_unless_equals_string (o.warning->message,
          "The network runs on the CPU: why");
    }
    clear (&o);
    o = start ("device=cuda");
    fail_unless_equals_string (o.error->message, cases[i].error);
    clear (&o);
  }
}

GST_END_TEST

/* Only a batch size that nobody asked for gives way. */
GST_START_TEST (little_memory)
{
  Outcome o;

  fake_engine.most_pages = 5;
  o = start ("");
  fail_unless_equals_string (o.device, "cuda:0 Fake");
  fail_unless (o.warning == NULL);
  fail_unless_equals_int (fake_engine.options.batch, 4);
  clear (&o);
  o = start ("device=cuda batch-size=8");
  fail_unless (strstr (o.error->message, "no memory for so many pages"));
  clear (&o);
  o = start ("batch-size=8");
  fail_unless_equals_string (o.device, "cpu");
  fail_unless_equals_int (fake_engine.options.batch, 8);
  clear (&o);
}

GST_END_TEST

GST_START_TEST (precision_on_a_cpu)
{
  Outcome o = start ("device=cpu precision=fp16");

  fail_unless (g_error_matches (o.error, GST_RESOURCE_ERROR,
          GST_RESOURCE_ERROR_SETTINGS));
  fail_unless (strstr (o.error->message, "precision=fp16") != NULL);
  fail_unless (strstr (o.error->message, "device=cpu") != NULL);
  fail_unless_equals_int (fake_engine.n_checks, 0);
  clear (&o);
}

GST_END_TEST

/* Another batch size takes another detector, and the GPU never has both. */
GST_START_TEST (one_at_a_time)
{
  GstElement *element = fake_element_new ("batch-size=2");

  gst_element_set_state (element, GST_STATE_PAUSED);
  gst_element_set_state (element, GST_STATE_READY);
  g_object_set (element, "batch-size", 4, NULL);
  gst_element_set_state (element, GST_STATE_PAUSED);
  fail_unless_equals_int (fake_engine.n_detectors, 2);
  fail_unless_equals_int (fake_engine.options.batch, 4);
  fail_unless_equals_int (fake_engine.most_alive, 1);
  gst_element_set_state (element, GST_STATE_NULL);
  fail_unless_equals_int (fake_engine.n_alive, 0);
  gst_object_unref (element);
}

GST_END_TEST

static Suite *
device_suite (void)
{
  Suite *s = suite_create ("cudalayoutdetect, devices");
  TCase *tc = fake_tcase_new ("devices");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, with_a_gpu);
  tcase_add_test (tc, which_gpu);
  tcase_add_test (tc, without_a_gpu);
  tcase_add_test (tc, built_without);
  tcase_add_test (tc, no_detector_there);
  tcase_add_test (tc, little_memory);
  tcase_add_test (tc, precision_on_a_cpu);
  tcase_add_test (tc, one_at_a_time);
  return s;
}

GST_CHECK_MAIN (device)
