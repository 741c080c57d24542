"""A piece of music: notes on a grid, and what is known about time, key and instruments."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from char_rnn.errors import UsageError

MOST_NOTES = 200_000
MOST_STEPS = 2_000_000
MOST_BARS = 100_000
MOST_VOICES = 2_000
"""What a piece from outside may hold, so that none fills the memory. An hour of music is less."""
USUAL_STEPS = 12
USUAL_TEMPO = 120.0
USUAL_METER = (4, 4)
IN_ORDER = attrgetter("start", "voice", "pitch", "length", "velocity")
"""The order of notes, found faster than by comparing them."""
MODES = {
    "major": 0, "minor": 9, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7,
    "locrian": 11,
}  # fmt: skip
"""How many semitones the tonic of a mode lies above that of the major key with its signature."""


@dataclass(frozen=True, order=True)
class Note:
    """start, length: in steps of the grid, length >= 1. pitch: 0..127 (60 is middle C; of drums,
    the instrument). voice: index into Score.voices. velocity: 1..127.
    """

    start: int
    voice: int
    pitch: int
    length: int
    velocity: int = 80

    def __post_init__(self) -> None:
        if self.start < 0 or self.voice < 0 or self.length < 1:
            raise UsageError(f"{self}: start and voice must be 0 or more, length 1 or more")
        if not (0 <= self.pitch <= 127 and 1 <= self.velocity <= 127):
            raise UsageError(f"{self}: pitch must be from 0 to 127, velocity from 1 to 127")

    @property
    def end(self) -> int:
        """The step at which it is over."""
        return self.start + self.length


@dataclass(frozen=True)
class Voice:
    """One part: a channel's instrument.

    program: 0..127 (General MIDI). drums: on channel 10. name: as the track says.
    """

    program: int = 0
    drums: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.program <= 127:
            raise UsageError(f"{self}: program must be from 0 to 127")


@dataclass(frozen=True)
class Change:
    """What changes at a step, and into what.

    value: the tempo in beats (quarters) a minute, or (numerator, denominator) of the meter, or
    (tonic 0..11, mode) of the key, where mode is one of `MODES`.
    """

    start: int
    value: Any


@dataclass(frozen=True)
class Score:
    """A whole piece.

    notes: sorted (given in any order). steps: of the grid in a quarter note (12 holds sixteenths
    and triplets of eighths). tempos: () means 120. meters: () means 4/4. length: steps until the
    end (the end of the last bar where bars are known); never less than the end of the last note.
    Changes at the end or later change nothing and are left out.
    Raises UsageError for what is no music: a note of no voice, changes out of order, a meter of
    no beats.
    """

    notes: tuple[Note, ...]
    voices: tuple[Voice, ...] = (Voice(),)
    steps: int = USUAL_STEPS
    tempos: tuple[Change, ...] = ()
    meters: tuple[Change, ...] = ()
    keys: tuple[Change, ...] = ()
    length: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(sorted(self.notes, key=IN_ORDER)))
        end = max((note.end for note in self.notes), default=0)
        object.__setattr__(self, "length", max(self.length, end))
        if self.steps < 1:
            raise UsageError(f"steps must be 1 or more, not {self.steps}")
        if self.notes and max(note.voice for note in self.notes) >= len(self.voices):
            raise UsageError(f"a note's voice must be below {len(self.voices)}, the voices there")
        for name, valid in (("tempos", is_tempo), ("meters", is_meter), ("keys", is_key)):
            changes = getattr(self, name)
            starts = [change.start for change in changes]
            if starts != sorted({*starts}) or min(starts, default=0) < 0:
                raise UsageError(f"{name} must start at 0 or later, each after the last: {starts}")
            for change in changes:
                if not valid(change.value):
                    raise UsageError(f"{name}: {change.value!r} is none")
            heard = tuple(c for c in changes if c.start < max(self.length, 1))
            object.__setattr__(self, name, heard)


def is_tempo(value: Any) -> bool:
    """Return whether this is a number of beats a minute."""
    return isinstance(value, int | float) and 0 < value < float("inf")


def is_meter(value: Any) -> bool:
    """Return whether this is a meter that MIDI knows too: over any power of two up to 128."""
    numerator, denominator = value
    return 1 <= numerator <= 255 and denominator in {2**power for power in range(8)}


def is_key(value: Any) -> bool:
    """Return whether this is a tonic and a mode."""
    tonic, mode = value
    return 0 <= tonic <= 11 and mode in MODES
