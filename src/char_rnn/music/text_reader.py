"""A score of its text; `char_rnn.music.text` says how it reads."""

import re
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, inf, lcm
from typing import NamedTuple

from char_rnn.errors import DataError
from char_rnn.music.again import MOST_BACK
from char_rnn.music.bars import bar_length
from char_rnn.music.mending import Faults
from char_rnn.music.notation import DYNAMICS, UNIT, USUAL_DYNAMIC, eighths, units, value_of
from char_rnn.music.score import MOST_NOTES, MOST_STEPS, USUAL_METER, Change, Note, Score
from char_rnn.music.spelling import C_MAJOR, Key, sound
from char_rnn.music.text_header import read_header

TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<line>\|)
    |(?P<layer>&)
    |(?P<voice>\d{1,4}):
    |(?P<again>\d{1,2})(?=\s*(?:\||$))
    |\[(?P<field>[A-Z]):(?P<value>[^\]@\s]*)(?:@(?P<at>\d{1,6}(?:/\d{1,5})?))?\]
    |!(?P<mark>[a-z]{1,3})!
    |(?P<chord>\[)
    |(?P<end>\])
    |(?P<rest>z)
    |(?P<accidental>[\^_=]?)(?P<note>[A-Ga-g])(?P<octaves>[,']*)""",
    re.VERBOSE,
)
LENGTH = re.compile(r"(\d{0,6})(/?)(\d{0,5})")
FINEST = 480
"""Steps a quarter note, which a damaged text may make of its own."""
MOST_AGAIN = 2_000_000
"""Characters of bars that come again, so that no short text keeps one reading for hours."""
NOBODY = -1
"""The voice of what stands behind a mark of no voice."""


def from_text(
    text: str, lenient: bool = False, remarks: list[str] | None = None, line: int = 1
) -> Score:
    """Return the piece that a text says.

    lenient: makes the best of a damaged text: leaves out what means nothing, cuts bars that are too
    long, fills those that are too short, makes the grid finer where lengths need it, and ends notes
    that go on nowhere; `remarks` is told so. line: the number of the first, for what is said.
    Raises DataError that names the line and the place of what cannot be read; lenient only if
    there are more than MOST_NOTES or MOST_STEPS.
    """
    faults = Faults(text, lenient, line)
    reader = _Reader(text, faults, lenient)
    score = reader.score()
    if score.steps < reader.needed <= FINEST:
        faults = Faults(text, lenient, line)
        faults(0, f"lengths that need a finer grid, of {reader.needed} steps a quarter")
        score = _Reader(text, faults, lenient, reader.needed).score()
    if remarks is not None:
        remarks += faults.remarks()
    return score


@dataclass(slots=True)
class _Sounding:
    """A note that may still go on."""

    start: int
    voice: int
    pitch: int
    length: int
    velocity: int


class _Head(NamedTuple):
    """A note whose length stands behind it, or behind its chord."""

    place: int
    pitch: int
    velocity: int
    goes_on: bool


class _Reader:
    """Reads one text from left to right, token after token; each kind has its method."""

    def __init__(self, text: str, fault: Faults, lenient: bool, grid: int | None = None) -> None:
        self._text, self._fault, self._lenient = text, fault, lenient
        header = read_header(text, fault)
        self._place = header.end
        self._grid = self.needed = grid or header.grid
        self._voices, self._changes = header.voices, header.changes
        self._key: Key = self._changes["K"][0].value if self._changes["K"] else C_MAJOR
        self._next_key = self._key
        self._velocity = [DYNAMICS[USUAL_DYNAMIC]] * len(self._voices)
        self._notes: list[_Sounding] = []
        self._ties: dict[tuple[int, int, int], deque[tuple[_Sounding, int]]] = {}
        """The notes that go on, and where they say so, by voice, pitch and step."""
        self._written: list[tuple[int, int]] = []
        """Where the text of each bar begins and ends; of one that comes again, that it repeats."""
        self._from, self._repeated = self._place, 0
        """Where the text of this bar begins, and how many characters were read again."""
        self._source: tuple[int, int] | None = None
        """What is read again in this bar."""
        self._bar = 0
        """The step at which the bar begins; those of the bar are counted from there."""
        self._short: tuple[int, int] | None = None
        """Where the last bar ended before it was full, and what it lacks."""
        self._set_full()
        self._begin_bar()

    def score(self) -> Score:
        """Read all of it."""
        while self._place < len(self._text):
            self._token()
        self._finish()
        tempos, meters, keys = (tuple(self._changes[name]) for name in "QMK")
        notes = (Note(n.start, n.voice, n.pitch, n.length, n.velocity) for n in self._notes)
        return Score(tuple(notes), self._voices, self._grid, tempos, meters, keys, self._bar)

    def _token(self) -> None:
        place = self._at = self._place
        match = TOKEN.match(self._text, place)
        if match is None:
            self._fault(place, "a character that means nothing here", f": {self._text[place]!r}")
            self._place += 1
            return
        self._place = match.end()
        kind = next(name for name in KINDS if match[name] is not None)
        if kind not in ("space", "again") and self._short is not None:
            self._after_short(new_meter=match["field"] == "M" and match["at"] is None)
        KINDS[kind](self, match)

    # Bars and what parts them

    def _set_full(self) -> None:
        meters = self._changes["M"]
        self._full = bar_length(meters[-1].value if meters else USUAL_METER, self._grid)

    def _begin_bar(self) -> None:
        self._voice, self._now, self._reach, self._marked = 0, 0, 0, False
        self._filled: dict[int, int] = {}
        """How far the first layer of each voice reaches."""
        self._chord: list[_Head] | None = None
        self._key = self._next_key

    def _begun(self) -> bool:
        return self._marked or self._reach > 0 or self._now > 0 or self._chord is not None

    def _end_layer(self) -> None:
        if self._chord is not None:
            self._fault(self._at, "a chord that has no ]")
            self._end_chord(self._at)
        if self._voice != NOBODY and (self._marked or self._now):
            self._filled.setdefault(self._voice, self._now)
            self._reach = max(self._reach, self._now)
        self._now = 0

    def _bar_again(self, match: re.Match[str]) -> None:
        """Read the text of an earlier bar once more."""
        back, number = int(match["again"]), len(self._written)
        if self._begun() or self._source is not None:
            self._fault(match.start(), "a number that is not alone in its bar", f": {match[0]}")
            return
        if not 1 <= back <= min(number, MOST_BACK):
            there = f": {match[0]}; it may be up to {min(number, MOST_BACK)} here"
            self._fault(match.start(), "no bar so many bars before", there)
            return
        start, end = self._written[number - back]
        self._repeated += end - start
        if self._repeated > MOST_AGAIN:
            raise DataError(f"bars of more than {MOST_AGAIN} characters come again; cut the piece")
        here, self._place, self._source = self._place, start, (start, end)
        while self._place < end:
            self._token()
        self._place = here

    def _line(self, match: re.Match[str]) -> None:
        self._written.append(self._source or (self._from, match.start()))
        self._from, self._source = match.end(), None
        self._end_layer()
        length = self._reach or self._full
        for voice, filled in self._filled.items():
            if filled < length:
                said = f"{units(filled, self._grid)} of {eighths(length, self._grid)}"
                detail = f": voice {voice + 1} has {said}"
                self._fault(match.start(), "a voice that does not fill its bar", detail)
        if length < self._full:
            self._short = match.start(), self._full - length
        self._next_bar(length)

    def _next_bar(self, length: int) -> None:
        self._bar += length
        self._untie(self._bar)
        if self._bar > MOST_STEPS:
            raise DataError(f"the piece is longer than {MOST_STEPS} steps of its grid; cut it")
        self._begin_bar()

    def _after_short(self, new_meter: bool) -> None:
        """Fill the bar that has just ended, unless a new meter cut it short."""
        assert self._short is not None
        (place, lacks), self._short = self._short, None
        if not new_meter:
            said = f": it lacks {eighths(lacks, self._grid)}"
            self._fault(place, "a bar that is too short", said)
            self._next_bar(lacks)

    def _finish(self) -> None:
        """End the last bar, which may be short if there is a line behind it."""
        place = self._at = len(self._text)
        if self._begun():
            self._end_layer()
            length = self._reach or self._full
            if length < self._full and self._lenient:
                self._fault(place, "a last bar without an end")
                length = self._full
            self._next_bar(length)
        self._untie(inf)

    def _untie(self, step: float) -> None:
        """End the notes that go on before `step`, but have not."""
        for key in [key for key in self._ties if key[2] < step]:
            for _, place in self._ties.pop(key):
                self._fault(place, "a tie that leads to no note of its pitch")

    def _another_layer(self, match: re.Match[str]) -> None:
        if not self._now:
            self._fault(match.start(), "an & without a layer before it")
        self._end_layer()

    def _voice_mark(self, match: re.Match[str]) -> None:
        self._end_layer()
        self._voice, self._marked = int(match["voice"]) - 1, True
        if not 0 <= self._voice < len(self._voices):
            count = len(self._voices)
            self._fault(match.start(), "a voice that there is not", f"; there are {count} (I:)")
            self._voice = NOBODY
        elif self._voice in self._filled:
            self._fault(match.start(), "a voice that this bar has already", "; & is for layers")

    def _space(self, match: re.Match[str]) -> None:
        inside = match.start() > 0 and match.end() < len(self._text)
        if inside and match[0].count("\n") > 1:
            self._fault(match.start(), "a blank line", ": another piece would begin here")

    # Notes

    def _note(self, match: re.Match[str]) -> None:
        place = match.start()
        pitch_key = C_MAJOR if self._voices[self._voice].drums else self._key
        pitch = sound(match["accidental"], match["note"], match["octaves"], pitch_key)
        within = self._chord is not None
        steps = self._length(within)
        goes_on = self._text[self._place : self._place + 1] == "-"
        self._place += goes_on
        heads = [_Head(place, pitch, self._velocity[self._voice], goes_on)]
        if not 0 <= pitch <= 127:
            self._fault(place, "a pitch that MIDI has not", f": {match[0][:40]!r}")
            heads = []
        if self._chord is not None:
            self._chord += heads
        else:
            self._play(place, heads, steps)

    def _begin_chord(self, match: re.Match[str]) -> None:
        if self._chord is not None:
            self._fault(match.start(), "a [ within a chord")
        self._chord = self._chord or []

    def _chord_ends(self, match: re.Match[str]) -> None:
        if not self._chord:
            self._fault(match.start(), "a ] without a chord before it")
        self._end_chord(match.start())

    def _end_chord(self, place: int) -> None:
        heads, self._chord = self._chord or [], None
        steps = self._length()
        if heads:
            self._play(place, heads, steps)

    def _rest(self, match: re.Match[str]) -> None:
        within = self._chord is not None
        if within:
            self._fault(match.start(), "a rest within a chord")
        steps = self._length(within)
        if not within:
            self._play(match.start(), [], steps)

    def _dynamics(self, match: re.Match[str]) -> None:
        if match["mark"] not in DYNAMICS:
            known = ", ".join(DYNAMICS)
            self._fault(match.start(), "dynamics that there are not", f"; known: {known}")
        else:
            self._velocity[self._voice] = DYNAMICS[match["mark"]]

    def _length(self, within: bool = False) -> int:
        """Return the steps of the length that stands here, which may be nothing."""
        match = LENGTH.match(self._text, self._place)
        assert match is not None
        over, slash, under = match.groups()
        if within and match[0]:
            self._fault(self._place, "a length within a chord", "; it stands behind the ]")
        numerator, denominator = int(over or 1), int(under or (2 if slash else 1))
        if not numerator or not denominator:
            self._fault(self._place, "a length of nothing")
            numerator = denominator = 1
        self._place = match.end()
        steps = Fraction(numerator * self._grid, denominator * UNIT)
        if steps.denominator > 1 and not within:
            least = denominator * UNIT // gcd(numerator, denominator * UNIT)
            self.needed = lcm(least, self.needed) if self.needed <= FINEST else self.needed
            said = f" of {self._grid} steps a quarter; G:{lcm(least, self._grid)} has it"
            self._fault(match.start(), "a length off the grid", said)
        return max(round(steps), 1)

    def _play(self, place: int, heads: list[_Head], steps: int) -> None:
        """Sound notes, or none, for so many steps, as far as there is room in the bar."""
        left = self._full - self._now
        if steps > left:
            over = eighths(steps - left, self._grid)
            self._fault(place, "a bar that is too long", f": this is over by {over}")
            steps = left
        if steps and self._voice != NOBODY:
            for head in heads:
                self._sound(head, steps)
        self._now += steps

    def _sound(self, head: _Head, steps: int) -> None:
        """Let a note begin, or go on if one of its pitch is tied to here."""
        here = self._bar + self._now
        tied = self._ties.get((self._voice, head.pitch, here))
        if tied:
            note, _ = tied.popleft()
            note.length += steps
        else:
            note = _Sounding(here, self._voice, head.pitch, steps, head.velocity)
            self._notes.append(note)
            if len(self._notes) > MOST_NOTES:
                raise DataError(f"the piece has more than {MOST_NOTES} notes; cut it")
        if head.goes_on:
            there = self._voice, head.pitch, here + steps
            self._ties.setdefault(there, deque()).append((note, head.place))

    # Changes

    def _change(self, match: re.Match[str]) -> None:
        name, place = match["field"], match.start()
        value = value_of(name, match["value"]) if name in self._changes else None
        steps = self._offset(match["at"] or "0")
        if value is None:
            self._fault(place, "no tempo (Q), meter (M) or key (K)", f": {match[0][:40]!r}")
        elif self._begun():
            at = f"; [{name}:{match['value']}@2] there is two eighths into it"
            self._fault(place, "a change that is not at the begin of its bar", at)
        elif steps is None or steps >= self._full or (steps and name == "M"):
            self._fault(place, "a change at a place that is not within its bar")
        elif self._changes[name] and self._changes[name][-1].start >= self._bar + steps:
            self._fault(place, "a change that does not come after the last one")
        else:
            self._changes[name].append(Change(self._bar + steps, value))
            self._next_key = value if name == "K" else self._next_key
            self._key = self._key if steps else self._next_key
            self._set_full()

    def _offset(self, said: str) -> int | None:
        """Return the steps of a place within a bar; None if the grid has no such place."""
        over, _, under = said.partition("/")
        steps = Fraction(int(over) * self._grid, UNIT * (int(under or 1) or 1))
        return int(steps) if steps.denominator == 1 else None


KINDS = {
    "note": _Reader._note, "space": _Reader._space, "line": _Reader._line, "rest": _Reader._rest,
    "again": _Reader._bar_again,
    "layer": _Reader._another_layer, "voice": _Reader._voice_mark, "field": _Reader._change,
    "mark": _Reader._dynamics, "chord": _Reader._begin_chord, "end": _Reader._chord_ends,
}  # fmt: skip
