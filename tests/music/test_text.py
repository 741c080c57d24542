"""Scores as text and back, the text itself, and texts that are wrong."""

import dataclasses

import pytest
import scores as made
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from char_rnn.errors import DataError
from char_rnn.music import Change, Note, Score, Voice
from char_rnn.music.midi import read_midi
from char_rnn.music.text import from_text, pieces, to_text

QUICK = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


@QUICK
@given(made.scores())
def test_any_score_comes_back(score):
    text = to_text(score)
    assert from_text(text) == made.heard(score)
    assert to_text(from_text(text)) == text
    assert "\n\n" not in text and text == text.strip("\n")
    remarks = []
    assert from_text(text, lenient=True, remarks=remarks) == made.heard(score)
    assert not remarks
