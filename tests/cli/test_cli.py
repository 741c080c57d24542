"""The commands through their real entry points, as a user and a kill -9 meet them."""

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from here import Done, call

from char_rnn import CharRNN
from char_rnn.config import RESET_AFTER

ROOT = Path(__file__).resolve().parents[2]
TEXT = "To be, or not to be: that is the question.\n" * 80
COMMAND = [sys.executable, "-c", "from char_rnn.cli.main import main; main()"]
SMALL = ["--hidden_size", "16", "--batch-size", "4", "--seq_length", "10", "--threads", "1"]


def start(*arguments, cwd, command=COMMAND, io_encoding="utf-8", **settings):
    environment = os.environ | {
        "PYTHONIOENCODING": io_encoding, "CHAR_RNN_CACHE": str(cwd / "cache"),
    }  # fmt: skip
    return subprocess.Popen(
        [*command, *map(str, arguments)], cwd=cwd, env=environment, text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.PIPE, **settings,
    )  # fmt: skip


def program(*arguments, cwd, code=0, stdin="", **settings):
    """Run a command as a process; return what it says: its errors if `code` is one of them."""
    process = start(*arguments, cwd=cwd, **settings)
    out, err = process.communicate(stdin, timeout=120)
    assert "Traceback" not in out + err
    return said(Done(process.returncode, out, err), code)


def run(*arguments, cwd, code=0, stdin=""):
    """Run a command in this process, which is quicker: one that has also been run as another."""
    return said(call(*arguments, cwd=cwd, stdin=stdin), code)


def said(done, code):
    assert done.returncode == code, done
    if code:
        assert len(done.stderr.strip().splitlines()) <= 4, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a text and a trained run."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "text.txt").write_text(TEXT, "utf-8", newline="")
    out = program("train", "text.txt", *SMALL, "--iterations", 60, "--eval_every", 20,
              "--sample-every", 30, "--out", "runs/first", cwd=folder)  # fmt: skip
    assert "Iter 0 (loss=" in out and "Validation loss:" in out
    assert "char-rnn generate runs/first" in out.replace("\\", "/")
    return folder


def test_generate(home):
    words = ["generate", "runs/first", "--seed", "To be", "--length", 30]

    def generate(*more, **settings):
        return run(*words, *more, cwd=home, **settings)

    text = program(*words, "--rng_seed", 1, cwd=home)
    assert text.startswith("To be") and len(text) == 5 + 30 + 1
    assert text == generate("--rng-seed", 1) != generate("--rng_seed", 2)
    assert generate("--greedy") == generate("--temperature", 0)
    assert run("generate", "--length", 5, cwd=home)  # the newest run
    generate("--out", "out.txt", "--rng_seed", 1)
    assert (home / "out.txt").read_text("utf-8") + "\n" == text
    for wrong in ("-1", "nan"):
        assert "temperature" in generate("--temperature", wrong, code=2)
    unknown = ["generate", "runs/first", "--seed", "ΩTo", "--length", 3]
    assert "Ω" in run(*unknown, cwd=home, code=2)
    assert run(*unknown, "--skip_unknown", cwd=home).startswith("To")


def test_inspect(home):
    out = program("inspect", "runs/first", cwd=home)
    for part in ("CharRNN(input=", "gru", "text, 3,440 characters", "60 iterations", "Validation"):
        assert part in out


