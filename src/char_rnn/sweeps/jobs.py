"""Who does which job of a sweep.

A job is one training: a row of the table with one seed. It is a trial of the study, put into the
queue once; two who put it there at the same instant make two trials, of which the first one counts.
Whoever takes a job says who he is, and every few seconds that he is alive. The job of one who is
not is put into the queue again.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from char_rnn.sweeps.spec import Point, Spec
from char_rnn.sweeps.vary import Varied, as_value

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

ROW, SEED, OWNER, ALIVE, POINT = "row", "seed", "owner", "alive", "point"
"""Attributes of a trial."""
BEAT, DEAD = 10.0, 60.0
"""Seconds between two signs of life, and without one after which a worker is dead."""


class Job(NamedTuple):
    """A training that this process has taken."""

    trial: "Trial"
    row: int
    seed: int
    point: Point


class Jobs:
    """The jobs of a study, for one process that works on it.

    spec: what they are.
    """

    def __init__(self, study: "Study", spec: Spec) -> None:
        self.study, self._spec = study, spec
        self._owner = json.dumps([socket.gethostname(), os.getpid()])
        self._seen: dict[int, tuple[Any, float]] = {}  # of a trial: its last sign, and since when

    def take(self) -> Job | None:
        """Return a job that nobody does; None where there is none now."""
        self._fill()
        while True:
            if not any(t.state.name == "WAITING" for t in self.study.get_trials(deepcopy=False)):
                return None
            trial = self.study.ask()
            place = place_of(trial.user_attrs, self._spec)
            if place is None or self._is_double(trial.number, place):
                self._drop(trial.number)
                continue
            trial.set_user_attr(OWNER, self._owner)
            row, seed = place
            point = self._spec.point(row)
            point = self._suggested(trial, point)
            trial.set_user_attr(POINT, json.dumps(point))
            return Job(trial, row, seed, point)

    def _fill(self) -> None:
        """Put the jobs into the queue that are in nobody's hands, and that nobody has done."""
        trials = self.study.get_trials(deepcopy=False)
        for trial in trials:
            if trial.state.name == "RUNNING" and self._is_dead(trial):
                self._drop(trial.number)
        there: dict[tuple[int, int], FrozenTrial] = {}
        for trial in self.study.get_trials(deepcopy=False):
            place = place_of(trial.user_attrs, self._spec)
            if place is not None and not _is_dropped(trial):
                there.setdefault(place, trial)
        for row in range(self._spec.count):
            points = [_point_of(there[p], self._spec) for p in there if p[0] == row]
            known = self._spec.point(row) or next(filter(None, points), None)
            for seed in range(self._spec.seeds):
                # What Optuna chooses is chosen once a row: its other seeds wait for the first.
                if (row, seed) not in there and (known or seed == 0):
                    self.study.enqueue_trial(known or {}, {ROW: row, SEED: seed})

    def _suggested(self, trial: "Trial", point: Point | None) -> Point:
        """Return the values of a trial, and let Optuna know which they could have been."""
        found: Point = {}
        for each in self._spec.varied:
            value = _suggest(trial, each)
            found[each.name] = as_value(each.name, each.kind, value)
        return found if point is None else point

    def _is_double(self, number: int, place: tuple[int, int]) -> bool:
        return any(
            trial.number < number
            and place_of(trial.user_attrs, self._spec) == place
            and not _is_dropped(trial)
            for trial in self.study.get_trials(deepcopy=False)
        )

    def _is_dead(self, trial: "FrozenTrial") -> bool:
        """Tell whether who has taken a trial is no longer there."""
        if _has_ended(trial.user_attrs.get(OWNER)):
            return True
        sign, now = trial.user_attrs.get(ALIVE), time.monotonic()
        # Clocks of machines differ: what counts is that the sign changes.
        last, since = self._seen.setdefault(trial.number, (sign, now))
        if last != sign:
            self._seen[trial.number] = (sign, now)
            return False
        return now - since > DEAD

    def _drop(self, number: int) -> None:
        from optuna.trial import TrialState

        self.study.tell(number, state=TrialState.FAIL, skip_if_finished=True)

    def give_back(self, job: Job) -> None:
        """Let others do a job; it begins anew."""
        self._drop(job.trial.number)

    @property
    def in_hand(self) -> bool:
        """Whether somebody does a job."""
        return any(t.state.name == "RUNNING" for t in self.study.get_trials(deepcopy=False))

    @contextmanager
    def alive(self, job: Job) -> Iterator[None]:
        """Say meanwhile that this process is alive."""
        over = threading.Event()

        def beat() -> None:
            count = 0
            while not over.wait(BEAT):
                count += 1
                try:
                    job.trial.set_user_attr(ALIVE, count)
                except Exception:  # the storage is away: it is told where it is needed
                    continue

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def place_of(attributes: dict[str, Any], spec: Spec) -> tuple[int, int] | None:
    """Return (row, seed) of a trial; None for one that is none of the sweep."""
    row, seed = attributes.get(ROW), attributes.get(SEED)
    if type(row) is not int or type(seed) is not int:
        return None
    return (row, seed) if 0 <= row < spec.count and 0 <= seed < spec.seeds else None


def _is_dropped(trial: "FrozenTrial") -> bool:
    """Tell whether a trial counts for nothing: it was given back, or was double."""
    return trial.state.name == "FAIL"


def _point_of(trial: "FrozenTrial", spec: Spec) -> Point | None:
    """Return the values that a trial was given, as the sweep's settings have them."""
    return read_point(trial.user_attrs.get(POINT), spec.varied)


def read_point(said: Any, varied: tuple[Varied, ...]) -> Point | None:
    """Return the values in an attribute; None where they are none of these settings."""
    try:
        found = json.loads(said)
        return {each.name: as_value(each.name, each.kind, found[each.name]) for each in varied}
    except Exception:  # whatever stands there
        return None


def _suggest(trial: "Trial", varied: Varied) -> Any:
    name = varied.name
    if varied.values:
        return trial.suggest_categorical(name, varied.values)
    if varied.kind is int:
        return trial.suggest_int(name, int(varied.low), int(varied.high), log=varied.log)
    return trial.suggest_float(name, varied.low, varied.high, log=varied.log)


def _has_ended(owner: Any) -> bool:
    """Tell whether a process of this machine, as trials name it, is gone."""
    if os.name == "nt":  # where asking for a process would end it
        return False
    try:
        host, pid = json.loads(owner)
        if host != socket.gethostname() or type(pid) is not int or pid <= 1:
            return False
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except Exception:  # somebody else's process, or no name of one
        return False
    return False
