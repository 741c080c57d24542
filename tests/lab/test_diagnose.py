"""What is wrong with a run, as the lab shows it: its figure, its numbers, its words."""

import json

import numpy as np
import pytest

import char_rnn
from char_rnn import Run
from char_rnn.errors import CharRNNError
from char_rnn.lab.diagnose import diagnosed

TEXT = "the quick brown fox jumps over the lazy dog.\nand sleeps until the fox is gone.\n" * 60


def steady(config, T, B, threads, seconds):
    return 1000.0 * B


@pytest.fixture(scope="module", name="folder")
def _folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab") / "foxes"
    char_rnn.train(
        TEXT, out=folder, cell="gru", hidden_size=24, iterations=150, batch_size=8, threads=1,
        seq_length=20, learning_rate=0.02, eval_every=15, sample_every=0, progress=False,
    )  # fmt: skip
    return folder


def test_a_run_has_a_picture_numbers_and_words(folder, tmp_path):
    told = []
    result = diagnosed(folder, told.append, steady)
    assert (result.name, result.question) == ("diagnose", "What is wrong with my run?")
    assert told == sorted(told) and told[0] >= 0 and told[-1] <= 1
    numbers = result.to_dict()["numbers"]
    assert numbers["clean"] and result.found.startswith("Nothing is wrong with foxes: its loss")
    assert result.figure.title == "What is wrong with foxes: nothing"
    titles = [panel.title for panel in result.figure.panels]
    assert titles == [
        "How its loss fell", "How far its gradient reaches", "What it writes", "How steep it was",
    ]  # fmt: skip
    for panel in result.figure.panels:
        assert panel.x.label and panel.y.label and panel.series
    paths = result.save(tmp_path)
    assert {path.name for path in paths} >= {"diagnose.json", "diagnose.svg"}
    assert json.loads(paths[0].read_text())["measured"]["speeds"]["possible"] == 32_000


def test_the_picture_shows_the_evidence(folder):
    result = diagnosed(folder, pace=steady)
    losses, reach, writing, _ = result.figure.panels
    labels = [mark.label for mark in losses.marks]
    assert labels[:2] == ["training", "validation"] and f"guessing {np.log(29):.2f}" in labels
    numbers = result.numbers
    this, untrained = reach.series
    assert this.y[0] == untrained.y[0] == 1 and this.x[-1] == 20
    assert this.y[3] == numbers["gradient"]["norm"][3] / numbers["gradient"]["norm"][0]
    assert list(writing.x.ticks.values()) == ["its samples", "temperature 1", "real text"]
    assert writing.marks[1].y[2] == numbers["real_writing"]["distinct"]
    assert diagnosed(folder).numbers == numbers  # all but the speed


def test_a_run_in_memory_that_exploded_is_drawn_on_a_logarithm():
    run = char_rnn.train(
        TEXT, cell="rnn", optimizer="sgd", learning_rate=50.0, clip=0.0, hidden_size=24,
        schedule="constant", iterations=40, eval_every=10, sample_every=0, threads=1, save=False,
        progress=False,
    )  # fmt: skip
    result = diagnosed(run, pace=steady)
    assert result.figure.title == "What is wrong with text: exploding"
    assert [panel.title for panel in result.figure.panels] == [
        "How its loss fell", "How steep it was",
    ]  # fmt: skip
    assert result.figure.panels[0].y.log and result.figure.chart()
    assert result.numbers["findings"][0]["settings"] == {"learning_rate": 5.0, "clip": 1.0}


def test_what_is_no_run(tmp_path):
    for path in (tmp_path, tmp_path / "none", str(tmp_path)):
        with pytest.raises(CharRNNError) as raised:
            diagnosed(path)
        assert "\n" not in str(raised.value)
    with pytest.raises(CharRNNError, match="no loss in its log"):
        corpus = char_rnn.Corpus.from_text(TEXT)
        model = char_rnn.ModelConfig(corpus.vocabulary.size, 4)
        diagnosed(Run.in_memory(model, char_rnn.TrainConfig(iterations=1), corpus))
