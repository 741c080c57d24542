"""Scores as text and back, the text itself, and texts that are wrong."""

import pytest
import scores as made
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from char_rnn.errors import DataError
from char_rnn.music import Change, Note, Score, Voice, text_reader, text_writer
from char_rnn.music import text as documented
from char_rnn.music.again import MOST_BACK, with_again
from char_rnn.music.files import read_pieces
from char_rnn.music.midi import read_midi
from char_rnn.music.text import from_text, pieces, to_text

QUICK = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def tune(*notes, **more):
    """Return a score of (pitch, length), one after the other; pitch 0 is a rest."""
    now, found = 0, []
    for pitch, length in notes:
        if pitch:
            found.append(Note(now, 0, pitch, length))
        now += length
    return Score(tuple(found), length=now, **more)


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


def test_tunes_need_few_characters():
    found = [read_midi(path)[0] for path in made.jigs()[::10]]
    texts = [to_text(score) for score in found]
    assert len({*"".join(texts)}) < 64
    assert len("".join(texts)) < 2 * sum(len(score.notes) for score in found)
    assert read_pieces("\n\n".join(texts)) == [made.heard(score) for score in found]


def test_chorales_come_back():
    for score in made.chorales()[::8]:
        assert from_text(to_text(score)) == score


def test_a_tune_reads_like_abc():
    meter, key = (Change(0, (6, 8)),), (Change(0, (2, "major")),)
    notes = [(0, 30), (69, 6), (74, 12), (76, 6), (78, 3), (77, 3), (73, 4), (61, 8)]
    score = tune(*notes, meters=meter, keys=key)
    assert to_text(score) == "M:6/8 K:D\nz5A|d2e f/=f/c2/3C4/3|"


def test_the_key_says_the_accidentals():
    scale = [60, 62, 64, 65, 67, 69, 71, 72]
    for tonic in range(12):
        notes = [(pitch + tonic, 6) for pitch in scale]
        text = to_text(tune(*notes, keys=(Change(0, (tonic, "major")),)))
        assert not {"^", "_", "="} & set(text), text
    flat = to_text(tune((66, 6), (63, 6), (60, 36)))
    assert flat == "^F_E C6|"
    minor = to_text(tune((68, 6), (69, 42), keys=(Change(0, (9, "minor")),)))
    assert minor == "K:Am\n^GA7|"


def test_the_documented_example_is_music():
    grammar = documented.__doc__
    example = "\n".join(line[4:] for line in grammar.splitlines() if line.startswith("    "))
    example = example.partition("\n\n")[0].partition("\npiece")[0]
    score = from_text(example)
    assert to_text(score) == example
    assert score.notes[-1] == Note(7 * 36, 0, 74, 36)
    assert Note(3 * 36 + 18, 0, 74, 36) in score.notes, "the tie"
    assert [len({n.start for n in score.notes}), len(score.notes)] == [21, 25]


@QUICK
@given(st.lists(st.sampled_from(["c8", "d4 e4", "z8", "c4 c4-", "c8&e2"]), max_size=90))
def test_bars_that_come_again_are_numbers(bars):
    folded = with_again(bars)
    assert len(folded) == len(bars)
    for at, bar in enumerate(folded):
        assert bars[at - int(bar)] == bars[at] if bar.isdigit() else bar == bars[at]
        if bar.isdigit():
            assert 1 <= int(bar) <= min(at, MOST_BACK) and len(bar) < len(bars[at])
    plain, text = ("".join(f"{bar}|" for bar in found) for found in (bars, folded))
    assert from_text(text, lenient=True) == from_text(plain, lenient=True)


def test_a_part_that_comes_again_is_counted_from_one_place():
    bars = ["c8", "d8", "c8", "e8"]
    assert with_again([*bars, *bars, "c8"]) == ["c8", "d8", "2", "e8", *"4444", "4"]


def test_bars_come_again_as_they_are_written():
    assert [note.pitch for note in from_text("K:C\nf8|[K:D]f8|2|").notes] == [77, 78, 78]
    ties = from_text("c8-|1|1|c8|d8|").notes
    assert [(note.pitch, note.length) for note in ties] == [(72, 4 * 48), (74, 48)]


AGAIN = {
    "1|c8|": "1: no bar so many bars before: 1; it may be up to 0 here",
    "c8|c2 1|": "7: a number that is not alone in its bar: 1",
    "c8|33|": "4: no bar so many bars before: 33; it may be up to 1 here",
}


