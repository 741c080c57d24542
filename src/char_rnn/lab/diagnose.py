"""What is wrong with my run?

Its curves, how far its gradient reaches and what it writes, each beside what would be healthy; the
findings are those of `analyse.diagnosis`, and the closing advice of `train` is a part of them.
"""

import dataclasses
from typing import Any

from char_rnn.analyse.diagnosis import diagnose
from char_rnn.analyse.findings import HINT, Diagnosis
from char_rnn.analyse.gradient_reach import REACHED
from char_rnn.analyse.slow import Pace
from char_rnn.lab.experiment import Result
from char_rnn.lab.jobs import Tell
from char_rnn.pictures.figure import Axis, Bars, Figure, Line, Panel, Rule
from char_rnn.runs.curves import Curves
from char_rnn.runs.plan import measure
from char_rnn.runs.run import Run
from char_rnn.storage.reading import StrPath

NAME, QUESTION = "diagnose", "What is wrong with my run?"
HIGH = 2  # times the loss of guessing: a line that goes there would flatten all else
MARKED = 30  # points of a line, above which marks would hide it
MEANS = (
    "Each finding has its evidence and what to try next. One cause is changed at a time: what is "
    "found after that may be another. A clean run has none of these illnesses; a better one may "
    "still be there."
)


def diagnosed(run: Run | StrPath, tell: Tell | None = None, pace: Pace = measure) -> Result:
    """Return what is wrong with `run`, or with the run of that folder, as a figure and numbers.

    tell: is told which share is done. pace: see `diagnose`.
    Raises RunError for what is no run or has trained nothing yet, a FileError for a damaged one.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    found = diagnose(run, pace, tell or (lambda _: None))
    return Result(
        figure(run.curves, found, run.train_config.clip),
        {
            "clean": found.clean,
            "findings": [dataclasses.asdict(finding) for finding in found.findings],
            "unseen": [dataclasses.asdict(finding) for finding in found.unseen],
            **found.numbers,
        },
        str(found),
        MEANS,
        {"speeds": found.speeds},
        name=NAME,
        question=QUESTION,
    )


def figure(curves: Curves, found: Diagnosis, clip: float) -> Figure:
    """Return the evidence as a picture. clip: the limit of the gradient, 0 for none."""
    ill = [finding.name for finding in found if finding.severity != HINT]
    named = ", ".join(ill) or "nothing"
    panels = [_losses(curves, found.numbers), *_reach(found.numbers)]
    panels += [*_writing(found.numbers), *_norms(curves, clip)]
    return Figure(f"What is wrong with {found.name}: {named}", panels)


def _losses(curves: Curves, numbers: dict[str, Any]) -> Panel:
    tables = numbers["ngrams"]
    known = {"guessing": numbers["guessing"], "single characters": numbers["unigram"]}
    known |= {"table of three": tables[2]} if len(tables) > 2 else {}
    rules = [Rule(at, f"{name} {at:.2f}") for name, at in known.items() if at is not None]
    lines = [
        Line(curve.iterations, curve.y, label, marks=len(curve) <= MARKED)
        for curve, label in ((curves.loss, "training"), (curves.val_loss, "validation"))
        if len(curve)
    ]
    most = max((y for line in lines for y in line.y), default=0.0)
    exploded = most > HIGH * numbers["guessing"] > 0
    x, y = Axis("iterations"), Axis("nats a character", exploded, low=None if exploded else 0.0)
    return Panel("How its loss fell", x, y, [*lines, *rules])


def _reach(numbers: dict[str, Any]) -> list[Panel]:
    """Return how far the gradient reaches, where it was measured."""
    lines = []
    for name, label in (("gradient", "this run"), ("untrained_gradient", "untrained")):
        if name in numbers and len(numbers[name]["back"]) > 1:
            back, norms = numbers[name]["back"], numbers[name]["norm"]
            first = norms[0] or 1.0
            lines.append(Line(back, [norm / first or float("nan") for norm in norms], label))
    if not lines:
        return []
    x = Axis("characters back")
    y = Axis("gradient, relative", log=True, low=REACHED**3)
    return [Panel("How far its gradient reaches", x, y, [*lines, Rule(REACHED, "1 %")])]


def _writing(numbers: dict[str, Any]) -> list[Panel]:
    """Return how much it repeats itself beside the real text, where it could write."""
    names = {"own": "its samples", "free": "temperature 1", "real": "real text"}
    there = {name: said for name, said in names.items() if numbers[f"{name}_writing"] is not None}
    if not there:
        return []
    places = list(range(len(there)))
    bars = [
        Bars(places, [numbers[f"{name}_writing"][key] for name in there], label)
        for key, label in (("looped", "in loops"), ("distinct", "distinct passages of 4"))
    ]
    x = Axis("text", ticks=dict(zip(places, there.values(), strict=True)))
    return [Panel("What it writes", x, Axis("share", low=0.0, high=1.0), bars)]


def _norms(curves: Curves, clip: float) -> list[Panel]:
    """Return the norm of the gradient beside the limit, where the log has it."""
    pairs = zip(curves.grad_norm.iterations, curves.grad_norm.y, strict=True)
    there = [(x, y) for x, y in pairs if y > 0]
    if not there:
        return []
    line = Line(
        [x for x, _ in there], [y for _, y in there], "before clipping", marks=len(there) <= MARKED
    )
    rules = [Rule(clip, f"clip {clip:g}")] if clip else []
    y = Axis("norm of the gradient", log=True)
    return [Panel("How steep it was", Axis("iterations"), y, [line, *rules])]
