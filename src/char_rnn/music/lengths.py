"""Lengths that a model can write, and which rests of a bar they can fill: exact, in steps."""

from collections.abc import Callable
from fractions import Fraction

from char_rnn.music.notation import length


class Lengths:
    """words: by steps, each note value up to a whole bar of `full` steps that can be written.

    filled: whether so many steps can be filled with items. ended: whether they can such that the
    last of them is long. long: the steps that this takes, a quarter, or a bar that is shorter.
    """

    def __init__(self, grid: int, full: int, writable: Callable[[str], bool]) -> None:
        self.full, self.long = full, min(grid, full)
        values = (steps for steps in range(1, full + 1) if _is_value(steps, grid))
        said = ((steps, length(steps, grid)) for steps in values)
        self.words = {steps: word for steps, word in said if writable(word)}
        self.shortest = min(self.words, default=full + 1)
        self.filled = _sums(self.words, {0}, full)
        self.ended = _sums(self.words, {n for n in self.words if n >= self.long}, full)


def _sums(steps: dict[int, str], begins: set[int], full: int) -> list[bool]:
    """Tell of each number up to `full` whether it is one of `begins` and any of `steps` more."""
    ways = sum(1 << n for n in steps)
    found = [False] * (full + 1)
    behind = 0  # of the numbers found, how far each lies behind, as bits
    for n in range(full + 1):
        behind <<= 1
        if n in begins or behind & ways:
            found[n] = True
            behind |= 1
    return found


def _is_value(steps: int, grid: int) -> bool:
    """Tell whether musicians have a sign for a length: halves of halves, or one of a tuplet.

    Others come of playing, and a network that has begun one by mistake would be led into it.
    """
    part = Fraction(steps, grid)
    return any(n & (n - 1) == 0 for n in (part.numerator, part.denominator))
