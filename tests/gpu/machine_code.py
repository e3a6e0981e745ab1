#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The machine code of each of our kernels in the CUDA module: sm_90 and sm_121, or what else the build was told to have,
and compute_80 PTX for every other GPU from Ampere on; nothing for an architecture with an `a` or `f` behind it, whose
code runs on that one only.

    tests/gpu/machine_code.py BUILD [ARCHITECTURE]...    needs cuobjdump: CUDA's, or of the package nvidia-cuda-cuobjdump
    tests/gpu/machine_code.py --names BUILD    the kernels' mangled names, one a line
    tests/gpu/machine_code.py --same BUILD OTHER    whether two builds, for two kinds of hosts, have the same PTX
"""
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

ELF, PTX = ("sm_90", "sm_121"), "sm_80"


def find_cuobjdump():
    packaged = pathlib.Path(sysconfig.get_path("purelib")).glob("nvidia/*/bin/cuobjdump")
    return shutil.which("cuobjdump") or shutil.which("/usr/local/cuda/bin/cuobjdump") or next(map(str, packaged), None)


def dump(program, module, option):
    return subprocess.run([program, option, module], capture_output=True, text=True, check=True).stdout


def elf_kernels(program, module):
    """By architecture: the names of the kernels in its ELF files."""
    found, architecture = {}, None
    for line in dump(program, module, "--dump-elf-symbols").splitlines():
        if match := re.match(r"arch = (\S+)", line):
            architecture = match[1]
        elif match := re.match(r"\s*(?:STT_)?FUNC\s.*ENTRY\s+(\S+)$", line):
            found.setdefault(architecture, set()).add(match[1])
    return found


def ptx_kernels(program, module):
    found, target = {}, None
    for line in dump(program, module, "--dump-ptx").splitlines():
        if match := re.match(r"\.target (\S+?)(,|$)", line):
            target = match[1]
        elif match := re.search(r"\.entry (\w+)", line):
            found.setdefault(target, set()).add(match[1])
    return found


def check(program, module, architectures):
    elf, ptx = elf_kernels(program, module), ptx_kernels(program, module)
    every = set().union(*elf.values(), *ptx.values())
    faults = [] if every else ["no kernels"]
    for kind, found, wanted in (("machine code", elf, architectures), ("PTX", ptx, [PTX])):
        for architecture in wanted:
            missing = sorted(every - found.get(architecture, set()))
            faults += [f"no {kind} for {architecture} of {len(missing)} kernels: {' '.join(missing[:5])}"] if missing else []
        faults += [f"{kind} for {a} runs on nothing else" for a in found if re.search(r"\d[a-z]$", a or "")]
        print(f"{module.name}: {kind}: " + ", ".join(f"{len(names)} kernels for {a}" for a, names in sorted(found.items())))
    return faults


def ptx_texts(program, module):
    """Of each file of PTX; without the numbers in names that stand for a file's path, and with flags loaded as one type: where
    char has a sign, the compiler's bool has one too."""
    text = re.sub(r"(_GLOBAL__N__|_INTERNAL_|_cu_)[0-9a-f]{8}", r"\1", dump(program, module, "--dump-ptx"))
    text = text.replace("ld.param.s8", "ld.param.u8")
    return sorted(re.findall(r"^\.version.*?(?=^Fatbin |\Z)", text, flags=re.MULTILINE | re.DOTALL))


def same(program, modules):
    one, other = (ptx_texts(program, module) for module in modules)
    kernels = [sum(part.count(".entry ") for part in parts) for parts in (one, other)]
    if not kernels[0] or one != other:
        print(f"FAILED PTX of {kernels[0]} kernels and of {kernels[1]}, {len(set(one) & set(other))} of {len(one)} files the same")
        return 1
    print(f"PTX of {kernels[0]} kernels, the same in both")
    return 0


def main():
    if sys.argv[1] == "--same":
        return same(find_cuobjdump(), [f"{build}/kernels/nn-cuda.so" for build in sys.argv[2:4]])
    names_only = sys.argv[1] == "--names"
    build, *architectures = sys.argv[2 if names_only else 1:]
    modules = sorted(pathlib.Path(build).glob("kernels/nn-cuda.so"))
    program = find_cuobjdump()
    if "native" in architectures:
        print("skipped: built for the GPU of the machine that built it, whatever that is")
        return 77
    if not modules or not program:
        print("skipped: " + ("no cuobjdump (package nvidia-cuda-cuobjdump)" if modules else "this build has no CUDA backend"),
              file=sys.stderr if names_only else sys.stdout)
        return 77
    if names_only:
        print("\n".join(sorted(set().union(*(names for m in modules for names in elf_kernels(program, m).values())))))
        return 0
    faults = [fault for module in modules for fault in check(program, module, architectures or ELF)]
    for fault in faults:
        print(f"FAILED {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
