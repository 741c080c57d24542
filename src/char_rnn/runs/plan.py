"""What `--minutes` chooses: the model and the schedule that make the most of a text and a time.

The rule, whose numbers come from runs on tiny-shakespeare (docs/results.md):

1. Measure how many characters a second this machine trains on, with a model of middle size.
2. A larger model learns more from each character and reads fewer of them. Take the largest one
   that still reads as many as it needs (`LADDER`).
3. What is seen often is learned by heart. Dropout grows with the number of epochs, that on the
   output later than the rest.
   Of short documents, such as names, less is needed, and two layers early on.
4. Learning rate by size, warm-up over 2 % of the steps, and down to almost nothing at the end.

Whatever the user has set stays as it is, and the rest is chosen around it.
"""

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.model.blas import blas_threads
from char_rnn.model.cells import cell_class
from char_rnn.model.network import Network
from char_rnn.training.optimisers import make_optimizer
from char_rnn.training.parallel import worker_count


class Rung(NamedTuple):
    """A model, the windows it is trained on, and the characters it has to read to be worth it."""

    layers: int
    hidden_size: int
    batch_size: int
    seq_length: int
    characters: float


LADDER = (
    Rung(1, 128, 16, 32, 0),
    Rung(1, 192, 32, 32, 3e5),
    Rung(1, 256, 32, 32, 3e6),
    Rung(2, 256, 32, 50, 4.5e6),
    Rung(2, 384, 32, 64, 6e6),
    Rung(2, 512, 32, 64, 1.4e7),
)
MIDDLE = LADDER[2]


class Way(NamedTuple):
    """What is chosen in another way for another kind of text.

    cell, ladder: the models. learning_rate: that of one layer of 256 units.
    epochs_without_dropout: how many do without. epochs_without_output_dropout: how many do without
        that on the output, which then grows twice as fast, up to that between the layers.
    dropconnect: how much of it for each dropout.
    """

    cell: str
    ladder: tuple[Rung, ...]
    learning_rate: float
    epochs_without_dropout: float
    epochs_without_output_dropout: float
    dropconnect: float


USUAL_RATE = 0.004
"""Of Adam, one layer of 256 units; what a diagnosis calls usual (analyse/causes.py)."""
# Two and a half times the usual rate learns more in the same time, whatever the cell. Without
# dropout on the output a model is too sure, which calibration takes back, and its loss is
# lower; of a text that is read forty times it would learn too much by heart (docs/results.md).
TEXT = Way(
    cell="gru",
    ladder=LADDER,
    learning_rate=2.5 * USUAL_RATE,
    epochs_without_dropout=2,
    epochs_without_output_dropout=16,
    dropconnect=0.5,
)
# Of names two narrow layers learn more than a wide one in the same time, with less dropout, and an
# LSTM more than a GRU (docs/results.md).
SHORT_DOCUMENTS = Way(
    cell="lstm",
    ladder=(
        LADDER[0],
        Rung(1, 192, 16, 32, 3e5),
        Rung(2, 192, 32, 50, 2e6),
        Rung(2, 256, 32, 50, 8e6),
        Rung(2, 384, 32, 64, 4e7),
        Rung(2, 512, 32, 64, 1e8),
    ),
    learning_rate=0.006,
    epochs_without_dropout=7,
    epochs_without_output_dropout=7,
    dropconnect=1.0,
)
SHORT = 64  # characters that a short document has on average, at most
# 2 × 384 units: 1.418 after 18 epochs with 0.25, 1.454 after 25 epochs with 0.41.
MOST_DROPOUT, MOST_DROPOUT_LARGE, LARGE = 0.3, 0.5, 512
SAMPLES = 4
# Share of the time, and how many evaluations: with four, three fall into the last half, with the
# one at the end, and fewer say nothing of where the run was going (analyse/advice.py).
EVALUATING, FEWEST, MOST = 0.04, 4, 20
# In ten seconds four would take a quarter of the time, and the loss is what it is for.
BRIEF, FEWEST_IN_BRIEF = 60, 2  # seconds; evaluations
REAL = 0.8  # of the speed of one slice alone: cores share caches, and gradients are added up
SHARE = 0.02  # of the time, at most, to measure the speed
LONGEST = 2.0  # seconds


@dataclass(frozen=True)
class Plan:
    """Settings by name, and a sentence for each choice."""

    model: dict[str, Any]
    train: dict[str, Any]
    reasons: list[str]
    seconds: float  # that planning took


