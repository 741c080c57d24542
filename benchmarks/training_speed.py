"""Characters per second of a training step: char_rnn, PyTorch and JAX, in turn on this CPU.

    python -m benchmarks.training_speed [--cells rnn,gru,lstm] [--hidden 128,256,512]
        [--batch 64] [--rounds 5] [--threads 2] [--json FILE]

A step is forward, mean cross-entropy, backward, clipping by norm 5 and Adam, over the same random
ids from the same weights, with the state handed on. They take turns in one process, a block of
steps each, one after another as training runs them; `ratio` compares the median steps and `best`
the quickest ones. Of JAX's ways to write the loop (jax_peer.py) the quickest counts. Windows are
50 characters of 65, float32, one layer unless told otherwise, and the GRU is PyTorch's form
(reset_after).

Run it on an idle machine: PyTorch's threads wait for one another several times in a step, so that
other work on their cores slows PyTorch far more than it slows us, and the ratio flatters us.
Nothing here asserts a time; it only stops if they do not compute the same first loss.
"""

import argparse
import json
import math
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import ThreadpoolController

from benchmarks.jax_peer import WAYS, training_step
from benchmarks.steps import BLOCK, CLIP, RATE, Step, block, our_step
from char_rnn import CharRNN
from char_rnn.training.parallel import Workers, worker_count

try:
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy
except ImportError:
    sys.exit("this benchmark needs PyTorch: python -m pip install 'char-rnn[bench]'")

T, V = 50, 65
Enter = Callable[[torch.Tensor], torch.Tensor]


class Peer(nn.Module):
    """The same network in PyTorch, under the same parameter names."""

    def __init__(self, cell: str, H: int, layers: int = 1) -> None:
        super().__init__()
        self.rnn = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](V, H, layers)
        self.out = nn.Linear(H, V)


def weights_of(model: CharRNN) -> dict[str, torch.Tensor]:
    """Return copies of a model's weights by their names, which are PyTorch's."""
    return {name: torch.from_numpy(array.copy()) for name, array in model.parameters.items()}


