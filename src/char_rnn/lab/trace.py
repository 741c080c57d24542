"""What are the numbers, worked out by hand?

Every number of an unrolled RNN, forward and backward, as one would write it on paper. By default
it is the exercise's own example, "Trace an Unrolled RNN by Hand": two units, the characters a, b
and space, "ab" read and "b " predicted. `lab/by_hand.py` is the whole calculation, a line an
equation; the engine (`CharRNN.forward` and `backward`) then does the same in float64, and what
differs by more than 1e-12 is an error.

A model of your own is traced too, if it is one plain layer of RNN, GRU or LSTM.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import ModelConfig
from char_rnn.data.vocabulary import Vocabulary
from char_rnn.errors import CharRNNError, UsageError
from char_rnn.lab import equations
from char_rnn.lab.by_hand import PAGES, Step
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.paper import Trace, lines, listed, number, sheet, vector
from char_rnn.lab.words import (
    exact,
    name_of,
    quoted,
    symbol_name,
    usual_word,
    vocabulary_of,
    word_ids,
)
from char_rnn.model.arguments import State
from char_rnn.model.loss import cross_entropy
from char_rnn.pictures.figure import Drawing

Array = np.ndarray

USES = ("model",)

MOST = 6  # characters of a word: more than that nobody does on paper
TOLERANCE = 1e-12

KINDS = {
    ("rnn", False): ("the RNN", equations.RNN),
    ("gru", False): ("the GRU that resets before the product", equations.GRU),
    ("gru", True): ("the GRU that resets after the product", equations.GRU_RESET_AFTER),
    ("lstm", False): ("the LSTM", equations.LSTM),
}
"""By cell and form: what it is called, and its equations."""

CHARACTERS = "ab "
WEIGHTS = {
    "W_xh": np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]),
    "W_hh": np.array([[0.1, 0.2], [0.3, 0.4]]),
    "W_hy": np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
    "b_h": np.zeros(2),
    "b_y": np.zeros(3),
}
"""The exercise's example; it has no biases."""
MEANS = (
    "The state is used twice, by its own output and by the next step, so two gradients meet in it; "
    "what comes from the next step was multiplied by what that step does with the state. The same "
    "weights act at every step, so their gradients are sums over the steps."
)
ERRATUM = (
    "The exercise errs here: its y_1 = [0.086 0.182 0.278] is right, but softmax of it is "
    "[0.302 0.332 0.366] and not [0.28 0.31 0.41], so the loss of step 1 is 1.102 and not 1.17, "
    "and dy_1 is [0.302 −0.668 0.366]."
)


def run(given: Given, word: str | None = None) -> Result:
    """Trace `word` through the exercise's network, or through the given model."""
    by_hand = given.of_model is None
    model = exercise_model() if by_hand else _checked(given.model(), given.name_of_model)
    if word is None:
        word = CHARACTERS if by_hand else usual_word(model, CHARACTERS)
    ids, names = _example_ids(word) if by_hand else _ids(model, word)
    inputs, targets = ids[:-1], ids[1:]
    page = PAGES[model.cell](weights_of(model), inputs, targets, *state_of(model))
    steps, gradients, before = page
    differs = engine_differs(model, inputs, targets, steps, gradients, before)
    if not differs <= TOLERANCE:
        raise CharRNNError(
            f"the trace and the engine differ by {differs:.1e}, more than {TOLERANCE:g}, so one of "
            "them is wrong; please report it, with the word and the model"
        )
    whose = "the exercise's example" if by_hand else given.name_of_model
    kind = KINDS[model.cell, bool(model.config.reset_after)]
    trace = Trace(whose, *kind, names, inputs, steps, gradients)
    title = f"{quoted(word)} traced through {whose}, forward and backward"
    errs = [ERRATUM] if by_hand and word[:2] == "ab" else []
    agrees = f"CharRNN.forward and backward give the same; the largest difference is {differs:.0e}."
    losses = np.array([step["loss"] for step in steps])
    return Result(
        figure=Drawing(title, sheet(trace, title), "\n".join([*lines(trace), "", agrees, *errs])),
        numbers={
            "steps": [{name: listed(found) for name, found in step.items()} for step in steps],
            "gradients": {name: listed(gradient) for name, gradient in gradients.items()},
            "loss": float(losses.sum()),
            "largest_difference": differs,
        },
        found=f"The losses of the steps are {vector(losses)} nats, together "
        f"{number(losses.sum())}. {agrees}",
        means=" ".join([MEANS, *errs]),
        settings={"model": whose, "word": word},
    )


