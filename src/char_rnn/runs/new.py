"""A new run: from settings, a text, a plan, and perhaps a model that is there."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.config import LENGTHS, PLANNED, ModelConfig, TrainConfig
from char_rnn.data.corpus import Corpus
from char_rnn.data.form import Form
from char_rnn.data.given import ITSELF, GivenText, as_source
from char_rnn.data.sources import STDIN, Source
from char_rnn.data.vocabulary import AnyVocabulary, ByteVocabulary, Vocabulary
from char_rnn.data.windows import fit
from char_rnn.errors import UsageError, did_you_mean
from char_rnn.model.blas import available_threads
from char_rnn.recipes import TRAIN_RECIPE, Recipe
from char_rnn.runs.folder import RUNS, check_new, new_folder
from char_rnn.runs.lists import list_advice
from char_rnn.runs.plan import Plan, make_plan
from char_rnn.runs.room import check_room
from char_rnn.runs.rules import check, unheard
from char_rnn.runs.run import Run
from char_rnn.storage import check_folder
from char_rnn.storage.reading import StrPath, as_path
from char_rnn.text_config import DOCUMENT_KINDS, TextConfig
from char_rnn.training.own import Own, named
from char_rnn.training.team import ALONE, Team
from char_rnn.training.trainer import Trainer
from char_rnn.training.validation import MOST_VALIDATION

OF_TEXT = ("vocab_size", "end")
"""The settings of a model that come from its vocabulary, and so from the text."""
MODEL_FIELDS = frozenset(field.name for field in dataclasses.fields(ModelConfig)) - {*OF_TEXT}
TRAIN_FIELDS = frozenset(field.name for field in dataclasses.fields(TrainConfig))
TEXT_FIELDS = frozenset(field.name for field in dataclasses.fields(TextConfig))
FINE_TUNING = 0.5
ADVISED = 1 << 16  # characters that are looked at for advice
MOST_PLANNING = 0.3  # of the time there is


class NewRun:
    """A run that is about to begin.

    Made, its settings are checked and its text is read; `plan` chooses what nobody has set; `make`
    makes the run. Each says what is wrong before anything is made of it.

    given: settings by the names of ModelConfig, TrainConfig and TextConfig; others do not count.
    out: its folder, None for a new one in runs/. save: whether it has one at all.
    start_from: a model to go on from, or where it is.
    recipe: the settings where nobody says anything.
    tell: is called with what the user should know before the text is read, which goes into `notes`
        else.
    team: with whom it is trained: each member makes one of the same. The leader's has a folder and
        a plan; in what goes wrong with one, all end.

    corpus, start: the text and the model, which have one vocabulary by now.
    added: a sentence on the characters that the model did not know, "" for none.
    reasons: of the plan. notes: what the user should know.
    """

    def __init__(
        self,
        text: GivenText | Corpus,
        given: Mapping[str, Any],
        *,
        out: Path | None = None,
        save: bool = True,
        start_from: CharRNN | StrPath | None = None,
        recipe: Recipe = TRAIN_RECIPE,
        tell: Callable[[str], object] | None = None,
        team: Team = ALONE,
    ) -> None:
        self._team, self._recipe = team, recipe
        self._out, self._save = out if team.leads else None, save and team.leads
        self._given = dict(given)
        with team.together():
            self._begin(text, start_from, tell)
        team.check_same("the text", self.corpus.sha256)
        start = None if self.start is None else self.start.parameters.flat.tobytes()
        team.check_same("the model to start from", start and hashlib.blake2b(start).hexdigest())

    def _begin(
        self,
        text: GivenText | Corpus,
        start_from: CharRNN | StrPath | None,
        tell: Callable[[str], object] | None,
    ) -> None:
        given, recipe, save = self._given, self._recipe, self._save
        self.train = _train_config(given, recipe)
        self.model: dict[str, Any] = {
            "cell": recipe.cell,
            "hidden_size": recipe.hidden_size,
            "layers": recipe.layers,
        } | {name: value for name, value in given.items() if name in MODEL_FIELDS}
        self.start: CharRNN | None = None
        self.added = ""
        self.reasons: list[str] = []
        self.notes: list[str] = []
        self._spent = 0.0  # seconds of planning
        self._check_place()
        if start_from is not None:
            self.start = _start_model(start_from, given)
            self.model = self.start.config.to_dict()
            for name in OF_TEXT:
                del self.model[name]
        self.reading = self._reading(text)
        # What a plan leaves as it is.
        self._settled = self._given | (self.model if self.start is not None else {})
        open_ = PLANNED - self._settled.keys() if self.train.minutes else frozenset()
        sure = self.model | self.train.to_dict() | self.reading.to_dict()
        check(given, {name: sure[name] for name in sure.keys() - open_})
        if save and _of_stdin(text):  # before it is read, which may take long
            (tell or self.notes.append)(
                "standard input cannot be read again: this run cannot be resumed "
                "unless the same text is piped in again"
            )
        self._source: Source | None = None
        self.corpus = self._read(text)
        if self.start is not None:
            self._extend(self.start)
        if self.corpus.ends is None and (advice := list_advice(self.corpus.preview(ADVISED))):
            self.notes.append(advice)

    def plan(self) -> None:
        """Choose for the time there is what nobody has set, and measure this machine for it."""
        with self._team.together():
            self._check_room()
        if self.train.minutes is not None:
            with self._team.together():
                plan = self._made_plan(self.train.minutes) if self._team.leads else None
            plan = self._team.told(plan)
            assert plan is not None
            self._spent, self.reasons = plan.seconds, plan.reasons
            self.model = self.model | plan.model
            self.train = dataclasses.replace(self.train, **plan.train)
            self.notes += unheard(self._given, self.model | self.train.to_dict())
        if self.start is not None and "learning_rate" not in self._settled:
            # What is there already must not be thrown away by the first large steps.
            rate = self.train.learning_rate * FINE_TUNING
            self.train = dataclasses.replace(self.train, learning_rate=rate)
        with self._team.together():
            self._check_room()

    def make(self, command: str = "", **own: Unpack[Own]) -> tuple[Run, Trainer]:
        """Make the run and its trainer, with what is its `own`.

        command: which one makes it, where it is not char-rnn.
        """
        corpus = self.corpus
        own["team"] = self._team
        with self._team.together():
            run = self._made_run(command, own)
        run.notes = [*corpus.notes, *self.notes]
        try:
            trainer = run.trainer(corpus, **own)
        except BaseException:
            run.release()
            raise
        # On a busy machine planning may take long; most of the time is for training all the same.
        trainer.budget.elapsed = min(self._spent, MOST_PLANNING * 60 * (self.train.minutes or 0))
        return run, trainer

    def _made_run(self, command: str, own: Own) -> Run:
        corpus = self.corpus
        vocabulary = corpus.vocabulary
        model = ModelConfig(vocabulary.size, end=vocabulary.end, **self.model)
        if self._save:
            name = f"{corpus.name}-{model.cell}{model.hidden_size}"
            return Run.create(
                self._out or new_folder(name),
                model,
                self.train,
                corpus,
                self.start,
                command,
                self._copy(),
                named(own, self.train),
            )
        return Run.in_memory(model, self.train, corpus, self.start)

    def _check_place(self) -> None:
        """Raise what is wrong before the text is read, which may take long."""
        check_room(ModelConfig(vocab_size=1, **self.model), self.train)
        if self._out is not None:
            check_new(self._out)
        elif self._save:
            check_folder(RUNS)

    def _check_room(self) -> None:
        train, V = self.train, self.corpus.vocabulary.size
        length = self.corpus.parts(train.val_fraction, train.calibration).train_stop
        check_room(ModelConfig(vocab_size=V, **self.model), train, length)
        if self._team.size > 1:  # before there is a folder
            self._team.check_shares(fit(length, train.batch_size, train.seq_length)[0])

    def _reading(self, text: GivenText | Corpus) -> TextConfig:
        """Return how the text is read; raise UsageError where that is settled."""
        said = {name: self._given[name] for name in TEXT_FIELDS & self._given.keys()}
        if isinstance(text, Corpus):
            if said:
                names = " and ".join(f"--{name}" for name in sorted(said))
                raise UsageError(
                    f"a text is read with {names}, and a Corpus has been read; leave that out"
                )
            return text.config
        reading = TextConfig(**said)
        old = None if self.start is None else self.start.vocabulary
        if old is not None:  # what it knows is as it was read
            reading = _as_before(reading, old)
        if reading.bytes is None:
            # Bytes in an encoding are a text.
            as_bytes = isinstance(text, bytes) and not reading.encoding
            as_bytes = as_bytes or isinstance(old, ByteVocabulary)
            reading = dataclasses.replace(reading, bytes=as_bytes)
        return reading

    def _read(self, text: GivenText | Corpus) -> Corpus:
        if isinstance(text, Corpus):
            return text
        self._source = as_source(text, self.reading)
        corpus, documents = Corpus.from_source(self._source), self.reading.documents
        alone = corpus.ends is not None and len(corpus.ends) == 2  # END, the one, END
        if alone and "documents" in self._given and documents not in DOCUMENT_KINDS:
            raise UsageError(
                f"documents are separated by {documents!r}, which {corpus.name} does not have"
                f"{did_you_mean(documents, DOCUMENT_KINDS)}; they are {', '.join(DOCUMENT_KINDS)}, "
                "or the text that stands between two"
            )
        return corpus

    def _extend(self, start: CharRNN) -> None:
        """Give model and corpus one vocabulary: the model's and what the text adds."""
        old, of_text = start.vocabulary, self.corpus.vocabulary
        rng = np.random.default_rng(self.train.rng_seed)
        if isinstance(old, ByteVocabulary) and isinstance(of_text, ByteVocabulary):
            self.start = start.extended(of_text, rng)  # by the end of documents, if by anything
            return
        if not (isinstance(old, Vocabulary) and isinstance(of_text, Vocabulary)):
            if self._source is not None:
                other = "--characters" if isinstance(old, ByteVocabulary) else "--bytes"
                raise UsageError(
                    f"{other}: the model to start from knows "
                    f"{'characters' if other == '--bytes' else 'bytes'}; leave {other} out"
                )
            raise UsageError(
                f"the Corpus is of {of_text.kind}, and the model to start from knows other "
                "symbols; hand over the text itself"
            )
        new = [c for c in of_text.chars if c not in old]
        vocabulary = Vocabulary(
            "".join([*old.chars, *new]),
            normalize=self.corpus.config.normalize,
            lowercase=self.corpus.config.lowercase,
            rare=old.rare is not None or of_text.rare is not None,
            documents=of_text.documents,
        )
        if new:
            self.added = (
                f"{len(new)} characters, {''.join(new[:40])!r}; they begin with random weights"
            )
        if self._source is not None:
            self.corpus = Corpus.from_source(self._source, vocabulary=vocabulary)
        elif vocabulary != of_text:
            self.corpus = self.corpus.recoded(vocabulary)
        self.start = start.extended(vocabulary, rng)

    def _made_plan(self, minutes: float) -> Plan:
        corpus, train = self.corpus, self.train
        assert train.threads is not None
        threads = train.threads * self._team.size
        length, start, stop = corpus.parts(train.val_fraction, train.calibration)
        held_out = min(stop - start, MOST_VALIDATION)
        V, documents = corpus.vocabulary.size, 0
        if corpus.ends is not None:
            documents = int((corpus.ends < length).sum())
        return make_plan(length, held_out, V, minutes, threads, self._settled, documents=documents)

    def _copy(self) -> bytes | None:
        """Return the text itself, if it lies nowhere else."""
        if self._source is not None:
            own = self._source.where == ITSELF
            return b"".join(self._source.byte_chunks()) if own else None
        return None if self.corpus.where else self.corpus.to_bytes()


