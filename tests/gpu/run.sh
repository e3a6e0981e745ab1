#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Everything that only a GPU can show, on the machine it runs on. Status 77 with a line where there is none.
set -uo pipefail
shopt -s nullglob

usage() {
  cat <<'END'
usage: tests/gpu/run.sh [--pages FOLDER] [--quick] BUILD [PART]...

BUILD is a meson build folder with the CUDA backend; FOLDER holds images of pages (tests/pages.py). Parts, all by
default, in this order:
  ops         every operator and fusion beside ONNX Runtime and the CPU, in fp32, tf32, fp16 and bf16
  page        the page kernel beside the CPU's
  families    networks of each family, number by number: fp32 within 1e-3, fp16 no worse than rounded values
  fullsize    networks of full size, from the page to its regions, fp32
  regions     the default model, DETR and YOLO networks in fp16, over the pages: the same regions as on the CPU
  candidates  what the device finds in PicoDet's and YOLOv8's outputs: the decoders' regions
  memory      frames in each kind of memory: only what the device cannot read is copied
  cudamemory  frames that GStreamer's CUDA elements have on the GPU: the same regions, and no copy
  swap        from one model to the next while pages flow
  repeat      the same bytes from each run, session and process
  nvrtc       ops and repeat with libnvrtc out of reach (root)
  placement   no device, no driver, no cuDNN: a line that says so, status 77, and the CPU still works (root for two of them)
  tuning      files of choices that are damaged
  memcheck, initcheck, racecheck
              what compute-sanitizer says of our own kernels on the operators, the fusions and the page kernel
  code        the machine code that the module holds
  failures    no memory, and a device that is lost: errors with a reason, and the process goes on
--quick: ops in fp16 and fp32 only; fewer families and pages
END
}

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
tests=$(dirname -- "$here")
python=${DOCLAYOUT_TEST_PYTHON:-python3}
pages=() quick=no
while [[ $# -gt 0 ]]; do
  case $1 in
    --pages) [[ $# -gt 1 ]] || { usage >&2; exit 2; }; export DOCLAYOUT_TEST_PAGES=$2; pages=(--pages "$2"); shift 2 ;;
    --quick) quick=yes; shift ;;
    --help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) break ;;
  esac
done
[[ $# -ge 1 ]] || { usage >&2; exit 2; }
build=$(cd -- "$1" && pwd) || exit 2
shift
run=$build/tests/nn-run detect=$build/tests/nn-detect
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Asks the driver itself, so that a backend that does not find its device is a failure and not a reason to skip.
has_device() {
  "$python" - <<'END'
import ctypes, sys
try:
    cuda, n = ctypes.CDLL("libcuda.so.1"), ctypes.c_int(0)
    sys.exit(not (cuda.cuInit(0) == 0 and cuda.cuDeviceGetCount(ctypes.byref(n)) == 0 and n.value > 0))
except OSError:
    sys.exit(1)
END
}

# Runs a command with files of these name patterns hidden, everywhere: an empty file lies over each of them.
without() {
  local patterns=() names=()
  while [[ $1 != -- ]]; do patterns+=(-o -name "$1"); shift; done
  shift
  mapfile -t names < <(find / \( -path /proc -o -path /sys -o -path "$work" \) -prune -o \( "${patterns[@]:1}" \) -print 2>/dev/null)
  : >"$work/empty"
  unshare --mount --propagation private bash -c '
    empty=$1; shift
    while [[ $1 != -- ]]; do mount --bind "$empty" "$(readlink -f "$1")" || exit 90; shift; done
    shift
    exec "$@"' bash "$work/empty" "${names[@]}" -- "$@"
}

can_hide() {
  [[ $(id -u) == 0 ]] && unshare --mount --propagation private true 2>/dev/null
}

small_model() {
  "$python" - "$work/small.onnx" <<'END'
import sys
import numpy as np
from onnx import TensorProto as T, helper as h, numpy_helper as n, save
w = n.from_array(np.random.default_rng(0).standard_normal((16, 3, 3, 3)).astype("f4"), "w")
g = h.make_graph([h.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1] * 4), h.make_node("Relu", ["c"], ["y"])], "small",
                 [h.make_tensor_value_info("x", T.FLOAT, [1, 3, 32, 32])], [h.make_tensor_value_info("y", T.FLOAT, None)], [w])
save(h.make_model(g, opset_imports=[h.make_opsetid("", 17)], ir_version=8), sys.argv[1])
END
}

part_ops() {
  local precision status=0 precisions=(fp32 fp16 tf32 bf16)
  [[ $quick == no ]] || precisions=(fp32 fp16)
  for precision in "${precisions[@]}"; do
    echo "-- operators, $precision"
    "$python" "$tests/checkops.py" --nn-run "$run" --device cuda --precision "$precision" --seed 1 || status=1
    for test in fusions views; do
      echo "-- $test, $precision"
      "$python" "$tests/test_$test.py" "$run" --device cuda --precision "$precision" | grep -v '^ok ' || status=1
    done
  done
  local kernels
  for kernels in own library; do
    echo "-- convolutions and products by $kernels kernels alone, fp16"
    DOCLAYOUT_CUDA_KERNELS=$kernels "$python" "$tests/checkops.py" --nn-run "$run" --device cuda --precision fp16 --seed 2 \
      convolutions fused products normalizations || status=1
  done
  return $status
}

part_families() {
  local names=()
  [[ $quick == no ]] || names=(rtdetrv2-r50 yolov8)
  local precision status=0
  for precision in fp32 fp16; do
    "$python" "$tests/checkfamilies.py" --nn-run "$run" --device cuda --precision $precision "${names[@]}" || status=1
  done
  return $status
}

part_fullsize() {
  local names=()
  [[ $quick == no ]] || names=(rtdetrv2-r50 yolov10)
  "$python" "$tests/test_fullsize.py" "$detect" --device cuda --precision fp32 "${names[@]}"
}

part_regions() {
  local count=200
  [[ $quick == no ]] || count=40
  "$python" "$here/regions.py" "$detect" "${pages[@]}" --count $count
}

part_candidates() {
  "$build/tests/gpu-candidates"
}

part_failures() {
  small_model
  "$build/tests/gpu-failures" "$work/small.onnx"
}

part_memory() {
  small_model
  "$build/tests/gpu-memory" "$work/small.onnx"
}

# Elements of nvcodec are looked for where GStreamer looks.
part_cudamemory() {
  local program=$build/tests/gpu-cudamemory
  [[ -x $program ]] || { echo "skipped: this build has no libgstcuda"; return 77; }
  ! ldd "$program" | grep 'not found' || { echo "skipped: GStreamer is not all there"; return 77; }
  GST_PLUGIN_PATH=$build/elements${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH} GST_REGISTRY=$work/registry.bin G_DEBUG=fatal-criticals \
    CK_FORK=no "$program"
}

part_swap() {
  local program=$build/tests/swap-models
  ! ldd "$program" | grep 'not found' || { echo "skipped: GStreamer is not all there"; return 77; }
  GST_PLUGIN_PATH=$build/elements${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH} GST_REGISTRY=$work/registry.bin \
    "$python" "$tests/test_swap.py" "$program" cuda
}

part_page() {
  "$build/tests/gpu-page"
}

part_repeat() {
  "$python" "$here/repeat.py" "$run"
}

part_nvrtc() {
  can_hide || { echo "skipped: libraries can be hidden by root only"; return 77; }
  without 'libnvrtc*.so*' -- "$python" -c '
import ctypes, sys
for name in ("libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12"):
    try: ctypes.CDLL(name)
    except OSError as error: print(error)
    else: sys.exit(name + " is still there")' || return 1
  without 'libnvrtc*.so*' -- "$python" "$tests/checkops.py" --nn-run "$run" --device cuda --precision fp16 --seed 1 \
    convolutions fused products normalizations || return 1
  without 'libnvrtc*.so*' -- "$python" "$here/repeat.py" "$run" yolo11 rtdetrv2-r50
}

# A command must end with 77 and one line that has the word; then nn-run must work on the CPU in the same surroundings.
refuses() {
  local what=$1 word=$2 status
  shift 2
  "$@" "$run" --device cuda "$work/small.onnx" >"$work/out" 2>"$work/err"
  status=$?
  echo "$what: status $status: $(cat "$work/err")"
  [[ $status == 77 && ! -s $work/out && $(wc -l <"$work/err") == 1 ]] || { echo "FAILED: not one line and 77"; return 1; }
  grep -qi -- "$word" "$work/err" || { echo "FAILED: the line does not say $word"; return 1; }
  "$@" "$run" --device cpu "$work/small.onnx" >/dev/null || { echo "FAILED: the CPU does not work either"; return 1; }
}

part_placement() {
  local status=0
  small_model
  "$run" --device cuda "$work/small.onnx" >/dev/null || status=1
  refuses "device hidden" GPU env CUDA_VISIBLE_DEVICES=-1 || status=1
  can_hide || { echo "driver and cuDNN: skipped, libraries can be hidden by root only"; return $status; }
  refuses "driver hidden" "driver\|libcuda" without 'libcuda.so*' -- || status=1
  refuses "cuDNN hidden" cudnn without 'libcudnn*.so*' -- || status=1
  return $status
}

# A file of choices that is damaged, of another device, or says what nobody can do costs time and nothing else.
part_tuning() {
  local status=0 cache=$work/tuning file what
  small_model
  local command=(env XDG_CACHE_HOME="$cache" "$run" --device cuda "$work/small.onnx")
  "${command[@]}" >/dev/null || return 1
  file=("$cache"/gst-doclayout/tuning-*.txt)
  [[ ${#file[@]} == 1 ]] && grep -q $'^conv .*\t[a-z]* [0-9]*$' "${file[0]}" || { echo "FAILED: no choices are kept"; return 1; }
  cp "${file[0]}" "$work/good"
  for what in garbage cut foreign impossible nonsense; do
    case $what in
      garbage) head -c 5000 /dev/urandom >"${file[0]}" ;;
      cut) head -c 200 "$work/good" >"${file[0]}" ;;
      foreign) sed '1s/tuning 1, [^,]*/tuning 1, Another GPU/; s/\t.*/\tany 0/' "$work/good" >"${file[0]}" ;;
      impossible) sed '2,$s/ [0-9]*$/ 999/' "$work/good" >"${file[0]}" ;;
      nonsense) sed '2,$s/\t.*/\tno such thing/' "$work/good" >"${file[0]}" ;;
    esac
    "${command[@]}" >/dev/null || { echo "FAILED: $what: nn-run failed"; status=1; }
    diff <(head -1 "$work/good") <(head -1 "${file[0]}") >/dev/null && grep -q $'^conv .*\t[a-z]* [0-9]*$' "${file[0]}" &&
      ! grep -q ' 999$' "${file[0]}" || { echo "FAILED: $what: the file was not made anew"; status=1; }
    echo "$what: $(wc -l <"${file[0]}") lines afterwards"
  done
  return $status
}

