"""A temperature of 0.5 or of 1.5?

The model writes at temperatures from 0.1 to 2: logits / T, softmax, draw. Measured is how open the
distribution is that it draws from, which share of the words are real ones, and how much the text
repeats itself; and, where the training text is known, how much of it is copied.

A word is real if it stands in the text: yours, or that of the model's own run. Where neither is
there, the model's own words take their place: those that it wrote at least twice in a long sample
at temperature 1. Of the shipped model, whose text is known after all, 96 % of these stand in it,
and the share of real words comes out low, by 0.02 at T = 0.2, 0.08 at T = 1 and 0.04 at T = 2.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from char_rnn.analyse.diversity import SHARED, diversity
from char_rnn.analyse.overlap import overlaps
from char_rnn.charrnn import CharRNN
from char_rnn.data.vocabulary import Vocabulary, code_points
from char_rnn.errors import CharRNNError, UsageError
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.words import vocabulary_of
from char_rnn.model.loss import log_softmax
from char_rnn.pictures.figure import Axis, Figure, Panel, Rule, over_seeds
from char_rnn.runs.run import Run
from char_rnn.runs.text import own_text

USES = ("text", "model", "seeds")

TEMPERATURES = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0)
SHOWN = (0.2, 0.5, 0.8, 1.0, 1.5)
"""Of which a sample is shown."""
SHOWN_LENGTH = 220
TEXT = 2_000_000  # characters of a text that are looked at
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
TWICE = 2
NEVER = -1e9
COPIED = 20  # characters of a run that counts as copied


def run(
    given: Given,
    temperatures: Sequence[float] = TEMPERATURES,
    streams: int = 32,
    length: int = 300,
    own_words: int = 4,
) -> Result:
    """Write at each of `temperatures` and look at what comes.

    streams, length: texts at each temperature and seed, and their characters. own_words: samples of
    so many streams and three times that length that make the model's own words.
    """
    if not all(T > 0 for T in temperatures):
        raise UsageError(f"temperatures are {tuple(temperatures)}; each must be above 0")
    model = given.model()
    known = known_text(given)
    jobs = [(model, T, streams, length, seed) for T in temperatures for seed in given.every_seed]
    if known is None:
        first = given.rng_seed + given.seeds  # other draws than those that are measured
        jobs += [(model, 1.0, streams, 3 * length, first + k) for k in range(own_words)]
    written = given.each(write, jobs)
    measured, others = written[: len(temperatures) * given.seeds], written[-own_words:]
    words, whence = _real_words(given, known, [text for texts, _ in others for text in texts])
    shape = (len(temperatures), given.seeds)
    each = [measures(texts, words) | {"entropy": entropy} for texts, entropy in measured]
    rows = {name: np.reshape([m[name] for m in each], shape).T.tolist() for name in each[0]}
    if known is not None:
        rows["copied"] = np.reshape(copied([t for t, _ in measured], known), shape).T.tolist()
    samples = {
        f"{T:g}": measured[k * given.seeds][0][0][:SHOWN_LENGTH]
        for k, T in enumerate(temperatures)
        if T in SHOWN
    }
    return Result(
        figure=_figure(given, temperatures, rows, whence, samples),
        numbers={"temperatures": list(temperatures), **rows, "real": whence, "samples": samples},
        found=_found(temperatures, rows),
        means=MEANS,
        page=_page(samples),
    )


def write(
    model: CharRNN, T: float, streams: int, length: int, seed: int
) -> tuple[list[str], float]:
    """Return texts of `length` written at temperature `T`, and the mean entropy of each draw.

    The entropy is that of the distribution drawn from, −Σ p log p, in nats.
    """
    rng, vocabulary = np.random.default_rng(seed), vocabulary_of(model)
    begin = vocabulary.beginning()  # a line end, say
    if not len(begin):
        begin = rng.integers(vocabulary.size, size=1)
    ids = np.empty((length, streams), np.intp)
    read, state, entropy = np.repeat(begin[:, None], streams, axis=1), None, 0.0
    for t in range(length):
        logits, state = model.forward(read, state)  # (…, B, V)
        if vocabulary.rare is not None:
            logits[..., vocabulary.rare] = NEVER
        log_p = log_softmax(logits[-1].astype(np.float64) / T)
        p = np.exp(log_p)
        entropy -= float((p * log_p).sum()) / streams / length
        up_to = p.cumsum(axis=1)
        ids[t] = (up_to <= rng.random((streams, 1)) * up_to[:, -1:]).sum(axis=1)
        read = ids[t : t + 1]
    return [vocabulary.decode(row) for row in ids.T], entropy


def known_text(given: Given) -> str | None:
    """Return the text of the reader, or the one that the model's run was trained on, or None."""
    model = given.of_model
    try:
        if given.text is not None:
            text = given.passage(TEXT, least=1)
        elif isinstance(model, Run):
            text = _beginning(model.text.source().chunks())
        elif model is None or isinstance(model, CharRNN) or (own := own_text(str(model))) is None:
            return None
        else:
            text = _beginning(own.source().chunks())
    except CharRNNError:
        if given.text is not None:
            raise
        return None  # it is no longer there
    vocabulary = vocabulary_of(given.model())
    return vocabulary.formed(text) if isinstance(vocabulary, Vocabulary) else text


