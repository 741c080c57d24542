"""Documents: where one ends in a text, in which order they are read, and which of them are whose.

In a corpus of documents the ids are END d₁ END d₂ END … dₙ END. Reading END a network begins anew
(ModelConfig.end), and END is what it has to predict where a document ends. The order of the
documents says nothing: they are shuffled, so that any part of them is like any other.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, AnyStr, Protocol

import numpy as np

from char_rnn.data.form import Form
from char_rnn.data.vocabulary import AnyVocabulary, Vocabulary, code_points
from char_rnn.errors import UsageError
from char_rnn.text_config import separator

Array = np.ndarray

BORDER = 0x110000
"""Stands between two documents among code points, of which none is as large."""
SHUFFLE = 0xD0C
"""Keeps the numbers that shuffle apart from those that training draws."""
BLANK_LINES = r"\r?\n(?:[ \t]*\r?\n)+"


def kind_for(texts: Iterable[str]) -> str:
    """Return what tells these documents apart when they stand one after the other.

    Raises UsageError if there is nothing that none of them has.
    """
    found = list(texts)
    whole = all(text == text.strip("\n") for text in found)
    if not any("\n" in text for text in found):
        return "lines"
    if whole and not any(re.search(BLANK_LINES, text) for text in found):
        return "blank"
    if whole and not any("\f" in text for text in found):
        return "\f"
    raise UsageError(
        "the documents have form feeds, or line ends where they begin or end; take those out"
    )


class Readable(Protocol):
    """What documents are found in: a Source."""

    def chunks(self) -> Iterator[str]:
        """Yield the text in pieces."""

    def byte_chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""

    def units(self, as_bytes: bool) -> Iterator[Iterator[Any]]:
        """Yield the pieces of each file, or record."""


def marked(source: Readable, kind: str, form: Form | None) -> Iterator[Array]:
    """Yield `source` as code points or bytes (N,) uint32, with BORDER after each document.

    kind: what a document is, as in TextConfig. form: that of the characters; None reads bytes.
    More than one BORDER may follow another.
    """
    if kind in ("files", "records"):
        for unit in source.units(form is None):
            for piece in unit if form is None else form.chunks(unit):
                yield _codes(piece)
            yield np.array([BORDER], np.uint32)
        return
    chunks = source.byte_chunks() if form is None else form.chunks(source.chunks())
    if kind == "lines":
        for piece in chunks:
            codes = _codes(piece)
            yield np.where(codes == ord("\n"), np.uint32(BORDER), codes)
    else:
        pattern = BLANK_LINES if kind == "blank" else re.escape(separator(kind))
        held_back = 0 if kind == "blank" else len(separator(kind).encode()) - 1
        compiled: Any = re.compile(pattern.encode() if form is None else pattern)
        yield from _split(chunks, compiled, held_back)
    yield np.array([BORDER], np.uint32)


def _split(
    chunks: Iterator[AnyStr], pattern: "re.Pattern[AnyStr]", held_back: int
) -> Iterator[Array]:
    """Yield the code points of `chunks` with BORDER in the place of each match of `pattern`.

    held_back: at the end of what is there so far as much may be the beginning of a match, and so
    may white space.
    """
    held: AnyStr | None = None
    for chunk in chunks:
        text = chunk if held is None else held + chunk
        cut = len(text[: max(len(text) - held_back, 0)].rstrip())
        codes, cut = _with_borders(text, pattern, cut)
        yield codes
        held = text[cut:]
    if held:
        yield _with_borders(held, pattern, len(held))[0]


def _with_borders(text: AnyStr, pattern: "re.Pattern[AnyStr]", cut: int) -> tuple[Array, int]:
    """Return text[:cut] as code points with borders, and where it was cut: before a match."""
    begins, ends = [], []
    for found in pattern.finditer(text):
        if found.end() > cut:
            cut = min(cut, found.start())
            break
        begins.append(found.start())
        ends.append(found.end())
    codes = _codes(text[:cut])
    if not begins:
        return codes, cut
    depth = np.zeros(cut + 1, np.int8)
    depth[begins] += 1
    depth[ends] -= 1  # a match may begin where another ends
    stays = np.cumsum(depth[:cut], dtype=np.int8) == 0
    codes[begins], stays[begins] = BORDER, True
    return codes[stays], cut


def _codes(piece: str | bytes) -> Array:
    if isinstance(piece, bytes):
        return np.frombuffer(piece, np.uint8).astype(np.uint32)
    return code_points(piece)


def joined(pieces: Iterable[Array], vocabulary: AnyVocabulary) -> Array:
    """Return the ids END d₁ END … dₙ END of `pieces`, in which END stands between documents.

    A document of characters neither begins nor ends with line ends. Empty ones are left out.
    """
    end = np.array([vocabulary.end], vocabulary.dtype)
    ids = np.concatenate([end, *pieces, end])
    if isinstance(vocabulary, Vocabulary) and "\n" in vocabulary:
        ids = _stripped(ids, int(end[0]), vocabulary.char_to_idx["\n"])
    ends = ids == end
    stays = np.ones(len(ids), bool)
    stays[1:] = ~(ends[1:] & ends[:-1])
    kept: Array = ids[stays]
    return kept


def _stripped(ids: Array, end: int, line_end: int) -> Array:
    """Return `ids` without the line ends that stand beside an END."""
    drop = np.zeros(len(ids), bool)
    borders = np.flatnonzero(ids == end)
    for step in (1, -1):
        at = borders
        while len(at):
            at = at + step
            at = at[(at >= 0) & (at < len(ids))]
            at = at[ids[at] == line_end]
            drop[at] = True
    kept: Array = ids[~drop]
    return kept


def shuffle(count: int, *seeds: int) -> Array:
    """Return an order of `count` documents, (count,), that `seeds` decide."""
    return np.random.default_rng([SHUFFLE, *seeds]).permutation(count)


def unshuffled(texts: Sequence[str], seed: int) -> list[str]:
    """Return documents such that shuffling them by `seed` puts them into the order of `texts`.

    So the last ones validate, where the split is one's own.
    """
    placed = [""] * len(texts)
    for text, place in zip(texts, shuffle(len(texts), seed).tolist(), strict=True):
        placed[place] = text
    return placed


def places_of(ends: Array, order: Array) -> Array:
    """Return the places in a corpus of the documents of `order`, each with the END after it.

    ends: where END stands, (n + 1,).
    """
    starts, lengths = ends[:-1][order] + 1, np.diff(ends)[order]
    before = np.cumsum(lengths) - lengths
    places: Array = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return places
