"""The measures of an ABC tune into a score, in the order in which they are played."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, lcm

from char_rnn.errors import DataError
from char_rnn.music.abc_body import Body, Facts, Sound
from char_rnn.music.abc_repeats import Measure, played
from char_rnn.music.bars import end_of_bar
from char_rnn.music.score import MOST_NOTES, MOST_STEPS, USUAL_STEPS, Change, Note, Score, Voice

FINEST_GRID = 960  # steps a quarter
_SHOWN = 3  # bars that a remark names


@dataclass
class _Played:
    """A tune as it is played, in quarters from its beginning; `at` is where it is."""

    at: Fraction
    notes: list[tuple[Fraction, Fraction, int]] = field(default_factory=list)
    facts: list[tuple[Fraction, Facts]] = field(default_factory=list)
    loose: int = 0  # ties that lead to no note
    sounds: int = 0


def play(body: Body) -> tuple[Score, list[str]]:
    """Return a tune that was read as a score, and what is to be said about it.

    Raises DataError if it is too long with its repeats.
    """
    measures = [measure for measure in body.measures if measure.events]
    where = f"{body.name}: line {body.line}"
    tune = _played(measures, where)
    remarks = [f"{what} left out: {count}" for what, count in body.left_out.items() if count]
    remarks += _odd_bars(measures)
    if tune.loose:
        remarks.append(f"ties that lead to no note of their pitch left out: {tune.loose}")
    if not tune.notes:
        remarks.append("no notes")
    if body.facts.meter is None:
        remarks.append("no meter (M:); bars are taken as 4/4")
    steps, exact = _grid(tune, where)
    if not exact:
        remarks.append(f"lengths rounded to 1/{steps} of a quarter")
    return _score(tune, steps, body.title), remarks


def _grid(tune: _Played, where: str) -> tuple[int, bool]:
    """Return the steps of a quarter, and whether all lengths are whole in them."""
    finest = min(FINEST_GRID, MOST_STEPS // ceil(tune.at + 1))
    if finest < USUAL_STEPS:
        most = MOST_STEPS // USUAL_STEPS
        raise DataError(
            f"{where}: a tune of {float(tune.at):.0f} quarters; expected {most} at most"
        )
    times = {time for start, end, _ in tune.notes for time in (start, end)}
    times |= {tune.at, *(start for start, _ in tune.facts)}
    steps = lcm(USUAL_STEPS, *{time.denominator for time in times})
    return (steps, True) if steps <= finest else (finest - finest % USUAL_STEPS, False)


def _score(tune: _Played, steps: int, title: str) -> Score:
    """Return what was played, on a grid of so many steps a quarter."""
    notes = []
    for begins, ends, pitch in tune.notes:
        start = round(begins * steps)
        notes.append(Note(start, 0, pitch, max(round(ends * steps) - start, 1)))
    facts = [(round(begins * steps), said) for begins, said in tune.facts]
    meters = _changes([(start, said.meter) for start, said in facts])
    end = max([round(tune.at * steps), *(note.end for note in notes)])
    return Score(
        notes=tuple(notes),
        voices=(Voice(name=title),),
        steps=steps,
        tempos=_changes([(start, said.tempo) for start, said in facts]),
        meters=meters,
        keys=_changes([(start, said.key) for start, said in facts]),
        length=end_of_bar(meters, steps, end),
    )


def _played(measures: list[Measure], where: str) -> _Played:
    """Play the measures in their order."""
    tune = _Played(_pickup(measures))
    held: dict[int, int] = {}  # of tied pitches: which note goes on
    for measure in played(measures):
        for sound in measure.events:
            if not tune.facts or tune.facts[-1][1] != sound.facts:
                tune.facts.append((tune.at if tune.facts else Fraction(0), sound.facts))
            held = _sounded(tune, sound, held)
        tune.sounds += len(measure.events)
        if max(tune.sounds, len(tune.notes)) > MOST_NOTES:
            raise DataError(
                f"{where}: more than {MOST_NOTES} notes with all repeats; expected fewer"
            )
    tune.loose += len(held)
    return tune


def _sounded(tune: _Played, sound: Sound, held: dict[int, int]) -> dict[int, int]:
    """Play a sound; return which notes are tied to the next."""
    end = tune.at + sound.length
    tune.loose += len(held.keys() - set(sound.pitches))
    playing = {}
    for pitch in sound.pitches:
        if pitch in held:
            playing[pitch] = held[pitch]
            tune.notes[held[pitch]] = tune.notes[held[pitch]][0], end, pitch
        else:
            playing[pitch] = len(tune.notes)
            tune.notes.append((tune.at, end, pitch))
    tune.at = end
    return {pitch: note for pitch, note in playing.items() if pitch in sound.tied}


def _pickup(measures: list[Measure]) -> Fraction:
    """Return the rest before a tune that begins in the middle of a bar, in quarters."""
    if len(measures) < 2 or measures[0].events[0].facts.meter is None:
        return Fraction(0)
    return max(_bar(measures[0]) - _length(measures[0]), Fraction(0))


def _odd_bars(measures: list[Measure]) -> list[str]:
    """Say which bars their meter does not fill, where neither a repeat nor an end explains it."""
    odd = []
    for before, measure, after in zip(measures, measures[1:], measures[2:], strict=False):
        left = before.end or before.stop or measure.start or measure.endings
        right = measure.end or measure.stop or after.start or after.endings
        if not (left or right) and _length(measure) % _bar(measure):
            odd.append(f"line {measure.line}")
    if not odd:
        return []
    more = ", …" if len(odd) > _SHOWN else ""
    return [f"bars that do not fill their meter: {len(odd)} ({', '.join(odd[:_SHOWN])}{more})"]


def _length(measure: Measure) -> Fraction:
    return sum((sound.length for sound in measure.events), Fraction(0))


def _bar(measure: Measure) -> Fraction:
    """Return how many quarters a measure should have: of no meter, as many as it has."""
    meter = measure.events[0].facts.meter
    return _length(measure) if meter is None else 4 * Fraction(*meter)


def _changes(said: list[tuple[int, object]]) -> tuple[Change, ...]:
    """Return what changes where; of several at one step, the last."""
    found: list[Change] = []
    for start, value in {start: value for start, value in said if value is not None}.items():
        if not found or found[-1].value != value:
            found.append(Change(start, value))
    return tuple(found)
