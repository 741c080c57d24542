"""The text that a model is scored on: which of its characters, and from where on."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from char_rnn.charrnn import CharRNN
from char_rnn.data.corpus import Corpus
from char_rnn.data.given import ITSELF, GivenText, as_source
from char_rnn.data.sources import Source
from char_rnn.data.vocabulary import Vocabulary, named
from char_rnn.errors import CharRNNError, TextTooShort, UnknownCharacters, UsageError
from char_rnn.runs.text import OwnText, reading_for
from char_rnn.text_config import USUAL, TextConfig


@dataclass(frozen=True)
class ScoredText:
    """A text to score: from `start` on, for the `reason`.

    unseen: from where on the model was not trained on it.
    left_out: how often each character stands in the whole text that the model does not know.
    notes: what the user should know.
    source: what the corpus was read from, where anything was left out.
    """

    corpus: Corpus
    start: int
    unseen: int
    reason: str
    left_out: dict[str, int]
    notes: tuple[str, ...] = ()
    source: Source | None = None


def scored_text(
    model: CharRNN,
    text: GivenText | Corpus,
    reading: TextConfig = USUAL,
    val_fraction: float | None = None,
    own: OwnText | None = None,
) -> ScoredText:
    """Open `text` for `model` to be scored on.

    reading: how the text is read; characters or bytes is the model's to say.
    What the model does not know is left out. Of its own training text, under whatever name it
    comes, only the part is scored that it was not trained on; val_fraction: unless this is given.
    own: the text of the run that the model belongs to, if it belongs to one.
    A Corpus of another vocabulary is read as the text that it holds.
    """
    if model.vocabulary is None:
        raise UsageError("the model has no vocabulary; it cannot read a text")
    notes: list[str] = []
    left_out: dict[str, int] = {}
    source: Source | None = None
    corpus: Corpus | None
    if isinstance(text, Corpus) and text.vocabulary == model.vocabulary:
        corpus = text
    else:
        corpus = _as_in_training(model, text, reading, own, notes)
        if corpus is None:
            corpus, source = _read(model, text, reading, notes, left_out)
        notes = [*corpus.notes, *notes]
    if _is_own(model, corpus):  # as it was when a part of it was set aside
        corpus = corpus.shuffled(int(model.summary.get("rng_seed", 0)))
    start, reason = _start(model, corpus, val_fraction)
    count = corpus.length - start - 1
    if count < 1:
        raise UsageError(f"{corpus.name} leaves {count + 1} characters to score; 2 are needed")
    return ScoredText(
        corpus,
        start,
        _unseen(model, corpus),
        reason,
        left_out,
        tuple(notes),
        source if left_out else None,
    )


_SAID = ("encoding", "pattern", "column")  # what a text may need said to be read as in training


def _is_own(model: CharRNN, corpus: Corpus) -> bool:
    return bool(model.summary.get("text_sha256") == corpus.sha256)


def _is_folder(text: GivenText | Corpus) -> bool:
    return isinstance(text, str | os.PathLike) and Path(text).is_dir()


def _as_in_training(
    model: CharRNN,
    text: GivenText | Corpus,
    reading: TextConfig,
    own: OwnText | None,
    notes: list[str],
) -> Corpus | None:
    """Return `text` read as the run of the model did, if it is what that run read."""
    if own is None or isinstance(text, Corpus) or any(getattr(reading, name) for name in _SAID):
        return None
    said = {name: getattr(own.reading, name) for name in _SAID if getattr(own.reading, name)}
    if not said:
        return None
    try:
        corpus = Corpus.from_source(as_source(text, own.reading), vocabulary=model.vocabulary)
    except CharRNNError:  # another text, then
        return None
    if not _is_own(model, corpus):
        return None
    shown = " ".join(
        f"--{name} {value!r}"
        for name, values in said.items()
        for value in (values if isinstance(values, tuple) else (values,))
    )
    notes.append(f"{corpus.name} is read as in training, with {shown}")
    return corpus


def _read(
    model: CharRNN,
    text: GivenText | Corpus,
    reading: TextConfig,
    notes: list[str],
    left_out: dict[str, int],
) -> tuple[Corpus, Source | None]:
    """Return the text less what the model does not know, counted in `left_out`, and its source."""
    vocabulary = model.vocabulary
    how = reading_for(vocabulary)
    if how.bytes and reading.encoding:
        raise UsageError("the model reads bytes, which have no --encoding; leave it out")
    reading = replace(reading, bytes=how.bytes, keep_line_ends=how.keep_line_ends)
    if isinstance(text, Corpus):
        if text.vocabulary == vocabulary:
            return text, None
        source = Source(text.name, text.where or ITSELF, (text.to_bytes(),), config=reading)
    else:
        source = as_source(text, reading)
    try:
        corpus = Corpus.from_source(source, vocabulary=vocabulary)
    except UnknownCharacters:
        assert isinstance(vocabulary, Vocabulary)  # bytes are all known
        corpus = _known(source, vocabulary, left_out)
        form = _better_form(source, vocabulary)
        if form:
            notes.append(
                f"of {source.name} in the Unicode form {form} the model knows more than of "
                "what it is; convert it"
            )
    if corpus.name == model.summary.get("text") and not _is_own(model, corpus):
        files = "; if it was trained on some files of it, give the same --pattern"
        notes.append(
            f"{corpus.name} is not, or no longer, what the model was trained on under that "
            f"name, so its end is not taken apart{files if _is_folder(text) else ''}"
        )
    return corpus, source


def _known(source: Source, vocabulary: Vocabulary, left_out: dict[str, int]) -> Corpus:
    """Return the text without what `vocabulary` lacks, which is counted in `left_out`."""
    try:
        corpus = Corpus.from_source(source, vocabulary=vocabulary, left_out=left_out)
        if corpus.length > 1:
            return corpus
    except TextTooShort:
        pass
    raise UnknownCharacters(
        f"{source.name}: the model does not know the characters {named(left_out)}, and "
        "there is nothing else to score: take another text, or train it on this one with "
        "char-rnn train TEXT --start_from MODEL"
    )


def _better_form(source: Source, vocabulary: Vocabulary) -> str:
    """Return the Unicode form, NFC or NFD, in which more would be known, "" for none."""
    for chunk in source.chunks():
        if vocabulary.unknown(chunk):
            return vocabulary.best_form(chunk)[0]
    return ""


def _start(model: CharRNN, corpus: Corpus, val_fraction: float | None) -> tuple[int, str]:
    """Return where scoring starts, and why."""
    own = _is_own(model, corpus)
    kept = float(model.summary.get("val_fraction") or 0.0) if own else 0.0
    fraction = val_fraction or kept or 1.0
    seen = ""
    if own:
        seen = ", on which this model was trained"
        if fraction <= kept:
            seen = ", which this model was not trained on"
        elif kept:
            seen = ", on most of which this model was trained"
    if fraction == 1:
        return 0, f"the whole text{seen}"
    start = corpus.parts(fraction).val_start
    if corpus.ends is not None:
        count = int((corpus.ends >= start).sum()) - 1
        return start, f"{count:,} of {len(corpus.ends) - 1:,} documents{seen}"
    return int(corpus.length * (1 - fraction)), f"the last {fraction:.0%} of the text{seen}"


def _unseen(model: CharRNN, corpus: Corpus) -> int:
    """Return from where on the model was not trained on the text.

    Of its own that is what it was calibrated on, and then what was held out.
    """
    if not _is_own(model, corpus):
        return 0
    start = corpus.parts(float(model.summary.get("val_fraction") or 0.0)).val_start
    calibrated = int(model.summary.get("calibration_characters") or -1)
    return max(0, start - calibrated - 1)
