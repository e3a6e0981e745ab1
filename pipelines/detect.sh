#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# From PDF files to one JSON object a page.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/bootstrap.sh"

usage() {
  cat <<END
usage: $script_name [FILE.pdf | FOLDER]... [-o FILE] [--PROPERTY VALUE]...

Finds the regions of every page: title, text, table, figure, ... Without a file: of a sample document.
Folders stand for the PDF files in them. The result is JSON Lines, one object a page (docs/json.md):
on standard output where that is a pipe or a file, else in NAME.jsonl in the working folder.

  -o, --output FILE   write there; "-" is standard output
  --no-install        install and fetch nothing; say what is missing
  -v, --verbose       say more about errors
  -h, --help          show this

Any property of the elements pdfsrc, cudalayoutdetect and jsonsink is an option too, such as
  --pages 1-5,9       --dpi 150           --password SECRET     --render-workers 4
  --threshold 0.4     --model-file M.onnx --device cpu          --batch-size 1
(gst-inspect-1.0 pdfsrc lists them all). Ctrl-C ends the run after the pages under way.

Exit status: 0 all well, 1 a file could not be read or written, 2 wrong usage, 3 some pages failed,
130 interrupted; with several files, the worst of them.
END
}

# The documents that the arguments stand for, into `documents`.
list_documents() {
  local file found
  for file in "$@"; do
    found=("$file")
    if [[ -d $file ]]; then
      mapfile -d '' found < <(find "$(realpath -- "$file")" -type f -iname '*.pdf' -print0 | sort -z)
      ((${#found[@]})) || { say "no PDF file in the folder $file"; worst=1; }
    fi
    documents+=("${found[@]}")
  done
}

# Where the result of document $1 goes when nothing else was said: two documents never share a name.
name_result() {
  local name
  name=$(basename -- "$1")
  name=${name%.[Pp][Dd][Ff]}
  taken[$name]=$((${taken[$name]:-0} + 1))
  ((taken[$name] == 1)) || name=$name-${taken[$name]}
  result=./$name.jsonl
}

detect() {
  "$launcher" --set src.location="$1" --set out.location="$2" "${@:3}" \
    pdfsrc name=src ! cudalayoutdetect ! queue max-size-buffers=16 max-size-bytes=0 max-size-time=0 ! jsonsink name=out
}

parse_arguments "$@"
bootstrap
if ((${#files[@]} == 0)); then
  files=("$source_root/pipelines/sample.pdf")
  say "no file given: taking the sample document ${files[0]}"
fi
[[ -n $output || -t 1 ]] || output=-

declare -A taken=()
documents=() worst=0 append=()
list_documents "${files[@]}"
for document in "${documents[@]}"; do
  ((${#documents[@]} == 1)) || say "$document"
  result=$output
  [[ -n $output ]] || name_result "$document"
  status=0
  detect "$document" "$result" "${append[@]}" "${options[@]}" || status=$?
  case $status in
    0 | 3) [[ -z $output || $output == - ]] || append=(--set out.append=true) ;;
  esac
  case $status in
    0) ;;
    3) ((worst)) || worst=3 ;;
    1) worst=1 ;;
    *) exit "$status" ;; # usage, interrupted, killed: the next file would go the same way
  esac
done
exit "$worst"
