/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine, as its users see it: this header is all that others include.
 *
 *   nn_model     an ONNX file, read and checked; immutable
 *   nn_plan      the model made ready for one batch size on one device: shapes, fusions, packed
 *                weights; immutable, shared by sessions, and on the CPU by all who ask for the same
 *   nn_session   the memory of one run at a time; two sessions of a plan run side by side
 *   nn_detector  on top of these: pages in, regions out
 *
 * A function may be called from any thread; one session or detector is used by one thread at a
 * time. Objects count references: *_ref/_unref where shared, *_free where owned by one.
 */
#pragma once

#include "status.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- networks */

typedef struct nn_model nn_model;
typedef struct nn_plan nn_plan;
typedef struct nn_session nn_session;

typedef enum nn_device_kind {
  NN_DEVICE_CPU,
  NN_DEVICE_CUDA,
} nn_device_kind;

/* How floating-point activations are stored and multiplied. Sums are float32 in all of them, and so is what
 * must be exact (scores, boxes, what is sorted: graph/precision.c). A CPU has FP32 only. */
typedef enum nn_precision {
  NN_PRECISION_AUTO, /* FP16 on a GPU, FP32 on a CPU */
  NN_PRECISION_FP32,
  NN_PRECISION_TF32, /* stored as FP32, multiplied with 10 bits of mantissa */
  NN_PRECISION_BF16,
  NN_PRECISION_FP16,
} nn_precision;

const char *nn_precision_name (nn_precision precision); /* "auto", "fp32" … */

/* Whether plans can be made for a device: NN_OK; NN_ERR_UNSUPPORTED where this build has no backend for it; else
 * NN_ERR_DEVICE with what is missing (a library, the driver, the device, code for its architecture). `index`: as for
 * nn_plan_options. */
nn_status nn_device_check (nn_device_kind device, int index, nn_error *err);

/* How pixels in the program's memory reach a device, as its attributes tell. */
typedef enum nn_memory_path {
  NN_MEMORY_CPU,        /* the network runs where they are */
  NN_MEMORY_DIRECT,     /* the GPU reads any memory of the process, through the host's page tables */
  NN_MEMORY_REGISTERED, /* it reads memory that was registered, or that its driver allocated; other is copied first */
  NN_MEMORY_STAGED,     /* it reads memory that its driver allocated; other is copied to such memory first */
} nn_memory_path;

/* What the CUDA backend has code for and runs with. Versions are of what was loaded, not of what it was built with. */
typedef struct nn_cuda_info {
  char architectures[128]; /* "sm_90, sm_121, PTX of compute_80" */
  char runtime[32], cudnn[32], cublaslt[32]; /* "13.0", "9.19.0" … */
  char driver[32];  /* the newest CUDA that the driver is made for: "13.0"; "": none is loaded */
  int n_devices;    /* GPUs; 0 with the reason in `problem` */
  nn_error problem; /* its status is NN_OK where there are GPUs */
} nn_cuda_info;

/* Fails as nn_device_check() does where this build has no CUDA backend or it cannot be loaded. */
nn_status nn_cuda_describe (nn_cuda_info *info, nn_error *err);

/* A GPU and what its driver tells of the memory that it shares with the host. */
typedef struct nn_device_info {
  char name[256];
  int major, minor; /* compute capability: 12, 1 is sm_121 */
  uint64_t memory_bytes;
  bool integrated;       /* it shares the host's memory chips */
  bool pageable_access;  /* it reads memory that was not registered … */
  bool host_page_tables; /* … through the host's page tables, not fault by fault */
  bool concurrent_managed, host_register;
  nn_memory_path memory_path; /* which follows from these */
  nn_error problem;           /* of nn_device_check(); its status is NN_OK where plans can be made for it */
} nn_device_info;

/* GPU `index`, 0 … n_devices - 1. Starts CUDA on it, which takes some memory there until the process ends. */
nn_status nn_device_describe (int index, nn_device_info *info, nn_error *err);

/* A network's input or output as the file declares it. */
typedef struct nn_value_info {
  const char *name;
  nn_dtype dtype;
  int rank;
  int64_t dim[NN_MAX_RANK]; /* -1 where the file leaves it open (batch, image size) */
} nn_value_info;

/* Reads an ONNX file of operator sets 7 to 21. NULL with the file named in `err` if it is missing,
 * truncated, nested too deeply, not ONNX, or holds an operator that no backend has. Weights stay in
 * the file, or in the files beside it that it names (external data, in its folder or below, no
 * symbolic links); plans read them, and fail if one of these files was changed in between. */
nn_model *nn_model_open (const char *path, nn_error *err);
nn_model *nn_model_ref (nn_model *model);
void nn_model_unref (nn_model *model); /* NULL is fine */

