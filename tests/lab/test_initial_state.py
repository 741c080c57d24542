"""Initial states: learned is best for a character, then all are the same."""

import numpy as np
import pytest

from char_rnn import CharRNN, cross_entropy, lab
from char_rnn.lab.initial_state import costs, extra


@pytest.fixture(scope="module")
def found():
    sizes = {"characters": 60_000, "iterations": 200, "hidden_size": 32, "ahead": 20, "starts": 200}
    return lab.run("initial-state", seeds=1, processes=1, **sizes)


def more(found, at):
    """Return how much more than with a carried state the character `at` costs, by the way."""
    return {name: extra(way, slice(at, at + 1))[0] for name, way in found.numbers.items()}


def test_a_learned_state_knows_more_of_the_first_character(found):
    # In 6 seeds: learned 0.14 to 0.19 nats more than a carried state, zeros 0.88 to 0.96.
    first = more(found, 0)
    assert first["learned"] < first["zeros"] - 0.3


def test_random_is_no_better_than_zeros(found):
    # They differ by 0.02 at most, in 6 seeds.
    first = more(found, 0)
    assert first["random"] == pytest.approx(first["zeros"], abs=0.1)


def test_whoever_never_began_again_knows_starts_least(found):
    # The second character costs 0.44 to 0.57 nats more, and 0.29 to 0.39 of those that began again.
    second = more(found, 1)
    assert second["zeros, never begun again"] > second["zeros"] + 0.05


def test_after_ten_characters_it_is_all_the_same(found):
    later = [extra(way, slice(10, None))[0] for way in found.numbers.values()]
    np.testing.assert_allclose(later, 0, atol=0.02)  # 0.005 at most, in 6 seeds


def test_what_is_said_is_what_was_found(found):
    assert f"zeros {more(found, 0)['zeros']:+.2f}, random" in found.found
    assert len(found.figure.panels) == 2


def test_costs_are_of_each_character_over_all_streams():
    rng = np.random.default_rng(0)
    model = CharRNN(4, 3, "gru", rng=rng)
    ids = rng.integers(4, size=(6, 5))
    found = costs(model, ids, None)
    logits, _ = model.forward(ids[:-1])
    assert len(found) == 5
    assert np.mean(found) == pytest.approx(cross_entropy(logits, ids[1:])[0], rel=1e-6)
