"""The standard streams: what a terminal is shown, and what a file or a pipe is given.

A text, a name or a message may hold anything. On a terminal, whatever would drive it (colours,
titles, the cursor, the direction of writing) is shown as an escape such as \\x1b; a file or a pipe
gets the characters as they are, in UTF-8. Only what is drawn here itself, through `console`, goes
around that.
"""

import codecs
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from char_rnn.errors import UsageError
from char_rnn.runs.screen import LiveLine, visible

if TYPE_CHECKING:
    from rich.console import Console

ENCODING = "CHAR_RNN_ENCODING"


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
    from rich.console import Console

    raw = stream.raw if isinstance(stream, Guard) else stream
    return Console(file=raw, markup=False, emoji=False, highlight=False)


def has_colours() -> bool:
    """Tell whether standard output is a terminal that shows colours."""
    shown = console(sys.stdout)
    return shown.is_terminal and not shown.no_color


def write_styled(pieces: Iterable[tuple[str, str]]) -> None:
    """Write texts, each in a style of rich, to standard output; without colours as they are."""
    shown = console(sys.stdout)
    if not shown.is_terminal:
        sys.stdout.writelines(text for text, _ in pieces)
        return
    from rich.text import Text

    whole = Text.assemble(*((visible(text), style) for text, style in pieces))
    shown.print(whole, end="", soft_wrap=True)
