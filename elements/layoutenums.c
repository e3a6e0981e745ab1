/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layoutenums.h"

#include "gstcudalayoutdetectpads.h"

GType
gst_layout_device_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_LAYOUT_DEVICE_AUTO, "A GPU where there is one, else the CPU", "auto"},
    {GST_LAYOUT_DEVICE_CUDA, "An NVIDIA GPU, or an error", "cuda"},
    {GST_LAYOUT_DEVICE_CPU, "The CPU", "cpu"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutDevice",
            values));
  return type;
}

GType
gst_layout_precision_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {NN_PRECISION_AUTO, "FP16 on a GPU, FP32 on a CPU", "auto"},
    {NN_PRECISION_FP32, "32 bits", "fp32"},
    {NN_PRECISION_TF32, "32 bits, multiplied with 10 bits of mantissa", "tf32"},
    {NN_PRECISION_BF16, "16 bits with 7 of mantissa", "bf16"},
    {NN_PRECISION_FP16, "16 bits with 10 of mantissa", "fp16"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutPrecision",
            values));
  return type;
}

GType
gst_layout_memory_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_LAYOUT_MEMORY_AUTO, "What suits the device", "auto"},
    {GST_LAYOUT_MEMORY_SHARED, "Memory that processes share", "shared"},
    {GST_LAYOUT_MEMORY_MANAGED, "CUDA's managed memory", "managed"},
    {GST_LAYOUT_MEMORY_PINNED, "The CUDA driver's pinned memory", "pinned"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutMemory",
            values));
  return type;
}

GType
gst_layout_resize_filter_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {NN_RESIZE_AUTO, "What the model's reference uses", "auto"},
    {NN_RESIZE_BILINEAR, "Bilinear, two pixels a side", "bilinear"},
    {NN_RESIZE_BILINEAR_ANTIALIAS, "Bilinear over all pixels that one covers",
        "bilinear-antialias"},
    {NN_RESIZE_BICUBIC, "Bicubic, four pixels a side", "bicubic"},
    {NN_RESIZE_AREA, "Mean of the area that a pixel covers", "area"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutResizeFilter",
            values));
  return type;
}

GType
gst_layout_duplicates_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_LAYOUT_DUPLICATES_RESOLVE,
        "Boxes of several classes on one block become one", "resolve"},
    {GST_LAYOUT_DUPLICATES_KEEP, "As the network gives them", "keep"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutDuplicates",
            values));
  return type;
}

GType
gst_layout_direction_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {GST_LAYOUT_DIRECTION_AUTO, "As most letters of the page's text go, where it is known; else from the left", "auto"},
    {GST_LAYOUT_DIRECTION_LTR, "From left to right", "ltr"},
    {GST_LAYOUT_DIRECTION_RTL, "From right to left", "rtl"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutDirection",
            values));
  return type;
}

GType
gst_layout_channel_order_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {NN_CHANNELS_AUTO, "What the model was trained with", "auto"},
    {NN_CHANNELS_RGB, "Red first", "rgb"},
    {NN_CHANNELS_BGR, "Blue first", "bgr"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutChannelOrder",
            values));
  return type;
}

GType
gst_layout_letterbox_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    {NN_LETTERBOX_AUTO, "What the model was trained with", "auto"},
    {NN_LETTERBOX_NO, "The page is stretched to the input", "no"},
    {NN_LETTERBOX_YES, "The page keeps its shape, with grey around", "yes"},
    {0, NULL, NULL}
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstLayoutLetterbox",
            values));
  return type;
}
