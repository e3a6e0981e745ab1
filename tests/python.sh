# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The Python of the tests, for scripts that have sourced pipelines/bootstrap.sh.
# shellcheck disable=SC2154 # variables of bootstrap.sh

# A Python that has tests/requirements.txt, made once for each version of that file.
prepare_python() {
  local list=$source_root/tests/requirements.txt environment
  environment=$cache_home/test-venv-$(sha256sum -- "$list" | cut -c 1-12)
  if [[ ! -e $environment/complete ]]; then
    [[ $may_install == yes ]] || { say "no Python environment yet: tests that need it will be skipped"; return; }
    say "preparing the Python environment of the tests"
    rm -rf -- "$environment"
    mkdir -p -- "$cache_home"
    # The distribution's own Python sees the packages python3-gi and python3-gst-1.0.
    /usr/bin/python3 -m venv --system-site-packages "$environment"
    "$environment/bin/pip" install -q --no-deps --disable-pip-version-check --no-cache-dir -r "$list" >&2 ||
      die "installing tests/requirements.txt from PyPI failed"
    touch -- "$environment/complete"
  fi
  export DOCLAYOUT_TEST_PYTHON=$environment/bin/python
}
