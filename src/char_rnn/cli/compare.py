"""`char-rnn compare`: several runs side by side."""

from pathlib import Path
from typing import Any

import click

from char_rnn.cli.main import option


@click.command("compare", short_help="Show several runs side by side.")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@option("out", type=click.Path(path_type=Path), help="Write a picture: .png, .svg or .pdf.")
def command(runs: tuple[Path, ...], out: Path | None) -> None:
    """Show RUNS, run folders, in one table, the best first; with --out also in one picture.

    The picture (extra `plots`) shows training and validation loss over the characters read and
    over the seconds of training.
    """  # fmt: skip
    from char_rnn.analyse.curves import read_curves  # noqa: PLC0415

    found = [(folder, read_curves(folder)) for folder in runs]
    if out is not None:
        from char_rnn.analyse.plots import check_format, plot_comparison  # noqa: PLC0415

        check_format(out)
        plot_comparison([curves for _, curves in found], out)
        click.echo(f"Written: {out}", err=True)
    _table(sorted((_row(*run) for run in found), key=lambda row: row["order"]))


def _row(folder: Path, curves: Any) -> dict[str, Any]:
    from char_rnn.train.run import Run  # noqa: PLC0415

    run = Run.open(folder)
    model, best, loss = run.model_config, curves.best, curves.loss
    done = len(loss) > 0
    return {
        "order": best[1] if best else float("inf"),
        "run": curves.name,
        "model": f"{model.layers} × {model.cell} {model.hidden_size}",
        "text": str(run.settings["text"].get("name", "")),
        "validation": f"{best[1]:.4f}" if best else "–",
        "at": f"{best[0]:,}" if best else "–",
        "training": f"{loss.y[-1]:.4f}" if done else "–",
        "iterations": f"{loss.iterations[-1]:,}" if done else "0",
        "characters": f"{loss.characters[-1]:,}" if done else "0",
        "seconds": f"{loss.seconds[-1]:,.0f}" if done else "0",
    }


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for name in list(rows[0])[1:]:
        table.add_column(
            name, justify="left" if name in ("run", "model", "text") else "right", no_wrap=True
        )
    for row in rows:
        table.add_row(*list(row.values())[1:])
    console = Console()
    # In a pipe there is no width to fit into.
    console.print(table, width=None if console.is_terminal else 250, soft_wrap=False)
