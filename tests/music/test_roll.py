"""Piano rolls: what stands where, in a picture and in plain characters."""

import re
from dataclasses import replace

import pytest

from char_rnn.errors import UsageError
from char_rnn.music.roll import LEFT, WIDTH, roll
from char_rnn.music.roll_text import ASCII, BLOCKS, roll_text, signs_for
from char_rnn.music.score import Change, Note, Score, Voice
from char_rnn.pictures.canvas import Path, Text

JIG = Score(
    tuple(Note(18 * k, 0, 60 + 2 * k % 12, 18, 20 + 10 * k) for k in range(8)),
    meters=(Change(0, (6, 8)),),
)
BAND = Score(
    (Note(0, 0, 48, 12), Note(0, 1, 36, 3), Note(12, 1, 38, 3, 127), Note(0, 2, 72, 60)),
    (Voice(33), Voice(drums=True), Voice(73, name="<b>Flute</b>\x1b")),
    length=96,
)


def texts(drawing):
    return [shape.text for shape in drawing.canvas().shapes if isinstance(shape, Text)]


def boxes(drawing, colour):
    """Return (left, top, right, bottom, opacity) of what is filled with a colour."""
    found = []
    for shape in drawing.canvas().shapes:
        if isinstance(shape, Path) and shape.fill == colour:
            x, y = zip(*shape.points, strict=True)
            found.append((min(x), min(y), max(x), max(y), shape.opacity))
    return found


def test_a_note_stands_at_its_time_and_pitch():
    drawn = roll([JIG], ["jig"])
    notes = boxes(drawn, "0")
    assert len(notes) == 8 and texts(drawn)[0] == "jig"
    assert [text for text in texts(drawn)[1:] if text.isdigit()] == ["1", "2", "3", "4"]
    step = (notes[1][0] - notes[0][0]) / 18
    for k, (left, top, right, bottom, opacity) in enumerate(notes):
        assert left == pytest.approx(LEFT + 18 * k * step, abs=0.5)
        assert 18 * step - 3 < right - left < 18 * step and 2 < bottom - top < 9
        # higher above lower, by as much as they differ
        each = (notes[0][1] - notes[1][1]) / 2
        assert each > 4
        assert notes[0][1] - top == pytest.approx((2 * k % 12) * each, abs=0.1)
        assert opacity == pytest.approx(0.3 + 0.7 * (20 + 10 * k) / 127)
    (c4,) = [shape for shape in drawn.canvas().shapes
             if isinstance(shape, Text) and shape.text == "C4"]  # fmt: skip
    assert notes[0][1] < c4.y < notes[0][3] + 4


def test_voices_have_colours_and_a_legend_and_drums_a_strip():
    drawn = roll([BAND], ["band"])
    said = texts(drawn)
    assert {"bass", "drums", "<b>Flute</b>\x1b", "kick", "snare", "C3", "C5"} <= set(said)
    # Each voice's mark in the legend, and its notes.
    assert [len(boxes(drawn, colour)) for colour in "0123"] == [2, 3, 2, 0]
    bass, (_, kick, snare) = boxes(drawn, "0")[1], boxes(drawn, "1")
    assert kick[1] > bass[3] and kick[1] > snare[1] and kick[0] < snare[0]
    one = texts(roll([replace(BAND, notes=BAND.notes[:1])], ["bass alone"]))
    assert "bass" not in one
    only = roll([Score((Note(0, 0, 42, 3),), (Voice(drums=True),))], ["hats"])
    assert "hat" in texts(only) and not any(re.fullmatch(r"C\d", text) for text in texts(only))
    svg = drawn.svg()
    assert "&lt;b&gt;Flute" in svg and "<b>" not in svg and "\x1b" not in svg
    many = Score(tuple(Note(0, v, 60, 12) for v in range(64)), (Voice(),) * 64)
    assert "and 52 more" in texts(roll([many], ["64 tracks"]))


def test_long_pieces_go_on_in_the_next_row_and_end_at_the_limit():
    long = Score(tuple(Note(48 * k, 0, 60, 72) for k in range(210)))
    drawn = roll([long, JIG], ["long\n" + "x" * 300, "jig"])
    assert "first 64 bars of 211" in drawn.title and drawn.title.endswith("; jig")
    assert texts(drawn)[0].endswith("…") and drawn.canvas().width == WIDTH
    numbers = [int(text) for text in texts(drawn) if text.isdigit()]
    assert numbers == [*range(1, 65), 1, 2, 3, 4]
    shapes = boxes(drawn, "0")
    assert all(LEFT <= left < right <= WIDTH for left, _, right, _, _ in shapes)
    # Every eighth note goes on in the next row.
    assert len(shapes) == 64 + 7 + 8
    tops = [shape.y for shape in drawn.canvas().shapes if isinstance(shape, Text)]
    assert max(tops) < drawn.canvas().height
    assert "first 64 bars" in drawn.chart() and roll([JIG], ["j"], 9).chart().count("10") == 1


