# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether two builds find the same regions: of each page the same labels in the same order, scores within 0.001 and boxes
within half a pixel.

usage: same_regions.py EXPECTED.jsonl FOUND.jsonl
Exits 1 where they differ, or where there is nothing to compare.
"""
import json
import sys
from pathlib import Path

SCORE, PIXELS = 1e-3, 0.5


def pages(name):
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def differences(expected, found):
    """What differs between two lists of pages, in words; and the greatest differences of scores and boxes."""
    if len(expected) != len(found):
        return [f"{len(found)} pages instead of {len(expected)}"], 0, 0
    words, scores, pixels = [], [0], [0]
    for one, other in zip(expected, found):
        number, labels = one["page"], [[region["label"] for region in page["regions"]] for page in (one, other)]
        if (one["page"], one["status"]) != (other["page"], other["status"]) or labels[0] != labels[1]:
            words.append(f"page {number}: {other['status']} {labels[1]} instead of {one['status']} {labels[0]}")
            continue
        for a, b in zip(one["regions"], other["regions"]):
            scores.append(abs(a["score"] - b["score"]))
            pixels.extend(abs(x - y) for x, y in zip(a["bbox"], b["bbox"]))
            if not (scores[-1] <= SCORE and max(pixels[-4:]) <= PIXELS):
                words.append(f"page {number}, region {a['id']}: {b} instead of {a}")
    return words, max(scores), max(pixels)


def main(expected, found):
    expected, found = pages(expected), pages(found)
    words, score, pixels = differences(expected, found)
    count = sum(len(page["regions"]) for page in expected)
    for line in words or ([] if count else ["no regions"]):
        print(f"differs: {line}")
    print(f"{count} regions on {len(expected)} pages, scores within {score:.4f}, boxes within {pixels:.2f} pixels")
    return 1 if words or not count else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
