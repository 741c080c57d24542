"""Runs that lie in the server's folder: begun earlier, or by another process.

A folder may hold anything. It is looked at under limits, links in it are not followed, and what is
wrong with it is told in a line. What was read of a log is kept until the log changes.
"""

import os
import re
import stat
import threading
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from char_rnn.data.sources import STDIN
from char_rnn.errors import CharRNNError, RunError
from char_rnn.runs.curves import Curve, Curves, read_curves
from char_rnn.runs.folder import LOG_FILE, START_FILE, TEXT_FILE, WRITTEN_FILES, read_settings
from char_rnn.runs.lock import LOCK_FILE, RunLock
from char_rnn.runs.run import Run
from char_rnn.serve.errors import Refused
from char_rnn.storage.models import CONFIG_FILE

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*\.", re.IGNORECASE)
"""Names that Windows keeps for itself."""
MOST_FOLDERS, MOST_LOOKED_AT = 100, 10_000
"""Runs that are listed, the newest, and entries of the folder among which they are looked for."""
MOST_LOG, MOST_LOGS = 2**24, 2**26
"""Bytes of a log that is read, and of all that are read for one list."""
MOST_POINTS = 2000
"""Of a curve that is told."""
ELSEWHERE = "running elsewhere"
OVER = {"finished": "finished", "out of patience": "finished", "interrupted": "stopped"}
"""What the reason of a run's end makes of it."""
Array = np.ndarray


def is_name(name: str) -> bool:
    """Tell whether a run may have this name."""
    return bool(NAME.fullmatch(name)) and not RESERVED.fullmatch(name)


def answered(
    name: str,
    status: str,
    message: str,
    created: int,
    about: dict[str, Any],
    loss: dict[str, Any] | None,
    validation: dict[str, Any] | None,
    best: dict[str, Any] | None,
    events: int,
) -> dict[str, Any]:
    """Return what is answered of a run, of whatever kind."""
    return {
        "name": name,
        "object": "run",
        "status": status,
        "message": message or None,
        "created": created,
        **about,
        "loss": loss,
        "validation": validation,
        "best": best,
        "events": events,
    }


@dataclass(frozen=True)
class Looked:
    """What a folder says of its run.

    curves: of training and of validation (n, 3): iteration, seconds of training, loss.
    status: as that of a run of this server, or ELSEWHERE.
    """

    name: str
    created: int
    status: str = "failed"
    message: str = ""
    about: dict[str, Any] = field(default_factory=lambda: {"text": None, "characters": None})
    loss: dict[str, Any] | None = None
    validation: dict[str, Any] | None = None
    best: dict[str, Any] | None = None
    curves: tuple[Array, Array] = (np.zeros((0, 3)), np.zeros((0, 3)))

    def to_dict(self) -> dict[str, Any]:
        """Return what is answered."""
        return answered(
            self.name,
            self.status,
            self.message,
            self.created,
            self.about,
            self.loss,
            self.validation,
            self.best,
            events=0,
        )

    def curves_told(self) -> dict[str, list[list[float]]]:
        """Return the curves as they are answered."""
        names = ("train", "validation")
        return {
            name: [[int(at), seconds, loss] for at, seconds, loss in curve.tolist()]
            for name, curve in zip(names, self.curves, strict=True)
        }


