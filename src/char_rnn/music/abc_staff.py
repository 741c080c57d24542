"""What a note of ABC means: its pitch in the key and the bar, its length in unit notes.

Everything raises ValueError that says what was found and expected. Source: the ABC standard 2.1,
sections 4.1 to 4.4 and 4.13.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from char_rnn.music.abc_fields import ACCIDENTALS, FINEST, LONGEST
from char_rnn.music.bars import Meter
from char_rnn.music.spelling import NATURAL
from char_rnn.music.theory import HIGHEST

NOTE = r"(?:(?:\^\^|\^|__|_|=)(?:\d?/\d?)?)?[A-Ga-g][,']*"
SIZE = r"\d*/*\d*"
MOST_IN_TUPLET = 64

_PARTS = re.compile(rf"([_=^]*)(\d?/\d?)?([A-Ga-g])([,']*)({SIZE})")
_SIZE = re.compile(r"(\d{0,4})(?:(/{1,10})(\d{0,4}))?")
_DIGITS = 4
_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # so many in the time of; of others the meter says
_COMPOUND = {(6, 8), (9, 8), (12, 8)}

Position = tuple[str, int]
"""A letter and an octave, 0 from middle C up."""


class Written(NamedTuple):
    """A note as written. shift: semitones off its letter. quarter: it asked for a quarter tone."""

    pitch: int
    position: Position
    shift: int
    length: Fraction
    quarter: bool


class Staff:
    """What makes a pitch of a letter: the key's signature, the bar's accidentals, ties.

    An accidental holds to the end of the bar, for its letter in all octaves (the standard's
    section 11.3), and over a bar line for a note that is tied.
    """

    def __init__(self) -> None:
        self.signature: dict[str, int] = {}
        self.bar: dict[str, int] = {}
        self.tied: dict[Position, int] = {}

    def read(self, token: str, unit: Fraction) -> Written:
        """Return what a note says; its length in unit notes of `unit` whole ones."""
        parts = _PARTS.fullmatch(token)
        if parts is None:
            raise ValueError(f"the note {token[:20]!r}; expected such as ^c'2")
        accidental, quarter, letter, octaves, size = parts.groups()
        name = letter.upper()
        octave = (letter != name) + octaves.count("'") - octaves.count(",")
        if accidental:
            shift = self.bar[name] = ACCIDENTALS[accidental]
        else:
            usual = self.bar.get(name, self.signature.get(name, 0))
            shift = self.tied.get((name, octave), usual)
        pitch = 60 + NATURAL[name] + shift + 12 * octave
        if not 0 <= pitch <= HIGHEST:
            raise ValueError(f"the note {token[:20]!r}; expected MIDI's pitches 0 to {HIGHEST}")
        return Written(pitch, (name, octave), shift, length_of(size, unit), bool(quarter))


def length_of(token: str, unit: Fraction) -> Fraction:
    """Return what a length says, in unit notes: 2, 3/2, /, //, /4, or nothing for 1."""
    parts = _SIZE.fullmatch(token)
    if parts is not None:
        above, slashes, digits = parts[1], len(parts[2] or ""), parts[3]
        divisor = int(digits) * 2 ** (slashes - 1) if digits else 2**slashes
        length = Fraction(int(above or 1), divisor) if divisor else Fraction(0)
        if 0 < length * unit <= LONGEST and (length * unit).denominator <= FINEST:
            return length
    raise ValueError(f"the length {token[:20]}; expected 1/{FINEST} to {LONGEST} whole notes")


def tuplet_of(token: str, meter: Meter | None) -> tuple[Fraction, int]:
    """Return of "(p:q:r" by how much it changes lengths, q / p, and of how many notes, r."""
    parts = token[1:].split(":")
    if max(len(part) for part in parts) <= _DIGITS:
        p, q, r = (int(part or 0) for part in [*parts, "", ""][:3])
        q = q or _TUPLETS.get(p, 3 if meter in _COMPOUND else 2)
        r = r or p
        if 1 <= p <= MOST_IN_TUPLET and q <= MOST_IN_TUPLET and r <= MOST_IN_TUPLET:
            return Fraction(q, p), r
    raise ValueError(f"the tuplet {token[:20]}; expected numbers of 1 to {MOST_IN_TUPLET}")
