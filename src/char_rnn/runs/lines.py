"""How well a model knows each line of a text, every one on its own."""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.errors import TextTooShort
from char_rnn.reading import TextScore
from char_rnn.runs.scored_text import ScoredText
from char_rnn.scoring import Tell


@dataclass(frozen=True)
class LineScores:
    """The lines of a text in its order, each with the number that it has in the whole text.

    empty: how many lines hold nothing. unknown: how many hold nothing that the model knows.
    """

    scores: list[TextScore]
    empty: int
    unknown: int

    @property
    def loss(self) -> float:
        """The mean over all their characters, ends among them, in nats."""
        total = sum(score.nats for score in self.scores)
        return total / sum(score.characters for score in self.scores)

    def in_order(self, surprise: bool = False, reverse: bool = False) -> list[TextScore]:
        """Return the scores as the text has them, or the one of the most nats a character first.

        reverse: the other way round.
        """
        scores = list(self.scores)
        if surprise:  # what is no number stands beside what is infinite
            scores.sort(key=lambda s: -math.inf if math.isnan(s.loss) else -s.loss)
        return scores[::-1] if reverse else scores


def score_lines(model: CharRNN, found: ScoredText, progress: Tell | None = None) -> LineScores:
    """Return the scores of the lines that begin in the part of the text that is scored.

    Each is read as `CharRNN.score_each` reads a text: what stands before it makes no difference.
    Raises TextTooShort where no line is left to score.
    """
    lines = list(_lines(found) if found.corpus.ends is None else _documents(found))
    filled = [(place, line) for place, line in lines if line]
    scores = model.score_each((line for _, line in filled), progress)
    numbered = [
        dataclasses.replace(score, place=place)
        for (place, _), score in zip(filled, scores, strict=True)
        if score.left_out < len(score.text)
    ]
    if not numbered:
        raise TextTooShort(
            f"{found.corpus.name}: no line with anything to score begins in {found.reason}; take "
            f"another text{', or a larger --val_fraction' if found.start else ''}"
        )
    return LineScores(numbered, len(lines) - len(filled), len(filled) - len(numbered))


def _lines(found: ScoredText) -> Iterator[tuple[int, str | bytes]]:
    """Yield the number, from 1, and the text of each line that begins at `start` or later.

    A line that begins before and goes on after it has been learned from in part.
    """
    vocabulary = found.corpus.vocabulary
    end, at = int("\n" in vocabulary), 0
    for place, line in enumerate(_all_lines(found), 1):
        if at >= found.start:
            yield place, line
        elif found.source is None:
            at += len(line) + end
        else:
            at += len(vocabulary.without_unknown(str(line))) + end


def _documents(found: ScoredText) -> Iterator[tuple[int, str | bytes]]:
    """Yield the number, from 1, and the text of each document that is scored, in their order.

    What the model does not know is not in them any more.
    """
    corpus = found.corpus
    assert corpus.ends is not None
    order = np.arange(len(corpus.ends) - 1) if corpus.order is None else corpus.order
    scored = np.flatnonzero(corpus.ends[:-1] >= found.start)
    for k in scored[np.argsort(order[scored])]:
        yield int(order[k]) + 1, corpus.passage(int(corpus.ends[k]) + 1, int(corpus.ends[k + 1]))


def _all_lines(found: ScoredText) -> list[str | bytes]:
    """Return the lines of the whole text, with what the model does not know, without their ends."""
    if found.source is None or found.corpus.vocabulary.kind == "bytes":
        return list(found.corpus.documents())
    return [*"".join(found.source.chunks()).removesuffix("\n").split("\n")]
