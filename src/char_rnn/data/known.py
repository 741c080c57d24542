"""A text as a model can read it: without the characters that its vocabulary lacks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from char_rnn.data.sources import Source
from char_rnn.data.vocabulary import Vocabulary, code_points
from char_rnn.text_config import TextConfig


@dataclass(frozen=True)
class Known:
    """The `source` less what `vocabulary` does not hold; what stood around it moves together."""

    source: Source
    vocabulary: Vocabulary

    @property
    def name(self) -> str:
        """What the text is called."""
        return self.source.name

    @property
    def where(self) -> str:
        """Where it came from."""
        return self.source.where

    @property
    def notes(self) -> list[str]:
        """What the user should know about it."""
        return self.source.notes

    @property
    def config(self) -> TextConfig:
        """How it is read."""
        return self.source.config

    def chunks(self) -> Iterator[str]:
        """Yield the text in pieces; none is empty."""
        for chunk in self.source.chunks():
            known = self.vocabulary.without_unknown(chunk)
            if known:
                yield known

    def byte_chunks(self) -> Iterator[bytes]:
        """Yield the same as UTF-8."""
        for chunk in self.chunks():
            yield chunk.encode("utf-8", "surrogatepass")

    def key(self) -> str:
        """Return what changes when the text does; never that of the whole text."""
        return f"known {self.source.key()}"

    def left_out(self) -> dict[str, int]:
        """Return how often each character that is left out stands in the text, sorted."""
        found: dict[str, int] = {}
        for chunk in self.source.chunks():
            unknown = self.vocabulary.unknown(chunk)
            if unknown:
                codes, counts = np.unique(code_points(chunk), return_counts=True)
                of = dict(zip(map(chr, codes), map(int, counts), strict=True))
                for char in unknown:
                    found[char] = found.get(char, 0) + of[char]
        return dict(sorted(found.items()))

    def better_form(self) -> str:
        """Return the Unicode form, NFC or NFD, in which less would be left out, "" for none."""
        for chunk in self.source.chunks():
            if self.vocabulary.unknown(chunk):
                return self.vocabulary.best_form(chunk)[0]
        return ""
