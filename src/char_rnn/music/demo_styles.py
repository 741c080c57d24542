"""What the tunes of the demo corpus are made of: dances and airs, chords, forms."""

from typing import NamedTuple

Bar = list[tuple[int, int | None]]
"""Notes of a bar: a length in steps, 12 to a quarter, and a degree, None for a rest."""


class Style(NamedTuple):
    """A kind of tune.

    tempo: quarters a minute. strong: the steps of a bar on which a chord's own notes fall.
    rhythms: lengths that fill a bar, those of the motifs. halts: bars at the end of a phrase that
    stays open, from the root of its chord. closes: last bars, from the tonic, on which they end.
    leaps: the share of motifs that are arpeggios.
    """

    name: str
    meter: tuple[int, int]
    tempo: int
    strong: tuple[int, ...]
    rhythms: tuple[tuple[int, ...], ...]
    halts: tuple[Bar, ...]
    closes: tuple[Bar, ...]
    leaps: float


_HALTS_4: tuple[Bar, ...] = (
    [(12, 0), (12, 2), (24, 4)],
    [(24, 2), (24, 0)],
    [(12, 4), (12, 2), (12, 0), (12, None)],
    [(36, 0), (12, None)],
)
_CLOSES_4: tuple[Bar, ...] = ([(48, 0)], [(12, 0), (12, 0), (24, 0)], [(12, 2), (12, 1), (24, 0)])
_HALTS_3: tuple[Bar, ...] = (
    [(24, 0), (12, None)],
    [(24, 2), (12, 0)],
    [(12, 0), (12, 2), (12, 4)],
    [(12, 4), (12, 2), (12, 0)],
)
_CLOSES_3: tuple[Bar, ...] = ([(36, 0)], [(12, 0), (24, 0)], [(12, 2), (24, 0)])
_HALTS_6: tuple[Bar, ...] = (
    [(6, 0), (6, 2), (6, 4), (18, 2)],
    [(18, 0), (12, 2), (6, None)],
    [(12, 4), (6, 2), (12, 0), (6, None)],
)
_CLOSES_6: tuple[Bar, ...] = ([(18, 0), (18, 0)], [(12, 2), (6, 1), (18, 0)], [(36, 0)])

STYLES = (
    Style(
        "march",
        (4, 4),
        112,
        (0, 24),
        ((12, 12, 12, 12), (18, 6, 12, 12), (12, 6, 6, 12, 12), (12, 6, 6, 24), (18, 6, 18, 6)),
        _HALTS_4,
        _CLOSES_4,
        0.2,
    ),
    Style(
        "reel",
        (4, 4),
        200,
        (0, 24),
        ((6,) * 8, (12, 6, 6, 12, 6, 6), (12, 6, 6, 6, 6, 6, 6), (6, 6, 6, 6, 12, 12)),
        _HALTS_4,
        _CLOSES_4,
        0.2,
    ),
    Style(
        "hornpipe",
        (4, 4),
        160,
        (0, 24),
        ((9, 3) * 4, (9, 3, 9, 3, 12, 12), (9, 3, 4, 4, 4, 9, 3, 9, 3), (12, 9, 3, 12, 9, 3)),
        _HALTS_4,
        _CLOSES_4,
        0.15,
    ),
    Style(
        "waltz",
        (3, 4),
        150,
        (0,),
        ((12, 12, 12), (24, 12), (18, 6, 12), (12, 12, 6, 6), (12, 6, 6, 6, 6)),
        _HALTS_3,
        _CLOSES_3,
        0.2,
    ),
    Style(
        "air",
        (3, 4),
        84,
        (0, 24),
        ((24, 6, 6), (18, 6, 6, 6), (12, 6, 6, 12), (18, 6, 12), (6, 6, 12, 6, 6)),
        _HALTS_3,
        _CLOSES_3,
        0.1,
    ),
    Style(
        "jig",
        (6, 8),
        170,
        (0, 18),
        ((6,) * 6, (12, 6, 6, 6, 6), (12, 6, 12, 6), (6, 6, 6, 12, 6), (18, 6, 6, 6)),
        _HALTS_6,
        _CLOSES_6,
        0.15,
    ),
)

MODES = ("major", "major", "major", "minor", "minor", "dorian", "mixolydian")

FORMS = ("aAbA", "aAbA", "aAbB", "aAbB", "abA", "aA")
"""Phrases of four bars; a capital ends on the tonic."""

PLANS = ("mmn", "mnm", "min", "mni", "mmv", "mvn")
"""A phrase before its last bar: m and n are its motifs, i is m upside down, v is m varied."""

Chords = dict[str, tuple[tuple[int, ...], ...]]
"""Roots of four bars, as degrees, by mode."""

OPENINGS: Chords = {
    "major": ((0, 3, 0, 4), (0, 0, 3, 4), (0, 0, 1, 4), (0, 4, 0, 4), (0, 5, 3, 4)),
    "minor": ((0, 3, 0, 4), (0, 0, 6, 4), (0, 6, 0, 4), (0, 5, 6, 4)),
    "dorian": ((0, 6, 0, 6), (0, 3, 0, 6), (0, 2, 3, 6), (0, 0, 6, 4)),
    "mixolydian": ((0, 6, 0, 6), (0, 3, 0, 6), (0, 0, 6, 4), (0, 4, 3, 6)),
}
CLOSINGS: Chords = {
    "major": ((0, 3, 4, 0), (0, 1, 4, 0)),
    "minor": ((0, 5, 6, 0), (0, 3, 4, 0)),
    "dorian": ((0, 3, 6, 0), (0, 0, 4, 0)),
    "mixolydian": ((0, 3, 6, 0), (0, 6, 3, 0)),
}
CONTRASTS: Chords = {
    "major": ((3, 0, 3, 4), (5, 2, 3, 4), (4, 0, 1, 4)),
    "minor": ((2, 6, 0, 4), (5, 2, 3, 4), (3, 0, 5, 4)),
    "dorian": ((2, 6, 0, 6), (3, 0, 3, 6), (6, 3, 0, 4)),
    "mixolydian": ((6, 3, 0, 6), (3, 0, 3, 6), (4, 0, 6, 4)),
}
"""Where a second phrase begins elsewhere."""
