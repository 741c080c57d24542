"""What came of a sweep: a row for each setting, over its seeds."""

import json
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from char_rnn.config import LENGTHS, PLANNED, ModelConfig, TrainConfig
from char_rnn.formats import LOSS
from char_rnn.recipes import TRAIN_RECIPE
from char_rnn.settings import settings_of
from char_rnn.storage.fields import Kind, Maybe, number, read, record, whole
from char_rnn.sweeps.jobs import OWNER, POINT, place_of, read_point
from char_rnn.sweeps.spec import Point, Spec
from char_rnn.sweeps.training import ERROR, USED

if TYPE_CHECKING:
    from optuna import Study

_USED: Kind = record(
    {
        "model": lambda value: ModelConfig.from_dict(value).to_dict(),
        "train": lambda value: TrainConfig.from_dict(value).to_dict(),
        "parameters": whole(1, 2**53),
        "seconds": number(0),
        "characters": whole(0, 2**53),
        "iterations": whole(0, 2**53),
        "val_loss": Maybe(LOSS),
    }
)
NEVER = frozenset({"rng_seed", "vocab_size", "end", "threads"})
"""What a command does not say: the text gives it, or it is said otherwise."""
TRAINED, PRUNED, FAILED, RUNNING = "trained", "pruned", "failed", "running"


@dataclass(frozen=True)
class Outcome:
    """One training: of a row with a seed.

    status: TRAINED, PRUNED, FAILED or RUNNING. used: what it was trained with and came to, None
        where it did not get so far. loss: of the best model, nats a character. why: it failed.
    """

    seed: int
    status: str
    used: dict[str, Any] | None = None
    loss: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One setting over its seeds: means and spreads are of those that were trained to their end.

    point: what it sets; None where that is not chosen yet.
    """

    number: int
    point: Point | None
    outcomes: tuple[Outcome, ...]

    @property
    def losses(self) -> list[float]:
        """Validation losses, nats a character."""
        return [found.loss for found in self.outcomes if found.loss is not None]

    @property
    def loss(self) -> float | None:
        """Their mean."""
        return mean(self.losses) if self.losses else None

    @property
    def spread(self) -> float | None:
        """Their standard deviation, as of a sample (n − 1); None for fewer than two."""
        return stdev(self.losses) if len(self.losses) > 1 else None

    def mean_of(self, name: str) -> float | None:
        """Return the mean of what its trainings came to, such as "seconds" or "parameters"."""
        found = [each.used[name] for each in self.outcomes if each.used and each.loss is not None]
        return mean(found) if found else None

    def count(self, status: str) -> int:
        """Return how many of its trainings are so."""
        return sum(found.status == status for found in self.outcomes)


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep.

    place: where it is kept. text: its name. names: the settings that differ.
    rows: the best first; those without a loss come last.
    where: the text as `char-rnn train` is told of it.
    """

    place: str
    text: str
    names: list[str]
    seeds: int
    rows: list[Row]
    where: Sequence[str] = ()
    fingerprint: dict[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> Row | None:
        """The row with the lowest mean loss, of those whose seeds all came to their end, if any."""
        whole_ones = [row for row in self.rows if len(row.losses) == self.seeds]
        return next(iter(whole_ones or [row for row in self.rows if row.losses]), None)

    @property
    def done(self) -> int:
        """How many trainings are over."""
        return sum(found.status != RUNNING for row in self.rows for found in row.outcomes)

    @property
    def total(self) -> int:
        """How many trainings there are in all."""
        return len(self.rows) * self.seeds

    def commands(self) -> list[str]:
        """Return, for each row, the command that repeats its first seed; "" where there is none."""
        return [self._command(row) for row in self.rows]

    def _command(self, row: Row) -> str:
        first = next((found for found in row.outcomes if found.used), None)
        return "" if first is None else command_of(self.where or [self.text], first)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "text": self.text,
            "sweep": self.fingerprint,
            "rows": [
                {
                    "settings": row.point,
                    "loss": row.loss,
                    "spread": row.spread,
                    "seconds": row.mean_of("seconds"),
                    "parameters": row.mean_of("parameters"),
                    "command": self._command(row),
                    "seeds": [
                        {
                            "seed": found.seed,
                            "status": found.status,
                            "loss": found.loss,
                            "why": found.why or None,
                            "used": found.used,
                        }
                        for found in row.outcomes
                    ],
                }
                for row in self.rows
            ],
        }

    def table(self) -> str:
        """Return it as a table, with the command that repeats the best row."""
        from char_rnn.sweeps.table import table

        return table(self)

    def figure(self) -> Any:
        """Return a picture of it (`char_rnn.pictures`): `svg()`, `chart()`, `save(path)`."""
        from char_rnn.sweeps.picture import figure

        return figure(self)

    def __repr__(self) -> str:
        best = self.best
        said = "" if best is None else f", best {best.loss:.4f}"
        return f"Sweep({self.text}: {self.done} of {self.total} trainings{said})"


