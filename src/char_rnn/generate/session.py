"""A conversation with a model: it reads what is written, goes on, and can take turns back."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.generate.choose import Chooser, bias_amounts
from char_rnn.generate.door import door
from char_rnn.generate.sampler import sample
from char_rnn.generate.stop import Stop, most_characters, spell
from char_rnn.model.blas import blas_threads
from char_rnn.model.parameters import Parameters
from char_rnn.model.stepper import Stepper
from char_rnn.sample_config import SampleConfig

Array = np.ndarray


@dataclass(frozen=True)
class _Moment:
    """Where a conversation was: the state (S, L, 1, H), and how much text there was."""

    state: Array
    length: int


class Session:
    """Keeps the state between what is read and what is written.

    config: may be replaced between two turns (`session.config = …`).
    """

    def __init__(
        self,
        parameters: Parameters,
        vocabulary: AnyVocabulary,
        config: SampleConfig,
        rng: np.random.Generator,
    ) -> None:
        self.config = config
        self._text = ""
        self._vocabulary, self._rng = vocabulary, rng
        self._stepper = Stepper(parameters)
        self._stepper.begin(self._stepper.initial_state())
        self._turns: list[_Moment] = []
        self._read(vocabulary.beginning())  # as every text begins

    @property
    def text(self) -> str:
        """All that was read and written."""
        shown: str = door(self._vocabulary, "").leave(self._text)
        return shown

    @overload
    def turn(self, said: str) -> Generator[str, None, None]: ...

    @overload
    def turn(self, said: bytes) -> Generator[bytes, None, None]: ...

    def turn(self, said: str | bytes) -> Generator[Any, None, None]:
        """Read `said`, then yield what the model goes on with, piece by piece: bytes for bytes.

        What was yielded is what the model remembers, also if the iterator is closed early.
        Raises UnknownCharacters, and reads nothing, if the vocabulary lacks some of it.
        """
        enter, leave = door(self._vocabulary, said)
        text = enter(said)
        ids = self._vocabulary.encode(text)
        self._turns.append(_Moment(self._stepper.state(), len(self._text)))
        self._read(ids)
        self._text += text
        return self._write(leave)

    def undo(self) -> bool:
        """Take back the last turn, what was said and what was answered; False if there is none."""
        if not self._turns:
            return False
        moment = self._turns.pop()
        self._stepper.begin(moment.state)
        self._text = self._text[: moment.length]
        return True

    @blas_threads(1)
    def _read(self, ids: Array) -> None:
        for idx in ids.astype(np.intp)[:, None]:
            self._stepper.step(idx)

    def _write(self, leave: Callable[[str], Any]) -> Generator[Any, None, None]:
        config, V = self.config, self._vocabulary.size
        before, begun = self._stepper.state(), len(self._text)
        chooser = Chooser(config, V, 1, self._rng, bias_amounts(config, self._vocabulary))
        ids = (drawn.item(0) for drawn in sample(self._stepper, most_characters(config), chooser))
        try:
            with blas_threads(1):
                for piece in spell(ids, self._vocabulary, Stop(config)):
                    self._text += piece
                    yield leave(piece)
        finally:
            # The state must be that of the text, without what a stop text held back.
            self._stepper.begin(before)
            self._read(self._vocabulary.encode(self._text[begun:]))
