# SPDX-License-Identifier: LGPL-2.1-or-later
"""nn-inspect --devices, with a module that stands for CUDA and its GPUs (fakegpu.c).
usage: test_inspect_devices.py NN-INSPECT MODULE; this nn-inspect is one that loads modules
"""
import json
import os
import subprocess
import sys
import unittest

INSPECT, MODULE = sys.argv[1:3]
NO_MODULE = "the CUDA backend cannot be loaded: /nonexistent/nn-cuda.so: cannot open shared object file"
SPARK = {"name": "Fake GB10", "architecture": "sm_121", "memory_bytes": 119 << 30, "integrated": True,
         "pageable_memory_access": True, "host_page_tables": True, "concurrent_managed_access": True,
         "host_register": False, "memory_path": "direct", "usable": True, "error": None}
HMM = {"name": "Fake Hopper", "architecture": "sm_90", "memory_bytes": 80 << 30, "integrated": False,
       "pageable_memory_access": True, "host_page_tables": False, "concurrent_managed_access": True,
       "host_register": True, "memory_path": "registered", "usable": True, "error": None}


def run(*args, gpu="", module=MODULE):
    env = {**os.environ, "FAKE_GPU": gpu, "DOCLAYOUT_CUDA_MODULE": module}
    return subprocess.run([INSPECT, *args], env=env, capture_output=True, text=True, timeout=20)


class Devices(unittest.TestCase):
    def check_json(self, status, gpu, module=MODULE):
        done = run("--devices", "--json", gpu=gpu, module=module)
        self.assertEqual((done.returncode, done.stderr), (status, ""))
        return json.loads(done.stdout)

    def test_attributes(self):
        for gpu, want in (("spark", SPARK), ("hmm", HMM)):
            found = self.check_json(0, gpu)
            self.assertEqual(found.pop("devices"), [want])
            self.assertEqual(found, {"backend": True, "architectures": "sm_90, sm_121, PTX of compute_80", "cuda_runtime": "13.0",
                                     "cudnn": "9.24.0", "cublaslt": "13.1.0", "cuda_driver": "13.0", "error": None})

    def test_text(self):
        done = run("--devices", gpu="spark")
        self.assertEqual(done.stdout, """\
backend    with code for sm_90, sm_121, PTX of compute_80
libraries  CUDA runtime 13.0, cuDNN 9.24.0, cuBLASLt 13.1.0
driver     for CUDA 13.0
gpu 0      Fake GB10, sm_121, 121856 MiB
  memory   direct: integrated yes, pageable memory access yes, host page tables yes, concurrent managed access yes, \
host register no
  usable   yes
""")
        self.assertIn("  usable   no: GPU 0, Fake Turing, is of", run("--devices", gpu="old").stdout)
        self.assertIn("gpus       no: the NVIDIA driver shows no GPU\n", run("--devices", gpu="none").stdout)
        self.assertIn("driver     none\n", run("--devices").stdout)
        self.assertIn(f"backend    no: {NO_MODULE}", run("--devices", module="").stdout)

    def test_nothing_to_run_on(self):
        found = self.check_json(1, "old")
        self.assertEqual([d["usable"] for d in found["devices"]], [False])
        self.assertIn("for which this build has no code", found["devices"][0]["error"])
        found = self.check_json(1, "none")
        self.assertEqual((found["devices"], found["cuda_driver"]), ([], "13.0"))
        self.assertEqual(found["error"], "the NVIDIA driver shows no GPU")
        found = self.check_json(1, "")
        self.assertEqual(found["cuda_driver"], None)
        self.assertIn("no NVIDIA driver", found["error"])

    def test_no_backend(self):
        found = self.check_json(1, "spark", module="")
        self.assertEqual((found["backend"], found["cudnn"], found["devices"]), (False, None, []))
        self.assertIn(NO_MODULE, found["error"])

    def test_usage(self):
        done = run("--devices", "a.onnx")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("--devices takes no model", done.stderr)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([INSPECT, "--devices"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write the report: No space left", done.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
