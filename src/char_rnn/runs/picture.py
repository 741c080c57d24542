"""Pictures of runs (the extra `plots`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from char_rnn.pictures.png import new_figure, save
from char_rnn.runs.curves import Curve, Curves
from char_rnn.storage.reading import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_run(curves: Curves, path: Path) -> None:
    """Draw losses, learning rate and gradient norm of one run over its iterations."""
    save(run_figure(curves), path)


def run_figure(curves: Curves) -> "Figure":
    """Return the figure of that."""
    figure = new_figure(8, 9)
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
    return figure


def plot_comparison(runs: Sequence[Curves], path: Path) -> None:
    """Draw the losses of several runs over the characters read and over the time taken."""
    figure = new_figure(12, 5)
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
    save(figure, path)


def _cap(ax: Any, curves: Sequence[Curve]) -> None:
    """Leave out the first high losses, which would flatten all that follows."""
    values = sorted(y for curve in curves for y in curve.y)
    if values:
        low, high = values[0], values[round(0.97 * (len(values) - 1))]
        pad = 0.05 * max(high - low, 1e-3)
        ax.set_ylim(low - 2 * pad, high + pad)