@pytest.mark.parametrize("text", AGAIN)
def test_a_number_of_no_bar_is_a_fault(text):
    with pytest.raises(DataError, match=f"^line 1, place {AGAIN[text]}"):
        from_text(text)
    assert len(from_text(text + "9|2|1|", lenient=True).notes) >= 1


def test_no_short_text_keeps_reading_for_hours(monkeypatch):
    monkeypatch.setattr(text_reader, "MOST_AGAIN", 5000)
    bar = "!f!" * 100 + "c8|"
    assert len(from_text(bar + "1|" * 16).notes) == 17
    with pytest.raises(DataError, match="more than 5000 characters come again; cut the piece"):
        from_text(bar + "1|" * 17)


def test_several_voices_stand_bar_by_bar():
    voices = (Voice(40, name="Violin"), Voice(0, drums=True), Voice())
    notes = [Note(0, 0, 76, 60), Note(6, 0, 72, 12), Note(0, 1, 42, 6), Note(48, 2, 43, 48)]
    score = Score(tuple(notes), voices, length=96)
    text = to_text(score)
    assert text == 'I:40"Violin",d0,0\n1:e8-&zc2 2:^F,,z7|\n1:e2 z6 3:G,,8|'
    assert from_text(text) == score
    assert "Violin" not in to_text(score, names=False)


def test_a_finer_grid_changes_no_text():
    coarse = tune((60, 1), (62, 2), (64, 5), steps=4)
    fine = tune((60, 12), (62, 24), (64, 60), steps=48)
    assert to_text(coarse) == "G:4\nC/DE5/|"
    assert to_text(fine) == "G:48\nC/DE5/|"


def test_changes_stand_where_they_happen():
    changes = {
        "meters": (Change(0, (3, 4)), Change(36, (6, 8)), Change(54, (2, 4))),
        "keys": (Change(36, (7, "major")), Change(60, (5, "mixolydian"))),
        "tempos": (Change(0, 120), Change(45, 87.5), Change(78, 1e-7)),
    }
    score = tune((65, 36), (66, 36), (66, 24), **changes)
    text = to_text(score)
    said = "M:3/4 Q:120\nF6|[M:6/8][K:G][Q:87.5@3/2]F3-|[M:2/4][K:Fmix@1]F3F-|[Q:1e-07]_G3|"
    assert text == said
    assert from_text(text) == score


def test_twins_of_one_pitch_are_told_apart_over_a_bar_line():
    for lengths in [(6, 24), (24, 6), (60, 70), (100, 6)]:
        notes = [Note(42, 0, 60, lengths[0]), Note(44, 0, 60, lengths[1], 96), Note(48, 0, 60, 6),
                 Note(48, 0, 60, 12), Note(48, 0, 64, 6)]  # fmt: skip
        score = Score(tuple(notes))
        assert from_text(to_text(score)) == score


def test_dynamics_stand_where_a_note_begins():
    score = Score((Note(0, 0, 60, 54, 96), Note(42, 0, 62, 6), Note(54, 0, 64, 6, 127)))
    assert to_text(score) == "!f!C8-&z7!mf!D|C!fff!E|"
    assert from_text(to_text(score)) == score


def test_what_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(text_writer, "MOST_PARTS", 100)
    with pytest.raises(DataError, match="more than 100 notes in bars"):
        to_text(Score((Note(0, 0, 60, 101 * 48),)))
    with pytest.raises(DataError, match="more than 100000 bars"):
        to_text(Score((), steps=1, meters=(Change(0, (1, 128)),), length=100_001))
    with pytest.raises(DataError, match="longer than 2000000 steps"):
        from_text("M:255/1\n" + "|" * 200)


