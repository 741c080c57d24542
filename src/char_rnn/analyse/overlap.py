"""What a text has word for word from a training text: figures, colours, and a page to look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from char_rnn.analyse.page import page as page_of
from char_rnn.data.shared_runs import longest_runs
from char_rnn.data.vocabulary import from_code_points

Array = np.ndarray
Progress = Callable[[float], None]

FLOORS = (20, 40, 80)
"""The lengths from which on runs are counted and shaded."""
STYLES = ("black on rgb(255,236,170)", "black on rgb(255,180,110)", "white on rgb(200,40,30)")


class Passage(NamedTuple):
    """A run that stands in the training text.

    at: where it begins in the sample, from 0. place, line: where one such run begins in the
    training text: characters from 0, and lines from 1.
    """

    at: int
    length: int
    text: str
    place: int
    line: int


class Piece(NamedTuple):
    """A stretch of a sample and the run that covers it; length 0 if none of at least 20 does."""

    text: str
    length: int
    place: int
    line: int


@dataclass(frozen=True)
class Overlap:
    """What one sample has from the training text.

    name: of the sample. characters: how many it has (bytes, if bytes were compared).
    longest: the first of the longest runs; None if the texts share no character.
    shares: for each of `FLOORS`, the share of characters inside runs of at least so many.
    covered: (m,) for each character, the length of the longest run that covers it.
    pieces: the whole sample, cut where another run begins.
    """

    name: str
    characters: int
    longest: Passage | None
    shares: dict[int, float]
    covered: Array = field(repr=False)
    pieces: list[Piece] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as what JSON can hold."""
        return {
            "name": self.name,
            "characters": self.characters,
            "longest": None if self.longest is None else self.longest._asdict(),
            "shares": {str(floor): share for floor, share in self.shares.items()},
        }


def overlaps(
    samples: Sequence[tuple[str, Array]], text: Array, progress: Progress | None = None
) -> list[Overlap]:
    """Compare samples, each a name and its symbols (m,), with the training text (n,).

    Symbols are code points, or bytes of type uint8. All samples are looked up at once.
    """
    if not samples:
        return []
    # Between two samples stands a symbol of no text, so that no run goes on from one to the next.
    between = 1 + max(int(a.max(initial=0)) for a in (text, *(symbols for _, symbols in samples)))
    parts = [np.append(symbols.astype(np.uint32), np.uint32(between)) for _, symbols in samples]
    lengths, places = longest_runs(np.concatenate(parts), text, progress)
    newlines = np.flatnonzero(text == ord("\n"))
    found, start = [], 0
    for name, symbols in samples:
        stop = start + len(symbols)
        lines = 1 + np.searchsorted(newlines, places[start:stop])
        found.append(_overlap(name, symbols, lengths[start:stop], places[start:stop], lines))
        start = stop + 1
    return found


def _overlap(name: str, symbols: Array, lengths: Array, places: Array, lines: Array) -> Overlap:
    m = len(symbols)
    runs = covering(lengths)
    covered = np.where(runs < 0, 0, lengths[runs]) if m else np.zeros(0, np.int64)
    longest = None
    if m and lengths.max() > 0:
        at = int(lengths.argmax())
        length = int(lengths[at])
        text = _shown(symbols[at : at + length])
        longest = Passage(at, length, text, int(places[at]), int(lines[at]))
    shares = {n: float((covered >= n).mean()) if m else 0.0 for n in FLOORS}
    shaded = np.where(covered >= FLOORS[0], runs, -1)
    cuts = [0, *(1 + np.flatnonzero(np.diff(shaded))).tolist(), m] if m else []
    pieces = []
    for start, stop in pairwise(cuts):
        run, text = int(shaded[start]), _shown(symbols[start:stop])
        if run < 0:
            pieces.append(Piece(text, 0, -1, 0))
        else:
            pieces.append(Piece(text, int(lengths[run]), int(places[run]), int(lines[run])))
    return Overlap(name, m, longest, shares, covered, pieces)


def covering(lengths: Array) -> Array:
    """Return for each character where the longest run that covers it begins, −1 for none.

    lengths: (m,) of the longest run that begins at each character, as of `longest_runs`.
    """
    runs = np.full(len(lengths), -1, np.int64)
    before = np.concatenate([[0], lengths[:-1]])[: len(lengths)]
    # A run that begins inside another one and ends with it adds nothing.
    starts = np.flatnonzero((lengths > 0) & (lengths >= before))
    for start in starts[np.argsort(lengths[starts], kind="stable")]:  # the longest painted last
        runs[start : start + lengths[start]] = start
    return runs


def _shown(symbols: Array) -> str:
    """Return symbols as text; bytes that are not UTF-8 become U+FFFD."""
    if symbols.dtype == np.uint8:
        return symbols.tobytes().decode("utf-8", "replace")
    return from_code_points(symbols)


def level(length: int) -> int:
    """Return how many of `FLOORS` a run reaches."""
    return sum(length >= floor for floor in FLOORS)


def coloured(pieces: Sequence[Piece], limit: int) -> list[tuple[str, str]]:
    """Return the first `limit` characters of `pieces` with their styles for the terminal."""
    result = []
    for piece in pieces:
        style = STYLES[level(piece.length) - 1] if piece.length else ""
        for k, line in enumerate(piece.text[: max(limit, 0)].split("\n")):
            result += [("\n", "")] if k else []  # without a colour up to the terminal's edge
            result += [(line, style)] if line else []
        limit -= len(piece.text)
    return result


def page(title: str, training: str, found: Sequence[Overlap]) -> str:
    """Return a self-contained page that shades the runs and names the place of each on hover.

    training: what the training text is called.
    """
    data = {
        "title": title,
        "training": training,
        "samples": [
            o.to_dict() | {"pieces": [[*p, level(p.length)] for p in o.pieces]} for o in found
        ],
    }
    return page_of("overlap", data)
