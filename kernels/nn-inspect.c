/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything is gathered before anything is written, and written at once: whoever reads the output sees
 * all of it or nothing. */
#include "nn-inspect.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { DEFAULT_RUNS = 10, MAX_RUNS = 10000, MAX_BATCH = 256, MAX_THREADS = 256, MAX_GPUS = 255, MAX_SIDE = 32767 };
enum { MAX_DETECTIONS = 300 }; /* as many as the elements take by default */

static const char help[]
    = "usage: nn-inspect [OPTION]... MODEL.onnx\n"
      "       nn-inspect --devices [--json]\n"
      "\n"
      "Says whether an ONNX model will run, what of it is not supported, and where its time goes.\n"
      "\n"
      "  --batch N          plan it for N pages a run (default 1)\n"
      "  --threads N        and for N threads a run (default 1)\n"
      "  --modelinfo FILE, --model-family NAME, --labels-file FILE, --input-width N, --input-height N\n"
      "                     what the model does not tell, as the properties of cudalayoutdetect say it\n"
      "  --device cpu|cuda  what to run on (default cpu)\n"
      "  --cuda-device-id N which GPU, counted from 0 (default 0)\n"
      "  --precision P      fp32, tf32, bf16 or fp16 (default fp16 on a GPU, fp32 on a CPU)\n"
      "  --profile[=RUNS]   time each node, the mean of RUNS runs (default 10) on random input\n"
      "  --run IMAGE        find the regions of a page: a PNG, JPEG or binary PNM file\n"
      "  --devices          tell of the GPUs here, of what the CUDA backend was built for and which libraries it found\n"
      "  --json             one JSON object instead of text, with every node in it\n"
      "  -h, --help         show this\n"
      "      --version      print the version\n"
      "\n"
      "1 GFLOP is 10^9 operations, a multiply-add counting as two, of convolutions and matrix products;\n"
      "1 MB is 10^6 bytes.\n"
      "\n"
      "Exit status: 0 it will run; 1 it will not, or a file cannot be read; 2 wrong usage; 3 the network\n"
      "runs, but its outputs cannot be turned into regions: its family or its labels are not known. With\n"
      "--devices: 0 there is a GPU that can be used; 1 there is none.\n";

static double
now_ms (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec * 1e3 + (double) time.tv_nsec * 1e-6;
}

/* ---------------------------------------------------------------- arguments */

static bool
parse_number (const char *option, const char *text, int most, int *number)
{
  char *end;
  errno = 0;
  long value = strtol (text, &end, 10);
  if (errno == 0 && end != text && *end == '\0' && value >= 1 && value <= most) {
    *number = (int) value;
    return true;
  }
  fprintf (stderr, "nn-inspect: --%s takes a number from 1 to %d, not '%s'\n", option, most, text);
  return false;
}

static bool
parse_device (const char *text, nn_device_kind *device)
{
  for (*device = NN_DEVICE_CPU; *device <= NN_DEVICE_CUDA; (*device)++)
    if (strcmp (text, inspect_device_name (*device)) == 0)
      return true;
  fprintf (stderr, "nn-inspect: --device takes cpu or cuda, not '%s'\n", text);
  return false;
}

static bool
parse_precision (const char *text, nn_precision *precision)
{
  for (*precision = NN_PRECISION_AUTO; *precision <= NN_PRECISION_FP16; (*precision)++)
    if (strcmp (text, nn_precision_name (*precision)) == 0)
      return true;
  fprintf (stderr, "nn-inspect: --precision takes auto, fp32, tf32, bf16 or fp16, not '%s'\n", text);
  return false;
}

static bool
parse_gpu (const char *text, int *index)
{
  char *end;
  long number = strtol (text, &end, 10);
  *index = (int) number;
  if (*text != '\0' && *end == '\0' && number >= 0 && number <= MAX_GPUS)
    return true;
  fprintf (stderr, "nn-inspect: --cuda-device-id takes a number from 0 to %d, not '%s'\n", MAX_GPUS, text);
  return false;
}

static bool
parse_option (int option, inspect_options *o)
{
  switch (option) {
    case 'b':
      return parse_number ("batch", optarg, MAX_BATCH, &o->batch);
    case 't':
      return parse_number ("threads", optarg, MAX_THREADS, &o->threads);
    case 'W':
      return parse_number ("input-width", optarg, MAX_SIDE, &o->width);
    case 'H':
      return parse_number ("input-height", optarg, MAX_SIDE, &o->height);
    case 'd':
      return parse_device (optarg, &o->device);
    case 'g':
      return parse_gpu (optarg, &o->cuda_device);
    case 'P':
      return parse_precision (optarg, &o->precision);
    case 'p':
      o->runs = DEFAULT_RUNS;
      return optarg == NULL || parse_number ("profile", optarg, MAX_RUNS, &o->runs);
    case 'm':
      o->modelinfo = optarg;
      return true;
    case 'f':
      o->family = optarg;
      return true;
    case 'l':
      o->labels = optarg;
      return true;
    case 'r':
      o->image = optarg;
      return true;
    case 'j':
      o->json = true;
      return true;
    case 'D':
      o->devices = true;
      return true;
    default:
      return false; /* getopt has said what */
  }
}

