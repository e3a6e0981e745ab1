# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real pages as pixels: the shipped sample, and what lies in DOCLAYOUT_TEST_DATA.

That folder (default: ../shared/data beside the source tree) may have PDF files under pdf/ and
images under images/; without it the sample alone is used.
"""
import os
import pathlib

import numpy as np
import pypdfium2
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
