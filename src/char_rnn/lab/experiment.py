"""What an experiment is given, and what it returns."""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from char_rnn.charrnn import CharRNN
from char_rnn.data.corpus import Corpus
from char_rnn.data.given import GivenText, as_source
from char_rnn.errors import MissingExtra, TextTooShort
from char_rnn.lab.jobs import Tell, each
from char_rnn.pictures.figure import Picture
from char_rnn.runs.run import Run
from char_rnn.storage import write_json, write_text
from char_rnn.storage.finite import finite
from char_rnn.storage.models import SHIPPED
from char_rnn.storage.reading import StrPath

TEXT = "python-docs"
"""The text where nobody names one: it is in every Python."""


@dataclass(frozen=True)
class Given:
    """What an experiment works on: the reader's text and model, or the usual ones.

    seeds: how many. rng_seed: the first one. processes: how many cores may be used, all if None.
    tell: is told which share of the jobs is done.
    """

    seeds: int = 3
    rng_seed: int = 0
    text: GivenText | Corpus | None = None
    of_model: CharRNN | Run | StrPath | None = None
    processes: int | None = None
    tell: Tell | None = field(default=None, repr=False)

    @property
    def every_seed(self) -> range:
        """The seeds."""
        return range(self.rng_seed, self.rng_seed + self.seeds)

    def passage(self, characters: int, least: int = 2000) -> str:
        """Return the first `characters` of the text, all of a shorter one.

        Raises TextTooShort below `least`, UsageError for a text of bytes, a DataError for one that
        cannot be read.
        """
        found = self._beginning(characters)
        if len(found) < least:
            raise TextTooShort(
                f"{self.name_of_text} has {len(found):,} characters; this experiment needs "
                f"{least:,} at least"
            )
        return found

    def _beginning(self, characters: int) -> str:
        text = TEXT if self.text is None else self.text
        if isinstance(text, Corpus):
            return text.preview(characters)
        pieces, found = [], 0
        for piece in as_source(text).chunks():
            pieces.append(piece)
            found += len(piece)
            if found >= characters:
                break
        return "".join(pieces)[:characters]

    def corpus(self, characters: int, least: int = 2000) -> Corpus:
        """Return that passage as a corpus."""
        return Corpus.from_text(self.passage(characters, least))

    @cached_property
    def _model(self) -> CharRNN:
        given = SHIPPED if self.of_model is None else self.of_model
        if isinstance(given, Run):
            return given.model
        return given if isinstance(given, CharRNN) else CharRNN.load(Path(given))

    def model(self) -> CharRNN:
        """Return the model: the given one, or that which comes with the package."""
        return self._model

    @property
    def name_of_text(self) -> str:
        """What the text is called, for captions."""
        if self.text is None:
            return TEXT
        return _name(self.text, "the text")

    @property
    def name_of_model(self) -> str:
        """What the model is called, for captions."""
        return SHIPPED if self.of_model is None else _name(self.of_model, "the model")

    def each(self, function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Return [function(*job) for job in jobs], computed on all cores, with progress."""
        return each(function, list(jobs), self.processes, self.tell)


@dataclass(frozen=True)
class Result:
    """What an experiment has found.

    numbers: what JSON can hold, equal to the bit for the same seeds, texts and models.
    found: what came out, in two or three sentences. means: what that says, and what it does not.
    measured: what differs from run to run: seconds, and what depends on them.
    page: markup for a page, with what it needs, of what a reader does rather than looks at.
    coloured, plain: a text for the terminal: pieces with their style of rich; without colours.
    files: what `save` writes besides: ending -> text.
    settings: what it was done with; `run` adds what it was given.
    name, question: of the experiment, filled in by `run`.
    """

    figure: Picture = field(repr=False)
    numbers: dict[str, Any] = field(repr=False)
    found: str
    means: str = field(repr=False)
    measured: dict[str, Any] = field(default_factory=dict, repr=False)
    page: str = field(default="", repr=False)
    coloured: list[tuple[str, str]] = field(default_factory=list, repr=False)
    plain: str = field(default="", repr=False)
    files: dict[str, str] = field(default_factory=dict, repr=False)
    name: str = ""
    question: str = ""
    settings: dict[str, Any] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, without the figure; what is not finite is None."""
        found = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "figure"
        }
        ordered = ("name", "question", "settings", "found", "means", "numbers", "measured")
        made: dict[str, Any] = finite({name: found[name] for name in ordered})
        return made

    def save(self, folder: StrPath) -> list[Path]:
        """Write NAME.json, NAME.svg and, where matplotlib is there, NAME.png; return the paths."""
        to = Path(folder)
        to.mkdir(parents=True, exist_ok=True)
        base = to / (self.name or "experiment")
        paths = [base.with_suffix(f".{kind}") for kind in ("json", "svg", "png")]
        write_json(paths[0], self.to_dict())
        self.figure.save(paths[1])
        try:
            self.figure.save(paths[2])
        except MissingExtra:
            paths.pop()
        for ending, text in self.files.items():
            paths.append(base.with_suffix(f".{ending}"))
            write_text(paths[-1], text)
        return paths

    def _repr_html_(self) -> str:
        return self.figure.svg()


def _name(given: Any, otherwise: str) -> str:
    """Return what a text or a model is called; one that was handed over itself has no name."""
    if isinstance(given, Path):
        return given.name
    if isinstance(given, str) and "\n" not in given:
        return Path(given).name or given
    if isinstance(given, Run) and given.folder is not None:
        return given.folder.name
    return otherwise
