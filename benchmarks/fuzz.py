"""Fuzz the files that char-rnn reads, by someone who knows their structure and their checksums.

    python -m benchmarks.fuzz [--mutants 1500] [--seed 0] [--processes 2]

For each of five kinds of file, as many mutants as asked for are written into a run folder, and
`inspect`, `generate`, `evaluate`, `plot` and `train --resume` are run on it; on mutants of MIDI, of
a text of pieces and of melodies in ABC, `music` and `show`. What must hold is in tests/fuzzing.py;
here also: no command over 5 seconds, no process over 500 MB. Every fault is printed with the
command that shows it again; the exit code is 1 if there is one.
"""

import argparse
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))

from fuzzing import Sandbox, Tunes  # noqa: E402
from mutants import mutants  # noqa: E402

ROOMS = {name: made for made in (Sandbox, Tunes) for name in made.kinds}
"""Where each file is tried."""
BATCH = 50
SECONDS = 5.0
DEAD = 60.0  # seconds without a word after which a process is ended
MEGABYTES = 500


class TooSlow(BaseException):
    """A command took longer than it may."""


def work(name, first, count, seed, more):
    """Try mutants `first` … of the file `name`; print a line of JSON for each."""

    def ring(*_):
        raise TooSlow

    signal.signal(signal.SIGALRM, ring)
    with tempfile.TemporaryDirectory() as folder:
        sandbox = ROOMS[name](Path(folder).resolve(), first // BATCH, bool(more))
        sandbox.reset()
        every = mutants(sandbox.files[name], first + count, seed, sandbox.kinds)
        for label, mutate in itertools.islice(every, first, None):
            print(json.dumps({"try": label}), flush=True)
            began, slowest, faults = time.perf_counter(), 0.0, []
            signal.setitimer(signal.ITIMER_REAL, 5 * SECONDS)  # several commands
            faults = list(sandbox.faults(name, mutate, timed := []))
            signal.setitimer(signal.ITIMER_REAL, 0)
            slowest = max(timed)
            if slowest > SECONDS:
                faults.append(f"a command took {slowest:.1f} s")
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            if peak > MEGABYTES:
                faults.append(f"{peak:.0f} MB")
            seconds = time.perf_counter() - began
            print(
                json.dumps(
                    {
                        "faults": faults,
                        "slowest": slowest,
                        "seconds": seconds,
                        "peak": peak,
                        "commands": len(timed),
                    }
                ),
                flush=True,
            )
            if peak > MEGABYTES:  # the peak of a process never falls
                return


def batch(name, first, count, seed, more):
    """Run `work` in a process of its own; return its figures, and a fault for each that failed."""
    found, done = [], 0
    while done < count:
        command = [
            sys.executable,
            "-m",
            "benchmarks.fuzz",
            "--worker",
            name,
            str(first + done),
            str(count - done),
            str(seed),
            str(int(more)),
        ]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=TESTS.parent,
            env=os.environ | {"PYTHONWARNINGS": "always::RuntimeWarning"},
        ) as process:
            watch = Watch(process)
            label = None
            for line in process.stdout:
                watch.seen = time.monotonic()
                said = json.loads(line)
                if "try" in said:
                    label = said["try"]
                    continue
                found.append(said | {"name": name, "at": first + done, "label": label})
                label, done = None, done + 1
            watch.done = True
            errors = process.stderr.read()
        if label is not None or (process.returncode and done < count):
            fault = f"the process ended with {process.returncode}: {errors[-500:]}"
            found.append(
                {
                    "faults": [fault],
                    "slowest": 0,
                    "seconds": 0,
                    "peak": 0,
                    "name": name,
                    "at": first + done,
                    "label": label,
                }
            )
            done += 1
    return found


class Watch:
    """Ends a process that says nothing for too long."""

    def __init__(self, process):
        import threading

        self.process, self.seen, self.done = process, time.monotonic(), False
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self):
        while not self.done and self.process.poll() is None:
            time.sleep(1)
            if time.monotonic() - self.seen > DEAD:
                self.process.kill()


def main():
    """Try all, and say what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=1500, help="of each kind of file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kind", choices=list(ROOMS), help="this file only")
    parser.add_argument("--more", action="store_true", help="with all other commands, too")
    parser.add_argument("--worker", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        name, *numbers = options.worker
        work(name, *map(int, numbers))
        return 0
    jobs = [
        (name, first, min(BATCH, options.mutants - first), options.seed, options.more)
        for name in ([options.kind] if options.kind else ROOMS)
        for first in range(0, options.mutants, BATCH)
    ]
    began, count, faulty = time.perf_counter(), Counter(), Counter()
    slowest, peak, commands = 0.0, 0.0, 0
    with ThreadPoolExecutor(options.processes) as pool:
        for results in pool.map(lambda job: batch(*job), jobs):
            for result in results:
                count[result["name"]] += 1
                commands += result.get("commands", 0)
                slowest, peak = max(slowest, result["slowest"]), max(peak, result["peak"])
                for fault in result["faults"]:
                    faulty[result["name"]] += 1
                    print(f"{result['name']} {result['at']} ({result['label']}): {fault}")
    for name in count:
        print(f"{name}: {count[name]:,} mutants, {faulty[name]} faults")
    print(
        f"{sum(count.values()):,} mutants, {commands:,} commands, {sum(faulty.values())} faults; "
        f"slowest command {slowest:.1f} s, largest process {peak:.0f} MB; "
        f"{time.perf_counter() - began:.0f} s"
    )
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
