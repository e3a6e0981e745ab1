# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the report of a document: what report.sh ends with, whose exit statuses it has."""
import argparse
import os
import sys
from collections import Counter

import pictures
from htmlfile import assemble, data_block, to_json, write_whole
from pictures import SOME_PAGES_FAILED
from resultlines import BadInput, Result, choose_document, document_name
from terminal import plain, sized, start

STYLES = ("common.css", "report.css")
SCRIPTS = ("common.js", "sheets.js", "regions.js", "plots.js", "report.js")
LARGE = 100e6  # bytes, from which on browsers take seconds to open the file


def pages_of(result, document):
    return (page for _, page in result.pages() if page["document"] == document)


class Summary:
    """Counts the pages that pass by."""

    def __init__(self):
        self.pages = self.failed = self.without_picture = 0
        self.labels = Counter()
        self.device = None

    def passing(self, pages):
        for page in pages:
            self.pages += 1
            self.failed += page["status"] == "error"
            self.labels.update(region["label"] for region in page["regions"])
            self.device = self.device or page["device"]
            yield page

    def tell(self, path, size):
        counts = sorted(self.labels.items(), key=lambda item: (-item[1], item[0]))
        listed = ", ".join(f"{plain(label)} {count}" for label, count in counts)
        print(f"pages:   {self.pages}" + (f", {self.failed} of them failed" if self.failed else ""), file=sys.stderr)
        print(f"regions: {self.labels.total()}" + (f": {listed}" if listed else ""), file=sys.stderr)
        if self.device:
            print(f"device:  {plain(self.device)}", file=sys.stderr)
        if path != "-":
            print(f"written: {path}, {sized(size)}", file=sys.stderr)
        if self.without_picture:
            print(f"note: the document has no picture of {self.without_picture} of the pages", file=sys.stderr)
        if size > LARGE:
            print(f"note: browsers take long to open {sized(size)}; --pages 1-300 makes a smaller report",
                  file=sys.stderr)
        if pictures.Image is None:
            print("note: with Pillow (package python3-pil) the report is a third as large", file=sys.stderr)


def blocks(result, document, name, summary, folder):
    """The report's data: facts, the lines, and then the pictures of pages that did not fail."""
    well = set()

    def lines():
        first = True
        for page in summary.passing(pages_of(result, document)):
            if page["status"] == "ok":
                well.add(page["page"])
            yield ("[" if first else ",\n") + to_json(page)
            first = False
        yield "]"

    yield from data_block("data-facts", [to_json({"name": name})])
    yield from data_block("data-pages", lines())
    found = pictures.find(folder, well)
    summary.without_picture = len(well) - len(found)
    yield from pictures.picture_blocks(found)


def parse_arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--document", required=True, help="the PDF file")
    parser.add_argument("lines", help="the result")
    parser.add_argument("folder", help="of pictures named page-1.png and so on")
    parser.add_argument("output", help="the HTML file to write")
    parser.add_argument("launcher", nargs="*", help="command that draws the pictures into the folder first")
    return parser.parse_args()


def main():
    args = parse_arguments()
    result = Result(args.lines)
    document = choose_document(result, args.document)
    name = document_name(document) or os.path.basename(args.document)
    summary = Summary()
    try:
        if args.launcher:
            well = {page["page"] for page in pages_of(result, document) if page["status"] == "ok"}
            pictures.draw(args.launcher, args.document, well, args.folder)
        pieces = assemble("report.html", name, STYLES, SCRIPTS, blocks(result, document, name, summary, args.folder))
        size = write_whole(args.output, pieces)
    except pictures.DrawingFailed as error:
        return error.args[0]
    except OSError as error:
        raise BadInput(f"{args.output}: {error.strerror}") from error
    summary.tell(args.output, size)
    return SOME_PAGES_FAILED if summary.failed else 0


if __name__ == "__main__":
    start(main, trouble=1)
