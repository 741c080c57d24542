"""What is handed to a trainer beside its config: one's own optimiser, schedule and callbacks.

Files cannot hold them. A run whose optimiser or schedule is its own says in config.json, under
`own`, what they are, and every checkpoint says it too: an optimiser by its class and constants, as
in `Lion(weight_decay=0.0, beta1=0.9, beta2=0.99)`, a schedule by its name. `train.optimizer` and
`train.schedule` are then what they would have been. Who goes on hands over the same again. That a
function or class of the same name still does the same, is for its owner to see.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict

from char_rnn.config import TrainConfig
from char_rnn.errors import RunError, UsageError
from char_rnn.schedules import Schedule
from char_rnn.storage.reading import StrPath, shown
from char_rnn.training.events import Event
from char_rnn.training.optimisers import Optimizer, make_optimizer
from char_rnn.training.team import Team

Callback = Callable[[Event], object]
"""Is called with every event, before anybody else sees it. If it is an object that has a method
`begin`, that is called with the trainer before its first step: there is the model."""


class Own(TypedDict, total=False):
    """What `Trainer` takes."""

    optimizer: Optimizer | type[Optimizer] | None
    schedule: Schedule | None
    callbacks: Sequence[Callback]
    team: Team


def check_usable(own: Own) -> None:
    """Raise UsageError for what no trainer takes, before anything is made of it."""
    make_optimizer(TrainConfig(), own.get("optimizer"))
    schedule = own.get("schedule")
    if schedule is not None:
        as_schedule(schedule)
    as_callbacks(own.get("callbacks", ()))


def named(own: Own, config: TrainConfig) -> dict[str, str]:
    """Return what files say of `own` in a run of `config`; nothing where it has nothing."""
    optimizer = own.get("optimizer")
    chosen = None if optimizer is None else make_optimizer(config, optimizer)
    return described(chosen, own.get("schedule"))


def described(optimizer: Optimizer | None, schedule: Schedule | None) -> dict[str, str]:
    """Return what files say of an own optimiser and an own schedule; nothing of None."""
    found = {}
    if optimizer is not None:
        found["optimizer"] = optimizer.described
    if schedule is not None:
        found["schedule"] = _name(schedule)
    return found


def check_same(own: dict[str, str], before: dict[str, str], where: StrPath) -> None:
    """Raise RunError unless `own` is what the file `where` was made with, both `described`."""
    for kind in ("optimizer", "schedule"):
        now, then = own.get(kind), before.get(kind)
        if now == then:
            continue
        if then is None:
            raise RunError(
                f"{shown(where)} was made without an own {kind}, and a run goes on as it began; "
                f"leave {now} out"
            )
        given = "" if now is None else f", not {now}"
        raise RunError(
            f"{shown(where)} was made with the {kind} {then}, which no file holds; hand over the "
            f"same again, char_rnn.resume(run, {kind}=...){given}"
        )


def check_function(name: str, given: object, arguments: int, what: str) -> None:
    """Raise UsageError unless `given` can be called with as many `arguments`; what: it must be."""
    try:
        inspect.signature(given).bind(*range(arguments))  # type: ignore[arg-type]
    except ValueError:  # one of C's, that does not tell
        pass
    except TypeError:
        raise UsageError(f"{name} is {given!r}; it must be {what}") from None


def as_schedule(schedule: Schedule) -> Schedule:
    """Return `schedule`, which raises UsageError where it is no number from 0 up."""
    check_function(
        "schedule",
        schedule,
        2,
        "a function of the progress, 0 to 1, and the iteration, which returns what the learning "
        "rate is multiplied by",
    )

    def value(progress: float, iteration: int) -> float:
        found: object = schedule(progress, iteration)
        try:
            factor = float(found)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            factor = math.nan
        if not (math.isfinite(factor) and factor >= 0):
            what = found if math.isnan(factor) else factor
            raise UsageError(
                f"the schedule {_name(schedule)} is {what!r} at iteration {iteration:,}; it must "
                "be a finite number from 0 up"
            )
        return factor

    return value


def as_callbacks(callbacks: Sequence[Callback]) -> tuple[Callback, ...]:
    """Return `callbacks` as a tuple; raise UsageError for what is no sequence of functions."""
    if not isinstance(callbacks, Iterable):
        raise UsageError(
            f"callbacks is {callbacks!r}; it must be a list of functions, each of an event"
        )
    called = tuple(callbacks)
    for callback in called:
        check_function("a callback", callback, 1, "a function of an event")
    return called


def _name(schedule: Schedule) -> str:
    return str(getattr(schedule, "__name__", type(schedule).__name__))
