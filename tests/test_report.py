# SPDX-License-Identifier: LGPL-2.1-or-later
"""The HTML file that report.py and compare.py write: whole, self-contained, and with strangers' text as data only."""
import base64
import hashlib
import json
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

from results import page, region, write

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "pipelines" / "report"
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
HAS_PILLOW = subprocess.run([PYTHON, "-c", "import PIL"], capture_output=True, check=False).returncode == 0
HOSTILE = "</script><script>alert(1)</script><!-- <script> ]]> \0 \x1b[31m \u202e \ud800 \u2028 \"'&amp; </title> @DATA@ @STYLE@ @POLICY@"


def png(width, height):
    """A grey PNG with lines on it."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    rows = b"".join(b"\0" + (b"\0" if y % 8 == 0 else b"\xff") * width for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


PICTURE = png(200, 160)


class Document(HTMLParser):
    """Elements of an HTML file with their attributes and, of those that have no elements in them, their text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.comments, self.open = [], {}, [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open = True

    def handle_endtag(self, tag):
        self.open = False

    def handle_data(self, data):
        key = len(self.elements) - 1
        if self.open:
            self.texts[key] = self.texts.get(key, "") + data

    def handle_comment(self, data):
        self.comments.append(data)

    def of(self, tag):
        return [(attributes, self.texts.get(i, "")) for i, (found, attributes) in enumerate(self.elements) if found == tag]

    def data(self, name):
        return json.loads(next(text for attributes, text in self.of("script") if attributes.get("id") == name))


class FileTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "pictures").mkdir()

    def report(self, pages, *, output="out.html", name="b.pdf", status=0, env=None, pictures=(), limit=None):
        """Runs report.py, where no file may be larger than `limit` bytes."""
        limit = limit or resource.RLIM_INFINITY
        write(self.folder / "r.jsonl", pages)
        for number in pictures:
            (self.folder / "pictures" / f"page-{number}.png").write_bytes(PICTURE)
        command = [PYTHON, "-B", PROGRAMS / "report.py", f"--document={name}", "--", "r.jsonl", "pictures", output]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False, env=env,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def read(self, name="out.html"):
        return Document((self.folder / name).read_bytes().decode("utf-8"))


