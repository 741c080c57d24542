"""The automaton of a regular expression, made piece by piece as texts come to them."""

from functools import cached_property

from char_rnn.constrain.alphabet import FAR
from char_rnn.constrain.nodes import Done, Entered, Leaf, Node, settle

MOST_KEPT = 32 << 20
"""Bytes of configurations kept for when a text comes there again; then all are dropped."""


class Configuration:
    """Where a text stands: what may come next, or the end.

    entered: the leaves that may be read next, with their counts. ends: whether what was read
    matches as it is. moves: the configurations that were found to follow, by kind of character.
    """

    def __init__(self, entered: tuple[tuple[Leaf, int], ...], ends: bool) -> None:
        self.entered, self.ends = entered, ends
        self.moves: dict[int, Configuration] = {}

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 1000 + sum(
            100 * len(leaf.kinds) + counts.bit_length() // 4 for leaf, counts in self.entered
        )

    @cached_property
    def needed(self) -> int:
        """How many ids the shortest way to a match takes."""
        if self.ends:
            return 0
        return min(leaf.shortest + leaf.needed_after(counts) for leaf, counts in self.entered)

    @cached_property
    def most(self) -> int:
        """How many ids can follow at most; FAR or more for any number."""
        return max(
            (leaf.longest + leaf.most_after(counts) for leaf, counts in self.entered), default=0
        )

    @cached_property
    def needed_after(self) -> dict[int, int]:
        """By the kinds of characters that may come next: how many ids a match then needs."""
        found: dict[int, int] = {}
        for leaf, counts in self.entered:
            needed = leaf.needed_after(counts)
            for kind in leaf.kinds:
                if needed < found.get(kind, FAR):
                    found[kind] = needed
        return found


class Automaton:
    """Reads a text along a tree; deterministic, over kinds of characters."""

    def __init__(self, root: Node) -> None:
        settle(root)
        self._root = root
        self._found: dict[object, Configuration] = {}
        self._kept = 0
        self.first = self._configuration({}, 1, root.nullable)

    def after(self, before: Configuration, kind: int) -> Configuration:
        """Return what follows `before` after a character of a kind that may come there."""
        found = before.moves.get(kind)
        if found is None:
            done = _done({leaf: counts for leaf, counts in before.entered if kind in leaf.kinds})
            found = self._configuration(done, 0, bool(done.get(self._root)))
            before.moves[kind] = found
        return found

    def _configuration(self, done: Done, counts: int, ends: bool) -> Configuration:
        """Return where a text stands that has `done` something, or enters with `counts`."""
        entered: Entered = {}
        self._root.enter(counts, done, entered)
        # Python's hash takes 2**61 for 1: the length tells integers of one bit apart.
        key = ends, tuple((leaf, bits.bit_length(), bits) for leaf, bits in entered.items())
        if (known := self._found.get(key)) is not None:
            return known
        found = Configuration(tuple(entered.items()), ends)
        self._kept += found.size
        if self._kept > MOST_KEPT:
            for old in self._found.values():
                old.moves.clear()
            self._found.clear()
            self._kept = found.size
        self._found[key] = found
        return found


def _done(read: Done) -> Done:
    """Return `read`, the counts of leaves, with those of all nodes above them."""
    above: set[Node] = set()
    for leaf in read:
        node = leaf.above
        while node is not None and node not in above:
            above.add(node)
            node = node.above
    done = read.copy()
    for node in sorted(above, key=lambda node: node.number):
        done[node] = node.completed(done)
    return done
