"""What goes wrong when a network reads its own text?

In training every input is the text's own character (teacher forcing), in writing each is what the
network chose itself (free running). Networks are trained with and without scheduled sampling, in
which a share of the inputs, growing from none, is drawn by the network. Then, on text that was held
out, three things are measured:

- after a passage of the text, how long does what it writes agree with what really comes?
- one wrong character, one that it might have drawn, and the real text again: what does it cost?
- does its own text, drawn at temperature 1, become less like real text the longer it reads itself?
  (`analyse.free_running`: by an n-gram model, and by how sure the network is of its own text)
"""

from typing import Any

import numpy as np

import char_rnn
from char_rnn.analyse.free_running import ORDER, free_running
from char_rnn.charrnn import CharRNN
from char_rnn.data.corpus import Corpus
from char_rnn.lab.experiment import Given, Result
from char_rnn.lab.words import vocabulary_of
from char_rnn.model.loss import log_softmax
from char_rnn.pictures.figure import Axis, Figure, Panel, Rule, over_seeds

Array = np.ndarray

USES = ("text", "seeds")

VALIDATION = 0.25  # of the text
CONTEXT = 100  # characters that are read first
AFTER = 50  # over which agreement and what a mistake costs are followed
MISTAKE = 12  # of them shown, after a mistake


def run(
    given: Given,
    shares: tuple[float, ...] = (0.0, 0.25, 0.5),
    characters: int = 400_000,
    iterations: int = 700,
    hidden_size: int = 96,
    length: int = 500,
) -> Result:
    """Train with each of `shares` of own inputs at the end, and let the networks run freely.

    characters: of the text. length: of what they write, by which the drift is measured.
    """
    text = given.passage(characters, least=10_000)
    settings: dict[str, Any] = {"iterations": iterations, "hidden_size": hidden_size}
    jobs = [(text, share, seed, length, settings) for share in shares for seed in given.every_seed]
    found = given.each(measured, jobs)
    rows = {
        name: {
            f"{share:g}": [one[name] for one in found[k * given.seeds : (k + 1) * given.seeds]]
            for k, share in enumerate(shares)
        }
        for name in found[0]
    }
    return Result(
        figure=_figure(given, rows),
        numbers={"order": ORDER, **rows},
        found=_found(rows),
        means=MEANS,
    )


def measured(
    text: str, share: float, seed: int, length: int, settings: dict[str, Any]
) -> dict[str, Any]:
    """Train one network and return all that is measured of it, as JSON holds it."""
    corpus = Corpus.from_text(text)
    sampling: dict[str, Any] = {"scheduled_sampling": share} if share else {}
    run = char_rnn.train(
        corpus,
        cell="gru",
        optimizer="adam",
        learning_rate=0.01,
        batch_size=32,
        seq_length=25,
        val_fraction=VALIDATION,
        eval_every=0,
        sample_every=0,
        threads=1,
        rng_seed=seed,
        save=False,
        progress=False,
        **sampling,
        **settings,
    )
    model, rng = run.model, np.random.default_rng(seed)
    train_stop, start, stop = corpus.parts(VALIDATION)
    passages = _passages(corpus, start, stop)
    train = corpus.read(0, train_stop)
    drift = free_running(model, corpus, start, stop, rng, train, CONTEXT, length)
    assert drift.reference is not None
    fed_text, fed_itself = agreement(model, passages)
    return {
        "loss": run.evaluate().loss,
        "fed_text": fed_text.tolist(),
        "fed_itself": fed_itself.tolist(),
        "mistake": cost_of_a_mistake(model, passages, rng).tolist(),
        "distances": [row.last for row in drift.rows],
        "own_less_real": [
            row.reference.own - row.reference.real for row in drift.rows if row.reference
        ],
        "own_less_real_to_itself": [row.model.own - row.model.real for row in drift.rows],
        "growth": drift.reference.far - drift.reference.near,
        "growth_to_itself": drift.model.far - drift.model.near,
    }


