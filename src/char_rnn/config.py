"""The settings of a model, a training run and a sample: frozen, validated, the only defaults.

The command line, the documentation and the Python API read their defaults from here.
Importing this module loads nothing but the standard library.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Self

from char_rnn.errors import UsageError, unknown_name
from char_rnn.schedules import parse_temperature

CELLS = ("gru", "lstm", "rnn")
RESET_AFTER = False
"""The form of a GRU where nobody chooses: the exercise's, whose loss is lower (docs/results.md)."""
INITS = ("normal", "orthogonal", "uniform")
INITIAL_STATES = ("learned", "random", "zeros")
DTYPES = ("float32", "float64")
OPTIMIZERS = ("adagrad", "adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine", "exponential", "linear")
CLIP_KINDS = ("norm", "value")
SAMPLING_SCHEDULES = ("constant", "inverse-sigmoid", "linear")
STRATEGIES = (
    "bias", "repetition_penalty", "temperature", "top_k", "top_p", "min_p", "typical",
)  # fmt: skip
CODES = ("python",)
BEAM_DIVERSITY, LENGTH_PENALTY = 0.5, 1.0  # of a beam search (generate/beam.py)
VOCABULARIES = ("bytes", "characters")
MOST, MOST_CHARACTERS = 10**12, 10**9  # of anything that is counted, and of a text to make
MOST_SEED = 2**63 - 1
MOST_MINUTES, MOST_EPOCHS = 10**7, 10**9  # nineteen years


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{name} is {value!r}; it must be a whole number")
    return value


def _finite(name: str, value: object) -> float:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
    except OverflowError:  # a whole number that no float can hold
        raise UsageError(f"{name} is too large a number") from None
    raise UsageError(f"{name} is {value!r}; it must be a finite number")


def _at_least(name: str, value: object, least: int, most: int = MOST) -> None:
    number = _whole(name, value)
    if number < least:
        raise UsageError(f"{name} is {value}; it must be at least {least}")
    if number > most:
        raise UsageError(f"{name} is too large a number; it must be at most {most:,}")


def _positive(name: str, value: object, most: float = math.inf) -> None:
    number = _finite(name, value)
    if number <= 0:
        raise UsageError(f"{name} is {value}; it must be greater than 0")
    if number > most:
        raise UsageError(f"{name} is {value}; it must be at most {most:,}")


def _not_negative(name: str, value: object) -> None:
    if _finite(name, value) < 0:
        raise UsageError(f"{name} is {value}; it must not be negative")


def _between(name: str, value: object, low: float, high: float, closed: bool = False) -> None:
    number = _finite(name, value)
    if not (low <= number < high or (closed and number == high)):
        bound = "at most" if closed else "less than"
        raise UsageError(f"{name} is {value}; it must be at least {low} and {bound} {high}")


