"""Bach's chorales in four voices: nats a time step on the test part of the split that papers use.

    python -m benchmarks.chorales jsb-chorales-quarter.json --minutes 10 --seeds 0 1 2

The file is that of Boulanger-Lewandowski and others (2012), as JSON: a list of chorales for each of
train, valid and test, a chorale a list of time steps (quarters), a step its pitches in MIDI's
numbers. A pitch is one character, a step its pitches from the lowest up with a space behind them,
a chorale a document. The training part comes in twelve keys, the others as they are. What is
counted is all that a piece is made of: its pitches, the spaces, and its end; divided by its steps.
The validation part chooses the best weights of a run, the test part is scored once.
"""

import argparse
import json
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import char_rnn
from char_rnn import Corpus
from char_rnn.data.documents import unshuffled

Chorale = Sequence[Sequence[int]]
KEYS = range(-6, 6)
BETWEEN = " "


def as_text(chorale: Chorale, semitones: int = 0) -> str:
    """Return a chorale in another key, a character a pitch."""
    steps = ("".join(map(chr, sorted(p + semitones + 192 for p in step))) for step in chorale)
    return BETWEEN.join(steps)


def corpus_of(
    train: Iterable[Chorale], valid: Iterable[Chorale], seed: int
) -> tuple[Corpus, float]:
    """Return the text to train on, and the share of its pieces that validates: `valid`."""
    texts = [as_text(chorale, semitones) for chorale in train for semitones in KEYS]
    held_out = [as_text(chorale) for chorale in valid]
    corpus = Corpus.from_documents(unshuffled([*texts, *held_out], seed))
    return corpus, len(held_out) / (len(texts) + len(held_out))


def nats_a_step(run: char_rnn.Run, chorales: Sequence[Chorale]) -> float:
    """Return the loss on whole chorales, the end of each with it, for each of their time steps."""
    texts = [as_text(chorale) for chorale in chorales]
    score = run.evaluate(Corpus.from_documents(texts, run.model.vocabulary))
    return score.loss * score.characters / sum(map(len, chorales))


def one_run(
    data: dict[str, list[Chorale]], minutes: float, seed: int, settings: dict[str, Any]
) -> float:
    """Train once; print and return the nats a step on the test part."""
    corpus, val_fraction = corpus_of(data["train"], data["valid"], seed)
    run = char_rnn.train(
        corpus,
        minutes=minutes,
        val_fraction=val_fraction,
        rng_seed=seed,
        save=False,
        progress=False,
        sample_every=0,
        **settings,
    )
    valid, test = (nats_a_step(run, data[part]) for part in ("valid", "test"))
    summary = run.model.summary
    about = f"{run.model}, {summary['epoch']:.1f} passes over twelve keys"
    print(f"seed {seed}: {test:.3f} nats a step, validation {valid:.3f}; {about}", flush=True)
    return test


def main() -> None:
    """Print a line for each seed, and their mean."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="jsb-chorales-quarter.json")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--settings", type=json.loads, default={}, help="others, as JSON")
    options = parser.parse_args()
    data = json.loads(options.path.read_text("utf-8"))
    found = [one_run(data, options.minutes, seed, options.settings) for seed in options.seeds]
    spread = statistics.stdev(found) if len(found) > 1 else 0.0
    print(f"mean {statistics.mean(found):.3f}, spread {spread:.3f}, {options.minutes:g} minutes")


if __name__ == "__main__":
    main()