def results(study: "Study", spec: Spec, place: str, where: Sequence[str] = ()) -> Sweep:
    """Return what came of a sweep until now."""
    found: dict[tuple[int, int], Outcome] = {}
    points: dict[int, Point] = {}
    for trial in study.get_trials(deepcopy=False):
        at = place_of(trial.user_attrs, spec)
        if at is None or at in found or trial.state.name in ("FAIL", "WAITING"):
            continue
        if trial.state.name == "RUNNING" and OWNER not in trial.user_attrs:
            continue
        found[at] = _outcome(trial, at[1])
        point = read_point(trial.user_attrs.get(POINT), spec.varied)
        if point is not None:
            points.setdefault(at[0], point)
    rows = [
        Row(
            row,
            spec.point(row) or points.get(row),
            tuple(found[row, seed] for seed in range(spec.seeds) if (row, seed) in found),
        )
        for row in range(spec.count)
    ]
    rows.sort(key=lambda row: (math.inf if row.loss is None else row.loss, row.number))
    return Sweep(place, spec.text, spec.names, spec.seeds, rows, where, spec.fingerprint())


def _outcome(trial: Any, seed: int) -> Outcome:
    used = None
    try:
        used = read(_USED, json.loads(trial.user_attrs[USED]), "the sweep")
    except Exception:  # whatever stands there, it is no training of ours
        used = None
    why = str(trial.user_attrs.get(ERROR, ""))[:500]
    if trial.state.name == "RUNNING":
        return Outcome(seed, RUNNING)
    loss = None if used is None or trial.state.name != "COMPLETE" else used.get("val_loss")
    if loss is not None:
        return Outcome(seed, TRAINED, used, loss)
    return Outcome(seed, FAILED if why or used is None else PRUNED, used, None, why)


def _usual(config: type, name: str) -> Any:
    """Return what `char-rnn train` takes where nothing is said, and nothing is planned."""
    for place in (TRAIN_RECIPE, TRAIN_RECIPE.train):
        if hasattr(place, name):
            return getattr(place, name)
    return getattr(config, name)


def command_of(where: Sequence[str], outcome: Outcome) -> str:
    """Return the command that repeats a training: with all that was chosen for it."""
    assert outcome.used is not None
    said = ["char-rnn", "train", *where]
    parts = ((ModelConfig, outcome.used["model"]), (TrainConfig, outcome.used["train"]))
    minutes = outcome.used["train"]["minutes"]
    for config, values in parts:
        for name, about in settings_of(config).items():
            value = values[name]
            if name in NEVER or value is None or not about.option:
                continue
            if name == "reset_after" and outcome.used["model"]["cell"] != "gru":
                continue
            planned = minutes is not None and name in PLANNED
            if value == _usual(config, name) and not planned and name not in LENGTHS:
                continue
            flag = isinstance(value, bool) and bool(about.opposite or not about.planned)
            if not flag:
                said += [f"--{name}", str(value).lower() if isinstance(value, bool) else str(value)]
            elif value:
                said.append(f"--{name}")
            elif about.opposite:
                said.append(f"--{about.opposite}")
    return f"{shlex.join(said)} --rng_seed {outcome.seed}"
