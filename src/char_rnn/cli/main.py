"""`char-rnn`: finds the command, and turns errors into one line and an exit code."""

import os
import shlex
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import click

from char_rnn import __version__
from char_rnn.cli.completion import VARIABLE, complete
from char_rnn.cli.help import write_lines
from char_rnn.cli.interrupts import CLOSED_PIPE, Interrupted, flush, signals, silence
from char_rnn.cli.ranks import unheard
from char_rnn.cli.terminal import set_up
from char_rnn.cli.words import fitting, with_command
from char_rnn.errors import CharRNNError, UsageError, unknown_name

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "compare": "Show several runs side by side.",
    "evaluate": "Measure how well a model knows a text.",
    "generate": "Write text with a model.",
    "inspect": "Show what a model is and what it was trained on.",
    "lab": "Answer a question about networks with an experiment.",
    "music": "Write MIDI files as text, and texts as MIDI files.",
    "overlap": "Show what was copied from the training text.",
    "plot": "Draw the curves of a run.",
    "serve": "Serve models over HTTP.",
    "show": "Draw and play tunes.",
    "sweep": "Compare settings over several seeds.",
    "train": "Train a model on a text.",
}
EXAMPLES = (
    "char-rnn train                     # two minutes on Python's documentation",
    "char-rnn generate                  # from the newest run",
    "char-rnn train book.txt -m 10      # ten minutes on a text of your own",
    "char-rnn generate shakespeare -s 'ROMEO:'",
    "char-rnn train -h                  # all that can be set",
)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that --help is quick.

    called: the command that was looked up last.
    """

    called: click.Command | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command `cmd_name`, or None."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"char_rnn.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        self.called = command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with; name one like it where there is none."""
        if args[0] not in COMMANDS:
            raise unknown_name("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_lines(formatter, "Examples", EXAMPLES)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Offer the commands, without importing one, and the options."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=said)
            for name, said in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="char-rnn")
def cli() -> None:
    """Train a character-level RNN, LSTM or GRU on your own text, and generate from it.

    Begin with `char-rnn train` (two minutes), then `char-rnn generate`. Every command explains
    itself with -h. Names of options may have hyphens for underscores: --top_k is --top-k.
    """


def run(command: click.Command, name: str) -> int:
    """Run `command` and return its exit code: 2 for wrong usage, 1 for other errors.

    128 + its number for a signal, and 141 (as for SIGPIPE) where nobody reads the output any more.
    """
    try:
        with signals():
            code = _run(command, name)
    except Interrupted as stop:  # a second one, on the way out
        code = 128 + stop.number
    failed = flush()
    return code or failed


def _run(command: click.Command, name: str) -> int:
    try:
        if instruction := os.environ.get(VARIABLE):
            return complete(command, name, instruction)
        set_up()
        with warnings.catch_warnings():
            # NumPy's, of numbers that overflow: what comes of them is told, or skipped.
            warnings.simplefilter("ignore", RuntimeWarning)
            result = command.main(
                prog_name=name,
                standalone_mode=False,
                color=True,  # else click takes out of a text what looks like colours, in a pipe
                # On Windows click would fill in the files for every *, even a quoted one: right
                # for the runs of `compare`, wrong for a --pattern or a seed text.
                windows_expand_args=sys.argv[1:2] == ["compare"],
            )
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        with suppress(OSError):
            if not unheard(error):
                error.show()
        return error.exit_code
    except (BrokenPipeError, SystemExit):
        # The reader of our output has gone (`| head`): there is nobody to tell. click and rich
        # answer a closed pipe with SystemExit.
        silence(sys.stdout)
        return CLOSED_PIPE
    except BaseException as error:
        code, said = _verdict(error)
        if not code:
            raise
        said = fitting(said, getattr(command, "called", None) or command)
        python = "python " if name.endswith(".py") else ""
        said = with_command(said, f"{python}{name} {shlex.join(sys.argv[1:])}")
        with suppress(OSError):
            if not unheard(error):
                click.echo(f"{name}: {said}", err=True, color=True)
        return code


def _verdict(error: BaseException) -> tuple[int, str]:
    """Return the exit code for `error` and what is said of it; 0 if it is a fault of ours."""
    code, said = 0, ""
    match error:
        case CharRNNError():
            code, said = 2 if isinstance(error, UsageError) else 1, str(error)
        case Interrupted(number=number):
            code, said = 128 + number, "stopped"
        case click.Abort() | KeyboardInterrupt():
            code, said = 130, "stopped"
        case MemoryError():
            why = f" ({error})" if str(error) else ""
            code, said = 1, f"there is not enough memory{why}; take smaller numbers"
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            code, said = 1, f"{where}{error.strerror or error}"
    return code, said


def main() -> None:
    """Run `char-rnn`."""
    sys.exit(run(cli, "char-rnn"))
