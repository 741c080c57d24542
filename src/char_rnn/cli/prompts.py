"""What a model goes on from: words of the command line, files, standard input."""

import codecs
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from char_rnn.errors import CorruptFile, DataError, UnknownCharacters, UsageError

if TYPE_CHECKING:
    from char_rnn.charrnn import CharRNN

Given: TypeAlias = Any
"""What a model is given and gives: a text, or bytes where it is a model of bytes."""

STDIN = "-"
MOST_BYTES = 2**26  # of a file of seeds or prompts: hours of reading, for a network
MOST_PROMPTS = 1_000_000
ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"0": b"\0", b"\\": b"\\"}


def seed_of(model: "CharRNN", options: dict[str, Any]) -> Given:
    """Return what --seed, --seed_file or --bytes_seed say, as `model` is given it."""
    skip = options["skip_unknown"]
    if options["bytes_seed"] is not None:
        if not _of_bytes(model):
            raise UsageError(
                "--bytes_seed is for a model of bytes, and this one knows characters; give --seed"
            )
        return _unescaped_bytes(options["bytes_seed"], "--bytes_seed")
    name = STDIN if options["seed"] == STDIN else options["seed_file"]
    if name is None:
        return typed(model, options["seed"], skip)
    data, where = _read(name), _called(name)
    if _of_bytes(model):
        return data
    return known(model, _line_ends(model, _decoded(data, where)), skip, where)


def typed(model: "CharRNN", seed: str, skip: bool = False) -> Given:
    """Return a seed that was typed, as `model` is given it."""
    return as_given(model, known(model, _escapes(model, seed, "--seed"), skip))


def as_given(model: "CharRNN", text: str) -> Given:
    """Return `text` as `model` is given it: its bytes, for a model of bytes."""
    if model.vocabulary is None or not _of_bytes(model):
        return text
    return model.vocabulary.encode(text).astype("u1").tobytes()


def stop_of(model: "CharRNN", text: str) -> str:
    """Return a text of --stop: that of a model of bytes may name bytes that are no text, \\xNN."""
    if _of_bytes(model) and re.search(r"\\x[0-9a-fA-F]{2}", text):
        from char_rnn.generate.door import from_bytes

        return from_bytes(_unescaped_bytes(text, "--stop"))
    return known(model, _escapes(model, text, "--stop"), what="--stop")


def prompts_of(model: "CharRNN", name: str, skip: bool) -> list[Given]:
    """Return the prompts in a file, one a line or as JSON lines; blank lines are left out.

    Raises CorruptFile for a line that is no prompt, UnknownCharacters for one with those.
    """
    data, where = _read(name).removeprefix(codecs.BOM_UTF8), _called(name)
    if data.count(b"\n") > MOST_PROMPTS:
        raise DataError(f"{where}: more than {MOST_PROMPTS:,} lines; shorten it")
    lines = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise CorruptFile(f"{where}: there is no prompt in it; write one a line")
    as_json = name.endswith(".jsonl") or isinstance(_parsed(lines[0][1]), str | dict)

    notes: list[str] = []

    def prompt(n: int, line: bytes) -> Given:
        place = f"{where}, line {n:,}"
        if as_json:
            return as_given(model, known(model, _prompt(line, place), skip, place, notes.append))
        line = line.removesuffix(b"\r")
        if _of_bytes(model):
            return line
        return known(model, _decoded(line, place), skip, place, notes.append)

    prompts = [prompt(n, line) for n, line in lines]
    for note in notes[:1]:
        _tell(note if len(notes) == 1 else f"{note}; so are {len(notes) - 1:,} more")
    return prompts


def _tell(note: str) -> None:
    click.echo(f"Note: {note}", err=True)


def known(
    model: "CharRNN",
    text: str,
    skip: bool = False,
    what: str = "the seed text",
    tell: Callable[[str], object] = _tell,
) -> str:
    """Return `text` as the model can read it; else raise UnknownCharacters, which names `what`.

    Where the model knows its letters in another Unicode form, it is taken in that one, and a note
    says so, through `tell`. skip: leave out what it does not know.
    """
    from char_rnn.data.vocabulary import named

    vocabulary = model.vocabulary
    if vocabulary is None:
        return text
    form, same = vocabulary.best_form(text)
    unknown = vocabulary.unknown(same)
    if form:
        helped = sorted(set(vocabulary.unknown(text)) - set(unknown))
        tell(
            f"{what} is taken in the Unicode form {form}, for the model does not know "
            f"{named(helped)}"
        )
    if unknown and not skip:
        raise UnknownCharacters(
            f"the model does not know {named(unknown)}, which {what} holds; leave it out"
            + (" (--skip_unknown does)" if not what.startswith("--") else "")
        )
    return vocabulary.without_unknown(same)


