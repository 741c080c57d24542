"""How an experiment is run, and several one after the other."""

import dataclasses
import inspect
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from char_rnn.charrnn import CharRNN
from char_rnn.config import MOST_SEED
from char_rnn.data.corpus import Corpus
from char_rnn.data.given import GivenText
from char_rnn.errors import CharRNNError, UsageError, unknown_name
from char_rnn.lab import EXPERIMENTS
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.jobs import Tell
from char_rnn.model.arguments import as_whole
from char_rnn.model.blas import blas_threads
from char_rnn.runs.run import Run
from char_rnn.storage.reading import StrPath

MOST_SEEDS = 1000


def module_of(name: str) -> ModuleType:
    """Return the module of the experiment `name`; raise UsageError if there is none."""
    if name not in EXPERIMENTS:
        raise unknown_name("experiment", name, EXPERIMENTS)
    return import_module(f"char_rnn.lab.{name.replace('-', '_')}")


def uses(name: str) -> tuple[str, ...]:
    """Return which of "text", "model" and "seeds" the experiment `name` takes."""
    found: tuple[str, ...] = module_of(name).USES
    return found


def run(
    name: str,
    *,
    text: GivenText | Corpus | None = None,
    model: CharRNN | Run | StrPath | None = None,
    seeds: int | None = None,
    rng_seed: int | None = None,
    processes: int | None = None,
    progress: Tell | None = None,
    **sizes: Any,
) -> Result:
    """Do the experiment `name` and return what it found.

    text, model: the reader's own, as `train` and `CharRNN.load` take them; None for the usual ones.
    seeds: over how many it is repeated (three), from rng_seed (0) on; the same, the same numbers.
    processes: how many cores it may use, all if None. progress: is told which share is done.
    sizes: what the experiment takes besides, by name: see its file.
    Raises UsageError for what it does not take, and what reading the text or the model raises.
    """
    module = module_of(name)
    for kind, given in {"text": text, "model": model, "seeds": seeds, "rng_seed": rng_seed}.items():
        if given is not None and kind.replace("rng_seed", "seeds") not in module.USES:
            raise UsageError(f"the experiment {name} takes no {kind}; leave it out")
    known = inspect.signature(module.run).parameters
    for size in sizes:
        if size not in list(known)[1:]:
            raise unknown_name(f"setting of {name}", size, list(known)[1:])
    asked = Given(
        seeds=Given.seeds if seeds is None else _whole("seeds", seeds, 1, MOST_SEEDS),
        rng_seed=_whole("rng_seed", rng_seed or 0, 0, MOST_SEED - MOST_SEEDS),
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
        settings=_settings(asked, module.USES) | sizes | result.settings,
        measured=result.measured | {"seconds": round(time.perf_counter() - began, 1)},
    )


def run_all(
    *,
    names: Iterable[str] | None = None,
    text: GivenText | Corpus | None = None,
    model: CharRNN | Run | StrPath | None = None,
    seeds: int | None = None,
    rng_seed: int | None = None,
    progress: Tell | None = None,
    **others: Any,
) -> Iterator[tuple[str, Result | CharRNNError]]:
    """Do several experiments; yield each one's name and result, or why it could not be done.

    names: which ones, all if None.
    Each gets what it takes of text, model and seeds, but for `trace`, whose example is the
    exercise's. The rest is as in `run`.
    """
    given = {"text": text, "model": model, "seeds": seeds, "rng_seed": rng_seed}
    todo = list(EXPERIMENTS if names is None else names)
    for at, name in enumerate(todo):
        taken: dict[str, Any] = {
            kind: value
            for kind, value in given.items()
            if value is not None and kind.replace("rng_seed", "seeds") in uses(name)
        }
        if name == "trace":  # on a page of all, the exercise's own numbers
            taken.pop("model", None)

        def told(share: float, at: int = at) -> None:
            if progress is not None:
                progress((at + share) / len(todo))

        try:
            yield name, run(name, progress=told, **taken, **others)
        except CharRNNError as error:
            yield name, error


def _settings(given: Given, used: tuple[str, ...]) -> dict[str, Any]:
    """Return what makes the numbers what they are."""
    names = {"text": given.name_of_text, "model": given.name_of_model}
    found: dict[str, Any] = {kind: name for kind, name in names.items() if kind in used}
    seeds = {"seeds": given.seeds, "rng_seed": given.rng_seed}
    return found | (seeds if "seeds" in used else {})


def _whole(name: str, value: Any, least: int, most: int) -> int:
    found = as_whole(name, value)
    if not least <= found <= most:
        raise UsageError(f"{name} is {found}; it must be from {least} to {most}")
    return found
