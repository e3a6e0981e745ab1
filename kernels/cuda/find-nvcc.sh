#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Finds the CUDA compiler: $CUDACXX, else the newest /usr/local/cuda-13*, else the one in PATH (a distribution's, which may
# be of an old CUDA). Prints its real path and, on a second line, its version, or nothing; and why others were passed over,
# on standard error.
for nvcc in "${CUDACXX:-}" $(ls -d /usr/local/cuda-13*/bin/nvcc 2>/dev/null | sort -rV) nvcc; do
    [ -n "$nvcc" ] || continue
    found=$(command -v -- "$nvcc") || found=
    version=$([ -x "$found" ] && "$found" --version 2>/dev/null |
              sed -n 's/^Cuda compilation tools, release \([0-9.]*\),.*/\1/p')
    if [ -z "$found" ] && [ "$nvcc" = nvcc ]; then
        continue
    elif [ -z "$version" ]; then
        echo "$nvcc passed over: it does not run" >&2
    elif [ "${version%%.*}" -lt 13 ]; then
        echo "$nvcc passed over: it is of CUDA $version, and 13.0 or newer is needed" >&2
    else
        readlink -f "$found"
        echo "$version"
        exit 0
    fi
done
