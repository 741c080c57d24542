"""What a caller may hand to the methods that write text; anything else is a UsageError."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from char_rnn.errors import UsageError
from char_rnn.sample_config import SampleConfig

S = TypeVar("S", bound=str | bytes)


def as_text(name: str, value: S) -> S:
    """Return `value`, a text or bytes."""
    if not isinstance(value, str | bytes):
        raise UsageError(f"{name} is {value!r}; it must be a text, or bytes for a model of bytes")
    return value


def as_texts(name: str, value: Sequence[S]) -> list[S]:
    """Return `value`, several texts or several bytes, as a list; one alone is none of these."""
    if isinstance(value, str | bytes):
        raise UsageError(f"{name} is the one text {value!r}; it must be a list: [{value!r}]")
    if not isinstance(value, Sequence) or not any(
        all(isinstance(text, kind) for text in value) for kind in (str, bytes)
    ):
        raise UsageError(
            f"{name} is {value!r}; it must be a list of texts, or of bytes for a model of bytes"
        )
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
