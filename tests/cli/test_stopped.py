"""Nothing computed is lost: signals, closed pipes and terminals, two writers, late errors."""

import _thread
import json
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest

from char_rnn import CharRNN
from char_rnn.cli import interrupts
from char_rnn.cli.interrupts import Interrupted, signals
from char_rnn.cli.main import cli, run
from char_rnn.constrain import writer as constrained
from char_rnn.errors import ConstraintNotMet
from char_rnn.generate import batch, beam, writer
from char_rnn.runs import lock

COMMAND = [sys.executable, "-c", "from char_rnn.cli.main import main; main()"]
EXERCISE = [
    sys.executable,
    "-c",
    "import sys\nfrom char_rnn.cli.classic import train_rnn\nfrom char_rnn.cli.main import run\n"
    "sys.exit(run(train_rnn, 'train_rnn.py'))",
]
TEXT = "To be, or not to be: that is the question.\n" * 80
SMALL = ["--hidden_size", "16", "--batch_size", "4", "--seq_length", "10", "--threads", "1"]
LONG = ["--iterations", "1000000", "--eval_every", "20", "--sample_every", "0"]
posix = pytest.mark.skipif(os.name == "nt", reason="signals, pipes and terminals of POSIX")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with a text, to be in."""
    (tmp_path / "text.txt").write_text(TEXT, "utf-8", newline="")
    monkeypatch.setenv("CHAR_RNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def start():
    """A function that starts a command; whatever still runs after the test is killed."""
    started = []

    def starting(*arguments, command=COMMAND, **settings):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | settings
        started.append(subprocess.Popen([*command, *map(str, arguments)], text=True, **pipes))
        return started[-1]

    yield starting
    for process in started:
        process.kill()
        with process:  # closes its pipes
            pass


def call(monkeypatch, capsys, *arguments, command=cli):
    """Run the command in this process; return its exit code, output and errors."""
    monkeypatch.setattr(sys, "argv", ["char-rnn", *map(str, arguments)])
    code = run(command, "char-rnn")
    said = capsys.readouterr()
    return code, said.out, said.err


def wait_for(process, word):
    for line in process.stdout:
        if word in line:
            return
    pytest.fail(process.stderr.read())


def saved(folder):
    return CharRNN.load(folder / "last.safetensors").summary["iteration"]


@posix
def test_a_closed_pipe_ends_training_and_saves_it(home, start):
    process = start("train", "text.txt", *SMALL, *LONG, "--out", "r")
    wait_for(process, "validation")
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(60) == 141
    assert (
        f"saved at iteration {saved(home / 'r'):,}" in said and "char-rnn train --resume r" in said
    )
    assert "Traceback" not in said


@posix
def test_a_closed_terminal_ends_training_and_saves_it(home, start):
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()

    def take_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with (home / "errors.txt").open("w") as errors:
        process = start(
            "train", "text.txt", *SMALL, *LONG, "--out", "r", stdin=theirs, stdout=theirs,
            stderr=errors, start_new_session=True, preexec_fn=take_terminal,
        )  # fmt: skip
    os.close(theirs)
    seen = b""
    while b"validation" not in seen:
        seen += os.read(ours, 1000)
    os.close(ours)
    assert process.wait(60) == 129
    said = (home / "errors.txt").read_text()
    assert saved(home / "r") >= 20 and "Traceback" not in said and "Exception" not in said


@posix
def test_a_hang_up_that_is_ignored_stays_ignored(home, start):
    def nohup():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = start("train", "text.txt", *SMALL, *LONG, "--out", "r", preexec_fn=nohup)
    wait_for(process, "validation")
    process.send_signal(signal.SIGHUP)
    wait_for(process, "validation")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143


def test_signals(set_clock):
    now, wishes = [100.0], []
    set_clock(interrupts, monotonic=lambda: now[0])
    with signals(wishes.append):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # `timeout` sends it twice
        assert wishes == [signal.SIGINT]
        now[0] += 1
        if hasattr(signal, "SIGHUP"):  # a closing terminal sends several
            signal.raise_signal(signal.SIGHUP)
            assert wishes == [signal.SIGINT, signal.SIGHUP]
            now[0] += 1
        with pytest.raises(Interrupted, match="2"):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with signals(), pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGTERM)


# One run, one writer.


@posix
def test_one_run_has_one_writer(home, start, monkeypatch, capsys):
    sizes = ["--hidden_size", 64, "--batch_size", 8, "--seq_length", 25, "--threads", 2]
    first = start("train", "text.txt", *sizes, *LONG, "--out", "r")
    wait_for(first, "validation")
    for second in (["--resume", "r"], ["text.txt", "--iterations", 3, "--out", "r"]):
        code, out, err = call(monkeypatch, capsys, "train", *second)
        assert code == 1 and "another process is training in r" in err and err.count("\n") == 1
        assert not out  # nothing was read
    for reading in (["inspect", "r"], ["plot", "r"], ["generate", "r", "--length", 5]):
        assert call(monkeypatch, capsys, *reading)[0] == 0
    first.kill()  # its worker may live a little longer
    second = start("train", "--resume", "r")
    wait_for(second, "validation")
    second.send_signal(signal.SIGINT)
    assert second.wait(60) == 130
    lines = [json.loads(line) for line in (home / "r" / "log.jsonl").read_text().splitlines()]
    iterations = [line["iteration"] for line in lines]
    assert iterations == sorted(iterations)


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_resuming_a_finished_run_changes_no_byte(home, monkeypatch, capsys):
    train = ["train", "text.txt", *SMALL, "--iterations", 6, "--eval_every", 2, "--out", "r"]
    assert call(monkeypatch, capsys, *train)[0] == 0
    before = everything(home / "r")
    for more in ([], ["--iterations", 6], ["--iterations", 3], ["--epochs", 0.01]):
        code, _, err = call(monkeypatch, capsys, "train", "--resume", "r", *more)
        assert code == 2 and "give more --iterations" in err
        assert everything(home / "r") == before


def test_what_is_advised_on_resume_is_accepted(home, monkeypatch, capsys):
    train = ["train", "text.txt", *SMALL, "--iterations", 60, "--eval_every", 1, "--out", "r"]
    bad = ["--patience", 1, "--learning_rate", 1e-9, "--optimizer", "sgd"]
    assert call(monkeypatch, capsys, *train, *bad)[0] == 0
    before = everything(home / "r")
    code, _, err = call(monkeypatch, capsys, "train", "--resume", "r")
    assert saved(home / "r") < 60
    assert code == 2 and "--patience" in err and everything(home / "r") == before
    code, _, _ = call(
        monkeypatch, capsys, "train", "--resume", "r", "--patience", 0, "--iterations", 62,
        "--threads", 2,
    )  # fmt: skip
    assert code == 0 and saved(home / "r") == 62
    train = json.loads((home / "r" / "config.json").read_text())["train"]
    assert train["threads"] == 2 and train["patience"] == 0


def test_a_worker_that_cannot_start_is_done_without(home, monkeypatch, capsys):
    sizes = ["--hidden_size", 64, "--batch_size", 8, "--seq_length", 25, "--threads", 2]
    monkeypatch.setattr("char_rnn.training.parallel.sys.executable", "/no/such/python")
    code, _, err = call(
        monkeypatch, capsys, "train", "text.txt", *sizes, "--iterations", 3, "--out", "r"
    )
    assert code == 1 and err.endswith("or `char-rnn train --resume r --threads 1`\n")
    advised = err.rpartition("`char-rnn ")[2].strip("`\n").split()
    assert call(monkeypatch, capsys, *advised)[0] == 0


def test_a_full_disk_under_the_output_ends_training_and_saves_it(home, monkeypatch, capsys):
    shown = []

    def full(self, event):
        shown.append(event)
        if event.iteration == 5:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("char_rnn.runs.watch.Watch.show", full)
    monkeypatch.setattr("char_rnn.cli.to_the_end.silence", lambda stream: None)
    code, _, err = call(monkeypatch, capsys, "train", "text.txt", *SMALL, *LONG, "--out", "r")
    assert code == 1 and "(No space left on device). Stopped and saved at iteration 5" in err
    assert saved(home / "r") == shown[-1].iteration == 5


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    import errno

    import filelock

    def none(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", none)
    taken = lock.RunLock(tmp_path)
    taken.take()
    assert "cannot be locked (No locks available)" in taken.note and not taken.held


@posix
def test_a_lock_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "precious").write_text("x")
    (tmp_path / ".lock").symlink_to("precious")
    with pytest.raises(lock.RunError, match="is a link"):
        lock.RunLock(tmp_path).take()
    assert (tmp_path / "precious").read_text() == "x"


# Texts.


def after(steps, act, honest):
    """Return `honest`, an iterator's maker, that calls `act` once after so many steps."""

    def maker(*arguments):
        for n, ids in enumerate(honest(*arguments), 1):
            yield ids
            if n == steps:
                act()

    return maker


