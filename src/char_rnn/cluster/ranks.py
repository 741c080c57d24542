"""The team of a run on several machines: MPI carries what its ranks hand over.

Gradients are added in the order of the ranks, whatever MPI is used: every rank adds its share of
the parameters (an all-to-all), and hands the sums to all (an all-gather). That is as many bytes as
MPI's own sum over all ranks takes, which however adds in an order that depends on their number. So
N ranks of one thread compute the bits of one process with N threads.

Nothing waits for ever: a rank that has not answered within `patience` seconds, or ten times as long
as this one has worked itself, counts as dead.
"""

import atexit
import pickle
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from char_rnn.cluster.keeper import Keeper
from char_rnn.errors import CharRNNError, RankDied, TeamError, UsageError
from char_rnn.training.team import Team, share

if TYPE_CHECKING:
    from mpi4py.MPI import Intracomm, Request

Array = np.ndarray
Anything = TypeVar("Anything")

PATIENCE = 60.0
"""Seconds. A rank that is alive may write a checkpoint to a slow disk meanwhile."""
WORK = 10.0
"""Times of this rank's own work that another one may take longer."""
SPIN, PAUSE = 0.002, 0.0002
"""Seconds of waiting after which a core is left to others, and for how long."""
LAST_CALL = 2.0
"""Seconds in which a rank that is alive tells so."""
LONGEST_END = 300.0
"""Seconds that rank 0 may take to write what is left."""
CALL = 7
"""The tag of such a message."""


