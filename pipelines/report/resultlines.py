# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads results of jsonsink: JSON Lines, a page each (docs/json.md).

What a reader of pages relies on is checked here, once; fields that are not known are left as they are, since a later
version may add some. A line that is wrong is named with its file and number.
"""
import json
import math
import os
import re
import shutil
import tempfile
from urllib.parse import unquote, urlsplit

SCHEMA = "gst-doclayout/1"
# How jsonsink begins a line. Other writers' lines are parsed for their document's name.
DOCUMENT = re.compile(rb'\{"schema": "[^"]*", "document": ("(?:[^"\\]|\\.)*"|null), ')


class BadInput(Exception):
    """Says which file or line is wrong, and how."""


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value, least):
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_box(value):
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))


def _require(condition, what):
    if not condition:
        raise ValueError(what)


def _check_region(region, name):
    _require(isinstance(region, dict), f"{name} is not an object")
    _require(isinstance(region.get("label"), str), f"{name} has no label")
    _require(_is_number(region.get("score")), f"{name} has no score")
    _require(_is_box(region.get("bbox")), f"the bbox of {name} is not four numbers")
    in_points = region.get("bbox_pt")
    _require(in_points is None or _is_box(in_points), f"the bbox_pt of {name} is neither null nor four numbers")
    _require(isinstance(region.get("text", ""), (str, type(None))), f"the text of {name} is not a string")


def _check_page(page):
    _require(isinstance(page, dict) and page.get("schema") == SCHEMA, f'is no object with "schema": "{SCHEMA}"')
    _require(isinstance(page.get("document"), (str, type(None))), "document is neither a string nor null")
    _require(_is_count(page.get("page"), 1), "page is not a number from 1")
    for side in ("width", "height"):
        _require(_is_count(page.get(side), 0), f"{side} is not a number of pixels")
    size = page.get("size_pt")
    _require(size is None or isinstance(size, list) and len(size) == 2 and all(_is_number(v) and v > 0 for v in size),
             "size_pt is neither null nor two numbers above 0")
    _require(page.get("status") in ("ok", "error"), 'status is neither "ok" nor "error"')
    _require(isinstance(page.get("error"), str if page["status"] == "error" else type(None)),
             "error does not go with status")
    for name in ("timings_ms", "model"):
        _require(isinstance(page.get(name), dict), f"{name} is not an object")
    _require(all(v is None or _is_number(v) for v in page["timings_ms"].values()), "timings_ms are not numbers")
    _require(isinstance(page["model"].get("name"), (str, type(None))), "the model's name is not a string")
    _require(isinstance(page.get("device"), (str, type(None))), "device is neither a string nor null")
    _require(isinstance(page.get("regions"), list), "regions is not an array")
    for place, region in enumerate(page["regions"]):
        _check_region(region, f"region {place}")
    _require(isinstance(page.get("orphans", []), (list, type(None))), "orphans is neither an array nor null")
    for line in page.get("orphans") or ():
        _require(isinstance(line, dict) and _is_box(line.get("bbox")) and isinstance(line.get("text"), str),
                 "orphans has a line without bbox or text")


def _no_such_number(name):
    raise ValueError(f"{name} is no number in JSON")


def parse_page(line):
    """The page that the bytes of a line describe. ValueError says what is wrong with it."""
    try:
        page = json.loads(line.decode("utf-8"), parse_constant=_no_such_number)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    _check_page(page)
    return page


def document_name(uri):
    """The last part of a document's URI, decoded: what to call it. "" where there is none."""
    if uri is None:
        return ""
    try:
        path = urlsplit(uri).path
    except ValueError:
        path = uri
    return unquote(path.rstrip("/").rpartition("/")[2]) or uri


class Result:
    """A file of JSON Lines that can be read more than once: what is no regular file is copied aside first."""

    def __init__(self, path):
        self.path = path
        try:
            self._file = open(path, "rb")  # pylint: disable=consider-using-with
            if not self._file.seekable():
                copy = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
                shutil.copyfileobj(self._file, copy)
                self._file = copy
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror}") from error

    def _lines(self):
        """Number and bytes of each line that is not blank."""
        try:
            self._file.seek(0)
            for number, line in enumerate(self._file, 1):
                if not line.isspace():
                    yield number, line
        except OSError as error:
            raise BadInput(f"{self.path}: {error.strerror}") from error

    def _bad_line(self, number, error):
        return BadInput(f"{self.path}, line {number}: {error}")

    def documents(self):
        """The documents' URIs (None for a stream's), in the order in which they begin."""
        found = {}
        for number, line in self._lines():
            begin = DOCUMENT.match(line)
            try:
                found[json.loads(begin[1]) if begin else parse_page(line)["document"]] = True
            except ValueError as error:
                raise self._bad_line(number, error) from error
        if not found:
            raise BadInput(f"{self.path} has no pages")
        return list(found)

    def pages(self):
        """Line number and page of each line."""
        for number, line in self._lines():
            try:
                yield number, parse_page(line)
            except ValueError as error:
                raise self._bad_line(number, error) from error


def choose_document(result, path):
    """The URI of the document that the PDF file `path` is, where the result is of several."""
    documents = result.documents()
    if len(documents) == 1:
        return documents[0]
    named = [uri for uri in documents if document_name(uri) == os.path.basename(path)]
    if len(named) != 1:
        raise BadInput(f"{result.path} is of {len(documents)} documents, "
                       f"{'several' if named else 'none'} of them named {os.path.basename(path)}")
    return named[0]
