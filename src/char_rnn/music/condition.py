"""The condition that a text is a piece of music: bars and scale as they are asked for."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import ClassVar, cast

from char_rnn.constrain.base import Characters, Constraint, State
from char_rnn.music.grammar import Grammar
from char_rnn.music.place import Place


class Node:
    """A place, and what is written of the word that comes there: the words that go on, as a tree.

    after: makes the place behind the word that is written, if it is one. may_end: the piece here.
    """

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.after: Callable[[], Place] | None = None
        self.may_end = False


Reading = tuple[Node, ...]
"""Where a text may stand."""


class Piece(Constraint):
    """Follows a text character by character, along the words of a grammar, from `start` on.

    A word may be the begin of another, and no word at all may be one: then the text stands at
    several places, until the next characters tell. There is always a character to write.
    """

    name: ClassVar[str] = "music"

    def __init__(self, grammar: Grammar, start: Place, ends: bool) -> None:
        self._grammar, self._start = grammar, start
        self.ends = ends
        self._tree = lru_cache(MOST_TREES)(self._grown)

    def begin(self, before: str) -> State:
        """Return the state at the start, whatever stands before it."""
        return tuple(self._reached(self._start))

    def needed(self, state: State) -> int:
        """Return 0 where the piece may end, else 1: how much is needed, the grammar minds."""
        return 0 if any(node.may_end for node in cast(Reading, state)) else 1

    def allowed(self, state: State, left: int) -> Characters:
        """Return the characters with which some word goes on."""
        found = frozenset(char for node in cast(Reading, state) for char in node.next)
        return Characters(found, found, 0)

    def advance(self, state: State, char: str) -> State:
        """Return where the text stands after `char`."""
        found: list[Node] = []
        for node in cast(Reading, state):
            if char in node.next:
                there = node.next[char]
                found.append(there)
                if there.after is not None:
                    found += self._reached(there.after())
        return tuple(found)

    def _reached(self, place: Place) -> Iterator[Node]:
        """Yield a place, and those that lie behind a word of no characters."""
        root = self._tree(place)
        yield root
        if root.after is not None:
            yield from self._reached(root.after())

    def _grown(self, place: Place) -> Node:
        """Return the tree of the words of a place."""
        root = Node()
        root.may_end = self._grammar.may_end(place)
        for word, after in self._grammar.words(place).items():
            node = root
            for char in word:
                node = node.next.setdefault(char, Node())
            node.after = after
        return root


MOST_TREES = 1_000
"""Kept for when a piece, or another, stands at the same place again."""
