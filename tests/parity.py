#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The detector against ONNX Runtime with RapidLayout's own pre- and post-processing, on real pages.

usage: parity.py NN-DETECT [--pages-a-document N] [--verbose]

Both sides get the same pixels. Every region that either side finds must have one of its own on the
other side: same label, IoU ≥ 0.99, score within 0.002. Regions whose score is within 0.002 of the
threshold may be there on one side only; they are counted. Fewer than 5 regions a page on average
is a failure too: it would compare nothing. Exit status 77 (skipped) without packages or model.
"""
import argparse
import logging
import sys

try:
    import numpy as np
    from rapid_layout import RapidLayout

    import pages
    from nndetect import FORMATS, Detector, match
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

THRESHOLD = 0.5
SCORE_TOLERANCE = 0.002
REGIONS_A_PAGE_LEAST = 5
PAGES_LEAST = 40  # where the data folder is there


def reference_regions(layout, rgb):
    result = layout(np.ascontiguousarray(rgb[:, :, ::-1]))
    return [dict(label=label, score=score, bbox=box)
            for label, score, box in zip(result.class_names, result.scores, result.boxes)]


class Tally:
    def __init__(self):
        self.pages = self.regions = self.at_threshold = self.failures = 0
        self.worst_iou, self.worst_score = 1.0, 0.0

    def fail(self, name, text):
        self.failures += 1
        print(f"{name}: {text}")

    def add(self, name, ours, theirs):
        self.pages += 1
        pairs, rest = match(ours, theirs)
        for overlap, a, b in pairs:
            self.regions += 1
            off = abs(a["score"] - b["score"])
            self.worst_iou, self.worst_score = min(self.worst_iou, overlap), max(self.worst_score, off)
            if off > SCORE_TOLERANCE:
                self.fail(name, f"{a['label']} scores {a['score']:.5f}, there {b['score']:.5f}")
        for side, region in rest:
            if abs(region["score"] - THRESHOLD) <= SCORE_TOLERANCE:
                self.at_threshold += 1
            else:
                self.fail(name, f"only {side}: {region}")

    def report(self, full):
        print(f"{self.pages} pages, {self.regions} regions on both sides ({self.regions / self.pages:.1f} a page); "
              f"{self.at_threshold} at the threshold on one side only; "
              f"worst IoU {self.worst_iou:.5f}, worst score difference {self.worst_score:.6f}; "
              f"{self.failures} failures")
        if self.regions < REGIONS_A_PAGE_LEAST * self.pages:
            self.fail("all", f"fewer than {REGIONS_A_PAGE_LEAST} regions a page: this compares nothing")
        if full and self.pages < PAGES_LEAST:
            self.fail("all", f"fewer than {PAGES_LEAST} pages")
        return 1 if self.failures else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--pages-a-document", type=int, default=4)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    model = pages.model_file()
    if not model:
        print("skipped: the default model is not in the cache (pipelines/detect.sh fetches it)")
        return 77
    logging.disable(logging.INFO)
    layout = RapidLayout(model_dir_or_path=str(model), conf_thresh=THRESHOLD)
    detector = Detector(arguments.program, str(model), "duplicates=keep", "max=1000")
    tally = Tally()
    for number, (name, rgb) in enumerate(pages.pages(arguments.pages_a_document)):
        ours, theirs = detector(rgb, FORMATS[number % len(FORMATS)]), reference_regions(layout, rgb)
        if arguments.verbose:
            print(f"{name}: {len(ours)} regions, there {len(theirs)}")
        tally.add(name, ours, theirs)
    detector.close()
    return tally.report(full=pages.data_folder().is_dir())


if __name__ == "__main__":
    sys.exit(main())
