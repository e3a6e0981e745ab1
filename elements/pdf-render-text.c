/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pdf-render-text.h"

#include <cairo.h>
#include <stdbool.h>
#include <string.h>

#include "pdffontstyle.h"
#include "pdftext.h"

/* Poppler selects what lies between two corners: with these, all of the page, what reaches over its edge included. */
#define FAR 1e6
/* Poppler wraps words that run from right to left, and all words of a page whose text mostly does so. */
#define RIGHT_TO_LEFT "\xe2\x80\xab"
#define IS_DIRECTION_MARK(c) ((c) >= 0x202a && (c) <= 0x202c)
/* In font sizes: words of one line that no space divides are no further apart, columns are (minColSpacing1 of
 * poppler's TextOutputDev). */
#define MAX_GAP 0.7
/* Bytes; the limit that PDF itself has for names (ISO 32000-1, annex C). */
#define MAX_FONT_NAME 127

/* What poppler tells of a page's text: `boxes` has one for each character of `text`, direction marks aside. */
struct layout {
  char *text;
  PopplerRectangle *boxes;
  guint n;
  GList *attributes;            /* of PopplerTextAttributes, in the order of the text */
};

struct words {
  PdfTextWriter writer;
  guint line;                   /* the number of the line */
  bool any;                     /* whether there is a word in it */
  bool joined;                  /* no space since the last one */
  GString *text;                /* of the word that is put together; "" between words */
  PopplerRectangle box, box_before; /* of that word, of the one before */
  const PopplerRectangle *last; /* of the character before */
  const PopplerTextAttributes *attributes; /* of that word */
  int votes;                    /* for these */
  const PopplerTextAttributes *font_of; /* whose name and style follow */
  char *font;
  guint style;
};

static void
clear_layout (struct layout *layout)
{
  g_free (layout->text);
  g_free (layout->boxes);
  poppler_page_free_text_attributes (layout->attributes);
}

static void
get_layout (PopplerPage *page, PopplerRectangle area, struct layout *layout)
{
  *layout = (struct layout) { .text = poppler_page_get_text_for_area (page, &area) };
  poppler_page_get_text_layout_for_area (page, &area, &layout->boxes, &layout->n);
  layout->attributes = poppler_page_get_text_attributes_for_area (page, &area);
}

static guint
count_boxes (PopplerPage *page, PopplerRectangle area)
{
  PopplerRectangle *boxes = NULL;
  guint n;

  poppler_page_get_text_layout_for_area (page, &area, &boxes, &n);
  g_free (boxes);
  return n;
}

/* What to select on a page that is read from right to left: of that poppler (22.12 to 25.03) takes what lies between
 * the top right corner and the block that is nearest to the other one, which need not be the last, and what comes
 * after it is lost. So that other corners are tried too: the end of the last block's last line, which is what lies
 * between the bottom right corner and itself, and beside and below that, as that line need not be the lowest. Of 600
 * upright pages of blocks put down at random 595 come whole, of 480 others 463. */
static PopplerRectangle
choose_right_to_left (PopplerPage *page)
{
  PopplerRectangle end = { FAR, FAR, FAR, FAR }, best = { FAR, -FAR, -FAR, FAR };
  cairo_region_t *region = poppler_page_get_selected_region (page, 1.0, POPPLER_SELECTION_LINE, &end);
  cairo_rectangle_int_t line;
  guint most = count_boxes (page, best);

  cairo_region_get_extents (region, &line);
  cairo_region_destroy (region);
  const int size = MIN (line.width, line.height);
  const PopplerRectangle others[] = {
    { FAR, -FAR, line.x, line.y + line.height / 2.0 },
    { FAR, -FAR, line.x - 8 * size, line.y + line.height + size },
    { FAR, -FAR, -FAR, -FAR },  /* turned pages */
    { FAR, -FAR, FAR, FAR },
  };
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    guint n = count_boxes (page, others[i]);

    if (n > most) {
      most = n;
      best = others[i];
    }
  }
  return best;
}

/* The text of all of the page. */
static void
get_whole_layout (PopplerPage *page, struct layout *layout)
{
  struct layout other;

  get_layout (page, (PopplerRectangle) { -FAR, -FAR, FAR, FAR }, layout);
  if (*layout->text && !g_str_has_prefix (layout->text, RIGHT_TO_LEFT))
    return;
  get_layout (page, choose_right_to_left (page), &other);
  if (other.n > layout->n) {
    clear_layout (layout);
    *layout = other;
  } else {
    clear_layout (&other);
  }
}

