"""A run on several machines, over MPI (the extra `mpi`).

join     which rank this process is, and the errors where there is no MPI
ranks    the team that trains: what passes between the ranks, and how long it may take
keeper   a process beside rank 0 that says so when a run was killed
growth   how long a step takes on more ranks, as a formula whose constants are measured
"""

from char_rnn.cluster.join import join as join
from char_rnn.cluster.join import started_by_mpi as started_by_mpi
