"""Run every benchmark, print the tables, write docs/performance.json, and redraw docs/.

Figures are kept by the name of the machine: those of another one stay beside them.

    python -m benchmarks [--rounds 5] [--threads 2] [--only training,large,generation,beam,…]

It takes about twenty minutes on an idle machine with two cores. What is left out by `--only` keeps
its last figures. Start-up has a command of its own: python -m benchmarks.startup.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import machine, report
from benchmarks.growth import curves
from benchmarks.limit import operations, product_rate
from benchmarks.min_char_rnn import MinCharRNN

DOCS = Path(__file__).parents[1] / "docs"
CELLS, HIDDEN, BATCH = ("rnn", "gru", "lstm"), (128, 256, 512), (32, 64, 128)
LARGE_ROUNDS = 3
PARTS = ("training", "large", "generation", "beam", "reference", "growth")


def training(rounds: int, threads: int) -> list[dict[str, object]]:
    """Measure the grid beside PyTorch, the two extra points, and the share of the limit."""
    from benchmarks.training_speed import measure

    points = [(cell, H, B, 1) for cell in CELLS for H in HIDDEN for B in BATCH]
    points += [("lstm", 256, 64, 2), ("rnn", 256, 1, 1)]
    found = []
    for cell, H, B, layers in points:
        point = measure(cell, H, B, rounds, threads, layers)
        bound = product_rate(threads)
        point["bound"] = bound
        point["share"] = point["ours"] * operations(cell, H, layers) / bound
        found.append(point)
        print(report.training_row(point), flush=True)
    return found


def large(rounds: int, threads: int) -> list[dict[str, object]]:
    """Measure training with 8,000 characters beside PyTorch: speed and memory."""
    from benchmarks.large import GATES, measure

    points = [
        (cell, H, B, T) for cell in GATES for H in (128, 256) for B, T in ((16, 32), (32, 50))
    ]
    found = []
    for point in points:
        # A block takes five steps at least, of which a slow one is a third of a second.
        found.append(measure(*point, min(rounds, LARGE_ROUNDS), threads))
        print(report.large_row(found[-1]), flush=True)
    return found


def generation(threads: int) -> list[dict[str, object]]:
    """Measure one stream beside PyTorch, and 64 prompts as one batch."""
    from benchmarks.generation import measure

    found = []
    for cell in CELLS:
        for H in (256, 512):
            found.append(measure(cell, H, threads))
            print(report.generation_row(found[-1]), flush=True)
    return found


def beam() -> list[dict[str, object]]:
    """Measure beam search beside one sampled stream."""
    from benchmarks.beam import points

    found = points()
    for point in found:
        print(report.beam_row(point), flush=True)
    return found


def reference(threads: int) -> dict[str, float]:
    """Measure min-char-rnn's way at H = 256 beside ours at B = 64, in turn."""
    from benchmarks.growth import speed

    rng = np.random.default_rng(0)
    theirs, ours = [], []
    old = MinCharRNN(65, 256)
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(10):
            old.step(*rng.integers(65, size=(2, 50)).tolist())
        theirs.append(500 / (time.perf_counter() - began))
        ours.append(speed("rnn", 256, 64, 50, 1, threads))
    one, other = statistics.median(ours), statistics.median(theirs)
    print(f"min-char-rnn's way {other:,.0f}/s, ours {one:,.0f}/s, ratio {one / other:.0f}")
    return {"ours": one, "min_char_rnn": other, "ratio": one / other}


def main() -> None:
    """Run what is asked for, and write it down."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="blocks of steps of a point")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas")
    args = parser.parse_args()
    parts = args.only.split(",")
    if not set(parts) <= set(PARTS):
        sys.exit(f"unknown part in {args.only!r}; known: {', '.join(PARTS)}")
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5:
        print("other work loads this machine: the figures are not to be relied on")
    file = DOCS / "performance.json"
    machines = json.loads(file.read_text("utf-8")) if file.exists() else {}
    name = machine.name()
    figures = machines.setdefault(name, {})
    print(name)
    if "training" in parts:
        figures["training"] = training(args.rounds, args.threads)
    if "large" in parts:
        figures["large"] = large(args.rounds, args.threads)
    if "generation" in parts:
        figures["generation"] = generation(args.threads)
    if "beam" in parts:
        figures["beam"] = beam()
    if "reference" in parts:
        figures["reference"] = reference(args.threads)
    if "growth" in parts:
        figures["growth"] = [point for cell in CELLS for point in curves(cell)]
    file.write_text(json.dumps(machines, indent=1) + "\n", "utf-8")
    report.write(machines, DOCS)
    print(f"written: {file.name}, performance.md and performance.svg in {DOCS.name}/")


if __name__ == "__main__":
    main()
