"""Melodies in ABC notation into scores.

Read: keys with modes and accidentals, meters, lengths, tempos; notes, rests, chords, broken rhythm,
tuplets, ties, repeats with endings, several tunes in a text. The first voice of several is read.
What changes no note of it is left out, and said. Read abc_body.py (a tune's lines), abc_staff.py (a
note), abc_fields.py (key, meter, tempo), abc_play.py and abc_repeats.py (what is played, and when).
Source: the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from char_rnn.errors import DataError
from char_rnn.music.abc_body import Body
from char_rnn.music.abc_play import play
from char_rnn.music.score import Score

MOST_TUNES = 100_000

_FIELD = re.compile(r"([A-Za-z]):(?![|:])(.*)", re.DOTALL)
_REMARK = re.compile(r"(?<!\\)%.*", re.DOTALL)

Line = tuple[int, str]
"""A line's number, from 1, and what it says."""


def read_abc(text: str, name: str = "ABC", lenient: bool = False) -> list[tuple[Score, list[str]]]:
    """Return each tune of a text, and what is to be said about it.

    A tune begins with X: (or is all of a text without one) and ends with an empty line. A pickup
    is moved to the end of a bar, so that bars begin where the meter says.
    Raises DataError, which names `name`, the line and the place, for what cannot be read; lenient,
    such a tune has a score without notes, and the error as its remark.
    """
    tunes: list[tuple[Score, list[str]]] = []
    for lines, defaults in _tunes(text):
        if len(tunes) == MOST_TUNES:
            raise DataError(f"{name}: more than {MOST_TUNES} tunes; split the file")
        try:
            tunes.append(_tune(lines, defaults, name))
        except DataError as error:
            if not lenient:
                raise
            tunes.append((Score(()), [f"{error}; left out"]))
    if not tunes:
        raise DataError(f"{name}: no tune; expected lines X:1, K:C and notes")
    return tunes


def _tunes(text: str) -> Iterator[tuple[list[Line], list[Line]]]:
    """Yield the lines of each tune, and those before the first, which hold for all."""
    lines = [
        (number, _REMARK.sub("", line).rstrip() if "%" in line else line.rstrip())
        for number, line in enumerate(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")), 1)
        if not line.startswith(("%", "+:"))
    ]
    starts = [i for i, (_, line) in enumerate(lines) if line.startswith("X:")]
    if not starts and any(line.startswith("K:") for _, line in lines):
        first = next(i for i, (_, line) in enumerate(lines) if line.strip())
        yield lines[first:], []
    for start, stop in pairwise([*starts, len(lines)]):
        yield lines[start:stop], lines[: starts[0]]


def _tune(lines: list[Line], defaults: list[Line], name: str) -> tuple[Score, list[str]]:
    """Read one tune: its header and its body; and play it."""
    body = Body(name)
    for body.line, line in defaults:
        if line[:2] in ("M:", "L:", "Q:"):
            body.field(line[0], line[2:])
    end = next((i for i, (_, line) in enumerate(lines) if not line.strip()), len(lines))
    for body.line, line in lines[:end]:
        body.place = 1
        found = _FIELD.match(line)
        if found:
            body.field(found[1], found[2])
        elif body.begun:
            body.music(line)
    if not body.begun:
        where = f"{name}: line {lines[0][0]}"
        raise DataError(f"{where}: a tune without a key; expected a line K: and notes")
    score, remarks = play(body)
    after = sum(bool(line.strip()) for _, line in lines[end:])
    if after:
        remarks.append(f"lines after the empty line that ends the tune left out: {after}")
    return score, remarks
