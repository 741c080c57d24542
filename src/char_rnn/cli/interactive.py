"""`char-rnn generate --interactive`: a conversation with a model at the terminal."""

import dataclasses
import signal
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import click

from char_rnn.cli.interrupts import Interrupted
from char_rnn.cli.prompts import Given
from char_rnn.cli.words import fitting
from char_rnn.cli.written import put
from char_rnn.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from char_rnn.generate.session import Session

COMMANDS = ("help", "length", "quit", "temperature", "undo")
HELP = """Write, and the model goes on, after a new line; end yours with \\ for none.
  (an empty line)     go on
  /undo               take the last turn back
  /temperature 0.5    change the temperature
  /length 200         change how much the model writes
  /quit               leave (or Ctrl-D)
Ctrl-C stops the model while it writes; what it has written stays."""


def converse(
    session: "Session",
    seed: Given = "",
    prepare: Callable[[str], Given] = str,
    read: Callable[[str], str] = input,
) -> None:
    """Read lines and let `session` answer until the user leaves.

    seed: what the model goes on from before it is the user's turn; nothing if it is empty.
    prepare: makes of a line what the model can read, or raises UsageError.
    """
    click.echo(HELP, err=True)
    if seed:
        put(seed)
        _answer(session.turn(seed))
    while True:
        try:
            line = read("> " if sys.stdin.isatty() else "")
        except (EOFError, KeyboardInterrupt):
            click.echo(err=True)
            return
        except Interrupted as stop:
            if stop.number != signal.SIGINT:
                raise
            click.echo(err=True)
            return
        if line.startswith("/"):
            if not _obey(session, line):
                return
            continue
        said = line.removesuffix("\\") if line.endswith("\\") else line + "\n" if line else ""
        try:
            _answer(session.turn(prepare(said)))
        except UsageError as error:
            click.echo(fitting(str(error)), err=True)


def _answer(pieces: Generator[Any, None, None]) -> None:
    try:
        for piece in pieces:
            put(piece)
    except Interrupted as stop:
        pieces.close()
        if stop.number != signal.SIGINT:
            raise
    put("\n")


def _obey(session: "Session", line: str) -> bool:
    """Do what a line that begins with / says; return False to leave."""
    command, _, value = line[1:].partition(" ")
    try:
        if command in ("quit", "exit", "q"):
            return False
        if command == "undo":
            click.echo(
                _end_of(session.text) if session.undo() else "nothing to take back", err=True
            )
        elif command in ("temperature", "length"):
            new: Any = int(value) if command == "length" else value
            session.config = dataclasses.replace(session.config, **{command: new})
        elif command == "help":
            click.echo(HELP, err=True)
        else:
            alike = did_you_mean(command, COMMANDS)
            click.echo(f"unknown command /{command}{alike}; /help lists them", err=True)
    except (UsageError, ValueError) as error:
        click.echo(f"/{command} {value}: {error}", err=True)
    return True


def _end_of(text: str) -> str:
    """Return the last line of `text`, to show where a conversation stands."""
    return f"back to: {text.rstrip().rpartition(chr(10))[2][-60:]!r}"
