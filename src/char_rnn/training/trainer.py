"""The trainer: truncated backpropagation through time, as an iterator of events. It never prints.

Everything that decides the next step is in `state()`: a trainer restored from it goes on to the
same bits. Evaluation and samples use networks and random numbers of their own.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, TypeVar

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import SampleConfig, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.windows import Streams, calibration_start, fit, split
from char_rnn.errors import NonFiniteGradient, WorkerDied
from char_rnn.formats import check_finite, check_tensors, training_state
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.model.parameters import Parameters
from char_rnn.schedules import Schedule, falling, parse_temperature
from char_rnn.storage.fields import read, record
from char_rnn.training.average import Average
from char_rnn.training.bptt import Backpropagation
from char_rnn.training.budget import Budget
from char_rnn.training.clipping import clip_by_norm, clip_by_value, gradient_norm
from char_rnn.training.events import (
    Checkpoint,
    Divergence,
    End,
    Evaluation,
    Event,
    Sample,
    Step,
)
from char_rnn.training.optimisers import Optimizer, make_optimizer
from char_rnn.training.own import Callback, check_same, checked, described
from char_rnn.training.parallel import Workers, available_threads, worker_count
from char_rnn.training.progress import Progress
from char_rnn.training.recovery import Recovery, finite
from char_rnn.training.validation import MOST_VALIDATION, Validation

Array = np.ndarray
AnyEvent = TypeVar("AnyEvent", bound=Progress)

LOSS_WINDOWS = 100
GOOD_EVERY = 500
CHECKPOINT_SECONDS = 30.0
GOOD_WEIGHTS = ("good/model/", "good/average")


class Trainer:
    """Trains `model` on `corpus`; iterate over it to make it work.

    model: a CharRNN of the corpus's vocabulary, changed in place.
    config: how; its batch and window shrink where the text is short, which `notes` tells.
    rng: draws random initial states; None takes one from `config.rng_seed`.
    optimizer: an own one, or its class, in place of the config's (training/optimisers.py).
    schedule: an own function of the progress, 0 to 1, and the iteration; the learning rate is the
        config's times what it returns.
    callbacks: functions of an event, called before it is yielded; what one raises ends training.

    An own optimiser or schedule goes through a divergence as the config's do. Whoever restores a
    state hands over the same ones again (training/own.py).

    Set `stop` to end after the step in hand. `averaged` is the model that is evaluated and worth
    keeping: that of the averaged weights, or `model` itself where they are not averaged.

    ids[0 : train_stop] train, ids[val_start : val_stop] validate, and what stands between them is
    left to calibrate on (calibration.py); none where `train_stop` is `val_start`.
    """

    def __init__(
        self,
        model: CharRNN,
        corpus: Corpus,
        config: TrainConfig,
        rng: np.random.Generator | None = None,
        optimizer: Optimizer | type[Optimizer] | None = None,
        schedule: Schedule | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.model, self.corpus, self.config = model, corpus, config
        self.rng = np.random.default_rng(config.rng_seed) if rng is None else rng
        self.notes: list[str] = []
        self.stop = False
        self._cut_text()
        B, T = self.streams.batch_size, self.streams.seq_length
        self.threads = worker_count(
            config.threads or available_threads(), T, B, model.num_parameters, model.config.cell
        )

        self.optimizer = make_optimizer(config, optimizer)
        self.optimizer.begin(model.parameters)
        self.schedule = falling(config.schedule, config.final_rate, config.warmup)
        if schedule is not None:
            self.schedule = checked(schedule)
        self.own = described(None if optimizer is None else self.optimizer, schedule)
        self.callbacks = tuple(callbacks)
        self.averaged = model
        self._average: Average | None = None
        if config.average:
            self.averaged = model.copy()
            self._average = Average(self.averaged.parameters.trained, config.average)

        self.iteration = self.characters = 0
        self.seconds = self._rate = 0.0
        self._grad_norm: float | None = None
        self._losses: deque[float] = deque(maxlen=LOSS_WINDOWS)
        self.budget = Budget(config, self.streams.windows_per_epoch)
        self.recovery = Recovery(self._changed_by_steps)
        self.validation = Validation(self.averaged, corpus, config.patience)
        hidden = self._network().initial_state(B, self.rng)
        self.bptt = Backpropagation(model, self.streams, config, self.rng, hidden)

    def _cut_text(self) -> None:
        """Cut the text into what trains, calibrates and validates, and the first into streams."""
        config, corpus = self.config, self.corpus
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

    def _network(self) -> Network:
        return Network(self.averaged.parameters)

    @property
    def optimizer_name(self) -> str:
        """The config's name of it, or the class of an own one."""
        own = "optimizer" in self.own
        return type(self.optimizer).__name__ if own else self.config.optimizer

    # How far it is.

    @property
    def progress(self) -> float:
        """How much of the run is done, from 0 to 1."""
        return self.budget.progress(self.iteration)

    @property
    def over(self) -> bool:
        """Whether nothing is left to do: the run is finished, or out of patience."""
        return self.progress >= 1 or self.validation.out_of_patience

    @property
    def loss(self) -> float | None:
        """Mean training loss of the last windows, nats a character."""
        return float(np.mean(self._losses)) if self._losses else None

    def now(self) -> Progress:
        """Return how far it is."""
        return Progress(
            iteration=self.iteration,
            epoch=self.iteration / self.streams.windows_per_epoch,
            loss=self.loss,
            learning_rate=self._rate,
            grad_norm=self._grad_norm,
            characters=self.characters,
            seconds=self.seconds,
            elapsed=self.budget.elapsed,
            progress=self.progress,
        )

    def _tell(self, kind: type[AnyEvent], **more: Any) -> AnyEvent:
        return kind(**self.now().by_name(), **more)

    # The work.

    def __iter__(self) -> Iterator[Event]:
        T, B = self.streams.seq_length, self.streams.batch_size
        with blas_threads(1), Workers(self.model.parameters, self.threads, T, B) as workers:
            for event in self._run(workers):
                for callback in self.callbacks:
                    callback(event)
                yield event

    def _run(self, workers: Workers) -> Iterator[Event]:
        config, last_save = self.config, time.monotonic()
        self.budget.start()
        if self.iteration == 0 and config.sample_every:
            yield self._first_sample()
        while not self.over and not self.stop:
            try:
                step = self._timed_step(workers)
            except WorkerDied:
                yield self._checkpoint()
                raise
            yield step
            if self.recovery.diverged:
                self._go_back()
                yield self._tell(Divergence, rate_scale=self.recovery.rate_scale)
            if self._every(config.eval_every or GOOD_EVERY) and not step.skipped:
                self.recovery.keep()
            due = self._every(config.eval_every)
            if due and self.progress < 1:
                yield from self._evaluation()
            if self._every(config.sample_every):
                yield self._sample()
            if self.progress < 1 and (due or time.monotonic() - last_save > CHECKPOINT_SECONDS):
                yield self._checkpoint()
                last_save = time.monotonic()
            self.budget.tick()
        if self.progress >= 1:
            yield from self._evaluation()
        yield self._checkpoint()
        yield self._end()

    def _every(self, iterations: int) -> bool:
        return bool(iterations) and self.iteration % iterations == 0

    def _timed_step(self, workers: Workers) -> Step:
        began = time.perf_counter()
        taken = self._step(workers)
        self.seconds += time.perf_counter() - began
        self.budget.tick()
        return self._tell(Step, skipped=not taken)

    def _step(self, workers: Workers) -> bool:
        """Take one step; return False if it was not finite.

        The weights are then as they were, or, if only they are not finite, about to go back.
        """
        gradients = workers.gradients
        loss = self.bptt.step(workers, self.progress)
        scale = self.config.learning_rate * self.recovery.rate_scale
        self._rate = scale * self.schedule(self.progress, self.iteration)
        self.iteration += 1
        self.characters += self.streams.batch_size * self.streams.seq_length
        try:
            if not np.isfinite(loss):
                raise NonFiniteGradient(f"the loss is {loss}")
            self._grad_norm = self._clip(gradients)
        except NonFiniteGradient:
            self.recovery.bad_step()
            self.bptt.begin_again(workers)
            return False
        self.recovery.good_step()
        self.bptt.go_on()
        self._losses.append(loss)
        self.optimizer.step(self.model.parameters, gradients, self._rate)
        w = self.model.parameters.trained
        if self._average is not None:
            self._average.update(w)  # lies between weights, and is finite where they are
        if not finite(w):  # a finite step may be too large all the same
            self.recovery.bad_step(weights=True)
            self.bptt.begin_again(workers)
            return False
        return True

    def _clip(self, gradients: Parameters) -> float:
        """Clip as the config says; return the norm before."""
        if not self.config.clip:
            return gradient_norm(gradients)
        clip = clip_by_norm if self.config.clip_by == "norm" else clip_by_value
        return clip(gradients, self.config.clip)

    # What it tells.

    def _first_sample(self) -> Sample:
        """Return a sample with the loss of the first window, before anything was learned."""
        at = self.streams.state()
        window = self.streams.next()
        self.streams.restore(at)
        network = self._network()
        network.forward(window.inputs, self.bptt.hidden)
        self._losses.append(float(network.nats(window.targets).mean()))
        sample = self._sample()
        self._losses.clear()
        return sample

    def _sample(self) -> Sample:
        rng = np.random.default_rng([self.config.rng_seed, self.iteration])
        temperature = parse_temperature(self.config.temperature)(self.progress, self.iteration)
        settings = SampleConfig(self.config.sample_length, temperature)
        pieces = self.averaged.generate("", settings, rng)
        # A long one must not keep the user who wants to stop.
        text = "".join(takewhile(lambda _: not self.stop, pieces))
        return self._tell(Sample, text=text)

    def _evaluation(self) -> Iterator[Event]:
        if self.val_stop - self.val_start < 2:
            return
        began = time.perf_counter()
        loss, best = self.validation.measure(self.val_start, self.val_stop)
        if self.progress < 1:  # else it is the last one, and a quick one must not undo the end
            self.budget.reserve = time.perf_counter() - began
        yield self._tell(Evaluation, val_loss=loss, best=best)

    def _checkpoint(self) -> Checkpoint:
        tensors, facts = self.state()
        return self._tell(Checkpoint, tensors=tensors, facts=facts)

    def _end(self) -> End:
        reason = "out of patience" if self.validation.out_of_patience else "interrupted"
        if self.progress >= 1:
            reason = "finished"
        val_loss, best = self.validation.loss, self.validation.best
        return self._tell(End, reason=reason, val_loss=val_loss, best_val_loss=best)

    # Going back, and going on.

    def _changed_by_steps(self) -> dict[str, Array]:
        models = {f"model/{name}": array for name, array in self.model.parameters.items()}
        slots = {f"optimizer/{name}": slot for name, slot in self.optimizer.slots.items()}
        averages = {} if self._average is None else {"average": self._average.mean}
        return models | slots | averages

    def _go_back(self) -> None:
        self.recovery.go_back()
        self._losses.clear()

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return everything that decides the next step: arrays, and facts for JSON."""
        tensors = self.recovery.copies() | {"hidden": self.bptt.hidden.copy()}
        tensors |= {f"good/{name}": array for name, array in self.recovery.good.items()}
        facts = (
            self.now().by_name()
            | self.bptt.facts()
            | self.validation.facts()
            | self.recovery.facts()
        )
        facts |= {
            "losses": list(self._losses),
            "optimizer_steps": self.optimizer.steps,
            "average_steps": 0 if self._average is None else self._average.steps,
            "reserve": self.budget.reserve,
        }
        return tensors, facts | ({"own": self.own} if self.own else {})

    def restore(
        self, tensors: dict[str, Array], facts: dict[str, Any], where: str = "the saved state"
    ) -> None:
        """Go to a state that `state` returned.

        where: the file that it comes from, for errors.
        Raises CorruptFile if it does not fit, RunError if it was made with another own optimiser or
        schedule.
        """
        kind = training_state(self.streams.saved, self.streams.batch_size, LOSS_WINDOWS)
        saved = read(record({"trainer": kind}), {"trainer": facts}, where)["trainer"]
        check_same(self.own, saved.get("own", {}), where)
        shapes = {name: array.shape for name, array in self.recovery.good.items()}
        shapes |= {f"good/{name}": shape for name, shape in shapes.items()}
        shapes["hidden"] = self.bptt.hidden.shape
        check_tensors(tensors, shapes, (self.model.config.dtype,), where)
        check_finite({n: t for n, t in tensors.items() if n.startswith(GOOD_WEIGHTS)}, where)
        self.recovery.put(tensors)
        self.recovery.restore({name: tensors[f"good/{name}"] for name in self.recovery.good}, saved)
        self.validation.restore(saved)
        self.bptt.restore(tensors["hidden"], saved)
        self.optimizer.steps = saved["optimizer_steps"]
        if self._average is not None:
            self._average.steps = saved["average_steps"]
        self._losses.extend(saved["losses"])
        self.iteration, self.characters = saved["iteration"], saved["characters"]
        self.seconds, self._rate = saved["seconds"], saved["learning_rate"]
        self._grad_norm = saved["grad_norm"]
        self.budget.elapsed, self.budget.reserve = saved["elapsed"], saved["reserve"]
        if not finite(self.model.parameters.trained):  # as a run that diverged could leave them
            self._go_back()
