# SPDX-License-Identifier: LGPL-2.1-or-later
"""Closes a test run: what was skipped and why, what failed, and the counts alone on the last line.

usage: summary.py build-test/meson-logs/testlog.json
Exits 1 if a test failed, or if none passed.
"""
import json
import sys
from pathlib import Path

PASSED = ("OK", "EXPECTEDFAIL")


def last_line(test):
    lines = [line for line in (test.get("stdout") or "").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no reason given"


def main(log):
    tests = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    skipped = [t for t in tests if t["result"] == "SKIP"]
    passed = [t for t in tests if t["result"] in PASSED]
    failed = [t for t in tests if t not in skipped and t not in passed]
    for test in skipped:
        print(f"skipped: {test['name']}: {last_line(test)}")
    for test in failed:
        print(f"failed: {test['name']} ({test['result']})")
    counts = f"{len(passed)} passed, {len(failed)} failed"
    print(counts + (f", {len(skipped)} skipped" if skipped else ""), flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
