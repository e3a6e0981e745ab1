/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes the detector open its model anew: every member counts, and a copy is one of its own. */
#include <string.h>

#include "elements/layoutconfig.h"
#include "gst_harness.h"

#define N_MEMBERS 16

/* A configuration in which member `i` is another than in the one where `i` is -1. */
static GstLayoutConfig
config_with (gint i)
{
  static gchar texts[][2] = { "a", "b", "c", "d", "e", "f", "A", "C", "E",
    "F", ""
  };
  static const GstLayoutConfig plain = { texts[0], texts[1], texts[2],
    texts[3], texts[4], texts[5],
    GST_LAYOUT_DEVICE_CPU, NN_PRECISION_FP32, 5, GST_LAYOUT_MEMORY_PINNED,
    1, 2, 3, 4,
    NN_CHANNELS_RGB, NN_LETTERBOX_NO
  };
  static const GstLayoutConfig other = { texts[6], NULL, texts[7], texts[10],
    texts[8], texts[9],
    GST_LAYOUT_DEVICE_AUTO, NN_PRECISION_FP16, 50, GST_LAYOUT_MEMORY_SHARED,
    10, 20, 30, 40,
    NN_CHANNELS_BGR, NN_LETTERBOX_YES
  };
  GstLayoutConfig config = plain;
  gpointer members[N_MEMBERS] = { &config.model_file, &config.labels_file,
    &config.modelinfo_file, &config.family, &config.mean, &config.std,
    &config.device, &config.precision, &config.cuda_device, &config.memory,
    &config.batch, &config.threads, &config.input_width,
    &config.input_height, &config.channel_order, &config.letterbox
  };

  if (i >= 0) {
    gsize at = (const gchar *) members[i] - (const gchar *) &config;

    memcpy (members[i], (const gchar *) &other + at, i < 6 ? sizeof (gchar *)
        : sizeof (gint));
  }
  return config;
}

GST_START_TEST (every_member_counts)
{
  GstLayoutConfig plain = config_with (-1);

  for (gint i = 0; i < N_MEMBERS; i++) {
    GstLayoutConfig other = config_with (i), same = config_with (i);

    fail_if (gst_layout_config_equal (&plain, &other), "member %d", i);
    fail_unless (gst_layout_config_equal (&other, &same), "member %d", i);
  }
}

GST_END_TEST

GST_START_TEST (a_copy_is_its_own)
{
  GstLayoutConfig plain = config_with (-1), copy;
  nn_detector_options options;

  gst_layout_config_copy (&copy, &plain);
  fail_unless (gst_layout_config_equal (&plain, &copy));
  fail_if (copy.std == plain.std || copy.model_file == plain.model_file);
  options = gst_layout_config_options (&copy, NN_DEVICE_CUDA);
  fail_unless (options.device == NN_DEVICE_CUDA && options.cuda_device == 5);
  fail_unless (options.precision == NN_PRECISION_FP32);
  fail_unless (options.batch == 1 && options.threads == 2);
  fail_unless_equals_string (options.family, "d");
  gst_layout_config_clear (&copy);
  fail_unless (copy.family == NULL && copy.std == NULL);
  plain = config_with (3);
  fail_unless (gst_layout_config_options (&plain,
          NN_DEVICE_CPU).family == NULL);
}

GST_END_TEST

GST_START_TEST (batch_of_a_device)
{
  GstLayoutConfig config = config_with (-1);

  config.batch = 77;
  fail_unless_equals_int (gst_layout_config_batch (&config, NN_DEVICE_CPU), 77);
  fail_unless_equals_int (gst_layout_config_batch (&config, NN_DEVICE_CUDA),
      77);
  config.batch = 0;
  fail_unless_equals_int (gst_layout_config_batch (&config, NN_DEVICE_CPU),
      MIN (g_get_num_processors (), 16));
  fail_unless_equals_int (gst_layout_config_batch (&config, NN_DEVICE_CUDA),
      16);
}

GST_END_TEST

static Suite *
layoutconfig_suite (void)
{
  Suite *s = suite_create ("layoutconfig");
  TCase *tc = doc_tcase_new ("values");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, every_member_counts);
  tcase_add_test (tc, a_copy_is_its_own);
  tcase_add_test (tc, batch_of_a_device);
  return s;
}

GST_CHECK_MAIN (layoutconfig)
