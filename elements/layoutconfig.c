/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutconfig.h"

static const gsize texts[] = {
  G_STRUCT_OFFSET (GstLayoutConfig, model_file),
  G_STRUCT_OFFSET (GstLayoutConfig, labels_file),
  G_STRUCT_OFFSET (GstLayoutConfig, modelinfo_file),
  G_STRUCT_OFFSET (GstLayoutConfig, family),
  G_STRUCT_OFFSET (GstLayoutConfig, mean),
  G_STRUCT_OFFSET (GstLayoutConfig, std),
};

#define MAX_AUTO_BATCH 16

#define TEXT(config, i) G_STRUCT_MEMBER (gchar *, (config), texts[i])

void
gst_layout_config_copy (GstLayoutConfig * to, const GstLayoutConfig * from)
{
  *to = *from;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    TEXT (to, i) = g_strdup (TEXT (from, i));
}

gboolean
gst_layout_config_equal (const GstLayoutConfig * a, const GstLayoutConfig * b)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_strcmp0 (TEXT (a, i), TEXT (b, i)) != 0)
      return FALSE;
  return a->device == b->device && a->precision == b->precision
      && a->cuda_device == b->cuda_device && a->memory == b->memory
      && a->batch == b->batch
      && a->threads == b->threads && a->input_width == b->input_width
      && a->input_height == b->input_height
      && a->channel_order == b->channel_order && a->letterbox == b->letterbox;
}

void
gst_layout_config_clear (GstLayoutConfig * config)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (&TEXT (config, i), g_free);
}

static const gchar *
set_or_null (const gchar * text)
{
  return text && *text ? text : NULL;
}

guint
gst_layout_config_batch (const GstLayoutConfig * config, nn_device_kind device)
{
  if (config->batch)
    return config->batch;
  return device == NN_DEVICE_CUDA ? MAX_AUTO_BATCH
      : MIN (g_get_num_processors (), MAX_AUTO_BATCH);
}

nn_detector_options
gst_layout_config_options (const GstLayoutConfig * config,
    nn_device_kind device)
{
  return (nn_detector_options) {
    .device = device,
    .precision = config->precision,
    .cuda_device = config->cuda_device,
    .batch = (int) gst_layout_config_batch (config, device),
    .threads = (int) config->threads,
    .modelinfo_file = set_or_null (config->modelinfo_file),
    .labels_file = set_or_null (config->labels_file),
    .family = set_or_null (config->family),
    .input_width = config->input_width,
    .input_height = config->input_height,
    .channel_order = config->channel_order,
    .letterbox = config->letterbox,
    .mean = set_or_null (config->mean),
    .std = set_or_null (config->std),
  };
}
