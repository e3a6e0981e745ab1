#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds the CUDA backend for aarch64 and looks at it; `tests/arm64.sh --cuda` runs this in its Debian.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../pipelines/bootstrap.sh"

# From PyPI: the compiler for this machine, headers and libraries for aarch64. NVIDIA's Debian packages hold the same files.
compiler=(nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88)
libraries=(nvidia-cuda-cccl==13.0.85 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.96
  nvidia-cublas==13.1.0.3 nvidia-cudnn-cu13==9.19.0.56)
cuda=/usr/local/cuda-13.0 # where NVIDIA's packages have it, and what they have for another machine: in targets/
build="build-arm64-cuda"
without_driver='backend    with code for sm_90, sm_121, PTX of compute_80
libraries  CUDA runtime 13.0, cuDNN 9.19.0, cuBLASLt 13.1.0
driver     none
gpus       no: no NVIDIA driver for CUDA 13 or newer is loaded'

# Unpacks wheels $3... into $1, with pip's options in $2.
unpack_wheels() {
  local options
  read -r -a options <<<"$2"
  python3 -m pip install -q --no-deps --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --only-binary=:all: "${options[@]}" --target "$1" "${@:3}" >&2
}

install_cuda() {
  [[ ! -d $cuda ]] || return 0
  say "fetching the CUDA compiler, and CUDA and cuDNN for aarch64 (1 GB, from PyPI)"
  local work=$cuda.new library
  local here=$work/here/nvidia/cu13 there=$work/there/nvidia
  rm -rf -- "$work"
  unpack_wheels "$work/here" '' "${compiler[@]}" "$(grep -o '^nvidia-cuda-cuobjdump==[0-9.]*' tests/requirements.txt)"
  unpack_wheels "$work/there" '--platform manylinux_2_27_aarch64 --platform manylinux2014_aarch64' "${libraries[@]}"
  # The compiler's own headers are the same for each machine.
  cp -R -l -- "$there/cudnn/include" "$there/cudnn/lib" "$here/include" "$there/cu13"
  for library in "$there"/cu13/lib/*.so.*; do
    ln -s -- "${library##*/}" "${library%.so.*}.so" # the name by which it is linked
  done
  mkdir -- "$here/targets"
  mv -- "$there/cu13" "$here/targets/sbsa-linux"
  mv -- "$here" "$cuda"
  ln -s -f -n -- "${cuda##*/}" /usr/local/cuda
  rm -rf -- "$work"
}

# All of the module's symbols must be found, which the engine asks for when it opens it, the libraries must say what they
# are, and the reason why there is no GPU must be the driver.
check_without_driver() {
  local said status=0
  said=$(DOCLAYOUT_CUDA_MODULE=$PWD/$build/kernels/nn-cuda.so LD_LIBRARY_PATH=$cuda/targets/sbsa-linux/lib \
    qemu-aarch64 "$build/kernels/nn-inspect" --devices) || status=$?
  printf '%s\n' "$said"
  [[ $status == 1 && $said == "$without_driver" ]] || die "status $status, and it was to say: $without_driver"
}

cd -- "$source_root"
install_cuda
export PATH=$cuda/bin:$PATH
[[ -f $build/build.ninja ]] ||
  meson setup "$build" --cross-file cross/aarch64-linux-gnu.txt -Dcuda=enabled -Dtests=enabled
meson compile -C "$build" kernels/nn-cuda:shared_module kernels/nn-inspect:executable test_cuda_tuning
say "the libraries that the module needs, and the packages that bring them"
pipelines/libraries.sh "$build/kernels/nn-cuda.so"
say "what the module says under the emulator"
check_without_driver
rm -f -- "$build/meson-logs/testlog.json"
meson test -C "$build" --no-rebuild --verbose --timeout-multiplier 10 cuda_tuning machine-code || true
python3 tests/summary.py "$build/meson-logs/testlog.json"
