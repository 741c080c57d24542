"""Surprisals, cold windows, baselines and passages."""

import math

import numpy as np
import pytest
from traced import traced

from char_rnn import CharRNN, Corpus, TrainConfig, Trainer
from char_rnn.analyse import baselines, surprise
from char_rnn.analyse.surprise import coloured, heat, likeliest, most_surprising
from char_rnn.data.document_streams import Rows
from char_rnn.data.vocabulary import ByteVocabulary, Vocabulary
from char_rnn.errors import TextTooShort
from char_rnn.model import room
from char_rnn.model.network import Network
from char_rnn.model.room import steps
from char_rnn.scoring import EVALUATION, TRAINING, cold_loss, mean_loss, surprisals, sweep

TEXT = "she sells sea shells by the sea shore. " * 120


@pytest.fixture(scope="module")
def trained():
    corpus = Corpus.from_text(TEXT)
    rng = np.random.default_rng(0)
    model = CharRNN(corpus.vocabulary.size, 24, "gru", 2, vocabulary=corpus.vocabulary, rng=rng)
    config = TrainConfig(iterations=150, eval_every=0, sample_every=0, threads=1, batch_size=8)
    list(Trainer(model, corpus, config, rng))
    return model, corpus


def plain(model, ids):
    """−log p, one character at a time."""
    logits = model.forward(ids[:-1])[0][:, 0].astype(np.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(ids) - 1), ids[1:]]


def test_one_stream_is_exact(trained):
    model, corpus = trained
    told = []
    found = surprisals(model, corpus, 7, 4000, 1, told.append)
    np.testing.assert_allclose(found, plain(model, corpus.read(7, 4000)), atol=1e-4)
    assert told[-1] == 1 and told == sorted(told)


def test_pieces_side_by_side_are_nearly_exact(trained):
    model, corpus = trained
    one, many = (surprisals(model, corpus, 0, corpus.length, n) for n in (1, 64))
    assert one.shape == many.shape == (corpus.length - 1,)
    np.testing.assert_allclose(many, one, atol=1e-2)


@pytest.mark.parametrize("rule", [EVALUATION, TRAINING])
def test_every_character_counts_once(trained, rule):
    model, corpus = trained
    network = Network(model.parameters)
    at = [w.at[w.weights > 0] for w in sweep(network, corpus, 7, 4000, rule)]
    assert sorted(np.concatenate(at)) == list(range(7, 3999))


def test_all_who_score_agree(trained):
    """Training's loss, with its shorter warm-up, is within a thousandth of a nat of evaluate's."""
    model, corpus = trained
    network = Network(model.parameters)
    start = int(0.1 * corpus.length)
    exact = surprisals(model, corpus, start, corpus.length, 1).mean()
    told = surprisals(model, corpus, start, corpus.length).mean()
    assert mean_loss(network, corpus, start, corpus.length) == pytest.approx(told, rel=1e-6)
    trainings = mean_loss(network, corpus, start, corpus.length, TRAINING)
    assert told == pytest.approx(exact, abs=1e-3)
    assert trainings == pytest.approx(told, abs=1e-3) and trainings != told


@pytest.mark.parametrize("length", [2, 3, 99, 101, 257])
def test_short_texts(trained, length):
    model, corpus = trained
    found = surprisals(model, corpus, 0, length)
    np.testing.assert_allclose(found, plain(model, corpus.read(0, length)), atol=1e-4)


def test_cold_windows_begin_with_the_initial_state(trained):
    model, corpus = trained
    ids = corpus.read(0, 1000)
    expected = [plain(model, ids[at : at + 65]) for at in range(0, 1000 - 64, 64)]
    assert cold_loss(model, corpus, 0, 1000, 64) == pytest.approx(np.mean(expected), abs=1e-5)
    with pytest.raises(TextTooShort, match="no window of 1,000"):
        cold_loss(model, corpus, 0, 1000, 1000)


def test_what_was_likeliest(trained):
    model, corpus = trained
    found = likeliest(model, corpus, 7, 507)
    assert found.ids.shape == found.shares.shape == (499, 5)
    nats = plain(model, corpus.read(7, 507))
    np.testing.assert_allclose(found.nats, nats, atol=1e-4)
    logits = model.forward(corpus.read(7, 506))[0][:, 0].astype(np.float64)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(found.ids, np.argsort(-logits, axis=1, kind="stable")[:, :5])
    np.testing.assert_allclose(found.shares, -np.sort(-p, axis=1)[:, :5], atol=1e-5)
    whole = likeliest(model, corpus, 0, 3, 10**6)
    assert whole.ids.shape == (2, corpus.vocabulary.size)
    np.testing.assert_allclose(whole.shares.sum(axis=1), 1, atol=1e-5)


