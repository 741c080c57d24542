"""Free running: no drift where the model is the truth, drift where it is not, exact figures."""

import builtins
import json

import numpy as np
import pytest
from click.testing import CliRunner

from char_rnn import CharRNN, Corpus
from char_rnn.analyse.free_running import (
    ORDER,
    _continue,
    _nats,
    _reference,
    bins,
    free_running,
    places_of,
)
from char_rnn.analyse.ngrams import ngram_nats
from char_rnn.analyse.plots import plot_free_running
from char_rnn.cli.main import cli
from char_rnn.data.vocabulary import ByteVocabulary, Vocabulary
from char_rnn.errors import MissingExtra, TextTooShort, UsageError

CHARS = "abcd"
CHAIN = np.array([[0.1, 0.6, 0.2, 0.1], [0.3, 0.05, 0.6, 0.05], [0.7, 0.2, 0.05, 0.05],
                  [0.25, 0.25, 0.25, 0.25]])  # fmt: skip


def markov(chain):
    """Return a model whose probabilities after character i are chain[i] (V, V)."""
    V = len(chain)
    model = CharRNN(V, V, "rnn", vocabulary=Vocabulary(CHARS[:V]), dtype="float64",
                    rng=np.random.default_rng(0))  # fmt: skip
    for name, values in (("rnn.weight_ih_l0", 20 * np.eye(V)), ("rnn.weight_hh_l0", 0),
                         ("rnn.bias_ih_l0", 0), ("rnn.bias_hh_l0", 0), ("out.bias", 0),
                         ("out.weight", np.log(np.array(chain)).T)):  # fmt: skip
        model.parameters[name] = values
    return model


def text(chain, length, seed=0):
    rng, edges = np.random.default_rng(seed), np.cumsum(chain, axis=1)
    ids = [0]
    for u in rng.random(length - 1):
        ids.append(min(int(np.searchsorted(edges[ids[-1]], u)), len(chain) - 1))
    return Corpus.from_text("".join(CHARS[i] for i in ids), Vocabulary(CHARS[: len(chain)]))


@pytest.fixture(scope="module")
def corpus():
    return text(CHAIN, 40_000)


def run(model, corpus, start=20_000, **settings):
    settings = {"context": 20, "length": 200, "train": corpus.read(0, start)} | settings
    return free_running(model, corpus, start, corpus.length, np.random.default_rng(1), **settings)


def entropy(chain):
    values, vectors = np.linalg.eig(np.array(chain).T)
    share = np.real(vectors[:, np.argmax(np.real(values))])
    share /= share.sum()
    return -(share[:, None] * chain * np.log(chain)).sum()


def test_a_model_that_is_the_truth_does_not_drift(corpus):
    found = run(markov(CHAIN), corpus)
    assert (found.passages, found.context, found.length) == (99, 20, 200)
    assert (found.near, found.far) == (16, 101)
    for row in found.rows:
        for loss in (row.model, row.reference):
            assert abs(loss.own - loss.real) < 4 * loss.error
    far = found.rows[-1]
    assert far.model.real == pytest.approx(entropy(CHAIN), abs=0.02)
    assert far.model.own == pytest.approx(entropy(CHAIN), abs=0.02)
    assert far.reference.real == pytest.approx(entropy(CHAIN), abs=0.05)
    for growth in (found.model, found.reference):
        assert abs(growth.far - growth.near) < 4 * growth.error < 0.3


