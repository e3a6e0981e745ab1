#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the first image of the Dockerfile does, in two layers: the second is made anew where sources changed.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../../pipelines/bootstrap.sh"

usage() {
  cat <<'END'
usage: docs/container/build.sh prepare|build FOLDER

prepare: installs the packages of pipelines/packages.txt, fetches the default model and lays it into FOLDER.
build: builds the plugin with its CUDA backend and installs it into FOLDER, as if that were "/". FOLDER/packages then lists
what runs with it: the packages of the libraries that it is linked with, and those of pipelines/packages.txt.
END
}

prepare() {
  install_packages build run
  apt_get install -y --no-install-recommends g++ # for nvcc, if that came without
  fetch_model
  install -D -m 644 -- "$default_model" "$1/usr/share/gst-doclayout/layout_cdla.onnx"
}

build() {
  local programs
  # Where GStreamer looks, which Meson asks a program of dpkg-dev for.
  meson setup build --buildtype=release --prefix=/usr --libdir="lib/$(gcc -print-multiarch)" -Dcuda=enabled -Dtests=disabled
  meson compile -C build
  meson install -C build --no-rebuild --destdir="$1"
  mapfile -d '' programs < <(find "$1" -type f \( -name '*.so*' -o -perm /111 ! -name '*.sh' \) -print0)
  pipelines/libraries.sh "${programs[@]}" >"$1/libraries"
  { cut -f 2 -- "$1/libraries"; sed -n 's/^run *//p' pipelines/packages.txt; } | sort -u >"$1/packages"
  rm -- "$1/libraries"
}

case ${1:-} in
  -h | --help) usage; exit ;;
  prepare | build) [[ $# == 2 ]] || usage_error "FOLDER is missing" ;;
  *) usage_error "prepare or build?" ;;
esac
cd -- "$source_root"
"$1" "$(realpath -m -- "$2")"