# compute-sanitizer looks at kernels by their mangled names: those in our module, as cuobjdump lists them. cuDNN's and
# cuBLAS's are left out: not ours to mend, and slow. What a tool is given are families of checkops.py, or all.
sanitize() {
  local tool=$1 sanitizer status=0 filter=() names families=("${@:2}")
  sanitizer=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
  [[ -x $sanitizer ]] || { echo "skipped: no compute-sanitizer"; return 77; }
  mapfile -t names < <("$python" "$here/machine_code.py" --names "$build")
  [[ ${#names[@]} -gt 0 ]] || { echo "skipped: no cuobjdump to tell which kernels are ours"; return 77; }
  local option=--kernel-name
  "$sanitizer" --help | grep -q -- --kernel-name || option=--kernel-regex
  for name in "${names[@]}"; do filter+=("$option" "kne=$name"); done
  echo "${#names[@]} kernels of ours"
  [[ $quick == no ]] || families=("${few_families[@]}")
  local watch=("$sanitizer" --tool "$tool" --log-file "$work/$tool-%p.log" --error-exitcode 86 "${filter[@]}")
  "$python" "$tests/checkops.py" --nn-run "$run" --device cuda --precision fp16 --seed 1 --wrapper "${watch[*]}" \
    "${families[@]}" || status=1
  "$python" "$tests/test_fusions.py" "$run" --device cuda --precision fp16 --wrapper "${watch[*]}" | grep -v '^ok ' || status=1
  "${watch[@]}" "$build/tests/gpu-page" 10 || status=1
  grep -h -v 'ERROR SUMMARY: 0 errors\|^========= COMPUTE-SANITIZER\|RACECHECK SUMMARY: 0 hazards' "$work/$tool"-*.log | head -60
  grep -l 'SUMMARY' "$work/$tool"-*.log | wc -l | sed "s/\$/ processes were checked by $tool/"
  return $status
}

few_families=(softmaxes normalizations samples sums reductions tops gathers scatters fused products pools resizes)

part_memcheck() {
  sanitize memcheck
}

# It sees all writes, whoever made them, which takes long.
part_initcheck() {
  sanitize initcheck "${few_families[@]}"
}

# Beside cuBLASLt's kernels, which it does not look at, racecheck itself has ended in an illegal access.
part_racecheck() {
  (
    export DOCLAYOUT_CUDA_KERNELS=own
    sanitize racecheck
  )
}

part_code() {
  "$python" "$here/machine_code.py" "$build"
}

[[ -e $build/kernels/nn-cuda.so ]] || { echo "skipped: this build has no CUDA backend"; exit 77; }
has_device || { echo "skipped: the driver finds no NVIDIA GPU here"; exit 77; }
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
parts=("$@")
[[ ${#parts[@]} -gt 0 ]] || parts=(ops page families fullsize regions candidates memory cudamemory swap repeat nvrtc placement tuning memcheck initcheck racecheck code failures)
failed=0 summary=""
for part in "${parts[@]}"; do
  declare -F "part_$part" >/dev/null || { usage >&2; exit 2; }
  echo "== $part"
  start=$SECONDS
  "part_$part"
  case $? in 0) word=ok ;; 77) word=skipped ;; *) word=FAILED; failed=$((failed + 1)) ;; esac
  summary+=$(printf '%-8s %-10s %4d s' "$word" "$part" $((SECONDS - start)))$'\n'
done
printf '\n%s%d parts, %d failed\n' "$summary" ${#parts[@]} $failed
[[ $failed == 0 ]]
