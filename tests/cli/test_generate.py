"""`char-rnn generate`: where texts end and go, what is warned of."""

import re
import unicodedata

import numpy as np
import pytest
from here import call

from char_rnn import CharRNN, Corpus, SampleConfig, TrainConfig, Trainer
from char_rnn.data.sources import open_source


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Be in an empty folder."""
    monkeypatch.chdir(tmp_path)


def run(*arguments, stdin=""):
    return call("generate", *arguments, stdin=stdin)


def text_of(*arguments):
    done = run("shakespeare", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_command_writes_is_what_the_model_returns():
    settings = {"top_k": 20, "top_p": 0.9, "repetition_penalty": 1.1}
    options = ["--top_k", 20, "--top_p", 0.9, "--repetition_penalty", 1.1]
    written = text_of("--seed", "ROMEO:", "--length", 80, "--rng_seed", 5, *options)
    order = ("top_k", "top_p", "repetition_penalty")
    model = CharRNN.load("shakespeare")
    again = model.sample("ROMEO:", 80, rng=np.random.default_rng(5), order=order, **settings)
    assert written == again + "\n"
    config = SampleConfig(80, order=order, **settings)
    assert again == "ROMEO:" + "".join(model.generate("ROMEO:", config, np.random.default_rng(5)))


def test_strategies_are_applied_in_the_order_of_the_command_line():
    a = ["--temperature", "3", "--top_p", "0.4"]
    b = ["--top_p", "0.4", "--temperature", "3"]
    texts = [text_of("--length", 60, "--rng_seed", 1, *order) for order in (a, b)]
    assert texts[0] != texts[1]


def test_where_it_stops():
    assert text_of("--seed", "ROMEO:", "--lines", 1, "--rng_seed", 1) == "ROMEO:\n"
    text = text_of("--lines", 3, "--rng_seed", 1)
    assert text.count("\n") == 3 and text.endswith("\n")
    text = text_of("--stop", "the", "--stop", ":", "--length", 2000, "--rng_seed", 1)
    assert "the" not in text and ":" not in text and len(text) < 1000
    text = text_of("--length", 20, "--until_line_end", "--rng_seed", 1)
    assert len(text) > 20 and "\n" not in text[20:-1]


def test_many_texts_go_to_many_files(tmp_path):
    out = text_of("--count", 3, "--length", 30, "--rng_seed", 1)
    assert [line for line in out.splitlines() if line.startswith("---")] == [
        "--- 1 of 3 ---", "--- 2 of 3 ---", "--- 3 of 3 ---",
    ]  # fmt: skip
    options = ["--count", 3, "--length", 30, "--rng_seed", 1, "--out", "name-{n}.txt"]
    text_of(*options)
    texts = [(tmp_path / f"name-{n}.txt").read_text("utf-8") for n in (1, 2, 3)]
    assert out == "".join(f"--- {n} of 3 ---\n{text}\n" for n, text in enumerate(texts, 1))
    assert len(set(texts)) == 3


def test_a_loop_is_told_once_on_standard_error(tmp_path):
    """A model that was trained for too short a time, at temperature 0.05."""
    text = "".join(open_source("python-docs").chunks())[:50_000]
    corpus = Corpus.from_text(text)
    model = CharRNN(
        corpus.vocabulary.size, 64, vocabulary=corpus.vocabulary, rng=np.random.default_rng(0)
    )
    config = TrainConfig(iterations=250, batch_size=16, sample_every=0, eval_every=0, threads=1)
    list(Trainer(model, corpus, config))
    model.save(tmp_path / "short.safetensors")
    options = ["--length", 1500, "--rng_seed", 1]
    done = run(tmp_path / "short.safetensors", "--temperature", 0.05, *options)
    assert done.stderr.count("loop") == 1 and "--temperature" in done.stderr
    assert "fallen into a loop" not in done.stdout
    assert not run(tmp_path / "short.safetensors", "--temperature", 0.9, *options).stderr
    greedy = run("shakespeare", "--greedy", *options)
    assert greedy.stderr.count("loop") == 1
    assert not run("shakespeare", *options).stderr


def test_beams():
    done = text_of("--seed", "ROMEO:", "--beam", 4, "--results", 2, "--length", 30, "--groups", 2)
    assert done.count("--- ") == 2 and "log p" in done and done.count("ROMEO:") >= 2
    lines = ["--seed", "ROMEO: ", "--beam", 6, "--lines", 1, "--length", 40]
    short = text_of(*lines, "--length_penalty", 0)
    long = text_of(*lines, "--length_penalty", 1)
    assert len(short) < len(long)


def test_a_conversation():
    said = "ROMEO:\n/temperature 0.2\n/nonsense\n\n/undo\n/undo\n/undo\nété\n/length 5\nBye\\\n"
    done = run("shakespeare", "--interactive", "--length", 30, "--rng_seed", 3, stdin=said)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert len(done.stdout) == 31 + 31 + 6
    assert "unknown command /nonsense" in done.stderr and "nothing to take back" in done.stderr
    assert "'é'" in done.stderr


def test_a_conversation_begins_with_its_seed():
    settings = ["--interactive", "--length", 40, "--rng_seed", 1]
    begun = run("shakespeare", *settings, "--seed", "KING HENRY: Sword", stdin="/undo\n\n")
    assert begun.returncode == 0
    session = CharRNN.load("shakespeare").session(SampleConfig(40), np.random.default_rng(1))
    expected = "KING HENRY: Sword" + "".join(session.turn("KING HENRY: Sword"))
    assert begun.stdout.startswith(expected + "\n")
    assert "nothing to take back" not in begun.stderr  # the seed is a turn of its own
    unknown = run("shakespeare", *settings, "--seed", "Zü", stdin="")
    assert unknown.returncode == 2 and "'ü' (U+00FC)" in unknown.stderr and not unknown.stdout


def test_a_conversation_drops_what_is_unknown():
    settings = ["--interactive", "--length", 20, "--rng_seed", 1]
    told = run("shakespeare", *settings, stdin="Hi @ you\n/lenght 5\n")
    assert "'@'" in told.stderr and "--skip_unknown" in told.stderr and not told.stdout
    assert "did you mean 'length'" in told.stderr
    dropped = run("shakespeare", *settings, "--skip_unknown", stdin="Hi @ you\n")
    assert "'@'" not in dropped.stderr and len(dropped.stdout) == 21
    assert dropped.stdout == run("shakespeare", *settings, stdin="Hi  you\n").stdout


@pytest.mark.parametrize(("form", "other"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_seed_in_another_unicode_form(tmp_path, form, other):
    known, typed = (unicodedata.normalize(f, "un café") for f in (form, other))
    vocabulary = Corpus.from_text(known + "\n").vocabulary
    model = CharRNN(vocabulary.size, 8, vocabulary=vocabulary, rng=np.random.default_rng(0))
    model.save(tmp_path / "m.safetensors")
    more = ["--length", 5, "--rng_seed", 1, "--stop", typed]
    done = run(tmp_path / "m.safetensors", "--seed", typed, *more)
    assert done.returncode == 0 and done.stdout.startswith(known)
    assert f"form {form}" in done.stderr and "(U+0" in done.stderr
    done = run(tmp_path / "m.safetensors", "--seed", typed + "ß!", "--skip_unknown", *more)
    assert done.stdout.startswith(known)  # only what it knows in no form is dropped
    done = run(tmp_path / "m.safetensors", "--seed", typed + "ß", *more)
    assert done.returncode == 2 and "does not know 'ß' (U+00DF), which" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--top_p", "2"], "top_p"),
        (["--temperature", "hot"], "temperature"),
        (["--bias", "e"], "--bias"),
        (["--bias", "é=1"], "'é'"),
        (["--count", "0"], "--count"),
        (["--count", "2", "--out", "a.txt"], "{n}"),
        (["--beam", "4", "--count", "2"], "exclude"),
        (["--groups", "2"], "--beam"),
        (["--beam", "4", "--until_line_end"], "beam search"),
        (["--text", "a.txt"], "--max_copy"),
        (["--interactive", "--regex", "a+"], "conversation"),
        (["--stop", ""], "empty"),
        (["--forbid", "".join(map(chr, range(32, 127))) + "\n"], "not know"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(options, said):
    done = run("shakespeare", *options)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert not done.stdout


def test_everything_forbidden():
    chars = "".join(CharRNN.load("shakespeare").vocabulary.chars)
    done = run("shakespeare", "--forbid", chars)
    assert done.returncode == 2 and "every character that could follow is forbidden" in done.stderr


def test_what_is_not_copied_is_not_there(tmp_path, shakespeare):
    text = shakespeare.read_text("utf-8")
    options = ["--max_copy", 12, "--temperature", 0.2, "--length", 300, "--rng_seed", 1]
    free = text_of(*options[2:])
    kept = text_of(*options, "--text", shakespeare).removesuffix("\n")

    def copied(made):
        return any(made[at : at + 12] in text for at in range(len(made) - 11))

    assert copied(free) and not copied(kept) and len(kept) == 300


def test_conditions_are_met_and_told():
    done = run("shakespeare", "--regex", r"[A-Z]{3,6}:\n[A-Z][a-z ,']{10,30}[.!?]", "--rng_seed", 1)
    assert re.fullmatch(r"[A-Z]{3,6}:\n[A-Z][a-z ,']{10,30}[.!?]\n", done.stdout)
    assert "characters taken back: 0" in done.stderr
    text = text_of("--words", "sword", "--words", "crown", "--length", 120, "--count", 2)
    assert len(re.findall(r"\bsword\b", text)) >= 2 and len(re.findall(r"\bcrown\b", text)) >= 2


def test_what_cannot_be_met_is_told():
    done = run("shakespeare", "--regex", "[A-Z]{50}", "--length", 20)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    done = run("shakespeare", "--regex", "é+")
    assert done.returncode == 2 and "é" in done.stderr
