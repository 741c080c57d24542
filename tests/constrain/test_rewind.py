"""Taking back what cannot go on."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from char_rnn import CharRNN, SampleConfig, Vocabulary
from char_rnn.constrain.guard import Choices, make_guard
from char_rnn.constrain.rewind import ConstrainedIds
from char_rnn.errors import ConstraintNotMet
from char_rnn.generate.choose import Chooser
from char_rnn.generate.sampler import after_reading

CELLS = [("rnn", 1, False), ("gru", 2, False), ("gru", 1, True), ("lstm", 2, False)]
V = 5
FREE = np.ones(V, bool)


class Blind:
    """A guard without look-ahead, of which a place is the tuple of ids so far.

    It lets everything through as long as `fits`, and nothing after that.
    """

    unit = "characters"
    names = ("blind",)

    def __init__(self, fits, reach=None):
        self._fits, self.reach, self.end = fits, reach, None

    def begin(self, seed_ids, length):
        return ()

    def choices(self, place, left):
        return Choices([FREE if self._fits(place) else ~FREE], None)

    def advance(self, place, idx):
        return (*place, idx)

    def met(self, place):
        return self._fits(place)

    def blame(self, place, left):
        return ["blind"]


def model(cell="gru", layers=1, norm=False):
    made = CharRNN(
        V, 8, cell, layers, rng=np.random.default_rng(1), vocabulary=Vocabulary("abcde"),
        init="uniform", layer_norm=norm,
    )  # fmt: skip
    made.parameters["out.weight"] *= 20
    return made


def run(made, guard, rng_seed=0, length=40, effort=5000, temperature=1.0, chooser=None):
    ids = made.vocabulary.encode("ab")
    stepper = after_reading(made.parameters, [ids])
    config = SampleConfig(length=length, temperature=temperature)
    draw = chooser or Chooser(config, V, 1, np.random.default_rng(rng_seed))
    return ConstrainedIds(stepper, ids, length, draw, guard, effort)


def no_repeats(place):
    return all(a != b for a, b in pairwise(place))


@pytest.mark.parametrize(("cell", "layers", "norm"), CELLS)
@pytest.mark.parametrize("temperature", [0, 1])
def test_what_runs_dry_is_taken_back(cell, layers, norm, temperature):
    made = model(cell, layers, norm)
    for k in range(3):
        rewound = run(made, Blind(no_repeats), k, temperature=temperature)
        ids = tuple(rewound)
        assert len(ids) == 40
        assert no_repeats(ids)
        assert rewound.taken_back > 0


@pytest.mark.parametrize(("cell", "layers", "norm"), CELLS)
def test_after_rewinding_the_network_is_where_the_text_is(cell, layers, norm):
    """Every id is drawn from the logits that its text really has, also far behind a snapshot."""
    made = model(cell, layers, norm)
    rng = np.random.default_rng(0)
    seen = []

    def chooser(logits, at, written, allowed):
        assert written.shape == (1, at)
        seen.append((written[0].copy(), logits[0].copy()))
        return np.array([rng.choice(np.flatnonzero(allowed))])

    def fits(place):
        return sum(place) < 72 and no_repeats(place)

    rewound = run(made, Blind(fits), chooser=chooser)
    list(rewound)
    assert rewound.taken_back > 40
    for written, logits in seen[:: max(1, len(seen) // 50)]:
        ids = np.concatenate([made.vocabulary.encode("ab"), written])
        expected = made.forward(ids)[0][-1, 0]
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, V - 1), min_size=3, max_size=3))
@settings(max_examples=20, deadline=None)
def test_the_only_text_there_is_is_found(rng_seed, wanted):
    """Known only at the end: a search that leaves anything out for good would not find it."""
    ids = run(
        model(), Blind(lambda p: len(p) < 3 or p == tuple(wanted)), rng_seed, 3, effort=100_000
    )
    assert list(ids) == wanted


def test_far_mistakes_are_reached():
    """The first of 60 ids decides, and that shows at the end."""
    guard = Blind(lambda place: len(place) < 60 or place[0] == 3)
    rewound = run(model(), guard, length=60, effort=5000)
    assert next(iter(rewound)) == 3
    assert rewound.taken_back < 5000


def test_the_effort_is_a_limit():
    never = Blind(lambda place: len(place) < 10)
    rewound = run(model(), never, effort=300)
    with pytest.raises(ConstraintNotMet, match="blind could not be met: the effort of 300 is sp"):
        list(rewound)
    assert 200 < rewound.taken_back <= 300
    with pytest.raises(ConstraintNotMet, match="after 10 of 40 characters"):
        list(run(model(), never, effort=0))


def test_what_has_no_text_is_known_without_the_effort():
    rewound = run(model(), Blind(lambda place: len(place) < 2), effort=10**9)
    with pytest.raises(ConstraintNotMet, match="no text meets all of it"):
        list(rewound)


def test_the_same_seed_gives_the_same_text():
    texts = [list(run(model(), Blind(no_repeats), k)) for k in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_ids_come_as_soon_as_they_are_final():
    drawn = []

    def counting(logits, at, written, allowed):
        drawn.append(at)
        return np.array([np.flatnonzero(allowed)[0]])

    vocabulary = Vocabulary("abcde")
    guard = make_guard(SampleConfig(regex="[a-c]+"), vocabulary, 30)
    for n, _ in enumerate(run(model(), guard, length=30, chooser=counting), 1):
        assert len(drawn) == n  # exact look-ahead: at once
    for reach, effort in [(7, 1000), (None, 7)]:
        drawn.clear()
        ids = run(model(), Blind(lambda place: True, reach), 0, 30, effort, chooser=counting)
        held = [max(drawn) + 1 - n for n, _ in enumerate(ids, 1)]
        assert max(held) == 7
    drawn.clear()
    first = next(iter(run(model(), Blind(lambda place: True), length=30, chooser=counting)))
    assert first == 0
    assert len(drawn) == 30  # the first id may be taken back until the end


def test_only_what_is_near_is_taken_back_if_the_guard_says_so():
    guard = Blind(lambda place: len(place) < 30 or place[0] == 9, reach=4)
    rewound = run(model(), guard, length=40, effort=10**6)
    with pytest.raises(ConstraintNotMet, match="the last 4 characters allow no"):
        list(rewound)


def test_nothing_is_written_in_no_length():
    assert list(run(model(), Blind(no_repeats), length=0)) == []
