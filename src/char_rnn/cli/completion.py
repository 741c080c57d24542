"""What a shell offers for the word that is being typed: click's own protocol, and our names.

`_CHAR_RNN_COMPLETE=bash_source char-rnn` prints the script that a shell loads (docs/terminal.md).
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from char_rnn.errors import CharRNNError, unknown_name

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VARIABLE = "_CHAR_RNN_COMPLETE"
SHELLS = ("bash", "fish", "zsh")


def complete(command: click.Command, name: str, instruction: str) -> int:
    """Answer a shell: print its script, or what may stand for the word that is being typed.

    instruction: such as `bash_source` and `bash_complete`. Returns the exit code.
    Raises UsageError for a shell that is not known.
    """
    from click.shell_completion import get_completion_class, shell_complete

    shell = instruction.partition("_")[0]
    if get_completion_class(shell) is None:
        raise unknown_name("shell", shell, SHELLS)
    with suppress(CharRNNError):  # of what was typed so far: the command will tell it
        return int(shell_complete(command, {}, name, VARIABLE, instruction))
    return 0


def complete_text(_: click.Context, __: click.Parameter, begun: str) -> "list[CompletionItem]":
    """Offer the built-in texts, and files."""
    from char_rnn.data.builtin import BUILTIN
    from char_rnn.music.files import DEMO

    return _names_and_files([*BUILTIN, DEMO], begun)


def complete_model(_: click.Context, __: click.Parameter, begun: str) -> "list[CompletionItem]":
    """Offer the model in the package, the runs in runs/, and files."""
    from char_rnn.storage.models import SHIPPED

    return _names_and_files([SHIPPED, *_runs()], begun)


def complete_run(_: click.Context, __: click.Parameter, begun: str) -> "list[CompletionItem]":
    """Offer the runs in runs/, and files."""
    return _names_and_files(_runs(), begun)


def complete_file(_: click.Context, __: click.Parameter, begun: str) -> "list[CompletionItem]":
    """Offer files."""
    return _names_and_files((), begun)


def _runs() -> list[str]:
    from char_rnn.runs.folder import RUNS
    from char_rnn.storage.models import CONFIG_FILE

    return sorted((str(found.parent) for found in RUNS.glob(f"*/{CONFIG_FILE}")), reverse=True)


def _names_and_files(names: Iterable[str], begun: str) -> "list[CompletionItem]":
    """Offer those of `names` that begin so, and paths.

    Shells find paths by themselves, and bash does so only where it is offered no names.
    """
    from click.shell_completion import CompletionItem

    known = [name for name in names if name.startswith(begun)]
    if not known:
        return [CompletionItem(begun, type="file")]
    return [CompletionItem(name) for name in dict.fromkeys([*known, *_paths(begun)])]


def _paths(begun: str) -> list[str]:
    """Return the paths that begin so; of a folder with a slash at its end."""
    folder, _, name = begun.rpartition(os.sep)
    found = []
    with suppress(OSError):
        for path in sorted(Path(folder + os.sep if folder else ".").iterdir()):
            if path.name.startswith(name) and not path.name.startswith("."):
                found.append(
                    f"{folder}{os.sep}" * bool(folder) + path.name + os.sep * path.is_dir()
                )
    return found
