"""Pictures of runs (the extra `plots`)."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from char_rnn.analyse.curves import Curve, Curves
from char_rnn.analyse.free_running import FreeRunning
from char_rnn.errors import MissingExtra, UsageError
from char_rnn.storage import write_bytes
from char_rnn.storage.reading import shown

FORMATS = (".png", ".svg", ".pdf")


def check_format(path: Path) -> None:
    """Raise UsageError if `path` does not end like a picture, MissingExtra without matplotlib."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path} is no picture; its name must end in {', '.join(FORMATS)}")
    _figure(1, 1)


def plot_run(curves: Curves, path: Path) -> None:
    """Draw losses, learning rate and gradient norm of one run over its iterations."""
    figure = _figure(8, 9)
    losses, rate, norm = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1, 1))
    losses.plot(curves.loss.iterations, curves.loss.y, label="training", lw=1)
    losses.plot(curves.val_loss.iterations, curves.val_loss.y, "o-", ms=3, label="validation")
    _cap(losses, [curves.loss, curves.val_loss])
    if curves.best is not None:
        at, lowest = curves.best
        losses.annotate(
            f"{lowest:.4f}", (at, lowest), (0, -14), textcoords="offset points", ha="center"
        )
    losses.set_ylabel("nats a character")
    losses.set_title(shown(curves.name), parse_math=False)
    losses.legend()
    rate.plot(curves.learning_rate.iterations, curves.learning_rate.y, color="C2", lw=1)
    rate.set_ylabel("learning rate")
    norm.plot(curves.grad_norm.iterations, curves.grad_norm.y, color="C3", lw=0.7)
    norm.set_ylabel("gradient norm")
    norm.set_yscale("log")
    norm.set_xlabel("iterations")
    _save(figure, path)


def plot_comparison(runs: Sequence[Curves], path: Path) -> None:
    """Draw the losses of several runs over the characters read and over the time taken."""
    figure = _figure(12, 5)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, x, label in zip(
        axes, ("characters", "seconds"), ("characters read", "seconds of training"), strict=True
    ):
        for k, curves in enumerate(runs):
            colour = f"C{k % 10}"
            ax.plot(getattr(curves.loss, x), curves.loss.y, color=colour, lw=0.7, alpha=0.5)
            ax.plot(getattr(curves.val_loss, x), curves.val_loss.y, "o-", ms=3, color=colour)
        _cap(ax, [c for curves in runs for c in (curves.loss, curves.val_loss)])
        ax.set_xlabel(label)
    axes[0].set_ylabel("nats a character (thin: training)")
    legend = axes[0].legend(axes[0].lines[1::2], [str(k) for k in range(len(runs))])
    for text, curves in zip(legend.get_texts(), runs, strict=True):
        # Names come last: as labels they would be read as formulas, or left out after a "_".
        text.set(text=shown(curves.name), parse_math=False)
    _save(figure, path)


def plot_free_running(found: FreeRunning, path: Path) -> None:
    """Draw losses on real and on own text over the distance from the last real character."""
    losses = {"this model": [row.model for row in found.rows]}
    reference = [row.reference for row in found.rows if row.reference is not None]
    if reference:
        losses[f"{found.order}-gram of the part before"] = reference
    figure = _figure(6 * len(losses), 4.5)
    at = [(row.first * row.last) ** 0.5 for row in found.rows]
    axes = figure.subplots(1, len(losses), sharey=True, squeeze=False)[0]
    for ax, (name, of_rows) in zip(axes, losses.items(), strict=True):
        ax.plot(at, [loss.real for loss in of_rows], "o-", ms=3, label="on real text")
        ax.errorbar(
            at, [loss.own for loss in of_rows], [loss.error for loss in of_rows], fmt="o-", ms=3,
            capsize=2, label="on the model's own (bars: error of the difference)",
        )  # fmt: skip
        ax.set_xscale("log")
        ax.set_xlabel("characters since the last real one")
        ax.set_title(name)
    axes[0].set_ylabel("nats a character")
    axes[0].legend()
    _save(figure, path)


def _cap(ax: Any, curves: Sequence[Curve]) -> None:
    """Leave out the first high losses, which would flatten all that follows."""
    values = sorted(y for curve in curves for y in curve.y)
    if values:
        low, high = values[0], values[round(0.97 * (len(values) - 1))]
        pad = 0.05 * max(high - low, 1e-3)
        ax.set_ylim(low - 2 * pad, high + pad)


def _save(figure: Any, path: Path) -> None:
    memory = io.BytesIO()
    with warnings.catch_warnings():  # a name may hold what the font lacks
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(memory, format=path.suffix[1:].lower(), dpi=120)
    write_bytes(path, memory.getvalue())


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("pictures need matplotlib: pip install 'char-rnn[plots]'") from error
    return Figure(figsize=(width, height), layout="constrained")
