#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""pdfsrc's words against pdftotext's, and their boxes against the ink in the frames.

A document made here has what can go wrong: crop boxes, rotations, columns, tables, ligatures, text from right to left,
accents, turned and invisible text. The first pages of every PDF in DOCLAYOUT_TEST_DATA follow where there are any.
"""
import collections
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import gi
    import numpy as np
    gi.require_version('Gst', '1.0')
    from gi.repository import Gst
except (ImportError, ValueError) as error:
    print(f'skipped: {error}')
    sys.exit(77)

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get('DOCLAYOUT_TEST_DATA', ROOT.parent / 'shared' / 'data'))
PAGES_OF_A_FILE = 5
# In points. Poppler 22.12 has a word's box around those of its letters to the last digit, 25.03 nearly so.
MAX_DIFFERENCE = 0.5
BOLD, ITALIC = 1, 2

Span = collections.namedtuple('Span', 'text x0 y0 x1 y1 size font flags line')
Page = collections.namedtuple('Page', 'spans pixels scale x y width height')  # pixels: rows of grey

# What the codes from A on of font /X mean.
CODES = ['0066 0069', 'FB01', 'D83D DE00', 'D800', '05D0', '05D1', '05D2', '0627', '0628', '0629', '00B4', '00A0',
         '0020 0041', '202B', '00AD', '0020 0020']
HEBREW = [f'{0x5d0 + i:04X}' for i in range(26)]  # of font /H

# Each is whole with but one of the ends of a selection that the worker tries: rotation; x, y, size and text of words.
RIGHT_TO_LEFT_PAGES = [
    (0, [(399.56, 125.6, 8, 'AY'), (418.28, 115.2, 8, 'NXF'), (410.44, 115.2, 8, '4498'), (386.28, 115.2, 8, '4237'),
         (367.56, 115.2, 8, 'PTM'), (337.96, 115.2, 8, 'QLHHL')]),
    (0, [(363.2, 321, 20, 'YYP'), (102.2, 454, 20, 'RFSQTL')]),
    (0, [(370.8, 252, 10, 'TDS'), (505.56, 197.6, 8, 'DG'), (497.72, 197.6, 8, '6541')]),
    (180, [(261.8, 413, 10, 'DKTE'), (218, 387, 10, 'JZFH'), (224.8, 374, 10, 'STAQJS')]),
    (90, [(374.32, 108, 12, 'BVF'), (338.08, 108, 12, '9317')]),
]


def to_unicode(codes):
    lines = ''.join(f'<{0x41 + i:02x}> <{code.replace(" ", "")}>\n' for i, code in enumerate(codes))
    return ('/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n'
            f'1 begincodespacerange <00> <ff> endcodespacerange\n{len(codes)} beginbfchar\n{lines}endbfchar\n'
            'endcmap end end')


def stream(content, more=''):
    return f'<<{more}/Length {len(content)}>>\nstream\n{content}\nendstream'


def write_pdf(path, pages):
    """A document of pages (content, boxes and whatever else a page's dictionary is to have)."""
    fonts = ''.join(f'/{name}<</Type/Font/Subtype/Type1/BaseFont/{base}>>' for name, base in
                    (('F', 'Helvetica'), ('R', 'Times-Roman'), ('B', 'ABCDEF+Times-BoldItalic'), ('T', 'CMBX10'),
                     ('L', 'L' * 200 + '-Bold')))
    fonts += ('/X<</Type/Font/Subtype/Type1/BaseFont/Courier/ToUnicode 3 0 R>>'
              '/H<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 4 0 R>>'
              '/N<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]/CharProcs<</a 6 0 R>>'
              '/Encoding<</Differences[97/a]>>/FirstChar 97/LastChar 97/Widths[1000]>>')
    objects = ['<</Type/Catalog/Pages 2 0 R>>', '', stream(to_unicode(CODES)), stream(to_unicode(HEBREW)),
               stream('BT /F 10 Tf 4 8 Td (annotated words) Tj ET',
                      f'/Type/XObject/Subtype/Form/BBox[0 0 90 20]/Resources<</Font<<{fonts}>>>>'),
               stream('1000 0 0 0 1000 1000 d1 100 100 800 800 re f')]
    kids = []
    for content, more in pages:
        kids.append(f'{len(objects) + 1} 0 R')
        objects.append(f'<</Type/Page/Parent 2 0 R/Contents {len(objects) + 2} 0 R{more}'
                       f'/Resources<</Font<<{fonts}>>>>>>')
        objects.append(stream(content))
    objects[1] = f'<</Type/Pages/Count {len(kids)}/Kids[{" ".join(kids)}]>>'
    text, offsets = '%PDF-1.6\n', []
    for number, body in enumerate(objects, 1):
        offsets.append(len(text))
        text += f'{number} 0 obj\n{body}\nendobj\n'
    table = ''.join(f'{offset:010} 00000 n \n' for offset in offsets)
    text += (f'xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}'
             f'trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(text)}\n%%EOF\n')
    path.write_text(text, encoding='latin-1')


def text_at(x, y, text, size=10, font='F'):
    return f'BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET\n'


def words_of(path, last=None, options=''):
    """The pages that pdfsrc sends, with their words."""
    pipeline = Gst.parse_launch(f'pdfsrc name=src text=true {options} ! '
                                'appsink name=sink sync=false max-buffers=4')
    source, sink = pipeline.get_by_name('src'), pipeline.get_by_name('sink')
    source.set_property('location', str(path))
    if last:
        source.set_property('pages', f'1-{last}')
    pipeline.set_state(Gst.State.PLAYING)
    pages = []
    while (sample := sink.emit('try-pull-sample', 60 * Gst.SECOND)):
        buffer = sample.get_buffer()
        meta = buffer.get_custom_meta('GstDocTextMeta')
        page = buffer.get_custom_meta('GstDocPageMeta').get_structure()
        assert meta, f'{path}: page {page.get_uint("page")[1]} has no words: {page.get_string("error")}'
        spans = [Span(*span) for span in meta.get_structure().get_value('spans').unpack()]
        ok, mapped = buffer.map(Gst.MapFlags.READ)
        assert ok
        pixels = np.frombuffer(bytes(mapped.data), np.uint8).reshape(-1, page.get_uint('width')[1], 4)
        buffer.unmap(mapped)
        pages.append(Page(spans, pixels[..., :3].min(axis=2),
                          *(page.get_double(name)[1] for name in ('scale', 'x', 'y', 'width-pt', 'height-pt'))))
    message = pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR | Gst.MessageType.WARNING)
    pipeline.set_state(Gst.State.NULL)
    assert message is None, message.get_structure().to_string()
    return pages


