"""Python in colours, as it is written."""

import sys
from collections.abc import Iterable
from typing import TextIO

from char_rnn.cli.terminal import console
from char_rnn.runs.screen import visible


def write_highlighted(seed: str, pieces: Iterable[str], file: TextIO | None = None) -> None:
    """Write `seed` and `pieces` to standard output or `file`: coloured on a terminal, else plain.

    A piece is coloured once its last line has ended: the statements of code mode one at a time, a
    text that comes in characters line by line. The output ends at a line end.
    """
    from rich.syntax import Syntax

    shown = console(file or sys.stdout)
    # Colours of the terminal's own palette, on its own background.
    syntax = Syntax("", "python", theme="ansi_dark")

    def write(text: str) -> None:
        if shown.is_terminal:
            shown.print(syntax.highlight(visible(text)), end="", soft_wrap=True)
        else:
            shown.file.write(text)
        shown.file.flush()

    held = seed
    try:
        for piece in pieces:
            held += piece
            if held.endswith("\n"):
                write(held)
                held = ""
    finally:  # after an error or a signal, too
        if held:
            write(held + "\n")
