# SPDX-License-Identifier: LGPL-2.1-or-later
"""What doctor.sh --report packs on machines as doctor_machine.py makes them: steps that fail, hang and are skipped, what
must not be in it, and that there is a whole report or none. What measures is replaced, since it takes minutes.
usage: test_doctor_report.py BUILD
"""
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import unittest
from pathlib import Path

from doctor_machine import DOCTOR, MODEL, WITHOUT_ROOTS_RIGHTS, DoctorTest, needs_model, needs_no_driver

ALWAYS = ["README.txt", "cpu.txt", "doctor.json", "doctor.txt", "elements.txt", "libraries.txt", "system.txt", "versions.txt"]
OF_NO_BUILD = ["devices.json", "regions.jsonl", "profile.txt", "benchmark.txt", "tests.txt", "gpu-tests.txt"]

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def hear_signals():
    """Background jobs ignore SIGINT and what nohup starts SIGHUP, which a shell that is started so cannot trap any more."""
    for number in INTERRUPTIONS:
        signal.signal(number, signal.SIG_DFL)


def has_ended(pid):
    """Within five seconds; where nobody reaps orphans, they stay as zombies."""
    for _ in range(500):
        try:
            if ") Z " in Path("/proc", pid, "stat").read_text(encoding="utf-8"):
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


class ReportTest(DoctorTest):
    def setUp(self):
        super().setUp()
        (self.tree / "pipelines").unlink()
        (self.tree / "pipelines").mkdir()
        (self.tree / "pipelines/doclayout-launch").symlink_to(self.build / "pipelines/doclayout-launch")
        self.program(self.tree / "pipelines/doclayout-bench", 'echo "bench $*"')
        self.env["TMPDIR"] = str(self.folder / "temporary")
        Path(self.env["TMPDIR"]).mkdir()
        self.out = self.folder / "out"
        self.out.mkdir()
        self.report = self.out / "my report.tar.gz"
        self.script = self.copy_of_scripts() / "doctor.sh"

    def program(self, path, script):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def start(self, *args, prefix=(), report=None):
        return subprocess.Popen([*prefix, str(self.script), "--build", str(self.tree), "--report", str(report or self.report), *args],
                                cwd=self.folder, env=self.env, text=True, errors="surrogateescape", stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                preexec_fn=hear_signals)

    def make(self, *args, status=0 if MODEL.exists() else 1, **kwargs):
        """Standard output and error. Without the default model there is a trouble."""
        process = self.start(*args, **kwargs)
        out, err = process.communicate(timeout=100)
        self.assertIn(process.returncode, (0, 1) if status is None else (status,), out + err)
        return out, err

    def unpack(self):
        """Files by their names. The archive is all that there is, and nothing is left of its making."""
        self.assertEqual(os.listdir(self.out), [self.report.name])
        self.assertEqual(os.listdir(self.env["TMPDIR"]), [])
        files = {}
        with tarfile.open(self.report) as archive:
            for member in archive.getmembers():
                self.assertEqual((member.uid, member.gid, member.uname, member.gname), (0, 0, "", ""))
                if member.isfile():
                    folder, name = member.name.split("/")
                    self.assertEqual(folder, "gst-doclayout-report")
                    files[name] = archive.extractfile(member).read().decode(errors="surrogateescape")
        rows = re.findall(r"^(\S+\.\w+) +(exit \d+|skipped|stopped after \d+ s) +\d+  (.*)$", files["README.txt"], re.MULTILINE)
        self.rows = {name: (result, what) for name, result, what in rows}
        listed = {name for name, (result, _) in self.rows.items() if result != "skipped"}
        self.assertEqual(listed, {name for name in files if name != "README.txt" and not name.endswith("-stderr.txt")})
        return files

    def check_nothing_left(self):
        self.assertEqual(os.listdir(self.out), [])
        self.assertEqual(os.listdir(self.env["TMPDIR"]), [])


