"""A run is a folder: it can be killed at any instant and goes on to the same bits.

config.json        the settings, and which text it was; there before anything else is learned
model.safetensors  the best model so far by validation loss
last.safetensors   everything to resume from
log.jsonl          one JSON object an event
samples.txt        what the model wrote on the way
start.safetensors  the model that training went on from, where there was one
.lock              locked by the process that trains (training/lock.py)

Who opens a run and makes its trainer changes nothing; what is written, is written by `follow`.
"""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.windows import fit, part_to_train
from char_rnn.errors import CorruptFile, FileError, RunError
from char_rnn.formats import RUN_SETTINGS, RUN_VERSION
from char_rnn.model.network import Network
from char_rnn.scoring import TRAINING, mean_loss
from char_rnn.storage import (
    check_folder,
    read_json,
    remove_leftovers,
    save_tensors,
    write_json,
)
from char_rnn.storage.atomic import is_leftover
from char_rnn.storage.fields import read
from char_rnn.storage.finite import finite
from char_rnn.storage.models import CONFIG_FILE, LAST_FILE, MODEL_FILE, SHIPPED, no_such
from char_rnn.storage.reading import reason, shown
from char_rnn.training.calibration import calibrate
from char_rnn.training.checkpoint import check_own, cut_back, read_checkpoint
from char_rnn.training.events import Checkpoint, Divergence, End, Evaluation, Event, Sample, Step
from char_rnn.training.lock import LOCK_FILE, RunLock
from char_rnn.training.trainer import Trainer

LOG_FILE = "log.jsonl"
SAMPLES_FILE = "samples.txt"
START_FILE = "start.safetensors"
LOG_SECONDS = 2.0
CUT_FILES = (LOG_FILE, SAMPLES_FILE)
WRITTEN_FILES = (CONFIG_FILE, MODEL_FILE, LAST_FILE, *CUT_FILES)
RUNS = Path("runs")
EXERCISE = "train_rnn.py"


