"""The first line of a score's text."""

import re
from dataclasses import dataclass, field
from typing import Any

from char_rnn.music.mending import Faults
from char_rnn.music.notation import value_of, voices_of
from char_rnn.music.score import USUAL_STEPS, Change, Voice

FIRST_LINE = re.compile(r"\s*([A-Z]:[^\n]*)")
WORD = re.compile(r"\S+")
FIELD = re.compile(r'([A-Z]):((?:"(?:[^"\\\n]|\\.)*"|[^\s"])+)')


@dataclass
class Header:
    """What it says; end: the place in the text behind it. changes: of M, K and Q."""

    end: int = 0
    grid: int = USUAL_STEPS
    voices: tuple[Voice, ...] = (Voice(),)
    changes: dict[str, list[Change]] = field(default_factory=lambda: {"M": [], "K": [], "Q": []})


def read_header(text: str, fault: Faults) -> Header:
    """Read the first line, if it is a header."""
    header = Header()
    line = FIRST_LINE.match(text)
    if line is None:
        return header
    seen: set[str] = set()
    place, header.end = line.start(1), line.end()
    while word := WORD.search(text, place, header.end):
        match = FIELD.match(text, word.start(), header.end)
        if match is None or match[1] in seen or not _set(header, match[1], match[2]):
            detail = f": {word[0][:40]!r}"
            fault(word.start(), "no field that a first line may have", detail)
            place = word.end()
        else:
            seen.add(match[1])
            place = match.end()
    return header


def _set(header: Header, name: str, said: str) -> bool:
    """Take what a field says; return whether it says anything that can be."""
    value: Any = voices_of(said) if name == "I" else value_of(name, said)
    if value is None:
        return False
    if name == "I":
        header.voices = value
    elif name == "G":
        header.grid = value
    else:
        header.changes[name] = [Change(0, value)]
    return True
