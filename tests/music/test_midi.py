"""MIDI files: any score and back, files of every make, and files that are damaged."""

import contextlib
import sys
import tracemalloc
from collections import Counter
from io import BytesIO

import mido
import pytest
import scores as made
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from char_rnn.errors import CharRNNError, CorruptFile, DataError, FileError, MissingExtra
from char_rnn.music import Change, Note, Score, Voice, midi_reader
from char_rnn.music.midi import read_midi, write_midi
from char_rnn.music.text import from_text, to_text

QUICK = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


@QUICK
@given(made.scores())
def test_any_score_comes_back(score):
    assume(score.notes)
    remarks = []
    data = write_midi(score, remarks)
    found, said = read_midi(data, score.steps)
    assert found == made.as_midi_holds_it(score)
    assert not said and write_midi(found) == write_midi(made.as_midi_holds_it(score))
    pitched = sum(not voice.drums for voice in score.voices)
    assert bool(remarks) == (pitched > 15)


def test_all_tunes_come_back_through_text_and_file():
    for path in made.jigs():
        score, remarks = read_midi(path)
        assert not remarks, "all lie on the grid that was chosen"
        again = from_text(to_text(score))
        assert again == made.heard(score)
        assert read_midi(write_midi(again), again.steps) == (again, [])


def file_of(*tracks, type=1, ticks=480):
    """Return the bytes of a file with these lists of messages as its tracks."""
    file = mido.MidiFile(type=type, ticks_per_beat=ticks)
    file.tracks += [mido.MidiTrack(track) for track in tracks]
    written = BytesIO()
    file.save(file=written)
    return written.getvalue()


def note(pitch, length, wait=0, velocity=80, channel=0):
    return [
        mido.Message("note_on", note=pitch, velocity=velocity, time=wait, channel=channel),
        mido.Message("note_off", note=pitch, time=length, channel=channel),
    ]


def meta(kind, **more):
    return mido.MetaMessage(kind, **more)


def program(number, channel=0):
    return mido.Message("program_change", program=number, channel=channel)


MESSAGES = st.one_of(
    st.builds(
        mido.Message, st.sampled_from(["note_on", "note_off"]), note=st.integers(60, 63),
        velocity=st.integers(0, 127), channel=st.integers(0, 2),
        time=st.sampled_from([0, 40, 120, 480]),
    ),
    st.builds(program, st.integers(0, 127), st.integers(0, 2)),
    st.just(mido.Message("control_change", control=7, value=100)),
    st.just(mido.Message("pitchwheel", pitch=100)),
    st.just(mido.Message("sysex", data=(1, 2, 3))),
    st.just(meta("lyrics", text="la")),
)  # fmt: skip


def by_mido(data):
    """Return (start, end, pitch, velocity) of all notes in ticks, as mido reads them."""
    file, found = mido.MidiFile(file=BytesIO(data)), []
    for track in file.tracks:
        now, sounding = 0, {}
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            waiting = sounding.setdefault((message.channel, message.note), [])
            if message.type == "note_on" and message.velocity:
                waiting.append((now, message.velocity))
            elif waiting:
                start, velocity = waiting.pop(0)
                found.append((start, now, message.note, velocity))
        found += [(s, now, key[1], v) for key, notes in sounding.items() for s, v in notes]
    return sorted(found)


@QUICK
@given(st.lists(st.lists(MESSAGES, max_size=30), min_size=1, max_size=3))
def test_any_file_is_read_as_mido_reads_it(tracks):
    data = file_of(*tracks)
    expected = by_mido(data)
    assume(expected)
    score, _ = read_midi(data, 480)
    found = sorted((n.start, n.end, n.pitch, n.velocity) for n in score.notes)
    assert found == sorted((s, max(e, s + 1), p, v) for s, e, p, v in expected)
    again, _ = read_midi(write_midi(from_text(to_text(score))), 480)
    assert [(n.start, n.end, n.pitch) for n in again.notes] == [
        (n.start, n.end, n.pitch) for n in score.notes
    ]


