"""Sweeps: what is varied, who does which training, what comes of it, whoever dies meanwhile."""

import dataclasses
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import char_rnn
from char_rnn.config import PLANNED
from char_rnn.data.corpus import Corpus
from char_rnn.errors import CharRNNError, SweepError, UsageError
from char_rnn.sweeps import jobs as jobs_module
from char_rnn.sweeps.begin import shown_sweep
from char_rnn.sweeps.jobs import Jobs
from char_rnn.sweeps.results import command_of, results
from char_rnn.sweeps.spec import Spec, checked
from char_rnn.sweeps.store import hidden, open_study
from char_rnn.sweeps.training import do
from char_rnn.sweeps.vary import as_varied

pytest.importorskip("optuna", reason="optuna is not installed")

TEXT = "the quick brown fox jumps over the lazy dog.\n" * 60
SMALL = {"iterations": 6, "eval_every": 2, "batch_size": 4, "seq_length": 10, "val_fraction": 0.2}
OPTIONS = [str(part) for name, value in SMALL.items() for part in (f"--{name}", value)]
ENTRY = str(Path(sys.executable).parent / "char-rnn")


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def spec(vary=("hidden_size=4,8",), seeds=2, **more):
    corpus = Corpus.from_text(TEXT)
    return Spec("text", as_varied(vary), seeds, SMALL, text_sha256=corpus.sha256, **more), corpus


def sweep(text, *options, **more):
    command = [ENTRY, "sweep", str(text), *OPTIONS, *map(str, options)]
    return subprocess.run(
        command, cwd=text.parent, capture_output=True, text=True, check=False, **more
    )


# What is varied.


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6, unique=True))
def test_values_come_back(values):
    (found,) = as_varied([f"hidden_size={','.join(map(str, values))}"])
    assert found.values == tuple(values)
    assert as_varied({"hidden_size": values}) == (found,)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(said):
    try:
        as_varied([said])
    except UsageError as error:
        assert str(error)


@settings(max_examples=50)
@given(st.floats(1e-6, 1.0), st.floats(1.5, 1000), st.sampled_from(["random"]), st.integers(1, 20))
def test_what_is_drawn_lies_in_its_range(low, times, sampler, trials):
    found = Spec(
        "", as_varied([f"learning_rate={low!r}..{low * times!r}", "layers=1..4"]), 1,
        sampler=sampler, trials=trials,
    )  # fmt: skip
    for row in range(trials):
        point = found.point(row)
        assert point == found.point(row)
        assert low * 0.999 <= point["learning_rate"] <= low * times * 1.001
        assert point["layers"] in (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("vary", "more", "said"),
    [
        (["hidden_siz=4"], {}, "hidden_size"),
        (["hidden_size=4,x"], {}, "must be a whole number"),
        (["hidden_size=4.5"], {}, "must be a whole number"),
        (["hidden_size=4,4"], {}, "has a value twice"),
        (["hidden_size=4", "hidden_size=8"], {}, "varied twice"),
        (["hidden_size"], {}, "a setting and its values"),
        (["rng_seed=1,2"], {}, "--seeds"),
        (["learning_rate=nan"], {}, "must be a number"),
        (["learning_rate=0.1..0.01"], {"sampler": "random", "trials": 2}, "must go up"),
        (["learning_rate=0.001..0.01"], {}, "a grid needs the values"),
        (["cell=gru..lstm"], {"sampler": "tpe", "trials": 2}, "is no number"),
        (["average=true"], {}, "must be a number"),
        (["random_offset=maybe"], {}, "true or false"),
        ([], {}, "nothing is varied"),
        (["hidden_size=4,8"], {"sampler": "tpe"}, "--trials"),
        (["hidden_size=4,8"], {"trials": 3}, "no effect on a grid"),
        (["hidden_size=4,8"], {"seeds": 100_000}, "at most 10,000"),
        (["iterations=1,2"], {}, "both varied and given"),
    ],
)
def test_what_cannot_be_varied_is_said(vary, more, said):
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        spec(vary, **more)


def test_every_row_is_checked_before_anything_is_trained():
    asked, corpus = spec(["hidden_size=4,8", "cell=gru,lst"])
    with pytest.raises(UsageError, match="lst"):
        checked(asked, corpus)


# Who does what.


