"""Is the gradient right? Backpropagation against central differences."""

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.errors import UsageError
from char_rnn.model.arguments import State
from char_rnn.model.loss import cross_entropy

Array = np.ndarray


def gradient_check(
    model: CharRNN,
    inputs: Array,
    targets: Array,
    state: State | None = None,
    epsilon: float = 1e-5,
    samples: int | None = None,
    rng: np.random.Generator | None = None,
) -> dict[str, float]:
    """Return, for every parameter and the initial state, the relative error of its gradient.

    The error of an array is ‖a − n‖ / (‖a‖ + ‖n‖), where a is the gradient by backpropagation and
    n the one by central differences, (f(x + ε) − f(x − ε)) / 2ε for each element; both zero count
    as 0. Right gradients of a float64 model stay below 1e-6.

    model: float64; its parameters are moved and put back.
    inputs, targets: (T, B) or (T,) ids.
    state: where the window starts, checked under the names `state.h` (and `state.c`); None starts
        from the model's own initial state, so that a learned one is checked as a parameter.
    samples: at most so many elements of each array, drawn by `rng`; None checks all of them.
    Source: Goodfellow, Bengio, Courville, Deep Learning, section 11.5.
    """
    if model.config.dtype != "float64":
        raise UsageError("gradient_check needs a float64 model: CharRNN(..., dtype=np.float64)")
    if state is None and model.config.initial_state == "random":
        state = model.forward(inputs)[1]
    rng = np.random.default_rng(0) if rng is None else rng

    parts: list[Array] = []
    if state is not None:
        parts = [np.array(part) for part in (state if isinstance(state, tuple) else (state,))]

    def start() -> State | None:
        return None if not parts else parts[0] if len(parts) == 1 else (parts[0], parts[1])

    def loss() -> float:
        return cross_entropy(model.forward(inputs, start())[0], targets)[0]

    model.forward(inputs, start())
    gradients = dict(model.backward(targets)[1])
    arrays = dict(model.parameters)
    if parts:
        found = model.state_gradient
        for name, part, gradient in zip(
            ("state.h", "state.c"),
            parts,
            found if isinstance(found, tuple) else (found,),
            strict=False,
        ):
            arrays[name], gradients[name] = part, gradient.copy()

    errors = {}
    for name, array in arrays.items():
        chosen = np.arange(array.size)
        if samples is not None and samples < array.size:
            chosen = rng.choice(array.size, samples, replace=False)
        numerical = np.empty(len(chosen))
        for k, i in enumerate(chosen):
            kept = array.flat[i]
            array.flat[i] = kept + epsilon
            above = loss()
            array.flat[i] = kept - epsilon
            below = loss()
            array.flat[i] = kept
            numerical[k] = (above - below) / (2 * epsilon)
        exact = gradients[name].flat[chosen]
        size = float(np.linalg.norm(exact) + np.linalg.norm(numerical))
        errors[name] = float(np.linalg.norm(exact - numerical)) / size if size else 0.0
    return errors
