"""The trainer: truncated backpropagation through time, as an iterator of events. It never prints.

Everything that decides the next step is in `state()`: a trainer restored from it goes on to the
same bits. Evaluation and samples use networks and random numbers of their own.
"""

import hashlib
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
from char_rnn.model.blas import available_threads, blas_threads
from char_rnn.model.network import Network
from char_rnn.sample_config import SampleConfig
from char_rnn.schedules import Schedule, falling, parse_temperature
from char_rnn.storage.fields import read, record
from char_rnn.training.budget import Budget
from char_rnn.training.events import Checkpoint, Divergence, End, Evaluation, Event, Sample, Step
from char_rnn.training.learner import LOSS_WINDOWS, Learner
from char_rnn.training.optimisers import Optimizer, make_optimizer
from char_rnn.training.own import Callback, as_callbacks, as_schedule, check_same, described
from char_rnn.training.parallel import Workers, worker_count
from char_rnn.training.progress import Progress
from char_rnn.training.team import ALONE, Team
from char_rnn.training.validation import MOST_VALIDATION, Validation

Array = np.ndarray
AnyEvent = TypeVar("AnyEvent", bound=Progress)

GOOD_EVERY = 500
COMPARED_EVERY = 100
"""Steps after which a team compares its weights."""
CHECKPOINT_SECONDS, CHECKPOINT_SECONDS_OF_A_TEAM = 30.0, 10.0
"""What a team has not saved is lost with any of its members."""


class Trainer:
    """Trains `model` on `corpus`; iterate over it to make it work.

    model: a CharRNN of the corpus's vocabulary, changed in place.
    config: how; its batch and window shrink where the text is short, which `notes` tells.
    rng: draws random initial states; None takes one from `config.rng_seed`.
    optimizer: an own one, or its class, in place of the config's (training/optimisers.py).
    schedule: an own function of the progress, 0 to 1, and the iteration; the learning rate is the
        config's times what it returns.
    callbacks: functions of an event, called before it is yielded; what one raises ends training.
    team: with whom it trains (training/team.py): all members make a trainer of the same and iterate
        over it; samples are the leader's alone.

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
        team: Team = ALONE,
    ) -> None:
        _check_parts(model, corpus, config)
        self.team = team
        self.model, self.config = model, config
        self.corpus = corpus.shuffled(config.rng_seed)
        self.rng = np.random.default_rng(config.rng_seed) if rng is None else as_generator(rng)
        self.notes: list[str] = []
        self.stop = False
        self._cut_text()
        self.threads = self._count_workers()
        self.slices = [int(n) for n in team.gather(self.threads)]

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
        self.validation = Validation(self.averaged, corpus, config.patience, team)

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

    def _count_workers(self) -> int:
        """Return how many slices this member makes of its streams."""
        B, T = self.streams.batch_size, self.streams.seq_length
        self.team.check_shares(B)
        own = self.team.columns(B)
        model = self.model
        return worker_count(
            self.config.threads or available_threads(),
            T,
            own.stop - own.start,
            model.num_parameters,
            model.config.cell,
        )

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
            Workers(self.model.parameters, self.threads, T, B, self.team) as workers,
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
        if self.iteration == 0 and config.sample_every:  # which may draw an offset
            yield self._first_sample()
        patience = CHECKPOINT_SECONDS if self.team.size == 1 else CHECKPOINT_SECONDS_OF_A_TEAM
        while not self._agree():
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
            if self._every(config.sample_every) and self.team.leads:
                yield self.sample()
            if self._every(COMPARED_EVERY):
                self._compare()
            if self.progress < 1 and (due or time.monotonic() - last_save > patience):
                yield self._checkpoint()
                last_save = time.monotonic()
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
        self._agree()
        return self._tell(Step, skipped=not taken)

    def _agree(self) -> bool:
        """Return whether it ends here, and know what time it is: both the same for all members."""
        self.budget.tick()
        self.budget.elapsed, stop = self.team.agree(self.budget.elapsed, self.stop)
        return stop or self.over

    def _compare(self) -> None:
        """Raise TeamError unless all members have the same weights."""
        if self.team.size > 1:
            weights = hashlib.blake2b(self.model.parameters.flat.tobytes()).hexdigest()
            self.team.check_same(
                f"the weights after {self.iteration:,} steps, as they are on machines of one kind,",
                weights,
            )

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
            self.budget.reserve = self.team.told(time.perf_counter() - began)
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
        facts |= {"reserve": self.budget.reserve, "slices": self.slices}
        facts |= {"own": self.own} if self.own else {}
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
        before = saved.get("slices", self.slices)
        if _sums(before) != _sums(self.slices):
            self.notes.append(
                f"gradients are summed over other slices of the batch, {_shown(self.slices)}, "
                f"before {_shown(before)}: the run goes on, but not to the same bits"
            )


def _sums(slices: list[int]) -> list[int]:
    """Return in which order gradients are added: ranks of a slice each are as one rank."""
    return [len(slices)] if set(slices) == {1} else slices


def _shown(slices: list[int]) -> str:
    """Return slices of each rank in words."""
    each = " + ".join(map(str, slices))
    return f"{each} on {len(slices)} ranks" if len(slices) > 1 else each


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
