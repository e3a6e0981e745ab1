# SPDX-License-Identifier: LGPL-2.1-or-later
"""doclayout-launch: exit statuses, messages, values that are hard to quote, interruption, progress.

The launcher is named by DOCLAYOUT_LAUNCH. Needs no model.
"""
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

LAUNCH = os.environ["DOCLAYOUT_LAUNCH"]
LIVE = ["videotestsrc", "is-live=true", "!", "video/x-raw,width=64,height=48,framerate=20/1", "!"]
ODD_NAME = "a b 'c' \"d\" 100% $x ; ! \\ (ü–文).raw"


def launch(*args, **kwargs):
    return subprocess.run([LAUNCH, *args], capture_output=True, text=True, timeout=60, **kwargs)


class ExitStatus(unittest.TestCase):
    def check_error(self, status, text, *args):
        done = launch(*args)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(text, done.stderr)

    def test_all_well(self):
        done = launch("videotestsrc", "num-buffers=3", "!", "fakesink")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("pages:   3\n", done.stderr)

    def test_fatal(self):
        self.check_error(1, 'no element "nosuchelement"', "nosuchelement", "!", "fakesink")
        self.check_error(1, "Could not open file", "fakesrc", "!", "filesink", "location=/nowhere/x")

    def test_fatal_says_more_when_asked(self):
        done = launch("--verbose", "fakesrc", "!", "filesink", "location=/nowhere/x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("system error: No such file or directory", done.stderr)

    def test_usage(self):
        self.check_error(2, "no pipeline given")
        self.check_error(2, "Unknown option --nosuch", "--nosuch")
        self.check_error(2, "syntax error", "fakesrc", "!", "!", "fakesink")
        self.check_error(2, "unknown option --nosuch", "-p", "nosuch=1", "fakesrc", "!", "fakesink")
        self.check_error(2, "no element of this pipeline is named 'a'", "-s", "a.b=1", "fakesrc", "!",
                         "fakesink")
        self.check_error(2, "no property 'b'", "-s", "fakesink0.b=1", "fakesrc", "!", "fakesink")
        self.check_error(2, "write NAME=VALUE", "-p", "sync", "fakesrc", "!", "fakesink")
        self.check_error(2, "write ELEMENT.PROPERTY=VALUE", "-s", "sync=1", "fakesrc", "!", "fakesink")
        self.check_error(2, "unknown option --name", "-p", "name=x", "fakesrc", "!", "fakesink")

    def test_values_that_do_not_fit(self):
        pipeline = ["videotestsrc", "!", "identity", "!", "fakesink"]
        for value, range_text in (("num-buffers=-2", "from -1 to 2147483647"),
                                  ("num-buffers=1x", "from -1 to"),
                                  ("blocksize=-1", "from 0 to 4294967295"),
                                  ("drop-probability=2", "from 0 to 1"),
                                  ("drop-probability=nan", "from 0 to 1"),
                                  ("pattern=nosuch", "smpte, snow"),
                                  ("is-live=maybe", "true or false")):
            self.check_error(2, range_text, "-p", value, *pipeline)

    def test_quiet(self):
        """A run that went well says nothing, one that did not says all the same."""
        done = launch("--quiet", "videotestsrc", "num-buffers=3", "!", "fakesink")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.check_error(1, "Could not open file", "--quiet", "fakesrc", "!", "filesink", "location=/nowhere/x")

    def test_version_and_help(self):
        self.assertRegex(launch("--version").stdout, r"^doclayout-launch \d+\.\d+\.\d+\n$")
        self.assertIn("Exit status", launch("--help").stdout)


class Values(unittest.TestCase):
    def test_any_file_name(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ODD_NAME
            done = launch("-s", f"out.location={path}", "-p", "num-buffers=1", "fakesrc", "sizetype=fixed",
                          "sizemax=5", "!", "filesink", "name=out")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(path.stat().st_size, 5)
            self.assertIn(f"written: {path}\n", done.stderr)

    def test_first_element_that_has_it(self):
        done = launch("-p", "num-buffers=2", "-p", "num_buffers=4", "fakesrc", "!", "fakesink",
                      "num-buffers=-1")
        self.assertIn("pages:   4\n", done.stderr)

    def test_several_files(self):
        with tempfile.TemporaryDirectory() as folder:
            done = launch("-s", f"out.location={folder}/p-%02d.raw", "fakesrc", "num-buffers=3", "!",
                          "multifilesink", "name=out", "post-messages=true")
            self.assertIn(f"written: {folder}/p-00.raw to {folder}/p-02.raw, 3 files\n", done.stderr)


class Interruption(unittest.TestCase):
    def start(self, *args):
        process = subprocess.Popen([LAUNCH, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        return process

    def test_leaves_a_valid_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "out.jsonl"
            process = self.start("-s", f"out.location={path}", *LIVE, "jsonsink", "name=out")
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 130, errors)
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            self.assertGreater(len(lines), 3)
            self.assertIn(f"interrupted after {len(lines)} pages\n", errors)

    def test_second_one_stops_at_once(self):
        # The second frame is due after 100 s, so the end of the stream is too.
        process = self.start("videotestsrc", "!", "video/x-raw,framerate=1/100", "!", "fakesink", "sync=true")
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 130)
        self.assertIn("stopped before they were finished", errors)


class Progress(unittest.TestCase):
    def test_lines_without_terminal(self):
        done = launch(*LIVE, "fakesink", "num-buffers=130", "sync=true")
        lines = [line for line in done.stderr.splitlines() if line.startswith("page ")]
        self.assertEqual(done.returncode, 0)
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], r"^page \d+, \d+\.\d pages/s$")

    def test_bar_on_a_terminal(self):
        try:
            master, slave = pty.openpty()
        except OSError as error:  # a root without /dev/pts
            self.skipTest(f"no terminal to be had: {error}")
        process = subprocess.Popen([LAUNCH, "videotestsrc", "num-buffers=3", "!", "fakesink"], stderr=slave,
                                   env={**os.environ, "TERM": "xterm"})
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:  # the terminal's other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertIn(b"page 3: 0 regions", shown)
        self.assertRegex(shown, rb"\r\x1b\[Kpage 2, \d+\.\d pages/s")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
