"""Brackets and quotation marks that close."""

from typing import ClassVar, cast

from char_rnn.constrain.base import Characters, Constraint, State
from char_rnn.constrain.letters import Letters

PAIRS = {"(": ")", "[": "]", "{": "}"}
QUOTE = '"'
_NAMED = frozenset([*PAIRS, *PAIRS.values(), QUOTE])


class Closing(Constraint):
    """Round, square and curly brackets match and close, and so do straight double quotes.

    A quote opens where none is open and closes otherwise, never over a bracket that was opened
    inside of it. Single quotes are left alone, for in prose they are apostrophes, and so are
    typographic ones, whose use differs between languages. What the text before the output has
    opened is closed, too; what closes nothing in there is passed over.

    The state is what still has to close, outermost first.
    """

    name: ClassVar[str] = "close"

    def __init__(self, letters: Letters) -> None:
        self._letters = letters
        self._ids = {char: letters.ids(char) for char in _NAMED}
        # With brackets alone, an odd number of characters could be left.
        self.exact = letters.shortest_but(_NAMED) == 1

    def begin(self, before: str) -> State:
        """Return what the text `before` leaves open."""
        state: tuple[str, ...] = ()
        for char in before:
            if char not in _NAMED:
                continue
            if char in PAIRS or char == QUOTE or (state and state[-1] == char):
                state = self.advance(state, char)
        return state

    def needed(self, state: State) -> int:
        """Return one id for each bracket and quote that is open."""
        return len(cast(tuple[str, ...], state))

    def allowed(self, state: State, left: int) -> Characters:
        """Return what leaves enough to close what is open; nothing is closed in a wrong order."""
        closers = cast(tuple[str, ...], state)
        spare = left - len(closers)
        chosen = set()
        if closers and spare >= 0 and self._ids[closers[-1]]:
            chosen.add(closers[-1])
        if spare >= 2:
            for opener, closer in PAIRS.items():
                if self._ids[opener] and self._ids[closer]:
                    chosen.add(opener)
            if QUOTE not in closers and self._ids[QUOTE]:
                chosen.add(QUOTE)
        return Characters(frozenset(chosen), _NAMED, max(0, min(spare, self._letters.longest)))

    def advance(self, state: State, char: str) -> tuple[str, ...]:
        """Return what is open after `char`."""
        closers = cast(tuple[str, ...], state)
        if char not in _NAMED:
            return closers
        if closers and closers[-1] == char:
            return closers[:-1]
        return (*closers, PAIRS.get(char, char))
