"""Arrays that several processes see, in memory that nothing can leave behind.

The memory has no name in the file system: an anonymous file that is passed on to the worker, or
on Windows a named mapping, which the system removes with its last user. So a run that is killed
leaves nothing to clean up.
"""

import mmap
import os
import tempfile
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
Layout = dict[str, tuple[tuple[int, ...], str]]

ALIGN = 64  # bytes of a cache line


@dataclass(frozen=True)
class Handle:
    """What another process needs to open the memory: a file descriptor, or a name (Windows)."""

    layout: Layout
    file: int = -1
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the handle as plain data."""
        return {"layout": self.layout, "file": self.file, "name": self.name}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Handle":
        """Return the handle that `to_dict` described."""
        layout = {name: (tuple(shape), dtype) for name, (shape, dtype) in data["layout"].items()}
        return cls(layout, data["file"], data["name"])


def create(layout: Layout) -> tuple[Handle, dict[str, Array]]:
    """Return new shared arrays, zeros, of `layout`: name to (shape, dtype).

    The caller closes the handle's file, if it has one, when the workers have it.
    """
    if os.name == "nt":
        handle = Handle(layout, name=f"char-rnn-{uuid.uuid4().hex}")
    else:
        handle = Handle(layout, file=_anonymous_file())
        os.truncate(handle.file, _size(layout))
    return handle, attach(handle)


def attach(handle: Handle) -> dict[str, Array]:
    """Return the arrays of `handle`, which another process may have made."""
    size = _size(handle.layout)
    if handle.name:
        memory = mmap.mmap(-1, size, tagname=handle.name)  # type: ignore[call-arg, unused-ignore]
    else:
        memory = mmap.mmap(handle.file, size)
    arrays, start = {}, 0
    for name, (shape, dtype) in handle.layout.items():
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(memory, dtype, count, start).reshape(shape)
        start += _aligned(count * np.dtype(dtype).itemsize)
    return arrays


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("char-rnn")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _size(layout: Layout) -> int:
    sizes = [_aligned(int(np.prod(s)) * np.dtype(d).itemsize) for s, d in layout.values()]
    return max(sum(sizes), ALIGN)


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN
