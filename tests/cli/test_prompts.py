"""What `char-rnn generate` goes on from: words, escapes, files, standard input, many prompts."""

import io
import json
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn import CharRNN, SampleConfig, Vocabulary
from char_rnn.cli.prompts import seed_of, stop_of
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.generate.door import from_bytes


class Terminal(io.TextIOWrapper):
    """Standard input that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model of characters, one that knows a backslash, and one of bytes."""
    folder = tmp_path_factory.mktemp("models")
    vocabularies = {
        "plain": Vocabulary("abcé -\n\t"),
        "slash": Vocabulary("abc \\nt\n"),
        "bytes": ByteVocabulary(),
    }
    for name, known in vocabularies.items():
        model = CharRNN(known.size, 8, vocabulary=known, rng=np.random.default_rng(0))
        model.save(folder / f"{name}.safetensors")
    return folder


@pytest.fixture
def generate(folder, tmp_path, monkeypatch, call_exactly):
    """Return a function that runs the command: its exit code, output and errors, both as bytes."""
    monkeypatch.chdir(tmp_path)

    def called(model, *words, stdin=b"", terminal=False, length=5):
        kind = Terminal if terminal else io.TextIOWrapper
        monkeypatch.setattr(sys, "stdin", kind(io.BytesIO(stdin), "utf-8"))
        path = folder / f"{model}.safetensors"
        return call_exactly("generate", path, "-n", length, "--rng_seed", 1, *words)

    return called


def loaded(folder, name, **summary):
    model = CharRNN.load(folder / f"{name}.safetensors")
    model.summary |= summary
    return model


def options(seed="", **more):
    return {"seed": seed, "seed_file": None, "bytes_seed": None, "skip_unknown": False} | more


# Escapes.


@pytest.mark.parametrize(
    ("name", "summary", "seed", "noted"),
    [
        ("plain", {}, "a\nb\tc", False),  # it knows no backslash: none is meant
        ("slash", {"backslashes": ""}, "a\nb\tc", False),
        ("slash", {"backslashes": "n"}, "a\\nb\tc", True),
        ("slash", {"backslashes": "nt"}, "a\\nb\\tc", True),
        ("slash", {}, "a\\nb\\tc", True),  # of an older model nobody knows
        ("slash", {"backslashes": 5}, "a\\nb\\tc", True),
        ("bytes", {"backslashes": ""}, b"a\nb\tc", False),
        ("bytes", {}, b"a\\nb\\tc", True),
    ],
)
def test_line_ends_that_the_shell_passed_as_they_are(folder, capsys, name, summary, seed, noted):
    model = loaded(folder, name, **summary)
    if "\t" not in model.vocabulary:
        model.vocabulary = Vocabulary("abc \\nt\n\t")
    assert seed_of(model, options(r"a\nb\tc")) == seed
    said = capsys.readouterr().err
    assert ("taken as it is" in said) == noted and ("$'…'" in said) == noted
    text = seed.decode() if isinstance(seed, bytes) else seed
    assert stop_of(model, r"a\nb\tc") == text
    assert ("--stop is taken as it is" in capsys.readouterr().err) == noted


def test_a_real_line_end_stays_one(folder, capsys):
    for name in ("plain", "slash"):
        assert seed_of(loaded(folder, name, backslashes="nt"), options("a\nb")) == "a\nb"
    assert not capsys.readouterr().err


def test_stops_by_escapes(generate):
    _, whole, _ = generate("plain", length=300)
    first = whole.partition(b"\n")[0] + b"\n"
    assert generate("plain", "--stop", r"\n", length=300) == (0, first, b"")
    _, whole, _ = generate("bytes", length=3000)
    assert b"\xff" in whole
    assert generate("bytes", "--stop", r"\xff", length=3000)[1] == whole.partition(b"\xff")[0]


