"""The front door: train a model on a text, and go on with a run."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from char_rnn.charrnn import CharRNN
from char_rnn.checks import Boolean
from char_rnn.config import LENGTHS
from char_rnn.data.corpus import Corpus
from char_rnn.data.given import GivenText
from char_rnn.errors import RankDied, UsageError, WorkerDied, did_you_mean
from char_rnn.runs.describe import architecture, calibration, text_line
from char_rnn.runs.going_on import check_free, go_on, only_finished, same_text
from char_rnn.runs.new import MODEL_FIELDS, OF_TEXT, TEXT_FIELDS, TRAIN_FIELDS, NewRun
from char_rnn.runs.run import IN_MEMORY, Run
from char_rnn.runs.watch import SilentWatch, Watch, make_watch
from char_rnn.runs.words import in_python, worded_for_python
from char_rnn.schedules import Schedule
from char_rnn.storage.reading import StrPath, as_path
from char_rnn.training.events import Divergence, End, Event
from char_rnn.training.optimisers import Optimizer
from char_rnn.training.own import Callback, Own, check_function, check_usable
from char_rnn.training.team import ALONE, Team
from char_rnn.training.trainer import Trainer

ECHO = 0.5
"""Seconds in which a second Ctrl-C is the same wish: some shells and terminals send two."""

OnEvent = Callable[[Event], object]
AnyOptimizer = str | Optimizer | type[Optimizer]
"""A name of a setting, or one's own."""


def train(
    text: GivenText | Corpus,
    *,
    out: StrPath | None = None,
    save: bool = True,
    start_from: CharRNN | Run | StrPath | None = None,
    pattern: str | Sequence[str] = (),
    bytes: bool | None = None,
    on_event: OnEvent | None = None,
    progress: bool | None = None,
    optimizer: AnyOptimizer | None = None,
    schedule: str | Schedule | None = None,
    callbacks: Sequence[Callback] = (),
    team: Team = ALONE,
    **settings: Any,
) -> Run:
    """Train a model on `text` and return the run: its model, its curves, its notes.

    text: of these, the first that it is:
        1. a Corpus; a Path to a file or a folder
        2. bytes: the text itself; a str with a line end in it: the text itself
        3. "-": standard input
        4. a str that names a file or folder which is there
        5. the name of a built-in text: python-docs, python-code, shakespeare
    settings: any of ModelConfig and TrainConfig, by name, and of TextConfig, for how the text is
        read. Without `iterations` and `epochs` it trains for `minutes` (two), and what is not given
        is planned for the machine, the text and the time, as `char-rnn train` does; the notes say
        what was chosen, and why.
    out: the run's folder; None makes a new one in runs/.
    save: False trains in memory: nothing is written, and the run has no folder.
    start_from: go on from this model (fine-tuning): a CharRNN, a Run, a file, a run's folder, or
        "shakespeare", the model that comes with the package. It learns the text's new characters.
    pattern, bytes: the settings of these names; one pattern alone may be a str. bytes=None takes a
        text given as bytes, and that of a model of bytes to start from, as bytes.
    on_event: is called with every event of the trainer (training/events.py). What it raises comes
        out when the step in hand is saved.
    progress: False shows nothing. Else a line that moves on a terminal, a panel in a notebook, and
        lines where the output goes elsewhere.
    optimizer, schedule: the settings of these names; or an optimiser of your own, an object or its
        class (training/optimisers.py), and a function of the progress, 0 to 1, and the iteration,
        which the learning rate is multiplied by. `resume` needs the same ones again
        (training/own.py). What is planned, the learning rate too, is planned for AdamW.
    callbacks: functions of an event, called before it is written down and shown; they may change
        the model. What one raises ends the run at once, and its last checkpoint is what is left.
    team: the other processes that train it (docs/cluster.md); every one of them calls this with the
        same arguments. The run of the leader has the folder; another's is in memory, without notes.

    Ctrl-C ends it after the step in hand: what was learned is kept, and the run is returned with a
    note that says how to go on. A second one raises KeyboardInterrupt at once.
    Raises UsageError for a wrong setting, a DataError for a text that cannot be used, a RunError
    or FileError where no folder can be made.
    """
    with worded_for_python(), _watch(progress if team.leads else False) as watch:
        names, own = _names_and_own(optimizer, schedule, callbacks, on_event)
        given = _checked(settings | names | _reading(pattern, bytes))
        _check_flags(save=save)
        if out is not None and not save:
            raise UsageError("out names a folder, and save=False makes none; leave one out")
        new = NewRun(
            text,
            given,
            out=None if out is None else as_path("out", out),
            save=save,
            start_from=start_from.model if isinstance(start_from, Run) else start_from,
            team=team,
        )
        watch.line(f"Text: {text_line(new.corpus)}")
        new.plan()
        run, trainer = new.make(**own)
        if run.folder is not None:
            watch.line(f"Run folder: {run.folder}")
        added = [f"new to the model: {new.added}"] if new.added else []
        run.notes = [in_python(note) for note in (*added, *new.reasons, *run.notes)]
        _to_the_end(run, trainer, watch, on_event)
    return run


