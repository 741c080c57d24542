"""Characters per second of generation: one stream beside PyTorch's, and 64 prompts as one batch."""

import string
import time

import numpy as np
import torch
from torch import nn

from benchmarks.steps import PAUSE
from benchmarks.training_speed import Peer
from char_rnn import CharRNN, Vocabulary
from char_rnn.sample_config import SampleConfig

VOCABULARY = Vocabulary("\n " + string.ascii_letters + string.digits + ".")
PROMPTS = 64
WARM_UP = 200  # characters before the clock starts


def ours(model: CharRNN, length: int, threads: int = 1) -> float:
    """Return our characters per second, one stream."""
    config = SampleConfig(length, temperature=1.0)
    stream = model.generate("a", config, np.random.default_rng(0), threads=threads)
    for _ in range(WARM_UP):
        next(stream)
    began = time.perf_counter()
    for _ in stream:
        pass
    return (length - WARM_UP) / (time.perf_counter() - began)


def with_all_threads(model: CharRNN, length: int) -> float:
    """Return our characters per second, one stream with as many BLAS threads as PyTorch has."""
    return ours(model, length, torch.get_num_threads())


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


def measure(cell: str, H: int, threads: int, rounds: int = 5) -> dict[str, object]:
    """Return the medians of all three, taken in turn."""
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
    taken = []
    for _ in range(rounds):
        turn = []
        for speed, subject, length in (
            (ours, model, 8000),
            (theirs, peer, 2000),
            (with_all_threads, model, 8000),
            (many, model, 2000),
        ):
            time.sleep(PAUSE)
            turn.append(speed(subject, length))
        taken.append(turn)
    one, pytorch, wide, batch = np.median(taken, axis=0)
    return {
        "cell": cell,
        "hidden": H,
        "ours": one,
        "pytorch": pytorch,
        "ratio": one / pytorch,
        "wide_ratio": wide / pytorch,
        "many": batch,
        "many_ratio": batch / one,
        "many_to_pytorch": batch / pytorch,
    }
