#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pdfsrc on image files: pixels, pages, resolutions and the way up against Pillow's reading of the same files.

usage: test_images.py; exit status 77 (skipped) without packages
"""
import json
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    from PIL import Image, ImageDraw, ImageOps
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

LOSSLESS, LOSSY = 0, 3  # levels: decoders of JPEG differ in how they round
ORIENTATION, SUBFILE_TYPE = 0x112, 254


def picture(width=120, height=70, mode="RGB"):
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((8, 6, 60, 30), fill=(200, 30, 40))
    draw.ellipse((50, 20, 110, 66), fill=(20, 90, 220))
    draw.line((0, height - 1, width - 1, 0), fill=(0, 120, 0), width=3)
    draw.text((10, 50), "Fig. 1", fill="black")
    return image.convert(mode)


def transparent():
    image = picture(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def expected(image):
    """As it is to be seen: the way up, over white, as levels of B, G and R."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA"):
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))[..., ::-1].astype(int)


def with_resolution(path, across, down, exponent):
    """Puts a capture resolution, in pixels a metre, into a JP2 file's header (ITU-T T.800, I.5.3.7)."""
    data = path.read_bytes()
    at = data.index(b"jp2h") - 4
    size = int.from_bytes(data[at:at + 4], "big")
    numbers = b"".join(n.to_bytes(2, "big") for n in (down, 1, across, 1)) + bytes([exponent, exponent])
    inner = (8 + len(numbers)).to_bytes(4, "big") + b"resc" + numbers
    box = (8 + len(inner)).to_bytes(4, "big") + b"res " + inner
    path.write_bytes(data[:at] + (size + len(box)).to_bytes(4, "big") + data[at + 4:at + size] + box + data[at + size:])


def mark_preview(path):
    """Says of a little-endian TIFF file's first directory that it is a preview of another (NewSubfileType, bit 0)."""
    data = bytearray(path.read_bytes())
    directory, = struct.unpack_from("<I", data, 4)
    for entry in range(directory + 2, directory + 2 + 12 * data[directory], 12):
        if struct.unpack_from("<H", data, entry)[0] == SUBFILE_TYPE:
            data[entry + 8] = 1
    path.write_bytes(data)


def make_files(folder):
    """{path: (what a level may differ by, [(width, height) of the pages in points or None])}"""
    made = {}

    def add(name, image, size_pt=None, limit=LOSSLESS, **options):
        image.save(folder / name, **options)
        made[folder / name] = (limit, [size_pt])

    add("plain.png", picture())
    add("dpi.png", picture(), (120 / 150 * 72, 70 / 150 * 72), dpi=(150, 150))
    add("grey.png", picture(mode="L"))
    add("one bit.png", picture(mode="1"))
    add("palette.png", picture(mode="P"))
    add("transparent.png", transparent())
    add("deep.png", Image.fromarray((np.asarray(picture(mode="L")).astype(np.uint16) << 8) + 77))
    add("dpi.jpg", picture(), (120 / 200 * 72, 70 / 200 * 72), LOSSY, quality=95, dpi=(200, 200))
    add("grey.jpg", picture(mode="L"), None, LOSSY)
    add("oblong.tif", picture(mode="1"), (120 / 204 * 72, 70 / 98 * 72), dpi=(204, 98), compression="group4")
    add("deep.tif", Image.fromarray(np.asarray(picture(mode="L")).astype(np.uint16) * 257))
    add("grey.jp2", picture(mode="L"), irreversible=False)
    add("colour.jp2", picture(), (120 / 300 * 72, 70 / 300 * 72), irreversible=False)
    with_resolution(folder / "colour.jp2", 1181, 1181, 1)
    add("bare.j2k", picture(), irreversible=False)
    for turn in range(1, 9):
        size_pt = (120 / 200 * 72, 70 / 100 * 72) if turn < 5 else (70 / 100 * 72, 120 / 200 * 72)
        exif = Image.Exif()
        exif[ORIENTATION] = turn
        add(f"turned-{turn}.jpg", picture(), None, LOSSY, quality=95, exif=exif)
        add(f"turned-{turn}.tif", picture(), size_pt, dpi=(200, 100), tiffinfo={ORIENTATION: turn})
    add("scan.png", Image.effect_noise((2481, 1754), 90), (2481 / 299.999 * 72, 1754 / 299.999 * 72), dpi=(299.999, 299.999))
    picture(30, 20).save(folder / "preview.tif", save_all=True, append_images=[picture()], tiffinfo={SUBFILE_TYPE: 0})
    mark_preview(folder / "preview.tif")
    made[folder / "preview.tif"] = (LOSSLESS, [None])
    pages = [picture(100 + 10 * i, 80, mode) for i, mode in enumerate(("RGB", "1", "L", "RGB"))]
    pages[0].save(folder / "pages.tiff", save_all=True, append_images=pages[1:], dpi=(300, 300), compression="tiff_lzw")
    made[folder / "pages.tiff"] = (LOSSLESS, [(p.width / 300 * 72, p.height / 300 * 72) for p in pages])
    return made


