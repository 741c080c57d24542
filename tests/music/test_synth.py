"""Listening with numbers: pitch, length, edges, loudness, memory."""

import io
import tracemalloc
import wave
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

from char_rnn.errors import FileError, UsageError
from char_rnn.music import synth
from char_rnn.music.instruments import FAMILIES, drum_kind, label
from char_rnn.music.score import Change, Note, Score, Voice
from char_rnn.music.synth import (
    KEPT,
    LOUD,
    RATE,
    TAIL,
    chunks,
    frequency,
    render,
    save_wav,
    tone,
    wav,
)  # fmt: skip


def one(pitch=69, length=24, velocity=100, program=0, start=0, **more):
    return Score((Note(start, 0, pitch, length, velocity),), (Voice(program),), **more)


def loudest(samples, rate):
    """Return the hertz of the strongest frequency, between the lines of the transform."""
    samples = samples * np.hanning(len(samples))
    strength = np.abs(np.fft.rfft(samples, 1 << 18))
    return strength.argmax() * rate / (1 << 18)


@pytest.mark.parametrize("program", range(0, 128, 8))
def test_pitches_are_in_tune(program):
    for pitch in (36, 60, 69, 93):
        samples = render(one(pitch, 24, program=program))[:, 0]
        assert samples.dtype == np.float32
        cents = 1200 * np.log2(loudest(samples, RATE) / frequency(pitch))
        assert abs(cents) < 5
    assert frequency(69) == 440 and frequency(60) == pytest.approx(261.6256, abs=1e-4)


@pytest.mark.parametrize("pitch", [100, 120, 127])
def test_nothing_comes_back_from_above_half_the_rate(pitch):
    """All that is heard stands at a multiple of the frequency."""
    rate, family = 16_000, FAMILIES[7]
    samples = tone(pitch, family, 2, 0, rate, rate) * np.hanning(rate)
    strength = np.abs(np.fft.rfft(samples))
    line = np.arange(len(strength))
    away = np.abs(line / frequency(pitch) - np.round(line / frequency(pitch))) * frequency(pitch)
    assert strength[away > 40].max() < 1e-3 * max(strength.max(), 1)
    if frequency(pitch) > rate / 2:
        assert not samples.any()


def test_it_lasts_as_long_as_its_bars_and_fades():
    for tempo, seconds in ((120, 2), (60, 4)):
        samples = render(one(length=48, tempos=(Change(0, tempo),)))
        assert len(samples) == round((seconds + TAIL) * RATE)
    # The tempo doubles halfway through the bar.
    samples = render(one(length=48, tempos=(Change(24, 240.0),)), 8000)
    assert len(samples) == round((1.5 + TAIL) * 8000)
    note = render(one(72, 12, start=24, program=16), 8000)
    assert not note[: 8000 - 1].any() and note[8200:11900].any() and not note[12600:].any()
    assert render(Score(()), 8000).shape == (round((2 + TAIL) * 8000), 2)