def test_a_run_says_how_it_was_calibrated(tmp_path):
    text = " ".join(np.random.default_rng(0).choice(TEXT.split(), 14_000))
    (tmp_path / "text.txt").write_text(text)
    said = run("train", "text.txt", *SMALL, "--iterations", 60, "--out", "r", cwd=tmp_path)
    model = CharRNN.load(tmp_path / "r")
    summary = model.summary
    words = (
        f"logits divided by {summary['calibration_temperature']:.2f}, fitted on 1,999 characters"
    )
    for out in (said, run("inspect", "r", cwd=tmp_path)):
        loss = f"{summary['val_loss']:.4f} nats"
        assert words in out and loss in out and f"{summary['uncalibrated_val_loss']:.4f}" in out
    # Whoever reads the file has it: the same loss, by a command that knows nothing of it.
    found = json.loads(run("evaluate", "r", "text.txt", "--json", "--no_baselines", cwd=tmp_path))
    assert abs(found["loss"]["nats"] - summary["val_loss"]) < 2e-3

    # As if it had been killed between its last step and this.
    whole = (tmp_path / "r" / "model.safetensors").read_bytes()
    T = summary.pop("calibration_temperature")
    summary["val_loss"] = summary.pop("uncalibrated_val_loss")
    del summary["calibration_characters"]
    for name in ("out.weight", "out.bias"):
        model.parameters[name] *= T
    model.save(tmp_path / "r" / "model.safetensors")
    assert "divided by" in run("train", "--resume", "r", cwd=tmp_path)
    again = CharRNN.load(tmp_path / "r")
    assert abs(again.summary["calibration_temperature"] - T) < 1e-3
    once = (tmp_path / "r" / "model.safetensors").read_bytes()
    assert len(once) == len(whole)
    assert "finished" in run("train", "--resume", "r", cwd=tmp_path, code=2)
    assert (tmp_path / "r" / "model.safetensors").read_bytes() == once


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["train", "no-such.txt"], 1, "python-docs"),
        (["train", "empty.txt"], 1, "empty"),
        (["train", "binary.bin"], 1, "--bytes"),
        (["train", "latin.txt"], 1, "byte offset 3"),
        (["train", "one.txt"], 1, "2 are needed"),
        (["train", "void"], 1, "no text file"),
        (["train", "text.txt", "--cell", "lstn"], 2, "gru"),
        (["train", "text.txt", "--cell", "rnn", "--reset_after"], 2, "gru"),
        (["train", "text.txt", "--cell", "lstm", "--reset-before"], 2, "gru"),
        (["train", "text.txt", "--hidden_size", "0"], 2, "hidden_size"),
        (["train", "text.txt", "--iterations", "5", "--epochs", "1"], 2, "how long"),
        (["train", "text.txt", "--out", "runs/first"], 1, "--resume"),
        (["train", "--resume", "runs/first"], 2, "finished"),
        (["train", "--resume", "runs/first", "--cell", "rnn"], 2, "--cell"),
        (["train", "--resume", "void"], 1, "not a run folder"),
        (["generate", "no-such"], 1, "no-such"),
        (["generate", "text.txt"], 1, "text.txt"),
        (["generate", "void"], 1, "void"),
        (["inspect", "binary.bin"], 1, "binary.bin"),
        (["no-such-command"], 2, "no-such-command"),
    ],
)
def test_mistakes_get_one_line(home, call, monkeypatch, arguments, code, says):
    monkeypatch.chdir(home)
    monkeypatch.setenv("CHAR_RNN_CACHE", str(home / "cache"))
    (home / "empty.txt").write_bytes(b"")
    (home / "binary.bin").write_bytes(b"\x7fELF\0\0\0")
    (home / "latin.txt").write_bytes("abcé".encode("latin-1") + b" abc")
    (home / "one.txt").write_text("a")
    (home / "void").mkdir(exist_ok=True)
    found, _, err = call(*arguments)
    assert found == code and says in err and len(err.strip().splitlines()) <= 4, err


@pytest.mark.parametrize("given", [[], ["--reset_after"], ["--reset-before"]], ids=str)
def test_the_form_of_a_gru(home, given):
    name = "-".join(["form", *given])
    length = ["--minutes", 0.003] if len(given) else ["--iterations", 2]
    out = run("train", "text.txt", *given, "--hidden_size", 8, *length, "--out", name, cwd=home)
    before = "--reset-before" in given or not (given or RESET_AFTER)
    assert ("gru (reset before)" in out) is before
    assert json.loads((home / name / "config.json").read_text())["model"]["reset_after"] is (
        not before
    )
    said = run("inspect", name, cwd=home)
    assert ("no module of this form" if before else "nn.GRU and nn.Linear") in said