def test_voices_changes_and_names():
    conductor = [
        meta("time_signature", numerator=6, denominator=8), meta("key_signature", key="F#m"),
        meta("set_tempo", tempo=612245), meta("set_tempo", tempo=500000, time=720),
    ]  # fmt: skip
    first = [meta("track_name", name="Flute"), program(73), *note(60, 240), program(0),
             *note(62, 240), *note(36, 240, channel=9)]  # fmt: skip
    second = [*note(60, 480, velocity=100)]
    score, remarks = read_midi(file_of(conductor, first, second))
    assert not remarks
    assert score.voices == (
        Voice(73, name="Flute"), Voice(0, name="Flute"), Voice(0, True, "Flute"), Voice(73)
    )  # fmt: skip
    assert score.notes == (
        Note(0, 0, 60, 6), Note(0, 3, 60, 12, 100), Note(6, 1, 62, 6), Note(12, 2, 36, 6)
    )  # fmt: skip
    assert score.tempos == (Change(0, 98.0), Change(18, 120.0))
    assert score.meters == (Change(0, (6, 8)),) and score.keys == (Change(0, (6, "minor")),)
    assert score.length == 36, "the end of the bar"


def test_a_mode_comes_back_beside_its_signature():
    score = Score((Note(0, 0, 62, 12),), keys=(Change(0, (2, "dorian")),))
    data = write_midi(score)
    assert read_midi(data) == (score, [])
    keys = [m.key for m in mido.MidiFile(file=BytesIO(data)).tracks[0] if m.type == "key_signature"]
    assert keys == ["C"]


def test_the_grid_is_as_fine_as_the_file_needs():
    def steps(*lengths, ticks=480, asked=None):
        notes = [message for length in lengths for message in note(60, length)]
        score, remarks = read_midi(file_of(notes, ticks=ticks), asked)
        return score.steps, remarks

    assert steps(240, 120, 160) == (12, [])
    assert steps(60) == (24, [])
    assert steps(20, 100) == (24, [])
    assert steps(341, 341, 342, 85, 86, 85, ticks=1024) == (12, []), "rounded to a tick"
    found, (remark,) = steps(7, 473)
    assert found == 12 and "0.015 quarter notes off a grid of 12 steps; 480 would be" in remark
    assert steps(7, 473, asked=480) == (480, [])
    assert steps(1, 1, ticks=24) == (24, []), "a tick is much there"
    assert steps(60, asked=4)[1][0].endswith("a grid of 4 steps; 24 would be exact (--grid)")


def test_notes_go_to_the_nearest_step():
    score, _ = read_midi(file_of(note(60, 480, wait=70) + note(62, 10, wait=45)), 4)
    assert score.notes == (Note(1, 0, 60, 4), Note(5, 0, 62, 1))


def test_a_note_ends_before_the_next_begins():
    data = write_midi(Score((Note(0, 0, 60, 12), Note(12, 0, 60, 12), Note(12, 0, 62, 12))))
    kinds = [m.type for m in mido.MidiFile(file=BytesIO(data)).tracks[1] if "note" in m.type]
    assert kinds == ["note_on", "note_off", "note_on", "note_on", "note_off", "note_off"]


def test_overlapping_and_hanging_notes():
    on = [mido.Message("note_on", note=60, time=0), mido.Message("note_on", note=60, time=240)]
    off = [mido.Message("note_off", note=60, time=240), mido.Message("note_off", note=60, time=240)]
    score, remarks = read_midi(file_of(on + off))
    assert score.notes == (Note(0, 0, 60, 12, 64), Note(6, 0, 60, 12, 64)) and not remarks
    score, remarks = read_midi(file_of([*on, mido.Message("note_off", note=61, time=480)]))
    assert score.notes == (Note(0, 0, 60, 18, 64), Note(6, 0, 60, 12, 64))
    assert remarks == ["track 1: 2 notes hang; ended where the track ends"]
    score, _ = read_midi(file_of([mido.Message("note_on", note=60)]))
    assert score.notes == (Note(0, 0, 60, 1, 64),)


def test_tracks_of_type_2_come_one_after_the_other():
    score, _ = read_midi(file_of(note(60, 480), note(62, 480), type=2))
    assert [(n.start, n.pitch) for n in score.notes] == [(0, 60), (12, 62)]


def test_frames_are_half_a_second_a_quarter():
    data = bytearray(file_of([meta("set_tempo", tempo=400000), *note(60, 500)]))
    data[12:14] = bytes([256 - 25, 40])
    score, remarks = read_midi(bytes(data))
    assert score == Score((Note(0, 0, 60, 12),)) and "SMPTE" in remarks[0]


