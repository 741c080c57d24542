"""A process beside rank 0 that says that a run was killed, where no rank is left to say it.

    python -m char_rnn.cluster.keeper < what to say, a line each time it changes, and "end"

A launcher kills all ranks as soon as one has died. This process is in no rank's group and goes on
until its standard input ends: with the line "end" in silence, else with one line on standard error.
"""

import atexit
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

from char_rnn.training.parallel import own_group, with_package

END = "end"


class Keeper:
    """The keeper seen from rank 0; `close`, or this process's usual end, ends it in silence."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "char_rnn.cluster.keeper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=with_package(),
            **_own_session(),
        )
        atexit.register(self.close)

    def say(self, line: str) -> None:
        """Let that be said, should all ranks be killed."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End it in silence."""
        self.say(END)
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)


def _own_session() -> dict[str, Any]:
    return own_group() if sys.platform == "win32" else {"start_new_session": True}


def main() -> None:
    """Listen until standard input ends."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    said = ""
    for line in sys.stdin:
        said = line.strip()
        if said == END:
            return
    with suppress(OSError):
        print(said, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
