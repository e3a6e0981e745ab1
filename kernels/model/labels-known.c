/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels of published models whose files do not have them, class by class. */
#include "labels.h"

/* docling-layout-heron and egret, of docling-project: id2label in config.json. */
#define HERON_CLASSES 17
static const char heron[]
    = "caption\nfootnote\nformula\nlist_item\npage_footer\npage_header\npicture\n"
      "section_header\ntable\ntext\ntitle\n"
      "document_index\ncode\ncheckbox_selected\ncheckbox_unselected\nform\nkey_value_region";

/* PP-DocLayoutV2 and PP-DocLayoutV3, of PaddlePaddle: label_list in inference.yml. */
#define PP_DOCLAYOUT_CLASSES 25
static const char pp_doclayout[]
    = "abstract\nalgorithm\naside_text\nchart\ncontent\ndisplay_formula\ndoc_title\nfigure_title\nfooter\n"
      "footer_image\nfootnote\nformula_number\nheader\nheader_image\nimage\ninline_formula\nnumber\n"
      "paragraph_title\nreference\nreference_content\nseal\ntable\ntext\nvertical_text\nvision_footnote";

char **
nn_labels_known (int n, nn_error *err)
{
  if (n == HERON_CLASSES)
    return nn_labels_split (heron, "\n", err);
  if (n == PP_DOCLAYOUT_CLASSES)
    return nn_labels_split (pp_doclayout, "\n", err);
  return NULL;
}