def their_step(peer: nn.Module, enter: Enter, *, fused: bool = False) -> Step:
    """Return a function that takes one step of PyTorch's.

    peer: has `rnn` and `out`. enter: makes what `rnn` reads of ids. fused: which Adam.
    """
    trained = [weights for weights in peer.parameters() if weights.requires_grad]
    optimizer = torch.optim.Adam(trained, RATE, fused=fused)
    state = None

    def step(inputs: np.ndarray, targets: np.ndarray) -> float:
        nonlocal state
        optimizer.zero_grad()
        hidden, state = peer.rnn(enter(torch.from_numpy(inputs)), state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        loss = cross_entropy(peer.out(hidden).flatten(0, 1), torch.from_numpy(targets).view(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(trained, CLIP)
        optimizer.step()
        return loss.item()

    return step


def take_turns(
    ours: Step,
    theirs: Sequence[Step],
    windows: np.ndarray,
    rounds: int,
    threads: int,
    alike: int = 1,
) -> list[list[float]]:
    """Return the seconds of each step, of ours and of each of theirs, in turn.

    Stops if one of the first `alike` of theirs does not compute the same first loss as ours.
    """
    controller = ThreadpoolController()
    torch.set_num_threads(threads)
    losses = [step(*windows[0]) for step in (ours, *theirs)]
    for loss in losses[1 : alike + 1]:
        if not math.isclose(losses[0], loss, rel_tol=1e-4):
            sys.exit(f"the losses differ: {losses[0]} and {loss}")
    seconds: list[list[float]] = [[] for _ in losses]
    for _ in range(rounds):
        with controller.limit(limits=1, user_api="blas"):
            seconds[0] += block(ours, windows)
        for found, step in zip(seconds[1:], theirs, strict=True):
            found += block(step, windows)
    return seconds


def measure(
    cell: str, H: int, B: int, rounds: int, threads: int, layers: int = 1
) -> dict[str, object]:
    """Return the point's settings, speeds in characters per second, and ratios."""
    rng = np.random.default_rng(0)
    model = CharRNN(V, H, cell, layers, reset_after=cell == "gru", rng=rng)
    windows = rng.integers(V, size=(8, 2, T, B))
    peer = Peer(cell, H, layers)
    peer.load_state_dict(weights_of(model))
    count = worker_count(threads, T, B, model.num_parameters, model.config.cell)
    weights = {name: array.numpy() for name, array in weights_of(model).items()}
    theirs = [their_step(peer, torch.eye(V).__getitem__)]
    theirs += [training_step(cell, layers, weights, B, way) for way in WAYS]
    with Workers(model.parameters, count, T, B) as workers, our_step(model, workers, B) as our:
        seconds = take_turns(our, theirs, windows, rounds, threads, len(theirs))
    ours, pytorch, *jax = (T * B / statistics.median(found) for found in seconds)
    way = max(range(len(WAYS)), key=jax.__getitem__)
    return {
        "cell": cell,
        "hidden": H,
        "layers": layers,
        "batch": B,
        "steps": [len(found) for found in seconds],
        "ours": ours,
        "pytorch": pytorch,
        "ratio": ours / pytorch,
        "best_ratio": min(seconds[1]) / min(seconds[0]),
        "jax": jax[way],
        "jax_way": WAYS[way]._asdict(),
        "jax_ratio": ours / jax[way],
    }


def numbers(text: str) -> list[int]:
    """Return the whole numbers of a list with commas."""
    return [int(part) for part in text.split(",")]


def main() -> None:
    """Measure every point and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cells", default="rnn,gru,lstm", help="with commas")
    parser.add_argument("--hidden", type=numbers, default=[128, 256, 512], help="with commas")
    parser.add_argument("--batch", type=numbers, default=[64], help="with commas")
    parser.add_argument("--rounds", type=int, default=5, help="blocks of steps of each")
    parser.add_argument("--threads", type=int, default=2, help="threads of each")
    parser.add_argument("--json", type=Path, help="file for the figures")
    args = parser.parse_args()

    print(f"T={T} V={V} float32, {args.threads} threads, {args.rounds} blocks of {BLOCK} s each")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    if load is not None and load > 0.5:
        print(f"other work loads this machine ({load:.1f}): the figures are not to be relied on")
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__}, JAX {version('jax')}")
    print(
        f"{'cell':5}{'H':>5}{'B':>5}{'ours/s':>12}{'PyTorch/s':>12}{'ratio':>8}{'best':>8}"
        f"{'JAX/s':>12}{'ratio':>8}",
        flush=True,
    )
    points = []
    for cell in args.cells.split(","):
        for H in args.hidden:
            for B in args.batch:
                point = measure(cell, H, B, args.rounds, args.threads)
                points.append(point)
                speeds = f"{point['ours']:12,.0f}{point['pytorch']:12,.0f}"
                ratios = f"{point['ratio']:8.2f}{point['best_ratio']:8.2f}"
                jax = f"{point['jax']:12,.0f}{point['jax_ratio']:8.2f}"
                print(f"{cell:5}{H:5}{B:5}{speeds}{ratios}{jax}", flush=True)
    mean = statistics.geometric_mean(point["ratio"] for point in points)
    best = statistics.geometric_mean(point["best_ratio"] for point in points)
    jax_mean = statistics.geometric_mean(point["jax_ratio"] for point in points)
    print(f"geometric mean of ours / PyTorch: {mean:.2f} by medians, {best:.2f} by quickest steps")
    print(f"geometric mean of ours / JAX: {jax_mean:.2f}")
    if args.json:
        facts = {
            "numpy": np.__version__,
            "torch": torch.__version__,
            "jax": version("jax"),
            "threads": args.threads,
            "rounds": args.rounds,
            "load_before": load,
            "geometric_mean": mean,
            "best_geometric_mean": best,
            "jax_geometric_mean": jax_mean,
            "points": points,
        }
        args.json.write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
