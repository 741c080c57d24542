"""ABC notation: tunes typed by hand whose notes are known, what is left out, and what is wrong."""

from fractions import Fraction

import numpy as np
import pytest

from char_rnn.errors import DataError
from char_rnn.music import abc_body, abc_play
from char_rnn.music.abc import read_abc
from char_rnn.music.score import Change, Score

HEAD = "X:1\nM:4/4\nL:1/4\nK:C\n"
NAMES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def one(text):
    """Return the only tune of a text, which leaves nothing out."""
    [(score, remarks)] = read_abc(text)
    assert remarks == []
    return score


def heard(score):
    """Return each note as start, pitch, length, in quarters."""
    return [(Fraction(n.start, score.steps), n.pitch, Fraction(n.length, score.steps))
            for n in score.notes]  # fmt: skip


def pitches(text, head=HEAD):
    return [note.pitch for note in one(head + text).notes]


def lengths(text, head=HEAD):
    return [float(length) for _, _, length in heard(one(head + text))]


def midi(names):
    """Return MIDI pitches of names such as F#5: the notes of a tune as a musician says them."""
    return [
        NAMES[name[0]] + {"#": 1, "b": -1}.get(name[1], 0) + 12 * (int(name[-1]) + 1)
        for name in names.split()
    ]


def test_frere_jacques():
    score = one(
        "X:1\nT:Frère Jacques\nC:trad.\nM:4/4\nL:1/4\nQ:1/4=100\nK:F\n"
        "|: FGAF :|: ABc2 :|\n|: c/d/c/B/ AF :||: FCF2 :|\n"
    )
    each = ["F4 G4 A4 F4", "A4 Bb4 C5", "C5 D5 C5 Bb4 A4 F4", "F4 C4 F4"]
    assert [note.pitch for note in score.notes] == midi(
        " ".join(part for a in each for part in (a, a))
    )
    assert score.length == 8 * 48
    assert (score.tempos, score.meters, score.keys) == (
        (Change(0, 100),), (Change(0, (4, 4)),), (Change(0, (5, "major")),)
    )  # fmt: skip
    assert score.voices[0].name == "Frère Jacques"


def test_greensleeves_with_pickup_and_accidentals():
    """The first strain in A minor, of which each bar was counted by hand."""
    score = one(
        "X:1\nT:Greensleeves\nM:6/8\nL:1/8\nK:Am\n"
        "A | c2d e>fe | d2B G>AB | c2A A>^GA | B2^G E2A |\n"
        "c2d e>fe | d2B G>AB | c>BA ^G>^F^G | A3 A2 |]\n"
    )
    assert [note.pitch for note in score.notes] == midi(
        "A4 C5 D5 E5 F5 E5 D5 B4 G4 A4 B4 C5 A4 A4 G#4 A4 B4 G#4 E4 A4 "
        "C5 D5 E5 F5 E5 D5 B4 G4 A4 B4 C5 B4 A4 G#4 F#4 G#4 A4 A4"
    )
    assert score.notes[0].start == 30  # the pickup lies at the end of the first bar
    assert score.notes[3].length == 9  # e>
    assert score.notes[-1].end == 8 * 36 + 30
    assert score.length == 9 * 36


