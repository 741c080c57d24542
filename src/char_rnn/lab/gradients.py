"""Why do gradients vanish or explode?

The loss L of one prediction depends on every state before it, and its gradient with respect to the
state k characters back is a product of k Jacobians: of the recurrent matrix U alone where the
network is linear, of U and the slope of tanh where it is not. The norm of that gradient is measured
over k: of RNNs whose U has a spectral radius ρ, and of the three cells before and after training.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from char_rnn import CharRNN, Corpus, cross_entropy, train
from char_rnn.lab.experiment import Given, Result
from char_rnn.pictures.figure import Axis, Figure, Line, Panel, bars_over_seeds, over_seeds

Array = np.ndarray

USES = ("text", "seeds")
CELLS = ("rnn", "gru", "lstm")
MATRICES = "matrices"
WHEN = ("before", "after")
FIT_FROM = 10
"""Characters back from which a slope is fitted: before, a matrix does not yet go as its ρ says."""
BINS = 10
SATURATED = 0.9
"""|h| above which a unit counts as saturated: the slope of tanh is below 0.19 there."""

MEANS = (
    "At every step back the gradient is multiplied by the same matrix, so it goes like ρ^k, and "
    "only ρ = 1, which training does not keep, neither vanishes nor explodes. Tanh and gates "
    "multiply it by numbers below 1 besides: they hold an explosion back and hasten the vanishing. "
    "A gradient that gets far back does not yet mean that anything is learned from there."
)


def run(
    given: Given,
    characters: int = 200_000,
    iterations: int = 1000,
    hidden_size: int = 64,
    radii: tuple[float, ...] = (0.5, 0.8, 1.0, 1.2, 1.5),
    back: int = 100,
    streams: int = 32,
) -> Result:
    """Measure the gradient up to `back` characters before a prediction, at `streams` places.

    radii: of the untrained RNNs, 1 among them. The last tenth of the text is read in measuring.
    """
    corpus = given.corpus(characters, least=40 * back)
    ks = [k for k in (1, 2, 3, 5, 7, 10, 15, *range(20, back + 1, 10)) if k <= back]
    kinds = (*CELLS, MATRICES)
    jobs = [
        (kind, corpus, seed, hidden_size, iterations, radii, ks, streams)
        for seed in given.every_seed
        for kind in kinds
    ]
    done = given.each(_measured, jobs)
    found = {kind: _by_name(done[k :: len(kinds)]) for k, kind in enumerate(kinds)}
    numbers = {"characters_back": ks, "radii": list(radii), **found}
    return Result(_figure(numbers), numbers, _found(numbers), MEANS)


def _measured(
    kind: str,
    corpus: Corpus,
    seed: int,
    hidden_size: int,
    iterations: int,
    radii: tuple[float, ...],
    ks: list[int],
    streams: int,
) -> dict[str, Any]:
    """Return what is measured with one seed, of a cell or of the matrices, as numbers by name."""
    rng = np.random.default_rng(seed)
    ids = places(corpus, 2 * ks[-1] + 1, streams, rng)
    if kind == MATRICES:
        return _of_matrices(corpus, hidden_size, radii, ids, ks, rng)
    run = train(
        corpus,
        cell=kind,
        hidden_size=hidden_size,
        iterations=iterations,
        learning_rate=0.005,
        batch_size=16,
        init="orthogonal",
        rng_seed=seed,
        eval_every=0,
        sample_every=0,
        calibration=0.0,
        threads=1,
        save=False,
        progress=False,
    )
    V = corpus.vocabulary.size
    new = CharRNN(V, hidden_size, kind, rng=rng, init="orthogonal", dtype="float64")
    before, after = reach(new, ids, ks), reach(exact(run.model), ids, ks)
    h = as_array(run.model.states(ids))[0]
    return {
        "before": before,
        "after": after,
        "slope": slope(ks, after),
        "saturation": (np.histogram(abs(h), BINS, (0, 1))[0] / h.size).tolist(),
        "saturated": float((abs(h) > SATURATED).mean()),
        "loss": run.curves.loss.y[-1],
    }


def _of_matrices(
    corpus: Corpus,
    hidden_size: int,
    radii: tuple[float, ...],
    ids: Array,
    ks: list[int],
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return the same of untrained RNNs: U is a random matrix, scaled to each of the radii."""
    drawn = rng.standard_normal((hidden_size, hidden_size))
    drawn /= abs(np.linalg.eigvals(drawn)).max()
    rotation = np.linalg.qr(drawn)[0]
    V = corpus.vocabulary.size
    model = CharRNN(V, hidden_size, "rnn", rng=rng, dtype="float64")
    inputs = model.parameters["rnn.weight_ih_l0"].copy()
    found: dict[str, Any] = {"linear": [], "slope": [], "rotation_slope": [], "reading": []}
    for radius in radii:
        # Without inputs h stays 0, where tanh is its tangent: the network is linear.
        model.parameters["rnn.weight_ih_l0"] = np.zeros_like(inputs)
        model.parameters["rnn.weight_hh_l0"] = radius * rotation
        found["rotation_slope"].append(slope(ks, reach(model, ids, ks)))
        model.parameters["rnn.weight_hh_l0"] = radius * drawn
        found["linear"].append(reach(model, ids, ks))
        found["slope"].append(slope(ks, found["linear"][-1]))
        model.parameters["rnn.weight_ih_l0"] = inputs
        found["reading"].append(reach(model, ids, ks))
    model.parameters["rnn.weight_ih_l0"] = np.zeros_like(inputs)
    for name, matrix in (("worst_a_step", drawn), ("rotation_a_step", rotation)):
        model.parameters["rnn.weight_hh_l0"] = matrix
        found[name] = [worst(model, k) ** (1 / k) for k in ks]
    return found


