# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What doctor.sh, which sources this, has to say of NVIDIA: driver, CUDA backend, GPUs, compiler.
# shellcheck disable=SC2034,SC2154 # what doctor.sh reads, and what it and bootstrap.sh set

oldest_driver=580
driver='' wants_gpu='' usable_gpu='' shares_memory=''
# NVIDIA's DGX Spark Porting Guide, "Dependencies & Tools", 15 April 2026: the oldest one for it.
oldest_cudnn_for_spark=9.11

# A display or 3D controller of NVIDIA's on the PCI bus.
has_nvidia_card() {
  local device
  for device in /sys/bus/pci/devices/*; do
    if [[ -r $device/vendor && $(<"$device/vendor") == 0x10de && $(<"$device/class") == 0x03* ]]; then return; fi
  done
  return 1
}

check_driver() {
  if [[ -r /proc/driver/nvidia/version ]]; then
    driver=$(grep -oE '[0-9]{3}\.[0-9.]+' /proc/driver/nvidia/version | head -n 1) || true
  elif command -v nvidia-smi >/dev/null; then
    driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | grep -m 1 '^[0-9]') || true
  fi
  if [[ -n $driver ]]; then
    wants_gpu=yes
    if at_least "$driver" "$oldest_driver"; then
      report ok driver "NVIDIA driver $driver"
    else
      report trouble driver "NVIDIA driver $driver, which is older than $oldest_driver" "install driver $oldest_driver or newer (CUDA 13)"
    fi
  elif has_nvidia_card; then
    wants_gpu=yes
    report trouble driver "no NVIDIA driver is loaded, but there is an NVIDIA GPU" \
      "install driver $oldest_driver or newer; in a container, give it the GPU (docker run --gpus all)"
  else
    report note driver "no NVIDIA driver and no NVIDIA GPU are to be seen: networks run on the CPU"
  fi
}

# A trouble of the CUDA backend where there is a GPU that it keeps from being used, or where it was named; else a note.
report_backend() {
  local status=note
  [[ -z $wants_gpu && -z ${DOCLAYOUT_CUDA_MODULE:-} ]] || status=trouble
  if [[ $status == note ]]; then report note cuda "$1"; else report trouble cuda "$1" "$2"; fi
}

# What to do about $1, the reason why the CUDA backend cannot be loaded.
remedy_for_backend() {
  case $1 in
    *"not of this version"*) echo "$prepare" ;;
    *libcudnn*) echo "apt-get install libcudnn9-cuda-13 (NVIDIA's repository; docs/gpu.md)" ;;
    *libcublas*) echo "apt-get install libcublas-13-0 (NVIDIA's repository; docs/gpu.md)" ;;
    *) echo "install the library that is named (docs/gpu.md), or build again" ;;
  esac
}

# Whether the architectures $2 have machine code for $1, sm_XY: code runs on later ones of the same generation too. "native"
# is the machine's own and has no PTX.
has_machine_code() {
  local architecture
  [[ $2 != native ]] || return 0
  for architecture in ${2//,/ }; do
    [[ $architecture == sm_* ]] || continue
    if [[ ${architecture%?} == "${1%?}" && ${architecture: -1} -le ${1: -1} ]]; then return; fi
  done
  return 1
}

# report_gpu GPU MEMORY ARCHITECTURES CUDNN: one that can be used, as "0, NAME, sm_XY, N MiB".
report_gpu() {
  local architecture=${1##*, sm_}
  architecture=sm_${architecture%%,*}
  if [[ $architecture == sm_121 ]] && ! at_least "$4" "$oldest_cudnn_for_spark"; then
    report trouble gpu "GPU $1; cuDNN $4 is older than $oldest_cudnn_for_spark, the first for this GPU; memory path $2" \
      "apt-get install libcudnn9-cuda-13 (NVIDIA's repository; docs/gpu.md)"
  elif has_machine_code "$architecture" "$3"; then
    report ok gpu "GPU $1; memory path $2"
  else
    report note gpu "GPU $1; the driver translates this build's PTX for it at the first start; memory path $2"
  fi
  [[ -z $usable_gpu ]] || return 0
  usable_gpu=${1%%,*}
  [[ $2 != *"integrated yes"* ]] || shares_memory=yes
}

# The lines of nn-inspect --devices: a key in 11 columns, and a value.
read_gpus() {
  local line value gpu='' memory='' architectures='' libraries='' cudnn='' no_driver=''
  while IFS= read -r line; do
    value=${line:11}
    case $line in
      'backend    no: this build'*) report_backend "${value#no: }" \
        "install the CUDA Toolkit 13 and cuDNN 9 (docs/gpu.md), delete ${build:-$build_dir}, and build again" ;;
      'backend    no: '*) report_backend "${value#no: }" "$(remedy_for_backend "$value")" ;;
      'backend '*)
        architectures=${value#with code for }
        report ok cuda "this build has a CUDA backend, $value" ;;
      'libraries '*)
        libraries=$value cudnn=${value##*cuDNN } cudnn=${cudnn%%,*} ;;
      'driver     for '*) check_libraries "$libraries; the driver is $value" "$cudnn" ;;
      'driver     none')
        no_driver=yes
        check_libraries "$libraries" "$cudnn"
        [[ -z $driver ]] || report trouble cuda "NVIDIA driver $driver is loaded, but CUDA does not find it" \
        "install libcuda.so.1 of the same version; in a container, give it the GPU (docker run --gpus all)" ;;
      'gpus       no: '*) [[ -z $wants_gpu || -n $no_driver ]] || report trouble gpu "${value#no: }" "see what nvidia-smi and CUDA_VISIBLE_DEVICES say" ;;
      'gpu '*) gpu=${line:4} gpu=${gpu/  */, $value} ;;
      '  memory '*) memory=${value/:/;} ;;
      '  usable   yes') report_gpu "$gpu" "$memory" "$architectures" "$cudnn" ;;
      '  usable   no: '*) report trouble gpu "GPU $gpu: ${value#no: }; memory path $memory" \
        "see docs/gpu.md; for a GPU of Ampere or newer: meson configure -Dcuda-arch=native ${build:-$build_dir}, and build again" ;;
    esac
  done
}

