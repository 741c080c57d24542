"""`char-rnn evaluate`: which text is scored, which of its characters, figures beyond numbers."""

import json
import math
import re
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from char_rnn import CharRNN, Run, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.given import TextName
from char_rnn.data.sources import Source
from char_rnn.data.vocabulary import Vocabulary
from char_rnn.errors import NotText, TextTooShort, UnknownCharacters, UsageError
from char_rnn.music.midi import write_midi
from char_rnn.music.text import from_text
from char_rnn.runs.scored_text import scored_text

SMALL = ["--hidden_size", "8", "--iterations", "3", "--sample_every", "0", "--threads", "1"]
HELD_OUT = "the last 10% of the text, which this model was not trained on"


def figures(run, *arguments):
    """Return the JSON of `evaluate`, which must be strict."""
    out = run("evaluate", *arguments, "--json", "--no_baselines").out
    return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} in the JSON"))


def folder():
    Path("d").mkdir()
    for name in ("a", "b"):
        Path("d", f"{name}.txt").write_text(f"hello {name} there\n" * 100, newline="")
    Path("d", "c.md").write_text("of another kind\n" * 100, newline="")


def test_its_own_text_is_known_under_any_name(run, tmp_path):
    folder()
    run("train", "d/a.txt", *SMALL, "--out", "one")
    shutil.copy("d/a.txt", "copy.txt")
    Path("link.txt").symlink_to("d/a.txt")
    for name in ("d/a.txt", tmp_path / "d" / "a.txt", "d/../d/a.txt", "copy.txt", "link.txt"):
        assert figures(run, "one", name)["scored"] == HELD_OUT
    assert figures(run, "one/model.safetensors", "copy.txt")["scored"] == HELD_OUT
    shutil.copy("one/model.safetensors", "alone.safetensors")
    assert figures(run, "alone.safetensors", "copy.txt")["scored"] == HELD_OUT
    assert figures(run, "one", "d/b.txt")["scored"] == "the whole text"


def test_its_own_folder_is_known_with_and_without_its_pattern(run):
    folder()
    run("train", "d", "--pattern", "*.txt", *SMALL, "--out", "r")
    for more in (["--pattern", "*.txt"], ["--pattern", "a.*", "--pattern", "b.txt"], []):
        assert figures(run, "r", "d", *more)["scored"] == HELD_OUT
    assert "--pattern '*.txt'" in run("evaluate", "r", "d", "--no_baselines").err
    shutil.copytree("d", "elsewhere")
    assert figures(run, "r", "elsewhere")["scored"] == HELD_OUT
    # Without the run's folder nothing knows its pattern: what helps is told.
    shutil.copy("r/model.safetensors", "alone.safetensors")
    out, err = run("evaluate", "alone.safetensors", "d", "--no_baselines")
    assert "the whole text" in out and "give the same --pattern" in err
    Path("d", "a.txt").write_text("hello a there\n" * 101, newline="")
    out, err = run("evaluate", "r", "d", "--no_baselines")
    assert "the whole text" in out and "no longer" in err


def test_what_it_was_trained_on_is_told(run):
    folder()
    run("train", "d/a.txt", *SMALL, "--out", "r")
    for fraction, said in ((0.05, "not trained on"), (0.5, "on most of which"), (1, "on most of")):
        assert said in figures(run, "r", "d/a.txt", "--val_fraction", fraction)["scored"]
    run("train", "d/a.txt", *SMALL, "--val_fraction", "0", "--out", "all")
    said = figures(run, "all", "d/a.txt")["scored"]
    assert said == "the whole text, on which this model was trained"


def test_unknown_characters_are_left_out_and_counted(run):
    text = "It was the café of a thousand lights, señor: the café!\n" * 5
    Path("t.txt").write_text(text, "utf-8")
    Path("known.txt").write_text(text.replace("é", "").replace("ñ", ""), "utf-8")
    with_them, without = (figures(run, "shakespeare", name) for name in ("t.txt", "known.txt"))
    assert with_them["left out"] == {"characters": 15, "distinct": "éñ"}
    assert without["left out"] == {"characters": 0, "distinct": ""}
    assert with_them["loss"] == without["loss"]
    assert with_them["characters"] == without["characters"] == len(text) - 15 - 1
    said = run("evaluate", "shakespeare", "t.txt", "--val_fraction", "0.5").out
    assert "'é' (U+00E9), 'ñ' (U+00F1), 15 in all" in said and "6-gram" in said
    assert "left out" not in run("evaluate", "shakespeare", "known.txt").out.lower()
    Path("none.txt").write_text("éñ" * 9 + "a", "utf-8")
    with pytest.raises(UnknownCharacters, match="nothing else to score"):
        run("evaluate", "shakespeare", "none.txt")


