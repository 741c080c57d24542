"""A text coloured by a unit: on a terminal, in plain characters, and the data of its page."""

import base64
import json
import re

import numpy as np
import pytest

from char_rnn.analyse.features import FEATURES
from char_rnn.analyse.neuron_view import bounds, coloured, legend, page, part, plain, to_see, view
from char_rnn.analyse.neurons import Follower, Unit

HOSTILE = "</script><script>alert(1)</script>\u2028&<!-- \x1b[31m\u202e DATA\nneurons.js\n"
PLACE, LATE = (f for f in FEATURES if f.name in ("place in line", "late in line"))


def follower(layer, kind, number, feature=LATE, score=0.9):
    other = (0.5, 0.5, 0.6)
    return Follower(feature, Unit(layer, kind, number), -1, 0.95, (score,) * 3, other, other)


def inside_of(N, units=6, seed=0):
    rng = np.random.default_rng(seed)
    h = np.tanh(rng.standard_normal((N, 2, units)) * np.linspace(0.1, 1, units))
    return {"h": h, "c": 3 * h, "i": rng.random((N, 2, units))}


def unpacked(data, name, dtype="<u4"):
    return np.frombuffer(base64.b64decode(data[name]), dtype)


def data_of(made):
    return json.loads(re.search(r'type="application/json">(.*?)</script>', made, re.S).group(1))


def test_colours_from_blue_to_orange():
    pieces = coloured("abcdef\ng", np.array([-1, -0.5, 0, 0.05, 0.5, 1, 1, 9]))
    assert "".join(text for text, _ in pieces) == "abcdef\ng"
    style = dict(pieces)
    assert style["cd"] == style["\n"] == "" and style["f"] == style["g"] != style["e"]

    def rgb(text):
        return [int(v) for v in re.findall(r"\d+", style[text])]

    for text, high in (("f", 0), ("e", 0), ("a", 2), ("b", 2)):
        assert rgb(text)[high] == max(rgb(text)) > rgb(text)[2 - high]
    assert sum(rgb("a")) < sum(rgb("b")) and sum(rgb("f")) < sum(rgb("e"))
    gate = coloured("ab", np.array([0.0, 1.0]), 0, 1)
    assert [s for _, s in gate] == [style["a"], style["f"]]
    shown = legend(0, 1)
    assert shown[0][0] == "0.0 " and shown[-1][0] == " 1.0\n" and shown[1][1] == style["a"]


def test_plain_characters_below_each_line():
    values = np.array([-1, -0.5, 0, 0.5, 1, 1, 1, 1, 0.5, 0.5])
    assert plain("abcde\n\nfgh", values) == "abcde\n=- +#\n\nfgh\n#++\n"
    assert plain("abcde", values[:5], width=3) == "abc\n=-\nde\n+#\n"
    assert plain("a\tb", np.array([0.0, 0.5, 1.0]), 0, 1) == "a b\n= #\n"


def test_what_values_can_be():
    positive = np.array([0.0, 0.4])
    assert bounds("i", positive) == (0, 1) and bounds("h", positive) == (-1, 1)
    assert bounds("g", -positive) == (-1, 1) and bounds("c", np.array([-0.1, 2.5])) == (-2.5, 2.5)
    inside = inside_of(3)
    seen = to_see(inside)
    np.testing.assert_array_equal(seen["c"], np.tanh(inside["c"]))
    assert seen["h"] is inside["h"] and seen["i"] is inside["i"] and list(seen) == list(inside)


def test_the_data_of_the_page():
    text, inside = "ab\ncd", inside_of(5)
    found = [follower(2, "i", 1), follower(1, "h", 3, PLACE)]
    data = view("About.", text, inside, found, room=5 * 3 * 4, first=Unit(1, "c", 2))
    assert "".join(map(chr, unpacked(data, "text"))) == text and data["about"] == "About."
    # The one asked for, those that follow something, then what moves most, layer by layer.
    moves_most = 1 + int(inside["h"][:, 0].std(axis=0).argmax())
    assert data["units"] == [(1, 2), (2, 1), (1, 3), (1, moves_most)] and data["first"] == [0, 1]
    most = np.abs(inside["c"]).max()
    assert [(k["name"], k["low"], k["high"]) for k in data["kinds"]] == [
        ("h", -1, 1), ("c", -most, most), ("i", 0, 1)
    ]  # fmt: skip
    values = unpacked(data, "values", "u1").reshape(4, 3, 5) / 255
    for k, (layer, number) in enumerate(data["units"]):
        for j, kind in enumerate(data["kinds"]):
            told = kind["low"] + values[k, j] * (kind["high"] - kind["low"])
            real = inside[kind["name"]][:, layer - 1, number - 1]
            np.testing.assert_allclose(told, real, atol=(kind["high"] - kind["low"]) / 500)
    assert set(data["saturated"]) == {"i"}
    gate = inside["i"][:, 1, 0]
    assert data["saturated"]["i"][1] == pytest.approx([(gate < 0.1).mean(), (gate > 0.9).mean()])
    late, place = data["found"]
    assert late["name"] == "late in line" and late["at"] == [1, 2] and late["score"] == "0.90"
    assert late["unit"] == "2:i:1" and late["sign"] == -1 and "area" in late["measure"]
    assert place["at"] == [2, 0] and place["measure"] == "correlation"


def test_a_page_has_as_many_units_as_it_has_room_for():
    inside = inside_of(1000, units=300)
    data = view("", "a" * 1000, inside, [follower(1, "h", 9)])
    assert data["units"][0] == (1, 9) and len(data["units"]) == 33
    assert len(part(data)) < 160_000
    whole = view("", "a" * 1000, inside, [], room=10**7)
    assert len(whole["units"]) == len(set(whole["units"])) == 600 and whole["found"] == []
    assert len(page(whole)) < 2_500_000


@pytest.mark.parametrize("made_of", [page, part])
def test_a_hostile_text_cannot_leave_the_page(made_of):
    inside = inside_of(len(HOSTILE))
    made = made_of(view(HOSTILE, HOSTILE, inside, [follower(1, "h", 1)]))
    assert made.count("<script") == made.count("</script") == 2 and "<!--" not in made
    assert "http" not in made and "\x1b" not in made and "\u202e" not in made
    data = data_of(made)
    assert data["about"] == HOSTILE
    assert "".join(map(chr, unpacked(data, "text"))) == HOSTILE
    lone = view("", "\ud83d\ude00", inside_of(2), [])  # two that one string would make one of
    assert unpacked(data_of(part(lone)), "text").tolist() == [0xD83D, 0xDE00]
