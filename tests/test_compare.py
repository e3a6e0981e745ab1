# SPDX-License-Identifier: LGPL-2.1-or-later
"""compare.sh on results that are made up: each kind of change, pages, limits, statuses, bad input. No plugin is needed."""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from results import page, region, write

ROOT = Path(__file__).resolve().parent.parent
COMPARE = ROOT / "pipelines" / "compare.sh"
KINDS = ("missing", "new", "relabelled", "moved", "score", "text", "reordered")
FAR = (100, 500, 300, 600)


class CompareTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def run_script(self, *args, status=None, limit=resource.RLIM_INFINITY):
        """Runs it, where no file may be larger than `limit` bytes."""
        done = subprocess.run([COMPARE, *map(str, args)], cwd=self.folder, text=True, timeout=120, check=False,
                              capture_output=True, stdin=subprocess.DEVNULL,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        if status is not None:
            self.assertEqual(done.returncode, status, f"{done.stdout}\n{done.stderr}")
        return done

    def compare(self, a, b, *options):
        """The JSON object for two lists of pages; the exit status and the text are checked to agree with it."""
        files = [write(self.folder / name, pages).name for name, pages in (("a.jsonl", a), ("b.jsonl", b))]
        done = self.run_script(*files, "--json", *options)
        self.assertEqual(done.stderr, "")
        found = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if found["same"] else 1)
        self.assertEqual(found["same"], not found["differences"])
        self.assertEqual(found["pages"]["differing"], len(found["differences"]))
        text = self.run_script(*files, *options, status=done.returncode).stdout
        self.assertEqual("none differ" in text, found["same"], text)
        return found

    def kinds_of(self, a, b, *options):
        """Kinds of the changes between two pages with these regions."""
        found = self.compare([page(1, a)], [page(1, b)], *options)
        kinds = [change["kinds"] for difference in found["differences"] for change in difference["changes"]]
        for kind in KINDS:
            self.assertEqual(found["regions"][kind], sum(kind in some for some in kinds))
        self.assertEqual(found["regions"]["same"] + sum("missing" not in some and "new" not in some for some in kinds)
                         + found["regions"]["missing"], len(a))
        return kinds


class Kinds(CompareTest):
    def test_same(self):
        regions = [region(), region("title", FAR)]
        found = self.compare([page(1, regions), page(2)], [page(1, regions), page(2)])
        self.assertTrue(found["same"])
        self.assertEqual((found["regions"]["same"], found["regions"]["mean_iou"]), (2, 1))
        self.assertEqual(found["labels"]["title"]["same"], 1)

    def test_missing_and_new(self):
        self.assertEqual(self.kinds_of([region(), region("title", FAR)], [region()]), [["missing"]])
        self.assertEqual(self.kinds_of([region()], [region(), region("title", FAR)]), [["new"]])
        self.assertEqual(self.kinds_of([region()], [region(box=FAR)]), [["missing"], ["new"]])

    def test_moved(self):
        # 200 by 100 pixels against 200 by 92: IoU 0.92; by 85: 0.85; by 49: below 0.5
        self.assertEqual(self.kinds_of([region()], [region(box=(100, 100, 300, 192))]), [])
        self.assertEqual(self.kinds_of([region()], [region(box=(100, 100, 300, 185))]), [["moved"]])
        self.assertEqual(self.kinds_of([region()], [region(box=(100, 100, 300, 149))]), [["missing"], ["new"]])
        self.assertEqual(self.kinds_of([region()], [region(box=(100, 100, 300, 192))], "--moved", "0.95"), [["moved"]])
        self.assertEqual(self.kinds_of([region()], [region(box=(100, 100, 300, 199.9))], "--moved=1"), [["moved"]])
        self.assertEqual(self.kinds_of([region()], [region(box=(100, 100, 300, 149))], "--iou", "0.4"), [["moved"]])

    def test_relabelled(self):
        found = self.compare(*([page(1, [region(label), region("table", FAR)])] for label in ("text", "title")))
        self.assertEqual(found["relabelled"], [{"from": "text", "to": "title", "regions": 1}])
        self.assertEqual(found["labels"]["text"]["relabelled"], 1)
        self.assertEqual(found["differences"][0]["changes"][0]["kinds"], ["relabelled"])

    def test_own_label_comes_first(self):
        """Two boxes at one place are matched by label, not by the last hundredth of overlap."""
        a = [region("text"), region("title", (100, 100, 300, 199))]
        self.assertEqual(self.kinds_of(a, [region("text", (100, 100, 300, 199)), region("title")]), [])

    def test_equal_regions_are_the_same(self):
        """However well each of two pairs of others would overlap."""
        a = [region(box=(0, 0, 100, 100)), region(box=(0, 0, 100, 70))]
        b = [region(box=(0, 0, 100, 100)), region(box=(0, 30, 100, 100))]
        self.assertEqual(self.kinds_of(a, b), [["missing"], ["new"]])

    def test_score(self):
        self.assertEqual(self.kinds_of([region(score=0.9)], [region(score=0.85)]), [])
        self.assertEqual(self.kinds_of([region(score=0.9)], [region(score=0.84)]), [["score"]])
        self.assertEqual(self.kinds_of([region(score=0.9)], [region(score=0.8999)], "--score", "0"), [["score"]])
        self.assertEqual(self.kinds_of([region(score=0.9)], [region(score=0.5)], "--score", "0.5"), [])

    def test_text(self):
        self.assertEqual(self.kinds_of([region(text="a b\nc")], [region(text="a b c ")]), [])
        self.assertEqual(self.kinds_of([region(text="a b")], [region(text="a B")]), [["text"]])
        self.assertEqual(self.kinds_of([region(text="a")], [region()]), [])
        self.assertEqual(self.kinds_of([region(text=None)], [region(text="a")]), [])

    def test_reordered(self):
        boxes = [(100, y, 300, y + 50) for y in (100, 200, 300, 400)]
        a = [region(box=box) for box in boxes]
        self.assertEqual(self.kinds_of(a, [a[3], a[0], a[1], a[2]]), [["reordered"]])
        # What is missing or new moves nothing else.
        self.assertEqual(self.kinds_of(a, [region("title", (400, 0, 500, 50)), *a[1:]]), [["missing"], ["new"]])

    def test_several_at_once(self):
        self.assertEqual(self.kinds_of([region()], [region("title", (100, 100, 300, 180), 0.5)]),
                         [["relabelled", "moved", "score"]])


