"""The same network in JAX, compiled: a training step, and generation as one loop.

JAX's own way to a recurrent network is `lax.scan` over a step that is written out. How the step is
written decides over its speed, so there are several ways to train, and the best of them counts.
Generation is one compiled call for a whole text, with the draw inside: no library that is called
once a character can have less of what is not arithmetic.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.steps import CLIP, RATE, Step

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    sys.exit("this benchmark needs JAX: python -m pip install 'char-rnn[bench]'")

Weights = dict[str, Any]
State = tuple[Any, ...]


class Way(NamedTuple):
    """A way to write the scan.

    unroll: steps in one iteration of the compiled loop. hoisted: whether what enters is multiplied
    for all steps at once, before the loop.
    """

    unroll: int
    hoisted: bool


WAYS = (Way(1, False), Way(1, True), Way(5, True))


def gates(cell: str, x: Any, u: Any, state: State) -> State:
    """Return the state after a step. x, u: what enters and what recurs, (B, G·H), with biases."""
    if cell == "rnn":
        return (jnp.tanh(x + u),)
    if cell == "gru":
        (h,) = state
        (xr, xz, xn), (ur, uz, un) = jnp.split(x, 3, -1), jnp.split(u, 3, -1)
        r, z = jax.nn.sigmoid(xr + ur), jax.nn.sigmoid(xz + uz)
        n = jnp.tanh(xn + r * un)
        return ((1 - z) * n + z * h,)
    i, f, g, o = jnp.split(x + u, 4, -1)
    c = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
    return (jax.nn.sigmoid(o) * jnp.tanh(c), c)


def recurrent(w: Weights, k: int, h: Any) -> Any:
    """Return what recurs in layer k, (B, G·H)."""
    return h @ w[f"rnn.weight_hh_l{k}"] + w[f"rnn.bias_hh_l{k}"]


def entering(w: Weights, k: int, x: Any) -> Any:
    """Return what enters layer k: of ids a row of its weights, else a product."""
    weight, bias = w[f"rnn.weight_ih_l{k}"], w[f"rnn.bias_ih_l{k}"]
    return (weight[x] if k == 0 else x @ weight) + bias


def laid_out(weights: Weights) -> Weights:
    """Return weights as JAX multiplies with them: (rows of what enters, columns of what comes out).

    With PyTorch's layout a loop for one stream takes ten times as long.
    """
    return {name: jnp.array(x.T.copy()) for name, x in weights.items()}


def initial(cell: str, layers: int, B: int, H: int) -> tuple[State, ...]:
    """Return the state of each layer at the beginning."""
    return tuple(
        tuple(jnp.zeros((B, H)) for _ in range(2 if cell == "lstm" else 1)) for _ in range(layers)
    )


def run_layer(cell: str, way: Way, w: Weights, k: int, x: Any, state: State) -> tuple[State, Any]:
    """Return the state after a window, and h of all its steps (T, B, H)."""

    def step(state: State, x: Any) -> tuple[State, Any]:
        entered = x if way.hoisted else entering(w, k, x)
        after = gates(cell, entered, recurrent(w, k, state[0]), state)
        return after, after[0]

    xs = entering(w, k, x) if way.hoisted else x
    return jax.lax.scan(step, state, xs, unroll=way.unroll)


def training_step(cell: str, layers: int, weights: Weights, B: int, way: Way) -> Step:
    """Return a function that takes one step: forward, backward, clipping by norm, and Adam."""
    H = weights["out.weight"].shape[1]

    def loss_of(w: Weights, states: Any, inputs: Any, targets: Any) -> tuple[Any, Any]:
        x, after = inputs, []
        for k in range(layers):
            state, x = run_layer(cell, way, w, k, x, states[k])
            after.append(state)
        logits = x @ w["out.weight"] + w["out.bias"]
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), targets[..., None], -1)
        return -chosen.mean(), tuple(after)

    @partial(jax.jit, donate_argnums=(0, 1, 2, 3))
    def step(w: Weights, m: Weights, v: Weights, states: Any, t: Any, *ids: Any) -> Any:
        (loss, states), g = jax.value_and_grad(loss_of, has_aux=True)(w, states, *ids)
        norm = jnp.sqrt(sum(jnp.sum(x * x) for x in g.values()))
        g = {k: x * jnp.minimum(1, CLIP / norm) for k, x in g.items()}
        m = {k: 0.9 * m[k] + 0.1 * g[k] for k in w}
        v = {k: 0.999 * v[k] + 0.001 * g[k] ** 2 for k in w}
        rate, root = RATE / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        w = {k: w[k] - rate * m[k] / (jnp.sqrt(v[k]) / root + 1e-8) for k in w}
        return loss, w, m, v, states

    zeros = [{k: jnp.zeros_like(x) for k, x in laid_out(weights).items()} for _ in range(2)]
    kept: list[Any] = [
        laid_out(weights), *zeros, initial(cell, layers, B, H)
    ]  # fmt: skip
    taken = 0

    def one(inputs: np.ndarray, targets: np.ndarray) -> float:
        nonlocal taken
        taken += 1
        loss, *kept[:] = step(*kept, float(taken), inputs, targets)
        return float(loss)

    return one


def generation_loop(
    cell: str, layers: int, weights: Weights, B: int, length: int
) -> Callable[[int], np.ndarray]:
    """Return a compiled function that writes `length` ids of B texts at temperature 1, (length, B).

    It takes a seed for its random numbers. One layer may read another, as in training.
    """
    H = weights["out.weight"].shape[1]
    w = laid_out(weights)

    @jax.jit
    def write(w: Weights, key: Any) -> Any:
        def one(carry: Any, key: Any) -> tuple[Any, Any]:
            x, states = carry
            after = []
            for k in range(layers):
                u = recurrent(w, k, states[k][0])
                after.append(gates(cell, entering(w, k, x), u, states[k]))
                x = after[-1][0]
            logits = x @ w["out.weight"] + w["out.bias"]
            ids = jax.random.categorical(key, logits)
            return (ids, tuple(after)), ids

        begin = jnp.zeros(B, jnp.int32), initial(cell, layers, B, H)
        return jax.lax.scan(one, begin, jax.random.split(key, length))[1]

    def run(seed: int) -> np.ndarray:
        return np.asarray(write(w, jax.random.key(seed)))

    run(0)
    return run