const char *nn_model_path (const nn_model *model);
size_t nn_model_bytes (const nn_model *model); /* of the file and its data files */
int nn_model_n_inputs (const nn_model *model);
int nn_model_n_outputs (const nn_model *model);
nn_value_info nn_model_input (const nn_model *model, int index);
nn_value_info nn_model_output (const nn_model *model, int index);
const char *nn_model_metadata (const nn_model *model, const char *key); /* NULL if absent */

typedef struct nn_plan_options {
  nn_device_kind device;
  int batch;         /* pages a run, ≥ 1: open batch dimensions become this; a fixed one must be this */
  int threads;       /* how many CPU threads one run may use (≥ 1), which kernels are chosen for */
  int width, height; /* what open image dimensions become, with 3 channels; 0: there are none */
  nn_precision precision;
  int cuda_device;   /* which GPU, from 0, as CUDA counts them (CUDA_VISIBLE_DEVICES) */
  nn_plan *beside;   /* on a GPU, a plan whose runs and this one's follow each other, so that they share memory; the
                      * plan keeps it. NULL: there is none */
} nn_plan_options;

/* Makes the model ready to run as `options` say; NULL with `err` set. On the CPU a plan of the same model with equal
 * options that somebody still has is given out once more, without reading files again, so that packed weights are in
 * memory once; it goes with its last reference. On a GPU each call makes another one, since the runs of a plan follow
 * each other there; packed weights are shared all the same, by all plans of the process. */
nn_plan *nn_plan_new (nn_model *model, const nn_plan_options *options, nn_error *err);
nn_plan *nn_plan_ref (nn_plan *plan);
void nn_plan_unref (nn_plan *plan);
int nn_plan_nodes_before (const nn_plan *plan); /* operator nodes in the file, Constants aside */
int nn_plan_nodes_after (const nn_plan *plan);  /* that run */
size_t nn_plan_arena_bytes (const nn_plan *plan);

nn_session *nn_session_new (nn_plan *plan, nn_error *err);
void nn_session_free (nn_session *session);
/* Where to write input `index` before a run: host memory, on every device. Its strides say how elements lie, and
 * its type may be a half (NN_F16, NN_BF16) where the file says float32. */
nn_tensor *nn_session_input (nn_session *session, int index);
nn_status nn_session_run (nn_session *session, nn_error *err);
/* Output `index`, row-major, in host memory, valid until the next run. */
const nn_tensor *nn_session_output (const nn_session *session, int index);

/* nn_session_run() in two steps: on a GPU start() returns at once, and sessions that were started run one
 * after the other while the caller does something else; on a CPU it does all the work. */
nn_status nn_session_start (nn_session *session, nn_error *err);
nn_status nn_session_wait (nn_session *session, nn_error *err);

/* How long the GPU was busy with the last run, the copies of inputs aside; 0 on a CPU. */
double nn_session_device_seconds (const nn_session *session);

/* ---------------------------------------------------------------- memory that a device reads where it lies */

nn_memory_path nn_memory_path_of (nn_device_kind device, int index); /* of one that nn_device_check() finds well */
const char *nn_memory_path_name (nn_memory_path path);               /* "cpu", "direct", "registered", "staged" */

/* Lets every GPU read `bytes` bytes from `memory` on, which stay mapped until they are unregistered: about 0.1 ms a
 * MiB, once, and they stay in RAM. For devices of path REGISTERED; the range must not overlap another that is. */
nn_status nn_memory_register (int cuda_device, void *memory, size_t bytes, nn_error *err);
void nn_memory_unregister (int cuda_device, void *memory); /* no run may be reading it */

typedef enum nn_memory_kind {
  NN_MEMORY_PINNED,  /* host memory that stays in RAM, which every GPU reads */
  NN_MEMORY_MANAGED, /* one address for host and GPU: only where both may use it at a time */
} nn_memory_kind;

/* Memory of `bytes` bytes, aligned to 256, that host and GPU reach at *memory. NN_ERR_UNSUPPORTED with the reason where
 * the device has no such memory. */
nn_status nn_memory_alloc (int cuda_device, nn_memory_kind kind, size_t bytes, void **memory, nn_error *err);
void nn_memory_free (int cuda_device, nn_memory_kind kind, void *memory); /* NULL is fine; no run may be reading it */

/* ---------------------------------------------------------------- looking inside */

/* As nn_model_open(), but takes operators and operator sets that no backend has. The functions on
 * models tell what such a file holds; nn_plan_new() refuses it. */
nn_model *nn_model_open_any (const char *path, nn_error *err);

