"""Tunes of one voice: loss on those held out, and what a model writes, beside the corpus.

    python -m benchmarks.tunes jigs/ --minutes 10 --seeds 0 1 2
    python -m benchmarks.tunes jigs/ --minutes 10 --seeds 0 1 2 --transpose C --picture jigs.svg

The last tenth of the folder's tunes is held out, by the order of their names: neither trained on
nor looked at to choose weights, which a tenth of the others does. Loss counts each character of a
piece and its end. The baselines learn from the same text as the model. Tunes are written without
conditions (at temperature 1), and under them (16 bars, in D).
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from char_rnn import Corpus, Run, SampleConfig, music
from char_rnn.analyse import baselines
from char_rnn.errors import DataError
from char_rnn.music.files import midi_files, read_scores
from char_rnn.music.measures import describe
from char_rnn.music.notation import pieces
from char_rnn.music.score import Score
from char_rnn.music.text import from_text, to_text
from char_rnn.music.theory import key_named, with_tonic
from char_rnn.music.training import tunes_text
from char_rnn.pictures.figure import Axis, Bars, Figure, Panel

HELD_OUT = 0.1
WRITTEN = 200
MOST_CHARACTERS = 4000
SHARES = ("full_bars", "in_key", "end_on_tonic")
HISTOGRAMS = (
    ("pitches", "Pitches", "MIDI's number; 60 is middle C"),
    ("intervals", "From note to note", "semitones up or down"),
)


class Split(NamedTuple):
    """files: to train on. train, test: the scores. texts: of the test part, as the model's are."""

    files: list[Path]
    train: list[Score]
    test: list[Score]
    texts: list[str]


def split_of(folder: Path, transpose: int | str) -> Split:
    """Return the tunes of a folder, the last tenth of them apart."""
    files = midi_files(folder)
    scores = [score for _, score, _ in read_scores(folder)]
    last = len(files) - round(HELD_OUT * len(files))
    test = scores[last:]
    if isinstance(transpose, str):
        test = [with_tonic(score, key_named(transpose)[0]) for score in test]
    return Split(files[:last], scores[:last], test, [to_text(s, names=False) for s in test])


def baseline_losses(split: Split, transpose: int | str) -> dict[str, float]:
    """Return the losses of n-grams of the training text on the test part, in nats a character."""
    train = pieces(tunes_text(split.files, transpose=transpose, val_fraction=0).text)
    corpus = Corpus.from_documents([*train, *split.texts])
    assert corpus.ends is not None
    start = int(corpus.ends[len(train)])
    found = baselines.losses(corpus, start, lambda *_: None)
    return {name: loss for name, loss in found.items() if "gram" in name or name == "lzma"}


def one_run(split: Split, transpose: int | str, seed: int, options: argparse.Namespace) -> Run:
    """Train one model."""
    return music.train(
        split.files,
        transpose=transpose,
        minutes=options.minutes,
        threads=options.threads,
        rng_seed=seed,
        save=False,
        progress=False,
        sample_every=0,
    )


def written_freely(run: Run, seed: int) -> tuple[list[Score], float, float]:
    """Return tunes that the model writes as it likes, read as well as they can be.

    And the shares of their texts without any fault, and of their bars of the right length.
    """
    config = SampleConfig(MOST_CHARACTERS, 1.0)
    texts = run.model.generate_many([""] * WRITTEN, config, np.random.default_rng(seed))
    faults = 0
    scores = []
    for text in texts:
        remarks: list[str] = []
        scores.append(from_text(text, lenient=True, remarks=remarks))
        faults += bool(remarks)
    bars = [right for text in texts for right in right_lengths(text)]
    return scores, 1 - faults / len(texts), sum(bars) / len(bars)


def right_lengths(text: str) -> list[bool]:
    """Tell of each bar that is written out, but the last, whether it fills the header's meter."""
    header, _, rest = text.partition("\n")
    found = []
    for bar in rest.replace("\n", "").split("|")[:-2]:
        if not bar.isdecimal():
            try:  # a bar that is not the last of its piece has to be full
                from_text(f"{header}\n{bar.replace('-', '')}|z|")
            except DataError:
                found.append(False)
            else:
                found.append(True)
    return found


def shown(figures: dict[str, Any]) -> str:
    """Return the figures of tunes, and how much of them is copied, in a line."""
    shares = ", ".join(f"{name} {figures[name]:.1%}" for name in SHARES)
    copied = figures["copied"]
    return (
        f"{figures['notes'] / figures['tunes']:.0f} notes a tune; {shares}; "
        f"longest run copied: median {statistics.median(copied):.0f}, most {max(copied)} notes"
    )


def histograms(held: dict[str, Any], own: dict[str, Any], name: str) -> Figure:
    """Return a picture of the pitches and steps of two sets of tunes."""
    panels = []
    for what, title, label in HISTOGRAMS:
        places = sorted({*map(int, held[what]), *map(int, own[what])})
        marks = [
            Bars(places, [100 * found[what].get(str(p), 0.0) for p in places], said)
            for found, said in ((held, name), (own, "written"))
        ]
        panels.append(Panel(title, Axis(label), Axis("share, %", low=0), marks))
    return Figure("Pitches and steps of the corpus, and of tunes a model wrote", panels)


def main() -> None:
    """Print the baselines, a line or two for each seed, and means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--transpose", default="0", help="as of char-rnn train")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--picture", type=Path, help="write the histograms of the first seed")
    options = parser.parse_args()
    moved = options.transpose
    transpose = int(moved) if moved.isdecimal() else moved
    split = split_of(options.folder, transpose)
    a_note = sum(len(t) + 1 for t in split.texts) / sum(len(s.notes) for s in split.test)
    print(f"{len(split.train)} tunes, {len(split.test)} held out; {a_note:.3f} characters a note")
    for name, loss in baseline_losses(split, transpose).items():
        print(f"{name}: {loss:.4f} nats a character, {loss * a_note:.3f} a note")
    held = describe(split.test, split.train)
    print(f"held out: {shown(held)}", flush=True)
    losses = [one_seed(split, transpose, seed, options) for seed in options.seeds]
    spread = statistics.stdev(losses) if len(losses) > 1 else 0.0
    mean = statistics.mean(losses)
    print(f"mean {mean:.4f}, spread {spread:.4f}, {mean * a_note:.3f} a note")


def one_seed(split: Split, transpose: int | str, seed: int, options: argparse.Namespace) -> float:
    """Train and write with one seed; print the figures and return the loss."""
    run = one_run(split, transpose, seed, options)
    loss = run.evaluate(Corpus.from_documents(split.texts, run.model.vocabulary)).loss
    print(f"seed {seed}: {loss:.4f} nats a character; {run.model}", flush=True)
    free, whole, right = written_freely(run, seed)
    found = describe(free, split.train)
    print(f"  freely: {whole:.1%} without fault, bars of the right length {right:.1%}; ", end="")
    print(shown(found), flush=True)
    asked = music.generate(
        run.model, bars=16, key="D", count=WRITTEN // 4, rng=np.random.default_rng(seed)
    )
    print(f"  16 bars in D: {shown(describe(asked, split.train))}", flush=True)
    if options.picture and seed == options.seeds[0]:
        corpus: Sequence[Score] = split.train
        if isinstance(transpose, str):
            corpus = [with_tonic(s, key_named(transpose)[0]) for s in corpus]
        histograms(describe(corpus), found, options.folder.name).save(options.picture)
    return loss


if __name__ == "__main__":
    main()