def test_the_same_tune_in_other_words():
    plain = one(HEAD + "CDEF|GABc|")
    for text in (
        "C D E F | G A B c |]", "CDEF\\\n|GABc", "C`DE(F|G)ABc", "CDEF|\n% talk\nGABc % more",
        "(CD)(EF)|[L:1/8]G2A2B2c2", "C,'DEF|G[K:C]ABc", "CDEF|GAB[c]", "CDEF$|GABc y3|",
        "CDEF|[M:4/4]GABc", "C2/2D/1E4/4F|GABc*",
    ):  # fmt: skip
        assert one(HEAD + text) == plain, text
    assert one("\ufeff\r\n" + (HEAD + "CDEF|GABc|").replace("\n", "\r\n")) == plain
    assert one("L:1/4\nM:C\nK:C\nCDEF|GABc|") == plain
    assert one("M:4/4\nL:1/4\n\nX:1\nK:C\nCDEF|GABc|") == plain


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("C", "C4 D4 E4 F4 G4 A4 B4"), ("G", "C4 D4 E4 F#4 G4 A4 B4"),
        ("Em", "C4 D4 E4 F#4 G4 A4 B4"), ("Ador", "C4 D4 E4 F#4 G4 A4 B4"),
        ("D Mixolydian", "C4 D4 E4 F#4 G4 A4 B4"), ("F Lyd", "C4 D4 E4 F4 G4 A4 B4"),
        ("Bb", "C4 D4 Eb4 F4 G4 A4 Bb4"), ("C aeolian", "C4 D4 Eb4 F4 G4 Ab4 Bb4"),
        ("E phrygian", "C4 D4 E4 F4 G4 A4 B4"), ("B loc", "C4 D4 E4 F4 G4 A4 B4"),
        ("C#", "C#4 D#4 E#4 F#4 G#4 A#4 B#4"), ("Cb", "Cb4 Db4 Eb4 Fb4 Gb4 Ab4 Bb4"),
        ("F#m", "C#4 D4 E4 F#4 G#4 A4 B4"), ("none", "C4 D4 E4 F4 G4 A4 B4"),
        ("HP", "C#4 D4 E4 F#4 G4 A4 B4"), ("D =c", "C4 D4 E4 F#4 G4 A4 B4"),
        ("A harm", None), ("Am ^g", "C4 D4 E4 F4 G#4 A4 B4"),
        ("D exp _b ^f", "C4 D4 E4 F#4 G4 A4 Bb4"),
        ("G clef=bass", "C4 D4 E4 F#4 G4 A4 B4"), ("D bass", "C#4 D4 E4 F#4 G4 A4 B4"),
        ("clef=alto", "C4 D4 E4 F4 G4 A4 B4"), ("G ionian", "C4 D4 E4 F#4 G4 A4 B4"),
    ],
)  # fmt: skip
def test_signatures(key, names):
    text = f"X:1\nM:none\nK:{key}\nCDEFGAB\n"
    if names is None:
        with pytest.raises(DataError, match="mode 'harm'"):
            read_abc(text)
        return
    [(score, _)] = read_abc(text)
    assert [note.pitch for note in score.notes] == midi(names)


def test_keys_are_those_of_a_score():
    assert one("X:1\nM:C\nK:F#dor\nF").keys == (Change(0, (6, "dorian")),)
    assert one("X:1\nM:C\nK:none\nF").keys == ()
    changed = one(HEAD + "CDEF|[K:G]F4|\nK:Dm\nB4|")
    assert changed.keys == (
        Change(0, (0, "major")), Change(48, (7, "major")), Change(96, (2, "minor"))
    )  # fmt: skip
    assert [note.pitch for note in changed.notes][-2:] == midi("F#4 Bb4")


def test_pitches():
    assert pitches("C,,C,Ccc'c''") == [36, 48, 60, 72, 84, 96]
    assert pitches("^C^^C_D__D=D") == [61, 62, 61, 60, 62]


def test_an_accidental_holds_to_the_end_of_the_bar_in_all_octaves():
    assert pitches("^Cc=cC|C") == [61, 73, 72, 60, 60]
    assert pitches("^F3 F-|F F3|F") == midi("F#4 F#4 F4 F4")  # over a bar line where tied
    assert pitches("F4|=FF3|F4", HEAD.replace("K:C", "K:G")) == midi("F#4 F4 F4 F#4")


def test_lengths():
    assert lengths("C2 C C/ C/2 C// C/4 C3/2 C3/ C8/4") == [2, 1, 0.5, 0.5, 0.25, 0.25, 1.5, 1.5, 2]
    assert lengths("C", "X:1\nM:4/4\nK:C\n") == [0.5]
    assert lengths("C", "X:1\nM:2/4\nK:C\n") == [0.25]  # below 3/4: a sixteenth
    assert lengths("C", "X:1\nM:6/8\nK:C\n") == [0.5]
    assert lengths("C[L:1/16]C\nL:1/2\nC") == [1, 0.25, 2]


def test_broken_rhythm():
    assert lengths("C>C C<C C>>C C<<<C") == [1.5, 0.5, 0.5, 1.5, 1.75, 0.25, 0.125, 1.875]
    assert lengths("C2 > C2 z") == [3, 1]
    assert lengths("[CE]>z C") == [1.5, 1.5, 1]


