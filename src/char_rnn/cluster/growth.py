"""How long a step takes on n ranks: what is computed, and what passes between them.

    step(n) = products(B / n) + own + exchange(n)

products   forward and backward of B / n streams; measured, for products of fewer rows are slower,
           while the other cores are as busy
own        what every rank does whole: clipping, the optimiser, averages; measured
exchange   each rank adds its share of the P gradients, which an all-to-all brings (n − 1 messages),
           and hands it to all (an all-gather around a ring, n − 1 messages); states of all streams
           (another one); and three agreements of a few numbers, log₂ n messages each

    exchange(n) = (3 (n − 1) + 3 ⌈log₂ n⌉) · latency + (n − 1)/n · (2 P + S) · 4 bytes / bandwidth

Messages of a rank go one after the other, all ranks at once, and the network carries all of them:
that of a crowded switch is slower.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Link:
    """A network. latency: seconds of an empty message. bandwidth: bytes a second, each way."""

    name: str
    latency: float
    bandwidth: float


LINKS = (
    Link("1 Gbit/s", 50e-6, 1.25e8),
    Link("25 Gbit/s", 20e-6, 3.125e9),
    Link("InfiniBand, 200 Gbit/s", 2e-6, 2.5e10),
)
"""Latencies are of MPI over TCP and over InfiniBand, as usually measured; not here."""


@dataclass(frozen=True)
class Measured:
    """What was measured of a model on one core.

    products: seconds of a window's forward and backward pass, by how many streams it has.
    own: seconds of the rest of a step. parameters, states: how many numbers are exchanged; states
        are those of one stream.
    """

    products: Mapping[int, float]
    own: float
    parameters: int
    states: int

    def seconds(self, ranks: int, B: int, link: Link) -> float:
        """Return how long a step with a batch of B streams takes on so many ranks."""
        return self.computing(-(-B // ranks)) + exchange(
            ranks, self.parameters, B * self.states, link
        )

    def computing(self, streams: int) -> float:
        """Return how long a rank with so many streams computes."""
        sizes = sorted(self.products)
        found = float(np.interp(streams, sizes, [self.products[n] for n in sizes]))
        if streams > sizes[-1]:  # the products are as quick as they get
            found = self.products[sizes[-1]] * streams / sizes[-1]
        return found + self.own

    def efficiency(self, ranks: int, B: int, link: Link) -> float:
        """Return what share of n times one rank's speed n ranks have, for the same batch."""
        return self.seconds(1, B, link) / (ranks * self.seconds(ranks, B, link))


def exchange(ranks: int, parameters: int, states: int, link: Link) -> float:
    """Return the seconds of one exchange: of so many gradients, and states of all streams."""
    if ranks == 1:
        return 0.0
    messages = 3 * (ranks - 1) + 3 * math.ceil(math.log2(ranks))
    size = (ranks - 1) / ranks * (2 * parameters + states) * 4
    return messages * link.latency + size / link.bandwidth
