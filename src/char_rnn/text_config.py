"""How a text is read: from which bytes, with which characters, as which documents."""

import re
from dataclasses import dataclass

from char_rnn.checks import Boolean, Encoding, OneOf, Text, Texts, Whole
from char_rnn.errors import UsageError
from char_rnn.settings import Configuration, Need, documented, setting, validate

TEXT = "Text"
NORMAL_FORMS = ("NFC", "NFD", "NFKC", "NFKD")
DOCUMENT_KINDS = ("lines", "blank", "files", "records")
"""What may be a document by name; any other text is what stands between two."""


def _of_characters(off: object) -> tuple[Need, ...]:
    """Return what a setting of characters needs; off: its value that asks for nothing."""
    return (Need("bytes", lambda b: not b, "with {bytes}: bytes are taken as they are", off),)


@documented
@dataclass(frozen=True)
class TextConfig(Configuration):
    """How a text is read."""

    bytes: bool | None = setting(
        None, "Model raw bytes, or characters.", Boolean(), TEXT, opposite="characters"
    )
    encoding: str = setting(
        "",
        "How bytes stand for characters, such as latin-1; else UTF-8 or by its mark.",
        Encoding(),
        TEXT,
        needs=_of_characters(""),
    )
    pattern: tuple[str, ...] = setting(
        (),
        "Of a folder only the files whose name, or path in it, matches, such as '*.py'.",
        Texts(),
        TEXT,
    )
    column: str = setting(
        "", "Of JSON lines and CSV files only the field of this name.", Text(), TEXT
    )
    documents: str = setting(
        "",
        "What begins and ends: lines, blank, files, records, or the text that stands between two.",
        Text(),
        TEXT,
    )
    keep_line_ends: bool = setting(
        False,
        "Leave CR and CR LF as they are, which else become LF.",
        Boolean(),
        TEXT,
        needs=_of_characters(False),
    )
    normalize: str = setting(
        "",
        "Take the text in this Unicode normal form.",
        OneOf(NORMAL_FORMS, optional=True),
        TEXT,
        needs=_of_characters(""),
    )
    lowercase: bool = setting(
        False, "Take the text in lower case.", Boolean(), TEXT, needs=_of_characters(False)
    )
    min_count: int = setting(
        1,
        "Characters that occur less often are one symbol, which is never generated.",
        Whole(1),
        TEXT,
        needs=_of_characters(1),
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.documents == "records" and not self.column:
            raise UsageError("documents are records of a column; name the column, too")


USUAL = TextConfig()
"""How a text is read where nothing is said."""
_ESCAPED = {r"\n": "\n", r"\t": "\t", r"\f": "\f", r"\0": "\0"}


def separator(documents: str) -> str:
    r"""Return the text that stands between two documents; \n, \t, \f and \0 may be written so."""
    return re.sub(r"\\[ntf0]", lambda found: _ESCAPED[found[0]], documents)


def between(documents: str) -> str:
    """Return what stands between two documents that are written one after the other."""
    if documents in ("", "lines", "records"):
        return "\n" if documents else ""
    if documents in ("blank", "files"):
        return "\n\n"
    text = separator(documents)
    return text if "\n" in text else f"\n{text}\n"
