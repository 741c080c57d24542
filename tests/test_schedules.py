"""Schedules: what they are, step by step, and how temperatures are written."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.config import TrainConfig
from char_rnn.errors import UsageError
from char_rnn.sample_config import SampleConfig
from char_rnn.schedules import Temperature, falling, parse_temperature, rising

VALUES = st.floats(0, 1e308)
ABOVE_ZERO = st.floats(1e-300, 1e300)
STEPS = st.integers(1, 10**9)
POINTS = st.dictionaries(st.integers(0, 10**6), VALUES, min_size=1, max_size=6)


def way(kind, start, end, steps=None):
    return Temperature(kind, ((0, start), (1 if steps is None else steps, end)), steps is None)


SCHEDULES = st.one_of(
    st.builds(lambda value: Temperature("constant", ((0, value),)), VALUES),
    st.builds(way, st.just("linear"), VALUES, VALUES, st.none() | STEPS),
    st.builds(way, st.just("exponential"), ABOVE_ZERO, ABOVE_ZERO, st.none() | STEPS),
    st.builds(way, st.just("cosine"), VALUES, VALUES, STEPS),
    st.builds(lambda points: Temperature("piecewise", tuple(sorted(points.items()))), POINTS),
)
TOTALS = st.none() | st.integers(0, 10**9) | st.floats(0, 1e9)


@given(SCHEDULES)
def test_a_schedule_is_what_it_says(schedule):
    again = parse_temperature(str(schedule))
    assert again == schedule
    assert parse_temperature(f" {schedule} ") == schedule


@given(SCHEDULES, st.integers(0, 10**9), TOTALS)
def test_it_stays_between_its_values(schedule, step, total):
    found = schedule.at(step, total)
    assert isinstance(found, float)
    values = [value for _, value in schedule.points]
    assert min(values) <= found <= max(values)


@given(st.sampled_from(["linear", "exponential"]), ABOVE_ZERO, ABOVE_ZERO, st.none() | STEPS,
       st.lists(st.integers(0, 10**7), min_size=2))  # fmt: skip
def test_lines_and_exponentials_go_one_way(kind, start, end, steps, at):
    schedule = way(kind, start, end, steps)
    found = [schedule.at(step, 10**6) for step in sorted(at)]
    sign = 1 if end >= start else -1
    for before, after in itertools.pairwise(found):
        assert sign * after >= sign * before - 1e-12 * max(before, after)


@given(
    st.sampled_from(["linear", "exponential"]), ABOVE_ZERO, ABOVE_ZERO, STEPS, st.integers(0, 10**9)
)
def test_both_ends_are_met_exactly_and_the_last_stays(kind, start, end, steps, more):
    for schedule, total in ((way(kind, start, end, steps), None), (way(kind, start, end), steps)):
        assert schedule.at(0, total) == start
        assert schedule.at(steps, total) == schedule.at(steps + more, total) == end


@given(VALUES, VALUES, STEPS, st.integers(0, 100))
def test_a_cosine_begins_again(start, end, steps, cycles):
    schedule = way("cosine", start, end, steps)
    assert schedule.at(cycles * steps, None) == start
    assert schedule.at(cycles * steps + steps // 2, 7) == schedule.at(steps // 2, None)


def test_the_exercise():
    """The exercise's schedule: max(0.5, 2.0 - iteration / 10000)."""
    schedule = parse_temperature("linear:2.0:0.5:15000")
    for iteration in range(0, 30_001, 50):
        expected = max(0.5, 2.0 - iteration / 10000)
        assert schedule.at(iteration, 30_000) == pytest.approx(expected, abs=1e-12)
        assert schedule.at(iteration, None) == schedule.at(iteration, 30_000)


@pytest.mark.parametrize(
    ("spec", "total", "expected"),
    [
        (0.8, None, {0: 0.8, 10**9: 0.8}),
        (1, 10, {3: 1.0}),
        ("0", 10, {3: 0.0}),
        ("2.0:0.5", 300, {0: 2.0, 100: 1.5, 150: 1.25, 300: 0.5, 301: 0.5}),
        ("0.2:1.4", 12.0, {3: 0.5, 12: 1.4}),
        ("linear:2:0", 4, {1: 1.5, 4: 0.0}),
        ("exponential:2:0.5:100", None, {0: 2.0, 25: math.sqrt(2), 50: 1.0, 100: 0.5, 900: 0.5}),
        ("exponential:8:1", 300, {100: 4.0, 200: 2.0}),
        ("cosine:2:1:100", 30, {0: 2.0, 25: 1.5 + math.sqrt(2) / 4, 50: 1.5, 99: 1.000247, 100: 2}),
        ("piecewise:0=1.0,200=0.5,400=0.8", 10, {0: 1, 100: 0.75, 200: 0.5, 300: 0.65, 999: 0.8}),
        ("piecewise:100=1.0,101=0.2", None, {0: 1, 100: 1, 101: 0.2, 500: 0.2}),
        ("piecewise:7=0.9", None, {0: 0.9, 7: 0.9, 8: 0.9}),
    ],
)
def test_by_hand(spec, total, expected):
    schedule = parse_temperature(spec)
    found = {step: schedule.at(step, total) for step in expected}
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("spec", ["2.0:0.5", "linear:2.0:0.5", "exponential:2.0:0.5"])
@pytest.mark.parametrize("total", [None, 0])
def test_without_a_length_it_stays_at_its_start(spec, total):
    assert parse_temperature(spec).at(500, total) == 2.0


