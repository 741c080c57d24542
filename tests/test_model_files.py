"""Damaged model files, run checkpoints and pickles: the very same model, or our error."""

import json

import numpy as np
import pytest
from reference import plain_name
from stored import damaged
from traced import traced

from char_rnn import CharRNN, Corpus, TrainConfig, Vocabulary
from char_rnn.config import ModelConfig
from char_rnn.errors import CorruptFile, FileError
from char_rnn.runs.run import Run
from char_rnn.storage import load_pickle, load_tensors, save_pickle, save_tensors

TEXT = "abcdefgh " * 40
MUTATIONS = 400


def files(folder):
    """Return a model file, a checkpoint and a pickle of the same small network."""
    corpus = Corpus.from_text(TEXT)
    config = TrainConfig(iterations=2, seq_length=5, batch_size=2, threads=1, sample_every=0)
    run = Run.create(folder / "run", ModelConfig(corpus.vocabulary.size, 4), config, corpus)
    trainer = run.trainer(corpus)
    list(run.follow(trainer))
    trainer.model.save(folder / "model.pkl")
    return [folder / "run" / "model.safetensors", folder / "run" / "last.safetensors",
            folder / "model.pkl"]  # fmt: skip


@pytest.mark.parametrize("which", [0, 1, 2], ids=["model", "checkpoint", "pickle"])
def test_damaged_files_load_the_same_or_raise(tmp_path, which):
    path = files(tmp_path)[which]
    right = CharRNN.load(path)
    data = path.read_bytes()
    bad = tmp_path / f"bad{path.suffix}"
    refused = 0
    for found in damaged(data, MUTATIONS, which):
        bad.write_bytes(found)
        try:
            model = CharRNN.load(bad)
        except FileError as error:
            assert "\n" not in str(error)
            refused += 1
            continue
        assert model.config == right.config and model.vocabulary == right.vocabulary
        np.testing.assert_array_equal(model.parameters.flat, right.parameters.flat)
    assert refused > 0.9 * MUTATIONS


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_size": 10**9}, {"vocab_size": 10**9}, {"layers": 10**9}, {"cell": "lstm"},
        {"hidden_size": -1}, {"dtype": "float64"}, {"hidden_size": "4"}, {"unknown": 1},
        {"initial_state": "learned"},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_a_config_that_does_not_fit_its_tensors_is_refused(tmp_path, change):
    path = files(tmp_path)[0]
    tensors, facts = load_tensors(path)
    save_tensors(path, tensors, facts | {"config": facts["config"] | change})
    with pytest.raises(CorruptFile):
        CharRNN.load(path)


def test_a_file_makes_no_more_memory_than_it_holds(tmp_path):
    """One large tensor must not vouch for a matrix of its size squared."""
    H = 1_000_000
    facts = CharRNN(1, 4, cell="lstm", vocabulary=Corpus.from_text("aa").vocabulary).facts()
    facts["config"]["hidden_size"] = H
    model = CharRNN(1, 4, cell="lstm")
    tensors = dict(model.parameters.items()) | {"out.weight": np.zeros((1, H), np.int8)}
    save_tensors(tmp_path / "a.safetensors", tensors, facts)
    save_pickle(tmp_path / "a.pkl", facts | {"parameters": tensors})
    with traced() as most:
        for path in (tmp_path / "a.safetensors", tmp_path / "a.pkl"):
            with pytest.raises(CorruptFile, match=r"rnn\.weight_ih_l0 is float32 \(16, 1\)"):
                CharRNN.load(path)
            assert most() < 10 * path.stat().st_size
    facts["config"] |= {"hidden_size": 4, "layers": 251}
    many = {f"t{n}": np.zeros(1, np.int8) for n in range(1000)}
    save_tensors(tmp_path / "a.safetensors", many, facts)
    with pytest.raises(CorruptFile, match="layers is 251, but it holds 1,000 tensors"):
        CharRNN.load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("suffix", [".safetensors", ".pkl"])
def test_weights_that_are_not_finite_are_refused(tmp_path, bad, suffix):
    model = CharRNN(5, 4)
    model.parameters["out.weight"][2, 1] = bad
    model.save(tmp_path / f"m{suffix}")
    with pytest.raises(CorruptFile, match=r"1 of the 20 numbers in the tensor out\.weight are not"):
        CharRNN.load(tmp_path / f"m{suffix}")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("kind", "other", "kind is 'other'"), ("config", None, "config is None"),
        ("config", {"vocab_size": 8}, "config.vocab_size is 8; expected 9"),
        ("vocabulary", {"kind": "bytes"}, "config.vocab_size is 9; expected 256"),
        ("vocabulary", {"kind": "characters", "characters": ["ab"]}, "vocabulary.characters is a"),
        ("vocabulary", {"kind": []}, "vocabulary.kind is a list of 0"),
        ("summary", None, "summary is None"), ("summary", {"seconds": "1"}, "summary.seconds is"),
        ("summary", {"iteration": 2**1000}, "summary.iteration is a whole number of 1,001 bits"),
        ("summary", {"text": ["a"]}, "summary.text is a list of 1"),
        ("summary", {"val_fraction": 2}, "summary.val_fraction is 2"),
        ("summary", {"mine": "a" * 5000}, "summary.mine is 'aaa"),
    ],
)  # fmt: skip
def test_a_fact_that_does_not_fit_is_named(tmp_path, name, value, said):
    tensors, facts = load_tensors(files(tmp_path)[0])
    save_tensors(tmp_path / "m.safetensors", tensors, facts | {name: value})
    save_pickle(tmp_path / "m.pkl", facts | {"parameters": tensors, name: value})
    for path in (tmp_path / "m.safetensors", tmp_path / "m.pkl"):
        with pytest.raises(CorruptFile) as caught:
            CharRNN.load(path)
        assert str(caught.value).startswith(f"{path}: {said}")