def test_a_model_that_gets_lost_drifts_away(corpus):
    """Now and then it writes a d, where the text seldom has one, and goes on writing d's."""
    lost = CHAIN.copy()
    lost[:, 3] = 0.05
    lost[:3, :3] *= 0.95 / lost[:3, :3].sum(axis=1, keepdims=True)
    lost[3] = 0.01, 0.01, 0.01, 0.97
    real = CHAIN.copy()
    real[:3, 3] = 0.01
    real[3] = 0.97, 0.01, 0.01, 0.01
    real /= real.sum(axis=1, keepdims=True)
    corpus = text(real, 40_000)
    found = run(markov(lost), corpus)
    reference = [row.reference for row in found.rows]
    assert found.reference.far - found.reference.near > 5 * found.reference.error
    assert found.reference.far > 1 > found.reference.near
    assert reference[-1].own > reference[0].own + 0.5
    # On real text nothing depends on the distance.
    assert np.ptp([loss.real for loss in reference[4:]]) < 0.15
    # The model itself is sure of what it repeats.
    assert found.rows[-1].model.own < found.rows[0].model.own - 0.3
    assert found.model.far - found.model.near < -5 * found.model.error


def test_figures_are_those_of_single_passages(corpus):
    model = CharRNN(4, 5, "gru", 2, vocabulary=corpus.vocabulary, rng=np.random.default_rng(2),
                    initial_state="learned")  # fmt: skip
    model.parameters["h0"] += 0.7
    model.parameters["out.weight"] *= 5
    found = run(model, corpus, context=30, length=60)
    places, length = places_of(20_000, 40_000, 30, 60)
    assert length == 60 and len(places) == 256
    nats = []
    for place in places:
        ids = corpus.read(place - 30, place + 60)
        logits = model.forward(ids[:-1])[0][29:, 0].astype(float)
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        nats.append(-np.log(p[np.arange(60), ids[30:]]))
    for row in found.rows:
        expected = np.mean(np.array(nats)[:, row.first - 1 : row.last])
        assert row.model.real == pytest.approx(expected, rel=1e-4)


def test_the_reference_sees_the_context_of_its_passage_and_nothing_else(corpus):
    train = corpus.read(0, 5000)
    rng = np.random.default_rng(0)
    contexts, real, own = (rng.integers(4, size=(n, 7)) for n in (9, 12, 12))
    for tails, nats in zip((real, own), _reference(train, contexts, (real, own), 4), strict=True):
        assert nats.shape == (12, 7)
        for passage in range(7):
            one = np.concatenate([contexts[:, passage], tails[:, passage]])
            alone = dict(ngram_nats(train, one, 4, ORDER))[ORDER][9:]
            np.testing.assert_allclose(nats[:, passage], alone)


def test_what_the_model_writes_begins_where_the_context_ends():
    """After the context only one character is likely: the one that stands there in the text."""
    cycle = np.full((4, 4), 1e-9)
    cycle[np.arange(4), [1, 2, 3, 0]] = 1
    corpus = text(cycle / cycle.sum(axis=1, keepdims=True), 2000)
    found = run(markov(cycle), corpus, 1000, length=20)
    for row in found.rows:
        assert row.model.own == pytest.approx(0, abs=1e-6)
        assert row.model.real == pytest.approx(0, abs=1e-6)
        assert row.reference.own == pytest.approx(row.reference.real)


def test_both_begin_with_the_learned_initial_state():
    """Its one unit keeps the sign that it begins with, and that says what is written."""
    model = CharRNN(4, 1, "rnn", initial_state="learned", rng=np.random.default_rng(0))
    for name, values in (("rnn.weight_ih_l0", 0), ("rnn.weight_hh_l0", 20), ("h0", 1),
                         ("out.weight", [[0], [0], [50], [0]])):  # fmt: skip
        model.parameters[name] = values
    own, nats = _continue(model, np.zeros((3, 5), np.intp), 10, np.random.default_rng(0), None)
    assert (own == 2).all() and nats.max() < 1e-9
    assert _nats(model, np.full((9, 5), 2)).max() < 1e-9


def test_passages_lie_in_the_scored_part_and_do_not_overlap():
    for start, stop, context, length in ((10, 100, 20, 1000), (0, 5000, 200, 1000),
                                         (7, 90_000, 200, 1000), (3, 9_000_000, 200, 1000),
                                         (0, 216, 200, 1)):  # fmt: skip
        places, size = places_of(start, stop, context, length)
        assert 1 <= size <= length and 16 <= len(places) <= 256
        assert places[0] - context == start and places[-1] + size == stop
        assert (np.diff(places) >= size).all()
    assert places_of(0, 90_200, 200, 1000)[1] == 1000
    with pytest.raises(TextTooShort, match="216"):
        places_of(0, 215, 200, 1000)


