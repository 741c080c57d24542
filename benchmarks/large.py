"""Training with a large vocabulary, 8,000 characters: speed and memory, beside PyTorch.

    python -m benchmarks.large ours|pytorch CELL H B T     the memory of one side, in MB

Where V is large, no one multiplies one-hot vectors. The same network in PyTorch looks up its W x:
an `nn.Embedding` of G·H numbers a character, in front of an `nn.GRU` or `nn.LSTM` whose input
weights are the identity and are not trained, which is the quickest form found of the same
function. What people write in PyTorch is another network: an `nn.Embedding` of H numbers, and input
weights of its own. It has fewer weights (V·H + G·H² in place of G·H·V), and is timed as well. Both
have the fused Adam, PyTorch's quickest. Ids are uniformly random, so that few of a window are
alike: the dearest case.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
from threadpoolctl import ThreadpoolController

from benchmarks.steps import Step, our_step
from char_rnn import CharRNN
from char_rnn.training.parallel import Workers, worker_count

V = 8_000
GATES = {"gru": 3, "lstm": 4}
STEPS = 5  # taken before memory is looked at


def made(cell: str, H: int) -> CharRNN:
    """Return the model whose training is measured."""
    return CharRNN(V, H, cell, reset_after=cell == "gru", rng=np.random.default_rng(0))


def windows(T: int, B: int) -> np.ndarray:
    """Return eight windows, inputs and targets: (8, 2, T, B)."""
    return np.random.default_rng(1).integers(V, size=(8, 2, T, B))


def workers_of(model: CharRNN, T: int, B: int, threads: int) -> Workers:
    """Return the processes that a run would have."""
    count = worker_count(threads, T, B, model.num_parameters, model.config.cell)
    return Workers(model.parameters, count, T, B)


def same(model: CharRNN) -> Step:
    """Return a function that takes a step of the same network in PyTorch."""
    import torch
    from torch import nn

    from benchmarks.training_speed import their_step, weights_of

    cell, H = model.config.cell, model.config.hidden_size
    peer = nn.Module()
    peer.inputs = nn.Embedding(V, GATES[cell] * H)
    peer.rnn = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](GATES[cell] * H, H)
    peer.out = nn.Linear(H, V)
    weights = weights_of(model)
    weights["inputs.weight"] = weights["rnn.weight_ih_l0"].T
    weights["rnn.weight_ih_l0"] = torch.eye(GATES[cell] * H)
    peer.load_state_dict(weights)
    peer.rnn.weight_ih_l0.requires_grad_(False)
    return their_step(peer, peer.inputs, fused=True)


def other(model: CharRNN) -> Step:
    """Return a function that takes a step of the network that people write in PyTorch."""
    from torch import nn

    from benchmarks.training_speed import their_step

    cell, H = model.config.cell, model.config.hidden_size
    peer = nn.Module()
    peer.inputs = nn.Embedding(V, H)
    peer.rnn = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](H, H)
    peer.out = nn.Linear(H, V)
    return their_step(peer, peer.inputs, fused=True)


def measure(cell: str, H: int, B: int, T: int, rounds: int, threads: int) -> dict[str, object]:
    """Return the point's settings, speeds in characters a second, ratios and memory."""
    from benchmarks.training_speed import take_turns

    model = made(cell, H)
    theirs = [same(model), other(model)]
    with workers_of(model, T, B, threads) as workers, our_step(model, workers, B) as our:
        seconds = take_turns(our, theirs, windows(T, B), rounds, threads)
    with workers_of(model, T, B, 1) as workers, our_step(model, workers, B) as our:
        cpu = cpu_times([our, theirs[0]], windows(T, B))
    ours, same_one, other_one = (T * B / median(found) for found in seconds)
    sides = [memory(side, cell, H, B, T, threads) for side in ("ours", "pytorch")]
    return {
        "cell": cell,
        "hidden": H,
        "batch": B,
        "window": T,
        "ours": ours,
        "pytorch": same_one,
        "ratio": ours / same_one,
        "best_ratio": min(seconds[1]) / min(seconds[0]),
        "other_ratio": ours / other_one,
        "cpu_ratio": cpu[1] / cpu[0],
        "megabytes": sides[0],
        "pytorch_megabytes": sides[1],
    }


def cpu_times(steps: list[Step], given: np.ndarray) -> list[float]:
    """Return the seconds of a core that a step of each takes on one thread: the median of four.

    Other work on the machine changes it too, by caches and memory that it takes.
    """
    import torch

    torch.set_num_threads(1)
    seconds: list[list[float]] = [[] for _ in steps]
    with ThreadpoolController().limit(limits=1, user_api="blas"):
        for inputs, targets in given[:5]:
            for step, found in zip(steps, seconds, strict=True):
                began = time.process_time()
                step(inputs, targets)
                found.append(time.process_time() - began)
    return [median(found[1:]) for found in seconds]


def memory(side: str, *point: object) -> float:
    """Return the megabytes that a process of that side takes at most, with its workers."""
    command = [sys.executable, "-m", "benchmarks.large", side, *map(str, point)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def _megabytes(process: int, name: str) -> float:
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return float(re.findall(rf"{name}:\s+(\d+)", status)[0]) / 1024


def main() -> None:
    """Take steps of one side; print the most megabytes, memory that is shared counted once."""
    side, cell = sys.argv[1:3]
    H, B, T, threads = map(int, sys.argv[3:])
    me = os.getpid()
    if side == "ours":
        model = made(cell, H)
        with workers_of(model, T, B, threads) as workers, our_step(model, workers, B) as step:
            for inputs, targets in windows(T, B)[:STEPS]:
                step(inputs, targets)
            size = _megabytes(me, "VmHWM")
            for child in Path(f"/proc/{me}/task/{me}/children").read_text("ascii").split():
                size += _megabytes(int(child), "VmHWM") - _megabytes(int(child), "RssShmem")
    else:
        import torch

        torch.set_num_threads(threads)
        step = same(made(cell, H))
        for inputs, targets in windows(T, B)[:STEPS]:
            step(inputs, targets)
        size = _megabytes(me, "VmHWM")
    print(size)


if __name__ == "__main__":
    main()
