/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plugin's elements offer, against a list that is kept by hand (tests/golden/elements.txt):
 * nothing that users have written into their pipelines may vanish or change unseen. Every element
 * also goes through the states as far as it can with nothing set.
 *
 * To add an element or a property: run the test, look at the lines it prints, add them to the list, which is all files
 * named on the command line: what only some builds have is in one of its own.
 */
#include "gst_harness.h"

static gchar **golden_paths;     /* ends with NULL */

static gchar *
read_golden (void)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; golden_paths[i]; i++) {
    g_autofree gchar *part = NULL;

    fail_unless (g_file_get_contents (golden_paths[i], &part, NULL, NULL),
        "%s", golden_paths[i]);
    g_string_append (text, part);
  }
  return g_string_free (text, FALSE);
}

/* The plugin's element factories, sorted by name. */
static GList *
factories (void)
{
  GList *list = gst_registry_get_feature_list_by_plugin (gst_registry_get (),
      "doclayout");

  return g_list_sort (list,
      (GCompareFunc) gst_plugin_feature_rank_compare_func);
}

static const gchar *
mutability (const GParamSpec * spec)
{
  if (!(spec->flags & G_PARAM_WRITABLE))
    return "read-only";
  if (spec->flags & GST_PARAM_MUTABLE_PLAYING)
    return "any state";
  if (spec->flags & GST_PARAM_MUTABLE_PAUSED)
    return "up to PAUSED";
  if (spec->flags & GST_PARAM_MUTABLE_READY)
    return "up to READY";
  return "unsaid";
}

static void
list_values (GString * text, GParamSpec * spec)
{
  GValue value = G_VALUE_INIT;
  g_autofree gchar *string = NULL;

  if (G_IS_PARAM_SPEC_STRING (spec)) {
    const gchar *preset = G_PARAM_SPEC_STRING (spec)->default_value;

    g_string_append_printf (text, ", default %s", preset ? preset : "none");
  } else if (!G_IS_PARAM_SPEC_BOXED (spec)) {
    g_value_init (&value, spec->value_type);
    g_param_value_set_default (spec, &value);
    string = gst_value_serialize (&value);
    g_string_append_printf (text, ", default %s", string ? string : "none");
    g_value_unset (&value);
  }
  if (G_IS_PARAM_SPEC_ENUM (spec)) {
    GEnumClass *klass = G_PARAM_SPEC_ENUM (spec)->enum_class;

    for (guint i = 0; i < klass->n_values; i++)
      g_string_append_printf (text, "%s%s", i ? "|" : " of ",
          klass->values[i].value_nick);
  }
  if (G_IS_PARAM_SPEC_INT (spec))
    g_string_append_printf (text, " from %d to %d",
        G_PARAM_SPEC_INT (spec)->minimum, G_PARAM_SPEC_INT (spec)->maximum);
  if (G_IS_PARAM_SPEC_UINT (spec))
    g_string_append_printf (text, " from %u to %u",
        G_PARAM_SPEC_UINT (spec)->minimum, G_PARAM_SPEC_UINT (spec)->maximum);
  if (G_IS_PARAM_SPEC_UINT64 (spec))
    g_string_append_printf (text, " from %" G_GUINT64_FORMAT " to %"
        G_GUINT64_FORMAT, G_PARAM_SPEC_UINT64 (spec)->minimum,
        G_PARAM_SPEC_UINT64 (spec)->maximum);
  if (G_IS_PARAM_SPEC_DOUBLE (spec))
    g_string_append_printf (text, " from %g to %g",
        G_PARAM_SPEC_DOUBLE (spec)->minimum,
        G_PARAM_SPEC_DOUBLE (spec)->maximum);
}

/* The properties that the element's own class has. */
static void
list_properties (GString * text, GstElement * element)
{
  guint n;
  GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);

  for (guint i = 0; i < n; i++) {
    if (specs[i]->owner_type != G_OBJECT_TYPE (element))
      continue;
    g_string_append_printf (text, "%s %s: %s, %s%s",
        GST_OBJECT_NAME (gst_element_get_factory (element)), specs[i]->name,
        g_type_name (specs[i]->value_type), mutability (specs[i]),
        specs[i]->flags & G_PARAM_READABLE ? "" : ", write-only");
    list_values (text, specs[i]);
    g_string_append_c (text, '\n');
    fail_unless (g_param_spec_get_blurb (specs[i]) != NULL, "%s says nothing",
        specs[i]->name);
  }
  g_free (specs);
}