def _beginning(chunks: Iterable[str]) -> str:
    return "".join(chunks)[:TEXT]


def words_of(text: str) -> list[str]:
    """Return the words of `text` in lower case, but for one that its end cuts off."""
    words: list[str] = WORD.findall(text.lower())
    return words[:-1] if text[-1:].isalpha() else words


def _real_words(given: Given, known: str | None, own: list[str]) -> tuple[set[str], str]:
    """Return the words that count as real, and where they come from."""
    if known is not None:
        words = set(words_of(known))
        name = given.name_of_text if given.text is not None else "the text it was trained on"
        return words, f"a real word is one of the {len(words):,} of {name}"
    counts = Counter(word for text in own for word in words_of(text))
    words = {word for word, count in counts.items() if count >= TWICE}
    return words, (
        f"a real word is one of the {len(words):,} that the model wrote at least twice in "
        f"{sum(map(len, own)):,} other characters at temperature 1; the share is a little low"
    )


def measures(texts: list[str], real: set[str]) -> dict[str, float]:
    """Return the share of real words, of distinct pairs and fours, and how alike the texts are."""
    words = [word for text in texts for word in words_of(text)]
    variety = diversity(texts)
    return {
        "real_words": sum(word in real for word in words) / len(words) if words else math.nan,
        "distinct_pairs": variety.distinct_words[1],
        "distinct_fours": variety.distinct_characters[3],
        "alike": math.nan if variety.overlap is None else variety.overlap,
    }


def copied(samples: list[list[str]], text: str) -> list[float]:
    """Return of each list of samples which share of its characters is copied from `text`.

    That is, stands in runs of at least `COPIED` characters that the text has too.
    """
    each = [("", code_points(sample)) for texts in samples for sample in texts]
    shares = [found.shares[COPIED] for found in overlaps(each, code_points(text))]
    means: list[float] = np.reshape(shares, (len(samples), -1)).mean(axis=1).tolist()
    return means


@dataclass(frozen=True)
class WithSamples(Figure):
    """A figure that tells samples besides, where it is told in characters."""

    samples: str = ""

    def chart(self, width: int = 78) -> str:
        """Return every panel in plain characters, and the samples."""
        return f"{super().chart(width)}\n\n{self.samples}"


def _figure(
    given: Given,
    temperatures: Sequence[float],
    rows: dict[str, Any],
    whence: str,
    samples: dict[str, str],
) -> Figure:
    def panel(title: str, label: str, *lines: tuple[str, str], high: float | None = 1.0) -> Panel:
        marks = [over_seeds(temperatures, rows[name], told) for name, told in lines if name in rows]
        asked = [Rule(T, vertical=True) for T in (0.5, 1.5)]
        return Panel(title, Axis("temperature"), Axis(label, low=0.0, high=high), [*asked, *marks])

    return WithSamples(
        f"What {given.name_of_model} writes at low and at high temperatures",
        [
            panel("How open each choice is", "nats a character", ("entropy", ""), high=None),
            panel("Real words", "share of its words", ("real_words", "")),
            panel(
                "Variety",
                "share that is distinct",
                ("distinct_pairs", "pairs of words"),
                ("distinct_fours", "4 characters in a row"),
            ),
            panel(
                "What is not new",
                "share of the samples",
                ("alike", f"{SHARED} characters of another sample"),
                ("copied", f"{COPIED} characters or more of the text"),
            ),
        ],
        note=f"Bands: from the least to the most of {given.seeds} seeds. Here {whence}.",
        samples="\n\n".join(f"T = {T}:\n{text}" for T, text in samples.items()),
    )


def _found(temperatures: Sequence[float], rows: dict[str, Any]) -> str:
    """Return what changes from 0.5 to 1.5, or from the least to the greatest temperature."""
    both = {0.5, 1.5} <= set(temperatures)
    a, b = (temperatures.index(T) for T in (0.5, 1.5)) if both else (0, len(temperatures) - 1)
    told = {
        "entropy": "the entropy of a draw goes from {:.2f} to {:.2f} nats",
        "real_words": "the share of real words from {:.0%} to {:.0%}",
        "distinct_pairs": "that of distinct pairs of words from {:.0%} to {:.0%}",
        "copied": "what is copied from {:.1%} to {:.1%}",
    }
    middle = {name: np.median(rows[name], axis=0)[[a, b]] for name in told if name in rows}
    parts = [told[name].format(*both) for name, both in middle.items() if np.isfinite(both).all()]
    return f"From temperature {temperatures[a]:g} to {temperatures[b]:g} {', '.join(parts)}."


MEANS = (
    "Neither is right: T divides the logits, so that below 1 the likely becomes likelier, and the "
    "text safer, poorer and more alike; above 1 mistakes become likelier, and each is read as if "
    "it were text. 1 is what was learned; most take 0.7 to 0.9. What is not measured is sense, and "
    "whether anybody likes it."
)


def _page(samples: dict[str, str]) -> str:
    shown = (
        f"<h4>Temperature {escape(T)}</h4><pre>{escape(text)}</pre>" for T, text in samples.items()
    )
    return f"<details open><summary>Samples</summary>{''.join(shown)}</details>"
