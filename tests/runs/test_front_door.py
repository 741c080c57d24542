"""The front door: train, resume and the run that they return, as a notebook uses them."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest

import char_rnn
from char_rnn import CharRNN, Corpus, Run
from char_rnn.config import PLANNED, ModelConfig, TrainConfig
from char_rnn.data.given import TextName, as_source
from char_rnn.errors import (
    CharRNNError,
    DataError,
    FileError,
    MissingExtra,
    RunError,
    TextNotFound,
    UsageError,
)
from char_rnn.recipes import TRAIN_RECIPE
from char_rnn.runs import plan, watch
from char_rnn.runs.text import source_of, training_ids
from char_rnn.runs.words import in_python
from char_rnn.text_config import TextConfig
from char_rnn.training.events import Checkpoint, End, Evaluation, Sample, Step
from char_rnn.training.optimisers import Adam, Optimizer

TEXT = "the quick brown fox jumps over the lazy dog.\n" * 60
SMALL = {
    "hidden_size": 8, "seq_length": 10, "batch_size": 4, "iterations": 30, "eval_every": 10,
    "sample_every": 0, "threads": 1, "progress": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder with a text, to be in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "cache"))
    Path("book.txt").write_text(TEXT, "utf-8", newline="")
    return tmp_path


@pytest.fixture
def quick(monkeypatch):
    """A machine that the plan takes for a slow one, so that it chooses the smallest model."""
    monkeypatch.setattr(plan, "measure", lambda *_: 1e4)


def written():
    return sorted(p.as_posix() for p in Path().rglob("*") if p.is_file() and p.parts[0] != "cache")


# The lines of the issue.


def test_minutes_plan_and_show_and_return_a_run(quick, capsys):
    run = char_rnn.train("book.txt", minutes=0.005)
    said = capsys.readouterr().out
    assert isinstance(run, Run) and run.folder.parent == Path("runs")
    assert run.model_config.cell == "gru" and run.model_config.hidden_size == 128
    assert run.train_config.optimizer == "adamw"
    assert any("on the ladder" in note for note in run.notes)
    assert "Text: book, 2,700 characters" in said and f"Run folder: {run.folder}" in said
    assert "Architecture: " in said and "validation" in said
    for note in run.notes:
        assert f"Note: {note}" in said


def test_fine_tuning_of_the_model_in_the_package(quick):
    events = []
    run = char_rnn.train(
        "book.txt", epochs=0.02, start_from="shakespeare", on_event=events.append, threads=1,
        progress=False, sample_length=5,
    )  # fmt: skip
    shipped = CharRNN.load("shakespeare")
    assert run.model.config == dataclasses.replace(
        shipped.config, vocab_size=run.model.config.vocab_size
    )
    kinds = {type(event) for event in events}
    assert {Sample, Step, Evaluation, Checkpoint, End} <= kinds
    # The rate is half of what it would be.
    assert run.train_config.learning_rate == TrainConfig().learning_rate / 2
    with pytest.raises(UsageError, match=r"^cell cannot be chosen with start_from: "):
        char_rnn.train("book.txt", cell="lstm", epochs=5, start_from="shakespeare")


def test_a_model_numbers_and_a_figure():
    run = char_rnn.train("book.txt", out="r", **SMALL)
    assert run.model.sample("the", 5).startswith("the") and run.model is run.model
    score = run.evaluate()
    assert score.loss == run.model.summary["val_loss"] and score.characters == 269
    assert score.bits == pytest.approx(score.loss / np.log(2))
    assert score.perplexity == pytest.approx(np.exp(score.loss))
    assert score.text == "book" and score.part == "the validation part"
    # Its own text by its name: only what it was not trained on.
    assert run.evaluate("book.txt").loss == pytest.approx(score.loss)
    other = run.evaluate("the lazy fox é\n")
    assert other.part == "the whole text" and other.characters == 13
    opened = Run.open("r")
    assert opened.evaluate() == score and opened.curves == run.curves
    assert opened.curves.best[1] == pytest.approx(run.curves.best[1])
    figure = pytest.importorskip("matplotlib.figure")
    assert isinstance(opened.plot(), figure.Figure) and len(run.plot().axes) == 3


def test_a_run_goes_on_to_the_same_bits():
    constant = SMALL | {"schedule": "constant"}  # of which the length decides nothing else
    whole = char_rnn.train("book.txt", out="whole", **constant)
    parts = char_rnn.train("book.txt", out="parts", **constant | {"iterations": 17})
    parts = char_rnn.resume(parts.folder, iterations=30, progress=False)
    ours, theirs = (CharRNN.load(f"{run}/last.safetensors") for run in ("whole", "parts"))
    np.testing.assert_array_equal(ours.parameters.flat, theirs.parameters.flat)
    assert parts.train_config.iterations == 30
    assert whole.curves.val_loss.y[:1] == parts.curves.val_loss.y[:1]


def test_mypy_knows_the_types(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "program.py").write_text(
        "import char_rnn\n"
        "run = char_rnn.train('book.txt', minutes=10)\n"
        "run = char_rnn.train('book.txt', cell='lstm', start_from='shakespeare', on_event=print)\n"
        "print(run.model.sample('Once'), run.evaluate().loss + 1, run.curves.best, run.plot())\n"
        "run = char_rnn.resume(run.folder, minutes=10)\n"
        "reveal_type(run)\n"
    )
    source = Path(char_rnn.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports",
         "--follow-imports=silent", "program.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"MYPYPATH": str(source)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'Revealed type is "char_rnn.runs.run.Run"' in done.stdout


# In memory.


def test_in_memory_nothing_is_written_and_the_bits_are_the_same():
    before = written()
    run = char_rnn.train(TEXT, save=False, **SMALL)
    assert written() == before and run.folder is None
    kept = char_rnn.train(TEXT, out="r", **SMALL)
    np.testing.assert_array_equal(run.model.parameters.flat, kept.model.parameters.flat)
    ours, theirs = (dict(r.model.summary) for r in (run, kept))
    for summary in (ours, theirs):
        del summary["seconds"]
    assert ours == theirs
    assert run.evaluate() == kept.evaluate()
    assert run.curves.val_loss.y == kept.curves.val_loss.y and run.curves.name == "text"
    assert repr(run).startswith("Run(the run in memory: 1 × gru 8, text text, 30 iterations, ")
    assert repr(kept) == repr(run).replace("the run in memory", "r")
    with pytest.raises(RunError, match="has no files"):
        _ = run.model_path
    with pytest.raises(UsageError, match="one"):
        char_rnn.train(TEXT, save=False, out="x", **SMALL)


def test_the_best_model_in_memory_is_the_best_and_calibrated():
    text = TEXT * 30
    run = char_rnn.train(text, save=False, **SMALL | {"learning_rate": 0.05, "iterations": 40})
    kept = char_rnn.train(text, out="r", **SMALL | {"learning_rate": 0.05, "iterations": 40})
    assert "calibration_temperature" in run.model.summary
    np.testing.assert_array_equal(run.model.parameters.flat, kept.model.parameters.flat)
    no_part = char_rnn.train(TEXT, save=False, val_fraction=0, **SMALL | {"eval_every": 0})
    assert no_part.model.summary["iteration"] == 30
    with pytest.raises(UsageError, match=r"no validation part.*evaluate\(text\)"):
        no_part.evaluate()


def test_what_comes_after_the_best_model_does_not_change_it():
    # Nothing but chance in it: all that is learned is by heart.
    drawn = np.random.default_rng(0).choice(list("abcdefgh\n"), 600)
    text = "".join(drawn)
    rough = SMALL | {"learning_rate": 0.05, "schedule": "constant", "iterations": 60}
    run = char_rnn.train(text, save=False, **rough)
    kept = char_rnn.train(text, out="r", **rough)
    best = kept.model.summary["iteration"]
    assert best < 60
    np.testing.assert_array_equal(run.model.parameters.flat, kept.model.parameters.flat)
    stop = at(best + 1, lambda: signal.raise_signal(signal.SIGINT))
    part = char_rnn.train(text, save=False, on_event=stop, **rough)
    assert part.model.summary["iteration"] == best
    char_rnn.resume(part, progress=False)
    np.testing.assert_array_equal(part.model.parameters.flat, kept.model.parameters.flat)


def test_a_run_in_memory_goes_on_to_the_same_bits():
    whole = char_rnn.train(TEXT, save=False, **SMALL)

    def stop(event):
        if event.iteration == 13:
            signal.raise_signal(signal.SIGINT)

    part = char_rnn.train(TEXT, save=False, on_event=stop, **SMALL)
    assert "stopped at iteration 13; go on with char_rnn.resume(run)" in part.notes
    assert part.model.summary["iteration"] == 10
    again = char_rnn.resume(part, progress=False)
    assert again is part and again.curves.val_loss.y == whole.curves.val_loss.y
    np.testing.assert_array_equal(again.model.parameters.flat, whole.model.parameters.flat)
    with pytest.raises(UsageError, match="hand over the run itself"):
        char_rnn.resume(part.folder)


def test_the_model_that_it_starts_from_stays_as_it_is():
    old = char_rnn.train(TEXT, save=False, **SMALL)
    before = old.model.parameters.flat.copy()
    more = {k: v for k, v in SMALL.items() if k != "hidden_size"}
    for save in (False, True):
        run = char_rnn.train("a new Ä\n" * 300, start_from=old, save=save, **more)
        assert "new to the model: 1 characters" in run.notes[0] and "Ä" in run.model.vocabulary
    assert CharRNN.load(run.folder).config == run.model.config
    data = TEXT.encode()
    as_bytes = char_rnn.train(data, save=False, **SMALL).model
    flat = as_bytes.parameters.flat.copy()
    char_rnn.train(data, start_from=as_bytes, save=False, **more)
    np.testing.assert_array_equal(as_bytes.parameters.flat, flat)
    for start, of in ((old, True), (as_bytes, False)):
        named = "bytes" if of else "characters"
        with pytest.raises(UsageError, match=f"^{named}: the model to start from knows .*{named}"):
            char_rnn.train(TEXT, start_from=start, bytes=of, save=False, **more)
    np.testing.assert_array_equal(old.model.parameters.flat, before)


# The text.


def test_bytes_are_characters_where_that_is_said():
    for more in ({"bytes": False}, {"encoding": "utf-8"}):
        run = char_rnn.train("ä bc\n".encode() * 50, out=f"r-{next(iter(more))}", **SMALL | more)
        assert run.model.vocabulary.chars == sorted("\n äbc") and run.text.reading.bytes is False
        assert char_rnn.resume(run.folder, iterations=31, progress=False).text == run.text
    with pytest.raises(UsageError, match=r"^the encoding 'cp1252' says how bytes are read, and"):
        char_rnn.train(TEXT, encoding="cp1252", **SMALL)
    with pytest.raises(UsageError, match=r"^encoding has no effect with bytes: bytes are taken as"):
        char_rnn.train(TEXT, bytes=True, encoding="utf-8", **SMALL)


def test_which_text_wins(home):
    Path("shakespeare").write_text("a file\n")
    source = as_source("shakespeare")
    assert source.where == str(home / "shakespeare") and source.notes
    assert as_source("python-docs").where == "python-docs"
    Path("python-docs").mkdir()
    Path("python-docs", "a.txt").write_text("in a folder\n")
    assert as_source("python-docs").where == str(home / "python-docs")
    assert as_source(Path("book.txt")).where == as_source("book.txt").where
    for text in ("one\n", "one\r", b"one"):
        assert as_source(text).where == "the text"
    with pytest.raises(TextNotFound, match="python-code: no such file or folder"):
        as_source(Path("python-code"))
    with pytest.raises(TextNotFound, match=r"'a\\nb': no such file"):
        as_source(TextName("a\nb"))


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("bok.txt", TextNotFound, "bok.txt: no such file or folder (did you mean 'book.txt'?)"),
        ("one line of a text, and nothing else", TextNotFound, "must have a line end in it"),
        ("no end " * 1000, TextNotFound, "'no end no end"),
        ("", TextNotFound, "empty"),
        ("nul\0", TextNotFound, "no such file"),
        (b"", DataError, "empty"),
        ("\n", DataError, "2 are needed"),
        ("half \ud800\n", UsageError, "half of a pair"),
        ("nul \0\n", DataError, "NUL byte"),
        (3, UsageError, "type int; expected a str, bytes, a Path, a list"),
        (Path("none"), TextNotFound, "none: no such file or folder"),
    ],
)
def test_a_text_that_is_none(text, kind, said):
    with pytest.raises(kind) as caught:
        char_rnn.train(text, **SMALL)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert "--" not in str(caught.value).replace("(--bytes)", "") and written() == ["book.txt"]


@pytest.mark.parametrize("text", [TEXT, TEXT.encode() + b"\xff\0", Corpus.from_text(TEXT)])
def test_a_text_that_was_handed_over_stays_with_the_run(text, monkeypatch):
    constant = SMALL | {"schedule": "constant"}
    run = char_rnn.train(text, out="r", **constant | {"iterations": 11})
    kept = Path("r/text.txt").read_bytes()
    assert kept == (text if isinstance(text, bytes) else TEXT.encode())
    Path("elsewhere").mkdir()
    Path("r").rename("elsewhere/moved")
    monkeypatch.chdir("elsewhere")
    run = char_rnn.resume("moved", iterations=30, progress=False)
    assert Run.open("moved").evaluate().characters == run.evaluate().characters
    whole = char_rnn.train(text, save=False, **constant)
    last = CharRNN.load("moved/last.safetensors")
    assert whole.curves.loss.y[-1] == run.curves.loss.y[-1] and last.vocabulary is not None


def test_which_text_a_model_was_trained_on_is_known_of_a_text_that_was_handed_over():
    run = char_rnn.train(TEXT, out="r", **SMALL)
    for name in ("r", "r/last.safetensors"):
        source = source_of(name, run.model)
        assert source.where == "text.txt" and "".join(source.chunks()) == TEXT
    assert training_ids("r", run.model, None).tolist() == run.corpus().read(0, 10**6).tolist()
    Path("r/text.txt").write_text(TEXT + "x")
    with pytest.raises(UsageError, match="is not the text that r was trained on"):
        source_of("r", run.model)


def test_a_text_that_the_run_cannot_open_is_handed_over_again():
    char_rnn.train("book.txt", out="r", **SMALL)
    Path("book.txt").rename("moved.txt")
    with pytest.raises(TextNotFound, match=r"book.txt: no such file"):
        char_rnn.resume("r", iterations=40, progress=False)
    with pytest.raises(RunError, match="has changed since the run began"):
        char_rnn.resume("r", text=TEXT + "x", iterations=40, progress=False)
    for text, end in (("moved.txt", 40), (Corpus.from_text(TEXT), 50)):
        run = char_rnn.resume("r", text=text, iterations=end, progress=False)
        assert run.curves.loss.iterations[-1] == end


def test_some_files_of_a_folder_and_a_corpus():
    Path("d").mkdir()
    for name in ("a.py", "b.py", "c.txt"):
        Path("d", name).write_text(f"# {name}\n" * 100)
    run = char_rnn.train("d", pattern="*.py", out="r", **SMALL)
    assert run.text.reading == TextConfig(False, pattern=("*.py",)) and "\f" in run.model.vocabulary
    assert char_rnn.resume("r", iterations=31, progress=False).folder == Path("r")
    score = run.evaluate("d")
    assert "read as in training, with pattern" in in_python(score.notes[0])
    corpus = Corpus.from_source(as_source("book.txt"))
    run = char_rnn.train(corpus, out="s", **SMALL)
    assert run.text.where.endswith("book.txt") and not Path("s/text.txt").exists()
    for wrong in ({"bytes": False}, {"pattern": "*.py"}, {"encoding": "latin-1"}):
        (name,) = wrong
        with pytest.raises(UsageError, match=rf"^a text is read with {name}, and a Corpus"):
            char_rnn.train(corpus, **SMALL | wrong)
    with pytest.raises(UsageError, match="pattern"):
        char_rnn.train(TEXT, pattern="*.py", **SMALL)


class Ruleless(Optimizer):
    """An optimiser that does not say what to do."""


# Wrong arguments: one line that names the setting as Python does.


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hiden_size": 3}, "unknown setting 'hiden_size' (did you mean 'hidden_size'?)"),
        ({"vocab_size": 3}, "vocab_size comes from the text"),
        ({"end": 2}, "end comes from the text"),
        ({"cell": "lstn"}, "unknown cell 'lstn' (did you mean 'lstm'?)"),
        ({"hidden_size": 0}, "hidden_size is 0; it must be at least 1"),
        ({"hidden_size": "many"}, "hidden_size"),
        ({"epochs": 3}, "iterations and epochs both say how long to train"),
        ({"momentum": 0.5}, "momentum has no effect without optimizer sgd; leave it out"),
        ({"val_fraction": 0}, "without a validation part (val_fraction 0)"),
        ({"out": "book.txt"}, "cannot make a run folder: book.txt"),
        ({"start_from": "none"}, "none: no such file or run folder"),
        ({"hidden_size": 10**7}, "choose fewer layers or hidden_size"),
        ({"start_from": 7}, "start_from is 7; it must be a path: a str or a Path"),
        ({"out": 7}, "out is 7; it must be a path"),
        ({"pattern": 5}, "pattern is 5; it must be a tuple of texts"),
        ({"pattern": ["*.txt", 3]}, "it must be a tuple of texts"),
        ({"save": "no"}, "save is 'no'; it must be true or false"),
        ({"bytes": 1}, "bytes is 1; it must be true or false"),
        ({"progress": "loud"}, "progress is 'loud'; it must be true or false"),
        ({"on_event": 3}, "on_event is 3; it must be a function of an event"),
        ({"on_event": lambda: None}, "it must be a function of an event"),
        ({"callbacks": print}, "callbacks is <built-in function print>; it must be a list"),
        ({"callbacks": None}, "callbacks is None; it must be a list of functions"),
        ({"callbacks": [3]}, "a callback is 3; it must be a function of an event"),
        ({"schedule": 3}, "schedule is 3; it must be a function of the progress"),
        ({"schedule": lambda progress: 1.0}, "it must be a function of the progress, 0 to 1, and"),
        ({"optimizer": Ruleless}, "the optimizer Ruleless has no rule: write its update"),
    ],
)
def test_a_wrong_argument_is_told_in_one_line(wrong, said):
    with pytest.raises(CharRNNError) as caught:
        settings = SMALL | wrong
        if "start_from" in wrong:
            del settings["hidden_size"]
        char_rnn.train("book.txt", **settings)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert "--" not in str(caught.value) and written() == ["book.txt"]


def test_a_schedule_that_is_no_number_is_told_where_it_is_met():
    with pytest.raises(UsageError, match=r"the schedule half is 'x' at iteration 0; it must be a"):
        char_rnn.train("book.txt", schedule=half, save=False, **SMALL)


def half(progress, iteration):
    return "x"


@pytest.mark.parametrize("wrong", [3, None, b"r"])
def test_a_folder_that_is_no_path(wrong):
    with pytest.raises(UsageError, match=r"it must be a path|is None"):
        char_rnn.resume(wrong)
    with pytest.raises(UsageError, match=r"folder is .*; it must be a path"):
        Run.open(wrong)


class Ruin(Optimizer):
    """An optimiser after whose every step nothing is finite."""

    def update(self, w, g, slots, rate):
        w *= np.nan


def test_a_run_that_learned_nothing_says_so():
    run = char_rnn.train(
        "book.txt", optimizer="sgd", schedule=lambda *_: 1e30, save=False, **SMALL | {"clip": 0}
    )
    assert any("the best model is no better than guessing" in note for note in run.notes)
    run = char_rnn.train("book.txt", optimizer=Ruin(), save=False, **SMALL | {"iterations": 3})
    assert any("the loss diverged" in note and "times" in note for note in run.notes)
    run = char_rnn.train("book.txt", save=False, **SMALL)
    assert run.notes == []


def test_a_corpus_is_scored_and_a_message_speaks_python():
    run = char_rnn.train("book.txt", save=False, **SMALL)
    named = run.evaluate("book.txt")
    # Of its own text only what it was not trained on, whoever encoded it.
    for corpus in (Corpus.from_text(TEXT), Corpus.from_text(TEXT.encode())):
        score = run.evaluate(corpus)
        assert (score.loss, score.part) == (named.loss, named.part)
    other = Corpus.from_text("the lazy fox é\n")
    assert run.evaluate(other).loss == run.evaluate("the lazy fox é\n").loss
    with pytest.raises(CharRNNError, match=r"train it on this one with char_rnn\.train\(text, st"):
        run.evaluate("éü\n")


def test_what_cannot_be_gone_on_with():
    run = char_rnn.train("book.txt", out="r", **SMALL)
    with pytest.raises(RunError, match=r"r exists already; choose another folder \(out\), or go on "
                       r"with it \(char_rnn.resume\('r'\)\)"):  # fmt: skip
        char_rnn.train("book.txt", out="r", **SMALL)
    for folder, changes, kind, said in (
        ("r", {}, UsageError, "r is finished; to go on, give more iterations, epochs or minutes"),
        ("r", {"cell": "lstm"}, UsageError, "cell cannot be given with resume: a run goes on"),
        ("r", {"iteration": 3}, UsageError, "did you mean 'iterations'?"),
        ("r", {"iterations": 40, "temperature": 1}, UsageError, "temperature has no effect"),
        ("none", {}, RunError, "none: no such file or run folder"),
    ):
        with pytest.raises(kind) as caught:
            char_rnn.resume(folder, progress=False, **changes)
        assert said in str(caught.value)
        run.hold()  # whatever was wrong, the run is free again
        run.release()


def test_a_note_of_what_the_plan_leaves_without_effect(quick):
    run = char_rnn.train("book.txt", minutes=0.002, momentum=0.5, progress=False, save=False)
    assert "momentum has no effect without optimizer sgd" in run.notes


def test_notes_of_the_text_and_of_the_trainer():
    Path("d").mkdir()
    Path("d", "a.txt").write_text("a few words\n" * 5)
    Path("d", "b.bin").write_bytes(b"\0\xff")
    run = char_rnn.train("d", save=False, **SMALL | {"batch_size": 64, "eval_every": 1})
    assert any("skipped 1 file that is not UTF-8 text" in note for note in run.notes)
    assert any("batch_size 64 → " in note for note in run.notes)


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("choose fewer --layers or --hidden_size", "choose fewer layers or hidden_size"),
        ("take bytes (--bytes)", "take bytes (bytes)"),
        ("go on (--resume runs/a)", "go on (char_rnn.resume('runs/a'))"),
        ("go on with char-rnn train --resume a", "go on with char-rnn train --resume a"),
        ("an A--B", "an A--B"),
        ("my--run exists; choose another (--out)", "my--run exists; choose another (out)"),
        ("go on (--resume my run/a--b)", "go on (char_rnn.resume('my run/a--b'))"),
    ],
)
def test_options_are_arguments(sentence, said):
    assert in_python(sentence) == said


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"optimizer": 5}, "optimizer is 5"),
        ({"schedule": 3}, "schedule is 3"),
        ({"callbacks": print}, "callbacks is <built-in function print>; it must be a list"),
        ({"callbacks": [3]}, "a callback is 3"),
    ],
)
def test_what_is_no_optimiser_schedule_or_callback_leaves_no_folder(own, said):
    with pytest.raises(UsageError) as caught:
        char_rnn.train(TEXT, **SMALL, **own)
    assert said in str(caught.value) and written() == ["book.txt"]


def test_a_run_whose_trainer_cannot_be_made_is_not_locked():
    class Broken(Adam):
        def begin(self, parameters):
            raise RuntimeError("no slots")

    with pytest.raises(RuntimeError) as caught:
        char_rnn.train(TEXT, out="r", **SMALL, optimizer=Broken)
    with pytest.raises(RunError, match="was made with the optimizer Broken"):  # and is not locked
        char_rnn.resume("r", progress=False)
    assert str(caught.value) == "no slots"  # and what holds the failed run was held until now


def test_what_is_planned_stands_in_one_place(quick):
    made = plan.make_plan(2000, 200, 30, 1, 1, {})
    assert made.model.keys() | made.train.keys() == PLANNED
    assert TRAIN_RECIPE.train.minutes == 2


# Ctrl-C.


def at(iteration, act):
    return lambda event: act() if isinstance(event, Step) and event.iteration == iteration else None


def test_ctrl_c_saves_and_returns_the_run_and_it_goes_on_to_the_same_bits():
    whole = char_rnn.train("book.txt", out="whole", **SMALL)
    before = signal.getsignal(signal.SIGINT)
    stop = at(7, lambda: signal.raise_signal(signal.SIGINT))
    run = char_rnn.train("book.txt", out="r", on_event=stop, **SMALL)
    assert signal.getsignal(signal.SIGINT) is before
    assert run.notes[-1] == "stopped at iteration 7; go on with char_rnn.resume('r')"
    assert CharRNN.load("r/last.safetensors").summary["iteration"] == 7
    run = eval(run.notes[-1].partition("go on with ")[2][:-1] + ", progress=False)")
    np.testing.assert_array_equal(run.model.parameters.flat, whole.model.parameters.flat)
    assert not any("stopped" in note for note in run.notes)


def test_what_a_callback_raises_comes_out_when_all_is_saved():
    def fail():
        raise RuntimeError("of the callback")

    with pytest.raises(RuntimeError, match="of the callback"):
        char_rnn.train("book.txt", out="r", on_event=at(7, fail), **SMALL)
    assert CharRNN.load("r/last.safetensors").summary["iteration"] == 7
    assert char_rnn.resume("r", progress=False).model.summary["iteration"] == 30


def test_a_second_ctrl_c_ends_it_at_once(monkeypatch):
    monkeypatch.setattr("char_rnn.runs.begin.ECHO", 0.0)
    before = signal.getsignal(signal.SIGINT)

    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        char_rnn.train("book.txt", out="r", on_event=at(7, twice), **SMALL)
    assert signal.getsignal(signal.SIGINT) is before
    Run.open("r").hold()  # nothing trains in it any more


def test_in_another_thread_signals_are_left_alone():
    found = []
    worker = threading.Thread(
        target=lambda: found.append(char_rnn.train("book.txt", save=False, **SMALL))
    )
    worker.start()
    worker.join()
    assert found[0].model.summary["iteration"] == 30


# What is shown.


def test_a_corpus_is_scored_as_it_is_if_the_model_knows_its_vocabulary():
    run = char_rnn.train(TEXT, save=False, **SMALL)
    own = Corpus.from_text(TEXT)
    assert run.evaluate(own) == run.evaluate(TEXT)
    more = Corpus.from_text("foxes jump\n" * 9, run.model.vocabulary)
    assert run.evaluate(more).characters == len("foxes jump\n" * 9) - 1


def test_the_best_model_of_a_run_in_memory_is_the_users_own():
    run = char_rnn.train(TEXT, save=False, **SMALL)
    best = run.model.parameters.flat.copy()
    run.model.parameters.flat[:] = 0
    trainer = run.trainer(run.corpus(), dataclasses.replace(run.train_config, iterations=31))
    trainer.model.parameters.flat[:] = 5  # and so none that follows is better
    list(run.follow(trainer))
    assert np.array_equal(run.model.parameters.flat, best)


def test_output_that_nobody_reads_any_more_loses_nothing(monkeypatch):
    def show(self, event):
        if event.iteration == 3:
            raise BrokenPipeError

    monkeypatch.setattr(watch.Watch, "show", show)
    with pytest.raises(BrokenPipeError):
        char_rnn.train(TEXT, out="r", **SMALL | {"eval_every": 0, "progress": None})
    trainer = Run.open("r").trainer(Corpus.from_source(as_source(Path("r", "text.txt"))))
    assert trainer.iteration == 3


def test_nothing_is_shown_where_nobody_wants_it(capsys):
    char_rnn.train("book.txt", out="r", **SMALL)
    said = capsys.readouterr()
    assert said.out == said.err == ""


def test_events_are_told_one_by_one(capsys):
    char_rnn.train("book.txt", save=False, on_event=print, **SMALL)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Step(iteration=1, ") and lines[-1].startswith("End(")


class Terminal:
    encoding = "utf-8"

    def __init__(self):
        self.said = ""

    def isatty(self):
        return True

    def write(self, text):
        self.said += text

    def flush(self):
        pass

    def fileno(self):
        raise OSError


def test_a_terminal_has_a_line_that_moves(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(watch, "LIVE_SECONDS", 0.0)
    monkeypatch.setattr(watch.LiveWatch, "pause", 0.0)
    monkeypatch.setattr(sys, "stdout", terminal)
    char_rnn.train(
        "a \x1b[31m\n" * 300,
        save=False,
        **SMALL | {"progress": None, "sample_every": 9, "learning_rate": 0.05},
    )
    watch.Watch().line("\x1b[31m")
    monkeypatch.undo()
    assert "\\x1b[31m\n" in terminal.said
    assert "━" in terminal.said and "left" in terminal.said and "best so far\n" in terminal.said
    assert "\x1b[31m" not in terminal.said and "\x1b[?25h" in terminal.said
    assert terminal.said.startswith("\x1b[?25l")


def test_a_notebook_has_a_panel_that_changes(monkeypatch, capsys):
    shown = []

    class Handle:
        def update(self, panel):
            shown.append(panel)

    def display(panel, display_id):
        assert display_id is True
        shown.append(panel)
        return Handle()

    notebook = types.ModuleType("IPython")
    notebook.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    notebook.display = types.ModuleType("IPython.display")
    notebook.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", notebook)
    monkeypatch.setitem(sys.modules, "IPython.display", notebook.display)
    settings = SMALL | {"progress": None, "learning_rate": 0.05}
    run = char_rnn.train("a <b>\n" * 300, save=False, **settings)
    said = capsys.readouterr()
    assert said.out == said.err == ""
    page = shown[-1]._repr_html_()
    assert 'value="1.0000"' in page and "iteration 30" in page and "best so far" in page
    assert "Text: text" in repr(shown[0]) and "<b>" not in page and len(shown) > 3
    assert len(page.splitlines()) <= watch.PANEL_LINES
    watch.NotebookWatch().line("<i>\x1b")
    assert "<pre>&lt;i&gt;\\x1b</pre>" in shown[-1]._repr_html_()
    notebook.get_ipython = types.SimpleNamespace  # of a terminal
    assert not watch.in_notebook() and run.folder is None


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch):
    run = char_rnn.train("book.txt", save=False, **SMALL)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'char-rnn\[plots\]'"):
        run.plot()


def test_a_run_without_a_model_says_so():
    corpus = Corpus.from_text(TEXT)
    config, train = ModelConfig(corpus.vocabulary.size, 4), TrainConfig(iterations=1)
    run = Run.in_memory(config, train, corpus)
    with pytest.raises(RunError, match="no model yet"):
        _ = run.model
    assert repr(run) == "Run(the run in memory: 1 × rnn 4, text text)"
    run = Run.create(Path("r"), config, train, corpus, copy=TEXT.encode())
    with pytest.raises((RunError, FileError), match=r"no model|holds no"):
        _ = run.model
    assert repr(run) == "Run(r: 1 × rnn 4, text text)"
