"""What each unit of a network follows while it reads a text, and how far its gates are saturated.

A feature that is so or not is scored by the area under the ROC curve: the share of pairs (a
character with it, one without) in which the unit is higher at the one with it, ties counting half.
A number is scored by Spearman's correlation. Both are sums over the ranks of a unit's values, so
that one product scores all units and all features.
Source: Karpathy, Johnson & Fei-Fei 2015, "Visualizing and understanding recurrent networks".
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from char_rnn.analyse.features import FEATURES, Feature
from char_rnn.charrnn import CharRNN
from char_rnn.errors import UsageError

Array = np.ndarray

LEFT, RIGHT = 0.1, 0.9
"""A gate below the one is left-saturated, shut; one above the other right-saturated, open."""
ROTATIONS = 20
STATES = {"h", "c"}

Each = Callable[[Callable[..., Any], list[tuple[Any, ...]]], list[Any]]


def one_by_one(function: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> list[Any]:
    """Return [function(*job) for job in jobs]."""
    return [function(*job) for job in jobs]


class Unit(NamedTuple):
    """A value of a network at each character: h, c or a gate of one unit; both counts from 1."""

    layer: int
    kind: str
    number: int

    def __str__(self) -> str:
        parts = (self.layer, self.number) if self.kind == "h" else self
        return ":".join(map(str, parts))


def activations(model: CharRNN, ids: Array) -> dict[str, Array]:
    """Return what is in `model` after each of `ids` (N,): name -> (N, L, H).

    h, of the LSTM c, and each gate by its name.
    """
    states, gates = model.states(ids, gates=True)
    of_states = states if isinstance(states, tuple) else (states,)
    found = dict(zip("hc", of_states, strict=False)) | gates
    return {kind: values[:, :, 0] for kind, values in found.items()}


def named_unit(told: str, inside: dict[str, Array]) -> Unit:
    """Return the unit that `told` names, LAYER:UNIT (of h) or LAYER:GATE:UNIT.

    inside: as `activations` returns it. Raises UsageError for what it does not have.
    """
    layers, units = inside["h"].shape[1:]
    parts = told.split(":")
    layer, kind, number = (parts[0], "h", parts[-1]) if len(parts) == 2 else (*parts, "", "")[:3]
    try:
        unit = Unit(int(layer), kind.strip(), int(number))
    except ValueError:
        unit = None
    if unit is None or len(parts) not in (2, 3):
        raise UsageError(
            f"unit is {told!r}; expected LAYER:UNIT, such as 1:37, or LAYER:GATE:UNIT, such as "
            f"1:{list(inside)[-1]}:37"
        )
    if unit.kind not in inside:
        raise UsageError(f"unit is {told!r}; this model has {', '.join(inside)}, not {unit.kind!r}")
    for what, value, most in (("layer", unit.layer, layers), ("unit", unit.number, units)):
        if not 1 <= value <= most:
            raise UsageError(f"unit is {told!r}; the {what} must be from 1 to {most}")
    return unit


def shown(model: CharRNN, ids: Array) -> str:
    """Return a text with one character for each of `ids`; of a model of bytes one for each byte."""
    if model.vocabulary is None:
        raise UsageError(
            "this model has no vocabulary; pass vocabulary=Vocabulary(text) to CharRNN"
        )
    return "".join(map(model.vocabulary.idx_to_char.__getitem__, ids.tolist()))


def of_unit(inside: dict[str, Array], unit: Unit) -> Array:
    """Return the values of `unit`, (N,)."""
    return inside[unit.kind][:, unit.layer - 1, unit.number - 1]


# ---- scores


def ranks(values: Array) -> Array:
    """Return the rank of each of N values in its row of (U, N), from 0; equal ones share the mean.

    Each row less its mean, (U, N) float64.
    """
    N = values.shape[1]
    order = values.argsort(axis=1)
    in_order = np.take_along_axis(values, order, axis=1)
    new = np.ones((len(values), N + 1), bool)  # whether a run of equal values begins at a place
    np.not_equal(in_order[:, 1:], in_order[:, :-1], out=new[:, 1:-1])
    places = np.arange(N)
    first = np.maximum.accumulate(np.where(new[:, :-1], places, 0), axis=1)
    last = np.minimum.accumulate(np.where(new[:, 1:], places, N)[:, ::-1], axis=1)[:, ::-1]
    found = np.empty(values.shape)
    np.put_along_axis(found, order, (first + last) / 2 - (N - 1) / 2, axis=1)
    return found


def weights(values: Array, numeric: bool) -> Array:
    """Return what the ranks of a unit are multiplied with and summed to score it, (N,)."""
    if numeric:
        own: Array = ranks(values[None])[0]
        own /= np.linalg.norm(own) or 1.0
        return own
    there = values > 0
    count = int(np.count_nonzero(there))
    others = len(values) - count
    return np.where(there, 1 / max(count, 1), -1 / max(others, 1)) / len(values)


def scored(ranked: Array, by: Array, numeric: Array) -> Array:
    """Return the scores of U units for F features, (F, U), less what chance would give.

    That is the area under the curve less ½, or the correlation. ranked: (U, N). by: the features'
    weights, (F, N). numeric: (F,) of booleans.
    """
    found: Array = by @ ranked.T
    lengths = np.linalg.norm(ranked, axis=1)
    found[numeric] /= np.where(lengths > 0, lengths, 1.0)
    return found


@dataclass(frozen=True)
class Scores:
    """How all units of a network follow F features of one text.

    kinds: h, c and the gates. scores: (F, kinds, L, H), less what chance would give. chance: (F,),
    the best score that any of them reaches for the feature moved along the text, of `ROTATIONS`
    distances. saturated: by gate, the share of characters where each unit is left- and
    right-saturated, (2, L, H).
    """

    kinds: tuple[str, ...]
    scores: Array
    chance: Array
    saturated: dict[str, Array]

    def unit(self, index: int) -> Unit:
        """Return the unit at that place of (kinds, L, H), flattened."""
        kind, layer, number = np.unravel_index(index, self.scores.shape[1:])
        return Unit(int(layer) + 1, self.kinds[kind], int(number) + 1)

    def of(self, feature: int, unit: Unit) -> float:
        """Return the score of one unit for one feature."""
        place = (self.kinds.index(unit.kind), unit.layer - 1, unit.number - 1)
        return float(self.scores[(feature, *place)])


def score_units(
    model: CharRNN, ids: Array, features: Sequence[Array], numeric: Sequence[bool], rng_seed: int
) -> Scores:
    """Return how every unit follows each of `features` while `model` reads `ids` (N,).

    features: the values of each, (N,). rng_seed: of the distances that they are moved by.
    """
    inside, N = activations(model, ids), len(ids)
    by = np.stack([weights(values, of) for values, of in zip(features, numeric, strict=True)])
    is_number = np.array(numeric)
    # A feature that is moved keeps its stretches, and has nothing to do with the text any more.
    distances = np.random.default_rng(rng_seed).integers(N // 10, N - N // 10, ROTATIONS)
    moved = np.concatenate([np.roll(by, distance, axis=1) for distance in distances])
    chance = np.zeros(len(moved))
    found = []
    for values in inside.values():
        for layer in range(values.shape[1]):
            ranked = ranks(np.ascontiguousarray(values[:, layer].T))
            found.append(scored(ranked, by, is_number))
            best = np.abs(scored(ranked, moved, np.tile(is_number, ROTATIONS))).max(axis=1)
            np.maximum(chance, best, out=chance)
    shape = (len(by), len(inside), *inside["h"].shape[1:])
    return Scores(
        tuple(inside),
        np.stack(found, axis=1).reshape(shape),
        chance.reshape(ROTATIONS, -1).max(axis=0),
        {kind: saturation(values) for kind, values in inside.items() if is_gate(kind, values)},
    )


def by_character(first_ids: Array, first: Array, ids: Array, values: Array, numeric: bool) -> float:
    """Return the score that the character alone would reach, less what chance would give.

    Each character is worth the mean of the feature where it stands in one text, (first_ids, first),
    and scored on another, (ids, values).
    """
    size = int(max(first_ids.max(), ids.max())) + 1
    counts = np.bincount(first_ids, minlength=size)
    sums = np.bincount(first_ids, weights=first, minlength=size)
    worth = np.where(counts > 0, sums / np.maximum(counts, 1), first.mean())
    ranked = ranks(worth[ids][None])
    return float(scored(ranked, weights(values, numeric)[None], np.array([numeric]))[0, 0])


# ---- saturation


def is_gate(kind: str, values: Array) -> bool:
    """Tell whether `values` of that kind open and shut: no state, and all from 0 to 1."""
    return bool(kind not in STATES and values.min() >= 0 and values.max() <= 1)


def saturation(values: Array) -> Array:
    """Return at which share of N characters a gate (N, L, H) is below `LEFT`, above `RIGHT`."""
    return np.stack([(values < LEFT).mean(axis=0), (values > RIGHT).mean(axis=0)])


# ---- the search


@dataclass(frozen=True)
class Follower:
    """The unit that follows a feature best in one text, and how it does in others.

    Scores are areas under the curve, for numbers correlations. sign: −1 where the unit is low when
    the feature is there, or high. searched: the score in the text of the search. held_out: in each
    of the others. character: what the character alone would reach there. chance: what the best of
    all units reaches there for the feature moved along the text.
    """

    feature: Feature
    unit: Unit
    sign: int
    searched: float
    held_out: tuple[float, ...]
    character: tuple[float, ...]
    chance: tuple[float, ...]

    @property
    def score(self) -> float:
        """The median over the held-out texts."""
        return float(np.median(self.held_out))

    @property
    def beyond(self) -> float:
        """By how much that is above what the character alone, or chance, would reach."""
        return self.score - float(max(np.median(self.character), np.median(self.chance)))


@dataclass(frozen=True)
class Found:
    """What a search has found.

    states: for each feature its follower among the states, h and c. gates: the same among the
    gates, empty for a cell that has none. left_out: features that hardly occur. scores: of each
    text, that of the search first.
    """

    states: list[Follower]
    gates: list[Follower]
    left_out: list[Feature]
    scores: list[Scores]


def search(
    model: CharRNN,
    texts: Sequence[Array],
    features: Sequence[Feature] = FEATURES,
    rng_seed: int = 0,
    each: Each = one_by_one,
) -> Found:
    """Find the units that follow `features` in the first of `texts`, and score them in the others.

    texts: ids, each read from the initial state. A feature must occur in all of them. each: calls
    a function with each of several arguments, such as `Given.each` of an experiment.
    """
    read = [shown(model, ids) for ids in texts]
    of_all = {feature: [feature.values(text) for text in read] for feature in features}
    kept = [f for f, values in of_all.items() if all(map(f.occurs, values))]
    if not kept:
        raise UsageError("none of the features occurs often enough in the text; take a longer one")
    numeric = [feature.numeric for feature in kept]
    jobs = [
        (model, ids, [of_all[f][k] for f in kept], numeric, rng_seed + k)
        for k, ids in enumerate(texts)
    ]
    scores: list[Scores] = each(score_units, jobs)
    alone = [
        [
            by_character(texts[0], of_all[f][0], ids, values, f.numeric)
            for ids, values in zip(texts[1:], of_all[f][1:], strict=True)
        ]
        for f in kept
    ]

    def best(kinds: Collection[str]) -> list[Follower]:
        return [_follower(f, k, kinds, scores, alone[k]) for k, f in enumerate(kept)]

    gates = set(scores[0].kinds) - STATES
    left_out = [feature for feature in features if feature not in kept]
    return Found(best(STATES), best(gates) if gates else [], left_out, scores)


def _follower(
    feature: Feature, k: int, kinds: Collection[str], scores: Sequence[Scores], alone: list[float]
) -> Follower:
    """Return the best of `kinds` for feature k."""
    searched, held_out = scores[0], scores[1:]
    of = np.abs(searched.scores[k]) * np.isin(searched.kinds, list(kinds))[:, None, None]
    unit = searched.unit(int(of.argmax()))
    sign = 1 if searched.of(k, unit) >= 0 else -1
    level = 0.0 if feature.numeric else 0.5
    return Follower(
        feature,
        unit,
        sign,
        level + sign * searched.of(k, unit),
        tuple(level + sign * of_text.of(k, unit) for of_text in held_out),
        tuple(level + score for score in alone),
        tuple(level + float(of_text.chance[k]) for of_text in held_out),
    )
