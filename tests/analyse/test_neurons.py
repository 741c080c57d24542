"""The search for units that follow features: against slow definitions, and a unit planted."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn import CharRNN, Vocabulary
from char_rnn.analyse.features import FEATURES, Feature
from char_rnn.analyse.neurons import (
    Unit,
    activations,
    by_character,
    is_gate,
    named_unit,
    of_unit,
    ranks,
    saturation,
    scored,
    search,
    shown,
    weights,
)
from char_rnn.errors import UsageError  # fmt: skip

FEW = st.integers(-3, 3)  # so that many are equal
PLACE = next(feature for feature in FEATURES if feature.name == "place in line")
LATE = next(feature for feature in FEATURES if feature.name == "late in line")


def slow_area(values, there):
    """Return the share of pairs in which the one with the feature is higher; ties count half."""
    one, other = values[there][:, None], values[~there]
    return np.mean((one > other) + (one == other) / 2)


def slow_ranks(values):
    below, equal = values[:, None] > values, values[:, None] == values
    return below.sum(axis=1) + (equal.sum(axis=1) - 1) / 2


def score(values, feature, numeric):
    found = scored(ranks(values[None]), weights(feature, numeric)[None], np.array([numeric]))
    return found[0, 0]


@given(st.lists(st.tuples(FEW, st.booleans()), min_size=2, max_size=30))
def test_the_area_is_that_of_all_pairs(rows):
    values, there = (np.array(column) for column in zip(*rows, strict=True))
    expected = slow_area(values, there) - 0.5 if 0 < there.sum() < len(there) else 0.0
    assert score(values, there.astype(float), False) == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.tuples(FEW, FEW), min_size=2, max_size=30))
def test_the_correlation_is_that_of_ranks(rows):
    values, numbers = (np.array(column, float) for column in zip(*rows, strict=True))
    np.testing.assert_array_equal(
        ranks(values[None])[0], slow_ranks(values) - (len(values) - 1) / 2
    )
    constant = np.ptp(values) == 0 or np.ptp(numbers) == 0
    expected = 0 if constant else np.corrcoef(slow_ranks(values), slow_ranks(numbers))[0, 1]
    assert score(values, numbers, True) == pytest.approx(expected, abs=1e-12)


def test_saturation_is_the_share_of_characters():
    gates = np.random.default_rng(0).random((40, 2, 3)).astype(np.float32)
    left, right = saturation(gates)
    for layer in range(2):
        for unit in range(3):
            values = gates[:, layer, unit].tolist()
            assert left[layer, unit] == pytest.approx(sum(v < 0.1 for v in values) / 40)
            assert right[layer, unit] == pytest.approx(sum(v > 0.9 for v in values) / 40)
    assert is_gate("z", gates) and not is_gate("h", gates)
    assert not is_gate("n", gates - 0.5) and not is_gate("n", 2 * gates)


def test_what_the_character_alone_tells():
    """Learned from one text and scored on another; a character that is new is worth the mean."""
    first, there = np.array([0, 0, 0, 1, 1, 2]), np.array([1, 1, 0, 1, 0, 0])
    other, holds = np.array([0, 1, 2, 3, 3]), np.array([1, 0, 0, 1, 0])
    worth = np.array([2 / 3, 1 / 2, 0, 1 / 2, 1 / 2])
    found = by_character(first, there.astype(float), other, holds.astype(float), False)
    assert 0.5 + found == pytest.approx(slow_area(worth, holds == 1)) != 0.5


class Planted:
    """Like a GRU of 2 layers of 5 units; unit 2:4 is low late in a line, gate 1:z:2 counts.

    noise: how much of them is chance. fooled: in its first text unit 1:1 follows perfectly.
    """

    vocabulary = Vocabulary("ab\n")

    def __init__(self, noise, fooled=False):
        self.noise, self.fooled, self.read = noise, fooled, []

    def states(self, ids, gates):
        rng = np.random.default_rng(len(self.read))
        h, z = rng.standard_normal((len(ids), 2, 1, 5)), rng.random((len(ids), 2, 1, 5))
        text = shown(self, ids)
        late, place = LATE.values(text), PLACE.values(text)
        h[:, 1, 0, 3] = self.noise * rng.standard_normal(len(ids)) - late
        z[:, 0, 0, 1] = (place + 20 * self.noise * rng.random(len(ids))) / 200
        if self.fooled and not self.read:
            h[:, 0, 0, 0] = late
        self.read.append({"h": h, "z": z})
        return h, {"z": z}


def planted_texts(model, size=2000, count=3):
    rng = np.random.default_rng(0)
    lines = [
        "".join(rng.choice(["a", "b"], rng.integers(20, 70))) for _ in range(count * size // 20)
    ]
    ids = model.vocabulary.encode("\n".join(lines))
    return [ids[k * size : (k + 1) * size] for k in range(count)]


def test_the_search_finds_a_planted_unit_and_scores_it_on_other_texts():
    model = Planted(noise=0.5)
    texts = planted_texts(model)
    found = search(model, texts, [LATE, PLACE])
    late, place = found.states
    assert (late.unit, late.sign) == (Unit(2, "h", 4), -1) and place.unit == late.unit
    count = found.gates[1]
    assert (count.unit, count.sign) == (Unit(1, "z", 2), 1)
    for k, ids in enumerate(texts[1:]):
        text, inside = shown(model, ids), model.read[1 + k]
        area = slow_area(-inside["h"][:, 1, 0, 3], LATE.values(text) > 0)
        assert late.held_out[k] == pytest.approx(area) and 0.85 < area < 0.99
        both = slow_ranks(inside["z"][:, 0, 0, 1]), slow_ranks(PLACE.values(text))
        assert count.held_out[k] == pytest.approx(np.corrcoef(*both)[0, 1])
    assert late.score == pytest.approx(np.median(late.held_out))
    # Letters are drawn, so that no character tells where it stands; noise follows nothing.
    assert max(late.character) < 0.6 and late.beyond > 0.2
    assert 0.52 < min(late.chance) <= max(late.chance) < 0.7  # the best of 20 units, moved 20 times
    assert found.scores[0].saturated["z"].shape == (2, 2, 5)
    assert "h" not in found.scores[0].saturated


def test_luck_in_the_search_is_found_out_on_other_texts():
    found = search(Planted(0.5, fooled=True), planted_texts(Planted), [LATE])
    assert found.states[0].unit == Unit(1, "h", 1)
    assert found.states[0].searched == pytest.approx(1)
    assert abs(found.states[0].score - 0.5) < 0.1 and found.states[0].beyond < 0


def test_the_sign_is_that_of_the_search():
    """A unit that turns over in the other texts does not score above one half."""

    class Turning(Planted):
        def states(self, ids, gates):
            h, z = super().states(ids, gates)
            return (h if len(self.read) == 1 else -h), z

    assert search(Turning(0.5), planted_texts(Planted), [LATE]).states[0].score < 0.2


def test_what_hardly_occurs_is_left_out():
    quotes = next(feature for feature in FEATURES if feature.name == "in quotes")
    found = search(Planted(0.5), planted_texts(Planted), [quotes, LATE])
    assert found.left_out == [quotes] and [f.feature for f in found.states] == [LATE]
    with pytest.raises(UsageError, match="often enough"):
        search(Planted(0.5), planted_texts(Planted), [quotes])


@pytest.mark.parametrize(
    ("cell", "kinds"), [("lstm", "hcifgo"), ("gru", "hrzn"), ("rnn", "h")]
)  # fmt: skip
def test_what_is_inside_each_cell(cell, kinds):
    text = "abcab"
    model = CharRNN(3, 4, cell, layers=2, vocabulary=Vocabulary(text))
    inside = activations(model, model.vocabulary.encode(text))
    assert set(inside) == set(kinds) and all(v.shape == (5, 2, 4) for v in inside.values())
    states, gates = model.states(text, gates=True)
    h = states[0] if cell == "lstm" else states
    np.testing.assert_array_equal(of_unit(inside, Unit(2, "h", 3)), h[:, 1, 0, 2])
    if cell == "lstm":
        np.testing.assert_array_equal(of_unit(inside, Unit(1, "f", 1)), gates["f"][:, 0, 0, 0])
        np.testing.assert_array_equal(of_unit(inside, Unit(1, "c", 1)), states[1][:, 0, 0, 0])


def test_units_by_name():
    inside = {"h": np.zeros((1, 2, 8)), "z": np.zeros((1, 2, 8))}
    for name, unit in (("2:8", Unit(2, "h", 8)), ("1:z:1", Unit(1, "z", 1))):
        assert named_unit(name, inside) == unit and str(unit) == name
    for name, said in (
        ("", "LAYER:UNIT"), ("7", "LAYER:UNIT"), ("1:2:3:4", "LAYER:UNIT"), ("a:1", "1:z:37"),
        ("1:q:2", "has h, z, not 'q'"), ("3:1", "layer must be from 1 to 2"),
        ("0:1", "layer must be"), ("1:9", "unit must be from 1 to 8"), ("1:-1", "unit must be"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            named_unit(name, inside)


def test_a_model_without_a_vocabulary():
    with pytest.raises(UsageError, match="no vocabulary"):
        shown(SimpleNamespace(vocabulary=None), np.zeros(1, int))


def test_a_feature_of_one_s_own():
    after_b = Feature("after b", "b stood before", lambda text: ("b" in text[:t] for t in range(9)))
    assert after_b.values("aabaaaaaa").tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]
