"""The condition that a text is a piece of music: bars and scale as they are asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import ClassVar, NamedTuple, cast

from char_rnn.constrain.base import Characters, Constraint, State
from char_rnn.music.again import MOST_BACK
from char_rnn.music.grammar import Grammar
from char_rnn.music.place import Place


class Node:
    """What is written of the word that comes at a place: the words that go on, as a tree.

    after: makes the place behind the word that is written, if it is one. may_end: the piece here.
    """

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.after: Callable[[], Place] | None = None
        self.may_end = False

    def grow(self, word: str, after: Callable[[], Place]) -> None:
        """Let a word go on from here."""
        node = self
        for char in word:
            node = node.next.setdefault(char, Node())
        node.after = after


class Past(NamedTuple):
    """A bar: its text, where it began, as in any bar, and the place behind it; None of a seed's."""

    text: str
    begin: Place | None = None
    end: Place | None = None


class Stand(NamedTuple):
    """Where a text may stand.

    bars: how many more there are than in the places of the node. past: the bars that are whole.
    begin: where this bar began. written: since the last bar. again: the bar that a number stands
    for, where such a number is being written.
    """

    node: Node
    bars: int
    past: tuple[Past, ...]
    begin: Place | None = None
    written: str = ""
    again: Past | None = None


class Piece(Constraint):
    """Follows a text character by character, along the words of a grammar, from `start` on.

    A word may be the begin of another, and no word at all may be one: then the text stands at
    several places, until the next characters tell. There is always a character to write. Where a
    bar begins it may also come again (again.py), if what it then says may come there.

    past: the texts of the bars before `start`.
    """

    name: ClassVar[str] = "music"

    def __init__(
        self, grammar: Grammar, start: Place, ends: bool, past: Sequence[str] = ()
    ) -> None:
        self._grammar, self._start = grammar, start
        self._past = tuple(Past(text) for text in past[-MOST_BACK:])
        self.ends = ends
        self._tree = lru_cache(MOST_TREES)(self._grown)

    def begin(self, before: str) -> State:
        """Return the state at the start, whatever stands before it."""
        return tuple(self._reached(self._start, self._past))

    def needed(self, state: State) -> int:
        """Return 0 where the piece may end, else 1: how much is needed, the grammar minds."""
        return 0 if any(stand.node.may_end for stand in cast(tuple[Stand, ...], state)) else 1

    def allowed(self, state: State, left: int) -> Characters:
        """Return the characters with which some word goes on."""
        stands = cast(tuple[Stand, ...], state)
        found = frozenset(char for stand in stands for char in stand.node.next)
        return Characters(found, found, 0)

    def advance(self, state: State, char: str) -> State:
        """Return where the text stands after `char`."""
        found: list[Stand] = []
        for stand in cast(tuple[Stand, ...], state):
            node = stand.node.next.get(char)
            if node is None:
                continue
            found.append(stand._replace(node=node, written=stand.written + char))
            if node.after is None:
                continue
            place, past, written = node.after(), stand.past, stand.written + char
            if place.phase == "line":
                bar = Past(_bar(written), stand.begin, place)
                past, written = (*past, stand.again or bar)[-MOST_BACK:], ""
            found += self._reached(_later(place, stand.bars), past, stand.begin, written)
        return tuple(found)

    def _reached(
        self, place: Place, past: tuple[Past, ...], begin: Place | None = None, written: str = ""
    ) -> Iterator[Stand]:
        """Yield a place, and those that lie behind a word of no characters."""
        usual, bars = self._usual(place)
        root = self._tree(usual)
        begins = place.phase == "bar" and not _bar(written)
        begin = _any_bar(place) if begins else begin
        yield Stand(root, bars, past, begin, written)
        if begins:
            yield from self._again(place, past, begin)
        if root.after is not None:
            yield from self._reached(_later(root.after(), bars), past, begin, written)

    def _usual(self, place: Place) -> tuple[Place, int]:
        """Return the same place in an early bar, if it is not near the end, and the bars between.

        So what may come is worked out once for many bars.
        """
        early = place.bar < self._grammar.limit - NEAR
        bar = min(place.bar, 1) if early else place.bar
        return replace(place, bar=bar), place.bar - bar

    def _again(self, place: Place, past: tuple[Past, ...], begin: Place | None) -> Iterator[Stand]:
        """Yield the numbers of the bars that may come again at a place."""
        for back in range(1, len(past) + 1):
            bar, word = past[-back], f"{back}|"
            if bar.begin not in (begin, None) or not self._grammar.writable(word):
                continue
            end, left = bar.end, self._grammar.limit - place.bar
            if end is None or left == 1:  # of a seed, or what has to end the piece
                end = self._behind(place, bar.text)
            if end is not None and not (end.pending and left <= 2):
                root = Node()
                root.grow(word, partial(_next, place, end))
                yield Stand(root, 0, past, begin, "", Past(bar.text, begin, end))

    def _behind(self, place: Place, bar: str) -> Place | None:
        """Return the place behind the text of a bar that is written at a place, if it may be."""
        nodes = [node for node, _ in self._nodes(place)]
        ends: list[Place] = []
        for char in bar + "|":
            found = [node.next[char] for node in nodes if char in node.next]
            there = [pair for node in found if node.after for pair in self._nodes(node.after())]
            nodes, ends = found + [node for node, _ in there], [place for _, place in there]
        return next((place for place in ends if place.phase == "line"), None)

    def _nodes(self, place: Place) -> Iterator[tuple[Node, Place]]:
        """Yield the trees at a place, and at those behind a word of no characters."""
        root = self._tree(place)
        yield root, place
        if root.after is not None and place.phase != "line":
            yield from self._nodes(root.after())

    def _grown(self, place: Place) -> Node:
        """Return the tree of the words of a place."""
        root = Node()
        root.may_end = self._grammar.may_end(place)
        for word, after in self._grammar.words(place).items():
            root.grow(word, after)
        return root


def _bar(written: str) -> str:
    """Return what is written of the bar itself."""
    return written.removesuffix("|").rpartition("\n")[2]


def _any_bar(place: Place) -> Place:
    """Return a place at a bar's border as it is for any bar."""
    return replace(place, bar=0, line=0, fields="", begun=False, sounded=True)


def _next(place: Place, end: Place) -> Place:
    """Return the place behind a bar that begins at one place, and ends as another did."""
    there = place.next_bar()
    sounded = place.sounded or end.sounded
    return replace(end, bar=there.bar, line=there.line, fields=there.fields, sounded=sounded)


def _later(place: Place, bars: int) -> Place:
    return replace(place, bar=place.bar + bars) if bars else place


NEAR = 3
"""Bars before the last one may come in which it is not all the same how many are left."""
MOST_TREES = 2_000
"""Kept for when a piece, or another, stands at the same place again."""
