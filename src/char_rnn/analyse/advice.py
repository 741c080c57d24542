"""What the curves of a run say: which illness they show, if any, and what to change.

They are looked for in this order, and the first that is found is said:

exploding     training ended above where it began and above guessing, or could not go on
foreign       the validation part is no better than guessed, though the training part is learned
poor          the loss has not left that of single characters; too short, where it had hardly begun
no part       there is nothing to validate on
too few       fewer than three evaluations in the last half: no trend is claimed
exploding     the training loss has risen again, and the validation loss with it
overfitting   the validation loss has risen from its best
too short     it was still falling in the last fifth

Where none is found the curves have levelled off. A gap between training and validation is no trend,
and is said beside the last ones. `advice` is what `train` says at its end; what only the model and
the text can tell, diagnosis.py asks besides.
"""

import math
from typing import Any, NamedTuple

from char_rnn.analyse.findings import (
    EXPLODING,
    FOREIGN,
    HINT,
    ILL,
    NOTHING,
    OVERFITTING,
    POOR,
    TOO_SHORT,
    UNSEEN,
    WORTHLESS,
    Finding,
    options,
    rounded,
)
from char_rnn.config import TrainConfig
from char_rnn.runs.curves import Curve, Curves

LEAST_RISE = 0.01  # nats by which validation must have risen before we call it overfitting
LEAST_FALL = 0.01  # nats that it must still fall in the last fifth to be worth more time
LEAST_GAP = 0.3  # nats from training to validation before we say that it learns by heart
MUCH = 0.1  # nats of a rise or a fall from which it is an illness and no hint
MUCH_GAP = 1.0  # nats of a gap from which it is one
STUCK = 0.1  # nats above the unigram baseline less this, and nothing was learned from order
HIGHER = 0.2  # nats above its beginning, and above guessing, and a loss has not just wavered
FEWEST = 3  # evaluations in the last half, below which nothing is said of a trend
PROPOSED = 10  # evaluations of a whole run that we propose instead
WARM = 2  # times its warm-up, below which a run has hardly begun
LONGER = 2  # times as long as it was, where a run was too short

LEVEL = "level"
WARMED_UP = ("cosine", "linear")


class Advice(NamedTuple):
    """What to tell. worthless: the run has diverged and left no model better than guessing."""

    text: str
    worthless: bool = False


class Said(NamedTuple):
    """What curves say: findings, the first one first, and where validation was going.

    trend: rising, falling, level or unknown; empty where a finding leaves nothing to say of it.
    """

    findings: list[Finding]
    trend: str = ""


def advice(
    curves: Curves,
    train: TrainConfig,
    V: int,
    unigram: float,
    reason: str = "finished",
    length: int | None = None,
) -> Advice:
    """Return what `curves` say in a few sentences; what is given, see `said_by`."""
    findings, trend = said_by(curves, train, V, unigram, reason, length)
    sentences = [found.sentence for found in findings]
    if trend == LEVEL:
        left = "" if findings else ": a larger model or more text is what is left to try"
        sentences.insert(0, f"The curves have levelled off{left}.")
    if trend and reason == "out of patience" and curves.best is not None:
        at, lowest = curves.best
        sentences.insert(
            0,
            f"It ended early (--patience {train.patience}): the best evaluation is that of "
            f"iteration {at:,}, {lowest:.3f}.",
        )
    return Advice(" ".join(sentences), any(found.severity == WORTHLESS for found in findings))


def said_by(
    curves: Curves,
    train: TrainConfig,
    V: int,
    unigram: float | None,
    reason: str = "finished",
    length: int | None = None,
) -> Said:
    """Return what `curves`, of a run with the settings `train`, say.

    V: distinct symbols of the text; a model that guesses has a loss of log V.
    unigram: loss of a model that knows nothing but how often each of them stands; None where the
        text is not there.
    reason: why the run ended, as the trainer's last event tells.
    length: characters that it trains on, where that is known.
    """
    uniform = math.log(V)
    if (exploded := _exploded(curves, train, uniform)) is not None:
        return Said([exploded])
    if uniform == 0:
        said = "The text holds one character and no other: there is nothing to learn."
        return Said([Finding(NOTHING, ILL, said)])
    best, ended = curves.best, _last(curves.loss)
    lowest = ended if best is None else best[1]
    known = uniform if unigram is None else unigram
    nothing = known - min(STUCK, known / 2)  # with no less than that, nothing is learned
    if lowest > nothing and reason != "interrupted":
        if lowest - ended >= LEAST_GAP and ended <= nothing:
            return Said([_foreign(ended, lowest, train)])
        return Said([_stuck(curves, train, lowest, known, unigram is None, length)])
    if best is None:
        said = "Without a validation part there is no telling whether it overfits."
        return Said([Finding("overfitting", UNSEEN, said)])
    return _trend(curves, best, train, reason)


