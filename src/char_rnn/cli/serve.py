"""`char-rnn serve`: models over HTTP."""

from pathlib import Path
from typing import Any

import click

from char_rnn.cli.completion import complete_model
from char_rnn.cli.help import Command
from char_rnn.cli.interrupts import signals
from char_rnn.cli.options import PATH, POSITIVE, option

HOST, PORT, SLOTS, QUEUE = "127.0.0.1", 8000, 64, 256


@click.command(
    "serve",
    cls=Command,
    examples=(
        "char-rnn serve",
        "char-rnn serve runs/book shakespeare --port 8080",
        "char-rnn serve runs/book --host 0.0.0.0 --no_train",
    ),
)
@click.argument("models", nargs=-1, metavar="[MODEL]...", type=PATH, shell_complete=complete_model)
@option("host", default=HOST, help="The address to listen on; this machine's own is the usual one.")
@option("port", type=click.IntRange(0, 65535), default=PORT, help="The port, 0 for any free one.")
@option(
    "api_key",
    envvar="CHAR_RNN_API_KEY",
    metavar="KEY",
    help="That clients must send; better in the environment variable CHAR_RNN_API_KEY.",
)
@option("slots", type=POSITIVE, default=SLOTS, help="Texts that a model writes at once.")
@option("queue", type=POSITIVE, default=QUEUE, help="How many more may wait.")
@option("no_train", is_flag=True, help="Let nobody begin a training run.")
def command(models: tuple[Path, ...], **options: Any) -> int:
    """Serve MODELs, files or run folders, over HTTP: OpenAI's completions, and more.

    Without any, the newest run in runs/, or the model that comes with the package. A model's name
    is that of its folder or file. One that is trained on is loaded anew.
    """
    from char_rnn.serve.extra import check_extra

    check_extra()
    from char_rnn.runs.folder import RUNS, newest_run_or_shipped
    from char_rnn.serve.app import app
    from char_rnn.serve.guard import is_loopback
    from char_rnn.serve.models import Models
    from char_rnn.serve.server import Server, listening, serve
    from char_rnn.serve.state import Settings

    host, key = options["host"], options["api_key"] or ""
    listener = listening(host, options["port"])
    served = Models(options["slots"], options["queue"])
    for path in models or (newest_run_or_shipped(),):
        click.echo(f"Model: {served.add(path)} ({path})", err=True)
    if not is_loopback(host) and not key:
        click.echo(
            f"Warning: anybody who reaches {host} can use this server, for it asks for no key "
            "(--api_key)",
            err=True,
        )
    settings = Settings(host=host, key=key, train=not options["no_train"], runs=RUNS)

    def begun(port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"Serving on http://{shown}:{port} (Ctrl-C stops)", err=True)

    server = Server(app(served, settings), begun)
    with signals(lambda _: server.stop()):
        serve(server, listener)
    click.echo("Stopped.", err=True)
    return 0
