"""`char-rnn evaluate --each_line`, and baselines on few characters."""

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

from char_rnn import CharRNN
from char_rnn.analyse import baselines
from char_rnn.cli.main import cli
from char_rnn.data.given import TextName
from char_rnn.errors import TextTooShort, UsageError
from char_rnn.runs.lines import score_lines
from char_rnn.runs.scored_text import scored_text

SMALL = ["--hidden_size", "8", "--iterations", "3", "--sample_every", "0", "--threads", "1"]
TEXT = "To be, or not to be\n\nthat is é the question\nxqzj zzkq\nééé\nThe king"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call a command on small texts; return what it writes, which went well unless `wrong`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text(TEXT, "utf-8", newline="")

    def call(*arguments, wrong=None):
        done = CliRunner().invoke(cli, [str(a) for a in arguments])
        if wrong is None:
            assert done.exit_code == 0, done.output
        else:
            assert isinstance(done.exception, wrong), done.output
            return str(done.exception)
        return done

    return call


def rows(done):
    """Return the objects of JSON lines, which must be strict."""
    return [
        json.loads(line, parse_constant=pytest.fail)
        for line in done.stdout.rstrip("\n").split("\n")
    ]


def test_one_number_a_line(run):
    done = run("evaluate", "shakespeare", "t.txt", "--each_line", "--json")
    found = rows(done)
    model = CharRNN.load("shakespeare")
    assert [row["line"] for row in found] == [1, 3, 4, 6]
    assert [row["left out"] for row in found] == [0, 1, 0, 0]
    for row in found:
        assert row["text"] == TEXT.split("\n")[row["line"] - 1]
        nats = model.surprisal(row["text"].replace("é", "") + "\n")
        assert row["nats"] == pytest.approx(nats.sum(), rel=1e-5)
        assert row["characters"] == len(nats)
        assert row["loss"] == pytest.approx(nats.mean(), rel=1e-5)
        assert math.log(row["perplexity"]) == pytest.approx(row["loss"])
    for said in ("lines scored: 4", "empty lines: 1", "knows nothing: 1", "line ends counted"):
        assert said in done.stderr
    table = run("evaluate", "shakespeare", "t.txt", "--each_line").stdout.splitlines()
    assert table[0].split()[0] == "line" and "left out" in table[0] and len(table) == 5
    for line, row in zip(table[1:], found, strict=True):
        place, characters, _, nats, *_ = line.split()
        assert (int(place), int(characters)) == (row["line"], row["characters"])
        assert float(nats) == pytest.approx(row["nats"], abs=1e-3) and line.endswith(row["text"])


@pytest.mark.parametrize(
    ("more", "order"),
    [
        ([], [1, 3, 4, 6]),
        (["--reverse"], [6, 4, 3, 1]),
        (["--sort", "surprise"], None),
        (["--sort", "surprise", "--reverse"], None),
    ],
)
def test_the_order(run, more, order):
    found = rows(run("evaluate", "shakespeare", "t.txt", "--each_line", "--json", *more))
    if order is None:
        losses = [row["loss"] for row in found]
        assert losses == sorted(losses, reverse="--reverse" not in more)
        assert found[0 if "--reverse" not in more else -1]["text"] == "xqzj zzkq"
    else:
        assert [row["line"] for row in found] == order


