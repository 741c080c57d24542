"""One training step on several cores: this process and its workers each take a slice of the batch.

Workers are processes: threads of one interpreter wait for its lock between NumPy calls, which at
128 units and 16 rows a worker cost 40 % of the speed. Every slice has a network of its own, with
one BLAS thread; weights, ids, states and gradients meet in shared memory. The slices' gradients
are added in a fixed order, so that the same number of workers gives the same bits.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from char_rnn.errors import WorkerDied
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.tables import CELLS
from char_rnn.training.dropout import Noise
from char_rnn.training.shared import create
from char_rnn.training.team import ALONE, Team
from char_rnn.training.worker import ANSWER

Array = np.ndarray

SMALLEST_SLICE = 1e6
"""Multiplications of a window's slice (characters · weights) below which a worker does not pay:
a step of so few takes about as long as waking a worker and adding its gradients."""

ONE_BLAS_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP", "BLIS")
} | {"VECLIB_MAXIMUM_THREADS": "1"}


def worker_count(threads: int, T: int, B: int, weights: int, cell: str) -> int:
    """Return how many slices of a batch (T, B) pay, at most `threads`.

    A slice has two streams at least: one waits for the weights just as long as two. A cell that
    was registered is known in this process only.
    """
    # An interpreter inside another program cannot be started again.
    if not sys.executable or not isinstance(CELLS.get(cell), str):
        return 1
    return max(1, min(threads, B // 2, int(T * B * weights / SMALLEST_SLICE)))


def own_group() -> dict[str, Any]:
    """Return how a process is started such that Ctrl-C reaches only who can save the run."""
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined, unused-ignore]
    return {"process_group": 0}


def with_package() -> dict[str, str]:
    """Return an environment in which an interpreter finds this package, wherever it lies."""
    package = Path(__file__).parents[2]
    path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": path}


class Workers:
    """Networks over slices of the batch, the first of them in this process.

    They compute with a copy of `parameters`, which dropout may change.
    count: how many slices, at most as many as there are streams. Windows are (T, B).
    team: who shares the batch; the slices are of this member's columns, and what `step` returns and
        leaves is of the whole batch all the same.

    columns: of this member.
    """

    def __init__(
        self, parameters: Parameters, count: int, T: int, B: int, team: Team = ALONE
    ) -> None:
        config = parameters.config
        self._team, self.columns = team, team.columns(B)
        first, own = self.columns.start, self.columns.stop - self.columns.start
        count = max(1, min(count, own))
        self._parameters, self._weights = parameters, parameters.like()
        self._network = Network(self._weights)
        bounds = [first + own * k // count for k in range(count + 1)]
        self._slices = [slice(a, b) for a, b in pairwise(bounds)]
        self._size = T * B
        self._processes: list[_Process] = []
        if count == 1:
            return
        state = ((self._network.cell.states, config.layers, B, config.hidden_size), config.dtype)
        handle, self._shared = create(
            {
                "weights": (parameters.flat.shape, config.dtype),
                "gradients": ((count - 1, parameters.flat.size), config.dtype),
                "began": ((B,), "bool"),
                "inputs": ((T, B), "int64"),
                "targets": ((T, B), "int64"),
                "before": state,
                "after": state,
                "masks": ((config.layers, B, config.hidden_size), config.dtype),
            }
        )
        self._weights = Parameters(config, self._shared["weights"])
        self._network = Network(self._weights)
        task: dict[str, Any] = {"config": config.to_dict(), "shared": handle.to_dict()}
        try:
            for index, cut in enumerate(self._slices[1:], 1):
                task |= {"index": index, "slice": (cut.start, cut.stop)}
                self._processes.append(_Process(task, handle.file))
        except BaseException:
            self.close()
            raise
        finally:
            if handle.file >= 0:
                os.close(handle.file)

    @property
    def count(self) -> int:
        """How many slices there are, each with a core of its own."""
        return len(self._slices)

    @property
    def gradients(self) -> Parameters:
        """The gradients of the last step, of the whole batch."""
        return self._network.gradients

    def initial_state(self, B: int, rng: np.random.Generator) -> Array:
        """Return the state (S, L, B, H) with which an epoch begins."""
        self._weights.flat[:] = self._parameters.flat
        return self._network.initial_state(B, rng)

    def step(
        self,
        inputs: Array,
        targets: Array,
        state: Array,
        began: Array | None = None,
        noise: Noise | None = None,
    ) -> tuple[float, Array]:
        """Return the mean loss of a window (T, B) and the state (S, L, B, H) after it.

        began: (B,), True for the streams that begin with the initial state; None for none.
        noise: what dropout leaves out of this window.
        Raises WorkerDied if a worker, or another member of the team, has ended; the weights are as
        they were.
        """
        began = np.zeros(state.shape[2], bool) if began is None else began
        self._weights.flat[:] = self._parameters.flat
        masks, gradients = None, self._network.gradients
        if noise is not None:
            masks, inputs = noise.masks, noise.hide(inputs)
            noise.scale(self._weights)
        try:
            total, after = self._own_slices(inputs, targets, state, began, masks)
        except WorkerDied:
            self._team.lost()
            raise
        total = self._team.add(gradients.flat, after, total)
        if noise is not None:
            noise.scale(gradients)
        return total / self._size, after

    def _own_slices(
        self, inputs: Array, targets: Array, state: Array, began: Array, masks: Array | None
    ) -> tuple[float, Array]:
        """Return the summed loss of this member's columns, and the states, right in these."""
        if self._processes:
            shared = self._shared
            shared["inputs"][:], shared["targets"][:] = inputs, targets
            shared["before"][:], shared["began"][:] = state, began
            if masks is not None:
                shared["masks"][:] = masks
        for process in self._processes:
            process.send(b"\0" if masks is None else b"\1")
        network, cut = self._network, self._slices[0]
        mine = inputs[:, cut]
        network.forward(mine, state[:, :, cut], None if masks is None else masks[:, cut])
        total = network.backward(targets[:, cut], self._size, began[cut])
        after = np.empty_like(state)
        after[:, :, cut] = network.state()
        if self._processes:
            for process, gradients in zip(self._processes, shared["gradients"], strict=True):
                total += process.receive()
                np.add(network.gradients.flat, gradients, out=network.gradients.flat)
            others = slice(cut.stop, self.columns.stop)
            after[:, :, others] = shared["after"][:, :, others]
        return total, after

    def close(self) -> None:
        """End the workers and wait for them."""
        for process in self._processes:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Process:
    """A worker seen from the process that started it."""

    def __init__(self, task: dict[str, Any], file: int) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        files: dict[str, Any] = {} if os.name == "nt" else {"pass_fds": [file]}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "char_rnn.training.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                env=with_package() | ONE_BLAS_THREAD,
                **own_group(),
                **files,
            )
        except OSError as error:
            self._errors.close()
            raise WorkerDied(
                f"a worker process could not be started: {error}; --threads 1 does without workers"
            ) from error
        self.send(json.dumps(task).encode() + b"\n")

    def send(self, order: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(order)
        except OSError as error:
            raise self._died() from error

    def receive(self) -> float:
        assert self._process.stdout is not None
        answer = self._process.stdout.read(ANSWER.size)
        if answer is None or len(answer) < ANSWER.size:
            raise self._died()
        return float(ANSWER.unpack(answer)[0])

    def _died(self) -> WorkerDied:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        said = f" ({lines[-1]})" if lines else ""
        return WorkerDied(
            f"a worker process ended in the middle of the run, with the exit code {code}{said}; "
            "the last step is saved, and --threads 1 does without workers"
        )

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
