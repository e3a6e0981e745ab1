#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# From a PDF or image file to one HTML file in which its pages, regions and timings can be looked at.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/bootstrap.sh"

usage() {
  cat <<END
usage: $script_name [FILE] [OUT.html] [--from RESULT.jsonl] [--PROPERTY VALUE]...

Writes one HTML file with the pages and what was found on them: regions to look at by class and score, reading
order, text, pages that failed, timings. It opens from disk and needs no network. FILE is PDF, PNG, JPEG, JPEG 2000 or
TIFF; without it: of a sample document. Without OUT.html: NAME.html in the working folder.

  --from RESULT.jsonl find nothing; take the regions from a result of detect.sh, and the pages' pictures from FILE
  -o, --output FILE   another way to name OUT.html; "-" is standard output
  --no-install        install and fetch nothing; say what is missing
  -v, --verbose       say more about errors
  -h, --help          show this

Any property of the elements pdfsrc and cudalayoutdetect is an option too, such as
  --pages 1-5,9       --dpi 150           --threshold 0.4       --text false
(gst-inspect-1.0 pdfsrc lists them all). Ctrl-C ends the run after the pages under way; the report has those.

Exit status: 0 all well, 1 the run failed, 2 wrong usage, 3 some pages failed, 130 interrupted.
END
}

# The result that a report is made of in place of a run.
from=''
own_option() {
  case $1 in
    --from)
      [[ -n ${2:-} ]] || usage_error "$1 needs a file name"
      from=$2 taken=2 ;;
    --from=?*) from=${1#*=} taken=1 ;;
  esac
}

# A report that cannot be written is better known before all pages have been looked at.
check_output() {
  [[ ! -d $output ]] || die "error: $output is a folder"
  [[ $output == - || -e $output || -w $(dirname -- "$output") ]] || die "error: $output cannot be written"
}

queue=(queue max-size-buffers=4 max-size-bytes=0 max-size-time=0)

# Pages go once through renderer and network, and from there to both files: lines and pictures. The text of regions is
# read unless an option says otherwise.
detect_and_draw() {
  "$launcher" --quiet --number-files --set src.location="${files[0]}" --set src.text=true \
    --set out.location="${folder//%/%%}/result.jsonl" --set files.location="${folder//%/%%}/page-%d.png" \
    "${options[@]}" \
    pdfsrc name=src ! cudalayoutdetect ! tee name=pages pages. ! "${queue[@]}" ! jsonsink name=out \
    pages. ! "${queue[@]}" ! videoconvert ! 'video/x-raw,format=RGB' ! pngenc compression-level=1 ! \
    multifilesink name=files post-messages=true
}

# assemble RESULT.jsonl [LAUNCHER OPTION...]: the report, with pictures from the folder, or drawn with the launcher.
assemble() {
  "$(find_python)" -B "$source_root/pipelines/report/report.py" --document="${files[0]}" -- \
    "$1" "$folder" "$output" "${@:2}"
}

parse_arguments "$@"
[[ -z $from ]] || need_model=no
((${#files[@]} <= 2)) || usage_error "give one document and at most one file to write"
[[ -z $output ]] || ((${#files[@]} < 2)) || usage_error "the file to write is named twice: ${files[1]} and $output"
[[ " ${options[*]}" != *" format="* ]] || usage_error "a report is made of JSON Lines; detect.sh writes other formats"
bootstrap
if ((${#files[@]} == 0)); then
  files=("$source_root/pipelines/sample.pdf")
  say "no file given: taking the sample document ${files[0]}"
fi
output=${output:-${files[1]:-$(name_of_document "${files[0]}").html}}
check_output

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
status=0
if [[ -n $from ]]; then
  assemble "$from" "$launcher" "${options[@]}" || status=$?
  exit "$status"
fi
detect_and_draw || status=$?
case $status in
  0 | 3 | 130) [[ ! -e $folder/result.jsonl ]] || assemble "$folder/result.jsonl" || (($? == 3)) || status=1 ;;
esac
exit "$status"