def resume(
    run: Run | StrPath | None,
    *,
    text: GivenText | Corpus | None = None,
    on_event: OnEvent | None = None,
    progress: bool | None = None,
    optimizer: Optimizer | type[Optimizer] | None = None,
    schedule: Schedule | None = None,
    callbacks: Sequence[Callback] = (),
    team: Team = ALONE,
    **changes: Any,
) -> Run:
    """Go on with a run, to the same bits as if it had never ended, and return it.

    run: its folder; or a Run, also one in memory.
    text: where the run cannot open its text again, or it has moved; it must be the same.
    changes: settings that may change: iterations, epochs or minutes of the whole run, from its
        beginning; patience, eval_every, sample_every, sample_length, temperature, threads.
    optimizer, schedule: the run's own, if it began with such: the same again.
    on_event, progress, callbacks, team, Ctrl-C: as in `train`. All of a team must see the folder.

    Raises UsageError for other settings, and for a run that is over and stays so with these;
    RunError for what is no run, that another process trains, or whose text has changed.
    """
    with worded_for_python(), _watch(progress if team.leads else False) as watch:
        names, own = _names_and_own(optimizer, schedule, callbacks, on_event)
        own["team"] = team
        given = _checked(changes | names)
        check_free(given)
        if run is None:
            raise UsageError(
                f"the folder is None, as that of {IN_MEMORY} is: hand over the run itself"
            )
        with team.together():
            run = run if isinstance(run, Run) else Run.open(run)
        corpus = None if text is None else same_text(run, text)
        trainer = go_on(run, given, corpus, **own)
        if only_finished(run, trainer):
            run.notes = [f"calibrated: {calibration(run.model.summary)}"]
            return run
        run.notes = [in_python(note) for note in trainer.corpus.notes]
        watch.line(f"Going on at iteration {trainer.iteration:,}")
        _to_the_end(run, trainer, watch, on_event)
    return run


