# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What doctor.sh, which sources this, packs with --report for people who have no such machine. A step is a command with a time
# limit whose output becomes a file; one that fails is told of, and the next one runs.
# shellcheck disable=SC2154 # what doctor.sh and bootstrap.sh set

report_folder=gst-doclayout-report
names_of_nobody=' root admin user users guest host localhost test build docker ubuntu debian nvidia dgx spark gst '
gathered='' work='' part='' child='' model='' gpu='' rows=() masks=()

# ---------------------------------------------------------------- what is nobody's business

# $1 as sed -E, with # around its patterns, takes it literally.
# shellcheck disable=SC2016 # these are sed's
sed_literal() { sed -E 's/[][\\.*^$()+?{}|#]/\\&/g' <<<"$1"; }

# $1 as it stands in a URI.
uri_form() {
  local LC_ALL=C i byte
  for ((i = 0; i < ${#1}; i++)); do
    byte=${1:i:1}
    case $byte in
      [A-Za-z0-9_.~/!$\&\'\(\)*+,\;=:@-]) printf %s "$byte" ;;
      *) printf '%%%02X' "'$byte" ;;
    esac
  done
}

# mask_word NAME BECOMES: wherever it is not part of a longer word. What stands between two of them is taken by the first, hence
# twice.
mask_word() {
  local name mask
  [[ -n $1 && $names_of_nobody != *" ${1,,} "* ]] || return 0
  for name in "$1" "$(uri_form "$1")"; do
    mask="s#(^|[^[:alnum:]])$(sed_literal "$name")(\$|[^[:alnum:]])#\\1$2\\2#gI"
    masks+=(-e "$mask" -e "$mask")
  done
}

make_masks() {
  local name path
  masks=(-e 's#(GPU|MIG)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}#\1-…#g'
    -e 's#((Serial Number|UUID|GUID|PDI|Host ID) *: ).*#\1…#')
  for path in "$HOME" "$(readlink -f -- "$HOME")"; do
    [[ $path == /?* ]] || continue
    for name in "$path" "$(uri_form "$path")"; do
      masks+=(-e "s#$(sed_literal "$name")(\$|[^[:alnum:]_.-])#HOME\\1#g")
    done
  done
  masks+=(-e "s#/home/[^][:space:]\"'/:,;)]+#/home/USER#g")
  for name in "$(id -un)" "${USER:-}" "${LOGNAME:-}" "${SUDO_USER:-}"; do mask_word "$name" USER; done
  name=$(uname -n)
  mask_word "$name" HOST
  mask_word "${name%%.*}" HOST
}

mask_file() {
  LC_ALL=C sed -E "${masks[@]}" -- "$1" >"$1.masked" && mv -- "$1.masked" "$1"
}

# ---------------------------------------------------------------- steps

# step FILE LIMIT WHAT COMMAND...: what is to be read by programs has standard error in a file of its own.
step() {
  local file=$1 limit=$2 what=$3 stderr=$work/${1%%.*}-stderr.txt status=0 start=$SECONDS
  shift 3
  say "$file: $what"
  # In the background, so that Ctrl-C is not kept waiting.
  timeout --kill-after=10 "$limit" "$@" >"$work/$file" 2>"$stderr" </dev/null &
  child=$!
  wait "$child" || status=$?
  child=''
  [[ $file == *.json* ]] || cat -- "$stderr" >>"$work/$file"
  if [[ $file == *.json* && -s $stderr ]]; then mask_file "$stderr"; else rm -f -- "$stderr"; fi
  [[ $file != doctor.* ]] || show_doctor "$file"
  mask_file "$work/$file"
  if ((status == 124)) || ((status == 137 && SECONDS - start >= limit)); then
    rows+=("$file|stopped after $limit s|$((SECONDS - start))|$what")
    say "$file: stopped after $limit s"
    status=1
  else
    rows+=("$file|exit $status|$((SECONDS - start))|$what")
  fi
  return $status
}

skip() {
  say "$1: skipped: $3"
  rows+=("$1|skipped|0|$2: $3")
}

# facts NAME: a command that runs the function NAME_facts of this file with its arguments.
facts() { printf '%s\n' "$(declare -f show "$1_facts")" "$1_facts \"\$@\""; }

show() {
  printf '$ %s\n' "$*"
  "$@" 2>&1 || echo "(exit status $?)"
  echo
}

system_facts() {
  local file
  show uname -srvm
  show cat /etc/os-release
  [[ ! -r /etc/dgx-release ]] || show grep -v -i serial /etc/dgx-release
  for file in /sys/class/dmi/id/{sys_vendor,product_name,bios_version} /proc/driver/nvidia/version; do
    [[ ! -r $file ]] || show cat "$file"
  done
  show getconf PAGESIZE
  show nproc
  show grep -E '^(Mem|Swap|Huge|Cached|Buffers)' /proc/meminfo
  show cat /proc/loadavg
  show ulimit -a
  [[ ! -e /.dockerenv && ! -e /run/.containerenv ]] || echo "in a container"
  env | grep -E '^(CUDA|DOCLAYOUT_|GST_|LANG|LC_|LD_|NVIDIA_)' | sort || true
}

# What names this GPU alone, and whose programs run there, is left out.
gpu_facts() {
  set -o pipefail
  nvidia-smi -q | awk '{ match ($0, /^ */) } inside && RLENGTH > indent { next } { inside = 0 }
    $1 == "Processes" || $2 == "Processes" { inside = 1; indent = RLENGTH } { print }'
}

# libraries_facts MODULE FIND-NVCC
libraries_facts() {
  PATH=$PATH:/usr/sbin:/sbin
  echo "libraries that the loader knows:"
  ldconfig -p | grep -E 'lib(cuda|cublas|cudnn|nvrtc|nvJitLink|nvidia-ml|nvinfer|gstcuda)' || echo "none of NVIDIA's"
  echo
  show find /usr/local -maxdepth 1 -name 'cuda*'
  if [[ -e $1 ]]; then show ldd "$1"; else echo "there is no nn-cuda.so: this build has no CUDA backend"; fi
  [[ ! -e $2 ]] || show sh "$2"
}

# versions_facts PACKAGES.TXT
versions_facts() {
  # shellcheck disable=SC2016 # dpkg-query's
  local form='${Package} ${Version} ${Architecture} ${db:Status-Status}\n' purpose package
  while read -r purpose package; do
    [[ $purpose == '#'* ]] || dpkg-query -W -f "$form" "$package" 2>/dev/null || echo "$package not-installed"
  done <"$1"
  dpkg-query -W -f "$form" 'cuda-*' 'libcublas*' 'libcudnn*' 'cudnn*' 'nvidia-*' 'libnvidia-*' 'gstreamer1.0-*' 'libgstreamer*' \
    'libpoppler*' 2>/dev/null | grep -v ' not-installed$' || true
}

elements_facts() {
  local element status=0
  for element in pdfsrc cudalayoutdetect layoutoverlay jsonsink; do gst-inspect-1.0 "$element" || status=1; done
  return $status
}

tuning_facts() {
  local file
  for file in "$1"/tuning-*.txt; do
    if [[ -e $file ]]; then show cat "$file"; else echo "there are none"; fi
  done
}

# ---------------------------------------------------------------- which steps

show_doctor() {
  if [[ $1 == doctor.txt && -z $json ]] || [[ $1 == doctor.json && -n $json ]]; then cat -- "$work/$1"; fi
}

gather_system() {
  step system.txt 60 "kernel, distribution, memory, limits, variables" "$BASH" -c "$(facts system)" || true
  step cpu.txt 60 "lscpu" lscpu || true
  if command -v nvidia-smi >/dev/null; then
    step nvidia-smi.txt 60 "nvidia-smi -q" "$BASH" -c "$(facts gpu)" || true
  else
    skip nvidia-smi.txt "nvidia-smi -q" "there is no nvidia-smi"
  fi
  if command -v dpkg-query >/dev/null; then
    step versions.txt 60 "versions of packages" "$BASH" -c "$(facts versions)" versions "$source_root/pipelines/packages.txt" || true
  else
    skip versions.txt "versions of packages" "there is no dpkg here"
  fi
}

gather_parts() {
  local module
  for module in "${DOCLAYOUT_CUDA_MODULE:-}" "${inspect%/*}/nn-cuda.so" "${inspect%/bin/*}"/lib{,/*}/gst-doclayout/nn-cuda.so; do
    [[ ! -e $module ]] || break
  done
  step libraries.txt 60 "CUDA libraries, and what nn-cuda.so takes of them" "$BASH" -c "$(facts libraries)" libraries "$module" \
    "$source_root/kernels/cuda/find-nvcc.sh" || true
  if [[ -x $inspect ]]; then
    step devices.json 180 "nn-inspect --devices --json (exit 1: no GPU can be used)" "$inspect" --devices --json || true
  else
    skip devices.json "nn-inspect --devices --json" "nothing is built"
  fi
  if command -v gst-inspect-1.0 >/dev/null; then
    step elements.txt 60 "gst-inspect-1.0 of the elements" "$BASH" -c "$(facts elements)" || true
  else
    skip elements.txt "gst-inspect-1.0 of the elements" "there is no gst-inspect-1.0"
  fi
}

# Where something is built and there is a model: what it does and how fast.
gather_speeds() {
  local sample=$source_root/pipelines/sample.pdf bench=${launcher%-launch}-bench device=() options why='' file
  options=(-p "model-file=$model" -p "cuda-device-id=${gpu:-0}")
  [[ -e $model ]] || why="there is no model $model"
  [[ -x $launcher && -x $inspect && -x $bench ]] || why="nothing is built"
  if [[ -n $why ]]; then
    for file in regions.jsonl profile.txt benchmark.txt; do skip "$file" "speed and results on the sample document" "$why"; done
    return
  fi
  [[ -z $gpu ]] || device=(--device cuda --cuda-device-id "$gpu")
  step regions.jsonl 600 "regions of the sample document" "$launcher" --set src.location="$sample" --set out.location=- \
    --set det.model-file="$model" --set det.cuda-device-id="${gpu:-0}" pdfsrc name=src ! cudalayoutdetect name=det ! jsonsink name=out || true
  step profile.txt 600 "where a page's time goes (nn-inspect --profile)" "$inspect" "${device[@]}" --profile -- "$model" || true
  step benchmark.txt 900 "speed of renderer, network and whole pipeline on the sample document" \
    "$bench" "${options[@]}" --pages "$([[ -n $gpu ]] && echo 2000 || echo 64)" --repeat 3 -- "$sample" || true
  if [[ -z $gpu ]]; then
    skip benchmark-cpu.txt "the same on the CPU" "it is what benchmark.txt is of"
    skip benchmark-memory.txt "kinds of memory" "there is no GPU that can be used"
    return
  fi
  step benchmark-cpu.txt 900 "the same on the CPU" "$bench" "${options[@]}" -p device=cpu --pages 64 --repeat 3 -- "$sample" || true
  step benchmark-memory.txt 900 "kinds of memory that frames come in" "$bench" "${options[@]}" --memory --pages 1000 --repeat 3 -- "$sample" || true
  step tuning.txt 60 "which kernels were the fastest here" "$BASH" -c "$(facts tuning)" tuning "$cache_home" || true
}

# A build with the CUDA backend and tests; nothing else has programs for tests/gpu/run.sh.
find_gpu_tests() {
  local folder
  for folder in "$build" "$source_root"/build-test "$source_root"/build; do
    if [[ -e $folder/kernels/nn-cuda.so && -x $folder/tests/nn-run ]]; then
      echo "$folder"
      return
    fi
  done
  return 1
}

gather_tests() {
  local why='' folder python=${DOCLAYOUT_TEST_PYTHON:-} log=$source_root/build-test/meson-logs/testlog.txt
  [[ -x $source_root/tests/run.sh ]] || why="there are no sources here, only what was installed from them"
  [[ -z $no_tests ]] || why="--no-tests"
  if [[ -n $why ]]; then
    skip tests.txt "tests/run.sh" "$why"
    skip gpu-tests.txt "tests/gpu/run.sh --quick" "$why"
    return
  fi
  step tests.txt 7200 "tests/run.sh (up to an hour or two; --no-tests leaves it out)" \
    env -u DOCLAYOUT_CUDA_MODULE -u DOCLAYOUT_RENDER_WORKER -u GST_PLUGIN_PATH "$source_root/tests/run.sh" --no-install || true
  if [[ $log -nt $part ]]; then
    step tests-log.txt 60 "what each of these tests said" cat -- "$log" || true
  fi
  [[ -n $python ]] || python=$(find "$cache_home" -path '*/test-venv-*/complete' -printf '%T@ %h/bin/python\n' 2>/dev/null | sort -n |
    tail -n 1 | cut -d ' ' -f 2-) || true
  if [[ -z $gpu ]]; then
    skip gpu-tests.txt "tests/gpu/run.sh --quick" "there is no GPU that can be used"
  elif ! folder=$(find_gpu_tests); then
    skip gpu-tests.txt "tests/gpu/run.sh --quick" "no build here has tests and the CUDA backend"
  else
    step gpu-tests.txt 3600 "tests/gpu/run.sh --quick, in part" env DOCLAYOUT_CUDA_MODULE="$folder/kernels/nn-cuda.so" \
      DOCLAYOUT_TEST_PYTHON="${python:-python3}" "$source_root/tests/gpu/run.sh" --quick "$folder" \
      ops page families fullsize regions candidates memory cudamemory repeat placement tuning code || true
  fi
}

# ---------------------------------------------------------------- the archive

describe_report() {
  local row file result seconds what of="an installed copy"
  [[ ! -e $source_root/meson.build ]] || of="sources"
  [[ ! -e $source_root/.git ]] || of+=" at $(git -C "$source_root" describe --always --dirty --abbrev=12 2>/dev/null || echo "a commit that is not known")"
  cat <<END_README
What $script_name --report found on one machine, $(date -u +%Y-%m-%d), in $SECONDS s, of $of.

Read it before you give it away. Replaced are, wherever they stand as a word or a path of their own: this machine's name
(HOST), the user's (USER) and home folders (HOME, /home/USER); names that name nobody, such as root or ubuntu, stay. Left
out are serial numbers and identifiers of the GPU and which programs use it. In it are: hardware, versions of system
and packages, folders outside of home folders, the names of models that were named, and variables that
begin with CUDA, DOCLAYOUT_, GST_, LANG, LC_, LD_ or NVIDIA_.

Of files ending in .json and .jsonl NAME-stderr.txt has what the command said beside; other files have both.

END_README
  printf '%-22s %-20s %8s  %s\n' file result seconds what
  for row in "${rows[@]}"; do
    IFS='|' read -r file result seconds what <<<"$row"
    printf '%-22s %-20s %8s  %s\n' "$file" "$result" "$seconds" "$what"
  done
}

interrupted() {
  trap '' INT TERM HUP
  if [[ -n $child ]]; then { kill -TERM "$child" && wait "$child"; } 2>/dev/null || true; fi
  say "interrupted: there is no report"
  exit 130
}

# The archive is written beside $report and takes its name when it is whole.
open_report() {
  local folder
  [[ $report == *.tar.gz || $report == *.tgz ]] || usage_error "the report is a .tar.gz file, which $report is not"
  [[ ! -e $report && ! -L $report ]] || usage_error "$report is there already: delete it, or name another file"
  folder=$(dirname -- "$report")
  [[ -d $folder ]] || die "cannot write $report: there is no folder $folder"
  trap 'rm -rf -- "$gathered" "$part"' EXIT
  trap interrupted INT TERM HUP
  part=$(mktemp -- "$folder/.report.XXXXXX" 2>/dev/null) || die "cannot write $report: $folder takes no files"
  gathered=$(mktemp -d)
  work=$gathered/$report_folder
  mkdir -- "$work"
}

close_report() {
  local said
  describe_report >"$work/README.txt"
  mask_file "$work/README.txt"
  if ! said=$({ tar -C "$gathered" --sort=name --owner=0 --group=0 --numeric-owner -czf "$part" "$report_folder" && chmod '=rw' -- "$part" &&
    mv -n -- "$part" "$report" && [[ ! -e $part ]]; } 2>&1); then
    rm -f -- "$part"
    trap - EXIT
    die "cannot write $report: ${said:-it is there by now}; what was gathered is in $work"
  fi
  say "written: $report"
  tail -n +2 "$work/README.txt" >&2
}

# Ends the script with the doctor's own status.
write_report() {
  local status=0 arguments=(--no-install)
  open_report
  make_masks
  say "gathering what there is to know of this machine takes some minutes"
  [[ -z $build ]] || arguments+=(--build "$build")
  step doctor.txt 600 "what $script_name says" "$BASH" "$0" "${arguments[@]}" -- "${models[@]}" || status=1
  step doctor.json 600 "the same for programs" "$BASH" "$0" --json "${arguments[@]}" -- "${models[@]}" || true
  gpu=$(sed -n 's/.*"device": "cuda:\([0-9]*\)", "checks".*/\1/p' "$work/doctor.json")
  gather_system
  find_places
  model=${models[0]:-${DOCLAYOUT_MODEL:-$default_model}}
  gather_parts
  gather_speeds
  gather_tests
  close_report
  exit "$status"
}