static bool
parse (int argc, char **argv, inspect_options *o)
{
  static const struct option options[] = {
    { "batch", required_argument, NULL, 'b' },
    { "threads", required_argument, NULL, 't' },
    { "device", required_argument, NULL, 'd' },
    { "cuda-device-id", required_argument, NULL, 'g' },
    { "precision", required_argument, NULL, 'P' },
    { "modelinfo", required_argument, NULL, 'm' },
    { "model-family", required_argument, NULL, 'f' },
    { "labels-file", required_argument, NULL, 'l' },
    { "input-width", required_argument, NULL, 'W' },
    { "input-height", required_argument, NULL, 'H' },
    { "profile", optional_argument, NULL, 'p' },
    { "run", required_argument, NULL, 'r' },
    { "json", no_argument, NULL, 'j' },
    { "devices", no_argument, NULL, 'D' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'v' },
    { 0 },
  };
  *o = (inspect_options){ .device = NN_DEVICE_CPU, .batch = 1, .threads = 1 };
  for (int option; (option = getopt_long (argc, argv, "h", options, NULL)) != -1;) {
    if (option == 'h' || option == 'v') {
      fputs (option == 'h' ? help : "nn-inspect " NN_VERSION "\n", stdout);
      exit (fflush (stdout) == 0 ? 0 : 1);
    }
    if (!parse_option (option, o))
      return false;
  }
  bool half = o->precision != NN_PRECISION_AUTO && o->precision != NN_PRECISION_FP32;
  const char *wrong = o->devices && optind < argc           ? "--devices takes no model"
                      : o->devices                          ? NULL
                      : optind == argc                      ? "no model named"
                      : optind + 1 < argc                   ? "one model at a time"
                      : (o->width == 0) != (o->height == 0) ? "--input-width and --input-height go together"
                      : half && o->device == NN_DEVICE_CPU  ? "a CPU runs in fp32 only"
                                                            : NULL;
  if (wrong != NULL)
    fprintf (stderr, "nn-inspect: %s\n", wrong);
  o->model = argv[optind];
  return wrong == NULL;
}

/* ---------------------------------------------------------------- the report */

inspect_status
inspect_report_status (const inspect_report *report)
{
  if (report->plan == NULL)
    return INSPECT_WILL_NOT_RUN;
  return report->detector != NULL ? INSPECT_WILL_RUN : INSPECT_NO_DETECTOR;
}

const char *
inspect_cause (const inspect_report *report, const nn_error *error)
{
  size_t length = strlen (report->options->model);
  bool named = strncmp (error->message, report->options->model, length) == 0
               && strncmp (error->message + length, ": ", 2) == 0;
  return error->message + (named ? length + 2 : 0);
}

const char *
inspect_device_name (nn_device_kind device)
{
  return device == NN_DEVICE_CUDA ? "cuda" : "cpu";
}

const char *
inspect_precision_name (const inspect_options *options)
{
  if (options->precision == NN_PRECISION_AUTO)
    return nn_precision_name (options->device == NN_DEVICE_CUDA ? NN_PRECISION_FP16 : NN_PRECISION_FP32);
  return nn_precision_name (options->precision);
}

static nn_status
open_model (inspect_report *report, nn_error *err)
{
  const char *path = report->options->model;
  struct stat file;
  double start = now_ms ();
  report->model = nn_model_open_any (path, err);
  if (report->model == NULL)
    return err->status;
  report->load_ms = now_ms () - start;
  report->file_bytes = stat (path, &file) == 0 ? (uint64_t) file.st_size : 0;
  return NN_OK;
}

/* The detector is as the elements make it: whether that works is what the user wants to know. */
static void
make_ready (inspect_report *report)
{
  const inspect_options *o = report->options;
  const nn_detector_options detector = { .device = o->device,
                                         .batch = 1,
                                         .threads = o->threads,
                                         .precision = o->precision,
                                         .cuda_device = o->cuda_device,
                                         .modelinfo_file = o->modelinfo,
                                         .family = o->family,
                                         .labels_file = o->labels,
                                         .input_width = o->width,
                                         .input_height = o->height };
  nn_plan_options plan = { .device = o->device,
                           .batch = o->batch,
                           .threads = o->threads,
                           .precision = o->precision,
                           .cuda_device = o->cuda_device,
                           .width = o->width,
                           .height = o->height };
  report->detector = nn_detector_new (report->model, &detector, &report->detector_error);
  if (report->detector != NULL)
    nn_detector_input_size (report->detector, &plan.width, &plan.height);
  double start = now_ms ();
  report->plan = nn_plan_new (report->model, &plan, &report->plan_error);
  report->plan_ms = now_ms () - start;
}

/* ---------------------------------------------------------------- profile */

