"""Which text a run or a model was trained on, and its symbols."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.builtin import BUILTIN
from char_rnn.data.corpus import Corpus
from char_rnn.data.form import Form
from char_rnn.data.given import GivenText, as_source
from char_rnn.data.parts import Where, where_shown
from char_rnn.data.sources import STDIN, Source, open_source
from char_rnn.data.vocabulary import AnyVocabulary, Vocabulary, code_points
from char_rnn.errors import TextNotFound, UnknownCharacters, UsageError
from char_rnn.runs.folder import TEXT_FILE, read_settings
from char_rnn.storage.models import CONFIG_FILE
from char_rnn.text_config import TextConfig

Array = np.ndarray


@dataclass(frozen=True)
class OwnText:
    """Which text a run was trained on, as its config tells.

    where: the absolute path, a built-in name, "-" for standard input, or `TEXT_FILE` for the copy
        in the run's `folder`; of several texts a tuple.
    reading: how it is read.
    """

    where: Where
    name: str
    length: int
    sha256: str
    reading: TextConfig
    folder: Path | None = None

    @classmethod
    def of_settings(cls, settings: dict[str, Any], folder: Path | None) -> "OwnText":
        """Return the text that the config of the run in `folder` names."""
        text = settings["text"]
        return cls(
            text["where"] if isinstance(text["where"], str) else tuple(text["where"]),
            text["name"],
            text["length"],
            text["sha256"],
            TextConfig.from_dict(text["reading"]),
            folder,
        )

    def source(self) -> Source:
        """Open the text; whether it is the same still is told by the corpus made of it."""
        if self.where == TEXT_FILE and self.folder is not None:
            copy = open_source(self.folder / TEXT_FILE, self.reading)
            return dataclasses.replace(copy, name=self.name, where=TEXT_FILE)
        return open_source(self.where, self.reading)


def own_text(name: str) -> OwnText | None:
    """Return the text of the run that the model `name`, a run folder or a file in one, belongs to.

    None where it belongs to none.
    """
    path = Path(name)
    folder = path if path.is_dir() else path.parent
    if not (folder / CONFIG_FILE).is_file():
        return None
    return OwnText.of_settings(read_settings(folder), folder)


def reading_for(vocabulary: AnyVocabulary | None) -> TextConfig:
    """Return how a text is read for a model of `vocabulary`."""
    if vocabulary is not None and vocabulary.kind == "bytes":
        return TextConfig(True)
    # What was never read with a CR in it, was read without.
    return TextConfig(False, keep_line_ends=vocabulary is not None and "\r" in vocabulary)


def source_of(name: str, model: CharRNN) -> Source:
    """Return the source of the text that `model`, read from `name`, was trained on.

    Raises UsageError if it is not known or no longer the same.
    """
    own = own_text(name)
    where: Where = str(model.summary.get("text", "")) if own is None else own.where
    if own is None and where not in BUILTIN:
        raise UsageError(f"{name} does not tell where its training text is; name it (--text)")
    if STDIN in ((where,) if isinstance(where, str) else where):
        raise UsageError(f"{name} was trained on standard input; name its text (--text)")
    try:
        reading = reading_for(model.vocabulary)
        source = open_source(where, reading) if own is None else own.source()
    except TextNotFound:
        raise UsageError(
            f"{where_shown(where)}, which {name} was trained on, is not there; name it (--text)"
        ) from None
    try:
        corpus = Corpus.from_source(source, vocabulary=model.vocabulary)
        same = corpus.sha256 == model.summary.get("text_sha256")
    except UnknownCharacters:
        same = False
    if not same:
        raise UsageError(
            f"{where_shown(where)} is not the text that {name} was trained on; name it (--text)"
        )
    return source


def symbols_of(source: Source, as_bytes: bool, form: Form | None = None) -> Array:
    """Return the whole text as code points or bytes (N,), in the smallest type that holds them.

    form: that of the characters, which a model that writes in it is compared with.
    Code points have at least two bytes: one byte stands for bytes.
    """
    if as_bytes:
        return np.frombuffer(b"".join(source.byte_chunks()), np.uint8)
    chunks = map(code_points, (form or Form()).chunks(source.chunks()))
    return np.concatenate(
        [codes.astype(np.uint32 if codes.max() >> 16 else np.uint16) for codes in chunks]
    )


def training_ids(name: str, model: CharRNN, text: GivenText | None) -> Array:
    """Return the training text of `model` as its ids (N,): of `text`, or else of its own run.

    A character that the model does not know stands for no id of it: it breaks a run.
    """
    vocabulary = model.vocabulary
    reading = reading_for(vocabulary)
    source = source_of(name, model) if text is None else as_source(text, reading)
    if not isinstance(vocabulary, Vocabulary):
        return symbols_of(source, bool(reading.bytes))
    codes = code_points("".join(vocabulary.chars))
    # Of every code point up to the largest; the last entry is that of all beyond.
    table = np.full(int(codes.max()) + 2, len(codes), np.min_scalar_type(len(codes)))
    table[codes] = np.arange(len(codes))
    chunks = map(code_points, vocabulary.form.chunks(source.chunks()))
    return np.concatenate([table[np.minimum(chunk, len(table) - 1)] for chunk in chunks])


def training_texts(name: str, model: CharRNN, text: GivenText | None) -> frozenset[Any]:
    """Return the documents of the training text of `model`, or its lines if it has none.

    Of `text`, or else of its own run. What the model does not know is not in them. They are
    texts, or bytes for a model of bytes.
    """
    reading = reading_for(model.vocabulary)
    source = source_of(name, model) if text is None else as_source(text, reading)
    corpus = Corpus.from_source(source, vocabulary=model.vocabulary, left_out={})
    return frozenset(corpus.documents())