def _exploded(curves: Curves, train: TrainConfig, uniform: float) -> Finding | None:
    """Return what to say of a run that has diverged, and None for any other."""
    training = curves.loss.y or [math.inf]
    began, ended = training[0], training[-1]
    risen = ended > max(uniform, began + HIGHER)
    never = curves.best is not None and curves.best[1] > uniform + HIGHER
    if not (risen or ((curves.unstable or never) and ended > uniform - STUCK)):
        return None
    if len(curves.val_loss) or curves.lost:
        ended = math.inf if curves.lost else curves.val_loss.y[-1]
        if ended <= uniform:
            return None
    what = f"the loss, {ended:.3f}," if math.isfinite(ended) else "the loss, no finite number,"
    what = f"{what} is above that of guessing ({uniform:.3f})"
    remedy, settings = _calmer(train)
    numbers = {"guessing": uniform} | ({"loss": ended} if math.isfinite(ended) else {})
    if curves.best is not None and curves.best[1] < uniform - STUCK:
        at, lowest = curves.best
        evidence = (
            f"It exploded after iteration {at:,}: {what}. The best model, {lowest:.3f}, is from "
            "before that and is kept."
        )
        numbers |= {"best": lowest, "iteration": at}
        return Finding(EXPLODING, ILL, evidence, remedy, numbers, settings)
    evidence = f"It diverged: {what}, and no model is worth keeping."
    return Finding(EXPLODING, WORTHLESS, evidence, remedy, numbers, settings)


def _calmer(train: TrainConfig) -> tuple[str, dict[str, Any]]:
    """Return a remedy of a training that is out of hand, and its settings."""
    rate, clip = rounded(train.learning_rate / 10), train.clip / 5 if train.clip else 1.0
    less = f"a lower --clip than {train.clip:g}" if train.clip else "clipped gradients"
    return (
        f"Try a lower --learning_rate than {train.learning_rate:g}, and {less}: "
        f"--learning_rate {rate:g} --clip {clip:g}.",
        {"learning_rate": rate, "clip": clip},
    )


def _foreign(ended: float, lowest: float, train: TrainConfig) -> Finding:
    remedy, settings = _dropout(train)
    return Finding(
        FOREIGN,
        ILL,
        f"The training part was learned ({ended:.3f}) and the validation part was not "
        f"({lowest:.3f}):",
        f"either it learned by heart, and {remedy} or more text would help, or the end of the "
        "text is of another kind than the rest.",
        {"training": ended, "validation": lowest},
        settings,
    )


def _stuck(
    curves: Curves,
    train: TrainConfig,
    lowest: float,
    known: float,
    guessed: bool,
    length: int | None,
) -> Finding:
    """Return what to say of a loss that is no better than `known`."""
    hardly = hardly_begun(curves, train, length)
    evidence = (
        f"The loss, {lowest:.3f}, has not left that of "
        f"{'guessing' if guessed else 'single characters'} ({known:.3f}): nothing was learned "
        f"about their order{hardly}."
    )
    numbers = {"loss": lowest, "guessing" if guessed else "unigram": known}
    longer, settings = much_longer(curves, train)
    remedy = f"Train longer ({longer}), or with another --learning_rate."
    name = TOO_SHORT if hardly else POOR
    return Finding(name, ILL, evidence, remedy, numbers, settings)


def hardly_begun(curves: Curves, train: TrainConfig, length: int | None) -> str:
    """Return why a run has hardly begun, as the end of a sentence; nothing if it has."""
    iterations, characters = _end_of(curves)
    if train.schedule in WARMED_UP and 0 < iterations <= WARM * train.warmup:
        return (
            f", after {iterations:,} iterations, of which {min(iterations, train.warmup):,} were "
            "the warm-up"
        )
    if length is not None and 0 < characters < length:
        return f", after {characters:,} characters of a text of {length:,}"
    return ""