/* Numbers in 0 … 1 (halves in ½ … 1), the same in every run; whole numbers are 1, which is a valid size and index. */
static void
fill (nn_tensor *tensor)
{
  uint32_t state = 1;
  int64_t n = nn_tensor_count (tensor);
  memset (tensor->data, 0, nn_tensor_bytes (tensor));
  for (int64_t i = 0; i < n; i++) {
    state = state * 1664525 + 1013904223; /* Numerical Recipes' generator */
    if (tensor->dtype == NN_F32)
      ((float *) tensor->data)[i] = (float) (state >> 8) / (float) (1 << 24);
    else if (tensor->dtype == NN_F16)
      ((uint16_t *) tensor->data)[i] = (uint16_t) (0x3800 | state >> 22);
    else if (tensor->dtype == NN_BF16)
      ((uint16_t *) tensor->data)[i] = (uint16_t) (0x3f00 | state >> 25);
    else if (tensor->dtype == NN_I64)
      ((int64_t *) tensor->data)[i] = 1;
    else if (tensor->dtype == NN_I32)
      ((int32_t *) tensor->data)[i] = 1;
  }
}

/* The first run warms caches up and is not counted. */
static nn_status
profile_session (inspect_report *report, nn_session *session, nn_error *err)
{
  size_t n = (size_t) nn_plan_nodes_after (report->plan);
  nn_status status = nn_session_run (session, err);
  if (status != NN_OK)
    return status;
  report->seconds = calloc (n + 1, sizeof *report->seconds);
  if (report->seconds == NULL)
    return nn_fail (err, NN_ERR_MEMORY, "out of memory for the profile");
  double start = now_ms (), on_device = 0;
  for (int i = 0; i < report->options->runs && status == NN_OK; i++) {
    status = nn_session_profile (session, report->seconds, err);
    on_device += nn_session_device_seconds (session) * 1e3;
  }
  /* A GPU times its nodes one by one; a whole run of it was timed beside them. */
  report->run_ms = (on_device > 0 ? on_device : now_ms () - start) / report->options->runs;
  for (size_t i = 0; i < n; i++)
    report->seconds[i] /= report->options->runs;
  return status;
}

static nn_status
profile (inspect_report *report, nn_error *err)
{
  nn_session *session = nn_session_new (report->plan, err);
  if (session == NULL)
    return err->status;
  for (int i = 0; i < nn_model_n_inputs (report->model); i++)
    fill (nn_session_input (session, i));
  nn_status status = profile_session (report, session, err);
  nn_session_free (session);
  return status;
}

/* ---------------------------------------------------------------- a page */

static nn_status
find_regions (inspect_report *report, nn_error *err)
{
  const nn_detector_settings settings
      = { .threshold = -1, .iou_threshold = -1, .max_detections = MAX_DETECTIONS };
  double start = now_ms ();
  nn_status status = nn_detector_infer (report->detector, &report->image, 1, &settings, &report->found, err);
  report->infer_ms = now_ms () - start;
  return status;
}

/* ---------------------------------------------------------------- all of it */

/* The image is read first: a wrong name should not cost a profile. */
static nn_status
gather (inspect_report *report, nn_error *err)
{
  const inspect_options *o = report->options;
  nn_status status = NN_OK;
  if (o->image != NULL)
    status = inspect_read_image (o->image, &report->image, err);
  if (status == NN_OK)
    status = open_model (report, err);
  if (status != NN_OK)
    return status;
  make_ready (report);
  if (report->plan != NULL && o->runs > 0)
    status = profile (report, err);
  if (status == NN_OK && o->image != NULL && report->detector != NULL)
    status = find_regions (report, err);
  return status;
}

static void
clear (inspect_report *report)
{
  nn_detections_clear (&report->found);
  nn_detector_free (report->detector);
  free ((void *) report->image.data);
  free (report->seconds);
  nn_plan_unref (report->plan);
  nn_model_unref (report->model);
}

/* Names come from the file, and a terminal obeys control characters. */
static void
disarm (char *text)
{
  for (unsigned char *c = (unsigned char *) text; *c != '\0'; c++)
    if ((*c < ' ' && *c != '\n') || *c == 0x7f)
      *c = '?';
    else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
      *c = c[1] = '?';
}

static bool
write_report (const inspect_report *report)
{
  char *text = NULL;
  size_t size = 0;
  FILE *memory = open_memstream (&text, &size);
  if (memory == NULL)
    return false;
  (report->options->json ? inspect_write_json : inspect_write_text) (memory, report);
  bool ok = fclose (memory) == 0;
  if (ok && !report->options->json)
    disarm (text);
  ok = ok && fwrite (text, 1, size, stdout) == size && fflush (stdout) == 0;
  free (text);
  return ok;
}

int
main (int argc, char **argv)
{
  inspect_options options;
  nn_error err;
  if (!parse (argc, argv, &options)) {
    fputs ("try: nn-inspect --help\n", stderr);
    return INSPECT_USAGE;
  }
  if (options.devices)
    return (int) inspect_devices (options.json);
  inspect_report report = { .options = &options };
  inspect_status status = INSPECT_WILL_NOT_RUN;
  if (gather (&report, &err) != NN_OK)
    fprintf (stderr, "nn-inspect: %s\n", err.message);
  else if (!write_report (&report))
    fprintf (stderr, "nn-inspect: cannot write the report: %s\n", strerror (errno));
  else
    status = inspect_report_status (&report);
  clear (&report);
  return (int) status;
}
