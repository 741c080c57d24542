"""A piano roll in plain characters: two pitches to a line, as half blocks."""

import math
from itertools import pairwise
from typing import NamedTuple

from char_rnn.music.clock import bar_lines, beats
from char_rnn.music.instruments import DRUMS, drum_kind
from char_rnn.music.score import Score

MARGIN = 7  # columns of the names of notes
ROOMY = 4  # bars that still fit into a row where a unit takes two columns
NAMES = {0: "C", 2: "D", 4: "E", 6: "G", 8: "A", 10: "B"}
"""A line holds C and C sharp, D and E flat, E and F, F sharp and G, …: named by a white key."""


class Signs(NamedTuple):
    """What is drawn with: notes at the upper, the lower, both pitches; and the rest of it."""

    upper: str
    lower: str
    both: str
    beat: str
    bar: str
    stroke: str


BLOCKS = Signs("▀", "▄", "█", "·", "│", "●")
ASCII = Signs("'", ".", ":", " ", "|", "x")


def signs_for(encoding: str | None) -> Signs:
    """Return the signs that a stream of that encoding can hold."""
    try:
        "".join(BLOCKS).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


def roll_text(score: Score, width: int = 78, signs: Signs = BLOCKS, first: int = 1) -> str:
    """Return `score` as rows of bars, lines of at most `width` characters where a bar allows it.

    A column is the largest unit that all notes stand on, from a sixteenth to a quarter, or half
    of it; shorter notes fill theirs. Drums have lines of their own.

    first: the number of the first bar.
    """
    starts = bar_lines(score)
    unit, each = _unit(score, starts, width)
    room, marks = width - MARGIN - 1, beats(score)
    rows, k = [], 0
    while k < len(starts) - 1:
        last = k + 1
        while last + 1 < len(starts) and _columns(starts[k : last + 2], unit, each) <= room:
            last += 1
        rows.append(_row(score, _Grid(starts[k : last + 1], unit, each), marks, signs, first + k))
        k = last
    return "\n".join(rows)


class _Grid(NamedTuple):
    """Where a row's steps stand: its bars begin at `starts`, the last of which is its end."""

    starts: list[int]
    unit: int
    each: int

    def column(self, step: int) -> int:
        """Return the column of a step, from 0; each bar has its line before it."""
        at, bar = 0, 0
        while bar + 2 < len(self.starts) and step >= self.starts[bar + 1]:
            at += _columns(self.starts[bar : bar + 2], self.unit, self.each)
            bar += 1
        return at + 1 + (step - self.starts[bar]) * self.each // self.unit


def _columns(starts: list[int], unit: int, each: int) -> int:
    """Return how many columns the bars take, with the line before each."""
    return sum(1 + -(-(b - a) * each // unit) for a, b in pairwise(starts))


def _unit(score: Score, starts: list[int], width: int) -> tuple[int, int]:
    """Return how many steps a unit has, and how many columns it takes: two if there is room.

    A note of two columns is drawn as one where the next one of its pitch follows at once.
    """
    unit = math.gcd(
        score.steps, *starts, *(n for note in score.notes for n in (note.start, note.length))
    )
    unit = max(unit, score.steps // 4, 1)
    longest = max(b - a for a, b in pairwise(starts))
    roomy = ROOMY * (1 + 2 * -(-longest // unit)) <= width - MARGIN - 1
    return unit, 2 if roomy else 1


def _row(score: Score, grid: _Grid, beats: list[int], signs: Signs, first: int) -> str:
    """Return a row of bars: their numbers, a line for two pitches each, the drums."""
    begin, stop = grid.starts[0], grid.starts[-1]
    wide = _columns(grid.starts, grid.unit, grid.each) + 1
    pitches: dict[int, set[int]] = {}
    drums: dict[str, set[int]] = {}
    struck = {(note.pitch, note.start) for note in score.notes}
    for note in score.notes:
        if note.start >= stop or note.end <= begin:
            continue
        at = grid.column(max(note.start, begin))
        if not score.voices[note.voice].drums:
            end = grid.column(min(note.end, stop) - 1) + 1
            if (note.pitch, note.end) in struck and end - at > 1:
                end -= 1  # so that the next one can be told from it
            pitches.setdefault(note.pitch, set()).update(range(at, end))
        elif note.start >= begin:
            drums.setdefault(drum_kind(note.pitch), set()).add(at)
    lines = [grid.column(step) - 1 for step in grid.starts[:-1]] + [wide - 1]
    marks = {grid.column(step) for step in beats if begin <= step < stop}
    rows = [_numbers(lines[:-1], first)]
    low, high = min(pitches, default=0) // 2, max(pitches, default=-2) // 2
    for pair in range(high, low - 1, -1):
        upper, lower = pitches.get(2 * pair + 1, set()), pitches.get(2 * pair, set())
        name = f"{NAMES[2 * pair % 12]}{pair // 6 - 1}"
        dots = marks if 2 * pair % 12 == 0 else set()
        cells = [_cell(c in upper, c in lower, c in dots, signs) for c in range(wide)]
        rows.append(_line(name, cells, lines, signs))
    for kind in DRUMS:
        if kind in drums:
            cells = [signs.stroke if c in drums[kind] else " " for c in range(wide)]
            rows.append(_line(kind, cells, lines, signs))
    return "\n".join(rows) + "\n"


def _cell(upper: bool, lower: bool, dot: bool, signs: Signs) -> str:
    if upper and lower:
        return signs.both
    if upper or lower:
        return signs.upper if upper else signs.lower
    return signs.beat if dot else " "


def _line(name: str, cells: list[str], lines: list[int], signs: Signs) -> str:
    for column in lines:
        cells[column] = signs.bar
    return f"{name:>{MARGIN - 1}} {''.join(cells)}".rstrip()


def _numbers(lines: list[int], first: int) -> str:
    """Return the numbers of the bars, above their lines."""
    said = " " * MARGIN
    for k, column in enumerate(lines):
        if not k or len(said) < MARGIN + column:
            said = f"{said:<{MARGIN + column}}{first + k}"
    return said