def _trend(curves: Curves, best: tuple[int, float], train: TrainConfig, reason: str) -> Said:
    """Return where the validation loss was going, and how far it is from the training loss."""
    (at, lowest), losses = best, curves.val_loss
    pairs = list(zip(losses.iterations, losses.y, strict=True))
    last = max(losses.iterations[-1], curves.loss.iterations[-1] if len(curves.loss) else 0)
    late = sum(2 * x >= last for x, _ in pairs)
    gap, rise = _gap(curves, train), losses.y[-1] - lowest
    if late >= FEWEST and rise > LEAST_RISE:
        return Said([_risen(curves, train, at, lowest)], "rising")
    if reason == "interrupted":
        said = "It was stopped on its way: nothing can be said of where it was going."
        return Said([Finding("trend", UNSEEN, said), *gap], "unknown")
    if late < FEWEST:
        few = "one evaluation" if late == 1 else f"{late} evaluations"
        every = max(1, last // PROPOSED)
        evidence = f"With {few} in the last half of the run there is no telling where it was going:"
        remedy = f"--eval_every {every} would show it."
        unknown = Finding("trend", UNSEEN, evidence, remedy, settings={"eval_every": every})
        return Said([unknown, *gap], "unknown")
    earlier = [y for x, y in pairs if x <= 0.8 * losses.iterations[-1]]
    if earlier and min(earlier) - lowest > LEAST_FALL:
        return Said([_falling(curves, train, min(earlier), lowest), *gap], "falling")
    return Said(gap, LEVEL)


def _risen(curves: Curves, train: TrainConfig, at: int, lowest: float) -> Finding:
    """Return what to say of a validation loss that has risen from `lowest`, at iteration `at`."""
    now = curves.val_loss.y[-1]
    rose = f"the validation loss rose from {lowest:.3f} to {now:.3f}"
    severity = ILL if now - lowest > MUCH else HINT
    numbers = {"best": lowest, "validation": now, "iteration": at, "rise": now - lowest}
    if _lost(curves, train, lowest):
        numbers["training"] = curves.loss.y[-1]
        if train.scheduled_sampling:
            share = {"scheduled_sampling": rounded(train.scheduled_sampling / 2)}
            evidence = f"From iteration {at:,} on {rose}, as it read more of what it drew itself."
            remedy = f"Try a smaller share ({options(share)})."
            return Finding(POOR, HINT, evidence, remedy, numbers, share)
        evidence = (
            f"It lost from iteration {at:,} on what it had learned: {rose}, and the training loss "
            f"with it, to {curves.loss.y[-1]:.3f}. The best model is kept."
        )
        return Finding(EXPLODING, severity, evidence, _calmer(train)[0], numbers, _calmer(train)[1])
    remedy, settings = _dropout(train)
    evidence = f"It overfits from iteration {at:,}: {rose}."
    remedy = f"The best model is kept; {remedy} or more text would help, more time would not."
    return Finding(OVERFITTING, severity, evidence, remedy, numbers, settings)


def _lost(curves: Curves, train: TrainConfig, lowest: float) -> bool:
    """Tell whether a run whose validation loss rose learned nothing by heart, but lost it all.

    Its training loss rose too; or it is not as far below the validation loss as that has risen,
    which dropout alone would explain. (It is a mean of the last windows, and lags behind.)
    """
    if not len(curves.loss):
        return False
    training, validation = curves.loss.y[-1], curves.val_loss.y[-1]
    gap, rise = validation - training, validation - lowest
    risen = training > min(curves.loss.y) + HIGHER and gap < LEAST_GAP
    return risen or (rise > MUCH and gap < rise / 2 and not _had_dropout(train))


def _falling(curves: Curves, train: TrainConfig, earlier: float, lowest: float) -> Finding:
    longer, settings = much_longer(curves, train)
    return Finding(
        TOO_SHORT,
        ILL if earlier - lowest > MUCH else HINT,
        f"The validation loss was still falling ({earlier:.3f} to {lowest:.3f} in the last fifth):",
        f"train longer ({longer}).",
        {"earlier": earlier, "best": lowest, "fall": earlier - lowest},
        settings,
    )


def _gap(curves: Curves, train: TrainConfig) -> list[Finding]:
    """Return a finding on the gap between training and validation, or none."""
    if not len(curves.loss):
        return []
    training, validation = curves.loss.y[-1], curves.val_loss.y[-1]
    gap = validation - training
    if gap < LEAST_GAP:
        return []
    remedy, settings = _dropout(train)
    return [
        Finding(
            OVERFITTING,
            ILL if gap > MUCH_GAP else HINT,
            f"From training ({training:.3f}) to validation ({validation:.3f}) there is a gap:",
            f"it learns by heart, and {remedy} or more text would help.",
            {"training": training, "validation": validation, "gap": gap},
            settings,
        )
    ]


def _dropout(train: TrainConfig) -> tuple[str, dict[str, Any]]:
    """Return the name of the dropout to try, with a share: more than the run had."""
    had = _had_dropout(train)
    share = {"output_dropout": rounded(min(had + 0.2, 0.8)) if had else 0.3}
    than = f"more dropout than {had:g}" if had else "dropout"
    return f"{than} ({options(share)})", share


def _had_dropout(train: TrainConfig) -> float:
    """Return the largest share of any dropout."""
    kinds = (train.output_dropout, train.layer_dropout, train.input_dropout)
    return max(*kinds, train.recurrent_dropout)


def much_longer(curves: Curves, train: TrainConfig) -> tuple[str, dict[str, Any]]:
    """Return the option, and the setting, of a run twice as long as this one."""
    settings: dict[str, Any] = {}
    if train.epochs is not None:
        settings["epochs"] = rounded(LONGER * train.epochs)
    elif train.minutes is not None:
        settings["minutes"] = rounded(LONGER * train.minutes)
    else:
        settings["iterations"] = LONGER * (train.iterations or max(1, _end_of(curves)[0]))
    return options(settings), settings


def _last(curve: Curve) -> float:
    return curve.y[-1] if len(curve) else math.inf


def _end_of(curves: Curves) -> tuple[int, int]:
    """Return iterations and characters at the last point of any curve."""
    both = [curve for curve in (curves.loss, curves.val_loss) if len(curve)]
    ends = [(curve.iterations[-1], curve.characters[-1]) for curve in both]
    return max(ends, default=(0, 0))