def _names_and_own(
    optimizer: AnyOptimizer | None,
    schedule: str | Schedule | None,
    callbacks: Sequence[Callback],
    on_event: OnEvent | None,
) -> tuple[dict[str, str], Own]:
    """Return the settings among these, by name, and what is the run's own; all are checked."""
    if on_event is not None:
        check_function("on_event", on_event, 1, "a function of an event")
    names: dict[str, str] = {}
    own = Own(callbacks=callbacks)
    if isinstance(optimizer, str):
        names["optimizer"] = optimizer
    elif optimizer is not None:
        own["optimizer"] = optimizer
    if isinstance(schedule, str):
        names["schedule"] = schedule
    elif schedule is not None:
        own["schedule"] = schedule
    check_usable(own)  # before there is a folder
    return names, own


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that say anything; raise UsageError for a name that is none."""
    known = MODEL_FIELDS | TRAIN_FIELDS | TEXT_FIELDS
    for name in settings:
        if name in OF_TEXT:
            raise UsageError(f"{name} comes from the text; leave it out")
        if name not in known:
            raise UsageError(
                f"unknown setting {name!r}{did_you_mean(name, sorted(known))}; known are the "
                "fields of ModelConfig, TrainConfig and TextConfig"
            )
    return {n: value for n, value in settings.items() if n not in LENGTHS or value is not None}


def _check_flags(**flags: object) -> None:
    for name, value in flags.items():
        Boolean()(name, value)


def _reading(pattern: str | Sequence[str], bytes: bool | None) -> dict[str, Any]:
    """Return these settings of how a text is read, where they say anything."""
    patterns = (pattern,) if isinstance(pattern, str) else pattern
    return ({} if patterns == () else {"pattern": patterns}) | (
        {} if bytes is None else {"bytes": bytes}
    )


def _watch(progress: bool | None) -> Watch:
    if progress is not None:
        _check_flags(progress=progress)
    return SilentWatch() if progress is False else make_watch()


def _to_the_end(run: Run, trainer: Trainer, watch: Watch, on_event: OnEvent | None) -> None:
    """Train; show and tell every event; note what the user should know, and how to go on.

    What `on_event` raises, or output that nobody reads any more, ends it after the step in hand,
    and is raised when that is saved.
    """
    run.notes += map(in_python, trainer.notes)
    watch.uniform = math.log(trainer.corpus.vocabulary.size)
    watch.line(f"Architecture: {architecture(trainer)}")
    for note in run.notes:
        watch.line(f"Note: {note}")
    end, failed, diverged = None, None, 0
    folder = trainer.team.told(run.folder)
    name = "run" if folder is None else repr(str(folder))
    again = f"char_rnn.resume({name})"
    trainer.team.going_on(f"go on with {again}")
    with _ctrl_c(trainer):
        try:
            for event in run.follow(trainer):
                end = event
                diverged += isinstance(event, Divergence)
                if failed is not None:
                    continue
                try:
                    if on_event is not None:
                        watch.clear()
                        on_event(event)
                    watch.show(event)
                except Exception as error:
                    failed, trainer.stop = error, True
        except RankDied as error:
            raise RankDied(f"{error}; go on with {again}", error.leader) from error
        except WorkerDied as error:
            alone = f"char_rnn.resume({name}, threads=1)"
            raise WorkerDied(f"{error}; go on with {again} or {alone}") from error
    if failed is not None:
        raise failed
    if isinstance(end, End):
        for note in _notes_of(end, diverged, watch.uniform, again):
            run.notes.append(note)
            watch.line(f"Note: {note}")


def _notes_of(end: End, diverged: int, uniform: float, again: str) -> Iterator[str]:
    """Yield what the user should know of how it ended; uniform: the loss of guessing."""
    if diverged:
        yield (
            f"the loss diverged {diverged} time{'s' * (diverged != 1)}, and training went back to "
            "the last good weights, at half the rate; a lower learning_rate may do better"
        )
    best = end.best_val_loss
    if best is not None and not best < uniform:
        yield (
            f"the best model is no better than guessing (validation loss {best:.4f}, guessing "
            f"{uniform:.4f}); train longer, or with a lower learning_rate"
        )
    if end.reason == "interrupted":
        yield f"stopped at iteration {end.iteration:,}; go on with {again}"


@contextmanager
def _ctrl_c(trainer: Trainer) -> Iterator[None]:
    """Let the first Ctrl-C end training after the step in hand, and the second one at once.

    Only the main thread hears signals; elsewhere, and where a handler is not Python's, nothing
    changes.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    first: float | None = None

    def handle(_: int, __: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if first is not None and now - first > ECHO:
            raise KeyboardInterrupt
        first = now if first is None else first
        trainer.stop = True

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
