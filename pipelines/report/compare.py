# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tells what changed between two results: what compare.sh ends with, whose --help has the options.

Exit status: 0 nothing changed, 1 something did, 2 trouble.
"""
import argparse
import heapq
import json
import os
import shutil
import sys
import tempfile

import pictures
from comparison import KINDS, Limits, Totals, compare
from htmlfile import assemble, data_block, to_json, write_whole
from resultlines import BadInput, Result, choose_document
from terminal import INTERRUPTED, plain, sized, start

TROUBLE = 2
STYLES = ("common.css", "compare.css")
SCRIPTS = ("common.js", "compare.js")
STATES = {"only_a": "only in A", "only_b": "only in B", "failed_a": "failed in A only", "failed_b": "failed in B only"}
SAID = {"missing": "missing", "new": "new", "relabelled": "relabelled", "moved": "moved", "score": "with another score",
        "text": "with other text", "reordered": "in another order"}


def counted(kinds):
    return ", ".join(f"{kinds[kind]} {SAID[kind]}" for kind in KINDS if kinds[kind])


def describe_region(region):
    box = region.get("bbox_pt") or region["bbox"]
    return f"{plain(region['label'])} {region['score']:.2f} at {', '.join(f'{v:.6g}' for v in box)}"


def change_line(pair, change):
    sides = [describe_region(page["regions"][at])
             for page, at in ((pair.a, change.a), (pair.b, change.b)) if at is not None]
    overlap = "" if change.iou is None else f" (IoU {change.iou:.3f})"
    return f"  {', '.join(change.kinds)}: {' -> '.join(sides)}{overlap}"


def page_name(pair):
    return f"{plain(pair.document)}: page {pair.number}" if pair.document else f"page {pair.number}"


def page_lines(pair):
    """What is told of a page that differs."""
    name = page_name(pair)
    if pair.state != "compared":
        failed = pair.a if pair.state == "failed_a" else pair.b if pair.state == "failed_b" else None
        return [f"{name}: {STATES[pair.state]}" + (f": {plain(failed['error'])}" if failed else "")]
    kinds = {kind: sum(kind in change.kinds for change in pair.changes) for kind in KINDS}
    facts = [counted(kinds)] if any(kinds.values()) else []
    if pair.resized:
        sizes = (*pair.a["size_pt"], *pair.b["size_pt"])
        facts.insert(0, "page of {:.6g} x {:.6g} pt -> {:.6g} x {:.6g} pt".format(*sizes))
    return [f"{name}: {'; '.join(facts)}", *(change_line(pair, change) for change in pair.changed())]


def totals_lines(totals):
    states = totals.states
    both = sum(states.values()) - states["only_a"] - states["only_b"]
    lost = ", ".join(f"{states[state]} {said}" for state, said in STATES.items() if states[state])
    lines = [f"pages:   {both} in both{', ' + lost if lost else ''}; {totals.differing or 'none'} differ"
             f"{'s' if totals.differing == 1 else ''}"]
    changed = counted(totals.kinds)
    lines.append(f"regions: {totals.regions[0]} in A, {totals.regions[1]} in B; {totals.same} the same"
                 f"{', ' + changed if changed else ''}")
    if totals.matched:
        lines.append(f"matched: {totals.matched}, mean IoU {totals.overlaps / totals.matched:.4f}, "
                     f"mean difference of scores {totals.score_changes / totals.matched:.4f}")
    for (before, after), regions in sorted(totals.relabelled.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"relabelled: {plain(before)} -> {plain(after)}: {regions}")
    return lines


def side_object(path, totals, side):
    facts = totals.facts[side]
    return {"file": path, "pages": facts["pages"], "failed": facts["failed"], "regions": totals.regions[side],
            "models": list(facts["models"]), "devices": list(facts["devices"])}


def summary_object(args, totals):
    states = totals.states
    mean = (lambda total: round(total / totals.matched, 4)) if totals.matched else lambda total: None
    return {
        "schema": "gst-doclayout-comparison/1", "same": not totals.differing,
        "limits": {"iou": args.iou, "moved": args.moved, "score": args.score},
        "a": side_object(args.a, totals, 0), "b": side_object(args.b, totals, 1),
        "pages": {"compared": states["compared"], "differing": totals.differing, "resized": totals.resized,
                  **{state: states[state] for state in (*STATES, "failed_both")}},
        "regions": {"same": totals.same, **{kind: totals.kinds[kind] for kind in KINDS},
                    "mean_iou": mean(totals.overlaps), "mean_score_difference": mean(totals.score_changes)},
        "labels": {label: {key: numbers[key] for key in ("a", "b", "same", *KINDS)}
                   for label, numbers in sorted(totals.labels.items())},
        "relabelled": [{"from": before, "to": after, "regions": regions}
                       for (before, after), regions in sorted(totals.relabelled.items())],
    }


def change_object(pair, change):
    return {"kinds": list(change.kinds), "iou": change.iou if change.iou is None else round(change.iou, 4),
            "a": None if change.a is None else pair.a["regions"][change.a],
            "b": None if change.b is None else pair.b["regions"][change.b]}


def page_object(pair):
    return {"document": pair.document or None, "page": pair.number, "state": pair.state, "resized": pair.resized,
            "errors": [page and page["error"] for page in (pair.a, pair.b)],
            "changes": [change_object(pair, change) for change in pair.changed()]}


class Most:
    """The pages with the most changes, at most `room` of them."""

    def __init__(self, room):
        self.room, self._heap = room, []

    def add(self, pair):
        missing, changes, place = pair.amount()
        entry = (not missing, -changes, -place, pair)
        (heapq.heappush if len(self._heap) < self.room else heapq.heappushpop)(self._heap, entry)

    def pairs(self):
        return sorted((entry[-1] for entry in self._heap), key=lambda pair: pair.amount())


def report_page(pair):
    def side(page):
        return page and {key: page[key] for key in ("width", "height", "status", "error", "regions")}
    changes = [{"kinds": change.kinds, "iou": change.iou, "a": change.a, "b": change.b} for change in pair.changes]
    return {"document": pair.document, "page": pair.number, "state": pair.state, "resized": pair.resized,
            "a": side(pair.a), "b": side(pair.b), "changes": changes}


def pictured_pages(args, results, pairs):
    """Numbers of the pages in the report that FILE.pdf has a picture of."""
    documents = {choose_document(result, args.pdf) for result in results}
    return {pair.number for pair in pairs if ((pair.a or pair.b)["document"] in documents)}


def write_report(args, results, totals, pairs):
    folder = tempfile.mkdtemp()
    try:
        numbers = pictured_pages(args, results, pairs) if args.pdf else set()
        if numbers:
            pictures.draw(args.launcher, args.pdf, numbers, folder)

        def blocks():
            yield from data_block("data-summary", [to_json(summary_object(args, totals))])
            yield from data_block("data-pages", [to_json([report_page(pair) for pair in pairs])])
            yield from pictures.picture_blocks(pictures.find(folder, numbers))

        title = f"{os.path.basename(args.a)} and {os.path.basename(args.b)}"
        size = write_whole(args.output, assemble("compare.html", title, STYLES, SCRIPTS, blocks()))
    except pictures.DrawingFailed as error:
        sys.exit(error.args[0] if error.args[0] == INTERRUPTED else TROUBLE)
    except OSError as error:
        raise BadInput(f"{args.output}: {error.strerror}") from error
    finally:
        shutil.rmtree(folder)
    if args.output != "-":
        print(f"written: {args.output}, {sized(size)}", file=sys.stderr)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"{self.prog}: {message}; see {self.prog} --help", file=sys.stderr)
        sys.exit(TROUBLE)


def share(text):
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"it is to be from 0 to 1, not {text!r}")
    return value


def share_above_0(text):
    value = share(text)
    if value == 0:
        raise argparse.ArgumentTypeError("it is to be above 0: regions that do not touch are not the same")
    return value


def count(text):
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"it is to be a number from 0, not {text!r}")
    return int(text)


def parse_arguments():
    parser = Parser(prog=os.environ.get("script_name", "compare.sh"), allow_abbrev=False, add_help=False)
    parser.add_argument("--iou", type=share_above_0, default=Limits.iou)
    parser.add_argument("--moved", type=share, default=Limits.moved)
    parser.add_argument("--score", type=share, default=Limits.score)
    parser.add_argument("--most", type=count, default=300)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--output")
    parser.add_argument("--pdf")
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("launcher", nargs="*")
    return parser.parse_args()


def main():
    args = parse_arguments()
    results = [Result(args.a), Result(args.b)]
    # Told when all of both files has been read, so that a bad line is all that is said.
    totals, most, told = Totals(), Most(args.most), []
    for pair in compare(*results, Limits(args.iou, args.moved, args.score)):
        totals.add(pair)
        if not pair.differs():
            continue
        if args.output:
            most.add(pair)
        if not args.summary:
            told += [page_object(pair)] if args.json else page_lines(pair)
    if args.output:
        write_report(args, results, totals, most.pairs())
    if args.json:
        told = [json.dumps({**summary_object(args, totals), "differences": told})]
    else:
        told += totals_lines(totals)
    if args.output != "-":
        print(*told, sep="\n")
    return 1 if totals.differing else 0


if __name__ == "__main__":
    start(main, TROUBLE)
