"""Documents through the commands: trained on, scored, written, resumed."""

import json
from pathlib import Path

import numpy as np
import pytest

from char_rnn import CharRNN, Run
from char_rnn.errors import UsageError

NAMES = [f"{a}{b}{c}" for a in "bdk" for b in ("an", "er", "il") for c in ("", "a", "na", "to")]
SMALL = [
    *("--hidden_size", "12", "--batch_size", "4", "--seq_length", "16", "--threads", "1"),
    *("--sample_every", "0", "--learning_rate", "0.02"),
]


@pytest.fixture(autouse=True)
def names(run):
    Path("names.txt").write_text("\n".join(NAMES) + "\n", "utf-8")


@pytest.fixture
def trained(run):
    call = [*SMALL, "--documents", "lines", "--iterations", "150", "--out", "r"]
    return run("train", "names.txt", *call, "--eval_every", "50").out


def test_a_run_of_documents(run, trained):
    assert "190 characters in 36 documents, 12 distinct" in trained
    assert "list" not in trained
    found = Run.open("r")
    assert found.text.reading.documents == "lines"
    scored = found.evaluate()
    corpus = found.corpus()
    assert sorted(corpus.documents()) == sorted(NAMES) != list(corpus.documents())
    told = json.loads(run("evaluate", "r", "names.txt", "--json", "--no_baselines").out)
    assert told["scored"].startswith("4 of 36 documents, which this model was not trained on")
    assert told["loss"]["nats"] == pytest.approx(scored.loss, abs=1e-6)
    assert scored.loss == pytest.approx(CharRNN.load("r").summary["val_loss"], abs=1e-6)


def test_each_document_is_scored_on_its_own(run, trained):
    out = run("evaluate", "r", "names.txt", "--each_line", "--json", "--val_fraction", "1").out
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["text"] for row in rows] == NAMES
    model = CharRNN.load("r")
    for row in rows[:5]:
        ids = model.vocabulary.encode(row["text"]).tolist()
        nats = model.surprisal([*ids, model.config.end])
        assert row["nats"] == pytest.approx(float(nats.sum()), abs=1e-4)
        assert row["characters"] == len(ids) + 1


def test_many_are_written_as_they_came(run, trained):
    out = run("generate", "r", "--count", "40", "--rng_seed", "1").out
    lines = out.removesuffix("\n").split("\n")
    assert len(lines) == 40 and "---" not in out
    run("generate", "r", "--count", "40", "--rng_seed", "1", "--out", "o.txt")
    assert Path("o.txt").read_text("utf-8") == out
    new = run("generate", "r", "--count", "9", "--new", "--unique", "--rng_seed", "1").out.split()
    assert len(set(new)) == 9 and not set(new) & set(NAMES)


def test_new_lines_of_a_model_without_documents(run):
    run("train", "names.txt", *SMALL, "--iterations", "100", "--out", "p")
    with pytest.raises(UsageError, match="--lines 1"):
        run("generate", "p", "--count", "3", "--new")
    call = ("--count", "5", "--new", "--unique", "--lines", "1", "-n", "30", "--rng_seed", "1")
    lines = run("generate", "p", *call).out.splitlines()
    assert len(set(lines)) == 5 and not set(lines) & set(NAMES)


@pytest.mark.parametrize("documents", [("--documents", "lines"), ()])
def test_new_ones_of_bytes(run, documents):
    run("train", "names.txt", *SMALL, "--bytes", *documents, "--iterations", "60", "--out", "q")
    call = ["generate", "q", "--lines", "1", "-n", "3", "--rng_seed", "1", "--bytes_seed"]
    Path("known.txt").write_bytes(b"\xff\n" + "\n".join(NAMES).encode())
    run(*call, r"\xff", "--count", "90", "--out", "all.txt")
    assert b"\xff" in Path("all.txt").read_bytes().split(b"\n")
    run(*call, r"\xff", "--count", "90", "--new", "--text", "known.txt", "--out", "new.txt")
    new = Path("new.txt").read_bytes().removesuffix(b"\n").split(b"\n")
    assert len(new) == 90 and b"\xff" not in new and all(line[0] == 0xFF for line in new)
    run(*call, "b", "--count", "9", "--unique", "--out", "u.txt")
    lines = Path("u.txt").read_bytes().removesuffix(b"\n").split(b"\n")
    assert len(set(lines)) == len(lines) == 9


def test_a_list_gets_one_line_of_advice(run):
    Path("list.txt").write_text("\n".join(NAMES * 2) + "\n", "utf-8")
    said = run("train", "list.txt", *SMALL, "--iterations", "3").out
    assert said.count("--documents lines") == 1


@pytest.mark.parametrize(
    ("kind", "between", "shown"), [("blank", "\n\n", "\n\n"), ("%%%", "\n%%%\n", "\n%%%\n")]
)
def test_other_documents(run, kind, between, shown):
    poems = ["ab\nba", "bb\naa", "abab\nb"] * 10
    Path("p.txt").write_text(between.join(poems), "utf-8")
    call = ("--documents", kind, "--iterations", "60", "--out", "r")
    assert "30 documents" in run("train", "p.txt", *SMALL, *call).out
    out = run("generate", "r", "--count", "4", "-n", "30", "--rng_seed", "2").out
    assert len(out.removesuffix("\n").split(shown)) >= 4


