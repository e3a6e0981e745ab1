/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstjsonsinkprivate.h"

#define DEFAULT_LOCATION "-"

enum
{
  PROP_0,
  PROP_LOCATION,
  PROP_FORMAT,
  PROP_IMAGES_LOCATION,
  PROP_APPEND,
  PROP_EMPTY_PAGES,
  PROP_FLUSH,
  PROP_POST_MESSAGES,
};

gboolean
gst_json_sink_get_flag (GstJsonSink * self, const gboolean * flag)
{
  gboolean value;

  GST_OBJECT_LOCK (self);
  value = *flag;
  GST_OBJECT_UNLOCK (self);
  return value;
}

static gboolean *
find_flag (GstJsonSink * self, guint id)
{
  switch (id) {
    case PROP_APPEND:
      return &self->settings.append;
    case PROP_EMPTY_PAGES:
      return &self->empty_pages;
    case PROP_FLUSH:
      return &self->flush;
    case PROP_POST_MESSAGES:
      return &self->post_messages;
    default:
      return NULL;
  }
}

static gchar **
find_string (GstJsonSink * self, guint id)
{
  switch (id) {
    case PROP_LOCATION:
      return &self->settings.location;
    case PROP_IMAGES_LOCATION:
      return &self->settings.images_location;
    default:
      return NULL;
  }
}

static void
set_property (GObject * object, guint id, const GValue * value, GParamSpec * pspec)
{
  GstJsonSink *self = GST_JSON_SINK (object);
  gboolean *flag = find_flag (self, id);
  gchar **string = find_string (self, id);

  GST_OBJECT_LOCK (self);
  if (flag) {
    *flag = g_value_get_boolean (value);
  } else if (string) {
    g_free (*string);
    *string = g_value_dup_string (value);
  } else if (id == PROP_FORMAT) {
    self->settings.format = g_value_get_enum (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
get_property (GObject * object, guint id, GValue * value, GParamSpec * pspec)
{
  GstJsonSink *self = GST_JSON_SINK (object);
  const gboolean *flag = find_flag (self, id);
  gchar *const *string = find_string (self, id);

  GST_OBJECT_LOCK (self);
  if (flag)
    g_value_set_boolean (value, *flag);
  else if (string)
    g_value_set_string (value, *string);
  else if (id == PROP_FORMAT)
    g_value_set_enum (value, self->settings.format);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  GST_OBJECT_UNLOCK (self);
}

void
gst_json_sink_init_properties (GstJsonSink * self)
{
  self->settings.location = g_strdup (DEFAULT_LOCATION);
  self->empty_pages = TRUE;
}

void
gst_json_sink_free_properties (GstJsonSink * self)
{
  g_free (self->settings.location);
  g_free (self->settings.images_location);
}

static void
install_flags (GObjectClass * klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;

  g_object_class_install_property (klass, PROP_APPEND,
      g_param_spec_boolean ("append", "Append",
          "Put the lines behind those of a file that exists instead of replacing it; "
          "format=jsonl only", FALSE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (klass, PROP_EMPTY_PAGES,
      g_param_spec_boolean ("empty-pages", "Empty pages",
          "Write pages without regions too (pages that failed always are)",
          TRUE, flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (klass, PROP_FLUSH,
      g_param_spec_boolean ("flush", "Flush",
          "Write each page at once instead of 64 KiB at a time (devices and pipes always are)",
          FALSE, flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (klass, PROP_POST_MESSAGES,
      g_param_spec_boolean ("post-messages", "Post messages",
          "Post an element message jsonsink-page for each page, with its line",
          FALSE, flags | GST_PARAM_MUTABLE_PLAYING));
}

void
gst_json_sink_install_properties (GObjectClass * klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY;

  klass->set_property = set_property;
  klass->get_property = get_property;
  g_object_class_install_property (klass, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "File to write to, or - for standard output; a device or a pipe is written in place. "
          "With %s (the document's name), %d (its number) or %p (the page's) a file for each",
          DEFAULT_LOCATION, flags));
  g_object_class_install_property (klass, PROP_FORMAT,
      g_param_spec_enum ("format", "Format", "What is written",
          GST_TYPE_LAYOUT_FORMAT, GST_LAYOUT_FORMAT_JSONL, flags));
  g_object_class_install_property (klass, PROP_IMAGES_LOCATION,
      g_param_spec_string ("images-location", "Images location",
          "File for COCO's images and categories, a pattern as location is; format=coco only. "
          "Not set: NAME.images.json beside NAME.json, and none beside a device or a pipe",
          NULL, flags));
  install_flags (klass);
  gst_type_mark_as_plugin_api (GST_TYPE_LAYOUT_FORMAT, 0);
}