/* Whether there is a box for each character. */
static bool
layout_is_sane (const struct layout *layout)
{
  guint n = 0;

  if (!g_utf8_validate (layout->text, -1, NULL))
    return false;
  for (const char *at = layout->text; *at; at = g_utf8_next_char (at))
    n += !IS_DIRECTION_MARK (g_utf8_get_char (at));
  return n == layout->n;
}

/* Whether poppler has two characters in one word: their boxes share an edge, to the last bit. */
static bool
touch (const PopplerRectangle *a, const PopplerRectangle *b)
{
  if (a->y1 == b->y1 && a->y2 == b->y2)
    return a->x2 == b->x1 || a->x1 == b->x2;
  return a->x1 == b->x1 && a->x2 == b->x2 && (a->y2 == b->y1 || a->y1 == b->y2);
}

/* Whether two words with no space between them are in two lines: poppler makes one of what stands side by side in
 * a table. */
static bool
are_apart (const PopplerRectangle *a, const PopplerRectangle *b, double size)
{
  double dx = MAX (b->x1 - a->x2, a->x1 - b->x2), dy = MAX (b->y1 - a->y2, a->y1 - b->y2);

  return MAX (dx, dy) > MAX_GAP * size;
}

static bool
look_alike (const PopplerTextAttributes *a, const PopplerTextAttributes *b)
{
  return a == b || (a->font_size == b->font_size && strcmp (a->font_name, b->font_name) == 0);
}

/* Poppler has taken the prefix of a subset off already, and calls a font without a name "Default". */
static void
look_up_font (struct words *words)
{
  const char *name = words->attributes->font_name;

  if (words->font_of == words->attributes)
    return;
  if (strcmp (name, "Default") == 0)
    name = "";
  g_free (words->font);
  words->font = g_utf8_make_valid (name, (gssize) strnlen (name, MAX_FONT_NAME));
  words->style = pdf_font_style (words->font);
  words->font_of = words->attributes;
}

static void
end_word (struct words *words)
{
  const PopplerRectangle *box = &words->box;

  if (words->text->len == 0)
    return;
  if (words->joined && are_apart (&words->box_before, box, words->attributes->font_size))
    words->line++;
  look_up_font (words);
  pdf_text_writer_add (&words->writer, words->text->str, box->x1, box->y1, box->x2, box->y2,
                       words->attributes->font_size, words->font, words->style, words->line);
  g_string_truncate (words->text, 0);
  words->any = words->joined = true;
  words->box_before = *box;
}

static void
end_line (struct words *words)
{
  end_word (words);
  words->line += words->any;
  words->any = words->joined = false;
}

/* Notes of what font one more character is. A word's font becomes the one that most of it has (the vote of Boyer
 * and Moore: one that has more than half of the characters wins). */
static void
vote (struct words *words, const PopplerTextAttributes *attributes)
{
  if (words->votes == 0)
    words->attributes = attributes;
  words->votes += look_alike (words->attributes, attributes) ? 1 : -1;
}

static void
add_character (struct words *words, gunichar c, const PopplerRectangle *box, const PopplerTextAttributes *attributes)
{
  if (words->text->len > 0 && !touch (words->last, box))
    end_word (words);
  if (words->text->len == 0) {
    words->box = *box;
    words->votes = 0;
  }
  words->box.x1 = MIN (words->box.x1, box->x1);
  words->box.y1 = MIN (words->box.y1, box->y1);
  words->box.x2 = MAX (words->box.x2, box->x2);
  words->box.y2 = MAX (words->box.y2, box->y2);
  words->last = box;
  vote (words, attributes);
  g_string_append_unichar (words->text, c);
}

static GByteArray *
make_words (const struct layout *layout)
{
  struct words words = { .text = g_string_new (NULL) };
  const GList *run = layout->attributes;
  guint i = 0;

  pdf_text_writer_init (&words.writer);
  for (const char *at = layout->text; *at && run; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (IS_DIRECTION_MARK (c))
      continue;
    while (run->next && ((PopplerTextAttributes *) run->next->data)->start_index <= (gint) i)
      run = run->next;
    if (c == '\n') {
      end_line (&words);
    } else if (g_unichar_isspace (c)) {
      end_word (&words);
      words.joined = false;
    } else {
      add_character (&words, c, &layout->boxes[i], run->data);
    }
    i++;
  }
  end_word (&words);
  g_string_free (words.text, TRUE);
  g_free (words.font);
  return pdf_text_writer_end (&words.writer);
}

GByteArray *
pdf_render_text_new (PopplerPage *page, const char **reason)
{
  struct layout layout;
  GByteArray *words = NULL;

  get_whole_layout (page, &layout);
  if (layout_is_sane (&layout))
    words = make_words (&layout);
  else
    *reason = "poppler does not say where each character of it stands";
  clear_layout (&layout);
  return words;
}
