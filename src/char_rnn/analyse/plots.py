"""Pictures of what was measured (the extra `plots`)."""

from pathlib import Path

from char_rnn.analyse.free_running import FreeRunning
from char_rnn.pictures.png import new_figure, save


def plot_free_running(found: FreeRunning, path: Path) -> None:
    """Draw losses on real and on own text over the distance from the last real character."""
    losses = {"this model": [row.model for row in found.rows]}
    reference = [row.reference for row in found.rows if row.reference is not None]
    if reference:
        losses[f"{found.order}-gram of the part before"] = reference
    figure = new_figure(6 * len(losses), 4.5)
    at = [(row.first * row.last) ** 0.5 for row in found.rows]
    axes = figure.subplots(1, len(losses), sharey=True, squeeze=False)[0]
    for ax, (name, of_rows) in zip(axes, losses.items(), strict=True):
        ax.plot(at, [loss.real for loss in of_rows], "o-", ms=3, label="on real text")
        ax.errorbar(
            at,
            [loss.own for loss in of_rows],
            [loss.error for loss in of_rows],
            fmt="o-",
            ms=3,
            capsize=2,
            label="on the model's own (bars: error of the difference)",
        )
        ax.set_xscale("log")
        ax.set_xlabel("characters since the last real one")
        ax.set_title(name)
    axes[0].set_ylabel("nats a character")
    axes[0].legend()
    save(figure, path)
