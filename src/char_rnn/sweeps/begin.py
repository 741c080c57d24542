"""The front door: begin a sweep, or join one that others work on."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from char_rnn.data.corpus import Corpus
from char_rnn.data.given import GivenText, as_source
from char_rnn.data.sources import STDIN
from char_rnn.errors import SweepError, UsageError
from char_rnn.model.blas import available_threads
from char_rnn.runs.words import worded_for_python
from char_rnn.storage import write_bytes, write_json
from char_rnn.storage.reading import StrPath, as_path
from char_rnn.sweeps.results import Sweep, results
from char_rnn.sweeps.spec import Spec, checked, read_fields
from char_rnn.sweeps.store import FINGERPRINT, check_extra, is_url, open_study
from char_rnn.sweeps.vary import as_varied
from char_rnn.sweeps.worker import spec_of, task_of
from char_rnn.text_config import TextConfig
from char_rnn.training.parallel import ONE_BLAS_THREAD, own_group, with_package

FOLDER = Path("sweeps")
NAME = "sweep"
LOOK = 0.2
PATIENCE = 60.0
"""Seconds that workers have for the step in hand, when they are to stop."""
Told = Callable[[Sweep], object]


def sweep(
    text: GivenText,
    vary: Mapping[str, Any] | Iterable[str],
    *,
    seeds: int = 3,
    sampler: str = "grid",
    trials: int | None = None,
    prune: bool = False,
    out: StrPath | None = None,
    storage: str | None = None,
    name: str = NAME,
    jobs: int | None = None,
    on_change: Told | None = None,
    **settings: Any,
) -> Sweep:
    """Train every setting of a sweep over its seeds, and return what came of it.

    text: a file, a folder, a built-in text, or a list of such; every worker reads it.
    vary: by name a list of values, or a text such as "128,256" or, to draw from, "0.001..0.01".
    seeds: each setting is trained with rng_seed 0 … seeds − 1.
    sampler: "grid" for all combinations; "random" and "tpe" for `trials` settings that are drawn,
        or chosen by what came of those before.
    prune: end trainings that are worse than the median of the others at the same share of their
        length. What was ended so counts in no mean.
    out: the folder where it is kept, sweeps/NAME of the text by default; or
    storage: the URL of a database that Optuna knows (sqlite:///file, postgresql://…), and
    name: of the sweep in it.
    jobs: trainings side by side in processes of this machine; None for as many as there are cores.
    on_change: is called with what came of it so far, whenever a training has ended.
    settings: of ModelConfig, TrainConfig and TextConfig, as `train` takes them; `threads` is 1.

    Whoever asks for the same at the same place, at the same time on other machines or later, shares
    the work: what was done is not done again, and what a worker that was killed had in hand is.
    Ctrl-C ends the trainings in hand, which are then done anew by whoever comes.
    Raises UsageError for wrong settings, SweepError where it cannot be kept, MissingExtra without
    Optuna.
    """
    with worded_for_python():
        check_extra()
        spec, corpus = _asked(text, vary, seeds, sampler, trials, prune, settings)
        place = _place(out, storage, corpus.name)
        if jobs is not None and (type(jobs) is not int or jobs < 1):
            raise UsageError(f"jobs is {jobs!r}; it must be a whole number from 1 up")
        threads = spec.settings.get("threads", 1)
        count = jobs or max(1, available_threads() // int(threads))
        study = open_study(place, name, spec)
        where = [corpus.where] if isinstance(corpus.where, str) else list(corpus.where)
        task = task_of(spec, place, name, where, corpus.config)
        count = min(count, spec.count * spec.seeds)

        def now() -> Sweep:
            return results(study, spec, place, where)

        try:
            _work(task, count, now, on_change)
        finally:
            found = now()
            if not is_url(place):
                write_results(found, Path(place))
        return found


def shown_sweep(out: StrPath | None, storage: str | None = None, name: str = NAME) -> Sweep:
    """Return what came of a sweep so far, without working on it."""
    if out is None and storage is None:
        raise UsageError("which sweep is meant? Give its folder, or its --storage")
    place = storage or str(as_path("out", out or ""))
    study = open_study(place, name, None)
    task = json.loads(study.user_attrs[FINGERPRINT])
    try:
        spec = spec_of(task | {"text_name": str(task.get("name", place))})
    except Exception as error:  # whatever stands there
        raise SweepError(f"{place}: what is swept there cannot be read ({error})") from None
    return results(study, spec, place)


def write_results(found: Sweep, folder: Path) -> None:
    """Write the numbers and the picture of a sweep into its folder."""
    write_json(folder / "results.json", found.to_dict())
    if any(row.losses for row in found.rows):
        write_bytes(folder / "results.svg", found.figure().svg().encode())


def _asked(
    text: GivenText,
    vary: Mapping[str, Any] | Iterable[str],
    seeds: int,
    sampler: str,
    trials: int | None,
    prune: bool,
    settings: dict[str, Any],
) -> tuple[Spec, Corpus]:
    for count, said in ((seeds, "seeds"), (trials, "trials")):
        if count is not None and (type(count) is not int or count < 1):
            raise UsageError(f"{said} is {count!r}; it must be a whole number from 1 up")
    if "rng_seed" in settings:
        raise UsageError("rng_seed is 0, 1, … for the seeds; leave it out")
    settings = {"threads": 1} | settings
    spec = Spec("", as_varied(vary), seeds, settings, sampler, trials, prune)
    if isinstance(text, bytes) or (isinstance(text, str) and "\n" in text):
        raise UsageError("every worker reads the text; write it into a file, and name that")
    corpus = Corpus.from_source(as_source(text, TextConfig(**read_fields(settings))))
    where = [corpus.where] if isinstance(corpus.where, str) else corpus.where
    if STDIN in where:
        raise UsageError("every worker reads the text; standard input can be read only once")
    spec = replace(spec, text=corpus.name, text_sha256=corpus.sha256)
    checked(spec, corpus)
    return spec, corpus


def _place(out: StrPath | None, storage: str | None, text: str) -> str:
    if out is not None and storage is not None:
        raise UsageError("a sweep is kept in a folder or in a database; leave out or storage out")
    if storage is None:
        return str(FOLDER / text if out is None else as_path("out", out))
    if not is_url(storage):
        raise UsageError(
            "storage must be the URL of a database, such as sqlite:///sweep.db or "
            "postgresql://user@host/name; a folder is --out"
        )
    return storage


def _work(task: dict[str, Any], count: int, now: Callable[[], Sweep], told: Told | None) -> None:
    """Let workers do the jobs; raise SweepError where one fails, when all have ended."""
    workers: list[_Worker] = []
    done = -1
    try:
        for _ in range(count):
            workers.append(_Worker(task))
        while any(worker.runs for worker in workers):
            time.sleep(LOOK)
            if told is not None and (found := now()).done != done:
                done = found.done
                told(found)
    finally:
        for worker in workers:
            worker.stop()
        failures = [why for worker in workers if (why := worker.end())]
    if failures:
        raise SweepError(f"a worker of the sweep has ended: {failures[0]}")


class _Worker:
    """A worker process, seen from here."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "char_rnn.sweeps.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=with_package() | ONE_BLAS_THREAD,
                **own_group(),
            )
        except OSError as error:
            self._errors.close()
            raise SweepError(f"a worker process could not be started: {error}") from error
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            self._process.stdin.flush()

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Let it end after the step in hand."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def end(self) -> str:
        """Wait for its end; return why it failed, "" if it did not."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        self._errors.close()
        if not code:
            return ""
        return lines[-1] if lines else f"with the exit code {code}"