def _as_before(reading: TextConfig, old: AnyVocabulary) -> TextConfig:
    """Return `reading` with the form and the documents of `old`, unless it has such itself."""
    form = old.form if isinstance(old, Vocabulary) else Form()
    return dataclasses.replace(
        reading,
        documents=reading.documents or old.documents,
        normalize=reading.normalize or form.normalize,
        lowercase=reading.lowercase or form.lowercase,
    )


def _of_stdin(text: GivenText | Corpus) -> bool:
    where = text.where if isinstance(text, Corpus) else text
    return (where if isinstance(where, list | tuple) else [where]).count(STDIN) == 1


def _train_config(given: Mapping[str, Any], recipe: Recipe) -> TrainConfig:
    settings = {name: value for name, value in given.items() if name in TRAIN_FIELDS}
    if any(name in given for name in LENGTHS):
        settings = dict.fromkeys(LENGTHS) | settings
    train = dataclasses.replace(recipe.train, **settings)
    if train.threads is None:  # written down, so that a resumed run computes the same bits
        train = dataclasses.replace(train, threads=available_threads())
    return train


def _start_model(start_from: CharRNN | StrPath, given: Mapping[str, Any]) -> CharRNN:
    fixed = MODEL_FIELDS & given.keys()
    if fixed:
        raise UsageError(
            f"{', '.join('--' + name for name in sorted(fixed))} cannot be chosen with "
            "--start_from: the model has it already; leave it out"
        )
    model = start_from
    if not isinstance(model, CharRNN):
        model = CharRNN.load(as_path("start_from", model))
    if model.vocabulary is None:
        name = model if isinstance(start_from, CharRNN) else start_from
        raise UsageError(f"{name} has no vocabulary; there is nothing to start from")
    return model