def test_what_is_not_known_is_left_out_in_every_chunk():
    source, left_out = Source("t", "t", ("xaéb".encode(), "éé".encode(), b"ba")), {}
    corpus = Corpus.from_source(source, vocabulary=Vocabulary("ab\n"), left_out=left_out)
    assert corpus.preview(9) == "ab\n\nba" and left_out == {"x": 1, "é": 3}


def test_a_text_of_another_form_is_told(run):
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, "Un café crème.\n" * 60)
        Path(f"{form}.txt").write_text(text, "utf-8")
    run("train", "NFD.txt", *SMALL, "--out", "r")
    found = run("evaluate", "r", "NFC.txt", "--no_baselines")
    assert "(U+00E9)" in found.out and "form NFD" in found.err


@pytest.mark.parametrize("weight", [1e4, 3e38])
def test_losses_beyond_numbers_are_told(run, tmp_path, weight):
    """1e4: a perplexity that no float holds. 3e38: not even the logits are finite."""
    model = CharRNN.load("shakespeare")
    rng = np.random.default_rng(0)
    model.parameters["out.weight"] = weight * rng.choice(
        [-1, 1], model.parameters["out.weight"].shape
    )
    model.save(tmp_path / "large.safetensors")
    Path("t.txt").write_text("hello there\n" * 40)
    more = ["--windows", 50, "--dynamic", "--free_running", "--html", "n.html"]
    found = figures(run, "large.safetensors", "t.txt", *(more if weight > 1e5 else []))
    assert found["loss"]["perplexity"] is None
    assert (found["loss"]["nats"] is None) == (weight > 1e5)
    out, err = run("evaluate", "large.safetensors", "t.txt", "--show", "--no_baselines")
    assert ("over 1e308" in out) == (weight < 1e5)
    assert ("nan" in out) == ("finite number" in err) == (weight > 1e5)


def test_weights_that_are_not_finite_are_never_scored_in_silence(run, tmp_path):
    model = CharRNN.load("shakespeare")
    model.parameters["out.weight"][3, 5] = np.nan
    model.save(tmp_path / "nan.safetensors")
    Path("t.txt").write_text("hello there\n" * 40)
    try:
        err = run("evaluate", "nan.safetensors", "t.txt", "--json").err
    except Exception as error:  # whichever way the file is refused
        err = str(error)
    assert "finite" in err


def test_what_this_text_cannot_give_is_told_first(run, monkeypatch):
    Path("t.txt").write_text("hello there\n" * 10)
    monkeypatch.setattr("char_rnn.scoring.surprisals", lambda *_: pytest.fail("too late"))
    with pytest.raises(UsageError, match="no window of 1,000"):
        run("evaluate", "shakespeare", "t.txt", "--windows", 1000)
    with pytest.raises(TextTooShort, match="free running"):
        run("evaluate", "shakespeare", "t.txt", "--free_running")
    run("train", "t.txt", "--bytes", *SMALL, "--out", "bytes")
    Path("u.txt").write_text("é" * 50, "utf-8")
    with pytest.raises(UsageError, match="model of characters"):
        run("evaluate", "bytes", "u.txt", "--html", "x.html")
    for wrong in ("nan", "0", "1.5"):
        with pytest.raises(UsageError, match="val_fraction"):
            run("evaluate", "shakespeare", "t.txt", "--val_fraction", wrong)


def own_run(run, name, *options):
    """Train on 45,000 characters, of which 10 % validate and the 2,000 before that calibrate."""
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(["the ", "cat ", "sat ", "ran\n"], 11_250))
    Path("own.txt").write_text(text, newline="")
    run("train", "own.txt", *SMALL, *options, "--out", name)
    return CharRNN.load(name)


def unseen(model, text="own.txt", **asked):
    return scored_text(model, TextName(text), **asked).unseen


@pytest.mark.parametrize("documents", [False, True])
def test_from_where_on_a_text_was_not_trained_on(run, documents):
    model = own_run(run, "r", *(["--documents", "lines"] if documents else []))
    parts = Run.open("r").corpus().parts(0.1, TrainConfig().calibration)
    assert parts.val_start - parts.train_stop >= 2_000
    assert unseen(model) == unseen(model, val_fraction=0.05) == parts.train_stop
    Path("other.txt").write_text("the cat sat\n" * 90)
    assert unseen(model, "other.txt") == unseen(model, "other.txt", val_fraction=0.5) == 0
    if not documents:
        model = own_run(run, "not", "--calibration", 0)
        assert unseen(model) == parts.val_start


