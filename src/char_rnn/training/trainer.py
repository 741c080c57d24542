"""The trainer: truncated backpropagation through time, as an iterator of events. It never prints.

Everything that decides the next step is in `state()`: a trainer restored from it goes on to the
same bits. Evaluation and samples use networks and random numbers of their own.
"""

import time
from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import SampleConfig, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.windows import Streams, calibration_start, fit, split
from char_rnn.errors import NonFiniteGradient, WorkerDied
from char_rnn.formats import check_finite, check_tensors, training_state
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.schedules import falling, parse_temperature
from char_rnn.scoring import TRAINING, mean_loss
from char_rnn.storage.fields import read, record
from char_rnn.training.average import Average
from char_rnn.training.clipping import clip_by_norm, clip_by_value, gradient_norm
from char_rnn.training.dropout import Dropout
from char_rnn.training.events import (
    Checkpoint,
    Divergence,
    End,
    Evaluation,
    Event,
    Sample,
    Step,
)
from char_rnn.training.optimisers import make_optimizer
from char_rnn.training.parallel import Workers, available_threads, worker_count
from char_rnn.training.scheduled_sampling import ScheduledSampling

Array = np.ndarray

LOSS_WINDOWS = 100
BAD_STEPS = 5
GOOD_EVERY = 500
CHECKPOINT_SECONDS = 30.0
DEFAULT_EPOCHS = 10.0
MOST_VALIDATION = 250_000
GOOD_WEIGHTS = ("good/model/", "good/average")


