"""A regular expression as a finite automaton, made by the library interegular.

interegular reads nearly what Python's `re` reads. Where the two would understand a pattern
differently it is rewritten or refused here, so that what the automaton accepts always matches:
`\\d`, `\\w` and `\\s` mean ASCII, as under `re.ASCII`; looking ahead and behind, references to
groups, and anchors inside a pattern are refused, for they need more than the library's automaton.
"""

import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from char_rnn.errors import MissingExtra, UsageError

LONGEST_PATTERN = 2_000
WIDEST_RANGE = 25_000
MOST_STATES = 5_000
MOST_STEPS = 1_000_000
"""States visited while the automaton is made, parts of combined ones counted: some seconds."""

_ONE_BUILDER = threading.Lock()
_REPEAT = re.compile(r"[*+?]|\{(\d+(,\d*)?|,\d*)\}")
_GROUP = re.compile(r"\(\?(P<\w+>|[is]*[:)])", re.ASCII)
_INSENSITIVE = re.compile(r"\(\?s*i")
_OUTSIDE_ASCII = ("\\D", "\\S", "\\W")


@dataclass(frozen=True)
class Automaton:
    """A deterministic automaton over classes of characters that a pattern does not tell apart.

    classes: the class of every character that the pattern names. other: that of all others.
    moves: for each state the next one by class; what has no next one cannot follow.
    ends: the states in which the whole text matches. It starts in state 0.
    """

    classes: dict[str, int]
    other: int | None
    moves: list[dict[int, int]]
    ends: frozenset[int]

    def class_of(self, char: str) -> int | None:
        """Return the class of `char`."""
        return self.classes.get(char, self.other)


def automaton(pattern: str) -> Automaton:
    """Return the automaton that accepts what `re.fullmatch(pattern, …, re.ASCII)` matches.

    Raises UsageError if `pattern` is not a regular expression, uses what is not supported, or
    needs too many states; MissingExtra without interegular.
    """
    try:
        import interegular
        from interegular.fsm import anything_else
        from interegular.utils.simple_parser import nomatch
    except ImportError as error:
        raise MissingExtra(
            "regular expressions need interegular: pip install 'char-rnn[constraints]'"
        ) from error
    _check(pattern)
    plain = _rewritten(pattern)
    unsupported = (
        ValueError,
        RecursionError,
        nomatch,
        interegular.Unsupported,
        interegular.InvalidSyntax,
    )
    try:
        parsed = interegular.parse_pattern(plain)
        with _few_states(pattern):
            machine: Any = parsed.to_fsm()
    except UsageError:
        raise
    except unsupported as error:
        raise _refused(pattern, str(error) or type(error).__name__) from error
    classes = dict(machine.alphabet.items())
    other = classes.pop(anything_else, None)
    moves = [machine.map.get(state, {}) for state in range(len(machine.states))]
    return Automaton(classes, other, moves, frozenset(machine.finals))


def _check(pattern: str) -> None:
    """Raise UsageError if `pattern` is too long or Python itself would not take it."""
    if len(pattern) > LONGEST_PATTERN:
        raise UsageError(
            f"the regular expression has {len(pattern):,} characters; at most {LONGEST_PATTERN:,} "
            "are taken"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            re.compile(pattern, re.ASCII)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise UsageError(f"{pattern!r} is not a regular expression: {error}") from error


def _rewritten(pattern: str) -> str:
    """Return `pattern` as interegular reads it the way `re` does, or raise UsageError."""
    out: list[str] = []
    at, end = 0, len(pattern)
    while at < end:
        char = pattern[at]
        if char == "\\":
            out.append(pattern[at : at + 2])
            at += 2
            continue
        if char == "[":
            text, at = _set(pattern, at)
            out.append(text)
            continue
        if repeat := _REPEAT.match(pattern, at):
            at = repeat.end()
            if pattern.startswith("+", at):
                raise _refused(pattern, f"the possessive {repeat[0]}+")
            # A second ? makes it lazy, which changes nothing about what matches as a whole.
            at += pattern.startswith("?", at)
            out.append(repeat[0])
            continue
        if char == "{":
            char = "\\{"
        elif pattern.startswith("(?", at):
            group = _GROUP.match(pattern, at)
            if group is None:
                raise _refused(pattern, repr(pattern[at : at + 4]))
            if _INSENSITIVE.match(group[0]) and not pattern.isascii():
                raise _refused(pattern, "(?i) beside characters outside ASCII")
            out.append(group[0])
            at = group.end()
            continue
        # The whole output must match: an anchor at either end says nothing.
        elif (char == "^" and at == 0) or (char == "$" and at == end - 1):
            char = ""
        out.append(char)
        at += 1
    return "".join(out)


def _set(pattern: str, at: int) -> tuple[str, int]:
    """Return the set `[…]` that begins at `at`, rewritten, and where it ends."""
    items: list[str] = []
    at += 1
    opening = "[^" if pattern[at] == "^" else "["
    at += len(opening) - 1
    while not items or pattern[at] != "]":
        item = pattern[at : at + 1 + (pattern[at] == "\\")]
        at += len(item)
        # `re` takes a bracket that stands first as itself, interegular as the end of the set.
        items.append("\\]" if item == "]" else item)
    outside = sum(item in _OUTSIDE_ASCII for item in items)
    if outside > 1 or (outside and _INSENSITIVE.search(pattern)):
        raise _refused(pattern, r"a set with several of \D, \S and \W, or with one beside (?i)")
    for low, dash, high in zip(items, items[1:], items[2:], strict=False):
        if dash == "-" and ord(high[0]) - (ord(low) if len(low) == 1 else 0) > WIDEST_RANGE:
            raise _refused(pattern, f"a range of more than {WIDEST_RANGE:,} characters")
    return "".join([opening, *items, "]"]), at + 1


@contextmanager
def _few_states(pattern: str) -> Iterator[None]:
    """Let interegular make only automata of a bearable size in here, and quickly.

    Each of its operations maps the states of a new automaton with one function, `crawl`, which
    knows no limit and looks every state up in a list. Here it counts and looks up in a dictionary.
    """
    from interegular import fsm

    steps = 0

    def key(state: Any) -> frozenset[Any]:
        return frozenset(state.items() if isinstance(state, dict) else state)

    def crawl(
        alphabet: Any, initial: Any, final: Callable[[Any], bool], follow: Callable[[Any, Any], Any]
    ) -> Any:
        nonlocal steps
        states, numbers = [initial], {key(initial): 0}
        finals: set[int] = set()
        moves: dict[int, dict[Any, int]] = {}
        for number, state in enumerate(states):  # grows on the way
            if final(state):
                finals.add(number)
            moves[number] = {}
            for transition in alphabet.by_transition:
                steps += len(state)
                if steps > MOST_STEPS or len(states) > MOST_STATES:
                    raise UsageError(
                        f"the regular expression {pattern!r} needs an automaton of more than "
                        f"{MOST_STATES:,} states or {MOST_STEPS:,} steps; take smaller counts in "
                        "its {braces}"
                    )
                try:
                    after = follow(state, transition)
                except fsm.OblivionError:
                    continue
                found = numbers.setdefault(key(after), len(states))
                if found == len(states):
                    states.append(after)
                moves[number][transition] = found
        return fsm.FSM(
            alphabet=alphabet,
            states=range(len(states)),
            initial=0,
            finals=finals,
            map=moves,
            __no_validation__=True,
        )

    with _ONE_BUILDER:
        usual, fsm.crawl = fsm.crawl, crawl
        try:
            yield
        finally:
            fsm.crawl = usual


def _refused(pattern: str, what: str) -> UsageError:
    return UsageError(
        f"the regular expression {pattern!r} uses what is not supported here: {what}; see "
        "docs/generation.md for what is"
    )
