"""Beam search beside exhaustive search, and beside a slow beam search that keeps every text."""

from itertools import pairwise, product

import numpy as np
import pytest

from char_rnn import CharRNN, Vocabulary
from char_rnn.errors import UsageError
from char_rnn.generate import beam
from char_rnn.generate.beam import beam_search
from char_rnn.generate.hypotheses import stop_texts

CELLS = [("rnn", False), ("gru", False), ("gru", True), ("lstm", False)]
V, LENGTH, ALL = 4, 5, 4**4
SEED = [2, 1]


def made(cell="gru", reset_after=False, layers=1, V=V, H=6, dtype="float64", key=1):
    """Return a model with clear preferences."""
    vocabulary = Vocabulary("\n" + "abcdefghijk"[: V - 1])
    model = CharRNN(
        V, H, cell, layers, reset_after, dtype, np.random.default_rng(key), vocabulary,
        init="uniform",
    )  # fmt: skip
    model.parameters.flat[:] *= 4
    return model


def search(model, length=LENGTH, seed=SEED, **settings):
    return beam_search(model.parameters, np.array(seed), length, **settings)


def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def log_probability(model, text, temperature=1.0, seed=SEED):
    """Return that of `text` after the seed, by the network as training runs it."""
    logits, _ = model.forward(np.array([*seed, *text])[:-1])
    log_p = log_softmax(logits[len(seed) - 1 :, 0] / temperature)
    return float(log_p[np.arange(len(text)), list(text)].sum())


def exhaustive(model, length, ends=(), penalty=0.0):
    """Return (score, log-probability, text) of every text there is, the best first."""
    every = list(product(range(model.config.vocab_size), repeat=length))
    ids = np.array([[*SEED, *text] for text in every]).T
    log_p = log_softmax(model.forward(ids[:-1])[0][len(SEED) - 1 :])
    sums = np.take_along_axis(log_p, ids[len(SEED) :, :, None], 2)[:, :, 0].cumsum(0)
    found = {}
    for text, of_text in zip(every, sums.T, strict=True):
        n = next((i for i, idx in enumerate(text) if idx in ends), length - 1) + 1
        found[text[:n]] = (of_text[n - 1] / n**penalty, of_text[n - 1], text[:n])
    return sorted(found.values(), reverse=True)


def texts(found):
    return [tuple(h.ids.tolist()) for h in found]


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_a_wide_search_equals_an_exhaustive_one(cell, reset_after, layers):
    model = made(cell, reset_after, layers)
    expected = exhaustive(model, LENGTH)[:ALL]
    found = search(model, width=ALL, results=ALL)
    assert texts(found) == [text for _, _, text in expected]
    np.testing.assert_allclose(
        [h.log_probability for h in found], [log_p for _, log_p, _ in expected], atol=1e-12
    )


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("ends", [{0}, (1, 3), range(V)])
def test_it_equals_an_exhaustive_one_where_texts_can_end(penalty, ends):
    model = made()
    expected = exhaustive(model, LENGTH, set(ends), penalty)
    for results in (1, 3, 40):
        found = search(model, width=ALL, results=results, ends=ends, length_penalty=penalty)
        assert texts(found) == [text for _, _, text in expected[:results]]
        np.testing.assert_allclose(
            [(h.score, h.log_probability) for h in found],
            [one[:2] for one in expected[:results]], atol=1e-12,
        )  # fmt: skip


def slow_search(model, length, width, groups, diversity, ends, penalty, results):
    """Search with whole texts, one at a time; return texts and scores, and how they are ranked."""
    each = width // groups
    living = [[()] for _ in range(groups)]
    complete = [[] for _ in range(groups)]
    for t in range(length):
        chosen = np.zeros(V)
        for g in range(groups):
            longer = [(*text, idx) for text in living[g] for idx in range(V)]
            scored = [(log_probability(model, text), text) for text in longer]
            complete[g] += [(p / (t + 1) ** penalty, s) for p, s in scored if s[-1] in ends]
            going = [(p - diversity * chosen[s[-1]], s) for p, s in scored if s[-1] not in ends]
            living[g] = [s for _, s in sorted(going, reverse=True)[:each]]
            chosen += np.bincount([s[-1] for s in living[g]], minlength=V)
    for of, group in zip(complete, living, strict=True):
        of += [(log_probability(model, text) / length**penalty, text) for text in group]
        of.sort(reverse=True)
        del of[results:]
    ranked = sorted((rank, -score, s) for of in complete for rank, (score, s) in enumerate(of))
    best = {}
    for _, score, text in ranked:
        if len(best) < results:
            best.setdefault(text, -score)
    return sorted(((score, text) for text, score in best.items()), reverse=True)


