"""What a run goes on from: its last state, and the files that are cut back to it.

Whoever made a run folder, to go on with it changes nothing outside: what the run writes are files
of its own there, and no name that stands in a file is ever a path.
"""

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np

from char_rnn.config import ModelConfig
from char_rnn.errors import CorruptFile, RunError
from char_rnn.formats import check_tensors, checked_weights, checkpoint_facts
from char_rnn.model.cells import cell_class
from char_rnn.model.parameters import named_as_now
from char_rnn.storage import load_tensors
from char_rnn.storage.fields import read
from char_rnn.storage.reading import MAX_LINE_BYTES, shown

Array = np.ndarray


def check_own(folder: Path, names: tuple[str, ...]) -> None:
    """Raise RunError if one of the files `names` in `folder` is also a file of somewhere else.

    A link, also a hard one, would let the run change what lies outside its folder.
    """
    for path in (folder / name for name in names):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise RunError(
                f"{shown(path)} is a link, or no file at all: a run writes to files of its own; "
                "put a copy of the file in its place"
            )


def read_checkpoint(
    path: Path, config: ModelConfig, batch_size: int, cut: tuple[str, ...]
) -> tuple[dict[str, Array], Any, dict[str, int]]:
    """Return tensors, the trainer's state and the sizes of the files `cut` from `path`.

    Raises CorruptFile unless they belong to a network of `config` with `batch_size` streams, of
    which nothing needs to have been made yet. The state is checked by the trainer.
    """
    tensors, facts = load_tensors(path)
    found = read(checkpoint_facts(cut), facts, path)
    if found["config"] != config:
        raise CorruptFile(f"{shown(path)} belongs to another run: its config is not this run's")
    tensors = named_as_now(tensors, config)
    model = {n.removeprefix("model/"): t for n, t in tensors.items() if n.startswith("model/")}
    checked_weights(model, config, path)
    hidden = {name: tensor for name, tensor in tensors.items() if name == "hidden"}
    shape = (cell_class(config).states, config.layers, batch_size, config.hidden_size)
    check_tensors(hidden, {"hidden": shape}, (config.dtype,), path)
    return tensors, found["trainer"], found["written"]


def cut_back(path: Path, size: int) -> None:
    """Cut what was written to `path` after its first `size` bytes, which a run writes again.

    A line that was not written to its end goes too, where a power cut left one before them.
    """
    if not path.is_file():
        return
    with path.open("r+b") as file:
        size = min(size, file.seek(0, os.SEEK_END))
        start = file.seek(max(0, size - MAX_LINE_BYTES))
        whole = file.read(size - start).rfind(b"\n") + 1
        file.truncate(start + whole if whole else size)