FAULTS = {
    "c9|": ("1, place 1: a bar that is too long: this is over by 1 eighth", "c8|"),
    "c8|\nc4 c5|": ("2, place 4: a bar that is too long", "c8|c4 c4|"),
    "c4|c8|": ("1, place 3: a bar that is too short: it lacks 4 eighths", "c4 z4|c8|"),
    "c8|[M:3/4]c4|c6|": ("1, place 13: a bar that is too short", "c8|[M:3/4]c4 z2|c6|"),
    "c8-|d8|": ("1, place 1: a tie that leads to no note", "c8|d8|"),
    "c8-": ("1, place 1: a tie that leads to no note", "c8|"),
    "c/5z39/5|": (
        "1, place 2: a length off the grid of 12 steps a quarter; G:60 has",
        "G:60\nc/5z39/5|",
    ),
    "c/997z7z|": ("1, place 2: a length off the grid", "c/6z47/6|"),
    "c0z7|": ("1, place 2: a length of nothing", "cz7|"),
    "H8|": ("1, place 1: a character that means nothing here: 'H'", "z8|"),
    "1:c8 1:d8|": ("1, place 6: a voice that this bar has already", "[cd]8|"),
    "3:c8|": ("1, place 1: a voice that there is not", "z8|"),
    "I:0,0\n1:c8 2:c4|": ("2, place 10: .* voice 2 has 4 of 8 eighths", "I:0,0\n1:c8 2:c4 z4|"),
    "!x!c8|": ("1, place 1: dynamics that there are not; known: ppp", "c8|"),
    "[ce|": ("1, place 4: a chord that has no \\]", "[ce]|"),
    "[c[e]8|": ("1, place 3: a \\[ within a chord", "[ce]8|"),
    "]c8|": ("1, place 1: a \\] without a chord", "c8|"),
    "[cz]8|": ("1, place 3: a rest within a chord", "c8|"),
    "[c2e]8|": ("1, place 3: a length within a chord", "[ce]8|"),
    "&c8|": ("1, place 1: an & without a layer", "c8|"),
    "c,,,,,,,8|": ("1, place 1: a pitch that MIDI has not", "z8|"),
    "M:0/4\nc8|": ("1, place 1: no field that a first line may have: 'M:0/4'", "c8|"),
    "M:4/4 M:3/4\nc8|": ("1, place 7: no field that a first line may have", "M:4/4\nc8|"),
    "I:128\nc8|": ("1, place 1: no field that a first line may have", "c8|"),
    "G:0 K:D\nc8|": ("1, place 1: no field that a first line may have: 'G:0'", "K:D\nc8|"),
    "[K:H]c8|": ("1, place 1: no tempo", "c8|"),
    "c4[K:D]c4|": ("1, place 3: a change that is not at the begin of its bar", "c4 c4|"),
    "[K:D@9]c8|": ("1, place 1: a change at a place that is not within", "c8|"),
    "[M:3/4@2]c8|": ("1, place 1: a change at a place that is not within", "c8|"),
    "[K:D][K:G]c8|": ("1, place 6: a change that does not come after", "K:D\nc8|"),
    "c8|\n\nd8|": ("1, place 4: a blank line", "c8|d8|"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_named_by_its_place_or_mended(text):
    error, mended = FAULTS[text]
    with pytest.raises(DataError, match=f"^line {error}"):
        from_text(text)
    remarks = []
    assert to_text(from_text(text, lenient=True, remarks=remarks)) == mended
    assert len(remarks) >= 1 and all("(mended; line " in remark for remark in remarks)


def test_a_last_bar_without_a_line_counts_and_is_filled_when_mended():
    assert from_text("c8|d") == from_text("c8|d|")
    assert from_text("c8|d", lenient=True) == from_text("c8|dz7|")


def test_pieces_are_parted_by_blank_lines_and_errors_count_all_lines():
    assert pieces("\n\nc8|\n\nd8|\ne8|\n \r\n\n\nf8|\n") == ["c8|", "d8|\ne8|", "f8|"]
    with pytest.raises(DataError, match="no piece"):
        pieces("\n \n")
    with pytest.raises(DataError, match="line 4, place 1: "):
        read_pieces("c8|\n\nd8|\n?8|\n\nf8|")


ALPHABET = "CDEFGABcdefgabz|&[]:!^_=,'-/0123456789 \n@MKQGIxpmf"


@QUICK
@given(st.one_of(st.text(ALPHABET, max_size=120), st.text(max_size=40)))
def test_anything_can_be_mended(text):
    score = from_text(text, lenient=True)
    again = to_text(score)
    assert from_text(again) == score


@QUICK
@given(made.scores(), st.integers(0, 2**32))
def test_a_damaged_text_is_mended_or_its_place_named(score, seed):
    rng = made.rng(seed)
    data = made.damaged(to_text(score, names=False).encode(), rng)
    text = data.decode("latin-1")
    try:
        from_text(text)
    except DataError as error:
        assert str(error).startswith(("line ", "the piece "))
    remarks = []
    try:
        mended = from_text(text, lenient=True, remarks=remarks)
    except DataError as error:
        assert "cut it" in str(error)
    else:
        assert from_text(to_text(mended)) == mended
