"""A worker process of the lab: one job after the other, as its parent hands them in.

    python -m char_rnn.lab.worker < pickled (function, arguments), again and again

It answers each with a pickled (False, result) or (True, what was raised), and ends when its input
does. What it reads comes from the process that started it, and nothing else is read.
"""

import os
import pickle
import sys
import warnings
from contextlib import suppress


def main() -> None:
    """Work until standard input ends."""
    jobs = sys.stdin.buffer
    # What a job prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    warnings.simplefilter("ignore", RuntimeWarning)  # of numbers that overflow: that is told
    while True:
        try:
            function, job = pickle.load(jobs)
        except EOFError:
            return
        try:
            answer = pickle.dumps((False, function(*job)))
        except Exception as error:
            answer = pickle.dumps((True, error))
        answers.write(answer)
        answers.flush()


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
