"""Features of characters: what they are on texts made by hand, and that none looks ahead."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.analyse.features import FEATURES, Feature

BY_NAME = {feature.name: feature for feature in FEATURES}

PLAY = """\
First Lord:
Is it? No,
don't.

KING: (x [y])
"ab" """
CODE = """\
x = 'a' + f"b\\"c" # no 'x
y='' + '''a'b
c''' + don't 'open
b
"""


def shown(name, text):
    """Return a sign for each character: a digit, a dot for nothing; line ends as they are."""
    values = BY_NAME[name].values(text)
    assert values.shape == (len(text),)
    signs = (str(int(v))[-1] if v else "." for v in values)
    return "".join("\n" if c == "\n" and s == "." else s for c, s in zip(text, signs, strict=True))


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("upper case", ["1.....1....", "1......1..", "......", "", "1111.........", "....."]),
        ("vowel", [".1.....1...", "1..1....1.", ".1....", "", ".1...........", ".1..."]),
        ("in a word", ["11111.1111.", "11.11..11.", "11111.", "", "1111...1..1..", ".11.."]),
        ("first letter", ["1.....1....", "1..1...1..", "1.....", "", "1......1..1..", ".1..."]),
        ("proper noun", ["11111.1111.", "11.....11.", "......", "", "1111.........", "....."]),
        ("place in word", ["12345.1234.", "12.12..12.", "12345.", "", "1234...1..1..", ".12.."]),
        ("speaker's name", ["1111111111.", "..........", "......", "", "1111.........", "....."]),
        ("in quotes", ["...........", "..........", "......", "", ".............", "111.."]),
        ("in brackets", ["...........", "..........", "......", "", "......111111.", "....."]),
        ("bracket depth", ["...........", "..........", "......", "", "......111221.", "....."]),
    ],
)  # fmt: skip
def test_features_of_a_play(name, lines):
    assert shown(name, PLAY) == "\n".join(lines)


def test_features_that_last():
    """They are so at line ends, too."""
    places = BY_NAME["place in line"].values("ab\n\nc\td\n").tolist()
    assert places == [1, 2, 0, 0, 1, 2, 3, 0]
    late = BY_NAME["late in line"].values("x" * 31 + "\nx")
    assert np.flatnonzero(late).tolist() == [29, 30]
    lines = BY_NAME["since empty line"].values("a\nb\n\n\nc\nd")
    assert lines.tolist() == [0, 1, 1, 2, 0, 0, 0, 1, 1]
    assert BY_NAME["indentation"].values(" \ta b\n  c\n\n d").tolist() == [
        1, 5, 5, 5, 5, 0, 1, 2, 2, 0, 0, 1, 1,
    ]  # fmt: skip
    begins = BY_NAME["sentence begins"].values('"Oh? No!\n\nThe a')
    assert begins.tolist() == [1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0]
    since = BY_NAME["since sentence"].values("Oh! a b.c")
    assert since.tolist() == [1, 2, 0, 0, 1, 2, 3, 0, 1]


def test_the_first_of_a_speech_is_from_the_colon_to_the_end_of_the_next_words():
    speech = BY_NAME["first of speech"]
    text = "KING LEAR:\nWhat ho\nfirst\n\nNurse: Sir\nno\n\na b: c\n"
    found = "".join(c for c, there in zip(text, speech.values(text), strict=True) if there)
    assert found == ":\nWhat ho: Sir"
    assert not speech.values("\n\n" + "A" * 60 + ":\nb").any()  # too long for a name


def test_features_of_code():
    """The line end within three marks is of the string; two marks are a string of nothing."""
    string = [*"....11.....11111.........\n", *"..1....1.11111", *"111..........11111\n.\n"]
    assert shown("in a string", CODE) == "".join(string)
    comment = "..................1111111\n.............\n..................\n.\n"
    assert shown("in a comment", CODE) == comment


@given(st.text(alphabet="aB'\"#\\\n :.([)]\tr", max_size=14), st.data())
def test_no_feature_looks_ahead(text, data):
    cut = data.draw(st.integers(0, len(text)))
    for feature in FEATURES:
        whole, begun = feature.values(text), feature.values(text[:cut])
        np.testing.assert_array_equal(whole[:cut], begun, err_msg=feature.name)


def test_each_feature_has_a_name_of_its_own_and_says_what_it_is():
    assert len(BY_NAME) == len(FEATURES)
    for feature in FEATURES:
        assert feature.name and feature.says and len(feature.name) <= 16
        values = feature.values("(a 'B')\n")
        assert feature.numeric or set(values.tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("numeric", [False, True])
def test_what_hardly_occurs_is_told(numeric):
    feature = Feature("b", "the character is b", lambda text: (c == "b" for c in text), numeric)

    def occurs(text):
        return feature.occurs(feature.values(text))

    assert occurs("aaabbb" * 17) and occurs("bbb" + "aaabbb" * 17)
    assert not occurs("aaaabbb" * 16)  # 48 of them
    assert not occurs("bbbba" + "bbbbb" * 30 + "ab" * 40)  # 41 without it
    assert not occurs("a" * 100 + ("b" * 60 + "a" * 60) * 7)  # 7 stretches
    assert occurs("a" * 100 + ("b" * 60 + "a" * 60) * 8)
    assert not occurs("a" * 500)


def test_a_number_may_have_many_values_of_which_none_is_common():
    place = BY_NAME["place in line"]
    assert place.occurs(place.values(("x" * 59 + "\n") * 10))
    assert not place.occurs(place.values("\n" * 600 + "x" * 40))
