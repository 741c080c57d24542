"""Why Adagrad?

Plain SGD takes steps as long as the gradient, and a character's input weights have a gradient only
where the character stands: rare ones hardly move. Adagrad divides each weight's step by the root of
all its squared gradients so far, so that what is rare takes larger steps. Five optimisers, each at
the best of a grid of learning rates; and how far the input weights of each character moved.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from char_rnn import CharRNN, Corpus
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.loop import ends_of_ten, of_ten, steps
from char_rnn.pictures.figure import Axis, Figure, Panel, Rule, bars_over_seeds, over_seeds
from char_rnn.training.optimisers import SGD, Adagrad, Adam, Optimizer, RMSProp

Array = np.ndarray

USES = ("text", "seeds")
OPTIMISERS: dict[str, tuple[Callable[[], Optimizer], tuple[float, ...]]] = {
    "SGD": (lambda: SGD(momentum=0.0), (0.1, 0.3, 1.0, 2.0, 4.0)),
    "momentum 0.9": (SGD, (0.01, 0.03, 0.1, 0.3, 1.0)),
    "Adagrad": (Adagrad, (0.01, 0.03, 0.1, 0.2, 0.4)),
    "RMSprop": (RMSProp, (0.001, 0.003, 0.01, 0.02, 0.05)),
    "Adam": (Adam, (0.001, 0.003, 0.01, 0.03, 0.1)),
}
"""Each with its grid of learning rates."""
BANDS = (1, 10, 100, 1_000, 10_000)
"""A character counts as one of a band from so many occurrences on."""
READ = 500
"""Characters that are read from one start where the held-out loss is measured."""

MEANS = (
    "Each optimiser has a learning rate of its own, so that a comparison at one rate says nothing. "
    "Adagrad moves the weights of rare characters as plain SGD does not; those that come a handful "
    "of times need not cost less for it. Its steps shrink for good; RMSprop and Adam forget old "
    "gradients and keep learning. This is one small RNN and a short run: which one ends lowest "
    "after hours, with a schedule, is not shown here."
)


def run(
    given: Given,
    characters: int = 200_000,
    iterations: int = 400,
    hidden_size: int = 64,
    first: int = 0,
    last: int = 4,
) -> Result:
    """Train an RNN with each optimiser at each learning rate.

    first, last: which of the rates of each are tried, from 0.
    """
    corpus = given.corpus(characters, least=5_000)
    rates = {name: of_it[first : last + 1] for name, (_, of_it) in OPTIMISERS.items()}
    jobs = [
        (name, rate, corpus, seed, hidden_size, iterations)
        for name in OPTIMISERS
        for rate in rates[name]
        for seed in given.every_seed
    ]
    done = iter(given.each(_trained, jobs))
    numbers: dict[str, Any] = {"unigram": unigram_loss(corpus), "optimisers": {}}
    for name in OPTIMISERS:
        trained = [[next(done) for _ in given.every_seed] for _ in rates[name]]
        losses = [[one["loss"] for one in of_rate] for of_rate in trained]
        best = int(np.argmin(np.median(losses, axis=1)))
        numbers["optimisers"][name] = {
            "rates": list(rates[name]),
            "losses": losses,
            "best": rates[name][best],
            "seeds": trained[best],
        }
    numbers["bands"] = bands(corpus)
    return Result(_figure(numbers, iterations), numbers, _found(numbers), MEANS)


def _trained(
    name: str, rate: float, corpus: Corpus, seed: int, hidden_size: int, iterations: int
) -> dict[str, Any]:
    """Return the curve of a run, its held-out loss, and how far the rows of each band moved."""
    rng = np.random.default_rng(seed)
    V = corpus.vocabulary.size
    model = CharRNN(V, hidden_size, "rnn", rng=rng, vocabulary=corpus.vocabulary)
    before = model.parameters["rnn.weight_ih_l0"].copy()  # (H, V): a column a character
    optimizer = OPTIMISERS[name][0]()
    taken = steps(model, corpus, optimizer, rate, iterations, seed, limit=1.0, seq_length=25)
    curve = of_ten(np.mean, [step.loss for step in taken])
    moved = np.linalg.norm(model.parameters["rnn.weight_ih_l0"] - before, axis=0)
    nats, targets = held_out(model, corpus)
    counts = occurrences(corpus)
    of_band = [which(counts, band) for band in BANDS]
    return {
        "loss": float(nats.mean()),
        "curve": curve,
        "moved": [_mean(moved[there]) for there in of_band],
        "loss_by_band": [_mean(nats[there[targets]]) for there in of_band],
    }


def held_out(model: CharRNN, corpus: Corpus) -> tuple[Array, Array]:
    """Return −log p of each character that validates, in nats, and which one it was, both (N,).

    It is read in pieces of READ, each from the initial state.
    """
    start, stop = corpus.parts(0.1)[1:]
    T = min(READ, stop - start)
    starts = np.arange(start, stop - T + 1, T)
    ids = corpus.read_rows(starts, T).T.astype(np.intp)  # (T, B)
    return model.surprisal(ids)[1:].ravel(), ids[1:].ravel()


def occurrences(corpus: Corpus) -> Array:
    """Return how often each character stands in the part that trains, (V,)."""
    ids = corpus.read(0, corpus.parts(0.1).train_stop)
    counts: Array = np.bincount(ids, minlength=corpus.vocabulary.size)
    return counts


def unigram_loss(corpus: Corpus) -> float:
    """Return the entropy of single characters in the part that trains, nats."""
    counts = occurrences(corpus)
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum())


def which(counts: Array, band: int) -> Array:
    """Return which characters, (V,) of booleans, are of `band`."""
    above = BANDS[BANDS.index(band) + 1 :]
    found: Array = (counts >= band) & (counts < (above[0] if above else math.inf))
    return found


def bands(corpus: Corpus) -> list[dict[str, float]]:
    """Return of each band how many characters it has, and how often they stand there on average."""
    counts = occurrences(corpus)
    of_band = [counts[which(counts, band)] for band in BANDS]
    return [
        {"characters": len(found), "occurrences": _mean(found), "from": band}
        for band, found in zip(BANDS, of_band, strict=True)
    ]


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else math.nan


def _medians(found: dict[str, Any], name: str) -> Array:
    """Return the median over the seeds of what is measured of each band."""
    medians: Array = np.median([one[name] for one in found["seeds"]], axis=0)
    return medians


def _figure(numbers: dict[str, Any], iterations: int) -> Figure:
    best = numbers["optimisers"]
    there = [k for k, band in enumerate(numbers["bands"]) if band["characters"]]
    often = [numbers["bands"][k]["occurrences"] for k in there]
    guessing = Rule(numbers["unigram"], "single characters")

    def of_bands(name: str) -> list[tuple[str, list[list[float]]]]:
        return [
            (kind, [[one[name][k] for k in there] for one in found["seeds"]])
            for kind, found in best.items()
        ]

    losses = [
        over_seeds(found["rates"], list(zip(*found["losses"], strict=True)), name)
        for name, found in best.items()
    ]
    curves = [
        over_seeds(ends_of_ten(iterations), [one["curve"] for one in found["seeds"]], name)
        for name, found in best.items()
    ]
    panels = [
        Panel(
            "The loss that each learning rate reaches",
            Axis("learning rate", log=True),
            Axis("held-out loss (nats a character)", high=numbers["unigram"] + 0.5),
            [*losses, guessing],
        ),
        Panel(
            "Each at its best rate",
            Axis("iterations", low=0),
            Axis("training loss (nats a character)", high=numbers["unigram"] + 0.5),
            curves,
        ),
        Panel(
            "How far the input weights of a character moved",
            Axis("times the character stands in the text", log=True),
            Axis("distance from their beginning", log=True),
            [over_seeds(often, rows, name) for name, rows in of_bands("moved")],
        ),
        Panel(
            "What the characters cost where they come",
            Axis(
                "times the character stands in the text",
                ticks={at: f"{BANDS[k]:,}+" for at, k in enumerate(there)},
            ),
            Axis("held-out loss (nats a character)", low=0),
            [
                bars_over_seeds(range(len(there)), rows, name)
                for name, rows in of_bands("loss_by_band")
                if name in ("SGD", "Adagrad", "Adam")
            ],
        ),
    ]
    return Figure("Rare characters need larger steps than plain SGD takes", panels)


def _found(numbers: dict[str, Any]) -> str:
    best = numbers["optimisers"]
    reached = ", ".join(
        f"{name} {np.median([one['loss'] for one in found['seeds']]):.2f} (at {found['best']:g})"
        for name, found in best.items()
    )
    there = [k for k, band in enumerate(numbers["bands"]) if band["characters"]]
    rare, often = there[0], there[-1]
    ratio = {
        name: _medians(best[name], "moved")[often] / _medians(best[name], "moved")[rare]
        for name in ("SGD", "Adagrad")
    }
    gain = _medians(best["SGD"], "loss_by_band") - _medians(best["Adagrad"], "loss_by_band")
    gains = ", ".join(f"{gain[k]:.2f} ({BANDS[k]:,}+)" for k in there)
    return (
        f"Held-out loss, each at its best rate: {reached}. Input weights of characters that stand "
        f"{BANDS[often]:,} times or more moved {ratio['SGD']:.0f} times as far as those of the "
        f"rarest with SGD, {ratio['Adagrad']:.1f} times with Adagrad. By how many nats Adagrad is "
        f"better than SGD on characters that stand so often: {gains}."
    )
