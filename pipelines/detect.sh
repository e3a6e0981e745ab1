#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# From PDF and image files to one JSON object a page, or to a document of another format.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/bootstrap.sh"

usage() {
  cat <<END
usage: $script_name [FILE | FOLDER]... [-o FILE] [--PROPERTY VALUE]...

Finds the regions of every page: title, text, table, figure, ... Without a file: of a sample document.
Files are PDF, PNG, JPEG, JPEG 2000 or TIFF; folders stand for those in them. The result is JSON Lines, one object a page
(docs/json.md): on standard output where that is a pipe or a file, else in NAME.jsonl in the working folder.

  --format FORMAT     json (an array), coco, docling, markdown, alto or pagexml instead of jsonl (docs/formats.md);
                      then there is a file for each document, NAME.json, .md or .xml
  -o, --output FILE   write there; "-" is standard output, a folder (or FOLDER/, which is made) gets NAME.jsonl and
                      so on, and in FILE %s is the document's name and %p the page's number
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
      mapfile -d '' found < <(find "$(realpath -- "$file")" -type f -regextype posix-extended -iregex ".*\.($suffixes)" \
        -print0 | sort -z)
      ((${#found[@]})) || { say "no PDF file and no image in the folder $file"; worst=1; }
    fi
    documents+=("${found[@]}")
  done
}

# What the options say of the format: `format`, `suffix` of its files, and `defaults`, options that go before the user's.
read_format() {
  local option
  for option in "${options[@]}"; do
    [[ $option != format=* ]] || format=${option#format=}
  done
  case $format in
    json | coco | docling) suffix=.json ;;
    markdown) suffix=.md ;;
    alto) suffix=.xml ;;
    pagexml) suffix=-%04p.xml ;;
    *) suffix=.$format ;;
  esac
  case $format in
    # What is measured against ground truth is not to be choosy (docs/formats.md).
    coco) defaults=(--option threshold=0.01 --option duplicates=keep --option max-detections=100) ;;
    docling | markdown | alto | pagexml) defaults=(--option text=true) ;;
  esac
}

# Several documents go to one file as lines only: nothing can be put behind the end of anything else.
check_output() {
  [[ $format == jsonl || ${#documents[@]} -le 1 || -z $output || -d $output || $output == */ || $output == *%s* ]] ||
    usage_error "a file of format $format is finished after one document: name a folder, -o FOLDER/"
}

# The name of document $1 in a location: two documents never share one, and a percent sign is doubled.
name_document() {
  name=$(name_of_document "$1")
  taken[$name]=$((${taken[$name]:-0} + 1))
  ((taken[$name] == 1)) || name=$name-${taken[$name]}
  name=${name//%/%%}
}

# The location $output for the document named $name; for one document of several, %s is that name.
expand_output() {
  local rest=$output
  while ((${#documents[@]} > 1)) && [[ $rest == *%* ]]; do
    result+=${rest%%\%*}
    rest=${rest#*%}
    case $rest in
      s*) result+=$name rest=${rest#s} ;;
      %*) result+=%% rest=${rest#%} ;;
      *) result+=% ;;
    esac
  done
  result+=$rest
}

# Where the result of document $1 goes, into `result`.
name_result() {
  local name
  name_document "$1"
  result=
  case $output in
    '') result=./$name$suffix ;;
    */) result=${output//%/%%}$name$suffix ;;
    *) if [[ -d $output ]]; then result=${output//%/%%}/$name$suffix; else expand_output; fi ;;
  esac
}

detect() {
  "$launcher" --set src.location="$1" --set out.location="$2" "${@:3}" \
    pdfsrc name=src ! cudalayoutdetect ! queue max-size-buffers=16 max-size-bytes=0 max-size-time=0 ! jsonsink name=out
}

parse_arguments "$@"
format=jsonl suffix='' defaults=()
read_format
bootstrap
if ((${#files[@]} == 0)); then
  files=("$source_root/pipelines/sample.pdf")
  say "no file given: taking the sample document ${files[0]}"
fi
[[ -n $output || -t 1 ]] || output=-

declare -A taken=()
documents=() worst=0 append=()
list_documents "${files[@]}"
check_output
new_folder=no
[[ $output != */ || -d $output ]] || { mkdir -p -- "$output" && new_folder=yes; } || exit 1
for document in "${documents[@]}"; do
  ((${#documents[@]} == 1)) || say "$document"
  name_result "$document"
  status=0
  detect "$document" "$result" "${append[@]}" "${defaults[@]}" "${options[@]}" || status=$?
  case $status in
    0 | 3) [[ $format != jsonl || $result != "$output" || $output == - ]] || append=(--set out.append=true) ;;
  esac
  case $status in
    0) ;;
    3) ((worst)) || worst=3 ;;
    1) worst=1 ;;
    *) worst=$status; break ;; # usage, interrupted, killed: the next file would go the same way
  esac
done
[[ $new_folder == no ]] || rmdir --ignore-fail-on-non-empty -- "$output"
exit "$worst"
