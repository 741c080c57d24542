"""A text coloured by what a unit has in it: on a terminal, in plain characters, and on a page."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from char_rnn.analyse.neurons import Follower, Unit, is_gate, saturation
from char_rnn.analyse.page import embedded, filled, packed
from char_rnn.analyse.page import page as page_of
from char_rnn.data.vocabulary import code_points

Array = np.ndarray

LEVELS = 5  # of colour, on each side of the middle
ORANGE, BLUE = ((255, 240, 215), (240, 140, 20)), ((218, 236, 250), (70, 150, 220))
SIGNS = "=- +#"
"""In plain characters: very low, low, in the middle, high, very high."""
SAYS = {"h": "its state h", "c": "its cell, tanh c"}

ROOM = 100_000
"""Values in a part of a page: its size is 4/3 of that. On a page of its own there is room for"""
ROOM_ALONE = 3_200_000


def to_see(inside: dict[str, Array]) -> dict[str, Array]:
    """Return what `activations` returns with tanh c, which the output gate lets out, for c.

    Cells that count reach far; beside them all others would have no colour.
    """
    return {kind: np.tanh(values) if kind == "c" else values for kind, values in inside.items()}


def bounds(kind: str, values: Array) -> tuple[float, float]:
    """Return the least and the most that a kind of value can be: a gate's 0 and 1, −1 and 1 of h.

    values: of all units, (N, L, H).
    """
    if is_gate(kind, values):
        return 0.0, 1.0
    most = max(1.0, float(np.abs(values).max()))
    return -most, most


def shares(values: Array, low: float, high: float) -> Array:
    """Return where `values` are between `low` and `high`, as shares from −1 to 1."""
    found: Array = np.clip(2 * (values - low) / (high - low) - 1, -1, 1)
    return found


def coloured(
    text: str, values: Array, low: float = -1.0, high: float = 1.0
) -> list[tuple[str, str]]:
    """Return pieces of `text` with their style for the terminal: blue is low, orange is high.

    values: (N,), what a unit has in it at each character. low, high: where the colours are
    strongest; see `bounds`.
    """
    pieces: list[tuple[str, str]] = []
    for character, share in zip(text, shares(values, low, high).tolist(), strict=True):
        style = "" if character == "\n" else _style(round(LEVELS * share))
        if pieces and pieces[-1][1] == style and character != "\n":
            pieces[-1] = (pieces[-1][0] + character, style)
        else:
            pieces.append((character, style))
    return pieces


def legend(low: float = -1.0, high: float = 1.0) -> list[tuple[str, str]]:
    """Return what the colours of `coloured` mean, as pieces with their style."""
    steps = [("  ", _style(level)) for level in range(-LEVELS, LEVELS + 1)]
    return [(f"{low:.1f} ", ""), *steps, (f" {high:.1f}\n", "")]


def _style(level: int) -> str:
    """Return the style of a level from −`LEVELS` to `LEVELS`; the middle has none."""
    if not level:
        return ""
    pale, strong = ORANGE if level > 0 else BLUE
    part = (abs(level) - 1) / (LEVELS - 1)
    mixed = (round(a + part * (b - a)) for a, b in zip(pale, strong, strict=True))
    return f"black on rgb({','.join(map(str, mixed))})"


def plain(text: str, values: Array, low: float = -1.0, high: float = 1.0, width: int = 78) -> str:
    """Return `text` with signs below each of its lines: `SIGNS`, from `low` to `high`.

    values: (N,). Longer lines than `width` are broken.
    """
    signs = [SIGNS[round(2 * share) + 2] for share in shares(values, low, high).tolist()]
    rows, at = [], 0
    for line in text.split("\n"):
        for start in range(at, at + max(len(line), 1), width):
            stop = min(start + width, at + len(line))
            rows.append(text[start:stop].replace("\t", " "))
            if stop > start:
                rows.append("".join(signs[start:stop]).rstrip())
        at += len(line) + 1
    return "\n".join(rows) + "\n"


# ---- the page


def chosen_units(
    followers: Sequence[Follower], inside: dict[str, Array], room: int
) -> list[tuple[int, int]]:
    """Return as many units as `room` values hold, (layer, number): those that follow something
    first, then those of each layer whose h moves most.
    """
    h = inside["h"]
    N, layers, H = h.shape
    moves = h.std(axis=0)
    most = max(1, room // (N * len(inside)))
    order = np.argsort(-moves, axis=1, kind="stable")
    others = [(layer + 1, int(order[layer, k]) + 1) for k in range(H) for layer in range(layers)]
    first = [(follower.unit.layer, follower.unit.number) for follower in followers]
    return list(dict.fromkeys([*first, *others]))[:most]


def view(
    about: str,
    text: str,
    inside: dict[str, Array],
    followers: Sequence[Follower],
    room: int = ROOM,
    first: Unit | None = None,
) -> dict[str, Any]:
    """Return what the script of the page shows: `text` and what units have in them.

    about: a sentence about text and model. inside: of `text`, as `to_see` returns it.
    followers: the units that follow something, the best first. room: how many values there may be.
    first: the unit that is shown first; None for the first follower's.
    """
    units = chosen_units(followers, inside, room)
    if first is not None:
        units = list(dict.fromkeys([(first.layer, first.number), *units]))[: len(units)]
    layers, numbers = np.array(units).T - 1
    kinds = list(inside)
    rows = [
        shares(values, *bounds(kind, values))[:, layers, numbers].T
        for kind, values in inside.items()
    ]
    return {
        "about": about,
        "text": packed(code_points(text), "u4"),
        "kinds": [_kind(kind, values) for kind, values in inside.items()],
        "units": units,
        "values": packed(np.round(127.5 * (np.stack(rows, axis=1) + 1)), "u1"),
        "saturated": {
            kind: saturation(values)[:, layers, numbers].T.round(3).tolist()
            for kind, values in inside.items()
            if is_gate(kind, values)
        },
        "first": None if first is None else [0, kinds.index(first.kind)],
        "found": [
            _found(follower, units.index(unit), kinds.index(follower.unit.kind))
            for follower in followers
            if (unit := (follower.unit.layer, follower.unit.number)) in units
        ],
    }


def _kind(kind: str, values: Array) -> dict[str, Any]:
    low, high = bounds(kind, values)
    return {"name": kind, "says": SAYS.get(kind, f"gate {kind}"), "low": low, "high": high}


def _found(follower: Follower, unit: int, kind: int) -> dict[str, Any]:
    feature = follower.feature
    return {
        "name": feature.name,
        "says": feature.says,
        "measure": "correlation" if feature.numeric else "area under the curve",
        "score": f"{follower.score:.2f}",
        "sign": follower.sign,
        "unit": str(follower.unit),
        "at": [unit, kind],
    }


def part(data: dict[str, Any]) -> str:
    """Return markup that shows `data`, of `view`, in a page that has page.css and more in it.

    Its script leaves no names behind.
    """
    return (
        f"<style>\n{filled('neurons.css')}</style>\n"
        f'<div class="neurons"><script type="application/json">{embedded(data)}</script></div>\n'
        f"<script>\n(() => {{\n{filled('neurons.js')}}})();\n</script>"
    )


def page(data: dict[str, Any]) -> str:
    """Return a page of its own that shows `data`, of `view`."""
    return page_of("neurons", data)
