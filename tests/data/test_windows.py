"""Streams lose nothing and resume exactly; a sweep scores every character once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from char_rnn import Corpus
from char_rnn.data.windows import Streams, Sweep, fit, split
from char_rnn.errors import CorruptFile, TextTooShort


class Counting:
    """Ids whose value is their place, so that a window shows where it was read."""

    def __init__(self, length):
        self.length = length

    def read_rows(self, starts, length):
        assert min(starts) >= 0 and max(starts) + length <= self.length
        return np.asarray(starts)[:, None] + np.arange(length)


@given(st.integers(2, 200), st.integers(1, 7), st.integers(1, 9), st.integers(0, 20))
def test_streams_are_contiguous_and_end_with_their_epoch(N, B, T, start):
    if (N - 1) // B < T:
        with pytest.raises(TextTooShort):
            Streams(Counting(N + start), start, start + N, B, T)
        return
    streams = Streams(Counting(N + start), start, start + N, B, T)
    W = streams.windows_per_epoch
    windows = [streams.next() for _ in range(W)]
    inputs = np.concatenate([w.inputs for w in windows])
    each = (N - 1) // B
    assert each // T == W
    expected = start + np.arange(W * T)[:, None] + each * np.arange(B)
    np.testing.assert_array_equal(inputs, expected)
    np.testing.assert_array_equal(np.concatenate([w.targets for w in windows]), expected + 1)
    assert [w.first for w in windows] == [True] + [False] * (W - 1)
    state = streams.state()
    again = Streams(Counting(N + start), start, start + N, B, T)
    again.restore(state)
    for _ in range(W + 1):
        one, other = streams.next(), again.next()
        np.testing.assert_array_equal(one.inputs, other.inputs)
        assert one.first == other.first
    assert streams.state() == again.state() and streams.epoch == 2


@pytest.mark.parametrize("state", [{}, {"position": -1, "epoch": 0}, {"position": 99, "epoch": 0}])
def test_a_wrong_position_is_refused(state):
    with pytest.raises(CorruptFile):
        Streams(Counting(50), 0, 50, 2, 5).restore(state)


@given(
    st.integers(2, 150), st.integers(1, 9), st.integers(1, 30), st.integers(0, 40),
    st.integers(0, 20),
)  # fmt: skip
def test_a_sweep_scores_every_character_once(N, streams, T, warmup, start):
    sweep = Sweep(Counting(start + N), start, start + N, streams, T, warmup)
    scored = []
    for inputs, targets, weights, at in sweep:
        assert inputs.shape == targets.shape == weights.shape == at.shape == (T, sweep.streams)
        chosen = weights == 1
        np.testing.assert_array_equal(inputs[chosen], at[chosen])
        np.testing.assert_array_equal(inputs[chosen] + 1, targets[chosen])
        scored += targets[chosen].tolist()
    assert sorted(scored) == list(range(start + 1, start + N))
    assert sweep.count == len(scored)


def test_a_stream_of_a_sweep_reads_on_without_a_gap():
    windows = list(Sweep(Counting(100), 0, 100, 3, 10, 20))
    columns = np.concatenate([w.inputs for w in windows])
    counted = np.concatenate([w.weights for w in windows]) == 1
    for b in range(3):
        last = int(np.flatnonzero(counted[:, b])[-1])
        assert (np.diff(columns[: last + 1, b]) == 1).all()
    assert columns[0].tolist() == [0, 13, 46]  # pieces begin at 0, 33, 66, less the warm-up


def test_split_and_fit():
    assert split(100, 0.1) == (90, 100) and split(10, 0.1) == (10, 10)
    assert fit(10_000, 32, 50) == (32, 50, None)
    assert fit(200, 32, 50)[:2] == (3, 50)
    B, T, note = fit(20, 32, 50)
    assert (B, T) == (1, 19) and "batch_size 32 → 1" in note and "seq_length 50 → 19" in note
    with pytest.raises(TextTooShort):
        fit(1, 1, 1)


@given(st.integers(2, 500), st.integers(1, 40), st.integers(1, 60))
def test_what_fits_can_be_streamed(N, B, T):
    B, T, _ = fit(N, B, T)
    Streams(Corpus.from_text("ab" * N), 0, N, B, T).next()