@pytest.mark.parametrize(("width", "groups"), [(1, 1), (2, 1), (4, 1), (6, 3), (4, 2), (12, 2)])
@pytest.mark.parametrize("ends", [set(), {0}, {1, 2, 3}])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_it_equals_a_slow_search(width, groups, ends, penalty):
    results = min(6, width)
    for key, diversity in enumerate((0.3, 1.0, 5.0)):
        model = made(key=key)
        expected = slow_search(model, 4, width, groups, diversity, ends, penalty, results)
        found = search(
            model, 4, width=width, groups=groups, diversity=diversity, ends=ends,
            length_penalty=penalty, results=results,
        )  # fmt: skip
        assert texts(found) == [text for _, text in expected]
        np.testing.assert_allclose([h.score for h in found], [score for score, _ in expected])


@pytest.mark.parametrize(("cell", "reset_after"), CELLS)
def test_width_1_takes_the_likeliest_character_at_each_step(cell, reset_after):
    model = made(cell, reset_after, 2, V=9)
    seed = model.vocabulary.decode(SEED)
    (found,) = search(model, 40, width=1)
    assert seed + model.vocabulary.decode(found.ids) == model.sample(seed, 40, temperature=0)


def test_the_best_text_is_never_worse_than_that_of_a_narrow_search():
    for key in range(10):
        model = made(key=key)
        best = search(model, width=ALL)[0].log_probability
        assert all(search(model, width=w)[0].log_probability <= best + 1e-12 for w in range(1, 9))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
def test_log_probabilities_are_those_of_the_model(dtype, temperature):
    model = made("lstm", layers=2, V=9, dtype=dtype)
    found = search(model, 30, width=10, results=10, temperature=temperature)
    expected = [log_probability(model, h.ids, temperature) for h in found]
    np.testing.assert_allclose(
        [h.log_probability for h in found], expected, rtol=1e-12 if dtype == "float64" else 1e-5
    )
    assert [h.score for h in found] == [h.log_probability / 30 for h in found]


def test_results_are_sorted_and_all_different():
    found = search(made(V=9), 30, width=10, results=10)
    assert len(set(texts(found))) == 10
    assert all(a.score >= b.score for a, b in pairwise(found))


def test_group_1_searches_as_if_it_were_alone():
    model = made(V=9)
    alone = search(model, 20, width=2, results=2)
    found = search(model, 20, width=6, groups=3, results=6, diversity=0.7)
    assert set(texts(alone)) <= set(texts(found))
    assert len(set(texts(found))) == len(found) > 2
    assert search(model, 20, width=6, groups=3)[0].score >= alone[0].score


def test_no_diversity_makes_equal_groups_and_much_of_it_different_ones():
    model = made(V=9)
    assert texts(search(model, 9, width=6, groups=3, results=6, diversity=0)) == texts(
        search(model, 9, width=2, results=2)
    )
    # One beam a group: what one group has chosen is too dear for all others at that step.
    found = search(model, 20, width=5, groups=5, results=5, diversity=1e3)
    assert len(found) == 5
    assert all(len(set(column)) == 5 for column in zip(*texts(found), strict=True))


def test_a_beam_that_is_not_alive_costs_nothing():
    for key, x in product(range(3), range(3)):
        model = made(V=3, key=key)

        def leave_one(written, x=x):
            mask = np.zeros((4, 3), bool)
            # Of group 1 a single beam lives on, with x.
            mask[:2] = written.shape[1] > 0
            mask[0, x] = False
            return mask

        alone = [text[0] for text in texts(search(model, 1, width=3, results=3))]
        second = [(first, c) for first in (alone[2], alone[0]) for c in range(3) if c != x]
        best = sorted(second, key=lambda text: -log_probability(model, text))[:2]
        found = search(model, 2, width=4, groups=2, results=4, diversity=1e3, ends=leave_one)
        assert set(best) <= set(texts(found))


