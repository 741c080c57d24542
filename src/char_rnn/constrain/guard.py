"""Several constraints at once, as masks over a model's ids."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from char_rnn.constrain.base import Characters, Constraint, State
from char_rnn.constrain.closing import Closing
from char_rnn.constrain.letters import MOST_CACHED, Letters, letters_of
from char_rnn.constrain.not_copied import Followers, NotCopied
from char_rnn.constrain.regular import Regular
from char_rnn.constrain.words import Words
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.choose import bias_amounts
from char_rnn.sample_config import SampleConfig

Array = np.ndarray

AMPLE = 32
"""Ids beyond twice what is needed with which there is no need to look at the sum of all needs."""
MOST_TRIED = 1_000
"""Characters of which each is tried when it comes to that sum."""


class Place(NamedTuple):
    """Where a text stands: a state of every constraint.

    begun: the first bytes of a character. last: the state of NotCopied.
    """

    begun: bytes
    states: tuple[State, ...]
    last: tuple[int, ...]


class Choices(NamedTuple):
    """What may come next, as masks (V,) bool over ids, which are not to be changed.

    allowed: the narrowest first, which does what is wished; the last one is all that may come.
    ending: where the text may end already, what to draw from so that all but `allowed` ends it.
    """

    allowed: list[Array]
    ending: Array | None


class Guard:
    """All constraints on a text together; its places never change, so any can be returned to.

    What each constraint allows they may not allow together: then nothing is allowed, and some of
    the text has to be taken back.

    decode: makes text of ids. reach: how many ids may have to be taken back; None for any number,
    0 for none.
    end: the id that ends a document, which may come wherever all is met; None for none.
    """

    def __init__(
        self,
        letters: Letters,
        decode: Callable[[Array], str],
        constraints: Sequence[Constraint],
        not_copied: NotCopied | None = None,
        end: int | None = None,
    ) -> None:
        self.end = end
        self._letters, self._decode = letters, decode
        self._constraints, self._not_copied = tuple(constraints), not_copied
        nothing: frozenset[str] = frozenset()
        self._up_to = [Characters(nothing, nothing, ids) for ids in range(letters.longest + 1)]
        self._singles = letters.singles()
        self._budgets: dict[tuple[tuple[State, ...], int], Characters] = {}
        self.reach: int | None = None
        if not constraints and not_copied is not None:
            self.reach = not_copied.reach
        elif not_copied is None and len(constraints) == 1 and constraints[0].exact:
            self.reach = 0

    @property
    def unit(self) -> str:
        """What an id is called: `characters` or `bytes`."""
        return self._letters.unit

    @property
    def names(self) -> list[str]:
        """What the user calls the constraints."""
        return [c.name for c in (*self._constraints, self._not_copied) if c is not None]

    def begin(self, seed_ids: Array, length: int) -> Place:
        """Return the place of an empty output after `seed_ids`.

        Raises UsageError if a constraint cannot be met in `length` ids.
        """
        before = self._decode(seed_ids)
        states = tuple(c.begin(before) for c in self._constraints)
        limit = self._limit(states, length)
        for c, state in zip(self._constraints, states, strict=True):
            if (needed := c.needed(state)) > limit:
                raise UsageError(
                    f"{c.name} needs at least {needed:,} {self.unit}, and there is room for "
                    f"{limit:,}; make it more, or ask for less"
                )
        last = () if self._not_copied is None else self._not_copied.begin(seed_ids)
        return Place(b"", states, last)

    def advance(self, place: Place, idx: int) -> Place:
        """Return the place after `idx`, which was allowed."""
        char, begun = self._letters.read(place.begun, idx)
        states, last = place.states, place.last
        if char:
            states = tuple(
                c.advance(state, char) for c, state in zip(self._constraints, states, strict=True)
            )
        if self._not_copied is not None:
            last = self._not_copied.advance(last, idx)
        return Place(begun, states, last)

    def met(self, place: Place) -> bool:
        """Tell whether every constraint is met if the output ends here."""
        return not place.begun and all(
            c.met(state) for c, state in zip(self._constraints, place.states, strict=True)
        )

    def choices(self, place: Place, left: int) -> Choices:
        """Return what may come next, if `left` ids may be written, this one included."""
        limit = self._limit(place.states, left + len(place.begun))
        sets = [c.allowed(s, limit) for c, s in zip(self._constraints, place.states, strict=True)]
        room = self._up_to[min(limit, self._letters.longest)]
        all_sets = self._together([room, *sets])
        narrower = [all_sets]
        if (in_budget := self._in_budget(place.states, all_sets, limit)) is not None:
            narrower.append(self._letters.both(all_sets, in_budget))
        asked = [c.wanted(s, limit) for c, s in zip(self._constraints, place.states, strict=True)]
        wishes = [wish for wish in asked if wish is not None]
        if wishes:
            narrower.append(self._together([narrower[-1], *wishes]))
        masks = [self._letters.mask(characters, place.begun) for characters in narrower[::-1]]
        if any(c.ends for c in self._constraints) and self.met(place):
            others = [a for c, a in zip(self._constraints, sets, strict=True) if not c.ends]
            masks.append(self._letters.mask(self._together([room, *others]), place.begun))
            *allowed, ending = self._without_copies(place, masks)
            return Choices(allowed, self._with_end([ending])[0])
        masks = self._without_copies(place, masks)
        return Choices(self._with_end(masks) if self.met(place) else masks, None)

    def blame(self, place: Place, left: int) -> list[str]:
        """Return the names of the constraints that leave nothing to write at a dead end."""
        limit = self._limit(place.states, left + len(place.begun))
        names = []
        for c, state in zip(self._constraints, place.states, strict=True):
            mask = self._letters.mask(c.allowed(state, limit), place.begun)
            if not mask.any():
                return [c.name]
            if not mask.all():
                names.append(c.name)
        if self._not_copied is not None and len(self._not_copied.forbidden(place.last)):
            names.append(self._not_copied.name)
        return names or self.names

    def _limit(self, states: tuple[State, ...], left: int) -> int:
        """Return how many ids may follow: not more than each constraint lets follow."""
        for c, state in zip(self._constraints, states, strict=True):
            most = c.most(state)
            if most is not None:
                left = min(left, most)
        return left

    def _in_budget(
        self, states: tuple[State, ...], allowed: Characters, left: int
    ) -> Characters | None:
        """Return what leaves room for the needs of all constraints, one after the other.

        None where there is room enough, or only one constraint, or too much to try. It is no more
        than a wish: one text may meet several needs at once.
        """
        needed = sum(c.needed(s) for c, s in zip(self._constraints, states, strict=True))
        if (
            len(self._constraints) < 2
            or left > 2 * needed + AMPLE
            or len(self._singles) > MOST_TRIED
        ):
            return None
        if (found := self._budgets.get((states, left))) is not None:
            return found
        chosen = set()
        for char in {*self._singles, *allowed.chosen}:
            ids = self._letters.ids(char)
            if allowed.holds(char, ids):
                after = [
                    c.needed(c.advance(s, char))
                    for c, s in zip(self._constraints, states, strict=True)
                ]
                if ids + sum(after) <= left:
                    chosen.add(char)
        if len(self._budgets) >= MOST_CACHED:
            self._budgets.clear()
        found = Characters(frozenset(chosen), frozenset(chosen), 0)
        self._budgets[states, left] = found
        return found

    def _with_end(self, masks: list[Array]) -> list[Array]:
        """Return `masks` with the end of the document, if there is one."""
        if self.end is None:
            return masks
        masks = [mask.copy() for mask in masks]
        for mask in masks:
            mask[self.end] = True
        return masks

    def _together(self, sets: Sequence[Characters]) -> Characters:
        return reduce(self._letters.both, sets)

    def _without_copies(self, place: Place, masks: list[Array]) -> list[Array]:
        """Return `masks` without the ids that would complete a run of the training text."""
        if self._not_copied is None:
            return masks
        ids = self._not_copied.forbidden(place.last)
        if not len(ids):
            return masks
        kept = np.ones(len(masks[0]), bool)
        kept[ids[ids < len(kept)]] = False  # the training text may hold what the model cannot write
        return [mask & kept for mask in masks]


Condition = Callable[[Letters], Constraint]
"""Makes a constraint of what the model can write, without what is forbidden."""


def make_guard(
    config: SampleConfig,
    vocabulary: AnyVocabulary,
    length: int,
    copies: Followers | None = None,
    conditions: Sequence[Condition] = (),
) -> Guard | None:
    """Return the guard of the conditions that `config` asks for, but for code; None for nothing.

    length: ids of the output at most. copies: an index of the training text, for max_copy.
    conditions: others, of one's own.
    Raises UsageError for a constraint that cannot be met, or that something else would break;
    MissingExtra if a regular expression needs a library that is not installed.
    """
    amounts = bias_amounts(config, vocabulary)
    letters = letters_of(vocabulary, None if amounts is None else np.isneginf(amounts))
    constraints = [condition(letters) for condition in conditions]
    room = length
    if config.regex:
        regular = Regular(config.regex, letters, length)
        most = regular.most(regular.begin(""))
        room = length if most is None else min(length, most)
        constraints.append(regular)
    if config.words:
        constraints.append(Words(config.words, letters, room))
    if config.close:
        constraints.append(Closing(letters))
    whole = [c.name for c in constraints if not c.anywhere]
    if whole and config.ends:
        raise UsageError(
            f"{' and '.join(whole)} must hold for the whole output, which stop, lines and "
            "until_line_end would cut off; give one or the other"
        )
    not_copied = None
    if config.max_copy:
        if copies is None:
            raise UsageError("max_copy needs the training text to look for copies in; give it")
        not_copied = NotCopied(copies, config.max_copy)
    if not constraints and not_copied is None:
        return None
    return Guard(letters, vocabulary.decode, constraints, not_copied, vocabulary.end)
