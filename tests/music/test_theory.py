"""Keys, scales and transposition, on tunes whose key is known."""

import pytest
import scores as made

from char_rnn.errors import UsageError
from char_rnn.music.demo import demo_scores
from char_rnn.music.midi import read_midi
from char_rnn.music.score import MODES, Change, Note, Score, Voice
from char_rnn.music.theory import (
    SCALES,
    ends_on_tonic,
    in_key,
    key_named,
    key_of,
    mode_named,
    pitch_classes,
    transpose,
    with_tonic,
)  # fmt: skip

C_MAJOR = (60, 62, 64, 65, 67, 69, 71, 72)


def tune(pitches, length=12, **facts):
    notes = tuple(Note(i * length, 0, pitch, length) for i, pitch in enumerate(pitches))
    return Score(notes, **facts)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("D", (2, "major")), ("Dm", (2, "minor")), ("F# minor", (6, "minor")),
        ("Bb", (10, "major")), ("Bbm", (10, "minor")), ("b", (11, "major")),
        ("E dorian", (4, "dorian")),
        ("Amix", (9, "mixolydian")), ("C ionian", (0, "major")), ("a Aeolian", (9, "minor")),
        ("Dblues", (2, "blues")), ("Db blues", (1, "blues")), ("Cb", (11, "major")),
        ("G harmonic minor", (7, "harmonic minor")),
        ("E_minor-pentatonic", (4, "minor pentatonic")),
        ("A♭ lydian", (8, "lydian")), ("C chromatic", (0, "chromatic")), ("B#phr", (0, "phrygian")),
    ],
)  # fmt: skip
def test_a_key_is_named(name, key):
    assert key_named(name) == key


@pytest.mark.parametrize("name", ["", "H", "C majr", "C# # minor", "12", "C\x00", "A" * 10_000])
def test_what_is_no_key_is_said(name):
    with pytest.raises(UsageError, match=r"names no key|unknown scale"):
        key_named(name)


def test_an_unknown_scale_names_the_like():
    with pytest.raises(UsageError, match=r"did you mean 'dorian'.*ionian"):
        mode_named("dorien")


def test_modes_are_turns_of_the_major_scale():
    order = ["major", "dorian", "phrygian", "lydian", "mixolydian", "minor", "locrian"]
    for mode, tonic in zip(order, SCALES["major"], strict=True):
        assert pitch_classes((tonic, mode)) == pitch_classes((0, "major"))
    assert pitch_classes((9, "minor pentatonic")) == pitch_classes((0, "major pentatonic"))
    assert all(scale[0] == 0 and list(scale) == sorted(set(scale)) for scale in SCALES.values())


def test_notes_in_a_key_are_counted():
    score = tune([*C_MAJOR, 61, 66])
    assert in_key(score, "C") == 0.8
    assert in_key(score, (2, "major")) == 0.7
    assert in_key(score, "C chromatic") == 1
    assert in_key(Score(()), "C") == 1


def test_each_key_counts_from_where_it_stands():
    score = tune([65, 66, 65, 66], keys=(Change(0, (0, "major")), Change(24, (7, "major"))))
    assert in_key(score) == 0.5
    assert in_key(score, "C") == 0.5
    assert in_key(tune([65, 65, 66, 66], keys=score.keys)) == 1
    assert not ends_on_tonic(tune([60, 60, 60, 60], keys=score.keys))
    assert ends_on_tonic(tune([60, 60, 60, 67], keys=score.keys))


def test_an_ending_is_the_lowest_of_what_ends_last():
    notes = (Note(0, 0, 60, 48), Note(0, 0, 64, 48), Note(0, 0, 55, 36))
    assert ends_on_tonic(Score(notes), "C")
    assert not ends_on_tonic(Score(notes), "E")
    assert not ends_on_tonic(Score(()), "C")


def test_drums_have_no_key():
    drum = Note(60, 1, 61, 12)
    score = Score((*tune(C_MAJOR).notes, drum), voices=(Voice(), Voice(drums=True)))
    assert in_key(score, "C") == 1
    assert key_of(score) == (0, "major")
    assert drum in transpose(score, 5).notes


def test_the_key_is_found_in_the_notes():
    for tonic in range(12):
        major = tune([60 + tonic + step for step in (0, 4, 7, 5, 2, 4, 0, 2, -1, 0)])
        minor = tune([60 + tonic + step for step in (0, 3, 7, 8, 7, 5, 3, 2, 3, 0)])
        assert key_of(major) == (tonic, "major")
        assert key_of(minor) == (tonic, "minor")
    assert key_of(Score(())) == (0, "major")


def test_the_tonic_is_found_of_nearly_all_tunes_that_say_theirs():
    """Modes too: a dorian tune is taken for minor, a mixolydian one for major."""
    scores = demo_scores(100)
    found = sum(key_of(score)[0] == score.keys[0].value[0] for score in scores)
    assert found >= 85  # 90 of 100 on average


def test_the_signature_is_found_of_nearly_all_folk_tunes():
    """Their files name major keys; tunes in a mode of the same notes count as found."""
    found = []
    for path in made.jigs()[:60]:
        score, _ = read_midi(path)
        if len(score.keys) == 1:
            tonic, mode = key_of(score)
            found.append(score.keys[0].value == ((tonic - MODES[mode]) % 12, "major"))
    assert len(found) > 40
    assert sum(found) / len(found) > 0.9  # of all 318 with one key: 0.94, of 0.88 by profiles alone


def test_transposition_moves_notes_and_keys():
    score = tune(C_MAJOR, keys=(Change(0, (0, "major")),), meters=(Change(0, (3, 4)),))
    higher = transpose(score, 2)
    assert [note.pitch for note in higher.notes] == [pitch + 2 for pitch in C_MAJOR]
    assert higher.keys == (Change(0, (2, "major")),)
    assert higher.meters == score.meters
    assert transpose(higher, -2) == score
    assert transpose(score, -1).keys[0].value == (11, "major")


def test_a_tune_is_moved_to_a_tonic_the_shorter_way():
    for tonic in range(12):
        score = tune([60 + tonic + step for step in (0, 4, 7, 5, 2, 4, 0)])
        moved = with_tonic(score, 0)
        assert moved.notes[0].pitch == (60 if tonic <= 5 else 72)
        said = with_tonic(tune([60, 61], keys=(Change(0, (tonic, "dorian")),)), 2)
        assert said.keys[0].value == (2, "dorian")


def test_transposition_out_of_range_says_how_far_it_goes():
    score = tune([10, 120])
    assert [note.pitch for note in transpose(score, 7).notes] == [17, 127]
    assert [note.pitch for note in transpose(score, -10).notes] == [0, 110]
    for semitones in (8, -11, 200):
        with pytest.raises(UsageError, match="choose -10 to 7"):
            transpose(score, semitones)
    assert transpose(Score(()), 200) == Score(())
