"""What are the numbers, worked out by hand?

Every number of an unrolled RNN, forward and backward, as one would write it on paper. By default
it is the exercise's own example, "Trace an Unrolled RNN by Hand": two units, the characters a, b
and space, "ab" read and "b " predicted. `traced` is the whole calculation, a line an equation; the
engine (`CharRNN.forward` and `backward`) then does the same in float64, and what differs by more
than 1e-12 is an error.

A model of your own is traced too, if it has the exercise's equations: one layer of the RNN cell.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.vocabulary import Vocabulary
from char_rnn.errors import CharRNNError, UsageError
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
from char_rnn.model.loss import cross_entropy
from char_rnn.pictures.figure import Drawing

Array = np.ndarray

USES = ("model",)

MOST = 6  # characters of a word: more than that nobody does on paper
TOLERANCE = 1e-12
NAMES = ("W_xh", "W_hh", "W_hy", "b_h", "b_y")

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
    "what comes from the next step was multiplied by W_hh and by 1 − h². The same weights act at "
    "every step, so their gradients are sums over the steps."
)
ERRATUM = (
    "The exercise errs here: its y_1 = [0.086 0.182 0.278] is right, but softmax of it is "
    "[0.302 0.332 0.366] and not [0.28 0.31 0.41], so the loss of step 1 is 1.102 and not 1.17, "
    "and dy_1 is [0.302 −0.668 0.366]."
)


def traced(
    weights: Mapping[str, Array], inputs: Sequence[int], targets: Sequence[int], h: Array
) -> tuple[list[dict[str, Any]], dict[str, Array]]:
    """Return each step's numbers and the gradients of the loss, summed over the steps.

    weights: W_xh (H, V), W_hh (H, H), W_hy (V, H), b_h (H,), b_y (V,). h: (H,), the state h_0.
    """
    W_xh, W_hh, W_hy, b_h, b_y = (weights[name] for name in NAMES)
    one_hot = np.eye(len(W_hy))
    steps: list[dict[str, Any]] = []

    for read, target in zip(inputs, targets, strict=True):
        x = one_hot[read]
        from_input, from_state = W_xh @ x, W_hh @ h
        z = from_input + from_state + b_h
        step = {"x": x, "h_before": h, "from_input": from_input, "from_state": from_state, "z": z}
        h = np.tanh(z)
        y = W_hy @ h + b_y
        p = np.exp(y - y.max()) / np.sum(np.exp(y - y.max()))
        loss = -np.log(p[target])
        steps.append(step | {"h": h, "y": y, "p": p, "target": target, "loss": loss})

    gradients = {name: np.zeros_like(weight) for name, weight in weights.items()}
    from_next = np.zeros_like(h)  # nothing comes after the last step

    for step in reversed(steps):
        x, h_before, h = step["x"], step["h_before"], step["h"]
        dy = step["p"] - one_hot[step["target"]]
        from_output = W_hy.T @ dy
        dh = from_output + from_next  # h was used twice
        dz = dh * (1 - h**2)
        step |= {"dy": dy, "from_output": from_output, "from_next": from_next, "dh": dh, "dz": dz}
        gradients["W_xh"] += np.outer(dz, x)
        gradients["W_hh"] += np.outer(dz, h_before)
        gradients["W_hy"] += np.outer(dy, h)
        gradients["b_h"] += dz
        gradients["b_y"] += dy
        from_next = W_hh.T @ dz

    return steps, gradients


def engine_differs(
    model: CharRNN,
    inputs: Sequence[int],
    targets: Sequence[int],
    steps: Sequence[Mapping[str, Any]],
    gradients: Mapping[str, Array],
) -> float:
    """Return the largest difference between the trace and what `model`, in float64, computes.

    Compared are h, y and the loss of every step, all gradients, and that of h_0: each as a share of
    the largest number beside it, where that is above 1.
    """
    logits, _ = model.forward(inputs, steps[0]["h_before"][None, None])
    loss, d_logits = cross_entropy(logits, targets)  # of the mean: here it is the sum
    found = model.copy()  # for the exercise's names
    found.parameters.flat[:] = len(steps) * model.backward(d_logits).flat
    pairs = [
        *((step["h"], h[0]) for step, h in zip(steps, model.hidden, strict=True)),
        *((step["y"], y[0]) for step, y in zip(steps, logits, strict=True)),
        (sum(step["loss"] for step in steps), len(steps) * loss),
        *((gradients[name], getattr(found, name).reshape(gradients[name].shape)) for name in NAMES),
        (
            weights_of(model)["W_hh"].T @ steps[0]["dz"],
            len(steps) * np.asarray(model.state_gradient)[0, 0],
        ),
    ]
    return max(
        float(np.max(np.abs(np.subtract(ours, its))) / max(1.0, np.max(np.abs(its))))
        for ours, its in pairs
    )


def weights_of(model: CharRNN) -> dict[str, Array]:
    """Return the weights of `model` under the exercise's names, b_h (H,) and b_y (V,)."""
    found = {name: np.array(getattr(model, name), np.float64) for name in NAMES}
    found |= {name: found[name][:, 0] for name in ("b_h", "b_y")}
    found["b_h"] += model.parameters["rnn.bias_hh_l0"]  # zero, but in a model of PyTorch
    return found


def exercise_model() -> CharRNN:
    """Return the exercise's network: its ids are the places in `CHARACTERS`."""
    model = CharRNN(len(CHARACTERS), 2, cell="rnn", dtype="float64")
    model.parameters.flat[:] = 0
    for name, weight in WEIGHTS.items():
        getattr(model, name)[:] = weight.reshape(getattr(model, name).shape)
    return model


def run(given: Given, word: str | None = None) -> Result:
    """Trace `word` through the exercise's network, or through the given model."""
    by_hand = given.of_model is None
    model = exercise_model() if by_hand else _checked(given.model(), given.name_of_model)
    if word is None:
        word = CHARACTERS if by_hand else usual_word(model, CHARACTERS)
    ids, names = _example_ids(word) if by_hand else _ids(model, word)
    inputs, targets = ids[:-1], ids[1:]
    steps, gradients = traced(weights_of(model), inputs, targets, _state(model))
    differs = engine_differs(model, inputs, targets, steps, gradients)
    if not differs <= TOLERANCE:
        raise CharRNNError(
            f"the trace and the engine differ by {differs:.1e}, more than {TOLERANCE:g}, so one of "
            "them is wrong; please report it, with the word and the model"
        )
    whose = "the exercise's example" if by_hand else given.name_of_model
    trace = Trace(whose, names, inputs, steps, gradients)
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
    """Return `model` in float64; raise UsageError where its equations are not the exercise's."""
    config = model.config
    if (config.cell, config.layers, config.layer_norm, config.tied) != ("rnn", 1, False, False):
        more = ", layer_norm" * config.layer_norm + ", tied" * config.tied
        raise UsageError(
            f"{name} is {config.layers} × {config.cell}{more}; a trace follows the exercise's "
            "equations, those of one plain layer of the rnn cell: see the experiment unroll for "
            "any other"
        )
    return exact(model)


def _state(model: CharRNN) -> Array:
    """Return h_0 (H,): zeros, or what was learned."""
    if model.config.initial_state == "learned":
        return np.array(model.parameters["h0"][0])
    return np.zeros(model.hidden_size)