class Report(FileTest):
    def check_closed(self, document):
        """No element that fetches, no address, no code but that of the hash, no inline handler or style."""
        self.assertEqual(document.of("meta")[1][0]["http-equiv"], "Content-Security-Policy")
        policy = dict(rule.strip().split(" ", 1) for rule in document.of("meta")[1][0]["content"].split(";"))
        self.assertEqual((policy["default-src"], policy["img-src"], policy["base-uri"], policy["form-action"]),
                         ("'none'", "blob:", "'none'", "'none'"))
        for kind, rule in (("script", "script-src"), ("style", "style-src")):
            (code,) = [text for attributes, text in document.of(kind) if "type" not in attributes]
            digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
            self.assertEqual(policy[rule], f"'sha256-{digest}'")
            self.assertNotRegex(code.replace("http://www.w3.org/2000/svg", ""), r"https?:|//[a-z]|@import|url\(")
        for tag, attributes in document.elements:
            self.assertNotIn(tag, ("link", "base", "iframe", "object", "embed", "img"))
            for name, value in attributes.items():
                self.assertFalse(name.startswith("on") or name in ("style", "src", "srcset", "action"), (tag, name))
                if name == "href":
                    self.assertTrue(value.startswith("#"), value)

    def test_closed(self):
        self.report([page(1, [region()])], pictures=[1])
        self.check_closed(self.read())

    def test_data_are_the_lines(self):
        pages = [page(1, [region(text="Ä\n\u2028")], orphans=[{"bbox": [1, 2, 3, 4], "bbox_pt": None, "text": "x"}],
                      characters={"page": 3, "regions": 2, "orphans": 1}), page(2, error="it crashed")]
        done = self.report(pages, status=3)
        self.assertEqual(self.read().data("data-pages"), pages)
        self.assertRegex(done.stderr, r"^pages:   2, 1 of them failed\nregions: 1: text 1\ndevice:  cpu\n"
                                      r"written: out.html, \d\d kB\n")

    def test_hostile_text_is_data(self):
        self.report([page(1, [region()])], pictures=[1])
        harmless = self.read()
        uri = "file:///x/" + quote(HOSTILE, safe="", errors="surrogatepass")
        pages = [page(1, [region(HOSTILE, text=HOSTILE), region(HOSTILE)], document=uri), page(2, error=HOSTILE, document=uri)]
        pages[0]["model"]["name"] = pages[0]["device"] = HOSTILE
        done = self.report(pages, status=3, pictures=[1])
        found = self.read()
        self.assertEqual([tag for tag, _ in found.elements], [tag for tag, _ in harmless.elements])
        self.assertEqual(found.comments, harmless.comments)
        self.assertTrue(found.of("title")[0][1].endswith("</title> @DATA@ @STYLE@ @POLICY@"))
        self.assertEqual(found.data("data-pages"), pages)
        self.check_closed(found)
        self.assertNotRegex(done.stderr, "[\x00-\x09\x0b-\x1f\u202e]")
        for attributes, text in found.of("script"):
            if attributes.get("type") == "application/json":
                self.assertRegex(text, "^[\n -;=-~]*$")  # printable ASCII without "<"

    def test_scripts_cannot_end_early(self):
        for path in PROGRAMS.glob("*.js"):
            self.assertNotRegex(path.read_text(encoding="utf-8"), "(?i)</script|<!--")

    def test_pictures(self):
        self.report([page(1), page(2, error="x"), page(3)], pictures=[1, 2, 4], status=3)
        blocks = [(a["data-page"], a["data-type"], base64.b64decode(text)) for a, text in self.read().of("script")
                  if a.get("class") == "picture"]
        self.assertEqual([block[:2] for block in blocks], [("1", "image/png")])  # not of pages that failed or are not there
        self.assertEqual(blocks[0][2][:4], b"\x89PNG")

    def test_without_pillow(self):
        (self.folder / "PIL").mkdir()
        (self.folder / "PIL" / "__init__.py").write_text("raise ImportError\n", encoding="ascii")
        done = self.report([page(1)], pictures=[1], env={**os.environ, "PYTHONPATH": str(self.folder)})
        self.assertIn("python3-pil", done.stderr)
        (text,) = [text for a, text in self.read().of("script") if a.get("class") == "picture"]
        self.assertEqual(base64.b64decode(text), PICTURE)

    def test_several_documents(self):
        pages = [page(n, [region(name)], document=f"file:///x/{name}%201.pdf") for name in "ab" for n in (1, 2)]
        self.report(pages, name="/y/b 1.pdf")
        self.assertEqual(self.read().data("data-pages"), pages[2:])
        done = self.report(pages, name="c.pdf", status=1)
        self.assertEqual(done.stderr, "error: r.jsonl is of 2 documents, none of them named c.pdf\n")

    def test_one_document_of_another_name(self):
        self.report([page(1)], name="moved.pdf")
        self.assertEqual(self.read().data("data-facts"), {"name": "b.pdf"})

    def test_bad_input(self):
        self.assertEqual(self.report([{}], status=1).stderr.count("\n"), 1)
        self.assertIn("r.jsonl has no pages", self.report([], status=1).stderr)
        self.assertFalse((self.folder / "out.html").exists())

    def test_old_file_stays_when_writing_fails(self):
        (self.folder / "out.html").write_text("old", encoding="ascii")
        pages = [page(1), {**page(2), "regions": None}]
        write(self.folder / "r.jsonl", pages)
        before = sorted(p.name for p in self.folder.iterdir())
        self.assertIn("line 2", self.report(pages, status=1).stderr)
        self.assertEqual((self.folder / "out.html").read_text(encoding="ascii"), "old")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), before)
        self.assertIn("out.html: File too large", self.report([page(1)], limit=10000, status=1).stderr)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), before)
        self.assertIn("nowhere/x.html", self.report([page(1)], output="nowhere/x.html", status=1).stderr)

    def test_pipe_stays_a_pipe(self):
        os.mkfifo(self.folder / "out.html")
        reader = subprocess.Popen(["cat", "out.html"], cwd=self.folder, stdout=subprocess.PIPE, text=True)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        self.report([page(1)])
        self.assertTrue(reader.communicate(timeout=20)[0].endswith("</html>\n"))
        self.assertTrue((self.folder / "out.html").is_fifo())

    def test_standard_output_and_links(self):
        text = self.report([page(1)], output="-").stdout
        self.assertTrue(text.endswith("</html>\n"))
        (self.folder / "target.html").write_text("old", encoding="ascii")
        (self.folder / "out.html").symlink_to("target.html")
        self.report([page(1)])
        self.assertTrue((self.folder / "out.html").is_symlink())
        self.assertEqual((self.folder / "target.html").read_text(encoding="utf-8"), text)

    @unittest.skipUnless(HAS_PILLOW, "python3-pil is not installed")
    def test_pictures_are_small_and_sharp(self):
        program = """
import sys, io, os
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import pictures
from PIL import Image, ImageDraw
text = Image.new("RGB", (1000, 2800), "white")
for y in range(40, 2760, 24):
    ImageDraw.Draw(text).text((80, y), "This is a line of a page. " * 5, fill="black")
photo = Image.frombytes("RGB", (400, 300), os.urandom(360000)).resize((1000, 1400), Image.BICUBIC)
for image in (text, photo):
    image.save("page-1.png")
    kind, content = pictures.reduce_picture(Path("page-1.png"))
    small = Image.open(io.BytesIO(content)).convert("RGB")
    print(kind, *small.size, len(content) < os.path.getsize("page-1.png"), min(small.getdata())[0], max(small.getdata())[0])
"""
        done = subprocess.run([PYTHON, "-B", "-c", program, PROGRAMS], cwd=self.folder, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^image/png 500 1400 True \d+ 2\d\d\nimage/jpeg 1000 1400 True \d+ \d+\n$")


class Comparison(FileTest):
    def compare(self, a, b, *options):
        write(self.folder / "a.jsonl", a)
        write(self.folder / "b.jsonl", b)
        done = subprocess.run([PYTHON, "-B", PROGRAMS / "compare.py", "--output=out.html", *options, "a.jsonl", "b.jsonl"],
                              cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return self.read()

    def test_pages_with_most_changes_first(self):
        a = [page(n, [region(box=(10, 90 * i, 99, 90 * i + 80)) for i in range(n)]) for n in range(1, 8)]
        b = [page(n) for n in range(1, 8) if n != 2]
        document = self.compare(a, b)
        Report.check_closed(self, document)
        self.assertEqual([p["page"] for p in document.data("data-pages")], [2, 7, 6, 5, 4, 3, 1])
        document = self.compare(a, b, "--most", "3")
        self.assertEqual([p["page"] for p in document.data("data-pages")], [2, 7, 6])
        self.assertEqual(document.data("data-summary")["pages"]["differing"], 7)
        self.assertEqual(self.compare(a, a).data("data-pages"), [])

    def test_hostile_text_is_data(self):
        harmless = self.compare([page(1, [region()])], [page(1)])
        a, b = [page(1, [region(HOSTILE, text=HOSTILE)])], [page(1, error=HOSTILE)]
        found = self.compare(a, b)
        self.assertEqual([tag for tag, _ in found.elements], [tag for tag, _ in harmless.elements])
        self.assertEqual(found.data("data-pages")[0]["a"]["regions"], a[0]["regions"])
        self.assertEqual(found.data("data-pages")[0]["b"]["error"], HOSTILE)


class Colors(unittest.TestCase):
    def test_same_table_as_the_overlay(self):
        """common.js draws labels in the colours of gst/gstdoclabels.c."""
        source = (ROOT / "gst" / "gstdoclabels.c").read_text(encoding="utf-8")
        values = dict(re.findall(r"^  ([A-Z]+) = 0x([0-9a-f]{6}),$", source, re.MULTILINE))
        rows = [(values[name].lower(), re.findall(r'"(\w+)"', labels)) for name, labels
                in re.findall(r"^  \{([A-Z]+), \{(.*?)\}\}", source, re.MULTILINE | re.DOTALL)]
        script = (PROGRAMS / "common.js").read_text(encoding="utf-8")
        ours = [(color, labels.split()) for color, labels in re.findall(r"\['#([0-9a-f]{6})', '([\w ]+)'\]", script)]
        self.assertEqual(len(rows), 9)
        self.assertEqual(ours, rows)


if __name__ == "__main__":
    unittest.main(verbosity=2)
