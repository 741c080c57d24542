"""Every strategy against its definition, and draws against their probabilities."""

import inspect
import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn import SampleConfig, Vocabulary
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate import filters
from char_rnn.generate.choose import Chooser, bias_amounts, draw
from char_rnn.model.loss import log_softmax
from char_rnn.sample_config import STRATEGIES

P = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
Z = np.log(P)
NOTHING = np.zeros((1, 0), np.intp)


def kept(z):
    """Return the probabilities that a filter leaves, normalised."""
    p = np.exp(log_softmax(z))
    np.testing.assert_allclose(p.sum(axis=-1), 1)
    return p[0]


def only(*ids):
    p = np.zeros(5)
    p[list(ids)] = P[list(ids)]
    return p / p.sum()


@pytest.mark.parametrize(
    ("filtered", "expected"),
    [
        (filters.temperature(Z[None], 1), P),
        (filters.temperature(Z[None], 0.5), P**2 / (P**2).sum()),
        (filters.temperature(Z[None], 2), P**0.5 / (P**0.5).sum()),
        (filters.temperature(Z[None], 0), [1, 0, 0, 0, 0]),
        (filters.temperature(Z[None], 1e-6), [1, 0, 0, 0, 0]),
        (filters.temperature(Z[None], 1e-300), [1, 0, 0, 0, 0]),
        (filters.top_k(Z[None], 1), only(0)),
        (filters.top_k(Z[None], 3), only(0, 1, 2)),
        (filters.top_k(Z[None], 9), P),
        (filters.top_p(Z[None], 1e-9), only(0)),
        (filters.top_p(Z[None], 0.49), only(0)),
        (filters.top_p(Z[None], 0.51), only(0, 1)),
        (filters.top_p(Z[None], 0.76), only(0, 1, 2)),
        (filters.top_p(Z[None], 1), P),
        (filters.min_p(Z[None], 0.49), only(0, 1)),
        (filters.min_p(Z[None], 0.51), only(0)),
        (filters.min_p(Z[None], 0.2), only(0, 1, 2)),
        (filters.min_p(Z[None], 1), only(0)),
        # The entropy is 1.27 nats: the surprises 1.39, 0.69, 1.90, 2.66 and 3.51 lie in this order.
        (filters.typical(Z[None], 0.2), only(1)),
        (filters.typical(Z[None], 0.3), only(1, 0)),
        (filters.typical(Z[None], 0.76), only(1, 0, 2)),
        (
            filters.bias(Z[None], np.array([0, math.log(2), 0, 0, 0])),
            [0.4, 0.4, 0.12, 0.056, 0.024],
        ),
        (filters.bias(Z[None], np.array([-np.inf, 0, 0, 0, 0])), only(1, 2, 3, 4)),
    ],
)
def test_definitions(filtered, expected):
    np.testing.assert_allclose(kept(filtered), expected, atol=1e-9)


def test_the_repetition_penalty_is_a_power_of_the_probability():
    recent = np.array([[0, 0, 3]])
    expected = np.where([True, False, False, True, False], P**1.5, P)
    out = kept(filters.repetition_penalty(Z[None] + 7, recent, 1.5))
    np.testing.assert_allclose(out, expected / expected.sum())


def test_rows_do_not_know_each_other():
    rows = np.stack([Z, Z[::-1], np.zeros(5)])
    for apply in (
        lambda z: filters.temperature(z, 0.3), lambda z: filters.top_k(z, 2),
        lambda z: filters.top_p(z, 0.6), lambda z: filters.min_p(z, 0.4),
        lambda z: filters.typical(z, 0.6),
        lambda z: filters.repetition_penalty(z, np.full((len(z), 1), 1), 2.0),
    ):  # fmt: skip
        together = apply(rows)
        for row, expected in zip(rows, together, strict=True):
            np.testing.assert_array_equal(apply(row[None])[0], expected)


LOGITS = st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)


@given(
    st.lists(LOGITS, min_size=2, max_size=8),
    st.permutations(STRATEGIES), st.sampled_from([0, 1e-300, 1e-6, 0.7, 1, 1e6, 1e300]),
    st.integers(1, 8), st.floats(1e-9, 1), st.floats(0, 1), st.floats(1e-9, 1), st.floats(0.1, 10),
)  # fmt: skip
def test_something_is_always_left_and_nothing_is_nan(
    logits, order, temperature, k, p, least, typical, penalty
):
    config = SampleConfig(
        temperature=temperature, top_k=k, top_p=p, min_p=least, typical=typical,
        repetition_penalty=penalty, order=tuple(order),
    )  # fmt: skip
    logits = np.array([logits, logits[::-1]], np.float32)
    chooser = Chooser(config, logits.shape[1], 2, np.random.default_rng(0))
    with np.errstate(all="raise", under="ignore"):
        ids = chooser(logits, 0, np.zeros((2, 3), np.intp))
    assert ids.shape == (2,) and ((ids >= 0) & (ids < logits.shape[1])).all()


def chi_square(found, p):
    expected = p * found.sum()
    seen = expected > 0
    assert not found[~seen].any()
    return float(((found - expected)[seen] ** 2 / expected[seen]).sum())


SETTINGS = [
    ({"temperature": 1.0}, P),
    ({"temperature": 0.5}, P**2 / (P**2).sum()),
    ({"temperature": 2.0}, P**0.5 / (P**0.5).sum()),
    ({"temperature": 1e6}, np.full(5, 0.2)),
    ({"temperature": 1e7}, np.full(5, 0.2)),
    ({"temperature": 1e-6}, only(0)),
    ({"temperature": 1.0, "top_k": 3}, only(0, 1, 2)),
    ({"temperature": 1.0, "top_p": 0.7}, only(0, 1)),
    ({"temperature": 1.0, "min_p": 0.2}, only(0, 1, 2)),
    ({"temperature": 1.0, "typical": 0.3}, only(0, 1)),
]


