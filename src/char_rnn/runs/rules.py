"""Settings that have no effect beside the others: they are refused or told, never ignored."""

from collections.abc import Mapping
from typing import Any

from char_rnn.config import ModelConfig, TrainConfig
from char_rnn.errors import UsageError
from char_rnn.settings import settings_of, without_effect
from char_rnn.text_config import TextConfig

KNOWN = settings_of(ModelConfig) | settings_of(TrainConfig) | settings_of(TextConfig)


def unheard(given: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each of the `given` settings that does nothing with `settings`.

    settings: those of the model, its training and its text that are known by now; what depends on
        another is passed over.
    """
    return list(without_effect(KNOWN, given, settings, "--{}"))


def check(given: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise UsageError for the first of the `given` settings that does nothing."""
    for sentence in unheard(given, settings):
        raise UsageError(f"{sentence}; leave it out")
