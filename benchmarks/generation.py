"""Characters per second of generation: one stream and 64 prompts, beside PyTorch and JAX."""

import string
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks.jax_peer import generation_loop
from benchmarks.steps import PAUSE
from benchmarks.training_speed import Peer, weights_of
from char_rnn import CharRNN, Vocabulary
from char_rnn.sample_config import SampleConfig

VOCABULARY = Vocabulary("\n " + string.ascii_letters + string.digits + ".")
PROMPTS = 64
WARM_UP = 200  # characters before the clock starts
JAX_LENGTHS = {1: 4000, PROMPTS: 1000}  # of a text, by how many texts are written


def ours(model: CharRNN, length: int, threads: int | None = None) -> float:
    """Return our characters per second, one stream."""
    config = SampleConfig(length, temperature=1.0)
    stream = model.generate("a", config, np.random.default_rng(0), threads=threads)
    for _ in range(WARM_UP):
        next(stream)
    began = time.perf_counter()
    for _ in stream:
        pass
    return (length - WARM_UP) / (time.perf_counter() - began)


def on_one_core(model: CharRNN, length: int) -> float:
    """Return our characters per second, one stream that no second core helps."""
    return ours(model, length, 1)


def many(model: CharRNN, length: int) -> float:
    """Return our characters per second, all prompts as one batch."""
    began = time.perf_counter()
    model.sample_many(["a"] * PROMPTS, length, 1.0, rng=np.random.default_rng(0))
    return PROMPTS * length / (time.perf_counter() - began)


def theirs(peer: nn.Module, length: int) -> float:
    """Return PyTorch's characters per second, one stream, one call a character."""
    one_hot, state, idx = torch.eye(VOCABULARY.size), None, 0
    began = 0.0
    with torch.inference_mode():
        for k in range(length):
            if k == WARM_UP:
                began = time.perf_counter()
            hidden, state = peer.rnn(one_hot[idx].view(1, 1, -1), state)
            p = torch.softmax(peer.out(hidden)[0, 0], 0)
            idx = int(torch.multinomial(p, 1))
    return (length - WARM_UP) / (time.perf_counter() - began)


def compiled(run: Callable[[int], np.ndarray], B: int, length: int) -> float:
    """Return JAX's characters per second, B texts of `length` in one compiled call."""
    began = time.perf_counter()
    run(1)
    return B * length / (time.perf_counter() - began)


def measure(cell: str, H: int, threads: int, rounds: int = 5) -> dict[str, object]:
    """Return the medians of all of them, taken in turn."""
    torch.set_num_threads(threads)
    model = CharRNN(
        VOCABULARY.size,
        H,
        cell,
        reset_after=cell == "gru",
        vocabulary=VOCABULARY,
        rng=np.random.default_rng(0),
    )
    peer = Peer(cell, H)
    weights = {name: array.numpy() for name, array in weights_of(model).items()}
    loops = {B: generation_loop(cell, 1, weights, B, length) for B, length in JAX_LENGTHS.items()}
    taken = []
    for _ in range(rounds):
        turn = []
        for speed in (
            partial(ours, model, 8000),
            partial(theirs, peer, 2000),
            partial(on_one_core, model, 8000),
            partial(many, model, 2000),
            partial(compiled, loops[1], 1, JAX_LENGTHS[1]),
            partial(compiled, loops[PROMPTS], PROMPTS, JAX_LENGTHS[PROMPTS]),
        ):
            time.sleep(PAUSE)
            turn.append(speed())
        taken.append(turn)
    one, pytorch, alone, batch, jax, jax_batch = np.median(taken, axis=0)
    return {
        "cell": cell,
        "hidden": H,
        "ours": one,
        "pytorch": pytorch,
        "ratio": one / pytorch,
        "one_core": alone,
        "many": batch,
        "many_ratio": batch / one,
        "many_to_pytorch": batch / pytorch,
        "jax": jax,
        "jax_ratio": one / jax,
        "jax_many": jax_batch,
        "jax_many_ratio": batch / jax_batch,
    }
