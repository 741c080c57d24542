"""A network running on its own output."""

from collections.abc import Iterator

import numpy as np

from char_rnn.config import SampleConfig
from char_rnn.errors import UsageError
from char_rnn.generate.choose import check_temperature, choose
from char_rnn.model.network import Network

Array = np.ndarray


def sample_ids(
    network: Network, seed: Array, config: SampleConfig, rng: np.random.Generator
) -> Iterator[int]:
    """Yield `config.length` ids that follow the ids of `seed`.

    The state starts as the network's initial state and sees every character of the seed once.
    An empty seed starts with a character drawn uniformly, which is the first one yielded.
    The network must not be used for anything else in between.
    """
    check_temperature(config.temperature)
    length = config.length
    if length < 1:
        return
    if len(seed) == 0:
        seed = rng.integers(network.config.vocab_size, size=1)
        yield int(seed[0])
        length -= 1
    network.prepare(1, 1)
    state = network.initial_state(1)
    for idx in seed[:-1]:
        network.forward(np.array([[idx]]), state)
        state = network.state()
    last = int(seed[-1])
    for _ in range(length):
        logits = network.forward(np.array([[last]]), state)[0, 0]
        state = network.state()
        if not np.isfinite(logits).all():
            raise UsageError("the model's output is not finite: its weights have diverged")
        last = choose(logits, config.temperature, rng)
        yield last