class Content(ReportTest):
    @needs_model
    def test_gpu(self):
        self.gpu("spark")
        (self.model.parent / "tuning-fake.txt").write_text("conv 1x1\town 3\n", encoding="utf-8")
        out, err = self.make()
        files = self.unpack()
        self.assertEqual(sorted(files), sorted([
            *ALWAYS, "devices.json", "nvidia-smi.txt", "regions.jsonl", "regions-stderr.txt", "profile.txt", "benchmark.txt",
            "benchmark-cpu.txt", "benchmark-memory.txt", "tuning.txt"]))
        self.assertEqual(out.replace(str(self.folder / "home"), "HOME"), files["doctor.txt"])
        self.assertTrue(out.endswith("healthy: networks run on GPU 0\n"))
        self.assertEqual(json.loads(files["doctor.json"])["device"], "cuda:0")
        self.assertEqual(json.loads(files["devices.json"])["devices"][0]["architecture"], "sm_121")
        pages = [json.loads(line) for line in files["regions.jsonl"].splitlines()]
        self.assertEqual([(page["page"], page["device"]) for page in pages], [(n, "cuda:0 Fake GB10") for n in range(1, 6)])
        self.assertIn("speed: ", files["regions-stderr.txt"])
        self.assertIn("plan       for cuda:0 Fake GB10 in fp16, 1 page a run", files["profile.txt"])
        self.assertRegex(files["benchmark.txt"], r"bench -p model-file=HOME/\S+ -p cuda-device-id=0 --pages \d+ --repeat 3 -- ")
        self.assertIn("-p device=cpu ", files["benchmark-cpu.txt"])
        self.assertIn(" --memory ", files["benchmark-memory.txt"])
        self.assertIn("conv 1x1\town 3", files["tuning.txt"])
        self.assertEqual(self.rows["tests.txt"], ("skipped", "tests/run.sh: there are no sources here, only what was installed from them"))
        self.assertTrue(err.endswith(files["README.txt"].split("\n", 1)[1]))
        self.assertIn(f"doctor.sh: written: {self.report}\n", err)

    @needs_no_driver
    def test_nothing_built(self):
        self.model.unlink(missing_ok=True)
        (self.tree / "pipelines/doclayout-launch").unlink()
        (self.tree / "kernels").unlink()
        (self.tree / "elements").unlink()
        out, _ = self.make(status=1)
        files = self.unpack()
        self.assertEqual(sorted(files), ALWAYS)
        self.assertIn("troubles: ", out)
        self.assertEqual({self.rows[name][0] for name in OF_NO_BUILD + ["nvidia-smi.txt"]}, {"skipped"})
        self.assertIn("there is no nvidia-smi", self.rows["nvidia-smi.txt"][1])
        self.assertIn("nothing is built", self.rows["benchmark.txt"][1])

    def test_no_model(self):
        self.env["DOCLAYOUT_MODEL"] = "/nowhere/other.onnx"
        self.make(status=1)
        self.unpack()
        self.assertIn("there is no model /nowhere/other.onnx", self.rows["benchmark.txt"][1])

    @needs_model
    def test_json_and_a_model_of_ones_own(self):
        (self.folder / "own model.onnx").symlink_to(MODEL.resolve())
        out, _ = self.make("own model.onnx", "--json")
        self.assertIn("own model.onnx runs on", " ".join(check["fact"] for check in json.loads(out)["checks"]))
        self.assertIn("bench -p model-file=own model.onnx ", self.unpack()["benchmark.txt"])

    def test_versions(self):
        self.tool("dpkg-query", 'for name; do :; done; case "$3" in *Version*) ;; *) echo installed; exit ;; esac; '
                  '[ "$name" = meson ] || exit 1; echo "$name 1.2 all installed"')
        self.make()
        files = self.unpack()
        self.assertIn("\nmeson 1.2 all installed\n", files["versions.txt"])
        self.assertIn("\nlibpoppler-glib-dev not-installed\n", files["versions.txt"])


class Sources(ReportTest):
    """With sources beside the scripts, whose tests are replaced."""

    def setUp(self):
        super().setUp()
        (self.folder / "meson.build").write_text("", encoding="utf-8")
        self.env["GST_PLUGIN_PATH"] = "/of/the/user"
        self.program(self.folder / "tests/run.sh", 'echo "run.sh $*"; echo "module ${DOCLAYOUT_CUDA_MODULE-unset}"; '
                     'echo "worker ${DOCLAYOUT_RENDER_WORKER-unset}"; mkdir -p "${0%/*}/../build-test/meson-logs"; '
                     'echo all of it >"${0%/*}/../build-test/meson-logs/testlog.txt"; echo "3 passed, 1 failed"; exit 1')
        self.program(self.folder / "tests/gpu/run.sh", 'echo "$* $DOCLAYOUT_CUDA_MODULE $DOCLAYOUT_TEST_PYTHON"')

    def gpu_build(self, name):
        self.program(self.folder / name / "tests/nn-run", "")
        (self.folder / name / "kernels").mkdir()
        (self.folder / name / "kernels/nn-cuda.so").write_text("", encoding="utf-8")

    def test_tests(self):
        self.gpu("spark")
        self.gpu_build("build-test")
        self.env["DOCLAYOUT_TEST_PYTHON"] = "/some/python"
        self.make()
        files = self.unpack()
        self.assertEqual(files["tests.txt"], "run.sh --no-install\nmodule unset\nworker unset\n3 passed, 1 failed\n")
        self.assertEqual(self.rows["tests.txt"][0], "exit 1")
        self.assertEqual(files["tests-log.txt"], "all of it\n")
        self.assertRegex(files["gpu-tests.txt"], "^--quick (.*/build-test) ops page .* code \\1/kernels/nn-cuda.so /some/python\n$")
        self.assertNotIn("failures", files["gpu-tests.txt"])

    def test_no_build_with_tests(self):
        self.gpu("spark")
        self.make()
        self.unpack()
        self.assertIn("no build here has tests and the CUDA backend", self.rows["gpu-tests.txt"][1])

    @needs_no_driver
    def test_without(self):
        old = self.folder / "build-test/meson-logs/testlog.txt"
        old.parent.mkdir(parents=True)
        old.write_text("of another day", encoding="utf-8")
        os.utime(old, (1, 1))
        self.make("--no-tests")
        self.assertNotIn("tests-log.txt", self.unpack())
        self.assertEqual(self.rows["tests.txt"], ("skipped", "tests/run.sh: --no-tests"))
        self.report.unlink()
        self.program(self.folder / "tests/run.sh", "exit 3")
        self.make()
        self.assertNotIn("tests-log.txt", self.unpack())
        self.assertEqual(self.rows["tests.txt"][0], "exit 3")
        self.assertIn("there is no GPU that can be used", self.rows["gpu-tests.txt"][1])


