"""Figures of tunes: bars, histograms, and the longest run that was copied."""

import json

import numpy as np

from char_rnn.music.measures import (
    copied_runs,
    describe,
    interval_histogram,
    longest_copied,
    pitch_histogram,
    right_bars,
)  # fmt: skip
from char_rnn.music.score import Change, Note, Score, Voice
from char_rnn.music.theory import transpose


def tune(notes, **facts):
    """Return a score of (pitch or None, length), one after the other."""
    found, at = [], 0
    for pitch, length in notes:
        if pitch is not None:
            found.append(Note(at, 0, pitch, length))
        at += length
    return Score(tuple(found), length=at, **facts)


def slow_longest(a, b, exactly):
    """Return the longest run of notes in common, as it is defined: (pitch, length, rest after)."""

    def same(i, j, k):
        if a[i + k][1] != b[j + k][1]:
            return False
        if k == 0:
            return not exactly or a[i][0] == b[j][0]
        ways = (a[i + k][0] - a[i + k - 1][0], b[j + k][0] - b[j + k - 1][0])
        if exactly:
            ways = a[i + k][0], b[j + k][0]
        return ways[0] == ways[1] and a[i + k - 1][2] == b[j + k - 1][2]

    best = 0
    for i in range(len(a)):
        for j in range(len(b)):
            k = 0
            while i + k < len(a) and j + k < len(b) and same(i, j, k):
                k += 1
            best = max(best, k)
    return best


def test_the_longest_copied_run_is_that_of_its_definition():
    rng = np.random.default_rng(3)
    for _ in range(30):
        sides = []
        for _ in range(2):
            sizes = (
                rng.integers(60, 63, 25),
                6 * rng.integers(1, 3, 25),
                6 * (rng.random(25) < 0.2),
            )
            sides.append([tuple(map(int, note)) for note in zip(*sizes, strict=True)])
        scores = [
            tune([part for pitch, length, rest in side for part in ((pitch, length), (None, rest))])
            for side in sides
        ]
        for exactly in (False, True):
            assert longest_copied(scores[0], scores[1:], exactly) == slow_longest(*sides, exactly)


def test_a_transposed_copy_counts_on_any_grid_but_not_exactly():
    notes = [(60, 12), (64, 6), (62, 6), (None, 12), (67, 12), (60, 24)]
    score = tune(notes)
    fine = tune([(pitch, 2 * length) for pitch, length in notes], steps=24)
    assert longest_copied(transpose(score, 5), [fine]) == 5
    assert longest_copied(transpose(score, 5), [fine], exactly=True) == 0
    assert longest_copied(score, [fine], exactly=True) == 5
    assert longest_copied(tune([(60, 12), (64, 6), (62, 6), (67, 12)]), [score]) == 3  # no rest


def test_a_run_does_not_go_from_one_tune_into_the_next():
    first, second = tune([(60, 12), (62, 12)]), tune([(64, 12), (65, 12)])
    whole = tune([(60, 12), (62, 12), (64, 12), (65, 12)])
    assert copied_runs([whole, first], [first, second]) == [2, 2]
    assert copied_runs([first, second], [whole]) == [2, 2]
    assert copied_runs([Score(()), whole, Score(())], [whole]) == [0, 4, 0]
    assert copied_runs([whole], [Score(())]) == [0]


def test_right_bars_are_usual_and_whole_and_apart():
    assert right_bars(tune([(60, 48), (62, 24), (None, 24), (60, 48)])) == [True] * 3
    assert right_bars(tune([(60, 48), (62, 24)])) == [True, False]
    assert right_bars(tune([(60, 60), (62, 36), (60, 48)])) == [False, False, True]
    odd = tune([(60, 36), (62, 36), (60, 48)], meters=(Change(0, (3, 4)), Change(72, (4, 4))))
    assert right_bars(odd) == [True, True, False]
    assert right_bars(Score(())) == []


def test_histograms_count_the_melody():
    chord = [Note(0, 0, 48, 12), Note(0, 0, 60, 12), Note(12, 0, 62, 12), Note(24, 0, 59, 12)]
    other = [Note(0, 1, 30, 12), Note(12, 1, 30, 12), Note(0, 2, 40, 12), Note(12, 2, 50, 12)]
    score = Score((*chord, *other), voices=(Voice(), Voice(), Voice(drums=True)))
    assert pitch_histogram([score]) == {30: 2, 48: 1, 59: 1, 60: 1, 62: 1}
    assert interval_histogram([score, score]) == {-3: 2, 0: 2, 2: 2}


def test_a_description_is_what_json_holds():
    score = tune([(62, 24), (66, 24), (62, 48)], keys=(Change(0, (2, "major")),))
    wrong = tune([(62, 24), (65, 24), (64, 36)], keys=(Change(0, (2, "major")),))
    figures = json.loads(json.dumps(describe([score, wrong], [score])))
    assert figures.pop("pitches") == {"62": 0.5, "64": 1 / 6, "65": 1 / 6, "66": 1 / 6}
    assert figures.pop("intervals") == {"-4": 0.25, "-1": 0.25, "3": 0.25, "4": 0.25}
    assert figures == {
        "tunes": 2, "notes": 6, "full_bars": 0.75, "in_key": 5 / 6, "end_on_tonic": 0.5,
        "copied": [3, 1], "copied_exactly": [3, 1],
    }  # fmt: skip
    empty = describe([])
    assert empty["tunes"] == empty["notes"] == empty["full_bars"] == 0
    assert "copied" not in empty
