"""The standard streams: what a terminal is shown, and what a file or a pipe is given.

A text, a name or a message may hold anything. On a terminal, whatever would drive it (colours,
titles, the cursor, the direction of writing) is shown as an escape such as \\x1b; a file or a pipe
gets the characters as they are, in UTF-8. Only what is drawn here itself, through `console`, goes
around that.
"""

import codecs
import io
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TextIO

from char_rnn.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

ENCODING = "CHAR_RNN_ENCODING"
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


def set_up() -> None:
    """Make the standard streams fit for any text; raise UsageError for an unknown encoding.

    A stream that is closed becomes the null device; a terminal gets a Guard; a file or a pipe
    gets UTF-8, or what the environment variable CHAR_RNN_ENCODING names. What an encoding cannot
    hold is written as an escape.
    """
    _open_missing()
    if isinstance(sys.stdin, io.TextIOWrapper):
        # Bytes that are no text are told by whoever reads them, or are taken as bytes.
        encoding = sys.stdin.encoding if sys.stdin.isatty() else "utf-8"
        with suppress(io.UnsupportedOperation):  # where it was read from already
            sys.stdin.reconfigure(encoding=encoding, errors="surrogateescape")
    refused = None
    try:
        chosen = _chosen_encoding()
    except UsageError as error:
        refused, chosen = error, "utf-8"
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty():
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, Guard(stream))
        else:
            stream.reconfigure(encoding=chosen, errors="backslashreplace")
    if refused is not None:
        raise refused


def _open_missing() -> None:
    """Open the null device in place of closed streams, so that no other file gets their numbers."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given, and the lower ones are taken by now.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _chosen_encoding() -> str:
    chosen = os.environ.get(ENCODING) or "utf-8"
    try:
        "é→\n".encode(chosen, "backslashreplace")
        usable = codecs.lookup(chosen).name != "ascii"  # click takes that one for a mistake
    except (LookupError, ValueError):
        usable = False
    if usable:
        return chosen
    raise UsageError(
        f"{ENCODING} is {chosen!r}, which cannot be used; name one such as utf-8 or cp1252, or "
        "leave it out for utf-8"
    )


class Guard:
    """A terminal's stream on which a text can do no more than begin a line or a column.

    raw: the stream itself, for our own colours and movements. `buffer` is not passed on: bytes
    would get around this.
    """

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        """Write `text`, made visible; above the live line, if there is one."""
        shown, live = visible(text), LiveLine.current
        if live is not None:
            live.erase()
        self.raw.write(shown)
        if live is not None and text.endswith("\n"):
            self.raw.flush()
            live.redraw()
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name in ("buffer", "detach", "reconfigure"):
            raise AttributeError(name)
        return getattr(self.raw, name)


def console(stream: TextIO) -> "Console":
    """Return a console of rich that draws on `stream` and reads nothing into a text.

    On a terminal, what it is given must be visible already.
    """
    from rich.console import Console  # noqa: PLC0415

    raw = stream.raw if isinstance(stream, Guard) else stream
    return Console(file=raw, markup=False, emoji=False, highlight=False)


def write_styled(pieces: Iterable[tuple[str, str]]) -> None:
    """Write texts, each in a style of rich, to standard output; without colours as they are."""
    shown = console(sys.stdout)
    if not shown.is_terminal:
        sys.stdout.writelines(text for text, _ in pieces)
        return
    from rich.text import Text  # noqa: PLC0415

    whole = Text.assemble(*((visible(text), style) for text, style in pieces))
    shown.print(whole, end="", soft_wrap=True)


class LiveLine:
    """A line at the end of a terminal that is drawn again and again; all else scrolls above it.

    The cursor waits at its beginning. So a terminal that gets narrower, and breaks the line in
    two, has both halves after the cursor, where the next drawing erases them.
    """

    current: "LiveLine | None" = None

    def __init__(self, stream: TextIO) -> None:
        self._raw = stream.raw if isinstance(stream, Guard) else stream
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
    from rich.console import detect_legacy_windows  # noqa: PLC0415

    return not detect_legacy_windows()


def columns(stream: TextIO) -> int:
    """Return how many columns the terminal `stream` has now."""
    try:
        # Some have a width of 0, which means that nobody has told it.
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
