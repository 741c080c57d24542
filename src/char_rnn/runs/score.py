"""How well a model knows a text, in numbers."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from char_rnn.charrnn import CharRNN
from char_rnn.data.corpus import Corpus
from char_rnn.model.network import Network
from char_rnn.scoring import TRAINING, mean_loss


@dataclass(frozen=True)
class Score:
    """The mean of −log p over characters, each predicted from all before it.

    loss: in nats a character; bits: the same in bits; perplexity: exp of the loss.
    characters: how many were predicted. text, part: of what.
    notes: what the user should know of it.
    """

    loss: float
    bits: float
    perplexity: float
    characters: int
    text: str
    part: str
    notes: tuple[str, ...] = ()


def score_of(
    model: CharRNN, corpus: Corpus, start: int, stop: int | None, part: str, notes: Sequence[str]
) -> Score:
    """Return the score of `model` on ids[start + 1 : stop] of `corpus`, called `part`."""
    stop = corpus.length if stop is None else stop
    loss = mean_loss(Network(model.parameters), corpus, start, stop, TRAINING)
    units = in_units(loss)
    count = stop - start - 1
    return Score(loss, units["bits"], units["perplexity"], count, corpus.name, part, tuple(notes))


def in_units(loss: float) -> dict[str, float]:
    """Return a loss in `nats`, in `bits`, and as `perplexity`, infinite where no float holds it."""
    small = not loss > math.log(sys.float_info.max)
    perplexity = math.exp(loss) if small else math.inf
    return {"nats": loss, "bits": loss / math.log(2), "perplexity": perplexity}
