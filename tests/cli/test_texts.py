"""Texts as people have them: encodings, line ends, several at once, compressed, by a column."""

import bz2
import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import char_rnn
from char_rnn import Run
from char_rnn.cli.classic import train_rnn
from char_rnn.errors import UsageError
from char_rnn.text_config import TextConfig

SMALL = ["--iterations", "3", "--hidden_size", "8", "--sample_every", "0", "--threads", "1",
         "--batch_size", "4", "--seq_length", "8"]  # fmt: skip
LINES = "A line of a text.\n" * 40


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_bytes(LINES.encode())
    Path("latin.txt").write_bytes(("Grün ist die Hoffnung, süß die Mühe.\n" * 40).encode("cp1252"))
    Path("dos.txt").write_bytes(LINES.replace("\n", "\r\n").encode())
    return tmp_path


def train(call, *arguments):
    code, out, err = call("train", *arguments, *SMALL)
    assert code == 0, err
    return out


def config(folder):
    return json.loads(Path(folder, "config.json").read_text("utf-8"))["text"]


# Encodings.


def test_the_command_that_reads_it_is_named(call):
    code, _, err = call("train", "latin.txt", "--out", "my run")
    assert code == 1 and err.count("\n") == 1
    assert "latin.txt: not valid UTF-8 at byte offset 2 (" in err
    assert err.endswith(
        "; it looks like cp1252 (--bytes where it is no text): "
        "char-rnn train latin.txt --out 'my run' --encoding cp1252\n"
    )
    code, _, err = call("--text", "latin.txt", program=train_rnn, name="train_rnn.py")
    assert code == 1 and "--bytes" not in err
    assert err.endswith(
        "; it looks like cp1252: python train_rnn.py --text latin.txt --encoding cp1252\n"
    )
    with pytest.raises(
        char_rnn.CharRNNError, match=r"looks like cp1252 \(encoding='cp1252'\) \(by"
    ):
        char_rnn.train("latin.txt")
    _, _, err = call("overlap", "a.txt", "--text", "latin.txt")
    assert err.endswith("char-rnn overlap a.txt --text latin.txt --encoding cp1252\n")


def test_an_encoding_is_remembered(call):
    assert "latin, 1,480 characters" in train(call, "latin.txt", "--encoding", "cp1252", "-o", "r")
    assert config("r")["reading"]["encoding"] == "cp1252"
    assert call("train", "--resume", "r", "--iterations", 4)[0] == 0
    code, out, err = call("evaluate", "r", "latin.txt", "--no_baselines")
    assert code == 0 and "was not trained on" in out
    assert err == "Note: latin is read as in training, with --encoding 'cp1252'\n"
    Path("other.txt").write_bytes(Path("latin.txt").read_bytes() * 2)
    code, _, err = call("evaluate", "r", "other.txt")
    assert code == 1 and "evaluate r other.txt --encoding cp1252\n" in err
    code, out, _ = call("evaluate", "r", "other.txt", "--encoding", "cp1252", "--no_baselines")
    assert code == 0 and "the whole text" in out
    code, out, _ = call("overlap", "other.txt", "--text", "latin.txt", "--encoding", "latin-1")
    assert code == 0
    code, out, _ = call("--text", "latin.txt", "--encoding", "cp1252", *SMALL[:6],
                        program=train_rnn, name="train_rnn.py")  # fmt: skip
    assert code == 0 and "Text length: 1,480 characters" in out


def test_wrong_encodings(call):
    for wrong, said in (
        (["--encoding", "cp152"], "did you mean 'cp1252'?"),
        (["--encoding", "hex"], "'hex' is not one of texts"),
        (["--encoding", "cp1252", "--bytes"], "--encoding has no effect with --bytes"),
    ):
        code, _, err = call("train", "latin.txt", *wrong)
        assert code == 2 and said in err
    code, _, err = call("train", "latin.txt", "--encoding", "ascii")
    assert code == 1 and "not valid ascii at byte offset 2" in err and "(--encoding)" in err
    assert call("train", "latin.txt", "--bytes", "--out", "bytes", *SMALL)[0] == 0
    code, _, err = call("evaluate", "bytes", "latin.txt", "--encoding", "cp1252")
    assert code == 2 and "the model reads bytes, which have no --encoding" in err
    code, _, err = call("train", "python-docs", "--encoding", "cp1252")
    assert code == 2 and "the built-in python-docs, which is plain UTF-8" in err
    Path("d").mkdir()
    Path("d/a.txt").write_bytes(b"Gr\xfcn\n")
    code, _, err = call("train", "d")
    assert code == 1 and "not UTF-8 text: a.txt); name their encoding (--encoding), or give" in err
    for name, data in (("a.txt", b"Gr\xfcn\n" * 50), ("b.txt", b"undefined \x81\n")):
        Path("d", name).write_bytes(data)
    out = train(call, "d", "--encoding", "cp1252")
    assert "Note: skipped 1 file that is not cp1252 text: b.txt\n" in out


