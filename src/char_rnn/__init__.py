"""Train a character-level RNN, LSTM or GRU in NumPy alone, and generate from it.

`train` and `resume` return a `Run`, whose `model` is a `CharRNN`; mistakes are a `CharRNNError`.
docs/notebook.md has the programs that one writes first.

Names are loaded when they are first used, so that `import char_rnn` and `char-rnn --help` cost
nothing; what is loaded is NumPy and the standard library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from char_rnn import analyse as analyse
    from char_rnn import cluster as cluster
    from char_rnn import lab as lab
    from char_rnn import music as music
    from char_rnn.charrnn import CharRNN as CharRNN
    from char_rnn.config import ModelConfig as ModelConfig
    from char_rnn.config import TrainConfig as TrainConfig
    from char_rnn.data.corpus import Corpus as Corpus
    from char_rnn.data.vocabulary import ByteVocabulary as ByteVocabulary
    from char_rnn.data.vocabulary import Vocabulary as Vocabulary
    from char_rnn.data.vocabulary import one_hot as one_hot
    from char_rnn.errors import CharRNNError as CharRNNError
    from char_rnn.exercise import clip_gradients as clip_gradients
    from char_rnn.exercise import cross_entropy_loss as cross_entropy_loss
    from char_rnn.exercise import numerical_gradient as numerical_gradient
    from char_rnn.exercise import sample_with_temperature as sample_with_temperature
    from char_rnn.exercise import softmax as softmax
    from char_rnn.model.loss import cross_entropy as cross_entropy
    from char_rnn.runs.begin import resume as resume
    from char_rnn.runs.begin import train as train
    from char_rnn.runs.run import Run as Run
    from char_rnn.sample_config import SampleConfig as SampleConfig
    from char_rnn.sweeps.begin import sweep as sweep
    from char_rnn.tables import register_cell as register_cell
    from char_rnn.tables import register_optimizer as register_optimizer
    from char_rnn.text_config import TextConfig as TextConfig
    from char_rnn.training.trainer import Trainer as Trainer

__version__ = "0.1.0"

_HOMES = {
    "ByteVocabulary": "data.vocabulary",
    "CharRNN": "charrnn",
    "CharRNNError": "errors",
    "Corpus": "data.corpus",
    "ModelConfig": "config",
    "SampleConfig": "sample_config",
    "TextConfig": "text_config",
    "TrainConfig": "config",
    "Run": "runs.run",
    "Trainer": "training.trainer",
    "Vocabulary": "data.vocabulary",
    "clip_gradients": "exercise",
    "cross_entropy": "model.loss",
    "cross_entropy_loss": "exercise",
    "numerical_gradient": "exercise",
    "one_hot": "data.vocabulary",
    "register_cell": "tables",
    "register_optimizer": "tables",
    "resume": "runs.begin",
    "sample_with_temperature": "exercise",
    "softmax": "exercise",
    "sweep": "sweeps.begin",
    "train": "runs.begin",
}

__all__ = [*sorted(_HOMES), "analyse", "cluster", "lab", "music"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in ("analyse", "cluster", "lab", "music"):
        return import_module(f"char_rnn.{name}")
    if name in _HOMES:
        return getattr(import_module(f"char_rnn.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'char_rnn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
