"""States that the server keeps, so that a text that grows is not read again from its beginning."""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from char_rnn.serve.errors import Refused
from char_rnn.serve.models import Served

Array = np.ndarray

MOST, SECONDS = 4096, 600.0
"""States that are kept, and for how long after they were last used."""


@dataclass
class Kept:
    """Where a reader is: state (S, L, 1, H), of the model as it was when it began."""

    served: Served
    state: Array
    used: float = field(default_factory=time.monotonic)


class States:
    """States by name. None is ever changed, so that one can go on from each of them twice."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()  # the one used last at the end
        self._lock = threading.Lock()

    def keep(self, served: Served, state: Array) -> str:
        """Keep a state; return its name, which nobody can guess."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[name] = Kept(served, state)
            self._forget()
        return name

    def get(self, name: str) -> Kept:
        """Return the state of that name; Refused where there is none, or none any more."""
        with self._lock:
            self._forget()
            found = self._kept.get(name)
            if found is None:
                raise Refused(
                    f"there is no state {name!r}, or it was forgotten; begin again with model",
                    404,
                    "id",
                    "state_not_found",
                )
            found.used = time.monotonic()
            self._kept.move_to_end(name)
            return found

    def __len__(self) -> int:
        return len(self._kept)

    def _forget(self) -> None:
        old = time.monotonic() - SECONDS
        while self._kept:
            name, first = next(iter(self._kept.items()))
            if first.used >= old and len(self._kept) <= MOST:
                return
            del self._kept[name]
