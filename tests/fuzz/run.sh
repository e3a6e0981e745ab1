#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Fuzzes the loader and the passes with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail
source_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
  cat <<'END'
usage: tests/fuzz/run.sh [--build DIR] SECONDS [TARGET]...
       tests/fuzz/run.sh [--build DIR] --runs N [TARGET]...

Builds the fuzz targets with clang, in build-fuzz unless told otherwise, and runs each of them (or those
named: fuzz_onnx, fuzz_shape, fuzz_run) for SECONDS, from the inputs that earlier runs kept in DIR/corpus; or N times
from a fixed seed, keeping nothing. The first inputs are the models of tests/checkops.py, if
$DOCLAYOUT_TEST_PYTHON (else python3) has what that needs. An input that fails is left in DIR as crash-…,
timeout-… or oom-…; give it to DIR/tests/fuzz/TARGET to see why. Without clang's libFuzzer the exit status
is 77.
END
}

build=$source_root/build-fuzz seconds='' runs='' targets=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --build) build=$2; shift ;;
    --runs) runs=$2; shift ;;
    -h | --help) usage; exit 0 ;;
    fuzz_*) targets+=("$1") ;;
    *[!0-9]* | '') usage >&2; exit 2 ;;
    *) seconds=$1 ;;
  esac
  shift
done
[[ -n $seconds || -n $runs ]] || { usage >&2; exit 2; }
[[ ${#targets[@]} -gt 0 ]] || targets=(fuzz_onnx fuzz_shape fuzz_run)

scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return 0; }' >"$scratch/probe.c"
if ! clang -fsanitize=fuzzer,address "$scratch/probe.c" -o "$scratch/probe" 2>/dev/null; then
  echo "skipped: clang with libFuzzer is not installed (packages clang and libclang-rt-VERSION-dev)"
  exit 77
fi

# The engine decides by FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION how much folding may take.
if [[ ! -e $build/build.ninja ]]; then
  CC=clang meson setup "$build" "$source_root" -Dfuzz=true -Dtests=disabled \
    -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized \
    -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION' >&2
fi
ninja -C "$build" "${targets[@]/#/tests/fuzz/}" >&2

seeds=$build/seeds
[[ -d $seeds ]] || "${DOCLAYOUT_TEST_PYTHON:-python3}" "$source_root/tests/fuzz/make-seeds.py" "$seeds" ||
  { mkdir -p -- "$seeds"; echo "no models to begin with: fuzzing from nothing"; }

cd -- "$build"
for target in "${targets[@]}"; do
  if [[ -n $runs ]]; then
    corpus=$scratch/$target limit=(-runs="$runs" -seed=1)
  else
    corpus=$build/corpus/$target limit=(-max_total_time="$seconds")
  fi
  mkdir -p -- "$corpus"
  "tests/fuzz/$target" -rss_limit_mb=2048 -timeout=10 -max_len=16384 -print_final_stats=1 -verbosity=1 \
    "${limit[@]}" "$corpus" "$seeds"
done
