"""Some hundred files, changed by their structure and sealed again: every command keeps its manners.

benchmarks/fuzz.py tries thousands, and holds each to 5 seconds and 500 MB.
"""

import sys

import pytest
from fuzzing import VARIANTS, Sandbox
from mutants import KINDS, mutants

from char_rnn import CharRNN

MUTANTS = 50  # of each kind of file


@pytest.mark.parametrize("name", KINDS)
def test_no_file_does_harm(tmp_path, name):
    sandbox = Sandbox(tmp_path, variant=list(KINDS).index(name) % len(VARIANTS))
    sandbox.reset()
    for arguments in sandbox.commands(name):  # so that what is tried next means something
        code, out, err, fault = sandbox.call(arguments)
        assert not fault
        assert code == 0 or "model.pkl is not a run folder" in err, err
        assert code or out
    for label, mutate in mutants(sandbox.files[name], MUTANTS, seed=0):
        assert not list(sandbox.faults(name, mutate)), label


def test_numbers_that_overflow_warn_of_nothing(tmp_path):
    sandbox = Sandbox(tmp_path, variant=1)
    sandbox.reset()
    model = CharRNN.load(sandbox.run)
    model.parameters.flat[:] = 1e38
    model.save(sandbox.run / "model.safetensors")
    for arguments in sandbox.commands("model.safetensors"):
        assert not sandbox.call(arguments)[3]


def test_some_facts_of_a_training_are_enough(tmp_path):
    sandbox = Sandbox(tmp_path)
    sandbox.reset()
    model = CharRNN.load(sandbox.run)
    for summary in ({"iteration": 3}, {"text": "a"}, {}):
        model.summary = summary
        model.save(sandbox.run / "model.safetensors")
        code, *_, fault = sandbox.call(["inspect", sandbox.run])
        assert (code, fault) == (0, "")


def test_a_fault_would_be_seen(tmp_path, monkeypatch):
    sandbox = Sandbox(tmp_path)
    sandbox.reset()
    inspect, *_ = sandbox.commands("model.safetensors")

    def faults(stand_in):
        monkeypatch.setattr("char_rnn.cli.inspect.description", stand_in)
        return sandbox.call(inspect)[3]

    def fail(_):
        raise KeyError("vocabulary")

    assert "KeyError" in faults(fail)
    assert "control characters" in faults(lambda _: sys.stderr.raw.write("\x07") and [])
    before = sandbox.outside()
    sandbox.victim.write_text("", "utf-8")
    assert sandbox.outside() != before
