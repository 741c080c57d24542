"""Temperatures that stay or move: one description, for samples in training and for generated text.

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
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

from char_rnn.errors import UsageError

MOST_SPEC = 1000  # characters
FORMS = (
    "a number from 0 up, FROM:TO, linear:FROM:TO[:STEPS], exponential:FROM:TO[:STEPS], "
    "cosine:FROM:TO:STEPS, piecewise:STEP=VALUE,STEP=VALUE,..."
)


class Temperature(ABC):
    """What divides the logits, step by step. `str()` of it parses back to an equal one."""

    @abstractmethod
    def at(self, step: int, total: float | None) -> float:
        """Return the temperature at `step`, counted from 0, of `total` steps.

        total: the whole length, None if it is not known; a guess may have a fraction.
        """


@dataclass(frozen=True)
class Constant(Temperature):
    """Always `value`; 0 takes the likeliest character."""

    value: float

    def __post_init__(self) -> None:
        _check_value(self.value)

    def at(self, step: int, total: float | None) -> float:
        """Return `value`."""
        return self.value

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Linear(Temperature):
    """A straight line from `start` to `end` over `steps`, or over the whole length; then `end`."""

    start: float
    end: float
    steps: int | None = None

    def __post_init__(self) -> None:
        _check_value(self.start)
        _check_value(self.end)
        _check_steps(self.steps)

    def at(self, step: int, total: float | None) -> float:
        """Return the temperature at `step`; `start` if the length is needed and not known."""
        done = _done(step, self.steps, total)
        return _mix(self.start, self.end, done)

    def __str__(self) -> str:
        if self.steps is None:
            return f"{self.start}:{self.end}"
        return f"linear:{self.start}:{self.end}:{self.steps}"


@dataclass(frozen=True)
class Exponential(Temperature):
    """From `start` to `end` by the same factor at every step, over `steps` or the whole length."""

    start: float
    end: float
    steps: int | None = None

    def __post_init__(self) -> None:
        for value in (self.start, self.end):
            _check_value(value)
            if value == 0:
                raise UsageError("no factor leads to 0; an exponential one needs values above 0")
        _check_steps(self.steps)

    def at(self, step: int, total: float | None) -> float:
        """Return the temperature at `step`; `start` if the length is needed and not known."""
        done = _done(step, self.steps, total)
        value: float = self.start ** (1 - done) * self.end**done
        return _within(self.start, self.end, value)

    def __str__(self) -> str:
        steps = "" if self.steps is None else f":{self.steps}"
        return f"exponential:{self.start}:{self.end}{steps}"


@dataclass(frozen=True)
class Cosine(Temperature):
    """Half a cosine from `start` towards `end` in `steps`, and again from `start`, without end.

    Source: the warm restarts of Loshchilov & Hutter 2017, there for the learning rate.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        _check_value(self.start)
        _check_value(self.end)
        _check_steps(self.steps)

    def at(self, step: int, total: float | None) -> float:
        """Return the temperature at `step`, whatever the whole length is."""
        done = (1 - math.cos(math.pi * (step % self.steps) / self.steps)) / 2
        return _mix(self.start, self.end, done)

    def __str__(self) -> str:
        return f"cosine:{self.start}:{self.end}:{self.steps}"


@dataclass(frozen=True)
class Piecewise(Temperature):
    """Straight lines between `points`, pairs of a step and a value; level before and after them."""

    points: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        if not self.points:
            raise UsageError("there is no point")
        for step, value in self.points:
            _check_value(value)
            if step < 0:
                raise UsageError(f"step {step} is negative")
        for (before, _), (after, _) in pairwise(self.points):
            if after <= before:
                raise UsageError(f"step {after} comes after step {before}; steps must rise")

    def at(self, step: int, total: float | None) -> float:
        """Return the temperature at `step`, whatever the whole length is."""
        left, value = self.points[0]
        if step <= left:
            return value
        for right, end in self.points[1:]:
            if step <= right:
                return _mix(value, end, (step - left) / (right - left))
            left, value = right, end
        return value

    def __str__(self) -> str:
        return "piecewise:" + ",".join(f"{step}={value}" for step, value in self.points)


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
        return Constant(_number(spec)) if not isinstance(spec, str) else _parse(spec)
    except UsageError as error:
        raise UsageError(f"temperature {spec!r}: {error}; it can be {FORMS}") from None


def _parse(spec: str) -> Temperature:
    kind, colon, rest = (part.strip() for part in spec.partition(":"))
    if not colon:
        return Constant(_number(kind))
    if kind == "piecewise":
        return Piecewise(tuple(_point(point) for point in rest.split(",")))
    parts = rest.split(":")
    if kind in {"linear", "exponential"}:
        _count(kind, parts, 2, 3)
        steps = _steps(parts[2]) if len(parts) == 3 else None
        make = Linear if kind == "linear" else Exponential
        return make(_number(parts[0]), _number(parts[1]), steps)
    if kind == "cosine":
        _count(kind, parts, 3, 3)
        return Cosine(_number(parts[0]), _number(parts[1]), _steps(parts[2]))
    if kind.isidentifier():
        raise UsageError(f"there is no schedule {kind!r}")
    if len(parts) > 1:
        raise UsageError(f"FROM:TO has no more parts; steps need a name, as in linear:{spec}")
    return Linear(_number(kind), _number(rest))


def _count(kind: str, parts: list[str], least: int, most: int) -> None:
    if not least <= len(parts) <= most:
        expected = f"{least}" if least == most else f"{least} or {most}"
        raise UsageError(f"{kind} has {expected} parts after its name, not {len(parts)}")


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


def _check_value(value: float) -> None:
    if not (value >= 0 and math.isfinite(value)):
        raise UsageError(f"{value} is not a finite number from 0 up")


def _check_steps(steps: int | None) -> None:
    if steps is not None and steps < 1:
        raise UsageError(f"{steps} steps; at least 1 is needed")


def _done(step: int, steps: int | None, total: float | None) -> float:
    """Return which share of its way a schedule has made, from 0 to 1."""
    length = total if steps is None else steps
    return min(step / length, 1.0) if length else 0.0


def _mix(start: float, end: float, done: float) -> float:
    # In this form, not start + done · (end − start), both ends are met exactly.
    return _within(start, end, (1 - done) * start + done * end)


def _within(start: float, end: float, value: float) -> float:
    """Return `value` between `start` and `end`: rounding must not leave them."""
    return min(max(value, min(start, end)), max(start, end))