class Ranks(Team):
    """The ranks of the MPI communicator `comm`.

    hosts: the machine of each rank, for messages.
    patience: seconds after which a rank that does not answer is dead. It holds in training; what
        comes before, such as reading a text and planning, may take any time.
    """

    def __init__(self, comm: "Intracomm", hosts: Sequence[str], patience: float = PATIENCE) -> None:
        self._comm, self.patience = comm, patience
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.hosts = list(hosts)
        self._training = self._broken = self._leaderless = False
        self._keeper = Keeper() if self.leads else None
        self.going_on("nothing was saved yet")
        sys.excepthook = self._end_with
        atexit.register(self._part)
        self._since = time.monotonic()  # when this rank was last handed something

    def name(self, rank: int) -> str:
        """Return how messages call a rank."""
        return f"rank {rank} on {self.hosts[rank]}"

    # Each step.

    def add(self, gradients: Array, after: Array, total: float) -> float:
        """Make `gradients` and `after` those of all ranks; return the summed loss."""
        self._training = True
        total = self._hand_in(total, after)
        self._sum(gradients)
        return total

    def lost(self) -> None:
        """Tell that this rank has no gradients, and that its step cannot be done."""
        self._broken = True
        self._wait(self._comm.Iallgather(np.array([1.0, 0.0]), np.empty((self.size, 2))))

    def _hand_in(self, total: float, after: Array) -> float:
        """Exchange losses and states; return the summed loss.

        Raises RankDied if a rank has told that it is lost.
        """
        lost_and_total = np.empty((self.size, 2))
        self._wait(self._comm.Iallgather(np.array([0.0, total]), lost_and_total))
        if lost := np.flatnonzero(lost_and_total[:, 0]).tolist():
            self._broken = True
            raise RankDied(
                f"a worker process of {self._names(lost)} ended in the middle of the run; the last "
                "step is saved"
            )
        # Streams first, so that each rank's lie together in memory.
        B = after.shape[2]
        streams = np.ascontiguousarray(np.moveaxis(after, 2, 0))
        self._all_gather(streams.reshape(B, -1), self._bounds(B))
        after[...] = np.moveaxis(streams, 0, 2)
        summed = 0.0  # in the order of the ranks, as the gradients
        for loss in lost_and_total[:, 1].tolist():
            summed += loss
        return summed

    def _sum(self, gradients: Array) -> None:
        P = gradients.size
        bounds = self._bounds(P)
        own = gradients[bounds[self.rank] : bounds[self.rank + 1]]
        received = np.empty((self.size, own.size), gradients.dtype)
        counts = np.diff(bounds)
        mine = [own.size] * self.size, [own.size * k for k in range(self.size)]
        kind = _kind(gradients)
        sent = [gradients, counts, bounds[:-1], kind]
        self._wait(self._comm.Ialltoallv(sent, [received, *mine, kind]))
        own[:] = received[0]
        for others in received[1:]:
            own += others
        self._all_gather(gradients.reshape(P, 1), bounds)

    def _all_gather(self, rows: Array, bounds: list[int]) -> None:
        """Fill `rows` (N, M) with those of all ranks: rank k has bounds[k] to bounds[k + 1]."""
        from mpi4py import MPI

        M = rows.shape[1]
        counts, starts = np.diff(bounds) * M, [M * bound for bound in bounds[:-1]]
        self._wait(self._comm.Iallgatherv(MPI.IN_PLACE, [rows, counts, starts, _kind(rows)]))

    def _bounds(self, n: int) -> list[int]:
        """Return where, of `n` things, the share of each rank begins, and the end of the last."""
        return [share(n, rank, self.size)[0] for rank in range(self.size + 1)]

    def agree(self, elapsed: float, stop: bool) -> tuple[float, bool]:
        """Return the seconds of rank 0, and whether any rank wants to stop."""
        said = np.empty((self.size, 2))
        self._wait(self._comm.Iallgather(np.array([elapsed, float(stop)]), said))
        return float(said[0, 0]), bool(said[:, 1].any())

    # Now and then.

    def told(self, value: Anything) -> Anything:
        """Return what rank 0 hands over."""
        return self.gather(value if self.leads else None)[0]  # type: ignore[return-value]

    def gather(self, value: Anything) -> list[Anything]:
        """Return what all ranks hand over; raise TeamError if one has failed instead."""
        return self._exchange(value)

    def check_same(self, what: str, value: object) -> None:
        """Raise TeamError unless `value` is the same on all ranks."""
        found = self.gather(value)
        if others := [rank for rank, said in enumerate(found) if said != found[0]]:
            raise _Known(
                f"{what} must be the same on all ranks, and {self._names(others)} "
                f"{'has' if len(others) == 1 else 'have'} other than {self.name(0)}"
                f"{self._what(found[others[0]], found[0])}"
            )

    def _what(self, found: object, first: object) -> str:
        """Return what differs, where it is short enough to be read."""
        if (
            not (isinstance(found, str) and isinstance(first, str))
            or max(len(found), len(first)) > 60
        ):
            return ""
        return f" ({found} there, {first} here)"

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let an error of one rank's be one of all: each raises it, with the name of the rank."""
        try:
            yield
        except _Known:
            raise
        except CharRNNError as error:
            self._exchange((str(error), isinstance(error, UsageError)), error)
        except Exception as error:  # a fault, which that rank shows whole
            self._exchange((f"{type(error).__name__}: {error}", False), error)
        else:
            self._exchange(None)

    def _exchange(self, value: Any, error: Exception | None = None) -> list[Any]:
        """Return the values of all; raise what the first rank that has an `error` tells."""
        sent = np.frombuffer(pickle.dumps((error is not None, value)), np.uint8)
        sizes = np.empty(self.size, np.int64)
        self._wait(self._comm.Iallgather(np.array([sent.size]), sizes))
        bounds = [0, *np.cumsum(sizes).tolist()]
        whole = np.empty((bounds[-1], 1), np.uint8)
        whole[bounds[self.rank] : bounds[self.rank + 1], 0] = sent
        self._all_gather(whole, bounds)
        found = [pickle.loads(whole[a:b].tobytes()) for a, b in pairwise(bounds)]
        wrong = [(rank, said) for rank, (bad, said) in enumerate(found) if bad]
        if not wrong:
            return [said for _, said in found]
        rank, (said, usage) = wrong[0]
        if error is not None and (rank == self.rank or len(wrong) == self.size):
            raise error
        raise (_KnownUsage if usage else _Known)(f"{self.name(rank)}: {said}")

    def _names(self, ranks: list[int]) -> str:
        return ", ".join(self.name(rank) for rank in ranks)

    # Waiting.

    def _wait(self, request: "Request") -> None:
        began = time.monotonic()
        bound = max(self.patience, WORK * (began - self._since)) if self._training else None
        while not request.Test():
            waited = time.monotonic() - began
            if bound is not None and waited > bound:
                self._broken = True
                silent = self._silent()
                self._leaderless = 0 in silent
                saved = "the last step is saved"
                if self._leaderless:
                    saved = "what was saved before is left"
                raise RankDied(
                    f"{self._names(silent) or 'a rank'} has not answered for {waited:.0f} seconds; "
                    f"{saved}",
                    leader=self._leaderless,
                )
            if waited > SPIN:
                time.sleep(PAUSE)
        self._since = time.monotonic()

    def _silent(self) -> list[int]:
        """Return the ranks that do not call back, as others that wait do."""
        others = [rank for rank in range(self.size) if rank != self.rank]
        calls = [self._comm.Isend(np.zeros(1), rank, CALL) for rank in others]
        answers = [self._comm.Irecv(np.empty(1), rank, CALL) for rank in others]
        deadline = time.monotonic() + LAST_CALL
        while time.monotonic() < deadline:
            _ = [call.Test() for call in calls]
            time.sleep(PAUSE)
        return [rank for rank, answer in zip(others, answers, strict=True) if not answer.Test()]

    # The end.

    def going_on(self, again: str) -> None:
        """Let that be said, should all ranks be killed."""
        if self._keeper is not None:
            self._keeper.say(f"char-rnn: a rank was killed, and with it the run; {again}")

    def _part(self) -> None:
        """Wait until all ranks are at their end; end those that do not come to it."""
        if self._broken and (self.leads or self._leaderless):
            self._end()
        farewell = self._comm.Ibarrier()
        # Rank 0 may have much to write, and the others nothing.
        deadline = time.monotonic() + (self.patience if self.leads else LONGEST_END)
        while not farewell.Test():
            if time.monotonic() > deadline:
                self._end()
            time.sleep(PAUSE)

    def _end(self) -> None:
        """End all ranks at once, whatever they are doing."""
        if self._keeper is not None:
            self._keeper.close()
        sys.stdout.flush()
        sys.stderr.flush()
        self._comm.Abort(1)

    def _end_with(self, *error: Any) -> None:
        """Show an error that nobody has caught, and end all ranks."""
        sys.__excepthook__(*error)
        self._end()


class _Known(TeamError):
    """What all ranks know by now."""


class _KnownUsage(_Known, UsageError):
    """Such that is wrong usage, so that all ranks end with the same exit code."""


def _kind(array: Array) -> Any:
    from mpi4py import MPI

    return {"f": MPI.FLOAT, "d": MPI.DOUBLE, "B": MPI.BYTE}[array.dtype.char]
