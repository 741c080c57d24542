"""Whether a text is a list: lines that have nothing to do with one another."""

import re
from collections.abc import Iterable
from itertools import pairwise

FEWEST = 50  # lines below which nothing is said
SHORT, USUAL = 60, 30  # characters that nearly all lines of a list have at most, and most of them
NEARLY_ALL = 0.98
SPOKEN = re.compile(r"\w: ")
"""Somebody says something: a chat, in which a line answers another."""


def list_advice(text: str) -> str:
    """Return what to say of a text that begins with `text` and is a list, "" for another.

    A list has short lines without an empty one between them, or lines that are sorted. What
    is said in a chat is none.
    """
    lines = text.splitlines()[:-1]  # the last one may be cut off
    if len(lines) < FEWEST or not _nearly_all(bool(line.strip()) for line in lines):
        return ""
    # Lines that begin with a number or a mark, as times of a chat, stand in an order that matters.
    named = _nearly_all(line[0].isalpha() for line in lines if line)
    in_order = named and _nearly_all(a <= b for a, b in pairwise(map(str.casefold, lines)))
    lengths = sorted(map(len, lines))
    short = lengths[int(NEARLY_ALL * len(lines))] <= SHORT and lengths[len(lines) // 2] <= USUAL
    code = sum(line[:1].isspace() or line.endswith(("{", "}", ";", ":")) for line in lines)
    talk = _nearly_all(SPOKEN.search(line) is not None for line in lines)
    if len(set(lines)) < 2 or code > len(lines) // 20 or talk or not (in_order or short):
        return ""
    why = "sorted, it would be validated on its last letters alone" if in_order else ""
    why = why or "its lines say nothing of one another"
    return (
        f"this looks like a list ({why}): take each line as a document (--documents lines), so "
        "that it has a beginning and an end, and lines from everywhere validate"
    )


def _nearly_all(found: Iterable[bool]) -> bool:
    values = list(found)
    return sum(values) >= NEARLY_ALL * len(values)
