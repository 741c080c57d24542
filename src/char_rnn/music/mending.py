"""What is wrong with a text: an error that names the place, or, mended, a line of what was done."""

from char_rnn.errors import DataError


class Faults:
    """The faults of one text, strict (the first raises DataError) or lenient (they are counted).

    line: the number of the text's first line.
    """

    def __init__(self, text: str, lenient: bool, line: int = 1) -> None:
        self._text, self._lenient, self._first = text, lenient, line
        self._found: dict[str, tuple[int, int]] = {}
        """How often each was met, and where first."""

    def __call__(self, place: int, what: str, detail: str = "") -> None:
        """Meet a fault; detail: more of it, for who mends it by hand."""
        if not self._lenient:
            raise DataError(f"{self._where(place)}: {what}{detail}")
        count, first = self._found.get(what, (0, place))
        self._found[what] = count + 1, first

    def remarks(self) -> list[str]:
        """Return what was met, a line each."""
        return [
            f"{what} (mended; {self._where(place)}"
            + (f", and {count - 1} more)" if count > 1 else ")")
            for what, (count, place) in self._found.items()
        ]

    def _where(self, place: int) -> str:
        line = self._first + self._text.count("\n", 0, place)
        return f"line {line}, place {place - self._text.rfind(chr(10), 0, place)}"
