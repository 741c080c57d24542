"""What our files hold, field by field: a model, a run's settings, its log, its last state.

Whatever these files say passes here, by `storage.fields.read`, before anything else sees it. A
new field of a file is a new line here; what no line names is left behind.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from char_rnn.config import MOST_SEED, ModelConfig, TrainConfig
from char_rnn.data.vocabulary import AnyVocabulary, saved_vocabulary
from char_rnn.errors import CorruptFile
from char_rnn.model.cells import cell_class
from char_rnn.model.parameters import named_as_now, parameter_shapes
from char_rnn.storage.fields import (
    Kind,
    Maybe,
    MisfitError,
    boolean,
    choice,
    found_shown,
    list_of,
    name_shown,
    nullable,
    number,
    plain,
    record,
    settings,
    text,
    whole,
)
from char_rnn.storage.reading import StrPath, shown
from char_rnn.tables import CELLS, OPTIMIZERS, Table
from char_rnn.text_config import TextConfig

Array = np.ndarray

RUN_VERSION = 1
NAMED = 5  # tensors in a message
SECONDS = number(0, 1e12)
LOSS = number(-1)  # nats; rounding may leave a loss a little below 0
DRAWN = number(-1, 1e300)  # so that no sum or difference of two is infinite
WORD = text(100)


def _registered(kind: Kind, table: Table, name: str) -> Kind:
    """Return a config's `kind` that says of a name which `table` lacks how it gets there."""

    def check(value: Any) -> Any:
        try:
            return kind(value)
        except MisfitError as error:
            if isinstance(value, dict) and str(value.get(name)) not in table:
                error.advice = f"your own {name} is registered first: char_rnn.register_{name}"
            raise

    return check


_model_config = _registered(settings(ModelConfig), CELLS, "cell")
# Older runs go on without a part to calibrate on.
_train_config = _registered(settings(TrainConfig, {"calibration": 0.0}), OPTIMIZERS, "optimizer")


SUMMARY = record(
    {
        "text": Maybe(text()),
        "text_length": Maybe(whole()),
        "text_sha256": Maybe(WORD),
        "val_fraction": Maybe(number(0, 1)),
        "iteration": Maybe(whole()),
        "epoch": Maybe(number(0, 1e15)),
        "loss": Maybe(nullable(LOSS)),
        "val_loss": Maybe(nullable(LOSS)),
        "characters": Maybe(whole()),
        "seconds": Maybe(SECONDS),
        "optimizer": Maybe(WORD),
        "learning_rate": Maybe(number(0)),
        "seq_length": Maybe(whole()),
        "batch_size": Maybe(whole()),
        "backslashes": Maybe(WORD),
        "rng_seed": Maybe(whole(0, MOST_SEED)),
        "calibration_temperature": Maybe(number(1e-6, 1e6)),
        "calibration_characters": Maybe(whole()),
        "uncalibrated_val_loss": Maybe(nullable(LOSS)),
    },
    others=plain,
)
"""What is known of a training, kept with its model; users may add what JSON can hold."""

_MODEL = {
    "kind": choice("model", "checkpoint"),
    "config": _model_config,
    "vocabulary": nullable(saved_vocabulary),
    "summary": SUMMARY,
}


def model_facts(facts: Any) -> dict[str, Any]:
    """Let the facts of a model file through: a ModelConfig, a vocabulary or None, a summary."""
    found: dict[str, Any] = record(_MODEL)(facts)
    config: ModelConfig = found["config"]
    vocabulary: AnyVocabulary | None = found["vocabulary"]
    if vocabulary is not None and vocabulary.size != config.vocab_size:
        raise (
            MisfitError(f"is {config.vocab_size}", f"{vocabulary.size}, as vocabulary has")
            .at("vocab_size")
            .at("config")
        )
    if vocabulary is not None and vocabulary.end != config.end:
        expected = f"{vocabulary.end}, as vocabulary has"
        raise MisfitError(f"is {config.end}", expected).at("end").at("config")
    return found


def _version(value: Any) -> int:
    if type(value) is int and value > RUN_VERSION:
        raise MisfitError(f"is {value}, of a later char-rnn: upgrade char-rnn", str(RUN_VERSION))
    return int(choice(RUN_VERSION)(value))


OWN = record({"optimizer": Maybe(text()), "schedule": Maybe(text())})
"""What a run's own optimiser and schedule are (training/own.py)."""


def _where(value: Any) -> Any:
    """Let the name of a text through, or a list of names."""
    return (list_of(text(), 1) if type(value) is list else text())(value)


_RUN_TEXT = record(
    {
        "where": _where,
        "name": text(),
        "length": whole(1),
        "sha256": WORD,
        "reading": Maybe(settings(TextConfig)),
        # Of older runs, which have no reading:
        "bytes": Maybe(boolean),
        "patterns": Maybe(list_of(text()), []),
    }
)


def _run_text(value: Any) -> dict[str, Any]:
    """Let the text of a run through, with how it is read: older runs say less of that."""
    found: dict[str, Any] = _RUN_TEXT(value)
    as_bytes, patterns = found.pop("bytes", None), found.pop("patterns")
    if "reading" not in found:
        if as_bytes is None:
            raise MisfitError("is missing").at("reading")
        # They took line ends as they were.
        found["reading"] = TextConfig(as_bytes, pattern=tuple(patterns), keep_line_ends=True)
    return found


