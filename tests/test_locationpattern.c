/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of documents, and of the files that go with them. */
#include "elements/documentname.h"
#include "elements/locationpattern.h"

#include <gst/check/gstcheck.h>

GST_START_TEST (test_document_names)
{
  static const struct
  {
    const gchar *uri, *file, *name;
  } rows[] = {
    {"file:///x/a%20b.pdf", "a b.pdf", "a b"},
    {"file:///x/%E6%96%87.tar.gz", "文.tar.gz", "文.tar"},
    {"https://host/x/a.pdf?page=1#b/c", "a.pdf", "a"},
    {"file:///x/.pdf", ".pdf", ".pdf"},
    {"file:///x/a.", "a.", "a."},
    {"file:///x/100%25s.pdf", "100%s.pdf", "100%s"},
    {"file:///x/a%2F..%2Fb%0Ac.pdf", "a_.._b_c.pdf", "a_.._b_c"},
    {"file:///x/%2E%2E", "document", "document"},
    {"file:///x/", "document", "document"},
    {"file:///x/a%zz.pdf", "a%zz.pdf", "a%zz"},
    {"a.pdf", "a.pdf", "a"},
    {"", "document", "document"},
    {NULL, "document", "document"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *file = gst_document_file_name (rows[i].uri);
    g_autofree gchar *name = gst_document_name (rows[i].uri);

    fail_unless_equals_string (file, rows[i].file);
    fail_unless_equals_string (name, rows[i].name);
  }
}

GST_END_TEST

GST_START_TEST (test_patterns)
{
  static const struct
  {
    const gchar *location;
    GstLocationPattern pattern;
    const gchar *file;
  } rows[] = {
    {"a.json", GST_LOCATION_ONE_FILE, "a.json"},
    {"%s.json", GST_LOCATION_A_NAME, "100%p d.json"},
    {"x/%05d-%d", GST_LOCATION_A_NUMBER, "x/00012-12"},
    {"%04p%p", GST_LOCATION_A_PAGE, "0003" "3"},
    {"%s-%d-%02p", GST_LOCATION_A_NAME | GST_LOCATION_A_NUMBER | GST_LOCATION_A_PAGE,
        "100%p d-12-03"},
    {"%01d", GST_LOCATION_A_NUMBER, "12"},
    {"%%s", GST_LOCATION_ONE_FILE, "%s"},
    {"100% $x%", GST_LOCATION_ONE_FILE, "100% $x%"},
    {"%5d%0d%012d%x%0", GST_LOCATION_ONE_FILE, "%5d%0d%012d%x%0"},
    {"", GST_LOCATION_ONE_FILE, ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *file = gst_location_expand (rows[i].location, "100%p d", 12, 3);

    fail_unless_equals_int (gst_location_pattern (rows[i].location), rows[i].pattern);
    fail_unless_equals_string (file, rows[i].file);
  }
}

GST_END_TEST

static Suite *
locationpattern_suite (void)
{
  Suite *s = suite_create ("locationpattern");
  TCase *tc = tcase_create ("general");

  tcase_add_test (tc, test_document_names);
  tcase_add_test (tc, test_patterns);
  suite_add_tcase (s, tc);
  return s;
}

GST_CHECK_MAIN (locationpattern)
