# SPDX-License-Identifier: LGPL-2.1-or-later
"""doclayout-bench: what it prints of which pages, and what it refuses. And that no pixel of a page is copied
on its way, whatever stands at the end.

DOCLAYOUT_BENCH names the program. Speeds are not tested, but that its figures belong together.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import gi
    import numpy as np
    import onnx

    import tiny_models
    from write_pdf import A4, write_pdf
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

BENCH = os.environ["DOCLAYOUT_BENCH"]
STAGES = ("renderer", "network", "whole")


class BenchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = Path(cls.temporary.name)
        onnx.save(tiny_models.detr(np.random.default_rng(1)), cls.folder / "tiny.onnx")

    def write(self, name, sizes):
        (self.folder / name).write_bytes(write_pdf(sizes))
        return name

    def bench(self, *args, status=0):
        done = subprocess.run([BENCH, "-p", "model-file=tiny.onnx", "-p", "device=cpu", *args], cwd=self.folder,
                              capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def measure(self, *args):
        return json.loads(self.bench("--json", *args).stdout)


class Refused(BenchTest):
    def check(self, status, text, *args):
        done = self.bench(*args, status=status)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(text, done.stderr)

    def test_usage(self):
        self.check(2, "no PDF file given")
        self.check(2, "pages is to be from 1", "--pages", "0", "a.pdf")
        self.check(2, "repeat is to be from 1", "--repeat", "-1", "a.pdf")
        self.check(2, "renderer, network or whole", "--only", "sink", "a.pdf")
        self.check(2, "unknown option --nosuch", "-p", "nosuch=1", "a.pdf")
        self.check(2, "dpi cannot be 'x'", "-p", "dpi=x", "a.pdf")

    def test_files(self):
        self.check(1, "no file", "nosuch.pdf")
        (self.folder / "text.pdf").write_text("no PDF")
        self.check(1, "not a PDF", "text.pdf")
        self.check(1, "nosuch.onnx", "-p", "model-file=nosuch.onnx", self.write("a.pdf", [A4]))

    def test_pages_that_fail(self):
        self.write("large.pdf", [(1000000, 1000000)])
        self.check(1, "None of the first pages can be rendered", "large.pdf")
        done = self.bench("--pages", "1", "--repeat", "1", self.write("some.pdf", [A4, (1000000, 1000000)]), status=3)
        # Half of 32 measured and 32 others, without the network alone, which has frames that are well.
        self.assertIn("64 pages failed\n", done.stderr)


class Figures(BenchTest):
    def test_all(self):
        a, b = self.write("a.pdf", [A4] * 3), self.write('b "2".pdf', [A4, (300, 200)])
        found = self.measure("--pages", "70", "--repeat", "1", a, b)
        self.assertEqual((found["device"], found["rounds"]), ("cpu", 1))
        for stage in STAGES:
            with self.subTest(stage):
                figures = found[stage]
                self.assertEqual(figures["pages"], 128)  # 35 each, in whole batches of 32
                self.assertGreater(figures["cpu_process"], 0)
                self.assertGreater(figures["peak_memory_mib"], 10)
                cores = figures["cpu_process"] + figures["cpu_workers"]
                self.assertLess(cores, os.cpu_count() + 1)
                self.assertAlmostEqual(figures["pages_per_cpu_second"] * cores / figures["pages_per_second"], 1, 5)
        for stage in ("renderer", "whole"):
            self.assertGreater(found[stage]["cpu_workers"], 0)
            self.assertEqual(found[stage]["copied_by_pdfsrc"], 0)
        self.assertEqual(found["network"]["cpu_workers"], 0)
        self.assertIsNone(found["network"]["copied_by_pdfsrc"])
        rates = [found[stage]["pages_per_second"] for stage in STAGES]
        self.assertAlmostEqual(found["whole_to_slower"], rates[2] / min(rates[:2]), 5)
        self.assertAlmostEqual(found["whole_to_shared"], rates[2] * (1 / rates[0] + 1 / rates[1]), 5)
        self.assertEqual([document["file"] for document in found["documents"]], [a, b])
        for stage, rate in zip(STAGES, rates):
            each = [document[stage] for document in found["documents"]]
            self.assertAlmostEqual(2 / (1 / each[0] + 1 / each[1]), rate, 5)  # 64 pages of each

    def test_one_stage(self):
        found = self.measure("--pages", "1", "--repeat", "2", "--only", "network", self.write("a.pdf", [A4]))
        self.assertEqual(found["device"], "cpu")
        self.assertEqual(found["network"]["pages"], 32)
        for stage in ("renderer", "whole"):
            self.assertEqual(set(found[stage].values()), {None})
        self.assertIsNone(found["whole_to_slower"])

    def test_table(self):
        done = self.bench("--verbose", "--pages", "1", "--repeat", "1", self.write("a.pdf", [A4] * 2))
        lines = done.stdout.splitlines()
        self.assertEqual({line.count("|") for line in lines}, {5}, done.stdout)
        for start in ("| cpu, ", "|---|", "| pages | 32 | 32 | 32 |", "| a.pdf, pages/s | ", "| pages/s | ",
                      "| copied by pdfsrc, bytes a page | 0 | – | 0 |", "| whole ÷ the slower of the two | | | "):
            self.assertTrue(any(line.startswith(start) for line in lines), (start, done.stdout))
        self.assertRegex(done.stderr, r"^round 1 of 1, a.pdf, network: \d+\.\d pages/s\n")

    def test_options(self):
        # Of either element, and only where there is one that has them.
        small, large = (self.measure("--pages", "1", "--repeat", "1", "-p", f"dpi={dpi}", "-p", "batch-size=1",
                                     self.write("a.pdf", [A4] * 2)) for dpi in (20, 300))
        self.assertLess(small["whole"]["peak_memory_mib"] + 30, large["whole"]["peak_memory_mib"])

    def test_memories(self):
        a = self.write("a.pdf", [A4, (300, 200)])
        found = json.loads(self.bench("--memory", "--json", "--pages", "1", "--repeat", "2", a).stdout)
        rows = {row["memory"]: row for row in found["memories"]}
        self.assertEqual(set(rows), {"auto", "shared", "managed", "pinned"})
        auto = rows.pop("auto")
        self.assertEqual((found["rounds"], auto["pages"], auto["frames_in"]), (2, 32, "GstUnifiedMemory"))
        self.assertTrue(auto["memory_path"])
        for row in rows.values():
            self.assertIsNone(row["pages"])
            self.assertIn("runs on the CPU", row["note"])


class NothingCopied(BenchTest):
    def bytes_copied(self, rest):
        Gst.init(None)
        self.write("a.pdf", [A4] * 12)  # whose rows would be padded
        pipeline = Gst.parse_launch(f"pdfsrc name=src location={self.folder}/a.pdf ! {rest}")
        pipeline.set_state(Gst.State.PLAYING)
        message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
        stats = pipeline.get_by_name("src").get_property("stats")
        pipeline.set_state(Gst.State.NULL)
        self.assertEqual(message.type, Gst.MessageType.EOS)
        self.assertEqual(stats.get_value("pages"), 12)
        return stats.get_value("bytes-copied")

    def test_ends(self):
        detect = f"cudalayoutdetect device=cpu model-file={self.folder}/tiny.onnx"
        for rest in ("fakesink", f"{detect} ! fakesink", f"{detect} ! jsonsink location=/dev/null",
                     f"{detect} ! layoutoverlay ! fakesink", f"{detect} ! layoutoverlay ! jsonsink location=/dev/null",
                     f"{detect} ! layoutoverlay ! videoconvert ! video/x-raw,format=RGB ! fakesink",
                     f"{detect} ! queue ! tee ! queue ! jsonsink location=/dev/null"):
            with self.subTest(rest):
                self.assertEqual(self.bytes_copied(rest), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
