# SPDX-License-Identifier: LGPL-2.1-or-later
"""A home folder in which the scripts' bootstrap has been run, for tests of what a user sees."""
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = 77


def find_model():
    if os.environ.get("DOCLAYOUT_MODEL"):
        return Path(os.environ["DOCLAYOUT_MODEL"])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "gst-doclayout" / "layout_cdla.onnx"


def environment():
    """The environment of a user of that home folder, with nothing set that helps: no plugin path, no
    registry, no model. Bootstraps it (building takes a while the first time)."""
    model = find_model()
    if not model.exists():
        print(f"the default model is not at {model}; tests/run.sh fetches it")
        sys.exit(SKIPPED)
    home = Path(os.environ["DOCLAYOUT_TEST_HOME"]).resolve()
    cached = home / ".cache" / "gst-doclayout" / "layout_cdla.onnx"
    cached.parent.mkdir(parents=True, exist_ok=True)
    if not cached.exists():
        cached.symlink_to(model.resolve())
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "USER")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env["HOME"] = str(home)
    bootstrap = "source pipelines/bootstrap.sh; may_install=no; bootstrap"
    subprocess.run(["bash", "-c", bootstrap], cwd=ROOT, env=env, check=True)
    return env