@given(st.binary(max_size=30))
def test_every_seed_of_bytes_can_be_said(folder, data):
    model = CharRNN(256, 1, vocabulary=ByteVocabulary())
    said = "".join(f"\\x{byte:02x}" for byte in data)
    assert seed_of(model, options(bytes_seed=said)) == data
    assert stop_of(model, said or r"\x00") == from_bytes(data or b"\0")
    doubled = from_bytes(data).replace("\\", "\\\\")
    assert seed_of(model, options(bytes_seed=doubled)) == data


def test_a_seed_of_bytes(generate, folder):
    begun = b"\x89PNG\r\n\t\0\\\xc3\xa9"
    code, out, _ = generate("bytes", "--bytes_seed", r"\x89PNG\r\n\t\0\\é")
    model = loaded(folder, "bytes")
    assert (code, out) == (0, model.sample(begun, 5, rng=np.random.default_rng(1)))
    for model, said, told in (
        ("plain", "a", b"characters"),
        ("bytes", r"\q", rb"\q is no escape"),
        ("bytes", "\\", b"is no escape"),
        ("bytes", r"\x1", rb"\x is no escape"),
    ):
        code, out, err = generate(model, "--bytes_seed", said)
        assert code == 2 and not out and told in err


# Files and standard input.


def test_a_seed_out_of_a_file(generate, tmp_path):
    _, expected, _ = generate("plain", "--seed", "ab é\n", "--skip_unknown")
    (tmp_path / "seed").write_bytes("ab é\n".encode())
    assert generate("plain", "--seed_file", "seed") == (0, expected, b"")
    assert generate("plain", "--seed", "-", stdin="ab é\n".encode()) == (0, expected, b"")
    assert generate("plain", "--seed_file", "-", stdin="ab é\n".encode()) == (0, expected, b"")
    (tmp_path / "seed").write_bytes("\ufeffab é\r\n".encode())  # as an editor of Windows has it
    assert generate("plain", "--seed_file", "seed") == (0, expected, b"")
    code, out, err = generate("plain", "--seed", "-", stdin=b"ab", terminal=True)
    assert code == 0 and out.startswith(b"ab") and b"Ctrl-D" in err


def test_a_seed_of_bytes_out_of_a_file_is_those_bytes(generate, tmp_path, folder):
    data = b"\xef\xbb\xbf\xff\x00\\n\r\n"
    (tmp_path / "seed").write_bytes(data)
    made = loaded(folder, "bytes").sample(data, 5, rng=np.random.default_rng(1))
    assert generate("bytes", "--seed_file", "seed") == (0, made, b"")
    assert generate("bytes", "--seed", "-", stdin=data) == (0, made, b"")


@pytest.mark.parametrize(
    ("words", "stdin", "code", "told"),
    [
        (["--seed_file", "absent"], b"", 1, b"absent: no such file"),
        (["--seed_file", "."], b"", 1, b"a folder"),
        (["--seed", "-"], b"ab\xff", 1, b"byte 2 (0xff) is not UTF-8"),
        (["--seed", "-"], b"axb", 2, b"'x', which standard input holds"),
        (["--seed", "-", "--seed_file", "x"], b"", 2, b"--seed and --seed_file exclude"),
        (["--bytes_seed", "a", "--prompts", "x"], b"", 2, b"--bytes_seed and --prompts exclude"),
        (["--prompts", "x", "--count", "2"], b"", 2, b"exclude"),
        (["--prompts", "x", "--beam", "2"], b"", 2, b"exclude"),
        (["--prompts", "x", "--highlight"], b"", 2, b"--highlight"),
        (["--seed", "-", "--interactive"], b"a", 2, b"--seed - and --interactive both read"),
        (["--seed", "-", "--text", "-"], b"a", 2, b"--seed - and --text - both read"),
        (["--prompts", "-", "--max_copy", "3", "--text", "-"], b"a", 2, b"both read"),
        (["--json", "--interactive"], b"a", 2, b"--json"),
        (["--json", "--highlight"], b"a", 2, b"--highlight"),
        (["--prompts", "-"], b" \n\n", 1, b"no prompt"),
        (["--prompts", "-"], b"ab\nc@\n", 2, b"'@', which standard input, line 2 holds"),
        (["--prompts", "-"], b"ab\nc\xff\n", 1, b"line 2: byte 1 (0xff)"),
        (["--prompts", "-"], b'"ab"\n\nab\n', 1, b"line 3: no prompt"),
        (["--prompts", "-"], b'{"prompt": 3}\n', 1, b"line 1: no prompt"),
        (["--prompts", "-"], b'{"text": "a"}\n["a"]', 1, b"line 2: no prompt"),
        (["--prompts", "-"], b'{"text": "a"}\n{"text"', 1, b"line 2: no prompt"),
    ],
)
def test_what_cannot_be_a_beginning_is_one_line(generate, words, stdin, code, told):
    found, out, err = generate("plain", *words, stdin=stdin)
    assert found == code and not out and told in err and err.count(b"\n") == 1


