/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "elements/pagerange.h"

#include <gst/check/check.h>

static const struct
{
  const gchar *text;
  guint n_pages;
  const gchar *pages;           /* that come out, separated by blanks; NULL: malformed */
} cases[] = {
  {NULL, 3, "1 2 3"},
  {"", 3, "1 2 3"},
  {"  ", 2, "1 2"},
  {"2", 3, "2"},
  {"1-5,9", 10, "1 2 3 4 5 9"},
  {"7-", 9, "7 8 9"},
  {"-3", 9, "1 2 3"},
  {"1-", 1, "1"},
  {" 1 - 2 , 4 ", 9, "1 2 4"},
  /* Clipped to the document. */
  {"1-5,9", 3, "1 2 3"},
  {"7-", 3, ""},
  {"9,2", 3, "2"},
  {"-99999999999999999999", 2, "1 2"},
  {"99999999999999999999", 5, ""},
  {"1-", 0, ""},
  /* As written. */
  {"3,1", 3, "3 1"},
  {"2,2", 3, "2 2"},
  {"1-2,2-3", 3, "1 2 2 3"},
  /* Malformed. */
  {"0", 3, NULL},
  {"0-2", 3, NULL},
  {"5-2", 9, NULL},
  {"-", 3, NULL},
  {"-0", 3, NULL},
  {",", 3, NULL},
  {"1,", 3, NULL},
  {",1", 3, NULL},
  {"1,,2", 3, NULL},
  {"1 2", 3, NULL},
  {"1-2-3", 3, NULL},
  {"--3", 3, NULL},
  {"a", 3, NULL},
  {"1a", 3, NULL},
  {"1;2", 3, NULL},
  {"+1", 3, NULL},
  {"1.5", 3, NULL},
};

GST_START_TEST (test_table)
{
  const gchar *text = cases[__i__].text;
  GError *error = NULL;
  GstDocPageRange *range = gst_doc_page_range_parse (text, &error);
  GString *pages = g_string_new (NULL);
  guint count;

  fail_unless ((range == NULL) == (cases[__i__].pages == NULL),
      "\"%s\": %s", text, range ? "taken" : "refused");
  fail_unless ((range == NULL) == (error != NULL));
  if (range) {
    count = gst_doc_page_range_clip (range, cases[__i__].n_pages);
    for (guint i = 0; i < count; i++)
      g_string_append_printf (pages, "%s%u", i ? " " : "",
          gst_doc_page_range_get (range, i));
    fail_unless_equals_string (pages->str, cases[__i__].pages);
    fail_unless_equals_int (gst_doc_page_range_get (range, count), 0);
    gst_doc_page_range_free (range);
  } else {
    fail_unless (strstr (error->message, text) != NULL);
  }
  g_clear_error (&error);
  g_string_free (pages, TRUE);
}

GST_END_TEST

/* A span costs the same however many pages a document claims to have. */
GST_START_TEST (test_huge)
{
  GstDocPageRange *range = gst_doc_page_range_parse ("2-,1-", NULL);

  fail_unless_equals_int (gst_doc_page_range_clip (range, 2000000000), G_MAXINT);
  fail_unless_equals_int (gst_doc_page_range_get (range, 1999999998),
      2000000000);
  fail_unless_equals_int (gst_doc_page_range_get (range, 1999999999), 1);
  gst_doc_page_range_free (range);
}

GST_END_TEST

static Suite *
pagerange_suite (void)
{
  Suite *s = suite_create ("pagerange");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_add_loop_test (tc, test_table, 0, G_N_ELEMENTS (cases));
  tcase_add_test (tc, test_huge);
  return s;
}

GST_CHECK_MAIN (pagerange)
