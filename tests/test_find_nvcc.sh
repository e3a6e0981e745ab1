#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Which CUDA compiler the build takes: kernels/cuda/find-nvcc.sh with compilers that only tell their version.
# Usage: test_find_nvcc.sh SCRIPT
set -eu
script=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# compiler FOLDER VERSION
compiler() {
    mkdir -p "$folder/$1"
    printf '#!/bin/sh\necho "Cuda compilation tools, release %s, V%s.0"\n' "$2" "$2" > "$folder/$1/nvcc"
    chmod +x "$folder/$1/nvcc"
}

# expect WHAT WANTED GOT
expect() {
    [ "$2" = "$3" ] && return
    printf '%s: wanted "%s", got "%s"\n' "$1" "$2" "$3" >&2
    exit 1
}

compiler 'a b' 99.1
compiler old 12.9
real=$(readlink -f "$folder")
newline='
'
expect 'a path with a space' "$real/a b/nvcc${newline}99.1" "$(CUDACXX="$folder/a b/nvcc" sh "$script")"
expect 'a name in PATH' "$real/a b/nvcc${newline}99.1" "$(PATH="$folder/a b:$PATH" CUDACXX=nvcc sh "$script")"
ln -s 'a b/nvcc' "$folder/link"
expect 'a link' "$real/a b/nvcc${newline}99.1" "$(CUDACXX="$folder/link" sh "$script")"

# What is passed over, and why, whatever is found then.
expect 'an old one' "$folder/old/nvcc passed over: it is of CUDA 12.9, and 13.0 or newer is needed" \
    "$(CUDACXX="$folder/old/nvcc" sh "$script" 2>&1 >"$folder/found" | head -n 1)"
for odd in "$folder" "$folder/none" /bin/false 'nvcc -O3'; do
    expect "CUDACXX=$odd" "$odd passed over: it does not run" \
        "$(CUDACXX="$odd" sh "$script" 2>&1 >"$folder/found" | head -n 1)"
done
