"""Where a model is: a file, the best one of a run folder, or the one in the package."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np

from char_rnn.errors import FileError, RunError, did_you_mean
from char_rnn.storage.pickles import load_pickle
from char_rnn.storage.reading import as_path, beside, shown
from char_rnn.storage.tensors import load_tensors

Array = np.ndarray

SHIPPED = "shakespeare"
"""The name of the model that comes with the package (docs/model-card.md)."""
CONFIG_FILE = "config.json"
MODEL_FILE = "model.safetensors"
LAST_FILE = "last.safetensors"


def model_file(path: str | Path) -> Path:
    """Return the model file that `path`, a file, a run folder or `SHIPPED`, stands for."""
    path = as_path("path", path)
    if str(path) == SHIPPED and not path.exists():
        return Path(__file__).parents[1] / "shipped" / f"{SHIPPED}.safetensors"
    if not path.exists():
        raise FileError(no_such(path))
    if not path.is_dir():
        return path
    for name in (MODEL_FILE, LAST_FILE):
        if (path / name).is_file():
            return path / name
    if not (path / CONFIG_FILE).is_file():
        raise RunError(f"{shown(path)} is not a run folder: it has no {MODEL_FILE}")
    raise RunError(f"{shown(path)} holds no {MODEL_FILE} yet: {how_to_go_on(path)}")


def no_such(path: Path) -> str:
    """Return what to say of a model or run that is not there, with a name like it."""
    alike = did_you_mean(path, [SHIPPED, *beside(path)])
    return f"{shown(path)}: no such file or run folder{alike}"


def how_to_go_on(folder: Path) -> str:
    """Return what to say of the run `folder` that was ended before it had anything to show."""
    return (
        "its run was ended too early; go on with "
        f"char-rnn train --resume {shlex.quote(str(folder))}"
    )


def read_model(file: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the tensors of the model in `file`, a checkpoint's too, and the facts beside them."""
    if file.suffix == ".pkl":
        facts = load_pickle(file)
        return facts.get("parameters", {}), facts
    tensors, facts = load_tensors(file)
    if facts.get("kind") == "checkpoint":
        tensors = {
            name.removeprefix("model/"): tensor
            for name, tensor in tensors.items()
            if name.startswith("model/")
        }
    return tensors, facts
