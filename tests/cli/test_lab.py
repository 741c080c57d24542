"""`char-rnn lab`: one experiment, all of them, the files that they write, and mistakes."""

import json
import sys

import pytest

from char_rnn.cli import lab
from char_rnn.errors import DataError
from char_rnn.lab import EXPERIMENTS


def test_without_a_name_the_experiments_are_listed(call):
    code, out, err = call("lab")
    assert code == 0 and not err
    more = {"diagnose": "What is wrong", "all": "on one page"}
    for name, question in (EXPERIMENTS | more).items():
        assert any(line.split()[:1] == [name] and question in line for line in out.splitlines())


def test_one_is_shown_and_written(run, tmp_path):
    out, err = run("lab", "trace", "--word", "ba", "--html", "page.html")
    assert out.startswith(EXPERIMENTS["trace"]) and "one-hot of b" in out
    read = json.loads((tmp_path / "lab" / "trace.json").read_text("utf-8"))
    assert read["settings"]["word"] == "ba" and read["found"] in out
    assert (tmp_path / "lab" / "trace.svg").read_text("utf-8").startswith("<svg")
    assert "one-hot of b" in (tmp_path / "page.html").read_text("utf-8")
    assert "trace.json" in err and "page.html" in err


def test_without_matplotlib_there_is_no_png(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    _, err = run("lab", "trace", "--out", "there")
    assert "trace.svg" in err and "trace.png" not in err
    assert "char-rnn[plots]" in err
    assert sorted(p.name for p in (tmp_path / "there").iterdir()) == ["trace.json", "trace.svg"]


def test_all_that_can_be_done_are_on_one_page(run, tmp_path, monkeypatch):
    some = {name: EXPERIMENTS[name] for name in ("trace", "neurons", "unroll")}
    monkeypatch.setattr("char_rnn.lab.running.EXPERIMENTS", some)
    (tmp_path / "short.txt").write_text("too short\n")
    with pytest.raises(DataError, match="not all could be done; neurons: "):
        run("lab", "all", "--text", "short.txt", "--html", "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert 'id="trace"' in page and 'id="unroll"' in page and 'id="neurons"' not in page
    assert (tmp_path / "lab" / "unroll.json").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("memroy", "unknown experiment 'memroy' (did you mean 'memory'?)"),
        ("diagnose", "diagnose needs the folder of a run"),
        ("trace runs/a", "runs/a is a second name; only diagnose takes a run"),
        ("trace --unit 1:2", "--unit has no effect on trace; it is for neurons"),
        ("memory --word ab", "--word has no effect on memory; it is for trace and unroll"),
        ("trace --text a.txt", "the experiment trace takes no text"),
        ("trace --seeds 5", "the experiment trace takes no seeds"),
        ("diagnose runs/a --seeds 3", "--seeds has no effect on diagnose"),
        ("--seeds 3", "--seeds has no effect on the list of experiments"),
        ("memory --seeds 0", "--seeds is 0; it must be a whole number, at least 1"),
        ("memory --seeds 1001", "seeds is 1001; it must be from 1 to 1000"),
    ],
)
def test_mistakes(call, words, said):
    code, out, err = call("lab", *words.split())
    assert code == 2 and not out and said in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("window --text no-such.txt", "no-such.txt"),
        ("unroll --model no-such", "no-such"),
        ("diagnose no-such", "no-such"),
        ("trace --html file/page.html", "file"),
    ],
)
def test_what_cannot_be_read_or_written_is_one_line(call, monkeypatch, tmp_path, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    code, _, err = call("lab", *words.split())
    assert code == 1 and said in err and err.count("\n") == 1


def test_names_are_completed():
    found = lab.complete_name(None, None, "te")
    assert [item.value for item in found] == ["temperature", "teacher-forcing"]
    assert len(lab.complete_name(None, None, "")) == len(EXPERIMENTS) + 2


def test_a_run_is_diagnosed(run, tmp_path):
    (tmp_path / "a.txt").write_text("the cat sat on the mat\n" * 300)
    run("train", "a.txt", "--hidden_size", 8, "--iterations", 20, "--out", "r", "--threads", 1)
    out, err = run("lab", "diagnose", "r", "--html", "page.html")
    assert out.startswith("What is wrong with my run?") and "too short" in out
    assert "diagnose.json" in err
    read = json.loads((tmp_path / "lab" / "diagnose.json").read_text("utf-8"))
    assert read["numbers"]["findings"][0]["name"] == "too short"
    assert "too short" in (tmp_path / "page.html").read_text("utf-8")
