# SPDX-License-Identifier: LGPL-2.1-or-later
"""What layoutoverlay writes, read by comparing it with Pillow's rendering of the same font.

usage: test_overlay_text.py OVERLAY-DRAW
"""
import subprocess
import sys
import unittest

import numpy
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT = 'DejaVu Sans Bold'
INDIGO, CYAN = (0x33, 0x22, 0x88), (0x88, 0xcc, 0xee)  # text and table
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def font_file():
    done = subprocess.run(['fc-match', '-f', '%{file}', 'DejaVu Sans:bold'], capture_output=True, text=True, check=True)
    return done.stdout


def draw(width, height, properties, *regions):
    """The picture as an array [height, width, 3] of red, green, blue."""
    done = subprocess.run([DRAW, str(width), str(height), f'layoutoverlay font="{properties.pop("font", FONT)}" '
                           + ' '.join(f'{name}={value}' for name, value in properties.items()), *regions],
                          capture_output=True, check=True)
    return numpy.frombuffer(done.stdout, numpy.uint8).reshape(height, width, 4)[:, :, 2::-1].astype(int)


def ink(picture, background, foreground):
    """How much of the foreground is in each pixel, 0 to 1."""
    background, foreground = numpy.array(background), numpy.array(foreground)
    axis = foreground - background
    return numpy.clip(((picture - background) @ axis) / (axis @ axis), 0, 1)


def reference(text, pixels):
    """The text's ink as Pillow renders it without hinting, in pixels that are a quarter as large."""
    font = ImageFont.truetype(font_file(), 4 * pixels)
    box = font.getbbox(text)
    image = Image.new('L', (box[2] + 8, box[3] + 8))
    ImageDraw.Draw(image).text((0, 0), text, font=font, fill=255)
    return trim(numpy.asarray(image) / 255)


def trim(array):
    """Without the empty rows and columns around it."""
    rows, columns = numpy.flatnonzero(array.max(1) > 0.2), numpy.flatnonzero(array.max(0) > 0.2)
    return array[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1] if len(rows) else array[:0, :0]


def soft(array, shape):
    """Of that shape, and blurred: renderers put stems on other sides of a pixel's edge."""
    image = Image.fromarray((array * 255).astype(numpy.uint8)).resize(shape[::-1], Image.BOX)
    return numpy.asarray(image.filter(ImageFilter.GaussianBlur(0.7))).ravel()


def likeness(seen, expected):
    """The correlation of two pictures of text of about one size; 0 where their sizes differ."""
    rows, columns = (side / 4 for side in expected.shape)
    if seen.size == 0 or abs(rows - seen.shape[0]) > 2 or abs(columns - seen.shape[1]) > 2 + 0.05 * columns:
        return 0
    return numpy.corrcoef(soft(seen, seen.shape), soft(expected, seen.shape))[0, 1]


def tag_above(picture, x, y, color):
    """The tag whose lower left corner is at x, y: it ends where its upper row is of another colour."""
    height = next(i for i in range(1, y + 2) if i > y or (picture[y - i, x] != color).any())
    top = y - height + 1
    width = next(i for i in range(1, picture.shape[1] - x + 1)
                 if x + i == picture.shape[1] or (picture[top, x + i] != color).any())
    return picture[top:y, x:x + width]


class Text(unittest.TestCase):
    def check(self, seen, pixels, text, *others):
        found = likeness(seen, reference(text, pixels))
        self.assertGreater(found, 0.75, f'{text} at {pixels} pixels: looks otherwise')
        for other in others:
            self.assertLess(likeness(seen, reference(other, pixels)), found - 0.02, f'{text} looks as {other}')

    def test_tags(self):
        """What stands in a tag, at the font size that goes by the frame's shorter side."""
        words = ['text 0.91', 'text 0.19', 'text', '0.91', '#7 text 0.91', '#7', '#7 text', '#1 text 0.91']
        switches = {'text 0.91': {}, 'text': {'draw-scores': 'false'}, '0.91': {'draw-labels': 'false'},
                    '#7 text 0.91': {'draw-order': 'true'},
                    '#7': {'draw-order': 'true', 'draw-labels': 'false', 'draw-scores': 'false'}}
        for width, height, pixels, t in ((320, 240, 9, 1), (827, 1170, 11, 2), (2160, 3056, 28, 6)):
            for text, properties in switches.items():
                x, y = width // 4, height // 2
                picture = draw(width, height, dict(properties), f'text,0.91,7,{x},{y},{width // 2},{height - 20}')
                tag = tag_above(picture, x - t, y - t, INDIGO)
                with self.subTest(text=text, size=(width, height)):
                    self.check(trim(ink(tag, INDIGO, WHITE)), pixels, text, *(w for w in words if w != text))

    def test_size(self):
        """The font's own size goes before the frame's."""
        picture = draw(400, 300, {'font': FONT + ' 24px'}, 'text,0.91,0,100,100,300,200')
        self.check(trim(ink(tag_above(picture, 99, 99, INDIGO), INDIGO, WHITE)), 24, 'text 0.91')

    def test_dark_on_light(self):
        picture = draw(827, 1170, {}, 'table,0.91,0,100,100,300,200')
        self.check(trim(ink(tag_above(picture, 98, 98, CYAN), CYAN, BLACK)), 11, 'table 0.91')

    def test_narrow_frame(self):
        """A label that is wider than the frame is shortened, and ends in the frame."""
        picture = draw(60, 60, {}, 'text_of_a_very_long_kind,0.91,0,10,30,50,50')
        color = picture[29, 30]
        tag = picture[:, :][(picture == color).all(2).any(1)][:10]
        self.assertTrue((tag[:, 0] == color).all() and (tag[:, -1] == color).all(), 'text at the edge of the frame')
        self.assertGreater((tag != color).any(2).any(0).sum(), 30)

    def test_legend(self):
        """Labels and numbers of regions, black on white, the most frequent first."""
        regions = [f'table,0.9,{i},{20 + 30 * i},20,{40 + 30 * i},40' for i in range(3)] + ['text,0.9,3,200,100,300,200']
        plain = draw(827, 1170, {'draw-labels': 'false', 'draw-scores': 'false'}, *regions)
        picture = draw(827, 1170, {'draw-labels': 'false', 'draw-scores': 'false', 'draw-legend': 'true'}, *regions)
        changed = (plain != picture).any(2)
        rows, columns = numpy.flatnonzero(changed.any(1)), numpy.flatnonzero(changed.any(0))
        legend = picture[rows[0] + 2:rows[-1] - 1, columns[0] + 2:columns[-1] - 1]
        swatch = numpy.flatnonzero((legend == CYAN).all(2).any(0))[-1] + 1
        black = ink(legend[:, swatch:], WHITE, BLACK)
        middle = black.shape[0] // 2
        for lines, label, count in ((black[:middle], 'table', '3'), (black[middle:], 'text', '1')):
            gap = trim(lines)
            empty = numpy.flatnonzero(gap.max(0) < 0.2)
            runs = numpy.split(empty, numpy.flatnonzero(numpy.diff(empty) > 1) + 1)
            widest = max(runs, key=len)
            self.check(trim(gap[:, :widest[0]]), 11, label, 'table' if label == 'text' else 'text')
            self.check(trim(gap[:, widest[-1]:]), 11, count, *(n for n in '123' if n != count))


if __name__ == '__main__':
    if 'DejaVuSans-Bold' not in font_file():
        print(f'skipped: no font {FONT} (package fonts-dejavu-core)')
        sys.exit(77)
    DRAW = sys.argv.pop(1)
    unittest.main()
