"""How long should the window be?

The gradient is cut off where a window begins. Lines of digits with one letter, k characters before
the end, where it is asked for, and an RNN that learns from the last T characters of each; its state
begins with zeros there, or is carried over from the characters before. Once with lines of a single
k, and once with every k among them. Then a real text, in windows of 5 to 200 characters: the loss
over the characters that were read, and over the seconds that it took.
"""

from operator import call
from typing import Any

import numpy as np

from char_rnn import CharRNN
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.learning import Learned, at_equal_seconds, learn_text, panel
from char_rnn.lab.recall import CHANCE, V, accuracy, learn, read
from char_rnn.pictures.figure import Axis, Figure, Panel, Rule, over_seeds

USES = ("text", "seeds")
BACK = (2, 3, 4, 5, 6, 8, 9, 10, 12, 16)
STATES = {"zeros": False, "carried": True}
SETTINGS: dict[str, Any] = {"learning_rate": 0.005, "schedule": "constant"}
"""Of the trainings on text."""


def run(
    given: Given,
    iterations: int = 200,
    reaches: tuple[int, ...] = (2, 4, 8),
    back: tuple[int, ...] = BACK,
    length: int = 20,
    windows: tuple[int, ...] = (5, 10, 25, 50, 100, 200),
    characters: int = 120_000,
    hidden_size: int = 64,
) -> Result:
    """Do it.

    iterations: on lines of one k; four times as many on lines of every k. reaches, back, length: T
    and k there, and characters of a line. windows: those that the text is read in; characters: how
    many are read; hidden_size: units of the RNN that reads them.
    """
    text = given.passage(characters * 11 // 10)
    kinds = [(T, state) for T in reaches for state in STATES]
    jobs: dict[Any, tuple[Any, ...]] = {}
    for seed in given.every_seed:
        for T, state in kinds:
            for k in back:
                jobs[T, state, k, seed] = (_right, T, state, length, (k,), iterations, seed)
            jobs[T, state, seed] = (_right, T, state, length, back, 4 * iterations, seed)
        for T in windows:
            jobs[T, seed] = (_read_in, text, T, characters, hidden_size, seed)
    found = dict(zip(jobs, given.each(call, jobs.values()), strict=True))
    one = {
        kind: [[found[*kind, k, seed][0] for k in back] for seed in given.every_seed]
        for kind in kinds
    }
    every = {kind: [found[*kind, seed] for seed in given.every_seed] for kind in kinds}
    read_in = {T: [found[T, seed] for seed in given.every_seed] for T in windows}
    figure = Figure(
        "How far a window reaches, and what it costs",
        [
            _of_lines("Lines of one k: little past the window", back, one),
            _of_lines("Lines of every k: a carried state goes on", back, every),
            panel(f"Windows on {given.name_of_text}", "characters", read_in, "{} characters"),
            panel("The same over seconds", "seconds", read_in, "{} characters"),
        ],
        note="Carried: the state goes on from window to window, the gradient does not.",
    )
    numbers = {
        "back": list(back),
        "chance": CHANCE,
        "right_one_k": {_name(*kind): rows for kind, rows in one.items()},
        "right_every_k": {_name(*kind): rows for kind, rows in every.items()},
        "reach_one_k": {_name(*kind): _reach(back, rows) for kind, rows in one.items()},
        "reach_every_k": {_name(*kind): _reach(back, rows) for kind, rows in every.items()},
        "characters": {str(T): rows[0].characters for T, rows in read_in.items()},
        "val_loss": {str(T): [row.losses for row in rows] for T, rows in read_in.items()},
    }
    measured = {"val_loss_at_equal_seconds": at_equal_seconds(read_in)}
    return Result(figure, numbers, _found(numbers, reaches), MEANS, measured)


def _right(
    T: int, state: str, length: int, back: tuple[int, ...], iterations: int, seed: int
) -> list[float]:
    """Train an RNN on lines of one k, or of every k if `back` has several; return its accuracy."""
    rng, test = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    model, carried = CharRNN(V, 32, cell="rnn", rng=rng), STATES[state]
    k = back[0] if len(back) == 1 else None
    learn(model, rng, iterations=iterations, length=length, window=T, carried=carried, back=k)
    return [accuracy(lambda ids: read(model, ids, T, carried)[-1], test, length, k) for k in back]


def _read_in(text: str, T: int, characters: int, H: int, seed: int) -> Learned:
    """Train an RNN on `text` in windows of T."""
    return learn_text(text, characters, seed, seq_length=T, hidden_size=H, **SETTINGS)


def _of_lines(
    title: str, back: tuple[int, ...], rows: dict[tuple[int, str], list[list[float]]]
) -> Panel:
    Ts = sorted({T for T, _ in rows})
    lines = [
        over_seeds(back, found, _name(*kind), dashed=not STATES[kind[1]], colour=Ts.index(kind[0]))
        for kind, found in rows.items()
    ]
    ticks = {2.0**n: str(2**n) for n in range(8) if back[0] <= 2**n <= back[-1]}
    return Panel(
        title,
        Axis("k: the letter stood so many characters back", log=True, ticks=ticks),
        Axis("share of right answers", low=0, high=1),
        [*lines, Rule(CHANCE, "chance")],
    )


def _name(T: int, state: str) -> str:
    return f"T = {T}, {state}"


def _reach(back: tuple[int, ...], rows: list[list[float]]) -> int:
    """Return the largest k up to which, in the median of the seeds, half of the lines are right."""
    reach = 0
    for k, right in zip(back, np.median(rows, axis=0), strict=True):
        if right < 0.5:
            break
        reach = k
    return reach


def _found(numbers: dict[str, Any], reaches: tuple[int, ...]) -> str:
    def reach(of: str, state: str) -> str:
        return ", ".join(str(numbers[of][_name(T, state)]) for T in reaches)

    last = {T: float(np.median([row[-1] for row in r])) for T, r in numbers["val_loss"].items()}
    best, worst = min(last, key=last.__getitem__), max(last, key=last.__getitem__)
    return (
        f"With T = {', '.join(map(str, reaches))}, half of the lines of one k are right up to k = "
        f"{reach('reach_one_k', 'zeros')} if the state begins with zeros, and up to "
        f"{reach('reach_one_k', 'carried')} if it is carried; of the lines of every k, up to "
        f"{reach('reach_every_k', 'zeros')} and up to {reach('reach_every_k', 'carried')} (none "
        f"further than {numbers['back'][-1]} was asked for). On the text the loss after as many "
        f"characters is lowest with windows of {best} ({last[best]:.2f} nats) and highest with "
        f"those of {worst} ({last[worst]:.2f})."
    )


MEANS = (
    "A gradient that is cut off cannot teach to keep what lies behind the cut. A carried state "
    "still brings a little of it along by itself, and a network that learned over short distances "
    "to keep something keeps it over long ones too: carry the state, and a window may be shorter "
    "than what a text remembers. Short windows lead on the text because they take more steps for "
    "as many characters, and their lead shrinks over seconds, for each step costs some; a training "
    "as short as this does not show what long windows gain later."
)
