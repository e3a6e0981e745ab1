#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Which packages bring the shared libraries that programs are linked with.
set -euo pipefail

usage() {
  cat <<'END'
usage: pipelines/libraries.sh FILE...

Lists the shared libraries that these programs and libraries are linked with, one a line, each with the package that
brings it, after a tab. Files may be for another architecture, whose packages are then asked for. Libraries among FILEs
are left out. Of CUDA's where they are of no package here, it is the one of NVIDIA's repository.

Exit status: 0 all well, 1 a library is of no package or a file is no program, 2 wrong usage.
END
}

die() { echo "libraries.sh: $*" >&2; exit 1; }

# Where packages of the architecture of file $1 have their libraries.
library_folder() {
  case $(LC_ALL=C readelf --file-header -- "$1") in
    *AArch64*) echo aarch64-linux-gnu ;;
    *X86-64*) echo x86_64-linux-gnu ;;
    *) return 1 ;;
  esac
}

# The values of all entries $1 of the dynamic sections of the other arguments, once each.
entries() {
  LC_ALL=C readelf --dynamic -- "${@:2}" | sed -n "s/.*($1).*\[\(.*\)\]\$/\1/p" | sort -u
}

# The package of library $2 in folder $1.
package_of() {
  local found
  found=$(dpkg-query --search "/lib/$1/$2" "/usr/lib/$1/$2" "/usr/local/cuda-*/$2" 2>/dev/null | sed -n 's/:.*//p;q')
  case $found$2 in
    libcublas*.so.13) found=libcublas-13-0 ;;
    libcudnn*.so.9) found=libcudnn9-cuda-13 ;;
  esac
  printf '%s\n' "$found"
}

case ${1:-} in
  -h | --help) usage; exit ;;
  '' | -*) usage >&2; exit 2 ;;
esac
folder=$(library_folder "$1" 2>/dev/null) || die "$1 is no program or library for 64-bit Arm or x86"
status=0
while read -r library; do
  package=$(package_of "$folder" "$library")
  [[ -n $package ]] || { echo "libraries.sh: no package has $library" >&2; status=1; }
  printf '%s\t%s\n' "$library" "$package"
done < <(entries NEEDED "$@" | grep -v -x -F -f <(entries SONAME "$@"; echo) | grep -v '^ld-linux-')
exit $status
