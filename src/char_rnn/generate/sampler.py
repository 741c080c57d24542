"""A network running on its own output."""

from collections.abc import Iterator, Sequence

import numpy as np

from char_rnn.config import SampleConfig
from char_rnn.generate.choose import check_temperature, choose, choose_many
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
    network.begin(network.initial_state(1))
    for idx in seed[:-1]:
        network.step(np.array([idx]))
    last = np.array([seed[-1]])
    for _ in range(length):
        last[0] = choose(network.step(last)[0], config.temperature, rng)
        yield int(last[0])


def sample_many(
    network: Network, seeds: Sequence[Array], config: SampleConfig, rng: np.random.Generator
) -> Array:
    """Return `config.length` ids for each of `seeds`, (B, length): all streams as one batch.

    A product with many rows costs little more than with one. Seeds have at least one id each and
    may differ in length: a stream reads its own seed while others already write.
    """
    check_temperature(config.temperature)
    B, length = len(seeds), config.length
    read = np.array([len(seed) for seed in seeds])
    ids = np.zeros((int(read.max()) + length, B), np.int64)
    for b, seed in enumerate(seeds):
        ids[: len(seed), b] = seed
    network.begin(network.initial_state(B))
    for t in range(len(ids) - 1):
        drawn = choose_many(network.step(ids[t]), config.temperature, rng)
        np.copyto(ids[t + 1], drawn, where=t + 1 >= read)
    return np.stack([ids[n : n + length, b] for b, n in enumerate(read)])
