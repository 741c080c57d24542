"""The tables of names: every cell and every optimiser, and how one of your own gets in.

A name stands for a class, or for where it is: "package.module:Class" is loaded when it is first
needed, so that settings can be checked, and `--help` can list them, without it.
"""

from importlib import import_module
from typing import Any

from char_rnn.errors import UsageError, unknown_name

Table = dict[str, str | type]

CELLS: Table = {
    "gru": "char_rnn.model.cells.gru:GRU",
    "lstm": "char_rnn.model.cells.lstm:LSTM",
    "rnn": "char_rnn.model.cells.rnn:RNN",
}
OPTIMIZERS: Table = {
    "adagrad": "char_rnn.training.optimisers:Adagrad",
    "adam": "char_rnn.training.optimisers:Adam",
    "adamw": "char_rnn.training.optimisers:AdamW",
    "rmsprop": "char_rnn.training.optimisers:RMSProp",
    "sgd": "char_rnn.training.optimisers:SGD",
}


def find(table: Table, kind: str, name: str) -> Any:
    """Return the class that `table` has for `name`; raise UsageError if it has none."""
    if name not in table:
        raise unknown_name(kind, name, sorted(table))
    entry = table[name]
    if isinstance(entry, type):
        return entry
    module, _, attribute = entry.partition(":")
    return getattr(import_module(module), attribute)


def register_cell(name: str, cls: type) -> None:
    """Let `ModelConfig.cell` be `name`, for the cell `cls` (model/cells/base.py says what it has).

    It holds in this process: whoever loads a model of it registers the same class first, and a run
    trains it in one process. Raises UsageError for a name that is taken.
    """
    _register(CELLS, "cell", name, cls, ("gates", "phases"))


def register_optimizer(name: str, cls: type) -> None:
    """Let `TrainConfig.optimizer` be `name`, for the class `cls` (training/optimisers.py).

    It holds in this process; a run that is resumed in another one needs it registered there too.
    Raises UsageError for a name that is taken.
    """
    _register(OPTIMIZERS, "optimizer", name, cls, ("step",))


def _register(table: Table, kind: str, name: str, cls: type, parts: tuple[str, ...]) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise UsageError(f"{kind} {name!r}: the name must be a word, as in register_{kind}('mine')")
    if not isinstance(cls, type):
        raise UsageError(f"{kind} {name!r} is {cls!r}; it must be a class, not an object of it")
    missing = [part for part in parts if not hasattr(cls, part)]
    if missing:
        raise UsageError(f"{kind} {name!r}: the class {cls.__name__} has no {missing[0]}")
    # A page of a notebook that runs again makes the same class anew.
    if name in table and _home(table[name]) != _home(cls):
        raise UsageError(f"{kind} {name!r} is {_home(table[name])} already; take another name")
    table[name] = cls


def _home(entry: str | type) -> str:
    return entry if isinstance(entry, str) else f"{entry.__module__}:{entry.__qualname__}"
