"""Why has a run learned so little? The cause is named, and what it learned is the evidence.

A run is poor if it learned less than nine tenths of what a table of three characters knows beyond
one of single characters. The first of these that fits is why:

overfitting, too short   the curves say so (advice.py), and they are on the move
vanishing                the gradient reaches fewer than four characters, an untrained one's farther
too short                it had hardly begun
poor                     one of its settings is unusual
too small                it has few parameters beside the different passages of three characters
too short                the validation loss still falls, if slowly
poor                     none of these
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from char_rnn.analyse.advice import LEAST_GAP, LEVEL, hardly_begun, much_longer
from char_rnn.analyse.examination import Examination
from char_rnn.analyse.findings import (
    FOREIGN,
    HINT,
    ILL,
    OVERFITTING,
    POOR,
    TOO_SHORT,
    TOO_SMALL,
    VANISHING,
    Finding,
    options,
    rounded,
)
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.model.parameters import parameter_shapes
from char_rnn.runs.curves import Curves
from char_rnn.runs.plan import USUAL_RATE, scaled_rate

ENOUGH = 0.9  # of what two characters tell of the next: with less a run is poor
MOVING = 0.05  # of what is left to learn, in the last fifth: with less, time is not what it lacks
SHORTER = 4  # times shorter than an untrained network's reach, and the gradient has vanished
NEAR = 4  # characters that it reaches at least where it is not what is wrong
MOSTLY = 0.5  # of the units at an end of tanh, and that is why; of them left out, and it is much
TABLE = 2  # parameters for each passage of three characters, below which a model cannot know them
FEW = 10  # characters of training text for each parameter, above which a larger one is a hint
BELOW = 0.05  # nats above the best table, and a small model leaves something to be learned
FAR = 4  # times the usual learning rate, or a fourth of it, and it is unusual
STUCK_AT = {"unigram", "guessing"}  # numbers of a loss that has not left them
SIZES = (16, 32, 64, 128, 256, 512)
SHORT_WINDOW, USUAL_WINDOW = 10, 50


class Case(NamedTuple):
    """All that is known of a run when it is judged.

    trend, reason: as advice.py has them. seen: what was measured.
    """

    curves: Curves
    train: TrainConfig
    config: ModelConfig
    trend: str
    reason: str
    seen: Examination


def with_causes(case: Case, found: list[Finding]) -> list[Finding]:
    """Return `found`, what the curves say, with the cause of a poor loss first."""
    learned, foreign = case.seen.learned, any(finding.name == FOREIGN for finding in found)
    stuck = [finding for finding in found if finding.numbers.keys() & STUCK_AT]
    if foreign or not (stuck or (learned is not None and learned < ENOUGH)):
        return [*found, *_too_small(case, HINT, "")]
    why = _how_poor(case.seen) or stuck[0].evidence
    if any(_explains(case, finding) for finding in found):
        return [_worse(finding, why) if _explains(case, finding) else finding for finding in found]
    if case.reason == "interrupted" and not _vanished(case.seen):
        return found  # it has not come far enough to ask why
    cause = _cause(case, found, why)
    rest = [finding for finding in found if finding not in stuck and finding.name != cause.name]
    return [cause, *rest]


def _explains(case: Case, finding: Finding) -> bool:
    """Tell whether a finding of the curves explains alone that a run is poor."""
    if finding.name == TOO_SHORT and "fall" in finding.numbers:
        moving = finding.numbers["fall"] >= MOVING * _left(case.seen)
        return moving and not (_vanished(case.seen) and _saturated(case.seen))
    return finding.name == OVERFITTING or (finding.name == TOO_SHORT and not _vanished(case.seen))


def _left(seen: Examination) -> float:
    """Return by how many nats its loss is above that of a table of three characters."""
    return 0.0 if seen.loss is None or len(seen.grams) < 3 else seen.loss - seen.grams[2]


def _worse(finding: Finding, why: str) -> Finding:
    """Return a hint of the curves as an illness: it has left the run poor."""
    if finding.severity != HINT:
        return finding
    return dataclasses.replace(finding, severity=ILL, evidence=f"{why} {finding.evidence}")


def _cause(case: Case, found: list[Finding], why: str) -> Finding:
    """Return the finding that says why a run is poor: the first that fits."""
    if _vanished(case.seen):
        return _vanishing(case, why)
    if hardly := hardly_begun(case.curves, case.train, case.seen.length or None):
        longer, settings = much_longer(case.curves, case.train)
        evidence = f"{why.rstrip('.')}{hardly}."
        return Finding(TOO_SHORT, ILL, evidence, f"Train longer ({longer}).", settings=settings)
    numbers = {} if case.seen.learned is None else {"learned": case.seen.learned}
    if settings := _unusual(case):
        return Finding(POOR, ILL, why, f"Train with {options(settings)}.", numbers, settings)
    for finding in _too_small(case, ILL, why):
        return finding
    for finding in found:
        if finding.name == TOO_SHORT:
            return _worse(finding, why)
    if case.seen.grams and case.seen.learned is None:
        why += " No table of up to six characters knows more: there may be nothing to learn."
    settings = {"hidden_size": 2 * case.config.hidden_size}
    settings |= much_longer(case.curves, case.train)[1]
    return Finding(POOR, ILL, why, f"Train with {options(settings)}.", numbers, settings)


def _how_poor(seen: Examination) -> str:
    """Return how much of what a table of three characters knows was learned; empty if unknown."""
    if seen.learned is None:
        return ""
    where = "" if seen.held_out else ", on text that it trained on"
    return (
        f"Its loss is {seen.loss:.3f}{where}; a table of single characters has "
        f"{seen.grams[0]:.3f}, one of three {seen.grams[2]:.3f}: it learned "
        f"{max(seen.learned, 0):.0%} of that."
    )


def _vanished(seen: Examination) -> bool:
    """Tell whether the gradient is lost so early that it explains a poor loss.

    For what a table of three knows two characters are enough; where such a table knows nothing,
    it may lie farther back than any gradient reaches.
    """
    if seen.reach is None or seen.fresh is None:
        return False
    near = seen.learned is None or seen.reach.characters < NEAR
    return near and SHORTER * seen.reach.characters <= seen.fresh.characters


def _saturated(seen: Examination) -> bool:
    return seen.saturation is not None and seen.saturation > MOSTLY


def _vanishing(case: Case, why: str) -> Finding:
    seen, train = case.seen, case.train
    assert seen.reach is not None and seen.fresh is not None
    evidence = (
        f"The gradient of a prediction reaches {seen.reach.characters:.1f} characters back, in a "
        f"window of {train.seq_length}; that of an untrained network reaches "
        f"{seen.fresh.characters:.0f}. "
    )
    numbers = {"reach": seen.reach.characters, "untrained_reach": seen.fresh.characters}
    settings: dict[str, Any] = {}
    if seen.saturation is not None and _saturated(seen):
        evidence += f"{seen.saturation:.0%} of the units are saturated. "
        numbers["saturation"] = seen.saturation
        settings["learning_rate"] = rounded(train.learning_rate / 10)
    elif case.config.init != "orthogonal":
        settings["init"] = "orthogonal"
    if case.config.cell == "rnn":
        settings["cell"] = "gru"
    settings = settings or {"learning_rate": _usual_rate(case.config)}
    remedy = f"Train with {options(settings)}."
    return Finding(VANISHING, ILL, evidence + why, remedy, numbers, settings)


def _too_small(case: Case, severity: str, why: str) -> Iterator[Finding]:
    """Yield that a model is too small, if it learned nothing by heart and its parameters are few.

    why: how poor it is: then they are few beside what it should know, the different passages of
    three characters. Empty for one that is not, of which a longer table knows more: then they are
    few beside the text.
    """
    seen, curves = case.seen, case.curves
    if seen.loss is None or not seen.grams or not (why or case.trend == LEVEL):
        return
    training, best = (curves.loss.y[-1] if len(curves.loss) else seen.loss), min(seen.grams)
    few = seen.parameters < TABLE * seen.kinds if why else FEW * seen.parameters < seen.length
    if not few or seen.loss - training >= LEAST_GAP or seen.loss < best + BELOW:
        return
    read = f"{seen.kinds:,} different passages of three characters"
    if not why:
        n = seen.grams.index(best) + 1
        read = f"{seen.length:,} characters"
        why = f"Its loss is {seen.loss:.3f}, that of a table of {n} characters {best:.3f}."
    size = {"hidden_size": _larger(case)}
    yield Finding(
        TOO_SMALL,
        severity,
        f"It has {seen.parameters:,} parameters for {read}, and learns nothing by heart: its "
        f"training loss is {training:.3f}. {why}",
        f"Train with {options(size)}.",
        {"parameters": seen.parameters, "kinds": seen.kinds, "length": seen.length},
        size,
    )


def _larger(case: Case) -> int:
    """Return the smallest size with a parameter for every four characters; at most 512 units."""
    wide = [size for size in SIZES if size > case.config.hidden_size]
    for size in wide:
        shapes = parameter_shapes(dataclasses.replace(case.config, hidden_size=size))
        if 4 * sum(math.prod(shape) for shape in shapes.values()) >= case.seen.length:
            return size
    return wide[-1] if wide else 2 * case.config.hidden_size


def _unusual(case: Case) -> dict[str, Any]:
    """Return what to set instead of what is most unusual among a run's settings; may be empty."""
    train, usual = case.train, _usual_rate(case.config)
    for name in ("output_dropout", "recurrent_dropout"):
        if getattr(train, name) >= MOSTLY:
            return {name: rounded(getattr(train, name) / 4)}
    if train.optimizer not in ("adam", "adamw"):
        return {"optimizer": "adam", "learning_rate": usual}
    if not usual / FAR <= train.learning_rate <= FAR * usual:
        return {"learning_rate": usual}
    return {"seq_length": USUAL_WINDOW} if train.seq_length < SHORT_WINDOW else {}


def _usual_rate(config: ModelConfig) -> float:
    return rounded(scaled_rate(USUAL_RATE, config.hidden_size, config.layers))