def run(*arguments, **options):
    return subprocess.run(list(map(str, arguments)), check=True, timeout=60, capture_output=True, text=True, **options)


def read(path, folder, *options):
    """The frames' bytes, and the records of the pages."""
    run("gst-launch-1.0", "-q", "pdfsrc", f"location={path}", *options, "!", "tee", "name=t", "!", "queue", "!", "filesink",
        f"location={folder / 'raw'}", "t.", "!", "queue", "!", "jsonsink", f"location={folder / 'lines'}")
    return np.fromfile(folder / "raw", np.uint8), [json.loads(line) for line in open(folder / "lines", encoding="utf-8")]


def frames_of(path):
    image = Image.open(path)
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        if getattr(image, "tag_v2", {}).get(SUBFILE_TYPE) == 1:
            continue
        yield image.copy() if index else image


def compare(path, folder, limit, sizes_pt):
    raw, records = read(path, folder, "dpi=37")
    references = [expected(image) for image in frames_of(path)]
    assert len(records) == len(references) == len(sizes_pt), (path, len(records), len(references))
    at = 0
    for number, (reference, record, size_pt) in enumerate(zip(references, records, sizes_pt), 1):
        height, width, _ = reference.shape
        if size_pt and abs(size_pt[0] / size_pt[1] - width / height) > 0.01 * width / height:  # pixels that are not square
            scale = max(width / size_pt[0], height / size_pt[1])
            width, height = (int(np.ceil(side * scale - 1e-6)) for side in size_pt)
            reference = None
        assert (record["width"], record["height"]) == (width, height), (path, record, width, height)
        assert record["status"] == "ok" and record["page"] == number and record["pages"] == len(records), record
        assert record["document"] == path.as_uri(), record
        if size_pt is None:
            assert record["size_pt"] is None, record
        else:
            assert np.allclose(record["size_pt"], size_pt, rtol=2e-4), (path, record["size_pt"], size_pt)
        frame = raw[at:at + width * height * 4].reshape(height, width, 4)
        at += frame.size
        if reference is not None:
            worst = abs(frame[..., :3].astype(int) - reference).max()
            assert worst <= limit, f"{path.name}, page {number}: levels differ by up to {worst}"
    assert at == raw.size


def check_oblong(folder):
    """A fax's pixels are higher than wide: the page is not."""
    path = folder / "oblong.tif"
    raw, (record,) = read(path, folder)
    width, height = record["width"], record["height"]
    frame = raw.reshape(height, width, 4)[..., 0].astype(int)
    reference = np.asarray(Image.open(path).convert("L").resize((width, height), Image.Resampling.BOX)).astype(int)
    assert (abs(frame - reference) > 128).mean() < 0.02, "it is another picture"


def check_fit(folder):
    """In frames of one size they are scaled like any page."""
    raw, records = read(folder / "dpi.png", folder, "page-size-mode=fit", "!", "video/x-raw,width=60,height=35")
    assert len(records) == 1 and raw.size == 60 * 35 * 4
    frame = raw.reshape(35, 60, 4)[..., :3].astype(int)
    reference = np.asarray(picture().resize((60, 35), Image.Resampling.BOX))[..., ::-1].astype(int)
    assert abs(frame - reference).mean() < 4, abs(frame - reference).mean()


def check_damage(folder):
    """Cut files end in one message or an error page, never in a hang or a crash of the pipeline."""
    for path in (folder / "dpi.png", folder / "dpi.jpg", folder / "colour.jp2", folder / "pages.tiff"):
        data = path.read_bytes()
        for part in (16, len(data) // 2, len(data) - 40):
            cut = folder / f"cut{path.suffix}"
            cut.write_bytes(data[:part])
            done = subprocess.run(["gst-launch-1.0", "-q", "pdfsrc", f"location={cut}", "!", "jsonsink", f"location={folder / 'lines'}"],
                                  capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode in (0, 1), done
            if done.returncode == 1:
                assert done.stderr.count("ERROR: from element") == 1 and cut.name in done.stderr, done.stderr


def main():
    if not shutil.which("gst-launch-1.0"):
        print("skipped: there is no gst-launch-1.0 (package gstreamer1.0-tools)")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = make_files(folder)
        for path, (limit, sizes_pt) in made.items():
            compare(path, folder, limit, sizes_pt)
        check_oblong(folder)
        check_fit(folder)
        check_damage(folder)
    print(f"{len(made)} files compared with Pillow")
    return 0


if __name__ == "__main__":
    sys.exit(main())
