# SPDX-License-Identifier: LGPL-2.1-or-later
"""The reports in a headless Chromium, as their readers use them. Skipped where there is no such browser."""
import json
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import browser
from results import HEIGHT, WIDTH, page, region, write
from test_report import HOSTILE, PICTURE, PROGRAMS, PYTHON

if not browser.find():
    print(f"skipped: there is no browser ({', '.join(browser.NAMES)})")
    sys.exit(77)

UNKNOWN = "a label that no table has"
MUTED = "332288 cc6677 117733 88ccee ddcc77 999933 aa4499 882255 44aa99".split()


def fnv1a(data):
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xffffffff
    return value


def two_columns(count):
    """Regions that are read down the left column and then down the right one."""
    boxes = [(40 + 280 * column, 40 + 70 * row, 280 + 280 * column, 100 + 70 * row) for column in (0, 1) for row in range(10)]
    return [region(("title", "text", "text", UNKNOWN)[i % 4], box, round(0.5 + i / 40, 2), text=f"words of {i}\nsecond line")
            for i, box in enumerate(boxes[:count])]


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.log.clear()
        self.addCleanup(lambda: self.assertEqual(self.browser.log, []))

    def run_js(self, expression):
        return self.browser.run(expression)

    def write_report(self, pages, pictures=()):
        write(self.folder / "r.jsonl", pages)
        shutil.rmtree(self.folder / "pictures", ignore_errors=True)
        (self.folder / "pictures").mkdir()
        for number in pictures:
            (self.folder / "pictures" / f"page-{number}.png").write_bytes(PICTURE)
        subprocess.run([PYTHON, "-B", PROGRAMS / "report.py", "--document=b.pdf", "r.jsonl", "pictures", "out.html"],
                       cwd=self.folder, capture_output=True, check=False)
        return self.folder / "out.html"

    def open_report(self, pages, pictures=(), fragment=""):
        self.browser.open(self.write_report(pages, pictures), fragment)
        self.browser.settle()

    def texts(self, selector):
        return self.run_js(f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)")

    def check_names(self):
        """What can be worked with has a name for those who do not see it."""
        nodes = self.browser.call("Accessibility.getFullAXTree")["nodes"]
        operable = [n for n in nodes if n.get("role", {}).get("value") in
                    ("button", "checkbox", "slider", "spinbutton", "searchbox", "link", "image", "navigation", "dialog")]
        self.assertGreater(len(operable), 10)
        for node in operable:
            self.assertTrue(node["ignored"] or node["name"]["value"].strip(), node)


