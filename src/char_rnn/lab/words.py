"""A word that a model is to read: its ids, what its characters are called, and the model, exact."""

import dataclasses

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.data.vocabulary import AnyVocabulary, Vocabulary
from char_rnn.errors import UsageError

NAMES = {" ": "space", "\n": "line end", "\r": "return", "\t": "tab", "\xa0": "hard space"}
PLAIN = 0x590
"""From this code point on come scripts that run leftwards, wide ones, marks and emoji."""
COMBINING = range(0x300, 0x370)


def name_of(char: str) -> str:
    """Return `char` as it can be seen and printed in one line: itself, a name, or U+1F600."""
    code = ord(char)
    if char in NAMES:
        return NAMES[char]
    if char.isprintable() and code < PLAIN and code not in COMBINING:
        return char
    return f"U+{code:04X}"


def quoted(word: str) -> str:
    """Return `word` between quotation marks, as Python would write it for a plain font."""
    shown = (char if name_of(char) in (char, "space") else ascii(char)[1:-1] for char in word)
    return f"“{''.join(shown)}”"


def word_ids(vocabulary: AnyVocabulary, word: str, least: int, most: int) -> list[int]:
    """Return the ids of `word`; raise UsageError where it is too short or too long."""
    ids: list[int] = vocabulary.encode(word).tolist()
    if not least <= len(ids) <= most:
        raise UsageError(
            f"word is {word!r}, which has {len(ids)} {vocabulary.unit}s; it must have {least} to "
            f"{most} here"
        )
    return ids


def usual_word(model: CharRNN, word: str) -> str:
    """Return `word` if the model knows all of it, else as much as the model itself writes."""
    vocabulary = vocabulary_of(model)
    if isinstance(vocabulary, Vocabulary) and vocabulary.unknown(word):
        return model.sample(length=len(word), temperature=0.5, rng=np.random.default_rng(0))
    return word


def vocabulary_of(model: CharRNN) -> AnyVocabulary:
    """Return the vocabulary of `model`; raise UsageError if it has none."""
    if model.vocabulary is None:
        raise UsageError("the model has no vocabulary, so it cannot read a word")
    return model.vocabulary


def exact(model: CharRNN) -> CharRNN:
    """Return `model` in float64; it begins at zero where its own state begins at random."""
    config = dataclasses.replace(model.config, dtype="float64")
    if config.initial_state == "random":
        config = dataclasses.replace(config, initial_state="zeros")
    twin = CharRNN.from_config(config, model.vocabulary)
    twin.parameters.flat[:] = model.parameters.flat
    return twin


def symbol_name(vocabulary: AnyVocabulary, symbol: int) -> str:
    """Return what the id `symbol` is called; of bytes those that are ASCII as their character."""
    if symbol == vocabulary.end:
        return "start"  # it is read where a document starts, and predicted where one ends
    if symbol == vocabulary.rare:
        return "rare"
    if vocabulary.kind == "bytes" and symbol >= 0x80:
        return f"0x{symbol:02X}"
    return name_of(vocabulary.idx_to_char[symbol])
