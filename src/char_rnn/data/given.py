"""A text as it is handed to the library: a path, a name, or the text itself."""

import os
from collections.abc import Sequence

from char_rnn.data.sources import Source, open_source
from char_rnn.errors import TextNotFound, UsageError
from char_rnn.storage.reading import StrPath
from char_rnn.text_config import USUAL, TextConfig

GivenText = str | bytes | os.PathLike[str] | Sequence[StrPath]
ITSELF = "the text"
"""Where a text comes from that was handed over itself."""

_LONGEST_NAME = 200  # in a message


class TextName(str):
    """A text by its name, never the text itself: what a command line is given."""

    __slots__ = ()


def as_source(text: GivenText, config: TextConfig = USUAL) -> Source:
    """Return the source of `text`: of these, the first that it is.

    1. a Path: that file or folder
    2. bytes: the text itself; a str with a line end in it: the text itself
    3. "-": standard input
    4. a str that names a file or folder which is there
    5. the name of a built-in text
    6. a str with a `*`, `?` or `[` in it: the files whose names match, as in a shell
    7. a list of such paths and names: all of them, joined in this order

    config: how it is read. Raises UsageError for what is no text, TextNotFound for
    what is none of these.
    """
    if isinstance(text, bytes):
        return _itself(text, config)
    if isinstance(text, list | tuple):
        return open_source([_name(one) for one in text], config)
    if isinstance(text, os.PathLike):
        path = os.path.join(os.curdir, text)  # noqa: PTH118 - so that it is taken for no name
        return open_source(path, config)
    if not isinstance(text, str):
        raise UsageError(
            f"the text is of the type {type(text).__name__}; expected a str, bytes, a Path, a "
            "list of names or a Corpus"
        )
    if isinstance(text, TextName):
        return open_source(text, config)
    if "\n" in text or "\r" in text:
        if config.encoding:
            raise UsageError(
                f"the encoding {config.encoding!r} says how bytes are read, and the text itself is "
                "a str; leave it out"
            )
        return _itself(_encoded(text), config)
    there = os.path.lexists(text)
    if len(text) > _LONGEST_NAME and not there:
        raise TextNotFound(_none_of_these(f"{text[:40]!r}…: no such file or folder"))
    try:
        return open_source(text, config)
    except TextNotFound as error:
        if there:  # a folder without a text
            raise
        raise TextNotFound(_none_of_these(str(error))) from None


def _name(text: object) -> StrPath:
    """Return a text of a list, if it is a name or a path."""
    if isinstance(text, TextName):
        return text
    if isinstance(text, os.PathLike):
        return os.path.join(os.curdir, text)  # noqa: PTH118 - so that it is taken for no name
    if not isinstance(text, str) or "\n" in text:
        raise UsageError(
            f"a list of texts has {repr(text)[:60]} in it; expected names and paths, for a text "
            "itself is one str: join them"
        )
    return text


def _none_of_these(what: str) -> str:
    return f"{what}; a text itself must have a line end in it (or take Corpus.from_text)"


def _itself(data: bytes, config: TextConfig) -> Source:
    if config.pattern:
        raise UsageError(
            f"the pattern {config.pattern[0]!r} chooses among the files of a folder, and the text "
            "itself was given; leave it out"
        )
    return Source("text", ITSELF, (data,), config=config)


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"the text has {text[error.start]!r} at {error.start:,}, half of a pair, which UTF-8 "
            "cannot hold; take it out"
        ) from None
