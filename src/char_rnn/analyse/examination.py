"""What only the model and the text of a run tell, measured in a few seconds.

Its loss beside n-grams of the training part; the gradient's reach and the units that are saturated,
on passages of the validation part; what the model writes beside as much of the real text. It is
judged elsewhere (causes.py, collapse.py).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from char_rnn.analyse.baselines import FEWEST_FOR_GRAMS, MOST_GRAMS
from char_rnn.analyse.collapse import FREE, Writing, real_text, written_by
from char_rnn.analyse.gradient_reach import Reach, fresh, gradient_reach, saturated
from char_rnn.analyse.ngrams import ngram_nats
from char_rnn.charrnn import CharRNN
from char_rnn.config import TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.model.network import Network
from char_rnn.scoring import TRAINING, mean_loss

Array = np.ndarray

STREAMS, BEFORE, FARTHEST = 16, 50, 100  # passages, characters before their windows, and of these
KNOWN = 0.1  # nats that two characters tell at least, where it is looked at how much was learned
SCORED, LEARNED = 20_000, 500_000  # characters that baselines score, and learn from


@dataclass
class Examination:
    """What was measured; None, or empty, where there was nothing to measure it on.

    held_out: whether it was on text that the run did not train on.
    length: characters that it trained on. parameters: of the model.
    loss: of the model on `scored` characters. grams: of n-grams, from single characters on, on the
        same ones. kinds: distinct passages of three characters in the text before.
    window: characters of the run's window that were looked at; reach, fresh: of the model's
        gradient in it and of an untrained one's. saturation: share of units.
    own, free: what it writes at the temperature of the run's samples, and at 1. real: the text.
    """

    held_out: bool = True
    length: int = 0
    parameters: int = 0
    loss: float | None = None
    scored: int = 0
    grams: list[float] = field(default_factory=list)
    kinds: int = 0
    window: int = 0
    reach: Reach | None = None
    fresh: Reach | None = None
    saturation: float | None = None
    own: Writing | None = None
    free: Writing | None = None
    real: Writing | None = None

    @property
    def learned(self) -> float | None:
        """How much the model learned of what two characters tell of the next, as a share.

        Above 1 it knows more than a table of three characters does. None where such a table knows
        next to nothing.
        """
        if self.loss is None or len(self.grams) < 3 or self.grams[0] - self.grams[2] < KNOWN:
            return None
        return (self.grams[0] - self.loss) / (self.grams[0] - self.grams[2])

    def numbers(self) -> dict[str, Any]:
        """Return all of it as JSON has it, by name."""
        found: dict[str, Any] = {
            "held_out": self.held_out,
            "length": self.length,
            "parameters": self.parameters,
            "loss": self.loss,
            "ngrams": self.grams,
            "kinds": self.kinds,
            "learned": self.learned,
            "window": self.window,
            "saturation": self.saturation,
        }
        for name, writing in (("own", self.own), ("free", self.free), ("real", self.real)):
            found[f"{name}_writing"] = None if writing is None else writing._asdict()
        for name, reach in (("gradient", self.reach), ("untrained_gradient", self.fresh)):
            if reach is not None:
                found[name] = {"back": list(reach.steps), "norm": list(reach.norms)}
                found[f"{name}_reach"] = reach.characters
        return found


def examine(model: CharRNN, train: TrainConfig, corpus: Corpus | None) -> Examination:
    """Measure `model`, of a run with the settings `train`, on its text `corpus`, None for none."""
    found = Examination(parameters=model.num_parameters)
    with np.errstate(all="ignore"):  # of a model that exploded
        if corpus is not None:
            _on_the_text(found, model, train, corpus)
        if model.vocabulary is not None:
            found.own = found.free = written_by(model, train.temperature)
            if train.temperature != FREE:
                found.free = written_by(model, FREE)
            if corpus is not None:
                start, stop, _, _ = held_out(corpus, train)
                found.real = real_text(model, corpus, start, stop)
    return found


def _on_the_text(found: Examination, model: CharRNN, train: TrainConfig, corpus: Corpus) -> None:
    start, stop, found.held_out, found.length = held_out(corpus, train)
    found.scored = min(stop - start, SCORED) - 1
    if found.scored < 1:
        return
    network = Network(model.parameters)
    found.loss = mean_loss(network, corpus, start, start + found.scored + 1, TRAINING)
    if min(start + 1, found.scored) >= FEWEST_FOR_GRAMS:
        before = corpus.read(max(0, start + 1 - LEARNED), start + 1)
        scored = corpus.read(start + 1, start + found.scored + 1)
        pairs = ngram_nats(before, scored, corpus.vocabulary.size, MOST_GRAMS)
        found.grams = [float(nats.mean()) for _, nats in pairs]
        V, wide = corpus.vocabulary.size, before.astype(np.int64)
        found.kinds = len(np.unique((wide[:-2] * V + wide[1:-1]) * V + wide[2:]))
    found.window = min(train.seq_length, FARTHEST, stop - start - 2)
    if found.window < 1:
        return
    ids = _passages(corpus, start, stop, found.window + BEFORE)
    found.reach = gradient_reach(model, ids, found.window)
    found.fresh = gradient_reach(fresh(model), ids, found.window)
    found.saturation = saturated(model, ids)


def held_out(corpus: Corpus, train: TrainConfig) -> tuple[int, int, bool, int]:
    """Return where what is looked at begins and ends, whether that was held out, and the rest.

    The validation part; without one the last tenth of what trained. The last figure is how many
    characters did.
    """
    parts = corpus.parts(train.val_fraction, train.calibration)
    if parts.val_stop - parts.val_start >= 2:
        return parts.val_start, parts.val_stop, True, parts.train_stop
    return parts.train_stop - parts.train_stop // 10, parts.train_stop, False, parts.train_stop


def _passages(corpus: Corpus, start: int, stop: int, length: int) -> Array:
    """Return passages of at most `length` + 1 characters, spread over ids[start:stop], (T, B)."""
    length = min(length + 1, stop - start)
    count = min(STREAMS, stop - start - length + 1)
    starts = np.linspace(start, stop - length, count).astype(np.int64)
    return np.ascontiguousarray(corpus.read_rows(starts, length).T.astype(np.intp))