class Report(ReportTest):
    def test_asks_for_nothing(self):
        self.open_report([page(1, two_columns(4)), page(2)], pictures=[1, 2])
        self.assertTrue(all(url.startswith(("file://", "blob:")) for url in self.browser.requests), self.browser.requests)
        self.assertEqual(len([url for url in self.browser.requests if url.startswith("file:")]), 1)
        self.assertEqual(self.run_js("document.querySelector('.sheet img').naturalWidth"), 200)
        self.check_names()

    def test_policy_is_in_force(self):
        self.open_report([page(1)])
        self.assertIn("refused", self.run_js(
            "new Promise((done) => { addEventListener('securitypolicyviolation', (e) => done(`refused ${e.blockedURI}`));"
            " document.body.append(Object.assign(new Image(), {src: 'https://example.invalid/x.png'})); })"))
        self.browser.log.clear()

    def test_hostile_text(self):
        pages = [page(1, [region(HOSTILE, text=HOSTILE)], document="file:///x/" + HOSTILE),
                 page(2, error=HOSTILE, document="file:///x/" + HOSTILE)]
        self.open_report(pages, fragment="#page-1-region-0")
        self.assertEqual(self.run_js("document.querySelectorAll('script:not([type])').length"), 1)
        shown = self.texts("#classes bdi, .reason bdi, #details h2 bdi, .tag text")
        self.assertEqual(len(shown), 4)
        for text in shown:
            self.assertIn("</script><script>alert(1)</script>", text)
            for character in ("\u2400", "\u241b", "[U+202E]", "[U+2028]"):
                self.assertIn(character, text)
        self.assertIn("[U+202E]", self.texts("#details pre")[0])

    def test_regions_and_order(self):
        self.open_report([page(1, two_columns(20))])
        boxes = self.run_js("[...document.querySelectorAll('.region')].map((g) => [+g.dataset.at, ..."
                            "['x', 'y', 'width', 'height'].map((a) => +g.querySelector('.box').getAttribute(a))])")
        expected = [[i, r["bbox"][0], r["bbox"][1], r["bbox"][2] - r["bbox"][0], r["bbox"][3] - r["bbox"][1]]
                    for i, r in enumerate(two_columns(20))]
        self.assertEqual(sorted(boxes), expected)
        self.assertEqual(self.run_js("document.querySelector('.sheet svg').getAttribute('viewBox')"), f"0 0 {WIDTH} {HEIGHT}")
        way = self.run_js("document.querySelector('.way').getAttribute('d')")
        self.assertTrue(way.startswith("M160 70L160 140L"), way)
        self.assertEqual(way.count("L"), 19)
        self.assertEqual([text.split()[0] for text in sorted(self.texts(".tag"), key=lambda t: int(t.split()[0]))],
                         [str(i + 1) for i in range(20)])
        # The page's box and that of its regions are the same.
        self.assertEqual(*self.run_js("['.sheet', '.sheet svg'].map((s) => { const b = document.querySelector(s)"
                                      ".getBoundingClientRect(); return [b.x, b.y, b.width, b.height].map(Math.round); })"))

    def test_small_regions_can_be_pointed_at(self):
        self.open_report([page(1, [region("title", (150, 150, 160, 160)), region("text", (100, 100, 300, 300))])])
        self.run_js("goToPage(0)")
        self.browser.click(".region[data-at='0'] .box")
        self.assertEqual(self.texts("#details h2 bdi"), ["title"])

    def test_colors(self):
        self.open_report([page(1, two_columns(4))])
        for label, color in (("text", MUTED[0]), ("Section-Header", MUTED[1]), ("List item", MUTED[8]),
                             *((name, MUTED[fnv1a(name.encode()) % 9]) for name in (UNKNOWN, "", "ü", "Kopfzeile"))):
            self.assertEqual(self.run_js(f"colorOf({json.dumps(label)})"), f"#{color}", label)

    def test_classes_and_scores(self):
        self.open_report([page(n, two_columns(20)) for n in (1, 2)])
        self.assertEqual(self.texts("#shown"), ["40 regions shown, on 2 pages"])
        self.browser.click("#classes li:first-child input")  # text, the most frequent
        self.assertEqual(self.texts("#shown"), ["20 regions shown, on 2 pages"])
        self.assertEqual(self.run_js("document.querySelectorAll('#page-1 .region').length"), 10)
        self.browser.click("#none")
        self.assertEqual(self.run_js("document.querySelectorAll('.region').length"), 0)
        self.browser.click("#all")
        self.run_js("byId('least').value = 0.75, byId('least').dispatchEvent(new Event('input'))")
        self.browser.settle()
        self.assertEqual(self.run_js("document.querySelectorAll('#page-1 .region').length"), 10)  # 0.75 to 0.975
        self.assertEqual(self.texts("#least-value"), ["0.75"])
        self.assertEqual(self.run_js("document.querySelector('#page-1 .way').getAttribute('d').split('L').length"), 10)

    def test_details(self):
        self.open_report([page(1, two_columns(3)), page(2, [region(), region(text="")])])
        self.run_js("goToPage(0)")
        self.browser.click(".region[data-at='2'] .box")
        self.assertEqual(self.texts("#details pre"), ["words of 2\nsecond line"])
        self.assertEqual(self.texts("#details dd"), ["1", "3 of 3", "0.5500", "40, 180, 280, 240", "28.8, 129.6, 201.6, 172.8"])
        self.assertEqual(self.run_js("location.hash"), "#page-1-region-2")
        self.browser.key("ArrowRight")
        self.assertIn("without --text true", self.texts("#details")[0])
        self.browser.key("ArrowRight")
        self.assertIn("no text in this region", self.texts("#details")[0])
        self.browser.key("ArrowRight")  # round to the first
        self.assertEqual(self.texts("#details dd")[:2], ["1", "1 of 3"])
        self.assertEqual(self.run_js("document.activeElement.getAttribute('aria-label')"),
                         "Region 1 of 3: title, score 0.50")
        self.browser.key("Escape")
        self.assertTrue(self.run_js("byId('details').hidden"))

    def test_keys_and_addresses(self):
        pages = [page(n, two_columns(2), error="too slow" if n == 7 else None) for n in range(1, 10)]
        for failed in pages[6:7]:
            failed["regions"] = []
        self.open_report(pages, fragment="#page-3")
        at = "currentIndex() + 1"
        self.assertEqual(self.run_js(at), 3)
        for key, number in (("j", 4), ("j", 5), ("k", 4), ("f", 7)):
            self.browser.key(key)
            self.assertEqual(self.run_js(at), number, key)
        self.assertEqual(self.texts("#page-7 .reason"), ["This page failed: too slow"])
        self.assertEqual(self.texts("#failures li"), ["Page 7: too slow"])
        self.browser.key("?")
        self.assertTrue(self.run_js("byId('keys').open"))
        self.browser.key("j")  # not behind the dialog
        self.assertEqual(self.run_js(at), 7)
        self.browser.key("Escape")
        self.run_js("location.hash = '#page-2-region-1'")
        self.browser.settle()
        self.assertEqual(self.texts("#details dd")[:2], ["2", "2 of 2"])
        self.browser.key("o")
        self.assertEqual(self.run_js("document.querySelectorAll('.way').length"), 0)
        self.browser.key("l")
        self.assertEqual(self.run_js("document.querySelectorAll('.tag').length"), 0)

    def test_search(self):
        self.open_report([page(1, two_columns(20)), page(2, [region(text=t) for t in ("A needle here", "needles")])])
        self.browser.key("/")
        for letter in "needle":
            self.browser.key(letter)
        self.assertEqual(self.texts("#found"), ["2 regions"])
        self.assertEqual(self.texts("#details pre"), ["A needle here"])
        for text in ("needles", "A needle here"):
            self.browser.key("Enter")
            self.assertEqual(self.texts("#details pre"), [text])

    def test_themes(self):
        self.open_report([page(1)])
        ground = "getComputedStyle(document.body).backgroundColor"
        self.browser.media(prefers_color_scheme="light")
        light = self.run_js(ground)
        self.browser.media(prefers_color_scheme="dark")
        dark = self.run_js(ground)
        self.assertNotEqual(light, dark)
        self.browser.key("t")
        self.assertEqual(self.run_js(ground), light)
        self.browser.key("t")
        self.assertEqual(self.run_js(ground), dark)
        self.browser.media()

    def test_print(self):
        self.open_report([page(n, two_columns(4)) for n in range(1, 31)], pictures=range(1, 31))
        self.browser.pdf(self.folder / "print.pdf")
        info = subprocess.run(["pdfinfo", self.folder / "print.pdf"], capture_output=True, text=True, check=True).stdout
        self.assertRegex(info, r"Pages: +3[12]\n")
        images = subprocess.run(["pdfimages", "-list", self.folder / "print.pdf"], capture_output=True, text=True, check=True)
        self.assertEqual(len({line.split()[0] for line in images.stdout.splitlines()[2:]}), 30)
        text = subprocess.run(["pdftotext", self.folder / "print.pdf", "-"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(text.count("title 0.50"), 30)
        self.assertLess(self.run_js("sheets.filter((sheet) => sheet.built).length"), 10)

    def test_saved_lines(self):
        pages = [page(1, two_columns(3)), page(2, [region(HOSTILE)])]
        self.open_report(pages)
        self.browser.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(self.folder))
        self.browser.click("#download")
        saved = self.folder / "b.jsonl"
        for _ in range(100):
            if saved.exists():
                break
            time.sleep(0.05)
        self.assertEqual([json.loads(line) for line in saved.read_text(encoding="utf-8").splitlines()], pages)

    def test_many_pages(self):
        """What is near the window is there, nothing else, whatever the number of pages."""
        self.open_report([page(n, two_columns(20)) for n in range(1, 1001)], pictures=range(1, 1001))
        built = "sheets.filter((sheet) => sheet.built).length"
        self.assertLess(self.run_js(built), 10)
        for index in range(0, 701, 70):
            self.run_js(f"goToPage({index})")
            self.browser.settle()
        self.assertLess(self.run_js(built), 10)
        self.assertEqual(self.run_js("document.querySelectorAll('.sheet img').length"), self.run_js(built))
        self.assertTrue(self.run_js("sheets[700].built"))
        took = self.run_js("(async () => { const times = []; for (let i = 0; i < 11; i++) { const start = performance.now();"
                           " document.querySelector('#classes input').click();"
                           " await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
                           " times.push(performance.now() - start); } return times.sort((a, b) => a - b)[5]; })()")
        print(f"1,000 pages, 20,000 regions: {took:.0f} ms to switch a class", file=sys.stderr)
        self.assertLess(took, 500)

    def test_plots(self):
        pages = [page(n) for n in range(1, 101)]
        pages[40]["timings_ms"]["infer"] = 90000.0
        for one in pages:
            one["timings_ms"]["wait"] = None
        self.open_report(pages)
        self.assertEqual([text.split()[0] for text in self.texts(".timing h3")], ["render", "infer"])
        self.assertEqual(self.texts(".timing > span")[1],
                         "median 71 ms, 95 % within 116 ms, most 90000 ms (the scale is logarithmic)")
        self.assertEqual(self.run_js("document.querySelectorAll('.timing .bars')[1].getAttribute('d').match(/M/g).length"), 100)
        self.assertTrue(self.texts(".timing p")[1].startswith("Slowest pages: 41, 100, 99"))


class Comparison(ReportTest):
    def open_comparison(self, a, b, fragment=""):
        write(self.folder / "a.jsonl", a)
        write(self.folder / "b.jsonl", b)
        subprocess.run([PYTHON, "-B", PROGRAMS / "compare.py", "--output=c.html", "a.jsonl", "b.jsonl"], cwd=self.folder,
                       capture_output=True, check=False)
        self.browser.open(self.folder / "c.html", fragment)
        self.browser.settle()

    def test_side_by_side(self):
        a = [page(1, [region(), region("title", (10, 10, 90, 30)), region("table", (100, 600, 500, 700))]), page(2), page(3)]
        b = [page(1, [region(box=(200, 200, 600, 360), scale=0.36), region("header", (20, 20, 180, 60), scale=0.36),
                      region("table", (200, 1200, 1000, 1400), scale=0.36)], width=1200, height=1600, scale=0.36),
             page(2, [region(text=HOSTILE)]), page(3, error=HOSTILE)]
        self.open_comparison(a, b)
        self.assertEqual(self.texts("#list strong"), ["Page 3", "Page 1", "Page 2"])
        self.check_names()
        self.browser.key("j")
        self.assertIn("</script><script>alert(1)", self.texts(".reason bdi")[0])
        self.browser.key("j")
        marks = self.run_js("[...document.querySelectorAll('figure')]"
                            ".map((f) => [...f.querySelectorAll('.change')].map((g) => g.textContent))")
        self.assertEqual(marks, [["↔ text 0.90", "≠ title 0.90"], ["↔ text 0.90", "≠ header 0.90"]])
        self.assertEqual(self.run_js("document.querySelectorAll('.unchanged').length"), 2)
        ghosts = self.run_js("[...document.querySelectorAll('.ghost')]"
                             ".map((r) => ['x', 'y', 'width', 'height'].map((a) => +r.getAttribute(a)))")
        self.assertEqual(ghosts, [[100, 100, 200, 80], [200, 200, 400, 200]])
        self.browser.key("ArrowRight")
        self.assertEqual(self.run_js("document.querySelectorAll('.change.chosen').length"), 2)
        self.browser.key("u")
        self.assertEqual(self.run_js("document.querySelectorAll('.unchanged').length"), 0)

    def test_kinds(self):
        self.open_comparison([page(1, [region()]), page(2, [region()])], [page(1, [region(score=0.2)]), page(2)])
        self.browser.click("#kinds li:first-child input")  # missing
        self.assertEqual(self.texts("#list strong"), ["Page 1"])
        self.browser.key("j")
        self.assertEqual(self.texts("main th[scope=row]"), ["% with another score"])

    def test_nothing_changed(self):
        self.open_comparison([page(1, [region()])], [page(1, [region()])])
        self.assertEqual(self.texts("main h2"), ["Nothing changed"])
        self.browser.key("j")
        self.assertEqual(self.texts("main h2"), ["Nothing changed"])

    def test_texts(self):
        self.open_comparison([page(1, [region(text="one")])], [page(1, [region(text="two" + HOSTILE)])])
        self.browser.key("j")
        self.assertEqual(self.texts(".texts pre")[0], "one")
        self.assertIn("[U+202E]", self.texts(".texts pre")[1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
