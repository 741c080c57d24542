"""The characters that a pattern names, in kinds that it does not tell apart."""

from collections import defaultdict

from char_rnn.constrain.letters import Letters
from char_rnn.constrain.terms import Class, Term, classes

FAR = 1 << 40
"""More ids than any text has: of what cannot be written, or goes on for ever."""


class Alphabet:
    """The kinds of characters of a term, as a model writes them.

    named: the characters that the term names. other: the kind of all that it does not.
    members: of each kind the named ones that the model can write, with their ids.
    shortest, longest: of each kind the ids of its shortest character, FAR if none can be written,
    and at least those of its longest.
    """

    def __init__(self, term: Term, letters: Letters) -> None:
        self._bits = {one: bit for bit, one in enumerate(dict.fromkeys(classes(term)))}
        named: defaultdict[str, int] = defaultdict(int)
        negated = 0
        for one, bit in self._bits.items():
            negated |= one.negated << bit
            for char in one.chars:
                named[char] |= 1 << bit
        # Two characters are of one kind if the same classes hold them.
        self._holders = {negated: 0}
        self._kinds = {
            char: self._holders.setdefault(bits ^ negated, len(self._holders))
            for char, bits in named.items()
        }
        self.named, self.other = frozenset(named), 0
        self.members: list[list[tuple[str, int]]] = [[] for _ in self._holders]
        for char, kind in self._kinds.items():
            if ids := letters.ids(char):
                self.members[kind].append((char, ids))
        self.shortest_other = letters.shortest_but(self.named)
        self.shortest = [min((ids for _, ids in those), default=FAR) for those in self.members]
        self.longest = [max((ids for _, ids in those), default=0) for those in self.members]
        if self.shortest_other:
            self.shortest[self.other] = min(self.shortest[self.other], self.shortest_other)
            self.longest[self.other] = letters.longest

    def kind(self, char: str) -> int:
        """Return the kind of `char`."""
        return self._kinds.get(char, self.other)

    def kinds(self, one: Class) -> frozenset[int]:
        """Return the kinds in `one` of which the model can write a character."""
        bit = self._bits[one]
        return frozenset(
            kind
            for holders, kind in self._holders.items()
            if holders >> bit & 1 and self.shortest[kind] < FAR
        )
