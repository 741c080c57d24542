"""Should the state begin at zero, at random, or learned?

A GRU is trained with each of the three; in training a tenth of the streams begins again from the
initial state at every window, so that each of them has learned to begin. One more begins at zero
and never again, as is usual. What the first characters cost after a start in the middle of
held-out text says what the choice is worth; beside them a state that has read the text before.
"""

from typing import Any

import numpy as np

from char_rnn import CharRNN, Corpus, cross_entropy, train
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.gradients import places
from char_rnn.pictures.figure import Axis, Figure, Panel, bars_over_seeds, over_seeds

Array = np.ndarray

USES = ("text", "seeds")
BEFORE = 200
"""Characters that the carried state has read."""
WAYS = {
    "zeros": ("zeros", 0.1),
    "random": ("random", 0.1),
    "learned": ("learned", 0.1),
    "zeros, never begun again": ("zeros", 0.0),
}
"""How the state begins, and the share of the streams that begin again at each window."""

MEANS = (
    "The initial state matters for a few characters; then the text takes over. A learned one knows "
    "what texts are like before one is read, and costs H numbers; zeros do nearly as well where "
    "training has seen starts (the setting reset), and random ones are zeros with noise. Where "
    "texts are long none of it is to be seen; where they are short, names or lines, each begins "
    "with a start. Here a start is at any place: where all begin alike, learned could gain more."
)


def run(
    given: Given,
    characters: int = 200_000,
    iterations: int = 1000,
    hidden_size: int = 64,
    ahead: int = 50,
    starts: int = 500,
) -> Result:
    """Measure the loss of `ahead` characters after `starts` places in the last tenth."""
    corpus = given.corpus(characters, least=20 * (BEFORE + ahead))
    jobs = [
        (corpus, seed, *way, hidden_size, iterations, ahead, starts)
        for way in WAYS.values()
        for seed in given.every_seed
    ]
    done = given.each(_measured, jobs)
    numbers: dict[str, Any] = {}
    for k, name in enumerate(WAYS):
        seeds = done[k * given.seeds : (k + 1) * given.seeds]
        numbers[name] = {state: [seed[state] for seed in seeds] for state in seeds[0]}
    return Result(_figure(numbers, ahead), numbers, _found(numbers, ahead), MEANS)


def _measured(
    corpus: Corpus,
    seed: int,
    initial_state: str,
    reset: float,
    hidden_size: int,
    iterations: int,
    ahead: int,
    starts: int,
) -> dict[str, list[float]]:
    """Return the loss of each character after a start, with the initial state and a carried one."""
    model = train(
        corpus,
        cell="gru",
        hidden_size=hidden_size,
        initial_state=initial_state,
        reset=reset,
        iterations=iterations,
        learning_rate=0.01,
        seq_length=25,
        rng_seed=seed,
        eval_every=0,
        sample_every=0,
        calibration=0.0,
        threads=1,
        save=False,
        progress=False,
    ).model
    model.rng = np.random.default_rng(seed)  # draws the random initial states
    # The same places for every seed: what differs is the network alone.
    ids = places(corpus, BEFORE + ahead + 1, starts, np.random.default_rng(0))
    _, carried = model.forward(ids[:BEFORE])
    rest = ids[BEFORE:]
    return {"cold": costs(model, rest, None), "carried": costs(model, rest, carried)}


def costs(model: CharRNN, ids: Array, state: Any) -> list[float]:
    """Return what it costs to predict ids (T, B) but the first, each over all B, nats."""
    logits, _ = model.forward(ids[:-1], state)
    return [cross_entropy(y[None], of[None])[0] for y, of in zip(logits, ids[1:], strict=True)]


def extra(found: dict[str, Any], span: slice) -> list[float]:
    """Return how much more a start costs than going on, of every seed: the mean over `span`."""
    more = np.subtract(found["cold"], found["carried"])  # (seeds, ahead)
    return [float(nats) for nats in more[:, span].mean(axis=1)]


def _spans(ahead: int) -> dict[str, slice]:
    return {"1": slice(1), "2 to 5": slice(1, 5), f"6 to {ahead}": slice(5, None)}


def _figure(numbers: dict[str, Any], ahead: int) -> Figure:
    few, spans = min(10, ahead), _spans(ahead)
    read = "characters read since the start"
    first = {name: found["cold"] for name, found in numbers.items()}
    first["carried on"] = numbers["zeros"]["carried"]
    panels = [
        Panel(
            "What comes after a start in held-out text",
            Axis(read),
            Axis("loss (nats a character)"),
            [
                over_seeds(range(1, few + 1), [row[:few] for row in rows], name)
                for name, rows in first.items()
            ],
        ),
        Panel(
            "How much more it costs than going on",
            Axis(read, ticks=dict(enumerate(spans))),
            Axis("difference (nats a character)"),
            [
                bars_over_seeds(
                    range(len(spans)),
                    list(zip(*(extra(found, span) for span in spans.values()), strict=True)),
                    name,
                )
                for name, found in numbers.items()
            ],
        ),
    ]
    return Figure("The initial state matters for a few characters", panels)


def _found(numbers: dict[str, Any], ahead: int) -> str:
    def more(span: slice) -> str:
        return ", ".join(
            f"{name} {np.median(extra(found, span)):+.2f}" for name, found in numbers.items()
        )

    one, few, rest = _spans(ahead).values()
    later = [abs(np.median(extra(found, rest))) for found in numbers.values()]
    return (
        f"One character after a start, the next costs more nats than it does with a state that has "
        f"read {BEFORE} before: {more(one)}. After two to five characters: {more(few)}; after that "
        f"at most {max(later):.2f}."
    )