@pytest.mark.parametrize("kind", ["characters", "bytes"])
def test_resumed_equals_uninterrupted(run, kind):
    call = [*SMALL, "--documents", "lines", f"--{kind}", "--eval_every", "20"]
    run("train", "names.txt", *call, "--iterations", "33", "--schedule", "constant", "--out", "a")
    run("train", "names.txt", *call, "--iterations", "70", "--schedule", "constant", "--out", "b")
    run("train", "--resume", "a", "--iterations", "70")
    for name in ("last.safetensors", "model.safetensors"):
        first, second = (CharRNN.load(Path(folder, name)) for folder in "ab")
        assert (first.parameters.flat == second.parameters.flat).all()


def test_fine_tuning_takes_up_documents(run):
    Path("t.txt").write_text("an old text of letters: bdk\n" * 40, "utf-8")
    run("train", "t.txt", *SMALL, "--iterations", "5", "--out", "t")
    call = ("--documents", "lines", "--iterations", "5", "--batch_size", "4", "--out", "f")
    run("train", "names.txt", "--start_from", "t", *call)
    old, new = CharRNN.load("t"), CharRNN.load("f")
    assert new.vocabulary.documents == "lines" and new.config.end == new.vocab_size - 1
    assert set(new.vocabulary.chars) > set(old.vocabulary.chars)
    run("train", "names.txt", "--start_from", "f", "--iterations", "3", "--out", "g")
    assert CharRNN.load("g").vocabulary == new.vocabulary


def test_a_form_is_remembered_for_seeds_and_scores(run):
    Path("u.txt").write_text("Un Café Crème\n" * 60 + "Ẑ", "utf-8")
    call = ("--lowercase", "--normalize", "NFD", "--min_count", "2", "--iterations", "9")
    run("train", "u.txt", *SMALL, *call, "--out", "r")
    model = CharRNN.load("r")
    assert model.vocabulary.rare is not None and "É" not in model.vocabulary
    out = run("generate", "r", "--seed", "CAFÉ", "-n", "20", "--rng_seed", "1").out
    assert "\ufffd" not in out
    told = json.loads(run("evaluate", "r", "u.txt", "--json", "--no_baselines").out)
    assert told["left out"]["characters"] == 0
    assert "which this model was not trained on" in told["scored"]


def test_a_model_of_documents_and_rare_characters_is_looked_at(run):
    text = "\n\n".join(f"Und {name}\nda" for name in NAMES) + "§"
    Path("poems.txt").write_text(text, "utf-8")
    how = ("--documents", "blank", "--lowercase", "--normalize", "NFC", "--min_count", "2")
    said = run("train", "poems.txt", *SMALL, *how, "--iterations", "80", "--out", "p").out
    assert "char-rnn generate p --count 10" in said
    told = run("inspect", "p").out
    for part in ("NFC, lower case", "never written", "Documents:        blank"):
        assert part in told
    run("evaluate", "p", "poems.txt", "--val_fraction", "1", "--html", "p.html", "--no_baselines")
    assert Path("p.html").stat().st_size
    rows = run("evaluate", "p", "poems.txt", "--each_line", "--val_fraction", "1").out.splitlines()
    assert len(rows) == 37 and all(r"\nda" in row for row in rows[1:])
    Path("copy.txt").write_text("UND BAN\nDA", "utf-8")
    found = json.loads(run("overlap", "p", "copy.txt", "--count", "1", "--json").out)
    assert found["samples"][-1]["longest"]["length"] == 10


def test_no_passage_of_a_text_in_capitals_is_copied_in_lower_case(run):
    Path("loud.txt").write_text("A LONG LINE OF TEXT\n" * 60, "utf-8")
    run("train", "loud.txt", *SMALL, "--lowercase", "--iterations", "150", "--out", "l")
    call = ("generate", "l", "--max_copy", "8", "-n", "60", "--temperature", "1")
    made = run(*call, "--rng_seed", "1").out.removesuffix("\n")[:60]
    text = "a long line of text\n" * 3
    assert all(made[at : at + 8] not in text for at in range(len(made) - 7))


def test_documents_between_zero_bytes(run):
    Path("z.bin").write_bytes(b"\xff\xfe one\0two\0" * 20)
    options = ["--bytes", "--documents", "\\0", "--iterations", "2", "--out", "r"]
    assert "in 40 documents" in run("train", "z.bin", *SMALL, *options).out
    shown = run("inspect", "r").out
    assert r"Documents:        \0" in shown and "nats a byte" in shown


def test_one_document_leaves_none_to_validate(run):
    options = ["--documents", "blank", "--iterations", "2", "--out", "r"]
    assert "is one document, which leaves none" in run("train", "names.txt", *SMALL, *options).out


def test_a_separator_that_is_not_there_is_an_error(run):
    with pytest.raises(
        UsageError, match=r"'line', which names does not have \(did you mean 'lines"
    ):
        run("train", "names.txt", *SMALL, "--documents", "line", "--iterations", "2")
    assert not Path("runs").exists()


@pytest.mark.parametrize("before", [[], ["--documents", "blank"]])
def test_a_model_of_bytes_goes_on_with_documents(run, before):
    options = ["--bytes", "--iterations", "2", "--calibration", "0"]
    run("train", "names.txt", *SMALL, *options, *before, "--out", "r")
    more = ["--documents", "lines", "--iterations", "2", "--out", "s", *SMALL[6:]]
    run("train", "names.txt", "--start_from", "r", *more)
    old, new = CharRNN.load("r"), CharRNN.load("s/start.safetensors")
    assert new.vocabulary.size == 257 and Run.open("s").text.reading.documents == "lines"
    np.testing.assert_array_equal(
        old.parameters["out.weight"][:256], new.parameters["out.weight"][:256]
    )
    run("train", "--resume", "s", "--iterations", "4")