class Pages(CompareTest):
    def test_only_in_one(self):
        found = self.compare([page(1), page(2), page(3)], [page(2), page(4)])
        self.assertEqual([(d["page"], d["state"]) for d in found["differences"]],
                         [(1, "only_a"), (3, "only_a"), (4, "only_b")])
        self.assertEqual((found["pages"]["compared"], found["pages"]["only_a"], found["pages"]["only_b"]), (1, 2, 1))

    def test_failed(self):
        found = self.compare([page(1, error="too slow"), page(2, [region()]), page(3, error="x")],
                             [page(1, [region()]), page(2, error="it crashed"), page(3, error="y")])
        self.assertEqual([(d["page"], d["state"], d["errors"]) for d in found["differences"]],
                         [(1, "failed_a", ["too slow", None]), (2, "failed_b", [None, "it crashed"])])
        self.assertEqual((found["pages"]["failed_both"], found["a"]["failed"], found["b"]["failed"]), (1, 2, 2))
        self.assertEqual(found["regions"]["new"], 0)  # nobody looked there

    def test_any_order(self):
        pages = [page(n, [region(score=n / 10)]) for n in (1, 2, 3, 4)]
        self.assertTrue(self.compare(pages, [pages[3], pages[1], pages[0], pages[2]])["same"])

    def test_page_twice(self):
        twice = [page(1, [region()]), page(1, [region("title")])]
        self.assertTrue(self.compare(twice, twice)["same"])
        self.assertEqual(self.compare(twice, twice[:1])["pages"]["only_a"], 1)
        self.assertTrue(self.compare([*twice, page(2)], [page(2), *twice])["same"])

    def test_other_frame_sizes(self):
        """At twice the resolution boxes are the same, by points and without them."""
        large = region(box=(200, 200, 600, 400), scale=0.36)
        self.assertTrue(self.compare([page(1, [region()])], [page(1, [large], width=1200, height=1600, scale=0.36)])["same"])
        for scales in ((None, None), (0.72, None)):
            a = page(1, [region(scale=scales[0])], scale=scales[0])
            b = page(1, [region(box=(200, 200, 600, 400), scale=scales[1])], width=1200, height=1600, scale=scales[1])
            self.assertTrue(self.compare([a], [b])["same"])

    def test_points_go_before_pixels(self):
        """A page fitted into a wider frame has its boxes elsewhere in pixels, and where they were in points."""
        fitted = region(box=(300, 100, 500, 200))
        fitted["bbox_pt"] = region()["bbox_pt"]
        b = page(1, [fitted], width=1000)
        b["size_pt"] = page()["size_pt"]
        self.assertTrue(self.compare([page(1, [region()])], [b])["same"])

    def test_resized(self):
        b = page(1)
        b["size_pt"] = [page()["size_pt"][0] + 10, page()["size_pt"][1]]
        found = self.compare([page(1)], [b])
        self.assertEqual((found["pages"]["resized"], found["differences"][0]["resized"]), (1, True))

    def test_documents(self):
        # One each: the same, wherever it lay.
        self.assertTrue(self.compare([page(1, document="file:///x/a.pdf")], [page(1, document="file:///y/b.pdf")])["same"])
        # Several: by their files' names, in whichever order and folder.
        a = [page(n, [region(name)], document=f"file:///old/{name}.pdf") for name in ("a", "b%20c") for n in (1, 2)]
        b = [page(n, [region(name)], document=f"file:///new/{name}.pdf") for name in ("b%20c", "a") for n in (1, 2)]
        self.assertTrue(self.compare(a, b)["same"])
        found = self.compare(a, b[:2])
        self.assertEqual([(d["document"], d["state"]) for d in found["differences"]], [("a.pdf", "only_a")] * 2)
        # Two of one name in one result: by their URIs.
        a = [page(1, [region(folder)], document=f"file:///{folder}/a.pdf") for folder in "xy"]
        self.assertTrue(self.compare(a, a[::-1])["same"])
        self.assertTrue(self.compare([page(1, document=None)], [page(1, document=None)])["same"])