def test_sizes_have_bounds(generate, monkeypatch, tmp_path):
    monkeypatch.setattr("char_rnn.cli.prompts.MOST_BYTES", 10)
    monkeypatch.setattr("char_rnn.cli.prompts.MOST_PROMPTS", 3)
    (tmp_path / "long").write_bytes(b"a" * 11)
    for words in (["--seed_file", "long"], ["--prompts", "-"]):
        code, _, err = generate("plain", *words, stdin=b"b" * 11)
        assert code == 1 and b"more than 10 bytes" in err
    code, _, err = generate("plain", "--prompts", "-", stdin=b"a\n" * 4)
    assert code == 1 and b"more than 3 lines" in err


# Prompts.


def test_prompts_are_one_batch(generate, folder, tmp_path):
    (tmp_path / "list").write_bytes(b"ab\r\n\n  \n a\nc")
    prompts = ["ab", " a", "c"]
    model = loaded(folder, "plain")
    texts = model.generate_many(prompts, SampleConfig(5), np.random.default_rng(1))
    expected = "".join(
        f"--- {n} of 3 ---\n{prompt}{text}\n"
        for n, (prompt, text) in enumerate(zip(prompts, texts, strict=True), 1)
    ).encode()
    assert generate("plain", "--prompts", "list") == (0, expected, b"")
    (tmp_path / "list.jsonl").write_text('{"prompt": "ab", "text": "b"}\n\n" a"\n{"text": "c"}\n')
    assert generate("plain", "--prompts", "list.jsonl") == (0, expected, b"")
    lines = b'\n"ab"\n" a"\n"c"'
    assert generate("plain", "--prompts", "-", stdin=lines) == (0, expected, b"")
    code, out, _ = generate("plain", "--prompts", "list", "--out", "{n}.txt")
    assert code == 0 and out.count(b"of 3") == 3
    assert (tmp_path / "2.txt").read_text("utf-8") == " a" + texts[1]
    code, out, _ = generate("plain", "--prompts", "list", "--json")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"prompt": prompt, "text": text} for prompt, text in zip(prompts, texts, strict=True)
    ]


def test_numbers_are_no_json(generate):
    code, out, _ = generate("plain", "--prompts", "-", "--skip_unknown", stdin=b"1\n- a\nnull\n")
    assert code == 0 and out.count(b"---") == 6


def test_prompts_of_bytes(generate, folder):
    model, rng = loaded(folder, "bytes"), np.random.default_rng(1)
    made = model.sample_many([b"\xff\x00", b"\\n"], 5, rng=rng)
    code, out, _ = generate("bytes", "--prompts", "-", stdin=b"\xff\x00\n\\n\n")
    assert code == 0
    assert out == b"".join(b"--- %d of 2 ---\n%s\n" % pair for pair in enumerate(made, 1))


def test_another_unicode_form_is_told_once(generate):
    apart = unicodedata.normalize("NFD", "é\nb\né\né\n").encode()
    code, out, err = generate("plain", "--prompts", "-", stdin=apart)
    assert code == 0 and out.count("é".encode()) >= 3
    assert err.count(b"Note:") == 1 and b"line 1 is taken in" in err and b"so are 2 more" in err
