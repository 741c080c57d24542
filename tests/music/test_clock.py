"""Bars, beats and seconds, by hand."""

import numpy as np
import pytest

from char_rnn.music.clock import bar_lines, beats, clock, cut
from char_rnn.music.score import Change, Note, Score, Voice


def score(*notes, **more):
    return Score(tuple(Note(*note) for note in notes), **more)


def test_bars_follow_the_meter_and_the_last_one_is_whole():
    assert bar_lines(score()) == [0, 48]
    assert bar_lines(score((0, 0, 60, 49))) == [0, 48, 96]
    jig = score((0, 0, 60, 12), length=80, meters=(Change(0, (6, 8)),))
    assert bar_lines(jig) == [0, 36, 72, 108] and beats(jig) == [18, 54, 90]
    # A change of meter in the middle of a bar begins one.
    changed = score(length=100, meters=(Change(0, (3, 4)), Change(48, (2, 4)), Change(90, (4, 4))))
    assert bar_lines(changed) == [0, 36, 48, 72, 90, 138]
    assert beats(changed) == [12, 24, 60, 84, 102, 114, 126]
    late = score(length=60, meters=(Change(48, (1, 4)),))
    assert bar_lines(late) == [0, 48, 60] and beats(late) == [12, 24, 36]


def test_seconds_follow_the_tempo():
    plain = clock(score(length=96))
    assert plain(np.array([0, 12, 96])).tolist() == [0, 0.5, 4]
    moved = score(length=96, tempos=(Change(24, 60.0), Change(48, 240)))
    at = clock(moved)
    assert at(np.array([12, 24, 36, 48, 96])).tolist() == [0.5, 1, 2, 3, 4]


def test_bars_are_cut_out_with_what_holds_there():
    whole = score(
        (0, 0, 60, 60), (48, 0, 62, 12), (60, 1, 64, 200), (144, 0, 65, 12),
        voices=(Voice(), Voice(3)), length=288, tempos=(Change(10, 90.0), Change(100, 80.0)),
        meters=(Change(0, (4, 4)),), keys=(Change(0, (2, "major")), Change(48, (4, "dorian"))),
    )  # fmt: skip
    part = cut(whole, 2, 3)
    assert part.notes == (Note(0, 0, 62, 12), Note(12, 1, 64, 84)) and part.length == 96
    assert part.tempos == (Change(0, 90.0), Change(52, 80.0)) and part.voices == whole.voices
    assert part.keys == (Change(0, (4, "dorian")),)
    assert cut(whole, 1, 99) == whole and cut(whole, 4, 4).notes == (Note(0, 0, 65, 12),)
    with pytest.raises(IndexError):
        cut(whole, 9, 9)