class Run:
    """The folder of one training run; it subscribes to the trainer's events.

    It is locked from `create`, `hold` or the beginning of `follow` to the end of `follow`.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], lock: RunLock | None = None) -> None:
        self.folder = folder
        self.settings = settings
        self._lock = lock or RunLock(folder)
        self._kept: dict[str, int] = {}  # of each file the bytes up to the trainer's checkpoint
        self._seen: tuple[int, ...] | None = None  # which checkpoint file that was
        self._last_log = 0.0
        self._trainer: Trainer | None = None

    @classmethod
    def create(
        cls, folder: Path, model: ModelConfig, train: TrainConfig, text: Corpus,
        start: CharRNN | None = None, patterns: Sequence[str] = (), command: str = "",
    ) -> Self:  # fmt: skip
        """Make a new run folder, or make an empty one a run; its config comes last.

        start: a model of `model` and of the text's vocabulary to go on from.
        patterns: with which the text was opened, so that it can be opened again.
        command: which one makes the run, where it is not char-rnn.
        Raises RunError if something is there, or is being made there, or nothing can be.
        """
        settings = {
            "format_version": RUN_VERSION,
            "text": {
                "where": text.where, "name": text.name, "length": text.length,
                "sha256": text.sha256, "bytes": text.vocabulary.kind == "bytes",
                "patterns": list(patterns),
            },
            "model": model.to_dict(),
            "train": train.to_dict(),
            "command": command,
        }  # fmt: skip
        check_new(folder)
        there, lock = folder.exists(), RunLock(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.take()
        except OSError as error:
            raise _not_made(folder, error) from error
        try:
            check_new(folder)  # another process may have been quicker
            there = there or not lock.held
            if start is not None:
                start.save(folder / START_FILE)
            write_json(folder / CONFIG_FILE, settings)
        except BaseException:
            lock.release()
            if not there and not (folder / CONFIG_FILE).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder, settings, lock)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open an existing run folder; raises RunError if it is none, CorruptFile if damaged."""
        if not folder.exists():
            raise RunError(no_such(folder))
        if not (folder / CONFIG_FILE).is_file():
            raise RunError(f"{folder} is not a run folder: it has no {CONFIG_FILE}")
        path = folder / CONFIG_FILE
        settings = read(RUN_SETTINGS, read_json(path), path)
        model, train = settings["model"].to_dict(), settings["train"].to_dict()
        return cls(folder, settings | {"model": model, "train": train})

    @property
    def model_config(self) -> ModelConfig:
        """The network's settings."""
        return ModelConfig.from_dict(self.settings["model"])

    @property
    def train_config(self) -> TrainConfig:
        """The training's settings."""
        return TrainConfig.from_dict(self.settings["train"])

    @property
    def where(self) -> str:
        """Where the text came from."""
        where: str = self.settings["text"]["where"]
        return where

    @property
    def as_bytes(self) -> bool:
        """Whether the text is modelled as bytes."""
        as_bytes: bool = self.settings["text"]["bytes"]
        return as_bytes

    @property
    def patterns(self) -> list[str]:
        """The patterns that chose the files of the text's folder."""
        patterns: list[str] = self.settings["text"]["patterns"]
        return patterns

    @property
    def command(self) -> str:
        """The command that made the run, if it was another one than char-rnn."""
        return EXERCISE if self.settings.get("command") == EXERCISE else ""

    @property
    def start(self) -> CharRNN | None:
        """The model that the run began with, or None if it began with random weights."""
        path = self.folder / START_FILE
        return CharRNN.load(path) if path.is_file() else None

    @property
    def model_path(self) -> Path:
        """The best model."""
        return self.folder / MODEL_FILE

    def hold(self) -> None:
        """Lock the run, so that nothing else trains in it; raise RunError if something does."""
        self._lock.take()

    def release(self) -> None:
        """Let others train in it."""
        self._lock.release()

    def trainer(self, corpus: Corpus, train: TrainConfig | None = None) -> Trainer:
        """Return a trainer at the run's last checkpoint, or at its start if there is none.

        train: settings that replace the run's own (a longer run, say), from `follow` on.
        Raises RunError if the text is no longer the one that the run began with, or a file that
        the run writes lies elsewhere too; CorruptFile if what it goes on from does not fit.
        """
        text = self.settings["text"]
        if corpus.sha256 != text["sha256"]:
            raise RunError(
                f"the text {self.where} has changed since the run began ({text['length']:,} "
                f"characters then, {corpus.length:,} now); put the old text back or begin a new run"
            )
        train, config, last = train or self.train_config, self.model_config, self.folder / LAST_FILE
        if config.vocab_size != corpus.vocabulary.size:
            raise CorruptFile(
                f"{self.folder / CONFIG_FILE}: model.vocab_size is {config.vocab_size:,}; the text "
                f"has {corpus.vocabulary.size:,} distinct characters"
            )
        check_own(self.folder, WRITTEN_FILES)
        # Before anything of the size that the config claims is made.
        length = part_to_train(corpus.length, train.val_fraction, train.calibration)
        batch_size = fit(length, train.batch_size, train.seq_length)[0]
        self._seen = _stamp(last)
        saved = read_checkpoint(last, config, batch_size, CUT_FILES) if last.is_file() else None
        rng = np.random.default_rng(train.rng_seed)
        model = self.start or CharRNN.from_config(config, corpus.vocabulary, rng)
        if (model.config, model.vocabulary) != (config, corpus.vocabulary):
            raise CorruptFile(f"{self.folder / START_FILE} is a model of another run")
        trainer = Trainer(model, corpus, train, rng)
        self._kept = dict.fromkeys(CUT_FILES, 0)
        if saved is not None:
            tensors, state, self._kept = saved
            trainer.restore(tensors, state, str(last))
        if self._lock.note:
            trainer.notes.append(self._lock.note)
        return trainer

    def follow(self, trainer: Trainer) -> Iterator[Event]:
        """Pass on the events of `trainer`, which `trainer()` has made, writing each down first.

        A trainer that is over yields nothing, and nothing is written.
        """
        if trainer.over:
            return
        self.hold()
        try:
            self._begin(trainer)
            for event in trainer:
                self.handle(event)
                yield event
        finally:
            self.release()

    def _begin(self, trainer: Trainer) -> None:
        """Put the folder where the trainer is, and write down settings that are new."""
        if _stamp(self.folder / LAST_FILE) != self._seen:
            raise RunError(
                f"{shown(self.folder)} has been trained since this trainer was made; take a new "
                "one from Run.trainer"
            )
        self._trainer = trainer
        remove_leftovers(self.folder, older_than=0)
        for name, size in self._kept.items():
            cut_back(self.folder / name, size)
        if trainer.config != self.train_config:
            # So that the run, interrupted again, goes on to its new end.
            self.settings["train"] = trainer.config.to_dict()
            write_json(self.folder / CONFIG_FILE, self.settings)

    def handle(self, event: Event) -> None:
        """Write down what `event` tells."""
        match event:
            case Step(skipped=skipped):
                now = time.monotonic()
                if skipped or now - self._last_log > LOG_SECONDS:
                    self._log("skipped" if skipped else "step", event)
            case Evaluation(val_loss=val_loss, best=best):
                self._log("evaluation", event, val_loss=val_loss, best=best)
                if best:
                    self._save_model(event, val_loss)
            case Sample(text=text):
                self._log("sample", event)
                loss = "" if event.loss is None else f" (loss={event.loss:.3f})"
                self._append(SAMPLES_FILE, f"Iter {event.iteration}{loss}:\n{text}\n\n")
            case Checkpoint():
                self._save_checkpoint(event)
            case Divergence(rate_scale=scale):
                self._log("divergence", event, rate_scale=scale)
            case End(reason=reason, val_loss=val_loss):
                self._log("end", event, reason=reason, val_loss=val_loss)
                if reason != "interrupted":
                    assert self._trainer is not None
                    self.finish(self._trainer)

    def finish(self, trainer: Trainer) -> bool:
        """Calibrate the best model of a run that is at its end; return whether there was a need.

        It is done once: a run that was killed before makes up for it when it is resumed.
        """
        start, stop, end = trainer.train_stop, trainer.val_start, trainer.val_stop
        if start == stop or not self.model_path.is_file():
            return False
        model, corpus = CharRNN.load(self.model_path), trainer.corpus
        if "calibration_temperature" in model.summary:
            return False
        calibrate(model, corpus, start, stop)
        if end - stop >= 2:
            loss = mean_loss(Network(model.parameters), corpus, stop, end, TRAINING)
            model.summary["uncalibrated_val_loss"] = model.summary.get("val_loss")
            model.summary["val_loss"] = finite(loss)
        model.save(self.model_path)
        return True

    def _log(self, name: str, event: Event, **more: Any) -> None:
        self._last_log = time.monotonic()
        keys = ("iteration", "epoch", "loss", "grad_norm", "learning_rate", "characters", "seconds")
        line = {"event": name} | {key: getattr(event, key) for key in keys}
        line = {"event": name, "val_loss": None} | line | more
        self._append(LOG_FILE, json.dumps(finite(line)) + "\n")

    def _append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8", newline="") as file:
            file.write(text.encode("utf-8", "replace").decode("utf-8"))

    def _save_model(self, event: Event, val_loss: float | None) -> None:
        assert self._trainer is not None
        model = self._trainer.averaged
        model.summary = self._summary(event, val_loss)
        model.save(self.model_path)

    def _summary(self, event: Event, val_loss: float | None) -> dict[str, Any]:
        text, train = self.settings["text"], self._trainer
        assert train is not None
        summary: dict[str, Any] = finite({
            "text": text["name"], "text_length": text["length"],
            "text_sha256": text["sha256"], "val_fraction": train.config.val_fraction,
            "iteration": event.iteration,
            "epoch": event.epoch, "loss": event.loss, "val_loss": val_loss,
            "characters": event.characters, "seconds": event.seconds,
            "optimizer": train.config.optimizer, "learning_rate": train.config.learning_rate,
            "seq_length": train.streams.seq_length, "batch_size": train.streams.batch_size,
        })  # fmt: skip
        return summary

    def _save_checkpoint(self, event: Checkpoint) -> None:
        assert self._trainer is not None
        best = self._trainer.best_val_loss
        model = self._trainer.averaged
        model.summary = self._summary(event, event.facts["val_loss"])
        written = {
            name: (self.folder / name).stat().st_size if (self.folder / name).exists() else 0
            for name in (LOG_FILE, SAMPLES_FILE)
        }
        facts = model.facts() | {
            "kind": "checkpoint", "trainer": finite(event.facts), "written": written,
        }  # fmt: skip
        # The checkpoint comes last: what it says was done is there.
        if best is None:  # without validation the newest model is the best there is
            model.save(self.model_path)
        save_tensors(self.folder / LAST_FILE, event.tensors, facts)


