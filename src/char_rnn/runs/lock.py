"""One run has one writer: a lock on its folder that the system takes back with the process.

So what a killed process has locked is free at once. Who only reads a run asks for no lock.
"""

import errno
import warnings
from pathlib import Path
from typing import Any

from char_rnn.errors import RunError
from char_rnn.storage.reading import reason, shown

LOCK_FILE = ".lock"
NO_LOCKS = {
    getattr(errno, name)
    for name in ("ENOSYS", "ENOLCK", "ENOTSUP", "EOPNOTSUPP")
    if hasattr(errno, name)
}


class RunLock:
    """The lock of one run folder, for one Run; it can be taken again after it was released.

    note: a sentence for the user where the file system has no locks, and so nothing is locked.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: Any = None
        self.note = ""

    @property
    def held(self) -> bool:
        """Whether this object has it."""
        return self._lock is not None

    def take(self) -> None:
        """Take it, if this object has it not yet; raise RunError if somebody else has it."""
        from filelock import FileLock, SoftFileLock, Timeout

        if self.held:
            return
        path = self._folder / LOCK_FILE
        lock = FileLock(path, timeout=0, thread_local=False)
        try:
            if path.is_symlink():
                raise OSError(f"{LOCK_FILE} is a link; delete it")
            with warnings.catch_warnings():  # of a lock that a killed process would leave behind
                warnings.simplefilter("ignore")
                lock.acquire()
            if isinstance(lock, SoftFileLock):
                lock.release()
                raise NotImplementedError("locks are not implemented")
        except Timeout:
            raise RunError(
                f"another process is training in {shown(self._folder)}; wait for its end or stop "
                "it, or take another folder (--out)"
            ) from None
        except (OSError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.errno not in NO_LOCKS:
                raise RunError(
                    f"{shown(self._folder)}: cannot be written: {reason(error)}"
                ) from error
            self.note = (
                f"{shown(self._folder)} cannot be locked ({reason(error)}): see to it yourself "
                "that nothing else trains in it"
            )
            return
        self._lock = lock

    def release(self) -> None:
        """Let it go, if this object has it."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
