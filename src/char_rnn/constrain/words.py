"""Words that the output holds, spread over it."""

from typing import ClassVar, NamedTuple, cast

from char_rnn.constrain.base import Characters, Constraint, State
from char_rnn.constrain.letters import Letters
from char_rnn.errors import UsageError

PATIENCE = 20
"""After so many ids past its time a word no longer waits for a space that comes by itself."""

_LETTER, _SIGN, _SPACE = 0, 1, 2  # the kinds of characters


class _Begun(NamedTuple):
    """A word of which the last `size` characters of the text are the beginning."""

    word: int
    size: int
    after_space: bool


class _Place(NamedTuple):
    """missing: the words still to come. begun: those that the text may be in. last: its kind."""

    missing: frozenset[int]
    begun: frozenset[_Begun]
    last: int


class Words(Constraint):
    """Each of `words` stands in the output, in any order, with no letter or digit beside it.

    That is what `(?<!\\w)WORD(?!\\w)` finds, upper and lower case told apart; a word may as well be
    several. A word may come by itself. The k-th of n has until k/(n + 1) of the length for that;
    then it is written after the next space. So it never begins in the middle of another word.

    length: ids of the output at most. Raises UsageError for a character that the model cannot
    write, and if it can write nothing that separates words.
    """

    name: ClassVar[str] = "words"

    def __init__(self, words: tuple[str, ...], letters: Letters, length: int) -> None:
        self._words = tuple(dict.fromkeys(words))
        self._length, self._longest = length, letters.longest
        self._costs = [letters.cost(word) for word in self._words]
        for word, cost in zip(self._words, self._costs, strict=True):
            if not cost:
                raise UsageError(
                    f"the word {word!r} is empty, or has characters that the model does not know "
                    "or may not write; leave it out"
                )
        singles = letters.singles()
        self._apart = frozenset(char for char in singles if _kind(char) != _LETTER)
        self._spaces = frozenset(char for char in self._apart if _kind(char) == _SPACE)
        if not self._apart:
            raise UsageError("words cannot be told apart: the model writes letters alone")
        of_words = {char for word in self._words for char in word}
        self._ids = {char: letters.ids(char) for char in of_words.union(singles)}
        self._named = frozenset(self._ids)
        self._anything = Characters(frozenset(), frozenset(), letters.longest)
        self._ample = sum(self._costs) + len(self._words) + letters.longest + 1
        self._cache: dict[tuple[_Place, int], Characters] = {}

    def begin(self, before: str) -> State:
        """Return the state of an empty output after the text `before`."""
        kind = _kind(before[-1]) if before else _SPACE
        return _Place(frozenset(range(len(self._words))), frozenset(), kind)

    def needed(self, state: State) -> int:
        """Return the ids of the missing words, one after the other, with one between any two."""
        missing, begun, last = cast(_Place, state)
        rest = sum(self._costs[word] + 1 for word in missing)
        whole = [b.word for b in begun if self._whole(b)]
        if whole:
            return rest - sum(self._costs[word] + 1 for word in whole)
        ways = [rest - (last != _LETTER and bool(missing))]
        for b in begun:
            written = sum(self._ids[char] for char in self._words[b.word][: b.size])
            ways.append(rest - written - 1)
        return min(ways)

    def allowed(self, state: State, left: int) -> Characters:
        """Return what leaves enough ids for the missing words."""
        place = cast(_Place, state)
        if left >= self._ample or not place.missing:
            return self._anything
        found = self._cache.get((place, left))
        if found is None:
            found = self._cache[place, left] = self._allowed(place, left)
        return found

    def _allowed(self, place: _Place, left: int) -> Characters:
        # What no word goes on or begins with differs by its kind alone.
        telling = {self._words[b.word][b.size] for b in place.begun if not self._whole(b)}
        telling |= {self._words[word][0] for word in place.missing}
        after: dict[int, int] = {}
        chosen = set()
        for char, ids in self._ids.items():
            kind = _kind(char)
            if char in telling or kind not in after:
                needed = self.needed(self.advance(place, char))
                if char not in telling:
                    after[kind] = needed
            else:
                needed = after[kind]
            if ids and ids + needed <= left:
                chosen.add(char)
        # Others may be letters: then a space has to come first.
        other = self.needed(_Place(place.missing, frozenset(), _LETTER))
        return Characters(frozenset(chosen), self._named, max(0, min(left - other, self._longest)))

    def wanted(self, state: State, left: int) -> Characters | None:
        """Return what a word whose time has come begins or goes on with."""
        place = cast(_Place, state)
        if not place.missing:
            return None
        count = len(self._words)
        late = self._length - left - (count - len(place.missing) + 1) * self._length // (count + 1)
        if late < 0:
            return None
        # Not after an apostrophe: it's must not become it'she.
        begun = [b for b in place.begun if b.after_space]
        if any(self._whole(b) for b in begun):
            chosen = self._apart
        elif begun:
            chosen = frozenset(self._words[b.word][b.size] for b in begun)
        elif place.last == _SPACE or (late >= PATIENCE and place.last == _SIGN):
            chosen = frozenset(self._words[word][0] for word in place.missing)
        elif late >= PATIENCE:
            chosen = self._spaces or self._apart
        else:
            return None
        return Characters(chosen, chosen, 0)

    def advance(self, state: State, char: str) -> State:
        """Return the state after `char`."""
        missing, begun, last = cast(_Place, state)
        kind = _kind(char)
        if kind != _LETTER:
            missing = missing - {b.word for b in begun if self._whole(b)}
        after = {
            b._replace(size=b.size + 1)
            for b in begun
            if b.word in missing and not self._whole(b) and self._words[b.word][b.size] == char
        }
        if last != _LETTER:
            after |= {
                _Begun(word, 1, last == _SPACE) for word in missing if self._words[word][0] == char
            }
        return _Place(missing, frozenset(after), kind)

    def _whole(self, begun: _Begun) -> bool:
        return begun.size == len(self._words[begun.word])


def _kind(char: str) -> int:
    """Tell letters, digits and _ (the `\\w` of `re`) from spaces and from other signs."""
    if char.isalnum() or char == "_":
        return _LETTER
    return _SPACE if char.isspace() else _SIGN
