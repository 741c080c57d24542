"""Values that stay or move: learning rate, share of drawn inputs, temperature.

A schedule is a function of two numbers, the progress of the run or text from 0 to 1 and the step
it has reached, counted from 0. Three makers of them stand here, and any callable will do as well:

falling(kind, ...)   from 1 down to a share of it: what the learning rate is multiplied by
rising(kind, ...)    from 0 up: the share of the inputs that the model draws itself
parse_temperature    what a text describes, for samples in training and for generated text:

0.8                             always 0.8
2.0:0.5                         in a straight line from 2.0 to 0.5 over the whole length
linear:2.0:0.5:15000            the same over 15,000 steps, and 0.5 from there on
exponential:2.0:0.5:15000       by the same factor at every step; without :15000 over the whole
cosine:2.0:0.5:1000             down half a cosine in 1,000 steps, then from 2.0 again
piecewise:0=1.0,200=0.5,400=1   in straight lines between points, level before and after them

A step is a character of a generated text, or an iteration of a training run. The whole length is
that of the text or of the run. Where it is not known, a schedule that needs it stays at its start.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from char_rnn.errors import UsageError

Schedule = Callable[[float, int], float]
"""(progress, step) → value."""

STEEPNESS = 10.0
"""Of the inverse sigmoid: it has a tenth of the way behind it at 29 % of the run, nine at 71 %."""
LEAST_RATE = 1e-12  # that an exponential falls to: no factor leads to 0
MOST_SPEC = 1000  # characters
FORMS = (
    "a number from 0 up, FROM:TO, linear:FROM:TO[:STEPS], exponential:FROM:TO[:STEPS], "
    "cosine:FROM:TO:STEPS, piecewise:STEP=VALUE,STEP=VALUE,..."
)


def falling(kind: str, end: float, warmup: int = 0) -> Schedule:
    """Return how the learning rate goes from 1 to `end`.

    constant: 1. exponential: end ** progress. cosine: a linear warm-up over `warmup` steps, and
    half a cosine over the whole run (Loshchilov 2017). linear: the same with a straight line.
    """

    def value(progress: float, step: int) -> float:
        progress = min(max(progress, 0.0), 1.0)
        if kind == "constant":
            return 1.0
        if kind == "exponential":
            return float(max(end, LEAST_RATE) ** progress)
        warm = min(1.0, (step + 1) / warmup) if warmup else 1.0
        left = 1 - progress if kind == "linear" else (1 + math.cos(math.pi * progress)) / 2
        return warm * (end + (1 - end) * left)

    return value


def rising(kind: str, end: float) -> Schedule:
    """Return how a share grows from 0 to `end`.

    linear: end · progress. inverse-sigmoid: slow, fast in the middle, slow. constant: `end` from
    the beginning. Bengio et al. 2015 count what is real, 1 − share, so that theirs decay.
    """

    def value(progress: float, step: int) -> float:
        progress = min(max(progress, 0.0), 1.0)
        if kind == "constant":
            return end
        if kind == "linear":
            return end * progress
        # A logistic curve, 1/2 + tanh/2, stretched so that it begins at 0 and ends at 1.
        highest = math.tanh(STEEPNESS / 4)
        return end * (1 + math.tanh(STEEPNESS * (progress - 0.5) / 2) / highest) / 2

    return value


@dataclass(frozen=True)
class Temperature:
    """What divides the logits: a way through points. `str()` of it parses back to an equal one.

    kind: `constant`, `piecewise`, `linear`, `exponential`, or `cosine`, which begins again after
        its last point, without end: the warm restarts of Loshchilov & Hutter 2017.
    points: pairs of a step and a value; level before and after them.
    whole: the way takes the whole length, and the steps of its points, 0 and 1, are shares of it.
    """

    kind: str
    points: tuple[tuple[int, float], ...]
    whole: bool = False

    def __post_init__(self) -> None:
        for step, value in self.points:
            if not (value >= 0 and math.isfinite(value)):
                raise UsageError(f"{value} is not a finite number from 0 up")
            if value == 0 and self.kind == "exponential":
                raise UsageError("no factor leads to 0; an exponential one needs values above 0")
            if step < 0 and self.kind == "piecewise":
                raise UsageError(f"step {step} is negative")
        for (before, _), (after, _) in pairwise(self.points):
            if after <= before and self.kind == "piecewise":
                raise UsageError(f"step {after} comes after step {before}; steps must rise")
            if after <= before:
                raise UsageError(f"{after} steps; at least 1 is needed")

    def __call__(self, progress: float, step: int) -> float:
        """Return the temperature at `step`, where `progress` of the whole length is done."""
        at = progress if self.whole else step
        if self.kind == "cosine":
            at %= self.points[-1][0]
        left, value = self.points[0]
        for right, end in self.points:
            if at <= right:
                return self._between(value, end, at - left, right - left) if at > left else value
            left, value = right, end
        return value

    def _between(self, start: float, end: float, at: float, length: float) -> float:
        """Return what lies between two values, `at` of `length` steps after the first of them."""
        done = (1 - math.cos(math.pi * at / length)) / 2 if self.kind == "cosine" else at / length
        # In this form, not start + done · (end − start), both ends are met exactly.
        value: float = (1 - done) * start + done * end
        if self.kind == "exponential":
            value = start ** (1 - done) * end**done
        return min(max(value, min(start, end)), max(start, end))  # rounding must not leave them

    def at(self, step: int, total: float | None) -> float:
        """Return the temperature at `step` of `total` steps; None if that is not known."""
        if self.kind == "constant":  # the most common one, and asked for at every character
            return self.points[0][1]
        return self(min(step / total, 1.0) if total else 0.0, step)

    def __str__(self) -> str:
        if self.kind == "piecewise":
            return "piecewise:" + ",".join(f"{step}={value}" for step, value in self.points)
        parts = [str(value) for _, value in self.points]
        if self.kind != "constant" and not self.whole:
            parts.append(str(self.points[-1][0]))
        short = self.kind == "constant" or (self.kind == "linear" and self.whole)
        return ":".join(parts if short else [self.kind, *parts])


def parse_temperature(spec: float | int | str) -> Temperature:
    """Return the temperature that `spec`, a number or one of the forms above, describes.

    Raises UsageError, which says what was found and which forms there are.
    """
    try:
        if isinstance(spec, bool) or not isinstance(spec, int | float | str):
            raise UsageError("it is neither a number nor a text")
        if isinstance(spec, str) and len(spec) > MOST_SPEC:
            spec, size = spec[:40] + "…", len(spec)
            raise UsageError(f"it has {size:,} characters; {MOST_SPEC:,} is the most")
        return _parse(spec) if isinstance(spec, str) else _constant(spec)
    except UsageError as error:
        raise UsageError(f"temperature {spec!r}: {error}; it can be {FORMS}") from None


PARTS = {"linear": (2, 3), "exponential": (2, 3), "cosine": (3, 3)}  # at least, at most


def _parse(spec: str) -> Temperature:
    kind, colon, rest = (part.strip() for part in spec.partition(":"))
    if not colon:
        return _constant(kind)
    if kind == "piecewise":
        return Temperature(kind, tuple(_point(point) for point in rest.split(",")))
    parts = rest.split(":")
    if kind in PARTS:
        least, most = PARTS[kind]
        if not least <= len(parts) <= most:
            expected = f"{least}" if least == most else f"{least} or {most}"
            raise UsageError(f"{kind} has {expected} parts after its name, not {len(parts)}")
    elif kind.isidentifier():
        raise UsageError(f"there is no schedule {kind!r}")
    elif len(parts) > 1:
        raise UsageError(f"FROM:TO has no more parts; steps need a name, as in linear:{spec}")
    else:
        kind, parts = "linear", [kind, rest]
    whole = len(parts) == 2
    last = 1 if whole else _steps(parts[2])
    return Temperature(kind, ((0, _number(parts[0])), (last, _number(parts[1]))), whole)


def _constant(value: str | float) -> Temperature:
    return Temperature("constant", ((0, _number(value)),))


def _point(point: str) -> tuple[int, float]:
    step, equals, value = point.partition("=")
    if not equals:
        raise UsageError(f"{point!r} is no STEP=VALUE")
    return _steps(step), _number(value)


def _number(text: str | float) -> float:
    try:
        return float(text) + 0.0  # −0.0 becomes 0.0
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is not a number") from None


def _steps(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a whole number of steps") from None
