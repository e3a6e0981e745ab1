# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reading order and text of regions, from PDF to JSON, beside what pdftotext says of the same pages.

usage: test_text.py SOURCE-ROOT [--report]

Which word is of which region is computed here once more, from pdftotext's words and the boxes in the lines. The
order of regions is compared with that of their words in the file (pdftotext -raw): Kendall's tau, beside that of
the upper edges of their boxes. The first pages of every PDF in DOCLAYOUT_TEST_DATA follow the sample document where
there are any; with --report all pages, one line a document.
"""
import collections
import json
import os
import re
import subprocess
import sys
import unicodedata
import unittest
from html import unescape
from pathlib import Path

try:
    import jsonschema
except ImportError as error:
    print(f"skipped: {error.name} is not installed (tests/run.sh makes an environment that has it)")
    sys.exit(77)

REPORT = "--report" in sys.argv and sys.argv.remove("--report") is None
ROOT = Path(sys.argv.pop(1))
SAMPLE = ROOT / "pipelines/sample.pdf"
DATA = Path(os.environ.get("DOCLAYOUT_TEST_DATA") or ROOT.parent / "shared" / "data") / "pdf"
MODEL = Path(os.environ.get("DOCLAYOUT_MODEL") or
             Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gst-doclayout/layout_cdla.onnx")
PAGES = 100000 if REPORT else 3
LEAST_SHARE = 0.2
NOT_SNAPPED = ("figure", "table", "equation")

Word = collections.namedtuple("Word", "text x0 y0 x1 y1 line")


def detect(pdf, source="text=true", detector=""):
    done = subprocess.run(["gst-launch-1.0", "-q", "pdfsrc", f"location={pdf}", f"pages=-{PAGES}", source, "!",
                           "cudalayoutdetect", *detector.split(), "!", "jsonsink"], capture_output=True, timeout=600,
                          check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def pdftotext(pdf, *options):
    """The words of each page, with their lines where pdftotext tells them."""
    done = subprocess.run(["pdftotext", "-cropbox", *options, "-l", str(PAGES), str(pdf), "-"], capture_output=True,
                          check=True)
    pages = []
    for page in done.stdout.decode("utf-8", "replace").split("<page ")[1:]:
        words = []
        for number, line in enumerate(page.split("<line ")):
            for found in re.finditer(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>', line):
                words.append(Word(unescape(found[5]), *map(float, found.groups()[:4]), number))
        pages.append(words)
    return pages


def count(text):
    """Characters that are no white space."""
    return sum(unicodedata.category(c)[0] != "Z" and c not in "\t\n\f\r" for c in text)


def shared(word, box):
    """The share of the word's area that the box covers."""
    area = (word.x1 - word.x0) * (word.y1 - word.y0)
    width, height = min(word.x1, box[2]) - max(word.x0, box[0]), min(word.y1, box[3]) - max(word.y0, box[1])
    return max(width, 0) * max(height, 0) / area if area > 0 else float("nan")


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def owners(word, regions):
    """The regions that may have the word, as far as boxes with two decimals tell; empty: none has."""
    shares = [shared(word, r["bbox_pt"]) for r in regions]
    if any(share != share for share in shares):
        return None
    most = max(shares, default=0)
    if most < LEAST_SHARE - 0.005:
        return set()
    best = [i for i, share in enumerate(shares) if share > most - 0.005]
    if most > 0.9999:
        whole = [i for i in best if shares[i] > 0.9999]
        if len(whole) == len(best):
            least = min(area(regions[i]["bbox_pt"]) for i in best)
            best = [i for i in best if area(regions[i]["bbox_pt"]) < least * 1.001 + 0.1]
    return set(best) | ({None} if most < LEAST_SHARE + 0.005 else set())


def tau(order, ranks):
    """Kendall's tau of regions in an order and the places of their words; None with fewer than two that have any."""
    known = [ranks[i] for i in order if ranks[i] is not None]
    n = len(known)
    pairs = sum(1 if known[a] < known[b] else -1 for a in range(n) for b in range(a + 1, n))
    return 2 * pairs / (n * (n - 1)) if n > 1 else None