class Steps(ReportTest):
    def test_steps_that_fail_and_hang(self):
        self.gpu("spark")
        self.tool("nvidia-smi", '[ "$1" = -q ] || { echo 580.95.05; exit; }; echo something; echo went wrong >&2; exit 3')
        self.tool("lscpu", "echo half of it; sleep 60")
        self.end_soon(" lscpu", seconds=1)
        self.make()
        files = self.unpack()
        self.assertEqual(self.rows["nvidia-smi.txt"], ("exit 3", "nvidia-smi -q"))
        self.assertEqual(files["nvidia-smi.txt"], "something\nwent wrong\n")
        self.assertEqual(self.rows["cpu.txt"][0], "stopped after 60 s")
        self.assertEqual(files["cpu.txt"], "half of it\n")
        self.assertIn("libraries that the loader knows", files["libraries.txt"])

    def test_doctor_that_hangs(self):
        self.end_soon("doctor.sh --no-install")
        self.make(status=1)
        self.unpack()
        self.assertEqual(self.rows["doctor.txt"][0], "stopped after 600 s")

    def test_ctrl_c_reaches_what_a_step_starts(self):
        self.tool("lscpu", f'exec {sys.executable} -c "import signal; print(signal.getsignal(signal.SIGINT))"')
        self.make()
        self.assertIn("default_int_handler", self.unpack()["cpu.txt"])


class Names(ReportTest):
    def check_names(self, user, host, home, said, wanted):
        self.tool("id", f'[ "$*" = -un ] && echo "{user}" || exec /usr/bin/id "$@"')
        self.tool("uname", f'[ "$*" = -n ] && echo "{host}" || exec /usr/bin/uname "$@"')
        self.tool("lscpu", "cat <<'END'\n" + said + "\nEND")
        self.env["HOME"] = str(home)
        self.make(**({} if home == self.folder / "home" else {"status": 1}))
        files = self.unpack()
        self.assertEqual(files["cpu.txt"], wanted + "\n")
        self.report.unlink()
        return "".join(files.values())

    def test_names(self):
        home = self.folder / "ho.me/jö #[rg&x"
        said = (f"{home} {home}/a {home}-b file://{self.folder}/ho.me/j%C3%B6%20%23%5Brg&x/c.pdf -L{home}/lib:{home}\n"
                "alice Alice@Spark-8d54.lan, spark-8d54 spark-8d54-b alice_2 malice alices /home/bob/x /home/carol\n"
                "alice alice alice's;alice")
        wanted = (f"HOME HOME/a {self.folder}/ho.me/jö #[rg&x-b file://HOME/c.pdf -LHOME/lib:HOME\n"
                  "USER USER@HOST, HOST HOST-b USER_2 malice alices /home/USER/x /home/USER\n"
                  "USER USER USER's;USER")
        found = self.check_names("alice", "spark-8d54.lan", home, said, wanted)
        self.assertNotRegex(found, r"(?i)\balice\b|spark-8d54|bob|carol")

    def test_names_of_nobody(self):
        for user, host in (("ubuntu", "localhost"), ("root", "spark")):
            said = "ubuntu root localhost spark nvidia"
            self.check_names(user, host, self.folder / "home", said, said)

    def test_names_with_signs(self):
        self.check_names("a.b", "h*st", self.folder / "home", "axb a.b h*st hhst host", "axb USER HOST hhst host")
        self.check_names("jörg", "x", self.folder / "home", "jörg jörg jörg j%C3%B6rg x", "USER USER USER USER HOST")
        self.env["SUDO_USER"] = "carol"
        self.check_names("root", "x", self.folder / "home", "carol root", "USER root")

    def test_owner(self):
        for folder in (self.folder, self.out, Path(self.env["TMPDIR"])):
            folder.chmod(0o777)
        another = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"] if os.geteuid() == 0 else []
        self.make(prefix=another, status=None)  # who may not be able to read the model
        mask = os.umask(0o022)
        os.umask(mask)
        found = self.report.stat()
        self.assertEqual((found.st_uid, found.st_mode & 0o777), (12345 if another else os.geteuid(), 0o666 & ~mask))
        self.unpack()

    def test_what_names_a_gpu(self):
        self.gpu("spark")
        self.tool("nvidia-smi", """cat <<'END'
GPU 0000000F:01:00.0
    Product Name                          : NVIDIA GB10
    Serial Number                         : 1234567890
    GPU UUID                              : GPU-01234567-89ab-cdef-0123-456789abcdef
    GPU PDI                               : 0xfeedfeed
    Clocks
        SM                                : 208 MHz
    Processes
        GPU instance ID                   : N/A
        Process ID                        : 4242
            Name                          : /opt/secret/bin/server
    Capabilities
        EGM                               : disabled
END""")
        self.env["CUDA_VISIBLE_DEVICES"] = "GPU-01234567-89ab-cdef-0123-456789abcdef"
        self.make()
        files = self.unpack()
        self.assertEqual([line.split(":")[0].strip() for line in files["nvidia-smi.txt"].splitlines()],
                         ["GPU 0000000F", "Product Name", "Serial Number", "GPU UUID", "GPU PDI", "Clocks", "SM", "Processes",
                          "Capabilities", "EGM"])
        self.assertIn("CUDA_VISIBLE_DEVICES=GPU-…\n", files["system.txt"])
        self.assertNotRegex("".join(files.values()), "1234567890|89ab|feedfeed|4242|secret")

    def test_variables(self):
        self.env.update(GST_DEBUG="2", SECRET_TOKEN="sesame")
        self.make()
        files = self.unpack()
        self.assertIn("\nGST_DEBUG=2\n", files["system.txt"])
        self.assertNotIn("sesame", "".join(files.values()))


