#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds with a sanitizer and runs the tests under it.
set -euo pipefail
source_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
  cat <<'END'
usage: tests/sanitize.sh address|thread [TEST]...

address  AddressSanitizer with its search for leaks, and UndefinedBehaviorSanitizer; in build-asan
thread   ThreadSanitizer, with GLib's locks made visible (tests/tsan-glib.c); in build-tsan

Runs the tests that are named, else those in C of the elements and of the engine (thread: those that have threads).
Tests that load the plugin into Python cannot be run so. Nothing is installed: tests that compare with packages need the
Python environment that tests/run.sh made, or DOCLAYOUT_TEST_PYTHON.
END
}

elements=(metas unifiedallocator layoutqueue layoutconfig cudalayoutdetect cudalayoutdetect_pages cudalayoutdetect_flow
          cudalayoutdetect_device cudalayoutdetect_batches cudalayoutdetect_swap mirror elements pdfsrc pdfsrc_workers
          pdfsrc_documents pdfworker layoutoverlay layoutoverlay_composition layoutoverlay_frames layoutoverlay_style
          jsonsink jsonsink_files outputfile backpressure stress stress_pipelines zero_copy)
threads=(parallel schedule detector batches)
engine=(onnx onnx_external onnx_tensor onnx_weights graph_arena graph_limits graph_merge graph_postpone graph_precision
        graph_shape decode tensor)

case ${1:-} in
  address)
    build=$source_root/build-asan
    sanitizers=address,undefined
    tests=("${elements[@]}" formats locationpattern pagerange "${threads[@]}" "${engine[@]}") ;;
  thread)
    build=$source_root/build-tsan
    sanitizers=thread
    tests=("${elements[@]}" "${threads[@]}") ;;
  -h | --help)
    usage
    exit ;;
  *)
    usage >&2
    exit 2 ;;
esac
shift
[[ $# == 0 ]] || tests=("$@")

[[ -f $build/build.ninja ]] ||
  meson setup "$build" "$source_root" -Dtests=enabled -Dcuda=disabled -Db_sanitize=$sanitizers -Db_lundef=false
meson compile -C "$build"
version=$(sha256sum -- "$source_root/tests/requirements.txt" | cut -c 1-12)
python=${XDG_CACHE_HOME:-$HOME/.cache}/gst-doclayout/test-venv-$version/bin/python
[[ -n ${DOCLAYOUT_TEST_PYTHON:-} || ! -x $python ]] || export DOCLAYOUT_TEST_PYTHON=$python
# GStreamer's scanner is a program of its own, in which our plugin would find no sanitizer.
export GST_REGISTRY_FORK=no G_SLICE=always-malloc
# Whole stacks, through libraries without frame pointers: what leaks in them is known by its caller.
export ASAN_OPTIONS=fast_unwind_on_malloc=0
export LSAN_OPTIONS=suppressions=$source_root/tests/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Of libraries that are not instrumented only the locks count: what orders the rest is not seen.
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:history_size=5
meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 5 --num-processes "$(nproc)" "${tests[@]}"
