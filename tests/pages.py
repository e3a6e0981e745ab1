# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real pages as pixels: the shipped sample, and what lies in DOCLAYOUT_TEST_DATA.

That folder (default: ../shared/data beside the source tree) may have PDF files under pdf/ and
images under images/; without it the sample alone is used. DOCLAYOUT_TEST_PAGES names a folder of images
to be used instead of PDF files, where these cannot be rendered. This makes one:

    tests/pages.py FOLDER [COUNT] [DPI]        200 grey JPEG files at 100 dpi, some 20 MB
"""
import os
import pathlib
import sys

import numpy as np
from PIL import Image, ImageOps

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "pipelines" / "sample.pdf"


def data_folder():
    return pathlib.Path(os.environ.get("DOCLAYOUT_TEST_DATA") or ROOT.parent / "shared" / "data")


def model_file():
    """The default model, or None where the bootstrap has not fetched it."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    path = pathlib.Path(os.environ.get("DOCLAYOUT_MODEL") or cache / "gst-doclayout" / "layout_cdla.onnx")
    return path if path.is_file() else None


def pdf_pages(path, most, dpi=100):
    """(name, RGB pixels) of up to `most` pages, spread over the document; none where it needs a password."""
    import pypdfium2
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return
    numbers = sorted(set(np.linspace(0, len(document) - 1, min(most, len(document))).astype(int).tolist()))
    for number in numbers:
        bitmap = document[number].render(scale=dpi / 72, rev_byteorder=True)
        yield f"{path.name} page {number + 1}", np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])


def image_page(path):
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    return path.name, np.ascontiguousarray(np.asarray(image))


def pages(most_a_document=4):
    """All of them, always in the same order."""
    yield from pdf_pages(SAMPLE, 1000)
    for path in sorted(data_folder().glob("*/*.pdf")):
        yield from pdf_pages(path, most_a_document)
    for pattern in ("*.jpg", "*.png", "*.tif"):
        for path in sorted(data_folder().glob("images/" + pattern)):
            yield image_page(path)


def images():
    """The pages of DOCLAYOUT_TEST_PAGES, by name."""
    folder = pathlib.Path(os.environ.get("DOCLAYOUT_TEST_PAGES") or "/nonexistent")
    for path in sorted(folder.glob("*.jpg")) + sorted(folder.glob("*.png")):
        yield image_page(path)


def spread(count, dpi=100):
    """(name, RGB pixels) of so many pages, as evenly from all documents as they have pages; where there are fewer,
    again at other resolutions."""
    paths, most, found, left = [SAMPLE, *sorted(data_folder().glob("*/*.pdf"))], 0, 0, count
    while found < count and most < 60:
        most += 4
        found = sum(1 for path in paths for _ in pdf_pages(path, most, 5))
    while left > 0:
        for path in paths:
            for name, pixels in pdf_pages(path, most, dpi) if left > 0 else ():
                if left > 0:
                    left -= 1
                    yield name, pixels
        dpi = 60 + (dpi - 53) % 140


def write(folder, count, dpi):
    folder.mkdir(parents=True, exist_ok=True)
    for i, (name, pixels) in enumerate(spread(count, dpi)):
        Image.fromarray(pixels).convert("L").save(folder / f"{i:03} {name}.jpg".replace(" ", "-"), quality=80)


if __name__ == "__main__":
    name, count, dpi = (sys.argv[1:] + ["200", "100"][len(sys.argv) - 2:])[:3]
    write(pathlib.Path(name), int(count), int(dpi))
