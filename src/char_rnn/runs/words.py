"""The words of a message, as a Python program would say them.

The rooms below name a setting as the command line does, --epochs; a function calls it epochs.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from char_rnn.errors import CharRNNError

_TUNE = ("char-rnn train TEXT --start_from MODEL", "char_rnn.train(text, start_from=model)")
# A whole command line, to be called next, stays as it is.
# Names of files may hold two hyphens too; those of options begin with them.
_OPTION = re.compile(
    r"(?P<command>char-rnn [a-z]+ .*)|(?<=\()--resume (?P<folder>.+)(?=\)$)"
    r"|(?<=\()--encoding (?P<encoding>[\w-]+)(?=\))|(?<![\w./-])--(?=[a-z])"
)


def in_python(sentence: str) -> str:
    """Return `sentence` with the names of settings for those of options."""

    def said(found: re.Match[str]) -> str:
        if found["folder"]:
            return f"char_rnn.resume({found['folder']!r})"
        if found["encoding"]:
            return f"encoding={found['encoding']!r}"
        return found["command"] or ""

    return _OPTION.sub(said, sentence.replace(*_TUNE))


@contextmanager
def worded_for_python() -> Iterator[None]:
    """Let what is raised inside name settings and not options."""
    try:
        yield
    except CharRNNError as error:
        error.args = tuple(in_python(a) if isinstance(a, str) else a for a in error.args)
        raise