def test_tuplets():
    third = pytest.approx(2 / 3)
    assert lengths("(3CCC C") == [third, third, third, 1]
    assert lengths("(2CC", "X:1\nM:6/8\nL:1/8\nK:C\n") == [0.75, 0.75]
    assert lengths("(3:2:2C2C C") == [pytest.approx(4 / 3), third, 1]
    assert lengths("(3::4CCCC") == [third] * 4
    assert lengths("(5CCCCC", "X:1\nM:6/8\nL:1/8\nK:C\n") == [pytest.approx(0.3)] * 5
    assert lengths("(5CCCCC") == [pytest.approx(0.4)] * 5
    assert lengths("(3C>CC") == [1, pytest.approx(1 / 3), third]
    assert one(HEAD + "(3CCC").steps == 12
    assert one(HEAD + "(5CCCCC").steps == 60


def test_rests_and_chords():
    score = one(HEAD + "z C x2|Z2|[CEG]2[^F/A/]2 z|")
    assert heard(score) == [
        (1, 60, 1), (12, 60, 2), (12, 64, 2), (12, 67, 2), (14, 66, 1), (14, 69, 1)
    ]  # fmt: skip
    assert one("X:1\nM:3/4\nL:1/4\nK:C\nC3|Z3|C3|").length == 5 * 36


def test_ties_join_and_slurs_do_not():
    assert heard(one(HEAD + "C2-C(DD)|")) == [(0, 60, 3), (3, 62, 1), (4, 62, 1)]
    assert heard(one(HEAD + "[CE-]2 [CE]2|")) == [(0, 60, 2), (0, 64, 4), (2, 60, 2)]
    assert heard(one(HEAD + "C4-|C4-|C4|")) == [(0, 60, 12)]
    [(_, remarks)] = read_abc(HEAD + "C2-D2|E4-|")
    assert remarks == ["ties that lead to no note of their pitch left out: 2"]


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("|:C|D:|E|", "CDCDE"), ("C|D:|E|F:|", "CDCDEFEF"), ("C|:D:|", "CDD"),
        ("|:C::D:|", "CCDD"), ("|:C:|:D:|", "CCDD"), ("|:C:||:D:|", "CCDD"),
        ("|:C|1D:|2E||F|", "CDCEF"), ("|:C|[1D:|[2E|]F", "CDCEF"), ("|:C|1D:|\n[2E||F:|", "CDCEFF"),
        ("|:C|1,2D:|3E|]F", "CDCDCEF"), ("|:C|1-3D:|4E|]", "CDCDCDCE"),
        ("|:C|1D:|2E:|3F|]G", "CDCECFG"), ("|::C::|D", "CCCD"), ("C|1D:|2E||F|1G:|2A", "CDCEFGFA"),
        ("|:C|1D:|E|F:|", "CDCEFEF"), (":|C:|", "CC"), ("C:|D|1E:|2F:|3G|]", "CCDEDFDG"),
        ("|:C", "C"), ("|:|:C:|:|", "CC"),
    ],
)  # fmt: skip
def test_repeats(text, order):
    [(score, _)] = read_abc("X:1\nM:4/4\nL:1/1\nK:C\n" + text)
    assert (
        "".join("CDEFGAB"[(0, 2, 4, 5, 7, 9, 11).index(n.pitch % 12)] for n in score.notes) == order
    )
    assert score.length == 48 * len(order)


def test_a_repeat_goes_back_to_the_key_and_meter_of_its_beginning():
    score = one(HEAD + "|:F4|[K:G][M:2/4]F2:|")
    assert [note.pitch for note in score.notes] == midi("F4 F#4 F4 F#4")
    assert [change.start for change in score.meters] == [0, 48, 72, 120]
    assert [change.value[0] for change in score.keys] == [0, 7, 0, 7]


@pytest.mark.parametrize(
    ("said", "tempo"),
    [
        ("1/4=120", 120), ("3/8=60", 90), ("1/8=200", 100), ('"Fast" 1/2=60', 120), ("120", 60),
        ("C=120", 60), ("C3=40", 60), ("1/4 1/8=60", 90), ("Allegro", None), ("", None),
        ("1/4=92.5", 92.5),
    ],
)  # fmt: skip
def test_tempos(said, tempo):
    score = one(f"X:1\nM:4/4\nL:1/8\nQ:{said}\nK:C\nC")
    assert score.tempos == (() if tempo is None else (Change(0, tempo),))