def _boolean(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise UsageError(f"{name} is {value!r}; it must be true or false")


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise UsageError(f"{name} is {value!r}; it must be a text")


def _texts(name: str, value: object) -> tuple[str, ...]:
    """Return `value` as a tuple: a list, as it comes out of JSON, but not one text alone."""
    if isinstance(value, str):
        raise UsageError(f"{name} is the one text {value!r}; it must be a tuple: ({value!r},)")
    if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
        raise UsageError(f"{name} is {value!r}; it must be a tuple of texts")
    return tuple(value)


def _weights(value: object) -> tuple[tuple[str, float], ...]:
    """Return the pairs of a bias; what comes out of JSON has lists for them."""
    pairs: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise UsageError(f"bias is {value!r}; it must be pairs of a character and a number")
        char, amount = pair
        one = isinstance(char, str) and len(char) == 1
        # Minus infinity forbids; nothing can be favoured without a limit.
        if not one or not isinstance(amount, int | float) or not amount < math.inf:
            raise UsageError(f"bias {char!r}: {amount!r}; it must be a character and a number")
    return tuple((char, amount) for char, amount in pairs)


def _one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise unknown_name(name, value, known)


class _Config:
    """What the three configurations share: a way to plain dictionaries and back."""

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as a dictionary that JSON can hold."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Self:
        """Build a configuration from `settings`; an unknown name raises UsageError."""
        known = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        for name in settings:
            if name not in known:
                raise unknown_name("setting", name, known)
        try:
            return cls(**settings)
        except TypeError as error:
            raise UsageError(f"incomplete or wrong settings: {error}") from error


@dataclass(frozen=True)
class ModelConfig(_Config):
    """What a network is made of.

    vocab_size: V, the number of symbols.
    hidden_size: H, units of each layer.
    cell: `rnn`, `lstm` or `gru`.
    layers: L.
    reset_after: for the GRU only: apply the reset gate after the recurrent product (PyTorch's
        form) or before it (the exercise's form); None chooses `RESET_AFTER`.
    init: `orthogonal` (recurrent weights orthogonal, input weights Glorot), `uniform` (±1/√H) or
        `normal` (the exercise's 0.01 · normal).
    initial_state: `zeros`, `random` (normal, drawn anew for every stream) or `learned`.
    layer_norm: normalise W x and U h of each gate, before the bias (not in PyTorch's modules).
    tied: the output weights are also the vectors (V, H) that characters enter with.
    dtype: `float32`, or `float64` for gradient checks.
    """

    vocab_size: int
    hidden_size: int = 256
    cell: str = "rnn"
    layers: int = 1
    reset_after: bool | None = None
    init: str = "orthogonal"
    initial_state: str = "zeros"
    layer_norm: bool = False
    tied: bool = False
    dtype: str = "float32"

    def __post_init__(self) -> None:
        _at_least("vocab_size", self.vocab_size, 1)
        _at_least("hidden_size", self.hidden_size, 1)
        _at_least("layers", self.layers, 1)
        _one_of("cell", self.cell, CELLS)
        _one_of("init", self.init, INITS)
        _one_of("initial_state", self.initial_state, INITIAL_STATES)
        _one_of("dtype", self.dtype, DTYPES)
        if self.reset_after is None:  # written down, so that a file says which form it holds
            object.__setattr__(self, "reset_after", RESET_AFTER and self.cell == "gru")
        for name in ("reset_after", "layer_norm", "tied"):
            _boolean(name, getattr(self, name))
        if self.reset_after and self.cell != "gru":
            raise UsageError(f"reset_after belongs to the gru cell, not to {self.cell!r}")


@dataclass(frozen=True)
class TrainConfig(_Config):
    """How a network is trained.

    seq_length: T, characters of a window; the gradient reaches no further back.
    batch_size: B, streams that are read side by side.
    learning_rate: the highest that the schedule reaches.
    optimizer: `adagrad`, `sgd`, `rmsprop`, `adam` or `adamw`.
    momentum: of `sgd`.
    weight_decay: of `adamw`, a share of the weights per step and unit of learning rate.
    input_dropout, layer_dropout, output_dropout: share of the symbols that a stream does not see,
        of what a layer hands to the next, of what the top layer hands to the output; one mask a
        window.
    recurrent_dropout: share of the recurrent weights left out, one mask a window (DropConnect).
    average: how slowly the averaged weights follow, which are evaluated and saved; 0 for none.
    reset: share of the streams that begin again from the initial state before each window.
    random_offset: begin every epoch at another offset, so that windows are cut elsewhere.
    scheduled_sampling: share of the inputs that the model draws itself at the end of the run, 0 for
        none (training/scheduled_sampling.py).
    sampling_schedule: how that share grows from 0: `linear`, `inverse-sigmoid`, or `constant` for
        the whole share from the beginning.
    schedule: `constant`, `cosine` or `linear` (both after a linear warm-up) or `exponential`.
    warmup: iterations of the linear warm-up of `cosine` and `linear`.
    final_rate: where `cosine`, `linear` and `exponential` end, as a share of `learning_rate`.
    clip: limit of the gradient, 0 for none.
    clip_by: `norm` (over all parameters together) or `value` (each element).
    iterations, epochs, minutes: how long to train; at most one is given. minutes count all the
        time from the start of training to its end, evaluation and samples included.
    eval_every: iterations between evaluations, 0 for none but the last.
    patience: end after so many evaluations in a row without a better one, 0 for never.
    sample_every: iterations between samples, 0 for none.
    sample_length, temperature: of those samples; a temperature may move with the iterations
        (schedules.py).
    val_fraction: share of the text, at its end, that validates.
    calibration: share of the part that trains, at its end, that is not trained on and sets how
        sure the finished model is (training/calibration.py); 2,000 to 50,000 characters, or 0.
    threads: batch slices that are computed side by side; None takes every core there is.
    rng_seed: seed of everything random in the run.
    """

    seq_length: int = 50
    batch_size: int = 32
    learning_rate: float = 0.002
    optimizer: str = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.01
    input_dropout: float = 0.0
    layer_dropout: float = 0.0
    output_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    average: float = 0.0
    reset: float = 0.0
    random_offset: bool = False
    scheduled_sampling: float = 0.0
    sampling_schedule: str = "linear"
    schedule: str = "cosine"
    warmup: int = 100
    final_rate: float = 0.01
    clip: float = 5.0
    clip_by: str = "norm"
    iterations: int | None = None
    epochs: float | None = None
    minutes: float | None = None
    eval_every: int = 500
    patience: int = 0
    sample_every: int = 1000
    sample_length: int = 200
    temperature: float | str = 0.8
    val_fraction: float = 0.1
    calibration: float = 0.01
    threads: int | None = None
    rng_seed: int = 0

    def __post_init__(self) -> None:
        _at_least("seq_length", self.seq_length, 1)
        _at_least("batch_size", self.batch_size, 1)
        _positive("learning_rate", self.learning_rate)
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _between("momentum", self.momentum, 0, 1)
        _not_negative("weight_decay", self.weight_decay)
        for name in ("input_dropout", "layer_dropout", "output_dropout", "recurrent_dropout"):
            _between(name, getattr(self, name), 0, 1)
        _between("average", self.average, 0, 1)
        _between("reset", self.reset, 0, 1, closed=True)
        _boolean("random_offset", self.random_offset)
        _between("scheduled_sampling", self.scheduled_sampling, 0, 1, closed=True)
        _one_of("sampling_schedule", self.sampling_schedule, SAMPLING_SCHEDULES)
        _one_of("schedule", self.schedule, SCHEDULES)
        _at_least("warmup", self.warmup, 0)
        _between("final_rate", self.final_rate, 0, 1, closed=True)
        _not_negative("clip", self.clip)
        _one_of("clip_by", self.clip_by, CLIP_KINDS)
        lengths = {name: getattr(self, name) for name in ("iterations", "epochs", "minutes")}
        given = [name for name, value in lengths.items() if value is not None]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} both say how long to train; give one of them")
        if self.iterations is not None:
            _at_least("iterations", self.iterations, 1)
        for name, most in (("epochs", MOST_EPOCHS), ("minutes", MOST_MINUTES)):
            if lengths[name] is not None:
                _positive(name, lengths[name], most)
        _at_least("eval_every", self.eval_every, 0)
        _at_least("patience", self.patience, 0)
        _at_least("sample_every", self.sample_every, 0)
        _at_least("sample_length", self.sample_length, 1, MOST_CHARACTERS)
        parse_temperature(self.temperature)
        for name in ("val_fraction", "calibration"):
            _between(name, getattr(self, name), 0, 1)
        if self.threads is not None:
            _at_least("threads", self.threads, 1)
        _at_least("rng_seed", self.rng_seed, 0, MOST_SEED)


