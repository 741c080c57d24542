"""Whether a model writes music: what its characters allow, and what it expects in a tune."""

from collections.abc import Callable

import numpy as np

from char_rnn.charrnn import CharRNN
from char_rnn.errors import UsageError
from char_rnn.music.asked import Asked
from char_rnn.music.grammar import Grammar

KNOWN = 1.0
"""Nats a character by which a tune is less surprising than its characters in any order, to a model
that knows music. Models of a minute came to 1.7 and more, of code and prose to 0.2 at most."""
TUNES = (
    "\n\nM:4/4 K:C\nc2 ce d2 de|f2 ed c4|e2 ge f2 af|g2 fe d4|\n"
    "c3/d/ e2 f2 e2|A2 Bc d2 d2|e2 fg a2 gf|e2 d2 c4|\n",
    "\n\nM:3/4 K:C I:0,0\n1:e2 d2 c2 2:C6|\n1:f2 e2 d2 2:G,6|\n1:[eg]2 f2 d2 2:G,4 B,2|\n"
    "1:c6 2:C6|\n",
)
"""Of one voice and of two."""


def writes_music(model: CharRNN) -> bool:
    """Tell whether a model writes the text of music (text.py) if nobody asks for it.

    `generate` makes any model write it that has the characters; a model of bytes has them all. Such
    a one reads two short tunes here, and the same characters in another order.
    """
    words = model.vocabulary
    if words is None:
        return False
    known = {char for char in map(chr, range(128)) if char in words}
    ends = words.end is not None
    try:
        Grammar(Asked.of(None, None, None), known.issuperset, ends).begin()
    except UsageError:
        return False
    kept = ("".join(filter(known.__contains__, tune)) for tune in TUNES)
    return any(_knows(model.surprisal, tune.lstrip("\n") if ends else tune) for tune in kept)


def _knows(surprisal: Callable[[str], np.ndarray], tune: str) -> bool:
    order = np.random.default_rng(0).permutation(len(tune))
    shuffled = "".join(tune[k] for k in order)
    of_tune, of_shuffled = (np.nanmean(surprisal(text)) for text in (tune, shuffled))
    return bool(of_shuffled - of_tune > KNOWN)
