"""Regular expressions as automata that count: what they accept, how long it is, never stuck."""

import gc
import random
import re
from itertools import product

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from traced import traced

from char_rnn import ByteVocabulary, Vocabulary
from char_rnn.cli.main import cli
from char_rnn.constrain import automaton
from char_rnn.constrain.automaton import Configuration
from char_rnn.constrain.counts import Counter, Counters
from char_rnn.constrain.letters import letters_of
from char_rnn.constrain.pattern import parse
from char_rnn.constrain.regular import Regular
from char_rnn.constrain.terms import Class, Repetition
from char_rnn.errors import UsageError


def regular(pattern, vocabulary=None, length=1 << 30):
    return Regular(pattern, letters_of(vocabulary or ByteVocabulary()), length)


def read(constraint, text):
    """Return the state after `text`, None where it is stuck."""
    state = constraint.begin("")
    for char in text:
        if not constraint.allowed(state, 1 << 30).holds(char, len(char.encode())):
            return None
        state = constraint.advance(state, char)
    return state


def accepts(constraint, text):
    state = read(constraint, text)
    return state is not None and constraint.met(state)


# What is accepted.

PIECES = [
    *"ab1-]^{}[,.|?*+()$\\é", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[a", "[^", "[]", "[^]",
    "(?:", "(?i)", "(?s:", "(?i:", "(?-i:", "(?P<n>", "(?=", "(?!", "(?#", "{2}", "{,2}", "{1,}",
    "{,}", r"\]", r"\x41", r"\101", r"\n", r"\b", "a-b",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=6), st.text("abAB1-]{é٣,\n K", max_size=4))
@settings(max_examples=200, deadline=None)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_automaton_accepts_what_re_matches(pieces, text):
    pattern = "".join(pieces)
    pattern += ")" * (pattern.count("(") - pattern.count(")"))
    try:
        constraint = regular(pattern)
    except UsageError as error:
        assert not ("no text at all" in str(error) and re.fullmatch(pattern, text, re.ASCII))
        return
    assert accepts(constraint, text) == bool(re.fullmatch(pattern, text, re.ASCII))


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("[^]]x", "ax", True),  # a bracket that stands first is itself
        ("[^]]x", "]]x", False),
        ("x{}", "x{}", True),  # braces without a count are themselves
        ("x{,2}?y", "xxy", True),
        (r"[\Wa]", "a", True),
    ],
)
def test_what_interegular_alone_would_read_otherwise(pattern, text, matches):
    assert bool(re.fullmatch(pattern, text)) == matches
    assert accepts(regular(pattern), text) == matches


def counted(inner):
    counts = st.sampled_from(
        ["*", "+", "?", "{2}", "{3}", "{1,3}", "{2,}", "{,2}", "{0,4}", "{3,5}"]
    )
    return st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, counts),
    )


patterns = st.recursive(
    st.sampled_from(["a", "b", "[ab]", "[^a]", ".", "aa", "(?i:A)", "", "(?:aab|b)"]),
    counted, max_leaves=6,
)  # fmt: skip


@given(patterns, st.text("ab\n", max_size=9))
@example("(?:a|){3}b", "aab")
@example("(?:a?b?){3,5}", "")
@settings(max_examples=300, deadline=None)
def test_counts_are_kept_as_re_keeps_them(pattern, text):
    assert accepts(regular(pattern), text) == bool(re.fullmatch(pattern, text))


@given(patterns, st.text("ab", max_size=3))
@settings(max_examples=200, deadline=None)
def test_needed_and_most_are_the_lengths_of_what_can_follow(pattern, begun):
    texts = ["".join(chars) for n in range(8) for chars in product("ab", repeat=n)]
    matching = [text for text in texts if re.fullmatch(pattern, text)]
    follow = [len(text) - len(begun) for text in matching if text.startswith(begun)]
    try:
        constraint = regular(pattern, Vocabulary("ab"))
    except UsageError:
        assert not matching
        return
    state = read(constraint, begun)
    if not follow:
        assert state is None or constraint.needed(state) + len(begun) > 7
        return
    assert constraint.needed(state) == min(follow)
    most = constraint.most(state)
    if most is not None and most + len(begun) <= 7:
        assert most == max(follow)
    else:
        assert max(follow) + len(begun) <= 7


@pytest.mark.parametrize(
    ("pattern", "body", "least", "most"),
    [
        ("(x{3}){5}", "x", 15, 15),
        ("(x{0,500}){0,3}", "x", 0, 1500),
        ("(x{2,3}){2,}", "x", 4, None),
        ("(x*)*", "x", 0, None),
        ("(x{2,}){0,3}", None, 0, 3),  # one x is none of it
        ("(x{5,6}){3,4}", None, 3, 4),  # 19 are none of it
        ("(x{5,6}){4,9}", "x", 20, 54),
    ],
)
def test_one_count_instead_of_two_where_it_says_the_same(pattern, body, least, most):
    term = parse(pattern)
    assert (term.least, term.most) == (least, most)
    assert isinstance(term, Repetition)
    if body is not None:
        assert term.body == Class(frozenset(body))


# Counts as bits.


@st.composite
def counters_and_counts(draw):
    made, width = [], 1
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 4))
        least, ids = draw(st.integers(0, size)), draw(st.integers(0, 3))
        made.append(Counter(width, least, size, False, ids, ids + draw(st.integers(0, 5))))
        width *= size
    places = draw(st.sets(st.integers(0, width - 1), min_size=1, max_size=6))
    return made, sum(1 << place for place in places)


