#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What changed between two results: two runs, two models, two versions.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/bootstrap.sh"

usage() {
  cat <<END
usage: $script_name A.jsonl B.jsonl [--json] [-o REPORT.html [--pdf FILE.pdf]] [OPTION]...

Compares two results of detect.sh, page by page: regions that are missing, new, moved, relabelled, or have another
score, text or place in reading order; pages that one result has not or that failed there. docs/report.md says how
regions are matched. Prints each change and the sums, on standard output.

  --iou SHARE         regions that overlap by at least this (intersection over union) are the same one (0.5)
  --moved SHARE       one that overlaps by less than this has moved (0.9; 1: any change of its box counts)
  --score DIFFERENCE  one whose score differs by more than this has another score (0.05; 0: any difference counts)
  --summary           print the sums only
  --json              print one JSON object instead
  -o, --output FILE   write a report in HTML too: pages side by side, those with the most changes first
  --pdf FILE.pdf      take the pictures of the report's pages from it; without it boxes are on white
  --most PAGES        pages that the report has at most (300)
  --no-install        install and fetch nothing; say what is missing
  -h, --help          show this

With --pdf any property of pdfsrc is an option too, such as --dpi 150 or --password SECRET.

Exit status: 0 nothing changed, 1 something did, 2 trouble: wrong usage, a file that cannot be read or written.
END
}

# What compare.py is told, and the document that the report's pictures come from.
own=() pdf=''
own_option() {
  case $1 in
    --json | --summary | --iou=* | --moved=* | --score=* | --most=*) own+=("$1") taken=1 ;;
    --pdf=?*) pdf=${1#*=} taken=1 ;;
    --iou | --moved | --score | --most | --pdf)
      [[ -n ${2:-} ]] || usage_error "option $1 needs a value"
      if [[ $1 == --pdf ]]; then pdf=$2; else own+=("$1=$2"); fi
      taken=2 ;;
  esac
}

# What fails on the way is trouble; 1 would mean that something changed.
die() { say "$*"; exit 2; }
trap 'exit 2' ERR

parse_arguments "$@"
((${#files[@]} == 2)) || usage_error "give two results, A.jsonl and B.jsonl"
if [[ -z $pdf ]]; then
  ((${#options[@]} == 0)) || usage_error "without --pdf there is no option for --${options[1]:-verbose}"
elif [[ -z $output ]]; then
  usage_error "--pdf is for the pictures of a report: name it with -o"
else
  need_model=no
  bootstrap
  own+=(--pdf="$pdf")
  files+=("$launcher" "${options[@]}")
fi
[[ -z $output ]] || own+=(--output="$output")
export script_name
exec "$(find_python)" -B "$source_root/pipelines/report/compare.py" "${own[@]}" -- "${files[@]}"