def test_stop_texts():
    model = made()
    found = search(model, width=ALL, results=ALL, ends=stop_texts([[1], [3, 2, 3]], V))
    for text in texts(found):
        whole = [i for i, c in enumerate(text) if c == 1 or text[: i + 1][-3:] == (3, 2, 3)]
        assert whole == [len(text) - 1] or (not whole and len(text) == LENGTH)
    assert any(text[-3:] == (3, 2, 3) and len(text) < LENGTH for text in texts(found))
    # A stop text of one character is an id.
    assert texts(search(model, width=9, results=9, ends=stop_texts([[1]], V))) == texts(
        search(model, width=9, results=9, ends={1})
    )


def test_the_search_is_over_when_nothing_better_can_come(monkeypatch):
    steps = []

    class Counted(beam.Stepper):
        def step(self, ids):
            steps.append(ids)
            return super().step(ids)

    monkeypatch.setattr(beam, "Stepper", Counted)
    model = made()
    model.parameters["out.bias"][0] += 20
    (found,) = search(model, 100, ends={0, 1}, length_penalty=0.0)
    assert texts([found]) == [(0,)]
    assert steps == []
    # Nothing lives on where every character ends.
    assert len(search(model, 100, ends=range(V), results=10)) == V
    assert steps == []


@pytest.mark.parametrize("V", [1, 2, 3])
def test_fewer_characters_than_beams(V):
    model = made(V=V)
    found = search(model, 2, seed=[0], width=10, results=10)
    assert sorted(texts(found)) == list(product(range(V), repeat=2))
    assert np.exp([h.log_probability for h in found]).sum() == pytest.approx(1)


def test_what_is_impossible_is_no_result():
    model = made()
    model.parameters["out.bias"][1] = -np.inf
    found = search(model, 2, width=12, results=12)
    assert sorted(texts(found)) == list(product((0, 2, 3), repeat=2))


def test_length_0_and_1():
    model = made()
    (nothing,) = search(model, 0, results=3)
    assert (nothing.ids.size, nothing.log_probability, nothing.score) == (0, 0.0, 0.0)
    found = search(model, 1, width=4, results=4)
    assert sorted(texts(found)) == [(0,), (1,), (2,), (3,)]


@pytest.mark.parametrize("scale", [1, 1e3, 1e5])
@pytest.mark.parametrize("shift", [0.0, -740.0, -1e4, 1e4])
def test_large_logits_neither_overflow_nor_vanish(scale, shift):
    model = made()
    model.parameters["out.weight"][:] *= scale
    model.parameters["out.bias"][:] += shift
    for h in search(model, width=ALL, results=20):
        assert h.log_probability == pytest.approx(log_probability(model, h.ids), rel=1e-6, abs=1e-6)
    (found,) = search(made(), temperature=1e-300)
    assert found.log_probability == 0
    assert texts([found]) == texts(search(made(), width=1))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("settings", [{}, {"ends": {0}}, {"groups": 5}, {"temperature": 0.5}])
def test_a_diverged_model_is_told(bad, settings):
    model = made()
    model.parameters["out.bias"][1] = bad
    with pytest.raises(UsageError, match="diverged"):
        search(model, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 0}, "width is 0"),
        ({"groups": 0}, "groups is 0"),
        ({"groups": 3}, "groups is 3, width 10"),
        ({"results": 0}, "results is 0"),
        ({"results": 11}, "results is 11, width 10"),
        ({"length": -1}, "length is -1"),
        ({"diversity": -0.1}, "diversity is -0.1"),
        ({"diversity": np.inf}, "diversity is inf"),
        ({"length_penalty": -1}, "length_penalty is -1"),
        ({"length_penalty": np.nan}, "length_penalty is nan"),
        ({"temperature": 0}, "temperature is 0"),
        ({"temperature": np.nan}, "temperature is nan"),
        ({"ends": {4}}, "ends holds 4"),
        ({"seed": []}, "seed_ids have the shape"),
        ({"seed": [0.5]}, "seed_ids have the shape"),
        ({"seed": [4]}, "seed_ids reach from 4 to 4"),
    ],
)
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(UsageError, match=message):
        search(made(), **settings)