def test_distances_double():
    assert bins(1) == [(1, 1)]
    assert bins(2) == [(1, 1), (2, 2)]
    assert bins(5) == [(1, 1), (2, 2), (3, 5)]
    assert bins(6) == [(1, 1), (2, 2), (3, 4), (5, 6)]
    assert bins(1000)[-2:] == [(257, 512), (513, 1000)]
    for length in range(1, 70):
        covered = [k for first, last in bins(length) for k in range(first, last + 1)]
        assert covered == list(range(1, length + 1))


def test_the_same_random_numbers_give_the_same_figures_without_a_reference(corpus):
    model, told = markov(CHAIN), []
    found = [run(model, corpus, train=None, length=40, progress=told.append) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].reference is None and found[0].rows[0].reference is None
    assert told[-1] == 1
    again = json.loads(json.dumps(found[0].to_dict()))
    assert again["rows"][0]["model"]["own"] == found[0].rows[0].model.own
    assert again["reference"] is None and set(again["model"]) == {"near", "far", "error"}
    json.dumps(run(model, corpus, length=20).to_dict())


def test_bytes():
    corpus = Corpus.from_text(b"to be or not to be " * 100)
    model = CharRNN(256, 8, vocabulary=ByteVocabulary(), rng=np.random.default_rng(0))
    found = run(model, corpus, 1000)
    assert found.length == (1900 - 1000 - 20) // 16 and found.reference is not None


@pytest.mark.parametrize("train", [True, False])
def test_the_picture(corpus, tmp_path, train):
    pytest.importorskip("matplotlib")
    more = {} if train else {"train": None}
    plot_free_running(run(markov(CHAIN), corpus, length=30, **more), tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text("utf-8")
    assert drawn.startswith("<?xml") and len(drawn) > 10_000


def test_the_picture_without_matplotlib(corpus, tmp_path, monkeypatch):
    honest = builtins.__import__

    def refuse(name, *others):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return honest(name, *others)

    found = run(markov(CHAIN), corpus, length=20)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match="plots"):
        plot_free_running(found, tmp_path / "a.svg")


def evaluate(folder, *more):
    arguments = ["evaluate", str(folder / "m.safetensors"), str(folder / "t.txt"), *more]
    return CliRunner().invoke(cli, [*arguments, "--no_baselines"])


def test_the_command(corpus, tmp_path):
    markov(CHAIN).save(tmp_path / "m.safetensors")
    (tmp_path / "t.txt").write_text(corpus.preview(6000), "utf-8")
    done = evaluate(tmp_path, "--free_running", "--val_fraction", "0.5", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)["free running"]
    assert (found["passages"], found["context"], found["length"]) == (16, 200, 175)
    again = evaluate(tmp_path, "--free-running", "--val_fraction", "0.5").output
    assert "6-gram of the part before: " in again and "65–175 " in again
    own, growth = found["rows"][0]["model"]["own"], found["reference"]
    assert f" {own:.3f} " in again  # the same random numbers
    assert f"growth {growth['far'] - growth['near']:+.3f} ± {growth['error']:.3f}" in again
    whole = evaluate(tmp_path, "--free_running").output
    assert "6-gram" not in whole and "--val_fraction 0.1" in whole
    for wrong in (["--plot", "a.png"], ["--free_running", "--plot", "a.txt"]):
        assert isinstance(evaluate(tmp_path, *wrong).exception, UsageError)


def test_the_command_draws(corpus, tmp_path):
    pytest.importorskip("matplotlib")
    markov(CHAIN).save(tmp_path / "m.safetensors")
    (tmp_path / "t.txt").write_text(corpus.preview(3000), "utf-8")
    done = evaluate(tmp_path, "--free_running", "--plot", str(tmp_path / "a.png"))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
