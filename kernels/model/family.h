/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which family of detectors an ONNX file belongs to, and what is usual in it.
 * To add one: a file here with a `const nn_family`, its name in the table below, a decoder in decode/.
 */
#pragma once

#include "../decode/decode.h"
#include "../nn.h"
#include "../page/page.h"

/* Which of a model's inputs and outputs are what, by index; -1: there is none. */
typedef struct nn_signature {
  int page;       /* the image, float32 [N,3,H,W] */
  int page_size;  /* wants width and height of what the whole input shows, in frame pixels: int64 [N,2] */
  int input_size; /* wants the input's height and width: float32 [N,2] */
  int scale;      /* wants input pixels a frame pixel, down and across: float32 [N,2] */
  nn_roles roles;
} nn_signature;

typedef struct nn_family {
  const char *name; /* "picodet" */
  /* Whether inputs, outputs and metadata fit; if so, what is what. The caller has set all to -1. NULL:
   * only a sidecar can tell. */
  bool (*matches) (const nn_model *model, nn_signature *signature);
  /* What its first input is called, where nothing else tells its files from those of strangers; not asked
   * for where the user names the family. NULL: `matches` tells. */
  const char *first_input;
  int size; /* the side of the square input where the file leaves it open */
  nn_page_spec page;
  float threshold, iou_threshold; /* of the family's reference */
  bool suppresses;                /* its decoder runs NMS, so that `iou_threshold` acts in there */
  /* How many classes the outputs tell apart; NULL: they do not tell. */
  int (*n_classes) (const nn_decode_input *input);
  int usual_classes; /* where they do not tell, of the published models; 0: nothing is usual */
  nn_decoder decode;
  const nn_dense *dense; /* the same in two parts; NULL: a device would win nothing by it */
} nn_family;

extern const nn_family nn_family_custom;
extern const nn_family nn_family_detr;
extern const nn_family nn_family_detr_ordered;
extern const nn_family nn_family_docling;
extern const nn_family nn_family_picodet;
extern const nn_family nn_family_pp_doclayout;
extern const nn_family nn_family_pp_doclayout_ordered;
extern const nn_family nn_family_yolov10;
extern const nn_family nn_family_yolov8;

/* A signature in which nothing is set. */
#define NN_SIGNATURE_NONE \
  ((nn_signature) { .page = -1, .page_size = -1, .input_size = -1, .scale = -1, \
                    .roles = { .scores = -1, .boxes = -1, .labels = -1, .order = -1, .count = -1 } })

/* The family of `model`, or NULL; fills `signature`. */
const nn_family *nn_family_of (const nn_model *model, nn_signature *signature);
/* The family of this name, or NULL. */
const nn_family *nn_family_named (const char *name);
/* "picodet, detr …" for messages. */
const char *nn_family_names (char *buffer, size_t size);
/* "inputs: NAME float32[1,3,?,?]; outputs: …" for messages. */
const char *nn_family_describe_model (const nn_model *model, char *buffer, size_t size);

/* ---- what families look at ---- */

/* Whether the value is of this type and rank (a file may leave the rank open). */
bool nn_value_is (const nn_value_info *info, nn_dtype dtype, int rank);
/* Whether its last dimension is `dim`, or open. */
bool nn_value_ends_with (const nn_value_info *info, int64_t dim);
/* Whether it can take a page: float32 [N,3,H,W]. */
bool nn_value_is_image (const nn_value_info *info);
/* Index of the input or output of this name, or -1. */
int nn_model_find_input (const nn_model *model, const char *name);
int nn_model_find_output (const nn_model *model, const char *name);
