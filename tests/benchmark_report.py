#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How quick a report of report.sh is in a headless Chromium: to load, to switch a class, to go to another page.

usage: benchmark_report.py REPORT.html
"""
import os
import re
import sys
from pathlib import Path
from statistics import median

from browser import Browser

TIMES = 21
SWITCH = ("(async () => { const start = performance.now(); document.querySelector('#classes input').click();"
          " await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
          " return performance.now() - start; })()")
GO_TO = ("(async () => {{ const start = performance.now(); goToPage({});"
         " await document.querySelector('#page-' + (currentIndex() + 1) + ' img').decode();"
         " await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
         " return performance.now() - start; }})()")


def descendants(process):
    """Folders in /proc of all processes that a process started, and those that they did."""
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield Path("/proc") / child
            yield from descendants(child)


def renderer_memory(browser):
    """Proportional set size of the processes that draw pages, of which there is one, in MiB."""
    renderers = [p for p in descendants(browser.process.pid) if b"--type=renderer" in (p / "cmdline").read_bytes()]
    return sum(int(re.search(r"^Pss: +(\d+)", (p / "smaps_rollup").read_text(), re.MULTILINE)[1])
               for p in renderers) / 1024


def main(path):
    browser = Browser()
    loads = []
    for _ in range(5):
        browser.open(path)
        browser.settle()
        loads.append(browser.run("performance.getEntriesByType('navigation')[0].loadEventEnd"))
    pages = browser.run("pages.length")
    print(f"{pages} pages, {browser.run('pages.reduce((n, p) => n + p.regions.length, 0)')} regions, "
          f"{os.path.getsize(path) / 1e6:.1f} MB")
    print(f"load:                  {median(loads):.0f} ms")
    print(f"memory:                {renderer_memory(browser):.0f} MiB")
    for zoom in (100, 30):
        browser.run(f"setZoom({zoom}); goToPage({pages // 2})")
        browser.settle()
        times = [browser.run(SWITCH) for _ in range(TIMES)]
        print(f"switch a class, {zoom:3} %: {median(times):.0f} ms, at most {max(times):.0f}, "
              f"{browser.run('sheets.filter((sheet) => sheet.built).length')} pages drawn")
    browser.run("setZoom(100)")
    times = [browser.run(GO_TO.format(i * 7919 % pages)) for i in range(1, TIMES + 1)]
    print(f"go to a page:          {median(times):.0f} ms, at most {max(times):.0f}")
    print(f"memory:                {renderer_memory(browser):.0f} MiB")
    browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
