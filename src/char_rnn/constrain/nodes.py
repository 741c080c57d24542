"""A term as a tree along which a text is read.

Each class of characters in a pattern is a place where a text can be (Glushkov 1961), with counts
of the turns of all repetitions around it (counts.py). Characters that are read are leaves of the
tree; what they complete goes up in it, and down again to what may come next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from char_rnn.constrain.alphabet import FAR, Alphabet
from char_rnn.constrain.counts import Counter, Counters
from char_rnn.constrain.terms import Alternation, Class, Concatenation, Repetition, Term

Done = dict["Node", int]
"""By node: the counts with which what was read last completes it; all others are not in it."""
Entered = dict["Leaf", int]
"""By leaf: the counts with which its character may come next."""


@dataclass(frozen=True)
class Around:
    """What stands around a node.

    counters: of the repetitions, the outermost first. width: bits of their counts.
    shortest, longest: ids that follow, without further turns of what is counted.
    """

    counters: tuple[Counter, ...] = ()
    width: int = 1
    shortest: int = 0
    longest: int = 0


class Node:
    """A part of a pattern, of which the model can write a text.

    nullable: whether the empty text matches. shortest, longest: ids of what does, at least and at
    most (FAR or more: any number). places: leaves in it, each as often as repetitions allow.
    parts: what it is made of. above: what it is a part of.
    """

    nullable: bool
    shortest: int
    longest: int
    places: int
    parts: tuple["Node", ...] = ()
    above: "Node | None" = None
    number = 0  # less than that of `above`

    def settle(self, around: Around) -> None:
        """Take its place, and let the parts take theirs."""
        for part in self.parts:
            part.settle(around)

    def completed(self, done: Done) -> int:
        """Return the counts with which it is completed, if its parts are as in `done`."""
        counts = 0
        for part in self.parts:
            counts |= done.get(part, 0)
        return counts

    def enter(self, counts: int, done: Done, entered: Entered) -> None:
        """Go in with `counts`, and on from what is `done` in it, to all that may come next."""
        for part in self.parts:
            if counts or part in done:
                part.enter(counts, done, entered)


class Empty(Node):
    """The empty text; it is never part of another node."""

    nullable, shortest, longest, places = True, 0, 0, 0


class Leaf(Node):
    """One character, of some kinds."""

    nullable, places = False, 1

    def __init__(self, kinds: frozenset[int], alphabet: Alphabet) -> None:
        self.kinds = kinds
        self.shortest = min(alphabet.shortest[kind] for kind in kinds)
        self.longest = max(alphabet.longest[kind] for kind in kinds)

    def settle(self, around: Around) -> None:
        """Take its place."""
        self._around, self._counters = around, Counters(around.counters)

    def enter(self, counts: int, done: Done, entered: Entered) -> None:
        """Note that its character may come next."""
        if counts:
            entered[self] = counts

    def needed_after(self, counts: int) -> int:
        """Return how many ids have to follow it at least."""
        return self._around.shortest + self._counters.needed(counts)

    def most_after(self, counts: int) -> int:
        """Return how many ids can follow it at most; FAR or more for any number."""
        if self._around.longest >= FAR:
            return FAR
        return self._around.longest + self._counters.most(counts)


class Pair(Node):
    """One part and then another."""

    def __init__(self, first: Node, then: Node) -> None:
        self.parts = self._first, self._then = first, then
        self.nullable = first.nullable and then.nullable
        self.shortest = first.shortest + then.shortest
        self.longest = first.longest + then.longest
        self.places = first.places + then.places

    def settle(self, around: Around) -> None:
        """Take its place; the second part follows the first."""
        self._then.settle(around)
        shortest = around.shortest + self._then.shortest
        longest = around.longest + self._then.longest
        self._first.settle(replace(around, shortest=shortest, longest=longest))

    def completed(self, done: Done) -> int:
        """Return the counts of the second part, and of the first if it may be the last."""
        counts = done.get(self._then, 0)
        return counts | done.get(self._first, 0) if self._then.nullable else counts

    def enter(self, counts: int, done: Done, entered: Entered) -> None:
        """Go into the first part, and from its end into the second."""
        if counts or self._first in done:
            self._first.enter(counts, done, entered)
        through = done.get(self._first, 0) | (counts if self._first.nullable else 0)
        if through or self._then in done:
            self._then.enter(through, done, entered)


class Choice(Node):
    """One part or another: what holds for nodes holds."""

    def __init__(self, one: Node, other: Node) -> None:
        self.parts = one, other
        self.nullable = one.nullable or other.nullable
        self.shortest = min(one.shortest, other.shortest)
        self.longest = max(one.longest, other.longest)
        self.places = one.places + other.places


class Loop(Node):
    """A part several times. Turns that read nothing are not counted: they change nothing."""

    def __init__(self, body: Node, least: int, most: int | None) -> None:
        self.parts, self._body = (body,), body
        self._least = 0 if body.nullable else least
        self._size, self._endless = (max(least, 1), True) if most is None else (most, False)
        self.nullable = self._least == 0
        self.shortest = self._least * body.shortest
        self.longest = FAR if most is None else most * body.longest
        self.places = self._size * body.places

    def settle(self, around: Around) -> None:
        """Take its place."""
        body = self._body
        self._counter = Counter(
            around.width, self._least, self._size, self._endless, body.shortest, body.longest
        )
        counters = (*around.counters, self._counter)
        body.settle(
            replace(
                around,
                counters=counters,
                width=around.width * self._size,
                longest=FAR if self._endless else around.longest,
            )
        )

    def completed(self, done: Done) -> int:
        """Return the counts outside, of where there were turns enough."""
        return self._counter.left(done.get(self._body, 0))

    def enter(self, counts: int, done: Done, entered: Entered) -> None:
        """Go into the body, for the first time and again."""
        again = self._counter.next_turn(done.get(self._body, 0))
        self._body.enter(counts | again, done, entered)


def build(term: Term, alphabet: Alphabet) -> Node | None:
    """Return the tree of `term`, without what the model cannot write; None if that is all."""
    match term:
        case Class():
            kinds = alphabet.kinds(term)
            return Leaf(kinds, alphabet) if kinds else None
        case Concatenation(parts):
            return _in_turn([build(part, alphabet) for part in parts])
        case Alternation(options):
            return _either([build(option, alphabet) for option in options])
        case Repetition(body, least, most):
            inner = build(body, alphabet)
            if inner is None and least == 0:
                return Empty()
            return inner if inner is None or isinstance(inner, Empty) else Loop(inner, least, most)


def _in_turn(nodes: list[Node | None]) -> Node | None:
    there = [node for node in nodes if node is not None]
    if len(there) < len(nodes):
        return None
    return _joined([node for node in there if not isinstance(node, Empty)], Pair)


def _either(nodes: list[Node | None]) -> Node | None:
    there = [node for node in nodes if node is not None]
    some = [node for node in there if not isinstance(node, Empty)]
    if not some:
        return there[0] if there else None
    joined = _joined(some, Choice)
    return joined if len(some) == len(there) else Loop(joined, 0, 1)


def _joined(nodes: Sequence[Node], kind: Callable[[Node, Node], Node]) -> Node:
    """Return `nodes` as one, by halves: no way through the tree is long."""
    if len(nodes) < 2:
        return nodes[0] if nodes else Empty()
    half = len(nodes) // 2
    return kind(_joined(nodes[:half], kind), _joined(nodes[half:], kind))


def settle(root: Node) -> None:
    """Give all nodes of the tree their places: what is above them, what follows, numbers."""
    root.settle(Around())
    nodes = [root]
    for node in nodes:  # grows on the way
        for part in node.parts:
            part.above = node
            nodes.append(part)
    for number, node in enumerate(reversed(nodes)):
        node.number = number
