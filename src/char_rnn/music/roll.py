"""A piano roll: pitch upwards, time to the right, several pieces below each other."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from char_rnn.errors import UsageError
from char_rnn.music.clock import bar_lines, beats, cut
from char_rnn.music.instruments import DRUMS, drum_kind, label
from char_rnn.music.roll_text import roll_text
from char_rnn.music.score import Note, Score
from char_rnn.pictures.canvas import SERIES, Canvas, text_width
from char_rnn.pictures.figure import Drawing

WIDTH = 960.0
LEFT, RIGHT = 44.0, 16.0
MOST_BARS = 64
"""Of a piece, that a picture shows."""
HIGHEST = 32_000
"""Pixels of a picture; a PNG, with two dots to each, cannot be higher."""
QUARTERS = 32
"""That a row has room for: 7 pixels a sixteenth."""
WIDEST = 64.0  # pixels of a quarter note in a short piece
LEAST_PITCHES = 13  # so that a tune of three notes does not fill the picture
DRUM = 11.0  # pixels a kind of drums
HEAD, ABOVE, BELOW, BETWEEN = 26.0, 15.0, 7.0, 30.0
BLACK = {1, 3, 6, 8, 10}
MOST_NAMED = 12  # voices of a legend


def roll(scores: Sequence[Score], names: Sequence[str], first: int = 1) -> Drawing:
    """Return the `scores` as piano rolls below each other, each under its name.

    Strong notes are those of high velocity, a voice is a colour, drums have lines of their own.
    Of each piece the first `MOST_BARS` bars are drawn, and said to be.

    first: the number of their first bar.
    Raises UsageError if there are not as many names as scores, or none, or more than a picture
    has room for (`HIGHEST`).
    """
    if not scores or len(scores) != len(names):
        raise UsageError(f"{len(scores)} scores and {len(names)} names; a roll takes one of each")
    canvas = Canvas(WIDTH, 0)
    y, headings, texts = 8.0, [], []
    for score, name in zip(scores, names, strict=True):
        heading, shown = shortened(score, name, MOST_BARS)
        headings.append(heading)
        texts.append(f"{heading}\n{roll_text(shown, first=first)}")
        y = _piece(canvas, shown, heading, y, first) + BETWEEN
        canvas.height = y - BETWEEN + 10
        if canvas.height > HIGHEST:  # here already: thousands would fill the memory
            raise UsageError(
                f"the picture would be more than {HIGHEST:,} pixels high: draw fewer tunes, or "
                "fewer bars of them (--bars A:B)"
            )
    return Drawing("Piano roll: " + "; ".join(headings), canvas, "\n".join(texts))


def shortened(score: Score, name: str, most: int) -> tuple[str, Score]:
    """Return the heading of a piece, and at most the first `most` bars of it."""
    count = len(bar_lines(score)) - 1
    if count <= most:
        return name, score
    return f"{name}: first {most} bars of {count:,}", cut(score, 1, most)


class Row(NamedTuple):
    """A row of bars: how wide a step is, and where it all stands.

    top: of the row. low, high: the pitches. each: pixels a pitch. drums: kinds that are drawn.
    first, last: steps. x: pixels a step.
    """

    top: float
    low: int
    high: int
    each: float
    drums: list[str]
    first: int
    last: int
    x: float

    @property
    def bottom_of_pitches(self) -> float:
        """The lower edge of the lowest pitch."""
        return self.top + self.each * (self.high - self.low + 1)

    @property
    def bottom(self) -> float:
        """The lower edge of it all."""
        gap = 4 if self.drums and self.high >= self.low else 0
        return self.bottom_of_pitches + gap + DRUM * len(self.drums)

    @property
    def right(self) -> float:
        """The right edge."""
        return self.at(self.last)

    def at(self, step: int) -> float:
        """Return the x of a step."""
        return LEFT + self.x * (step - self.first)

    def pitch(self, pitch: int) -> float:
        """Return the upper edge of a pitch."""
        return self.top + self.each * (self.high - pitch)

    def drum(self, kind: str) -> float:
        """Return the upper edge of a kind of drums."""
        return self.bottom - DRUM * (len(self.drums) - self.drums.index(kind))


def _piece(canvas: Canvas, score: Score, heading: str, y: float, first: int) -> float:
    """Draw a piece from `y` on; return where it ends."""
    used = sorted({note.voice for note in score.notes})
    # The series' colours go round: the roll of an orchestra is one of groups.
    colours = {voice: str(k % SERIES) for k, voice in enumerate(used)}
    canvas.text(LEFT, y + 15, _fitting(heading, WIDTH - LEFT - RIGHT, 15), 15, bold=True)
    y += HEAD
    if len(used) > 1:
        y = _legend(canvas, score, colours, y)
    low, high = _range(score)
    each = min(max(160 / (high - low + 1), 5.0), 8.0) if high >= low else 0
    drums = {drum_kind(note.pitch) for note in score.notes if score.voices[note.voice].drums}
    kinds = [kind for kind in DRUMS if kind in drums]
    starts = bar_lines(score)
    marks = beats(score)
    count = _bars_a_row(starts, score.steps)
    widest = max(
        starts[min(k + count, len(starts) - 1)] - starts[k]
        for k in range(0, len(starts) - 1, count)
    )
    x = min((WIDTH - LEFT - RIGHT) / widest, WIDEST / score.steps)
    for k in range(0, len(starts) - 1, count):
        ends = starts[k : k + count + 1]
        row = Row(y + ABOVE, low, high, each, kinds, ends[0], ends[-1], x)
        _grid(canvas, row, ends, [b for b in marks if ends[0] < b < ends[-1]], first + k)
        for note in score.notes:
            if note.start < row.last and note.end > row.first:
                _note(canvas, row, note, colours[note.voice], score.voices[note.voice].drums)
        y = row.bottom + BELOW
    return y


def _bars_a_row(starts: list[int], steps: int) -> int:
    """Return how many bars a row has: a power of two, as phrases do."""
    longest = max(b - a for a, b in pairwise(starts))
    room = QUARTERS * steps / longest
    return int(min(2 ** max(math.floor(math.log2(room)), 0), len(starts) - 1))


def _range(score: Score) -> tuple[int, int]:
    """Return the lowest and the highest pitch that is drawn; (0, -1) where there are only drums."""
    pitches = [note.pitch for note in score.notes if not score.voices[note.voice].drums]
    if not pitches:
        return (0, -1) if score.notes else (60, 72)
    low, high = min(pitches) - 1, max(pitches) + 1
    lacking = max(LEAST_PITCHES - (high - low + 1), 0)
    return max(low - lacking // 2, 0), min(high + (lacking + 1) // 2, 127)


def _legend(canvas: Canvas, score: Score, colours: dict[int, str], y: float) -> float:
    """Write which colour is which voice, in as many lines as it takes; return where they end."""
    x = LEFT
    named = list(colours.items())[:MOST_NAMED]
    more = len(colours) - len(named)
    entries: list[tuple[str | None, str]] = [(c, label(score.voices[v])) for v, c in named]
    entries += [(None, f"and {more} more")] if more else []
    for colour, said in entries:
        wide = 18 + text_width(said, 12) + 16
        if x > LEFT and x + wide > WIDTH - RIGHT:
            x, y = LEFT, y + 17
        if colour is not None:
            canvas.rect(x, y + 3, 12, 9, colour)
        canvas.text(x + 18 * (colour is not None), y + 12, said, 12)
        x += wide
    return y + 20


def _grid(canvas: Canvas, row: Row, starts: list[int], marks: list[int], first: int) -> None:
    """Draw the rows of black keys, beats, bars with their numbers, and the octaves' names."""
    for pitch in range(row.low, row.high + 1):
        if pitch % 12 in BLACK:
            canvas.rect(LEFT, row.pitch(pitch), row.right - LEFT, row.each, "grid", opacity=0.4)
        if pitch % 12 == 0:
            low = row.pitch(pitch) + row.each
            canvas.line(LEFT, low, row.right, low, "faint", 0.5)
            canvas.text(LEFT - 6, low - row.each / 2 + 4, f"C{pitch // 12 - 1}", 11, "faint", "end")
    for kind in row.drums:
        canvas.text(LEFT - 4, row.drum(kind) + 9, kind, 9.5, "faint", "end")
        canvas.line(LEFT, row.drum(kind) + DRUM, row.right, row.drum(kind) + DRUM, "grid", 0.8)
    for step in marks:
        canvas.line(row.at(step), row.top, row.at(step), row.bottom, "grid", 0.8)
    for k, step in enumerate(starts):
        canvas.line(row.at(step), row.top, row.at(step), row.bottom, "faint", 1.0)
        if k + 1 < len(starts):
            canvas.text(row.at(step) + 2, row.top - 4, str(first + k), 10, "faint")
    canvas.line(LEFT, row.top, row.right, row.top, "faint", 0.5)
    canvas.line(LEFT, row.bottom, row.right, row.bottom, "faint", 0.5)


def _note(canvas: Canvas, row: Row, note: Note, colour: str, drums: bool) -> None:
    """Draw the part of a note that is in `row`."""
    begin, end = max(note.start, row.first), min(note.end, row.last)
    strength = 0.3 + 0.7 * note.velocity / 127
    if drums:
        if note.start >= row.first:
            # A stroke has a place and no length.
            x, y = row.at(begin), row.drum(drum_kind(note.pitch)) + DRUM / 2
            wide = min(7.0, max(row.x * note.length, 3.0))
            corners = [(x, y - 4), (x + wide, y), (x, y + 4)]
            canvas.polygon(corners, colour, opacity=strength)
        return
    wide = max(row.at(end) - row.at(begin) - 1.2, 1.2)
    high = max(row.each - 0.6, 2.0)
    canvas.rect(
        row.at(begin) + 0.4, row.pitch(note.pitch) + 0.3, wide, high, colour, opacity=strength
    )


def _fitting(text: str, room: float, size: float) -> str:
    """Return as much of `text` as fits into `room` pixels."""
    text = " ".join(text.split())
    if text_width(text, size, True) <= room:
        return text
    while text and text_width(text + "…", size, True) > room:
        text = text[:-1]
    return text + "…"