class Trainer:
    """Trains `model` on `corpus`; iterate over it to make it work.

    model: a CharRNN of the corpus's vocabulary, changed in place.
    config: how; its batch and window shrink where the text is short, which `notes` tells.
    rng: draws random initial states; None takes one from `config.rng_seed`.

    Set `stop` to end after the step in hand. `averaged` is the model that is evaluated and worth
    keeping: that of the averaged weights, or `model` itself where they are not averaged.

    ids[0 : train_stop] train, ids[val_start : val_stop] validate, and what stands between them is
    left to calibrate on (calibration.py); none where `train_stop` is `val_start`.
    """

    def __init__(
        self, model: CharRNN, corpus: Corpus, config: TrainConfig,
        rng: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        self.model, self.corpus, self.config = model, corpus, config
        self.rng = np.random.default_rng(config.rng_seed) if rng is None else rng
        self.notes: list[str] = []
        self.val_start, self.val_stop = split(corpus.length, config.val_fraction)
        self.train_stop = calibration_start(self.val_start, config.calibration)
        B, T, note = fit(self.train_stop, config.batch_size, config.seq_length)
        if note:
            self.notes.append(note)
        if self.val_start == self.val_stop and config.val_fraction > 0:
            self.notes.append("the text is too short to set a part aside: no validation loss")
        self.val_stop = min(self.val_stop, self.val_start + MOST_VALIDATION)
        offsets = self.rng if config.random_offset else None
        self.streams = Streams(corpus, 0, self.train_stop, B, T, offsets)
        self.threads = worker_count(
            config.threads or available_threads(), T, B, model.num_parameters, model.config.cell
        )
        self.optimizer = make_optimizer(config)
        self.optimizer.begin(model.parameters)
        self.schedule = falling(config.schedule, config.final_rate, config.warmup)
        self._sampling = ScheduledSampling(config, model.parameters, B)
        self._dropout = Dropout(config, model.config, B)
        self.averaged = model
        self._average: Average | None = None
        if config.average:
            self.averaged = model.copy()
            self._average = Average(self.averaged.parameters.trained, config.average)
        self.stop = False

        self.iteration = 0
        self.characters = 0
        self.seconds = self.elapsed = 0.0
        self.best_val_loss: float | None = None
        self.val_loss: float | None = None
        self.rate_scale = 1.0
        self.skipped = self._bad_in_a_row = 0
        self._not_better = 0
        self._losses: deque[float] = deque(maxlen=LOSS_WINDOWS)
        self._grad_norm: float | None = None
        self._rate = 0.0
        self._reserve = 0.0
        self._hidden = self._network().initial_state(B, self.rng)
        self._began = np.ones(B, bool)
        self._good = self._weights()
        self._evaluator: Network | None = None

    def _network(self) -> Network:
        return Network(self.averaged.parameters)

    # How far it is.

    @property
    def total_iterations(self) -> int | None:
        """Steps of the whole run, or None if time decides."""
        config = self.config
        if config.minutes is not None:
            return None
        if config.iterations is not None:
            return config.iterations
        epochs = DEFAULT_EPOCHS if config.epochs is None else config.epochs
        return max(1, round(epochs * self.streams.windows_per_epoch))

    @property
    def progress(self) -> float:
        """How much of the run is done, from 0 to 1."""
        total = self.total_iterations
        if total is not None:
            return min(1.0, self.iteration / total)
        assert self.config.minutes is not None
        return min(1.0, self.elapsed / max(60 * self.config.minutes - self._reserve, 1e-9))

    @property
    def over(self) -> bool:
        """Whether nothing is left to do: the run is finished, or out of patience."""
        return self.progress >= 1 or self._out_of_patience

    @property
    def loss(self) -> float | None:
        """Mean training loss of the last windows, nats a character."""
        return float(np.mean(self._losses)) if self._losses else None

    def _facts(self) -> dict[str, Any]:
        return {
            "iteration": self.iteration,
            "epoch": self.iteration / self.streams.windows_per_epoch,
            "loss": self.loss,
            "learning_rate": self._rate,
            "grad_norm": self._grad_norm,
            "characters": self.characters,
            "seconds": self.seconds,
            "elapsed": self.elapsed,
            "progress": self.progress,
        }

    # The work.

    def __iter__(self) -> Iterator[Event]:
        with (
            blas_threads(1),
            Workers(
                self.model.parameters,
                self.threads,
                self.streams.seq_length,
                self.streams.batch_size,
            ) as workers,
        ):
            yield from self._run(workers)

    def _run(self, workers: Workers) -> Iterator[Event]:
        config = self.config
        last_save = time.monotonic()
        clock = time.perf_counter()
        if self.iteration == 0 and config.sample_every:
            self._peek()
            yield self._sample()
            self._losses.clear()
        while not self.over and not self.stop:
            began = time.perf_counter()
            try:
                ok = self._step(workers)
            except WorkerDied:
                yield self._checkpoint()
                raise
            now = time.perf_counter()
            self.seconds += now - began
            self.elapsed, clock = self.elapsed + now - clock, now
            yield Step(**self._facts(), skipped=not ok)
            if self._bad_in_a_row >= BAD_STEPS:
                self._go_back()
                yield Divergence(**self._facts(), rate_scale=self.rate_scale)
            if self.iteration % (config.eval_every or GOOD_EVERY) == 0 and ok:
                self._good = self._weights()
            due = config.eval_every and self.iteration % config.eval_every == 0
            if due and self.progress < 1:
                yield from self._evaluation()
            if config.sample_every and self.iteration % config.sample_every == 0:
                yield self._sample()
            if self.progress < 1 and (due or time.monotonic() - last_save > CHECKPOINT_SECONDS):
                yield self._checkpoint()
                last_save = time.monotonic()
            now = time.perf_counter()
            self.elapsed, clock = self.elapsed + now - clock, now
        if self.progress >= 1:
            yield from self._evaluation()
        yield self._checkpoint()
        yield End(
            **self._facts(),
            reason=self._reason(),
            val_loss=self.val_loss,
            best_val_loss=self.best_val_loss,
        )

    @property
    def _out_of_patience(self) -> bool:
        return 0 < self.config.patience <= self._not_better

    def _reason(self) -> str:
        if self.progress >= 1:
            return "finished"
        return "out of patience" if self._out_of_patience else "interrupted"

    def _step(self, workers: Workers) -> bool:
        """Take one step; return False if it was not finite.

        The weights are then as they were, or, if only they are not finite, about to go back.
        """
        config = self.config
        undo = self._position()
        window = self.streams.next()
        if window.first:
            self._begin_again(workers, 1.0)
        elif config.reset:
            self._begin_again(workers, config.reset)
        try:
            inputs = self._sampling.mix(window.inputs, self._hidden, self.progress, self.rng)
            noise = self._dropout.draw(self.rng)
            loss, after = workers.step(inputs, window.targets, self._hidden, self._began, noise)
        except WorkerDied:
            self._set_position(*undo)
            raise
        self._began = np.zeros_like(self._began)
        self._rate = (
            config.learning_rate * self.rate_scale * self.schedule(self.progress, self.iteration)
        )
        gradients = workers.gradients
        self.iteration += 1
        self.characters += window.inputs.size
        try:
            if not np.isfinite(loss):
                raise NonFiniteGradient(f"the loss is {loss}")
            if not config.clip:
                self._grad_norm = gradient_norm(gradients)
            else:
                clip = clip_by_norm if config.clip_by == "norm" else clip_by_value
                self._grad_norm = clip(gradients, config.clip)
        except NonFiniteGradient:
            self.skipped += 1
            self._bad_in_a_row += 1
            self._begin_again(workers, 1.0)
            return False
        self._bad_in_a_row = 0
        self._hidden = after
        self._losses.append(loss)
        self.optimizer.step(self.model.parameters, gradients, self._rate)
        if self._average is not None:
            self._average.update(self.model.parameters.trained)
        if not self._weights_are_finite():  # a finite step may be too large all the same
            self.skipped += 1
            self._bad_in_a_row = BAD_STEPS
            self._begin_again(workers, 1.0)
            return False
        return True

    def _begin_again(self, workers: Workers, share: float) -> None:
        """Put a `share` of the streams, drawn anew each time, back to the initial state."""
        B = self.streams.batch_size
        # All of them without a draw: random numbers are spent only where something is random.
        chosen = np.ones(B, bool) if share == 1 else self.rng.random(B) < share
        initial = workers.initial_state(B, self.rng)
        self._hidden = np.where(chosen[:, None], initial, self._hidden)
        self._began = self._began | chosen

    def _position(self) -> tuple[Any, ...]:
        return self.streams.state(), self.rng.bit_generator.state, self._hidden, self._began

    def _set_position(self, streams: Any, rng: Any, hidden: Array, began: Array) -> None:
        self.streams.restore(streams)
        self.rng.bit_generator.state = rng
        self._hidden, self._began = hidden, began

    def _peek(self) -> None:
        """Measure the loss of the first window, before anything was learned."""
        at = self.streams.state()
        window = self.streams.next()
        self.streams.restore(at)
        network = self._network()
        network.forward(window.inputs, self._hidden)
        self._losses.append(float(network.nats(window.targets).mean()))

    def _evaluation(self) -> Iterator[Event]:
        if self.val_stop - self.val_start < 2:
            return
        began = time.perf_counter()
        if self._evaluator is None:
            self._evaluator = self._network()
        self.val_loss = mean_loss(
            self._evaluator, self.corpus, self.val_start, self.val_stop, TRAINING
        )
        best = bool(np.isfinite(self.val_loss)) and (
            self.best_val_loss is None or self.val_loss < self.best_val_loss
        )
        if best:
            self.best_val_loss = self.val_loss
        self._not_better = 0 if best else self._not_better + 1
        if self.progress < 1:  # else it is the last one, and a quick one must not undo the end
            self._reserve = time.perf_counter() - began
        yield Evaluation(**self._facts(), val_loss=self.val_loss, best=best)

    def _sample(self) -> Event:
        rng = np.random.default_rng([self.config.rng_seed, self.iteration])
        temperature = parse_temperature(self.config.temperature)(self.progress, self.iteration)
        settings = SampleConfig(self.config.sample_length, temperature)
        pieces = self.averaged.generate("", settings, rng)
        # A long one must not keep the user who wants to stop.
        text = "".join(takewhile(lambda _: not self.stop, pieces))
        return Sample(**self._facts(), text=text)

    # Going back, and going on.

    def _weights(self) -> dict[str, Array]:
        """Return copies of the weights and of what the optimiser remembers."""
        slots = {f"optimizer/{name}": slot.copy() for name, slot in self.optimizer.slots.items()}
        models = {f"model/{name}": array.copy() for name, array in self.model.parameters.items()}
        averages = {} if self._average is None else {"average": self._average.mean.copy()}
        return models | slots | averages

    def _set_weights(self, tensors: dict[str, Array]) -> None:
        for name, array in self.model.parameters.items():
            array[:] = tensors[f"model/{name}"]
        for name, slot in self.optimizer.slots.items():
            slot[:] = tensors[f"optimizer/{name}"]
        if self._average is not None:
            self._average.mean[:] = tensors["average"]

    def _weights_are_finite(self) -> bool:
        # A sum of squares is one quick product; it is not finite long before a weight is not. The
        # averages are between weights.
        w = self.model.parameters.trained
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(np.dot(w, w)))

    def _go_back(self) -> None:
        self._set_weights(self._good)
        self.rate_scale /= 2
        self._bad_in_a_row = 0
        self._losses.clear()

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return everything that decides the next step: arrays, and facts for JSON."""
        tensors = self._weights() | {"hidden": self._hidden.copy()}
        tensors |= {f"good/{name}": array for name, array in self._good.items()}
        facts = self._facts() | {
            "streams": self.streams.state(),
            "rng": self.rng.bit_generator.state,
            "began": self._began.tolist(),
            "optimizer_steps": self.optimizer.steps,
            "average_steps": 0 if self._average is None else self._average.steps,
            "not_better": self._not_better,
            "losses": list(self._losses),
            "best_val_loss": self.best_val_loss,
            "val_loss": self.val_loss,
            "rate_scale": self.rate_scale,
            "skipped": self.skipped,
            "bad_in_a_row": self._bad_in_a_row,
            "reserve": self._reserve,
        }
        return tensors, facts

    def restore(
        self, tensors: dict[str, Array], facts: dict[str, Any], where: str = "the saved state"
    ) -> None:
        """Go to a state that `state` returned; raises CorruptFile if it does not fit.

        where: the file that it comes from, for errors.
        """
        shapes = {name: array.shape for name, array in self._good.items()}
        shapes |= {f"good/{name}": shape for name, shape in shapes.items()}
        shapes["hidden"] = self._hidden.shape
        check_tensors(tensors, shapes, (self.model.config.dtype,), where)
        check_finite({n: t for n, t in tensors.items() if n.startswith(GOOD_WEIGHTS)}, where)
        kind = training_state(self.streams.saved, self.streams.batch_size, LOSS_WINDOWS)
        saved = read(record({"trainer": kind}), {"trainer": facts}, where)["trainer"]
        self.streams.restore(saved["streams"])
        self.rng.bit_generator.state = saved["rng"]
        self._set_weights(tensors)
        self._good = {n: tensors[f"good/{n}"] for n in self._good}
        self._hidden = tensors["hidden"]
        self._began = np.array(saved["began"])
        self.optimizer.steps = saved["optimizer_steps"]
        if self._average is not None:
            self._average.steps = saved["average_steps"]
        self._not_better, self._bad_in_a_row = saved["not_better"], saved["bad_in_a_row"]
        self._losses.extend(saved["losses"])
        for name in (
            "iteration", "characters", "skipped", "seconds", "elapsed", "rate_scale",
            "best_val_loss", "val_loss",
        ):  # fmt: skip
            setattr(self, name, saved[name])
        self._reserve, self._rate = saved["reserve"], saved["learning_rate"]
        self._grad_norm = saved["grad_norm"]
        if not self._weights_are_finite():  # as a run that diverged could leave them once
            self._go_back()

    def _checkpoint(self) -> Event:
        tensors, facts = self.state()
        return Checkpoint(**self._facts(), tensors=tensors, facts=facts)