def make_plan(
    length: int,
    held_out: int,
    vocab_size: int,
    minutes: float,
    threads: int,
    given: dict[str, Any],
    documents: int = 0,
) -> Plan:
    """Return settings for `length` characters of training text and a budget of `minutes`.

    held_out: characters that validate. documents: how many train, 0 for a text that is none of
    them; they begin anew by themselves.

    given: what the user has set, by the names of ModelConfig and TrainConfig; it is respected,
        and not part of the plan.
    """
    began = time.perf_counter()
    way = SHORT_DOCUMENTS if length <= SHORT * documents else TEXT
    cell = given.get("cell", way.cell)
    seconds = 60 * minutes
    pause = min(SHARE * seconds, LONGEST) / 2

    names = {field.name for field in dataclasses.fields(ModelConfig)}
    settled = {k: v for k, v in given.items() if k in names} | {"cell": cell}

    def speed(rung: Rung) -> float:
        sizes = {"hidden_size": rung.hidden_size, "layers": rung.layers}
        model = ModelConfig(vocab_size, **(settled | sizes))
        return measure(model, rung.seq_length, min(rung.batch_size, length), threads, pause)

    def work(rung: Rung) -> float:
        return sum_of_products(cell, vocab_size, rung)

    asked = [
        rung._replace(**{k: given[k] for k in rung._fields if k in given}) for rung in way.ladder
    ]
    rate = speed(MIDDLE) * work(MIDDLE)
    reads = [rate / work(rung) * seconds for rung in asked]
    chosen = max(k for k, rung in enumerate(asked) if k == 0 or reads[k] >= rung.characters)
    rung = asked[chosen]
    pace = speed(rung)
    epochs = pace * seconds / max(length, 1)
    iterations = pace * seconds / (rung.seq_length * rung.batch_size)
    # One process evaluates, without going backward: about twice the pace of training.
    evaluations = EVALUATING * seconds * 2 * pace / max(held_out, 1)
    evaluations = min(max(evaluations, FEWEST if seconds >= BRIEF else FEWEST_IN_BRIEF), MOST)
    most = MOST_DROPOUT if rung.hidden_size < LARGE else MOST_DROPOUT_LARGE
    dropout = grown(0.1, epochs, way.epochs_without_dropout, most)
    between = dropout if rung.layers > 1 else 0.0
    on_output = grown(0.2, epochs, way.epochs_without_output_dropout, dropout)
    learning_rate = scaled_rate(way.learning_rate, rung.hidden_size, rung.layers)
    recurrent_gates = cell_class(ModelConfig(vocab_size, cell=cell)).recurrent_gates()
    dropconnect = round(way.dropconnect * dropout, 2) if recurrent_gates else 0.0
    model = {"cell": cell, "hidden_size": rung.hidden_size, "layers": rung.layers}
    train = {
        "batch_size": rung.batch_size,
        "seq_length": rung.seq_length,
        "optimizer": "adamw",
        "learning_rate": round(learning_rate, 5),
        "schedule": "cosine",
        "warmup": max(10, min(200, round(0.02 * iterations))),
        "clip": 1.0,
        "count_bias": True,
        "reset": 0.0 if documents else 0.03,
        "random_offset": not documents,
        "layer_dropout": between,
        "output_dropout": on_output,
        "recurrent_dropout": dropconnect,
        # The mean reaches back over the last tenth of the run, at most a thousand steps.
        "average": round(min(0.999, 1 - 10 / iterations), 4) if iterations > 500 else 0.0,
        # The last one comes at the end in any case.
        "eval_every": max(1, round(iterations / (evaluations + 0.5))),
        "sample_every": max(1, round(iterations / SAMPLES)),
    }
    reasons = [
        f"{minutes:g} minutes on {threads} thread{'s' * (threads != 1)}: a {cell} of "
        f"{MIDDLE.layers} × {MIDDLE.hidden_size} would read "
        f"{rate / work(MIDDLE) * seconds / 1e6:.1f} million characters",
        f"{rung.layers} × {rung.hidden_size} units, read {rung.batch_size} × {rung.seq_length} "
        f"characters at a time: the largest model on the ladder that reads what it needs "
        f"({pace:,.0f} characters/s, {pace * seconds / 1e6:.1f} million)",
        f"{epochs:.1f} epochs of {length:,} characters: dropout between layers {between:g}, "
        f"on the output {on_output:g}, DropConnect {dropconnect:.2f}",
        f"about {iterations:,.0f} iterations at a learning rate of up to "
        f"{learning_rate:.4f}, with a warm-up of {train['warmup']} and half a cosine to 1 %",
    ]
    return Plan(
        {k: v for k, v in model.items() if k not in given},
        {k: v for k, v in train.items() if k not in given},
        reasons,
        time.perf_counter() - began,
    )


def grown(step: float, epochs: float, without: float, most: float) -> float:
    """Return a dropout: 0 for `without` epochs, `step` more at each doubling, at most `most`."""
    share = step * math.log2(max(epochs, 1) / without)
    return round(min(max(share, 0.0), most), 2)


def scaled_rate(rate: float, hidden_size: int, layers: int) -> float:
    """Return what `rate`, of one layer of 256 units, is for a network of these sizes."""
    return rate * math.sqrt(256 / hidden_size) / math.sqrt(layers)


def sum_of_products(cell: str, vocab_size: int, rung: Rung) -> float:
    """Return the multiplications of one character's forward pass (the input is a look-up)."""
    products, H = cell_class(ModelConfig(vocab_size, cell=cell)).products, rung.hidden_size
    return float(products(0, H) + (rung.layers - 1) * products(H, H) + vocab_size * H)


def measure(config: ModelConfig, T: int, B: int, threads: int, seconds: float) -> float:
    """Return the characters a second that training with windows (T, B) reads.

    One slice of the batch is timed for about `seconds` in this process; the others take as long,
    side by side with it.
    """
    model = CharRNN.from_config(config, rng=np.random.default_rng(0))
    slices = worker_count(threads, T, B, model.num_parameters, config.cell)
    network = Network(model.parameters)
    optimizer = make_optimizer(TrainConfig())
    ids = np.random.default_rng(0).integers(config.vocab_size, size=(T, -(-B // slices)))
    state = network.initial_state(ids.shape[1])
    with blas_threads(1):
        steps, began, first = 0, time.perf_counter(), 0.0
        while steps < 3 or time.perf_counter() - began < seconds:
            network.forward(ids, state)
            network.backward(ids)
            optimizer.step(model.parameters, network.gradients, 0.0)
            steps += 1
            if steps == 1:  # makes memory, and is left out
                began, first = time.perf_counter(), 1.0
    alone = (steps - first) * T * B / (time.perf_counter() - began)
    return alone * (REAL if slices > 1 else 1.0)
