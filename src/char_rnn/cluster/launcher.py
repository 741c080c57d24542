"""What an MPI launcher, such as mpiexec, tells each process that it starts."""

import os

SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_SIZE")
NUMBERS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")
"""Variables with how many processes there are, and which of them this one is."""


def started_by_mpi() -> bool:
    """Tell whether this process is one of several that a launcher has started."""
    size = number_of(SIZES)
    return size > 1 or (size < 0 and number_of(NUMBERS) >= 0)


def leads() -> bool:
    """Tell whether this process speaks for all: it is the first one, or the only one."""
    return number_of(NUMBERS) <= 0


def number_of(names: tuple[str, ...]) -> int:
    """Return what the first of these variables that is a number says, or −1."""
    for name in names:
        said = os.environ.get(name, "")
        if said.isdecimal():
            return int(said)
    return -1
