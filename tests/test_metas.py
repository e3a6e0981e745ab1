# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the page's regions, their text and words as an application in Python does, with python3-gi alone and with gst-python.

usage: test_metas.py [--plain]   (without it, runs itself both ways)
"""
import os
import pathlib
import subprocess
import sys


SPANS = [('Größe', 10.0, 20.0, 40.5, 32.25, 11.0, 'Foo-BoldItalic', 3, 0), ('\u05e9', 0.0, 0.0, 9.0, 9.0, 11.5, '', 0, 1)]


def init():
    import gi
    if '--plain' in sys.argv:
        sys.modules['gi.overrides.Gst'] = None  # as where gst-python is not installed
    gi.require_version('Gst', '1.0')
    from gi.repository import Gst
    Gst.init(None)
    return Gst


def read_words(Gst):
    """What the meta's structure has, as an application gets it."""
    from gi.repository import GLib
    text = Gst.Structure.new_empty('GstDocTextMeta')
    text.set_value('spans', GLib.Variant('a(sdddddsuu)', SPANS))
    spans = text.get_value('spans')
    assert spans.get_type_string() == 'a(sdddddsuu)' and spans.unpack() == SPANS, spans
    print(f'{len(SPANS)} words read')


def play(Gst, launch, look):
    """Plays a pipeline to its end; `look` gets the layout of each buffer. It may not keep what it gets."""
    def probe(_pad, info):
        layout = info.get_buffer().get_custom_meta('GstDocLayoutMeta').get_structure()
        found, regions = layout.get_array('regions')
        assert found
        look(layout, [regions.get_nth(i) for i in range(regions.n_values)])
        return Gst.PadProbeReturn.OK

    pipeline = Gst.parse_launch(f'{launch} ! fakesink name=s')
    pipeline.get_by_name('s').get_static_pad('sink').add_probe(Gst.PadProbeType.BUFFER, probe)
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    pipeline.set_state(Gst.State.NULL)
    assert message and message.type == Gst.MessageType.EOS, message and message.parse_error()


def read_regions(Gst):
    seen = []

    def look(layout, regions):
        assert sorted(r.get_uint('order')[1] for r in regions) == list(range(len(regions)))
        assert not layout.has_field('orphans') and not any(r.has_field('text') for r in regions)
        assert layout.get_uint('width') == (True, 320) and layout.get_string('device') == 'cpu'
        # Last: an exception in a probe is printed and goes no further.
        seen.append([(r.get_string('label'), r.get_double('x0')[1], r.get_uint('id')[1]) for r in regions])

    # A threshold this low finds something on the test picture, whatever it shows.
    play(Gst, 'videotestsrc num-buffers=1 ! video/x-raw,width=320,height=240 ! '
              'cudalayoutdetect threshold=0.001 duplicates=keep batch-size=1', look)
    assert len(seen) == 1 and len(seen[0]) > 3, seen
    assert [number for _label, _x0, number in seen[0]] == list(range(len(seen[0])))
    assert all(label and 0 <= x0 <= 320 for label, x0, _number in seen[0])
    print(f'{len(seen[0])} regions read, the first {seen[0][0]}')


def read_text(Gst):
    """Text of regions, and the lines that are left over where the threshold is high."""
    seen = []

    def look(layout, regions):
        regions.sort(key=lambda r: r.get_uint('order')[1])
        found, orphans = layout.get_array('orphans')
        assert found
        lines = [orphans.get_nth(i) for i in range(orphans.n_values)]
        assert all(0 <= line.get_double('x0')[1] < line.get_double('x1')[1] for line in lines)
        texts = [r.get_string('text') for r in regions], [line.get_string('text') for line in lines]
        counts = [layout.get_uint(k)[1] for k in ('characters', 'region-characters', 'orphan-characters')]
        assert counts == [sum(map(length, texts)), *map(length, texts)], counts
        seen.append(texts)

    sample = pathlib.Path(__file__).parent.parent / 'pipelines' / 'sample.pdf'
    play(Gst, f'pdfsrc location="{sample}" pages=1 text=true ! cudalayoutdetect threshold=0.98 batch-size=1', look)
    texts, lines = seen[0]
    whole = '\n'.join(texts)
    assert 'People find their way on a printed page long before they read a word of it.' in whole, whole
    assert 'Reading a Page by Its Shape' in lines, lines
    print(f'{len(texts)} texts and {len(lines)} lines read')


def length(texts):
    return sum(len(word) for text in texts for word in text.split())


def main():
    try:
        import gi  # noqa: F401
    except ImportError:
        print('skipped: python3-gi is not installed')
        return 77
    model = os.environ.get('DOCLAYOUT_MODEL') or os.path.join(
        os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'gst-doclayout', 'layout_cdla.onnx')
    environment = dict(os.environ, PYTHONWARNINGS='ignore::DeprecationWarning')
    for flags in ([], ['--plain']):
        subprocess.run([sys.executable, __file__, '--words'] + flags, check=True, env=environment, timeout=100)
    if not os.path.exists(model):
        print(f'skipped: no model at {model} (tests/run.sh fetches it)')
        return 77
    for flags in (['--regions'], ['--regions', '--plain'], ['--text'], ['--text', '--plain']):
        subprocess.run([sys.executable, __file__] + flags, check=True, env=environment, timeout=100)
    return 0


if __name__ == '__main__':
    if '--words' in sys.argv:
        sys.exit(read_words(init()))
    if '--text' in sys.argv:
        sys.exit(read_text(init()))
    sys.exit(read_regions(init()) if '--regions' in sys.argv else main())