def test_mixed_with_ngrams(run):
    own_run(run, "r")
    found = figures(run, "r", "own.txt", "--mix", "--dynamic", "--dynamic_rms")
    ways = ("this model", "dynamic evaluation (learns as it reads)", "dynamic evaluation by RMS")
    for way in ways:
        mixed = found[f"{way}, mixed with the 8-gram"]
        alone = found["loss" if way == "this model" else way]
        assert mixed["nats"] < alone["nats"] and 0 <= mixed["weight of the model"] <= 1
        assert mixed["fitted on"] == 2_000
    # The order of the words is chance: n-grams know the words, three steps of training do not.
    assert found["this model, mixed with the 8-gram"]["nats"] < 0.6 < found["loss"]["nats"]
    said = run("evaluate", "r", "own.txt", "--mix", "--no_baselines").out
    assert re.search(r"^this model, mixed with the 8-gram +0\.", said, re.M)
    assert re.search(r"^Mixed: 0\.\d\d of the model, fitted on the 2,000 characters", said, re.M)


def test_where_nothing_can_fit_a_mixture(run):
    own_run(run, "r", "--calibration", 0)
    with pytest.raises(UsageError, match=r"--mix: .* there are 0"):
        run("evaluate", "r", "own.txt", "--mix")
    # Part of what was held out can.
    found = figures(run, "r", "own.txt", "--mix", "--val_fraction", "0.05")
    assert found["this model, mixed with the 8-gram"]["fitted on"] == 2_250
    with pytest.raises(UsageError, match=r"--mix: .* there are 0"):
        run("evaluate", "shakespeare", "own.txt", "--mix")
    with pytest.raises(UsageError, match=r"--dynamic_rms: .* there are 0"):
        run("evaluate", "shakespeare", "own.txt", "--dynamic_rms")


def test_overlap_is_strict_too(run):
    Path("t.txt").write_text("hello there\n" * 40)
    out = run("overlap", "t.txt", "--text", "t.txt", "--json").out
    assert json.loads(out, parse_constant=pytest.fail)["diversity"]["overlap"] is None


def test_finite():
    from char_rnn.storage.finite import finite

    found = finite(
        {"a": [1, math.nan, (math.inf, "x")], "b": {"c": -math.inf}, "d": np.float64("nan")}
    )
    assert found == {"a": [1, None, [None, "x"]], "b": {"c": None}, "d": None}


def test_pieces_of_music_are_played_below_their_text(run):
    tunes = ["M:3/4 K:D\nd2 f2 a2|f2 d4|", "K:C\nCDEF GABc|"] * 20
    Path("tunes.txt").write_text("\n\n".join(tunes), "utf-8")
    Path("poems.txt").write_text("\n\n".join(["M: a poem\nof lines"] * 20), "utf-8")
    for name, shown in (("tunes", 2), ("poems", 0)):
        text = f"{name}.txt"
        run("train", text, "--documents", "blank", "--val_fraction", "0.05", *SMALL, "-o", name)
        run("evaluate", name, text, "--html", "page.html", "--no_baselines")
        page = Path("page.html").read_text("utf-8")
        assert page.count('class="rolls"') == bool(shown)
        assert page.count('"bars": "') == shown, "one of each whole piece that was scored"
        nats = figures(run, name, text)["loss"]["nats"]
        found = [float(n) for n in re.findall(r'"name": "Piece \d: ([\d.]+) nats"', page)]
        assert len(found) == shown
        assert not found or min(found) - 0.001 <= nats <= max(found) + 0.001


def test_midi_is_scored_as_its_text_and_played(run):
    Path("tunes").mkdir()
    for k, tune in enumerate(("M:3/4 K:D\nd2 f2 a2|f2 d4|\n", "K:C\nCDEF GABc|\n") * 10):
        Path("tunes", f"{k:02}.mid").write_bytes(write_midi(from_text(tune)))
    run("train", "tunes", "--val_fraction", "0.2", *SMALL, "-o", "r")
    report = figures(run, "r", "tunes")
    assert report["scored"] == "4 of 20 documents, which this model was not trained on"
    assert figures(run, "r", "tunes/00.mid")["characters"] == len("M:3/4 K:D\nd2 f2 a2|f2 d4|\n")
    Path("tunes/bad.mid").write_bytes(b"MThd")
    out, err = run("evaluate", "r", "tunes", "--html", "page.html", "--no_baselines")
    assert out.startswith("tunes: ") and "bad.mid" in err
    assert "Note: tunes is MIDI; its text is scored" in err
    assert Path("page.html").read_text("utf-8").count('"bars": "') == 4
    with pytest.raises(NotText, match="binary"):  # what is said to be a text is read as one
        run("evaluate", "r", "tunes/00.mid", "--encoding", "latin-1")
    raw = shutil.copy("tunes/00.mid", "raw.bin")
    run("train", raw, "--bytes", *SMALL, "--seq_length", "9", "-o", "bytes")
    of_bytes = figures(run, "bytes", "tunes/00.mid", "--val_fraction", "1")
    assert of_bytes["characters"] == Path(raw).stat().st_size - 1
