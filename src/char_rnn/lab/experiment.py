"""What an experiment is given, what it returns, and how one is run."""

import dataclasses
import inspect
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from char_rnn.charrnn import CharRNN
from char_rnn.config import MOST_SEED
from char_rnn.data.corpus import Corpus
from char_rnn.data.given import GivenText, as_source
from char_rnn.errors import MissingExtra, TextTooShort, UsageError, unknown_name
from char_rnn.lab import EXPERIMENTS
from char_rnn.lab.jobs import Tell, each
from char_rnn.model.arguments import as_whole
from char_rnn.model.blas import blas_threads
from char_rnn.pictures.figure import Picture
from char_rnn.runs.run import Run
from char_rnn.storage import write_json
from char_rnn.storage.finite import finite
from char_rnn.storage.models import SHIPPED
from char_rnn.storage.reading import StrPath

TEXT = "python-docs"
"""The text where nobody names one: it is in every Python."""
MOST_SEEDS = 1000


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
    name, question, settings: of the experiment, filled in by `run`.
    """

    figure: Picture = field(repr=False)
    numbers: dict[str, Any] = field(repr=False)
    found: str
    means: str = field(repr=False)
    measured: dict[str, Any] = field(default_factory=dict, repr=False)
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
        return paths

    def _repr_html_(self) -> str:
        return self.figure.svg()


def module_of(name: str) -> ModuleType:
    """Return the module of the experiment `name`; raise UsageError if there is none."""
    if name not in EXPERIMENTS:
        raise unknown_name("experiment", name, EXPERIMENTS)
    return import_module(f"char_rnn.lab.{name.replace('-', '_')}")


def uses(name: str) -> tuple[str, ...]:
    """Return which of "text" and "model" the experiment `name` takes."""
    found: tuple[str, ...] = module_of(name).USES
    return found


def run(
    name: str,
    *,
    text: GivenText | Corpus | None = None,
    model: CharRNN | Run | StrPath | None = None,
    seeds: int = Given.seeds,
    rng_seed: int = Given.rng_seed,
    processes: int | None = None,
    progress: Tell | None = None,
    **sizes: Any,
) -> Result:
    """Do the experiment `name` and return what it found.

    text, model: the reader's own, as `train` and `CharRNN.load` take them; None for the usual ones.
    seeds: over how many it is repeated, from rng_seed on: the same give the same numbers.
    processes: how many cores it may use, all if None. progress: is told which share is done.
    sizes: what the experiment takes besides, by name: see its file.
    Raises UsageError for what it does not take, and what reading the text or the model raises.
    """
    module = module_of(name)
    for kind, given in (("text", text), ("model", model)):
        if given is not None and kind not in module.USES:
            raise UsageError(f"the experiment {name} takes no {kind}; leave it out")
    known = inspect.signature(module.run).parameters
    for size in sizes:
        if size not in list(known)[1:]:
            raise unknown_name(f"setting of {name}", size, list(known)[1:])
    asked = Given(
        seeds=_whole("seeds", seeds, 1, MOST_SEEDS),
        rng_seed=_whole("rng_seed", rng_seed, 0, MOST_SEED - MOST_SEEDS),
        text=text,
        of_model=model,
        processes=processes,
        tell=progress,
    )
    began = time.perf_counter()
    with blas_threads(1):
        result: Result = module.run(asked, **sizes)
    return dataclasses.replace(
        result,
        name=name,
        question=EXPERIMENTS[name],
        settings=_settings(asked, module.USES) | sizes,
        measured=result.measured | {"seconds": round(time.perf_counter() - began, 1)},
    )


def _settings(given: Given, used: tuple[str, ...]) -> dict[str, Any]:
    """Return what makes the numbers what they are."""
    names = {"text": given.name_of_text, "model": given.name_of_model}
    found: dict[str, Any] = {kind: name for kind, name in names.items() if kind in used}
    return found | {"seeds": given.seeds, "rng_seed": given.rng_seed}


def _whole(name: str, value: Any, least: int, most: int) -> int:
    found = as_whole(name, value)
    if not least <= found <= most:
        raise UsageError(f"{name} is {found}; it must be from {least} to {most}")
    return found


def _name(given: Any, otherwise: str) -> str:
    """Return what a text or a model is called; one that was handed over itself has no name."""
    if isinstance(given, Path):
        return given.name
    if isinstance(given, str) and "\n" not in given:
        return Path(given).name or given
    if isinstance(given, Run) and given.folder is not None:
        return given.folder.name
    return otherwise
