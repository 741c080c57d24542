"""What of a text was left out, and why: a note a reason, with a few names."""

NAMED = 3


class Skipped:
    """Counts what is skipped of one kind, files or records, by the reason."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.count = 0
        self._found: dict[str, tuple[int, list[str]]] = {}

    def add(self, why: str, name: str) -> None:
        """Count one; why: goes on after "skipped 2 files that are"."""
        self.count += 1
        count, names = self._found.get(why, (0, []))
        self._found[why] = (count + 1, names if len(names) == NAMED else [*names, name])

    def notes(self) -> list[str]:
        """Return a sentence for each reason."""
        return [
            f"skipped {count:,} {self.kind}{' that is' if count == 1 else 's that are'} {why}: "
            + ", ".join(names)
            + (", …" if count > len(names) else "")
            for why, (count, names) in self._found.items()
        ]
