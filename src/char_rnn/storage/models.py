"""Where a model is: a file, the best one of a run folder, or the one in the package."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from char_rnn.errors import RunError
from char_rnn.storage.pickles import load_pickle
from char_rnn.storage.tensors import load_tensors

Array = np.ndarray

SHIPPED = "shakespeare"
"""The name of the model that comes with the package (docs/model-card.md)."""
MODEL_FILE = "model.safetensors"
LAST_FILE = "last.safetensors"


def model_file(path: str | Path) -> Path:
    """Return the model file that `path`, a file, a run folder or `SHIPPED`, stands for."""
    path = Path(path)
    if str(path) == SHIPPED and not path.exists():
        return Path(__file__).parents[1] / "shipped" / f"{SHIPPED}.safetensors"
    if not path.is_dir():
        return path
    for name in (MODEL_FILE, LAST_FILE):
        if (path / name).is_file():
            return path / name
    raise RunError(
        f"{path} holds no {MODEL_FILE}; it is not a run folder, or its run was ended too early: "
        f"go on with `char-rnn train --resume {json.dumps(str(path))}`"
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
