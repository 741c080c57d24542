"""The settings of a model and a training run: frozen, validated, the only defaults.

The command line, the documentation and the Python API read all there is to say of a setting from
its field (settings.py). Importing this module loads nothing but the standard library.
"""

import dataclasses
from dataclasses import dataclass

from char_rnn.checks import Boolean, NotNegative, OneOf, Positive, Share, Temperature, Whole
from char_rnn.errors import UsageError
from char_rnn.sample_config import MOST_CHARACTERS
from char_rnn.settings import (
    Configuration,
    Need,
    described,
    documented,
    setting,
    settings_of,
    validate,
)
from char_rnn.tables import CELLS, OPTIMIZERS

RESET_AFTER = False
"""The form of a GRU where nobody chooses: the exercise's, whose loss is lower (docs/results.md)."""
INITS = ("normal", "orthogonal", "uniform")
INITIAL_STATES = ("learned", "random", "zeros")
DTYPES = ("float32", "float64")
SCHEDULES = ("constant", "cosine", "exponential", "linear")
CLIP_KINDS = ("norm", "value")
SAMPLING_SCHEDULES = ("constant", "inverse-sigmoid", "linear")
MOST_SEED = 2**63 - 1
MOST_MINUTES, MOST_EPOCHS = 10**7, 10**9  # nineteen years
LENGTHS = ("iterations", "epochs", "minutes")
"""What says how long to train."""

# The groups of settings, in the order of the help.
LENGTH, MODEL, TRAINING = "Length", "Model", "Training"
REGULARISATION, EVALUATION, RUN = "Regularisation", "Evaluation and samples", "Run"