def _of_bytes(model: "CharRNN") -> bool:
    return model.vocabulary is not None and model.vocabulary.kind == "bytes"


def _escapes(model: "CharRNN", text: str, name: str) -> str:
    """Return `text` with \\n and \\t, which a shell passes as they are, as what they stand for.

    Where the training text has that very pair of characters it stays, and a note says so.
    """
    vocabulary, kept = model.vocabulary, []
    learnt = model.summary.get("backslashes")
    if not isinstance(learnt, str):  # of an older model: only its characters are known
        learnt = "nt" if vocabulary is not None and "\\" in vocabulary else ""

    def meant(found: re.Match[str]) -> str:
        if found[1] in learnt:
            kept.append(found[0])
            return found[0]
        return {"n": "\n", "t": "\t"}[found[1]]

    text = re.sub(r"\\([nt])", meant, text)
    if kept:
        may = "has" if isinstance(model.summary.get("backslashes"), str) else "may have"
        _tell(
            f"{' and '.join(sorted(set(kept)))} in {name} is taken as it is, a backslash and a "
            f"letter, which the training text {may}; $'…' of the shell gives a line end or a tab"
        )
    return text


def _unescaped_bytes(text: str, name: str) -> bytes:
    """Return the bytes that `text` names by escapes; other characters are their own, in UTF-8."""

    def meant(found: re.Match[bytes]) -> bytes:
        said = found[1]
        if said in ESCAPES:
            return ESCAPES[said]
        if len(said) == 3:
            return bytes([int(said[1:], 16)])
        raise UsageError(
            f"{name}: \\{said.decode('utf-8', 'replace')} is no escape; they are \\xNN (two "
            "hexadecimal digits), \\n, \\t, \\r, \\0, and \\\\ for a backslash"
        )

    data = text.encode("utf-8", "surrogateescape")
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|[^\x80-\xff]?)", meant, data)


def _parsed(line: bytes) -> Any:
    """Return what a line of JSON holds, None if it is none."""
    from char_rnn.storage.reading import parse_json

    try:
        return parse_json(line)
    except ValueError:
        return None


def _prompt(line: bytes, place: str) -> str:
    found = _parsed(line)
    if isinstance(found, dict):
        found = found.get("prompt", found.get("text"))
    if not isinstance(found, str):
        raise CorruptFile(
            f'{place}: no prompt; expected a JSON string, or an object with "prompt" or "text"'
        )
    return found


def _called(name: str) -> str:
    from char_rnn.storage.reading import shown

    return "standard input" if name == STDIN else shown(name)


def _read(name: str) -> bytes:
    """Return what is in the file `name`, or comes on standard input."""
    from char_rnn.storage.reading import opened

    if name != STDIN:
        with opened(Path(name)) as (file, _):
            data = file.read(MOST_BYTES + 1)
    else:
        buffer = getattr(sys.stdin, "buffer", None)
        if buffer is None:
            raise DataError("standard input: there is none to read from; name a file instead of -")
        if sys.stdin.isatty():
            click.echo("Reading from the terminal; Ctrl-D on a line of its own ends it", err=True)
        try:
            data = buffer.read(MOST_BYTES + 1)
        except (OSError, ValueError) as error:  # ValueError: it is closed
            raise DataError(f"standard input: cannot be read ({error})") from None
    if len(data) > MOST_BYTES:
        raise DataError(f"{_called(name)}: more than {MOST_BYTES:,} bytes; shorten it")
    return bytes(data)


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: byte {error.start:,} (0x{data[error.start]:02x}) is not UTF-8; save it as "
            "UTF-8"
        ) from None


def _line_ends(model: "CharRNN", text: str) -> str:
    """Return `text` with the line ends that the model knows."""
    if model.vocabulary is None or "\r" in model.vocabulary:
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n")
