"""What `char-rnn evaluate` measures, as a report of plain figures."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np

    from char_rnn.charrnn import CharRNN
    from char_rnn.cli.evaluate import Asked
    from char_rnn.runs.scored_text import ScoredText
    from char_rnn.scoring import Tell

    Read = Callable[[int, int, Tell], np.ndarray]

THIS = "this model"


def surprise(model: "CharRNN", found: "ScoredText", streams: int) -> "np.ndarray":
    """Return −log p of each character that is scored; say so where one is no finite number."""
    import numpy as np

    from char_rnn.cli.waiting import waiting
    from char_rnn.scoring import surprisals

    # What overflows is told below, and not by NumPy.
    with waiting("Reading the text") as told, np.errstate(over="ignore", invalid="ignore"):
        nats = surprisals(model, found.corpus, found.start, found.corpus.length, streams, told)
    if not all_finite(nats):
        click.echo(
            "Note: not all that the model predicts is a finite number, for its weights are too "
            "large; only its loss is told",
            err=True,
        )
    return nats


def all_finite(nats: "np.ndarray") -> bool:
    """Return whether all of them are finite numbers."""
    import numpy as np

    return bool(np.isfinite(nats).all())


def measured(
    model: "CharRNN", found: "ScoredText", asked: "Asked", scored: str | None, nats: "np.ndarray"
) -> dict[str, Any]:
    """Return the report: of the model's `nats`, and of all else that was asked for."""
    from char_rnn.cli.waiting import waiting
    from char_rnn.runs.score import in_units

    finite = all_finite(nats)
    report: dict[str, Any] = {
        "text": found.corpus.name,
        "scored": found.reason,
        "characters": len(nats),
        "unit": found.corpus.vocabulary.unit,
        "left out": {
            "characters": sum(found.left_out.values()),
            "distinct": "".join(found.left_out),
        },
        "loss": in_units(float(nats.mean())),
    }
    if finite:
        report |= _more(model, found, asked, nats)
    if finite and asked.free_running:
        with waiting("Free running") as told:
            report["free running"] = _free_running(model, found, asked.plot, told)
    if not asked.no_baselines:
        with waiting("Baselines") as told:
            report |= _baselines(found, told)
    if finite and scored is not None:
        report["most surprising"] = _passages(scored, nats)
    return report


def _more(
    model: "CharRNN", found: "ScoredText", asked: "Asked", nats: "np.ndarray"
) -> dict[str, Any]:
    """Return the losses of other ways to read the same text, beside the model's `nats`."""
    from char_rnn.analyse.mixture import Mixture
    from char_rnn.cli.waiting import waiting
    from char_rnn.runs.score import in_units
    from char_rnn.scoring import cold_loss

    ids, start, stop, windows = found.corpus, found.start, found.corpus.length, asked.windows
    figures: dict[str, Any] = {}
    if windows:
        with waiting(f"Windows of {windows}") as told:
            cold = cold_loss(model, ids, start, stop, windows, told)
        figures[f"windows of {windows}, each from the initial state"] = in_units(cold)
    mixture = None
    if asked.mix:
        with waiting("n-grams"):
            mixture = Mixture(ids, start, found.unseen)
    for way, read in _ways(model, found, asked).items():
        if way != THIS:
            with waiting(way) as told:
                nats = read(start, stop, told)
            figures[way] = in_units(float(nats.mean()))
        if mixture is not None:
            with waiting(f"The weight of it: {way}") as told:
                weight = mixture.weight(read(mixture.first, start + 1, told))
            figures[f"{way}, mixed with the {mixture.order}-gram"] = in_units(
                float(mixture.nats(weight, nats).mean())
            ) | {"weight of the model": weight, "fitted on": mixture.fitted}
    return figures


def _ways(model: "CharRNN", found: "ScoredText", asked: "Asked") -> "dict[str, Read]":
    """Return the ways to read that were asked for: (start, stop, told) -> −log p, by name."""
    from char_rnn.analyse.dynamic import by_rms, dynamic_surprisals, mean_squares
    from char_rnn.scoring import surprisals

    ids = found.corpus
    ways: dict[str, Read] = {
        THIS: lambda start, stop, told: surprisals(model, ids, start, stop, asked.streams, told)
    }
    if asked.dynamic:
        ways["dynamic evaluation (learns as it reads)"] = lambda start, stop, told: (
            dynamic_surprisals(model, ids, start, stop, progress=told)
        )
    if asked.dynamic_rms:
        update = by_rms(mean_squares(model, ids, found.start))
        ways["dynamic evaluation by RMS"] = lambda start, stop, told: dynamic_surprisals(
            model, ids, start, stop, update, told
        )
    return ways


def _baselines(found: "ScoredText", told: "Tell") -> dict[str, Any]:
    """Return the losses of the baselines, and how much they learn from."""
    from char_rnn.analyse import baselines
    from char_rnn.runs.score import in_units

    corpus, before = found.corpus, found.start + 1
    losses = baselines.losses(corpus, found.start, told)
    few = baselines.too_few(corpus, found.start)
    if few:
        which = "; ".join(f"{name} ({why})" for name, why in few.items())
        click.echo(f"Note: baselines left out for so few characters: {which}", err=True)
    figures: dict[str, Any] = {"baselines": {n: in_units(loss) for n, loss in losses.items()}}
    if found.start:
        taught = min(before, baselines.MOST_TRAINING)
        figures["baselines learn from"] = {"characters": taught, "of": before}
    return figures


def _free_running(
    model: "CharRNN", found: "ScoredText", picture: Path | None, told: "Tell"
) -> dict[str, Any]:
    """Return what free running finds; the part before, if there is one, is a reference."""
    import numpy as np

    from char_rnn.analyse.baselines import MOST_TRAINING
    from char_rnn.analyse.free_running import free_running

    ids, start, stop = found.corpus, found.start, found.corpus.length
    train = ids.read(max(0, start - MOST_TRAINING), start) if start else None
    rng = np.random.default_rng(0)  # so that the same model gets the same figures
    drift = free_running(model, ids, start, stop, rng, train, progress=told)
    if picture is not None:
        from char_rnn.analyse.plots import plot_free_running

        plot_free_running(drift, picture)
        click.echo(f"Written: {picture}", err=True)
    return drift.to_dict()


def _passages(scored: str, nats: "np.ndarray") -> list[dict[str, Any]]:
    from char_rnn.analyse.surprise import most_surprising

    return [passage._asdict() for passage in most_surprising(scored, nats)]