RUN_SETTINGS = record(
    {
        "format_version": _version,
        "command": Maybe(WORD),
        "text": _run_text,
        "model": _model_config,
        "train": _train_config,
        "own": Maybe(OWN),
    }
)
"""config.json of a run."""

LOG_LINE = record(
    {
        "event": WORD,
        "iteration": Maybe(whole()),
        "characters": Maybe(whole()),
        "seconds": Maybe(SECONDS),
        "loss": Maybe(nullable(DRAWN)),
        "val_loss": Maybe(nullable(DRAWN)),
        "learning_rate": Maybe(nullable(number(0))),
        "grad_norm": Maybe(nullable(DRAWN)),
        "reason": Maybe(WORD),
    }
)
"""A line of log.jsonl."""


def checkpoint_facts(cut: tuple[str, ...]) -> Kind:
    """Return the kind of the facts in last.safetensors; `cut` are the files it tells sizes of.

    The trainer's own state is let through as it is: `training_state` is for that.
    """
    written = record({name: Maybe(whole(), 0) for name in cut}, closed=True)
    return record(
        _MODEL | {"kind": choice("checkpoint"), "trainer": lambda value: value, "written": written}
    )


_GENERATOR = record(
    {
        "bit_generator": choice("PCG64"),
        "state": record({"state": whole(0, 2**128 - 1), "inc": whole(0, 2**128 - 1)}),
        "has_uint32": choice(0, 1),
        "uinteger": whole(0, 2**32 - 1),
    }
)
"""The state of NumPy's default generator, PCG64."""


def training_state(streams: Kind, B: int, losses: int) -> Kind:
    """Return the kind of what a trainer's `state` tells: B streams, at most `losses` losses."""
    return record(
        {
            "iteration": whole(0, 2**53),
            "characters": whole(0, 2**53),
            "skipped": whole(0, 2**53),
            "bad_in_a_row": whole(0, 2**53),
            "not_better": whole(0, 2**53),
            "optimizer_steps": whole(0, 2**53),
            "average_steps": whole(0, 2**53),
            "seconds": SECONDS,
            "elapsed": SECONDS,
            "reserve": SECONDS,
            "rate_scale": number(0, 1),
            "learning_rate": number(0),
            "grad_norm": nullable(number(0)),
            "best_val_loss": nullable(LOSS),
            "val_loss": nullable(LOSS),
            "losses": list_of(LOSS, 0, losses),
            "own": Maybe(OWN),
            "slices": Maybe(list_of(whole(1, 2**16), 1, 2**16)),
            "streams": streams,
            "rng": _GENERATOR,
            "began": list_of(boolean, B, B),
        }
    )


def check_arrays(tensors: Any, where: StrPath) -> None:
    """Raise CorruptFile unless `tensors` is a dictionary of arrays, each under a name."""
    if type(tensors) is not dict:
        raise CorruptFile(f"{shown(where)}: its tensors are {found_shown(tensors)}")
    for name, tensor in tensors.items():
        if type(name) is not str or not isinstance(tensor, np.ndarray):
            raise CorruptFile(
                f"{shown(where)}: the tensor {name_shown(name)} is {found_shown(tensor)}; expected "
                "an array; use a copy that is whole"
            )


def checked_weights(
    tensors: Mapping[str, Array], config: ModelConfig, where: StrPath
) -> dict[str, Array]:
    """Return `tensors`, by the names they have now, as the weights of a network of `config`.

    Raises CorruptFile if they are not.

    Nothing of the network's size is made before it is known that the file holds as much.
    """
    # Before the names are listed: a config may claim any number of layers.
    least = len(cell_class(config).shapes(1, 1))
    if config.layers * least > len(tensors):
        raise CorruptFile(
            f"{shown(where)}: config.layers is {config.layers:,}, but it holds {len(tensors):,} "
            "tensors; use a copy that is whole"
        )
    weights = named_as_now(tensors, config)
    check_tensors(weights, parameter_shapes(config), ("float16", config.dtype), where)
    return weights


def check_tensors(
    tensors: Mapping[str, Array],
    shapes: Mapping[str, tuple[int, ...]],
    dtypes: tuple[str, ...],
    where: StrPath,
) -> None:
    """Raise CorruptFile unless `tensors` have just these names, `shapes` and `dtypes`."""
    for word, odd in (
        ("lacks", [name for name in shapes if name not in tensors]),
        ("adds", [name for name in tensors if name not in shapes]),
    ):
        if odd:
            more = f" and {len(odd) - NAMED:,} more" if len(odd) > NAMED else ""
            named = ", ".join(map(name_shown, odd[:NAMED]))
            raise CorruptFile(
                f"{shown(where)}: it {word} the tensors {named}{more}; use a copy that is whole"
            )
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tensor.shape != shape or tensor.dtype.name not in dtypes:
            raise CorruptFile(
                f"{shown(where)}: the tensor {name} is {tensor.dtype} {tensor.shape}; expected "
                f"{dtypes[-1]} {shape}; use a copy that is whole"
            )


def check_finite(tensors: Mapping[str, Array], where: StrPath) -> None:
    """Raise CorruptFile if a number in `tensors` is NaN or infinite."""
    for name, tensor in tensors.items():
        bad = tensor.size - int(np.isfinite(tensor).sum())
        if bad:
            raise CorruptFile(
                f"{shown(where)}: {bad:,} of the {tensor.size:,} numbers in the tensor {name} are "
                "not finite: the model has diverged or was damaged; train it again with a lower "
                "learning rate (--learning_rate), or use a copy that is whole"
            )
