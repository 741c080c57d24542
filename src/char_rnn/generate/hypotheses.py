"""How the texts of a beam search end, and which of those that are complete are the best.

A text that is complete competes by log P / n^length_penalty, n its characters, because a longer
text is never likelier than what it began with. Source: Wu et al. 2016, section 7 (their first form;
with 1 it is the mean log-probability of a character).
"""

from bisect import insort
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np

from char_rnn.errors import UsageError

Array = np.ndarray
Ends = Collection[int] | Callable[[Array], Array]


def stop_texts(stops: Sequence[Array], V: int) -> Callable[[Array], Array]:
    """Return `ends` that complete a hypothesis as soon as it ends in one of `stops`, ids each."""

    def ends(written: Array) -> Array:
        n = written.shape[1]
        mask = np.zeros((len(written), V), bool)
        for stop in stops:
            before = len(stop) - 1
            if before <= n:
                rows = (written[:, n - before :] == stop[:-1]).all(axis=1)
                mask[rows, stop[-1]] = True
        return mask

    return ends


def end_mask(ends: Ends, V: int) -> Array | Callable[[Array], Array] | None:
    """Return `ends` as a mask (V,), a function as it is, and None for no ends."""
    if callable(ends):
        return ends
    if not len(ends):
        return None
    mask = np.zeros(V, bool)
    for idx in ends:
        if not 0 <= idx < V:
            raise UsageError(f"ends holds {idx}; ids must lie between 0 and {V - 1}")
        mask[idx] = True
    return mask


class Hypothesis(NamedTuple):
    """A text that the search found.

    ids: (n,), what follows the seed text, with the character that ended it.
    log_probability: nats, of all of `ids` together, given the seed text.
    score: log_probability / n^length_penalty, by which hypotheses are ranked.
    whole: False if the search was stopped before it was complete.
    """

    ids: Array
    log_probability: float
    score: float
    whole: bool = True


class _Complete(NamedTuple):
    """A complete hypothesis, not yet traced back: after step `at`, `idx` follows beam `parent`."""

    negative_score: float
    log_p: float
    at: int
    parent: int
    idx: int
    whole: bool


class Ranking:
    """The best complete hypotheses of each group of beams, `results` of them at most.

    length: characters of the longest hypothesis.
    """

    def __init__(self, groups: int, results: int, length: int, length_penalty: float) -> None:
        self._results, self._length, self._length_penalty = results, length, length_penalty
        self._groups: list[list[_Complete]] = [[] for _ in range(groups)]  # the best first

    @property
    def empty(self) -> bool:
        """Whether nothing is complete."""
        return not any(self._groups)

    def keep(
        self, group: int, log_p: float, at: int, parent: int, idx: int, whole: bool = True
    ) -> None:
        """Add a hypothesis to those of its group, if it is good enough."""
        kept = self._groups[group]
        insort(kept, _Complete(-log_p / self._norm(at + 1), log_p, at, parent, idx, whole))
        del kept[self._results :]

    def least(self, group: int, n: int) -> float:
        """Return the log-probability beyond which a hypothesis of `n` characters is kept."""
        kept = self._groups[group]
        if len(kept) < self._results:
            return -np.inf
        return -kept[-1].negative_score * self._norm(n)

    def may_take(self, group: int, log_p: float) -> bool:
        """Tell whether a hypothesis that has come to `log_p` so far can still be kept.

        Log-probabilities only fall, and nothing divides them by more than the full length does.
        """
        kept, bound = self._groups[group], log_p / self._norm(self._length)
        full = len(kept) == self._results
        return bound > -np.inf and not (full and -kept[-1].negative_score >= bound)

    def best(self, trace: Callable[[int, int, int], Array]) -> list[Hypothesis]:
        """Return the results, all different, the best first.

        trace: returns the ids of a hypothesis, of its last step, that step's beam, its last id.
        """
        ranks = [(rank, c) for kept in self._groups for rank, c in enumerate(kept)]
        found: dict[bytes, Hypothesis] = {}
        for _, c in sorted(ranks):
            ids = trace(c.at, c.parent, c.idx)
            hypothesis = Hypothesis(ids, c.log_p, -c.negative_score, c.whole)
            found.setdefault(ids.tobytes(), hypothesis)
            if len(found) == self._results:
                break
        return sorted(found.values(), key=lambda h: -h.score)

    def _norm(self, n: int) -> float:
        return float(n**self._length_penalty)
