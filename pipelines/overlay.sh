#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# From a PDF or image file to pictures of its pages with the regions marked.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/bootstrap.sh"

usage() {
  cat <<END
usage: $script_name FILE [FOLDER] [--PROPERTY VALUE]...

FILE is PDF, PNG, JPEG, JPEG 2000 or TIFF. Writes FOLDER/page-0001.png and so on, numbered by page, with the regions
found marked. Without FOLDER it shows the pages in a window, one a second.

  --no-install        install and fetch nothing; say what is missing
  -v, --verbose       say more about errors
  -h, --help          show this

Any property of the elements pdfsrc, cudalayoutdetect and layoutoverlay is an option too, such as
  --pages 1-5,9       --dpi 150           --threshold 0.4       --classes table,figure
  --draw-order true   --draw-legend true
(gst-inspect-1.0 layoutoverlay lists them all).

Exit status: 0 all well, 1 the run failed, 2 wrong usage, 3 some pages failed, 130 interrupted.
END
}

parse_arguments "$@"
[[ -z $output ]] || usage_error "pictures go into a folder: overlay.sh FILE FOLDER"
((${#files[@]} == 1 || ${#files[@]} == 2)) || usage_error "give one PDF or image file and at most one folder"
folder=${files[1]:-}
[[ -n $folder || -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]] ||
  usage_error "no display to show the pages on: name a folder to write pictures into"
bootstrap

marked=(pdfsrc name=src ! cudalayoutdetect ! layoutoverlay ! videoconvert)
run=("$launcher" --set src.location="${files[0]}" "${options[@]}")
if [[ -z $folder ]]; then
  exec "${run[@]}" "${marked[@]}" ! autovideosink
fi

new_folder=no
[[ -d $folder ]] || { mkdir -p -- "$folder" && new_folder=yes; } || exit 1
status=0
# The location is a pattern, in which a percent sign of the folder's name has to be doubled.
"${run[@]}" --number-files --set files.location="${folder//%/%%}/page-%04d.png" \
  "${marked[@]}" ! pngenc ! multifilesink name=files post-messages=true || status=$?
[[ $new_folder == no ]] || rmdir --ignore-fail-on-non-empty -- "$folder"
exit "$status"
