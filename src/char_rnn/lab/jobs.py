"""Independent jobs on all cores: an experiment repeats itself over seeds and settings.

Processes, for threads of one interpreter wait for its lock between NumPy calls. They are our own
children and not those of multiprocessing, which runs the caller's script again in each of them. A
job is a function of a module and what it is given; the results come back in the order of the jobs,
and are the same bits on one core.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import char_rnn
from char_rnn.errors import WorkerDied
from char_rnn.model.blas import available_threads, blas_threads
from char_rnn.training.parallel import ONE_BLAS_THREAD

Tell = Callable[[float], object]
"""Is told which share is done, from 0 to 1."""
Job = tuple[Any, ...]


def each(
    function: Callable[..., Any],
    jobs: list[Job],
    processes: int | None = None,
    tell: Tell | None = None,
) -> list[Any]:
    """Return [function(*job) for job in jobs], computed by as many processes as there are cores.

    function: of a module that a new interpreter can import. Arguments and results are pickled.
    What a job raises comes out, and the others are given up; so does Ctrl-C.
    """
    tell = tell or (lambda share: None)
    count = min(processes or available_threads(), len(jobs))
    tell(0.0)
    # An interpreter inside another program cannot be started again.
    if count < 2 or not sys.executable or function.__module__ == "__main__":
        found = []
        with blas_threads(1):
            for job in jobs:
                found.append(function(*job))
                tell(len(found) / len(jobs))
        return found
    return _Pool(function, jobs, count, tell).run()


class _Pool:
    """Processes, each with a thread that hands it the next job when it is done with one."""

    def __init__(
        self, function: Callable[..., Any], jobs: list[Job], count: int, tell: Tell
    ) -> None:
        self._function, self._jobs, self._count, self._tell = function, jobs, count, tell
        self._next = iter(range(len(jobs)))
        self._found: list[Any] = [None] * len(jobs)
        self._done = 0
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[bytes]] = []

    def run(self) -> list[Any]:
        """Return the results in the order of the jobs."""
        with ThreadPoolExecutor(self._count) as threads:
            try:
                self._processes = [_start() for _ in range(self._count)]
                waiting = [threads.submit(self._serve, process) for process in self._processes]
                self._watch(waiting)
            finally:  # also where a job failed, or somebody pressed Ctrl-C
                for process in self._processes:
                    process.kill()
                    process.wait()
        for future in waiting:
            future.result()
        return self._found

    def _watch(self, waiting: list["Future[None]"]) -> None:
        """Tell how far it is, until all are done or one has failed."""
        told = 0
        while True:
            ended = wait(waiting, 0.1, FIRST_EXCEPTION)
            if self._done > told:
                told = self._done
                self._tell(told / len(self._jobs))
            failed = [future for future in ended.done if future.exception() is not None]
            if failed or not ended.not_done:
                # Those that wait for a process that is killed now fail too: the first one counts.
                if failed:
                    failed[0].result()
                return

    def _serve(self, process: subprocess.Popen[bytes]) -> None:
        """Hand `process` one job after the other."""
        assert process.stdin is not None
        assert process.stdout is not None
        while True:
            with self._lock:
                at = next(self._next, None)
            if at is None:
                return
            try:
                pickle.dump((self._function, self._jobs[at]), process.stdin)
                process.stdin.flush()
                failed, found = pickle.load(process.stdout)
            except (OSError, EOFError, pickle.UnpicklingError) as error:
                code = process.wait()
                raise WorkerDied(
                    f"a process that computed a part of the experiment ended with the exit code "
                    f"{code}; if memory was short, take fewer of them: processes=1"
                ) from error
            if failed:
                raise found
            self._found[at] = found
            with self._lock:
                self._done += 1


def _start() -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(Path(char_rnn.__file__).parents[1]), *filter(None, sys.path)])
    # Of its own group, so that Ctrl-C reaches this process, which ends them all.
    group: dict[str, Any] = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined, unused-ignore]
        if os.name == "nt"
        else {"process_group": 0}
    )
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "char_rnn.lab.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | ONE_BLAS_THREAD | {"PYTHONPATH": path},
        **group,
    )
