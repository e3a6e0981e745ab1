#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pdfsrc's pixels against pdftocairo's, and its page counts against pdfinfo's.

A document made here has what can go wrong: crop boxes, rotations, annotations, form fields, blend
modes, pages of many sizes. The first pages of every PDF in DOCLAYOUT_TEST_DATA follow where there are any.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    from PIL import Image
except ImportError as error:
    print(f'skipped: {error}')
    sys.exit(77)

PAGES_OF_A_FILE = 2
MAX_PAGES_TO_COUNT = 20
# Poppler draws both, so this is for differences in how white paper is put below.
MAX_DIFFERENCE = 1

TEXT = 'BT /F 14 Tf 20 %d Td (Pages as pdftocairo draws them) Tj ET\n'
SHAPES = '.9 .2 .1 rg 30 30 50 40 re f 0 .4 .8 RG 3 w 40 60 m 120 20 180 160 190 40 c S\n'
BLEND = '/D gs .3 .9 .4 rg 20 20 120 90 re f .9 .8 .1 rg 60 50 100 90 re f\n'


def stream(content):
    return f'<</Length {len(content)}>>\nstream\n{content}\nendstream'


def appearance(content, box):
    return f'<</Type/XObject/Subtype/Form/BBox[{box}]/Length {len(content)}>>\nstream\n{content}\nendstream'


def page(first, box, content, more=''):
    """The two objects of a page, of which the first is number `first`."""
    return [f'<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents {first + 1} 0 R{more}'
            '/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>'
            '/ExtGState<</D<</BM/Difference/ca .8>>>>>>>>', stream(content)]


def write_document(path):
    """Returns the number of pages."""
    annotations = ['<</Type/Annot/Subtype/Square/Rect[20 20 90 60]/F 4/C[1 0 0]/AP<</N 3 0 R>>>>',
                   '<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(filled in)/Rect[20 80 180 110]/F 4'
                   '/AP<</N 4 0 R>>>>']
    objects = ['', '', appearance('0 .6 0 rg 0 0 70 40 re f', '0 0 70 40'),
               appearance('.8 .8 1 rg 0 0 160 30 re f 0 0 1 RG 2 w 5 5 150 20 re S', '0 0 160 30')]
    pages = [('0 0 200 200', TEXT % 170 + SHAPES, ''),
             ('0 0 300 250', TEXT % 120 + SHAPES, '/CropBox[25.5 15.25 210.7 190]'),
             ('0 0 300 250', TEXT % 120 + SHAPES, '/CropBox[25.5 15.25 210.7 190]/Rotate 90'),
             ('0 0 200 260', TEXT % 170 + SHAPES, '/Rotate 180'),
             ('-50 -20 180 200', TEXT % 100 + SHAPES, '/Rotate 270'),
             ('0 0 200 200', TEXT % 170 + BLEND, ''),
             ('0 0 200 200', TEXT % 170, '/Annots[%s]' % ' '.join(annotations)),
             ('0 0 61.3 17.9', SHAPES, ''),
             ('0 0 200 200', '1 0 0 rg 0 0 200 200 re f', '/CropBox[100 100 400 400]')]
    kids = []
    for box, content, more in pages:
        first = len(objects) + 1
        kids.append(f'{first} 0 R')
        objects += page(first, box, content, more)
    objects[0] = '<</Type/Catalog/Pages 2 0 R>>'
    objects[1] = f'<</Type/Pages/Count {len(kids)}/Kids[{" ".join(kids)}]>>'
    text, offsets = '%PDF-1.5\n', []
    for i, body in enumerate(objects):
        offsets.append(len(text))
        text += f'{i + 1} 0 obj\n{body}\nendobj\n'
    table = ''.join(f'{offset:010} 00000 n \n' for offset in offsets)
    text += (f'xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}'
             f'trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(text)}\n%%EOF\n')
    path.write_text(text, encoding='latin-1')
    return len(kids)


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


def count_pages(path):
    """Pages by pdfinfo, None where it cannot open the file."""
    try:
        lines = run('pdfinfo', path).splitlines()
    except subprocess.CalledProcessError:
        return None
    return int(next(line for line in lines if line.startswith('Pages:')).split()[1])


def render(path, folder, *options):
    """All that pdfsrc sends; rows touch each other, since filesink does not look at GstVideoMeta."""
    raw = folder / 'pages.raw'
    run('gst-launch-1.0', '-q', 'pdfsrc', f'location={path}', *options, '!', 'filesink', f'location={raw}')
    return np.fromfile(raw, np.uint8)


def compare(path, folder, dpi, last):
    """The greatest difference of a sample; fails on a difference in sizes."""
    ours = render(path, folder, f'pages=1-{last}', f'dpi={dpi}')
    for old in folder.glob('reference*'):
        old.unlink()
    run('pdftocairo', '-cropbox', '-png', '-r', dpi, '-l', last, path, folder / 'reference')
    worst = at = 0
    for name in sorted(folder.glob('reference*')):
        reference = np.asarray(Image.open(name).convert('RGB')).astype(int)
        height, width, _ = reference.shape
        frame = ours[at:at + width * height * 4]
        assert frame.size == width * height * 4, f'{path}: {name.stem} is larger than {frame.size / 4} pixels'
        frame = frame.reshape(height, width, 4)
        assert (frame[..., 3] == 255).all(), f'{path}: {name.stem} is not opaque'
        worst = max(worst, abs(frame[..., 2::-1] - reference).max())
        at += frame.size
    assert at == ours.size, f'{path}: {ours.size - at} bytes more than pdftocairo has'
    return worst


def main():
    for program in ('pdftocairo', 'pdfinfo', 'gst-launch-1.0'):
        if not shutil.which(program):
            print(f'skipped: there is no {program} (packages poppler-utils, gstreamer1.0-tools)')
            return 77
    source_root = Path(__file__).resolve().parent.parent
    data = Path(os.environ.get('DOCLAYOUT_TEST_DATA', source_root.parent / 'shared' / 'data'))
    compared = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = folder / 'made.pdf'
        n_pages = write_document(made)
        cases = [(made, dpi, n_pages) for dpi in (72, 100, 144)]
        cases += [(path, 100, PAGES_OF_A_FILE) for path in sorted(data.rglob('*.pdf'))]
        cases.append((source_root / 'pipelines' / 'sample.pdf', 100, 9))
        for path, dpi, last in cases:
            n_pages = count_pages(path)
            if not n_pages:
                continue
            worst = compare(path, folder, dpi, min(last, n_pages))
            failed += worst > MAX_DIFFERENCE
            compared += min(last, n_pages)
            if worst > MAX_DIFFERENCE:
                print(f'{path.name} at {dpi} dpi: samples differ by up to {worst}')
            if n_pages > MAX_PAGES_TO_COUNT:
                continue
            small = render(path, folder, 'dpi=4', 'page-size-mode=fit', '!', 'video/x-raw,width=8,height=8')
            assert small.size == n_pages * 8 * 8 * 4, f'{path.name}: {small.size / 256} pages, not {n_pages}'
        same = [render(made, folder, f'render-workers={n}', 'pages=1-,1-,1-,1-').tobytes() for n in (1, 2, 8)]
        assert same[0] == same[1] == same[2], 'the pixels depend on the number of workers'
    print(f'{compared} pages of {len(cases)} documents compared with pdftocairo, {failed} documents differ')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
