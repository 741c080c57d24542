"""Pieces that models write: whatever the model is, they are whole and what was asked for."""

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import scores as made
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import char_rnn
from char_rnn import ByteVocabulary, CharRNN, SampleConfig, Vocabulary, music
from char_rnn.errors import CharRNNError, UsageError
from char_rnn.music import Change, Note, Score, Voice
from char_rnn.music.asked import Asked
from char_rnn.music.bars import bars
from char_rnn.music.beginnings import Free, Seeded, _best_known
from char_rnn.music.condition import Piece
from char_rnn.music.demo import demo_scores, demo_text
from char_rnn.music.grammar import Grammar
from char_rnn.music.lengths import Lengths
from char_rnn.music.place import Place
from char_rnn.music.text import from_text, to_text
from char_rnn.music.theory import SCALES, pitch_classes, transpose, with_tonic

ALL = "\n !#&',-@/0123456789:=ABCDEFGIKMQ[]^_abcdefghilmnoprtxyz|"
DEMO = "\n ',/012345678:ABCDEFGKMQabcdefgimorxz|"  # what pieces on C are written with
BOUNDS = [None, 1, 1, 2, 4, 7]
KEYS = [None, None, "C", "F#", "Eb"]


def quick(examples):
    return settings(deadline=None, max_examples=examples, suppress_health_check=list(HealthCheck))


@cache
def untrained(letters=ALL, end=True):
    """Return a model that knows these characters, and nothing about them."""
    kind = "blank" if end else ""
    of_bytes = letters == "bytes"
    vocabulary = ByteVocabulary(kind) if of_bytes else Vocabulary(letters, documents=kind)
    return CharRNN(vocabulary.size, 8, vocabulary=vocabulary, rng=np.random.default_rng(1))


def check(score, asked, before=0):
    """Assert that a piece, from its bar `before` on, is what was asked for."""
    assert before or from_text(to_text(score)) == score
    assert before or {note.voice for note in score.notes} == {*range(len(score.voices))}
    found = bars(score)
    assert all(bar.end - bar.start == bar.full for bar in found)
    assert score.length == found[-1].end
    new = [note for note in score.notes if note.start >= found[before].start]
    tones = [note for note in new if not score.voices[note.voice].drums]
    tonic = score.keys[-1].value[0] if score.keys else None
    if asked.scale is not None:
        assert asked.tonic in (None, tonic)
        classes = pitch_classes((tonic, asked.scale))
        assert all(note.pitch % 12 in classes for note in tones)
    if asked.bars is None:
        return
    assert len(found) == before + asked.bars
    least = min(score.steps, found[-1].full)
    last = [note for note in tones or new if note.end == score.length]
    assert any(note.length >= least for note in last)
    if tones:
        assert all(note.length >= least for note in last)
    if tones and tonic is not None:
        assert min(note.pitch for note in last) % 12 == tonic
        above = {(note.pitch - tonic) % 12 for note in last}
        assert above <= {0, 3, 4, 7} and not above >= {3, 4}


def check_midi(score):
    """Assert that a file of it holds the same, and nothing to remark on."""
    data = music.write_midi(score)
    back, remarks = music.read_midi(data, score.steps)
    assert not remarks and not music.read_midi(data)[1]
    assert back == made.as_midi_holds_it(score)


@quick(40)
@given(
    st.sampled_from([ALL, ALL, DEMO]), st.integers(0, 10), st.booleans(), st.sampled_from(BOUNDS),
    st.sampled_from(KEYS), st.sampled_from([None, *SCALES]), st.integers(0, 2**32),
)  # fmt: skip
@example(ALL, 0, True, None, None, None, 16)  # a bar of rests, of which no file comes
@example(ALL, 1, False, None, None, "minor", 217)  # a second layer, a forty-eighth before its end
def test_whatever_is_drawn_a_piece_comes_of_it(letters, fewer, ends, count, key, scale, seed):
    """Draw any of the characters that may come, and see that there always is one, to the end."""
    rng = random.Random(seed)
    asked = Asked.of(count, key, scale)
    known = {*letters} - {*rng.sample(letters, fewer)}
    task = Free(asked)
    try:
        grammar = Grammar(task.asked, known.issuperset, ends, task.pitches)
        start = task.start(grammar)
    except UsageError:
        return  # at the begin, or never
    piece, text = Piece(grammar, start, not ends), ""
    state = piece.begin("")
    while True:
        chars = piece.allowed(state, 1).chosen
        if piece.met(state) and (not chars or rng.random() < 0.5):
            break
        assert chars and chars <= known
        char = "|" if "|" in chars and rng.random() < 0.5 else rng.choice(sorted(chars))
        again = sorted(char for stand in state if stand.again for char in stand.node.next)
        char = rng.choice(again) if again and rng.random() < 0.5 else char
        state, text = piece.advance(state, char), text + char
    score = task.finished(from_text(text.rstrip("\n")))
    check(score, asked)
    check_midi(score)


