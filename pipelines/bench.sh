#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# How fast the pipeline is on this machine.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/bootstrap.sh"

usage() {
  cat <<END
usage: $script_name [FILE.pdf]... [--pages N] [--repeat N] [--PROPERTY VALUE]...

Measures how many pages a second go through the renderer alone, through the network alone and through the whole
pipeline, from the PDF to JSON Lines, and what they take of the machine. Prints a table (in Markdown) on standard
output, and each measurement on standard error when it is done. Without a file: of a sample document.

  --pages N           pages that each measurement is of at least (600); documents are repeated for that
  --repeat N          rounds, of which medians are printed (3)
  --only STAGE        measure one of renderer, network, whole
  --json              print one JSON object instead
  --memory            compare the kinds of memory that cudalayoutdetect proposes to the elements before it,
                      with frames of the first file that are copied into it
  --no-install        install and fetch nothing; say what is missing
  -v, --verbose       print each document too
  -h, --help          show this

Any property of the elements pdfsrc and cudalayoutdetect is an option too, such as
  --dpi 150           --render-workers 4  --model-file M.onnx   --device cpu   --batch-size 1
(gst-inspect-1.0 cudalayoutdetect lists them all).

Exit status: 0 all well, 1 a run failed, 2 wrong usage, 3 some pages failed.
END
}

# What the measuring program is told.
own=()
own_option() {
  case $1 in
    --json | --memory | --pages=* | --repeat=* | --only=*) own+=("$1") taken=1 ;;
    --pages | --repeat | --only)
      (($# >= 2)) || usage_error "option $1 needs a value"
      own+=("$1=$2") taken=2 ;;
  esac
}

parse_arguments "$@"
[[ -z $output ]] || usage_error "the table goes to standard output"
bootstrap
if ((${#files[@]} == 0)); then
  files=("$source_root/pipelines/sample.pdf")
  say "no file given: taking the sample document ${files[0]}"
fi
exec "${launcher%-launch}-bench" "${own[@]}" "${options[@]}" -- "${files[@]}"
