"""What is kept of a run while it goes: in its folder, or in memory alone.

A record is told every event of the trainer. It keeps the best model, the log and the samples, and
at the end it calibrates the best model.
"""

import json
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.model.network import Network
from char_rnn.runs.folder import CUT_FILES, LOG_FILE, SAMPLES_FILE
from char_rnn.scoring import TRAINING, mean_loss
from char_rnn.storage import save_tensors
from char_rnn.storage.finite import finite
from char_rnn.storage.models import LAST_FILE, MODEL_FILE
from char_rnn.training.calibration import calibrate
from char_rnn.training.events import Checkpoint, Divergence, End, Evaluation, Event, Sample, Step
from char_rnn.training.trainer import Trainer

State = tuple[dict[str, np.ndarray], Any, dict[str, int]]

LOG_SECONDS = 2.0


class Record(ABC):
    """Keeps what `trainer` tells; a subclass says where.

    text: which one it is, as the config of a run tells it.
    """

    def __init__(self, trainer: Trainer, text: dict[str, Any]) -> None:
        self._trainer = trainer
        self._text = text
        self._last_log = 0.0
        self._backslashes = trainer.corpus.after_backslashes("nt")

    @abstractmethod
    def log(self, line: dict[str, Any]) -> None:
        """Keep a line of the log."""

    @abstractmethod
    def keep(self, model: CharRNN) -> None:
        """Keep `model`, which is the best one so far."""

    @abstractmethod
    def best(self) -> CharRNN | None:
        """Return the model that was kept last, None for none."""

    @abstractmethod
    def keep_sample(self, event: Sample) -> None:
        """Keep a sample."""

    @abstractmethod
    def keep_state(self, event: Checkpoint, model: CharRNN) -> None:
        """Keep what the run goes on from."""

    def handle(self, event: Event) -> None:
        """Keep what `event` tells."""
        match event:
            case Step(skipped=skipped):
                now = time.monotonic()
                if skipped or now - self._last_log > LOG_SECONDS:
                    self._log("skipped" if skipped else "step", event)
            case Evaluation(val_loss=val_loss, best=best):
                self._log("evaluation", event, val_loss=val_loss, best=best)
                if best:
                    self.keep(self._with_summary(event, val_loss))
            case Sample():
                self._log("sample", event)
                self.keep_sample(event)
            case Checkpoint():
                model = self._with_summary(event, event.facts["val_loss"])
                if self._trainer.validation.best is None:
                    # Without validation the newest model is the best there is.
                    self.keep(model)
                self.keep_state(event, model)
            case Divergence(rate_scale=scale):
                self._log("divergence", event, rate_scale=scale)
            case End(reason=reason, val_loss=val_loss):
                self._log("end", event, reason=reason, val_loss=val_loss)
                if reason != "interrupted":
                    self.finish()

    def finish(self) -> bool:
        """Calibrate the best model of a run that is at its end; return whether there was a need.

        It is done once: a run that was killed before makes up for it when it is resumed.
        """
        trainer = self._trainer
        start, stop, end = trainer.train_stop, trainer.val_start, trainer.val_stop
        model = self.best() if start < stop else None
        if model is None or "calibration_temperature" in model.summary:
            return False
        calibrate(model, trainer.corpus, start, stop)
        if end - stop >= 2:
            loss = mean_loss(Network(model.parameters), trainer.corpus, stop, end, TRAINING)
            model.summary["uncalibrated_val_loss"] = model.summary.get("val_loss")
            model.summary["val_loss"] = finite(loss)
        self.keep(model)
        return True

    def _log(self, name: str, event: Event, **more: Any) -> None:
        self._last_log = time.monotonic()
        line = {"event": name, "val_loss": None} | event.log_line()
        self.log(finite(line | more))

    def _with_summary(self, event: Event, val_loss: float | None) -> CharRNN:
        """Return the trainer's model with what is known of its training."""
        trainer, text = self._trainer, self._text
        model = trainer.averaged
        model.summary = finite(
            {
                "text": text["name"],
                "text_length": text["length"],
                "text_sha256": text["sha256"],
                "val_fraction": trainer.config.val_fraction,
                "iteration": event.iteration,
                "epoch": event.epoch,
                "loss": event.loss,
                "val_loss": val_loss,
                "characters": event.characters,
                "seconds": event.seconds,
                "optimizer": trainer.optimizer_name,
                "learning_rate": trainer.config.learning_rate,
                "seq_length": trainer.streams.seq_length,
                "batch_size": trainer.streams.batch_size,
                "backslashes": self._backslashes,
            }
            | ({"rng_seed": trainer.config.rng_seed} if trainer.corpus.ends is not None else {})
        )
        return model


class MemoryRecord(Record):
    """A record in memory.

    lines: the log. state: what the run goes on from, as `read_checkpoint` returns it.
    before: the record of the same run up to there.
    """

    def __init__(
        self, trainer: Trainer, text: dict[str, Any], before: "MemoryRecord | None" = None
    ) -> None:
        super().__init__(trainer, text)
        self.state: State | None = None if before is None else before.state
        self.lines: list[dict[str, Any]] = []
        self._best: CharRNN | None = None
        if before is not None and before.state is not None:
            self.lines = before.lines[: before.state[2][LOG_FILE]]
            self._best = before._best

    def log(self, line: dict[str, Any]) -> None:
        """Add a line to the log."""
        self.lines.append(line)

    def keep(self, model: CharRNN) -> None:
        """Keep a copy of `model`."""
        self._best = model.copy()

    def best(self) -> CharRNN | None:
        """Return a copy of it, for users do with it what they like."""
        return None if self._best is None else self._best.copy()

    def keep_sample(self, event: Sample) -> None:
        """Leave it: whoever wants samples of a run in memory listens to its events."""

    def keep_state(self, event: Checkpoint, model: CharRNN) -> None:
        """Keep it, and how long the log was then."""
        self.state = event.tensors, event.facts, {LOG_FILE: len(self.lines)}


class FolderRecord(Record):
    """A record in the folder of a run."""

    def __init__(self, trainer: Trainer, text: dict[str, Any], folder: Path) -> None:
        super().__init__(trainer, text)
        self._folder = folder

    def log(self, line: dict[str, Any]) -> None:
        """Add a line to log.jsonl."""
        self._append(LOG_FILE, json.dumps(line) + "\n")

    def keep(self, model: CharRNN) -> None:
        """Write model.safetensors."""
        model.save(self._folder / MODEL_FILE)

    def best(self) -> CharRNN | None:
        """Read it."""
        path = self._folder / MODEL_FILE
        return CharRNN.load(path) if path.is_file() else None

    def keep_sample(self, event: Sample) -> None:
        """Add it to samples.txt."""
        self._append(SAMPLES_FILE, f"{event.heading}\n{event.text}\n\n")

    def keep_state(self, event: Checkpoint, model: CharRNN) -> None:
        """Write last.safetensors; it comes last: what it says was done is there."""
        sizes = {name: self._folder / name for name in CUT_FILES}
        written = {n: path.stat().st_size if path.exists() else 0 for n, path in sizes.items()}
        facts = model.facts() | {
            "kind": "checkpoint",
            "trainer": finite(event.facts),
            "written": written,
        }
        save_tensors(self._folder / LAST_FILE, event.tensors, facts)

    def _append(self, name: str, text: str) -> None:
        with (self._folder / name).open("a", encoding="utf-8", newline="") as file:
            file.write(text.encode("utf-8", "replace").decode("utf-8"))
