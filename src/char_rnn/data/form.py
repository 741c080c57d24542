"""The form that characters are taken in: a Unicode normal form, lower case. Never undone."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

Name = Literal["NFC", "NFD", "NFKC", "NFKD"]


@dataclass(frozen=True)
class Form:
    """A Unicode normal form, "" for none, and whether all is in lower case."""

    normalize: str = ""
    lowercase: bool = False

    def __bool__(self) -> bool:
        return bool(self.normalize or self.lowercase)

    def __call__(self, text: str) -> str:
        """Return `text` in this form."""
        if self.normalize:
            text = unicodedata.normalize(cast(Name, self.normalize), text)
        if self.lowercase:
            text = text.lower()
            if self.normalize:  # lower case may leave it: İ becomes i and a dot
                text = unicodedata.normalize(cast(Name, self.normalize), text)
        return text

    def chunks(self, chunks: Iterable[str]) -> Iterator[str]:
        """Yield what `chunks` are together in this form, in pieces that are not empty."""
        if not self:
            yield from chunks
            return
        held: list[str] = []
        for chunk in chunks:
            cut = _last_cut(chunk)
            if cut:
                yield from filter(None, [self("".join([*held, chunk[:cut]]))])
                held = []
            held.append(chunk[cut:])
        yield from filter(None, [self("".join(held))])


def _last_cut(chunk: str) -> int:
    """Return the last place in `chunk` before which it may be cut, 0 for none.

    White space and ideographs take no part in what stands before them: in no normal form, nor in
    the rule for a sigma at the end of a word.
    """
    for at in range(len(chunk) - 1, 0, -1):
        if chunk[at].isspace() or "\u4e00" <= chunk[at] <= "\u9fff":
            return at
    return 0
