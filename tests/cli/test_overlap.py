"""`char-rnn overlap`, as a user meets it."""

import json
import shutil

import numpy as np
import pytest
from here import call

from char_rnn import CharRNN, Vocabulary
from char_rnn.data.vocabulary import ByteVocabulary

TEXT = "".join(f"Line {i}: {i * i} and {i * 7919 % 1000}.\n" for i in range(200))
SMALL = ["--hidden_size", 8, "--batch-size", 4, "--seq_length", 10, "--threads", 1]


def run(*arguments, cwd, code=0, stdin=""):
    done = call(*arguments, cwd=cwd, stdin=stdin)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a training text, a sample, and a run of that text."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "text.txt").write_text(TEXT, "utf-8", newline="")
    (folder / "copied.txt").write_text(f"ÄÖ{TEXT[500:590]}ÄÖ", "utf-8", newline="")
    (folder / "own.txt").write_text("ÄÖÜ " * 10, "utf-8", newline="")
    run("train", "text.txt", *SMALL, "--iterations", 20, "--out", "run", cwd=folder)
    return folder


def test_a_table_colours_and_a_page(home):
    out = run("overlap", "copied.txt", "own.txt", "--text", "text.txt", "--show",
              "--html", "page.html", cwd=home)  # fmt: skip
    row = next(line for line in out.splitlines() if line.startswith("copied.txt"))
    assert row.split()[1:] == ["94", "90", "95.7%", "95.7%", "95.7%"]
    line = TEXT[:500].count("\n") + 1
    assert f"copied.txt: 90 at 2; in text at 500, line {line}: {TEXT[500:590]!r}" in out
    assert "ÄÖ" + TEXT[500:590] + "ÄÖ" in out
    page = (home / "page.html").read_text("utf-8")
    assert "own.txt" in page and "<pre>" not in page


def test_json(home):
    found = json.loads(run("overlap", "-", "--text", "text.txt", "--json", cwd=home,
                           stdin=TEXT[100:130] + "ß" * 30))  # fmt: skip
    assert found["training_text"] == "text" and found["length"] == len(TEXT)
    (sample,) = found["samples"]
    assert sample["shares"] == {"20": 0.5, "40": 0.0, "80": 0.0}
    assert sample["longest"]["text"] == TEXT[100:130] and sample["longest"]["place"] == 100


def test_bytes(home):
    (home / "latin.txt").write_bytes("é".encode("latin-1") + TEXT[:50].encode())
    run("overlap", "latin.txt", "--text", "text.txt", cwd=home, code=1)
    found = json.loads(run("overlap", "latin.txt", "--text", "text.txt", "--bytes", "--json",
                           cwd=home))  # fmt: skip
    assert found["unit"] == "bytes" and found["samples"][0]["longest"]["length"] == 50


def test_a_run_brings_its_own_text(home):
    draw = ["overlap", "run", "--count", 2, "--length", 30, "--rng_seed", 1, "--json"]
    found = json.loads(run(*draw, cwd=home))
    assert [s["name"] for s in found["samples"]] == ["run 1", "run 2"]
    assert [s["characters"] for s in found["samples"]] == [30, 30]
    assert found["length"] == len(TEXT) and found == json.loads(run(*draw, cwd=home))
    file = json.loads(run("overlap", "run/model.safetensors", *draw[2:], cwd=home))
    longest = [s["longest"] for s in found["samples"]]
    assert [s["longest"] for s in file["samples"]] == longest


def test_without_a_training_text(home, tmp_path):
    assert "--text" in run("overlap", "copied.txt", cwd=home, code=2)
    vocabulary = Vocabulary("ab")
    model = CharRNN(2, 3, vocabulary=vocabulary, rng=np.random.default_rng(0))
    model.save(tmp_path / "plain.safetensors")
    assert "does not tell where" in run("overlap", "plain.safetensors", cwd=tmp_path, code=2)
    (tmp_path / "other.txt").write_text("abab" * 30, "utf-8")
    out = run("overlap", "plain.safetensors", "--text", "other.txt", "--count", 1, "--length", 20,
              cwd=tmp_path)  # fmt: skip
    assert "plain.safetensors 1" in out


def moved(home, name, where):
    """Copy the run under another name, as if its text had been `where`."""
    shutil.copytree(home / "run", home / name)
    config = json.loads((home / name / "config.json").read_text("utf-8"))
    config["text"]["where"] = where
    (home / name / "config.json").write_text(json.dumps(config), "utf-8")


def test_a_training_text_that_has_changed(home):
    moved(home, "piped", "-")
    assert "standard input" in run("overlap", "piped", cwd=home, code=2)
    for name, text in (("foreign", TEXT + "Ä"), ("later", TEXT + "and")):
        (home / f"{name}.txt").write_text(text, "utf-8", newline="")
        moved(home, name, str(home / f"{name}.txt"))
        said = run("overlap", name, cwd=home, code=2)
        assert f"is not the text that {name} was trained on" in said
    both = run("overlap", "run", "later", "--text", "text.txt", "--count", 1, "--length", 9,
               cwd=home)  # fmt: skip
    assert "run 1" in both and "later 1" in both


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "MODEL_OR_TEXT"),
        (["no-such.txt", "--text", "text.txt"], 1, "no-such.txt"),
        (["copied.txt", "--text", "no-such.txt"], 1, "no-such.txt"),
        (["run", "--count", "0"], 2, "--count is 0"),
        (["run", "--length", "0"], 2, "--length is 0"),
        (["run", "--temperature", "-1"], 2, "temperature"),
        (["no-such.safetensors"], 1, "no-such.safetensors"),
    ],
)
def test_mistakes_get_one_line(home, call, monkeypatch, arguments, code, says):
    monkeypatch.chdir(home)
    found, _, err = call("overlap", *arguments)
    assert found == code and says in err and len(err.strip().splitlines()) <= 4, err


def test_what_a_model_of_bytes_makes_is_compared_exactly(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\xc8" * 200)
    model = CharRNN(256, 4, vocabulary=ByteVocabulary())
    model.parameters["out.bias"][0xC8] = 90
    model.save(tmp_path / "m.safetensors")
    options = ["--text", "a.bin", "--count", 1, "-n", 50, "--json"]
    (sample,) = json.loads(run("overlap", "m.safetensors", *options, cwd=tmp_path))["samples"]
    assert sample["characters"] == 50 == sample["longest"]["length"]
