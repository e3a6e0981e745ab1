/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch-property.h"

#include <math.h>
#include <string.h>

#define SET_ERROR(error, ...) g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, __VA_ARGS__)

/* What a value may be, for the one who gave another. */
static char *
describe_range (GParamSpec *spec)
{
  if (G_IS_PARAM_SPEC_INT (spec))
    return g_strdup_printf ("a whole number from %d to %d", G_PARAM_SPEC_INT (spec)->minimum,
                            G_PARAM_SPEC_INT (spec)->maximum);
  if (G_IS_PARAM_SPEC_UINT (spec))
    return g_strdup_printf ("a whole number from %u to %u", G_PARAM_SPEC_UINT (spec)->minimum,
                            G_PARAM_SPEC_UINT (spec)->maximum);
  if (G_IS_PARAM_SPEC_INT64 (spec))
    return g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                            G_PARAM_SPEC_INT64 (spec)->minimum, G_PARAM_SPEC_INT64 (spec)->maximum);
  if (G_IS_PARAM_SPEC_UINT64 (spec))
    return g_strdup_printf ("a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                            G_PARAM_SPEC_UINT64 (spec)->minimum, G_PARAM_SPEC_UINT64 (spec)->maximum);
  if (G_IS_PARAM_SPEC_FLOAT (spec))
    return g_strdup_printf ("a number from %g to %g", G_PARAM_SPEC_FLOAT (spec)->minimum,
                            G_PARAM_SPEC_FLOAT (spec)->maximum);
  if (G_IS_PARAM_SPEC_DOUBLE (spec))
    return g_strdup_printf ("a number from %g to %g", G_PARAM_SPEC_DOUBLE (spec)->minimum,
                            G_PARAM_SPEC_DOUBLE (spec)->maximum);
  if (G_IS_PARAM_SPEC_BOOLEAN (spec))
    return g_strdup ("true or false");
  if (G_IS_PARAM_SPEC_ENUM (spec)) {
    GEnumClass *values = G_PARAM_SPEC_ENUM (spec)->enum_class;
    GString *text = g_string_new ("one of");
    for (guint i = 0; i < values->n_values; i++)
      g_string_append_printf (text, "%s %s", i ? "," : "", values->values[i].value_nick);
    return g_string_free (text, FALSE);
  }
  return g_strdup_printf ("a %s", g_type_name (spec->value_type));
}

/* GStreamer's reader takes "-1" for the largest unsigned number, and NaN passes every range. */
static gboolean
is_number_of_type (GParamSpec *spec, const GValue *value, const char *text)
{
  if (G_IS_PARAM_SPEC_UINT (spec) || G_IS_PARAM_SPEC_UINT64 (spec))
    return *text != '-';
  if (G_VALUE_HOLDS_DOUBLE (value))
    return !isnan (g_value_get_double (value));
  return TRUE;
}

static gboolean
set_property (GstElement *element, GParamSpec *spec, const char *text, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_value_init (&value, spec->value_type);
  if (spec->value_type == G_TYPE_STRING) {
    g_value_set_string (&value, text);
  } else if (!gst_value_deserialize_with_pspec (&value, text, spec) || !is_number_of_type (spec, &value, text)
             || g_param_value_validate (spec, &value)) {
    g_autofree char *range = describe_range (spec);
    SET_ERROR (error, "%s cannot be '%s': it takes %s", spec->name, text, range);
    return FALSE;
  }
  g_object_set_property (G_OBJECT (element), spec->name, &value);
  return TRUE;
}

/* A property of the element that a user may set: not its name or its parent. */
static GParamSpec *
find_property (GstElement *element, const char *name)
{
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), name);
  if (!spec || spec->owner_type == GST_TYPE_OBJECT || !(spec->flags & G_PARAM_WRITABLE)
      || (spec->flags & G_PARAM_CONSTRUCT_ONLY))
    return NULL;
  return spec;
}

/* Splits "name=value" at its first '='. NULL with `error` set where there is none. */
static char *
split_assignment (const char *assignment, const char **value, GError **error)
{
  const char *equals = strchr (assignment, '=');
  if (!equals || equals == assignment) {
    SET_ERROR (error, "'%s' is no assignment: write NAME=VALUE", assignment);
    return NULL;
  }
  *value = equals + 1;
  return g_strndup (assignment, equals - assignment);
}

gboolean
launch_property_set (GstElement *pipeline, const char *assignment, GError **error)
{
  const char *value;
  g_autofree char *name = split_assignment (assignment, &value, error);
  if (!name)
    return FALSE;
  char *dot = strchr (name, '.');
  if (!dot) {
    SET_ERROR (error, "'%s' names no element: write ELEMENT.PROPERTY=VALUE", assignment);
    return FALSE;
  }
  *dot = '\0';
  g_autoptr (GstElement) element = NULL;
  if (strcmp (name, GST_OBJECT_NAME (pipeline)) == 0)
    element = gst_object_ref (pipeline);
  else if (GST_IS_BIN (pipeline))
    element = gst_bin_get_by_name (GST_BIN (pipeline), name);
  if (!element) {
    SET_ERROR (error, "no element of this pipeline is named '%s'", name);
    return FALSE;
  }
  GParamSpec *spec = find_property (element, dot + 1);
  if (!spec) {
    SET_ERROR (error, "element '%s' has no property '%s' that can be set", name, dot + 1);
    return FALSE;
  }
  return set_property (element, spec, value, error);
}

/* Elements from sources to sinks: GStreamer's own sorting goes the other way. (transfer full) */
static GList *
elements_in_flow_order (GstElement *pipeline)
{
  GList *elements = NULL;
  if (!GST_IS_BIN (pipeline))
    return g_list_prepend (NULL, gst_object_ref (pipeline));
  g_autoptr (GstIterator) it = gst_bin_iterate_sorted (GST_BIN (pipeline));
  g_auto (GValue) item = G_VALUE_INIT;
  while (gst_iterator_next (it, &item) == GST_ITERATOR_OK) {
    elements = g_list_prepend (elements, g_value_dup_object (&item));
    g_value_reset (&item);
  }
  return elements;
}

gboolean
launch_property_set_anywhere (GstElement *pipeline, const char *assignment, GError **error)
{
  const char *value;
  g_autofree char *name = split_assignment (assignment, &value, error);
  if (!name)
    return FALSE;
  gboolean found = FALSE, set = FALSE;
  GList *elements = elements_in_flow_order (pipeline);
  for (GList *l = elements; l && !found; l = l->next) {
    GParamSpec *spec = find_property (l->data, name);
    found = spec != NULL;
    if (found)
      set = set_property (l->data, spec, value, error);
  }
  g_list_free_full (elements, gst_object_unref);
  if (!found)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                 "unknown option --%s: no element of this pipeline has such a property", name);
  return set;
}
