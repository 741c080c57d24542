"""How should the weights begin?

RNN and LSTM begin with weights of 0.01, uniform in ±1/√H, or with an orthogonal recurrent matrix,
and are trained alike. Beside their losses stands how far back a gradient reaches before the first
step: with 0.01 it is gone after a character or two.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from char_rnn import CharRNN, Corpus
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.gradients import places, reach
from char_rnn.lab.loop import ends_of_ten, of_ten, steps
from char_rnn.pictures.figure import Axis, Figure, Panel, over_seeds
from char_rnn.training.optimisers import Adam

USES = ("text", "seeds")
CELLS = ("rnn", "lstm")
INITS = {"normal": "normal, 0.01", "uniform": "uniform, ±1/√H", "orthogonal": "orthogonal"}


MEANS = (
    "Small weights make a network that neither reads nor remembers: until they have grown it knows "
    "how often each character comes, and no more. An orthogonal matrix neither shortens nor "
    "lengthens a gradient, so the recurrent weights learn from the first step on. A longer run, or "
    "a higher learning rate, makes up for a part of it; an LSTM, whose forget gate begins open, "
    "has less to gain."
)


def run(
    given: Given,
    characters: int = 200_000,
    iterations: int = 600,
    hidden_size: int = 64,
    rate: float = 0.003,
    back: int = 50,
    streams: int = 32,
) -> Result:
    """Train both cells from each beginning with Adam at `rate`, and measure the reach before."""
    corpus = given.corpus(characters, least=40 * back)
    ks = [k for k in (1, 2, 3, 5, 7, 10, 15, *range(20, back + 1, 5)) if k <= back]
    jobs = [
        (cell, init, corpus, seed, hidden_size, iterations, rate, ks, streams)
        for cell in CELLS
        for init in INITS
        for seed in given.every_seed
    ]
    done = iter(given.each(_measured, jobs))
    numbers: dict[str, Any] = {"characters_back": ks}
    for cell in CELLS:
        numbers[cell] = {}
        for init in INITS:
            seeds = [next(done) for _ in given.every_seed]
            numbers[cell][init] = {name: [seed[name] for seed in seeds] for name in seeds[0]}
    return Result(_figure(numbers, iterations), numbers, _found(numbers, iterations), MEANS)


def _measured(
    cell: str,
    init: str,
    corpus: Corpus,
    seed: int,
    hidden_size: int,
    iterations: int,
    rate: float,
    ks: list[int],
    streams: int,
) -> dict[str, list[float]]:
    """Return the gradient's norm over k of a new network, and its losses, of every ten steps."""
    V, first = corpus.vocabulary.size, (hidden_size, cell)
    ids = places(corpus, 2 * ks[-1] + 1, streams, np.random.default_rng(seed))
    rng = np.random.default_rng(seed)
    exact = CharRNN(V, *first, init=init, rng=rng, dtype="float64")
    model = CharRNN(V, *first, init=init, rng=np.random.default_rng(seed))
    taken = steps(model, corpus, Adam(), rate, iterations, seed, limit=5.0)
    return {
        "reach": reach(exact, ids, ks),
        "losses": of_ten(np.mean, [step.loss for step in taken]),
    }


def _figure(numbers: dict[str, Any], iterations: int) -> Figure:
    def panel(cell: str, what: str, title: str, x: Axis, y: Axis) -> Panel:
        at = numbers["characters_back"] if what == "reach" else ends_of_ten(iterations)
        lines = [over_seeds(at, numbers[cell][init][what], name) for init, name in INITS.items()]
        return Panel(f"{cell.upper()}: {title}", x, y, lines)

    back = Axis("characters back", low=0)
    norm = Axis("norm of the gradient (nats a unit of h)", log=True)
    iteration, loss = Axis("iterations", low=0), Axis("training loss (nats a character)")
    panels = [
        *(panel(cell, "losses", "the loss of training", iteration, loss) for cell in CELLS),
        *(panel(cell, "reach", "a gradient before the first step", back, norm) for cell in CELLS),
    ]
    return Figure(
        "Where a gradient reaches back from the beginning, learning begins at once", panels
    )


def _found(numbers: dict[str, Any], iterations: int) -> str:
    def each(cell: str, value: Callable[[dict[str, Any]], float], form: str) -> str:
        return ", ".join(
            f"{value(numbers[cell][init]):{form}} ({name})" for init, name in INITS.items()
        )

    def loss(at: int) -> Callable[[dict[str, Any]], float]:
        return lambda found: float(np.median([losses[at] for losses in found["losses"]]))

    ends, ks = ends_of_ten(iterations), numbers["characters_back"]
    early, ten = max(len(ends) // 3 - 1, 0), ks.index(min(ks, key=lambda k: abs(k - 10)))
    said = [
        f"{cell.upper()}, loss after {ends[early]} iterations: {each(cell, loss(early), '.2f')}; "
        f"after {ends[-1]}: {each(cell, loss(-1), '.2f')}."
        for cell in CELLS
    ]
    reached = each("rnn", lambda found: float(np.median(found["reach"], axis=0)[ten]), ".0e")
    return " ".join([*said, f"{ks[ten]} characters back the RNN's gradient is {reached}."])