@pytest.fixture(params=["folder", "sqlite"])
def place(request, tmp_path):
    if request.param == "folder":
        return str(tmp_path / "sweep")
    return f"sqlite:///{tmp_path / 'sweep.db'}"


def finish(place, asked, corpus):
    found = Jobs(open_study(place, "s", asked), asked)
    while (job := found.take()) is not None:
        assert do(found, job, asked, corpus, lambda: False)
    return results(found.study, asked, place)


def test_every_training_is_done_once(place):
    asked, corpus = spec()
    first = finish(place, asked, corpus)
    assert first.done == first.total == 4
    assert sorted(row.point["hidden_size"] for row in first.rows) == [4, 8]
    again = finish(place, asked, corpus)
    assert len(open_study(place, "s", asked).trials) == 4
    assert again.to_dict() == first.to_dict()


def test_the_loss_is_that_of_a_training_alone(place):
    asked, corpus = spec(["hidden_size=4"], seeds=1)
    (row,) = finish(place, asked, corpus).rows
    alone = char_rnn.train(
        corpus, hidden_size=4, rng_seed=0, save=False, progress=False, threads=1, **SMALL
    )
    assert row.loss == alone.model.summary["val_loss"]


def test_a_command_says_all_that_was_planned(place):
    asked, corpus = spec(["hidden_size=4"], seeds=1)
    settings = {"minutes": 0.02, "val_fraction": 0.2}
    (row,) = finish(place, dataclasses.replace(asked, settings=settings), corpus).rows
    used = row.outcomes[0].used
    command = shlex.split(command_of(["text.txt"], row.outcomes[0]))
    for name in PLANNED:
        value = (used["train"] | used["model"])[name]
        said = command[command.index(f"--{name}") + 1]
        assert said == (str(value).lower() if isinstance(value, bool) else str(value))


def test_mean_and_spread_are_over_the_seeds(place):
    asked, corpus = spec(["hidden_size=4"], seeds=3)
    (row,) = finish(place, asked, corpus).rows
    assert len(set(row.losses)) == 3
    assert row.loss == pytest.approx(sum(row.losses) / 3)
    variance = sum((loss - row.loss) ** 2 for loss in row.losses) / 2
    assert row.spread == pytest.approx(variance**0.5)


def test_two_that_begin_at_once_do_nothing_twice(place, monkeypatch):
    asked, corpus = spec()
    one, other = (Jobs(open_study(place, "s", asked), asked) for _ in range(2))
    monkeypatch.setattr(one, "_fill", lambda: None)
    one_sees = type(one)._fill
    # Both have seen an empty queue before either has filled it.
    trials = one.study.get_trials
    monkeypatch.setattr(one.study, "get_trials", lambda **_: [])
    one_sees(one)
    monkeypatch.setattr(one.study, "get_trials", trials)
    monkeypatch.setattr(other.study, "get_trials", lambda **_: [])
    type(other)._fill(other)
    monkeypatch.undo()
    assert len(one.study.trials) == 8
    places = set()
    while (job := one.take() or other.take()) is not None:
        assert (job.row, job.seed) not in places
        places.add((job.row, job.seed))
        do(one, job, asked, corpus, lambda: False)
    assert len(places) == 4


def test_what_is_stopped_is_done_anew(place):
    asked, corpus = spec(["hidden_size=4"], seeds=1)
    found = Jobs(open_study(place, "s", asked), asked)
    assert not do(found, found.take(), asked, corpus, lambda: True)
    assert results(found.study, asked, place).done == 0
    assert finish(place, asked, corpus).done == 1


def test_the_job_of_a_process_that_is_gone_is_taken_up_at_once(place):
    asked, _ = spec(["hidden_size=4"], seeds=1)
    found = Jobs(open_study(place, "s", asked), asked)
    job = found.take()
    assert found.take() is None
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    host, _ = json.loads(found._owner)
    job.trial.set_user_attr("owner", json.dumps([host, gone.pid]))
    taken = found.take()
    assert (taken.row, taken.seed) == (job.row, job.seed)
    assert taken.trial.number != job.trial.number


