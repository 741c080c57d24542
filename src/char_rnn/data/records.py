"""Records of JSON lines and CSV: of each the text in one column."""

import csv
import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from char_rnn.data.skipped import Skipped
from char_rnn.errors import DataError, did_you_mean

MOST = 1 << 24
"""Characters of a record, at most: a quote that is never closed would be all of a file."""

_COLUMNS = 20  # names of them in an error
_PACKED = (".gz", ".bz2", ".xz")
_JSON, _CSV, _TSV = (".jsonl", ".ndjson", ".json"), ".csv", ".tsv"


def form_of(name: str) -> str:
    """Return the form of records in a file of this name: .jsonl, .csv or .tsv; "" for others."""
    plain = name.lower().rstrip("'\"")  # a name that would break a line is quoted
    for suffix in _PACKED:
        plain = plain.removesuffix(suffix)
    if plain.endswith(_JSON):
        return _JSON[0]
    return next((form for form in (_CSV, _TSV) if plain.endswith(form)), "")


class Records:
    """Takes a column out of files, and keeps count of the records that have no text there."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.count = 0
        self._skipped = Skipped("record")
        self._columns: dict[str, None] = {}  # that were found, in order

    def of(self, pieces: Iterator[str], label: str) -> Iterator[str]:
        """Yield the texts in the column of a file, of whatever length; none is empty.

        Raises DataError for a record that is too long, or no CSV.
        """
        form = form_of(label)
        first = next(pieces, "")
        if not form:
            form = _JSON[0] if first.lstrip().startswith("{") else _CSV
        lines = _lines(chain([first], pieces), label)
        found = self._json(lines) if form == _JSON[0] else self._csv(lines, label, form)
        for line, value in found:
            why = self._why_not(value)
            if why:
                self._skipped.add(why, f"line {line:,} of {label or 'the text'}")
                continue
            self.count += 1
            yield value

    def _why_not(self, value: Any) -> str:
        """Return why a value is no text to train on, "" if it is one."""
        if value is _NO_OBJECT:
            return "no JSON object"
        if value is None:
            return f"without {self.column!r}"
        if not isinstance(value, str):
            return f"without a text in {self.column!r}"
        if not value:
            return f"empty in {self.column!r}"
        if _HALF.search(value):
            return f"with half of a surrogate pair in {self.column!r}"
        return ""

    def _json(self, lines: Iterator[str]) -> Iterator[tuple[int, Any]]:
        """Yield the number of each line that is not blank, and what its object has there."""
        for number, line in enumerate(lines, 1):
            if not line or line.isspace():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict):
                yield number, _NO_OBJECT
                continue
            self._see(record)
            yield number, record.get(self.column)

    def _csv(self, lines: Iterator[str], label: str, form: str) -> Iterator[tuple[int, Any]]:
        """Yield the number of the last line of each record, and what it has there."""
        head = next(lines, "")
        delimiters = "\t,;" if form == _TSV else ",;\t"
        named = {d: next(csv.reader([head], delimiter=d), []) for d in delimiters}
        delimiter = next((d for d in delimiters if self.column in named[d]), delimiters[0])
        self._see(dict.fromkeys(named[delimiter]))
        if self.column not in named[delimiter]:
            self._skipped.add(f"without {self.column!r}", f"all of {label or 'the text'}")
            return
        index = named[delimiter].index(self.column)
        csv.field_size_limit(max(MOST, csv.field_size_limit()))  # one for the whole process
        reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
        try:
            for row in reader:
                if row:
                    yield reader.line_num + 1, row[index] if index < len(row) else None
        except csv.Error as error:
            raise DataError(
                f"{label}: line {reader.line_num + 1:,} is no CSV: {error}; mend it, or take the "
                "whole file, without a column"
            ) from None

    def _see(self, names: dict[str, Any]) -> None:
        if len(self._columns) < _COLUMNS:
            self._columns |= dict.fromkeys(names)

    def notes(self) -> list[str]:
        """Return what was left out, and why."""
        return self._skipped.notes()

    def none(self, where: str) -> DataError:
        """Return the error for a text `where` no record has the column."""
        names = list(self._columns)[:_COLUMNS]
        found = f"found: {', '.join(map(repr, names))}" if names else "found no record at all"
        return DataError(
            f"{where}: no record has a text in {self.column!r}"
            f"{did_you_mean(self.column, names)}; {found}"
        )


_NO_OBJECT = object()
_HALF = re.compile("[\ud800-\udfff]")


def _lines(pieces: Iterator[str], label: str) -> Iterator[str]:
    """Yield the lines of a text, without their ends."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        first, *others = piece.split("\n")
        held.append(first)
        size += len(first)
        if size > MOST:
            raise DataError(f"{label}: a line of more than {MOST:,} characters; take other records")
        for line in others:
            yield "".join(held)
            held, size = [line], len(line)
    if held and any(held):
        yield "".join(held)