@pytest.mark.parametrize(("settings", "p"), SETTINGS)
@pytest.mark.parametrize("B", [1, 500])
def test_draws_follow_the_probabilities(settings, p, B):
    """100,000 draws: chi-square of at most 4 degrees of freedom, the 0.9999 quantile is 23.5."""
    count = 100_000 if B > 1 else 10_000
    chooser = Chooser(SampleConfig(**settings), 5, B, np.random.default_rng(5))
    logits = np.tile(Z.astype(np.float32) + 3, (B, 1))
    written = np.zeros((B, 0), np.intp)
    draws = np.concatenate([chooser(logits, 0, written) for _ in range(count // B)])
    assert chi_square(np.bincount(draws, minlength=5), np.asarray(p)) < 23.5


def test_single_draws_follow_the_probabilities():
    drawn = draw(np.tile(Z, (100_000, 1)), np.random.default_rng(0))
    assert chi_square(np.bincount(drawn, minlength=5), P) < 23.5


def test_every_strategy_is_in_the_order_and_every_function_a_strategy():
    functions = {
        name for name, found in vars(filters).items()
        if inspect.isfunction(found) and found.__module__ == filters.__name__ and name[0] != "_"
    }  # fmt: skip
    assert functions == {*STRATEGIES}


def test_the_order_matters_and_is_kept():
    hot_last = SampleConfig(temperature=3.0, top_p=0.5, order=("top_p", "temperature"))
    hot_first = SampleConfig(temperature=3.0, top_p=0.5, order=("temperature", "top_p"))
    assert hot_last.order[-2:] == ("top_p", "temperature")
    found = []
    for config in (hot_last, hot_first):
        chooser = Chooser(config, 5, 1, np.random.default_rng(0))
        found.append({int(chooser(Z[None], 0, NOTHING)[0]) for _ in range(300)})
    # At temperature 3 the first two have 0.29 + 0.23 of the probability.
    assert found == [{0}, {0, 1}]
    assert len({SampleConfig(order=order).order for order in permutations(STRATEGIES, 2)}) > 6


def test_what_is_not_allowed_is_not_drawn():
    chooser = Chooser(SampleConfig(temperature=1.0), 5, 1, np.random.default_rng(0))
    allowed = np.array([False, True, False, True, False])
    drawn = {int(chooser(Z[None], 0, NOTHING, allowed)[0]) for _ in range(200)}
    assert drawn == {1, 3}
    with pytest.raises(UsageError, match="forbidden"):
        chooser(Z[None], 0, NOTHING, np.zeros(5, bool))


def test_a_temperature_moves_with_the_position():
    chooser = Chooser(SampleConfig(10, "piecewise:0=0,5=0,6=1000"), 5, 1, np.random.default_rng(0))
    cold = {int(chooser(Z[None], 5, NOTHING)[0]) for _ in range(100)}
    hot = {int(chooser(Z[None], 6, NOTHING)[0]) for _ in range(100)}
    assert cold == {0} and hot == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("settings", [{}, {"temperature": 0}, {"top_k": 2}])
def test_a_diverged_model_is_told(bad, settings):
    logits = np.array([[0.0, bad, 1.0]])
    with pytest.raises(UsageError, match="diverged"):
        Chooser(SampleConfig(**settings), 3, 1, np.random.default_rng(0))(logits, 0, NOTHING)
    two = np.concatenate([np.zeros((1, 3)), logits])
    with pytest.raises(UsageError, match="diverged"):
        Chooser(SampleConfig(**settings), 3, 2, np.random.default_rng(0))(
            two, 0, np.zeros((2, 0), np.intp)
        )


def test_bias_and_forbid_name_characters():
    vocabulary = Vocabulary("abc")
    amounts = bias_amounts(SampleConfig(bias=(("a", 1.5), ("b", -1)), forbid="b"), vocabulary)
    assert amounts.tolist() == [1.5, -math.inf, 0]
    assert bias_amounts(SampleConfig(), vocabulary) is None
    with pytest.raises(UsageError, match="'x'"):
        bias_amounts(SampleConfig(forbid="x"), vocabulary)
    with pytest.raises(UsageError, match="bytes"):
        bias_amounts(SampleConfig(forbid="é"), ByteVocabulary())


@pytest.mark.parametrize(
    "settings",
    [
        {"top_p": 0}, {"top_p": 1.1}, {"top_k": -1}, {"min_p": -0.1}, {"typical": 0},
        {"repetition_penalty": 0}, {"repetition_window": 0}, {"order": ("hot",)},
        {"order": ("top_k", "top_k")}, {"bias": (("ab", 1.0),)}, {"bias": (("a", math.nan),)},
        {"stop": ("",)}, {"words": ("",)}, {"lines": -1}, {"code": "perl"}, {"temperature": -1},
    ],
)  # fmt: skip
def test_wrong_settings(settings):
    with pytest.raises(UsageError):
        SampleConfig(**settings)


def test_a_config_goes_through_json_and_back():
    config = SampleConfig(bias=(("a", 1.0),), stop=("x",), order=("top_p", "temperature"))
    lists = {k: list(v) if isinstance(v, tuple) else v for k, v in config.to_dict().items()}
    assert SampleConfig.from_dict(lists) == config
