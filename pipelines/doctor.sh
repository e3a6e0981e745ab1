#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whether this machine will run gst-doclayout well, on which device, and what to do about each trouble. Nothing is
# installed. What needs CUDA or the engine is asked of nn-inspect, all else of the system.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/bootstrap.sh"
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/doctor-gpu.sh"
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/doctor-report.sh"

usage() {
  cat <<END
usage: $script_name [MODEL.onnx]... [--json] [--build FOLDER] [--report FILE.tar.gz [--no-tests]]

Says whether this machine will run gst-doclayout well, on which device, and what to do about each trouble: driver and
GPUs, libraries, GStreamer, poppler, what was built, models, memory; then finds the regions of a page of the sample
document, on the CPU and, where there is one that can be used, on the GPU. Each line is "ok", "note" (it works, but
look at it) or "trouble", with what to do. Without a model: of the default one, or the one that DOCLAYOUT_MODEL names.

  --json              print one JSON object instead
  --build FOLDER      look at what is in this build folder, not at what is installed
  --report FILE       pack what a bug report or a page on this machine's speed needs: all of the above, versions,
                      benchmarks and, where the sources are, their tests. The README in it says what each file is.
                      Names of machine and user and home folders are replaced. Takes minutes
  --no-tests          leave out the tests, which take the longest
  --no-install        as in the other scripts; this one never installs anything
  -h, --help          show this

Exit status: 0 healthy, notes included; 1 trouble, or the report cannot be written; 2 wrong usage; 130 interrupted.
END
}

oldest_gstreamer=1.20
few_files=256
# What the default model finds on the page that the self-test reads, in the way in which the launcher says it.
test_page=1
known_regions='text 12, title 4, footer 2, header 2, equation 1, figure 1, figure_caption 1, table 1'
few_others=3 # regions: fonts, poppler and rounding differ from machine to machine

# ---------------------------------------------------------------- reports

checks=() json='' troubles=0

