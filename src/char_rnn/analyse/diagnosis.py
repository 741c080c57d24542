"""What is wrong with a run? In the exercise's own terms, each with its evidence and a remedy.

exploding    the loss is above guessing, or training lost again what it had learned
vanishing    it learned little, and the gradient reaches a small part of its window
collapse     what it writes repeats itself, and the real text does not
slow         wider windows would read several times as fast
poor         it learned less than a table of three characters knows, and none of the others is why
overfitting  the validation loss has risen, or is far above the training loss
too short    it was still falling, or had hardly begun
too small    it learned little, with far fewer parameters than characters
foreign      the end of the text, which validates, is of another kind

The curves alone tell some of it (advice.py, which `train` says at its end); for the others the
model and the text are measured (examination.py). A cause is named instead of its symptom: a run
that is poor because its gradient vanishes has one finding, vanishing, whose evidence holds both.
"""

import math
from collections.abc import Callable

from char_rnn.analyse.advice import said_by
from char_rnn.analyse.baselines import uniform, unigram_entropy
from char_rnn.analyse.causes import Case, with_causes
from char_rnn.analyse.collapse import collapse
from char_rnn.analyse.examination import Examination, examine
from char_rnn.analyse.findings import EXPLODING, NOTHING, SEVERITIES, UNSEEN, Diagnosis, Finding
from char_rnn.analyse.slow import Pace, slow, speeds
from char_rnn.config import TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.sources import STDIN
from char_rnn.errors import CharRNNError, RunError
from char_rnn.model.blas import blas_threads
from char_rnn.runs.curves import Curves
from char_rnn.runs.plan import measure
from char_rnn.runs.run import Run

Tell = Callable[[float], object]
"""Is told which share is done."""


@blas_threads(1)
def diagnose(run: Run, pace: Pace = measure, tell: Tell = lambda _: None) -> Diagnosis:
    """Return what is wrong with `run`: its curves, its model and its text are looked at.

    It takes some seconds, trains nothing and writes nothing. Where the text or the model is not
    there, it says what it could not look at.
    pace: measures characters a second; all else is the same for the same run. tell: is told which
    share is done.
    Raises RunError for a run that has trained nothing yet, and a FileError for a damaged one.
    """
    curves, train, config = run.curves, run.train_config, run.model_config
    if not (len(curves.loss) or len(curves.val_loss) or curves.unstable):
        raise RunError(f"{curves.name} has no loss in its log yet; train it first")
    unseen: list[Finding] = []
    corpus = _text_of(run, unseen)
    unigram = length = None
    if corpus is not None:
        parts = corpus.parts(train.val_fraction, train.calibration)
        unigram, length = unigram_entropy(corpus, parts.val_start), parts.train_stop
    reason = curves.reason or _reason(curves, train)
    tell(0.2)
    found, trend = said_by(curves, train, config.vocab_size, unigram, reason, length)
    case = Case(curves, train, config, trend, reason, Examination())
    if not any(finding.name in (EXPLODING, NOTHING) for finding in found):
        seen = _examined(run, corpus, unseen)
        case = case._replace(seen=seen)
        found = with_causes(case, found)
        if seen.own is not None and seen.free is not None:
            found += collapse(train.temperature, seen.own, seen.free, seen.real)
    tell(0.8)
    speed = speeds(curves, config, train, length or run.text.length, pace)
    found += [] if speed is None else slow(train, speed)
    unseen += [finding for finding in found if finding.severity == UNSEEN]
    found = [finding for finding in found if finding.severity != UNSEEN]
    return Diagnosis(
        curves.name,
        tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))),
        tuple(unseen),
        _healthy(case),
        {
            "reason": reason,
            "trend": trend,
            "guessing": uniform(config.vocab_size),
            "unigram": unigram,
            **case.seen.numbers(),
        },
        {} if speed is None else speed._asdict(),
    )


def _reason(curves: Curves, train: TrainConfig) -> str:
    """Return why a run ended whose log does not say it: it was killed, or is going on."""
    done = max((*curves.loss.iterations, *curves.val_loss.iterations), default=0)
    return "finished" if done >= (train.iterations or math.inf) else "interrupted"


def _text_of(run: Run, unseen: list[Finding]) -> Corpus | None:
    """Return the run's text; None, and why, where it is not there any more."""
    try:
        if STDIN in ((run.text.where,) if isinstance(run.text.where, str) else run.text.where):
            raise RunError("it was read from standard input")
        corpus = run.corpus()
        if corpus.sha256 != run.text.sha256:
            raise RunError(f"{run.text.name} has changed since the run began")
    except CharRNNError as error:
        what = "How well the model knows its text and how far its gradient reaches: no text to read"
        unseen.append(Finding("text", UNSEEN, f"{what} ({error})."))
        return None
    return corpus


def _examined(run: Run, corpus: Corpus | None, unseen: list[Finding]) -> Examination:
    """Return what was measured on the run's model; nothing, and why, where there is none."""
    try:
        model = run.model
        if corpus is not None and corpus.vocabulary != model.vocabulary:
            raise RunError("it does not have the characters of the run's text")
    except CharRNNError as error:
        unseen.append(Finding("model", UNSEEN, f"What the model writes and knows ({error})."))
        return Examination()
    return examine(model, run.train_config, corpus)


def _healthy(case: Case) -> str:
    """Return in one line what is in order: numbers beside those that would be healthy."""
    seen, parts = case.seen, []
    if seen.loss is not None:
        known = [f"{seen.grams[0]:.3f} is that of single characters"] if seen.grams else []
        known += [f"{seen.grams[2]:.3f} of three"] if len(seen.grams) > 2 else []
        part = "the validation part" if seen.held_out else "what it trained on"
        said = f"its loss on {seen.scored:,} characters of {part} is {seen.loss:.3f}"
        parts.append(said + f" ({', '.join(known)})" * bool(known))
    if seen.reach is not None and seen.fresh is not None:
        parts.append(
            f"its gradient reaches {seen.reach.characters:.0f} of {case.train.seq_length} "
            f"characters back, an untrained one's {seen.fresh.characters:.0f}"
        )
    if seen.own is not None:
        parts.append(
            f"{seen.own.looped:.0%} of what it writes at temperature {case.train.temperature} "
            "stands in loops"
        )
    return "; ".join(parts)
