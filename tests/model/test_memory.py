"""Arrays that begin at a cache line."""

import numpy as np
import pytest

from char_rnn.model.memory import LINE, aligned


@pytest.mark.parametrize("dtype", ["float32", np.float64])
@pytest.mark.parametrize("shape", [1, 7, (3, 5), (2, 1000, 9)])
def test_arrays_begin_at_a_cache_line_and_hold_zeros(shape, dtype):
    several = [aligned(shape, dtype) for _ in range(5)]
    for array in several:
        assert array.ctypes.data % LINE == 0
        expected = np.zeros(shape, dtype)
        assert (array.shape, array.dtype) == (expected.shape, expected.dtype)
        assert array.flags.c_contiguous and array.flags.writeable and not array.any()
        array[...] = 1