def _passages(corpus: Corpus, start: int, stop: int, most: int = 200) -> Array:
    """Return passages of the held-out text, (CONTEXT + AFTER, P) ids, evenly spread."""
    size = CONTEXT + AFTER
    begins = np.linspace(start, stop - size, min(most, (stop - start) // size)).astype(np.int64)
    return corpus.read_rows(begins, size).T.astype(np.intp)


def agreement(model: CharRNN, passages: Array) -> tuple[Array, Array]:
    """Return how often the likeliest character is the text's, (AFTER,) each, from CONTEXT on.

    First where all that is read is text, then where it is what the network itself put there.
    """
    logits, _ = model.forward(passages[:-1])
    right = logits.argmax(axis=-1) == passages[1:]
    vocabulary = vocabulary_of(model)
    seeds = [vocabulary.decode(passage) for passage in passages[:CONTEXT].T]
    likeliest = char_rnn.SampleConfig(length=AFTER, temperature=0)
    own = [vocabulary.encode(text) for text in model.generate_many(seeds, likeliest, threads=1)]
    same = np.transpose(own) == passages[CONTEXT:]
    return right[CONTEXT - 1 :].mean(axis=1), same.mean(axis=1)


def cost_of_a_mistake(model: CharRNN, passages: Array, rng: np.random.Generator) -> Array:
    """Return how much more −log p each of the characters after a wrong one has, (AFTER − 1,).

    The wrong one stands at CONTEXT, drawn from what the network expects there but for the right
    one; before and after it everything is text.
    """
    log_p = log_softmax(model.forward(passages[:CONTEXT])[0][-1].astype(np.float64))
    streams = np.arange(passages.shape[1])
    log_p[streams, passages[CONTEXT]] = -np.inf
    wrong = passages.copy()
    # The largest of log p + Gumbel noise is a draw from p.
    wrong[CONTEXT] = (log_p + rng.gumbel(size=log_p.shape)).argmax(axis=1)
    costs = _nats(model, wrong) - _nats(model, passages)
    after: Array = costs[CONTEXT:].mean(axis=1)
    return after


def _nats(model: CharRNN, passages: Array) -> Array:
    """Return −log p of each character but the first, (T − 1, P)."""
    log_p = log_softmax(model.forward(passages[:-1])[0].astype(np.float64))
    nats: Array = -np.take_along_axis(log_p, passages[1:, :, None], axis=-1)[..., 0]
    return nats


def _figure(given: Given, rows: dict[str, dict[str, Any]]) -> Figure:
    shares = list(rows["loss"])
    left_alone = "characters since it was left alone"

    def lines(name: str, x: Any, stop: int | None = None) -> list[Any]:
        each = ((share, [row[:stop] for row in rows[name][share]]) for share in shares)
        return [over_seeds(x, row, _label(share), marks=len(x) < 20) for share, row in each]

    distances = rows["distances"][shares[0]][0]
    after = range(1, AFTER + 1)
    fed_text = over_seeds(after, rows["fed_text"][shares[0]], "fed text", marks=False)
    return Figure(
        f"Networks that read their own text ({given.name_of_text})",
        [
            Panel(
                "It soon writes another text",
                Axis(left_alone),
                Axis("share that agrees", low=0.0, high=1.0),
                [*lines("fed_itself", after), fed_text],
            ),
            Panel(
                "What one wrong character costs",
                Axis("characters since then"),
                Axis("nats more a character"),
                lines("mistake", range(1, MISTAKE + 1), MISTAKE),
            ),
            Panel(
                f"Is it like real text, to a {ORDER}-gram?",
                Axis(left_alone, log=True),
                Axis("own − real, nats a character"),
                [*lines("own_less_real", distances), Rule(0.0)],
            ),
            Panel(
                "How sure is it of its own text?",
                Axis(left_alone, log=True),
                Axis("own − real, nats a character"),
                [*lines("own_less_real_to_itself", distances), Rule(0.0)],
            ),
        ],
        note="In training they read all text (teacher forcing), or in the end so much of their own "
        f"(scheduled sampling). Bands: from the least to the most of {given.seeds} seeds.",
    )


def _label(share: str) -> str:
    return f"{100 * float(share):g} % its own" if float(share) else "all text"


def _found(rows: dict[str, dict[str, Any]]) -> str:
    """Say what came out, in medians over the seeds, with the least and the most."""
    shares = list(rows["loss"])
    fed_text, fed_itself = (
        np.median(rows[name][shares[0]], axis=0)[AFTER // 2 :].mean()
        for name in ("fed_text", "fed_itself")
    )

    def listed(form: str, values: dict[str, Any]) -> str:
        return ", ".join(form.format(np.median(values[share])) for share in shares)

    costs = {share: np.sum(rows["mistake"][share], axis=1) for share in shares}
    return (
        f"Fed the text, the likeliest character is right {fed_text:.0%} of the time; left alone "
        f"for {AFTER // 2} characters, {fed_itself:.0%}. In the order of "
        f"{', '.join(map(_label, shares))}: a wrong character costs those after it "
        f"{listed('{:.1f}', costs)} nats in all, and real text costs "
        f"{listed('{:.2f}', rows['loss'])} nats a character. From the first characters to the "
        f"second half of what it writes, own − real to the {ORDER}-gram moves by "
        f"{', '.join(_spread(rows['growth'][share]) for share in shares)} nats."
    )


def _spread(values: list[float]) -> str:
    middle, low, high = np.median(values), min(values), max(values)
    return f"{middle:+.2f} ({low:+.2f} to {high:+.2f})".replace("-", "−")


MEANS = (
    "One other character and it is in another text: that is no fault yet, so agreement says "
    "little. A fault is what grows with the distance in the lower panels; what is there at once is "
    "an imperfect model and no exposure bias. Reading its own text in training teaches a network "
    "to trust less what it reads: a mistake costs less, real text costs more, and with a large "
    "share it may come to repeat itself, and be surer of that than of real text (Huszár 2015). An "
    "n-gram hears broken words, not broken sense."
)
