"""Python that parses: where a text cannot become Python any more, lines are taken back.

At every line end the statement that is open is parsed, never run. Parsing goes from left to right,
so a text can still become Python as long as the parser complains about nothing but its end. Where
it complains about something before, the line is taken back and drawn anew; where that does not
help, more lines are. A statement comes out once the next one begins.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from char_rnn.constrain.statement import Standing, Statement, could_go_on, standing
from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary
from char_rnn.errors import ConstraintNotMet, UsageError
from char_rnn.model.stepper import Stepper
from char_rnn.sample_config import SampleConfig

Array = np.ndarray
Choose = Callable[[Array, int, Array, Array | None], Array]
Ids = tuple[int, ...]

LONGEST_LINE = 200
"""A line that has so many characters and no end has failed."""
MOST_OPEN_LINES = 30
"""So have the lines of a string or bracket that is still open after so many."""
PATIENCE = 4
"""So often a line is drawn anew before lines in front of it are taken back as well."""
ALLOWANCE = 400
"""How many characters past its length a text may go on to make its last statement whole."""
ENOUGH = 0.75
"""Where that does not do, this share of its length is enough."""


@dataclass
class _Start:
    """Where a line begins, so that it can be drawn again.

    state: the network's (S, L, 1, H). written: characters before it. statement: what is open.
    head: what the seed text already has of the line. failures: how often the line has failed.
    tried: lines that did not lead on. forbidden: what must not follow the first ids of a line.
    """

    state: Array
    written: int
    statement: Statement
    head: str = ""
    failures: int = 0
    tried: set[Ids] = field(default_factory=set)
    forbidden: dict[Ids, set[int]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the text before it may end here."""
        return self.statement.complete and not self.head

    @property
    def indents(self) -> bool:
        """Whether blanks are an indentation here, and not within a line, string or bracket."""
        return self.statement.whole == len(self.statement.text) and not self.head


