"""Characters per second of beam search at width 10, beside one sampled stream.

    python -m benchmarks.beam [--rounds 9] [--threads 1] [--cpu]

Three cells of 256 units over 65 characters, with random weights, and the model in the package.
Both sides begin anew in each round and take turns; the medians of each, and of the rounds' ratios,
are printed. A character of the search is meant to take at most three times as long as a sampled
one. `--cpu` counts the seconds of the processor, on which other work of the machine weighs less.
"""

import argparse
import statistics
import string
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from char_rnn import CharRNN, Vocabulary
from char_rnn.charrnn import SHIPPED
from char_rnn.config import SampleConfig
from char_rnn.generate.beam import beam_search

VOCABULARY = Vocabulary("\n " + string.ascii_letters + string.digits + ".")
WIDTH = 10
Clock = Callable[[], float]
PAUSE = 0.1  # seconds in which the other side's idle threads stop spinning


def sampled(model: CharRNN, length: int, clock: Clock) -> float:
    """Return the seconds of a character, one sampled stream."""
    stream = model.generate("a", SampleConfig(length, temperature=1.0), np.random.default_rng(0))
    next(stream)  # what is done once is done by now
    began = clock()
    for _ in stream:
        pass
    return (clock() - began) / (length - 1)


def searched(model: CharRNN, length: int, clock: Clock) -> float:
    """Return the seconds of a character of the best text, beams of `WIDTH`."""
    assert model.vocabulary is not None
    seed = model.vocabulary.encode("a")
    seconds = []
    for n in (1, length):
        began = clock()
        (best,) = beam_search(model.config, model.parameters, seed, n, WIDTH)
        seconds.append(clock() - began)
        assert len(best.ids) == n
    # What is done once is in both.
    return (seconds[1] - seconds[0]) / (length - 1)


def measure(model: CharRNN, rounds: int, clock: Clock) -> tuple[float, float, float]:
    """Return the medians of characters a second, sampled and searched, and of the ratio."""
    taken = []
    for _ in range(rounds):
        turn = []
        for seconds, length in ((sampled, 1000), (searched, 300)):
            time.sleep(PAUSE)
            turn.append(seconds(model, length, clock))
        taken.append((1 / turn[0], 1 / turn[1], turn[1] / turn[0]))
    one, search, ratio = (statistics.median(column) for column in zip(*taken, strict=True))
    return one, search, ratio


def main() -> None:
    """Measure the three cells and the model in the package, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1, help="of BLAS")
    parser.add_argument("--cpu", action="store_true", help="count the seconds of the processor")
    args = parser.parse_args()
    clock = time.process_time if args.cpu else time.perf_counter
    V, rng = VOCABULARY.size, np.random.default_rng(0)
    models = {
        f"{cell} 256": CharRNN(V, 256, cell, rng=rng, vocabulary=VOCABULARY)
        for cell in ("rnn", "gru", "lstm")
    }
    models[SHIPPED] = CharRNN.load(SHIPPED)
    print(f"| model | sampled/s | width {WIDTH}/s | time of a character, ratio |")
    print("| --- | ---: | ---: | ---: |")
    for name, model in models.items():
        with threadpool_limits(args.threads):
            one, search, ratio = measure(model, args.rounds, clock)
        print(f"| {name} | {one:,.0f} | {search:,.0f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
