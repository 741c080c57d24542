"""A regular expression as a tree of terms, in which counted repetitions stay counted."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Class:
    """One character: of `chars`, or, negated, any other."""

    chars: frozenset[str]
    negated: bool = False


@dataclass(frozen=True)
class Concatenation:
    """All `parts` in turn; without any, the empty text."""

    parts: tuple["Term", ...]


@dataclass(frozen=True)
class Alternation:
    """One of `options`."""

    options: tuple["Term", ...]


@dataclass(frozen=True)
class Repetition:
    """From `least` to `most` times `body`; None for any number."""

    body: "Term"
    least: int
    most: int | None


Term = Class | Concatenation | Alternation | Repetition


def repeated(body: Term, least: int, most: int | None) -> Term:
    """Return `body` from `least` to `most` times, with one count instead of two if one will do."""
    if most == 0:
        return Concatenation(())
    if least == most == 1:
        return body
    if isinstance(body, Repetition) and _has_no_gaps(body, least, most):
        both = None if most is None or body.most is None else most * body.most
        return Repetition(body.body, least * body.least, both)
    return Repetition(body, least, most)


def _has_no_gaps(inner: Repetition, least: int, most: int | None) -> bool:
    """Tell whether the counts in all of a repeated repetition are one range.

    n times `inner` are n · inner.least to n · inner.most; the ranges of n and n + 1 have to touch,
    and do so for all n if they do for the smallest.
    """
    if least == most or (least > 0 and inner.most is None):
        return True
    return (least + 1) * inner.least <= least * (inner.most or 0) + 1


def classes(term: Term) -> Iterator[Class]:
    """Yield the classes of characters in `term`, from left to right."""
    match term:
        case Class():
            yield term
        case Concatenation(parts) | Alternation(parts):
            for part in parts:
                yield from classes(part)
        case Repetition(body):
            yield from classes(body)