# Line ends.


def test_line_ends(call):
    out = train(call, "dos.txt", "-o", "r")
    assert out.count("line ends read as LF: 40 CR LF (--keep_line_ends leaves them)") == 1
    assert "\r" not in Run.open("r").model.vocabulary
    plain = train(call, "a.txt", "-o", "plain")
    assert "line ends" not in plain and config("r")["sha256"] == config("plain")["sha256"]
    kept = train(call, "dos.txt", "-o", "kept", "--keep_line_ends")
    assert "line ends" not in kept and "\r" in Run.open("kept").model.vocabulary
    for name in ("r", "kept", "plain"):
        code, out, err = call("evaluate", name, "dos.txt", "--no_baselines")
        assert code == 0 and "was not trained on" in out
        assert ("line ends" in err) == (name != "kept") and "--keep" not in err
    code, out, _ = call("overlap", "kept", "--text", "dos.txt", "--count", 2, "--length", 50)
    assert code == 0 and "in dos (760 characters)" in out  # as the run reads: with its 40 CR


def test_an_old_run_on_other_line_ends_goes_on_to_the_same_bits(call):
    """Its config says bytes and patterns and no more, and its line ends were left as they were."""
    train(call, "dos.txt", "-o", "new", "--keep_line_ends")
    train(call, "dos.txt", "-o", "old", "--keep_line_ends")
    settings = json.loads(Path("old/config.json").read_text("utf-8"))
    settings["text"] |= {"bytes": False, "patterns": []}
    del settings["text"]["reading"]
    Path("old/config.json").write_text(json.dumps(settings), "utf-8")
    for name in ("new", "old"):
        assert call("train", "--resume", name, "--iterations", 6)[0] == 0
    assert Path("old/last.safetensors").stat().st_size
    new, old = (Run.open(name).model.parameters.flat for name in ("new", "old"))
    assert (new == old).all() and "\r" in Run.open("old").model.vocabulary


# Several.


def test_several_texts(call):
    Path("d").mkdir()
    Path("d/x.txt").write_text("in a folder", "utf-8")
    Path("b.txt.gz").write_bytes(gzip.compress(b"packed"))
    out = train(call, "d", "a.txt", "b.txt*", "-o", "r")
    assert "Text: d+2, 738 characters" in out
    names = [str(Path(name).absolute()) for name in ("d", "a.txt", "b.txt.gz")]
    assert config("r")["where"] == names
    source = Run.open("r").text.source()
    assert "".join(source.chunks()) == "in a folder\n" + LINES + "packed"
    assert call("train", "--resume", "r", "--iterations", 4)[0] == 0
    code, _, err = call("overlap", "r", "--count", 1, "--length", 50)
    assert code == 0 and f"Training text: {', '.join(names)}" in err
    code, *_ = call("overlap", "a.txt", "--text", "a.txt", "--text", "b.txt.gz")
    assert code == 0
    Path("a.txt").unlink()
    code, _, err = call("train", "--resume", "r", "--iterations", 5)
    assert code == 1 and "a.txt: no such file or folder" in err
    assert call("train", "a.txt", "d")[0] == 1
    code, _, err = call("train", "*.none")
    assert code == 1 and "*.none: no file or folder has a name like that" in err
    code, _, err = call("train", "d", "latin.txt", "--pattern", "*.md")
    assert code == 1 and "no text files that match '*.md'" in err
    code, _, err = call("train", "dos.txt", "latin.txt", "--pattern", "*.md")
    assert code == 2 and "none of these texts is one" in err