def test_the_job_of_a_machine_that_gives_no_sign_is_taken_up_later(place, set_clock):
    asked, _ = spec(["hidden_size=4"], seeds=1)
    found = Jobs(open_study(place, "s", asked), asked)
    job = found.take()
    job.trial.set_user_attr("owner", json.dumps(["elsewhere", 1234]))
    now = [0.0]
    set_clock(jobs_module, monotonic=lambda: now[0])
    for second in (0, 50, 100, 150):
        now[0] = second
        job.trial.set_user_attr("alive", second)
        assert found.take() is None
    now[0] = 205
    assert found.take() is None
    now[0] = 215
    assert found.take() is not None


def test_a_training_that_comes_to_nothing_is_told_and_not_tried_again(place):
    asked, corpus = spec(["hidden_size=4"], seeds=1)
    found = Jobs(open_study(place, "s", asked), asked)
    job = found.take()._replace(point={"hidden_size": 4, "batch_size": -1})
    assert do(found, job, asked, corpus, lambda: False)
    (row,) = results(found.study, asked, place).rows
    assert row.loss is None
    assert "batch_size" in row.outcomes[0].why
    assert found.take() is None


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_rows_are_drawn(place, sampler):
    asked, corpus = spec(["learning_rate=0.001..0.1", "cell=gru,rnn"], sampler=sampler, trials=3)
    found = finish(place, asked, corpus)
    assert found.done == 6
    points = {json.dumps(row.point) for row in found.rows}
    assert len(points) == 3
    assert all(0.001 <= row.point["learning_rate"] <= 0.1 for row in found.rows)


def test_pruned_trainings_count_in_no_mean(place, monkeypatch):
    import optuna

    asked, corpus = spec(["hidden_size=4,8"], prune=True)
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda trial: trial.user_attrs["row"] == 1)
    found = finish(place, asked, corpus)
    whole, pruned = found.rows
    assert (len(whole.losses), whole.count("pruned")) == (2, 0)
    assert (pruned.loss, pruned.count("pruned")) == (None, 2)
    assert pruned.outcomes[0].used["iterations"] < SMALL["iterations"]
    assert found.best is whole
    assert "2 pruned" in found.table()


# The store.


@pytest.mark.parametrize(
    "change",
    [{"seeds": 3}, {"vary": ["hidden_size=4,16"]}, {"prune": True}],
    ids=["seeds", "vary", "prune"],
)
def test_another_sweep_is_not_gone_on_with(place, change):
    asked, _ = spec()
    open_study(place, "s", asked)
    other, _ = spec(**change)
    with pytest.raises(SweepError, match=f"its {next(iter(change))} is"):
        open_study(place, "s", other)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    asked, _ = spec()
    with pytest.raises(SweepError, match="no sweep"):
        open_study(str(tmp_path), "s", asked)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_study_of_somebody_else_is_left_alone(tmp_path):
    import optuna

    url = f"sqlite:///{tmp_path / 'other.db'}"
    study = optuna.create_study(study_name="s", storage=url)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    asked, _ = spec()
    with pytest.raises(SweepError, match="no sweep"):
        open_study(url, "s", asked)


def test_a_password_is_never_said():
    secret = "postgresql://me:geheim@nowhere.invalid:1/db"
    asked, _ = spec()
    with pytest.raises(SweepError) as caught:
        open_study(secret, "s", asked)
    assert "geheim" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert hidden(f"at {secret} and {secret}").count("***") == 2


def test_a_journal_of_anything_is_read_or_refused(tmp_path):
    asked, corpus = spec(["hidden_size=4"], seeds=1)
    finish(str(tmp_path / "good"), asked, corpus)
    good = (tmp_path / "good" / "journal.log").read_bytes()
    rng = random.Random(0)
    for _ in range(60):
        folder = tmp_path / "bad"
        folder.mkdir(exist_ok=True)
        lines = good.splitlines(keepends=True)
        at = rng.randrange(len(lines))
        kind = rng.randrange(4)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines[at] = bytes(rng.randrange(256) for _ in range(40)) + b"\n"
        elif kind == 2:
            lines[at] = lines[at].replace(b'"', b"", 1)
        else:
            old = rng.choice([b"4", b"row", b"1", b"gru", b"null", b"val_loss", b"true"])
            new = rng.choice([b"[]", b"-1", b"1e999", b"99999999999999999999", b'"x"'])
            lines[at] = lines[at].replace(old, new)
        (folder / "journal.log").write_bytes(b"".join(lines))
        try:
            shown = shown_sweep(folder)
            shown.table()
            shown.figure().svg()
            json.dumps(shown.to_dict())
        except CharRNNError as error:
            assert len(str(error).splitlines()) == 1


