# SPDX-License-Identifier: LGPL-2.1-or-later
"""doctor.sh on machines that lack something, each made as it is found (doctor_machine.py). Where there is no default model,
what needs it is left out.
usage: test_doctor.py BUILD
"""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from doctor_machine import (HAS_DRIVER, MODEL, ROOT, WITHOUT_ROOTS_RIGHTS, DoctorTest, needs_model,
                            needs_no_driver)
from write_pdf import A4, write_pdf


class Whole(DoctorTest):
    """All of the output, with what differs from machine to machine masked."""

    def mask(self, output):
        masks = ((str(self.tree), "BUILD"), (str(self.folder / "home"), "HOME"), (str(ROOT), "SOURCES"))
        for text, mask in masks:
            output = output.replace(text, mask)
        output = re.sub(r"^(ok|note) +nvcc: .*$", "ok       nvcc: …", output, flags=re.MULTILINE)
        output = re.sub(r"all are there; .*", "all are there; …", output)
        output = re.sub(r"\d+ (MiB (?:are|of swap)|files open)", r"N \1", output)
        output = re.sub(r"\d+(\.\d+)+[\w.+-]*", "VERSION", output)
        return re.sub(r"poppler-data: in .*", "poppler-data: in FOLDER", output)

    def check_golden(self, name, output):
        output = self.mask(output)
        path = ROOT / "tests" / "golden" / name
        if os.environ.get("DOCLAYOUT_UPDATE_GOLDEN"):
            path.write_text(output, encoding="utf-8")
        self.assertEqual(output, path.read_text(encoding="utf-8"))

    @needs_no_driver
    def test_nothing_built(self):
        self.model.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "home")
        del self.env["DOCLAYOUT_RENDER_WORKER"], self.env["DOCLAYOUT_CUDA_MODULE"]
        done = self.run_doctor("--no-install")
        self.assertEqual(done.returncode, 1)
        self.check_golden("doctor-nothing.txt", done.stdout)
        # Folders are GStreamer's own.
        self.assertEqual([path for path in (self.folder / "home").rglob("*") if path.is_file()], [])

    @needs_model
    @needs_no_driver
    def test_cpu(self):
        self.check_golden("doctor-cpu.txt", "\n".join(self.look()) + "\n")

    @needs_model
    def test_gpu(self):
        self.gpu("spark")
        self.check_golden("doctor-gpu.txt", "\n".join(self.look()) + "\n")

    def test_documentation(self):
        """What docs/dgx-spark.md shows is what is printed."""
        shown = re.search(r"^```text\n(.*?)^```", (ROOT / "docs/dgx-spark.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        shown = shown.group(1).replace("…/", "HOME/.cache/gst-doclayout/").replace("… MiB", "N MiB")
        golden = (ROOT / "tests/golden/doctor-gpu.txt").read_text(encoding="utf-8").splitlines()
        self.assertEqual([line for line in self.mask(shown).splitlines() if line not in golden], [])

    # The same machine with one thing taken away at a time.

    @needs_model
    @needs_no_driver
    def test_driver_taken_away(self):
        bus = self.mounted("cd /sys/bus/pci/devices; mount -t tmpfs none .; cd ../devices; mkdir 000f:01:00.0; "
                           f"echo 0x10de >000f:01:00.0/vendor; echo 0x030200 >000f:01:00.0/class; cd {self.folder}")
        self.check_golden("doctor-no-driver.txt", "\n".join(self.look(prefix=bus)) + "\n")

    @needs_model
    def test_library_taken_away(self):
        self.gpu("spark")
        link = ["cc", "-shared", "-x", "c", "/dev/null"]
        library, module = self.folder / "libcudnn.so.999", self.folder / "nn-cuda.so"
        subprocess.run([*link, "-o", library, f"-Wl,-soname,{library.name}"], check=True)
        subprocess.run([*link, "-x", "none", "-o", module, "-Wl,--no-as-needed", library], check=True)
        library.unlink()
        self.env["DOCLAYOUT_CUDA_MODULE"] = str(module)
        self.check_golden("doctor-no-library.txt", "\n".join(self.look()) + "\n")

    @needs_model
    def test_device_taken_away(self):
        self.gpu("none")
        self.check_golden("doctor-no-device.txt", "\n".join(self.look()) + "\n")

    def test_model_taken_away(self):
        self.gpu("spark")
        self.model.unlink(missing_ok=True)
        self.check_golden("doctor-no-model.txt", "\n".join(self.look()) + "\n")


class Arguments(DoctorTest):
    def test_usage(self):
        for args, text in ((["--nosuch"], "unknown option --nosuch"), (["-x"], "unknown option -x"),
                           (["--build"], "--build needs a folder"), (["--build=nowhere"], "there is no folder nowhere"),
                           ([""], "a file name is empty")):
            done = self.run_doctor(*args)
            self.assertEqual((done.returncode, done.stdout), (2, ""), args)
            self.assertIn(text, done.stderr)
        self.assertTrue(self.run_doctor("--help").stdout.startswith("usage: doctor.sh "))

    def test_json(self):
        self.gpu("spark")
        odd = os.fsdecode(b"a \"b\" \\ \x01\xff.onnx")
        done = self.run_doctor("--json", "--build", self.tree, "--", odd)
        self.assertEqual(done.returncode, 1)
        found = json.loads(done.stdout)
        self.assertEqual((found["healthy"], found["device"]), (False, "cuda:0"))
        self.assertEqual([gpu["name"] for gpu in found["gpus"]["devices"]], ["Fake GB10"])
        lines = self.look("--", odd)
        self.assertEqual([(c["status"], c["name"]) for c in found["checks"]],
                         [tuple(line.split(":")[0].split()) for line in lines[:-1]])
        model = next(check for check in found["checks"] if check["status"] == "trouble")
        self.assertIn('a "b" \\ ?.onnx cannot be used: ', model["fact"])
        self.assertIn("docs/models.md", model["remedy"])

    @needs_model
    def test_json_of_a_healthy_machine(self):
        self.gpu("spark")
        done = self.run_doctor("--json", "--build", self.tree)
        found = json.loads(done.stdout)
        self.assertEqual((done.returncode, found["healthy"]), (0, True))
        self.assertEqual({check["remedy"] for check in found["checks"]}, {None})


class Gpus(DoctorTest):
    @unittest.skipIf(HAS_DRIVER, "the driver of this machine is seen first")
    def test_old_driver(self):
        self.gpu("", driver="535.183.01")
        self.check("trouble driver", "NVIDIA driver 535.183.01, which is older than 580", "install driver 580 or newer")

    def test_driver_of_the_kernel(self):
        for line, version in (
                ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27 21:21:55 UTC 2021", "470.82.01"),
                ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  535.95.05  Release Build", "535.95.05")):
            (self.folder / "version").write_text(f"{line}\nGCC version:  gcc version 13.3.0\n")
            proc = self.mounted("mount -t tmpfs none /proc/driver; mkdir /proc/driver/nvidia; "
                                f"cp {self.folder}/version /proc/driver/nvidia/version")
            self.check("trouble driver", f"NVIDIA driver {version}, which is older", prefix=proc)

    @needs_no_driver
    def test_card_without_driver(self):
        for kind, line in (("0x030200", "trouble driver"), ("0x040300", "note driver")):
            bus = self.mounted("cd /sys/bus/pci/devices; mount -t tmpfs none .; cd ../devices; mkdir 0000:01:00.0; "
                               f"echo 0x10de >0000:01:00.0/vendor; echo {kind} >0000:01:00.0/class; cd {self.folder}")
            self.check(line, "NVIDIA GPU", prefix=bus)

    def test_driver_that_cuda_does_not_find(self):
        self.gpu("")
        self.check("trouble cuda", "CUDA does not find it", "docker run --gpus all")

    def test_hidden_gpu(self):
        self.gpu("none")
        self.env["CUDA_VISIBLE_DEVICES"] = "-1"
        lines = self.check("trouble gpu", "the NVIDIA driver shows no GPU", "CUDA_VISIBLE_DEVICES")
        self.check("note environment", "CUDA_VISIBLE_DEVICES=-1", lines=lines)

    def test_gpu_without_code(self):
        self.gpu("old")
        lines = self.check("trouble gpu", "Fake Turing, sm_75, ", "this build has no code", "-Dcuda-arch=native")
        self.assertFalse([line for line in lines if "on cuda" in line])

    def test_gpu_without_machine_code(self):
        self.gpu("spark")
        for architectures, line in (("sm_90, PTX of compute_80", "note gpu"), ("sm_120, PTX of compute_80", "ok gpu"),
                                    ("sm_122, PTX of compute_80", "note gpu"), ("native", "ok gpu")):
            self.env["FAKE_ARCHITECTURES"] = architectures
            lines = self.check(line, "Fake GB10, sm_121, ")
            self.assertEqual("translates this build's PTX" in "".join(lines), line == "note gpu")

    def test_memory_paths(self):
        self.gpu("hmm")
        self.check("ok gpu", "GPU 0, Fake Hopper, sm_90, 81920 MiB; memory path registered; ", "host page tables no")

    def test_cudnn(self):
        self.gpu("spark")
        self.check("ok libraries", "cuDNN 9.24.0")
        self.env["FAKE_CUDNN"] = "9.19.0"
        self.check("note libraries", "cuDNN 9.19.0", "depthwise", "; the driver is for CUDA 13.0")
        self.check("ok gpu", "sm_121")
        self.env["FAKE_CUDNN"] = "9.10.2"
        self.check("trouble gpu", "cuDNN 9.10.2 is older than 9.11", "apt-get install libcudnn9-cuda-13")
        self.gpu("hmm")
        self.check("ok gpu", "sm_90")

    def test_cublas(self):
        self.gpu("spark")
        for version, line in (("13.4.0", "note libraries"), ("13.4.1", "ok libraries"), ("13.40.0", "ok libraries")):
            self.env["FAKE_CUBLASLT"] = version
            self.check(line, f"cuBLASLt {version};")

    def test_driver_that_does_not_answer(self):
        self.gpu("hung")
        self.end_soon("nn-inspect --devices")
        self.check("trouble cuda", "nn-inspect --devices waits for the driver and does not end", "Xid")

    def test_module_that_is_missing(self):
        self.env["DOCLAYOUT_CUDA_MODULE"] = "/nowhere/nn-cuda.so"
        self.check("trouble cuda", "/nowhere/nn-cuda.so: cannot open shared object file")
        del self.env["DOCLAYOUT_CUDA_MODULE"]
        self.gpu("spark")
        self.check("trouble cuda", "/nonexistent/nn-cuda.so: cannot open shared object file")

    @needs_no_driver
    def test_module_that_nothing_needs(self):
        del self.env["DOCLAYOUT_CUDA_MODULE"]
        self.check("note cuda", "the CUDA backend cannot be loaded")

    def test_module_of_another_kind(self):
        module = self.folder / "text.so"
        module.write_text("no library")
        self.env["DOCLAYOUT_CUDA_MODULE"] = str(module)
        self.check("trouble cuda", "text.so: ")

    def test_build_without_cuda(self):
        if (self.build / "kernels/nn-cuda.so").exists():
            self.skipTest("this build has a CUDA backend")
        (self.tree / "kernels").unlink()
        (self.tree / "kernels").symlink_to(self.build / "kernels")
        self.gpu("spark")
        self.check("trouble cuda", "this build has no CUDA backend", "install the CUDA Toolkit 13")

    @needs_model
    def test_gpu_that_computes_nothing(self):
        self.gpu("wrong")
        lines = self.look()
        self.assertRegex(lines[-2], r"^trouble  self-test: on cuda a page has the regions none; on the CPU they are text 12, ")


class Parts(DoctorTest):
    def test_packages(self):
        self.tool("dpkg-query", "exit 1")
        self.check("trouble packages", "missing: ca-certificates gcc ", "apt-get install ca-certificates gcc ")

    def test_program_that_does_not_start(self):
        (self.tree / "kernels").unlink()
        (self.tree / "kernels").mkdir()
        program = self.tree / "kernels/nn-inspect"
        program.write_text("#!/bin/sh\necho libpng16.so.16: no such file >&2\nexit 127\n")
        program.chmod(0o755)
        self.check("trouble cuda", "libpng16.so.16: no such file")

    def test_program_that_does_not_end(self):
        inspect = self.tree / "kernels/nn-inspect"
        real = inspect.resolve()
        (self.tree / "kernels").unlink()
        (self.tree / "kernels").mkdir()
        inspect.write_text(f'#!/bin/sh\n[ "$1" = --devices ] && exec {real} "$@"\nexec sleep 60\n')
        inspect.chmod(0o755)
        self.end_soon("nn-inspect --device cuda")
        self.gpu("spark")
        self.check("trouble model", "other.onnx was not ready within 180 s",
                   lines=[line for line in self.look("other.onnx") if "other.onnx" in line])

    @needs_model
    def test_page_that_does_not_end(self):
        self.end_soon("doclayout-launch --set")
        self.check("trouble self-test", "on cpu a page was not ready within 180 s", "Xid")

    def test_gstreamer(self):
        self.tool("gst-inspect-1.0", "exit 127")
        self.check("trouble gstreamer", "apt-get install gstreamer1.0-tools")
        self.tool("gst-inspect-1.0", '[ "$1" = --version ] && echo GStreamer 1.18.4')
        lines = self.check("trouble gstreamer", "1.18.4, which is older than 1.20")
        self.assertTrue([line for line in lines if "has no queue videoconvert pngenc multifilesink" in line], lines)

    def test_plugin(self):
        (self.tree / "elements").unlink()
        (self.tree / "elements").mkdir()
        self.check("trouble elements", "does not find pdfsrc cudalayoutdetect layoutoverlay jsonsink", "meson compile")
        (self.tree / "elements/libgstdoclayout.so").write_bytes(b"no library")
        self.check("trouble elements", "does not find pdfsrc", "libgstdoclayout.so says what it lacks")

    def test_launcher_that_does_not_start(self):
        (self.tree / "pipelines").unlink()
        (self.tree / "pipelines").mkdir()
        program = self.tree / "pipelines/doclayout-launch"
        program.write_text("#!/bin/sh\necho libfoo.so.1: no such file >&2\nexit 127\n")
        program.chmod(0o755)
        self.check("trouble build", "libfoo.so.1: no such file")

    def test_worker(self):
        self.env["DOCLAYOUT_RENDER_WORKER"] = "/nowhere/worker"
        lines = self.check("trouble poppler", "/nowhere/worker, is not there", "unset DOCLAYOUT_RENDER_WORKER")
        if MODEL.exists():
            self.check("trouble self-test", "/nowhere/worker", lines=lines)
        del self.env["DOCLAYOUT_RENDER_WORKER"]
        self.assertNotIn("unset", "".join(self.check("trouble poppler", "is not there", "meson compile")))

    def test_poppler_data(self):
        data = subprocess.run(["pkg-config", "--variable=poppler_datadir", "poppler-data"], capture_output=True, text=True)
        data = data.stdout.strip() or "/usr/share/poppler"
        hidden = self.mounted(f'mount -t tmpfs none "{data}"')
        self.check("trouble poppler-data", "Chinese", "apt-get install poppler-data", prefix=hidden)

    def test_libraries_of_the_worker(self):
        self.tool("ldd", "printf '\\tlibpoppler-glib.so.8 => not found\\n\\tlibc.so.6 => /lib/libc.so.6\\n'")
        self.check("trouble poppler", "pdf-render-worker lacks libpoppler-glib.so.8; ")

    def test_memory(self):
        (self.folder / "meminfo").write_text("MemTotal: 4000000 kB\nMemAvailable: 307200 kB\nSwapFree: 20480 kB\n")
        small = self.mounted(f"mount --bind {self.folder}/meminfo /proc/meminfo")
        self.check("trouble memory", "300 MiB are available, 20 MiB of swap", prefix=small)

    def test_open_files(self):
        few = ["sh", "-c", 'ulimit -n 100 && exec "$@"', "sh"]
        self.check("trouble files", "100 files", "ulimit -n 1024", prefix=few)


class Models(DoctorTest):
    def test_no_default_model(self):
        self.model.unlink(missing_ok=True)
        lines = self.check("trouble model", f"the default model is not at {self.model}", "pipelines/detect.sh fetches it")
        self.assertFalse([line for line in lines if "self-test" in line])
        self.env["DOCLAYOUT_MODEL"] = "other.onnx"
        lines = self.check("note model", "the default model is not at")
        self.check("trouble model", "other.onnx cannot be used: ", lines=lines)

    def test_damaged_default_model(self):
        self.model.unlink(missing_ok=True)
        self.model.write_bytes(b"half of it")
        lines = self.look()
        self.assertTrue([line for line in lines if "SHA-256 differs" in line and "delete it" in line], lines)

    def test_file_that_is_no_model(self):
        (self.folder / "bad.onnx").write_bytes(b"no model")
        self.check("trouble model", "bad.onnx cannot be used: ", "docs/models.md",
                   lines=[line for line in self.look("bad.onnx") if "bad.onnx" in line])

    def test_file_that_may_not_be_read(self):
        (self.folder / "secret.onnx").write_bytes(b"")
        (self.folder / "secret.onnx").chmod(0)
        lines = self.look("secret.onnx", prefix=WITHOUT_ROOTS_RIGHTS)
        self.assertTrue([line for line in lines if "secret.onnx" in line and "Permission denied" in line], lines)

    @needs_model
    def test_each_model_named(self):
        self.gpu("spark")
        shutil.copy(MODEL, self.folder / "a.onnx")
        lines = self.look("a.onnx", str(self.model))
        self.assertIn("ok       model: a.onnx runs on cuda:0 Fake GB10 in fp16", lines)
        self.assertIn(f"ok       model: {self.model} runs on cuda:0 Fake GB10 in fp16", lines)

    @needs_model
    def test_page_with_other_regions(self):
        scripts = self.copy_of_scripts()
        (scripts / "sample.pdf").write_bytes(write_pdf([A4]))
        self.check("trouble self-test", "on cpu a page has the regions ", "; known are text 12, ",
                   script=scripts / "doctor.sh")

    @needs_model
    def test_page_with_nearly_the_same_regions(self):
        scripts = self.copy_of_scripts()
        script = (scripts / "doctor.sh").read_text(encoding="utf-8")
        for known, line in (("text 11, title 4, list 1", "ok self-test"), ("text 11, title 3, list 2", "trouble self-test")):
            (scripts / "doctor.sh").write_text(script.replace("text 12, title 4", known), encoding="utf-8")
            self.check(line, f"known are {known}, ", script=scripts / "doctor.sh")


if __name__ == "__main__":
    DoctorTest.build = Path(sys.argv[1]).resolve()
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)
