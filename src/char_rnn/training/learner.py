"""One step of learning, and all that it changes: weights, optimiser, averages, states."""

from collections import deque
from typing import Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import TrainConfig
from char_rnn.data.windows import Streams
from char_rnn.errors import NonFiniteGradient
from char_rnn.formats import check_finite, check_tensors
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.storage.reading import StrPath
from char_rnn.training.average import Average
from char_rnn.training.bptt import Backpropagation
from char_rnn.training.clipping import clip_by_norm, clip_by_value, gradient_norm
from char_rnn.training.optimisers import Optimizer
from char_rnn.training.parallel import Workers
from char_rnn.training.recovery import Recovery, all_finite

Array = np.ndarray

LOSS_WINDOWS = 100
GOOD_WEIGHTS = ("good/model/", "good/average")


class Learner:
    """Changes `model` by what it reads in `streams`.

    rng: draws all that is random in a step.

    averaged: the model of the averaged weights, or `model` itself where they are not averaged.
    losses: of the last windows, nats a character. learning_rate, grad_norm: of the last step.
    """

    def __init__(
        self,
        model: CharRNN,
        streams: Streams,
        config: TrainConfig,
        optimizer: Optimizer,
        rng: np.random.Generator,
    ) -> None:
        self.model, self._config, self.optimizer = model, config, optimizer
        optimizer.begin(model.parameters)
        self.averaged = model
        self._average: Average | None = None
        if config.average:
            self.averaged = model.copy()
            self._average = Average(self.averaged.parameters.trained, config.average)
        self.losses: deque[float] = deque(maxlen=LOSS_WINDOWS)
        self.learning_rate = 0.0
        self.grad_norm: float | None = None
        self.recovery = Recovery(self._arrays)
        hidden = Network(self.averaged.parameters).initial_state(streams.batch_size, rng)
        self.bptt = Backpropagation(model, streams, config, rng, hidden)

    @property
    def loss(self) -> float | None:
        """Mean loss of the last windows."""
        return float(np.mean(self.losses)) if self.losses else None

    def step(self, workers: Workers, progress: float, factor: float) -> bool:
        """Take one step, at `factor` times the config's learning rate; return if it was finite.

        If not, the weights are as they were, or, if only they are not finite, about to go back.
        """
        loss = self.bptt.step(workers, progress)
        gradients, w = workers.gradients, self.model.parameters.trained
        self.learning_rate = self._config.learning_rate * self.recovery.rate_scale * factor
        try:
            if not np.isfinite(loss):
                raise NonFiniteGradient(f"the loss is {loss}")
            self.grad_norm = self._clip(gradients)
        except NonFiniteGradient:
            self.recovery.bad_step()
            self.bptt.begin_again(workers)
            return False
        self.recovery.good_step()
        self.bptt.go_on()
        self.losses.append(loss)
        self.optimizer.step(self.model.parameters, gradients, self.learning_rate)
        if self._average is not None:
            self._average.update(w)  # lies between weights, and is finite where they are
        if not all_finite(w):  # a finite step may be too large all the same
            self.recovery.bad_step(weights=True)
            self.bptt.begin_again(workers)
            return False
        return True

    def _clip(self, gradients: Parameters) -> float:
        """Clip as the config says; return the norm before."""
        if not self._config.clip:
            return gradient_norm(gradients)
        clip = clip_by_norm if self._config.clip_by == "norm" else clip_by_value
        return clip(gradients, self._config.clip)

    def go_back(self) -> None:
        """Go back to the last good weights, at half the learning rate."""
        self.recovery.go_back()
        self.losses.clear()

    def _arrays(self) -> dict[str, Array]:
        models = {f"model/{name}": array for name, array in self.model.parameters.items()}
        slots = {f"optimizer/{name}": slot for name, slot in self.optimizer.slots.items()}
        averages = {} if self._average is None else {"average": self._average.mean}
        return models | slots | averages

    def tensors(self) -> dict[str, Array]:
        """Return copies of all arrays, for a checkpoint."""
        good = {f"good/{name}": array for name, array in self.recovery.good.items()}
        return self.recovery.copies() | {"hidden": self.bptt.hidden.copy()} | good

    def facts(self) -> dict[str, Any]:
        """Return what else decides its next step, for a checkpoint."""
        return {
            **self.bptt.facts(),
            **self.recovery.facts(),
            "losses": list(self.losses),
            "optimizer_steps": self.optimizer.steps,
            "average_steps": 0 if self._average is None else self._average.steps,
        }

    def restore(self, tensors: dict[str, Array], saved: dict[str, Any], where: StrPath) -> None:
        """Go to where `tensors` and `facts` said; raises CorruptFile if the tensors do not fit."""
        good = {name: f"good/{name}" for name in self.recovery.good}
        shapes = {name: array.shape for name, array in self.recovery.good.items()}
        shapes |= {good[name]: shape for name, shape in shapes.items()}
        shapes["hidden"] = self.bptt.hidden.shape
        check_tensors(tensors, shapes, (self.model.config.dtype,), where)
        check_finite({n: t for n, t in tensors.items() if n.startswith(GOOD_WEIGHTS)}, where)
        self.recovery.put(tensors)
        self.recovery.restore({name: tensors[there] for name, there in good.items()}, saved)
        self.bptt.restore(tensors["hidden"], saved)
        self.losses.extend(saved["losses"])
        self.learning_rate, self.grad_norm = saved["learning_rate"], saved["grad_norm"]
        self.optimizer.steps = saved["optimizer_steps"]
        if self._average is not None:
            self._average.steps = saved["average_steps"]
        if not all_finite(self.model.parameters.trained):  # as a run that diverged could leave them
            self.go_back()
