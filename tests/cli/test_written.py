"""Where texts of `char-rnn generate` go: lists one a line, JSON, files; bytes as they are."""

import _thread
import base64
import json
import subprocess
import sys

import numpy as np
import pytest

from char_rnn import CharRNN, SampleConfig, Vocabulary
from char_rnn.cli.written import Made, Several
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.generate import batch

COMMAND = [sys.executable, "-c", "from char_rnn.cli.main import main; main()", "generate"]
LENGTH = 60


def rng():
    return np.random.default_rng(1)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, known in (("names", Vocabulary("abcdefé\n")), ("bytes", ByteVocabulary())):
        model = CharRNN(known.size, 8, vocabulary=known, rng=np.random.default_rng(0))
        model.save(folder / f"{name}.safetensors")
    return folder


@pytest.fixture
def generate(models, tmp_path, monkeypatch, call_exactly):
    """Return a function that runs the command, which ends with `code`: output and errors."""
    monkeypatch.chdir(tmp_path)

    def called(model, *words, code=0):
        path = models / f"{model}.safetensors"
        found, out, err = call_exactly("generate", path, "-n", LENGTH, "--rng_seed", 1, *words)
        assert found == code, err
        return out, err.decode()

    return called


def piped(models, *words, stdin=b""):
    path = models / "bytes.safetensors"
    return subprocess.run(
        [*COMMAND, path, "-n", str(LENGTH), "--rng_seed", "1", *words],
        input=stdin,
        capture_output=True,
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def drawn(models):
    """What the model of bytes makes; it is no UTF-8."""
    made = CharRNN.load(models / "bytes.safetensors").sample(b"", LENGTH, rng=rng())
    with pytest.raises(UnicodeDecodeError):
        made.decode()
    return made


# Lists.


def names(models, count, seed="", **settings):
    model = CharRNN.load(models / "names.safetensors")
    config = SampleConfig(LENGTH, **settings)
    return [seed + text for text in model.generate_many([seed] * count, config, rng())]


@pytest.mark.parametrize("ends", [["--lines", 1], ["--stop", "\n"], ["--stop", r"\n"]])
def test_a_text_that_is_one_line_has_no_heading(generate, models, tmp_path, ends):
    made = names(models, 5, "ab", lines=1)
    expected = "".join(f"{name}\n" for name in made).encode()
    assert generate("names", "--count", 5, *ends, "--seed", "ab") == (expected, "")
    told, _ = generate("names", "--count", 5, *ends, "--seed", "ab", "--out", "deep/names.txt")
    assert (tmp_path / "deep/names.txt").read_bytes() == expected
    assert told == b"deep/names.txt: 5 written\n"
    generate("names", "--count", 5, *ends, "--seed", "ab", "--out", "{n}.txt")
    assert (tmp_path / "2.txt").read_text("utf-8") == made[1] + "\n"


def test_texts_of_several_lines_have_headings(generate, models):
    made = names(models, 4, "\n", lines=1)
    out, _ = generate("names", "--count", 4, "--lines", 1, "--seed", r"\n")
    expected = "".join(f"--- {n} of 4 ---\n{text}\n" for n, text in enumerate(made, 1))
    assert out == expected.encode() and any(len(text) > 1 for text in made)
    out, _ = generate("names", "--count", 2, "--lines", 2)
    assert out.startswith(b"--- 1 of 2 ---\n")
    for more in (["--lines", 2], [], ["--lines", 1, "--seed", "\n"]):
        out, err = generate("names", "--count", 2, *more, "--out", "names.txt", code=2)
        assert not out and "--out must hold {n}" in err and "--lines 1" in err


def test_a_list_that_is_interrupted_holds_whole_lines(generate, models, tmp_path, monkeypatch):
    made = names(models, 70, lines=1)
    honest, calls = batch.sample, []

    def stopped(*arguments):
        calls.append(1)
        if len(calls) == 3:
            _thread.interrupt_main()
        yield from honest(*arguments)

    options = ["--count", 70, "--lines", 1, "--threads", 1, "--out", "names.txt"]
    monkeypatch.setattr(batch, "sample", stopped)
    (tmp_path / "names.txt").write_text("old")
    _, err = generate("names", *options, code=130)
    written = (tmp_path / "names.txt").read_text("utf-8").splitlines()
    assert 0 < len(written) <= 70 and set(written) <= set(made)
    assert f"names.txt: {len(written)} written of 70" in err

    def broken(*arguments):
        raise MemoryError

    monkeypatch.setattr(batch, "sample", broken)
    (tmp_path / "names.txt").write_text("old")
    generate("names", *options, code=1)
    assert (tmp_path / "names.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["names.txt"]


def test_half_a_text_is_told_by_its_heading_or_left_out(capsys):
    for form, expected in (
        ("lines", "ab\n"),
        ("headings", "--- 1 of 2 ---\nab\n--- 2 of 2, stopped after 1 characters ---\nac\n"),
        ("json", '{"prompt": "a", "text": "b"}\n{"prompt": "a", "text": "c", "whole": false}\n'),
    ):
        with Several(2, form, None) as several:
            several.write(1, Made("a", "b"))
            several.write(2, Made("a", "c", False))
        assert capsys.readouterr().out == expected


def test_lines_of_json(generate, models, tmp_path):
    texts = [text[1:] for text in names(models, 3, "é", lines=2)]
    words = ["--count", 3, "--lines", 2, "--seed", "é", "--json"]
    expected = [{"prompt": "é", "text": text} for text in texts]
    out, _ = generate("names", *words)
    assert [json.loads(line) for line in out.splitlines()] == expected
    generate("names", *words, "--out", "all.jsonl")
    assert (tmp_path / "all.jsonl").read_bytes() == out
    one, _ = generate("names", "--json", "--seed", "é")
    (alone,) = names(models, 1, "é")
    assert json.loads(one) == {"prompt": "é", "text": alone[1:]}
    found, _ = generate("names", "--beam", 3, "--results", 2, "--json")
    for line in found.splitlines():
        assert json.loads(line).keys() == {"prompt", "text", "log_probability", "score"}


# Bytes.


def test_a_pipe_gets_exactly_the_bytes(models, drawn):
    assert piped(models) == drawn
    assert piped(models, "--highlight") == drawn
    answer = piped(models, "--interactive", stdin=b"\xff\\\n")
    session = CharRNN.load(models / "bytes.safetensors").session(SampleConfig(LENGTH), rng())
    assert answer == b"".join(session.turn(b"\xff")) + b"\n"


def test_files_get_exactly_the_bytes(generate, models, tmp_path, drawn):
    assert generate("bytes", "--out", "one.bin") == (b"", "")
    assert (tmp_path / "one.bin").read_bytes() == drawn
    made = CharRNN.load(models / "bytes.safetensors").sample_many([b"\xff"] * 3, LENGTH, rng=rng())
    generate("bytes", "--count", 3, "--bytes_seed", r"\xff", "--out", "{n}.bin")
    assert [(tmp_path / f"{n}.bin").read_bytes() for n in (1, 2, 3)] == made
    out, _ = generate("bytes", "--count", 3, "--bytes_seed", r"\xff")
    assert out == b"".join(b"--- %d of 3 ---\n%s\n" % pair for pair in enumerate(made, 1))
    lines = [text.partition(b"\n")[0] for text in made]
    out, _ = generate("bytes", "--count", 3, "--bytes_seed", r"\xff", "--lines", 1)
    assert out == b"".join(line + b"\n" for line in lines)


def test_json_of_bytes_tells_them_all(generate, drawn):
    out, _ = generate("bytes", "--bytes_seed", "a", "--json")
    found = json.loads(out)
    assert found["prompt"] == "a" and "prompt_base64" not in found
    whole = base64.b64decode(found["text_base64"])
    assert len(whole) == LENGTH and found["text"] == whole.decode("utf-8", "replace")
    out, _ = generate("bytes", "--bytes_seed", r"\xff", "--json")
    assert base64.b64decode(json.loads(out)["prompt_base64"]) == b"\xff"


def test_bytes_that_are_interrupted_are_written(generate, tmp_path, drawn, monkeypatch):
    from char_rnn.generate import writer

    honest = writer.sample

    def stopped(*arguments):
        for n, ids in enumerate(honest(*arguments)):
            if n == 20:
                _thread.interrupt_main()
            yield ids

    monkeypatch.setattr(writer, "sample", stopped)
    _, err = generate("bytes", "--out", "part.bin", code=130)
    part = (tmp_path / "part.bin").read_bytes()
    assert part == drawn[: len(part)] and f"{len(part)} bytes of it" in err and len(part) > 15
