"""What a run says at its end: which illness its curves show, if any, and what to change.

They are looked for in this order, and the first that is found is said:

diverged      training ended above where it began and above guessing, or could not go on
foreign       the validation part is no better than guessed, though the training part is learned
stuck         the loss has not left that of single characters
no part       there is nothing to validate on
too few       fewer than three evaluations in the last half: no trend is claimed
overfits      the validation loss has risen from its best
falling       it was still falling in the last fifth
levelled off  none of these

A gap between training and validation is no trend, and is said beside the last four.
"""

import math
from typing import NamedTuple

from char_rnn.config import TrainConfig
from char_rnn.runs.curves import Curves

LEAST_RISE = 0.01  # nats by which validation must have risen before we call it overfitting
LEAST_FALL = 0.01  # nats that it must still fall in the last fifth to be worth more time
LEAST_GAP = 0.3  # nats from training to validation before we say that it learns by heart
STUCK = 0.1  # nats above the unigram baseline less this, and nothing was learned from order
HIGHER = 0.2  # nats above its beginning, and above guessing, and a loss has not just wavered
FEWEST = 3  # evaluations in the last half, below which nothing is said of a trend
PROPOSED = 10  # evaluations of a whole run that we propose instead


class Advice(NamedTuple):
    """What to tell. worthless: the run has diverged and left no model better than guessing."""

    text: str
    worthless: bool = False


def advice(
    curves: Curves, train: TrainConfig, V: int, unigram: float, reason: str = "finished"
) -> Advice:
    """Return what `curves`, of a run with the settings `train`, say in a few sentences.

    V: distinct symbols of the text; a model that guesses has a loss of log V.
    unigram: loss of a model that knows nothing but how often each of them stands.
    reason: why the run ended, as the trainer's last event tells.
    """
    uniform = math.log(V)
    diverged = _diverged(curves, train, uniform)
    return diverged or Advice(_learned(curves, train, uniform, unigram, reason))


def _learned(
    curves: Curves, train: TrainConfig, uniform: float, unigram: float, reason: str
) -> str:
    """Return what to say of a run that has not diverged."""
    if reason == "interrupted":
        return "It was stopped on its way: nothing can be said of where it was going."
    if uniform == 0:
        return "The text holds one character and no other: there is nothing to learn."
    best = curves.best
    ended = curves.loss.y[-1] if len(curves.loss) else math.inf
    lowest = ended if best is None else best[1]
    if lowest > unigram - min(STUCK, unigram / 2):
        if lowest - ended >= LEAST_GAP:
            return _foreign(ended, lowest, train)
        return (
            f"The loss, {lowest:.3f}, has not left that of single characters ({unigram:.3f}): "
            "nothing was learned about their order. Train longer, or with another --learning_rate."
        )
    if best is None:
        return "Without a validation part there is no telling whether it overfits."
    return _out_of_patience(best, train, reason) + _trend(curves, best, train)


def _diverged(curves: Curves, train: TrainConfig, uniform: float) -> Advice | None:
    """Return what to say of a run that has diverged, and None for any other."""
    training = curves.loss.y or [math.inf]
    began, ended = training[0], training[-1]
    risen = ended > max(uniform, began + HIGHER)
    if not (risen or (curves.unstable and ended > uniform - STUCK)):
        return None
    if len(curves.val_loss) or curves.lost:
        ended = math.inf if curves.lost else curves.val_loss.y[-1]
        if ended <= uniform:
            return None
    what = f"the loss, {ended:.3f}," if math.isfinite(ended) else "the loss, no finite number,"
    less = f"a lower --clip than {train.clip:g}" if train.clip else "clipped gradients (--clip 1)"
    remedy = f"Try a lower --learning_rate than {train.learning_rate:g}, and {less}."
    what = f"{what} is above that of guessing ({uniform:.3f})"
    if curves.best is not None and curves.best[1] < uniform - STUCK:
        at, lowest = curves.best
        return Advice(
            f"It exploded after iteration {at:,}: {what}. The best model, {lowest:.3f}, is from "
            f"before that and is kept. {remedy}"
        )
    return Advice(f"It diverged: {what}, and no model is worth keeping. {remedy}", worthless=True)


def _foreign(ended: float, lowest: float, train: TrainConfig) -> str:
    return (
        f"The training part was learned ({ended:.3f}) and the validation part was not "
        f"({lowest:.3f}): either it learned by heart, and {_dropout(train)} or more text would "
        "help, or the end of the text is of another kind than the rest."
    )


def _out_of_patience(best: tuple[int, float], train: TrainConfig, reason: str) -> str:
    at, lowest = best
    if reason != "out of patience":
        return ""
    return (
        f"It ended early (--patience {train.patience}): the best evaluation is that of iteration "
        f"{at:,}, {lowest:.3f}. "
    )


def _trend(curves: Curves, best: tuple[int, float], train: TrainConfig) -> str:
    """Return where the validation loss was going, and how far it is from the training loss."""
    (at, lowest), losses = best, curves.val_loss
    pairs = list(zip(losses.iterations, losses.y, strict=True))
    last = max(losses.iterations[-1], curves.loss.iterations[-1] if len(curves.loss) else 0)
    late = sum(2 * x >= last for x, _ in pairs)
    gap = _gap(curves, train)
    if late < FEWEST:
        few = "one evaluation" if late == 1 else f"{late} evaluations"
        return (
            f"With {few} in the last half of the run there is no telling where it was going: "
            f"--eval_every {max(1, last // PROPOSED)} would show it.{gap}"
        )
    if losses.y[-1] > lowest + LEAST_RISE:
        return (
            f"It overfits from iteration {at:,}: the validation loss rose from {lowest:.3f} to "
            f"{losses.y[-1]:.3f}. The best model is kept; {_dropout(train)} or more text would "
            "help, more time would not."
        )
    earlier = [y for x, y in pairs if x <= 0.8 * losses.iterations[-1]]
    if earlier and min(earlier) - lowest > LEAST_FALL:
        return (
            f"The validation loss was still falling ({min(earlier):.3f} to {lowest:.3f} in the "
            f"last fifth): train longer.{gap}"
        )
    left = "" if gap else ": a larger model or more text is what is left to try"
    return f"The curves have levelled off{left}.{gap}"


def _gap(curves: Curves, train: TrainConfig) -> str:
    """Return a sentence on the gap between training and validation, or nothing."""
    if not len(curves.loss):
        return ""
    training, validation = curves.loss.y[-1], curves.val_loss.y[-1]
    if validation - training < LEAST_GAP:
        return ""
    return (
        f" From training ({training:.3f}) to validation ({validation:.3f}) there is a gap: it "
        f"learns by heart, and {_dropout(train)} or more text would help."
    )


def _dropout(train: TrainConfig) -> str:
    """Return the name of the dropout to try, with a share: more than the run had."""
    had = max(train.output_dropout, train.layer_dropout, train.input_dropout)
    had = max(had, train.recurrent_dropout)
    if not had:
        return "dropout (--output_dropout 0.3)"
    return f"more dropout than {had:g} (--output_dropout {min(had + 0.2, 0.8):.2g})"