def places(corpus: Corpus, length: int, streams: int, rng: np.random.Generator) -> Array:
    """Return ids (length, streams) of places drawn from the last tenth of the text."""
    last = corpus.length - length
    starts = rng.integers(min(int(0.9 * corpus.length), last), last + 1, streams)
    return corpus.read_rows(starts, length).T.astype(np.intp)


def reach(model: CharRNN, ids: Array, ks: list[int]) -> list[float]:
    """Return ‖∂L/∂h‖ of the state k characters before the last prediction of ids (T, B).

    L: the loss of that one prediction. The state of the LSTM is h and c together. Of B streams it
    is the median: a mean would be that of the few streams with the largest products.
    """
    states = as_array(model.states(ids[:-1]))
    norms = []
    for k in ks:
        window = slice(len(ids) - 1 - k, -1)  # k inputs, and the state before the first of them
        before = states[:, len(ids) - 2 - k]
        logits, _ = model.forward(ids[window], before[0] if len(before) == 1 else tuple(before))
        _, of_mean = cross_entropy(logits[-1:], ids[-1:])
        d_logits = np.zeros_like(logits)
        d_logits[-1:] = of_mean * ids.shape[1]  # of every stream's own loss
        model.backward(d_logits)
        squares = as_array(model.state_gradient) ** 2
        norms.append(float(np.median(np.sqrt(squares.sum(axis=(0, 1, 3))))))
    return norms


def worst(model: CharRNN, k: int) -> float:
    """Return how much k steps of a linear `model` lengthen a gradient in the worst direction."""
    H = model.hidden_size
    logits, _ = model.forward(np.zeros((k, H), np.intp))
    d_hidden = np.zeros((k, H, H))
    d_hidden[-1] = np.eye(H)  # in each of H streams the gradient of another unit
    model.backward(np.zeros_like(logits), d_hidden)
    return float(np.linalg.norm(as_array(model.state_gradient)[0, 0], 2))


def slope(ks: list[int], norms: list[float]) -> float:
    """Return the slope of log norm over k ≥ FIT_FROM: log ρ, if it goes like ρ^k."""
    at = [
        i for i, (k, norm) in enumerate(zip(ks, norms, strict=True)) if k >= FIT_FROM and norm > 0
    ]
    return float(np.polyfit([ks[i] for i in at], [math.log(norms[i]) for i in at], 1)[0])