@documented
@dataclass(frozen=True)
class ModelConfig(Configuration):
    """What a network is made of."""

    vocab_size: int = dataclasses.field(
        metadata=described("V, the number of symbols.", Whole(1), MODEL, option=False)
    )
    hidden_size: int = setting(256, "H, units of each layer.", Whole(1), MODEL, planned=True)
    cell: str = setting("rnn", "The recurrent cell.", OneOf(CELLS), MODEL, planned=True)
    layers: int = setting(1, "L, layers on top of each other.", Whole(1), MODEL, planned=True)
    reset_after: bool | None = setting(
        None,
        "The GRU in PyTorch's form (reset after the product), or in the exercise's (before).",
        Boolean(),
        MODEL,
        opposite="reset_before",
    )
    init: str = setting(
        "orthogonal",
        "How weights begin: orthogonal (input weights Glorot), uniform (±1/√H) or normal (0.01).",
        OneOf(INITS),
        MODEL,
    )
    initial_state: str = setting(
        "zeros",
        "How the state begins; random draws it anew for every stream.",
        OneOf(INITIAL_STATES),
        MODEL,
    )
    layer_norm: bool = setting(
        False, "Normalise W x and U h of each gate before the bias.", Boolean(), MODEL
    )
    tied: bool = setting(False, "Characters enter as rows of the output weights.", Boolean(), MODEL)
    dtype: str = setting(
        "float32", "The numbers; float64 for gradient checks.", OneOf(DTYPES), MODEL, option=False
    )
    end: int | None = setting(
        None,
        "Id of the symbol that a document begins with: reading it, the state begins anew.",
        Whole(0),
        MODEL,
        option=False,
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.reset_after is None:  # written down, so that a file says which form it holds
            object.__setattr__(self, "reset_after", RESET_AFTER and self.cell == "gru")
        if self.reset_after and self.cell != "gru":
            raise UsageError(f"reset_after belongs to the gru cell, not to {self.cell!r}")
        if self.end is not None and self.end >= self.vocab_size:
            raise UsageError(
                f"end is {self.end}, but the ids of vocab_size {self.vocab_size} are 0 to "
                f"{self.vocab_size - 1}"
            )


_WITH_SAMPLES = Need("sample_every", bool, "without samples ({sample_every} 0)")


@documented
@dataclass(frozen=True)
class TrainConfig(Configuration):
    """How a network is trained; at most one of iterations, epochs and minutes is given."""

    seq_length: int = setting(
        50,
        "T, characters of a window; the gradient reaches no further back.",
        Whole(1),
        TRAINING,
        planned=True,
    )
    batch_size: int = setting(32, "B, streams read side by side.", Whole(1), TRAINING, planned=True)
    learning_rate: float = setting(
        0.002, "The highest that the schedule reaches.", Positive(), TRAINING, planned=True
    )
    optimizer: str = setting(
        "adam", "How weights are updated.", OneOf(OPTIMIZERS), TRAINING, planned=True
    )
    momentum: float = setting(
        0.9,
        "Momentum of sgd.",
        Share(whole=False),
        TRAINING,
        needs=(Need("optimizer", "sgd".__eq__, "without {optimizer} sgd", 0.0),),
    )
    weight_decay: float = setting(
        0.01,
        "How much adamw shrinks the matrices, a step and unit of learning rate.",
        NotNegative(),
        REGULARISATION,
        needs=(Need("optimizer", "adamw".__eq__, "without {optimizer} adamw", 0.0),),
    )
    input_dropout: float = setting(
        0.0,
        "Share of the symbols that a stream does not see for a window.",
        Share(whole=False),
        REGULARISATION,
    )
    layer_dropout: float = setting(
        0.0,
        "Share left out between layers, the same units all through a window (variational dropout).",
        Share(whole=False),
        REGULARISATION,
        planned=True,
        needs=(Need("layers", lambda n: n > 1, "with one layer ({layers})", 0.0),),
    )
    output_dropout: float = setting(
        0.0,
        "Share left out of what the top layer hands to the output.",
        Share(whole=False),
        REGULARISATION,
        planned=True,
    )
    recurrent_dropout: float = setting(
        0.0,
        "Share of the recurrent weights left out for a window (DropConnect).",
        Share(whole=False),
        REGULARISATION,
        planned=True,
    )
    count_bias: bool = setting(
        False,
        "Begin with each character as likely as it is in the text.",
        Boolean(),
        TRAINING,
        planned=True,
    )
    average: float = setting(
        0.0,
        "How slowly the averaged weights follow, which are evaluated and saved; 0 for none.",
        Share(whole=False),
        TRAINING,
        planned=True,
    )
    reset: float = setting(
        0.0,
        "Share of the streams that begin again from the initial state at each window.",
        Share(),
        REGULARISATION,
        planned=True,
    )
    random_offset: bool = setting(
        False, "Cut the windows elsewhere in every epoch.", Boolean(), REGULARISATION, planned=True
    )
    scheduled_sampling: float = setting(
        0.0,
        "Share of the inputs that the model draws itself at the end of the run, 0 for none.",
        Share(),
        REGULARISATION,
    )
    sampling_schedule: str = setting(
        "linear",
        "How that share grows from 0.",
        OneOf(SAMPLING_SCHEDULES),
        REGULARISATION,
        needs=(Need("scheduled_sampling", bool, "without {scheduled_sampling}"),),
    )
    schedule: str = setting(
        "cosine",
        "How the learning rate moves; cosine and linear begin with a warm-up.",
        OneOf(SCHEDULES),
        TRAINING,
        planned=True,
    )
    warmup: int = setting(
        100,
        "Iterations of the linear warm-up.",
        Whole(0),
        TRAINING,
        planned=True,
        needs=(
            Need(
                "schedule",
                ("cosine", "linear").__contains__,
                "without {schedule} cosine or linear",
                0,
            ),
        ),
    )
    final_rate: float = setting(
        0.01,
        "Where the learning rate ends, as a share of the highest.",
        Share(),
        TRAINING,
        needs=(Need("schedule", "constant".__ne__, "with {schedule} constant", 1.0),),
    )
    clip: float = setting(
        5.0, "Limit of the gradient, 0 for none.", NotNegative(), TRAINING, planned=True
    )
    clip_by: str = setting(
        "norm",
        "Limit the norm of all gradients together, or each value.",
        OneOf(CLIP_KINDS),
        TRAINING,
        needs=(Need("clip", bool, "without a limit ({clip} 0)"),),
    )
    iterations: int | None = setting(None, "Train so many steps.", Whole(1), LENGTH, free=True)
    epochs: float | None = setting(
        None, "Train so many passes over the text.", Positive(MOST_EPOCHS), LENGTH, free=True
    )
    minutes: float | None = setting(
        None,
        "Train so long, evaluations and samples included.",
        Positive(MOST_MINUTES),
        LENGTH,
        short="m",
        free=True,
    )
    eval_every: int = setting(
        500,
        "Iterations between evaluations, 0 for none but the last.",
        Whole(0),
        EVALUATION,
        planned=True,
        free=True,
        needs=(Need("val_fraction", bool, "without a validation part ({val_fraction} 0)", 0),),
    )
    patience: int = setting(
        0,
        "End after so many evaluations without a better one, 0 for never.",
        Whole(0),
        LENGTH,
        free=True,
        needs=(
            Need("eval_every", bool, "without evaluations on the way ({eval_every} 0)", 0),
            Need("val_fraction", bool, "without a validation part ({val_fraction} 0)", 0),
        ),
    )
    sample_every: int = setting(
        1000,
        "Iterations between samples, 0 for none.",
        Whole(0),
        EVALUATION,
        planned=True,
        free=True,
    )
    sample_length: int = setting(
        200,
        "Characters of a sample.",
        Whole(1, MOST_CHARACTERS),
        EVALUATION,
        free=True,
        needs=(_WITH_SAMPLES,),
    )
    temperature: float | str = setting(
        0.8,
        "Temperature of the samples; 2.0:0.5 falls over the run.",
        Temperature(),
        EVALUATION,
        short="t",
        free=True,
        needs=(_WITH_SAMPLES,),
    )
    val_fraction: float = setting(
        0.1, "Share of the text, at its end, that validates.", Share(whole=False), EVALUATION
    )
    calibration: float = setting(
        0.01,
        "Share of the rest that is not trained on and sets how sure the model is, 0 for none.",
        Share(whole=False),
        EVALUATION,
    )
    threads: int | None = setting(
        None,
        "Slices of the batch computed side by side, one a core if not given.",
        Whole(1),
        RUN,
        free=True,
    )
    rng_seed: int = setting(0, "Seed of all that is random.", Whole(0, MOST_SEED), RUN)

    def __post_init__(self) -> None:
        validate(self)
        given = [name for name in LENGTHS if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} both say how long to train; give one of them")


PLANNED = frozenset(
    name
    for config in (ModelConfig, TrainConfig)
    for name, about in settings_of(config).items()
    if about.planned
)
"""The settings that `minutes` chooses, unless the user does."""
