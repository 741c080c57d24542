"""Pieces that a model writes: always whole, in the key, on the scale and as long as asked."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.constrain.base import Constraint
from char_rnn.constrain.letters import Letters
from char_rnn.errors import UsageError
from char_rnn.generate.arguments import as_generator
from char_rnn.music.again import bars_of
from char_rnn.music.asked import Asked
from char_rnn.music.beginnings import Free, Seeded, seed_of
from char_rnn.music.condition import Piece
from char_rnn.music.grammar import Grammar
from char_rnn.music.score import Score
from char_rnn.music.spelling import Key
from char_rnn.music.text_reader import from_text
from char_rnn.sample_config import SampleConfig
from char_rnn.storage.reading import StrPath

MOST_CHARACTERS = 2**21
"""Of a piece: the grammar ends it long before, by its bars."""
BETWEEN = "\n\n"


def generate(
    model: CharRNN,
    *,
    bars: int | None = None,
    key: str | Key | None = None,
    scale: str | None = None,
    seed: Score | StrPath | None = None,
    temperature: float | str = SampleConfig.temperature,
    count: int = 1,
    rng: np.random.Generator | None = None,
    **settings: Any,
) -> list[Score]:
    """Return `count` pieces that a model writes which was trained on the text of music.

    bars: so many, else until the model ends the piece, at a bar's end. With bars the last note is
        at least a quarter, and the tonic where the key is known: of several voices in the last one
        that has pitches, the others on notes of the tonic's chord above it.
    key: such as "D", "F# minor" or "Edor"; its scale is kept. scale: another, such as "dorian" or
        "minor pentatonic"; alone, the model chooses the tonic. Without both notes are free.
        The model writes on the tonic that it likes; the piece is moved to that of `key`.
    seed: a melody, or its MIDI file, that each piece goes on from; bars counts new ones, from
        the end of its last bar on. The model reads it where it knows it best, and all comes back.
    settings: others of SampleConfig, of those that choose characters.
    Raises UsageError for a model that knows no music, and for what it cannot write.
    """
    asked, score = Asked.of(bars, key, scale), None if seed is None else seed_of(seed)
    config = SampleConfig.from_dict({"temperature": temperature} | settings)
    return list(written(model, asked, score, config, as_generator(rng), count))


def written(
    model: CharRNN,
    asked: Asked,
    seed: Score | None,
    config: SampleConfig,
    rng: np.random.Generator,
    count: int,
) -> Iterator[Score]:
    """Yield pieces as `generate` does, the first of many being those of few."""
    if isinstance(config.temperature, str):
        raise UsageError(
            f"the temperature {config.temperature} moves over the length of a text, and music has "
            "bars; give one number"
        )
    if model.vocabulary is None:
        raise UsageError("this model has no vocabulary, and so knows no music")
    task = Free(asked) if seed is None else Seeded(model, asked, seed)
    ends = model.vocabulary.end is not None
    before = "" if ends or "\n" not in model.vocabulary else BETWEEN
    config = replace(config, length=MOST_CHARACTERS)
    made: list[Piece] = []

    def condition(letters: Letters) -> Constraint:
        if not made:
            known = {char for char in map(chr, range(128)) if letters.ids(char)}
            grammar = Grammar(task.asked, known.issuperset, ends, task.pitches)
            made.append(Piece(grammar, task.start(grammar), not ends, bars_of(task.begun)))
        return made[0]

    for _ in range(count):
        pieces = model.generate(before + task.begun, config, rng, conditions=[condition])
        yield task.finished(from_text((task.begun + "".join(pieces)).rstrip("\n")))
