"""Keys and scales: names, what is in a key, which key it is, transposition.

A key is (tonic, mode): the tonic a pitch class, 0 (C) to 11 (B), the mode a name of `SCALES`. A
pitch class is a pitch modulo 12. Drums have no pitch: nothing here counts or moves them.
"""

import re
from dataclasses import replace

import numpy as np

from char_rnn.errors import UsageError, unknown_name
from char_rnn.music.score import Change, Note, Score
from char_rnn.music.spelling import NATURAL, Key

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "chromatic": tuple(range(12)),
}
"""Semitones above the tonic, by the name of the mode."""

ALIASES = {
    "": "major",
    "maj": "major",
    "ionian": "major",
    "ion": "major",
    "m": "minor",
    "min": "minor",
    "aeolian": "minor",
    "aeo": "minor",
    "natural minor": "minor",
    "dor": "dorian",
    "phr": "phrygian",
    "lyd": "lydian",
    "mix": "mixolydian",
    "loc": "locrian",
    "pentatonic": "major pentatonic",
}
"""Other names of modes; three letters are enough in ABC."""

HIGHEST = 127

_KEY = re.compile(r"\s*([A-Ga-g])([#♯b♭A-Za-z _-]{0,40})\s*")

# How well each semitone above the tonic fits: means of listeners' ratings.
# Source: Krumhansl and Kessler 1982, in Krumhansl, Cognitive Foundations of Musical Pitch (1990).
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
_ENDING = 0.2  # what ending on the tonic is worth, in correlation


def mode_named(name: str) -> str:
    """Return the name in `SCALES` of the mode that `name` means; UsageError for an unknown one."""
    plain = " ".join(name.replace("_", " ").replace("-", " ").lower().split())
    mode = ALIASES.get(plain, plain)
    if mode not in SCALES:
        raise unknown_name("scale", name, [*SCALES, *(alias for alias in ALIASES if alias)])
    return mode


def key_named(name: str) -> Key:
    """Return the key that `name` means: "D", "F# minor", "Bbm", "E dorian", "Amix".

    Raises UsageError where it names no tonic or an unknown mode.
    """
    found = _KEY.fullmatch(name)
    if not found:
        raise UsageError(f"{name!r} names no key; expected a letter A to G and a mode: 'F# minor'")
    letter, rest = found[1].upper(), found[2].strip()
    plain = rest.lower().replace("_", " ").strip(" -")
    if plain in SCALES or plain in ALIASES:  # so that "Dblues" is not in D flat
        return NATURAL[letter], mode_named(plain)
    shift = {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(rest[:1], 0)
    return (NATURAL[letter] + shift) % 12, mode_named(rest[1:] if shift else rest)


def pitch_classes(key: Key) -> frozenset[int]:
    """Return the pitch classes, 0 to 11, of a key's scale."""
    tonic, mode = key
    return frozenset((tonic + step) % 12 for step in SCALES[mode_named(mode)])


def pitched(score: Score) -> list[Note]:
    """Return the notes that have a pitch: those of all voices but drums, in their order."""
    return [note for note in score.notes if not score.voices[note.voice].drums]


def in_key(score: Score, key: Key | str | None = None) -> float:
    """Return the share of notes, 0 to 1, whose pitch is in the key; 1 where no note has a pitch.

    key: a key or its name; None takes those that the score says, each from where it stands, and
    where it says none, `key_of`.
    """
    notes = pitched(score)
    said = score.keys if key is None else ()
    changes = said or (Change(0, _given(score, key)),)
    scales = [pitch_classes(change.value) for change in changes]
    starts = np.array([change.start for change in changes])
    places = np.searchsorted(starts, [note.start for note in notes], "right") - 1
    held = [note.pitch % 12 in scales[max(at, 0)] for note, at in zip(notes, places, strict=True)]
    return sum(held) / len(held) if held else 1.0


def ends_on_tonic(score: Score, key: Key | str | None = None) -> bool:
    """Tell whether the last note is the tonic: of several that end last, the lowest.

    key: as for `in_key`, of which the last counts.
    """
    last = last_pitch(score)
    if key is None and score.keys:
        key = score.keys[-1].value
    return last is not None and last % 12 == _given(score, key)[0]


def last_pitch(score: Score) -> int | None:
    """Return the lowest of the pitches that end last, or None where there is no pitch."""
    ends = [(-note.end, note.pitch) for note in pitched(score)]
    return min(ends)[1] if ends else None


def key_of(score: Score) -> Key:
    """Return the major or minor key that the notes speak for, whatever the score says of its key.

    The key whose profile correlates best with how long each pitch class sounds, where ending on
    the tonic counts too, for tunes end there. C major without a pitch.
    Source: Krumhansl and Schmuckler, in Krumhansl 1990, chapter 4; the ending is ours.
    """
    sounding = np.zeros(12)
    for note in pitched(score):
        sounding[note.pitch % 12] += note.length
    last = last_pitch(score)
    if last is None:
        return 0, "major"
    best = {}
    for mode, profile in _PROFILES.items():
        for tonic in range(12):
            fit = _correlation(sounding, np.roll(profile, tonic))
            best[tonic, mode] = fit + _ENDING * (last % 12 == tonic)
    return max(best, key=lambda key: best[key])


def transpose(score: Score, semitones: int) -> Score:
    """Return the score higher by so many semitones; drums stay, keys move too.

    Raises UsageError, which says how far it can go, if a pitch would leave 0 to 127.
    """
    pitches = [note.pitch for note in pitched(score)]
    low, high = min(pitches, default=0), max(pitches, default=HIGHEST)
    if pitches and not 0 <= low + semitones <= high + semitones <= HIGHEST:
        raise UsageError(
            f"transposed by {semitones} semitones, the pitches {low} to {high} leave the range "
            f"0 to {HIGHEST}; choose {-low} to {HIGHEST - high}"
        )
    moved = [
        note if score.voices[note.voice].drums else replace(note, pitch=note.pitch + semitones)
        for note in score.notes
    ]
    keys = [
        replace(change, value=((change.value[0] + semitones) % 12, *change.value[1:]))
        for change in score.keys
    ]
    return replace(score, notes=tuple(moved), keys=tuple(keys))


def with_tonic(score: Score, tonic: int) -> Score:
    """Return the score moved the shorter way, so that its first key is on the pitch class `tonic`.

    The key is the one that the score says, or else `key_of`. Raises UsageError as `transpose` does.
    """
    key = score.keys[0].value if score.keys else key_of(score)
    return transpose(score, (tonic - key[0] + 5) % 12 - 5)


def _given(score: Score, key: Key | str | None) -> Key:
    """Return the key that was handed in, or named, or that the notes speak for."""
    if key is None:
        return key_of(score)
    return key_named(key) if isinstance(key, str) else key


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of two vectors; 0 where one of them is flat."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size else 0.0