def test_many_texts_are_written_as_far_as_they_came(home, monkeypatch, capsys):
    monkeypatch.setattr(batch, "sample", after(40, _thread.interrupt_main, batch.sample))
    many = ["generate", "shakespeare", "--count", 3, "--length", 10**6, "--threads", 2]
    code, out, err = call(monkeypatch, capsys, *many)
    assert code == 130 and err == "char-rnn: stopped\n"
    texts = out.split("--- ")[1:]
    assert [text.partition(",")[0] for text in texts] == ["1 of 3", "2 of 3", "3 of 3"]
    assert all("stopped after" in text and len(text) > 60 for text in texts)
    code, out, _ = call(monkeypatch, capsys, *many, "--out", "deep/{n}.txt")
    assert code == 130 and out.count("stopped") == 3
    assert all(len((home / f"deep/{n}.txt").read_text()) >= 40 for n in (1, 2, 3))


def test_finished_texts_stay_when_a_later_one_fails(home, monkeypatch, capsys):
    calls = []

    def fail():
        calls.append(1)
        if len(calls) == 3:
            raise ConstraintNotMet("too much was asked for")

    honest = constrained.ConstrainedIds
    monkeypatch.setattr(constrained, "ConstrainedIds", after(9, fail, honest))
    code, out, err = call(
        monkeypatch, capsys, "generate", "shakespeare", "--close", "--count", 5, "--length", 12
    )
    assert code == 1 and "too much" in err
    assert "--- 1 of 5 ---" in out and "--- 2 of 5 ---" in out and "4 of" not in out
    assert "--- 3 of 5, stopped after 9 characters ---" in out


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda: signal.raise_signal(signal.SIGINT), 130),
        (lambda: signal.raise_signal(signal.SIGTERM), 143),
        (lambda: (_ for _ in ()).throw(ConstraintNotMet("no")), 1),
        (lambda: (_ for _ in ()).throw(MemoryError), 1),
    ],
)
def test_a_file_keeps_what_was_made(home, monkeypatch, capsys, act, code):
    monkeypatch.setattr(writer, "sample", after(30, act, writer.sample))
    one = ["generate", "shakespeare", "--seed", "ROMEO:", "--length", 10**6, "--rng_seed", 1]
    found, _, err = call(monkeypatch, capsys, *one, "--out", "new/o.txt")
    assert found == code and "30 characters" in err and "Traceback" not in err
    assert len((home / "new/o.txt").read_text()) == 36
    found, out, _ = call(monkeypatch, capsys, *one)
    assert found == code and out == (home / "new/o.txt").read_text() + "\n"


