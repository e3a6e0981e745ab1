# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine as doctor.sh is to find it, for test_doctor.py and test_doctor_report.py: a folder that stands for a build, tools
before the others in PATH, a home folder, and a module that stands for CUDA and its GPUs (fakegpu/).
"""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import bootstrapped_home

ROOT = Path(__file__).resolve().parent.parent
DOCTOR = ROOT / "pipelines" / "doctor.sh"
SCRIPTS = ("doctor.sh", "doctor-gpu.sh", "doctor-report.sh", "bootstrap.sh", "packages.txt", "sample.pdf")
MODEL = bootstrapped_home.find_model()
WITHOUT_ROOTS_RIGHTS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
HAS_DRIVER = Path("/proc/driver/nvidia/version").exists()
needs_model = unittest.skipUnless(MODEL.exists(), f"the default model is not at {MODEL}")
needs_no_driver = unittest.skipIf(HAS_DRIVER, "this machine has an NVIDIA driver")


class DoctorTest(unittest.TestCase):
    build = None  # the meson build folder

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp()).resolve()
        self.addCleanup(shutil.rmtree, self.folder)
        self.tree = self.folder / "tree"
        self.tree.mkdir()
        (self.tree / "pipelines").symlink_to(self.build / "pipelines")
        (self.tree / "kernels").symlink_to(self.build / "tests/fakegpu/kernels")
        (self.tree / "elements").symlink_to(self.build / "tests/fakegpu/elements")
        cache = self.folder / "home/.cache/gst-doclayout"
        cache.mkdir(parents=True)
        if MODEL.exists():
            (cache / "layout_cdla.onnx").symlink_to(MODEL.resolve())
        self.model = cache / "layout_cdla.onnx"
        self.tool("dpkg-query", "echo installed")
        kept = ("LANG", "LC_ALL", "TMPDIR")
        self.env = {**{name: os.environ[name] for name in kept if name in os.environ},
                    "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOME": str(self.folder / "home"),
                    "GST_REGISTRY": str(self.folder / "registry.bin"),
                    "DOCLAYOUT_RENDER_WORKER": str(self.build / "elements/pdf-render-worker"),
                    "DOCLAYOUT_CUDA_MODULE": str(self.build / "tests/fakegpu/fakegpu.so")}

    def tool(self, name, script):
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def end_soon(self, words, seconds=0.1):
        """A short limit for the commands that have `words` in them."""
        real = shutil.which("timeout")
        self.tool("timeout", f"""case "$*" in *"{words}"*) ;; *) exec {real} "$@" ;; esac
options=; for word; do case $word in -*) options="$options $word"; shift ;; *) break ;; esac; done
shift; exec {real} $options {seconds} "$@\"""")

    def gpu(self, name, driver="580.95.05"):
        self.env["FAKE_GPU"] = name
        self.tool("nvidia-smi", f"echo {driver}")

    def run_doctor(self, *args, prefix=(), script=DOCTOR):
        done = subprocess.run([*prefix, str(script), *map(os.fsencode, args)], cwd=self.folder, env=self.env, timeout=60,
                              text=True, errors="surrogateescape", capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.stderr if done.returncode < 2 else "", "")
        return done

    def look(self, *args, **kwargs):
        """Exit status and lines of `doctor.sh --build TREE`."""
        done = self.run_doctor("--build", self.tree, *args, **kwargs)
        lines = done.stdout.splitlines()
        troubles = [line for line in lines if line.startswith("trouble ")]
        self.assertEqual(done.returncode, 1 if troubles else 0, done.stdout)
        self.assertTrue(all("; to do: " in line for line in troubles), troubles)
        return lines

    def check(self, start, *parts, lines=None, **kwargs):
        """Exactly one line begins with `start`, and has `parts`."""
        lines = self.look(**kwargs) if lines is None else lines
        found = [line for line in lines if re.sub(" +", " ", line).startswith(start + ":")]
        self.assertEqual(len(found), 1, lines)
        for part in parts:
            self.assertIn(part, found[0])
        return lines

    def copy_of_scripts(self):
        """A folder with the scripts alone, without sources beside it."""
        (self.folder / "pipelines").mkdir()
        for name in SCRIPTS:
            shutil.copy(ROOT / "pipelines" / name, self.folder / "pipelines" / name)
        return self.folder / "pipelines"

    def mounted(self, commands):
        """A prefix that runs a command where the shell's `commands` have put other files over the machine's."""
        prefix = ["unshare", "--mount", "sh", "-ec", f'{commands}; exec "$@"', "sh"]
        if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
            self.skipTest("files cannot be hidden here")
        return prefix
