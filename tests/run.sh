#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs what the tests need, builds and runs them all.
# shellcheck source-path=SCRIPTDIR
source "$(dirname -- "${BASH_SOURCE[0]}")/../pipelines/bootstrap.sh"
source "$(dirname -- "${BASH_SOURCE[0]}")/python.sh"

usage() {
  cat <<'END'
usage: tests/run.sh [--no-install] [TEST]...

Installs the packages the tests need, makes a Python environment with what they compare with (in the
user's cache), builds in build-test and runs the tests, all of them unless some are named. Its last line
is "N passed, N failed", with ", N skipped" where there are such; they are listed with their reasons.
END
}

# What tests of reports open them in, where the distribution has it as a package (Ubuntu has it not).
install_browser() {
  [[ $may_install == yes ]] && command -v apt-cache >/dev/null || return 0
  [[ -n $(apt-cache search --names-only '^chromium-headless-shell$') ]] || return 0
  (install_packages browser) || say "no browser: tests that need one will be skipped"
}

parse_arguments "$@"
[[ ${#options[@]} == 0 && -z $output ]] || usage_error "there are no such options"
install_packages build run test
install_browser
fetch_model
prepare_python

build=$source_root/build-test
log=$build/meson-logs/testlog.json
[[ -f $build/build.ninja ]] || meson setup "$build" "$source_root" -Dtests=enabled
meson compile -C "$build"
rm -f -- "$log"
meson test -C "$build" --no-rebuild --print-errorlogs --num-processes "$(nproc)" "${files[@]}" || true
python3 "$source_root/tests/summary.py" "$log"