def test_the_exercise_keeps_its_own_gru_and_its_whole_text(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    command = [sys.executable, str(ROOT / "train_rnn.py")]
    program("--text", "text.txt", "--cell", "gru", "--hidden_size", 4, "--iterations", 1,
        "--threads", 1, "--out", "gru.pkl", cwd=tmp_path, command=command)  # fmt: skip
    model = CharRNN.load(tmp_path / "gru.pkl")
    assert model.config.reset_after is False and "calibration_temperature" not in model.summary
    (folder,) = (tmp_path / "runs").glob("text-gru4-*")
    settings = json.loads((folder / "config.json").read_text())
    assert settings["train"]["calibration"] == 0 and settings["model"]["reset_after"] is False


def test_small_texts_shrink_the_batch_and_say_so(tmp_path):
    (tmp_path / "tiny.txt").write_text("abcabcabcabcabcabcab")
    out = run("train", "tiny.txt", "--iterations", 3, "--out", "r", cwd=tmp_path)
    assert "batch_size 32 → 1" in out and "seq_length 50 → 17" in out
    (tmp_path / "same.txt").write_text("a" * 3000)
    assert "nothing but 'a'" in run("train", "same.txt", "--iterations", 3, "--out", "s",
                                    cwd=tmp_path)  # fmt: skip


def test_bytes_and_standard_input(tmp_path):
    (tmp_path / "latin.txt").write_bytes("déjà vu ".encode("latin-1") * 300)
    run("train", "latin.txt", "--bytes", *SMALL, "--iterations", 5, "--out", "b", cwd=tmp_path)
    assert not run("generate", "b", "--seed", "né", "-n", 9, "-o", "o", cwd=tmp_path)
    made = (tmp_path / "o").read_bytes()
    assert made.startswith("né".encode()) and len(made) == 12
    out = program("train", "-", *SMALL, "--iterations", 5, "--out", "s", cwd=tmp_path, stdin=TEXT)
    assert "stdin, 3,440 characters" in out


def test_resume_with_more_iterations(home):
    run("train", "text.txt", *SMALL, "--iterations", 5, "--out", "runs/more", cwd=home)
    out = program("train", "--resume", "runs/more", "--iterations", 9, cwd=home)
    assert "at iteration 5" in out
    log = [json.loads(x) for x in (home / "runs/more/log.jsonl").read_text().splitlines()]
    assert log[-1]["event"] == "end" and log[-1]["iteration"] == 9
    assert json.loads((home / "runs/more/config.json").read_text())["train"]["iterations"] == 9


def test_a_pipe_gets_utf_8_whatever_the_system_says(tmp_path):
    (tmp_path / "greek.txt").write_text("αβγ→δ " * 20, "utf-8")
    train = ["train", "greek.txt", "--iterations", 3, "--hidden_size", 8, "--out", "r"]
    assert "batch_size 32 → 2" in program(*train, cwd=tmp_path, io_encoding="cp1252")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(tmp_path, number, code):
    (tmp_path / "text.txt").write_text(TEXT)
    process = start("train", "text.txt", *SMALL, "--iterations", 10**6, "--out", "r", cwd=tmp_path)
    while "validation" not in process.stdout.readline():
        pass
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code and not err
    assert "char-rnn train --resume r" in out
    facts = CharRNN.load(tmp_path / "r" / "last.safetensors").summary
    assert f"iteration {facts['iteration']:,}" in out


def test_killed_anywhere_and_resumed_gives_the_same_bits(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    settings = ["--iterations", 400, "--eval_every", 3, "--sample_every", 50, "--threads", 2]

    def weights(name):
        return CharRNN.load(tmp_path / name / "last.safetensors").parameters.flat

    program("train", "text.txt", *SMALL, *settings, "--out", "whole", cwd=tmp_path)
    chance = random.Random(0)
    process = start("train", "text.txt", *SMALL, *settings, "--out", "killed", cwd=tmp_path)
    kills = 0
    while True:
        # The first kill comes as soon as the folder is there, before the first checkpoint.
        while not (tmp_path / "killed" / "config.json").exists():
            time.sleep(0.001)
        if kills:
            time.sleep(chance.uniform(0.3, 0.9))
        if process.poll() is not None or kills > 25:
            break
        process.kill()
        process.communicate()
        kills += 1
        process = start("train", "--resume", "killed", cwd=tmp_path)
    out, err = process.communicate(timeout=120)
    assert process.returncode in {0, 2}, (out, err)
    assert kills >= 2
    np.testing.assert_array_equal(weights("whole"), weights("killed"))
    best = [CharRNN.load(tmp_path / name).parameters.flat for name in ("whole", "killed")]
    np.testing.assert_array_equal(*best)
    assert not list((tmp_path / "killed").glob("*.tmp*"))


def test_the_exercise_to_the_letter(tmp_path, shakespeare):
    (tmp_path / "shakespeare.txt").write_bytes(shakespeare.read_bytes())
    train = [sys.executable, str(ROOT / "train_rnn.py")]
    out = program("--text", "shakespeare.txt", "--hidden_size", 256, "--seq_length", 50,
              "--iterations", 3, cwd=tmp_path, command=train)  # fmt: skip
    for line in (
        "Loading text file...",
        "Text length: 1,115,394 characters",
        "Vocabulary size: 65 unique characters",
        r"""Vocabulary: ['\n', ' ', '!', '$', '&', "'", ',', '-', '.', ...]""",
        "Building RNN...",
        "Architecture: CharRNN(input=65, hidden=256, output=65)",
        "Total parameters: 99,137",
        "Training with:",
        "  - Sequence length: 50",
        "  - Learning rate: 0.002",
        "  - Gradient clip: 5.0",
        "Iter 0 (loss=4.",
    ):
        assert line in out
    with (tmp_path / "shakespeare_rnn.pkl").open("rb") as file:
        plain = pickle.load(file)  # what any NumPy user would do
    assert plain["parameters"]["rnn.weight_hh_l0"].shape == (256, 256)
    generate = [sys.executable, str(ROOT / "generate.py")]
    out = program("--model", "shakespeare_rnn.pkl", "--seed", "To be or", "--length", 50,
              "--temperature", 0.8, cwd=tmp_path, command=generate)  # fmt: skip
    assert out.startswith('Seed: "To be or"\n\nGenerated:\nTo be or')
    out = program("--seed", "KING:", "--temperature", 1.2, cwd=tmp_path, command=generate)
    assert out.startswith("KING:") and len(out) == 5 + 500 + 1


def test_evaluate(home):
    text = (home / "text.txt").read_text("utf-8")
    out = program("evaluate", "runs/first", "text.txt", "--windows", "32", "--html", "heat.html",
              "--dynamic", "--show", cwd=home)  # fmt: skip
    assert "which this model was not trained on" in out
    for part in ("this model", "windows of 32", "dynamic", "6-gram", "uniform"):
        assert part in out
    assert "<pre" in (home / "heat.html").read_text("utf-8")
    found = json.loads(run("evaluate", "runs/first", "text.txt", "--json", cwd=home))
    log = [json.loads(line) for line in (home / "runs/first/log.jsonl").read_text().splitlines()]
    best = min(line["val_loss"] for line in log if line["val_loss"] is not None)
    assert found["loss"]["nats"] == pytest.approx(best, abs=0.01)
    assert found["characters"] == len(text) - int(0.9 * len(text)) - 1
    whole = json.loads(run("evaluate", "runs/first", "text.txt", "--val_fraction", "1", "--json",
                           "--no_baselines", cwd=home))  # fmt: skip
    assert whole["characters"] == len(text) - 1 and "baselines" not in whole


def test_evaluate_says_what_is_wrong(home):
    (home / "foreign.txt").write_text("ÄÖÜ" * 50, "utf-8")
    said = run("evaluate", "runs/first", "foreign.txt", cwd=home, code=2)
    assert "does not know the characters 'Ä' (U+00C4)" in said and "--start_from" in said
    for wrong in (["--windows", "0"], ["--streams", "0"], ["--val_fraction", "2"]):
        assert wrong[0] in run("evaluate", "runs/first", "text.txt", *wrong, cwd=home, code=2)


def test_plot_and_compare(home):
    out = program("plot", "runs/first", cwd=home)
    assert "first" in out and "validation loss" in out and "o" in out
    run("train", "text.txt", *SMALL, "--iterations", 20, "--out", "runs/second", cwd=home)
    out = program("compare", "runs/second", "runs/first", cwd=home)
    rows = out.strip().splitlines()
    assert len(rows) == 3 and rows[1].startswith("first") and rows[2].startswith("second")
    assert "1 × gru 16" in rows[1]
    run("plot", "runs/first", "--out", "a.txt", cwd=home, code=2)
    run("plot", "nowhere", cwd=home, code=1)
    run("compare", cwd=home, code=2)


def test_overlap(home):
    out = program("overlap", "text.txt", "--text", "text.txt", cwd=home)
    assert "3,440" in out and "100.0%" in out


def test_fine_tuning_adds_characters_and_resumes(home):
    (home / "new.txt").write_text(TEXT.replace("question", "Frage: größer?"), "utf-8")
    begin = ["train", "new.txt", "--start_from", "runs/first", "--threads", 1, "--batch_size", 4]
    out = run(*begin, "--iterations", 30, "--out", "runs/tuned", cwd=home)
    assert "New to the model: " in out and "ß" in out
    first, tuned = (CharRNN.load(home / "runs" / name) for name in ("first", "tuned"))
    assert tuned.config.hidden_size == first.config.hidden_size == 16
    assert set(tuned.vocabulary.chars) == set(first.vocabulary.chars) | set("Frgöß?")
    out = run("train", "--resume", "runs/tuned", "--iterations", 35, cwd=home)
    assert "at iteration 30" in out
    for wrong in (["--hidden_size", 32], ["--bytes"]):
        run(*begin, *wrong, "--iterations", 5, "--out", "runs/wrong", cwd=home, code=2)


def test_minutes_are_planned_and_kept(home):
    began = time.monotonic()
    out = run("train", "text.txt", "--minutes", "0.03", "--verbose", "--layers", 2,
              "--hidden_size", 24, "--threads", 1, "--out", "runs/planned", cwd=home)  # fmt: skip
    assert out.count("Plan: ") == 4 and "2 × 24 units" in out
    config = json.loads((home / "runs/planned/config.json").read_text())
    assert config["model"]["layers"] == 2 and config["train"]["random_offset"] is True
    end = json.loads((home / "runs/planned/log.jsonl").read_text().splitlines()[-1])
    assert end["event"] == "end" and 0.3 < end["seconds"] < 2.1
    assert time.monotonic() - began < 30


def test_without_a_run_the_shipped_model_writes(tmp_path):
    process = start("generate", "--length", 60, "--rng_seed", 1, cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and len(out) >= 60 and "shakespeare" in err
    assert "Validation loss" in run("inspect", cwd=tmp_path)
