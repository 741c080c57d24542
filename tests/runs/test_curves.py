"""Curves, charts and pictures."""

import importlib.util
import json
import sys

import numpy as np
import pytest

from char_rnn import CharRNN, Corpus
from char_rnn.errors import CorruptFile, MissingExtra, RunError, UsageError
from char_rnn.runs.curves import Curve, Curves, chart, read_curves


def made(losses):
    n = [100 * k for k in range(1, len(losses) + 1)]
    curve = Curve(n, n, [float(x) for x in n], losses)
    return Curves("made", curve, curve, curve, curve)


def test_chart():
    drawn = chart(made([4.0, 3.0, 2.5, 2.2, 2.1]), 40, 10)
    rows = [line[9:] for line in drawn.splitlines()[:10]]
    assert "500 iterations" in drawn and max(map(len, rows)) <= 40
    first, last = (min(i for i, row in enumerate(rows) if len(row) > x and row[x] == "o")
                   for x in (8, 39))  # fmt: skip
    assert first < last == 9  # the loss falls to the right
    assert chart(made([1.0])) == "nothing to draw yet"


def test_a_curve_is_shown_in_a_line():
    assert repr(made([4.0, 3.0, 2.5]).loss) == "Curve(3 points, 4 … 2.5)"
    assert repr(made([]).loss) == "Curve(0 points)" and len(repr(made([1.0] * 999))) < 300


def test_damaged_and_missing_logs(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        read_curves(tmp_path)
    (tmp_path / "log.jsonl").write_text('{"event": "step"}\n{"event"\n', "utf-8")
    with pytest.raises(CorruptFile, match="line 2"):
        read_curves(tmp_path)
    (tmp_path / "log.jsonl").write_text(json.dumps({"event": "step", "loss": None}) + "\n")
    assert len(read_curves(tmp_path).loss) == 0


def test_what_was_not_finite_is_remembered(tmp_path):
    def read(*lines):
        (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return read_curves(tmp_path)

    facts = {"iteration": 1, "characters": 1, "seconds": 1.0, "loss": 1.0}
    good, bad = ({"event": "evaluation", "val_loss": x} | facts for x in (1.0, None))
    assert not read(bad, good).lost and read(good, bad).lost and not read(good, bad).unstable
    for event in ("skipped", "divergence"):
        assert read({"event": event} | facts, good).unstable


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not there")
@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_pictures(tmp_path, name):
    from char_rnn.pictures.png import check_format
    from char_rnn.runs.picture import plot_comparison, plot_run

    curves = made([3.0, 2.0, 1.5])
    check_format(tmp_path / name)
    for draw in (lambda p: plot_run(curves, p), lambda p: plot_comparison([curves] * 2, p)):
        draw(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        assert len(data) > 5000 and (b"<svg" in data if name == "a.svg" else data[1:4] == b"PNG")
    with pytest.raises(UsageError, match="no picture"):
        check_format(tmp_path / "a.txt")


def test_without_matplotlib_one_line_says_what_to_install(tmp_path, monkeypatch):
    from char_rnn.runs import picture

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'char-rnn\[plots\]'"):
        picture.plot_run(made([3.0, 2.0]), tmp_path / "a.png")


def test_a_model_can_learn_new_characters():
    old = CharRNN(3, 8, "lstm", 2, vocabulary=Corpus.from_text("bdf").vocabulary,
                  rng=np.random.default_rng(0))  # fmt: skip
    wide = old.extended(Corpus.from_text("abcdefg").vocabulary, np.random.default_rng(1))
    ids = np.array([0, 1, 2, 2, 1])
    ours, theirs = old.forward(ids)[0], wide.forward(2 * ids + 1)[0]
    np.testing.assert_allclose(theirs[..., [1, 3, 5]], ours, atol=1e-6)
    assert wide.parameters["rnn.weight_ih_l0"][:, 0].any()
    assert (wide.parameters["out.bias"][[0, 2, 4, 6]] == old.parameters["out.bias"].min()).all()
    again = old.extended(old.vocabulary, np.random.default_rng(1))
    np.testing.assert_array_equal(again.parameters.flat, old.parameters.flat)


def test_half_precision_files(tmp_path):
    model = CharRNN(30, 32, "gru", vocabulary=None, rng=np.random.default_rng(0))
    model.save(tmp_path / "whole.safetensors")
    model.save(tmp_path / "half.safetensors", "float16")
    sizes = [(tmp_path / f"{n}.safetensors").stat().st_size for n in ("whole", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    half = CharRNN.load(tmp_path / "half.safetensors")
    assert half.parameters.flat.dtype == np.float32
    np.testing.assert_allclose(half.parameters.flat, model.parameters.flat, atol=1e-3)
