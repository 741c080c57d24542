"""A sweep as it was asked for, and the jobs that it is made of."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from char_rnn import __version__
from char_rnn.data.corpus import Corpus
from char_rnn.errors import UsageError
from char_rnn.runs.new import MODEL_FIELDS, TEXT_FIELDS, TRAIN_FIELDS, NewRun
from char_rnn.sweeps.vary import Value, Varied

SAMPLERS = ("grid", "random", "tpe")
MOST_JOBS = 10_000
Point = dict[str, Value]


@dataclass(frozen=True)
class Spec:
    """What is compared.

    text: its name. varied: what differs between rows. settings: what all have in common.
    seeds: each row is trained with rng_seed 0 … seeds − 1, each a job of its own.
    sampler: "grid" for all combinations; "random" for `trials` that are drawn; "tpe" for `trials`
        that Optuna chooses by what came of those before.
    prune: whether jobs that do worse than most others at the same share of their time are ended.
    text_sha256: of the text.
    """

    text: str
    varied: tuple[Varied, ...]
    seeds: int
    settings: dict[str, Any] = field(default_factory=dict)
    sampler: str = "grid"
    trials: int | None = None
    prune: bool = False
    text_sha256: str = ""

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise UsageError(
                f"sampler is {self.sampler!r}; it must be one of {', '.join(SAMPLERS)}"
            )
        for each in self.varied:
            if each.name in self.settings:
                raise UsageError(f"{each.name} is both varied and given; leave one of them out")
            if self.sampler == "grid" and each.is_range:
                raise UsageError(
                    f"a grid needs the values of {each.name}, not a range; list them, or take "
                    "--sampler random or tpe"
                )
        if (self.trials is None) == (self.sampler != "grid"):
            raise UsageError(
                "trials has no effect on a grid, which has all combinations (--trials)"
                if self.sampler == "grid"
                else f"how many rows {self.sampler} draws is not said; give --trials N"
            )
        if not 1 <= self.count * self.seeds <= MOST_JOBS:
            raise UsageError(
                f"{self.count:,} rows × {self.seeds:,} seeds are {self.count * self.seeds:,} "
                f"trainings; at least 1 and at most {MOST_JOBS:,} are possible"
            )

    @property
    def count(self) -> int:
        """How many rows there are."""
        if self.trials is not None:
            return self.trials
        return math.prod(len(each.values) for each in self.varied)

    @property
    def names(self) -> list[str]:
        """The settings that differ."""
        return [each.name for each in self.varied]

    def point(self, row: int) -> Point | None:
        """Return what a row sets; None where Optuna chooses it when its turn has come."""
        if self.sampler == "grid":
            values = list(itertools.product(*(each.values for each in self.varied)))[row]
            return dict(zip(self.names, values, strict=True))
        if self.sampler == "random":
            rng = np.random.default_rng([row, 0x5EED])
            return {each.name: _drawn(each, rng) for each in self.varied}
        return None

    def fingerprint(self) -> dict[str, Any]:
        """Return what must be the same for all who work on it, as plain data."""
        return {
            "version": __version__,
            "text": self.text_sha256,
            "vary": [each.to_list() for each in self.varied],
            "seeds": self.seeds,
            "sampler": self.sampler,
            "trials": self.trials,
            "prune": self.prune,
            "settings": {name: _plain(value) for name, value in sorted(self.settings.items())},
        }


def _drawn(varied: Varied, rng: np.random.Generator) -> Value:
    if varied.values:
        return varied.values[int(rng.integers(len(varied.values)))]
    share, low, high = float(rng.random()), varied.low, varied.high
    drawn = low * (high / low) ** share if varied.log else low + (high - low) * share
    return round(drawn) if varied.kind is int else float(f"{drawn:.4g}")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def checked(spec: Spec, corpus: Corpus) -> None:
    """Raise UsageError unless every row can be trained on `corpus`."""
    common = {n: v for n, v in spec.settings.items() if n in MODEL_FIELDS | TRAIN_FIELDS}
    if corpus.parts(float(common.get("val_fraction", 0.05)))[1:] == (corpus.length,) * 2:
        raise UsageError(
            "a sweep compares validation losses, and of this text nothing is set aside; take a "
            "longer one, or a larger --val_fraction"
        )
    for row in range(spec.count):
        point = spec.point(row) or _corner(spec)
        try:
            NewRun(corpus, common | point, save=False)
        except UsageError as error:
            said = ", ".join(f"{name} {value}" for name, value in point.items())
            raise UsageError(f"{error} (with {said})") from None


def _corner(spec: Spec) -> Point:
    """Return values that a row could have, where none are known yet."""
    return {
        each.name: each.values[0] if each.values else each.kind(each.low) for each in spec.varied
    }


def read_fields(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of how a text is read."""
    return {name: value for name, value in settings.items() if name in TEXT_FIELDS}
