"""Beam search: the likeliest texts, found side by side, instead of drawn ones.

At each step every one of the W beams could go on with any of V characters. Of these W · V texts
the W likeliest live on. All beams are one batch of the network; which beam a character followed is
written down (parents), and only the texts that are returned are traced back.

Diverse groups: the beams are cut into groups that choose one after the other, and a character costs
`diversity` nats for each beam of an earlier group that has just chosen it (Hamming diversity).
Source: Vijayakumar et al. 2016, algorithm 1.

Which of the texts that are complete are the best is in hypotheses.py.
"""

import math
from collections.abc import Callable

import numpy as np

from char_rnn.config import ModelConfig
from char_rnn.errors import UsageError
from char_rnn.generate.hypotheses import Ends, Hypothesis, Ranking, end_mask
from char_rnn.generate.sampler import after_reading
from char_rnn.model.parameters import Parameters
from char_rnn.model.room import item_size, need, window_memory
from char_rnn.model.stepper import Stepper
from char_rnn.sample_config import BEAM_DIVERSITY, LENGTH_PENALTY

Array = np.ndarray
SAFE = 600.0**2
"""Log-sums whose squares add up to less than this came from exponentials that a float64 holds."""


def beam_search(
    parameters: Parameters,
    seed_ids: Array,
    length: int,
    width: int = 10,
    groups: int = 1,
    diversity: float = BEAM_DIVERSITY,
    length_penalty: float = LENGTH_PENALTY,
    ends: Ends = (),
    results: int = 1,
    temperature: float = 1.0,
    stopped: Callable[[], bool] = lambda: False,
) -> list[Hypothesis]:
    """Return the likeliest continuations of `seed_ids` (n,) that were found, the best first.

    length: characters of a hypothesis, fewer only where one of `ends` comes before.
    width: W, beams; `groups` of equally many.
    ends: the ids that complete a hypothesis; or a function that is given what the beams have
        written, ids (W, n), and says which next characters would, bool (W, V) or (V,)
        (see `stop_texts`, in hypotheses.py). The search is over when nothing that lives can come
        among the results.
    results: how many hypotheses, all different; fewer if no more were found. With groups, each
        group's best come before any group's second best.
    temperature: divides the logits; all log-probabilities are those of softmax(logits /
        temperature). With 1 they are the model's own.
    stopped: asked several times a step; where it says so, the search ends with what is complete, or
        else with what the beams have written so far.
    Raises UsageError for wrong settings, for more beams than there is memory for, and for a model
    whose output is not finite.
    """
    seed, config = np.asarray(seed_ids), parameters.config
    _check(config.vocab_size, seed, length, width, groups, results)
    _check_numbers(diversity, length_penalty, temperature)
    _check_room(config, length, width, callable(ends))
    ranking = Ranking(groups, results, length, length_penalty)
    search = _Search(
        config.vocab_size,
        length,
        width,
        groups,
        diversity,
        end_mask(ends, config.vocab_size),
        ranking,
        temperature,
        stopped,
    )
    if length > 0:
        # The seed is read by a single stream, and all beams go on from there.
        stepper = Stepper(parameters, width)
        stepper.begin(after_reading(parameters, [seed]).state())
        search.run(stepper)
    return search.best()


class _Stopped(Exception):
    """Whoever asked for the search wants no more of it."""


class _Search:
    """The beams, their log-probabilities, and how they came about."""

    def __init__(
        self,
        V: int,
        length: int,
        width: int,
        groups: int,
        diversity: float,
        ends: Array | Callable[[Array], Array] | None,
        ranking: Ranking,
        temperature: float,
        stopped: Callable[[], bool],
    ) -> None:
        self._V, self._length, self._width = V, length, width
        self._diversity, self._temperature = diversity, temperature
        self._ends, self._ranking, self._stopped = ends, ranking, stopped
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
        # One beam of each group lives at first: all of them stand at the same text.
        self._log_p[::each] = 0

    def run(self, stepper: Stepper) -> None:
        """Search from where all streams of `stepper` are: at the end of the seed text."""
        try:
            # A beam that is not alive has −∞; whatever else is not finite is found by `_extend`.
            with np.errstate(all="ignore"):
                self._run(stepper)
        except _Stopped:
            if self._done and self._ranking.empty:
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
        return self._ranking.best(self._trace)

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
        for number, group in enumerate(self._groups):
            of_group = ended[group]
            rows, ids = (of_group > self._ranking.least(number, t + 1)).nonzero()
            for log_p, row, idx in zip(of_group[rows, ids], rows, ids, strict=True):
                self._ranking.keep(number, float(log_p), t, group.start + int(row), int(idx))

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
        """Return whether nothing that lives can still come among the results."""
        return not any(
            self._ranking.may_take(number, float(self._log_p[group].max()))
            for number, group in enumerate(self._groups)
        )

    def _finish_living(self, whole: bool = True) -> None:
        """Count the beams as complete: they have reached the full length, or must end here."""
        t = self._done - 1
        for number, group in enumerate(self._groups):
            for beam in range(group.start, group.stop):
                log_p = float(self._log_p[beam])
                if log_p > -np.inf:
                    parent, idx = int(self._parents[t, beam]), int(self._ids[t, beam])
                    self._ranking.keep(number, log_p, t, parent, idx, whole)

    def _trace(self, at: int, parent: int, idx: int) -> Array:
        """Return the ids (at + 1,) of the text in which `idx` followed beam `parent` at `at`."""
        ids = np.empty(at + 1, np.intp)
        ids[at], beam = idx, parent
        for t in range(at - 1, -1, -1):
            ids[t], beam = self._ids[t, beam], self._parents[t, beam]
        return ids


def _largest(x: Array, k: int) -> Array:
    """Return the places of the `k` largest of `x`, in no order."""
    places: Array = x.argpartition(len(x) - k)[len(x) - k :]
    return places


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
        tables + written + states,
        f"a search with {width:,} beams over {length:,} characters",
        "take fewer beams (--beam) or a shorter text (--length)",
    )


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