def check_new(folder: Path) -> None:
    """Raise RunError if no new run could be made in `folder`; it may be there and be empty."""
    try:
        check_folder(folder)
        taken = folder.is_dir() and any(not _of_making(path.name) for path in folder.iterdir())
    except (FileError, OSError) as error:
        raise RunError(f"cannot make a run folder: {error}") from error
    if taken:
        if (folder / LOCK_FILE).is_file():
            lock = RunLock(folder)
            lock.take()  # if it is in use, that is what to say
            lock.release()
        resume = f", or go on with it (--resume {shown(folder)})"
        raise RunError(
            f"{shown(folder)} exists already; choose another folder (--out)"
            + (resume if (folder / CONFIG_FILE).is_file() else "")
        )


def _of_making(name: str) -> bool:
    """Tell whether a run that is only being made, or was never finished being made, holds this."""
    return name in (LOCK_FILE, START_FILE) or is_leftover(name)


def _not_made(folder: Path, error: OSError) -> RunError:
    return RunError(f"cannot make the run folder {shown(folder)}: {reason(error)}")


def new_folder(name: str) -> Path:
    """Make a new folder in `RUNS`, named by `name` and the time, and return it."""
    stem = RUNS / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, n = stem, 1
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            n += 1
            folder = stem.with_name(f"{stem.name}-{n}")
        except OSError as error:
            raise _not_made(folder, error) from error


def newest_run_or_shipped(folder: Path = RUNS) -> Path:
    """Return the newest run in `folder`, or the name of the model in the package."""
    try:
        return newest_run(folder)
    except RunError:
        return Path(SHIPPED)


def newest_run(folder: Path = RUNS) -> Path:
    """Return the run folder in `folder` whose model was written last."""
    models = [*folder.glob(f"*/{MODEL_FILE}"), *folder.glob(f"*/{LAST_FILE}")]
    if not models:
        raise RunError(f"there is no model in {folder}; name one, or make one: char-rnn train")
    return max(models, key=lambda path: path.stat().st_mtime_ns).parent


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes when the file is written anew, None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