def test_absurd_tempos_meters_and_keys_are_left_out():
    odd = [
        b"\x00\xff\x51\x03\x00\x00\x00", b"\x00\xff\x51\x03\x00\x00\x01", b"\x00\xff\x51\x00",
        b"\x00\xff\x58\x04\x00\x02\x18\x08", b"\x00\xff\x58\x04\x04\xff\x18\x08",
        b"\x00\xff\x59\x02\x63\x00", b"\x00\xff\x59\x02\x00\x09",
    ]  # fmt: skip
    data = file_of(note(60, 480))
    score, remarks = read_midi(with_events(data, b"".join(odd)))
    assert score == read_midi(data)[0]
    assert remarks == ["7 of its tempos, meters and keys are none; left out"]


def with_events(data, inserted):
    """Return a file of one track with bytes put before its events."""
    body = inserted + data[22:]
    return data[:18] + len(body).to_bytes(4, "big") + body


def test_many_tracks_and_a_long_piece():
    tracks = [[program(number % 20), *note(30 + number, 480)] for number in range(64)]
    score, remarks = read_midi(file_of(*tracks))
    assert len(score.voices) == 64 and not remarks
    assert read_midi(write_midi(score, remarks)) == (score, [])
    assert remarks == ["64 voices share 15 channels, those of one instrument first"]
    assert from_text(to_text(score)) == score
    hour = [message for number in range(7200) for message in note(40 + number % 40, 480)]
    assert len(read_midi(file_of(hour))[0].notes) == 7200


def test_whole_tracks_and_what_came_before_a_break_are_kept():
    tracks = [note(60, 480) * 4, note(64, 480) * 4]
    data = file_of(*tracks)
    score, remarks = read_midi(data[:-20])
    assert [len([n for n in score.notes if n.voice == voice]) for voice in (0, 1)] == [4, 2]
    (remark,) = remarks
    assert remark.startswith("track 2 breaks off after 960 ticks: ") and "is kept" in remark
    lied = bytearray(data)
    lied[18:22] = (0x7FFFFFFF).to_bytes(4, "big")
    assert read_midi(bytes(lied)) == read_midi(data), "a wrong length, but all is there"
    broken = data[:22] + b"\x00\x3c" + data[22:]
    score, remarks = read_midi(broken)
    assert len(score.notes) == 4 and "data without a status" in remarks[0]
    score, remarks = read_midi(with_events(file_of([]), b"\0\x90\x3c\x40\0\xff\1\x63"))
    assert len(score.notes) == 1 and "an event of 99 bytes where 4 are left" in remarks[0]


def test_a_status_runs_on_over_what_is_no_note():
    events = b"\0\x90\x3c\x40\0\xff\1\1x\x81\x70\x3c\0"
    score, remarks = read_midi(with_events(file_of([]), events))
    assert score.notes == (Note(0, 0, 60, 6, 64),) and not remarks


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "is empty"),
        (b"Once upon a time", "is no MIDI file: it begins with 'Once upon a '"),
        (b"MThd\0\0\0\6\0\1", "is cut off within its header, after 10 bytes"),
        (b"MThd\0\0\0\6\0\7\0\1\1\xe0", "are of type 0, 1 or 2, not 7"),
        (b"MThd\0\0\0\6\0\1\0\1\0\0", "has 0 ticks a quarter note"),
        (b"MThd\0\0\0\6\0\1\0\1\xe7\0", "has 0 ticks a quarter note"),
    ],
)
def test_what_is_no_midi_file_is_said(data, error):
    with pytest.raises(CorruptFile, match=f"^a.mid {error}|^a.mid: .* {error}"):
        read_midi(data, name="a.mid")


def test_a_file_without_notes_and_one_of_drums(tmp_path):
    with pytest.raises(DataError, match=r"a\.mid: there are no notes in it"):
        read_midi(file_of([program(3)]), name="a.mid")
    with pytest.raises(FileError, match="no such file"):
        read_midi(tmp_path / "none.mid")
    (tmp_path / "drums.mid").write_bytes(file_of(note(36, 240, channel=9)))
    score, _ = read_midi(tmp_path / "drums.mid")
    assert score.voices == (Voice(drums=True),)
    riff = b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + file_of(note(36, 240, channel=9))
    assert read_midi(riff) == (score, [])