@pytest.mark.parametrize("odd", [
    Score(()), Score((), length=500), Score((Note(0, 0, 127, 1), Note(1, 0, 0, 1))),
    Score((Note(0, 0, 60, 5000),)), Score((Note(5, 0, 60, 1),), steps=1),
    Score((Note(0, 0, 60, 1),), meters=(Change(0, (255, 1)),)),
    Score((Note(0, 0, 60, 40),), meters=(Change(0, (1, 128)),)),
])  # fmt: skip
def test_odd_pieces_are_drawn(odd):
    drawn = roll([odd], ["odd"])
    assert 20 < drawn.canvas().height < 20_000 and drawn.svg().startswith("<svg")
    assert "1" in roll_text(odd)


def test_a_roll_takes_a_name_for_each_score(tmp_path):
    for scores, names in (([], []), ([JIG], []), ([JIG], ["a", "b"])):
        with pytest.raises(UsageError, match="takes one of each"):
            roll(scores, names)
    with pytest.raises(UsageError, match=r"more than 32,000 pixels .* \(--bars A:B\)"):
        roll([JIG] * 300, ["jig"] * 300)
    roll([JIG], ["jig"]).save(tmp_path / "jig.svg")
    assert "jig" in (tmp_path / "jig.svg").read_text("utf-8")


def test_a_roll_is_saved_as_png(tmp_path):
    pytest.importorskip("matplotlib")
    roll([BAND], ["band"]).save(tmp_path / "band.png")
    data = (tmp_path / "band.png").read_bytes()
    assert data[:4] == b"\x89PNG" and int.from_bytes(data[16:20], "big") == 2 * WIDTH


TUNE = Score(
    (
        Note(0, 0, 60, 6), Note(6, 0, 61, 6), Note(12, 0, 62, 12), Note(24, 0, 60, 12),
        Note(36, 0, 60, 6), Note(42, 0, 64, 18), Note(60, 0, 59, 36),
    )
)  # fmt: skip


def test_a_roll_in_block_characters():
    assert (
        roll_text(TUNE)
        == """\
       1                2
    E4 │              ▄▄│▄▄▄▄            │
    D4 │    ▄▄▄▄        │                │
    C4 │▄▄▀▀·   ▄▄▄ ▄▄  │    ·   ·   ·   │
    B3 │                │    ▀▀▀▀▀▀▀▀▀▀▀▀│
"""
    )


def test_a_roll_in_ascii_with_drums_and_numbers():
    assert (
        roll_text(BAND, 42, ASCII, first=9)
        == """\
       9                10
    C5 |................|....            |
    B4 |                |                |
    A4 |                |                |
    G4 |                |                |
    E4 |                |                |
    D4 |                |                |
    C4 |                |                |
    B3 |                |                |
    A3 |                |                |
    G3 |                |                |
    E3 |                |                |
    D3 |                |                |
    C3 |....            |                |
 snare |    x           |                |
  kick |x               |                |
"""
    )
    assert all(char < "\x7f" for char in roll_text(TUNE, 78, ASCII))
    assert roll_text(Score((Note(0, 0, 60, 12), Note(0, 0, 61, 12))), 78, ASCII).count(":") == 2


def test_rows_fit_into_the_width():
    for width in (40, 78, 200):
        lines = roll_text(JIG, width).splitlines()
        assert max(map(len, lines)) <= width
    assert len(roll_text(JIG, 200).splitlines()) < len(roll_text(JIG, 30).splitlines())
    fine = replace(TUNE, notes=tuple(replace(n, start=2 * n.start + 1) for n in TUNE.notes))
    assert max(map(len, roll_text(fine, 20).splitlines())) == 8 + 16 + 1  # a bar is not cut


def test_signs_are_those_that_the_encoding_holds():
    assert signs_for("utf-8") == BLOCKS and signs_for("latin-1") == ASCII
    assert signs_for(None) == signs_for("no such") == signs_for("ascii") == ASCII