# check_libraries WHICH CUDNN: with what is known to be wrong in them.
check_libraries() {
  local wrong=''
  at_least "$2" 9.24 ||
    wrong+="; cuDNN before 9.24 computes some depthwise convolutions wrong, which are never left to it here"
  # CUDA Toolkit 13.2 Update 1, Release Notes, "Overview".
  [[ $1, != *"cuBLASLt 13.4.0"[,\;]* ]] ||
    wrong+="; cuBLASLt 13.4.0 computes some NVFP4 products wrong, of which there are none here"
  if [[ -z $wrong ]]; then report ok libraries "$1"; else report note libraries "$1$wrong"; fi
}

check_gpus() {
  local name said status=0
  said=$(limited "$inspect" --devices 2>&1) || status=$?
  if did_not_end "$status"; then
    report trouble cuda "$inspect --devices waits for the driver and does not end" "$remedy_for_hanging"
    return
  elif [[ $said != backend* ]]; then
    report trouble cuda "$inspect does not run: ${said##*$'\n'}" "$prepare"
    return
  fi
  read_gpus <<<"$said"
  for name in CUDA_VISIBLE_DEVICES DOCLAYOUT_CUDA_KERNELS DOCLAYOUT_CUDA_MEMORY_PATH; do
    if [[ -n ${!name+set} ]]; then report note environment "$name=${!name}"; fi
  done
}

check_nvcc() {
  local script=$source_root/kernels/cuda/find-nvcc.sh found passed
  [[ -e $script ]] || return 0
  found=$(sh "$script" 2>/dev/null | paste -sd ' ')
  passed=$(sh "$script" 2>&1 >/dev/null | paste -sd ';')
  if [[ -n $found ]]; then
    report ok nvcc "the CUDA compiler of a build is ${found% *} (CUDA ${found##* })${passed:+; $passed}"
  else
    report note nvcc "no CUDA compiler of version 13 or newer: a build here has no CUDA backend${passed:+; $passed}"
  fi
}
