"""The model of how ranks grow: what must hold whatever was measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn.cluster.growth import LINKS, Link, Measured, exchange

sizes = st.integers(1, 10**7)
ranks = st.integers(2, 256)
links = st.builds(Link, st.just("any"), st.floats(1e-7, 1e-3), st.floats(1e6, 1e11))


def proportional(own=0.0, parameters=700_000, states=512):
    """Return a model whose products take as long a stream, however many there are."""
    return Measured({n: 1e-3 * n for n in (1, 2, 64, 4096)}, own, parameters, states)


def test_an_exchange_counts_every_message_and_byte():
    link = Link("any", 1.0, 4.0)  # a second a message, a number a second
    # Two ranks: three messages, and three agreements of one; half of 2 · 10 gradients, of 4 states.
    assert exchange(2, 10, 4, link) == pytest.approx(3 + 3 + (2 * 10 + 4) / 2)
    assert exchange(8, 10, 0, link) == pytest.approx(3 * 7 + 3 * 3 + 20 * 7 / 8)
    assert exchange(1, 10, 4, link) == 0


@given(sizes, sizes, ranks, links)
def test_slower_links_and_more_ranks_take_longer(parameters, states, n, link):
    taken = exchange(n, parameters, states, link)
    assert 0 < taken <= exchange(n + 1, parameters, states, link)
    assert taken <= exchange(n, parameters, states, Link("", 2 * link.latency, link.bandwidth))
    assert taken <= exchange(n, parameters, states, Link("", link.latency, link.bandwidth / 2))


@given(ranks, st.integers(0, 4), links, st.floats(0, 1))
def test_nobody_is_more_than_n_times_as_fast_where_products_are_proportional(n, times, link, own):
    measured = proportional(own)
    assert measured.efficiency(1, n, link) == 1
    assert measured.efficiency(n, n * 2**times, link) <= 1 + 1e-9


def test_small_slices_are_as_slow_as_they_were_measured():
    measured = Measured({1: 0.010, 4: 0.016, 64: 0.200}, 0.001, 10, 1)
    assert measured.computing(1) == pytest.approx(0.011)
    assert measured.computing(2) == pytest.approx(0.013)
    assert measured.computing(640) == pytest.approx(2.001)
    instant = Link("none", 0.0, 1e30)
    assert measured.seconds(64, 64, instant) == pytest.approx(0.011)


def test_faster_networks_scale_further():
    measured = proportional(own=0.002)
    found = [measured.efficiency(64, 512, link) for link in LINKS]
    assert found == sorted(found)
    assert found[0] < found[-1]
