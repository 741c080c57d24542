"""Bars that come again: a number instead of what is written so many bars before.

Tunes repeat whole parts. Written out, a part costs a network as much the second time as the first,
for none keeps a hundred characters to the letter; as numbers it is nearly free, and what the
network then writes has parts that come again (figures: docs/music.md).
"""

MOST_BACK = 32
"""Bars that a number reaches back: two parts of sixteen."""


def with_again(bars: list[str]) -> list[str]:
    """Return the texts of bars, those that come again as the number of bars to go back.

    That which goes on for the most bars, and of those the smallest, and it goes on with it. A
    number stands only where it is shorter.
    """
    found: list[str] = []
    while len(found) < len(bars):
        here = len(found)
        count, back = max(
            ((_run(bars, here, back), back) for back in range(1, min(here, MOST_BACK) + 1)),
            key=lambda run: (run[0], -run[1]),
            default=(0, 0),
        )
        found += [str(back)] * count or [bars[here]]
    return found


def _run(bars: list[str], here: int, back: int) -> int:
    """Return how many bars from `here` on are those so many bars before, and longer than that."""
    short, at = len(str(back)), here
    while at < len(bars) and bars[at] == bars[at - back] and len(bars[at]) > short:
        at += 1
    return at - here


def bars_of(text: str) -> list[str]:
    """Return what is written in each bar of a piece without names, with numbers looked up."""
    found: list[str] = []
    for line in text.split("\n"):
        for bar in line.split("|")[:-1]:
            found.append(found[-int(bar)] if bar.isdecimal() else bar)
    return found
