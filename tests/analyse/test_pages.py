"""The data of the pages, and that no text can leave it; tests/test_browser.py looks at them."""

import base64
import json
import re

import numpy as np
import pytest

from char_rnn.analyse.surprise import Expected, page

HOSTILE = '</script><script>alert("STYLE DATA SCRIPT")</script>\u2028&<!-- \x1b[31m\u202e'


def data_of(made):
    return json.loads(re.search(r'id="data">(.*?)</script>', made, re.S).group(1))


def unpacked(data, name, dtype="<u2"):
    return np.frombuffer(base64.b64decode(data[name]), dtype)


def text_of(data):
    index = "<u4" if data["wide"] else "<u2"
    codes = unpacked(data, "codes", "<u4")
    return "".join(chr(codes[i]) for i in unpacked(data, "text", index))


def test_a_hostile_text_cannot_leave_the_page():
    chars = sorted(set(HOSTILE))
    ids = np.array([chars.index(c) for c in HOSTILE])
    N = len(ids)
    expected = Expected(np.ones(N), np.zeros((N, 1), np.uint32), np.full((N, 1), 0.5))
    made = page(HOSTILE, chars, ids, expected, 1.0)
    assert made.count("<script") == 2 and made.count("</script") == 2 and "<!--" not in made
    assert "http" not in made and "alert" in made and "\x1b" not in made
    data = data_of(made)
    assert data["title"] == HOSTILE and text_of(data) == HOSTILE


def test_the_data_of_a_page():
    chars = ["a", "b", "\ud800", "\udc00", "🎉"]  # two that one string would make one of
    ids = np.array([4, 2, 3, 0], np.uint8)
    likely = np.array([[0, 1], [4, 3], [1, 0], [2, 0]], np.uint32)
    shares = np.array([[0.5, 0.25], [0.99, 0.00004], [0.3, 0.2], [1.0, 0.0]], np.float32)
    data = data_of(
        page("t", chars, ids, Expected(np.array([0, 0.1234, 9, 0.5]), likely, shares), 2)
    )
    assert text_of(data) == "🎉\ud800\udc00a" and data["loss"] == 2
    np.testing.assert_allclose(unpacked(data, "nats") * data["step"], [0, 0.123, 9, 0.5])
    assert unpacked(data, "shares").tolist() == [5000, 2500, 9900, 0, 3000, 2000, 10_000, 0]
    codes = unpacked(data, "codes", "<u4").tolist()
    assert codes == sorted(map(ord, chars))
    none = len(codes)
    shown = [codes[i] if i < none else None for i in unpacked(data, "likely")]
    a, b, low, _, party = map(ord, chars)
    assert shown == [a, b, party, None, b, a, low, None]
    assert data["ticks"][0] == data["calm"] and data["ticks"][-1] == data["wild"]
    assert len(data["ticks"]) > 2


def test_surprise_beyond_the_steps_is_not_cut():
    nats = np.array([0.0, 700.0])
    expected = Expected(nats, np.zeros((2, 1), np.uint32), np.ones((2, 1), np.float32))
    data = data_of(page("t", ["a"], np.zeros(2, np.uint8), expected, 1.0))
    np.testing.assert_allclose(unpacked(data, "nats") * data["step"], nats)


@pytest.mark.parametrize(("V", "wide"), [(8_000, False), (65_000, False), (150_000, True)])
def test_a_page_of_50_000_characters_is_small(V, wide):
    rng = np.random.default_rng(0)
    N = 50_000
    chars = [chr(0x3000 + i) for i in range(V)]
    shares = -np.sort(-rng.dirichlet(np.ones(8), N)[:, :5], axis=1)
    if wide:
        shares[:] = 1 / V  # so many that none of them is likely
    ids = rng.permutation(V)[:N] if V > N else rng.integers(V, size=N)
    expected = Expected(rng.exponential(8, N), rng.integers(V, size=(N, 5)), shares)
    made = page("t", chars, ids, expected, 8.0)
    assert len(made) < 2_000_000
    assert text_of(data_of(made)) == "".join(chars[i] for i in ids)


def test_an_empty_page():
    nothing = Expected(np.zeros(0), np.zeros((0, 5), np.uint32), np.zeros((0, 5), np.float32))
    assert text_of(data_of(page("t", ["a"], np.zeros(0, np.uint8), nothing, 0.0))) == ""
