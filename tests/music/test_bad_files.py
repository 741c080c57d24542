"""Some mutants of MIDI, of texts and of ABC, and odd files: `music` and `show` keep their manners.

benchmarks/fuzz.py tries thousands, and holds each to 5 seconds and 500 MB.
"""

import os

import pytest
from fuzzing import Tunes
from mutants import mutants
from tune_mutants import TUNES

from char_rnn.music import Note, Score, Voice
from char_rnn.music.midi import write_midi

MUTANTS = 12  # of each kind of file


@pytest.mark.parametrize("name", TUNES)
def test_no_tune_does_harm(tmp_path, name):
    tunes = Tunes(tmp_path, variant=list(TUNES).index(name))
    tunes.reset()
    for arguments in tunes.commands(name):  # so that what is tried next means something
        code, out, err, fault = tunes.call(arguments)
        assert (code, fault) == (0, ""), err
        assert "made" in str(arguments) or out
    for label, mutate in mutants(tunes.files[name], MUTANTS, seed=0, kinds=TUNES):
        assert not list(tunes.faults(name, mutate)), label


def track(*events):
    data = b"".join(events)
    return b"MTrk" + len(data).to_bytes(4, "big") + data


def file(*tracks, ticks=480, count=None):
    head = (b"\0\0\0\6\0\1", (len(tracks) if count is None else count).to_bytes(2, "big"))
    return b"".join((b"MThd", *head, ticks.to_bytes(2, "big"), *tracks))


NOTE, END = b"\0\x90\x3c\x40\x83\x60\x80\x3c\0", b"\0\xff\x2f\0"
GOOD = track(NOTE, END)
CROWD = Score(
    tuple(Note(24 * k, v, 30 + v, 24 * 8) for v in range(64) for k in range(2)),
    tuple(Voice(v) for v in range(64)),
)
BAD = {
    "empty": (b"", 1, "the file is empty"),
    "a text": (b"Once upon a time", 1, "is no MIDI file: it begins with 'Once upon a '"),
    "cut in its header": (file(GOOD)[:12], 1, "is cut off within its header, after 12 bytes"),
    "cut in a track": (file(GOOD, track(NOTE, NOTE))[:-5], 0, "track 2 breaks off after 480"),
    "cut between tracks": (file(GOOD, count=2), 0, "counts 2 tracks, and 1 are there: it is cut"),
    "no note": (file(track(END)), 1, "there are no notes in it"),
    "drums only": (file(track(b"\0\x99\x24\x40\x78\x89\x24\0", END)), 0, ""),
    "no ticks": (file(GOOD, ticks=0), 1, "has 0 ticks a quarter note"),
    "frames": (file(GOOD, ticks=0xE728), 0, "counts in frames (SMPTE)"),
    "no frames": (file(GOOD, ticks=0xE700), 1, "has 0 ticks a quarter note"),
    "no tempo": (file(track(b"\0\xff\x51\3\0\0\0", NOTE, END)), 0, "1 of its tempos, meters and"),
    "a mad tempo": (file(track(b"\0\xff\x51\3\0\0\1", NOTE, END)), 0, "1 of its tempos"),
    "overlapping": (file(track(b"\0\x90\x3c\x40", NOTE, b"\0\x80\x3c\0", END)), 0, ""),
    "hanging": (file(track(b"\0\x90\x3c\x40", NOTE, END)), 0, "1 note hangs; ended where"),
    "no status": (file(track(b"\0\x3c\x40", NOTE), GOOD), 0, "track 1 breaks off after 0 ticks"),
    "far away": (file(track(NOTE, b"\xff\xff\xff\x7f", NOTE[1:], END)), 1, "lasts 559242 quarter"),
    "a number without end": (file(track(NOTE, b"\xff" * 9)), 0, "a time that does not end"),
    "64 tracks": (file(*[GOOD] * 64), 0, ""),
    "a crowd": (write_midi(CROWD), 0, ""),
}  # fmt: skip


@pytest.fixture
def tunes(tmp_path):
    tunes = Tunes(tmp_path)
    tunes.run.mkdir()
    return tunes


@pytest.mark.parametrize("data, code, said", BAD.values(), ids=BAD)
def test_a_bad_file_is_read_as_far_as_it_goes_or_refused_in_a_line(tunes, data, code, said):
    path = tunes.run / "bad.mid"
    path.write_bytes(data)
    for arguments in tunes.commands("tune.mid")[:2]:
        arguments[arguments.index(tunes.files["tune.mid"])] = path
        found, _, err, fault = tunes.call(arguments)
        assert (found, fault) == (code, "") and said in err
        told = [line for line in err.splitlines() if "Written" not in line]
        assert bool(told) == bool(said) and all("bad.mid" in line for line in told)
        assert not code or len(told) == 1
        assert any(tunes.run.glob("made/*")) == (code == 0 and arguments[0] == "show")


def test_a_folder_goes_on_with_the_rest(tunes):
    for name, (data, *_) in BAD.items():
        (tunes.run / f"{name}.mid").write_bytes(data)
    (tunes.run / "folder.mid").mkdir()
    code, out, err, fault = tunes.call(["music", "encode", tunes.run])
    assert (code, fault) == (0, "")
    read = sum(not code for _, code, _ in BAD.values())
    assert len(out.split("\n\n")) == read and err.count("; left out\n") == len(BAD) - read + 2
    for name, (_, code, _) in BAD.items():
        if not code:
            (tunes.run / f"{name}.mid").unlink()
    for command in (["show", tunes.run, "-o", tunes.run / "a.svg"], ["music", "encode", tunes.run]):
        code, out, err, fault = tunes.call(command)
        assert (code, out, fault) == (1, "", "")
        assert err.endswith(f"run: none of its {len(BAD) - read} MIDI files could be read\n")
    assert not (tunes.run / "a.svg").exists()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="who may read everything")
def test_a_file_that_may_not_be_read(tunes):
    path = tunes.run / "a.mid"
    path.write_bytes(file(GOOD))
    path.chmod(0)
    code, _, err, _ = tunes.call(["show", path])
    assert code == 1 and "cannot be read: Permission denied" in err


@pytest.mark.parametrize("text", ["c" + "'" * 6000 + "8|", f"c8|[M:4/{'9' * 6000}]c8|"])
def test_however_long_a_word_is_the_error_is_not(tunes, text):
    (tunes.run / "a.txt").write_text(text)
    code, _, err, fault = tunes.call(["show", tunes.run / "a.txt"])
    assert (code, fault) == (1, "") and len(err) < 400