def test_the_short_form_is_what_is_written():
    assert str(parse_temperature("linear:2:.5")) == "2.0:0.5"
    assert str(parse_temperature("-0.0")) == "0.0"
    assert isinstance(parse_temperature("1"), Temperature)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("warm", "'warm' is not a number"),
        ("", "'' is not a number"),
        ("nan", "nan is not a finite"),
        (math.inf, "inf is not a finite"),
        (-0.5, "-0.5 is not a finite number from 0 up"),
        ("1:-2", "-2.0 is not a finite"),
        (10**400, "is not a number"),
        (True, "neither a number nor a text"),
        (None, "neither a number nor a text"),
        ("2.0:", "'' is not a number"),
        ("2:1:30", "linear:2:1:30"),
        ("liner:2:1", "no schedule 'liner'"),
        ("linear:2", "2 or 3 parts after its name, not 1"),
        ("linear:2:1:3:4", "not 4"),
        ("linear:2:1:0", "0 steps"),
        ("linear:2:1:1.5", "'1.5' is not a whole number of steps"),
        ("exponential:2:0", "values above 0"),
        ("cosine:2:1", "3 parts after its name, not 2"),
        ("cosine:2:1:-5", "-5 steps"),
        ("piecewise:", "'' is no STEP=VALUE"),
        ("piecewise:0=1,5", "'5' is no STEP=VALUE"),
        ("piecewise:-1=1", "step -1 is negative"),
        ("piecewise:5=1,5=2", "steps must rise"),
        ("1\n2", r"'1\n2' is not a number"),
    ],
)
def test_mistakes_are_named_in_one_line(spec, says):
    for make in (parse_temperature, lambda s: SampleConfig(temperature=s),
                 lambda s: TrainConfig(temperature=s)):  # fmt: skip
        with pytest.raises(UsageError) as error:
            make(spec)
        message = str(error.value)
        assert says in message and "\n" not in message
        assert message.startswith(f"temperature {spec!r}: ") and "piecewise:STEP=VALUE" in message


def test_a_very_long_one_is_a_mistake_too():
    spec = "piecewise:" + ",".join(f"{n}=1" for n in range(300))
    with pytest.raises(UsageError, match=r"1,699 characters; 1,000 is the most") as error:
        parse_temperature(spec)
    assert len(str(error.value)) < 400


def test_configurations_keep_numbers_and_schedules_as_they_are():
    for kind in (SampleConfig, TrainConfig):
        assert kind(temperature=0.5).temperature == 0.5
        config = kind(temperature="2.0:0.5")
        assert kind.from_dict(config.to_dict()) == config


def test_the_learning_rate_falls():
    cosine = falling("cosine", 0.1, warmup=10)
    assert cosine(0.0, 0) == pytest.approx(0.1)
    assert cosine(0.5, 50) == pytest.approx(0.55)
    assert cosine(1.0, 99) == pytest.approx(0.1)
    assert falling("linear", 0.1, warmup=10)(0.5, 4) == pytest.approx(0.55 / 2)
    assert falling("exponential", 0.01)(0.5, 5) == pytest.approx(0.1)
    assert falling("exponential", 0.0)(1.0, 5) == pytest.approx(1e-12)
    assert falling("constant", 0.01)(0.9, 5) == 1


@pytest.mark.parametrize("kind", ["constant", "inverse-sigmoid", "linear"])
def test_the_share_grows_with_the_run(kind):
    share = rising(kind, 0.4)
    shares = [share(x, 0) for x in np.linspace(0, 1, 101)]
    assert shares[-1] == pytest.approx(0.4, abs=1e-12) and np.all(np.diff(shares) >= 0)
    assert shares[0] == (0.4 if kind == "constant" else pytest.approx(0, abs=1e-12))
    assert shares[50] == (0.4 if kind == "constant" else pytest.approx(0.2))
    assert share(1.5, 0) == shares[-1]
    if kind == "inverse-sigmoid":
        assert shares[10] < 0.02 < 0.38 < shares[90]
    assert {rising(kind, 0.0)(x, 0) for x in (0, 0.3, 1)} == {0}
