"""Conditions of a text, looked at before it is begun: what cannot be is refused by its field."""

from dataclasses import replace
from typing import Any

from char_rnn.constrain.guard import make_guard
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import CharRNNError
from char_rnn.generate.stop import most_characters
from char_rnn.sample_config import SampleConfig
from char_rnn.serve.errors import Refused, refusal
from char_rnn.serve.request import Prompt

OFF: dict[str, Any] = {"regex": "", "words": (), "close": False, "max_copy": 0}
"""What asks for none."""


def check_conditions(
    config: SampleConfig, prompts: list[Prompt], vocabulary: AnyVocabulary
) -> None:
    """Raise Refused for a condition that cannot be met, each alone first, then all together.

    It takes half a second at most: patterns are bounded in their length, in what they count
    (`MOST_PLACES`) and in what their ranges hold (`MOST_IN_RANGES`).
    """
    named = [name for name in config.conditions if name in ("regex", "words", "close")]
    if config.code and (named or config.max_copy or config.ends):
        raise Refused(
            "code ends where a statement does and is cut nowhere else; leave stop, lines, "
            "until_line_end and all other conditions out",
            param="code",
        )
    length = most_characters(config)
    alone = [(name, {other: off for other, off in OFF.items() if other != name}) for name in named]
    together = [(named[0], {"max_copy": 0})] if len(named) > 1 else []
    for name, changes in alone + together:
        try:
            guard = make_guard(replace(config, **changes), vocabulary, length)
            for prompt in prompts:
                if guard is not None:
                    guard.begin(prompt.begun, length)
        except CharRNNError as error:
            raise refusal(error, name) from error
