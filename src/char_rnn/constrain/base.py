"""What a constraint on generated text is: a promise about characters that the whole output keeps.

A constraint walks along the text. At every place it says which characters may come next such that
it can still be met in what is left, so that masking the others is enough. How a character becomes
one id or several bytes is no matter of a constraint (letters.py), nor is what happens where several
constraints contradict each other (guard.py, rewind.py).
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

State = Hashable


@dataclass(frozen=True)
class Characters:
    """A set of characters, of which there may be more than one can list.

    In it are those of `chosen`, and all that are not `named` and take at most `others` ids.
    """

    chosen: frozenset[str]
    named: frozenset[str]
    others: int

    def holds(self, char: str, ids: int) -> bool:
        """Tell whether `char`, which takes so many `ids`, is in here."""
        return char in self.chosen if char in self.named else 0 < ids <= self.others

    def __bool__(self) -> bool:
        return bool(self.chosen) or self.others > 0


class Constraint(ABC):
    """A promise about the whole output, with states that never change and can be hashed.

    What is left is counted in ids: characters, or bytes for a model of bytes.

    name: what the user calls it. ends: whether it may end a text before its full length.
    anywhere: whether it is met at every place, so that something else may end the text.
    exact: whether some character is always left to write, as long as it is the only constraint.
    """

    name: ClassVar[str]
    ends: bool = False
    anywhere: ClassVar[bool] = False
    exact: bool = True

    @abstractmethod
    def begin(self, before: str) -> State:
        """Return the state of an empty output that stands after the text `before`."""

    @abstractmethod
    def needed(self, state: State) -> int:
        """Return how many ids are enough to meet the constraint from here; 0 where it is met."""

    @abstractmethod
    def allowed(self, state: State, left: int) -> Characters:
        """Return what may come next, if `left` ids may be written, this one included."""

    @abstractmethod
    def advance(self, state: State, char: str) -> State:
        """Return the state after `char`, which was allowed."""

    def met(self, state: State) -> bool:
        """Tell whether the output may end here."""
        return self.needed(state) == 0

    def wanted(self, state: State, left: int) -> Characters | None:
        """Return what had better come next, where other constraints allow it; None for no wish."""
        return None

    def most(self, state: State) -> int | None:
        """Return how many ids may follow at most; None where there is no such limit."""
        return None
