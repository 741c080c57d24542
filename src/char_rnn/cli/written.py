"""Where texts go: to the screen, a pipe or a file; one as it is made, or several.

What a model of bytes makes is written exactly, to a pipe and to a file. A terminal is shown text,
with an escape such as \\x89 for what is not UTF-8.
"""

import base64
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, NamedTuple, Self, TypeAlias

import click

from char_rnn.cli.prompts import Given
from char_rnn.cli.words import fitting
from char_rnn.errors import UsageError
from char_rnn.sample_config import SampleConfig

LOOK_EVERY, LOOK_BACK = 50, 2000
"""After how many characters a loop is looked for, and in how many of the last ones."""

Form: TypeAlias = Literal["headings", "lines", "json"]


def put(text: Given) -> None:
    """Write to standard output."""
    # A terminal has no buffer that one might write to: cli/terminal.py.
    buffer = getattr(sys.stdout, "buffer", None)
    if isinstance(text, bytes) and buffer is not None:
        sys.stdout.flush()
        buffer.write(text)
    else:
        sys.stdout.write(_shown(text))
    sys.stdout.flush()


def stream(
    seed: Given,
    pieces: Iterator[Any],
    config: SampleConfig,
    out: str | None = None,
    highlight: bool = False,
) -> None:
    """Write `seed` and the `pieces` as they come, to standard output or to the file `out`.

    Says once on standard error if the text falls into a loop. What was made before an error or a
    signal is written all the same.
    """
    pieces = _watched(pieces, config)
    exact = isinstance(seed, bytes) and hasattr(sys.stdout, "buffer")
    if out is not None:
        _collect(seed, pieces, file_of(out, 1))
        return
    if highlight and not exact:
        from char_rnn.cli.highlight import write_highlighted

        write_highlighted(_shown(seed), map(_shown, pieces))
        return
    begun = False
    try:
        for text in pieces:
            put(text if begun else seed + text)
            begun = True
    finally:
        if begun and not exact:
            click.echo()
    if not begun:
        put(seed)
        if not exact:
            click.echo()


def _collect(seed: Given, pieces: Iterator[Any], path: Path) -> None:
    """Write `seed` and the `pieces` to a file: all of them, or those that came before an error."""
    made: list[Any] = []
    try:
        for piece in pieces:
            made.append(piece)
    except BaseException:
        text = seed[:0].join(made)
        if text:
            _write_file(path, seed + text)
            click.echo(f"{path}: not the whole text, {_amount(text)} of it", err=True)
        raise
    _write_file(path, seed + seed[:0].join(made))


def _watched(pieces: Iterable[Any], config: SampleConfig) -> Iterator[Any]:
    """Yield the `pieces`, and warn once on standard error if they end in a loop."""
    from char_rnn.analyse.loops import find_loop, loop_advice

    text, looked, made, warned = "", 0, 0, False
    for piece in pieces:
        yield piece
        if warned:
            continue
        text, made = text + _shown(piece), made + len(_shown(piece))
        if made - looked >= LOOK_EVERY:
            looked, text = made, text[-LOOK_BACK:]
            loop = find_loop(text)
            if loop is not None:
                warned = True
                loop = loop._replace(start=loop.start + made - len(text))
                click.echo(f"\nNote: {fitting(loop_advice(loop, config.temperature))}", err=True)


class Made(NamedTuple):
    """A text to write: what it goes on from, and what was made.

    figures: more that is known of it, by name. heading: the same in words.
    """

    prompt: Any
    text: Any
    whole: bool = True
    figures: dict[str, float] | None = None
    heading: str = ""


