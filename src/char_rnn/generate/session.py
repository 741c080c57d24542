"""A conversation with a model: it reads what is written, goes on, and can take turns back."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from char_rnn.config import SampleConfig
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.generate.sampler import sample
from char_rnn.generate.stop import Stop, most_characters, spell
from char_rnn.model.blas import blas_threads
from char_rnn.model.parameters import Parameters
from char_rnn.model.stepper import Stepper

Array = np.ndarray


@dataclass(frozen=True)
class _Moment:
    """Where a conversation was: the state (S, L, 1, H), and how much text there was."""

    state: Array
    length: int


class Session:
    """Keeps the state between what is read and what is written.

    config: may be replaced between two turns (`session.config = …`).
    text: all that was read and written.
    """

    def __init__(
        self,
        parameters: Parameters,
        vocabulary: AnyVocabulary,
        config: SampleConfig,
        rng: np.random.Generator,
    ) -> None:
        self.config = config
        self.text = ""
        self._vocabulary, self._rng = vocabulary, rng
        self._stepper = Stepper(parameters)
        self._stepper.begin(self._stepper.initial_state())
        self._turns: list[_Moment] = []
        if "\n" in vocabulary:  # as every text begins
            self._read("\n")

    def turn(self, said: str) -> Generator[str, None, None]:
        """Read `said`, then yield what the model goes on with, piece by piece.

        What was yielded is what the model remembers, also if the iterator is closed early.
        Raises UnknownCharacters, and reads nothing, if the vocabulary lacks some of it.
        """
        self._vocabulary.encode(said)
        moment = _Moment(self._stepper.state(), len(self.text))
        self._turns.append(moment)
        self._read(said)
        self.text += said
        return self._write()

    def undo(self) -> bool:
        """Take back the last turn, what was said and what was answered; False if there is none."""
        if not self._turns:
            return False
        moment = self._turns.pop()
        self._stepper.begin(moment.state)
        self.text = self.text[: moment.length]
        return True

    @blas_threads(1)
    def _read(self, text: str) -> None:
        for idx in self._vocabulary.encode(text).astype(np.intp)[:, None]:
            self._stepper.step(idx)

    def _write(self) -> Generator[str, None, None]:
        config, V = self.config, self._vocabulary.size
        before, begun = self._stepper.state(), len(self.text)
        chooser = Chooser(config, V, 1, self._rng, bias_amounts(config, self._vocabulary))
        ids = (drawn.item(0) for drawn in sample(self._stepper, most_characters(config), chooser))
        try:
            with blas_threads(1):
                for piece in spell(ids, self._vocabulary, Stop(config)):
                    self.text += piece
                    yield piece
        finally:
            # The state must be that of the text, without what a stop text held back.
            self._stepper.begin(before)
            self._read(self.text[begun:])
