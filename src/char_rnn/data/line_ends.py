"""Line ends: CR LF and CR alone become LF, and are counted so that it can be told."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class LineEnds:
    """Turns line ends into LF, unless they are to be kept; counts what it changed."""

    keep: bool = False
    pairs: int = 0  # CR LF
    single: int = 0  # CR alone

    def of(self, pieces: Iterator[str]) -> Iterator[str]:
        """Yield the `pieces` of a text, none of them empty, with LF at each end of a line.

        A CR at the end of a piece waits for what follows it.
        """
        if self.keep:
            yield from pieces
            return
        waiting = False
        for piece in pieces:
            if not waiting and "\r" not in piece:  # as almost always: nothing is copied
                yield piece
                continue
            piece = "\r" + piece if waiting else piece
            waiting = piece.endswith("\r")
            piece = self._changed(piece[:-1] if waiting else piece)
            if piece:
                yield piece
        if waiting:
            yield self._changed("\r")

    def _changed(self, text: str) -> str:
        pairs = text.count("\r\n")
        self.pairs += pairs
        self.single += text.count("\r") - pairs
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def note(self) -> str:
        """Return what the user should know, "" for nothing."""
        named = ((self.pairs, "CR LF"), (self.single, "CR"))
        found = " and ".join(f"{count:,} {end}" for count, end in named if count)
        return f"line ends read as LF: {found} (--keep_line_ends leaves them)" if found else ""
