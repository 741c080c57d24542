"""What a unit might follow: features of the characters of a text.

Each is a function of the text so far, the character with it: a network that has just read the
character could know it. None looks ahead.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray

OPENING, CLOSING = "([{", ")]}"
QUOTES = {'"': '"', "\u201c": "\u201d"}
APOSTROPHES = "'\u2019"
NAME = re.compile(r"[A-Z][\w'.-]*( [A-Z][\w'.-]*)* ?")  # each word with a capital, and
LONGEST_NAME = 40  # characters at most
CODE = re.compile(
    r"(?P<comment>#[^\n]*)"
    r"|(?<!\w)[rbfu]{0,2}(?P<string>(?P<mark>(?P<three>'{3}|\"{3})|['\"])"
    r"(?:\\.|(?!(?P=mark))(?(three)[^\\]|[^\\\n]))*"  # lines only within three marks
    r"(?:(?P<closed>(?P=mark)|\n)|\\?\Z))",
    re.S | re.I,
)
LATE = 30  # characters of a line
ENOUGH = 50  # characters with it and as many without it, in
STRETCHES = 8  # stretches


@dataclass(frozen=True)
class Feature:
    """One thing that is so or not at a character, or a number that it has.

    name: a few words, for tables and axes. says: what it is, in a sentence.
    of: yields the value at each character of a text. numeric: whether that is a number; else it
    is true or false.
    """

    name: str
    says: str
    of: Callable[[str], Iterable[float]]
    numeric: bool = False

    def values(self, text: str) -> Array:
        """Return the value at each character of `text`, (N,) float64, 0 and 1 where not numeric."""
        return np.fromiter(self.of(text), np.float64, len(text))

    def occurs(self, values: Array) -> bool:
        """Tell whether `values` (N,) differ often enough for a search to mean anything."""
        there, most = values > 0, len(values) - ENOUGH
        if self.numeric:  # what is not its commonest value
            kinds, counts = np.unique(values, return_counts=True)
            there, most = values != kinds[counts.argmax()], len(values)
        changes = np.count_nonzero(there[1:] != there[:-1])
        return bool(ENOUGH <= np.count_nonzero(there) <= most and changes >= 2 * STRETCHES)


# ---- the word and the sentence


def _place_in_word(text: str) -> Iterator[int]:
    place = 0
    for c in text:
        place = place + 1 if c.isalnum() or (place and c in APOSTROPHES) else 0
        yield place


def _capitalised(text: str) -> Iterator[bool]:
    capital = False
    for c, place in zip(text, _place_in_word(text), strict=True):
        capital = c.isupper() if place == 1 else capital and place > 0
        yield capital


def _since_sentence(text: str) -> Iterator[int]:
    since = 0
    for c in text:
        since = 0 if c in ".!?" else since + (since > 0 or c.isalnum())
        yield since


# ---- the line


def _place_in_line(text: str) -> Iterator[int]:
    place = 0
    for c in text:
        place = 0 if c == "\n" else place + 1
        yield place


def _lines_since_empty(text: str) -> Iterator[int]:
    lines, before = 0, "\n"
    for c in text:
        if c == "\n":
            lines = 0 if before == "\n" else lines + 1
        before = c
        yield lines


def _indentation(text: str) -> Iterator[int]:
    width, begun = 0, False
    for c in text:
        if c == "\n":
            width, begun = 0, False
        elif c in " \t" and not begun:
            width += 4 if c == "\t" else 1
        else:
            begun = True
        yield width


# ---- a play: a speaker's name stands after an empty line and ends with a colon


def _play(text: str) -> Iterator[str]:
    """Yield "name" within what looks like one, "after" from there to the end of the next words."""
    where, line, before = "start", "", ""
    for c in text:
        if c == before == "\n":
            where, line = "start", ""
        elif where in ("start", "name"):
            line += c
            ended = where == "name" and c == ":"
            named = len(line) <= LONGEST_NAME and NAME.fullmatch(line)
            where = "after" if ended else "name" if named else ""
        elif where == "after" and c == "\n" and before != ":":
            where = ""
        before = c
        yield where


# ---- what is open; an empty line closes all


def _depth(text: str) -> Iterator[int]:
    depth, before = 0, ""
    for c in text:
        if c in OPENING:
            depth += 1
        elif c in CLOSING:
            depth = max(depth - 1, 0)
        elif c == before == "\n":
            depth = 0
        before = c
        yield depth


def _in_quotes(text: str) -> Iterator[bool]:
    closing, before = "", ""
    for c in text:
        if closing:
            closing = "" if c == closing or c == before == "\n" else closing
        else:
            closing = QUOTES.get(c, "")
        before = c
        yield closing != ""


# ---- code such as Python's


def _in_comment(text: str) -> Array:
    return _code(text, "comment")


def _in_string(text: str) -> Array:
    return _code(text, "string")


def _code(text: str, kind: str) -> Array:
    inside = np.zeros(len(text), bool)
    for found in CODE.finditer(text):
        start, end = found.span(kind)
        inside[max(start, 0) : max(end, 0)] = True
        if kind == "string" and start >= 0:
            # Two of three marks look like a string of nothing, until the third has come.
            inside[start + 1 : start + 2] &= found["three"] is None
            inside[end - 1] &= found["closed"] is None
    return inside


def _is(function: Callable[[str], Iterable[Any]], value: object) -> Callable[[str], Iterable[bool]]:
    """Return what yields whether `function` yields `value`."""
    return lambda text: (found == value for found in function(text))


def _some(
    function: Callable[[str], Iterable[int]], least: int = 1
) -> Callable[[str], Iterable[bool]]:
    """Return what yields whether `function` yields `least` or more."""
    return lambda text: (found >= least for found in function(text))


FEATURES = [
    Feature("upper case", "a capital", lambda text: map(str.isupper, text)),
    Feature("vowel", "a, e, i, o or u", lambda text: (c in "aeiouAEIOU" for c in text)),
    Feature("in a word", "a letter or digit, or an apostrophe after one", _some(_place_in_word)),
    Feature("first letter", "the first letter or digit of a word", _is(_place_in_word, 1)),
    Feature("proper noun", "within a word that begins with a capital", _capitalised),
    Feature("place in word", "characters of the word so far", _place_in_word, numeric=True),
    Feature("sentence begins", "no letter yet since . ! or ?", _is(_since_sentence, 0)),
    Feature("since sentence", "characters since the sentence began", _since_sentence, numeric=True),
    Feature("place in line", "characters since the line began", _place_in_line, numeric=True),
    Feature("late in line", f"{LATE} characters of the line, or more", _some(_place_in_line, LATE)),
    Feature("since empty line", "lines since an empty one", _lines_since_empty, numeric=True),
    Feature("indentation", "blanks that the line begins with", _indentation, numeric=True),
    Feature("speaker's name", "within the name of who speaks, in a play", _is(_play, "name")),
    Feature(
        "first of speech", "from such a name to the end of the line after", _is(_play, "after")
    ),
    Feature("in quotes", "within quotation marks", _in_quotes),
    Feature("in brackets", "within brackets", _some(_depth)),
    Feature("bracket depth", "how many brackets are open", _depth, numeric=True),
    Feature("in a string", "within a string, if it is code", _in_string),
    Feature("in a comment", "within a comment, if it is code", _in_comment),
]
