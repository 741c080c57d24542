"""The folder of a run: what its files are called, where it may be made, what its config says.

config.json        the settings, and which text it was; there before anything else is learned
model.safetensors  the best model so far by validation loss
last.safetensors   everything to resume from
log.jsonl          one JSON object an event
samples.txt        what the model wrote on the way
start.safetensors  the model that training went on from, where there was one
text.txt           the text, where it was handed over itself and lies nowhere else
.lock              locked by the process that trains (runs/lock.py)
"""

import time
from pathlib import Path
from typing import Any

from char_rnn.errors import FileError, RunError
from char_rnn.formats import RUN_SETTINGS
from char_rnn.runs.lock import LOCK_FILE, RunLock
from char_rnn.storage import check_folder, read_json
from char_rnn.storage.atomic import is_leftover
from char_rnn.storage.fields import read
from char_rnn.storage.models import CONFIG_FILE, LAST_FILE, MODEL_FILE, SHIPPED, no_such
from char_rnn.storage.reading import reason, shown

LOG_FILE = "log.jsonl"
SAMPLES_FILE = "samples.txt"
START_FILE = "start.safetensors"
TEXT_FILE = "text.txt"
CUT_FILES = (LOG_FILE, SAMPLES_FILE)
WRITTEN_FILES = (CONFIG_FILE, MODEL_FILE, LAST_FILE, *CUT_FILES)
RUNS = Path("runs")
EXERCISE = "train_rnn.py"


def read_settings(folder: Path) -> dict[str, Any]:
    """Return what the config of the run `folder` says, each setting checked.

    Raises RunError if it is no run folder, CorruptFile if its config is damaged.
    """
    if not folder.exists():
        raise RunError(no_such(folder))
    if not (folder / CONFIG_FILE).is_file():
        raise RunError(f"{folder} is not a run folder: it has no {CONFIG_FILE}")
    path = folder / CONFIG_FILE
    found: dict[str, Any] = read(RUN_SETTINGS, read_json(path), path)
    found["text"]["reading"] = found["text"]["reading"].to_dict()
    return found | {name: found[name].to_dict() for name in ("model", "train")}


def check_new(folder: Path) -> None:
    """Raise RunError if no new run could be made in `folder`; it may be there and be empty."""
    try:
        check_folder(folder)
        taken = folder.is_dir() and any(not _of_making(path.name) for path in folder.iterdir())
    except (FileError, OSError) as error:
        raise RunError(f"cannot make a run folder: {error}") from error
    if taken:
        if (folder / LOCK_FILE).is_file():
            lock = RunLock(folder)
            lock.take()  # if it is in use, that is what to say
            lock.release()
        resume = f", or go on with it (--resume {shown(folder)})"
        raise RunError(
            f"{shown(folder)} exists already; choose another folder (--out)"
            + (resume if (folder / CONFIG_FILE).is_file() else "")
        )


def _of_making(name: str) -> bool:
    """Tell whether a run that is only being made, or was never finished being made, holds this."""
    return name in (LOCK_FILE, START_FILE, TEXT_FILE) or is_leftover(name)


def not_made(folder: Path, error: OSError) -> RunError:
    """Return the error for a folder that the system did not make."""
    return RunError(f"cannot make the run folder {shown(folder)}: {reason(error)}")


def new_folder(name: str) -> Path:
    """Make a new folder in `RUNS`, named by `name` and the time, and return it."""
    stem = RUNS / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, n = stem, 1
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            n += 1
            folder = stem.with_name(f"{stem.name}-{n}")
        except OSError as error:
            raise not_made(folder, error) from error


def newest_run_or_shipped(folder: Path = RUNS) -> Path:
    """Return the newest run in `folder`, or the name of the model in the package."""
    try:
        return newest_run(folder)
    except RunError:
        return Path(SHIPPED)


def newest_run(folder: Path = RUNS) -> Path:
    """Return the run folder in `folder` whose model was written last."""
    models = [*folder.glob(f"*/{MODEL_FILE}"), *folder.glob(f"*/{LAST_FILE}")]
    if not models:
        raise RunError(f"there is no model in {folder}; name one, or make one: char-rnn train")
    return max(models, key=lambda path: path.stat().st_mtime_ns).parent


def stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes when the file is written anew, None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
