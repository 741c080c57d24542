"""What is asked of a piece that a model writes: how long, in which key, on which scale."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from char_rnn.errors import UsageError
from char_rnn.music.score import MODES
from char_rnn.music.spelling import C_MAJOR, Key, key_name, key_of_name
from char_rnn.music.theory import key_named, mode_named, pitch_classes

MOST_BARS = 512
"""New bars of a piece, also where none are asked for."""
SIGNATURE = {
    "harmonic minor": "minor", "major pentatonic": "major", "minor pentatonic": "minor",
    "blues": "minor", "chromatic": "major",
}  # fmt: skip
"""The mode whose signature a scale is written with, where it is no mode itself."""
EVERY = frozenset(range(12))
"""All pitch classes."""


class Tonality(NamedTuple):
    """What holds from a key on: how notes are spelt, the tonic if known, the pitch classes."""

    spelt: Key = C_MAJOR
    tonic: int | None = None
    classes: frozenset[int] = EVERY

    @property
    def triad(self) -> frozenset[int]:
        """The pitch classes of the tonic's chord: root, third and fifth, as the scale has them."""
        if self.tonic is None:
            return self.classes
        above = {(pitch - self.tonic) % 12 for pitch in self.classes}
        third = {4} if 4 in above else {3}
        return frozenset((self.tonic + step) % 12 for step in {0, 7, *third} & above)


FREE = Tonality()


@dataclass(frozen=True)
class Asked:
    """bars: new ones; None where the model ends. tonic, scale: None for any."""

    bars: int | None = None
    tonic: int | None = None
    scale: str | None = None

    @classmethod
    def of(cls, bars: int | None, key: str | Key | None, scale: str | None) -> "Asked":
        """Return what these words ask for; UsageError for what means nothing."""
        if bars is not None and not (type(bars) is int and 1 <= bars <= MOST_BARS):
            raise UsageError(f"bars is {bars!r}; it must be a whole number from 1 to {MOST_BARS}")
        tonic, mode = None, None if scale is None else mode_named(scale)
        if key is not None:
            tonic, said = key_named(key) if isinstance(key, str) else key
            if mode is not None and said not in ("major", mode):
                raise UsageError(f"the key {key!r} is {said}, the scale {mode}; leave one out")
            mode = mode or said
        return cls(bars, tonic, mode)

    def tonalities(self, writable: Callable[[str], bool]) -> dict[str, Tonality]:
        """Return what each key that may be written stands for; none where no key can be written.

        A key that a model has no letters for is written as the major key of the same signature.
        """
        if self.scale is None:
            names = (key_name((tonic, mode)) for mode in MODES for tonic in range(12))
            keys = {name: key_of_name(name) for name in names if writable(f"K:{name}")}
            return {name: Tonality(key, key[0]) for name, key in keys.items() if key is not None}
        found = {}
        for tonic in range(12) if self.tonic is None else [self.tonic]:
            key = tonic, self.mode
            said = [key_name(key), key_name(((tonic - MODES[self.mode]) % 12, "major"))]
            for name in [name for name in said if writable(f"K:{name}")][:1]:
                found[name] = self.tonality(tonic, key_of_name(name) or C_MAJOR)
        return found

    def tonality(self, tonic: int | None, spelt: Key = C_MAJOR) -> Tonality:
        """Return what is asked for, over a tonic."""
        if self.scale is None or tonic is None:
            return Tonality(spelt, tonic)
        return Tonality(spelt, tonic, pitch_classes((tonic, self.scale)))

    @property
    def mode(self) -> str:
        """The mode that a key is written with."""
        assert self.scale is not None
        return SIGNATURE.get(self.scale, self.scale)

    def meant(self, key: Key) -> Key:
        """Return the key that a written one stands for."""
        if self.scale is None:
            return key
        if self.tonic is not None:
            return self.tonic, self.mode
        tonic, said = key
        return (tonic if said == self.mode else (tonic + MODES[self.mode]) % 12), self.mode
