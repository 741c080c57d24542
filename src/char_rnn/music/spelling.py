"""How pitches and keys are spelled: the line of fifths … B♭ F C G D A E B F♯ …

A place on the line is a whole number, C being 0 and G 1. The seven notes of a key's signature stand
next to each other on it. What is outside of a key is spelled by the place nearest to the tonic, as
musicians do: from the lowered second to the raised fourth, so that A minor has G♯ and F major E♭.
"""

import re
from functools import lru_cache

from char_rnn.music.score import MODES

Key = tuple[int, str]
LETTERS = "FCGDAEB"  # along the line, from place -1
NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
C_MAJOR: Key = (0, "major")
SHORT = {
    "major": "", "minor": "m", "dorian": "dor", "phrygian": "phr", "lydian": "lyd",
    "mixolydian": "mix", "locrian": "loc",
}  # fmt: skip
"""Modes as ABC writes them after the tonic."""
MARKS = {-1: "_", 0: "=", 1: "^"}
KEY = re.compile(rf"([A-G])([b#]?)({'|'.join(filter(None, SHORT.values()))}|)")


def sharps(key: Key) -> int:
    """Return how many sharps its signature has, from -5 (five flats) to 6."""
    tonic, mode = key
    return _nearest((tonic - MODES[mode]) * 7)


def key_name(key: Key) -> str:
    """Return a key in short: D, Bb, F#m, Ddor."""
    letter, alteration = _name(_place(key))
    return letter + {-1: "b", 0: "", 1: "#"}[alteration] + SHORT[key[1]]


def key_of_name(name: str) -> Key | None:
    """Return the key with this short name; None if there is none."""
    match = KEY.fullmatch(name)
    if match is None:
        return None
    letter, mark, short = match.groups()
    tonic = NATURAL[letter] + {"b": -1, "": 0, "#": 1}[mark]
    return tonic % 12, next(mode for mode, known in SHORT.items() if known == short)


@lru_cache(64)
def signature(key: Key) -> dict[str, int]:
    """Return by how many semitones the signature raises each letter."""
    count = sharps(key)
    raised = dict.fromkeys(LETTERS[: max(count, 0)], 1)
    lowered = dict.fromkeys(LETTERS[len(LETTERS) + min(count, 0) :], -1)
    return dict.fromkeys(LETTERS, 0) | raised | lowered


@lru_cache(64)
def spellings(key: Key) -> list[tuple[str, str, int]]:
    """Return for each of the 12 pitch classes its mark, its letter and its alteration in a key.

    mark: nothing where the signature says it.
    """
    signed, centre = signature(key), _place(key) + 0.5
    found: dict[int, tuple[bool, float, tuple[str, str, int]]] = {}
    for place in range(-8, 13):  # Fb to B#
        letter, alteration = _name(place)
        plain = signed[letter] == alteration
        spelled = ("" if plain else MARKS[alteration], letter, alteration)
        candidate = (not plain, abs(place - centre), spelled)
        pitch_class = (NATURAL[letter] + alteration) % 12
        found[pitch_class] = min(found.get(pitch_class, candidate), candidate)
    return [found[pitch_class][2] for pitch_class in range(12)]


def spell(pitch: int, key: Key) -> str:
    """Return a pitch as ABC writes it: C is middle C, c an octave above, then c', below C,."""
    mark, letter, alteration = spellings(key)[pitch % 12]
    octave = (pitch - alteration) // 12 - 5
    if octave > 0:
        return mark + letter.lower() + "'" * (octave - 1)
    return mark + letter + "," * -octave


def sound(mark: str, letter: str, octaves: str, key: Key) -> int:
    """Return the pitch of what `spell` wrote, or anyone in its way; it may lie outside of MIDI."""
    upper = letter.upper()
    altered = signature(key)[upper] if not mark else {"_": -1, "=": 0, "^": 1}[mark]
    octave = 5 + letter.islower() + octaves.count("'") - octaves.count(",")
    return 12 * octave + NATURAL[upper] + altered


def _place(key: Key) -> int:
    """Return the tonic's place: that of the major key, moved on as the mode says."""
    return sharps(key) + _nearest(MODES[key[1]] * 7)


def _nearest(place: int) -> int:
    return (place + 5) % 12 - 5


def _name(place: int) -> tuple[str, int]:
    return LETTERS[(place + 1) % 7], (place + 1) // 7
