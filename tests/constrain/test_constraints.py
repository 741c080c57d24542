"""Constraints on text: met by whatever model, with whatever RNG seed."""

import builtins
import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from char_rnn import ByteVocabulary, CharRNN, SampleConfig, Vocabulary
from char_rnn.constrain.base import Characters
from char_rnn.constrain.guard import make_guard
from char_rnn.constrain.letters import letters_of
from char_rnn.constrain.rewind import ConstrainedIds
from char_rnn.data.copies import CopyIndex
from char_rnn.errors import ConstraintNotMet, MissingExtra, UsageError
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.generate.sampler import after_reading

PRINTED = "".join(map(chr, range(32, 127))) + "\nÄäöüß€"
CELLS = [("rnn", 1), ("gru", 2), ("lstm", 1)]
seeds = st.integers(0, 2**32 - 1)


@cache
def untrained(cell="gru", layers=1, kind="characters"):
    vocabulary = ByteVocabulary() if kind == "bytes" else Vocabulary(PRINTED)
    rng = np.random.default_rng(len(cell) + layers)
    made = CharRNN(vocabulary.size, 8, cell, layers, rng=rng, vocabulary=vocabulary, init="uniform")
    made.parameters["out.weight"] *= 20  # so that what is drawn depends on what stands before
    return made


@cache
def shipped():
    return CharRNN.load("shakespeare")


any_model = st.builds(
    lambda cell, kind: untrained(*cell, kind),
    st.sampled_from(CELLS),
    st.sampled_from(["characters", "bytes"]),
)


def run(model, rng_seed=0, before="\n", copies=None, temperature=1.0, **asked):
    """Return the ConstrainedIds that write after the text `before`."""
    config = SampleConfig(temperature=temperature, **asked)
    vocabulary = model.vocabulary
    ids = vocabulary.encode(before)
    guard = make_guard(config, vocabulary, config.length, copies)
    stepper = after_reading(model.parameters, [ids])
    chooser = Chooser(
        config, vocabulary.size, 1, np.random.default_rng(rng_seed),
        bias_amounts(config, vocabulary),
    )  # fmt: skip
    return ConstrainedIds(stepper, ids, config.length, chooser, guard, config.effort)


def text_of(model, rng_seed=0, before="\n", copies=None, temperature=1.0, **asked):
    ids = np.array(list(run(model, rng_seed, before, copies, temperature, **asked)), int)
    assert len(ids) <= asked["length"]
    if isinstance(model.vocabulary, ByteVocabulary):
        return model.vocabulary.decode_bytes(ids).decode("utf-8")  # strictly: it must be UTF-8
    return model.vocabulary.decode(ids)


# Regular expressions.

PATTERNS = [
    r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?",
    r"(yes|no|maybe)",
    r"[A-Z][a-z]+(, [A-Z][a-z]+)*\.",
    r"(?:ab|c(?:de)*){2,5}",
    r"[^a-z\n]{3,9}x?",
    r"a*b*",
    r".*Ende",
    r"\w+\s\d+[.!?]",
    r"[]{}^-]+\.",
    r"(ä|ö|€){1,4}ß",
    r"x{}{2,}y",
    r"^(?i:king)\W*$",
    r"(?s:.){5,60}",
    r"z?",
]


@given(any_model, st.sampled_from(PATTERNS), seeds, st.integers(8, 40))
@settings(max_examples=70, deadline=None)
def test_the_output_always_matches(model, pattern, rng_seed, length):
    assert re.fullmatch(pattern, text_of(model, rng_seed, regex=pattern, length=length), re.ASCII)


@pytest.mark.parametrize(
    "pattern",
    [r"[A-Z]{3,8}:\n([a-z]+ ){2,6}[a-z]+\.", r"(yes|no|maybe)", r"3{3}-3{2}", r".*the end"],
)
def test_the_shipped_model_matches_too(pattern):
    assert re.fullmatch(pattern, text_of(shipped(), regex=pattern, length=60))


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("[a", "is not a regular expression: unterminated"),
        ("a(?=b)", r"not supported here: '\(\?=b'"),
        (r"(a)\1", "Group references"),
        (r"\bking", "not supported"),
        ("a$b", "not supported"),
        ("a++", "possessive"),
        (r"[^\W\D]", "several of"),
        ("a{1000000}", "up to 1,000,000 characters .* at most 100,000"),
        ("((a|xy){300}){400}", "up to 360,000 characters"),
        ("(" + "(a|x)y{2}" * 200 + "){0,99999}", "at most 100,000"),
        ("[ -\U0010ffff]", "a range of more than"),
        ("".join(f"[{chr(a)}-{chr(a + 24_000)}]" for a in range(4096, 4105)), "of more than 200"),
        ("a" * 2001, "2,001 characters"),
        ("(" * 500 + "a" + ")" * 500, "500|recursion"),
        (r"[^\x00-\x7f]x[a-y]{3}&&", "characters that the model does not know.*'&'"),
        ("a{41}", "less than 41 characters, and the length is 40"),
        ("[]", "is not a regular expression"),
    ],
)
def test_patterns_that_cannot_be_met(pattern, says):
    model = CharRNN(4, 4, vocabulary=Vocabulary("axyé"))
    with pytest.raises(UsageError, match=says):
        run(model, before="x", regex=pattern, length=40)


