"""`char-rnn plot`: the curves of a run."""

from pathlib import Path

import click

from char_rnn.cli.completion import complete_run
from char_rnn.cli.help import Command
from char_rnn.cli.options import PATH, option


@click.command(
    "plot", cls=Command, examples=("char-rnn plot", "char-rnn plot runs/book -o curves.png")
)
@click.argument("run", required=False, type=PATH, shell_complete=complete_run)
@option("out", short="o", type=PATH, help="Write a picture: .png, .svg or .pdf.")
def command(run: Path | None, out: Path | None) -> None:
    """Draw losses, learning rate and gradient norm of RUN; without it, of the newest run.

    A chart of the losses appears in the terminal; --out writes a picture (extra `plots`).
    """
    from char_rnn.runs.curves import chart, read_curves
    from char_rnn.runs.folder import newest_run
    from char_rnn.storage.reading import shown

    curves = read_curves(newest_run() if run is None else run)
    if out is not None:
        from char_rnn.pictures.png import check_format
        from char_rnn.runs.picture import plot_run
        from char_rnn.storage import check_writable

        check_format(out)
        check_writable(out)
        plot_run(curves, out)
        click.echo(f"Written: {out}", err=True)
    click.echo(f"{shown(curves.name)}\n{chart(curves)}")
