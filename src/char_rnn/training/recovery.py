"""What a run does when its numbers run away: steps that are not finite are left out, and after
several in a row it goes back to the last good weights, at half the learning rate.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray

BAD_STEPS = 5


class Recovery:
    """Keeps the last good weights, and goes back to them.

    live: returns all arrays that steps change, by name: weights, slots, averages.

    good: copies of them, as they were when last kept.
    rate_scale: halved at each going back. skipped: steps that were left out, in all.
    """

    def __init__(self, live: Callable[[], Mapping[str, Array]]) -> None:
        self._live = live
        self.rate_scale = 1.0
        self.skipped = self.bad_in_a_row = 0
        self.good = self.copies()

    def copies(self) -> dict[str, Array]:
        """Return copies of all arrays as they are."""
        return {name: array.copy() for name, array in self._live().items()}

    def put(self, arrays: Mapping[str, Array]) -> None:
        """Make all arrays what `arrays`, by the same names, are."""
        for name, array in self._live().items():
            array[...] = arrays[name]

    def keep(self) -> None:
        """Call the weights good as they are."""
        self.good = self.copies()

    def bad_step(self, *, weights: bool = False) -> None:
        """Count a step that was not finite; if its `weights` are not, one is enough."""
        self.skipped += 1
        self.bad_in_a_row = BAD_STEPS if weights else self.bad_in_a_row + 1

    def good_step(self) -> None:
        """End a row of bad steps."""
        self.bad_in_a_row = 0

    @property
    def diverged(self) -> bool:
        """Whether it is time to go back."""
        return self.bad_in_a_row >= BAD_STEPS

    def go_back(self) -> None:
        """Go back to the last good weights, at half the learning rate."""
        self.put(self.good)
        self.rate_scale /= 2
        self.bad_in_a_row = 0

    def facts(self) -> dict[str, Any]:
        """Return its counts, for a checkpoint."""
        return {
            "rate_scale": self.rate_scale,
            "skipped": self.skipped,
            "bad_in_a_row": self.bad_in_a_row,
        }

    def restore(self, good: Mapping[str, Array], saved: dict[str, Any]) -> None:
        """Know what `facts` said, and call the arrays `good` the last good ones."""
        self.good = dict(good)
        self.rate_scale, self.skipped = saved["rate_scale"], saved["skipped"]
        self.bad_in_a_row = saved["bad_in_a_row"]


def all_finite(weights: Array) -> bool:
    """Tell whether `weights` (P,) are finite, and a little smaller than the largest number."""
    # A sum of squares is one quick product; it is not finite long before a weight is not.
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.dot(weights, weights)))
