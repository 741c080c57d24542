"""How instruments sound and what they are called: the sixteen families of General MIDI, and drums.

A tone is a sum of harmonics under an envelope; the figures are chosen by ear and by spectrum, and
mean to be told apart rather than to be mistaken for the real thing. Families and the numbers of
drums: General MIDI 1 (MIDI Manufacturers Association, 1991).
"""

from dataclasses import dataclass

from char_rnn.music.score import Voice


@dataclass(frozen=True)
class Sound:
    """What a family of instruments sounds like.

    harmonics: the strength of the multiples 1, 2, 3, … of the pitch's frequency.
    attack, release: seconds until the tone is there, and until it is gone once the key is let go.
    decay: seconds in which it falls by a factor e towards `sustain`, a share of its strength.
    fading: how much faster each further harmonic fades: of harmonic k exp(−fading · (k − 1) · t).
    """

    name: str
    harmonics: tuple[float, ...]
    attack: float
    decay: float
    sustain: float
    release: float
    fading: float = 0.0


FAMILIES = (
    Sound("piano", (1, 0.55, 0.35, 0.25, 0.15, 0.12, 0.08, 0.05), 0.004, 0.9, 0.0, 0.12, 1.5),
    Sound("bells", (1, 0.1, 0.05, 0.35, 0.02, 0.02, 0.02, 0.12), 0.003, 0.5, 0.0, 0.3, 2.0),
    Sound("organ", (1, 0.8, 0.5, 0.5, 0.1, 0.3, 0.05, 0.25), 0.015, 1.0, 1.0, 0.06),
    Sound("guitar", (1, 0.7, 0.45, 0.35, 0.25, 0.1, 0.12, 0.06), 0.003, 0.6, 0.0, 0.08, 2.0),
    Sound("bass", (1, 0.6, 0.3, 0.15, 0.08, 0.04), 0.006, 0.8, 0.15, 0.08, 3.0),
    Sound("strings", (1, 0.6, 0.45, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05), 0.06, 0.5, 0.85, 0.15),
    Sound("choir", (1, 0.5, 0.3, 0.1, 0.06, 0.03), 0.09, 0.5, 0.9, 0.2),
    Sound("brass", (1, 0.85, 0.75, 0.55, 0.4, 0.25, 0.15, 0.1, 0.06), 0.035, 0.3, 0.8, 0.1),
    Sound("reed", (1, 0.2, 0.7, 0.15, 0.4, 0.1, 0.2, 0.06, 0.1), 0.03, 0.3, 0.85, 0.08),
    Sound("flute", (1, 0.22, 0.1, 0.03), 0.05, 0.3, 0.9, 0.1),
    Sound("lead", (1, 0, 0.33, 0, 0.2, 0, 0.14, 0, 0.11), 0.008, 0.4, 0.7, 0.06),
    Sound("pad", (1, 0.4, 0.3, 0.2, 0.1, 0.05), 0.15, 0.8, 0.85, 0.4),
    Sound("effect", (1, 0.1, 0.4, 0.05, 0.2), 0.05, 1.0, 0.5, 0.3),
    Sound("plucked", (1, 0.8, 0.6, 0.4, 0.35, 0.2, 0.15, 0.1), 0.002, 0.35, 0.0, 0.08, 2.5),
    Sound("percussion", (1, 0.25, 0.1, 0.3), 0.002, 0.15, 0.0, 0.1, 4.0),
    Sound("noises", (1, 0.3, 0.2), 0.02, 0.6, 0.3, 0.2),
)
"""The family of a programme is `program // 8`."""

DRUMS = ("cymbal", "hat", "tom", "snare", "kick", "other")
"""The kinds of drums, from the highest to the lowest as a drummer's staff has them."""

_KINDS = {
    "kick": {35, 36},
    "snare": {37, 38, 39, 40},
    "hat": {42, 44, 46},
    "tom": {41, 43, 45, 47, 48, 50},
    "cymbal": {49, 51, 52, 53, 55, 57, 59},
}


def sound_of(voice: Voice) -> Sound:
    """Return how a voice sounds that has pitches."""
    return FAMILIES[voice.program // 8 % len(FAMILIES)]


def drum_kind(pitch: int) -> str:
    """Return which of `DRUMS` the number of a drum is."""
    return next((kind for kind, numbers in _KINDS.items() if pitch in numbers), "other")


def label(voice: Voice) -> str:
    """Return what a voice is called: its name, or its instrument's."""
    name = " ".join(voice.name.split())
    if not name:
        name = "drums" if voice.drums else sound_of(voice).name
    return name if len(name) <= 24 else name[:23] + "…"