def counter(width, least, size):
    return Counter(width, least, size, False, 1, 1)


@given(counters_and_counts())
@example(([counter(1, 2, 2), counter(2, 3, 3)], 0b10010))  # fewest with the outer turn missing
@example(([counter(1, 2, 4), counter(4, 0, 2)], 0b10001))  # first turns in two rows
@settings(max_examples=500, deadline=None)
def test_counts_say_what_is_needed_and_what_can_come(drawn):
    made, counts = drawn
    needs, mosts = [], []
    for place in range(counts.bit_length()):
        if counts >> place & 1:
            turns = [place // counter.width % counter.size + 1 for counter in made]
            pairs = list(zip(made, turns, strict=True))
            needs.append(sum(max(0, c.least - turn) * c.shortest for c, turn in pairs))
            mosts.append(sum((c.size - turn) * c.longest for c, turn in pairs))
    assert Counters(tuple(made)).needed(counts) == min(needs)
    assert Counters(tuple(made)).most(counts) == max(mosts)


# Never stuck.


def walk(constraint, vocabulary, rng, left):
    """Write any characters that are allowed, `left` ids at most; return the text."""
    letters = letters_of(vocabulary)
    state, text = constraint.begin(""), []
    chars = "ab#+c\nxé€" if isinstance(vocabulary, ByteVocabulary) else vocabulary.chars
    while True:
        assert constraint.needed(state) <= left
        allowed = constraint.allowed(state, left)
        some = [char for char in chars if allowed.holds(char, letters.ids(char))]
        if not some:
            assert constraint.met(state)
            return "".join(text)
        text.append(rng.choice(some))
        left -= letters.ids(text[-1])
        most = constraint.most(state)
        assert most is None or most >= letters.ids(text[-1])
        state = constraint.advance(state, text[-1])


@given(
    patterns,
    st.booleans(),
    st.integers(0, 2) | st.integers(0, 30),
    st.randoms(use_true_random=False),
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_chosen_the_text_ends_in_a_match(pattern, of_bytes, spare, rng):
    vocabulary = ByteVocabulary() if of_bytes else Vocabulary("ab")
    try:
        constraint = regular(pattern, vocabulary)
    except UsageError:
        assume(False)
    shortest = constraint.needed(constraint.begin(""))
    text = walk(constraint, vocabulary, rng, shortest + spare)
    assert accepts(regular(pattern), text)


HARD = [
    (r"([#+]{300}\n){20}", 6020, 6020),
    (r"(a|ab){10000}", 10_000, 10_500),
    (r"(a|aa){2000}", 2_000, 3_000),
    (r".*a.{1000}", 1_001, 3_000),
    (r"(a?){5000}", 0, 2_000),
    (r"((ab){1,50}c){1,50}", 3, 3_000),
    (r"(a{0,100}){0,100}", 0, 3_000),
    (r"(x{1,3}b?){10,}", 10, 2_000),
    (r"(.{3}|.{7}){1,1400}", 3, 2_000),
    (r"(.{200,300}\n?){20}", 4_000, 5_000),
    (r"((.{2,9}b?){2,20}c?){3,20}", 12, 1_500),
    (r"(a|b)*a(a|b){25}", 26, 500),
    (r"[ab]{10000}", 10_000, 10_000),
]


@pytest.mark.parametrize(("pattern", "shortest", "length"), HARD)
def test_large_counts_are_quick_and_small(pattern, shortest, length):
    vocabulary = Vocabulary("ab#+c\nx")
    with traced() as most:
        constraint = regular(pattern, vocabulary, length)
        assert constraint.needed(constraint.begin("")) == shortest
        text = walk(constraint, vocabulary, random.Random(1), length)
        assert most() < 100e6
    assert shortest <= len(text) <= length


def configurations():
    gc.collect()
    return sum(type(thing) is Configuration for thing in gc.get_objects())


def test_what_is_kept_of_the_automaton_is_bounded(monkeypatch):
    def texts():
        return [walk(made, Vocabulary("ab"), random.Random(seed), 80) for seed in range(5)]

    before = configurations()
    made = regular("(a|aa){50}b", Vocabulary("ab"))
    written, all_kept = texts(), configurations() - before
    monkeypatch.setattr(automaton, "MOST_KEPT", 20_000)
    made = regular("(a|aa){50}b", Vocabulary("ab"))
    assert texts() == written
    assert configurations() - before < 40 < all_kept


def test_the_deepest_pattern_is_read_or_refused():
    for depth in (20, 50, 80, 200):
        pattern = "(?:a" * depth + "b" + "c)?" * depth
        try:
            constraint = regular(pattern)
        except UsageError:
            assert depth > 20
            continue
        assert accepts(constraint, "a" * depth + "b" + "c" * depth)


# Game levels.


def command(*arguments):
    cli.main([str(argument) for argument in arguments], standalone_mode=False)


def test_levels_of_one_shape(tmp_path, capsys):
    rng = random.Random(0)
    text, run, made = tmp_path / "levels.txt", tmp_path / "run", tmp_path / "made.txt"
    text.write_text("".join("".join(rng.choices("#+", [1, 4], k=300)) + "\n" for _ in range(40)))
    command("train", text, "--iterations", 3, "--hidden_size", 8, "--out", run)
    pattern = r"([#+]{300}\n){20}"
    with traced() as most:
        command("generate", run, "--regex", pattern, "--length", 7000, "--out", made)
        assert most() < 50e6
    assert re.fullmatch(pattern, made.read_text())
    assert "taken back: 0" in capsys.readouterr().err
