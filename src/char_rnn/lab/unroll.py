"""What happens at each step?

The network unrolled over a word, a column a step: what it reads, its state, what it predicts, what
really comes and what that costs; and how strongly the losses flow back from state to state. The
word is read as the beginning of a text, after a line end, or after the symbol that begins a
document, where the model has one.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.errors import UsageError
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.unrolled import Column, Unrolled, drawing, shown, table
from char_rnn.lab.words import exact, quoted, symbol_name, usual_word, vocabulary_of, word_ids
from char_rnn.model.arguments import State
from char_rnn.model.loss import cross_entropy, log_softmax
from char_rnn.pictures.figure import Drawing

Array = np.ndarray

USES = ("model",)

WORD = "the king"
MOST = 12  # columns that a page has room for
LIKELIEST = 3
UNITS = 12  # that are shown of a state


def run(given: Given, word: str | None = None) -> Result:
    """Unroll the model over `word`, or over one that it knows."""
    model = exact(given.model())
    vocabulary = vocabulary_of(model)
    word = usual_word(model, WORD) if word is None else word
    ids = word_ids(vocabulary, word, 1, MOST)
    begin = vocabulary.beginning().tolist()
    if not begin and len(ids) < 2:
        raise UsageError(
            f"word is {word!r}, and {given.name_of_model} knows no line end that could come "
            "before it; give it two characters at least"
        )
    inputs, targets = [*begin, *ids][:-1], [*begin, *ids][1:]
    steps = forward(model, inputs, targets)
    back = gradients(model, [step.state for step in steps[:-1]], inputs, targets)
    names = [symbol_name(vocabulary, k) for k in range(vocabulary.size)]
    top = np.array([_top(step.state) for step in steps])  # (T, H)
    units = most_moved(top)
    columns = [
        Column(
            reads=names[read],
            likeliest=[
                (names[k], float(np.exp(step.log_p[k])))
                for k in np.argsort(-step.log_p, kind="stable")[:LIKELIEST]
            ],
            comes=names[target],
            loss=step.loss,
            norm=float(np.linalg.norm(h)),
            cells=h[units].tolist(),
        )
        for read, target, step, h in zip(inputs, targets, steps, top, strict=True)
    ]
    net = Unrolled(
        title=f"{given.name_of_model} reads {quoted(word)}: a column is a step",
        columns=columns,
        back=back,
        state=_state_shown(model, len(units)),
        flows=f"their norm with respect to the state{_whole_state(model)}",
    )
    return Result(
        figure=Drawing(net.title, drawing(net), table(net)),
        numbers={
            "columns": [dataclasses.asdict(column) for column in columns],
            "units": units,
            "gradient_of_all_later": [total for total, _ in back],
            "gradient_of_the_last": [last for _, last in back],
        },
        found=_found(columns, back),
        means=MEANS,
        settings={"word": word},
    )


MEANS = (
    "The same weights stand in every column. What an early character does to a late loss is "
    "learned only through what flows back over the arrows between them. This is one word; how that "
    "shrinks or grows with the distance, over many, is what the experiment gradients measures."
)


def _found(columns: list[Column], back: list[tuple[float, float]]) -> str:
    total = sum(column.loss for column in columns)
    hardest = max(columns, key=lambda column: column.loss)
    told = (
        f"The {len(columns)} characters cost {total:.2f} nats together; the hardest is "
        f"{hardest.comes} after {hardest.reads}, with {hardest.loss:.2f}."
    )
    if back:
        told += f" The last loss has a gradient of norm {shown(back[-1][1])} at the state before"
        told += f" and of {shown(back[0][1])} at the first." if back[1:] else "."
    return told


def most_moved(h: Array) -> list[int]:
    """Return which units of h (T, H) move most, in their order: those that there is room for."""
    spread = h.std(axis=0) if len(h) > 1 else np.abs(h[0])
    found: list[int] = np.sort(np.argsort(-spread, kind="stable")[:UNITS]).tolist()
    return found


def _top(state: State) -> Array:
    """Return h of the top layer, (H,)."""
    h: Array = (state[0] if isinstance(state, tuple) else state)[-1, 0]
    return h


def _state_shown(model: CharRNN, units: int) -> str:
    of = f"h of the top one of {model.layers} layers" if model.layers > 1 else "h"
    which = "its units" if units == model.hidden_size else f"the {units} units that move most"
    return f"{of}; in colour {which}, blue above 0 and orange below"


def _whole_state(model: CharRNN) -> str:
    parts = ["of all layers"] * (model.layers > 1) + ["h and c together"] * (model.cell == "lstm")
    return f" ({', '.join(parts)})" * bool(parts)


class Step(NamedTuple):
    """state: after the step, as `forward` takes one. log_p: (V,). loss: in nats."""

    state: State
    log_p: Array
    loss: float


def forward(model: CharRNN, inputs: list[int], targets: list[int]) -> list[Step]:
    """Read `inputs` one after the other; return what comes of each."""
    found, state = [], None
    for read, target in zip(inputs, targets, strict=True):
        logits, state = model.forward([read], state)
        log_p = log_softmax(logits[0, 0])
        found.append(Step(state, log_p, float(-log_p[target])))
    return found


def gradients(
    model: CharRNN, states: list[State], inputs: list[int], targets: list[int]
) -> list[tuple[float, float]]:
    """Return the norm of the gradient of the later losses with respect to each of `states`.

    states: after every input but the last. A pair for each: of the sum of all losses after it, and
    of the last one alone. The norm is over all layers, of the LSTM over h and c.
    """
    found = []
    for t, state in enumerate(states, 1):
        norms = []
        for first in (t, len(inputs) - 1):  # of the losses that count
            logits, _ = model.forward(inputs[t:], state)
            _, d_logits = cross_entropy(logits, targets[t:])
            d_logits[: first - t] = 0
            model.backward(d_logits * len(targets[t:]))  # of the sum, not of the mean
            norms.append(float(np.linalg.norm(np.asarray(model.state_gradient))))
        found.append((norms[0], norms[1]))
    return found