class Several:
    """Writes several texts: each under its heading or in its own file, or all of them one a line.

    count: of the texts. form: "headings"; "lines", where `between` tells them apart; or "json", an
        object a line.
    out: a file for all of them, or with {n} in its name one for each. On leaving after an error
    the one file holds those that were written; what was there before stays if none was.
    """

    def __init__(self, count: int, form: Form, out: str | None, between: str = "\n") -> None:
        self.count, self._form, self._out = count, form, out
        self._between = between if form == "lines" else "\n"
        self._stack = ExitStack()
        self._file: BinaryIO | None = None
        self._written = 0
        if count > 1 and out is not None and "{n}" not in out and form == "headings":
            raise UsageError(
                "--out must hold {n} where several texts are written, for a file each: "
                "name-{n}.txt; one file takes them one a line, as --lines 1 or --json make them"
            )

    def __enter__(self) -> Self:
        if self._out is not None and "{n}" not in self._out and self._form != "headings":
            from char_rnn.storage import replacing

            self._file = self._stack.enter_context(replacing(self._out))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is None:
            return
        if error is not None and not self._written:
            self._stack.__exit__(kind, error, trace)
            return
        self._stack.close()
        part = "" if error is None else f" of {self.count:,}, for it ended early"
        click.echo(f"{self._out}: {self._written:,} written{part}", err=error is not None)

    def write(self, n: int, made: Made) -> None:
        """Write the text number `n`; half a line among whole ones is left out."""
        if self._form == "lines" and not made.whole:
            return
        heading = f"{n} of {self.count}{made.heading}"
        if not made.whole:
            heading += f", stopped after {_amount(made.text)}"
        text: Any = _json(made) if self._form == "json" else made.prompt + made.text
        end: Any = self._between if n < self.count else "\n"
        end = end.encode() if isinstance(text, bytes) else end
        if self._file is not None:
            self._file.write(_encoded(text + end))
            self._written += 1
        elif self._out is not None:
            from char_rnn.storage import check_writable

            path = file_of(self._out, n)
            check_writable(path)  # {n} may be in the name of its folder
            _write_file(path, text if self._form == "headings" else text + end)
            click.echo(f"{path}: {heading}")
        else:
            if self._form == "headings":
                click.echo(f"--- {heading} ---")
            put(text + end)


def form_of(config: SampleConfig, seeds: Iterable[Given], as_json: bool, between: str = "") -> Form:
    """Return how several texts are told apart: one that is a line in any case needs no heading.

    between: what stands between two documents, "" where they are none.
    """
    if as_json:
        return "json"
    if between not in ("", "\n"):
        return "lines"
    one_line = config.lines == 1 or "\n" in config.stop or bool(between)
    if one_line and not any((b"\n" if isinstance(s, bytes) else "\n") in s for s in seeds):
        return "lines"
    return "headings"


def _json(made: Made) -> str:
    from char_rnn.storage.atomic import to_json

    found: dict[str, Any] = {}
    for name, text in (("prompt", made.prompt), ("text", made.text)):
        found[name] = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        if isinstance(text, bytes) and found[name].encode() != text:
            found[f"{name}_base64"] = base64.b64encode(text).decode("ascii")
    found |= made.figures or {}
    return to_json(found if made.whole else found | {"whole": False})


def _shown(text: Given) -> str:
    return text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text


def _amount(text: Given) -> str:
    return f"{len(text):,} {'bytes' if isinstance(text, bytes) else 'characters'}"


def _encoded(text: Given) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")


def file_of(out: str, n: int) -> Path:
    """Return the file of the text number `n`."""
    return Path(out.replace("{n}", str(n)))


def numbered(out: str | Path, count: int) -> list[Path]:
    """Return `count` files: that of `out` alone, or with numbers, name-1.mid or at its {n}."""
    if "{n}" in str(out):
        return [file_of(str(out), n) for n in range(1, count + 1)]
    path, digits = Path(out), len(str(count))
    several = [path.with_stem(f"{path.stem}-{n:0{digits}}") for n in range(1, count + 1)]
    return several if count > 1 else [path]


def _write_file(path: Path, text: Given) -> None:
    from char_rnn.storage import write_bytes, write_text

    if isinstance(text, bytes):
        write_bytes(path, text)
    else:
        write_text(path, text)