def exact(model: CharRNN) -> CharRNN:
    """Return `model` in float64, where products of many small factors do not end at 1e-38."""
    config = dataclasses.replace(model.config, dtype="float64")
    twin = CharRNN.from_config(config, model.vocabulary)
    twin.parameters.flat[:] = model.parameters.flat
    return twin


def as_array(state: Any) -> Array:
    """Return a state, h or a pair (h, c), as one array with that axis first."""
    return np.stack(state) if isinstance(state, tuple) else state[None]


def _by_name(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return name -> a list over the seeds."""
    return {name: [of_seed[name] for of_seed in found] for name in found[0]}


def _figure(numbers: dict[str, Any]) -> Figure:
    ks, radii = numbers["characters_back"], numbers["radii"]
    matrices = numbers[MATRICES]
    back = Axis("characters back", low=0)
    norm = Axis("norm of the gradient (nats a unit of h)", log=True)

    def of_radii(name: str) -> list[Line]:
        return [
            over_seeds(ks, [rows[at] for rows in matrices[name]], f"ρ = {radius}")
            for at, radius in enumerate(radii)
        ]

    linear = of_radii("linear")
    theory = []
    for radius, line in zip(radii, linear, strict=True):
        at_first = line.y[0] / radius ** ks[0]
        theory.append(Line(ks, [at_first * radius**k for k in ks], line.label, dashed=True))
    panels = [
        Panel("Linear: it goes like ρ^k (dotted)", back, norm, [*linear, *theory]),
        Panel(
            "The same networks, reading the text: tanh holds it", back, norm, of_radii("reading")
        ),
        Panel(
            "Factor a step in the worst direction, ρ = 1",
            Axis("steps", log=True),
            Axis("k-th root of the largest singular value", low=0.9),
            [
                over_seeds(ks, matrices["worst_a_step"], "random matrix"),
                over_seeds(ks, matrices["rotation_a_step"], "orthogonal matrix"),
            ],
        ),
        *(
            Panel(
                f"The three cells {name} training",
                back,
                norm,
                [over_seeds(ks, numbers[cell][name], cell.upper()) for cell in CELLS],
            )
            for name in WHEN
        ),
        Panel(
            "How saturated the trained networks are",
            Axis("|h|", low=0, high=1),
            Axis("share of the units", low=0),
            [
                bars_over_seeds(
                    [(at + 0.5) / BINS for at in range(BINS)],
                    numbers[cell]["saturation"],
                    cell.upper(),
                )
                for cell in CELLS
            ],
        ),
    ]
    return Figure("A gradient's way back is a product: it vanishes, or explodes", panels)


def _found(numbers: dict[str, Any]) -> str:
    ks, radii, matrices = numbers["characters_back"], numbers["radii"], numbers[MATRICES]
    slopes = np.median(matrices["slope"], axis=0)
    fitted = ", ".join(f"{math.exp(s):.2f} for {r}" for r, s in zip(radii, slopes, strict=True))
    first = np.median(matrices["worst_a_step"], axis=0)[0]
    reading = np.median(matrices["reading"], axis=0)[-1]
    kept = ", ".join(
        f"{cell.upper()} {math.exp(np.median(numbers[cell]['slope'])):.2f}" for cell in CELLS
    )
    ends = ", ".join(
        f"{cell.upper()} "
        + " and ".join(f"{np.median(numbers[cell][when], axis=0)[-1]:.0e}" for when in WHEN)
        for cell in CELLS
    )
    return (
        f"Where the network is linear, the gradient's factor a step is what ρ says: {fitted}; but "
        f"in the first step it can grow {first:.1f}-fold at ρ = 1, for singular values are not "
        f"eigenvalues. In reading, tanh makes {math.exp(slope(ks, reading.tolist())):.2f} of "
        f"{radii[-1]}. Of the trained cells each character back keeps: {kept}. {ks[-1]} characters "
        f"back the norm is, before and after training: {ends}."
    )
