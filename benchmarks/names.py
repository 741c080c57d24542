"""A list of names, split as makemore splits it: loss, how many are new, how many come twice.

    python -m benchmarks.names names.txt --minutes 1 --seeds 0 1 2

Each seed is another split: a random 1,000 of the names are not trained on, as in Karpathy's
makemore, and are scored with the end of each name counted. As there, the best of the run's
evaluations on them is the one that counts. Nothing but the time is chosen.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np

import char_rnn
from char_rnn import SampleConfig

HELD_OUT, WRITTEN = 1000, 10_000


def one_split(
    path: str, minutes: float, seed: int, threads: int | None
) -> tuple[float, float, float, str]:
    """Train and score on one split: nats a character, shares of new names and of repetitions."""
    count = len(Path(path).read_text("utf-8").split())
    run = char_rnn.train(
        path,
        documents="lines",
        minutes=minutes,
        val_fraction=HELD_OUT / count,
        rng_seed=seed,
        threads=threads,
        save=False,
        progress=False,
        sample_every=0,
    )
    known = set(run.corpus().documents())
    names = run.model.generate_many(
        [""] * WRITTEN, SampleConfig(50, 1.0), np.random.default_rng(seed)
    )
    new = sum(name not in known for name in names) / WRITTEN
    summary = run.model.summary
    about = f"{run.model}, {summary['epoch']:.1f} epochs"
    return run.evaluate().loss, new, 1 - len(set(names)) / WRITTEN, about


def main() -> None:
    """Print a line for each split, and their mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="a file of names, one a line")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    losses = []
    for seed in options.seeds:
        loss, new, repeated, about = one_split(options.path, options.minutes, seed, options.threads)
        losses.append(loss)
        print(
            f"split {seed}: {loss:.4f} nats, {new:.1%} new, {repeated:.1%} repeated; {about}",
            flush=True,
        )
    spread = statistics.stdev(losses) if len(losses) > 1 else 0.0
    print(f"mean {statistics.mean(losses):.4f}, spread {spread:.4f}, {options.minutes:g} minutes")


if __name__ == "__main__":
    main()
