"""The trainer: truncated backpropagation through time, as an iterator of events. It never prints.

Everything that decides the next step is in `state()`: a trainer restored from it goes on to the
same bits. Evaluation and samples use networks and random numbers of their own.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any, TypeVar

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.windows import fit
from char_rnn.errors import UsageError, WorkerDied
from char_rnn.formats import training_state
from char_rnn.generate.arguments import as_generator
from char_rnn.model.blas import blas_threads
from char_rnn.model.network import Network
from char_rnn.sample_config import SampleConfig
from char_rnn.schedules import Schedule, falling, parse_temperature
from char_rnn.storage.fields import read, record
from char_rnn.training.budget import Budget
from char_rnn.training.events import Checkpoint, Divergence, End, Evaluation, Event, Sample, Step
from char_rnn.training.learner import LOSS_WINDOWS, Learner
from char_rnn.training.optimisers import Optimizer, make_optimizer
from char_rnn.training.own import Callback, as_callbacks, as_schedule, check_same, described
from char_rnn.training.parallel import Workers, available_threads, worker_count
from char_rnn.training.progress import Progress
from char_rnn.training.validation import MOST_VALIDATION, Validation

Array = np.ndarray
AnyEvent = TypeVar("AnyEvent", bound=Progress)

GOOD_EVERY = 500
CHECKPOINT_SECONDS = 30.0


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

    Set `stop` to end after the step in hand.

    ids[0 : train_stop] train, ids[val_start : val_stop] validate, and what stands between them is
    left to calibrate on (calibration.py); none where `train_stop` is `val_start` (Corpus.parts).
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
        _check_parts(model, corpus, config)
        self.model, self.config = model, config
        self.corpus = corpus.shuffled(config.rng_seed)
        self.rng = np.random.default_rng(config.rng_seed) if rng is None else as_generator(rng)
        self.notes: list[str] = []
        self.stop = False
        self._cut_text()
        B, T = self.streams.batch_size, self.streams.seq_length
        self.threads = worker_count(
            config.threads or available_threads(), T, B, model.num_parameters, model.config.cell
        )

        chosen = make_optimizer(config, optimizer)
        self.own = described(None if optimizer is None else chosen, schedule)
        self.schedule = falling(config.schedule, config.final_rate, config.warmup)
        if schedule is not None:
            self.schedule = as_schedule(schedule)
        self.callbacks = as_callbacks(callbacks)
        self.iteration = self.characters = 0
        self.seconds = 0.0
        self.learner = Learner(model, self.streams, config, chosen, self.rng)
        self.budget = Budget(config, self.streams.windows_per_epoch)
        self.validation = Validation(self.averaged, corpus, config.patience)

    def __repr__(self) -> str:
        return f"Trainer({self.model}, {self.corpus}, iteration {self.iteration:,})"

    def _cut_text(self) -> None:
        """Cut the text into what trains, calibrates and validates, and the first into streams."""
        config, corpus = self.config, self.corpus
        self.train_stop, self.val_start, self.val_stop = corpus.parts(
            config.val_fraction, config.calibration
        )
        B, T, note = fit(self.train_stop, config.batch_size, config.seq_length)
        if note:
            self.notes.append(note)
        if self.val_start == self.val_stop and config.val_fraction > 0:
            alone = corpus.ends is not None and len(corpus.ends) == 2  # END, the one, END
            why = "too short to set a part aside"
            why = "one document, which leaves none to set aside" if alone else why
            self.notes.append(f"the text is {why}: no validation loss")
        self.val_stop = min(self.val_stop, self.val_start + MOST_VALIDATION)
        offsets = self.rng if config.random_offset else None
        self.streams = corpus.streams(self.train_stop, B, T, config.rng_seed, offsets)

    @property
    def averaged(self) -> CharRNN:
        """The model that is evaluated and worth keeping: of averaged weights, if they are."""
        return self.learner.averaged

    @property
    def optimizer_name(self) -> str:
        """The config's name of it, or the class of an own one."""
        own = "optimizer" in self.own
        return type(self.learner.optimizer).__name__ if own else self.config.optimizer

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
        return self.learner.loss

    def now(self) -> Progress:
        """Return how far it is."""
        return Progress(
            iteration=self.iteration,
            epoch=self.iteration / self.streams.windows_per_epoch,
            loss=self.loss,
            learning_rate=self.learner.learning_rate,
            grad_norm=self.learner.grad_norm,
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
        with (
            blas_threads(1),
            Workers(self.model.parameters, self.threads, T, B) as workers,
            self.learner.optimizer.on_threads(self.threads),
        ):
            for callback in self.callbacks:
                getattr(callback, "begin", lambda _: None)(self)
            for event in self._run(workers):
                for callback in self.callbacks:
                    callback(event)
                yield event

    def _run(self, workers: Workers) -> Iterator[Event]:
        config, recovery = self.config, self.learner.recovery
        last_save = time.monotonic()
        self.budget.start()
        if self.iteration == 0 and config.sample_every:
            yield self._first_sample()
        while not self.over and not self.stop:
            try:
                step = self._step(workers)
            except WorkerDied:
                yield self._checkpoint()
                raise
            yield step
            if recovery.diverged:
                self.learner.go_back()
                yield self._tell(Divergence, rate_scale=recovery.rate_scale)
            if self._every(config.eval_every or GOOD_EVERY) and not step.skipped:
                recovery.keep()
            due = self._every(config.eval_every)
            if due and self.progress < 1:
                yield from self._evaluation()
            if self._every(config.sample_every):
                yield self.sample()
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

    def _step(self, workers: Workers) -> Step:
        began, progress = time.perf_counter(), self.progress
        factor = self.schedule(progress, self.iteration)
        taken = self.learner.step(workers, progress, factor)
        self.iteration += 1
        self.characters += self.streams.batch_size * self.streams.seq_length
        self.seconds += time.perf_counter() - began
        self.budget.tick()
        return self._tell(Step, skipped=not taken)

    # What it tells.

    def _first_sample(self) -> Sample:
        """Return a sample with the loss of the first window, before anything was learned."""
        at = self.streams.state()
        window = self.streams.next()
        self.streams.restore(at)
        network = Network(self.averaged.parameters)
        network.forward(window.inputs, self.learner.bptt.hidden)
        self.learner.losses.append(float(network.nats(window.targets).mean()))
        sample = self.sample()
        self.learner.losses.clear()
        return sample

    def sample(self) -> Sample:
        """Return what the model writes now; that changes nothing of what it learns."""
        rng = np.random.default_rng([self.config.rng_seed, self.iteration])
        temperature = parse_temperature(self.config.temperature)(self.progress, self.iteration)
        settings = SampleConfig(self.config.sample_length, temperature)
        text, between = "", self.corpus.vocabulary.between
        while len(text) < settings.length:
            if text:
                text += between
            pieces = self.averaged.generate("", settings, rng)
            # A long one must not keep the user who wants to stop.
            text += "".join(takewhile(lambda _: not self.stop, pieces))
            if self.stop or not between:
                break
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

    # Going on.

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return everything that decides the next step: arrays, and facts for JSON."""
        facts = self.now().by_name() | self.learner.facts() | self.validation.facts()
        facts |= {"reserve": self.budget.reserve} | ({"own": self.own} if self.own else {})
        return self.learner.tensors(), facts

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
        self.learner.restore(tensors, saved, where)
        self.validation.restore(saved)
        self.iteration, self.characters = saved["iteration"], saved["characters"]
        self.seconds = saved["seconds"]
        self.budget.elapsed, self.budget.reserve = saved["elapsed"], saved["reserve"]


def _check_parts(model: CharRNN, corpus: Corpus, config: TrainConfig) -> None:
    """Raise UsageError unless these are what they are called, and speak of the same characters."""
    for name, part, kind in (
        ("model", model, CharRNN),
        ("corpus", corpus, Corpus),
        ("config", config, TrainConfig),
    ):
        if not isinstance(part, kind):
            raise UsageError(f"{name} is {part!r}; it must be a {kind.__name__}")
    if model.vocab_size != corpus.vocabulary.size or (
        model.vocabulary not in (None, corpus.vocabulary)
    ):
        raise UsageError(
            f"the model knows other characters ({model.vocab_size}) than the corpus has "
            f"({corpus.vocabulary.size}); make one of them with the vocabulary of the other"
        )
