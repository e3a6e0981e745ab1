# SPDX-License-Identifier: LGPL-2.1-or-later
"""report.sh and compare.sh with pictures, as a user runs them, from a bootstrapped home folder."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import test_scripts
from test_report import Document
from test_scripts import DETECT, ODD_NAME, ROOT
from write_pdf import A4

REPORT = ROOT / "pipelines" / "report.sh"
COMPARE = ROOT / "pipelines" / "compare.sh"
TOO_LARGE = (1000000, 1000000)


class ReportTest(test_scripts.ScriptTest):
    def setUp(self):
        super().setUp()
        self.temporary = self.folder.with_name(self.folder.name + "-50%d")
        self.temporary.mkdir()
        self.addCleanup(shutil.rmtree, self.temporary)
        self.env = {**self.env, "TMPDIR": str(self.temporary)}

    def tearDown(self):
        self.assertEqual(list(self.temporary.iterdir()), [])

    def read(self, name):
        document = Document((self.folder / name).read_text(encoding="utf-8"))
        pictures = [int(a["data-page"]) for a, _ in document.of("script") if a.get("class") == "picture"]
        return document, pictures

    def check_report(self, name, numbers, pictures=None):
        """The pages of a report, of which all but those that failed are to have pictures."""
        document, found = self.read(name)
        pages = document.data("data-pages")
        self.assertEqual([page["page"] for page in pages], numbers)
        self.assertEqual(found, numbers if pictures is None else pictures)
        return pages


class Report(ReportTest):
    def test_sample(self):
        done = self.run_script(REPORT, "--device", "cpu")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertRegex(done.stderr, r"\nwritten: sample.html, \d+ kB\n$")
        pages = self.check_report("sample.html", [1, 2, 3, 4, 5])
        lines = self.run_script(DETECT, "--device", "cpu").stdout.splitlines()
        boxes = [[(r["label"], r["score"], r["bbox"]) for r in page["regions"]] for page in pages]
        self.assertEqual(boxes, [[(r["label"], r["score"], r["bbox"]) for r in json.loads(line)["regions"]] for line in lines])
        self.assertEqual(self.files(), ["sample.html"])

    def test_any_file_name(self):
        self.write(ODD_NAME, sizes=[A4] * 3)
        done = self.run_script(REPORT, ODD_NAME, "--pages", "1,3", "--dpi=50")
        self.assertEqual(done.returncode, 0, done.stderr)
        html = ODD_NAME.replace(".pdf", ".html")
        pages = self.check_report(html, [1, 3])
        self.assertEqual({page["width"] for page in pages}, {414})
        self.assertIn(f"written: {html}, ", done.stderr)
        self.write("-a.pdf")
        self.assertEqual(self.run_script(REPORT, "-o", "x.html", "--", "-a.pdf").returncode, 0)
        self.check_report("x.html", [1, 2])

    def test_text(self):
        """It is read, unless that is not wanted."""
        self.write("a.pdf", sizes=[A4])
        for args, text in (((), "This is line 1 of a paragraph"), (("--text", "false"), None)):
            done = self.run_script(REPORT, "a.pdf", *args)
            self.assertEqual(done.returncode, 0, done.stderr)
            (page,) = self.check_report("a.html", [1])
            found = " ".join(region.get("text", "") for region in page["regions"])
            self.assertEqual((text or "This") in found, text is not None, found)
            self.assertEqual(page["characters"] is not None, text is not None)

    def test_image(self):
        self.write("a.pdf", sizes=[A4])
        subprocess.run(["pdftoppm", "-r", "100", "-png", "-singlefile", "a.pdf", "scan.1"], cwd=self.folder, check=True)
        done = self.run_script(REPORT, "scan.1.png")
        self.assertEqual(done.returncode, 0, done.stderr)
        (page,) = self.check_report("scan.1.html", [1])
        self.assertGreater(len(page["regions"]), 0)

    def test_standard_output(self):
        self.write("a.pdf")
        done = self.run_script(REPORT, "a.pdf", "-o", "-")
        self.assertTrue(done.stdout.endswith("</html>\n"), done.stderr)
        self.assertEqual(self.files(), ["a.pdf"])

    def test_page_that_fails(self):
        self.write("a.pdf", sizes=[A4, TOO_LARGE, A4])
        done = self.run_script(REPORT, "a.pdf", "out.html")
        self.assertEqual(done.returncode, 3, done.stderr)
        pages = self.check_report("out.html", [1, 2, 3], pictures=[1, 3])
        self.assertEqual(pages[1]["status"], "error")
        self.assertEqual(done.stderr.count("page 2 failed"), 1)

    def test_from_a_result(self):
        self.write("a.pdf", sizes=[A4, TOO_LARGE, A4, A4])
        self.run_script(DETECT, "a.pdf", "-o", "r.jsonl", "--pages", "1-3")
        done = self.run_script(REPORT, "a.pdf", "out.html", "--from", "r.jsonl")
        self.assertEqual(done.returncode, 3, done.stderr)
        pages = self.check_report("out.html", [1, 2, 3], pictures=[1, 3])
        self.assertEqual(pages, [json.loads(line) for line in (self.folder / "r.jsonl").read_text().splitlines()])
        env = {**self.env, "XDG_CACHE_HOME": str(self.folder / "cache")}  # where there is no model: none is needed
        done = self.run_script(REPORT, "--no-install", "a.pdf", "out.html", "--from=r.jsonl", "--dpi", "40", env=env)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.write("short.pdf", sizes=[A4])
        done = self.run_script(REPORT, "short.pdf", "x.html", "--from", "r.jsonl")
        self.assertIn("note: the document has no picture of 1 of the pages\n", done.stderr)
        self.check_report("x.html", [1, 2, 3], pictures=[1])

    def test_interrupted(self):
        self.write("long.pdf", sizes=[A4] * 400)
        process = subprocess.Popen([str(REPORT), "long.pdf"], cwd=self.folder, env=self.env, stderr=subprocess.PIPE,
                                   text=True, start_new_session=True)
        self.addCleanup(process.stderr.close)
        time.sleep(3)
        os.killpg(process.pid, signal.SIGINT)
        errors = process.stderr.read()
        self.assertEqual(process.wait(timeout=60), 130, errors)
        count = len(self.read("long.html")[1])
        self.assertTrue(0 < count < 400, count)
        self.check_report("long.html", list(range(1, count + 1)))

    def test_refused(self):
        self.write("a.pdf")
        self.write("text.pdf", b"no PDF\n" * 200)
        (self.folder / "folder").mkdir()
        for status, text, *args in (
                (1, "no file", "nosuch.pdf"), (1, "not a PDF", "text.pdf"), (1, "has 2", "a.pdf", "--pages", "7"),
                (1, "folder is a folder", "a.pdf", "folder"),
                (1, "nowhere/x.html cannot be written", "a.pdf", "nowhere/x.html"),
                (2, "unknown option --nosuch", "a.pdf", "--nosuch", "1"), (2, "needs a file name", "a.pdf", "--from"),
                (2, "at most one file to write", "a.pdf", "b.html", "c.html"),
                (2, "made of JSON Lines", "a.pdf", "--format=coco"), (2, "named twice", "a.pdf", "b.html", "-o", "c.html"),
                (1, "nosuch.jsonl", "a.pdf", "--from", "nosuch.jsonl"),
                (2, "unknown option --threshold", "a.pdf", "--from", "r.jsonl", "--threshold", "0.4")):
            with self.subTest(args=args):
                if "r.jsonl" in args:
                    self.run_script(DETECT, "a.pdf", "-o", "r.jsonl")
                self.check_refused(status, text, REPORT, *args)


class Compare(ReportTest):
    def detect(self, name, *args):
        done = self.run_script(DETECT, "a.pdf", "-o", name, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return name

    def test_runs(self):
        shutil.copy(ROOT / "pipelines" / "sample.pdf", self.folder / "a.pdf")
        a = self.detect("a.jsonl", "--device", "cpu")
        self.assertEqual(self.run_script(COMPARE, a, self.detect("again.jsonl", "--device", "cpu")).returncode, 0)
        lines = (self.folder / a).read_text().splitlines(keepends=True)
        changed = json.loads(lines[1])
        changed["regions"][0]["label"] = "seal"
        (self.folder / "b.jsonl").write_text("".join([lines[0], json.dumps(changed) + "\n", *lines[3:]]))
        done = self.run_script(COMPARE, a, "b.jsonl", "-o", "c.html", "--pdf", "a.pdf", "--dpi", "60")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("relabelled: header -> seal: 1\n", done.stdout)
        document, pictures = self.read("c.html")
        self.assertEqual([page["page"] for page in document.data("data-pages")], [3, 2])
        self.assertEqual(pictures, [2, 3])

    def test_trouble(self):
        self.write("a.pdf")
        self.write("text.pdf", b"no PDF\n" * 200)
        a = self.detect("a.jsonl")
        line = (self.folder / a).read_text().splitlines(keepends=True)[0]
        (self.folder / "b.jsonl").write_text(line)
        for text, *args in (("not a PDF", "--pdf", "text.pdf"), ("no file", "--pdf", "nosuch.pdf"),
                            ("unknown option --threshold", "--pdf", "a.pdf", "--threshold", "0.5")):
            self.check_refused(2, text, COMPARE, a, "b.jsonl", "-o", "c.html", *args)


class Installed(ReportTest):
    def test_commands(self):
        commands = Path(self.env["HOME"]) / ".local" / "bin"
        done = self.run_script(commands / "doclayout-report", "--pages", "2", "-o", "x.html")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_report("x.html", [2])
        for name, script in (("report", REPORT), ("compare", COMPARE)):
            for command, shown in ((commands / f"doclayout-{name}", f"doclayout-{name}"), (script, script.name)):
                done = self.run_script(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith(f"usage: {shown} "), done.stdout)
        self.run_script(DETECT, "-o", "a.jsonl", "--pages", "1")
        self.assertEqual(self.run_script(commands / "doclayout-compare", "a.jsonl", "a.jsonl").returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[1:], verbosity=2)