def places(regions, words):
    """The middle one of the places of each region's words."""
    found = [[] for _ in regions]
    for place, word in enumerate(words):
        mine = owners(word, regions)
        if mine and len(mine) == 1 and None not in mine:
            found[mine.pop()].append(place)
    return [sorted(p)[len(p) // 2] if p else None for p in found]


class Text(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.documents = [SAMPLE, *sorted(DATA.glob("*.pdf"))]
        cls.lines = {pdf: detect(pdf) for pdf in cls.documents}
        cls.words = {pdf: pdftotext(pdf, "-bbox-layout") for pdf in cls.documents}

    def pages(self):
        """But those with Arabic or Hebrew, of which pdftotext gives letters in the order in which they stand."""
        for pdf in self.documents:
            self.assertEqual(len(self.lines[pdf]), len(self.words[pdf]))
            for page, words in zip(self.lines[pdf], self.words[pdf]):
                if not any(re.search("[\u0590-\u08ff\ufb1d-\ufefc]", word.text) for word in words):
                    yield f"{pdf.name} page {page['page']}", page, words

    def test_schema(self):
        schema = json.loads((ROOT / "docs/gst-doclayout.schema.json").read_text())
        for name, page, _words in self.pages():
            jsonschema.validate(page, schema)
            self.assertEqual([r["id"] for r in page["regions"]], list(range(len(page["regions"]))), name)
            self.assertTrue(all("text" in r for r in page["regions"]), name)

    def test_nothing_is_lost(self):
        """Each word of the page is in one region or in one line that is left over, and once."""
        characters = 0
        for name, page, words in self.pages():
            texts = [r["text"] for r in page["regions"]] + [o["text"] for o in page["orphans"]]
            got = collections.Counter(w for text in texts for w in text.split())
            self.assertEqual(got, collections.Counter(w for word in words for w in word.text.split()), name)
            counts = page["characters"]
            self.assertEqual(counts["page"], sum(count(word.text) for word in words), name)
            self.assertEqual(counts["regions"], sum(count(r["text"]) for r in page["regions"]), name)
            self.assertEqual(counts["page"], counts["regions"] + counts["orphans"], name)
            characters += counts["page"]
        print(f"{characters} characters on {sum(map(len, self.lines.values()))} pages", file=sys.stderr)

    def test_owners(self):
        """A region has its words, in pdftotext's order; what it has beyond that is of lines that it has words of."""
        certain = beyond = 0
        for name, page, words in self.pages():
            regions = page["regions"]
            mine = [owners(word, regions) for word in words]
            for i, region in enumerate(regions):
                tokens = region["text"].split()
                sure = [t for word, who in zip(words, mine) if who == {i} for t in word.text.split()]
                may = collections.Counter(t for word, who in zip(words, mine) if not who or i in who or None in who
                                          for t in word.text.split())
                left = iter(tokens)
                self.assertTrue(all(t in left for t in sure),
                                f"{name} region {i}: {sure} are not in {tokens} in this order")
                self.assertFalse(collections.Counter(tokens) - may, f"{name} region {i} has words of others")
                certain += len(sure)
                beyond += len(tokens) - len(sure)
            of_others = collections.Counter(t for word, who in zip(words, mine) if not who or None in who
                                            for t in word.text.split())
            orphans = collections.Counter(t for o in page["orphans"] for t in o["text"].split())
            self.assertFalse(orphans - of_others, name)
        for page in self.lines[SAMPLE]:
            self.assertEqual(page["orphans"], [], "boxes end before lines do, but all lines are in one")
        self.assertGreater(certain, 1000)
        self.assertLess(beyond, certain / 20)
        print(f"{certain} words are where they were expected, {beyond} more with lines of theirs", file=sys.stderr)

    def test_orphans_boxes(self):
        for name, page, words in self.pages():
            for orphan in page["orphans"]:
                inside = [w for w in words if not shared(w, orphan["bbox_pt"]) <= 0.98]
                tokens = collections.Counter(orphan["text"].split())
                self.assertFalse(tokens - collections.Counter(t for w in inside for t in w.text.split()),
                                 f"{name}: {orphan}")

    def test_order(self):
        """As the words are in the file, and more so than by the boxes' upper edges."""
        ours, edges, whole, pages = [], [], 0, 0
        for pdf in self.documents:
            of_document = []
            for page, words in zip(self.lines[pdf], pdftotext(pdf, "-raw", "-bbox")):
                # Where they stand in the file says nothing of what is read at the page's edge, or beside a picture.
                regions = [r for r in page["regions"] if r["label"] not in ("header", "footer")
                           and not r["label"].endswith("caption")]
                ranks = places(regions, words)
                got = tau(range(len(regions)), ranks)
                if got is None:
                    continue
                by_edge = sorted(range(len(regions)), key=lambda i: (regions[i]["bbox"][1], regions[i]["bbox"][0]))
                ours.append(got)
                edges.append(tau(by_edge, ranks))
                of_document.append(got)
                whole += got == 1
                pages += 1
            if REPORT and of_document:
                print(f"{pdf.name}: {len(of_document)} pages, tau {sum(of_document) / len(of_document):.3f}",
                      file=sys.stderr)
        print(f"order of {pages} pages: tau {sum(ours) / pages:.3f}, wholly alike {whole}; by upper edges "
              f"{sum(edges) / pages:.3f}, {edges.count(1)}", file=sys.stderr)
        self.assertGreater(sum(ours) / pages, 0.85)
        self.assertGreater(sum(ours), sum(edges))

    def test_not_asked_for(self):
        for page in detect(SAMPLE, "text=false"):
            self.assertFalse(any("text" in r for r in page["regions"]))
            self.assertEqual((page["orphans"], page["characters"]), (None, None))

    def test_join_hyphens(self):
        """Words that pdftotext parts at the end of a line are one, and nothing else has changed."""
        joined = kept = 0
        for before, after in zip(self.lines[SAMPLE], detect(SAMPLE, detector="join-hyphens=true")):
            self.assertEqual(before["characters"], after["characters"])
            for old, new in zip(before["regions"], after["regions"]):
                parted = re.findall(r"(\w\w+)-\n([a-z]+)", old["text"])
                joined += len(parted)
                for stem, rest in parted:
                    self.assertRegex(new["text"], f"{stem}-?{rest}")
                    kept += f"{stem}-{rest}" in new["text"]
                self.assertEqual(*(re.sub(r"[-\s]", "", r["text"]) for r in (old, new)))
                self.assertNotRegex(new["text"], r"[a-z]-\n[a-z]")
        self.assertGreater(joined, 5)
        self.assertLess(kept, joined / 4)

    def test_snap(self):
        """Boxes of texts are drawn to their words, as pdftotext has them, and do not come to overlap."""
        exact = texts = 0
        for before, after, words in zip(self.lines[SAMPLE], detect(SAMPLE, detector="snap=true"), self.words[SAMPLE]):
            matched = {(r["label"], r["score"], r["text"]): r for r in before["regions"]}
            for region in after["regions"]:
                old = matched[region["label"], region["score"], region["text"]]
                mine = [w for w in words if owners(w, before["regions"]) == {before["regions"].index(old)}]
                if region["label"] in NOT_SNAPPED or not mine:
                    self.assertEqual(region["bbox"], old["bbox"])
                    continue
                hull = [f(getattr(w, k) for w in mine) for f, k in ((min, "x0"), (min, "y0"), (max, "x1"), (max, "y1"))]
                texts += 1
                exact += all(abs(a - b) < 0.02 for a, b in zip(hull, region["bbox_pt"]))
        print(f"{exact} of {texts} boxes are exactly around their words", file=sys.stderr)
        self.assertGreater(exact, 0.8 * texts)


if __name__ == "__main__":
    if not MODEL.exists():
        print(f"skipped: no model at {MODEL} (tests/run.sh fetches it)")
        sys.exit(77)
    unittest.main(verbosity=1)
