"""Training on MIDI: what becomes of files, transposing, what validates, and a run that goes on."""

from dataclasses import replace

import numpy as np
import pytest

import char_rnn
from char_rnn import TrainConfig, music
from char_rnn.errors import DataError, TextNotFound, UsageError
from char_rnn.music import Change, Note, Score, Voice, demo, text_writer
from char_rnn.music.demo import demo_scores
from char_rnn.music.text import from_text, pieces, to_text
from char_rnn.music.theory import transpose
from char_rnn.music.training import is_music, tunes_corpus, tunes_text

FAST = {"hidden_size": 16, "cell": "rnn", "sample_every": 0, "threads": 1, "progress": False,
        "schedule": "constant"}  # fmt: skip


@pytest.fixture
def tunes(tmp_path):
    """Make a folder of ten tunes, each in its own key, and one that is none."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    for number, score in enumerate(demo_scores(10)):
        (folder / f"{number}.mid").write_bytes(music.write_midi(score))
    (folder / "9.bad.mid").write_text("Once upon a time")
    return folder


def melody(score):
    """Return what a tune is in any key."""
    return tuple((n.start, n.length, n.pitch - score.notes[0].pitch) for n in score.notes)


def test_pieces_that_validate_are_in_no_other_key_of_the_rest(tunes):
    made = tunes_text(tunes, transpose=2, val_fraction=0.3)
    corpus = tunes_corpus(made).shuffled(TrainConfig.rng_seed)
    trained = np.searchsorted(corpus.ends, corpus.parts(made.val_fraction).val_start)
    documents = [from_text(text) for text in corpus.documents()]
    train, held_out = documents[:trained], documents[trained:]
    assert [*map(to_text, held_out)] == [*map(to_text, demo_scores(10)[7:])]
    first = demo_scores(7)
    assert len(train) == 5 * 7 and not {*map(melody, train)} & {*map(melody, held_out)}
    for score in first:
        copies = [one for one in train if melody(one) == melody(score)]
        assert {one.notes[0].pitch - score.notes[0].pitch for one in copies} == {*range(-2, 3)}
        assert all(one == transpose(score, one.notes[0].pitch - score.notes[0].pitch)
                   for one in copies)  # fmt: skip


def test_all_pieces_move_to_one_tonic_and_keep_their_modes(tunes):
    said = tunes_text(tunes, transpose="Bb").text
    moved = {melody(score): score for score in map(from_text, pieces(said))}
    for score in demo_scores(10):
        there = moved[melody(score)]
        assert there.keys[0].value == (10, score.keys[0].value[1])
        assert abs(there.notes[0].pitch - score.notes[0].pitch) <= 6


def test_a_key_that_a_file_does_not_mean_is_not_believed(tmp_path):
    score = next(s for s in demo_scores(20) if s.keys[0].value == (2, "major"))
    for said in ((), (Change(0, (0, "major")),)):
        (tmp_path / "t.mid").write_bytes(music.write_midi(replace(score, keys=said)))
        text = tunes_text(tmp_path / "t.mid", transpose="C").text.strip()
        assert from_text(text).notes == transpose(score, -2).notes
        assert text.count("K:") == 1


def test_what_midi_has_no_pitches_for_is_left_out_and_said(tmp_path):
    low, drums = Note(0, 0, 0, 12), Note(0, 1, 36, 12)
    both = Score((low, drums, replace(low, start=36)), (Voice(), Voice(drums=True)))
    (tmp_path / "t.mid").write_bytes(music.write_midi(both))
    made = tunes_text(tmp_path / "t.mid", transpose=2)
    found = [from_text(text) for text in pieces(made.text)]
    assert sorted(score.notes[0].pitch for score in found) == [0, 1, 2]
    assert {score.notes[1].pitch for score in found} == {36}
    assert made.remarks == ["transposed pieces left out, for pitches that MIDI has not: 2"]
    wide = replace(both, notes=(low, replace(low, pitch=127), drums))
    (tmp_path / "t.mid").write_bytes(music.write_midi(wide))
    with pytest.raises(DataError, match="no piece"):
        tunes_text(tmp_path / "t.mid", transpose="D")


def test_a_run_learns_says_what_is_missing_and_goes_on(tunes, tmp_path):
    run = music.train(tunes, transpose=1, iterations=20, out=tmp_path / "run", **FAST)
    assert any("9.bad.mid is no MIDI file" in note and "left out" in note for note in run.notes)
    assert run.model.vocabulary.end is not None
    again = char_rnn.resume(tmp_path / "run", iterations=30, progress=False)
    whole = music.train(tunes, transpose=1, iterations=30, save=False, **FAST)
    assert again.model.parameters.flat.tobytes() == whole.model.parameters.flat.tobytes()
    (score,) = music.generate(again.model, bars=2, key="Ab minor")
    assert score.keys[0].value == (8, "minor") and score.notes[-1].pitch % 12 == 8


def test_the_demo_is_learned_on_one_tonic(monkeypatch):
    some = demo_scores(40)
    monkeypatch.setattr(demo, "demo_scores", lambda *_: some)
    made = tunes_text("music-demo")
    assert {*pieces(made.text)} == {*pieces(demo.demo_text(40))}
    assert made.name == "music-demo"
    as_they_are = tunes_text("music-demo", transpose=0).text
    assert {*pieces(as_they_are)} == {to_text(score) for score in some}


def test_mistakes(tunes, tmp_path):
    (tmp_path / "book.txt").write_text("It was a dark and stormy night.")
    assert is_music(tunes) and not is_music(tmp_path / "book.txt")
    with pytest.raises(UsageError, match=r"is music and .* is not"):
        is_music([tunes, tmp_path / "book.txt"])
    for wrong in (12, -1, 1.5, True, "Cm"):
        with pytest.raises(UsageError, match="transpose is"):
            tunes_text(tunes, transpose=wrong)
    with pytest.raises(UsageError, match="names no key"):
        tunes_text(tunes, transpose="H")
    with pytest.raises(UsageError, match="grid of its own"):
        tunes_text("music-demo", grid=24)
    with pytest.raises(TextNotFound):
        tunes_text(tmp_path / "nothing")


def test_a_file_too_large_for_a_text_leaves_the_others(tunes, monkeypatch):
    whole = len(pieces(tunes_text(tunes).text))
    parts = max(len(score.notes) for score in demo_scores(10))
    monkeypatch.setattr(text_writer, "MOST_PARTS", parts - 1)
    made = tunes_text(tunes)
    assert 0 < len(pieces(made.text)) < whole
    assert any("cut the piece; left out" in line or "left out:" in line for line in made.remarks)
