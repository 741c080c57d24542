"""What a caller may hand to the methods that write text; anything else is a UsageError."""

from collections.abc import Sequence

import numpy as np

from char_rnn.config import SampleConfig
from char_rnn.errors import UsageError


def as_text(name: str, value: str) -> str:
    """Return `value`, a text."""
    if not isinstance(value, str):
        raise UsageError(f"{name} is {value!r}; it must be a text")
    return value


def as_texts(name: str, value: Sequence[str]) -> list[str]:
    """Return `value`, several texts, as a list; one text alone is none of these."""
    if isinstance(value, str):
        raise UsageError(f"{name} is the one text {value!r}; it must be a list: [{value!r}]")
    if not isinstance(value, Sequence) or not all(isinstance(text, str) for text in value):
        raise UsageError(f"{name} is {value!r}; it must be a list of texts")
    return list(value)


def as_settings(value: SampleConfig | None) -> SampleConfig:
    """Return `value`, or the usual settings for None."""
    if value is not None and not isinstance(value, SampleConfig):
        raise UsageError(f"config is {value!r}; it must be a SampleConfig, as SampleConfig(500)")
    return value or SampleConfig()


def as_generator(value: np.random.Generator | None) -> np.random.Generator:
    """Return `value`, or a fresh generator for None."""
    if value is not None and not isinstance(value, np.random.Generator):
        raise UsageError(
            f"rng is {value!r}; it must be a generator, as numpy.random.default_rng(1)"
        )
    return np.random.default_rng() if value is None else value
