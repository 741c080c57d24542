"""The text that a model is scored on: which of its characters, and from where on."""

from pathlib import Path
from typing import Any, NamedTuple

import click

from char_rnn.cli.training_text import run_of
from char_rnn.data.corpus import Corpus
from char_rnn.data.known import Known
from char_rnn.data.sources import open_source
from char_rnn.data.vocabulary import named
from char_rnn.errors import CharRNNError, UnknownCharacters, UsageError


class Scored(NamedTuple):
    """A text to score: from `start` on, for the `reason`.

    left_out: how often each character stands in the whole text that the model does not know.
    """

    corpus: Corpus
    start: int
    reason: str
    left_out: dict[str, int]


def scored_text(
    name: str, network: Any, text: str, patterns: tuple[str, ...], val_fraction: float | None
) -> Scored:
    """Open `text` for `network`, the model `name`; tell on standard error what should be known.

    What the model does not know is left out. Of its own training text, under whatever name it
    comes, only the part is scored that it was not trained on; val_fraction: unless this is given.
    """
    if network.vocabulary is None:
        raise UsageError("the model has no vocabulary; it cannot read a text")
    corpus, left_out = _own_files(name, network, text, patterns) or _read(network, text, patterns)
    start, reason = _start(network, corpus, val_fraction)
    count = corpus.length - start - 1
    if count < 1:
        raise UsageError(f"{corpus.name} leaves {count + 1} characters to score; 2 are needed")
    return Scored(corpus, start, reason, left_out)


def _is_own(network: Any, corpus: Corpus) -> bool:
    return bool(network.summary.get("text_sha256") == corpus.sha256)


def _own_files(
    name: str, network: Any, text: str, patterns: tuple[str, ...]
) -> tuple[Corpus, dict[str, int]] | None:
    """Return the folder `text` read as the run of the model did, if it is what that run read."""
    if patterns or not Path(text).is_dir():
        return None
    run = run_of(name)
    if run is None or not run.patterns:
        return None
    try:
        corpus = Corpus.from_source(
            open_source(text, as_bytes=run.as_bytes, patterns=run.patterns),
            as_bytes=run.as_bytes, vocabulary=network.vocabulary,
        )  # fmt: skip
    except CharRNNError:  # another folder, then
        return None
    if not _is_own(network, corpus):
        return None
    shown = " ".join(f"--pattern {pattern!r}" for pattern in run.patterns)
    click.echo(f"Note: {text} is read as in training, with {shown}", err=True)
    return corpus, {}


def _read(
    network: Any, text: str, patterns: tuple[str, ...]
) -> tuple[Corpus, dict[str, int]]:  # fmt: skip
    """Return the text, less what the model does not know, and how often that stands there."""
    vocabulary = network.vocabulary
    as_bytes = vocabulary.kind == "bytes"
    source = open_source(text, as_bytes=as_bytes, patterns=patterns)
    left_out: dict[str, int] = {}
    try:
        corpus = Corpus.from_source(source, as_bytes=as_bytes, vocabulary=vocabulary)
    except UnknownCharacters:
        known = Known(source, vocabulary)
        left_out = known.left_out()
        if sum(map(len, known.chunks())) < 2:
            raise UnknownCharacters(
                f"{source.name}: the model does not know the characters {named(left_out)}, and "
                "there is nothing else to score: take another text, or train it on this one with "
                "char-rnn train TEXT --start_from MODEL"
            ) from None
        corpus = Corpus.from_source(known, vocabulary=vocabulary)
        form = known.better_form()
        if form:
            click.echo(
                f"Note: of {source.name} in the Unicode form {form} the model knows more than of "
                "what it is; convert it",
                err=True,
            )
    if corpus.name == network.summary.get("text") and not _is_own(network, corpus):
        files = "; if it was trained on some files of it, give the same --pattern"
        click.echo(
            f"Note: {corpus.name} is not, or no longer, what the model was trained on under that "
            f"name, so its end is not taken apart{files if Path(text).is_dir() else ''}",
            err=True,
        )
    return corpus, left_out


def _start(network: Any, corpus: Corpus, val_fraction: float | None) -> tuple[int, str]:
    """Return where scoring starts, and why."""
    own = _is_own(network, corpus)
    kept = float(network.summary.get("val_fraction") or 0.0) if own else 0.0
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
    return int(corpus.length * (1 - fraction)), f"the last {fraction:.0%} of the text{seen}"