def pdftotext(path, last):
    """Lists of (word, box) and of lines of boxes, a page each."""
    text = subprocess.run(['pdftotext', '-bbox-layout', '-cropbox', '-l', str(last), str(path), '-'], check=True,
                          capture_output=True).stdout.decode('utf-8', 'surrogatepass')
    pages = []
    for match in re.finditer(r'<page |<line |<word ' + ' '.join(rf'{side}="([^"]*)"' for side in
                                                               ('xMin', 'yMin', 'xMax', 'yMax')) + '>(.*?)</word>',
                             text, re.S):
        if match[0] == '<page ':
            pages.append([])
        elif match[0] == '<line ':
            pages[-1].append([])
        else:
            pages[-1][-1].append((html.unescape(match[5]), tuple(map(float, match.groups()[:4]))))
    return pages


def letters(word):
    """As pdftotext has them in a word: in the order in which they are seen, from left to right."""
    return ''.join(sorted(word))


def unmatched(words, spans):
    """The words of a page, and the spans, without a partner of the same letters in the same place."""
    left = collections.defaultdict(list)
    for span in spans:
        left[letters(span.text)].append(span)
    alone = []
    for word, box in words:
        near = [span for span in left[letters(word)]
                if max(abs(ours - theirs) for ours, theirs in zip(span[1:5], box)) < MAX_DIFFERENCE]
        if near:
            left[letters(word)].remove(near[0])
        else:
            alone.append((word, box))
    return alone, [span for spans in left.values() for span in spans]


def lines_of(spans):
    lines = collections.defaultdict(list)
    for span in spans:
        lines[span.line].append(span)
    return [lines[number] for number in sorted(lines)]


def joined(spans):
    return [' '.join(span.text for span in line) for line in lines_of(spans)]


class TextTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        Gst.init(None)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / 'made.pdf'

    def check(self, path, last=1000):
        """The words of a document beside pdftotext's. Returns its pages."""
        pages = words_of(path, last if last < 1000 else None, 'dpi=30' if last < 1000 else '')
        reference = pdftotext(path, last)
        self.assertEqual(len(pages), len(reference))
        for number, (page, lines) in enumerate(zip(pages, reference), 1):
            self.assertEqual(unmatched([word for line in lines for word in line], page.spans), ([], []),
                             f'{path}, page {number}')
            self.assertEqual([span.line for span in page.spans], sorted(span.line for span in page.spans))
        self.n_words = sum(len(page.spans) for page in pages)
        return pages

    def made(self, *pages):
        write_pdf(self.path, pages)
        return self.check(self.path)

    def check_ink(self, page):
        """Each word has ink in its box, and there is none elsewhere, but for the page's outermost pixels: poppler leaves
        letters out of which no more is on the page than their ink."""
        def inside(x0, y0, x1, y1, margin):
            """Pixels of what is on the page of a box."""
            (left, right), (top, bottom) = ([min(max(side, 0), length) * page.scale + offset for side in sides] for
                                            sides, length, offset in (((x0, x1), page.width, page.x),
                                                                      ((y0, y1), page.height, page.y)))
            return (slice(max(int(top) - margin, 0), max(int(bottom) + 1 + margin, 0)),
                    slice(max(int(left) - margin, 0), max(int(right) + 1 + margin, 0)))

        outside = page.pixels < 200
        for span in page.spans:
            box = page.pixels[inside(*span[1:5], 0)]
            if min(box.shape) > 6:
                self.assertTrue((box < 200).any(), f'no ink where {span} is')
            outside[inside(*span[1:5], 2)] = False
        outside = outside[inside(0, 0, page.width, page.height, -4)]
        self.assertFalse(outside.any(), f'ink where no word is: {np.argwhere(outside)[:5]}')

    def test_boxes_and_rotations(self):
        """Words in all corners, at and over the edge of the crop box, and outside of it."""
        content = ''.join(text_at(x, y, f'x{x} y{y}', 9)
                          for x in (5, 60, 130, 190, 260) for y in (8, 40, 100, 180, 240))
        boxes = ['/MediaBox[0 0 300 250]', '/MediaBox[0 0 300 250]/CropBox[25.5 15.25 210.7 190]',
                 '/MediaBox[-50 -20 280 240]', '/MediaBox[-50 -20 280 240]/CropBox[-10 -5 150 200]',
                 '/MediaBox[0 0 200 200]/CropBox[50 50 400 500]', '/MediaBox[0 0 300 250]/UserUnit 2']
        pages = self.made(*((content, f'{box}/Rotate {turn}') for box in boxes for turn in (0, 90, 180, 270)))
        for page in pages:
            self.assertGreaterEqual(len(page.spans), 12)
            self.check_ink(page)
        fitted = words_of(self.path, None, 'page-size-mode=fit ! video/x-raw,width=500,height=300')
        for page, native in zip(fitted, pages):
            self.assertEqual(page.spans, native.spans)
            self.check_ink(page)

    def test_nothing(self):
        pages = self.made(('', '/MediaBox[0 0 200 200]'), ('.5 g 0 0 50 50 re f', '/MediaBox[0 0 200 200]'))
        self.assertEqual([page.spans for page in pages], [[], []])

    def test_columns(self):
        """Two columns: lines of one are not joined with those of the other, which come after them."""
        content = text_at(60, 380, 'A heading over both', 14)
        for column, x in enumerate((40, 180)):
            for line in range(8):
                content += text_at(x, 350 - 12 * line, f'column {column} has line {line}', 9)
        [page] = self.made((content, '/MediaBox[0 0 320 420]'))
        lines = joined(page.spans)
        self.assertEqual(lines[0], 'A heading over both')
        self.assertEqual(lines[1:], [f'column {column} has line {line}' for column in (0, 1) for line in range(8)])

    def test_table(self):
        """Cells that stand side by side are lines of their own, as pdftotext has them."""
        content = ''.join(text_at(40 + 90 * column, 300 - 20 * row, f'r{row} c{column}')
                          for row in range(6) for column in range(3))
        [page] = self.made((content, '/MediaBox[0 0 320 420]'))
        self.assertEqual(sorted(joined(page.spans)),
                         sorted(f'r{row} c{column}' for row in range(6) for column in range(3)))

    def test_fonts(self):
        """A word of two fonts is one, and has the font of most of it."""
        content = ('BT /F 12 Tf 20 100 Td (re) Tj /B 12 Tf (markable) Tj ET BT /T 10 Tf 20 70 Td (bold) Tj ET '
                   'BT /F 12 Tf 20 40 Td (x) Tj /F 7 Tf 4 Ts (2) Tj ET')
        [page] = self.made((content, '/MediaBox[0 0 200 150]'))
        words = {span.text: (span.font, span.size, span.flags) for span in page.spans}
        self.assertEqual(words, {'remarkable': ('Times-BoldItalic', 12, BOLD | ITALIC), 'bold': ('CMBX10', 10, BOLD),
                                 'x': ('Helvetica', 12, 0), '2': ('Helvetica', 7, 0)})

    def test_odd_names_of_fonts(self):
        """None, and one that is longer than PDF allows."""
        [page] = self.made((text_at(20, 80, 'aaa', font='N') + text_at(20, 40, 'bbb', font='L'),
                            '/MediaBox[0 0 200 150]'))
        self.assertEqual([(span.text, span.font, span.flags) for span in page.spans],
                         [('aaa', '', 0), ('bbb', 'L' * 127, 0)])

    def test_characters(self):
        """Ligatures are what the document says they are; characters beyond the first plane, and halves of such."""
        content = (text_at(20, 100, 'Ar', font='X') + text_at(80, 100, 'Br', font='X') + text_at(20, 70, 'C', font='X')
                   + text_at(80, 70, 'xD', font='X') + text_at(20, 40, 'xLx', font='X') + text_at(80, 40, 'xOx', font='X')
                   + text_at(140, 40, 'xMx', font='X') + text_at(140, 70, 'a<&>b') + text_at(20, 85, 'P', font='X'))
        write_pdf(self.path, [(content, '/MediaBox[0 0 200 150]')])
        [page] = words_of(self.path)
        # A space in the middle of what one code stands for divides words too; pdftotext has it in the word.
        self.assertEqual(sorted(span.text for span in page.spans),
                         sorted(['fir', '\ufb01r', '\U0001f600', 'x\ufffd', 'x', 'x', 'x\u00adx', 'x', 'Ax', 'a<&>b']))

    def test_accents(self):
        """An accent that is drawn over a letter is part of the word, whatever font it is of."""
        content = ('BT /F 20 Tf 20 100 Td (cafe) Tj ET BT /X 20 Tf 46.2 100 Td (K) Tj ET '
                   'BT /F 20 Tf 57.8 100 Td (s) Tj ET')
        [page] = self.made((content, '/MediaBox[0 0 200 150]'))
        self.assertEqual([(span.text, span.font) for span in page.spans], [('cafe\u0301s', 'Helvetica')])

    def test_right_to_left(self):
        """Words and their order are logical, as they are read; drawn they are from left to right."""
        content = (text_at(120, 100, 'EFG', font='X') + text_at(104, 100, 'GF', font='X') + text_at(88, 100, '12')
                   + text_at(120, 80, 'HIJ', font='X') + text_at(104, 80, 'JJ', font='X'))
        [page] = self.made((content, '/MediaBox[0 0 200 150]'))
        self.assertEqual(joined(page.spans), ['\u05d2\u05d1\u05d0 \u05d1\u05d2 12', '\u0629\u0628\u0627 \u0629\u0629'])

    def test_right_to_left_in_a_line(self):
        """In text from left to right only the letters of a word are turned round."""
        content = text_at(20, 100, 'one word') + text_at(65, 100, 'EFG', font='X') + text_at(87, 100, 'of others')
        [page] = self.made((content, '/MediaBox[0 0 200 150]'))
        self.assertEqual(joined(page.spans), ['one word \u05d2\u05d1\u05d0 of others'])
        lines = [f'line {number} of the rest' for number in range(4)]
        content = text_at(20, 120, 'EFG', font='X') + text_at(45, 120, 'begins it')
        content += ''.join(text_at(20, 100 - 12 * number, line) for number, line in enumerate(lines))
        [page] = self.made((content, '/MediaBox[0 0 200 150]'))
        self.assertEqual(joined(page.spans), ['\u05d2\u05d1\u05d0 begins it', *lines])

    def test_right_to_left_whole(self):
        """Nothing is lost of pages from right to left whose last block is not at the bottom left."""
        body = ''.join(text_at(60 + 35 * (n % 8), 380 - 14 * (n // 8), 'EFGEF', font='X') for n in range(40))
        feet = [(320, 20), (200, 20), (20, 20), (320, 330)]
        pages = self.made(*((body + text_at(x, y, 'GFE', font='X'), '/MediaBox[0 0 400 420]') for x, y in feet),
                          *((''.join(text_at(x, y, word, size, 'H' if word.isalpha() else 'R')
                                     for x, y, size, word in words), f'/MediaBox[0 0 600 800]/Rotate {turn}')
                            for turn, words in RIGHT_TO_LEFT_PAGES))
        self.assertEqual([len(page.spans) for page in pages], [41] * 4 + [6, 2, 3, 3, 2])

    def test_turned(self):
        turned = [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0), (.7071, .7071, -.7071, .7071)]
        pages = self.made(*((f'BT /F 12 Tf {" ".join(map(str, matrix))} 100 100 Tm (Turned words) Tj ET',
                             '/MediaBox[0 0 200 200]') for matrix in turned))
        for page in pages[:4]:
            self.assertEqual(joined(page.spans), ['Turned words'])
            self.check_ink(page)

    def test_not_to_be_had(self):
        """A document that has poppler's own marks of direction as characters: the page is well, and says what it lacks."""
        write_pdf(self.path, [(text_at(20, 100, 'EFG NE', font='X'), '/MediaBox[0 0 200 150]'),
                              (text_at(20, 100, 'words'), '/MediaBox[0 0 200 150]')])
        pipeline = Gst.parse_launch('pdfsrc name=src text=true ! fakesink')
        pipeline.get_by_name('src').set_property('location', str(self.path))
        pipeline.set_state(Gst.State.PLAYING)
        bus = pipeline.get_bus()
        self.assertTrue(bus.timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS))
        stats = pipeline.get_by_name('src').get_property('stats')
        self.assertEqual([stats.get_uint(name)[1] for name in ('pages', 'failed-pages', 'failed-texts')], [2, 0, 1])
        pipeline.set_state(Gst.State.NULL)

    def test_other_text(self):
        """What is invisible, what stands for other text, and annotations."""
        annotation = '/Annots[<</Type/Annot/Subtype/Stamp/Rect[20 80 110 100]/F 4/AP<</N 5 0 R>>>>]'
        pages = self.made(('BT /F 12 Tf 3 Tr 20 100 Td (not seen) Tj ET', '/MediaBox[0 0 200 200]'),
                          ('BT /F 12 Tf 20 100 Td /Span<</ActualText(said)>>BDC (drawn) Tj EMC ET',
                           '/MediaBox[0 0 200 200]'),
                          ('', f'/MediaBox[0 0 200 200]{annotation}'))
        self.assertEqual([joined(page.spans) for page in pages], [['not seen'], ['said'], ['annotated words']])

    def test_documents(self):
        words = documents = 0
        sample = ROOT / 'pipelines' / 'sample.pdf'
        for page, lines in zip(self.check(sample), pdftotext(sample, 1000)):
            self.assertEqual(sorted(sorted(letters(span.text) for span in line) for line in lines_of(page.spans)),
                             sorted(sorted(letters(word) for word, _box in line) for line in lines))
        for path in sorted(DATA.rglob('*.pdf')):
            if subprocess.run(['pdfinfo', str(path)], check=False, capture_output=True).returncode == 0:
                self.check(path, PAGES_OF_A_FILE)
                words += self.n_words
                documents += 1
        print(f'{words} words of {documents} documents more compared with pdftotext')


if __name__ == '__main__':
    if not shutil.which('pdftotext'):
        print('skipped: there is no pdftotext (package poppler-utils)')
        sys.exit(77)
    unittest.main()
