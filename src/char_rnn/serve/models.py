"""The models that are served, by name: each with its engine, and loaded anew where it changed."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from char_rnn.charrnn import CharRNN
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import CharRNNError, DataError, UsageError, did_you_mean
from char_rnn.model.stepper import Stepper
from char_rnn.music.knowing import writes_music
from char_rnn.serve.engine import Engine
from char_rnn.serve.errors import Refused
from char_rnn.serve.solo import Solo
from char_rnn.storage.models import model_file

if TYPE_CHECKING:
    from char_rnn.data.copies import CopyIndex

LOOK = 0.5
"""Seconds between two looks whether a file has changed."""
GRACE = 60.0
"""Seconds in which a request that has looked a model up begins to write with it."""
MOST_COPIES = 4
"""Indices of training texts that are kept, one for each length of what must not be copied."""
_log = logging.getLogger("char_rnn.serve")


@dataclass(eq=False)
class Served:
    """A model as it is now, and what writes with it.

    vocabulary: the model's, which is there. stamp: of its file. music: whether it writes music.
    """

    name: str
    path: str
    model: CharRNN
    vocabulary: AnyVocabulary
    engine: Engine
    solo: Solo
    stamp: tuple[int, ...]
    created: int
    music: bool = False
    _copies: "dict[int, CopyIndex]" = field(default_factory=dict)
    _stepper: Stepper | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def copies(self, length: int) -> "CopyIndex":
        """Return the index of the runs of `length` characters of the training text."""
        from char_rnn.data.copies import CopyIndex
        from char_rnn.runs.text import training_ids

        with self._lock:
            if length not in self._copies:
                if len(self._copies) >= MOST_COPIES:
                    self._copies.pop(next(iter(self._copies)))
                try:
                    ids = training_ids(self.path, self.model, None)
                except (CharRNNError, OSError) as error:
                    _log.warning("max_copy for %s: %s", self.name, error)
                    raise Refused(
                        "max_copy needs the training text, which the server does not have",
                        param="max_copy",
                    ) from error
                self._copies[length] = CopyIndex(ids, length)
            return self._copies[length]

    @property
    @contextmanager
    def reading(self) -> Iterator[Stepper]:
        """A stepper of one stream, for one reader at a time; it is somewhere, and must begin."""
        with self._lock:
            if self._stepper is None:
                self._stepper = Stepper(self.model.parameters)
            yield self._stepper

    def close(self, seconds: float) -> None:
        """Write nothing new; end what is left after so many seconds."""
        self.engine.close(seconds)
        self.solo.close(seconds)

    @property
    def busy(self) -> int:
        """How many texts there are."""
        return self.engine.busy + self.solo.busy

    def about(self) -> dict[str, Any]:
        """Return what is told of it in the list of models."""
        config, summary, words = self.model.config, self.model.summary, self.vocabulary
        return {
            "id": self.name,
            "object": "model",
            "created": self.created,
            "owned_by": "char-rnn",
            "char_rnn": {
                "cell": config.cell,
                "layers": config.layers,
                "hidden_size": config.hidden_size,
                "vocab_size": config.vocab_size,
                "characters": list(words.chars[:512]),
                "kind": words.kind,
                "documents": words.documents,
                "music": self.music,
                "loss": summary.get("val_loss"),
                "text": summary.get("text"),
            },
        }


class Models:
    """Models by name.

    slots, queue: of each model's engine. names: in the order in which they were given.
    """

    def __init__(self, slots: int = 64, queue: int = 256) -> None:
        self._slots, self._queue = slots, queue
        self._paths: dict[str, str] = {}
        self._served: dict[str, Served] = {}
        self._looked: dict[str, float] = {}
        self._old: list[tuple[float, Served]] = []  # with the weights of before
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """What there is."""
        return list(self._paths)

    def add(self, path: str | Path, name: str | None = None) -> str:
        """Load a model file or the best of a run folder; return its name.

        Raises what `CharRNN.load` does, and UsageError for a second model of one name, or one
        without a vocabulary.
        """
        file = model_file(path)
        folder = Path(path).is_dir()
        name = name or (Path(path).resolve().name if folder else file.stem)
        if name in self._paths:
            raise UsageError(f"there are two models {name!r}; serve one of them")
        served = self._load(name, str(path))
        with self._lock:
            self._paths[name], self._served[name] = str(path), served
        return name

    def remove(self, name: str) -> None:
        """Serve a model no more; what was begun with it is ended."""
        with self._lock:
            del self._paths[name]
            self._old.append((-math.inf, self._served.pop(name)))
            self._retire(time.monotonic())

    def get(self, name: str) -> Served:
        """Return the model `name`, loaded anew where its file has changed; Refused for none.

        It may read files: not for the thread of the event loop.
        """
        with self._lock:
            if name not in self._paths:
                hint = did_you_mean(name, self._paths)
                raise Refused(
                    f"there is no model {name[:100]!r}{hint}; there are: {', '.join(self._paths)}",
                    404,
                    "model",
                    "model_not_found",
                )
            now = time.monotonic()
            if now - self._looked.get(name, -LOOK) >= LOOK:
                self._looked[name] = now
                self._retire(now)
                self._renew(name)
            return self._served[name]

    def _renew(self, name: str) -> None:
        """Load a model anew whose file has changed; the old one stays where that fails."""
        path, old = self._paths[name], self._served[name]
        try:
            if _stamp(path) == old.stamp:
                return
            new = self._load(name, path)
        except (CharRNNError, OSError, MemoryError) as error:
            _log.warning("%s has changed and cannot be loaded, the old one stays: %s", name, error)
            return
        _log.info("%s has changed and was loaded anew", name)
        self._served[name] = new
        self._old.append((time.monotonic(), old))

    def _retire(self, now: float) -> None:
        """Let those go that nobody can be about to use, once they have written what they began."""
        kept = []
        for then, old in self._old:
            if now - then > GRACE:
                old.close(math.inf)
            if old.busy or now - then <= GRACE:
                kept.append((then, old))
        self._old = kept

    def _load(self, name: str, path: str) -> Served:
        stamp = _stamp(path)
        model = CharRNN.load(path)
        if model.vocabulary is None:
            raise DataError(f"{path}: the model has no vocabulary, and cannot write texts")
        created = int(stamp[2] / 1e9)
        engine = Engine(model, self._slots, self._queue)
        solo = Solo(model, model.vocabulary)
        music = writes_music(model)
        return Served(name, path, model, model.vocabulary, engine, solo, stamp, created, music)

    def loaded(self) -> Iterator[Served]:
        """Return all models as they are now."""
        with self._lock:
            return iter(list(self._served.values()))

    def all(self) -> list[Served]:
        """Return all models, also as they were before, while they end what they have begun."""
        with self._lock:
            return [*self._served.values(), *(old for _, old in self._old)]

    def close(self, seconds: float) -> None:
        """Take no more requests, and end what is left after so many seconds."""
        for served in self.all():
            served.close(seconds)

    def wait(self, pause: Callable[[float], None] = time.sleep, seconds: float = 10.0) -> None:
        """Wait until everything has ended, so many seconds at most."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(served.busy for served in self.all()):
            pause(0.02)


def _stamp(path: str) -> tuple[int, ...]:
    found = model_file(path).stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
