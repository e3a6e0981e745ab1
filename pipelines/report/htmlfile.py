# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts one HTML file together of a template, style sheets, scripts and data.

The file opens from disk and asks for nothing else: its Content-Security-Policy allows the very style sheet and the
very script in it, by their hashes, and pictures that are in the file. Data are JSON in blocks that no browser runs, in
ASCII and without "<", so that no text in them can end the block.
"""
import base64
import hashlib
import html
import json
import os
import re
import stat
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PLACE = re.compile(r"@(TITLE|POLICY|STYLE|SCRIPT|DATA)@")


def to_json(value):
    """JSON that may stand in a script element."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def data_block(name, pieces):
    """An element `name` with the text of `pieces`, which are JSON that to_json() made."""
    yield f'<script type="application/json" id="{name}">'.encode()
    for piece in pieces:
        yield piece.encode("ascii")
    yield b"</script>\n"


def picture_block(page, media_type, content):
    """A picture of a page; the page's script makes an image of it when it is looked at."""
    yield f'<script type="application/base64" class="picture" data-page="{page}" data-type="{media_type}">'.encode()
    yield base64.b64encode(content)
    yield b"</script>\n"


def _read(names):
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def _hash(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _title(text):
    """Text for the window's title: what is not printable, or turns the direction of what follows, is left out."""
    return html.escape("".join(c if c.isprintable() else "\ufffd" for c in text))


def assemble(template, title, styles, scripts, blocks):
    """The bytes of the file, piece by piece. `styles` and `scripts` are names of files here, `blocks` yields bytes."""
    style, script = _read(styles), _read(scripts)
    policy = (f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src blob:; "
              "base-uri 'none'; form-action 'none'")
    values = {"TITLE": _title(title), "POLICY": policy, "STYLE": style, "SCRIPT": script}
    before, after = (FOLDER / template).read_text(encoding="utf-8").split("@DATA@")
    yield PLACE.sub(lambda place: values[place[1]], before).encode()
    yield from blocks
    yield PLACE.sub(lambda place: values[place[1]], after).encode()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_whole(path, pieces):
    """Writes a file that appears under its name when all of it is written; "-" is standard output. Returns its size."""
    if path == "-" or os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        with open(path, "wb") if path != "-" else os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
            return sum(out.write(piece) for piece in pieces)
    path = os.path.realpath(path)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), prefix=".report-", delete=False) as out:
        try:
            size = sum(out.write(piece) for piece in pieces)
            out.flush()
            os.fchmod(out.fileno(), 0o666 & ~_umask())
            os.replace(out.name, path)
        except BaseException:
            os.unlink(out.name)
            raise
    return size
