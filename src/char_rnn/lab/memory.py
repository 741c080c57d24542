"""Why can a feedforward network not do it?

Lines of digits with one letter in each, k characters before the end, where it is asked for. A
feedforward network reads the last 1, 2, 4 or 8 characters; an RNN, a GRU and an LSTM read them all,
one after the other. All learn from as many lines, with k drawn anew for each. How often are they
right, over k?
"""

import numpy as np

from char_rnn import CharRNN, cross_entropy
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.mlp import MLP
from char_rnn.lab.recall import CHANCE, V, accuracy, learn, lines, read, spelled
from char_rnn.pictures.figure import Axis, Figure, Line, Panel, Rule, over_seeds

USES = ("seeds",)
CELLS = ("rnn", "gru", "lstm")
BACK = (1, 2, 3, 4, 5, 6, 8, 9, 12, 16, 24, 32, 48, 64, 96, 128)


def run(
    given: Given,
    iterations: int = 800,
    windows: tuple[int, ...] = (1, 2, 4, 8),
    length: int = 32,
    hidden_size: int = 32,
) -> Result:
    """Do it; windows: of the feedforward networks, length: of the lines, both in characters."""
    back = [k for k in BACK if k <= length]
    jobs = [
        (net, back, iterations, length, hidden_size, seed)
        for net in (*windows, *CELLS)
        for seed in given.every_seed
    ]
    found = iter(given.each(_accuracies, jobs))
    names = [f"window {window}" for window in windows] + [cell.upper() for cell in CELLS]
    rows = {name: [next(found) for _ in given.every_seed] for name in names}
    curves = [over_seeds(back, rows[name], name) for name in names]
    of_windows, of_cells = curves[: len(windows)], curves[len(windows) :]
    example = spelled(lines(np.random.default_rng(given.rng_seed), 1, length)[0][:, 0])
    figure = Figure(
        "A window ends; a state goes on",
        [
            _panel("Feedforward: right as far as its window", of_windows),
            _panel("Recurrent: no window at all", of_cells),
        ],
        note=f"A line: {example}; its letter is asked for. Curves that coincide hide each other.",
    )
    numbers = {"example": example, "back": back, "accuracy": rows, "chance": CHANCE}
    return Result(figure, numbers, _found(windows, of_windows, of_cells), MEANS)


def _accuracies(
    net: int | str, back: list[int], iterations: int, length: int, H: int, seed: int
) -> list[float]:
    """Train a network, an MLP of this window or one of this cell; return how often it is right."""
    rng, test = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    if isinstance(net, int):
        mlp = MLP(net, V, H, rng)
        _learn(mlp, rng, iterations, length)
        return [accuracy(mlp.forward, test, length, k) for k in back]
    model = CharRNN(V, H, cell=net, rng=rng)
    learn(model, rng, iterations=iterations, length=length, window=length)
    return [accuracy(lambda ids: read(model, ids, length)[-1], test, length, k) for k in back]


def _learn(mlp: MLP, rng: np.random.Generator, iterations: int, length: int) -> None:
    """Train `mlp` as `recall.learn` trains a CharRNN."""
    for step in range(iterations):
        ids, answers = lines(rng, 64, length)
        _, d_logits = cross_entropy(mlp.forward(ids), answers)
        mlp.step(mlp.backward(d_logits), 3.0 * (1 - step / iterations))


def _panel(title: str, of: list[Line]) -> Panel:
    ticks = {2.0**n: str(2**n) for n in range(8) if 2**n <= of[0].x[-1]}
    return Panel(
        title,
        Axis("k: the letter stood so many characters back", log=True, ticks=ticks),
        Axis("share of right answers", low=0, high=1),
        [*of, Rule(CHANCE, "chance")],
    )


def _found(windows: tuple[int, ...], of_windows: list[Line], of_cells: list[Line]) -> str:
    within: list[float] = []
    past: list[float] = []
    for window, line in zip(windows, of_windows, strict=True):
        for k, y in zip(line.x, line.y, strict=True):
            (within if k <= window else past).append(y)
    cells = ", ".join(f"{line.label} {line.y[-1]:.0%}" for line in of_cells)
    beyond = f"; past it in {min(past):.0%} to {max(past):.0%}" if past else ""
    share = "all" if min(within) > 0.999 else f"at least {min(within):.0%}"
    return (
        f"As far as its window reaches, a feedforward network is right in {share} of the "
        f"lines{beyond}, and guessing gives {CHANCE:.1%}. "
        f"With the letter {of_cells[0].x[-1]:.0f} characters back: {cells}."
    )


MEANS = (
    "A window is a wall: what lies behind it cannot be seen, however long one trains, and a wider "
    "one costs a matrix for every place. A state is handed on from character to character and has "
    "no such end; what it keeps is learned, and gates make that easy. It does not mean that a "
    "recurrent network remembers everything, or for ever: here it is one letter of eight, among "
    "digits that may be forgotten, on lines as long as those that it learned from."
)
