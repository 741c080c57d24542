"""Calls `char-rnn` in this process, for one of its own takes half a second to begin.

All is as at the real entry point, which tests/cli/test_cli.py goes through: pipes for the standard
streams, the exit code of an error, one line that tells it.
"""

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from char_rnn.cli.main import cli, run


class Done(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: object, cwd: Path | str = ".", stdin: str = "") -> Done:
    """Run `char-rnn` in the folder `cwd`, which gets a cache of its own; no traceback is let by."""
    given = io.TextIOWrapper(io.BytesIO(stdin.encode("utf-8")), "utf-8")
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, CHAR_RNN_CACHE=str(Path.cwd() / "cache")),
        mock.patch.multiple(sys, argv=["char-rnn", *map(str, arguments)], stdin=given,
                            stdout=out, stderr=err),
    ):  # fmt: skip
        code = run(cli, "char-rnn")
        said = []
        for stream in (out, err):
            stream.flush()
            said.append(stream.buffer.getvalue().decode("utf-8"))
    assert "Traceback" not in said[0] + said[1]
    return Done(code, *said)
