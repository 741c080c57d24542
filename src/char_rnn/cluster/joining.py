"""Joining the ranks that an MPI launcher, such as mpiexec, has started."""

import os
import socket
from typing import TYPE_CHECKING

import numpy as np

from char_rnn import __version__
from char_rnn.cluster.launcher import SIZES, number_of, started_by_mpi
from char_rnn.errors import MissingExtra, TeamError
from char_rnn.model.blas import available_threads
from char_rnn.training.team import ALONE, Team

if TYPE_CHECKING:
    from char_rnn.cluster.ranks import Ranks

HANG = "CHAR_RNN_HANG"
"""The environment variable with the seconds after which a silent rank counts as dead."""


def join() -> Team:
    """Return the ranks that were started with this process, to train with as a team.

    Where no launcher has started it, or only this one, that is a team of one, without MPI.
    Raises MissingExtra without mpi4py, TeamError where its MPI is none or not the launcher's, or
    the ranks run other versions.
    """
    if not started_by_mpi():
        return ALONE
    ranks = _ranks()
    if ranks.size == 1:
        return ALONE
    version = f"char-rnn {__version__}, NumPy {np.__version__}"
    ranks.check_same("versions", version)
    return ranks


def share_of_cores(ranks: Team) -> int:
    """Return how many cores each rank of this machine has for itself."""
    mine = (socket.gethostname(), _cores())
    here = [cores for host, cores in ranks.gather(mine) if host == mine[0]]
    # A launcher may have given each rank cores of its own, or all of them the same ones.
    return max(1, min(len(frozenset().union(*here)) // len(here), len(mine[1])))


def _cores() -> frozenset[int]:
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(available_threads()))


def _ranks() -> "Ranks":
    from char_rnn.cluster.ranks import PATIENCE, Ranks

    try:
        from mpi4py import MPI
    except ImportError:
        raise MissingExtra(
            "a launcher has started several ranks, and training on them needs mpi4py: "
            "pip install 'char-rnn[mpi]'"
        ) from None
    except RuntimeError as error:
        said = str(error).strip().splitlines()
        raise TeamError(
            f"no MPI library can be loaded ({said[0] if said else error}); install one, such as "
            "`pip install mpich`, and start with its mpiexec"
        ) from None
    comm = MPI.COMM_WORLD.Dup()
    asked = number_of(SIZES)
    if asked > 1 and comm.Get_size() == 1:
        raise TeamError(
            f"the launcher has started {asked} processes, and MPI knows of one: mpiexec and the "
            f"library of mpi4py ({MPI.Get_library_version().split(',')[0].split(chr(10))[0]}) are "
            "of two kinds of MPI; start with the mpiexec that belongs to the library"
        )
    hosts = comm.allgather(socket.gethostname())
    return Ranks(comm, hosts, _patience(PATIENCE))


def _patience(usual: float) -> float:
    said = os.environ.get(HANG)
    try:
        seconds = usual if said is None else float(said)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e9:
        raise TeamError(f"{HANG} is {said!r}; it must be a number of seconds greater than 0")
    return seconds
