#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Fuzzes the loader and the passes with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
source_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
  cat <<'END'
usage: tests/fuzz/run.sh [--build DIR] [--corpus DIR] SECONDS|--runs N [TARGET]...

Builds the fuzz targets with clang (in build-fuzz unless told otherwise) and runs each of them (fuzz_onnx
and fuzz_shape, or those named) for SECONDS, or N executions from a fixed seed. New inputs are kept in
DIR/TARGET (build-fuzz/corpus), what fails in the build folder as crash-… Exit status 77 without clang's libFuzzer.
END
}

build=$source_root/build-fuzz corpus='' limit=() targets=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --build) build=$2; shift 2 ;;
    --corpus) corpus=$2; shift 2 ;;
    --runs) limit=(-runs="$2" -seed=1); shift 2 ;;
    -h | --help) usage; exit 0 ;;
    fuzz_*) targets+=("$1"); shift ;;
    *[!0-9]* | '') usage >&2; exit 2 ;;
    *) limit=(-max_total_time="$1"); shift ;;
  esac
done
[[ ${#limit[@]} -gt 0 ]] || { usage >&2; exit 2; }
[[ ${#targets[@]} -gt 0 ]] || targets=(fuzz_onnx fuzz_shape)
corpus=${corpus:-$build/corpus}

probe=$(mktemp -d)
trap 'rm -rf -- "$probe"' EXIT
echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return 0; }' >"$probe/probe.c"
if ! clang -fsanitize=fuzzer,address "$probe/probe.c" -o "$probe/probe" 2>/dev/null; then
  echo "clang with libFuzzer is not installed (packages clang and libclang-rt-*-dev)" >&2
  exit 77
fi

# The engine decides by FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION how much folding may take.
if [[ ! -e $build/build.ninja ]]; then
  CC=clang meson setup "$build" "$source_root" -Dfuzz=true -Dtests=disabled -Donednn=disabled \
    -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized \
    -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION' >&2
fi
ninja -C "$build" "${targets[@]/#/tests/fuzz/}" >&2

cd -- "$build"
for target in "${targets[@]}"; do
  mkdir -p -- "$corpus/$target"
  "tests/fuzz/$target" -rss_limit_mb=2048 -timeout=10 -max_len=16384 -print_final_stats=1 "${limit[@]}" \
    "$corpus/$target" "$source_root/tests/fuzz/seeds"
done