/* How the file came to be; "" and 0 where it does not say. */
typedef struct nn_origin {
  const char *producer, *producer_version; /* the program that wrote it */
  int64_t ir_version, opset;               /* opset: of ONNX's own operators */
} nn_origin;
nn_origin nn_model_origin (const nn_model *model);

/* The nodes of a file that have one operator. Constants are counted nowhere. */
typedef struct nn_operator_info {
  const char *name, *domain; /* domain "": ONNX's own */
  int n_nodes;
  bool supported;            /* false: the engine has no such operator, and the file will not run */
} nn_operator_info;
int nn_model_n_operator_infos (const nn_model *model);
nn_operator_info nn_model_operator_info (const nn_model *model, int index); /* by name */

/* What one step from the file to the nodes that run did to their number. */
typedef struct nn_plan_change {
  const char *name;
  int nodes; /* < 0: so many vanished; together: nn_plan_nodes_after() - nn_plan_nodes_before() */
} nn_plan_change;
int nn_plan_n_changes (const nn_plan *plan);
nn_plan_change nn_plan_change_at (const nn_plan *plan, int index); /* in the order of the steps */

size_t nn_plan_weight_bytes (const nn_plan *plan);  /* constants that nodes read, each once, as in the graph */
size_t nn_plan_scratch_bytes (const nn_plan *plan); /* a session's, beside its arena */

/* A node as it runs. */
typedef struct nn_node_info {
  const char *name;      /* the ONNX node's, or its first result's where it has none */
  const char *op;        /* ONNX's name, or one of our own, such as ConvPair */
  char fused[48];        /* what else it computes, in that order: "Add, Relu"; "": nothing */
  nn_value_info result;  /* the first that anybody reads */
  double flop;           /* 2 a multiply-add of Conv, ConvPair, MatMul, Gemm and Attention, padding included; what
                          * is fused into them, and all other nodes, count as 0 */
  size_t weight_bytes;   /* constants it reads */
  size_t value_bytes;    /* other operands and results */
} nn_node_info;
nn_node_info nn_plan_node (const nn_plan *plan, int index); /* 0 … nn_plan_nodes_after() - 1, as they run */

/* As nn_session_run(), and adds the seconds that node `i` of the plan took to seconds[i]: on a GPU each by itself, several
 * times in a row, after a whole run. */
nn_status nn_session_profile (nn_session *session, double *seconds, nn_error *err);

/* ---------------------------------------------------------------- pages in, regions out */

typedef enum nn_pixel_format {
  NN_PIXEL_BGRX, /* also BGRA: the fourth byte is ignored */
  NN_PIXEL_RGBX, /* also RGBA */
  NN_PIXEL_RGB,
  NN_PIXEL_BGR,
  NN_PIXEL_GRAY8,
} nn_pixel_format;

typedef struct nn_frame {
  const uint8_t *data; /* the top row; not owned, read by nn_detector_infer() only, or until _finish(). Host memory; for a
                        * detector on a GPU, also memory of that GPU that was allocated in its primary context */
  int width, height;   /* pixels, ≥ 1 */
  int stride;          /* bytes from row to row, ≥ width × bytes a pixel */
  nn_pixel_format format;
} nn_frame;

typedef enum nn_resize_filter {
  NN_RESIZE_AUTO,               /* the family's reference */
  NN_RESIZE_BILINEAR,           /* two taps a side, half-pixel centres: OpenCV INTER_LINEAR, ±1 level */
  NN_RESIZE_BILINEAR_ANTIALIAS, /* a triangle as wide as the scale: Pillow BILINEAR */
  NN_RESIZE_BICUBIC,            /* four taps, a = -0.75, no antialiasing: OpenCV INTER_CUBIC */
  NN_RESIZE_AREA,               /* OpenCV INTER_AREA when shrinking, else bilinear */
} nn_resize_filter;

/* One thing found on a page. */
typedef struct nn_region {
  float x0, y0, x1, y1; /* pixels of the frame that went in, top-left origin, x0 ≤ x1 ≤ width … */
  float score;          /* 0 … 1 */
  int class_id;         /* index into the labels */
  int order;            /* the model's reading order, rising from 0 with gaps; -1: it tells none */
} nn_region;

typedef struct nn_detector_settings { /* may change from call to call */
  float threshold;      /* regions with a lower score are left out; < 0: the family's own */
  float iou_threshold;  /* of NMS within a class; < 0: the family's own */
  int max_detections;   /* a page, best first, ≥ 1 */
  nn_resize_filter resize_filter;
  bool keep_duplicates; /* false: boxes of two classes on one block become one (decode/duplicates.c), and
                         * NMS within a class is done for families that do without it */
} nn_detector_settings;

typedef struct nn_detections { /* of one page; the caller provides it zeroed once and may reuse it */
  nn_region *regions; /* sorted by score, best first; owned, freed by nn_detections_clear() */
  int n, capacity;
} nn_detections;

