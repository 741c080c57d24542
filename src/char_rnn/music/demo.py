"""`music-demo`: a corpus of tunes from a generator of our own, to train on without any file.

Each tune has a style (demo_styles.py), a key, and a form of phrases of four bars: "aAbA" is a
phrase that stays open, the same with an ending, another that stays open, the first's ending.

A motif is a bar: lengths, and degrees counted from the root of the bar's chord. Its strong beats
are chord tones, and what lies between walks from one to the next. So it can be moved to any chord
of the scale (a sequence), turned upside down about the third (an inversion: root, third and fifth
stay among themselves) or played with a note more (a variation), and remains itself. Degrees count
steps of the scale from the tonic, 0; 7 is the octave.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import numpy as np

from char_rnn.music.demo_styles import (
    CLOSINGS,
    CONTRASTS,
    FORMS,
    MODES,
    OPENINGS,
    PLANS,
    STYLES,
    Bar,
    Style,
)
from char_rnn.music.score import Change, Note, Score
from char_rnn.music.text import to_text
from char_rnn.music.theory import SCALES, with_tonic

T = TypeVar("T")

STEPS = 12
COUNT = 2000
"""Tunes of the built-in corpus."""

_COMPASS = 19  # semitones: an octave and a fifth, which most voices have
_LEAP = 12
_MIDDLE = 69  # the pitch about which a tune lies
_LOW, _HIGH = -4, 9  # degrees
_MOVES = (1, 1, 1, 0, -1, -1, -1, 2, -2)  # in degrees: mostly steps
_TONES = (0, 0, 2, 4)  # of a chord: its root most often
_BELOW, _ABOVE = -1, 5  # degrees of a motif, about its chord's root


class Phrase(NamedTuple):
    """Four bars, open at their end and closed by the tonic; the beginning is the same."""

    open: list[Bar]
    closed: list[Bar]


@lru_cache(maxsize=1)
def demo_scores(count: int = COUNT, seed: int = 0) -> tuple[Score, ...]:
    """Return so many tunes of one voice, no two of them alike in any key.

    They come out the same for the same seed, and the first of many are those of few.
    """
    return tuple(score for score, _ in zip(_tunes(seed), range(count), strict=False))


def demo_text(count: int = COUNT, seed: int = 0, tonic: int | None = 0) -> str:
    """Return the tunes as text, an empty line between two of them.

    tonic: the pitch class that all are moved to, so that a minute of training is enough to learn
    what a tonic is: 0.99 of the tunes that come of it end there (three seeds, two busy cores, a
    GRU of 192). None leaves them in their many keys; after two minutes 0.2 do.
    """
    scores: Iterable[Score] = demo_scores(count, seed)
    if tonic is not None:
        scores = (with_tonic(score, tonic) for score in scores)
    return "\n\n".join(to_text(score) for score in scores) + "\n"


def _tunes(seed: int) -> Iterator[Score]:
    """Yield tune after tune."""
    rng = np.random.default_rng(seed)
    seen = set()
    while True:
        style, mode = _pick(rng, STYLES), _pick(rng, MODES)
        bars = _tune(rng, style, mode)
        tonic = int(12 * rng.random())
        lengths = [(length, degree is None) for bar in bars for length, degree in bar]
        pitches = np.array([_pitch(d, mode) for bar in bars for _, d in bar if d is not None])
        melody = (*lengths, *(pitches - pitches[0]).tolist())  # in any key
        singable = np.ptp(pitches) <= _COMPASS and abs(np.diff(pitches)).max() <= _LEAP
        if singable and melody not in seen:
            seen.add(melody)
            octave = round((_MIDDLE - tonic - (pitches.min() + pitches.max()) / 2) / 12)
            yield _score(bars, style, (tonic, mode), 12 * octave + tonic)


def _score(bars: list[Bar], style: Style, key: tuple[int, str], tonic: int) -> Score:
    """Return the bars as a score whose degree 0 is the pitch `tonic`."""
    notes, at = [], 0
    for bar in bars:
        for length, degree in bar:
            if degree is not None:
                notes.append(Note(at, 0, tonic + _pitch(degree, key[1]), length))
            at += length
    return Score(
        notes=tuple(notes),
        steps=STEPS,
        tempos=(Change(0, style.tempo),),
        meters=(Change(0, style.meter),),
        keys=(Change(0, key),),
        length=at,
    )


def _tune(rng: np.random.Generator, style: Style, mode: str) -> list[Bar]:
    """Return the bars of a tune: its phrases in the order of a form."""
    motifs = [_motif(rng, style), _motif(rng, style)]
    first = _phrase(rng, style, motifs, (OPENINGS[mode], CLOSINGS[mode]))
    others = [_inverted(motif) for motif in motifs]
    if rng.random() < 0.5:
        others = [_motif(rng, style), motifs[1]]
    second = _phrase(rng, style, others, (CONTRASTS[mode], CLOSINGS[mode]))
    phrases = {"a": first.open, "A": first.closed, "b": second.open, "B": second.closed}
    bars: list[Bar] = []
    form = _pick(rng, FORMS)
    for place, letter in enumerate(form):
        phrase = list(phrases[letter])
        if place and letter.lower() in form[:place].lower() and rng.random() < 0.3:
            at = int(2 * rng.random())
            phrase[at] = _varied(rng, phrase[at])
        bars += phrase
    return bars


def _phrase(
    rng: np.random.Generator,
    style: Style,
    motifs: list[Bar],
    chords: tuple[Sequence[tuple[int, ...]], Sequence[tuple[int, ...]]],
) -> Phrase:
    """Return a phrase of these motifs, over chords to stay open on and chords to close with."""
    plan, opening = _pick(rng, PLANS), _pick(rng, chords[0])
    shapes = {"m": motifs[0], "n": motifs[1], "i": _inverted(motifs[0])}
    shapes["v"] = _varied(rng, motifs[0])
    begun: list[Bar] = []
    for shape, root in zip(plan[:2], opening, strict=False):
        begun.append(_placed(shapes[shape], root, begun))
    closing = _pick(rng, chords[1])
    goes_on = [*begun, _placed(shapes[plan[2]], opening[2], begun)]
    goes_on.append(_placed(_pick(rng, style.halts), opening[3], goes_on))
    closes = [*begun, _placed(shapes[plan[2]], closing[2], begun)]
    tonic = 7 if _last(closes) > 4 else 0
    ending = _moved(_pick(rng, style.closes), tonic)
    closes[-1] = _led(closes[-1], _first(ending))
    closes.append(ending)
    return Phrase(goes_on, closes)


def _motif(rng: np.random.Generator, style: Style) -> Bar:
    """Return a motif: a rhythm of the style, chord tones where it is strong, ways between them."""
    lengths = _pick(rng, style.rhythms)
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    strong = [i for i, start in enumerate(starts) if start in style.strong]
    move = _leapt if rng.random() < style.leaps else _walked
    degrees: list[int] = []
    tone = _pick(rng, _TONES)
    for i, j in zip(strong, [*strong[1:], len(lengths)], strict=True):
        goal = _pick(rng, [other for other in _TONES if other != tone or j - i > 1])
        degrees += move(rng, tone, goal, j - i)
        tone = goal
    return list(zip(lengths, degrees, strict=True))


def _walked(rng: np.random.Generator, start: int, goal: int, moves: int) -> list[int]:
    """Return a degree for each move, from `start` on, mostly by steps, such that `goal` is next."""
    found = [start]
    for left in range(moves - 1, 0, -1):
        here = found[-1]
        ways = [here + by for by in _MOVES if _BELOW <= here + by <= _ABOVE]
        reaching = [way for way in ways if abs(goal - way) <= left]
        nearest = min(ways, key=lambda way: abs(goal - way))
        found.append(_pick(rng, reaching or [nearest]))
    return found


def _leapt(rng: np.random.Generator, start: int, goal: int, moves: int) -> list[int]:
    """Return the same by chord tones: an arpeggio up or down, which turns at its ends."""
    tones, up = (0, 2, 4), 1 if goal > start else -1
    found = [start]
    while len(found) < moves:
        at = tones.index(found[-1]) + up
        if not 0 <= at < len(tones):
            up = -up
            at += 2 * up
        found.append(tones[at])
    return found


def _inverted(motif: Bar) -> Bar:
    """Return a motif upside down, about the third of its chord."""
    return [(length, None if degree is None else 4 - degree) for length, degree in motif]


def _varied(rng: np.random.Generator, bar: Bar) -> Bar:
    """Return a bar with one of its longer notes as two: itself, and the way to the next."""
    long = [i for i, (length, degree) in enumerate(bar) if degree is not None and length % 12 == 0]
    if not long:
        return bar
    at = _pick(rng, long)
    length, degree = bar[at]
    after = bar[at + 1][1] if at + 1 < len(bar) else None
    assert degree is not None
    if after is None or after == degree:
        after = degree + _pick(rng, (-2, 2))
    beside = degree + (1 if after > degree else -1)
    return [*bar[:at], (length // 2, degree), (length // 2, beside), *bar[at + 1 :]]


def _placed(motif: Bar, root: int, before: list[Bar]) -> Bar:
    """Return a motif on a chord's root, in the octave where it follows most smoothly."""
    degrees = [degree for _, degree in motif if degree is not None]
    shifts = [
        root + octave
        for octave in (-7, 0, 7)
        if root + octave + min(degrees) >= _LOW and root + octave + max(degrees) <= _HIGH
    ]
    last = _last(before)
    shift = min(shifts, key=lambda shift: (abs(shift + degrees[0] - last), abs(shift)))
    return _moved(motif, shift)


def _led(bar: Bar, goal: int) -> Bar:
    """Return a bar whose last note is a step from `goal`, on the side from which the bar comes."""
    (length, _), before = bar[-1], _last([bar[:-1]]) if len(bar) > 1 else goal + 1
    return [*bar[:-1], (length, goal + (1 if before >= goal else -1))]


def _moved(bar: Bar, by: int) -> Bar:
    """Return a bar higher by so many degrees."""
    return [(length, None if degree is None else degree + by) for length, degree in bar]


def _first(bar: Bar) -> int:
    """Return the first degree of a bar."""
    return next(degree for _, degree in bar if degree is not None)


def _last(bars: list[Bar]) -> int:
    """Return the last degree; the third where there is none yet."""
    return next((d for bar in reversed(bars) for _, d in reversed(bar) if d is not None), 2)


def _pitch(degree: int, mode: str) -> int:
    """Return the semitones of a degree above the tonic."""
    scale = SCALES[mode]
    return 12 * (degree // len(scale)) + scale[degree % len(scale)]


def _pick(rng: np.random.Generator, among: Sequence[T]) -> T:
    """Draw one; what stands there twice is drawn twice as often."""
    return among[int(rng.random() * len(among))]
