/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits on a model, far above what real ones have and far below what hurts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NN_ONNX_MAX_FILE_BYTES ((size_t) INT32_MAX) /* protobuf's own limit; data files have none */
#define NN_ONNX_MAX_DEPTH 64                        /* ONNX without subgraphs needs a dozen */
#define NN_ONNX_MAX_MESSAGES ((size_t) 4 << 20)
#define NN_ONNX_MAX_MERGES 64 /* of a part that is there again; each copies the lists in it */
#define NN_ONNX_MAX_NODES ((size_t) 50000)
#define NN_ONNX_MAX_RESULTS ((size_t) 100000) /* of all nodes together */
#define NN_ONNX_MAX_OVERHEAD ((size_t) 1 << 30) /* of unpacked structures beyond the file's size */
#define NN_ONNX_MAX_DATA_FILES ((size_t) 1024)
#define NN_ONNX_MIN_OPSET 7 /* each of them is tested: tests/test_onnx_files.py */
#define NN_ONNX_MAX_OPSET 21

/* Elements in raw_data from this size on stay in the file until a graph is made. */
#define NN_ONNX_LARGE_BYTES ((size_t) 64 << 10)
