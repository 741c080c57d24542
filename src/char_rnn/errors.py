"""Every error that a user can meet, as one tree.

CharRNNError
├── UsageError            a wrong setting or argument; the command line exits with 2
│   └── UnknownCharacters a text holds characters that the vocabulary lacks
├── DataError             a text cannot be used
│   ├── TextNotFound      no such file, folder or built-in name
│   ├── NotText           invalid UTF-8 or a binary file
│   ├── TextTooShort      empty, or too short to train on
│   └── DownloadFailed    a built-in text could not be fetched
├── FileError             a model, run or pickle file cannot be used
│   ├── CorruptFile       damaged, truncated or tampered with
│   ├── NewerFormat       written by a later version of char-rnn
│   └── UnsafePickle      a pickle that asks for anything but plain data
├── RunError              a run folder cannot be created, resumed or found
├── WorkerDied            a worker process of a training run has ended
├── NonFiniteGradient     a gradient or its norm is NaN or infinite
├── ConstraintNotMet      no text that meets what was asked for was found within the effort
└── MissingExtra          an optional dependency is not installed

Every message is one line that names the thing, what was found, what was expected and what to do.
The command line exits with 2 on a UsageError and with 1 on every other error of this tree. What
names an option of it does so in brackets, (--bytes): a command that has no such option leaves the
brackets out (cli/words.py).
"""

from collections.abc import Iterable
from difflib import get_close_matches


class CharRNNError(Exception):
    """Base of every error that char_rnn raises on purpose."""


class UsageError(CharRNNError, ValueError):
    """A setting or argument is wrong."""


class UnknownCharacters(UsageError):
    """A text holds characters that the vocabulary lacks."""


class DataError(CharRNNError):
    """A text cannot be used."""


class TextNotFound(DataError):
    """There is no such file, folder or built-in text."""


class NotText(DataError):
    """A file is not valid UTF-8, or is binary."""


class TextTooShort(DataError):
    """A text is empty or too short to train on."""


class DownloadFailed(DataError):
    """A built-in text could not be fetched."""


class FileError(CharRNNError):
    """A model, run or pickle file cannot be used."""


class CorruptFile(FileError):
    """A file is damaged, truncated, or not what it claims to be."""


class NewerFormat(FileError):
    """A file was written by a later version of char-rnn."""


class UnsafePickle(FileError):
    """A pickle asks for something other than plain data; nothing of it was run."""


class RunError(CharRNNError):
    """A run folder cannot be created, resumed or found."""


class WorkerDied(CharRNNError):
    """A worker process of a training run could not start, or has ended too early."""


class RankDied(WorkerDied):
    """A rank of a run on several machines has ended too early, or does not answer.

    leader: whether rank 0 is such a one, which else speaks for all.
    """

    def __init__(self, message: str, leader: bool = False) -> None:
        super().__init__(message)
        self.leader = leader


class TeamError(CharRNNError):
    """The ranks of a run do not fit together: other texts, options, versions or weights."""


class SweepError(CharRNNError):
    """A sweep cannot be kept where it was asked for, or another one is kept there."""


class NonFiniteGradient(CharRNNError, ArithmeticError):
    """A gradient, or its norm, is NaN or infinite."""


class ConstraintNotMet(CharRNNError):
    """No text that meets what was asked for was found within the effort."""


class MissingExtra(CharRNNError, ImportError):
    """An optional dependency is not installed."""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> UsageError:
    """Return the error for a `name` that is not among the `known` ones of its `kind`."""
    names = list(known)
    return UsageError(
        f"unknown {kind} {name!r}{did_you_mean(name, names)}; known: {', '.join(names)}"
    )


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a question that names the one of `known` most like `name`, or nothing."""
    names = list(known)
    text = str(name).lower()
    begun = [known for known in names if text and known.lower().startswith(text)]
    close = begun if len(begun) == 1 else get_close_matches(text, names, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""
