"""A regular expression, read by the library interegular, of which only the parser is used.

interegular reads nearly what Python's `re` reads. Where the two would understand a pattern
differently it is rewritten or refused here, so that what the term stands for always matches:
`\\d`, `\\w` and `\\s` mean ASCII, as under `re.ASCII`; looking ahead and behind, references to
groups, and anchors inside a pattern are refused, for they need more than an automaton.
"""

import re
import warnings
from typing import Any

from char_rnn.constrain.terms import Alternation, Class, Concatenation, Term, repeated
from char_rnn.errors import MissingExtra, UsageError

LONGEST_PATTERN = 2_000
WIDEST_RANGE, MOST_IN_RANGES = 25_000, 200_000
"""Characters of a range, and of all in a pattern: each is listed, which takes a microsecond."""

_REPEAT = re.compile(r"[*+?]|\{(\d+(,\d*)?|,\d*)\}")
_GROUP = re.compile(r"\(\?(P<\w+>|[is]*[:)])", re.ASCII)
_INSENSITIVE = re.compile(r"\(\?s*i")
_OUTSIDE_ASCII = ("\\D", "\\S", "\\W")


def parse(pattern: str) -> Term:
    """Return the term that stands for what `re.fullmatch(pattern, …, re.ASCII)` matches.

    Raises UsageError if `pattern` is not a regular expression or uses what is not supported;
    MissingExtra without interegular.
    """
    try:
        import interegular
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
        return _term(interegular.parse_pattern(plain), insensitive=False, all_lines=False)
    except unsupported as error:
        raise _refused(pattern, str(error) or type(error).__name__) from error


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
    at, end, listed = 0, len(pattern), 0
    while at < end:
        char = pattern[at]
        if char == "\\":
            out.append(pattern[at : at + 2])
            at += 2
            continue
        if char == "[":
            text, at, more = _set(pattern, at)
            out.append(text)
            listed += more
            if listed > MOST_IN_RANGES:
                raise _refused(pattern, f"ranges of more than {MOST_IN_RANGES:,} characters")
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


def _set(pattern: str, at: int) -> tuple[str, int, int]:
    """Return the set `[…]` that begins at `at`, rewritten, where it ends, and how many it lists."""
    items: list[str] = []
    listed = 0
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
        wide = ord(high[0]) - (ord(low) if len(low) == 1 else 0) if dash == "-" else 0
        if wide > WIDEST_RANGE:
            raise _refused(pattern, f"a range of more than {WIDEST_RANGE:,} characters")
        listed += max(wide, 0)
    return "".join([opening, *items, "]"]), at + 1, listed


def _term(parsed: Any, insensitive: bool, all_lines: bool) -> Term:
    """Return what interegular parsed as a term.

    insensitive: whether upper and lower case are one. all_lines: whether a dot is a new line too.
    """
    from interegular import patterns

    match parsed:
        case patterns.Pattern():
            insensitive |= bool(parsed.added_flags & patterns.REFlags.CASE_INSENSITIVE)
            all_lines |= bool(parsed.added_flags & patterns.REFlags.SINGLE_LINE)
            options = [_term(option, insensitive, all_lines) for option in parsed.options]
            return options[0] if len(options) == 1 else Alternation(tuple(options))
        case patterns._Concatenation():
            parts = [_term(part, insensitive, all_lines) for part in parsed.parts]
            return parts[0] if len(parts) == 1 else Concatenation(tuple(parts))
        case patterns._Repeated():
            body = _term(parsed.base, insensitive, all_lines)
            return repeated(body, parsed.min, parsed.max)
        case patterns._CharGroup():
            chars = parsed.chars
            if insensitive:
                chars = frozenset({*map(str.lower, chars), *map(str.upper, chars)})
            return Class(chars, parsed.negated)
        case patterns._DOT:
            return Class(frozenset() if all_lines else frozenset("\n"), negated=True)
        case patterns._EMPTY:
            return Concatenation(())
    raise patterns.Unsupported(type(parsed).__name__.strip("_"))


def _refused(pattern: str, what: str) -> UsageError:
    return UsageError(
        f"the regular expression {pattern!r} uses what is not supported here: {what}; see "
        "docs/generation.md for what is"
    )
