"""Where a text ends: with its document, at a stop text, after some lines, with a line."""

from collections.abc import Iterable, Iterator

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.sample_config import SampleConfig

Array = np.ndarray

MOST_MORE = 1000
"""How far past its length a text goes on to the end of its line, at most."""


class Stop:
    """Lets a text through piece by piece, until it has to end.

    It ends before the first stop text that is complete; what might be the beginning of one is held
    back until it is not. `done` is True once nothing more may be written.
    """

    def __init__(self, config: SampleConfig) -> None:
        self._stop, self._ends = config.stop, config.ends
        self._lines = config.lines  # still to be written; 0 for any number
        self._least = config.length if config.until_line_end else None
        self._written = 0
        self._held = ""
        self.done = False

    def feed(self, text: str) -> str:
        """Return what may be written now that `text` has been made."""
        if self.done:
            return ""
        if not self._ends:
            return text
        text, self._held = self._held + text, ""
        end = self._end(text)
        if end is not None:
            self.done = True
            return text[:end]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        text, self._held = text[: len(text) - keep], text[len(text) - keep :]
        self._pass(text)
        return text

    def finish(self) -> str:
        """Return what was held back: nothing more will come."""
        rest, self._held = ("" if self.done else self._held), ""
        return rest

    def _end(self, text: str) -> int | None:
        """Return where `text` ends, or None if it goes on."""
        # What is complete first ends the text, and of two that are complete at once the longer.
        ends = [(at + len(stop), at) for stop in self._stop if (at := text.find(stop)) >= 0]
        if self._lines and text.count("\n") >= self._lines:
            at = -1
            for _ in range(self._lines):
                at = text.index("\n", at + 1)
            ends.append((at + 1, at))
        if self._least is not None:
            at = text.find("\n", max(0, self._least - self._written))
            if at >= 0:
                ends.append((at + 1, at))
        return min(ends)[1] if ends else None

    def _pass(self, text: str) -> None:
        self._written += len(text)
        if self._lines:
            self._lines -= text.count("\n")


def spell(ids: Iterable[int], vocabulary: AnyVocabulary, stop: Stop) -> Iterator[str]:
    """Yield the text of `ids` piece by piece, up to where it or `stop` ends."""
    decoder, end = vocabulary.decoder(), vocabulary.end
    for idx in ids:
        if idx == end:
            break
        text = stop.feed(decoder.feed(idx))
        if text:
            yield text
        if stop.done:
            return
    rest = stop.feed(decoder.finish()) + stop.finish()
    if rest:
        yield rest


def cut(config: SampleConfig, text: str) -> tuple[str, bool]:
    """Return what of a whole `text` is written, and whether it ended of itself."""
    stop = Stop(config)
    return stop.feed(text) + stop.finish(), stop.done


def until_end(ids: Array, vocabulary: AnyVocabulary) -> Array:
    """Return `ids` (n,) up to where their document ends, if it does."""
    if vocabulary.end is None:
        return ids
    ends = np.flatnonzero(ids == vocabulary.end)
    return ids[: ends[0]] if len(ends) else ids


def most_characters(config: SampleConfig) -> int:
    """Return how many characters are made at most."""
    return config.length + (MOST_MORE if config.until_line_end else 0)


def _overlap(text: str, stop: str) -> int:
    """Return how long the longest end of `text` is that begins `stop`."""
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:size]):
            return size
    return 0
