"""A run: what one training left. It can be killed at any instant and goes on to the same bits.

Who opens a run and makes its trainer changes nothing; what is written, is written by `follow`.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.given import GivenText
from char_rnn.data.parts import Where, where_shown
from char_rnn.data.windows import fit
from char_rnn.errors import CharRNNError, CorruptFile, RunError, UsageError
from char_rnn.formats import RUN_VERSION
from char_rnn.runs.checkpoint import check_own, cut_back, read_checkpoint
from char_rnn.runs.curves import Curves, curves_of, read_curves
from char_rnn.runs.folder import (
    CUT_FILES,
    EXERCISE,
    START_FILE,
    TEXT_FILE,
    WRITTEN_FILES,
    check_new,
    not_made,
    read_settings,
    stamp,
)
from char_rnn.runs.lock import RunLock
from char_rnn.runs.record import FolderRecord, MemoryRecord, Record
from char_rnn.runs.score import Score, score_of
from char_rnn.runs.scored_text import scored_text
from char_rnn.runs.text import OwnText
from char_rnn.runs.words import in_python, worded_for_python
from char_rnn.storage import remove_leftovers, write_bytes, write_json
from char_rnn.storage.models import CONFIG_FILE, LAST_FILE, MODEL_FILE
from char_rnn.storage.reading import StrPath, as_path, shown
from char_rnn.training.events import Event
from char_rnn.training.own import Own, check_same
from char_rnn.training.team import ALONE
from char_rnn.training.trainer import Trainer
from char_rnn.training.validation import MOST_VALIDATION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_MEMORY = "the run in memory"


class Run:
    """One training run: its best model, its curves, and how well it knows its text.

    folder: where it is kept (runs/folder.py), None for a run in memory.
    settings: what its config says.
    notes: sentences on what was planned and changed, and on how to go on.

    It is locked from `create`, `hold` or the beginning of `follow` to the end of `follow`.
    """

    def __init__(
        self, folder: Path | None, settings: dict[str, Any], lock: RunLock | None = None
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.notes: list[str] = []
        self._lock = lock or (None if folder is None else RunLock(folder))
        self._kept: dict[str, int] = {}  # of each file the bytes up to the trainer's checkpoint
        self._seen: tuple[int, ...] | None = None  # which checkpoint file that was
        self._record: Record | None = None
        self._start: CharRNN | None = None  # of a run in memory
        self._corpus: Corpus | None = None
        self._model: CharRNN | None = None

    @classmethod
    def create(
        cls,
        folder: Path,
        model: ModelConfig,
        train: TrainConfig,
        text: Corpus,
        start: CharRNN | None = None,
        command: str = "",
        copy: bytes | None = None,
        own: Mapping[str, str] | None = None,
    ) -> Self:
        """Make a new run folder, or make an empty one a run; its config comes last.

        start: a model of `model` and of the text's vocabulary to go on from.
        command: which one makes the run, where it is not char-rnn.
        copy: the text itself, to be kept in the folder, where it cannot be opened again.
        own: the optimiser and the schedule, where they are the user's own (training/own.py).
        Raises RunError if something is there, or is being made there, or nothing can be.
        """
        where = text.where if copy is None else TEXT_FILE
        settings = _settings(model, train, text, where, command)
        settings |= {"own": dict(own)} if own else {}
        check_new(folder)
        there, lock = folder.exists(), RunLock(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.take()
        except OSError as error:
            raise not_made(folder, error) from error
        try:
            check_new(folder)  # another process may have been quicker
            there = there or not lock.held
            if start is not None:
                start.save(folder / START_FILE)
            if copy is not None:
                write_bytes(folder / TEXT_FILE, copy)
            write_json(folder / CONFIG_FILE, settings)
        except BaseException:
            lock.release()
            if not there and not (folder / CONFIG_FILE).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder, settings, lock)

    @classmethod
    def in_memory(
        cls, model: ModelConfig, train: TrainConfig, text: Corpus, start: CharRNN | None = None
    ) -> Self:
        """Return a new run that writes nothing; see `create`."""
        run = cls(None, _settings(model, train, text, text.where))
        run._start = start
        return run

    @classmethod
    def open(cls, folder: StrPath) -> Self:
        """Open an existing run folder; raises RunError if it is none, CorruptFile if damaged."""
        path = as_path("folder", folder)
        return cls(path, read_settings(path))

    def __repr__(self) -> str:
        config, place = self.model_config, IN_MEMORY
        parts = [f"{config.layers} × {config.cell} {config.hidden_size}", f"text {self.text.name}"]
        try:
            curves = self.curves
        except CharRNNError:  # nothing was logged yet
            curves = None
        if curves is not None and len(curves.loss):
            parts.append(f"{curves.loss.iterations[-1]:,} iterations")
        if curves is not None and curves.best is not None:
            parts.append(f"validation {curves.best[1]:.4f}")
        if self.folder is not None:
            place = shown(self.folder)
        return f"Run({place}: {', '.join(parts)})"

    # What it was asked for.

    @property
    def model_config(self) -> ModelConfig:
        """The network's settings."""
        return ModelConfig.from_dict(self.settings["model"])

    @property
    def train_config(self) -> TrainConfig:
        """The training's settings."""
        return TrainConfig.from_dict(self.settings["train"])

    @property
    def text(self) -> OwnText:
        """Which text it trains on."""
        return OwnText.of_settings(self.settings, self.folder)

    @property
    def command(self) -> str:
        """The command that made the run, if it was another one than char-rnn."""
        return EXERCISE if self.settings.get("command") == EXERCISE else ""

    @property
    def start(self) -> CharRNN | None:
        """The model that the run began with, or None if it began with random weights."""
        if self.folder is None:
            return None if self._start is None else self._start.copy()
        path = self.folder / START_FILE
        return CharRNN.load(path) if path.is_file() else None

    # What came of it.

    @property
    def model(self) -> CharRNN:
        """The best model so far; loaded once. Raises RunError where there is none yet."""
        if self._model is None:
            if self.folder is not None:
                self._model = CharRNN.load(self.folder)
            else:
                self._model = self._record.best() if self._record is not None else None
        if self._model is None:
            raise RunError(f"{IN_MEMORY} has no model yet; train it")
        return self._model

    @property
    def model_path(self) -> Path:
        """The file of the best model."""
        if self.folder is None:
            raise RunError(f"{IN_MEMORY} has no files; save its model: run.model.save(path)")
        return self.folder / MODEL_FILE

    @property
    def curves(self) -> Curves:
        """Losses, learning rate and gradient norm so far, as the log has them."""
        if self.folder is not None:
            return read_curves(self.folder)
        lines = self._record.lines if isinstance(self._record, MemoryRecord) else []
        return curves_of(self.text.name, lines)

    @worded_for_python()
    def evaluate(self, text: GivenText | Corpus | None = None) -> Score:
        """Return how well the best model knows its validation part, or another `text`.

        text: as for `char_rnn.train`. Of the run's own text only what it was not trained on counts.
        Raises UsageError where nothing is left to score.
        """
        if text is None:
            return self._validation_score()
        found = scored_text(self.model, text, own=self.text)
        notes = [in_python(note) for note in found.notes]
        return score_of(self.model, found.corpus, found.start, None, found.reason, notes)

    def _validation_score(self) -> Score:
        corpus = self.corpus()
        _, start, stop = corpus.parts(self.train_config.val_fraction)
        if start == stop:
            raise UsageError(
                f"{corpus.name} has no validation part in this run; name a text: evaluate(text)"
            )
        # As much of it as training looks at, so that the figures agree.
        stop = min(stop, start + MOST_VALIDATION)
        return score_of(self.model, corpus, start, stop, "the validation part", ())

    def plot(self) -> "Figure":
        """Return a figure of losses, learning rate and gradient norm (the extra `plots`)."""
        from char_rnn.runs.picture import run_figure

        return run_figure(self.curves)

    # Training in it.

    def corpus(self) -> Corpus:
        """Return the run's text, opened again if it is not open.

        Raises a DataError where it is no longer there; `trainer` tells whether it has changed.
        """
        if self._corpus is None:
            text, start = self.text, self.start
            vocabulary = None if start is None else start.vocabulary
            corpus = Corpus.from_source(text.source(), vocabulary=vocabulary)
            self._corpus = corpus.shuffled(self.train_config.rng_seed)
        return self._corpus

    def hold(self) -> None:
        """Lock the run, so that nothing else trains in it; raise RunError if something does."""
        if self._lock is not None:
            self._lock.take()

    def release(self) -> None:
        """Let others train in it."""
        if self._lock is not None:
            self._lock.release()

    def trainer(
        self, corpus: Corpus, train: TrainConfig | None = None, **own: Unpack[Own]
    ) -> Trainer:
        """Return a trainer at the run's last checkpoint, or at its start if there is none.

        train: settings that replace the run's own (a longer run, say), from `follow` on.
        own: optimizer, schedule, callbacks and team, as `Trainer` takes them.
        Raises RunError if the text is no longer the one that the run began with, or it began with
        another own optimiser or schedule, or a file that the run writes lies elsewhere too;
        CorruptFile if what it goes on from does not fit.
        """
        with own.get("team", ALONE).together():
            return self._made_trainer(corpus, train or self.train_config, own)

    def _made_trainer(self, corpus: Corpus, train: TrainConfig, own: Own) -> Trainer:
        config = self.model_config
        self._check_text(corpus)
        corpus = corpus.shuffled(train.rng_seed)
        saved, last, start_file = None, Path(LAST_FILE), Path(START_FILE)
        if self.folder is not None:
            check_own(self.folder, WRITTEN_FILES)
            # Before anything of the size that the config claims is made.
            length = corpus.parts(train.val_fraction, train.calibration).train_stop
            batch_size = fit(length, train.batch_size, train.seq_length)[0]
            last, start_file = self.folder / LAST_FILE, self.folder / START_FILE
            self._seen = stamp(last)
            if last.is_file():
                saved = read_checkpoint(last, config, batch_size, CUT_FILES)
        elif isinstance(self._record, MemoryRecord):
            saved = self._record.state
        rng = np.random.default_rng(train.rng_seed)
        model = self.start or self._first_model(corpus, train, rng)
        if (model.config, model.vocabulary) != (config, corpus.vocabulary):
            raise CorruptFile(f"{start_file} is a model of another run")
        trainer = Trainer(model, corpus, train, rng, **own)
        if "own" in self.settings:
            check_same(trainer.own, self.settings["own"], self._config_file)
        self._kept = dict.fromkeys(CUT_FILES, 0)
        if saved is not None:
            tensors, state, self._kept = saved
            trainer.restore(tensors, state, str(last))
        if self._lock is not None and self._lock.note:
            trainer.notes.append(self._lock.note)
        self._corpus = corpus
        return trainer

    def _first_model(self, corpus: Corpus, train: TrainConfig, rng: np.random.Generator) -> CharRNN:
        """Return the model that a run begins with that starts from none."""
        model = CharRNN.from_config(self.model_config, corpus.vocabulary, rng)
        if train.count_bias:
            stop = corpus.parts(train.val_fraction, train.calibration).train_stop
            model.parameters["out.bias"] = corpus.log_shares(stop)
        return model

    @property
    def _config_file(self) -> Path:
        return Path(CONFIG_FILE) if self.folder is None else self.folder / CONFIG_FILE

    def _check_text(self, corpus: Corpus) -> None:
        text, V, end = self.text, self.model_config.vocab_size, self.model_config.end
        if corpus.sha256 != text.sha256:
            raise RunError(
                f"the text {where_shown(text.where)} has changed since the run began "
                f"({text.length:,} characters then, {corpus.length:,} now); put the old text back, "
                "or begin a new run"
            )
        if corpus.vocabulary.size != V:
            raise CorruptFile(
                f"{self._config_file}: model.vocab_size is {V:,}; the text has "
                f"{corpus.vocabulary.size:,} distinct characters"
            )
        if corpus.vocabulary.end != end:
            raise CorruptFile(
                f"{self._config_file}: model.end is {end}; that of the text is "
                f"{getattr(corpus.vocabulary, 'end', None)}"
            )

    def follow(self, trainer: Trainer) -> Iterator[Event]:
        """Pass on the events of `trainer`, which `trainer()` has made, writing each down first.

        A trainer that is over yields nothing, and nothing is written. Of a team the leader writes.
        """
        if not trainer.team.leads:
            yield from trainer
            return
        if trainer.over:
            self.release()
            return
        self.hold()
        try:
            self._begin(trainer)
            record = self._record = self._new_record(trainer)
            for event in trainer:
                record.handle(event)
                yield event
        finally:
            self._model = None  # there may be a better one
            self.release()

    def finish(self, trainer: Trainer) -> bool:
        """Calibrate the best model of a run that is at its end, if that was not done yet.

        Returns whether there was a need, as where a run was killed just before.
        """
        self._model = None
        self._record = self._new_record(trainer)
        return self._record.finish()

    def _new_record(self, trainer: Trainer) -> Record:
        text, before = self.settings["text"], self._record
        if self.folder is not None:
            return FolderRecord(trainer, text, self.folder)
        return MemoryRecord(trainer, text, before if isinstance(before, MemoryRecord) else None)

    def _begin(self, trainer: Trainer) -> None:
        """Put the folder where the trainer is, and write down settings that are new."""
        if self.folder is not None:
            if stamp(self.folder / LAST_FILE) != self._seen:
                raise RunError(
                    f"{shown(self.folder)} has been trained since this trainer was made; take a "
                    "new one from Run.trainer"
                )
            remove_leftovers(self.folder, older_than=0)
            for name, size in self._kept.items():
                cut_back(self.folder / name, size)
        if trainer.config != self.train_config or trainer.own != self.settings.get("own", {}):
            # So that the run, interrupted again, goes on to its new end, with what it began with.
            self.settings["train"] = trainer.config.to_dict()
            self.settings |= {"own": trainer.own} if trainer.own else {}
            if self.folder is not None:
                write_json(self.folder / CONFIG_FILE, self.settings)


def _settings(
    model: ModelConfig, train: TrainConfig, text: Corpus, where: Where, command: str = ""
) -> dict[str, Any]:
    """Return what the config of a run says."""
    return {
        "format_version": RUN_VERSION,
        "text": {
            "where": where,
            "name": text.name,
            "length": text.length,
            "sha256": text.sha256,
            "reading": text.config.to_dict(),
        },
        "model": model.to_dict(),
        "train": train.to_dict(),
        "command": command,
    }
