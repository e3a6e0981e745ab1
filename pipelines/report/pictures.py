# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pictures of pages for a file that many of them go into: small ones that stay sharp.

Pages are text for the most part, on which a PNG of 256 colours is less than half of a JPEG and has no noise around the
letters; where a page is a photo, the JPEG is smaller and is taken. Without Pillow (package python3-pil) pictures stay
as they are.
"""
import io
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from htmlfile import picture_block

try:
    from PIL import Image
except ImportError:
    Image = None

LONGEST_SIDE = 1400  # pixels; A4 at 100 dpi has 1170
COLOURS = 256
FAST_OCTREE = 2  # Image.Quantize.FASTOCTREE, which older versions have under another name
JPEG_QUALITY = 70
DRAW = ("pdfsrc name=src ! queue max-size-buffers=4 max-size-bytes=0 max-size-time=0 ! videoconvert ! "
        "video/x-raw,format=RGB ! pngenc compression-level=1 ! multifilesink name=files post-messages=true")
SOME_PAGES_FAILED = 3  # the launcher's exit status
NAME = re.compile(r"page-(\d+)\.png")


class DrawingFailed(Exception):
    """The launcher has said why; its exit status is the argument."""


def _encoded(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def reduce_picture(path):
    """Media type and content of a small picture like the PNG file `path`."""
    if Image is None:
        return "image/png", path.read_bytes()
    with Image.open(path) as file:
        image = file.convert("RGB")
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    png = _encoded(image.quantize(COLOURS, method=FAST_OCTREE), "PNG", compress_level=6)
    jpeg = _encoded(image, "JPEG", quality=JPEG_QUALITY)
    return ("image/jpeg", jpeg) if len(jpeg) < len(png) else ("image/png", png)


def _as_ranges(numbers):
    """1, 2, 3, 7 as "1-3,7", in which form pdfsrc takes them."""
    ranges = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(f"{first}-{last}" if first < last else str(first) for first, last in ranges)


def draw(launcher, path, pages, folder):
    """Has pages of a PDF file drawn into the folder, by their numbers; `launcher` is a command and its options."""
    if not pages:
        return
    values = {"src.location": path, "src.pages": _as_ranges(pages),
              "files.location": os.path.join(folder.replace("%", "%%"), "page-%d.png")}
    settings = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    done = subprocess.run([*launcher, "--quiet", "--number-files", *settings, *DRAW.split()], check=False)
    if done.returncode not in (0, SOME_PAGES_FAILED):
        raise DrawingFailed(done.returncode)


def find(folder, pages):
    """Number and path of each picture that the folder has of the pages numbered in `pages`."""
    names = filter(None, (NAME.fullmatch(path.name) for path in Path(folder).iterdir()))
    return sorted((int(name[1]), Path(folder) / name[0]) for name in names if int(name[1]) in pages)


def picture_blocks(found):
    """Blocks of the pictures that find() found; a few at a time are in memory."""
    step = os.cpu_count() or 1
    with ThreadPoolExecutor(step) as pool:
        for start in range(0, len(found), step):
            part = found[start:start + step]
            for (number, _), (media_type, content) in zip(part, pool.map(reduce_picture, [path for _, path in part])):
                yield from picture_block(number, media_type, content)
