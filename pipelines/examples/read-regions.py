#!/usr/bin/python3 -Wignore::DeprecationWarning
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the regions of each page of a PDF, read from the metas of the buffers: read-regions.py FILE.pdf"""
import sys

import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst

Gst.init(None)
pipeline = Gst.parse_launch("pdfsrc name=src ! cudalayoutdetect ! appsink name=sink sync=false max-buffers=4")
pipeline.get_by_name("src").set_property("location", sys.argv[1])
pipeline.set_state(Gst.State.PLAYING)
sink, bus = pipeline.get_by_name("sink"), pipeline.get_bus()
while not (error := bus.pop_filtered(Gst.MessageType.ERROR)) and not sink.get_property("eos"):
    if not (sample := sink.emit("try-pull-sample", Gst.SECOND)):
        continue
    page = sample.get_buffer().get_custom_meta("GstDocPageMeta").get_structure()
    print(f"page {page.get_uint('page')[1]}:", page.get_string("error") or "")
    layout = sample.get_buffer().get_custom_meta("GstDocLayoutMeta")
    if layout:  # a page that failed was not looked at
        regions = layout.get_structure().get_array("regions")[1]
        for region in (regions.get_nth(i) for i in range(regions.n_values)):
            box = [region.get_double(side)[1] for side in ("x0", "y0", "x1", "y1")]
            print(f"  {region.get_string('label'):15} {region.get_double('score')[1]:.2f}", *map(round, box))
pipeline.set_state(Gst.State.NULL)
sys.exit(error.parse_error().gerror.message if error else 0)
