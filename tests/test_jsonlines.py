# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lines of whole pipelines, as users run them: schema, points, an image, errors, the Python example.

usage: test_jsonlines.py SOURCE-ROOT
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import gi  # noqa: F401
    import jsonschema
except ImportError as error:
    print(f"skipped: {error.name} is not installed (tests/run.sh makes an environment that has it)")
    sys.exit(77)

ROOT = Path(sys.argv.pop(1))
SAMPLE = ROOT / "pipelines/sample.pdf"
MODEL = Path(os.environ.get("DOCLAYOUT_MODEL") or
             Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gst-doclayout/layout_cdla.onnx")


def launch(*line, expect=0):
    done = subprocess.run(["gst-launch-1.0", "-q", *" ".join(map(str, line)).split()], capture_output=True,
                          text=True, timeout=100, check=False)
    assert done.returncode == expect, (done.returncode, done.stderr)
    return done


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def boxes(page, key):
    return sorted((r["label"], [round(v) for v in r[key]]) for r in page["regions"])


def overlap(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


class JsonLines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = lines(launch("pdfsrc location=", SAMPLE, " ! cudalayoutdetect ! jsonsink").stdout)

    def test_pages(self):
        count = len(self.pages)
        self.assertGreater(count, 2)
        for number, page in enumerate(self.pages, 1):
            self.assertEqual((page["page"], page["pages"], page["status"]), (number, count, "ok"))
            self.assertEqual(page["document"], SAMPLE.as_uri())
            self.assertEqual(page["device"], "cpu")
            self.assertRegex(page["model"]["sha256"], "^[0-9a-f]{64}$")
            self.assertGreater(page["timings_ms"]["render"], 0)
            self.assertGreater(page["timings_ms"]["infer"], 0)
            self.assertEqual([r["id"] for r in page["regions"]], list(range(len(page["regions"]))))
            edge = [{"header": 0, "footer": 2}.get(r["label"], 1) for r in page["regions"]]
            self.assertEqual(edge, sorted(edge))
            self.assertEqual((page["orphans"], page["characters"]), (None, None))
        print(f"{sum(len(p['regions']) for p in self.pages)} regions on {count} pages", file=sys.stderr)

    def test_schema(self):
        schema = json.loads((ROOT / "docs/gst-doclayout.schema.json").read_text())
        for page in self.pages:
            jsonschema.validate(page, schema)

    def test_points(self):
        """A page that is fitted into a wider frame has its regions at the same points."""
        fitted = lines(launch("pdfsrc page-size-mode=fit pages=1 location=", SAMPLE,
                              " ! video/x-raw,width=1400,height=1170 ! cudalayoutdetect ! jsonsink").stdout)[0]
        self.assertEqual((fitted["width"], fitted["height"]), (1400, 1170))
        matched = offset = 0
        for region in self.pages[0]["regions"]:
            best = max(fitted["regions"], key=lambda r, box=region["bbox_pt"]: overlap(box, r["bbox_pt"]))
            if region["score"] > 0.9 and overlap(region["bbox_pt"], best["bbox_pt"]) > 0.5:
                matched += 1
                offset += sum(region["bbox_pt"]) - sum(best["bbox_pt"])
        self.assertGreater(matched, 5)
        self.assertLess(abs(offset / matched / 4), 1.5)
        w, h = self.pages[0]["size_pt"]
        for r in self.pages[0]["regions"]:
            self.assertTrue(0 <= r["bbox_pt"][0] <= r["bbox_pt"][2] <= w, r)
            self.assertTrue(0 <= r["bbox_pt"][1] <= r["bbox_pt"][3] <= h, r)
            self.assertLess(max(abs(p * 100 / 72 - v) for p, v in zip(r["bbox_pt"], r["bbox"])), 0.02)

    def test_scaled(self):
        """Behind a videoscale the pixels are those of the new frame, and the points are what they were."""
        page = lines(launch("pdfsrc pages=1 location=", SAMPLE, " ! cudalayoutdetect ! videoscale "
                            "! video/x-raw,width=600,height=800 ! jsonsink").stdout)[0]
        self.assertEqual((page["width"], page["height"]), (600, 800))
        before = {(r["label"], r["score"]): r for r in self.pages[0]["regions"]}
        self.assertEqual(len(page["regions"]), len(before))
        for r in page["regions"]:
            old = before[r["label"], r["score"]]
            for k in range(4):
                size, full = (600, self.pages[0]["width"]) if k % 2 == 0 else (800, self.pages[0]["height"])
                self.assertAlmostEqual(r["bbox"][k], old["bbox"][k] * size / full, delta=0.02)
                self.assertAlmostEqual(r["bbox_pt"][k], old["bbox_pt"][k], delta=0.02)

    def test_image(self):
        with tempfile.TemporaryDirectory() as folder:
            launch("pdfsrc pages=1 location=", SAMPLE, " ! videoconvert ! pngenc ! filesink location=",
                   f"{folder}/page.png")
            page = lines(launch("filesrc location=", f"{folder}/page.png",
                                " ! decodebin ! videoconvert ! cudalayoutdetect ! jsonsink").stdout)[0]
        self.assertEqual((page["page"], page["pages"], page["size_pt"]), (1, None, None))
        self.assertEqual(page["document"], Path(folder, "page.png").as_uri())
        self.assertEqual(boxes(page, "bbox"), boxes(self.pages[0], "bbox"))
        self.assertTrue(all(r["bbox_pt"] is None for r in page["regions"]))

    def test_photo(self):
        """A JPEG of the page shows the same large regions."""
        with tempfile.TemporaryDirectory() as folder:
            launch("pdfsrc pages=1 location=", SAMPLE, " ! videoconvert ! jpegenc quality=95 ! filesink location=",
                   f"{folder}/page.jpg")
            page = lines(launch("filesrc location=", f"{folder}/page.jpg",
                                " ! decodebin ! videoconvert ! cudalayoutdetect ! jsonsink").stdout)[0]
        sure = [r for r in self.pages[0]["regions"] if r["score"] > 0.8]
        same = sum(any(r["label"] == s["label"] and overlap(r["bbox"], s["bbox"]) > 0.9 for r in page["regions"])
                   for s in sure)
        self.assertGreater(len(sure), 10)
        self.assertGreaterEqual(same, 0.9 * len(sure))

    def test_always_the_same(self):
        """Neither the number of workers or of pages side by side nor chance changes a line."""
        def without_timings(pages):
            return [{key: value for key, value in page.items() if key != "timings_ms"} for page in pages]

        for run in range(20):
            workers, batch = (1, 2, 8)[run % 3], (1, 2, 3, 5)[run % 4]
            pages = lines(launch(f"pdfsrc render-workers={workers} location=", SAMPLE,
                                 f" ! cudalayoutdetect batch-size={batch} ! jsonsink").stdout)
            self.assertEqual(without_timings(pages), without_timings(self.pages), (run, workers, batch))

    def test_two_branches(self):
        """A tee feeds the overlay and the lines at once; marks drawn in one branch stay out of the other."""
        with tempfile.TemporaryDirectory() as folder:
            text = launch("pdfsrc pages=1-3 location=", SAMPLE, " ! cudalayoutdetect ! tee name=t "
                          "t. ! queue ! layoutoverlay ! videoconvert ! pngenc ! multifilesink location=",
                          f"{folder}/%d.png t. ! queue ! jsonsink").stdout
            pictures = sorted(p.name for p in Path(folder).iterdir())
        self.assertEqual(pictures, ["0.png", "1.png", "2.png"])
        for page, alone in zip(lines(text), self.pages[:3], strict=True):
            self.assertEqual(page["regions"], alone["regions"])

    def test_two_pipelines_of_one_process(self):
        program = """
import sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
line = "pdfsrc location={} pages={} ! cudalayoutdetect ! jsonsink location={}"
both = [Gst.parse_launch(line.format(sys.argv[1], pages, out)) for pages, out in (("1-3", sys.argv[2]), ("2-5", sys.argv[3]))]
for pipeline in both:
    pipeline.set_state(Gst.State.PLAYING)
for pipeline in both:
    message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    assert message and message.type == Gst.MessageType.EOS, message
    pipeline.set_state(Gst.State.NULL)
"""
        with tempfile.TemporaryDirectory() as folder:
            outs = [Path(folder, "a"), Path(folder, "b")]
            subprocess.run([sys.executable, "-c", program, SAMPLE, *outs], timeout=100, check=True)
            a, b = (lines(out.read_text()) for out in outs)
        self.assertEqual([page["regions"] for page in a], [page["regions"] for page in self.pages[:3]])
        self.assertEqual([page["regions"] for page in b], [page["regions"] for page in self.pages[1:5]])

    def test_overlay_between(self):
        """Marks are drawn on the frame; the lines say the same."""
        marked = lines(launch("pdfsrc pages=1 location=", SAMPLE, " ! cudalayoutdetect ! layoutoverlay "
                              "! tee name=t t. ! queue ! fakesink t. ! queue ! jsonsink").stdout)[0]
        self.assertEqual(boxes(marked, "bbox_pt"), boxes(self.pages[0], "bbox_pt"))

    def test_failures(self):
        """One that is not a PDF, and a disk that is full: an exit status, and nothing left behind."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "a.jsonl")
            out.write_text("old\n")
            launch("pdfsrc location=", __file__, " ! cudalayoutdetect ! jsonsink location=", out, expect=1)
            self.assertEqual([p.name for p in Path(folder).iterdir()], ["a.jsonl"])
            self.assertEqual(out.read_text(), "old\n")
        done = launch("pdfsrc location=", SAMPLE, " ! cudalayoutdetect ! jsonsink location=/dev/full", expect=1)
        self.assertIn("No space left on device", done.stderr)

    def test_python_example(self):
        example = [sys.executable, "-Wignore::DeprecationWarning", ROOT / "pipelines/examples/read-regions.py"]
        printed = subprocess.run([*example, SAMPLE], capture_output=True, text=True, timeout=100, check=True).stdout
        got = {}
        for line in printed.splitlines():
            if line.startswith("page "):
                regions = got.setdefault(int(line.split()[1].rstrip(":")), [])
            else:
                label, _, *box = line.split()
                regions.append((label, list(map(int, box))))
        self.assertEqual(len(got), len(self.pages))
        for page in self.pages:
            self.assertEqual(len(got[page["page"]]), len(page["regions"]))
            for r in page["regions"]:  # hundredths were rounded before, so a half may go the other way
                self.assertTrue(any(label == r["label"] and max(abs(a - b) for a, b in zip(box, r["bbox"])) < 0.51
                                    for label, box in got[page["page"]]), r)
        failed = subprocess.run([*example, "/nowhere.pdf"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("/nowhere.pdf", failed.stderr)


if __name__ == "__main__":
    if not MODEL.exists():
        print(f"skipped: the default model is not at {MODEL}")
        sys.exit(77)
    unittest.main()
