"""A regular expression that the whole output matches."""

import heapq
from collections.abc import Callable
from typing import ClassVar, cast

from char_rnn.constrain.automaton import Automaton, automaton
from char_rnn.constrain.base import Characters, Constraint, State
from char_rnn.constrain.letters import Letters
from char_rnn.errors import UsageError

FAR = 1 << 40
"""Further than any end: a way that leads nowhere, or through a character that cannot be written."""


class Regular(Constraint):
    """The whole output matches `pattern`, whatever the text before it.

    The output may end wherever the pattern may: there it ends when the model draws a character
    that the pattern does not allow, and where the pattern allows nothing more.

    length: ids of the output at most. Raises UsageError if no text of so many ids that the model
    can write matches, and if the pattern is not supported.
    """

    name: ClassVar[str] = "regex"
    ends: ClassVar[bool] = True

    def __init__(self, pattern: str, letters: Letters, length: int) -> None:
        machine = automaton(pattern)
        self._machine = machine
        self._named = frozenset(machine.classes)
        self._members: dict[int, list[tuple[str, int]]] = {}
        for char, kind in machine.classes.items():
            if ids := letters.ids(char):
                self._members.setdefault(kind, []).append((char, ids))
        self._longest = letters.longest
        self._other = letters.shortest_but(self._named)
        self._distances = _distances(machine, self._shortest)
        self._most = _longest_ways(machine, self._distances, self._most_ids)
        near = [distance for distance in self._distances if distance < FAR]
        self._enough = max(near, default=0) + self._longest
        self._cache: dict[tuple[int, int], Characters] = {}
        _check(pattern, machine, letters, self._distances[0], length)

    def _shortest(self, kind: int) -> int:
        """Return the ids of the shortest character of a class, FAR if none can be written."""
        least = min((ids for _, ids in self._members.get(kind, [])), default=FAR)
        return min(least, self._other or FAR) if kind == self._machine.other else least

    def _most_ids(self, kind: int) -> int:
        """Return at least the ids of the longest character of a class."""
        most = max((ids for _, ids in self._members.get(kind, [])), default=0)
        return self._longest if kind == self._machine.other and self._other else most

    def begin(self, before: str) -> State:
        """Return the first state, whatever stands before."""
        return 0

    def needed(self, state: State) -> int:
        """Return how many ids the shortest way to a match takes."""
        return self._distances[cast(int, state)]

    def most(self, state: State) -> int | None:
        """Return how many ids may follow at most, None without a limit."""
        most = self._most[cast(int, state)]
        return None if most >= FAR else most

    def allowed(self, state: State, left: int) -> Characters:
        """Return the characters after which a match can still be reached in time."""
        at = cast(int, state)
        left = min(left, self._enough)
        found = self._cache.get((at, left))
        if found is None:
            chosen: set[str] = set()
            others = 0
            for kind, after in self._machine.moves[at].items():
                room = left - self._distances[after]
                chosen.update(char for char, ids in self._members.get(kind, []) if ids <= room)
                if kind == self._machine.other and 0 < self._other <= room:
                    others = min(room, self._longest)
            found = self._cache[at, left] = Characters(frozenset(chosen), self._named, others)
        return found

    def advance(self, state: State, char: str) -> State:
        """Return the state after `char`."""
        kind = self._machine.class_of(char)
        assert kind is not None
        return self._machine.moves[cast(int, state)][kind]


def _distances(machine: Automaton, ids: Callable[[int], int]) -> list[int]:
    """Return how many ids lie between each state and the nearest end: Dijkstra, backwards.

    ids: of the shortest character of a class.
    """
    into: list[list[tuple[int, int]]] = [[] for _ in machine.moves]
    for state, moves in enumerate(machine.moves):
        for kind, after in moves.items():
            if (cost := ids(kind)) < FAR:
                into[after].append((state, cost))
    distances = [FAR] * len(machine.moves)
    reached = [(0, state) for state in machine.ends]
    while reached:
        distance, state = heapq.heappop(reached)
        if distance < distances[state]:
            distances[state] = distance
            for before, cost in into[state]:
                heapq.heappush(reached, (distance + cost, before))
    return distances


def _longest_ways(machine: Automaton, distances: list[int], ids: Callable[[int], int]) -> list[int]:
    """Return how many ids can follow each state at most; FAR where a loop can be walked for ever.

    ids: of the longest character of a class, 0 if none can be written.
    """
    after = [
        [
            (state, ids(kind))
            for kind, state in moves.items()
            if ids(kind) and distances[state] < FAR
        ]
        for moves in machine.moves
    ]
    into: list[list[int]] = [[] for _ in after]
    for state, ways in enumerate(after):
        for target, _ in ways:
            into[target].append(state)
    # From the states that nothing follows backwards: what is never reached stands before a loop.
    open_ways = [len(ways) for ways in after]
    most = [FAR] * len(after)
    done = [state for state, count in enumerate(open_ways) if count == 0]
    for state in done:  # grows on the way
        most[state] = max((ids_ + most[target] for target, ids_ in after[state]), default=0)
        for before in into[state]:
            open_ways[before] -= 1
            if open_ways[before] == 0:
                done.append(before)
    return most


def _check(pattern: str, machine: Automaton, letters: Letters, distance: int, length: int) -> None:
    """Raise UsageError if no text of `length` ids that the model can write matches."""
    if distance <= length:
        return
    if distance < FAR:
        raise UsageError(
            f"the regular expression {pattern!r} matches no text of less than {distance:,} "
            f"{letters.unit}, and the length is {length:,}; make the length greater"
        )
    missing = _missing(machine, letters)
    if missing is None:
        raise UsageError(f"the regular expression {pattern!r} matches no text at all")
    named = ", ".join(map(repr, missing))
    raise UsageError(
        f"the regular expression {pattern!r} needs characters that the model does not know or may "
        f"not write, such as {named}; leave them out of it"
    )


def _missing(machine: Automaton, letters: Letters) -> list[str] | None:
    """Return which characters the match lacks that lacks fewest; None if there is no match."""
    example: dict[int, str] = {}
    for char, kind in machine.classes.items():
        if kind not in example or (letters.ids(char) and not letters.ids(example[kind])):
            example[kind] = char
    if machine.other is not None:
        example.setdefault(machine.other, "any other character")
    lacks = 10_000  # more than any way is long

    def ids(kind: int) -> int:
        known = letters.ids(example[kind]) if len(example[kind]) == 1 else 0
        if kind == machine.other and letters.shortest_but(frozenset(machine.classes)):
            known = known or 1
        return known or lacks

    distances = _distances(machine, ids)
    if distances[0] >= FAR:
        return None
    missing, state = [], 0
    while state not in machine.ends:
        kind, state = min(
            machine.moves[state].items(), key=lambda move: ids(move[0]) + distances[move[1]]
        )
        if ids(kind) == lacks and example[kind] not in missing:
            missing.append(example[kind])
    return missing[:5]