class RunFolders:
    """The runs in a folder; its methods read files: not for the thread of the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[tuple[int, ...], Looked]] = {}
        self._lock = threading.Lock()

    def all(self) -> list[Looked]:
        """Return the newest, the newest first; where their logs are long, less is told of some."""
        found: list[Looked] = []
        left = MOST_LOGS
        for name in self._names():
            stamps = self._stamps(name)
            if stamps is not None:
                left -= 0 if self._is_kept(name, stamps) else min(stamps[3], MOST_LOG)
                with self._lock:
                    found.append(self._looked(name, stamps, left >= 0))
            if len(found) == MOST_FOLDERS:
                break
        return found

    def get(self, name: str) -> Looked | None:
        """Return the run of that name, None for none."""
        stamps = self._stamps(name) if is_name(name) else None
        if stamps is None:
            return None
        with self._lock:
            return self._looked(name, stamps, True)

    def checked(self, name: str) -> Path:
        """Return the folder of a run; raise Refused where a file in it lies elsewhere."""
        folder = self._folder / name
        for file in (*WRITTEN_FILES, START_FILE, TEXT_FILE, LOCK_FILE):
            if (folder / file).is_symlink():
                raise Refused(f"the run {name!r} holds a link, {file}", 409, "name")
        return folder

    def check_resumable(self, name: str) -> float | None:
        """Return the minutes for which the run is to be trained in all, None where none are said.

        Raises Refused where nobody can go on with it: another process does, or its text has gone.
        """
        folder = self.checked(name)
        try:
            run = Run.open(folder)
            where = run.text.where
            if STDIN in ((where,) if isinstance(where, str) else where):
                raise RunError("its text was read from standard input")
            run.text.source()
        except (CharRNNError, OSError) as error:
            said = self._said(error)
            raise Refused(f"nobody can go on with {name!r} here: {said}", 409, "name") from error
        if _is_locked(folder):
            raise Refused(
                f"the run {name!r} is being trained by another process", 409, "name", "busy"
            )
        minutes: float | None = run.train_config.minutes
        return minutes

    def _names(self) -> list[str]:
        """Return the names of the folders that may be runs, the newest first."""
        try:
            with os.scandir(self._folder) as entries:
                found = [
                    (entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                    for entry in islice(entries, MOST_LOOKED_AT)
                    if is_name(entry.name) and entry.is_dir(follow_symlinks=False)
                ]
        except OSError:  # there is none yet
            return []
        return [name for _, name in sorted(found, reverse=True)]

    def _stamps(self, name: str) -> tuple[int, ...] | None:
        """Return what changes with the config and the log, and the log's size at 3; None for none.

        A link counts for nothing.
        """
        folder = self._folder / name
        try:
            if not stat.S_ISDIR(folder.lstat().st_mode):
                return None
            config = (folder / CONFIG_FILE).lstat()
        except OSError:
            return None
        if not stat.S_ISREG(config.st_mode):
            return None
        try:
            log = (folder / LOG_FILE).lstat()
            regular = stat.S_ISREG(log.st_mode)
        except OSError:
            regular = False
        more = (log.st_size, log.st_mtime_ns, log.st_ino) if regular else (0, 0, 0)
        return config.st_mtime_ns, config.st_ino, config.st_size, *more

    def _is_kept(self, name: str, stamps: tuple[int, ...]) -> bool:
        return name in self._kept and self._kept[name][0] == stamps

    def _looked(self, name: str, stamps: tuple[int, ...], log: bool) -> Looked:
        """Return what the folder says, from what is kept if nothing has changed; log: read it."""
        if self._is_kept(name, stamps):
            found = self._kept[name][1]
        else:
            created = stamps[0] // 10**9
            try:
                found = self._read(name, created, stamps[3], log)
            except (CharRNNError, OSError, MemoryError) as error:
                found = Looked(name, created, message=self._said(error))
            if log:
                self._kept.pop(name, None)
                self._kept[name] = (stamps, found)
                while len(self._kept) > MOST_FOLDERS:
                    self._kept.pop(next(iter(self._kept)))
        if found.status:
            return found
        return replace(found, status=ELSEWHERE if _is_locked(self._folder / name) else "stopped")

    def _read(self, name: str, created: int, size: int, log: bool) -> Looked:
        """Return what the files say; its status is empty where only the lock can tell."""
        folder = self._folder / name
        settings = read_settings(folder)
        about = {"text": settings["text"]["name"], "characters": settings["text"]["length"]}
        if size > MOST_LOG or not log:
            said = f"its log has {size:,} bytes, too many to be read now"
            return Looked(name, created, "", said, about)
        if not size:
            return Looked(name, created, "", "", about)
        curves = read_curves(folder)
        best = curves.best
        return Looked(
            name,
            created,
            OVER.get(curves.reason, ""),
            "",
            about,
            _last(curves),
            _last_of(curves.val_loss, "val_loss"),
            None if best is None else {"iteration": best[0], "val_loss": best[1]},
            (thinned(curves.loss), thinned(curves.val_loss)),
        )

    def _said(self, error: Exception) -> str:
        """Return what went wrong, without where the folder is."""
        said = str(error) or type(error).__name__
        return said.replace(f"{self._folder}{os.sep}", "")


def thinned(curve: Curve, most: int = MOST_POINTS) -> Array:
    """Return at most so many points of a curve (n, 3), its ends among them."""
    points = np.array([curve.iterations, curve.seconds, curve.y], np.float64).T
    if len(points) <= most:
        return points
    chosen: Array = points[np.linspace(0, len(points) - 1, most).round().astype(int)]
    return chosen


def _last(curves: Curves) -> dict[str, Any] | None:
    found = _last_of(curves.loss, "loss")
    if found is not None:
        for name in ("learning_rate", "grad_norm"):
            values = getattr(curves, name).y
            found[name] = values[-1] if values else None
    return found


def _last_of(curve: Curve, name: str) -> dict[str, Any] | None:
    if not curve:
        return None
    return {
        "iteration": curve.iterations[-1],
        "characters": curve.characters[-1],
        "seconds": curve.seconds[-1],
        name: curve.y[-1],
    }


def _is_locked(folder: Path) -> bool:
    """Tell whether another process trains there; where no lock file is, nobody ever has."""
    path = folder / LOCK_FILE
    if path.is_symlink() or not path.is_file():
        return False
    lock = RunLock(folder)
    try:
        lock.take()
    except RunError as error:
        return error.__cause__ is None  # else the system let nobody lock it
    lock.release()
    return False