def test_what_is_left_out_is_said():
    [(score, remarks)] = read_abc(
        "X:1\nM:4/4\nL:1/4\nP:AB\nK:C octave=1\n"
        '"Am"C{de}D!trill!E"^text"F|~G.A^/Bc@|\nw:la la\nV:1\nC4|\nV:2\nC2E2|\nV:1\nD4 & E4|F4|\n'
        "\nfree text\n"
    )
    assert [note.pitch for note in score.notes] == midi("C4 D4 E4 F4 G4 A4 C5 C5 C4 D4 F4")
    assert sorted(remarks) == sorted([
        "orders of parts (P:) left out: 1", "octave= and transpose= of K: left out: 1",
        "chord symbols and annotations left out: 2", "groups of grace notes left out: 1",
        "decorations left out: 3", "quarter tones (semitones are played) left out: 1",
        "the unknown sign '@' left out: 1", "lines of words left out: 1",
        "notes of other voices left out: 2", "notes of overlays (&) left out: 1",
        "lines after the empty line that ends the tune left out: 1",
    ])  # fmt: skip


def test_bars_of_the_wrong_length_are_said():
    [(score, remarks)] = read_abc(HEAD + "CDEF|CDE|C4|CDE|:C|C4:|\nC|")
    assert remarks == ["bars that do not fill their meter: 1 (line 5)"]
    assert score.length == 7 * 48
    [(_, remarks)] = read_abc("X:1\nK:C\nCDE")
    assert remarks == ["no meter (M:); bars are taken as 4/4"]


def test_a_grid_is_as_fine_as_needed_and_no_finer_than_can_be(monkeypatch):
    assert one(HEAD + "(3C/D/E/ (5F/G/A/B/c/").steps == 60
    monkeypatch.setattr(abc_play, "FINEST_GRID", 50)
    [(score, remarks)] = read_abc(HEAD + "(3C/D/E/ (5F/G/A/B/c/ c|")
    assert remarks == ["lengths rounded to 1/48 of a quarter"]
    assert heard(score)[-1] == (2, 72, 1)
    assert score.length == 4 * 48


