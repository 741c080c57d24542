"""Figures, colours and the page of what a sample shares with the training text."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.analyse.overlap import STYLES, Piece, coloured, covering, level, overlaps, page
from char_rnn.data.vocabulary import code_points

TRAINING = "".join(chr(97 + (i * i + i // 7) % 26) + "\n" * (i % 50 == 49) for i in range(400))


def overlap_of(sample, training=TRAINING):
    return overlaps([("it", code_points(sample))], code_points(training))[0]


def test_passage_shares_and_lines():
    copied = TRAINING[110:160]  # 50 characters, which begin in the third line
    again = TRAINING[300:385]
    found = overlap_of("0" * 15 + copied + "1" * 35 + again + "2" * 15)
    assert found.characters == 200
    at, length, text, place, line = found.longest
    assert (at, length, text, place) == (100, 85, again, 300)
    assert line == 1 + TRAINING[:300].count("\n") == 6
    assert found.shares == {20: 135 / 200, 40: 135 / 200, 80: 85 / 200}
    assert found.covered[15:65].tolist() == [50] * 50
    assert found.pieces == [
        Piece("0" * 15, 0, -1, 0), Piece(copied, 50, 110, 3), Piece("1" * 35, 0, -1, 0),
        Piece(again, 85, 300, 6), Piece("2" * 15, 0, -1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [19, 20, 39, 40, 79, 80])
def test_floors_count_runs_of_just_that_length(size):
    found = overlap_of("#" + TRAINING[30 : 30 + size] + "#")
    reached = {floor: share > 0 for floor, share in found.shares.items()}
    assert reached == {20: size >= 20, 40: size >= 40, 80: size >= 80}
    assert level(size) == sum(reached.values())
    assert [piece.length for piece in found.pieces if piece.length] == [size] * (size >= 20)


def test_nothing_in_common_and_nothing_at_all():
    found = overlap_of("0123")
    assert found.longest is None and set(found.shares.values()) == {0.0}
    assert [piece.text for piece in found.pieces] == ["0123"]
    assert found.to_dict()["longest"] is None
    assert overlaps([], code_points(TRAINING)) == []
    nothing = overlap_of("")
    assert nothing.characters == 0 and nothing.pieces == [] and nothing.shares[20] == 0


def test_samples_do_not_flow_into_each_other():
    halves = [("one", TRAINING[:60]), ("one", TRAINING[60:100]), ("two", "-" + TRAINING[5:50])]
    training = TRAINING[:60] + "\0" + TRAINING[60:]
    found = overlaps([(name, code_points(text)) for name, text in halves], code_points(training))
    assert [o.longest[:2] for o in found] == [(0, 60), (0, 40), (1, 45)]
    for o in found:  # in one of the places where such a run begins
        at, length, text, place, _ = o.longest
        assert at + length == o.characters and training[place : place + length] == text
    assert json.loads(json.dumps(found[1].to_dict()))["shares"]["40"] == 1.0


def test_bytes():
    text = np.frombuffer("déjà vu, ".encode("latin-1") * 9, np.uint8)
    sample = np.concatenate([np.array([255, 0], np.uint8), text[4:40]])
    (found,) = overlaps([("bytes", sample)], text)
    assert found.longest[:2] == (2, 36) and "\ufffd" in found.longest.text
    assert sum(found.covered == 36) == 36


@given(st.lists(st.integers(0, 9), max_size=30))
def test_covering_takes_the_longest_run(drawn):
    # Lengths fall by at most one, as those of runs do, and end with the sample.
    lengths = []
    for i, length in enumerate(drawn):
        least = lengths[-1] - 1 if lengths else 0
        lengths.append(min(max(length, least), len(drawn) - i))
    lengths = np.array(lengths, np.int64)
    runs = covering(lengths)
    for c, run in enumerate(runs):
        over = [lengths[i] for i in range(c + 1) if i + lengths[i] > c]
        assert (run < 0) == (not over)
        if over:
            assert run <= c < run + lengths[run] and lengths[run] == max(over)


def test_colours_leave_newlines_alone_and_end_at_the_limit():
    pieces = [Piece("ab\ncd", 20, 0, 1), Piece("\nx", 0, -1, 0), Piece("yyyy", 90, 7, 2)]
    styled = [("ab", STYLES[0]), ("\n", ""), ("cd", STYLES[0]), ("\n", ""), ("x", "")]
    assert coloured(pieces, 9) == [*styled, ("yy", STYLES[2])]
    assert coloured(pieces, 6) == styled[:4]
    assert coloured(pieces, 100)[-1] == ("yyyy", STYLES[2])
    assert coloured([], 10) == []


def test_a_hostile_text_cannot_leave_the_page():
    text = '</script><script>alert("STYLE DATA")</script>\u2028&<!-- ' * 2
    found = overlaps([(text, code_points(text))], code_points("#" + text))
    made = page(text, text, found)
    assert made.count("<script") == 2 and made.count("</script") == 2 and "<!--" not in made
    body = json.loads(re.search(r'id="data">(.*?)</script>', made, re.S).group(1))
    assert body["title"] == body["training"] == body["samples"][0]["name"] == text
    assert body["samples"][0]["pieces"] == [[text, len(text), 1, 1, 3]]
    assert "http" not in made
