"""The text that a model was trained on: where it is, and its symbols."""

from pathlib import Path
from typing import Any

from char_rnn.errors import TextNotFound, UnknownCharacters, UsageError


def run_of(name: str) -> Any:
    """Return the run that the model `name`, a run folder or a file in one, belongs to, or None."""
    from char_rnn.storage.models import CONFIG_FILE  # noqa: PLC0415
    from char_rnn.training.run import Run  # noqa: PLC0415

    path = Path(name)
    folder = path if path.is_dir() else path.parent
    return Run.open(folder) if (folder / CONFIG_FILE).is_file() else None


def source_of(name: str, model: Any) -> Any:
    """Return the source of the text that `model`, read from `name`, was trained on.

    Raises UsageError if it is not known or no longer the same.
    """
    from char_rnn.data.builtin import BUILTIN  # noqa: PLC0415
    from char_rnn.data.corpus import Corpus  # noqa: PLC0415
    from char_rnn.data.sources import open_source  # noqa: PLC0415

    patterns: list[str] = []
    run = run_of(name)
    if run is not None:
        where, patterns = run.where, run.patterns
    else:
        where = str(model.summary.get("text", ""))
        if where not in BUILTIN:
            raise UsageError(
                f"{name} does not tell where its training text is; name it with --text"
            )
    if where == "-":
        raise UsageError(f"{name} was trained on standard input; name its text with --text")
    as_bytes = model.vocabulary is not None and model.vocabulary.kind == "bytes"
    try:
        source = open_source(where, as_bytes=as_bytes, patterns=patterns)
    except TextNotFound:
        raise UsageError(
            f"{where}, the text that {name} was trained on, is not there; name it with --text"
        ) from None
    try:
        corpus = Corpus.from_source(source, as_bytes=as_bytes, vocabulary=model.vocabulary)
        same = corpus.sha256 == model.summary.get("text_sha256")
    except UnknownCharacters:
        same = False
    if not same:
        raise UsageError(f"{where} is not the text that {name} was trained on; name it with --text")
    return source


def symbols_of(source: Any, as_bytes: bool) -> Any:
    """Return the whole text as code points or bytes (N,), in the smallest type that holds them.

    Code points have at least two bytes: one byte stands for bytes.
    """
    import numpy as np  # noqa: PLC0415

    from char_rnn.data.vocabulary import code_points  # noqa: PLC0415

    if as_bytes:
        return np.frombuffer(b"".join(source.byte_chunks()), np.uint8)
    chunks = (code_points(chunk) for chunk in source.chunks())
    return np.concatenate(
        [codes.astype(np.uint32 if codes.max() >> 16 else np.uint16) for codes in chunks]
    )


def training_ids(name: str, model: Any, text: str | None) -> Any:
    """Return the training text of `model` as its ids (N,): of `text`, or else of its own run.

    A character that the model does not know stands for no id of it: it breaks a run.
    """
    import numpy as np  # noqa: PLC0415

    from char_rnn.data.sources import open_source  # noqa: PLC0415
    from char_rnn.data.vocabulary import code_points  # noqa: PLC0415

    vocabulary = model.vocabulary
    as_bytes = vocabulary is not None and vocabulary.kind == "bytes"
    source = source_of(name, model) if text is None else open_source(text, as_bytes=as_bytes)
    if as_bytes or vocabulary is None:
        return symbols_of(source, as_bytes)
    codes = code_points("".join(vocabulary.chars))
    # Of every code point up to the largest; the last entry is that of all beyond.
    table = np.full(int(codes.max()) + 2, len(codes), np.min_scalar_type(len(codes)))
    table[codes] = np.arange(len(codes))
    chunks = (code_points(chunk) for chunk in source.chunks())
    return np.concatenate([table[np.minimum(chunk, len(table) - 1)] for chunk in chunks])