class CodeWriter:
    """Writes Python that parses, statement by statement.

    stepper: of one stream. choose: draws an id, see Chooser.
    effort: characters that may be taken back without the text getting any longer.
    lines_taken_back, characters_taken_back: how much was, so far.
    gave_up: whether the text ended before its length, for the effort was spent.

    Raises UsageError if the vocabulary has no new line.
    """

    def __init__(
        self,
        stepper: Stepper,
        choose: Choose,
        vocabulary: AnyVocabulary,
        effort: int = SampleConfig.effort,
    ) -> None:
        if "\n" not in vocabulary:
            raise UsageError(
                "the model knows no new line, and Python is written in lines; "
                "train it on source code, for example on python-code"
            )
        self._stepper, self._choose, self._vocabulary = stepper, choose, vocabulary
        self._effort = effort
        self._newline = int(vocabulary.encode("\n")[0])
        self._blanks = {int(vocabulary.encode(c)[0]): c for c in " \t" if c in vocabulary}
        self.lines_taken_back = 0
        self.characters_taken_back = 0
        self.gave_up = False

    def write(self, seed: str, length: int) -> Iterator[str]:
        """Yield what follows `seed`, statement by statement; `seed` and all of it parse.

        After `length` characters it ends at the first line end where the text parses; if none
        comes within ALLOWANCE, at an earlier one. Raises UsageError if `seed` cannot be the
        beginning of Python, and ConstraintNotMet if nothing that parses follows it.
        """
        known = len(seed)
        for text in self._statements(seed, length):
            if text[known:]:
                yield text[known:]
            known = max(0, known - len(text))

    def _statements(self, seed: str, length: int) -> Iterator[str]:
        """Yield the statements of `seed` and of what follows it."""
        yield from self._read(seed)
        self._written = np.zeros((1, length + ALLOWANCE + LONGEST_LINE + 1), np.intp)
        self._spent = self._farthest = 0
        self._best = self._starts[0].statement.text if self._starts[0].complete else ""
        self._forget_back_off()
        came = length == 0 and self._starts[0].complete
        while True:
            start, enough = self._starts[-1], length
            if start.written > length + ALLOWANCE:
                self._back_to(self._last_complete())
                start, enough = self._starts[-1], int(length * ENOUGH)
            if start.complete and start.written >= enough:
                written, text = start.written, start.statement.text
                break
            if self._spent > self._effort:
                self.gave_up = True
                written, text = self._farthest, self._best
                break
            finished = self._line(start)
            if finished:
                came = came or start.written > 0
                yield finished
        if not came and not written:
            raise ConstraintNotMet(
                f"no statement that parses came out of {self.characters_taken_back:,} characters; "
                "lower the temperature, begin with a text such as 'def ', raise the effort, "
                "or take a model of source code"
            )
        if text:
            yield text

    def _last_complete(self) -> int:
        """Return the number of the last start before which the text parses, or 0."""
        return max((i for i, start in enumerate(self._starts) if start.complete), default=0)

    def _read(self, seed: str) -> Iterator[str]:
        """Yield the whole statements of `seed`; make a start of the rest."""
        statement = Statement()
        *lines, head = seed.split("\n")
        for number, line in enumerate(lines, 1):
            finished, more = statement.add(line + "\n")
            if more is None:
                raise _not_python(line, number)
            if finished:
                yield finished
            statement = more
        if not could_go_on(statement.text + head):
            raise _not_python(head, len(lines) + 1)
        self._stepper.begin(self._stepper.initial_state())
        for idx in self._vocabulary.beginning(seed):
            self._stepper.step(np.array([idx]))
        self._starts = [_Start(self._stepper.state(), 0, statement, head)]

    def _forget_back_off(self) -> None:
        self._deepest, self._back = 0, 1

    def _line(self, start: _Start) -> str:
        """Draw a line; return the statement that it finishes, often none.

        If it leads nowhere it is taken back, and maybe more lines are.
        """
        ids = self._draw(start)
        text = self._decode(ids)
        if ids in start.tried or text is None:
            self._fail(start, ids)
            return ""
        finished, statement = start.statement.add(start.head + text)
        if statement is None:
            self._fail(start, ids)
            return ""
        if statement.open_lines > MOST_OPEN_LINES:
            self._fail(start, ids, statement.open_lines)
            return ""
        self._stepper.step(np.array([self._newline]))
        state = self._stepper.state()
        if finished:
            self._starts = [_Start(start.state, start.written, Statement(), start.head)]
        written = start.written + len(ids)
        self._starts.append(_Start(state, written, statement))
        if finished or len(self._starts) > self._deepest:
            self._forget_back_off()
        if finished:
            self._farthest, self._best = start.written, ""
        if statement.complete and written > self._farthest:
            self._farthest, self._best, self._spent = written, statement.text, 0
        return finished

    def _draw(self, start: _Start) -> Ids:
        """Return the ids of a line, up to its end or the longest that a line may be.

        A line that was tried before will change, so that no temperature is too low to go on: where
        it goes wrong, and if it does not, where it is least certain.
        """
        self._stepper.begin(start.state)
        logits = self._stepper.logits()
        drawn: list[int] = []
        margins: list[float] = []
        # The indentation so far; None once it is over, or where blanks are no indentation.
        blanks = "" if start.indents else None
        while True:
            at = start.written + len(drawn)
            allowed = self._allowed(start, drawn, blanks)
            last = self._choose(logits, at, self._written[:, :at], allowed)
            idx = int(last[0])
            if start.tried:
                margins.append(_margin(logits[0], idx, allowed))
            self._written[0, at] = idx
            drawn.append(idx)
            if blanks is not None:
                blanks = blanks + self._blanks[idx] if idx in self._blanks else None
            if idx == self._newline or len(drawn) == LONGEST_LINE:
                break
            logits = self._stepper.step(last)
        ids = tuple(drawn)
        if ids in start.tried:
            wrong = self._wrong(start, ids)
            places = np.argsort(margins) if wrong is None else range(wrong, -1, -1)
            for place in map(int, places):
                if margins[place] < np.inf:  # something else is left there
                    start.forbidden.setdefault(ids[:place], set()).add(ids[place])
                    break
        return ids

    def _wrong(self, start: _Start, ids: Ids) -> int | None:
        """Return where a line can become Python no more; None if it can."""
        before, last = start.statement.text + start.head, len(ids) - 1

        def wrong(place: int) -> bool:
            return not could_go_on(before + self._vocabulary.decode(ids[: place + 1]))

        place = bisect_left(range(last), True, key=wrong)
        if place < last:
            return place
        whole = before + self._vocabulary.decode(ids)
        return last if standing(whole) is Standing.HOPELESS else None

    def _allowed(self, start: _Start, drawn: list[int], blanks: str | None) -> Array | None:
        """Return what may follow the first ids of a line, (V,); None if everything may.

        Of blanks only those that lead to an indentation that Python would take.
        """
        allowed = None
        if blanks is not None:
            allowed = np.full(self._vocabulary.size, start.statement.may_stand(blanks))
            for idx, blank in self._blanks.items():
                allowed[idx] = start.statement.may_indent(blanks, blank)
            allowed[self._newline] |= not blanks
        forbidden = start.forbidden.get(tuple(drawn)) if start.forbidden else None
        if forbidden is not None:
            if allowed is None:
                allowed = np.ones(self._vocabulary.size, bool)
            allowed[list(forbidden)] = False
        return allowed

    def _decode(self, ids: Ids) -> str | None:
        """Return the text of a line; None if it has no end or is not UTF-8."""
        if ids[-1] != self._newline:
            return None
        if not isinstance(self._vocabulary, ByteVocabulary):
            return self._vocabulary.decode(ids)
        try:
            return self._vocabulary.decode_bytes(ids).decode("utf-8")
        except UnicodeDecodeError:
            return None

    def _fail(self, start: _Start, ids: Ids, lines: int = 1) -> None:
        """Take back the line `ids`, `lines` with it; more if lines have failed here often.

        Each time that does not help the number doubles, up to the whole statement.
        """
        start.tried.add(ids)
        start.failures += 1
        self._deepest = max(self._deepest, len(self._starts))
        if start.failures % PATIENCE == 0:
            lines = max(lines, 1 + self._back)
            self._back *= 2
        self.lines_taken_back += 1
        self._count(len(ids))
        self._back_to(max(0, len(self._starts) - lines))

    def _back_to(self, index: int) -> None:
        """Take back the lines from the one that begins at `self._starts[index]`."""
        if index == 0:
            self._forget_back_off()
        later = self._starts[index + 1 :]
        if not later:
            return
        start = self._starts[index]
        start.tried.add(tuple(self._written[0, start.written : later[0].written].tolist()))
        self.lines_taken_back += len(later)
        self._count(later[-1].written - start.written)
        del self._starts[index + 1 :]

    def _count(self, characters: int) -> None:
        self.characters_taken_back += characters
        self._spent += characters


def _margin(logits: Array, idx: int, allowed: Array | None) -> float:
    """Return by how many nats `idx` is likelier than the best of the others; ∞ without others."""
    others = logits.astype(np.float64)
    if allowed is not None:
        others[~allowed] = -np.inf
    others[idx] = -np.inf
    return float(logits[idx] - others.max())


def _not_python(line: str, number: int) -> UsageError:
    return UsageError(
        f"the seed text cannot be the beginning of Python: line {number}, {line!r}, does not parse"
    )
