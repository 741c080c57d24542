"""CR LF and CR become LF, however the text comes in pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.data.line_ends import LineEnds


def cut(text, places):
    """Return `text` in pieces, none of them empty."""
    edges = sorted({0, len(text), *(p % (len(text) + 1) for p in places)})
    return [text[a:b] for a, b in pairwise(edges)]


@given(st.text("ab\r\n\u2028", max_size=30), st.lists(st.integers(0, 100), max_size=8))
def test_pieces_make_no_difference(text, places):
    ends = LineEnds()
    found = list(ends.of(iter(cut(text, places))))
    assert "".join(found) == text.replace("\r\n", "\n").replace("\r", "\n") and all(found)
    assert ends.pairs == text.count("\r\n") and ends.pairs + ends.single == text.count("\r")
    assert "".join(LineEnds(keep=True).of(iter(cut(text, places)))) == text


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("a\nb", ""),
        ("a\rb\r" * 1000, "line ends read as LF: 2,000 CR (--keep_line_ends leaves them)"),
        ("a\r\nb\r", "line ends read as LF: 1 CR LF and 1 CR (--keep_line_ends leaves them)"),
    ],
)
def test_what_is_told(text, note):
    ends = LineEnds()
    list(ends.of(iter(text)))
    assert ends.note() == note
