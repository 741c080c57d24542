"""Does a text end in a loop: the same passage over and over, as at too low a temperature?

A passage counts as a loop when it stands there `REPETITIONS` times in a row or more, and covers

- `LINE` characters, if it has neither a letter nor a digit: lines of dashes, indentation and the
  borders of tables are no loops;
- `LETTER` characters, if it is a single letter or digit;
- `PASSAGE` characters otherwise.

Tried on 1.1 million characters of Shakespeare, 3.8 million of Python source, 0.5 million of
Python's manual and 340 folk tunes, with one character a note and with five: no alarm. In the texts
the longest row of one sign has 80 characters, the longest of one letter 21, and no longer passage
that stands there three times in a row covers more than 73. In the tunes some stand there four times
and a third: four are not enough.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Array = np.ndarray

REPETITIONS = 5
PASSAGE, LETTER, LINE = 60, 30, 100
SHOWN = 60  # characters of a repeated passage that a message shows
ANCHOR = LETTER - 1  # every loop repeats at least so many characters one period later


class Loop(NamedTuple):
    """A loop at the end of a text.

    period: characters (or ids) of the passage that repeats.
    repetitions: how often it stands there, with a fraction for a part of it.
    start: where the first of them begins, counted from the beginning of what was given.
    passage: what repeats, as it stands there first; a tuple if ids were given.
    """

    period: int
    repetitions: float
    start: int
    passage: str | tuple[int, ...]


def find_loop(text: str | Sequence[int] | Array) -> Loop | None:
    """Return the loop that `text` ends in, the one with the smallest period, or None.

    text: characters, or ids, of which nobody knows which are letters: their passages need `LINE`.
    Cheap where there is no loop (one search for the last characters), so it can be called again
    and again while a text is being made; the last 2,000 characters are enough for that.
    """
    string = text if isinstance(text, str) else "".join(chr(idx) for idx in text)
    N = len(string)
    if N < LETTER:
        return None
    end = string[-ANCHOR:]
    farthest = max(0, N - ANCHOR - N // REPETITIONS)
    at = string.rfind(end, farthest, N - 1)
    while at >= 0:
        period = N - ANCHOR - at
        start = at
        while start > 0 and string[start - 1] == string[start - 1 + period]:
            start -= 1
        passage = string[start : start + period]
        if is_loop(passage if isinstance(text, str) else None, period, N - start):
            shown = passage if isinstance(text, str) else tuple(map(ord, passage))
            return Loop(period, (N - start) / period, start, shown)
        at = string.rfind(end, farthest, at + ANCHOR - 1)
    return None


def is_loop(passage: str | None, period: int, covered: int) -> bool:
    """Tell whether `covered` characters that repeat with `period` are a loop.

    passage: what repeats; None where it is not known which characters it has.
    """
    if covered < REPETITIONS * period:
        return False
    if passage is None or not any(map(str.isalnum, passage)):
        return covered >= LINE
    return covered >= (LETTER if period == 1 else PASSAGE)


def loop_advice(loop: Loop, temperature: float | str) -> str:
    """Return one line: that the text has fallen into `loop`, since when, and what helps."""
    if isinstance(loop.passage, str):
        what = repr(_shorten(_from_a_beginning(loop.passage)))
    else:
        what = f"a passage of {loop.period} symbols"
    warmer = (
        f"a higher temperature than {temperature} (--temperature), with nucleus sampling against "
        "slips (--top_p 0.95), "
    )
    if not isinstance(temperature, str) and temperature >= 1:
        warmer = ""
    return (
        f"the text has fallen into a loop: {what} stands there {int(loop.repetitions)} times in a "
        f"row since character {loop.start:,}; what helps: {warmer}a repetition penalty "
        "(--repetition_penalty 1.2), or training longer"
    )


def _from_a_beginning(passage: str) -> str:
    """Turn a passage that repeats so that it begins with a line, or else with a word."""
    for gap in ("\n", " "):
        head, found, tail = passage.rpartition(gap)
        if found:
            return tail + head + gap
    return passage


def _shorten(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