def test_what_would_fill_the_memory_is_refused(monkeypatch):
    far = with_events(file_of(note(60, 480)), b"\xff\xff\xff\x7f\xff\x06\x00")
    with pytest.raises(DataError, match="lasts 559241 quarter notes; at most 166666"):
        read_midi(far)
    monkeypatch.setattr(midi_reader, "MOST_NOTES", 3)
    with pytest.raises(DataError, match="more than 3 notes"):
        read_midi(file_of(note(60, 480) * 4))
    with pytest.raises(DataError, match="larger than 8 MiB"):
        read_midi(bytes((8 << 20) + 1))


def test_without_mido_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(MissingExtra, match=r"^MIDI needs mido: pip install 'char-rnn\[music\]'$"):
        read_midi(b"MThd")
    with pytest.raises(MissingExtra):
        write_midi(Score(()))


def good_files():
    lone = file_of([meta("set_tempo", tempo=400000), *note(60, 480) * 20], type=0)
    voices = tuple(Voice(number, number == 2, "x" * number) for number in range(4))
    notes = tuple(
        Note(start * 3, start % 4, 50 + start % 20, 2 + start % 17) for start in range(120)
    )
    changes = {"meters": (Change(0, (3, 4)), Change(36, (7, 8))), "tempos": (Change(0, 90),)}
    return [lone, write_midi(Score(notes, voices, **changes))]


def test_damaged_files_are_read_or_refused_with_their_name():
    files, rng = good_files(), made.rng(17)
    read = 0
    for number in range(400):
        data = made.damaged(files[number % len(files)], rng)
        try:
            score, _ = read_midi(data, name="a.mid")
        except CharRNNError as error:
            assert str(error).startswith("a.mid") and "\n" not in str(error)
            continue
        read += 1
        assert read_midi(write_midi(score), score.steps)[0].notes
        if score.length < 100_000:
            assert from_text(to_text(score)) == made.heard(score)
    assert read > 200


def test_a_damaged_file_claims_no_memory():
    files, rng = good_files(), made.rng(17)
    tracemalloc.start()
    try:
        for number in range(100):
            with contextlib.suppress(CharRNNError):
                read_midi(made.damaged(files[number % len(files)], rng))
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


@QUICK
@given(made.scores())
def test_any_player_opens_what_is_written(score):
    """Every note that begins ends, times only go on, and each track says where it ends."""
    file = mido.MidiFile(file=BytesIO(write_midi(score)))
    assert file.type == 1 and len(file.tracks) == 1 + len(score.voices)
    for voice, track in zip((None, *score.voices), file.tracks, strict=True):
        assert all(message.time >= 0 for message in track)
        assert [m.type for m in track].count("end_of_track") == 1
        assert track[-1].type == "end_of_track"
        sounding = Counter()
        for message in track:
            if message.type in ("note_on", "note_off"):
                assert (message.channel == 9) == voice.drums
                assert message.type == "note_off" or message.velocity
                sounding[message.note] += 1 if message.type == "note_on" else -1
                assert sounding[message.note] >= 0
        assert not any(sounding.values())
        programs = [m for m in track if m.type == "program_change"]
        assert [m.program for m in programs] == ([voice.program] if voice else [])


def test_voices_that_share_a_channel_are_of_one_instrument_if_they_can_be():
    voices = tuple(Voice(number % 10, number % 11 == 10) for number in range(40))
    score = Score(tuple(Note(0, number, 60, 12) for number in range(40)), voices)
    file = mido.MidiFile(file=BytesIO(write_midi(score)))
    programs = {}
    for voice, track in zip(voices, file.tracks[1:], strict=True):
        (change,) = [m for m in track if m.type == "program_change"]
        programs.setdefault(change.channel, set()).add(change.program)
        assert (change.channel == 9) == voice.drums
    assert all(len(programs[channel]) == 1 for channel in programs if channel != 9)


def test_tracks_that_are_missing_are_told():
    data = file_of(note(60, 480), note(64, 480), note(67, 480))
    score, remarks = read_midi(data[: data.rindex(b"MTrk")])
    assert len(score.notes) == 2
    assert remarks == ["its header counts 3 tracks, and 2 are there: it is cut off"]
