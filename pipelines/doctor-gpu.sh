# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What doctor.sh, which sources this, has to say of NVIDIA: driver, CUDA backend, GPUs, compiler.
# shellcheck disable=SC2154 # what doctor.sh and bootstrap.sh set

oldest_driver=580
driver='' wants_gpu='' usable_gpu=''

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

# The lines of nn-inspect --devices: a key in 11 columns, and a value.
read_gpus() {
  local line value gpu='' memory=''
  while IFS= read -r line; do
    value=${line:11}
    case $line in
      'backend    no: this build'*) report_backend "${value#no: }" \
        "install the CUDA Toolkit 13 and cuDNN 9 (docs/gpu.md), delete ${build:-$build_dir}, and build again" ;;
      'backend    no: '*) report_backend "${value#no: }" "install the library that is named (docs/gpu.md), or build again" ;;
      'backend '*) report ok cuda "this build has a CUDA backend, $value" ;;
      'libraries '*) check_libraries "$value" ;;
      'driver     none') [[ -z $driver ]] || report trouble cuda "NVIDIA driver $driver is loaded, but CUDA does not find it" \
        "install libcuda.so.1 of the same version; in a container, give it the GPU (docker run --gpus all)" ;;
      'gpus       no: '*) [[ -z $wants_gpu ]] || report trouble gpu "${value#no: }" "see what nvidia-smi and CUDA_VISIBLE_DEVICES say" ;;
      'gpu '*) gpu="GPU ${line:4}" gpu=${gpu/  */, $value} ;;
      '  memory '*) memory=${value/:/;} ;;
      '  usable   yes')
        report ok gpu "$gpu; memory path $memory"
        [[ -n $usable_gpu ]] || usable_gpu=${gpu:4} usable_gpu=${usable_gpu%%,*} ;;
      '  usable   no: '*) report trouble gpu "$gpu: ${value#no: }; memory path $memory" \
        "see docs/gpu.md; for a GPU of Ampere or newer: meson configure -Dcuda-arch=native ${build:-$build_dir}, and build again" ;;
    esac
  done
}

check_libraries() {
  local cudnn=${1##*cuDNN }
  cudnn=${cudnn%%,*}
  if at_least "$cudnn" 9.24; then
    report ok libraries "$1"
  else
    report note libraries "$1; cuDNN before 9.24 computes some depthwise convolutions wrong, which are never left to it here"
  fi
}

check_gpus() {
  local name said
  said=$("$inspect" --devices 2>&1) || true
  if [[ $said != backend* ]]; then
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