@dataclass(frozen=True)
class SampleConfig(_Config):
    """How a text is generated.

    length: characters to make after the seed text (bytes, for a model of bytes).
    temperature: divides the logits; 0 always takes the likeliest character. A number, or a text
        that says how it moves over the characters (schedules.py).
    top_k, top_p, min_p, typical, repetition_penalty: see generate/filters.py; 0, 1, 0, 1 and 1
        change nothing.
    repetition_window: how many of the last characters the penalty looks at.
    bias: pairs of a character and the nats that favour (or, if negative, hinder) it.
    forbid: characters that are never written.
    order: in which the above are applied; those not named are applied first, in their usual order.
    stop: texts that end the output before they are written.
    lines: end after so many lines, 0 for no limit.
    until_line_end: go on past `length` to the end of the line.
    regex: a regular expression that the whole output matches.
    words: words that the output holds.
    close: brackets and double quotes match and close.
    max_copy: no run of so many characters stands in the training text, 0 for no limit.
    code: `python` for output that parses.
    effort: characters that may be taken back to meet regex, words, close and max_copy; for code,
        since the text last grew.
    """

    length: int = 500
    temperature: float | str = 0.8
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical: float = 1.0
    repetition_penalty: float = 1.0
    repetition_window: int = 64
    bias: tuple[tuple[str, float], ...] = ()
    forbid: str = ""
    order: tuple[str, ...] = STRATEGIES
    stop: tuple[str, ...] = ()
    lines: int = 0
    until_line_end: bool = False
    regex: str = ""
    words: tuple[str, ...] = ()
    close: bool = False
    max_copy: int = 0
    code: str = ""
    effort: int = 20_000

    def __post_init__(self) -> None:
        _at_least("length", self.length, 0, MOST_CHARACTERS)
        parse_temperature(self.temperature)
        for name in ("top_k", "lines", "max_copy", "effort"):
            _at_least(name, getattr(self, name), 0)
        _at_least("repetition_window", self.repetition_window, 1)
        _positive("repetition_penalty", self.repetition_penalty)
        for name in ("top_p", "typical"):
            _positive(name, getattr(self, name))
            _between(name, getattr(self, name), 0, 1, closed=True)
        _between("min_p", self.min_p, 0, 1, closed=True)
        for name in ("until_line_end", "close"):
            _boolean(name, getattr(self, name))
        for name in ("forbid", "regex", "code"):
            _text(name, getattr(self, name))
        for name in ("stop", "words", "order"):
            object.__setattr__(self, name, _texts(name, getattr(self, name)))
        object.__setattr__(self, "bias", _weights(self.bias))
        if not all(self.stop) or not all(self.words):
            raise UsageError("an empty text cannot end the output, nor an empty word be in it")
        for name in self.order:
            _one_of("strategy", name, STRATEGIES)
        if len(set(self.order)) < len(self.order):
            raise UsageError(f"the order {', '.join(self.order)} names a strategy twice")
        rest = tuple(name for name in STRATEGIES if name not in self.order)
        object.__setattr__(self, "order", rest + self.order)
        if self.code:
            _one_of("code", self.code, CODES)

    @property
    def ends(self) -> bool:
        """Whether something but the length ends the text."""
        return bool(self.stop or self.lines or self.until_line_end)

    @property
    def constrained(self) -> bool:
        """Whether something has to be met that may need characters to be taken back."""
        return bool(self.regex or self.words or self.close or self.max_copy)


@dataclass(frozen=True)
class Recipe:
    """The settings with which a command starts when the user gives none."""

    text: str
    cell: str
    hidden_size: int
    layers: int
    train: TrainConfig


TRAIN_RECIPE = Recipe("python-docs", "gru", 256, 1, TrainConfig(minutes=2))
"""`char-rnn train` without arguments: a readable model in at most two minutes. With minutes most
of the settings are planned (training/plan.py); these hold where something else says how long."""

EXERCISE_RECIPE = Recipe(
    "shakespeare.txt",
    "rnn",
    256,
    1,
    TrainConfig(iterations=20_000, batch_size=128, calibration=0.0),
)
"""`train_rnn.py` without arguments: the exercise's settings, and a batch that it leaves open."""