# The command line.


def test_the_command_does_all_and_says_it(text):
    done = sweep(text, "--vary", "hidden_size=4,8", "--vary", "cell=gru,rnn", "--seeds", 2)
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["hidden_size", "cell", "loss", "±", "seeds", "parameters", "seconds"]
    losses = [float(row.split()[2]) for row in rows[:4]]
    assert losses == sorted(losses)
    folder = text.parent / "sweeps" / "text"
    found = json.loads((folder / "results.json").read_text())
    assert len(found["rows"]) == 4
    assert (folder / "results.svg").read_text().startswith("<svg")
    # The command of each row repeats it.
    row = found["rows"][0]
    command = shlex.split(row["command"])
    again = subprocess.run(
        [ENTRY, *command[1:], "--threads", "1", "--out", "again"], cwd=text.parent,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert again.returncode in (0, 1), again.stderr
    run = char_rnn.Run(text.parent / "again", json.loads(
        (text.parent / "again" / "config.json").read_text()
    ))  # fmt: skip
    first = row["seeds"][0]
    assert run.train_config.to_dict() == first["used"]["train"] | {"rng_seed": 0}
    assert run.model_config.to_dict() == first["used"]["model"]
    assert run.model.summary["val_loss"] == first["loss"]
    # Once more: there is nothing left to do.
    assert (
        sweep(text, "--vary", "hidden_size=4,8", "--vary", "cell=gru,rnn", "--seeds", 2).stdout
        == done.stdout
    )
    shown = subprocess.run(
        [ENTRY, "sweep", "--show", str(folder)], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[:5] == done.stdout.splitlines()[:5]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--vary", "hidden_siz=4"], 2, "hidden_size"),
        (["--vary", "hidden_size=-4"], 2, "hidden_size"),
        ([], 2, "nothing is varied"),
        (["--vary", "hidden_size=4", "--out", "text.txt"], 1, "text.txt"),
        (["--vary", "hidden_size=4", "--storage", "nonsense"], 2, "URL"),
        (["--vary", "hidden_size=4", "--storage", "sqlite:////no/such/place.db"], 1, "cannot be"),
        (["--vary", "hidden_size=4", "--storage", "sqlite:///a.db", "--out", "b"], 2, "leave out"),
    ],
)
def test_a_mistake_is_one_line(options, code, said, text):
    done = sweep(text, *options)
    assert done.returncode == code
    assert len(done.stderr.strip().splitlines()) == 1
    assert said in done.stderr


def test_without_optuna_one_line_says_what_to_install(text):
    (text.parent / "stub").mkdir()
    (text.parent / "stub" / "optuna.py").write_text("raise ImportError('none')")
    path = os.pathsep.join([str(text.parent / "stub"), *sys.path])
    done = sweep(text, "--vary", "hidden_size=4", env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "pip install 'char-rnn[sweep]'" in done.stderr


LONG = ["--vary", "hidden_size=4,8", "--seeds", "2", "--jobs", "2", "--iterations", "150"]


def begun(text):
    command = [ENTRY, "sweep", str(text), *OPTIONS, *LONG]
    started = subprocess.Popen(
        command, cwd=text.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    journal = text.parent / "sweeps" / "text" / "journal.log"
    end = time.monotonic() + 30
    while not (journal.is_file() and '"owner"' in journal.read_text()):
        assert time.monotonic() < end
        assert started.poll() is None, started.communicate()
        time.sleep(0.02)
    return started


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_was_interrupted_is_gone_on_with(number, text):
    started = begun(text)
    os.kill(started.pid, number)
    out, _ = started.communicate(timeout=60)
    assert started.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        assert "Stopped. Go on with:\n  char-rnn sweep" in out
    done = sweep(text, *LONG)
    assert done.returncode == 0, done.stderr
    found = shown_sweep(text.parent / "sweeps" / "text")
    assert found.done == found.total == 4


def test_two_commands_share_the_work(text):
    started = begun(text)
    done = sweep(text, *LONG)
    out, _ = started.communicate(timeout=60)
    assert (done.returncode, started.returncode) == (0, 0)
    assert done.stdout == out
    study = open_study(str(text.parent / "sweeps" / "text"), "sweep", None)
    assert len([t for t in study.trials if t.state.name == "COMPLETE"]) == 4