@quick(12)
@given(
    st.sampled_from([(ALL, True), (DEMO, True), (ALL, False), ("bytes", True), ("bytes", False)]),
    st.sampled_from(BOUNDS), st.sampled_from(KEYS), st.sampled_from([None, "dorian"]),
    st.sampled_from([0, 0.5, 1, 3]), st.integers(0, 2**32),
)  # fmt: skip
def test_models_write_what_is_asked(model, count, key, scale, temperature, seed):
    score, = music.generate(
        untrained(*model), bars=count or 2, key=key, scale=scale, temperature=temperature,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    assert score.keys  # so that there is a tonic to end on
    check(score, Asked.of(count or 2, key, scale))
    check_midi(score)


@quick(12)
@given(
    made.scores(most_voices=3), st.sampled_from([1, 2]), st.sampled_from(KEYS),
    st.sampled_from([None, "blues"]), st.integers(0, 2**32),
)  # fmt: skip
def test_any_seed_comes_back_and_goes_on(seed, count, key, scale, number):
    assume(seed.notes)
    seed = replace(seed, meters=(Change(0, (3, 4)),), steps=12)
    rng = np.random.default_rng(number)
    (score,) = music.generate(untrained(), bars=count, key=key, scale=scale, seed=seed, rng=rng)
    before = len(bars(score)) - count
    start = bars(score)[before].start
    assert score.voices == seed.voices
    assert tuple(note for note in score.notes if note.start < start) == seed.notes
    for kind in ("tempos", "meters", "keys"):
        said = getattr(score, kind)
        assert tuple(change for change in said if change.start < start) == getattr(seed, kind)
    asked = Asked.of(count, key, scale)
    if asked.scale is None and not score.keys:  # then nobody knows the tonic
        asked = replace(asked, bars=None)
    check(score, asked, before)
    check_midi(score)


def tune(tonic, mode="major"):
    """Return a tune of the demo on another tonic."""
    return with_tonic(next(s for s in demo_scores(40) if s.keys[0].value[1] == mode), tonic)


@cache
def learned():
    """Return a model that has learned a little of tunes on C, and has no letters for others."""
    text = demo_text(200)
    run = char_rnn.train(
        text, documents="blank", iterations=150, hidden_size=32, progress=False, save=False,
        sample_every=0, batch_size=16, seq_length=64, threads=1, learning_rate=0.02, cell="gru",
    )  # fmt: skip
    return run.model


def test_what_knows_one_tonic_writes_on_all():
    model = learned()
    assert model.vocabulary.unknown("K:F#")
    for key in ("C", "F#", "Bb minor"):
        for score in music.generate(model, bars=2, key=key, count=2, rng=np.random.default_rng(3)):
            check(score, Asked.of(2, key, None))
            check_midi(score)


def test_a_seed_is_read_where_the_model_knows_it():
    for tonic in (0, 1, 6, 11):
        moved, there, text = _best_known(learned(), tune(tonic))
        assert there.keys[0].value[0] == 0 and "K:C" in text
        assert transpose(there, -moved) == tune(tonic)


def test_the_key_that_is_asked_for_moves_along_with_the_seed():
    seed = tune(6)
    (score,) = music.generate(learned(), bars=3, key="C# minor", seed=seed, count=1)
    assert score.keys == (*seed.keys, Change(seed.length, (1, "minor")))
    check(score, Asked.of(3, "C# minor", None), len(bars(seed)))
    assert music.generate(learned(), bars=1, seed=seed)[0].keys == seed.keys


def test_what_follows_a_seed_can_move_back():
    for tonic in range(12):
        seeded = Seeded(learned(), Asked(), tune(tonic))
        moved = seeded._moved
        back = [pitch - moved for pitch in seeded.pitches]
        assert min(back) == max(0, -moved) and max(back) == min(127, 127 - moved)


def test_what_cannot_be_written_in_full_is_written_where_most_of_it_can():
    sharps = DEMO + "^"  # no flats, no naturals: G sharp for A minor, but no B for C minor
    for score in music.generate(untrained(sharps), bars=1, scale="harmonic minor", count=12):
        assert score.keys[0].value[0] in {2, 4, 7, 9, 11}
    assert music.generate(untrained(DEMO), bars=1, scale="harmonic minor")  # without its seventh


def test_voices_leave_room_below_for_the_tonic_that_ends_a_piece():
    grammar = Grammar(Asked.of(1, None, "major"), {*ALL.replace(",", "")}.issuperset, True)
    g_major = grammar.tonality("G")  # without commas nothing is below middle C, no G below 67
    place = Place(tonality=g_major, drums=(False, False), phase="length").in_voice(0)
    ends = {
        pitch: "4" in grammar.words(replace(place, phase="length", now=24, heads=(pitch,)))
        for pitch in (60, 62, 67, 71)
    }
    assert ends == {60: False, 62: False, 67: True, 71: True}


def test_lengths_are_those_that_there_are_signs_for():
    words = Lengths(12, 48, lambda _: True).words
    assert {"", "2", "3", "5", "7", "3/", "/", "2/3", "4/3", "/3"} <= {*words.values()}
    assert not {"23/6", "5/3", "7/6"} & {*words.values()}
    assert Lengths(12, 48, {*"24"}.issuperset).filled == [n % 6 == 0 for n in range(49)]


def test_the_first_of_many_are_those_of_few():
    few, many = (
        music.generate(learned(), bars=1, count=count, rng=np.random.default_rng(7))
        for count in (2, 4)
    )
    assert few == many[:2] and len({to_text(score) for score in many}) > 1


def test_without_bars_a_piece_ends_where_the_model_ends_it():
    for model in (untrained(DEMO), untrained(DEMO, False)):
        check(music.generate(model, rng=np.random.default_rng(2))[0], Asked())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bars": 0}, "bars is 0"),
        ({"key": "H"}, "names no key"),
        ({"scale": "hungarian"}, "unknown scale 'hungarian'"),
        ({"key": "D minor", "scale": "dorian"}, "leave one out"),
        ({"temperature": "1:0.5"}, "give one number"),
        ({"lines": 3}, "music"),
        ({"seed": Score(())}, "no notes"),
        ({"seed": Score((Note(0, 0, 60, 1),), (Voice(40),))}, "does not know 'I'"),
    ],
)
def test_mistakes(wrong, words):
    with pytest.raises(CharRNNError, match=words):
        music.generate(learned(), **wrong)


