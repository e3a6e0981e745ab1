/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks what libgstdoclayout-1.0 exports; everything else in it is hidden. */
#pragma once

#include <gst/gst.h>

#ifdef BUILDING_GST_DOC
#define GST_DOC_API GST_API_EXPORT
#else
#define GST_DOC_API GST_API_IMPORT
#endif
