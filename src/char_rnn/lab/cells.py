"""What do gates buy?

An RNN, a GRU, an LSTM and a minGRU, each with as many units as make up the same number of
parameters, read the same text, each at the best of a few learning rates: the validation loss over
the characters that were read, and over the seconds that it took.
"""

import dataclasses
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from char_rnn import CharRNN, Vocabulary, register_cell
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.learning import Learned, at_equal_seconds, learn_text, panel
from char_rnn.lab.min_gru import MinGRU
from char_rnn.pictures.figure import Axis, Figure, Line, Panel, over_seeds
from char_rnn.tables import CELLS

USES = ("text", "seeds")
NAMES = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM", "mingru": "minGRU"}

ByRate = dict[float, list[Learned]]
"""Of one cell: its trainings at each learning rate, one of each seed."""


def run(
    given: Given,
    characters: int = 120_000,
    parameters: int = 30_000,
    rates: tuple[float, ...] = (0.005, 0.01, 0.02, 0.04),
) -> Result:
    """Do it; parameters: about how many each network has; rates: those to choose from."""
    text = given.passage(characters * 11 // 10)
    V = Vocabulary(text).size
    with min_gru():
        units = {cell: units_for(cell, V, parameters) for cell in NAMES}
    # The cells take turns, so that other work on the machine slows all of them alike.
    jobs = {
        (cell, rate, seed): (text, characters, cell, units[cell], rate, seed)
        for seed in given.every_seed
        for rate in rates
        for cell in NAMES
    }
    found = dict(zip(jobs, given.each(_learn, jobs.values()), strict=True))
    by_rate = {
        cell: _on_one_clock(
            {rate: [found[cell, rate, seed] for seed in given.every_seed] for rate in rates}
        )
        for cell in NAMES
    }
    best = {cell: _best(of) for cell, of in by_rate.items()}
    learned = {name: by_rate[cell][best[cell]] for cell, name in NAMES.items()}
    figure = Figure(
        f"Cells of {parameters:,} parameters on {given.name_of_text}",
        [
            panel("Each at its best learning rate", "characters", learned),
            panel("The same over seconds", "seconds", learned),
            _of_rates(by_rate),
        ],
    )
    numbers = {
        "units": units,
        "parameters": {cell: of[rates[0]][0].parameters for cell, of in by_rate.items()},
        "learning_rate": best,
        "characters": learned["RNN"][0].characters,
        "val_loss": {name: [one.losses for one in each] for name, each in learned.items()},
        "last_val_loss": {
            cell: {str(rate): [one.losses[-1] for one in each] for rate, each in of.items()}
            for cell, of in by_rate.items()
        },
    }
    measured = {"val_loss_at_equal_seconds": at_equal_seconds(learned)}
    return Result(figure, numbers, _found(numbers, given.name_of_text), MEANS, measured)


@contextmanager
def min_gru() -> Iterator[None]:
    """Let "mingru" be the name of a cell inside; of the reader's, if there is one."""
    if "mingru" in CELLS:
        yield
        return
    register_cell("mingru", MinGRU)
    try:
        yield
    finally:
        del CELLS["mingru"]


def units_for(cell: str, V: int, parameters: int) -> int:
    """Return the H with which a network of `cell` comes nearest to so many parameters."""

    def count(H: int) -> int:
        return CharRNN(V, H, cell=cell, init="uniform").num_parameters

    most = 1
    while count(most) < parameters:
        most *= 2
    H = 1 + bisect_left(range(1, most), parameters, key=count)
    return min((max(1, H - 1), H), key=lambda H: abs(count(H) - parameters))


def _learn(text: str, characters: int, cell: str, H: int, rate: float, seed: int) -> Learned:
    settings: dict[str, Any] = {"learning_rate": rate, "schedule": "constant"}
    with min_gru():
        return learn_text(text, characters, seed, cell=cell, hidden_size=H, **settings)


def _on_one_clock(of: ByRate) -> ByRate:
    """Give all the seconds of the quickest: the same work at each rate; the others waited more."""
    quickest = min((one for each in of.values() for one in each), key=lambda one: one.seconds[-1])
    return {
        rate: [dataclasses.replace(one, seconds=quickest.seconds) for one in each]
        for rate, each in of.items()
    }


def _best(of: ByRate) -> float:
    return min(of, key=lambda rate: float(np.median([one.losses[-1] for one in of[rate]])))


def _of_rates(by_rate: dict[str, ByRate]) -> Panel:
    lines: list[Line] = []
    for cell, of in by_rate.items():
        last = np.transpose([[one.losses[-1] for one in each] for each in of.values()])
        lines.append(over_seeds(of, last, NAMES[cell]))
    least = min(y for line in lines for y in line.y)
    return Panel(
        "The last loss at each learning rate",
        Axis("learning rate", log=True, ticks={rate: f"{rate:g}" for rate in by_rate["rnn"]}),
        Axis("validation loss, nats a character", high=1.6 * least),  # some diverge
        lines,
    )


def _found(numbers: dict[str, Any], text: str) -> str:
    last = {n: float(np.median([y[-1] for y in each])) for n, each in numbers["val_loss"].items()}
    units = {NAMES[cell]: H for cell, H in numbers["units"].items()}
    order = sorted(last, key=last.__getitem__)
    count = numbers["parameters"].values()
    return (
        f"With {min(count):,} to {max(count):,} parameters, after {numbers['characters'][-1]:,} "
        f"characters of {text}, in nats a character: "
        + ", ".join(f"{name} {last[name]:.2f} ({units[name]} units)" for name in order)
        + "."
    )


MEANS = (
    "Gates cost weights: at equal parameters the GRU and the LSTM have about half as many units as "
    "the RNN, and what the gates buy has to outweigh that. The minGRU is the quickest a character, "
    "but its gates do not see the state and cannot depend on what was read before. What gates are "
    "for, to keep something over many characters, a short training on text hardly shows (the "
    "experiment memory does); and no order of cells holds for all sizes, texts and times."
)