def test_what_may_stop_or_go_on_stops_when_the_model_wants_something_else():
    model = CharRNN(3, 4, "rnn", vocabulary=Vocabulary("ab\n"))
    model.parameters.flat[:] = 0
    model.parameters["out.bias"] = model.vocabulary.encode("\nab") == model.vocabulary.encode("a")
    assert text_of(model, regex="a+", length=9, temperature=0) == "a" * 9
    assert text_of(model, regex="b+", length=9, temperature=0) == "b"
    lengths = [len(text_of(model, k, regex="a+", length=90)) for k in range(200)]
    # p(a) = e/(e + 2): the mean of that geometric distribution is 1/(1 − p).
    assert abs(np.mean(lengths) - (np.e + 2) / 2) < 0.4


def test_without_interegular(monkeypatch):
    usual = builtins.__import__

    def absent(name, *args, **kwargs):
        if name.startswith("interegular"):
            raise ImportError(name)
        return usual(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtra, match=r"pip install 'char-rnn\[constraints\]'"):
        run(untrained(), regex="a", length=5)


# Words.

WORDS = ["king", "king's", "my lord", "für", "ab", "a", "crown", "Ägypten"]


def holds(word, text):
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)


@given(
    any_model, st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), seeds,
    st.sampled_from(["\n", "Kö", "it's '"]), st.integers(0, 60), st.booleans(),
)  # fmt: skip
@settings(max_examples=70, deadline=None)
def test_words_always_occur_as_whole_words(model, words, rng_seed, before, spare, greedy):
    cost = sum(len(word.encode()) + 1 for word in set(words))
    text = text_of(
        model, rng_seed, before, words=tuple(words), length=cost + spare,
        temperature=0 if greedy else 1,
    )  # fmt: skip
    assert all(holds(word, before + text) for word in words)
    assert all(holds(word, text) for word in words)


def test_a_word_begins_where_the_text_before_lets_it():
    assert text_of(untrained(), before="\n", words=("king",), length=4) == "king"
    assert text_of(untrained(), before="", words=("king",), length=4) == "king"
    with pytest.raises(UsageError, match="words needs at least 5 characters"):
        run(untrained(), before="Kö", words=("king",), length=4)


def test_words_are_spread_and_begin_after_a_space():
    words = ("king", "crown", "battle")
    text = text_of(shipped(), words=words, length=240)
    at = sorted(holds(word, text).start() for word in words)
    for k, place in enumerate(at):
        assert place < 240 * (k + 1) / 4 + 40  # the next word boundary is not far
    assert all(text[holds(word, text).start() - 1].isspace() for word in words)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"words": ("zebra",), "length": 4}, "words needs at least 5 characters.*room for 4"),
        ({"words": ("été",), "length": 40}, "'été'"),
        ({"words": ("king",), "length": 40, "forbid": "k"}, "'king'"),
        ({"words": ("king",), "length": 40, "regex": "[a-z]{2}"}, "room for 2"),
        ({"words": ("king",), "length": 40, "stop": ("x",)}, "would cut off"),
        ({"max_copy": 5, "length": 40}, "needs the training text"),
    ],
)
def test_words_and_others_that_cannot_be_met(asked, says):
    with pytest.raises(UsageError, match=says):
        run(untrained(), **asked)


def test_words_need_something_between_them():
    with pytest.raises(UsageError, match="letters alone"):
        run(CharRNN(2, 4, vocabulary=Vocabulary("ab")), before="a", words=("ab",), length=9)


# Brackets and quotes.


def unclosed(text):
    """Return what is open at the end of `text`; fail where something closes that is not open."""
    opened = []
    for char in text:
        if char == '"':
            opened.pop() if opened[-1:] == ['"'] else opened.append('"')
            assert opened.count('"') <= 1
        elif char in "([{":
            opened.append(char)
        elif char in ")]}":
            assert opened.pop() == {")": "(", "]": "[", "}": "{"}[char]
    return opened