@pytest.mark.parametrize("program", range(0, 128, 8))
def test_notes_begin_and_end_without_a_click(program):
    """Nowhere does it jump further than the tone itself moves between two samples."""
    for length in (1, 5, 48):
        samples = render(one(57, length, 127, program))[:, 0]
        jumps = np.abs(np.diff(samples, prepend=0, append=0))
        held = tone(57, FAMILIES[program // 8], 2, 0, RATE * 2)
        assert jumps.max() <= 1.1 * LOUD * np.abs(np.diff(held)).max()
        # A step is a line in all frequencies; of these tones there is little high up.
        assert np.abs(np.diff(jumps)).max() < 0.05


def test_drums_have_kinds_and_do_not_click():
    kinds = {drum_kind(pitch) for pitch in range(128)}
    assert kinds == {"cymbal", "hat", "tom", "snare", "kick", "other"}
    for pitch, low, high in ((36, 40, 130), (38, 100, 12_000), (42, 4000, 22_000)):
        drums = Score((Note(0, 0, pitch, 1, 120),), (Voice(drums=True),))
        samples = render(drums)[:, 0]
        assert abs(samples[0]) < 0.01 and np.abs(samples[-400:]).max() < 0.01
        assert low < loudest(samples, RATE) < high
        assert np.abs(samples).max() == pytest.approx(LOUD * (120 / 127) ** 2, rel=0.01)
        assert np.array_equal(samples, render(drums)[:, 0])
    tail = Score((Note(0, 0, 49, 1), Note(47, 0, 49, 1)), (Voice(drums=True),))
    assert np.abs(render(tail)[-3:]).max() < 1e-3


def test_nothing_clips_and_what_is_soft_stays_soft():
    soft, loud = (np.abs(render(one(velocity=v, program=16))).max() for v in (20, 127))
    assert 0.001 < soft < 0.02 and 0.2 < loud <= LOUD * 1.01
    hymn = Score(
        tuple(Note(0, v, 48 + 5 * v, 48) for v in range(4)), (Voice(19),) * 4
    )  # four voices of usual strength
    assert 0.25 < np.abs(render(hymn)).max() < 0.8
    many = tuple(Note(0, v % 64, 24 + v, 48, 127) for v in range(100))
    crowd = render(Score(many, tuple(Voice(p) for p in range(48, 112))))
    assert 0.7 < np.abs(crowd).max() <= 1 and np.sqrt((crowd**2).mean()) < 0.5


def test_voices_stand_side_by_side():
    both = Score((Note(0, 0, 60, 24), Note(24, 1, 72, 24)), (Voice(16), Voice(16)))
    left, right = np.abs(render(both, 8000)).reshape(-1, 2).T
    assert left[2000:6000].max() > 1.5 * right[2000:6000].max()
    assert right[10_000:14_000].max() > 1.5 * left[10_000:14_000].max()
    alone = render(one(), 8000)
    assert np.array_equal(alone[:, 0], alone[:, 1])


def test_a_long_note_is_the_same_in_pieces():
    """Longer than a chunk, and than what is kept of a tone."""
    rate = 4000
    long = one(60, 24 * 25, program=16)
    pieces = [len(chunk) for chunk in chunks(long, rate)]
    assert len(pieces) == 3 and sum(pieces) == len(render(long, rate))
    whole = tone(60, FAMILIES[2], 2, 0, 25 * rate, rate) * LOUD * (100 / 127) ** 2
    assert np.allclose(render(long, rate)[: 25 * rate, 0], whole, atol=1e-4) and KEPT < 25
    # A note that is let go in a later chunk than it began in.
    late = render(replace(long, notes=(Note(24 * 9, 0, 60, 24 * 3, 100),)), rate)[:, 0]
    assert late[11 * rate + 100 : 12 * rate].std() > 0.05 and not late[12 * rate + 500 :].any()


def test_an_hour_needs_no_more_memory_than_a_part_of_it():
    rate = 2000
    notes = tuple(Note(24 * k, k % 2, 40 + k % 40, 30) for k in range(3600))
    hour = Score(notes, (Voice(), Voice(40)))
    tracemalloc.start()
    try:
        size = sum(len(chunk) for chunk in chunks(hour, rate))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 3600 * rate < size < 3604 * rate
    assert peak < size  # a byte a sample; the sound itself has 8


def test_tones_that_were_forgotten_are_made_again(monkeypatch):
    piece = Score(tuple(Note(6 * k, 0, 60 + k % 5, 9) for k in range(40)))
    kept = render(piece, 8000)
    monkeypatch.setattr("char_rnn.music.synth.MOST_SAMPLES", 8000)
    assert np.array_equal(render(piece, 8000), kept)


def test_a_wav_file_holds_it():
    samples = np.array([[0, 0.5], [1, -1], [2, -2]], np.float32)
    with wave.open(io.BytesIO(wav(samples, 8000))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8000)
        found = np.frombuffer(file.readframes(9), "<i2").tolist()
    assert found == [0, 16384, 32767, -32767, 32767, -32767]
    with wave.open(io.BytesIO(wav(samples[:, 0]))) as file:
        assert file.getnchannels() == 1 and file.getnframes() == 3


def test_tunes_are_saved_one_after_the_other(tmp_path):
    path = tmp_path / "tunes.wav"
    save_wav(path, [one(length=48), one(72, length=96)], 8000)
    with wave.open(str(path)) as file:
        assert file.getnframes() == 2 * 8000 + 4 * 8000 + 2 * round(TAIL * 8000)
    with pytest.raises(FileError):
        save_wav(tmp_path / "no" / "tunes.wav", [one()])
    with pytest.raises(UsageError, match=r"this lasts 4.0 hours; at most 3 .* \(--bars A:B\)"):
        save_wav(path, [one(length=48 * 3600)] * 2)
    for tempo in (1e-9, 1e12):  # no music, and no crash
        odd = one(tempos=(Change(0, tempo),))
        if tempo > 1:
            assert len(render(odd, 8000)) == round(TAIL * 8000) + 1
        else:
            with pytest.raises(UsageError, match="hours"):
                render(odd)


def test_voices_have_names():
    assert label(Voice(0, name="  Right\n hand ")) == "Right hand"
    assert [label(Voice(p)) for p in (0, 19, 33, 73)] == ["piano", "organ", "bass", "flute"]
    assert label(Voice(drums=True)) == "drums" and len(label(Voice(name="x" * 99))) == 24


def test_of_a_crowd_the_notes_that_began_first_are_let_go():
    every = tuple(Note(24 * k, 0, 36 + k, 24 * 20, 80) for k in range(6))
    with_all, few = Score(every), mock.patch.object(synth, "MOST_TOGETHER", 3)
    with few:
        found = synth._placed(with_all, 100)
    assert [(n.begin, n.end) for n in found] == [
        (0, 300), (100, 400), (200, 500), (300, 2300), (400, 2400), (500, 2500)
    ]  # fmt: skip
    assert [n.end - n.begin for n in synth._placed(with_all, 100)] == [2000] * 6
    with few:  # all at once: those that would sound for no time are not there
        assert len(synth._placed(Score(tuple(Note(0, 0, 36 + k, 24) for k in range(9))), 100)) == 3
