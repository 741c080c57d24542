"""`mpiexec -n N char-rnn train`: rank 0 speaks for all."""

import json
import sys
from typing import TYPE_CHECKING, Any

from char_rnn.cli.interrupts import silence
from char_rnn.cluster.launcher import leads

if TYPE_CHECKING:
    from char_rnn.training.team import Team


def joined(given: dict[str, Any]) -> "Team":
    """Return with whom this process trains; the others than rank 0 are silent from now on.

    given: the options, which must be the same everywhere. Cores are shared among the ranks of a
    machine, where nothing is said of threads.
    """
    from char_rnn.cluster.joining import join, share_of_cores

    team = join()
    if not team.leads:
        silence(sys.stdout)
    team.check_same("the options", json.dumps(given, default=str, sort_keys=True))
    if team.size > 1 and "resume" not in given:
        given.setdefault("threads", share_of_cores(team))
    return team


def unheard(error: BaseException) -> bool:
    """Tell whether rank 0 says what went wrong, and this process, another rank, does not."""
    from char_rnn.errors import RankDied

    if isinstance(error, RankDied) and error.leader:
        return False
    return not leads()