@given(any_model, seeds, st.sampled_from(["\n", 'say "(', "(a) [b"]), st.integers(2, 50))
@settings(max_examples=40, deadline=None)
def test_brackets_and_quotes_always_close(model, rng_seed, before, length):
    many = tuple((char, 3.0) for char in '()[]{}"')
    text = text_of(model, rng_seed, before, close=True, length=length, bias=many)
    assert unclosed(before + text) == []


def test_what_cannot_be_closed_is_not_opened():
    model = CharRNN(4, 4, vocabulary=Vocabulary("(a\n["))
    assert set(text_of(model, close=True, length=30)) <= {"a", "\n"}
    with pytest.raises(UsageError, match="close needs at least 3"):
        run(untrained(), before="(([", close=True, length=2)


# Several together, and copies.


@given(any_model, seeds)
@settings(max_examples=12, deadline=None)
def test_several_together(model, rng_seed):
    pattern = r'[a-zA-Z ()".äöüß]+\.'
    text = text_of(
        model, rng_seed, regex=pattern, words=("king", "für"), close=True, length=60,
        bias=(("(", 2.0), ('"', 2.0)),
    )  # fmt: skip
    assert re.fullmatch(pattern, text)
    assert holds("king", text)
    assert holds("für", text)
    assert unclosed(text) == []


def test_contradictions_end_with_an_error():
    with pytest.raises(ConstraintNotMet, match="regex and words could not be met: the effort"):
        text_of(untrained(), regex="[0-9 ]{8}", words=("king",), length=20, effort=3000)
    with pytest.raises(ConstraintNotMet, match="no text meets all of it"):
        text_of(untrained(), regex="[ab]{4}", words=("king",), length=4)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_no_run_is_copied(n):
    source = "the king and the crown and the lords of the land\n" * 3
    model = CharRNN(23, 8, vocabulary=Vocabulary(source + "xyzüq"), rng=np.random.default_rng(0))
    copies = CopyIndex(model.vocabulary.encode(source), n)
    text = text_of(model, 1, "\nthe ki", copies, max_copy=n, length=80)
    assert len(text) == 80
    whole = "\nthe ki" + text
    ends = range(len("\nthe ki") + 1, len(whole) + 1)
    assert not any(whole[end - n : end] in source for end in ends)


def test_the_same_seed_gives_the_same_text():
    asked = {"regex": r"[a-z (]+\)\.", "close": True, "words": ("king",), "length": 50}
    texts = [text_of(untrained(), k, **asked) for k in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_nothing_asked_needs_no_guard():
    assert make_guard(SampleConfig(), Vocabulary("ab"), 10) is None


# Sets of characters as masks over bytes.

some = st.frozensets(st.sampled_from("aàáâ߀€\ud800￿𐀀\U0010ffff") | st.characters(), max_size=80)


@given(some, some, st.integers(0, 4), st.characters(exclude_categories=["Cs"]))
@settings(deadline=None)
def test_masks_over_bytes_lead_to_the_characters_of_the_set(chosen, others, most, char):
    letters = letters_of(ByteVocabulary())
    chosen = frozenset(c for c in chosen if letters.ids(c))
    characters = Characters(chosen, chosen | others, most)
    for one in {char, *chosen, *others}:
        if letters.ids(one):
            data = one.encode()
            way = [letters.mask(characters, data[:k])[byte] for k, byte in enumerate(data)]
            assert all(way) == characters.holds(one, len(data))


def test_a_mask_never_leads_astray():
    """Where all characters that go on from some bytes are left out, so are the bytes."""
    letters = letters_of(ByteVocabulary())
    cyrillic = frozenset(map(chr, range(0x400, 0x440)))  # all that begin with D0
    mask = letters.mask(Characters(frozenset(), cyrillic, 4), b"")
    assert not mask[0xD0]
    assert mask[0xD1]
    assert not mask[0x80:0xC2].any()
    assert not mask[0xF5:].any()


def test_a_training_text_may_hold_what_the_model_cannot_write():
    class Index:
        def followers(self, context):
            return np.array([0, 4])  # 4 stands for characters that are not in the vocabulary

    vocabulary = Vocabulary("abc\n")
    guard = make_guard(SampleConfig(max_copy=2), vocabulary, 9, Index())
    choices = guard.choices(guard.begin(np.array([1]), 9), 9)
    assert choices.allowed[-1].tolist() == [False, True, True, True]
