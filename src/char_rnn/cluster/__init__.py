"""A run on several machines, over MPI (the extra `mpi`): `join`, and `train` with the team.

    char_rnn.train("book.txt", team=char_rnn.cluster.join())

launcher  what mpiexec and its like tell each process
joining   from there to a team, and the errors where there is no MPI
ranks     the team: what passes between the ranks, and how long it may take
keeper    a process beside rank 0 that says so when a run was killed
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from char_rnn.cluster.joining import join as join

__all__ = ["join"]


def __getattr__(name: str) -> Any:
    if name == "join":
        from char_rnn.cluster.joining import join

        return join
    raise AttributeError(f"module 'char_rnn.cluster' has no attribute {name!r}")
