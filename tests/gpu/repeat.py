#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same bytes from each run: two sessions of a plan side by side, each run four times, in two processes.

    tests/gpu/repeat.py NN-RUN [--device cuda] [--precision fp16] [NAME …]

nn-run compares the sessions itself after their last runs; here the processes' outputs are compared.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "models")]

try:
    import onnx

    import checkfamilies
    import pages
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

DEFAULT = "default"


def outputs(args, model, folder):
    """What a process gives, as bytes."""
    folder.mkdir()
    command = [args.program, "--device", args.device, "--precision", args.precision, "--sessions", "2", "--repeat", "3",
               "--out", folder, model]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(done.stderr.strip() or f"nn-run ended with {done.returncode}")
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.raw"))}


def check(args, name, folder):
    model = pages.model_file() if name == DEFAULT else folder / "model.onnx"
    if model is None:
        print(f"skipped {name}: it is not in the cache, and DOCLAYOUT_MODEL does not name it")
        return
    if name != DEFAULT:
        onnx.save(checkfamilies.CASES[name](), model)
    first, second = outputs(args, model, folder / "1"), outputs(args, model, folder / "2")
    assert first, "no outputs"
    differing = [output for output in first if first[output] != second.get(output)]
    assert not differing, f"outputs {differing} differ between two processes"
    print(f"ok     {name}: {len(first)} outputs, {sum(map(len, first.values()))} bytes", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", metavar="NN-RUN")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="fp16")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_intermixed_args()
    names, failed = args.names or [DEFAULT, *checkfamilies.CASES], 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(args, name, pathlib.Path(folder))
            except AssertionError as error:
                failed += 1
                print(f"FAILED {name}: {error}")
    print(f"{len(names)} models, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
