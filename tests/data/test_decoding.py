"""Bytes as text: any encoding, in any pieces; what is none is told with its place."""

import codecs
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.data.decoding import decoded, likeliest, looks_like_text
from char_rnn.errors import NotText, UsageError
from char_rnn.text_config import TextConfig

ENCODINGS = ["utf-8", "utf-16", "utf-16-be", "utf-32", "utf-7", "cp1252", "shift_jis", "gb18030",
             "euc_kr", "iso2022_jp", "hz", "utf-8-sig", "big5", "cp037"]  # fmt: skip


def pieces(data, places):
    edges = sorted({0, len(data), *(p % (len(data) + 1) for p in places)})
    return iter([data[a:b] for a, b in pairwise(edges)])


@given(st.sampled_from(ENCODINGS), st.text(max_size=30), st.lists(st.integers(0, 200), max_size=6))
def test_any_encoding_in_any_pieces(encoding, text, places):
    data = text.replace("\0", "").encode(encoding, "ignore")
    expected = data.decode(encoding).removeprefix("\ufeff")
    if "\0" in data.decode(encoding):
        return
    found = list(decoded(pieces(data, places), "x", codecs.lookup(encoding).name))
    assert "".join(found) == expected and all(found)
    if not text.startswith("\ufeff"):
        assert looks_like_text(data, encoding)


@given(st.sampled_from(ENCODINGS), st.binary(max_size=40), st.lists(st.integers(0, 60), max_size=5))
def test_any_bytes_are_a_text_or_an_error_with_its_place(encoding, data, places):
    try:
        whole = data.decode(encoding)
    except UnicodeDecodeError as error:
        expected = error.start
    else:
        expected = None
    try:
        found = "".join(decoded(pieces(data, places), "x", codecs.lookup(encoding).name))
    except NotText as error:
        said = str(error)
        assert said.startswith("x: ") and said.isprintable()
        if "does not start with BOM" in said:  # all at once, Python takes it without its mark
            expected = 0
        # The last: of ISO-2022-JP, where Python says no more of the place than the piece.
        elsewhere = ("NUL", "half of a surrogate pair", "pending buffer overflow")
        if not any(what in said for what in elsewhere):
            assert f"at byte offset {expected} " in said
    else:
        assert expected is None and found == whole.removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("encoding", "bad"),
    [("hz", b"\xff"), ("iso2022_jp", b"\xff"), ("utf-7", b"\xff"), ("utf-16", b"\x00\xdc"),
     ("utf-32", b"\x00\x00\x11\x00")],
)  # fmt: skip
def test_the_place_of_an_error_after_a_mark_or_a_shift(encoding, bad):
    begin = "a日本b".encode(encoding)
    for cuts in combinations(range(len(begin + bad)), 2):
        with pytest.raises(NotText, match=f"at byte offset {len(begin)} "):
            list(decoded(pieces(begin + bad, cuts), "x", encoding))


def test_what_a_decoder_holds_back_counts():
    for pieces in ([b"\xc3", b"\xa9", b"\xff"], [b"\xc3", b"\xa9\xff"], [b"\xc3\xa9", b"\xff"]):
        with pytest.raises(NotText, match="at byte offset 2 "):
            list(decoded(iter(pieces), "x"))
    with pytest.raises(NotText, match="NUL byte at byte offset 3,"):
        list(decoded(iter([b"a\xc3", b"\xa9", b"\0"]), "x"))


def test_half_of_a_pair_and_endless_sequences():
    with pytest.raises(NotText, match=r"half of a surrogate pair, '\\ud800'"):
        list(decoded(iter([b"ab +2AA-"]), "x", "utf-7"))
    with pytest.raises(NotText, match="illegal UTF-16 surrogate"):
        list(decoded(iter([b"\x00\xd8a\x00"]), "x", "utf-16-le"))
    with pytest.raises(NotText, match="without an end"):
        list(decoded(iter([b"+" + b"AGEAYQBh" * 90_000] * 3), "x", "utf-7"))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("café\n" * 50, "cp1252"),
        ("Der König fährt über die Straße. " * 20, "cp1252"),
        ("“Quoted” — here’s one. " * 20, "cp1252"),
        ("Привет, как дела? Это русский текст. " * 20, "cp1251"),
        ("これは日本語の文章です。" * 20, "cp932"),
        ("这是一个中文的句子。" * 20, "gb18030"),
    ],
)
def test_the_likeliest_encoding(text, encoding):
    data = text.encode(encoding)
    assert likeliest(data) == encoding
    with pytest.raises(NotText, match=rf"it looks like {encoding} \(--encoding {encoding}\)"):
        list(decoded(iter([data]), "x"))
    assert "".join(decoded(iter([data]), "x", encoding)) == text


def test_nothing_is_likely_of_noise():
    with pytest.raises(NotText) as error:
        list(decoded(iter([bytes(range(128, 256)) * 9]), "x"))
    assert "--bytes" in str(error.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cp152", "unknown encoding 'cp152' (did you mean 'cp1252'?)"),
        ("no such \0", "unknown encoding"), ("../os", "unknown encoding"), ("ä" * 5000, "unknown"),
        ("hex", "'hex' is not one of texts"), ("zlib", "'zlib' is not"), ("rot13", "is not one of"),
        ("idna", "is not one of"), ("undefined", "is not"), ("unicode_escape", "is not"),
        ("punycode", "is not one of texts"), ("base64", "is not one of texts"),
    ],
)  # fmt: skip
def test_names_of_encodings(name, said):
    with pytest.raises(UsageError) as error:
        TextConfig(encoding=name)
    assert said in str(error.value) and len(str(error.value)) < 300
    assert TextConfig(encoding="Latin 1").encoding == TextConfig(encoding="l1").encoding


def test_a_name_is_kept_as_python_has_it():
    assert TextConfig(encoding="CP-1252".replace("-", "")).encoding == "cp1252"
    assert TextConfig(encoding="utf8").encoding == "utf-8"
