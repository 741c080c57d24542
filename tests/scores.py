"""Scores and MIDI files of every make, and ways to damage a file."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from char_rnn.music import Change, Note, Score, Voice
from char_rnn.music.bars import end_of_bar
from char_rnn.music.notation import DYNAMICS, dynamic
from char_rnn.music.score import MODES

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def jigs():
    """Return the paths of the tunes, or skip the test where they are absent."""
    paths = sorted((DATA / "jigs").glob("*.mid"))
    if not paths:
        pytest.skip("../shared/data/jigs is not here")
    return paths


def chorales():
    """Return Bach's chorales as scores of four voices, which sing what is on top, and so on."""
    path = DATA / "jsb-chorales-quarter.json"
    if not path.is_file():
        pytest.skip("../shared/data/jsb-chorales-quarter.json is not here")
    parts = json.loads(path.read_text("utf-8")).values()
    return [chorale(piece) for part in parts for piece in part]


def chorale(piece):
    voices = [[] for _ in range(4)]
    for step, pitches in enumerate(piece):
        for number, pitch in enumerate(sorted(pitches, reverse=True)):
            last = voices[number][-1] if voices[number] else None
            if last and last.pitch == pitch and last.end == step:
                voices[number][-1] = dataclasses.replace(last, length=last.length + 1)
            else:
                voices[number].append(Note(step, number, pitch, 1))
    return Score(
        tuple(note for voice in voices for note in voice), (Voice(),) * 4, 1, length=len(piece)
    )


def heard(score):
    """Return a score with the velocities that a text can say."""
    return dataclasses.replace(
        score,
        notes=tuple(
            dataclasses.replace(note, velocity=DYNAMICS[dynamic(note.velocity)])
            for note in score.notes
        ),
    )


def changes(values, most):
    starts = st.lists(st.integers(0, most), unique=True, max_size=4).map(sorted)
    return starts.flatmap(
        lambda found: st.tuples(*(st.builds(Change, st.just(start), values) for start in found))
    )


GRIDS = st.sampled_from([1, 2, 3, 4, 7, 12, 24, 480])
METERS = st.tuples(st.integers(1, 13), st.sampled_from([1, 2, 4, 8, 16, 32]))
KEYS = st.tuples(st.integers(0, 11), st.sampled_from(list(MODES)))
TEMPOS = st.integers(40, 19_000).map(lambda tenths: tenths / 10)
NAMES = st.one_of(st.just(""), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))


@st.composite
def scores(draw, most_voices=12):
    """Any score: voices that overlap, twins, changes anywhere, an end anywhere."""
    voices = draw(st.lists(st.builds(Voice, st.integers(0, 127), st.booleans(), NAMES), min_size=1,
                           max_size=most_voices))  # fmt: skip
    most = draw(st.sampled_from([6, 60, 600]))
    few = draw(st.sampled_from([3, 128]))  # pitches: few of them overlap often
    note = st.builds(
        Note, st.integers(0, most), st.integers(0, len(voices) - 1), st.integers(0, few - 1),
        st.integers(1, most), st.integers(1, 127),
    )  # fmt: skip
    notes = draw(st.lists(note, max_size=24))
    return Score(
        tuple(notes), tuple(voices), draw(GRIDS), draw(changes(TEMPOS, most)),
        draw(changes(METERS, most)), draw(changes(KEYS, most)), draw(st.integers(0, 2 * most)),
    )  # fmt: skip


def as_midi_holds_it(score):
    """Return a score as a MIDI file can say it: each of its exceptions in `write_midi` is here."""
    used = sorted({note.voice for note in score.notes})
    ends = {}  # of a voice and pitch: what ends first began first
    for note in score.notes:
        ends.setdefault((note.voice, note.pitch), []).append(note.end)
    ends = {key: sorted(found) for key, found in ends.items()}
    notes = []
    for note in score.notes:
        end = ends[note.voice, note.pitch].pop(0)
        notes.append(
            dataclasses.replace(note, voice=used.index(note.voice), length=end - note.start)
        )
    end = max(note.end for note in notes)
    meters = _real(score.meters)
    return Score(
        tuple(notes), tuple(score.voices[number] for number in used), score.steps,
        _real(score.tempos), meters, _real(score.keys),
        end_of_bar(meters, score.steps, end) if meters else end,
    )  # fmt: skip


def _real(found):
    kept = []
    for change in found:
        if not kept or kept[-1].value != change.value:
            kept.append(change)
    return tuple(kept)


def damaged(data, rng):
    """Return a file with bytes flipped, cut out, put in, and lengths that lie; seeded by `rng`."""
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        if not data:
            break
        place = int(rng.integers(len(data)))
        size = int(rng.integers(1, 9))
        match int(rng.integers(8)):
            case 0 | 1:
                data[place] = int(rng.integers(256))
            case 2:
                data[place] ^= 1 << int(rng.integers(8))
            case 3:
                del data[place : place + size]
            case 4:
                data[place:place] = rng.bytes(size)
            case 5:
                del data[place:]
            case 6:
                other = int(rng.integers(len(data)))
                data[place:place] = data[other : other + 64]
            case _:
                _lie(data, rng)
    return bytes(data)


def _lie(data, rng):
    """Change the length or the time that a chunk, or an event, tells."""
    lies = [0, 1, 7, 0x7F, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, len(data), len(data) - 30]
    chunks = [place for place in range(len(data) - 8) if data[place : place + 2] in (b"MT",)]
    if chunks:
        place = chunks[int(rng.integers(len(chunks)))] + 4
        lie = max(lies[int(rng.integers(len(lies)))], 0)
        data[place : place + 4] = (lie & 0xFFFFFFFF).to_bytes(4, "big")
    place = int(rng.integers(len(data)))
    if rng.integers(2):
        data[place:place] = b"\xff\xff\xff\x7f"


def rng(seed):
    return np.random.default_rng(seed)
