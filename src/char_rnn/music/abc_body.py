"""The lines of an ABC tune into measures of sounds.

What is for the eye, or for other voices, is counted in `left_out`. The regular expressions take no
longer than reading the line does, whatever stands there. Source: the ABC standard 2.1, section 4.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from char_rnn.errors import DataError
from char_rnn.music import abc_fields as fields
from char_rnn.music.abc_repeats import MOST_PASSES, Measure
from char_rnn.music.abc_staff import NOTE, SIZE, Position, Staff, Written, length_of, tuplet_of
from char_rnn.music.bars import Meter
from char_rnn.music.score import MOST_NOTES, USUAL_METER
from char_rnn.music.spelling import Key

MOST_BARS_REST = 1000
MOST_IN_CHORD = 64

_ENDINGS = r"\d{1,3}(?:[,-]\d{1,3})*"
_TOKEN = re.compile(
    rf"""
    (?P<note>{NOTE}{SIZE})
  | (?P<rest>[zxZX]{SIZE})
  | (?P<bar>(?:\.?\||\[\||::+|:\|)(?:[|:\]]|\[\|)*(?:\ *\[{_ENDINGS}|{_ENDINGS})?)
  | (?P<ending>\[{_ENDINGS})
  | (?P<field>\[[A-Za-z]:[^\]]*\])
  | (?P<chord>\[[^\]|:]*\]{SIZE})
  | (?P<tie>\.?-)
  | (?P<broken>[<>]+)
  | (?P<tuplet_begins>\(\d+(?::\d*){{0,2}})
  | (?P<text>"[^"]*")
  | (?P<grace>\{{[^}}]*\}})
  | (?P<sign>![^!|]*!|[.~H-Wh-w])
  | (?P<overlay>&+)
  | (?P<passed>[\ \t()`\\$*!;]|y\d*)
    """,
    re.VERBOSE,
)
_IN_CHORD = re.compile(rf'({NOTE}{SIZE})(-?)|"[^"]*"|![^!]*!|[\s.~H-Wh-w()]')
_CLOSING = {'"': '"', "{": "}", "[": "]"}
_LEFT_OUT = {
    "w": "lines of words",
    "W": "lines of words",
    "s": "lines of symbols",
    "m": "macros (m:)",
    "text": "chord symbols and annotations",
    "grace": "groups of grace notes",
    "sign": "decorations",
}


class Facts(NamedTuple):
    """What holds where a note stands: the meter, the key, the tempo in quarters a minute."""

    meter: Meter | None = None
    key: Key | None = None
    tempo: float | None = None


@dataclass
class Sound:
    """Notes that begin together, or a rest, which has none.

    length: in quarters. tied: those of the pitches that go on in the next sound.
    """

    pitches: tuple[int, ...]
    length: Fraction
    facts: Facts
    tied: frozenset[int] = frozenset()


class Body:
    """Reads a tune, line after line, into `measures`.

    field: takes a field, of the header or later. music: takes a line of notes. Both raise DataError
    with the line and place. begun: whether K: has ended the header.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.line = self.place = 1
        self.title = ""
        self.begun = False
        self.facts = Facts()
        self.measures = [Measure()]
        self.left_out: Counter[str] = Counter()
        self._unit: Fraction | None = None
        self._tempo = ""  # as the header says it, before the unit is known
        self._staff = Staff()
        self._last: Sound | None = None
        self._positions: dict[Position, int] = {}  # of the last sound's notes: their shifts
        self._next = Fraction(1)  # what > or < does to the next sound
        self._tuplet, self._in_tuplet = Fraction(1), 0
        self._voice: str | None = None
        self._silent = ""  # why notes are not heard here
        self._sounds = 0

    def field(self, letter: str, value: str) -> None:
        """Take a field: its letter, and what stands after the colon."""
        self._saying_where(self._field, letter, value.strip())

    def music(self, text: str) -> None:
        """Take a line of notes."""
        at = 0
        while at < len(text):
            self.place = at + 1
            found = _TOKEN.match(text, at)
            if found is None:
                self._saying_where(self._unknown, text[at])
                at += 1
            else:
                at = found.end()
                self._saying_where(self._token, str(found.lastgroup), found.group())

    def _saying_where(self, take: Callable[..., None], *what: str) -> None:
        try:
            take(*what)
        except ValueError as error:
            where = f"{self.name}: line {self.line}, place {self.place}"
            raise DataError(f"{where}: {error}") from None

    def _field(self, letter: str, value: str) -> None:
        unit = self._unit or fields.usual_length(self.facts.meter)
        if letter == "K":
            key = fields.key_field(value)
            self.left_out["octave= and transpose= of K:"] += key.shifted
            self._staff.signature, self._staff.bar = key.signature, {}
            self.facts = self.facts._replace(key=key.key)
            if not self.begun:
                self.begun, self._unit = True, unit
                self.facts = self.facts._replace(tempo=fields.tempo_field(self._tempo, unit))
        elif letter == "M":
            self.facts = self.facts._replace(meter=fields.meter_field(value))
        elif letter == "L":
            self._unit = fields.length_field(value)
        elif letter == "Q" and self.begun:
            self.facts = self.facts._replace(tempo=fields.tempo_field(value, unit))
        else:
            self._other_field(letter, value)

    def _other_field(self, letter: str, value: str) -> None:
        if letter == "Q":
            self._tempo = value
        elif letter == "T":
            self.title = self.title or value
        elif letter == "V" and self.begun:
            voice = value.split(maxsplit=1)[0] if value else ""
            self._voice = voice if self._voice is None else self._voice
            self._silent = "" if voice == self._voice else "notes of other voices"
        elif letter == "P" and not self.begun:
            self.left_out["orders of parts (P:)"] += 1
        elif letter in _LEFT_OUT:
            self.left_out[_LEFT_OUT[letter]] += 1

    def _token(self, kind: str, token: str) -> None:
        if kind in _LEFT_OUT:
            self.left_out[_LEFT_OUT[kind]] += 1
        elif kind == "field":
            self._field(token[1], token[3:-1].strip())
        elif kind == "bar":
            self._bar(token)
        elif kind == "overlay":
            self._silent = self._silent or "notes of overlays (&)"
        elif self._silent:
            self.left_out[self._silent] += kind in ("note", "chord")
        elif kind != "passed":
            getattr(self, f"_{kind}")(token)

    def _unknown(self, sign: str) -> None:
        if sign in _CLOSING:
            raise ValueError(f"{sign} without {_CLOSING[sign]}; expected it on the same line")
        if sign in "^_=":
            raise ValueError(f"{sign} without a note; expected a letter A to G after it")
        self.left_out[f"the unknown sign {sign!a}"] += 1

    def _note(self, token: str) -> None:
        self._sound([self._written(token)])

    def _chord(self, token: str) -> None:
        inside, _, size = token[1:].partition("]")
        written, ties, at = [], [], 0
        while at < len(inside):
            found = _IN_CHORD.match(inside, at)
            if found is None:
                raise ValueError(f"{inside[at]!a} in a chord; expected notes")
            at = found.end()
            if found[1]:
                written.append(self._written(found[1]))
                ties += [written[-1]] * bool(found[2])
            if len(written) > MOST_IN_CHORD:
                raise ValueError(f"a chord of more than {MOST_IN_CHORD} notes; expected fewer")
        if not written:
            raise ValueError("a chord without notes; expected such as [CEG]")
        self._sound(written, length_of(size, self._whole))
        self._tied(ties)

    def _rest(self, token: str) -> None:
        if token[0] in "zx":
            self._add((), length_of(token[1:], self._whole))
            return
        bars = length_of(token[1:], Fraction(1, 16))
        if bars > MOST_BARS_REST:
            raise ValueError(f"{bars} bars of rest; expected {MOST_BARS_REST} at most")
        self._add((), bars * Fraction(*(self.facts.meter or USUAL_METER)) / self._whole)

    def _tie(self, _: str) -> None:
        last = self._last
        if last is not None and last.pitches:
            last.tied, self._staff.tied = frozenset(last.pitches), self._positions

    def _broken(self, token: str) -> None:
        if self._last is None or len(set(token)) > 1 or len(token) > 3:
            raise ValueError(f"{token[:20]}; expected > or <, up to three, between two notes")
        short = Fraction(1, 2 ** len(token))
        mine, other = (2 - short, short) if token[0] == ">" else (short, 2 - short)
        self._last.length *= mine
        self._next = other

    def _tuplet_begins(self, token: str) -> None:
        self._tuplet, self._in_tuplet = tuplet_of(token, self.facts.meter)

    def _bar(self, token: str) -> None:
        """End a measure and begin one; bar lines with nothing between them are one."""
        at = re.search(r" *\[?\d|$", token)
        lines, endings = (token[: at.start()], token[at.start() :]) if at else (token, "")
        self._staff.bar, self._next = {}, Fraction(1)
        if self._silent == "notes of other voices":
            return
        self._silent = ""
        left = len(lines) - len(lines.lstrip(":"))
        right = len(lines) - len(lines.rstrip(":"))
        if set(lines) == {":"}:
            left = right = len(lines) // 2
        if max(left, right) >= MOST_PASSES:
            raise ValueError(f"{max(left, right)} colons; expected fewer than {MOST_PASSES}")
        if self.measures[-1].events:
            self.measures.append(Measure())
        before = self.measures[-2] if len(self.measures) > 1 else Measure()
        before.end = max(before.end, left)
        before.stop = before.stop or lines.count("|") > 1 or "]" in lines or "[" in lines
        self.measures[-1].start = max(self.measures[-1].start, right)
        if endings:
            self._ending(endings)

    def _ending(self, token: str) -> None:
        """Begin an ending: [1, or [1,3 or [1-3."""
        numbers: set[int] = set()
        for part in token.lstrip("[ ").split(","):
            first, *last = (int(number) for number in part.split("-") if number)
            numbers.update(range(first, (last or [first])[-1] + 1))
        if not numbers or min(numbers) < 1 or max(numbers) > MOST_PASSES:
            raise ValueError(f"the ending {token[:20]}; expected numbers 1 to {MOST_PASSES}")
        if self.measures[-1].events:
            self.measures.append(Measure())
        self.measures[-1].endings |= numbers

    @property
    def _whole(self) -> Fraction:
        """The unit note length, in whole notes."""
        return self._unit or fields.usual_length(self.facts.meter)

    def _written(self, token: str) -> Written:
        written = self._staff.read(token, self._whole)
        self.left_out["quarter tones (semitones are played)"] += written.quarter
        return written

    def _sound(self, written: list[Written], longer: Fraction = Fraction(1)) -> None:
        """Add notes that begin together, all as long as the first."""
        pitches = tuple(dict.fromkeys(note.pitch for note in written))
        self._add(pitches, written[0].length * longer)
        self._positions = {note.position: note.shift for note in written}

    def _tied(self, notes: list[Written]) -> None:
        """Tie some notes of the last sound to what comes."""
        if self._last is not None and notes:
            self._last.tied = frozenset(note.pitch for note in notes)
            self._staff.tied = {note.position: note.shift for note in notes}

    def _add(self, pitches: tuple[int, ...], length: Fraction) -> None:
        """Add a sound of so many unit notes, changed by the tuplet and the > or < that it is in."""
        if self._in_tuplet:
            self._in_tuplet -= 1
            length *= self._tuplet
        self._sounds += max(len(pitches), 1)
        if self._sounds > MOST_NOTES:
            raise ValueError(f"more notes than {MOST_NOTES} in a tune; expected fewer")
        self._last = Sound(pitches, 4 * length * self._next * self._whole, self.facts)
        self._next, self._staff.tied, self._positions = Fraction(1), {}, {}
        measure = self.measures[-1]
        measure.line = measure.line or self.line
        measure.events.append(self._last)