def test_several_tunes_stand_in_a_text():
    tunes = read_abc("% a book\nabout tunes\n\n" + HEAD + "C4|\n\n" + HEAD + "D4|\n" + HEAD + "E4|")
    assert [[n.pitch for n in score.notes] for score, _ in tunes] == [[60], [62], [64]]
    assert [remarks for _, remarks in tunes] == [[]] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no tune; expected lines X:1, K:C and notes"),
        ("CDEF", "no tune"),
        ("X:1\nM:4/4\n\n", "line 1: a tune without a key"),
        ("X:1\nK:H\nC", "line 2, place 1: key 'H'; expected a letter A to G"),
        ("X:1\nK:G#\nC", "key with 8 accidentals"),
        ("X:1\nM:4/5\nK:C\nC", "line 2, place 1: meter '4/5'; expected such as 6/8"),
        ("X:1\nL:0\nK:C\nC", "unit note length '0'"),
        ("X:1\nL:1/3000\nK:C\nC", "unit note length"),
        ("X:1\nQ:1/0=3\nK:C\nC", "tempo '1/0=3'"),
        ("X:1\nQ:1/4=0\nK:C\nC", "expected 1 to 10000 quarters"),
        ("X:1\nQ:fast 3\nK:C\nC", "tempo 'fast 3'; expected such as 1/4=120"),
        (HEAD + "CD\nC[K:X]", "line 6, place 2: key 'X'"),
        (HEAD + 'CD "Am C', 'line 5, place 4: " without "'),
        (HEAD + "C{d", "place 2: { without }"),
        (HEAD + "C[EG", "place 2: [ without ]"),
        (HEAD + "C[E8$G]", "'$' in a chord"),
        (HEAD + "[]", "a chord without notes"),
        (HEAD + "C^|", "^ without a note"),
        (HEAD + "C0", "the length 0"),
        (HEAD + "C/0", "the length /0"),
        (HEAD + "C99999", "the length 99999"),
        (HEAD + "C257", "the length 257; expected 1/1024 to 64 whole notes"),
        (HEAD + "C/////////////", "the length ////"),
        (HEAD + "c''''''", "MIDI's pitches 0 to 127"),
        (HEAD + "C,,,,,,", "MIDI's pitches 0 to 127"),
        (HEAD + "(99CC", "the tuplet (99"),
        (HEAD + "(0CC", "the tuplet (0"),
        (HEAD + "(3:99999CC", "the tuplet (3:99999"),
        (HEAD + ">C", "place 1: >; expected > or <"),
        (HEAD + "C><C", "place 2: ><"),
        (HEAD + "C>>>>C", ">>>>"),
        (HEAD + "|17C", "the ending 17; expected numbers 1 to 16"),
        (HEAD + "[0C", "the ending [0"),
        (HEAD + "C" + ":" * 20 + "|", "20 colons"),
        (HEAD + "Z1001|", "1001 bars of rest"),
        (HEAD + "[" + "C" * 70 + "]", "a chord of more than 64 notes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text, message):
    with pytest.raises(DataError) as raised:
        read_abc(text, "tune.abc")
    assert str(raised.value).startswith("tune.abc: ")
    assert message in str(raised.value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "body",
    [
        "C" * 20_001, "C256" * 1000, "|:" + "C|1-16D:|" * 900, "|:" * 5000 + "C" + ":|" * 5000,
        '"' * 200_001, "!" * 50_000, "{" * 200_000, "[K:" * 60_000, "[|" * 100_000,
        "C" + "1" * 200_000, "C|" + ",".join("1" * 50_000) + "D", "%" * 200_000,
        "[" + "C" * 200_000 + "]", "(" * 50_000, "z" * 19_000 + ":|", "C-" * 9000,
    ],
    ids=range(16),
)  # fmt: skip
def test_hostile_text_ends_soon_and_well(body, monkeypatch):
    for module in (abc_body, abc_play):
        monkeypatch.setattr(module, "MOST_NOTES", 20_000)
    try:
        [(score, _)] = read_abc(HEAD + body)
    except DataError as error:
        assert len(str(error)) < 200
    else:
        assert len(score.notes) <= 20_000


def written(rng, notes):
    """Return notes (pitch or None, length in sixteenths) as ABC in C, with ties."""
    said, at, sharp = [], 0, {}
    for pitch, length in notes:
        size = f"{length}/4" if length % 4 else f"{length // 4}"
        octave, step = divmod(pitch, 12) if pitch else (0, 0)
        letter = "CCDDEFFGGAAB"[step]
        raised = step in (1, 3, 6, 8, 10)
        mark = ("=", "^")[raised] if raised != sharp.get(letter, False) else ""
        if pitch:
            sharp[letter] = raised
        name = letter.lower() + "'" * (octave - 6) if octave > 5 else letter + "," * (5 - octave)
        if pitch is None:
            said.append("z" + size)
        elif length > 1 and rng.random() < 0.2:
            said.append(f"{mark}{name}1/4-{name}{length - 1}/4")
        else:
            said.append(mark + name + size)
        at += length
        if at % 16 == 0:
            said.append("|" if rng.random() < 0.9 else "||")
            sharp = {}
        said.append(" " * int(rng.integers(2)))
    return "".join(said)


def test_any_melody_that_is_written_is_read():
    rng = np.random.default_rng(5)
    for _ in range(60):
        notes, at = [], 0
        while at < 96:
            length = min(int(rng.integers(1, 9)), 16 - at % 16)
            pitch = None if rng.random() < 0.1 else int(rng.integers(24, 100))
            notes.append((pitch, length))
            at += length
        score = one(HEAD + written(rng, notes))
        starts = np.cumsum([0, *(length for _, length in notes)])
        expected = [
            (Fraction(int(start), 4), pitch, Fraction(length, 4))
            for start, (pitch, length) in zip(starts, notes, strict=False)
            if pitch is not None
        ]
        assert heard(score) == expected
        assert score.length == 48 * 6


def test_mutated_tunes_give_a_score_or_an_error_that_says_where():
    rng = np.random.default_rng(9)
    tune = (
        'X:1\nT:a\nM:6/8\nL:1/8\nQ:1/4=90\nK:Dmix ^g\n|:A|"D"d>ef (3efg {b}a-|a[FA]2 z!f!_B<c|'
        "1 d3- d2:|2 [M:9/8]D9||\n[K:G]Z2|G,,//c''3/2 [I:x]|]\n"
    )
    signs = list("ABCdefgz|:[]()<>^_=/,'-0123456789KMLQ\"{}!%&\n \\\x00é")
    for _ in range(400):
        text = list(tune)
        for _ in range(int(rng.integers(1, 6))):
            at = int(rng.integers(len(text)))
            kind = rng.integers(3)
            text[at : at + int(kind != 0)] = [] if kind == 1 else [signs[rng.integers(len(signs))]]
        try:
            tunes = read_abc("".join(text), "a.abc")
        except DataError as error:
            assert str(error).startswith("a.abc: ")
            assert "\n" not in str(error)
        else:
            assert all(isinstance(score, Score) for score, _ in tunes)
