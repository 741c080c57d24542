"""Some hundred files, changed by their structure and sealed again: every command keeps its manners.

benchmarks/fuzz.py tries thousands, and holds each to 5 seconds and 500 MB.
"""

import click
import pytest
from fuzzing import VARIANTS, Sandbox
from mutants import KINDS, mutants

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
    assert "control characters" in faults(lambda _: click.echo("\x07", err=True) or [])
    before = sandbox.outside()
    sandbox.victim.write_text("", "utf-8")
    assert sandbox.outside() != before