typedef struct nn_detector nn_detector;

typedef enum nn_channel_order {
  NN_CHANNELS_AUTO,
  NN_CHANNELS_RGB,
  NN_CHANNELS_BGR,
} nn_channel_order;

typedef enum nn_letterbox {
  NN_LETTERBOX_AUTO,
  NN_LETTERBOX_NO,  /* the page is stretched to the input */
  NN_LETTERBOX_YES, /* it keeps its shape, centred, with grey around it */
} nn_letterbox;

/* How a model is to be used. Zeroed but for `batch`, everything is told by the model itself: what is
 * set here goes before its sidecar, which goes before the metadata in it, which goes before what is
 * usual in its family. */
typedef struct nn_detector_options {
  nn_device_kind device;
  int batch;   /* most pages of one nn_detector_infer(), ≥ 1 */
  int threads; /* CPU threads to use in all, of which at most 4 a processor are; 0: one a processor */
  const char *modelinfo_file; /* the sidecar (docs/modelinfo.md); NULL: MODEL.modelinfo, if it is there */
  const char *labels_file;    /* one label a line, UTF-8; NULL: the model's own */
  const char *family;         /* a name of nn_detector_family(); NULL: as inputs and outputs tell */
  int input_width, input_height; /* where the model leaves them open; 0: the family's */
  nn_channel_order channel_order;
  nn_letterbox letterbox;
  const char *mean, *std; /* "0.485, 0.456, 0.406", one a channel, of values in 0 … 1; NULL: the family's */
  nn_precision precision;
  int cuda_device; /* as for a plan */
} nn_detector_options;

/* Recognises the model's family and labels, plans it, and starts what it needs to take `batch`
 * pages at once. On the CPU pages run side by side, one a thread; where there are more threads than
 * pages each page gets its share of them. On a GPU a batch is one run; fewer
 * pages are one with room left over, or, once that pays, runs of powers of two. A family that cannot be told: an error that lists the
 * inputs and outputs and says what to set. */
nn_detector *nn_detector_new (nn_model *model, const nn_detector_options *options, nn_error *err);
void nn_detector_free (nn_detector *detector);
const char *nn_detector_family (const nn_detector *detector); /* "picodet" … */
void nn_detector_input_size (const nn_detector *detector, int *width, int *height); /* of the network, pixels */
int nn_detector_n_labels (const nn_detector *detector);
const char *nn_detector_label (const nn_detector *detector, int class_id);
const char *nn_detector_device_name (const nn_detector *detector); /* "cpu", "cuda:0 NVIDIA GB10" */
nn_precision nn_detector_precision (const nn_detector *detector); /* what it runs in: never AUTO */
/* What its sessions run; not owned. On a GPU: of whole batches, or of one page where the model takes one at a time. */
const nn_plan *nn_detector_plan (const nn_detector *detector);
/* How many pages one run of the network takes: `batch` on a GPU, but 1 where the model cannot do more, and on a CPU. */
int nn_detector_pages_a_run (const nn_detector *detector);
size_t nn_detector_memory_bytes (const nn_detector *detector); /* weights and arenas, on the device */

/* Finds the regions of `n` frames (1 … batch). On failure no page's result is valid. */
nn_status nn_detector_infer (nn_detector *detector, const nn_frame *frames, int n,
                             const nn_detector_settings *settings, nn_detections *results, nn_error *err);
void nn_detections_clear (nn_detections *detections);

/* nn_detector_infer() in two steps, so that on a GPU the next batch is on its way while the results of one are
 * used: at most nn_detector_in_flight() batches (2 on a GPU, 1 on a CPU, where finish() does all the work) are started
 * and not finished. Pixels stay readable, and the same, until finish() has returned, which gives the results of the
 * oldest batch: one for each of its frames. NN_ERR_ARGUMENT changes nothing; after any other failure of either there
 * is none in flight. */
int nn_detector_in_flight (const nn_detector *detector);
nn_status nn_detector_start (nn_detector *detector, const nn_frame *frames, int n,
                             const nn_detector_settings *settings, nn_error *err);
nn_status nn_detector_finish (nn_detector *detector, nn_detections *results, nn_error *err);
/* How long a GPU was busy with the batch that was finished last, copies of pages aside; 0 on a CPU. */
double nn_detector_device_seconds (const nn_detector *detector);
/* Bytes of that batch's pages that had to be copied before the GPU could read them; 0 on a CPU. */
size_t nn_detector_staged_bytes (const nn_detector *detector);
void nn_detector_drop (nn_detector *detector); /* waits for what is in flight, and forgets it */

#ifdef __cplusplus
}
#endif
