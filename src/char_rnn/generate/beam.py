"""Beam search: the likeliest texts, found side by side, instead of drawn ones.

At each step every one of the W beams could go on with any of V characters. Of these W · V texts
the W likeliest live on. All beams are one batch of the network; which beam a character followed is
written down (parents), and only the texts that are returned are traced back.

Diverse groups: the beams are cut into groups that choose one after the other, and a character costs
`diversity` nats for each beam of an earlier group that has just chosen it (Hamming diversity).
Source: Vijayakumar et al. 2016, algorithm 1.

A text that is complete competes by log P / n^length_penalty, n its characters, because a longer
text is never likelier than what it began with. Source: Wu et al. 2016, section 7 (their first form;
with 1 it is the mean log-probability of a character).
"""

import math
from bisect import insort
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np

from char_rnn.config import BEAM_DIVERSITY, LENGTH_PENALTY, ModelConfig
from char_rnn.errors import UsageError
from char_rnn.generate.sampler import after_reading
from char_rnn.model.parameters import Parameters
from char_rnn.model.room import item_size, need, window_memory
from char_rnn.model.stepper import Stepper

Array = np.ndarray
SAFE = 600.0**2
"""Log-sums whose squares add up to less than this came from exponentials that a float64 holds."""
Ends = Collection[int] | Callable[[Array], Array]


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


def beam_search(
    config: ModelConfig, parameters: Parameters, seed_ids: Array, length: int, width: int = 10,
    groups: int = 1, diversity: float = BEAM_DIVERSITY, length_penalty: float = LENGTH_PENALTY,
    ends: Ends = (), results: int = 1, temperature: float = 1.0,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Hypothesis]:  # fmt: skip
    """Return the likeliest continuations of `seed_ids` (n,) that were found, the best first.

    length: characters of a hypothesis, fewer only where one of `ends` comes before.
    width: W, beams; `groups` of equally many.
    ends: the ids that complete a hypothesis; or a function that is given what the beams have
        written, ids (W, n), and says which next characters would, bool (W, V) or (V,)
        (see `stop_texts`). The search is over when nothing that lives can come among the results.
    results: how many hypotheses, all different; fewer if no more were found. With groups, each
        group's best come before any group's second best.
    temperature: divides the logits; all log-probabilities are those of softmax(logits /
        temperature). With 1 they are the model's own.
    stopped: asked several times a step; where it says so, the search ends with what is complete, or
        else with what the beams have written so far.
    Raises UsageError for wrong settings, for more beams than there is memory for, and for a model
    whose output is not finite.
    """
    seed = np.asarray(seed_ids)
    _check(config.vocab_size, seed, length, width, groups, results)
    _check_numbers(diversity, length_penalty, temperature)
    _check_room(config, length, width, callable(ends))
    search = _Search(
        config.vocab_size, length, width, groups, diversity, length_penalty,
        _end_mask(ends, config.vocab_size), results, temperature, stopped,
    )  # fmt: skip
    if length > 0:
        # The seed is read by a single stream, and all beams go on from there.
        stepper = Stepper(config, parameters, width)
        stepper.begin(after_reading(config, parameters, [seed]).state())
        search.run(stepper)
    return search.best()


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


class _Complete(NamedTuple):
    """A complete hypothesis, not yet traced back: after step `at`, `idx` follows beam `parent`."""

    negative_score: float
    log_p: float
    at: int
    parent: int
    idx: int
    whole: bool = True


class _Stopped(Exception):
    """Whoever asked for the search wants no more of it."""


