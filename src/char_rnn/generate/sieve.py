"""Only texts that are new: none that is known, and each once."""

from collections.abc import Callable, Generator
from typing import AnyStr

from char_rnn.errors import ConstraintNotMet
from char_rnn.generate.batch import GROUP, Texts

MORE = 1.2  # texts that are written for each that is missing
MOST_AT_ONCE = 100_000
TRIES, LEAST_TRIES = 50, 2_000
"""Texts that are written, for each that is asked for and at least, before it is given up."""


def sifted(
    write: Callable[[int], Texts[AnyStr]],
    count: int,
    is_known: Callable[[AnyStr], bool],
    unique: bool,
) -> Texts[AnyStr]:
    """Return `count` of the texts that `write` makes, in their order.

    write: makes so many texts, other ones each time. is_known: tells of a text that is left out,
    as an empty one is. unique: whether each comes once.
    Raises ConstraintNotMet, after those that were found, where there seem to be no more.
    """

    def texts() -> Generator[AnyStr, None, None]:
        seen: set[AnyStr] = set()
        found = written = 0
        most = max(TRIES * count, LEAST_TRIES)
        while found < count:
            if written >= most:
                raise ConstraintNotMet(
                    f"of {written:,} texts {found:,} were new; ask for fewer than {count:,}, or "
                    "for more daring ones with a higher temperature"
                )
            size = min(max(int(MORE * (count - found)), 2 * GROUP), MOST_AT_ONCE)
            batch = write(size)
            written += size
            try:
                for text in batch:
                    if not text or text in seen or is_known(text):
                        continue
                    if unique:
                        seen.add(text)
                    found += 1
                    yield text
                    if found == count:
                        return
            finally:
                batch.close()

    return Texts(texts(), list)
