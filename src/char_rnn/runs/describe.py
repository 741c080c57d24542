"""What a text, a model and its calibration are, each in a line."""

from typing import Any

from char_rnn.config import ModelConfig
from char_rnn.data.corpus import Corpus
from char_rnn.model.parameters import apart
from char_rnn.training.trainer import Trainer


def text_line(corpus: Corpus) -> str:
    """Return a text's name, its length and how many distinct symbols it has."""
    documents = "" if corpus.ends is None else f" in {len(corpus.ends) - 1:,} documents"
    kind, V = corpus.vocabulary.kind, corpus.vocabulary.size
    return f"{corpus.name}, {corpus.length:,} {kind}{documents}, {V} distinct"


def architecture(trainer: Trainer) -> str:
    """Return what is trained, and on how many threads and ranks."""
    model, threads, size = trainer.model, trainer.threads, trainer.team.size
    ranks = f" on each of {size} ranks" if size > 1 else ""
    return (
        f"{model.outline}, {model.config.layers} × {form(model.config)}, {model.num_parameters:,} "
        f"parameters, {threads} thread{'s' * (threads != 1)}{ranks}"
    )


def form(config: ModelConfig) -> str:
    """Return the cell's name, and what sets the network apart from PyTorch's module of it."""
    ways = ", ".join(way for way in apart(config) if way != config.cell).replace("_", " ")
    return f"{config.cell} ({ways})" if ways else config.cell


def calibration(summary: dict[str, Any]) -> str:
    """Return how a calibrated model was calibrated, and what its loss was before."""
    before = summary.get("uncalibrated_val_loss")
    return (
        f"logits divided by {summary['calibration_temperature']:.2f}, fitted on "
        f"{summary['calibration_characters']:,} characters that were not trained on"
        + (f"; the validation loss was {before:.4f}" if before is not None else "")
    )
