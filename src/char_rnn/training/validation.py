"""Validation: the loss on a part of the text that training does not see, and whether it falls."""

from typing import Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.corpus import Corpus
from char_rnn.model.network import Network
from char_rnn.scoring import TRAINING, mean_loss
from char_rnn.training.team import ALONE, Team

MOST_VALIDATION = 250_000
"""Characters."""


class Validation:
    """Measures the loss of `model` on ids of `corpus`, with a network of its own.

    patience: evaluations in a row that are no better before it is out of it; 0 for any number.
    team: who trains it; what its leader measures, counts for all.

    loss, best: the last and the lowest loss, nats a character; None before the first.
    """

    def __init__(self, model: CharRNN, corpus: Corpus, patience: int, team: Team = ALONE) -> None:
        self._model, self._corpus, self._patience, self._team = model, corpus, patience, team
        self._network: Network | None = None
        self.loss: float | None = None
        self.best: float | None = None
        self.not_better = 0

    def measure(self, start: int, stop: int) -> tuple[float, bool]:
        """Return the loss on ids[start:stop], and whether it is the best so far."""
        if self._network is None:
            self._network = Network(self._model.parameters)
        loss = self._team.told(mean_loss(self._network, self._corpus, start, stop, TRAINING))
        best = bool(np.isfinite(loss)) and (self.best is None or loss < self.best)
        if best:
            self.best = loss
        self.loss, self.not_better = loss, 0 if best else self.not_better + 1
        return loss, best

    @property
    def out_of_patience(self) -> bool:
        """Whether it has not got better for too long."""
        return 0 < self._patience <= self.not_better

    def facts(self) -> dict[str, Any]:
        """Return what it knows, for a checkpoint."""
        return {"val_loss": self.loss, "best_val_loss": self.best, "not_better": self.not_better}

    def restore(self, saved: dict[str, Any]) -> None:
        """Know what `facts` said."""
        self.loss, self.best = saved["val_loss"], saved["best_val_loss"]
        self.not_better = saved["not_better"]