json_string() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# report ok|note|trouble WHAT FACT [REMEDY]
report() {
  local fact=${3//[[:cntrl:]]/?} remedy=${4:-} value=null
  remedy=${remedy//[[:cntrl:]]/?}
  [[ $1 != trouble ]] || troubles=$((troubles + 1))
  if [[ -z $json ]]; then
    printf '%-8s %s: %s%s\n' "$1" "$2" "$fact" "${remedy:+; to do: $remedy}"
    return
  fi
  [[ -z $remedy ]] || value=$(json_string "$remedy")
  checks+=("{\"status\": \"$1\", \"name\": \"$2\", \"fact\": $(json_string "$fact"), \"remedy\": $value}")
}

# Whether version $1 is $2 or newer.
at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }

# What asks a driver may wait for it for ever. PTX is translated and products are timed at the first start.
answer_limit=180
remedy_for_hanging="see what dmesg says of NVRM and Xid; restart the machine"
limited() { timeout --foreground --kill-after=10 "$answer_limit" "$@"; }
# Whether the status is that of a command that limited() has ended, or of one that was killed.
did_not_end() { (($1 == 124 || $1 == 137)); }

# ---------------------------------------------------------------- places

build=
detect=pipelines/detect.sh
prepare="run $detect, which installs what is missing, builds, and fetches the model"
find_places() {
  named_worker=${DOCLAYOUT_RENDER_WORKER:-}
  plugin_file=$plugin_dir/libgstdoclayout.so
  inspect=${launcher%/*}/nn-inspect
  worker=$HOME/.local/libexec/gst-doclayout/pdf-render-worker
  if [[ -n $build ]]; then
    launcher=$build/pipelines/doclayout-launch
    inspect=$build/kernels/nn-inspect
    worker=$build/elements/pdf-render-worker
    plugin_file=$build/elements/libgstdoclayout.so
    prepare="run meson compile -C ${build@Q}"
    export GST_PLUGIN_PATH=$build/elements${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
    [[ ! -e $build/kernels/nn-cuda.so ]] || export DOCLAYOUT_CUDA_MODULE=${DOCLAYOUT_CUDA_MODULE:-$build/kernels/nn-cuda.so}
    export DOCLAYOUT_RENDER_WORKER=${DOCLAYOUT_RENDER_WORKER:-$worker}
  elif [[ ! -e $source_root/meson.build ]]; then
    launcher=$source_root/../../bin/doclayout-launch
    inspect=$source_root/../../bin/nn-inspect
    worker=$source_root/../../libexec/gst-doclayout/pdf-render-worker
    detect=doclayout-detect
    prepare="install it again from its sources"
  fi
  worker=${DOCLAYOUT_RENDER_WORKER:-$worker}
}

check_build() {
  local missing=() said
  if [[ -e $source_root/meson.build ]] && command -v dpkg-query >/dev/null; then
    mapfile -t missing < <(missing_packages build run)
    if ((${#missing[@]})); then
      report trouble packages "missing: ${missing[*]}" "apt-get install ${missing[*]}"
    else
      report ok packages "all of pipelines/packages.txt are installed"
    fi
  fi
  if [[ ! -x $launcher || ! -x $inspect ]]; then
    report trouble build "nothing is built yet: there is no $([[ -x $launcher ]] && echo "$inspect" || echo "$launcher")" "$prepare"
  elif ! said=$("$launcher" --version 2>&1); then
    report trouble build "$launcher does not run: ${said##*$'\n'}" "$prepare"
  elif [[ -z $build && -e $source_root/meson.build ]] && ! is_installed; then
    report note build "what is installed was made of other sources than those here as they are now" "$prepare"
  else
    report ok build "${said##*$'\n'} in ${launcher%/*}"
  fi
}

# ---------------------------------------------------------------- GStreamer and poppler

check_gstreamer() {
  local version element missing=() ours=()
  if ! version=$(gst-inspect-1.0 --version 2>/dev/null | sed -n 's/^GStreamer //p') || [[ -z $version ]]; then
    report trouble gstreamer "there is no gst-inspect-1.0" "apt-get install gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
    return
  fi
  if at_least "$version" "$oldest_gstreamer"; then
    report ok gstreamer "GStreamer $version"
  else
    report trouble gstreamer "GStreamer $version, which is older than $oldest_gstreamer" "upgrade to Debian 12, Ubuntu 24.04 or newer"
  fi
  for element in queue videoconvert pngenc multifilesink; do
    gst-inspect-1.0 "$element" >/dev/null 2>&1 || missing+=("$element")
  done
  for element in pdfsrc cudalayoutdetect layoutoverlay jsonsink; do
    gst-inspect-1.0 "$element" >/dev/null 2>&1 || ours+=("$element")
  done
  if ((${#missing[@]})); then
    report trouble elements "GStreamer has no ${missing[*]}" "apt-get install gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
  fi
  if ((${#ours[@]})); then
    local remedy=$prepare
    [[ ! -e $plugin_file ]] || remedy="gst-inspect-1.0 $plugin_file says what it lacks"
    report trouble elements "GStreamer does not find ${ours[*]}" "$remedy"
  elif [[ $(gst-inspect-1.0 cudalayoutdetect 2>/dev/null) == *memory:CUDAMemory* ]]; then
    report ok elements "all are there; frames in CUDA memory are taken"
  else
    report ok elements "all are there; this build takes no frames in CUDA memory (libgstcuda was not found)"
  fi
}

check_poppler() {
  local version data absent=''
  if [[ ! -x $worker ]]; then
    report trouble poppler "the program that renders pages, $worker, is not there" \
      "${named_worker:+unset DOCLAYOUT_RENDER_WORKER, or }$prepare"
  elif absent=$(ldd "$worker" 2>/dev/null | sed -n 's/^[[:space:]]*\(.*\) => not found.*/\1/p' | paste -sd ' ') && [[ -n $absent ]]; then
    report trouble poppler "$worker lacks $absent" "install them, or build again: $prepare"
  else
    version=$(pkg-config --modversion poppler-glib 2>/dev/null || dpkg-query -W -f '${Version}\n' 'libpoppler-glib8*' 2>/dev/null | head -n 1) || true
    report ok poppler "poppler ${version:-of a version that nothing here tells}"
  fi
  data=$(pkg-config --variable=poppler_datadir poppler-data 2>/dev/null) || true
  if [[ -n $(ls "${data:-/usr/share/poppler}/cMap" 2>/dev/null) ]]; then
    report ok poppler-data "in ${data:-/usr/share/poppler}"
  else
    report trouble poppler-data "it is not there: Chinese, Japanese and Korean text is missing from pages" "apt-get install poppler-data"
  fi
}

# ---------------------------------------------------------------- models

check_default_model() {
  if [[ ! -e $default_model ]]; then
    local status=trouble
    [[ -z ${DOCLAYOUT_MODEL:-} ]] && ((${#models[@]} == 0)) || status=note
    report $status model "the default model is not at $default_model" \
      "$detect fetches it; with --no-install it says where to get it"
  elif ! sha256sum --status --check 2>/dev/null <<<"$model_sha256  $default_model"; then
    report trouble model "$default_model is not the default model, or cannot be read (its SHA-256 differs)" \
      "delete it; $detect fetches it again"
  else
    report ok model "the default model is at $default_model"
    has_default=yes
  fi
}

# check_model FILE: where it would run.
check_model() {
  local said device=() status=0
  [[ -z $usable_gpu ]] || device=(--device cuda --cuda-device-id "$usable_gpu")
  said=$(limited "$inspect" "${device[@]}" -- "$1" 2>&1) || status=$?
  if ((status == 0)); then
    report ok model "$1 runs on $(sed -n 's/^plan       for \(.*\), 1 page a run.*/\1/p' <<<"$said")"
  elif did_not_end "$status"; then
    report trouble model "$1 was not ready within $answer_limit s, or memory ran out" "$remedy_for_hanging"
  elif [[ -n $usable_gpu ]] && "$inspect" -- "$1" >/dev/null 2>&1; then
    report trouble model "$1 runs on the CPU only: ${said##*$'\n'}" "nn-inspect --device cuda says more; docs/models.md says which models run"
  else
    said=${said##*$'\n'}
    report trouble model "$1 cannot be used: ${said#nn-inspect: }" "docs/models.md says which models run, and what they need beside them"
  fi
}

# ---------------------------------------------------------------- the system

check_system() {
  local available swap files
  read -r available swap < <(awk '/^MemAvailable/ { a = $2 } /^SwapFree/ { s = $2 } END { print int(a / 1024), int(s / 1024) }' /proc/meminfo)
  local fact="$available MiB are available, $swap MiB of swap are free${shares_memory:+; the GPU shares them, whatever CUDA and nvidia-smi say}"
  if ((available < 1024)); then
    report trouble memory "$fact" "end other programs, or set render-workers=1 and batch-size=1"
  else
    report ok memory "$fact"
  fi
  files=$(ulimit -Sn)
  if [[ $files != unlimited ]] && ((files < few_files)); then
    report trouble files "a process may have $files files open, and each page in memory is one" "ulimit -n 1024"
  else
    report ok files "a process may have $files files open"
  fi
}

# ---------------------------------------------------------------- the self-test

# By how many regions two lists of the launcher's differ.
difference() {
  printf '%s\n' "$1" - "$2" | tr , '\n' | awk '$1 == "-" { sign = 2; next } { n[$1] += (1 - sign) * $2 }
    END { for (label in n) sum += n[label] < 0 ? -n[label] : n[label]; print sum + 0 }'
}

# self_test DEVICE EXPECTED WHOSE: the regions of a page there; `found` gets them.
found=
self_test() {
  local said status=0
  said=$(limited "$launcher" --set src.location="$source_root/pipelines/sample.pdf" --set src.pages=$test_page --set det.device="$1" \
    --set det.model-file="$default_model" --set det.cuda-device-id="${usable_gpu:-0}" --set out.location=/dev/null \
    pdfsrc name=src ! cudalayoutdetect name=det ! jsonsink name=out 2>&1) || status=$?
  if did_not_end "$status"; then
    report trouble self-test "on $1 a page was not ready within $answer_limit s, or memory ran out" "$remedy_for_hanging"
    return
  elif ((status)); then
    report trouble self-test "on $1: ${said%%$'\n'*}" "see to the troubles above; $detect --verbose --device $1 says more"
    return
  fi
  found=$(sed -n 's/^regions: [0-9]*: //p' <<<"$said")
  local others
  others=$(difference "$found" "$2")
  if ((others > few_others)); then
    report trouble self-test "on $1 a page has the regions ${found:-none}; $3 $2" "report it as a bug, with all of this output"
  elif ((others)); then
    report ok self-test "on $1 a page has the regions $found; $3 $2, which is near enough"
  else
    report ok self-test "on $1 a page has the regions $found, as expected"
  fi
}

# ---------------------------------------------------------------- all of it

models=() has_default='' report='' no_tests=''
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --json) json=yes ;;
    --no-install) ;;
    --no-tests) no_tests=yes ;;
    --report=?*) report=${1#*=} ;;
    --report)
      [[ -n ${2:-} ]] || usage_error "$1 needs a file name"
      report=$2
      shift ;;
    --build=?*) build=${1#*=} ;;
    --build)
      [[ -n ${2:-} ]] || usage_error "$1 needs a folder"
      build=$2
      shift ;;
    --) shift; models+=("$@"); break ;;
    -?*) usage_error "unknown option $1" ;;
    '') usage_error "a file name is empty" ;;
    *) models+=("$1") ;;
  esac
  shift
