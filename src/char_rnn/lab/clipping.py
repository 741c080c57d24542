"""Why clip at 5, and what of 1 and 50?

One steep window gives a gradient many times the usual one, and one step along it throws away what
was learned. Clipping bounds the norm and keeps the direction. An RNN is trained by plain SGD, with
the loop of forward, backward, clip and step, at a learning rate that is calm and at one that is
only just too high; with five limits. Nothing else protects it: no step is left out or taken back.
"""

import math
from typing import Any

import numpy as np

from char_rnn import CharRNN, Corpus
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.loop import ends_of_ten, of_ten, steps
from char_rnn.pictures.figure import (
    Axis,
    Bars,
    Figure,
    Line,
    Panel,
    Rule,
    bars_over_seeds,
    over_seeds,
)
from char_rnn.training.optimisers import SGD

USES = ("text", "seeds")
LIMITS = (math.inf, 50.0, 5.0, 1.0, 0.1)
"""Of the norm, from none on."""
LAST = 50
"""Steps at the end whose mean loss is the result."""

MEANS = (
    "A limit guards against the rare steep window and lets the usual one pass; so the usual norm "
    "is what to choose it by: a little above that. The exercise's 5 belongs to a loss that is "
    "summed over the 25 characters of a window; here it is a mean, and norms are below 1. A limit "
    "far below them makes all steps equally long, which is another learning rate; one far above "
    "does nothing. Clipping does not mend vanishing gradients, and Adam's steps, which do not grow "
    "with the gradient, need it less."
)


def run(
    given: Given,
    characters: int = 200_000,
    iterations: int = 300,
    hidden_size: int = 64,
    rates: tuple[float, ...] = (0.5, 1.75),
    limits: tuple[float, ...] = LIMITS,
) -> Result:
    """Train an RNN at each of the learning `rates`, the highest last, with each of `limits`.

    A run has diverged if its loss at the end is not finite, or above that of guessing, log V.
    """
    corpus = given.corpus(characters, least=2000)
    jobs = [
        (corpus, seed, limit, rate, hidden_size, iterations)
        for rate in rates
        for limit in limits
        for seed in given.every_seed
    ]
    done = iter(given.each(trained, jobs))
    guessing = math.log(corpus.vocabulary.size)
    numbers: dict[str, Any] = {"guessing": guessing, "rates": {}}
    for rate in rates:
        of_rate = numbers["rates"][f"{rate:g}"] = {}
        for limit in limits:
            seeds = [next(done) for _ in given.every_seed]
            found: dict[str, Any] = {name: [seed[name] for seed in seeds] for name in seeds[0]}
            found["diverged"] = sum(end > guessing for end in found["end"])
            of_rate["none" if math.isinf(limit) else f"{limit:g}"] = found
    return Result(_figure(numbers, iterations), numbers, _found(numbers, given.seeds), MEANS)


def trained(
    corpus: Corpus, seed: int, limit: float, rate: float, hidden_size: int, iterations: int
) -> dict[str, Any]:
    """Return losses and norms of every ten steps, how many were clipped, and where it ended."""
    rng = np.random.default_rng(seed)
    model = CharRNN(corpus.vocabulary.size, hidden_size, "rnn", rng=rng)
    sgd = SGD(momentum=0.0)
    taken = list(steps(model, corpus, sgd, rate, iterations, seed, limit))
    losses, norms = [step.loss for step in taken], [step.norm for step in taken]
    return {
        "losses": of_ten(np.mean, losses),
        "norms": of_ten(max, norms),
        "clipped": float(np.mean([norm > limit for norm in norms])),
        "end": float(np.mean(losses[-LAST:])),
    }


def _figure(numbers: dict[str, Any], iterations: int) -> Figure:
    rates, guessing = numbers["rates"], numbers["guessing"]
    highest, of_highest = list(rates.items())[-1]
    ends = ends_of_ten(iterations)
    iteration = Axis("iterations", low=0)
    limits = Axis("limit of the norm", ticks=dict(enumerate(of_highest)))
    rule = Rule(guessing, "guessing: log V")

    def over_steps(what: str) -> list[Line]:
        return [over_seeds(ends, found[what], name) for name, found in of_highest.items()]

    def of_limits(what: str) -> list[Bars]:
        return [
            bars_over_seeds(
                range(len(of_rate)),
                list(zip(*(found[what] for found in of_rate.values()), strict=True)),
                f"learning rate {rate}",
            )
            for rate, of_rate in rates.items()
        ]

    panels = [
        Panel(
            f"Plain SGD at a learning rate of {highest}, by the limit",
            iteration,
            Axis("training loss (nats a character)", low=0, high=2 * guessing),
            [*over_steps("losses"), rule],
        ),
        Panel(
            "The largest norm of every ten steps, before clipping",
            iteration,
            Axis("norm of the gradient", log=True),
            over_steps("norms"),
        ),
        Panel(
            "Where it ends",
            limits,
            Axis("loss at the end (nats a character)", low=0, high=9 * guessing),
            [*of_limits("end"), rule],
        ),
        Panel(
            "How often it clipped", limits, Axis("share of the steps", low=0), of_limits("clipped")
        ),
    ]
    return Figure("Clipping lets the usual step pass and stops the one that would destroy", panels)


def _found(numbers: dict[str, Any], seeds: int) -> str:
    def each(rate: str, what: str, form: str) -> str:
        of_rate = numbers["rates"][rate]
        return ", ".join(
            f"{format(float(np.median(found[what])), form)} ({name})"
            for name, found in of_rate.items()
        )

    *calmer, highest = numbers["rates"]
    said = (
        f"With plain SGD at a learning rate of {highest}, of {seeds} runs so many diverged, by the "
        f"limit: {each(highest, 'diverged', '.0f')}. They end at {each(highest, 'end', '.2f')} "
        f"nats a character, where guessing costs {numbers['guessing']:.2f}, and clipped "
        f"{each(highest, 'clipped', '.0%')} of the steps."
    )
    return said + "".join(f" At {rate} they end at {each(rate, 'end', '.2f')}." for rate in calmer)