class Output(CompareTest):
    def write_both(self):
        write(self.folder / "a.jsonl", [page(1, [region(), region("table", FAR)]), page(2)])
        write(self.folder / "b.jsonl", [page(1, [region("\x1b[31m\u202etitle")]), page(2, error="no\nway")])

    def test_text(self):
        self.write_both()
        done = self.run_script("a.jsonl", "b.jsonl", status=1)
        self.assertEqual(done.stdout.splitlines()[:4], [
            "page 1: 1 missing, 1 relabelled",
            "  relabelled: text 0.90 at 72, 72, 216, 144 -> \\x1b[31m\\u202etitle 0.90 at 72, 72, 216, 144 (IoU 1.000)",
            "  missing: table 0.90 at 72, 360, 216, 432",
            "page 2: failed in B only: no\\nway"])
        self.assertIn("regions: 2 in A, 1 in B; 0 the same, 1 missing, 1 relabelled\n", done.stdout)
        summary = self.run_script("a.jsonl", "b.jsonl", "--summary", status=1)
        self.assertEqual(summary.stdout.splitlines(), done.stdout.splitlines()[4:])
        self.assertEqual(json.loads(self.run_script("a.jsonl", "b.jsonl", "--json", "--summary").stdout)["differences"], [])

    def test_pipes(self):
        self.write_both()
        command = f"{COMPARE} <(cat a.jsonl) <(cat a.jsonl)"
        done = subprocess.run(["bash", "-c", command], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_reader_that_leaves(self):
        self.write_both()
        done = subprocess.run(["bash", "-c", f"{COMPARE} a.jsonl b.jsonl | true"], cwd=self.folder, capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.stderr, "")

    def test_names_that_are_odd(self):
        self.write_both()
        for name in ("-a b'\"%$x.jsonl", "ü\n.jsonl"):
            shutil.copy(self.folder / "a.jsonl", self.folder / name)
            self.run_script("--", name, name, status=0)
        self.run_script("--", os.fsdecode(b"\xff.jsonl"), "a.jsonl", status=2)

    def test_help(self):
        done = self.run_script("--help", status=0)
        self.assertTrue(done.stdout.startswith("usage: compare.sh A.jsonl B.jsonl"))


class BadInput(CompareTest):
    def refuse(self, text, *args, **kwargs):
        done = self.run_script(*args, status=2, **kwargs)
        self.assertIn(text, done.stderr)
        self.assertEqual((len(done.stderr.splitlines()), done.stdout), (1, ""), done.stderr)

    def test_usage(self):
        write(self.folder / "a.jsonl", [page(1)])
        self.refuse("give two results", "a.jsonl")
        self.refuse("give two results", "a.jsonl", "a.jsonl", "a.jsonl")
        self.refuse("from 0 to 1", "a.jsonl", "a.jsonl", "--moved", "2")
        self.refuse("from 0 to 1", "a.jsonl", "a.jsonl", "--score=x")
        self.refuse("above 0", "a.jsonl", "a.jsonl", "--iou", "0")
        self.refuse("a number from 0", "a.jsonl", "a.jsonl", "--most", "-1", "-o", "x.html")
        self.refuse("needs a value", "a.jsonl", "a.jsonl", "--iou")
        self.refuse("no option for --nosuch=1", "a.jsonl", "a.jsonl", "--nosuch", "1")
        self.refuse("unknown option -x", "a.jsonl", "a.jsonl", "-x")
        self.refuse("name it with -o", "a.jsonl", "a.jsonl", "--pdf", "a.pdf")

    def test_files(self):
        write(self.folder / "a.jsonl", [page(1)])
        (self.folder / "empty.jsonl").write_bytes(b"\n\n")
        self.refuse("nosuch.jsonl: No such file", "a.jsonl", "nosuch.jsonl")
        self.refuse("Is a directory", "a.jsonl", ".")
        self.refuse("empty.jsonl has no pages", "empty.jsonl", "a.jsonl")

    def test_lines(self):
        good = json.dumps(page(1))
        region_text = json.dumps(page(1, [region()]))
        for what, line in (
                ("is not JSON", "{"), ("is not JSON", good[:-1]), ("no object with", "7"), ("no object with", "{}"),
                ("page is not a number from 1", good.replace('"page": 1', '"page": 0')),
                ("page is not a number from 1", good.replace('"page": 1', '"page": true')),
                ("document is neither", good.replace('"file:///a/b.pdf"', "7")),
                ("width is not", good.replace('"width": 600', '"width": 1.5')),
                ("size_pt is neither", good.replace("[432.0", "[0")),
                ("status is neither", good.replace('"ok"', '"well"')),
                ("error does not go with status", good.replace('"ok"', '"error"')),
                ("error does not go with status", good.replace('"error": null', '"error": "x"')),
                ("NaN is no number", region_text.replace("0.9", "NaN")),
                ("region 0 has no score", region_text.replace("0.9", "1e999")),
                ("region 0 has no label", region_text.replace('"text"', "null")),
                ("bbox of region 0", region_text.replace("[100.0, 100.0,", "[100.0,")),
                ("bbox_pt of region 0", region_text.replace("[72.0, 72.0,", "[72.0,")),
                ("not an array", good.replace('"regions": []', '"regions": null')),
                ("nested too deeply", "[" * 100000)):
            with self.subTest(what, line=line[:60]):
                (self.folder / "bad.jsonl").write_text(f"{good}\n\n{line}\n", encoding="ascii")
                write(self.folder / "a.jsonl", [page(1)])
                self.refuse("bad.jsonl, line 3: ", "a.jsonl", "bad.jsonl")
                self.refuse(what, "bad.jsonl", "a.jsonl")

    def test_bytes_that_are_no_text(self):
        (self.folder / "bad.jsonl").write_bytes(json.dumps(page(1)).encode().replace(b"m.onnx", b"m\xff.onnx") + b"\n")
        self.refuse("line 1: is not UTF-8", "bad.jsonl", "bad.jsonl")

    def test_report_that_cannot_be_written(self):
        write(self.folder / "a.jsonl", [page(1)])
        self.refuse("nowhere/x.html", "a.jsonl", "a.jsonl", "-o", "nowhere/x.html")
        self.refuse("x.html: File too large", "a.jsonl", "a.jsonl", "-o", "x.html", limit=10000)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["a.jsonl"])


class Size(CompareTest):
    def test_many_pages(self):
        """10,000 pages of 20 regions that have all moved a little, in the memory of a few."""
        boxes = [(50 + 250 * (i % 2), 40 + 70 * (i // 2), 280 + 250 * (i % 2), 100 + 70 * (i // 2)) for i in range(20)]
        for name, shift in (("a.jsonl", 0), ("b.jsonl", 1)):
            regions = [region("text" if i % 3 else "title", [v + shift for v in box]) for i, box in enumerate(boxes)]
            write(self.folder / name, (page(n, regions) for n in range(1, 10001)))
        start = time.monotonic()
        self.run_script("a.jsonl", "b.jsonl", "--summary", status=0)
        seconds = time.monotonic() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"10,000 pages, 400,000 regions: {seconds:.1f} s, peak {peak:.0f} MiB", file=sys.stderr)
        self.assertLess(peak, 100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
