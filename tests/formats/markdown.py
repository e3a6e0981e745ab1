# SPDX-License-Identifier: LGPL-2.1-or-later
"""format=markdown: what a reader of CommonMark, and one of GitHub's dialect, takes for text is the text that went in."""
import re

from markdown_it import MarkdownIt

from . import docling
from . import pages as p

READERS = (MarkdownIt("commonmark"), MarkdownIt("commonmark").enable(["table", "strikethrough"]))


def inline_text(token):
    """Text of lines; fails where anything in it was taken for markup."""
    kinds = {child.type for child in token.children}
    assert kinds <= {"text", "softbreak", "text_special"}, (kinds, token.content)
    # Neither a definition nor a table's ":--", which the reader here does not know without a "|".
    assert not any(line.startswith(":") for line in token.content.splitlines()), token.content
    return "".join("\n" if child.type == "softbreak" else child.content for child in token.children)


def blocks(tokens):
    """(kind, text) of each block."""
    kind = None
    for token in tokens:
        if token.type == "inline":
            yield kind, inline_text(token)
        elif token.type == "fence":
            yield "code", token.content
        elif token.type == "html_block":
            yield "comment", token.content.strip()
        elif token.type == "heading_open":
            kind = token.markup
        elif token.type == "list_item_open":
            assert token.markup == "-", token.markup
            kind = "list item"
        elif token.type == "paragraph_open" and kind != "list item":
            kind = "paragraph"
        elif token.type in ("list_item_close", "heading_close"):
            kind = None
        else:
            assert token.type in ("bullet_list_open", "bullet_list_close", "paragraph_open", "paragraph_close"), token.type


def comment(words):
    return "<!-- " + "".join(" " if c in "<>" or ord(c) < 32 or ord(c) == 127 else c for c in words) + " -->"


def fenced(text):
    return "".join(" " if (ord(c) < 32 or ord(c) == 127) and c not in "\n\t" else c for c in text) + "\n"


def strip_bullet(lines):
    marker, enumerated, rest = docling.split_marker(lines[0])
    return lines if enumerated or marker == "-" and rest == lines[0] else [rest, *lines[1:]]


def expected_blocks(document, table):
    titled = False
    for page in document:
        if "error" in page:
            yield "comment", comment(f"page {page['page']} failed: {page['error']}")
        for region in page.get("regions", ()):
            label, _ = docling.label_of(region, table, titled)
            cell = table.get(re.sub("[- ]", "_", region[0].lower()), table["text"])[1]
            lines = p.lines(region[7])
            if cell == "left out":
                continue
            if cell == "comment" or not lines:
                yield "comment", comment(region[0])
            if lines and cell in ("comment", "code block"):
                yield "code", fenced(region[7])
            elif lines and "#" in cell:
                titled = titled or label == "title"
                yield "#" if label == "title" else "##", " ".join(lines)
            elif lines:
                yield cell, "\n".join(strip_bullet(lines) if cell == "list item" else lines)


def check(write, document, count, table):
    text = write("markdown", document)[0].read_text(encoding="utf-8")
    expected = list(expected_blocks(document, table))
    for reader in READERS:
        found = list(blocks(reader.parse(text)))
        for got, want in zip(found, expected):
            assert got == want, (got, want)
        assert len(found) == len(expected), (len(found), len(expected))
    count["markdown blocks"] += len(expected)
