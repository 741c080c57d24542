"""Where an axis has its ticks, and how it maps values to places."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from char_rnn.pictures.figure import Axis, Bars, Line, Panel, Rule

TICKS = 6  # about so many
SMALLEST = 1e-300  # of a logarithmic axis: what is below has lost its digits


@dataclass(frozen=True)
class Scale:
    """An axis whose ends are known: `place` maps a value to 0 … 1."""

    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Return where `value` stands, 0 at the low end; NaN where it has no place."""
        if self.log:
            if not value > SMALLEST:
                return math.nan
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def x_scale(panel: Panel) -> Scale:
    """Return the scale of the x axis of `panel`; bars have room at both ends."""
    rules = [mark.at for mark in panel.marks if isinstance(mark, Rule) and mark.vertical]
    values = [x for mark in panel.series for x in mark.x] + rules
    has_bars = any(isinstance(mark, Bars) for mark in panel.marks)
    return _scale(panel.x, values, _room_for_bars(panel) if has_bars else None)


def y_scale(panel: Panel) -> Scale:
    """Return the scale of the y axis of `panel`; bars begin at nothing."""
    values = [mark.at for mark in panel.marks if isinstance(mark, Rule) and not mark.vertical]
    for mark in panel.series:
        values += [*mark.y, *(mark.low or ()), *(mark.high or ())]
        if isinstance(mark, Bars) and not panel.y.log:
            values.append(0.0)
    return _scale(panel.y, values, None)


def _room_for_bars(panel: Panel) -> float:
    """Return how far beyond its place half a group of bars may reach; a factor on a logarithm."""
    places = sorted({x for mark in panel.series for x in mark.x})
    if panel.x.log:
        ratio = min((b / a for a, b in pairwise(places) if a > SMALLEST), default=3.0)
        return math.exp(0.6 * math.log(ratio))
    return 0.6 * min((b - a for a, b in pairwise(places)), default=1.0)


def _scale(axis: Axis, values: Iterable[float], pad: float | None) -> Scale:
    low, high = _ends(axis, values, pad)
    if axis.ticks is not None:
        ticks = tuple((at, name) for at, name in axis.ticks.items() if low <= at <= high)
    else:
        ticks = _log_ticks(low, high) if axis.log else _linear_ticks(low, high)
    return Scale(low, high, axis.log, ticks)


def _ends(axis: Axis, values: Iterable[float], pad: float | None) -> tuple[float, float]:
    """Return where the axis begins and ends: some room beyond the data, where it does not say."""
    found = [v for v in values if abs(v) < 1 / SMALLEST and (v > SMALLEST or not axis.log)]
    said_low = None if axis.low is None or (axis.log and axis.low <= SMALLEST) else axis.low
    low = said_low if said_low is not None else min(found, default=1.0 if axis.log else 0.0)
    high = axis.high if axis.high is not None else max(found, default=low)
    if high <= low * (1 + 1e-9) if axis.log else high - low <= 1e-9 * abs(low):
        # All the same: a decade, or a unit, round it.
        below, above = (max(low / 3, 2 * SMALLEST), low * 3) if axis.log else (low - 1, low + 1)
        return (below if said_low is None or pad else low), above
    if axis.log:
        room = (high / low) ** 0.04 if pad is None else pad
        below = max(low / room, 2 * SMALLEST)
        return (below if said_low is None else low), (high if axis.high else high * room)
    if pad is not None:
        return low - pad, high + pad
    room = 0.04 * (high - low)
    # What begins at nothing begins at the corner.
    fixed = said_low is not None or low == 0
    return (low if fixed else low - room), (high if axis.high is not None else high + room)


def _linear_ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return tuple((k * step, _named(k * step, digits)) for k in range(first, last + 1))


def _log_ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    spread = math.log10(high / low)
    within = (1, 2, 5) if spread < 2 else (1, 3) if spread < 3.2 else (1,)
    every = max(1, math.ceil(len(decades) / (TICKS + 2)))
    places = [m * 10.0**d for d in decades if d % every == 0 for m in within]
    places = [p for p in places if low * 0.999 <= p <= high * 1.001]
    if len(places) < 2:
        return _linear_ticks(low, high)
    return tuple((p, _named_log(p)) for p in places)


def _named(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}" if abs(value) < 1e7 else f"{value:.3g}"
    return text.replace("-", "−")


def _named_log(value: float) -> str:
    if 0.999e-4 < value < 1e5:
        return f"{value:,.5f}".rstrip("0").rstrip(".")
    power = math.floor(math.log10(value) + 1e-9)
    lead = round(value / 10.0**power)
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{'' if lead == 1 else f'{lead}·'}10{raised}"


def line_or_bars(panel: Panel) -> tuple[list[Line], list[Bars]]:
    """Return the lines and the bars of `panel`."""
    lines = [mark for mark in panel.marks if isinstance(mark, Line)]
    return lines, [mark for mark in panel.marks if isinstance(mark, Bars)]
