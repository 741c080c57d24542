"""What `char-rnn train` says of its end, and the exit code that goes with it."""

import pytest
from here import call

from char_rnn.runs.watch import Watch
from char_rnn.training.events import Evaluation

FAST = ["--cell", "rnn", "--optimizer", "sgd", "--clip", "0", "--schedule", "constant",
        "--hidden_size", "16", "--sample_every", "0", "--threads", "1"]  # fmt: skip


@pytest.mark.parametrize("more", [["--eval_every", 20], ["--val_fraction", 0]])
@pytest.mark.parametrize("rate", [1000, 1e9])
def test_a_run_that_diverged_ends_with_1(tmp_path, rate, more):
    (tmp_path / "t.txt").write_text("hello there, how are you\n" * 200)
    train = ["train", "t.txt", *FAST, "--learning_rate", rate, "--iterations", 60, "--out", "r"]
    done = call(*train, *more, cwd=tmp_path)
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "It diverged" in done.stdout and "--learning_rate" in done.stdout
    assert "best so far" not in done.stdout and "sample of the best" not in done.stdout
    assert "Generate from it" not in done.stdout


def test_a_run_that_learned_ends_with_0(tmp_path):
    (tmp_path / "t.txt").write_text("hello there, how are you\n" * 200)
    train = ["train", "t.txt", *FAST, "--learning_rate", 0.5, "--iterations", 60, "--out", "r"]
    done = call(*train, "--eval_every", 10, cwd=tmp_path)
    assert done.returncode == 0 and "diverged" not in done.stdout
    assert "best so far" in done.stdout and "char-rnn generate r" in done.stdout


def test_best_is_not_said_of_what_guessing_beats(capsys):
    facts = {"iteration": 1, "epoch": 0.1, "loss": 3.0, "learning_rate": 0.1, "grad_norm": 1.0,
             "characters": 10, "seconds": 1.0, "elapsed": 1.0, "progress": 0.5}  # fmt: skip
    for loss, said in ((2.9, True), (3.1, False)):
        Watch(uniform=3.0).show(Evaluation(**facts, val_loss=loss, best=True))
        assert ("best so far" in capsys.readouterr().out) == said