def test_what_a_user_adds_to_the_summary_is_kept(tmp_path):
    model = CharRNN(5, 4)
    model.summary = {"note": "my best", "scores": [1, 2.5, {"bleu": None}], "loss": 1.5}
    for path in (tmp_path / "m.safetensors", tmp_path / "m.pkl"):
        model.save(path)
        assert CharRNN.load(path).summary == model.summary


@pytest.mark.parametrize("fault", ["missing", "added", "shape", "dtype", "vocabulary", "facts"])
def test_tensors_that_do_not_fit_are_refused(tmp_path, fault):
    path = files(tmp_path)[0]
    tensors, facts = load_tensors(path)
    name = "rnn.weight_hh_l0"
    match fault:
        case "missing":
            del tensors[name]
        case "added":
            tensors["more"] = tensors[name]
        case "shape":
            tensors[name] = tensors[name][:2]
        case "dtype":
            tensors[name] = tensors[name].astype(np.float64)
        case "vocabulary":
            facts["vocabulary"] = {"kind": "characters", "characters": ["b", "a"]}
        case "facts":
            facts = {"kind": "model"}
    save_tensors(path, tensors, facts)
    with pytest.raises(CorruptFile):
        CharRNN.load(path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pkl"])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_round_trip(tmp_path, cell, suffix):
    vocabulary = Corpus.from_text(TEXT).vocabulary
    model = CharRNN(vocabulary.size, 5, cell, 2, vocabulary=vocabulary, initial_state="learned")
    model.summary = {"loss": 1.5}
    model.save(tmp_path / f"m{suffix}")
    back = CharRNN.load(tmp_path / f"m{suffix}")
    assert (back.config, back.vocabulary, back.summary) == (
        model.config, vocabulary, model.summary,
    )  # fmt: skip
    np.testing.assert_array_equal(back.parameters.flat, model.parameters.flat)


FORMS = [
    {"cell": "gru", "reset_after": False}, {"cell": "lstm", "layer_norm": True, "tied": True},
    {"cell": "gru", "reset_after": True}, {"cell": "rnn", "initial_state": "learned"},
]  # fmt: skip


def as_version_1(path, monkeypatch):
    """Write the file again as it was before version 2: PyTorch's names for every network."""
    if path.suffix == ".pkl":
        facts = load_pickle(path)
        facts["parameters"] = {plain_name(n): a for n, a in facts["parameters"].items()}
        save_pickle(path, facts)
        return
    tensors, facts = load_tensors(path)
    with monkeypatch.context() as then:
        then.setattr("char_rnn.storage.tensors.FORMAT_VERSION", 1)
        save_tensors(path, {plain_name(n): t for n, t in tensors.items()}, facts)
    assert b'"format_version":"1"' in path.read_bytes()


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("suffix", [".safetensors", ".pkl"])
def test_files_of_version_1_load(tmp_path, monkeypatch, form, suffix):
    model = CharRNN(5, 4, layers=2, vocabulary=Vocabulary("abcde"), **form)
    model.save(tmp_path / f"old{suffix}")
    as_version_1(tmp_path / f"old{suffix}", monkeypatch)
    back = CharRNN.load(tmp_path / f"old{suffix}")
    assert back.config == model.config
    np.testing.assert_array_equal(back.parameters.flat, model.parameters.flat)


@pytest.mark.parametrize("form", FORMS[:2], ids=str)
def test_runs_of_version_1_go_on_to_the_same_bits(tmp_path, monkeypatch, form):
    corpus = Corpus.from_text(TEXT)
    train = TrainConfig(
        iterations=12, seq_length=5, batch_size=2, threads=1, sample_every=0, eval_every=4
    )
    ends = []
    for name in ("new", "old"):
        config = ModelConfig(corpus.vocabulary.size, 4, **form)
        run = Run.create(tmp_path / name, config, train, corpus)
        trainer = run.trainer(corpus)
        for event in run.follow(trainer):
            trainer.stop = event.iteration >= 6
        if name == "old":
            for file in ("last.safetensors", "model.safetensors"):
                as_version_1(run.folder / file, monkeypatch)
            assert CharRNN.load(run.folder / "last.safetensors").config == config
        again = Run.open(run.folder)
        list(again.follow(again.trainer(corpus)))
        ends.append(CharRNN.load(run.folder / "last.safetensors").parameters.flat)
    np.testing.assert_array_equal(*ends)
