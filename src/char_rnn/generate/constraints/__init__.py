"""Constraints on generated text that are always met.

`make_guard` makes one guard of all that a SampleConfig asks for; `generate/rewind.py` writes a
text under it.
"""

import numpy as np

from char_rnn.config import SampleConfig
from char_rnn.data.vocabulary import AnyVocabulary
from char_rnn.errors import UsageError
from char_rnn.generate.choose import bias_amounts
from char_rnn.generate.constraints.base import Characters, Constraint
from char_rnn.generate.constraints.closing import Closing
from char_rnn.generate.constraints.guard import Choices, Guard, Place
from char_rnn.generate.constraints.letters import Letters, letters_of
from char_rnn.generate.constraints.not_copied import Followers, NotCopied
from char_rnn.generate.constraints.regular import Regular
from char_rnn.generate.constraints.words import Words

__all__ = [
    "Characters", "Choices", "Closing", "Constraint", "Followers", "Guard", "Letters",
    "NotCopied", "Place", "Regular", "Words", "letters_of", "make_guard",
]  # fmt: skip


def make_guard(
    config: SampleConfig, vocabulary: AnyVocabulary, length: int, copies: Followers | None = None
) -> Guard | None:
    """Return the guard of what `config` asks for (regex, words, close, max_copy), None for nothing.

    length: ids of the output at most. copies: an index of the training text, for max_copy.
    Raises UsageError for a constraint that cannot be met, or that something else would break;
    MissingExtra if a regular expression needs a library that is not installed.
    """
    whole = [name for name in ("regex", "words", "close") if getattr(config, name)]
    if whole and config.ends:
        raise UsageError(
            f"{' and '.join(whole)} must hold for the whole output, which stop, lines and "
            "until_line_end would cut off; give one or the other"
        )
    amounts = bias_amounts(config, vocabulary)
    letters = letters_of(vocabulary, None if amounts is None else np.isneginf(amounts))
    constraints: list[Constraint] = []
    room = length
    if config.regex:
        regular = Regular(config.regex, letters, length)
        most = regular.most(regular.begin(""))
        room = length if most is None else min(length, most)
        constraints.append(regular)
    if config.words:
        constraints.append(Words(config.words, letters, room))
    if config.close:
        constraints.append(Closing(letters))
    not_copied = None
    if config.max_copy:
        if copies is None:
            raise UsageError("max_copy needs the training text to look for copies in; give it")
        not_copied = NotCopied(copies, config.max_copy)
    if not constraints and not_copied is None:
        return None
    return Guard(letters, vocabulary.decode, constraints, not_copied)