def engine_differs(
    model: CharRNN,
    inputs: Sequence[int],
    targets: Sequence[int],
    steps: Sequence[Step],
    gradients: Mapping[str, Array],
    before: Mapping[str, Array],
) -> float:
    """Return the largest difference between the trace and what `model`, in float64, computes.

    Compared are h, y and the loss of every step, and all gradients, those of the state before among
    them: each as a share of the largest number beside it, where that is above 1.
    """
    T, start = len(steps), state_of(model)
    logits, _ = model.forward(inputs, _as_state(start))
    loss, d_logits = cross_entropy(logits, targets)  # of the mean: here it is the sum
    found = named(model.config, model.backward(d_logits))
    d_state = model.state_gradient
    d_states = d_state if isinstance(d_state, tuple) else (d_state,)
    pairs = [
        *((step["h"], h[0]) for step, h in zip(steps, model.hidden, strict=True)),
        *((step["y"], y[0]) for step, y in zip(steps, logits, strict=True)),
        (sum(step["loss"] for step in steps), T * loss),
        *((gradient, T * found[name]) for name, gradient in gradients.items()),
        *((ours, T * its[0, 0]) for ours, its in zip(before.values(), d_states, strict=True)),
    ]
    return max(
        float(np.max(np.abs(np.subtract(ours, its))) / max(1.0, np.max(np.abs(its))))
        for ours, its in pairs
    )


def named(config: ModelConfig, parameters: Mapping[str, Array]) -> dict[str, Array]:
    """Return `parameters` under the names of `lab/by_hand.py`, b'_n among them where it counts."""
    parts = {
        part: next(array for name, array in parameters.items() if name.startswith(f"rnn.{part}"))
        for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    out = {"W_hy": parameters["out.weight"], "b_y": parameters["out.bias"]}
    if config.cell == "rnn":
        own = {"W_xh": "weight_ih", "W_hh": "weight_hh", "b_h": "bias_ih"}
        return {name: parts[part] for name, part in own.items()} | out
    gates = {"lstm": "ifgo", "gru": "rzn"}[config.cell]
    names = {"weight_ih": "W_{}", "weight_hh": "U_{}", "bias_ih": "b_{}", "bias_hh": "b'_{}"}
    each = {
        names[part].format(gate): rows
        for part, array in parts.items()
        for gate, rows in zip(gates, np.split(array, len(gates)), strict=True)
        if part != "bias_hh" or (gate == "n" and config.reset_after)
    }
    return each | out


def weights_of(model: CharRNN) -> dict[str, Array]:
    """Return the weights of `model` under those names; two biases that are added are one."""
    twin = model.copy()
    for name, bias in twin.parameters.items():
        if name.startswith("rnn.bias_ih"):
            other = twin.parameters[name.replace("bias_ih", "bias_hh")]
            counts = 2 * model.hidden_size if model.config.reset_after else len(bias)
            bias[:counts] += other[:counts]  # zero, but in a model of PyTorch
    return named(model.config, twin.parameters)


def state_of(model: CharRNN) -> list[Array]:
    """Return the state before the first step, (H,) each: zeros, or what was learned."""
    names = ("h0", "c0") if model.cell == "lstm" else ("h0",)
    if model.config.initial_state == "learned":
        return [model.parameters[name][0].copy() for name in names]
    return [np.zeros(model.hidden_size) for _ in names]


def _as_state(state: list[Array]) -> State:
    found = [part[None, None] for part in state]  # (L, B, H)
    return (found[0], found[1]) if len(found) > 1 else found[0]


def exercise_model() -> CharRNN:
    """Return the exercise's network: its ids are the places in `CHARACTERS`."""
    model = CharRNN(len(CHARACTERS), 2, cell="rnn", dtype="float64")
    model.parameters.flat[:] = 0
    for name, weight in WEIGHTS.items():
        getattr(model, name)[:] = weight.reshape(getattr(model, name).shape)
    return model


def _example_ids(word: str) -> tuple[list[int], list[str]]:
    """Return the ids of `word` and the names of all, as the exercise numbers them."""
    if set(word) - set(CHARACTERS):
        raise UsageError(
            f"word is {word!r}, but the exercise's network knows a, b and space only; "
            "name a model that knows more (--model)"
        )
    word_ids(Vocabulary(CHARACTERS), word, 2, MOST)
    return [CHARACTERS.index(char) for char in word], [name_of(char) for char in CHARACTERS]


def _ids(model: CharRNN, word: str) -> tuple[list[int], list[str]]:
    """Return the ids of `word` and the names of all that `model` knows."""
    vocabulary = vocabulary_of(model)
    names = [symbol_name(vocabulary, k) for k in range(vocabulary.size)]
    return word_ids(vocabulary, word, 2, MOST), names


def _checked(model: CharRNN, name: str) -> CharRNN:
    """Return `model` in float64; raise UsageError where no page has its equations."""
    config = model.config
    plain = config.layers == 1 and not (config.layer_norm or config.tied)
    if config.cell not in PAGES or not plain:
        more = ", layer_norm" * config.layer_norm + ", tied" * config.tied
        raise UsageError(
            f"{name} is {config.layers} × {config.cell}{more}; only one plain layer of "
            f"{', '.join(PAGES)} can be traced: see the experiment unroll for any other"
        )
    return exact(model)
