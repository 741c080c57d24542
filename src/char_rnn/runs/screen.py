"""A terminal: what may be written to it, and a line on it that is drawn again and again.

A text, a name or a message may hold anything. Whatever would drive a terminal (colours, titles, the
cursor, the direction of writing) is shown on it as an escape such as \\x1b.
"""

import os
import re
from typing import Self, TextIO

DRIVING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline
    "\u2028-\u202e\u2066-\u2069"  # ends of lines and paragraphs; overrides of the direction
    "\ud800-\udfff]"  # bytes of a file name that are no text
)
ERASE = "\r\x1b[J"  # all from the beginning of the line to the end of the screen
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
BAR = 8  # columns


def visible(text: str) -> str:
    """Return `text` with an escape for every character that would drive a terminal."""
    return DRIVING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


class LiveLine:
    """A line at the end of a terminal that is drawn again and again; all else scrolls above it.

    The cursor waits at its beginning. So a terminal that gets narrower, and breaks the line in
    two, has both halves after the cursor, where the next drawing erases them.
    """

    current: "LiveLine | None" = None

    def __init__(self, stream: TextIO) -> None:
        # Our own drawings go around the command line's guard of it, if it has one.
        self._raw: TextIO = getattr(stream, "raw", stream)
        self._text = ""

    def __enter__(self) -> Self:
        LiveLine.current = self
        self._raw.write(HIDE_CURSOR)
        return self

    def __exit__(self, *_: object) -> None:
        LiveLine.current = None
        self._write(SHOW_CURSOR)

    def draw(self, done: float, text: str) -> None:
        """Show that the share `done` is done, and `text`, cut to what fits into the terminal."""
        full = round(BAR * min(max(done, 0.0), 1.0))
        encoding = self._raw.encoding
        bar = "━" * full + "─" * (BAR - full)
        if bar.encode(encoding, "replace").decode(encoding) != bar:
            bar = "#" * full + "-" * (BAR - full)
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        self._text = f"{bar} {text}"
        self.redraw()

    def redraw(self) -> None:
        """Show again what was drawn last, if anything was."""
        if self._text:
            # The last column stays free: a terminal may begin a new line after it.
            self._write(self._text[: columns(self._raw) - 1] + "\r")

    def erase(self) -> None:
        """Take the line away, until it is drawn again."""
        self._write("")

    def _write(self, text: str) -> None:
        self._raw.write(ERASE + text)
        self._raw.flush()


def can_redraw(stream: TextIO) -> bool:
    """Tell whether `stream` is a terminal that can erase what it shows."""
    if not stream.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return False
    if os.name != "nt":
        return True
    from rich.console import detect_legacy_windows

    return not detect_legacy_windows()


def columns(stream: TextIO) -> int:
    """Return how many columns the terminal `stream` has now."""
    try:
        # Some have a width of 0, which means that nobody has told it.
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
