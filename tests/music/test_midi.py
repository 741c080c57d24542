"""MIDI files: any score and back, files of every make, and files that are damaged."""

import dataclasses
from io import BytesIO

import mido
import pytest
import scores as made
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from char_rnn.errors import CharRNNError, CorruptFile, DataError, MissingExtra
from char_rnn.music import Change, Note, Score, Voice
from char_rnn.music.midi import read_midi, write_midi
from char_rnn.music.text import from_text, to_text

QUICK = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


@QUICK
@given(made.scores())
def test_any_score_comes_back(score):
    assume(score.notes)
    data = write_midi(score)
    found, remarks = read_midi(data, score.steps)
    assert found == made.as_midi_holds_it(score)
    assert write_midi(found) == write_midi(made.as_midi_holds_it(score))
    assert not [remark for remark in remarks if "channels" not in remark]
