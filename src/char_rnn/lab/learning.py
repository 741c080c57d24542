"""One training on a text, and its curve: what the experiments that compare settings repeat."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from char_rnn import Corpus, train
from char_rnn.lab.loop import LOST
from char_rnn.pictures.figure import Axis, Panel, over_seeds
from char_rnn.training.events import Evaluation, Event

POINTS = 8
"""Evaluations on the way."""


@dataclass(frozen=True)
class Learned:
    """How a training went: the validation loss after so many characters and seconds.

    losses: nats a character, LOST where it was not finite. train_loss: of the last 100 windows.
    """

    characters: list[int]
    seconds: list[float]
    losses: list[float]
    train_loss: float
    parameters: int


def learn_text(
    text: str,
    characters: int,
    seed: int,
    batch_size: int = 8,
    seq_length: int = 25,
    **settings: Any,
) -> Learned:
    """Train on `text` until about `characters` are read, its last tenth apart; return how it went.

    settings: as `char_rnn.train` takes them.
    """
    told: list[Event] = []
    every = max(1, characters // (POINTS * batch_size * seq_length))
    run = train(
        Corpus.from_text(text),
        batch_size=batch_size,
        seq_length=seq_length,
        iterations=POINTS * every,
        eval_every=every,
        calibration=0,
        sample_every=0,
        threads=1,
        rng_seed=seed,
        save=False,
        progress=False,
        on_event=told.append,
        **settings,
    )
    points = [event for event in told if isinstance(event, Evaluation)]
    return Learned(
        characters=[point.characters for point in points],
        seconds=[point.seconds for point in points],
        losses=[_finite(point.val_loss) for point in points],
        train_loss=_finite(points[-1].loss),
        parameters=run.model.num_parameters,
    )


def _finite(loss: float | None) -> float:
    return LOST if loss is None or not math.isfinite(loss) else min(loss, LOST)


def at_equal_seconds(learned: Mapping[Any, Sequence[Learned]]) -> dict[str, Any]:
    """Return the losses when the quickest of all had read everything, by straight lines between.

    learned: what is compared -> its trainings, one of each seed.
    """
    clocks = {name: _clock(each) for name, each in learned.items()}
    end = float(min(clock[-1] for clock in clocks.values()))
    losses = {
        str(name): [float(np.interp(end, clocks[name], one.losses)) for one in each]
        for name, each in learned.items()
    }
    return {"seconds": end, "val_loss": losses}


def panel(
    title: str, over: str, learned: Mapping[Any, Sequence[Learned]], label: str = "{}"
) -> Panel:
    """Return the validation losses over "characters" or "seconds", a line for each of `learned`.

    label: of a line, with {} for what is compared.
    """
    lines = [
        over_seeds(
            each[0].characters if over == "characters" else _clock(each),
            [one.losses for one in each],
            label.format(name),
        )
        for name, each in learned.items()
    ]
    axis = Axis("characters read" if over == "characters" else over, log=True)
    return Panel(title, axis, Axis("validation loss, nats a character"), lines)


def _clock(each: Sequence[Learned]) -> list[float]:
    """Return the seconds of the quickest: the same work, and what else a machine does only adds."""
    return min(each, key=lambda one: one.seconds[-1]).seconds
