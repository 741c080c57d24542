"""What writing and reading a score's text share: its fields, its lengths, its dynamics."""

import json
import re
from fractions import Fraction
from functools import cache
from typing import Any

from char_rnn.errors import DataError
from char_rnn.music.bars import Meter
from char_rnn.music.score import MOST_VOICES, Score, Voice, is_meter, is_tempo
from char_rnn.music.spelling import Key, key_name, key_of_name

UNIT = 2
"""Units of length in a quarter note: one is an eighth."""
DYNAMICS = {"ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 127}
"""The velocity that each stands for, as notation programs play them; the nearest is written."""
USUAL_DYNAMIC = "mf"
USUAL_VOICE = "I:0"
BARS_A_LINE = 4
MOST_GRID = 0x7FFF
"""Steps in a quarter note, as many as a MIDI file can hold."""
WHOLE = re.compile(r"\d{1,5}")
METER = re.compile(r"\d{1,3}/\d{1,3}")
NUMBER = re.compile(r"\d{1,12}(\.\d{1,20})?(e[+-]?\d{1,3})?")
VOICE = re.compile(r'(d?)(\d{1,3})("(?:[^"\\\n]|\\.)*")?(,?)')


@cache
def dynamic(velocity: int) -> str:
    """Return the mark of a velocity."""
    return min(DYNAMICS, key=lambda mark: abs(DYNAMICS[mark] - velocity))


def length(steps: int, grid: int) -> str:
    """Return a length as it follows a note: nothing for an eighth, 3 for three, / for a half."""
    units = Fraction(UNIT * steps, grid)
    over = "" if units.numerator == 1 else str(units.numerator)
    under = "" if units.denominator == 2 else str(units.denominator)
    return over if units.denominator == 1 else f"{over}/{under}"


def units(steps: int, grid: int) -> str:
    """Return steps as a number of units, such as 3/2."""
    return str(Fraction(UNIT * steps, grid))


def eighths(steps: int, grid: int) -> str:
    """Return steps as they are said."""
    found = units(steps, grid)
    return f"{found} eighth{'' if found == '1' else 's'}"


def field(name: str, value: float | Meter | Key) -> str:
    """Return a tempo (Q), a meter (M) or a key (K) as a field."""
    match name, value:
        case "M", (int(over), int(under)):
            said = f"{over}/{under}"
        case "K", (int(tonic), str(mode)):
            said = key_name((tonic, mode))
        case _:
            said = repr(value).removesuffix(".0")
    return f"{name}:{said}"


def value_of(name: str, said: str) -> Any:
    """Return what a field M, K, Q or G says; None if it says nothing that can be."""
    match name:
        case "M":
            numbers = tuple(map(int, said.split("/"))) if METER.fullmatch(said) else (0, 0)
            return numbers if is_meter(numbers) else None
        case "K":
            return key_of_name(said)
        case "Q":
            tempo = float(said) if NUMBER.fullmatch(said) else 0.0
            return tempo if is_tempo(tempo) else None
        case "G":
            grid = int(said) if WHOLE.fullmatch(said) else 0
            return grid if 1 <= grid <= MOST_GRID else None
    return None


def voice_field(voices: tuple[Voice, ...], names: bool) -> str:
    """Return the instruments (I): each its program, d before that of drums, its name behind."""
    said = []
    for voice in voices:
        name = ""
        if names and voice.name:
            name = json.dumps(voice.name, ensure_ascii=not voice.name.isprintable())
        said.append(f"{'d' * voice.drums}{voice.program}{name}")
    return f"I:{','.join(said)}"


def voices_of(said: str) -> tuple[Voice, ...] | None:
    """Return the voices that a field I names; None if it cannot be read."""
    found: list[Voice] = []
    place = 0
    while len(found) < MOST_VOICES and (match := VOICE.match(said, place)):
        drums, program, name, comma = match.groups()
        try:
            found.append(Voice(int(program), bool(drums), json.loads(name or '""')))
        except ValueError:  # a program above 127, or a name with an escape that there is not
            return None
        place = match.end()
        if not comma:
            break
    return tuple(found) if place == len(said) and found and not said.endswith(",") else None


def changes(score: Score) -> list[tuple[int, str]]:
    """Return all changes of a score, in time, each with its field."""
    kinds = {"M": score.meters, "K": score.keys, "Q": score.tempos}
    found = [(c.start, field(name, c.value)) for name, all_ in kinds.items() for c in all_]
    return sorted(found, key=lambda change: change[0])


def pieces(text: str) -> list[str]:
    """Return the pieces of a text in which blank lines stand between them.

    Raises DataError if there is none.
    """
    found = [piece for piece in re.split(r"\n(?:[ \t\r]*\n)+", text.strip("\r\n")) if piece.strip()]
    if not found:
        raise DataError("there is no piece in the text: it is empty")
    return found