def test_a_list_in_python():
    run = char_rnn.train([Path("a.txt"), "dos.txt"], out="r", iterations=3, hidden_size=8,
                         threads=1, progress=False, sample_every=0)  # fmt: skip
    assert run.text.length == 2 * len(LINES) and run.text.where == tuple(
        str(Path(name).absolute()) for name in ("a.txt", "dos.txt")
    )
    assert char_rnn.resume("r", iterations=4, progress=False).text == run.text
    for wrong in (["a text\nitself", "a.txt"], [b"bytes"], [5]):
        with pytest.raises(UsageError, match=r"a list of texts has .*; expected names and paths"):
            char_rnn.train(wrong)
    with pytest.raises(char_rnn.CharRNNError, match="an empty list"):
        char_rnn.train([])
    with pytest.raises(UsageError, match="standard input can be read only once"):
        char_rnn.train(["-", "a.txt", "-"])


@pytest.mark.parametrize("name", ["a.txt.gz", "a.bz2", "a.zip"])
def test_compressed_texts(call, name):
    data = LINES.encode()
    if name.endswith(".zip"):
        with zipfile.ZipFile(name, "w") as archive:
            archive.writestr("../evil.txt", data)
            archive.writestr("b.png", b"\0")
    else:
        Path(name).write_bytes((gzip if name.endswith(".gz") else bz2).compress(data))
    out = train(call, name, "-o", "r")
    assert "Text: a, 720 characters" in out
    assert ("skipped 1 file that is not UTF-8 text: a.zip: b.png" in out) == ("zip" in name)
    assert call("train", "--resume", "r", "--iterations", 4)[0] == 0
    train(call, name, "-o", "raw", "--bytes")
    assert config("raw")["length"] == Path(name).stat().st_size


def test_a_column(call):
    Path("a.jsonl").write_text("\n".join(
        json.dumps({"text": "Grün", "n": i} if i % 10 else {"n": i}) for i in range(100)
    ), "utf-8")  # fmt: skip
    out = train(call, "a.jsonl", "--column", "text", "-o", "r")
    assert "a, 449 characters, 5 distinct" in out and "skipped 10 records that are without" in out
    assert config("r")["reading"]["column"] == "text"
    assert call("train", "--resume", "r", "--iterations", 4)[0] == 0
    assert call("evaluate", "r", "a.jsonl", "--no_baselines")[0] == 0
    code, _, err = call("train", "a.jsonl", "--column", "txt")
    assert code == 1 and "did you mean 'text'?" in err and "found: 'n', 'text'" in err


# Standard input and --resume.


def test_standard_input_twice_and_the_note_before(monkeypatch):
    code = "from char_rnn.cli.main import main; main()"
    said = subprocess.Popen(
        [sys.executable, "-c", code, "train", "-", *SMALL, "-o", "r"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert said.stdin and said.stdout
    assert said.stdout.readline().startswith("Note: standard input cannot be read again")
    out, _ = said.communicate(LINES)
    assert said.returncode == 0 and "cannot be read again" not in out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES.encode())))
    run = char_rnn.resume("r", iterations=4, progress=False)
    assert run.curves.loss.iterations[-1] == 4


def test_a_resumed_run_may_be_given_its_text(call):
    train(call, "a.txt", "-o", "r")
    code, out, _ = call("train", "a.txt", "--resume", "r", "--iterations", 5)
    assert code == 0 and "Going on with r at iteration 3" in out
    Path("copy.txt").write_bytes(Path("dos.txt").read_bytes())  # the same when it is read
    Path("a.txt").unlink()
    assert call("train", "copy.txt", "--resume", "r", "--iterations", 6)[0] == 0
    for other in ("latin.txt", "python-docs"):
        code, _, err = call("train", other, "--resume", "r", "--iterations", 7)
        assert code == 2 and err.count("\n") == 1
        assert "r goes on with its own text, " in err and "begin a new run" in err
    assert call("train", "none.txt", "--resume", "r", "--iterations", 7)[0] == 1
    code, _, err = call("train", "copy.txt", "--resume", "r", "--bytes")
    assert code == 2 and "--bytes cannot be given with --resume" in err
    assert Run.open("r").text.reading == TextConfig(False)


def test_the_exercise_may_be_given_its_text_again(call):
    program = {"program": train_rnn, "name": "train_rnn.py"}
    assert call("--text", "a.txt", *SMALL[:6], **program)[0] == 0
    (folder,) = Path("runs").iterdir()
    again = ["--resume", folder, "--iterations", 5]
    assert call("--text", "a.txt", *again, **program)[0] == 0
    code, _, err = call("--text", "latin.txt", *again, **program)
    assert code == 2 and "goes on with its own text" in err