class Whole(ReportTest):
    """There is a whole report, or none."""

    def check_refused(self, status, text, *args, **kwargs):
        out, err = self.make(*args, status=status, **kwargs)
        self.assertEqual(out, "")
        self.assertIn(text, err)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertEqual(os.listdir(self.env["TMPDIR"]), [])

    def test_refused(self):
        self.report.write_text("of yesterday", encoding="utf-8")
        self.check_refused(2, "my report.tar.gz is there already")
        self.assertEqual(self.report.read_text(encoding="utf-8"), "of yesterday")
        self.report.unlink()
        self.check_refused(2, "the report is a .tar.gz file, which", report=self.out / "report.zip")
        self.check_refused(1, f"there is no folder {self.out}/nowhere", report=self.out / "nowhere/a.tgz")
        self.out.chmod(0o500)
        self.check_refused(1, f"{self.out} takes no files", prefix=WITHOUT_ROOTS_RIGHTS)
        self.check_nothing_left()
        done = subprocess.run([str(DOCTOR), "--report"], env=self.env, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--report needs a file name", done.stderr)

    def test_no_room(self):
        full = self.mounted(f'mount -t tmpfs -o size=4k none "{self.out}"')
        log = self.folder / "left"
        keep = ["sh", "-c", f'"$@"; status=$?; ls -A "{self.out}" >"{log}"; exit $status', "sh"]
        _, err = self.make(status=1, prefix=[*full, *keep])
        self.assertEqual(log.read_text(encoding="utf-8"), "")
        self.assertIn(f"cannot write {self.report}: ", err)
        gathered = Path(re.search(r"what was gathered is in (\S+)\n", err).group(1))
        self.assertTrue((gathered / "README.txt").exists())

    def test_name_taken_meanwhile(self):
        self.tool("lscpu", f'echo mine >"{self.report}"')
        _, err = self.make(status=1)
        self.assertIn("it is there by now", err)
        self.assertEqual(self.report.read_text(encoding="utf-8"), "mine\n")
        self.assertEqual(os.listdir(self.out), [self.report.name])

    def test_interrupted(self):
        for number in INTERRUPTIONS:
            pid = self.folder / "pid"
            pid.unlink(missing_ok=True)
            self.tool("lscpu", f'echo $$ >"{pid}.new"; mv "{pid}.new" "{pid}"; exec sleep 60')
            process = self.start()
            while not pid.exists() and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(number)
            _, err = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 130, err)
            self.assertIn("interrupted: there is no report", err)
            self.check_nothing_left()
            self.assertTrue(has_ended(pid.read_text(encoding="utf-8").strip()))


if __name__ == "__main__":
    DoctorTest.build = Path(sys.argv[1]).resolve()
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
