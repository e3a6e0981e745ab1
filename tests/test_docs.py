# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command that the documentation shows is run: the fenced blocks marked `sh`, `console` or `python`
in README.md, CONTRIBUTING.md and docs/*.md, and the launch lines of the elements' SECTION docs.

In a `console` block only lines with a prompt are commands; the rest is what they print. A block is left
out where the line above it says `<!-- not run: WHY -->`. Commands run as in a user's shell, in a folder
with the files they name.
"""
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bootstrapped_home

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: (.*?) -->\s*\Z")
LAUNCH_BLOCK = re.compile(r"\|\[\n(.*?)\]\|", re.DOTALL)

# What a test machine has not, and what stands for it.
STAND_INS = (("autovideosink", "fakesink"), ("ximagesink", "fakesink"),
             ("v4l2src", "videotestsrc num-buffers=3"),
             # Measuring is not what the test is for.
             ("--report spark.tar.gz", "--report spark.tar.gz --no-tests"),
             ("--pages 600 --repeat 3", "--pages 1 --repeat 1"), ("--pages 1000 --rounds 5", "--pages 32 --rounds 1"),
             ("--rounds 5", "--rounds 1"), ("--times 8", "--times 1"), ("--rounds 9", "--rounds 1"),
             ("--threads 1,2 --batch 1,4 --rounds 3 --repeat 4", "--threads 2 --rounds 1 --repeat 1"))
# What the test itself is part of, or what has been done before it runs.
DONE_ALREADY = re.compile(r"^(tests/run\.sh|git clone|cd |meson |sudo |apt)")


def unfold(text):
    """Lines with their continuations; of several lines without prompt each is a command."""
    return [line.strip() for line in re.sub(r"\\\n\s*", "", text).splitlines() if line.strip()]


def commands_of_markdown(path):
    text = path.read_text(encoding="utf-8")
    for block in FENCE.finditer(text):
        language, body = block.groups()
        left_out = NOT_RUN.search(text[:block.start()])
        if language == "python":
            yield ("python", body, left_out)
        elif language == "sh":
            yield from (("sh", line, left_out) for line in unfold(body) if not line.startswith("#"))
        elif language == "console":
            yield from (("sh", line[2:], left_out) for line in unfold(body) if line.startswith("$ "))


def commands_of_source(path):
    """Launch lines from a C file's documentation, without the comment's stars."""
    for comment in re.findall(r"/\*\*(.*?)\*/", path.read_text(encoding="utf-8"), re.DOTALL):
        text = re.sub(r"^ \* ?", "", comment, flags=re.MULTILINE)
        for block in LAUNCH_BLOCK.finditer(text):
            yield from (("sh", line, None) for line in unfold(block.group(1)))


def markdown_pages():
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def dead_links():
    """Links to files of the repository that are not there."""
    for path in markdown_pages():
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                yield f"{path.relative_to(ROOT)}: {target}"


def all_commands():
    for path in markdown_pages():
        yield from ((path, *command) for command in commands_of_markdown(path))
    for path in sorted((ROOT / "elements").glob("gst*.c")):
        yield from ((path, *command) for command in commands_of_source(path))


@functools.cache
def sample_result(env):
    """What detect.sh finds on two pages of the sample document, in the environment with these items."""
    return subprocess.run([ROOT / "pipelines" / "detect.sh", "--pages", "1-2"], env=dict(env), check=True,
                          capture_output=True).stdout


def provide_files(command, folder, env):
    """What the folder of a clone has, and the files that a command reads: any PDF is the sample document,
    any result is of it, any picture a frame of videotestsrc."""
    for part in ("pipelines", "tests", "docs"):
        (folder / part).symlink_to(ROOT / part)
    if os.environ.get("DOCLAYOUT_TEST_BUILD"):
        (folder / "build").symlink_to(os.environ["DOCLAYOUT_TEST_BUILD"])
    for name in re.findall(r"(?<![\w./-])[\w-]+\.jsonl", command):
        (folder / name).write_bytes(sample_result(tuple(env.items())))
    for name in re.findall(r"(?<![\w./-])[\w-]+\.(?:pdf|png|jpe?g)", command):
        if name.endswith(".pdf"):
            shutil.copy(ROOT / "pipelines" / "sample.pdf", folder / name)
            continue
        encoder = "pngenc" if name.endswith(".png") else "jpegenc"
        subprocess.run(["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=1", "!",
                        "video/x-raw,width=600,height=800", "!", "videoconvert", "!", encoder, "!",
                        "filesink", f"location={folder / name}"], check=True)


def run(language, command, env):
    with tempfile.TemporaryDirectory() as name:
        provide_files(command, Path(name), env)
        for word, stand_in in STAND_INS:
            command = command.replace(word, stand_in)
        argv = ["python3", "-c"] if language == "python" else ["bash", "-o", "pipefail", "-c"]
        return subprocess.run([*argv, command], cwd=name, env=env, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True)


def main():
    env = bootstrapped_home.environment()
    # Debian's Python, which is the one that has the packages python3-gi and python3-gst-1.0.
    env["PATH"] = f"/usr/bin:{env['PATH']}"
    env["DOCLAYOUT_TEST_PYTHON"] = os.environ.get("DOCLAYOUT_TEST_PYTHON", sys.executable)
    ran = failed = 0
    for link in dead_links():
        failed += 1
        print(f"FAILED, a link to nowhere: {link}")
    for path, language, command, left_out in all_commands():
        shown = f"{path.relative_to(ROOT)}: {command.splitlines()[0]}"
        if left_out or DONE_ALREADY.match(command):
            print(f"not run ({left_out.group(1) if left_out else 'the tests have done so'}): {shown}")
            continue
        done = run(language, command, env)
        ran += 1
        if done.returncode != 0:
            failed += 1
            print(f"FAILED with {done.returncode}: {shown}\n{done.stdout[-500:]}{done.stderr[-1500:]}")
        else:
            print(f"ok: {shown}")
    print(f"{ran} commands ran, {failed} commands or links failed")
    return 1 if failed or ran < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
