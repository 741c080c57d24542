"""Jobs on all cores: the same results as one after the other, and nothing left behind."""

import math
import os

import pytest

from char_rnn.errors import UsageError, WorkerDied
from char_rnn.lab import running
from char_rnn.lab.jobs import each


def test_results_come_in_the_order_of_the_jobs_on_any_number_of_cores():
    jobs = [(k, 3) for k in range(7)]
    told = [[], []]
    one = each(math.comb, jobs, 1, told[0].append)
    two = each(math.comb, jobs, 2, told[1].append)
    assert one == two == [math.comb(k, 3) for k in range(7)]
    for shares in told:
        assert shares[0] == 0 and shares[-1] == 1 and shares == sorted(shares)
    assert each(math.comb, [], 2) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_job_raises_comes_out(processes):
    with pytest.raises(UsageError, match=r"unknown experiment 'no'; .*memory"):
        each(running.module_of, [("no",), ("no",), ("no",)], processes)


def test_a_process_that_dies_is_one_line():
    with pytest.raises(WorkerDied, match=r"exit code 3; .*processes=1"):
        each(os._exit, [(3,), (3,)], 2)


def test_what_a_job_prints_is_not_taken_for_its_answer():
    assert each(print, [("a",), ("b",)], 2) == [None, None]