def test_code_knows_no_other_conditions():
    config = SampleConfig(code="python", length=5)
    with pytest.raises(UsageError, match="all other conditions out"):
        learned().generate("", config, conditions=[lambda letters: None])


@pytest.mark.parametrize("letters", ["abc", DEMO.replace("|", ""), DEMO.replace(" ", ""), "|\n z"])
def test_a_model_that_knows_no_music_says_so(letters):
    with pytest.raises(UsageError, match="knows no music"):
        music.generate(untrained(letters), bars=1)


def test_a_scale_that_cannot_be_written_after_a_seed():
    with pytest.raises(UsageError, match="no characters for the tonic of this blues scale"):
        music.generate(learned(), bars=1, key="F#", scale="blues", seed=tune(0))


def test_a_seed_whose_bars_nobody_can_fill():
    long = Score((Note(0, 0, 60, 1),), meters=(Change(0, (200, 1)),), steps=96)
    with pytest.raises(UsageError, match="cannot fill a bar of 200/1; take a seed in another"):
        music.generate(untrained(), bars=1, seed=long)


def test_the_public_names_are_found_wherever_they_live():
    assert {*music.__all__} == {*music._HOMES} | {"Change", "Note", "Score", "Voice"}
    for _ in range(2):  # a module of the same name would hide one
        assert all(callable(getattr(music, name)) for name in music.__all__)
    with pytest.raises(AttributeError, match="no attribute 'rol'"):
        _ = music.rol


def numbers(state):
    """Return the numbers of the bars that may come again."""
    return {
        char for stand in state if stand.again and not stand.written for char in stand.node.next
    }


def test_bars_come_again_where_they_may():
    grammar = Grammar(Asked.of(4, "C", None), {*DEMO, "-"}.issuperset, ends=True)
    piece = Piece(grammar, grammar.begin(), ends=False)

    def after(state, text):
        for char in text:
            assert char in piece.allowed(state, 1).chosen
            state = piece.advance(state, char)
        return state

    begun = piece.begin("")
    assert not numbers(begun)
    one = after(begun, "K:C\nc8|")
    assert numbers(one) == {"1"}
    assert not numbers(after(one, "d2 e2 f4-|")), "a note goes on"
    two = after(one, "d2 e2 f4|")
    assert numbers(two) == {"1", "2"}
    three = after(two, "1|")
    assert numbers(three) == {"3"}, "the last one ends on the tonic, with a quarter at least"
    assert all(stand.past[-1].text == "d2 e2 f4" for stand in three)
    assert piece.met(after(three, "3|")) and not piece.met(three)


def test_the_last_note_is_near_its_bar_and_a_piece_on_a_piano():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        (score,) = music.generate(untrained(DEMO), bars=2, key="C", temperature=2, rng=rng)
        assert all(21 <= note.pitch <= 108 for note in score.notes)
        *others, last = [note for note in score.notes if note.start >= bars(score)[-1].start]
        assert not others or any(abs(last.pitch - note.pitch) <= 12 for note in others)
