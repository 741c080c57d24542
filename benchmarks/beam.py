"""Characters per second of beam search at width 10, beside one sampled stream.

Both sides begin anew in each round and take turns, with one BLAS thread. A character of the search
is meant to take at most three times as long as a sampled one.
"""

import statistics
import string
import time

import numpy as np
from threadpoolctl import threadpool_limits

from char_rnn import CharRNN, Vocabulary
from char_rnn.generate.beam import beam_search
from char_rnn.sample_config import SampleConfig
from char_rnn.storage.models import SHIPPED

VOCABULARY = Vocabulary("\n " + string.ascii_letters + string.digits + ".")
WIDTH = 10
PAUSE = 0.1  # seconds in which the other side's idle threads stop spinning


def sampled(model: CharRNN, length: int) -> float:
    """Return the seconds of a character, one sampled stream."""
    stream = model.generate("a", SampleConfig(length, temperature=1.0), np.random.default_rng(0))
    next(stream)  # what is done once is done by now
    began = time.perf_counter()
    for _ in stream:
        pass
    return (time.perf_counter() - began) / (length - 1)


def searched(model: CharRNN, length: int) -> float:
    """Return the seconds of a character of the best text, beams of `WIDTH`."""
    assert model.vocabulary is not None
    seed = model.vocabulary.encode("a")
    seconds = []
    for n in (1, length):
        began = time.perf_counter()
        (best,) = beam_search(model.parameters, seed, n, WIDTH)
        seconds.append(time.perf_counter() - began)
        assert len(best.ids) == n
    # What is done once is in both.
    return (seconds[1] - seconds[0]) / (length - 1)


def measure(model: CharRNN, rounds: int) -> tuple[float, float, float]:
    """Return the medians of characters a second, sampled and searched, and of the ratio."""
    taken = []
    for _ in range(rounds):
        turn = []
        for seconds, length in ((sampled, 1000), (searched, 300)):
            time.sleep(PAUSE)
            turn.append(seconds(model, length))
        taken.append((1 / turn[0], 1 / turn[1], turn[1] / turn[0]))
    one, search, ratio = (statistics.median(column) for column in zip(*taken, strict=True))
    return one, search, ratio


def points(rounds: int = 9) -> list[dict[str, object]]:
    """Measure three cells of 256 units with random weights, and the model in the package."""
    V, rng = VOCABULARY.size, np.random.default_rng(0)
    models = {
        f"{cell} 256": CharRNN(V, 256, cell, rng=rng, vocabulary=VOCABULARY)
        for cell in ("rnn", "gru", "lstm")
    }
    models[SHIPPED] = CharRNN.load(SHIPPED)
    found = []
    for name, model in models.items():
        with threadpool_limits(1):
            one, beams, ratio = measure(model, rounds)
        found.append({"model": name, "one": one, "beams": beams, "ratio": ratio})
    return found