def test_among_equals_the_first_is_likeliest():
    model = CharRNN(7, 3, rng=np.random.default_rng(0))
    model.parameters.flat[:] = 0
    found = likeliest(model, Rows(np.zeros(4, np.uint8)), 0, 4)
    assert found.ids.tolist() == [[0, 1, 2, 3, 4]] * 3


def test_a_large_vocabulary_gets_small_windows_and_the_same_figures(trained, monkeypatch):
    model, corpus = trained

    def figures():
        return (
            surprisals(model, corpus, 0, 900), cold_loss(model, corpus, 0, 900, 80),
            likeliest(model, corpus, 0, 900).nats,
        )  # fmt: skip

    expected = figures()
    monkeypatch.setattr(room, "MOST_VALUES", 10_000)
    assert 1 < steps(model.config, 1, 100) < 80 and steps(model.config, 50, 100) == 1
    for found, value in zip(figures(), expected, strict=True):
        np.testing.assert_allclose(found, value, atol=1e-4)


def test_the_memory_of_scoring_does_not_grow_with_the_vocabulary():
    """Of 8,000 symbols, the logits of 64 streams and 100 steps and their like would be 400 MB."""
    V = 8_000
    model = CharRNN(V, 4, rng=np.random.default_rng(0))
    ids = Rows(np.random.default_rng(0).integers(V, size=6_001).astype(np.uint16))
    for score_all in (
        lambda: cold_loss(model, ids, 0, 6_001, 80),
        lambda: likeliest(model, ids, 0, 201),
    ):
        with traced() as most:
            score_all()
            assert most() < 200e6


def test_uniform():
    assert baselines.uniform(8) == math.log(8)


def test_encoded(monkeypatch):
    monkeypatch.setattr(baselines, "PIECE", 3)
    text = "naïve café 🎉 \n"
    vocabulary = Vocabulary(text)
    assert baselines.encoded(vocabulary, vocabulary.encode(text)) == text.encode()
    ids = np.arange(256, dtype=np.uint8)
    assert baselines.encoded(ByteVocabulary(), ids) == bytes(range(256))


@pytest.mark.parametrize("name", sorted(baselines.COMPRESSORS))
def test_compressors(name):
    rng = np.random.default_rng(0)
    noise = bytes(rng.integers(256, size=4000, dtype=np.uint8))
    assert baselines.compressed(name, b"", noise, 4000) / math.log(2) == pytest.approx(8, abs=1)
    assert baselines.compressed(name, noise, noise, 4000) < 5  # bz2 finds it only in part


def test_a_compressor_never_tells_less_than_nothing():
    again = b"hello there, how are you\n" * 400
    before, after = again[:9000], again[9000:]
    found = [baselines.compressed(n, before, after, len(after)) for n in baselines.COMPRESSORS]
    assert min(found) == 0


def test_passages_do_not_overlap_and_come_in_order():
    nats = np.ones(100)
    nats[20:30], nats[70:80] = 5, 9
    text = "".join(chr(97 + i % 26) for i in range(100))
    first, second, *_ = most_surprising(text, nats, 3, 10)
    assert (first.at, first.nats, first.text) == (70, 9.0, text[70:80])
    assert (second.at, second.nats) == (20, 5.0)
    assert most_surprising("ab", np.ones(2))[0].text == "ab"
    assert most_surprising("", np.ones(0)) == []
    assert [p.at for p in most_surprising(text, np.ones(100), 9, 30)] == [0, 30, 60]
    assert [p.at for p in most_surprising(text, np.zeros(100), 2, 30)] == [0, 30]


def test_passages_in_blocks(monkeypatch):
    nats = np.random.default_rng(0).exponential(size=500)
    expected = most_surprising("x" * 500, nats, 6, 20)
    monkeypatch.setattr(surprise, "BLOCK", 7)
    assert most_surprising("x" * 500, nats, 6, 20) == expected
    assert expected[0].nats == max(nats[at : at + 20].mean() for at in range(481))


def test_colours():
    assert heat(0) == 0 and heat(100) == 1 and 0 < heat(2) < heat(3)
    pieces = coloured("ab\nc", np.array([0.0, 0.0, 9.0, 9.0]))
    assert [text for text, _ in pieces] == ["ab", "\n", "c"] and "rgb" in pieces[-1][1]
