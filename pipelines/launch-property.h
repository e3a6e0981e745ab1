/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets properties of a parsed pipeline from the command line. Values are never part of the
 * pipeline's text, so that any file name can be one. */
#pragma once

#include <gst/gst.h>

/* `assignment`: "element.property=value", the element by its name in the pipeline.
 * FALSE with `error` set where there is no such element or property or the value does not fit. */
gboolean launch_property_set (GstElement *pipeline, const char *assignment, GError **error);

/* `assignment`: "property=value", for the first element, in the order of the flow, that has it. */
gboolean launch_property_set_anywhere (GstElement *pipeline, const char *assignment, GError **error);
