"""Truncated backpropagation through time: window after window, with the state handed on between.

Gradients flow within a window only; the hidden state flows on into the next one.
"""

from typing import Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import TrainConfig
from char_rnn.data.windows import Streams
from char_rnn.errors import WorkerDied
from char_rnn.training.dropout import Dropout
from char_rnn.training.parallel import Workers
from char_rnn.training.scheduled_sampling import ScheduledSampling

Array = np.ndarray


class Backpropagation:
    """Reads `streams` window by window and leaves each one's gradients with the workers.

    hidden: (S, L, B, H), the state with which the next window begins.
    began: (B,), True for the streams that begin anew with it.
    rng: draws all that is random in a step: initial states, resets, drawn inputs, dropout.
    """

    def __init__(
        self,
        model: CharRNN,
        streams: Streams,
        config: TrainConfig,
        rng: np.random.Generator,
        hidden: Array,
    ) -> None:
        B = streams.batch_size
        self.streams, self.rng, self.hidden = streams, rng, hidden
        self.began = np.ones(B, bool)
        self._after = hidden
        self._reset = config.reset
        self._sampling = ScheduledSampling(config, model.parameters, B)
        self._dropout = Dropout(config, model.config, B)

    def step(self, workers: Workers, progress: float) -> float:
        """Return the mean loss of the next window, whose gradients `workers` then has.

        Raises WorkerDied; the window is then still the next one.
        """
        undo = self.streams.state(), self.rng.bit_generator.state, self.hidden, self.began
        window = self.streams.next(workers.columns)
        if window.first:
            self.begin_again(workers)
        elif self._reset:
            self.begin_again(workers, self._reset)
        try:
            inputs = self._sampling.mix(window.inputs, self.hidden, progress, self.rng)
            noise = self._dropout.draw(self.rng)
            loss, self._after = workers.step(inputs, window.targets, self.hidden, self.began, noise)
        except WorkerDied:
            streams, self.rng.bit_generator.state, self.hidden, self.began = undo
            self.streams.restore(streams)
            raise
        self.began = np.zeros_like(self.began)
        return loss

    def go_on(self) -> None:
        """Let the next window begin with the state after the last one."""
        self.hidden = self._after

    def begin_again(self, workers: Workers, share: float = 1.0) -> None:
        """Put a `share` of the streams, drawn anew each time, back to the initial state."""
        B = self.streams.batch_size
        # All of them without a draw: random numbers are spent only where something is random.
        chosen = np.ones(B, bool) if share == 1 else self.rng.random(B) < share
        initial = workers.initial_state(B, self.rng)
        self.hidden = np.where(chosen[:, None], initial, self.hidden)
        self.began = self.began | chosen

    def facts(self) -> dict[str, Any]:
        """Return where it is, beside `hidden`, for a checkpoint."""
        return {
            "streams": self.streams.state(),
            "rng": self.rng.bit_generator.state,
            "began": self.began.tolist(),
        }

    def restore(self, hidden: Array, saved: dict[str, Any]) -> None:
        """Go to where `facts` said, with the state `hidden`."""
        self.streams.restore(saved["streams"])
        self.rng.bit_generator.state = saved["rng"]
        self.hidden, self.began = hidden, np.array(saved["began"])