def test_of_its_own_text_only_whole_lines_that_it_was_not_trained_on(run, tmp_path):
    lines = [f"line {n} of the text" for n in range(100)]
    (tmp_path / "own.txt").write_text("\n".join(lines) + "\n", newline="")
    run("train", "own.txt", *SMALL, "--out", "r")
    found = rows(run("evaluate", "r", "own.txt", "--each_line", "--json"))
    start = int(0.9 * len("\n".join(lines) + "\n"))
    at = [len("\n".join(lines[:n])) + (n > 0) for n in range(100)]
    expected = [n + 1 for n in range(100) if at[n] >= start]
    assert [row["line"] for row in found] == expected and len(expected) in (9, 10)
    whole = run("evaluate", "r", "own.txt", "--each_line", "--json", "--val_fraction", 1)
    assert [row["line"] for row in rows(whole)] == list(range(1, 101))
    assert rows(whole)[expected[0] - 1]["nats"] == pytest.approx(found[0]["nats"], rel=1e-5)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_part_of_a_text_with_unknown_characters(run, share):
    """The same lines as of the text without them."""
    model = CharRNN.load("shakespeare")
    text = "".join(f"{'é' * n}line {n}\n" for n in range(12))
    Path("t.txt").write_text(text, "utf-8", newline="")
    Path("known.txt").write_text(text.replace("é", ""), "utf-8", newline="")
    places = []
    for name in ("t.txt", "known.txt"):
        found = scored_text(model, TextName(name), val_fraction=share)
        places.append([score.place for score in score_lines(model, found).scores])
    assert places[0] == places[1] and 2 < len(places[0]) < 12


def test_bytes(run, tmp_path):
    data = b"abc\n\n\xff\xfe\r\nd"
    (tmp_path / "b").write_bytes(data * 60)
    run("train", "b", "--bytes", *SMALL, "--out", "r")
    (tmp_path / "other").write_bytes(data)
    found = rows(run("evaluate", "r", "other", "--each_line", "--json"))
    model = CharRNN.load("r")
    assert [row["line"] for row in found] == [1, 3, 4]
    for row, line in zip(found, (b"abc\n", b"\xff\xfe\r\n", b"d\n"), strict=True):
        assert row["nats"] == pytest.approx(model.surprisal(line).sum(), rel=1e-5)


def test_what_cannot_be_is_told(run, tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n\n")
    (tmp_path / "nothing.txt").write_text("")
    assert "no line with anything" in run(
        "evaluate", "shakespeare", "empty.txt", "--each_line", wrong=TextTooShort
    )
    assert "empty" in run("evaluate", "shakespeare", "nothing.txt", "--each_line", wrong=Exception)
    for more in (["--show"], ["--windows", 5], ["--streams", 2], ["--no_baselines"]):
        said = run("evaluate", "shakespeare", "t.txt", "--each_line", *more, wrong=UsageError)
        assert f"{more[0]} has no effect" in said
    for more in (["--sort", "surprise"], ["--reverse"]):
        said = run("evaluate", "shakespeare", "t.txt", *more, wrong=UsageError)
        assert "without --each_line" in said


@pytest.mark.parametrize(
    ("count", "share", "there"),
    [
        (50, None, {"uniform"}),
        (999, None, {"uniform"}),
        (1001, None, {"uniform", "zlib"}),
        (500, 0.1, {"uniform"}),
        (2000, 0.1, {"uniform", "2-gram"}),
        (2000, 0.97, {"uniform", "zlib"}),
        (4000, 0.5, {"uniform", "2-gram", "zlib"}),
    ],
)
def test_baselines_that_mean_nothing_are_left_out_and_told(run, tmp_path, count, share, there):
    (tmp_path / "n.txt").write_text(("to be or not to be\n" * 300)[:count])
    more = [] if share is None else ["--val_fraction", share]
    done = run("evaluate", "shakespeare", "n.txt", *more, "--json")
    found = json.loads(done.stdout)["baselines"]
    assert {"uniform", "2-gram", "zlib"} & set(found) == there
    assert ("lzma" in found) == ("zlib" in there)
    note = done.stderr.count("Note: baselines left out")
    learned = {"uniform", "zlib"} if share is None else {"uniform", "2-gram", "zlib"}
    assert note == (there != learned)
    assert (baselines.COMPRESSED in done.stderr) == ("zlib" not in there)
    shown = run("evaluate", "shakespeare", "n.txt", *more).stdout
    assert ("give --val_fraction" in shown) == (share is None and count > 1000)
