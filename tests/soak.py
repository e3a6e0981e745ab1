#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A long run through pdfsrc ! cudalayoutdetect ! jsonsink: memory and descriptors must not grow.

usage: soak.py PDF [--pages N] [--after N] [--growth PERCENT] [--model FILE.onnx] [--verbose]

Runs N pages (20000) in one stream, the document's over and over, with 2 render workers and batches of 2 pages. Looks
at windows of --after pages (2000), and of memory and frames in each at the most that was seen. The last window is compared with the
one that begins with page --after:

  - anonymous memory of this process and the workers (no frames, and no libraries, whose share depends on what else
    runs) is at most --growth percent (5) above,
  - descriptors but for frames are as many (the fewest count: a worker that starts has more for a moment),
  - frames, which have a descriptor each, are never more than each worker can have made: what is rendered ahead, in
    the detector and under way. (A worker keeps its frames; how many it needed at once at most is chance.)

Without --model: a tiny network, which says nothing of the pages but passes through all the same code. Needs
python3-gi; GST_PLUGIN_PATH names the plugin's folder. Exit status 1 where something grew or a page is missing, 77
(skipped) without the packages.
"""
import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

try:
    import gi
    import numpy as np
    import onnx

    import tiny_models
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

SAMPLES_A_WINDOW = 20
WORKERS, BATCH = 2, 2
MOST_FRAMES = WORKERS * (2 * WORKERS + 2 + 3 * BATCH + 2)


def children():
    found = []
    for task in Path("/proc/self/task").iterdir():
        try:
            found += (task / "children").read_text().split()
        except OSError:
            pass  # a thread that has ended
    return found


def memory_mib():
    """Proportional set sizes, and of them anonymous memory."""
    total = anonymous = 0
    for pid in ["self", *children()]:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # a worker that has ended
        total += sum(map(int, re.findall(r"^Pss: +(\d+)", text, re.M)))
        anonymous += sum(map(int, re.findall(r"^Pss_Anon: +(\d+)", text, re.M)))
    return total / 1024, anonymous / 1024


def descriptors():
    """Those of frames, and the others."""
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            pass  # the one of the folder itself, or closed meanwhile
    frames = sum("memfd:gst-unified-memory" in link for link in links)
    return frames, len(links) - frames


class Watch:
    """Samples at the sink, so that the stream stands still there meanwhile."""

    def __init__(self, every):
        self.every, self.pages, self.samples = every, 0, []

    def on_buffer(self, _pad, _info):
        self.pages += 1
        if self.pages % self.every == 0:
            self.samples.append((self.pages, *memory_mib(), *descriptors()))
        return Gst.PadProbeReturn.OK

    def window(self, first, last):
        """The most of all memory, of anonymous memory, and of frames; the fewest other descriptors."""
        *most, others = zip(*(s[1:] for s in self.samples if first <= s[0] <= last))
        return [*map(max, most), min(others)]


def run(pdf, pages, model, output, watch):
    """Runs the stream to its end; returns pdfsrc's statistics."""
    pipeline = Gst.parse_launch(f"pdfsrc name=src render-workers={WORKERS} ! cudalayoutdetect name=detect device=cpu "
                                f"batch-size={BATCH} ! jsonsink name=out")
    source, sink = pipeline.get_by_name("src"), pipeline.get_by_name("out")
    source.set_property("location", pdf)
    source.set_property("pages", ",".join(["1-"] * pages))  # more than enough of them
    source.set_property("num-buffers", pages)
    pipeline.get_by_name("detect").set_property("model-file", model)
    sink.set_property("location", output)
    sink.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, watch.on_buffer)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    stats = source.get_property("stats").to_string()
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    return stats


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pdf")
    parser.add_argument("--pages", type=int, default=20000)
    parser.add_argument("--after", type=int, default=2000)
    parser.add_argument("--growth", type=float, default=5)
    parser.add_argument("--model")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    if not 0 < 2 * args.after <= args.pages:
        parser.error("--after is to leave room for two windows")
    Gst.init(None)
    watch = Watch(max(args.after // SAMPLES_A_WINDOW, 1))
    with tempfile.TemporaryDirectory() as folder:
        model = args.model or f"{folder}/tiny.onnx"
        if not args.model:
            onnx.save(tiny_models.detr(np.random.default_rng(1)), model)
        stats = run(args.pdf, args.pages, model, f"{folder}/out.jsonl", watch)
        lines = sum(1 for _ in open(f"{folder}/out.jsonl", encoding="utf-8"))
    if args.verbose:
        for sample in watch.samples:
            print("page %d: %.1f MiB, %.1f anonymous; %d frames, %d other descriptors" % sample)
        print(stats)
    first = watch.window(args.after, 2 * args.after)
    last = watch.window(args.pages - args.after, args.pages)
    print(f"{lines} of {args.pages} pages; most in pages {args.after} to {2 * args.after}, and in the last {args.after}:")
    print("memory %.1f and %.1f MiB" % (first[0], last[0]))
    print("anonymous memory %.1f and %.1f MiB (%+.1f %%)" % (first[1], last[1], 100 * (last[1] / first[1] - 1)))
    print(f"frames {first[2]} and {last[2]}, of at most {MOST_FRAMES}; other descriptors {first[3]} and {last[3]}")
    grown = last[1] > (1 + args.growth / 100) * first[1] or last[3] > first[3] or max(first[2], last[2]) > MOST_FRAMES
    return 1 if grown or lines != args.pages else 0


if __name__ == "__main__":
    sys.exit(main())
