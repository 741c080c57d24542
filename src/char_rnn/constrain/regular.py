"""A regular expression that the whole output matches."""

from typing import ClassVar, cast

from char_rnn.constrain.alphabet import FAR, Alphabet
from char_rnn.constrain.automaton import Automaton, Configuration
from char_rnn.constrain.base import Characters, Constraint, State
from char_rnn.constrain.letters import MOST_CACHED, Letters
from char_rnn.constrain.nodes import build
from char_rnn.constrain.pattern import parse
from char_rnn.constrain.terms import Alternation, Class, Concatenation, Repetition, Term
from char_rnn.errors import UsageError

MOST_PLACES = 100_000
"""Characters that a pattern may have, all that it counts written out.

A text at one place in it steps on in tens of microseconds; one that may be at all of them at once,
in milliseconds. Nothing but that time depends on it: no bound is met while a text is written.
"""


class Regular(Constraint):
    """The whole output matches `pattern`, whatever the text before it.

    The output may end wherever the pattern may: there it ends when the model draws a character
    that the pattern does not allow, and where the pattern allows nothing more.

    length: ids of the output at most. Raises UsageError if no text of so many ids that the model
    can write matches, and if the pattern is not supported.
    """

    name: ClassVar[str] = "regex"
    ends: bool = True

    def __init__(self, pattern: str, letters: Letters, length: int) -> None:
        term = parse(pattern)
        self._alphabet = Alphabet(term, letters)
        self._longest = letters.longest
        self._sets: dict[frozenset[tuple[int, int]], Characters] = {}
        root = build(term, self._alphabet)
        if root is None:
            raise _nothing_to_write(pattern, term, self._alphabet)
        if root.places > MOST_PLACES:
            raise UsageError(
                f"the regular expression {pattern!r} counts up to {root.places:,} characters when "
                f"it is written out; at most {MOST_PLACES:,} are taken, so take smaller counts in "
                "its {braces}"
            )
        if root.shortest > length:
            raise UsageError(
                f"the regular expression {pattern!r} matches no text of less than "
                f"{root.shortest:,} {letters.unit}, and the length is {length:,}; make the length "
                "greater"
            )
        self._automaton = Automaton(root)

    def begin(self, before: str) -> State:
        """Return the first state, whatever stands before."""
        return self._automaton.first

    def needed(self, state: State) -> int:
        """Return how many ids the shortest way to a match takes."""
        return cast(Configuration, state).needed

    def most(self, state: State) -> int | None:
        """Return how many ids may follow at most, None without a limit."""
        most = cast(Configuration, state).most
        return None if most >= FAR else most

    def allowed(self, state: State, left: int) -> Characters:
        """Return the characters after which a match can still be reached in time."""
        # The longest character has so many ids: room for more makes no difference.
        rooms = frozenset(
            (kind, min(left - needed, self._longest))
            for kind, needed in cast(Configuration, state).needed_after.items()
            if needed < left
        )
        found = self._sets.get(rooms)
        if found is None:
            if len(self._sets) >= MOST_CACHED:
                self._sets.clear()
            found = self._sets[rooms] = self._characters(rooms)
        return found

    def _characters(self, rooms: frozenset[tuple[int, int]]) -> Characters:
        """Return the characters of some kinds that take at most so many ids each."""
        alphabet = self._alphabet
        chosen: set[str] = set()
        others = 0
        for kind, room in rooms:
            chosen.update(char for char, ids in alphabet.members[kind] if ids <= room)
            if kind == alphabet.other and 0 < alphabet.shortest_other <= room:
                others = room
        return Characters(frozenset(chosen), alphabet.named, others)

    def advance(self, state: State, char: str) -> State:
        """Return the state after `char`."""
        return self._automaton.after(cast(Configuration, state), self._alphabet.kind(char))


def _nothing_to_write(pattern: str, term: Term, alphabet: Alphabet) -> UsageError:
    """Return the error that says why the model can write no text that matches."""
    found = _lacking(term, alphabet)
    if found is None:
        return UsageError(f"the regular expression {pattern!r} matches no text at all")
    named = ", ".join(map(repr, list(dict.fromkeys(found))[:5]))
    return UsageError(
        f"the regular expression {pattern!r} needs characters that the model does not know or may "
        f"not write, such as {named}; leave them out of it"
    )


def _lacking(term: Term, alphabet: Alphabet) -> list[str] | None:
    """Return the characters that the match lacks that lacks fewest; None if there is no match."""
    match term:
        case Class():
            return [] if alphabet.kinds(term) else _example(term)
        case Concatenation(parts):
            found: list[str] = []
            for lacks in (_lacking(part, alphabet) for part in parts):
                if lacks is None:
                    return None
                found += lacks
            return found
        case Alternation(options):
            each = [_lacking(option, alphabet) for option in options]
            return min((lacks for lacks in each if lacks is not None), key=len, default=None)
        case Repetition(body, least):
            return _lacking(body, alphabet) if least else []


def _example(one: Class) -> list[str] | None:
    """Return a character of a class, None if there is none."""
    if one.negated:
        return ["any other character"]
    return [min(one.chars)] if one.chars else None