done
[[ -z $build || -d $build ]] || usage_error "there is no folder $build"
[[ -z $build ]] || build=$(realpath -- "$build")
[[ -z $report ]] || write_report

find_places
check_build
check_driver
[[ ! -x $inspect ]] || check_gpus
check_nvcc
check_gstreamer
check_poppler
check_default_model
((${#models[@]})) || [[ -z ${DOCLAYOUT_MODEL:-}$has_default ]] || models=("${DOCLAYOUT_MODEL:-$default_model}")
for model in "${models[@]}"; do
  [[ ! -x $inspect ]] || check_model "$model"
done
check_system
if [[ -n $has_default && -x $launcher ]]; then
  self_test cpu "$known_regions" "known are"
  [[ -z $usable_gpu ]] || self_test cuda "${found:-$known_regions}" "on the CPU they are"
fi
if [[ -n $json ]]; then
  gpus=$([[ ! -x $inspect ]] || limited "$inspect" --devices --json 2>/dev/null) || true
  printf '{"healthy": %s, "device": "%s", "checks": [%s], "gpus": %s}\n' "$( ((troubles)) && echo false || echo true)" \
    "${usable_gpu:+cuda:}${usable_gpu:-cpu}" \
    "$(IFS=,; echo "${checks[*]}")" "${gpus:-null}" | iconv -c -f UTF-8 -t UTF-8
elif ((troubles)); then
  echo "troubles: $troubles"
else
  echo "healthy: networks run on $([[ -n $usable_gpu ]] && echo "GPU $usable_gpu" || echo 'the CPU')"
fi
((troubles == 0))
