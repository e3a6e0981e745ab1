# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the programs here talk to whoever started them."""
import signal
import sys

from resultlines import BadInput

INTERRUPTED = 130


def plain(text):
    """A stranger's text for a terminal: what is not printable is escaped, so that it moves no cursor, turns no text."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def sized(size):
    """A number of bytes for people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def start(main, trouble):
    """Ends the program with the status of main(), or with `trouble` and one message about bad input."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(main())
    except BadInput as error:
        print(f"error: {plain(str(error))}", file=sys.stderr)
        sys.exit(trouble)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
