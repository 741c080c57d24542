"""A process that does the jobs of a sweep until none is left.

    python -m char_rnn.sweeps.worker < a line of JSON: where the sweep is, and what

It ends after the step in hand when its standard input does: so it cannot outlive who started it.
Where it fails, the last line on standard error says why, and its exit code is 1.
"""

import json
import signal
import sys
import threading
from typing import Any

from char_rnn.data.corpus import Corpus
from char_rnn.data.sources import open_source
from char_rnn.errors import CharRNNError
from char_rnn.sweeps.jobs import Jobs
from char_rnn.sweeps.spec import Spec
from char_rnn.sweeps.store import hidden, open_study
from char_rnn.sweeps.training import check_text, do
from char_rnn.sweeps.vary import Varied, kind_of
from char_rnn.text_config import TextConfig

LOOK = 1.0
"""Seconds between two looks for a job, while others do the last ones."""


def task_of(spec: Spec, place: str, name: str, where: Any, reading: TextConfig) -> dict[str, Any]:
    """Return what a worker is told, as plain data. where: the text, as it can be opened again."""
    return spec.fingerprint() | {
        "text_name": spec.text,
        "where": where,
        "reading": reading.to_dict(),
        "place": place,
        "name": name,
    }


def spec_of(task: dict[str, Any]) -> Spec:
    """Return the sweep that `task_of` told of."""
    varied = []
    for name, *more in task["vary"]:
        values = more[0] if len(more) == 1 else ()
        low, high = (0, 0) if values else more
        varied.append(Varied(name, kind_of(name), tuple(values), low, high))
    return Spec(
        task["text_name"], tuple(varied), task["seeds"], task["settings"], task["sampler"],
        task["trials"], task["prune"], task["text"],
    )  # fmt: skip


def work(spec: Spec, place: str, name: str, corpus: Corpus, stop: threading.Event) -> None:
    """Do jobs until none is left, or `stop` is set."""
    jobs = Jobs(open_study(place, name, spec), spec)
    while not stop.is_set():
        job = jobs.take()
        if job is not None:
            do(jobs, job, spec, corpus, stop.is_set)
        elif not jobs.in_hand:
            return
        else:  # whoever does them may die
            stop.wait(LOOK)


def main() -> None:
    """Work until there is nothing left to do, or standard input ends."""
    for number in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, number):
            signal.signal(getattr(signal, number), signal.SIG_IGN)
    task = json.loads(sys.stdin.readline())
    stop = threading.Event()

    def listen() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    spec = spec_of(task)
    where = task["where"]
    reading = TextConfig.from_dict(task["reading"] | {"pattern": tuple(task["reading"]["pattern"])})
    corpus = Corpus.from_source(open_source(where, reading))
    check_text(spec, corpus)
    work(spec, task["place"], task["name"], corpus, stop)


if __name__ == "__main__":
    try:
        main()
    except CharRNNError as error:
        sys.exit(str(error))
    except Exception as error:  # of the storage, mostly: it may go away at any time
        sys.exit(hidden(f"{type(error).__name__}: {error}".splitlines()[0]))