def test_a_search_tells_the_best_that_it_has(home, monkeypatch, capsys):
    honest, steps = beam._Search._choose, []

    def choose(self, t):
        honest(self, t)
        steps.append(t)
        if len(steps) == 15:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(beam._Search, "_choose", choose)
    search = ["generate", "shakespeare", "--seed", "ROMEO:", "--beam", 4, "--length", 10**5]
    code, out, err = call(monkeypatch, capsys, *search)
    assert code == 130 and "stopped after 15 characters" in out and err.endswith("stopped\n")
    text = CharRNN.load("shakespeare").search(
        "ROMEO:", writer.SampleConfig(15), width=4, results=1
    )[0].text  # fmt: skip
    assert out.partition("ROMEO:")[2].removesuffix("\n") == text


# The exercise's command.


@posix
def test_the_exercise_resumes_and_renews_its_file(home, start, monkeypatch, capsys):
    settings = ["--text", "text.txt", *SMALL, "--sample_every", 10]
    whole = start(*settings, "--iterations", 1000, "--out", "whole.pkl", command=EXERCISE)
    assert whole.communicate(timeout=60) and whole.returncode == 0
    parts = start(*settings, "--iterations", 1000, command=EXERCISE)
    wait_for(parts, "Iter 20")
    parts.send_signal(signal.SIGINT)
    out, _ = parts.communicate(timeout=60)
    assert parts.returncode == 130
    (advice,) = (line for line in out.splitlines() if "--resume" in line)
    arguments = advice.split("train_rnn.py ")[1].split()
    old = (home / "text_rnn.pkl").read_bytes()
    parts = start(*arguments, command=EXERCISE)
    out, err = parts.communicate(timeout=60)
    assert parts.returncode == 0, (out, err)
    assert "Going on with" in out and old != (home / "text_rnn.pkl").read_bytes()

    def weights(name):
        return pickle.loads((home / name).read_bytes())["parameters"]["rnn.weight_hh_l0"]

    np.testing.assert_array_equal(weights("text_rnn.pkl"), weights("whole.pkl"))
    (home / "text_rnn.pkl").unlink()  # a finished run still gives it
    assert start(*arguments, command=EXERCISE).wait(60) == 0
    np.testing.assert_array_equal(weights("text_rnn.pkl"), weights("whole.pkl"))
    _, out, _ = call(monkeypatch, capsys, "train", "--resume", arguments[1], "--iterations", 1001)
    assert "python train_rnn.py --resume" in out


def test_out_of_memory_is_one_line(home, monkeypatch, capsys):
    def too_large(*_):
        raise MemoryError("Unable to allocate 3 TiB")

    monkeypatch.setattr(CharRNN, "load", too_large)
    code, _, err = call(monkeypatch, capsys, "inspect", "shakespeare")
    assert code == 1 and err.count("\n") == 1 and "not enough memory (Unable to allocate" in err


@pytest.mark.parametrize("finished", [0, 2])
def test_overlap_reports_the_samples_that_were_finished(home, monkeypatch, capsys, finished):
    class Stopped:
        closed = False

        def __iter__(self):
            yield from ["To be, or not to be\n"] * finished
            raise Interrupted(signal.SIGINT)

        def close(self):
            self.closed = True

        def rest(self):
            assert self.closed
            return [(2, batch.Written("half of", False))]

    monkeypatch.setattr(CharRNN, "generate_each", lambda *_: Stopped())
    words = ["char-rnn", "overlap", "shakespeare", "--text", "text.txt", "--json"]
    monkeypatch.setattr(sys, "argv", words)
    assert run(cli, "char-rnn") == 130
    out, err = capsys.readouterr()
    assert err.endswith("char-rnn: stopped\n")
    assert len(json.loads(out)["samples"] if out else []) == finished