static void
list_signals (GString * text, GstElement * element)
{
  guint n;
  guint *ids = g_signal_list_ids (G_OBJECT_TYPE (element), &n);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s signal %s\n",
        GST_OBJECT_NAME (gst_element_get_factory (element)),
        g_signal_name (ids[i]));
  g_free (ids);
}

static gchar *
list_element (GstElementFactory * factory)
{
  GString *text = g_string_new (NULL);
  GstElement *element = gst_element_factory_create (factory, NULL);

  g_string_append_printf (text, "%s: %s\n",
      GST_OBJECT_NAME (factory), gst_element_factory_get_metadata (factory,
          GST_ELEMENT_METADATA_KLASS));
  for (const GList * l =
      gst_element_factory_get_static_pad_templates (factory); l; l = l->next) {
    const GstStaticPadTemplate *template = l->data;
    GstCaps *caps = gst_static_pad_template_get_caps (
        (GstStaticPadTemplate *) template);

    for (guint i = 0; i < gst_caps_get_size (caps); i++) {
      GstCaps *one = gst_caps_copy_nth (caps, i);
      g_autofree gchar *string = gst_caps_to_string (one);

      g_string_append_printf (text, "%s pad %s: %s\n",
          GST_OBJECT_NAME (factory), template->name_template, string);
      gst_caps_unref (one);
    }
    gst_caps_unref (caps);
  }
  list_properties (text, element);
  list_signals (text, element);
  gst_object_unref (element);
  return g_string_free (text, FALSE);
}

GST_START_TEST (golden_list)
{
  GList *list = factories ();
  GString *text = g_string_new ("");
  g_autofree gchar *golden = read_golden ();
  g_auto (GStrv) now = NULL, then = NULL;
  GString *changes = g_string_new (NULL);

  for (GList * l = list; l; l = l->next) {
    g_autofree gchar *element = list_element (l->data);

    g_string_append (text, element);
  }
  gst_plugin_feature_list_free (list);
  now = g_strsplit (text->str, "\n", -1);
  then = g_strsplit (golden, "\n", -1);
  for (guint i = 0; then[i]; i++)
    if (!g_strv_contains ((const gchar * const *) now, then[i]))
      g_string_append_printf (changes, "\n- %s", then[i]);
  for (guint i = 0; now[i]; i++)
    if (!g_strv_contains ((const gchar * const *) then, now[i]))
      g_string_append_printf (changes, "\n+ %s", now[i]);
  g_print ("%u lines compared\n", g_strv_length (now));
  fail_unless (changes->len == 0, "not as %s:%s", golden_paths[0],
      changes->str);
  g_string_free (text, TRUE);
  g_string_free (changes, TRUE);
}

GST_END_TEST

GST_START_TEST (states_with_nothing_set)
{
  GList *list = factories ();

  for (GList * l = list; l; l = l->next) {
    GstElement *element = gst_element_factory_create (l->data, NULL);

    for (guint i = 0; i < 3; i++) {
      fail_unless (gst_element_set_state (element, GST_STATE_READY)
          == GST_STATE_CHANGE_SUCCESS, "%s", GST_OBJECT_NAME (element));
      /* whether it can start with nothing set differs; it must come back */
      gst_element_set_state (element, GST_STATE_PAUSED);
      fail_unless (gst_element_set_state (element, GST_STATE_NULL)
          == GST_STATE_CHANGE_SUCCESS, "%s", GST_OBJECT_NAME (element));
    }
    gst_object_unref (element);
  }
  gst_plugin_feature_list_free (list);
}

GST_END_TEST

static Suite *
elements_suite (void)
{
  Suite *s = suite_create ("elements");
  TCase *tc = doc_tcase_new ("all elements");

  suite_add_tcase (s, tc);
  tcase_add_test (tc, golden_list);
  tcase_add_test (tc, states_with_nothing_set);
  return s;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  golden_paths = argv + 1;
  return gst_check_run_suite (elements_suite (), "elements", __FILE__);
}
