"""What several ranks cost and bring on this machine, and what a model says of more of them.

    python -m benchmarks.ranks [--steps 60]                     # two minutes
    python -m benchmarks.ranks --batches TEXT [--characters 3e6] # what larger batches cost in loss
    python -m benchmarks.ranks --local TEXT    # weights averaged now and then, beside gradients

The first one starts mpiexec. It measures an exchange beside MPI's own sum, steps on one core, with
a worker, and on two ranks, in turns; then it draws docs/ranks.svg.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import char_rnn
from benchmarks.attention import processor
from char_rnn import CharRNN
from char_rnn.cluster.growth import LINKS, Link, Measured
from char_rnn.config import TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.pictures.figure import Axis, Figure, Line, Panel
from char_rnn.training.clipping import clip_by_norm
from char_rnn.training.events import Step
from char_rnn.training.optimisers import make_optimizer
from char_rnn.training.trainer import Trainer

V, H, T, B = 65, 384, 50, 64
CELL = "lstm"
WARM = 10
RANKS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
PICTURE = Path(__file__).parents[1] / "docs" / "ranks.svg"


def model_and_corpus(streams=B):
    rng = np.random.default_rng(0)
    letters = "".join(map(chr, range(33, 33 + V)))
    text = letters + "".join(rng.choice(list(letters), 40 * streams * T))
    corpus = Corpus.from_text(text)
    return CharRNN(V, H, CELL, rng=rng, vocabulary=corpus.vocabulary), corpus


def steps(count, threads=1, team=None):
    """Return the median seconds of a training step."""
    model, corpus = model_and_corpus()
    config = TrainConfig(
        batch_size=B, seq_length=T, iterations=count, threads=threads, eval_every=0,
        sample_every=0, val_fraction=0,
    )  # fmt: skip
    trainer = Trainer(model, corpus, config, **({} if team is None else {"team": team}))
    at, found = time.perf_counter(), []
    for event in trainer:
        if isinstance(event, Step):
            now = time.perf_counter()
            found.append(now - at)
            at = now
    return statistics.median(found[WARM:])


def on_a_rank(count):
    """Measure on two ranks; rank 0 prints what it found as JSON."""
    from mpi4py import MPI

    team = char_rnn.cluster.join()
    model, _ = model_and_corpus()
    gradients = np.ones(model.num_parameters, np.float32)
    after = np.zeros((2, 1, B, H), np.float32)
    summed = np.empty_like(gradients)
    ours, plain = [], []
    for _ in range(2 * count):
        MPI.COMM_WORLD.Barrier()
        began = time.perf_counter()
        team.add(gradients, after, 0.0)
        team.agree(0.0, False)
        team.agree(0.0, False)
        ours.append(time.perf_counter() - began)
        gradients[:] = 1
        MPI.COMM_WORLD.Barrier()
        began = time.perf_counter()
        MPI.COMM_WORLD.Allreduce(gradients, summed)
        plain.append(time.perf_counter() - began)
    step = steps(count, team=team)
    # On both cores at once, as ranks have them: they share caches and memory.
    found = constants(count)
    if team.leads:
        medians = statistics.median(ours), statistics.median(plain), step
        print(json.dumps([*medians, found]), flush=True)


def launched(count):
    """Return (exchange, MPI's sum, step), in seconds, on two ranks, and the `constants` there."""
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if mpiexec is None:
        sys.exit("there is no mpiexec here: pip install mpich")
    done = subprocess.run(
        [mpiexec, "-n", "2", sys.executable, "-m", "benchmarks.ranks", "--rank", "--steps",
         str(count)], capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def constants(count):
    """Return (products by streams, the rest of a step, states), in seconds, of this core."""
    model, _ = model_and_corpus()
    products = {}
    with blas_threads(1):
        for streams in (1, 2, 4, 8, 16, 32, 64, 128):
            ids = np.random.default_rng(0).integers(V, size=(T, streams))
            network = Network(model.parameters)
            state = network.initial_state(streams)

            def window(network=network, ids=ids, state=state):
                network.forward(ids, state)
                network.backward(ids)

            products[streams] = timed(window, max(4, count // 4))
        optimizer = make_optimizer(TrainConfig())
        optimizer.begin(model.parameters)

        def rest():
            clip_by_norm(network.gradients, 1.0)
            optimizer.step(model.parameters, network.gradients, 0.0)

        own = timed(rest, count)
    return products, own, int(math.prod(network.initial_state(1).shape))


def timed(act, count):
    """Return the median seconds of `act`."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        act()
        found.append(time.perf_counter() - began)
    return statistics.median(found[1:])


def draw(measured):
    """Draw what the model says of more ranks."""
    panels = []
    for batch, about in ((64, "batch of 64"), (512, "batch of 512"), (4096, "batch of 4,096")):
        ranks = [n for n in RANKS if n <= batch]
        lines = [
            Line(ranks, [n * measured.efficiency(n, batch, link) for n in ranks], link.name)
            for link in LINKS
        ]
        lines.append(Line(ranks, ranks, "ideal", dashed=True, marks=False))
        axes = Axis("ranks", log=True), Axis("times the speed of one", log=True)
        panels.append(Panel(about, *axes, lines))
    title = f"{CELL} of {H} units, {measured.parameters:,} parameters: predicted speed"
    Figure(title, panels, columns=2).save(PICTURE)


def costs(count):
    print(f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    one, worker, two = [], [], []
    for _ in range(3):  # in turns
        one.append(steps(count))
        worker.append(steps(count, threads=2))
        two.append(launched(count))
    one, worker = statistics.median(one), statistics.median(worker)
    *columns, found = zip(*two, strict=True)
    ours, plain, step = map(statistics.median, columns)
    products, own, states = found[1]
    products = {int(n): seconds for n, seconds in products.items()}
    measured = Measured(products, own, model_and_corpus()[0].num_parameters, states)
    here = Link("this machine", 1e-6, 2 * measured.parameters * 4 / 2 / ours)
    print(f"{measured.parameters:,} parameters, batch {B} × {T}; milliseconds, medians:")
    print(f"exchange on 2 ranks {1e3 * ours:.2f}, MPI's own sum {1e3 * plain:.2f}")
    print(f"a step: one core {1e3 * one:.1f}, two threads {1e3 * worker:.1f}, two ranks "
          f"{1e3 * step:.1f}, predicted {1e3 * measured.seconds(2, B, here):.1f}")  # fmt: skip
    print(f"predicted on one, the other core as busy: {1e3 * measured.seconds(1, B, here):.1f}")
    print(f"efficiency: two threads {one / worker / 2:.2f}, two ranks {one / step / 2:.2f}; "
          f"exchange {100 * ours / step:.1f} % of a step")  # fmt: skip
    print("products of a window, by streams: "
          + ", ".join(f"{n} {1e3 * s:.1f}" for n, s in measured.products.items())
          + f"; the rest of a step {1e3 * measured.own:.1f}")  # fmt: skip
    print("\n| ranks | " + " | ".join(f"{link.name}, {b}" for b in (64, 512) for link in LINKS))
    for n in RANKS:
        cells = [
            f"{n * measured.efficiency(n, b, link):.1f}" if n <= b else ""
            for b in (64, 512)
            for link in LINKS
        ]
        print(f"| {n} | " + " | ".join(cells) + " |")
    draw(measured)
    print(f"Written: {PICTURE.name}")


def batches(text, characters):
    """Print the validation loss after the same number of characters, in batches of each size."""
    print("| batch | steps | validation loss, seeds 0 and 1 |\n| --- | --- | --- |", flush=True)
    corpus = Corpus.from_text(Path(text).read_text("utf-8"))
    for batch in (16, 32, 64, 128, 256, 512):
        count = max(1, round(characters / (batch * T)))
        losses = []
        for seed in (0, 1):
            rate = 0.004 * math.sqrt(batch / 32)
            run = char_rnn.train(
                corpus, hidden_size=128, cell="gru", batch_size=batch, seq_length=T,
                iterations=count, learning_rate=min(rate, 0.012), schedule="cosine",
                warmup=min(100, count // 5), clip=1.0, eval_every=0, sample_every=0,
                rng_seed=seed, threads=1, save=False, progress=False,
            )  # fmt: skip
            losses.append(run.curves.val_loss.y[-1])
        print(f"| {batch} | {count:,} | {losses[0]:.3f}, {losses[1]:.3f} |", flush=True)


def local(text, characters):
    """Print the loss of four ranks that add gradients, or average weights every k steps."""
    whole = Path(text).read_text("utf-8")
    cut = int(0.95 * len(whole))
    vocabulary = Corpus.from_text(whole).vocabulary
    count = round(characters / (64 * T))
    print("| | learning rate | validation loss, seeds 0 and 1 |\n| --- | --- | --- |", flush=True)
    for every in (0, 1, 4, 16, 64):
        for rate in (0.0028, 0.0057):
            losses = [_averaged(whole, cut, vocabulary, count, every, rate, s) for s in (0, 1)]
            what = f"weights averaged every {every} steps" if every else "gradients added, batch 64"
            print(f"| {what} | {rate} | {losses[0]:.3f}, {losses[1]:.3f} |", flush=True)


def _averaged(whole, cut, vocabulary, count, every, rate, seed):
    size = 4 if every else 1
    config = TrainConfig(
        batch_size=64 // size, seq_length=T, iterations=count, learning_rate=rate,
        schedule="cosine", warmup=min(100, count // 5), clip=1.0, eval_every=0, sample_every=0,
        val_fraction=0, threads=1, rng_seed=seed,
    )  # fmt: skip
    trainers = []
    for k in range(size):
        part = whole[cut * k // size : cut * (k + 1) // size]
        corpus = Corpus.from_text(part, vocabulary=vocabulary)
        rng = np.random.default_rng(seed)
        model = CharRNN(vocabulary.size, 128, "gru", rng=rng, vocabulary=vocabulary)
        trainers.append(Trainer(model, corpus, config))
    flat = [trainer.model.parameters.flat for trainer in trainers]
    streams = [(event for event in trainer if isinstance(event, Step)) for trainer in trainers]
    for at in range(1, count + 1):
        for stream in streams:
            next(stream)
        if every and (at % every == 0 or at == count):
            mean = np.mean(flat, axis=0)
            for weights in flat:
                weights[:] = mean
    return float(trainers[0].model.surprisal(whole[cut:]).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rank", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--batches", metavar="TEXT")
    parser.add_argument("--local", metavar="TEXT")
    parser.add_argument("--characters", type=float, default=3e6)
    asked = parser.parse_args()
    if asked.rank:
        on_a_rank(asked.steps)
    elif asked.local:
        local(asked.local, asked.characters)
    elif asked.batches:
        batches(asked.batches, asked.characters)
    else:
        costs(asked.steps)


if __name__ == "__main__":
    main()
