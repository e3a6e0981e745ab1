#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds for 64-bit Arm and runs the tests under an emulator, in a Debian of its own.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../pipelines/bootstrap.sh"
source "$(dirname -- "${BASH_SOURCE[0]}")/python.sh"

usage() {
  cat <<'END'
usage: tests/arm64.sh FOLDER [TEST]...
       tests/arm64.sh --cuda FOLDER

Makes a Debian 12 in FOLDER (3.5 GB, kept for the next run), copies the sources into it, builds them there for
this machine and, with a cross compiler, for aarch64, and runs the second build under qemu-user. What it finds in the sample
document with the default model must be what this machine's build finds (tests/same_regions.py), and each operator must compute
what ONNX Runtime does on this machine. Then come the tests: those that are programs in C but for a few (see this script), or
those that are named. The last line is "N passed, N failed". For Debian, as root; this system gets no package but debootstrap.

With --cuda the CUDA backend alone is built for aarch64, with NVIDIA's compiler and libraries from PyPI (2 GB more in FOLDER):
with nothing undefined, and with all the machine code that it is to have. What it says without a driver is read under
the emulator, and the libraries that it needs are listed.
END
}

# Tests that are left out: the default model takes 15 seconds a page under the emulator, and compare_regions() runs it on
# five pages.
left_out=(cudalayoutdetect_pages cudalayoutdetect_flow detector)
# Cases that qemu-user cannot show: its posix_spawn() does not tell that a program could not be started, and its
# prlimit() sets no limit to memory.
left_out_cases=test_no_such_worker,test_no_second_worker,test_memory_limit

# What programs are linked with and run with. libonnx-dev is but a schema, and the compiler brings a libc6-dev.
libraries() {
  sed -n 's/^\(build\|run\) *\(lib.*-dev\|gstreamer1.0-plugins-.*\)$/\2/p' "$source_root/pipelines/packages.txt" |
    grep -v -x -e libc6-dev -e libonnx-dev
}

# Installs them for architecture $1, and other packages. Some are there for one architecture at a time and replace
# those of the other.
install_libraries() {
  local names
  mapfile -t names < <(libraries)
  say "installing libraries for $1"
  apt_get install -y --no-install-recommends "${@:2}" "${names[@]/%/:$1}"
}

# The tests that are programs of this build, and the one that needs nothing but Python to start one: others compare with
# Python packages.
list_tests() {
  meson introspect --tests build-arm64 | python3 -c '
import json, os, sys
for test in json.load(sys.stdin):
    if test["cmd"][0].startswith(os.getcwd() + "/build-arm64/"):
        print(test["name"])
print("launch")' | grep -v -x -F -f <(printf '%s\n' "${left_out[@]}")
}

run_tests() {
  local log=build-arm64/meson-logs/testlog.json tests=("$@")
  ((${#tests[@]})) || mapfile -t tests < <(list_tests)
  rm -f -- "$log"
  # GStreamer's scanner is a program of its own, which nothing starts under the emulator.
  export GST_REGISTRY_FORK=no GST_CHECKS_IGNORE=$left_out_cases CK_TIMEOUT_MULTIPLIER=10
  meson test -C build-arm64 --no-rebuild --print-errorlogs --timeout-multiplier 10 --num-processes "$(nproc)" \
    "${tests[@]}" || true
  python3 tests/summary.py "$log"
}

# A pipeline of real elements, beside the one of the machine's own build.
compare_regions() {
  GST_PLUGIN_PATH=build-arm64/elements GST_REGISTRY=build-arm64/registry.bin GST_REGISTRY_FORK=no \
    DOCLAYOUT_RENDER_WORKER=build-arm64/tests/pdf-render-worker.sh build-arm64/tests/doclayout-launch.sh \
    --set src.location=pipelines/sample.pdf --set out.location=build-arm64/sample.jsonl \
    pdfsrc name=src ! cudalayoutdetect model-file="$default_model" ! jsonsink name=out
  python3 tests/same_regions.py native.jsonl build-arm64/sample.jsonl
}

# Operators under the emulator, ONNX Runtime beside it. There is one instruction set, so that the portable code is the best.
check_operators() {
  local run=build-arm64/tests/nn-run wrapper=(--wrapper qemu-aarch64)
  apt_get install -y --no-install-recommends python3-venv
  prepare_python
  "$DOCLAYOUT_TEST_PYTHON" tests/checkops.py --nn-run "$run" "${wrapper[@]}" --choice best --choice direct
  "$DOCLAYOUT_TEST_PYTHON" tests/test_fusions.py "$run" "${wrapper[@]}"
  "$DOCLAYOUT_TEST_PYTHON" tests/test_views.py "$run" "${wrapper[@]}"
}

prepare_root() {
  cd -- "$source_root"
  dpkg --add-architecture arm64
  apt_get update
}

# In the root, of which this script is the only user.
build_cuda() {
  prepare_root
  install_packages build run
  install_libraries arm64 crossbuild-essential-arm64 qemu-user
  tests/arm64-cuda.sh
}

build_and_test() {
  prepare_root
  install_libraries "$(dpkg --print-architecture)"
  pipelines/detect.sh pipelines/sample.pdf -o native.jsonl
  install_libraries arm64 crossbuild-essential-arm64 qemu-user
  [[ -f build-arm64/build.ninja ]] ||
    meson setup build-arm64 --cross-file cross/aarch64-linux-gnu.txt -Dcuda=disabled -Dtests=enabled
  meson compile -C build-arm64
  compare_regions
  check_operators
  run_tests "$@"
}

make_root() {
  [[ -d $root/etc/apt && ! -d $root/debootstrap ]] && return # where it leaves off it leaves that folder
  command -v debootstrap >/dev/null || apt_get install -y --no-install-recommends debootstrap
  say "making a Debian 12 in $root"
  debootstrap --variant=minbase bookworm "$root" >&2
  # Certificates that an administrator added here count there too.
  [[ ! -d /usr/local/share/ca-certificates ]] || cp -R /usr/local/share/ca-certificates "$root/usr/local/share"
}

# The sources as they are. Files keep their times, so that a second run builds only what changed.
copy_sources() {
  mkdir -p -- "$root/gst-doclayout"
  git -C "$source_root" ls-files -z --cached --others --exclude-standard |
    tar -C "$source_root" --null --files-from=- --create | tar -C "$root/gst-doclayout" --extract
}

# The mounts are this process's own and end with it.
enter_root() {
  # shellcheck disable=SC2016 # for the shell in there
  exec unshare --mount --fork bash -c '
    root=$1; shift
    for folder in proc sys dev; do mount --rbind "/$folder" "$root/$folder" || exit; done
    exec env -i HOME=/root LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      chroot "$root" /gst-doclayout/tests/arm64.sh --inside "$@"' bash "$root" "$@"
}

case ${1:-} in
  -h | --help) usage; exit ;;
  --inside) "${@:2}"; exit ;;
esac
what=build_and_test
[[ ${1:-} != --cuda ]] || { what=build_cuda; shift; }
case ${1:-} in
  '' | -*) usage_error "FOLDER is missing" ;;
esac
[[ $what == build_and_test || $# == 1 ]] || usage_error "--cuda takes no names of tests"
root=$(realpath -m -- "$1")
((EUID == 0)) || die "only root can make a Debian and enter it"
make_root
copy_sources
enter_root "$what" "${@:2}"
