"""With which settings a command starts when the user gives none."""

from dataclasses import dataclass

from char_rnn.config import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """A text, a model and its training, for which everything is said."""

    text: str
    cell: str
    hidden_size: int
    layers: int
    train: TrainConfig


TRAIN_RECIPE = Recipe("python-docs", "gru", 256, 1, TrainConfig(minutes=2))
"""`char-rnn train` without arguments: a readable model in at most two minutes. With minutes most
of the settings are planned (runs/plan.py); these hold where something else says how long."""

EXERCISE_RECIPE = Recipe(
    "shakespeare.txt",
    "rnn",
    256,
    1,
    TrainConfig(iterations=20_000, batch_size=128, calibration=0.0),
)
"""`train_rnn.py` without arguments: the exercise's settings, and a batch that it leaves open."""