class _Search:
    """The beams, their log-probabilities, and how they came about."""

    def __init__(
        self, V: int, length: int, width: int, groups: int, diversity: float,
        length_penalty: float, ends: Array | Callable[[Array], Array] | None, results: int,
        temperature: float, stopped: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._V, self._length, self._width = V, length, width
        self._diversity, self._length_penalty = diversity, length_penalty
        self._ends, self._results, self._temperature = ends, results, temperature
        self._stopped = stopped
        self._done = 0  # whole steps
        self._parents = np.zeros((length, width), np.intp)
        self._ids = np.zeros((length, width), np.intp)
        self._log_p = np.full(width, -np.inf)
        self._z, self._exps, self._totals = np.empty((3, width, V))
        self._ones = np.ones(V)
        # Of each place in the flat `_totals`: the beam, and the character that follows it.
        self._beam_of, self._id_of = np.indices((width, V)).reshape(2, -1)
        self._same = np.arange(width).tobytes()
        self._texts = np.empty((width, length if callable(ends) else 0), np.intp)
        each = width // groups
        self._groups = [slice(start, start + each) for start in range(0, width, each)]
        self._complete: list[list[_Complete]] = [[] for _ in self._groups]
        # One beam of each group lives at first: all of them stand at the same text.
        self._log_p[::each] = 0

    def run(self, stepper: Stepper) -> None:
        """Search from where all streams of `stepper` are: at the end of the seed text."""
        try:
            # A beam that is not alive has −∞; whatever else is not finite is found by `_extend`.
            with np.errstate(all="ignore"):
                self._run(stepper)
        except _Stopped:
            if self._done and not any(self._complete):
                self._finish_living(whole=False)

    def _run(self, stepper: Stepper) -> None:
        logits = stepper.logits()
        for t in range(self._length):
            if t > 0:
                parents = self._parents[t - 1]
                if parents.tobytes() != self._same:
                    stepper.select(parents)
                self._look()
                logits = stepper.step(self._ids[t - 1])
            self._look()
            self._extend(logits)
            self._look()
            if self._ends is not None:
                self._end(t)
            self._choose(t)
            if self._ends is not None and self._is_over():
                break
        else:
            self._finish_living()

    def _look(self) -> None:
        if self._stopped():
            raise _Stopped

    def best(self) -> list[Hypothesis]:
        """Return the results, the best first."""
        if self._length == 0:
            return [Hypothesis(np.zeros(0, np.intp), 0.0, 0.0)]
        ranks = [(rank, c) for of in self._complete for rank, c in enumerate(of)]
        found: dict[bytes, Hypothesis] = {}
        for _, c in sorted(ranks):
            ids = self._trace(c)
            hypothesis = Hypothesis(ids, c.log_p, -c.negative_score, c.whole)
            found.setdefault(ids.tobytes(), hypothesis)
            if len(found) == self._results:
                break
        return sorted(found.values(), key=lambda h: -h.score)

    def _extend(self, logits: Array) -> None:
        """Write the log-probability of each beam with each character into `_totals` (W, V)."""
        # log p = z − log Σ exp z, with z = logits / temperature
        z = self._z
        np.copyto(z, logits)  # once, for calls that mix float32 and float64 are slow
        if self._temperature == 1:
            log_sums = self._log_sums(z)
        if self._temperature != 1 or not log_sums.dot(log_sums) < SAFE:
            # Large numbers: no exponential overflows once the largest is taken off.
            np.subtract(z, np.maximum.reduce(z, axis=1, keepdims=True), out=z)
            np.divide(z, self._temperature, out=z)
            log_sums = self._log_sums(z)
            if not np.isfinite(log_sums).all():
                raise UsageError("the model's output is not finite: its weights have diverged")
        np.subtract(self._log_p, log_sums, out=log_sums)
        np.add(z, log_sums[:, None], out=self._totals)

    def _log_sums(self, z: Array) -> Array:
        """Return log Σ exp z of each row, (W,) float64."""
        np.exp(z, out=self._exps)
        # A product with ones takes half the time of a sum.
        sums = self._exps.dot(self._ones)
        out: Array = np.log(sums, out=sums)
        return out

    def _choose(self, t: int) -> None:
        """Let the likeliest of `_totals` live on."""
        flat = self._totals.reshape(-1)
        if len(self._groups) == 1:
            best = _largest(flat, self._width)
        else:
            best = self._choose_by_groups(flat)
        self._beam_of.take(best, None, self._parents[t], "clip")
        self._id_of.take(best, None, self._ids[t], "clip")
        self._log_p = flat[best]
        self._done = t + 1

    def _choose_by_groups(self, flat: Array) -> Array:
        """Return the places (W,) in `flat` of those that live on, group after group."""
        best = np.empty(self._width, np.intp)
        costs = np.zeros(self._V)
        for group in self._groups:
            each = group.stop - group.start
            places = _largest((self._totals[group] - costs).reshape(-1), each)
            best[group] = places + group.start * self._V
            living = best[group][np.isfinite(flat[best[group]])]
            costs += self._diversity * np.bincount(self._id_of[living], minlength=self._V)
        return best

    # Where hypotheses can end.

    def _end(self, t: int) -> None:
        """Take what `ends` completes out of `_totals`, and keep it if it is good enough."""
        mask = self._end_mask(t)
        if not mask.any():
            return
        ended = np.where(mask, self._totals, -np.inf)
        np.copyto(self._totals, -np.inf, where=mask)
        for group, complete in zip(self._groups, self._complete, strict=True):
            worst = complete[-1].negative_score if len(complete) == self._results else np.inf
            of_group = ended[group]
            rows, ids = (of_group > -worst * self._norm(t + 1)).nonzero()
            for log_p, row, idx in zip(of_group[rows, ids], rows, ids, strict=True):
                self._keep(complete, float(log_p), t, group.start + int(row), int(idx))

    def _end_mask(self, t: int) -> Array:
        """Return which characters would complete which beams, (W, V) or (V,)."""
        if not callable(self._ends):
            assert self._ends is not None
            return self._ends
        if t > 0:
            self._texts[:, :t] = self._texts[self._parents[t - 1], :t]
            self._texts[:, t - 1] = self._ids[t - 1]
        return self._ends(self._texts[:, :t])

    def _is_over(self) -> bool:
        """Return whether nothing that lives can still come among the results.

        Log-probabilities only fall, and nothing divides them by more than the full length does.
        """
        for group, complete in zip(self._groups, self._complete, strict=True):
            bound = float(self._log_p[group].max()) / self._norm(self._length)
            full = len(complete) == self._results
            if bound > -np.inf and not (full and -complete[-1].negative_score >= bound):
                return False
        return True

    def _finish_living(self, whole: bool = True) -> None:
        """Count the beams as complete: they have reached the full length, or must end here."""
        t = self._done - 1
        for group, complete in zip(self._groups, self._complete, strict=True):
            for beam in range(group.start, group.stop):
                log_p = float(self._log_p[beam])
                if log_p > -np.inf:
                    parent, idx = int(self._parents[t, beam]), int(self._ids[t, beam])
                    self._keep(complete, log_p, t, parent, idx, whole)

    def _keep(
        self, complete: list[_Complete], log_p: float, t: int, parent: int, idx: int,
        whole: bool = True,
    ) -> None:  # fmt: skip
        """Add a complete hypothesis to those of its group, the best first, `results` at most."""
        insort(complete, _Complete(-log_p / self._norm(t + 1), log_p, t, parent, idx, whole))
        del complete[self._results :]

    def _norm(self, n: int) -> float:
        return float(n**self._length_penalty)

    def _trace(self, c: _Complete) -> Array:
        """Return the ids of a hypothesis, (c.at + 1,)."""
        ids = np.empty(c.at + 1, np.intp)
        ids[c.at], beam = c.idx, c.parent
        for t in range(c.at - 1, -1, -1):
            ids[t], beam = self._ids[t, beam], self._parents[t, beam]
        return ids


def _largest(x: Array, k: int) -> Array:
    """Return the places of the `k` largest of `x`, in no order."""
    places: Array = x.argpartition(len(x) - k)[len(x) - k :]
    return places


def _end_mask(ends: Ends, V: int) -> Array | Callable[[Array], Array] | None:
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


def _check(V: int, seed: Array, length: int, width: int, groups: int, results: int) -> None:
    if seed.ndim != 1 or len(seed) == 0 or seed.dtype.kind not in "iu":
        raise UsageError(
            f"seed_ids have the shape {seed.shape} and dtype {seed.dtype}; expected whole numbers "
            "of shape (n,), at least one: a beam search has to begin after some character"
        )
    if int(seed.min()) < 0 or int(seed.max()) >= V:
        raise UsageError(
            f"seed_ids reach from {seed.min()} to {seed.max()}; ids must lie between 0 and {V - 1}"
        )
    least = {"length": (length, 0), "width": (width, 1), "groups": (groups, 1)}
    for name, (value, bound) in (least | {"results": (results, 1)}).items():
        if not isinstance(value, int | np.integer) or value < bound:
            raise UsageError(f"{name} is {value!r}; it must be a whole number, at least {bound}")
    if width % groups:
        raise UsageError(
            f"groups is {groups}, width {width}; the width must be a multiple of the groups"
        )
    if results > width:
        raise UsageError(
            f"results is {results}, width {width}; no more results than beams: widen the search"
        )


def _check_room(config: ModelConfig, length: int, width: int, ends: bool) -> None:
    """Raise UsageError if there is no memory for the search."""
    # Of each beam and character: z, exponentials and totals, two tables of places, what is left
    # out, the order of the likeliest, and the logits.
    tables = width * config.vocab_size * (3 * 8 + 2 * 8 + 2 * 8 + 8 + item_size(config))
    written = width * length * 8 * (3 if ends else 2)
    states = window_memory(config, 1, width)
    need(
        tables + written + states, f"a search with {width:,} beams over {length:,} characters",
        "take fewer beams (--beam) or a shorter text (--length)",
    )  # fmt: skip


def _check_numbers(diversity: float, length_penalty: float, temperature: float) -> None:
    if not (diversity >= 0 and math.isfinite(diversity)):
        raise UsageError(f"diversity is {diversity}; it must be a finite number, at least 0")
    if not 0 <= length_penalty <= 10:
        raise UsageError(f"length_penalty is {length_penalty}; it must be between 0 and 10")
    if not (temperature > 0 and math.isfinite(temperature)):
        raise UsageError(
            f"the temperature is {temperature}; a beam search needs a finite number above 0 "
            "(width 1 takes the likeliest character at each step)"
        )
