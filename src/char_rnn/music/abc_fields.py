"""What the fields of ABC say: K (key), M (meter), L (unit note length) and Q (tempo).

Each takes what stands after the colon. Raises ValueError that says what was found and expected; who
knows the line adds it. Source: the ABC standard 2.1, section 3.1.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from char_rnn.music.bars import Meter
from char_rnn.music.score import MODES
from char_rnn.music.spelling import NATURAL, Key
from char_rnn.music.theory import ALIASES

ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
FASTEST = 10_000  # quarters a minute
LONGEST = 64  # whole notes, of one note
FINEST = 1024  # notes in a whole note

_SHARPS = "FCGDAEB"  # in the order in which they come into a signature
_KEY = re.compile(r"([A-G])([#b]?)(?:\s*([A-Za-z]+)(?![=A-Za-z]))?")
_CLEFS = ("clef", "treble", "bass", "alto", "tenor", "perc")
_PIPES = {"HP", "Hp"}
_SHIFTS = re.compile(r"\b(?:octave|transpose|score|sound|shift)\s*=")
_SIGNED = re.compile(r"(\^\^|__|\^|_|=)([A-Ga-g])(?![A-Za-z])")
_METER = re.compile(r"\(?(\d{1,3}(?:\s*\+\s*\d{1,3}){0,20})\)?\s*/\s*(\d{1,3})")
_LENGTH = re.compile(r"(\d{1,3})(?:\s*/\s*(\d{1,4}))?")
_BEATS = re.compile(r"((?:\d{1,3}/\d{1,4}\s*){1,8}|C\d{0,2}\s*)=\s*(\d{1,5}(?:\.\d{1,5})?)")
_UNITS = re.compile(r"\d{1,5}(?:\.\d{1,5})?")


class KeyField(NamedTuple):
    """A key as it is written.

    key: None for K:none. signature: by letter, semitones up or down. shifted: it asks for another
    octave or another pitch, which nothing here plays.
    """

    key: Key | None
    signature: dict[str, int]
    shifted: bool = False


def key_field(value: str) -> KeyField:
    """Read "D", "F#m", "E dorian", "A mix ^g", "D exp ^f", "HP", "none"; a clef is passed over."""
    shifted = bool(_SHIFTS.search(value))
    if not value or value.lower().startswith(("none", *_CLEFS)):
        return KeyField(None, {}, shifted)
    if value[:2] in _PIPES:
        return KeyField((9, "mixolydian"), _signature("A", 0, "mixolydian"), shifted)
    found = _KEY.match(value)
    if not found:
        raise ValueError(f"key {value[:40]!r}; expected a letter A to G, # or b, and a mode")
    letter, sign, word = found.groups()
    if (word or "").lower() in _CLEFS:
        word = None
    explicit = (word or "").lower() == "exp"
    mode = "major" if explicit else _mode(word or "")
    if mode is None:
        raise ValueError(f"mode {word[:40]!r}; expected {', '.join(MODES)}, exp or none")
    shift = {"": 0, "#": 1, "b": -1}[sign]
    signature = {} if explicit else _signature(letter, shift, mode)
    for accidental, changed in _SIGNED.findall(value[found.end() :]):
        signature[changed.upper()] = ACCIDENTALS[accidental]
    return KeyField(((NATURAL[letter] + shift) % 12, mode), signature, shifted)


def meter_field(value: str) -> Meter | None:
    """Read "6/8", "C", "C|", "(2+3)/8", or "none" as None."""
    named = {"C": (4, 4), "C|": (2, 2), "none": None, "": None}
    if value in named:
        return named[value]
    found = _METER.fullmatch(value)
    if found:
        beats, unit = sum(int(part) for part in found[1].split("+")), int(found[2])
        if 1 <= beats <= 255 and unit in {1, 2, 4, 8, 16, 32, 64, 128}:
            return beats, unit
    raise ValueError(f"meter {value[:40]!r}; expected such as 6/8, C, C| or none")


def length_field(value: str) -> Fraction:
    """Read "1/8", in whole notes."""
    found = _LENGTH.fullmatch(value)
    if found and int(found[1]) and int(found[2] or 1):
        length = Fraction(int(found[1]), int(found[2] or 1))
        if length <= LONGEST and length.denominator <= FINEST:
            return length
    raise ValueError(f"unit note length {value[:40]!r}; expected such as 1/8")


def usual_length(meter: Meter | None) -> Fraction:
    """Return the unit note length where no L: says it."""
    short = meter is not None and Fraction(*meter) < Fraction(3, 4)
    return Fraction(1, 16 if short else 8)


def tempo_field(value: str, unit: Fraction) -> float | None:
    """Read "1/4=120", "3/8=60", "Allegro" as None, and the old "120", units a minute.

    unit: the unit note length. Returns quarters a minute.
    """
    plain = re.sub(r'"[^"]*"', "", value).strip()
    if not any(character.isdigit() for character in plain):
        return None
    found = _BEATS.fullmatch(plain)
    if found and found[1].startswith("C"):
        beat = unit * int(found[1].strip()[1:] or 1)
    elif found:
        parts = [part.split("/") for part in found[1].split()]
        if any(int(part[1]) == 0 for part in parts):
            raise ValueError(f"tempo {value[:40]!r}; expected such as 1/4=120")
        beat = sum((Fraction(int(a), int(b)) for a, b in parts), Fraction(0))
    elif _UNITS.fullmatch(plain):
        beat = unit
    else:
        raise ValueError(f"tempo {value[:40]!r}; expected such as 1/4=120")
    tempo = 4 * float(beat) * float(found[2] if found else plain)
    if not 1 <= tempo <= FASTEST:
        raise ValueError(f"tempo {value[:40]!r}; expected 1 to {FASTEST} quarters a minute")
    return tempo


def _mode(word: str) -> str | None:
    """Return the mode that a word means, of which three letters count; None for none."""
    plain = word.lower()
    mode = ALIASES.get(plain if plain in ("", "m") else plain[:3])
    return mode if mode in MODES else None


def _signature(letter: str, shift: int, mode: str) -> dict[str, int]:
    """Return the sharps and flats of a key."""
    sharps = _SHARPS.index(letter) - 1 + 7 * shift - _fewer(mode)
    if abs(sharps) > len(_SHARPS):
        raise ValueError(f"key with {abs(sharps)} accidentals; expected 7 at most")
    if sharps >= 0:
        return dict.fromkeys(_SHARPS[:sharps], 1)
    return dict.fromkeys(_SHARPS[sharps:], -1)


def _fewer(mode: str) -> int:
    """Return how many sharps fewer a mode has than the major key on its tonic; lydian has one more.

    Its major key lies MODES[mode] semitones below, and 7 semitones are one sharp.
    """
    return (7 * MODES[mode] + 1) % 12 - 1
