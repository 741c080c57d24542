"""A score as text; `char_rnn.music.text` says how it reads."""

from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush

from char_rnn.errors import DataError
from char_rnn.music.again import with_again
from char_rnn.music.bars import Bar, bars, beat_length
from char_rnn.music.notation import (
    BARS_A_LINE,
    USUAL_DYNAMIC,
    USUAL_VOICE,
    changes,
    dynamic,
    length,
    units,
    voice_field,
)
from char_rnn.music.score import USUAL_STEPS, Note, Score
from char_rnn.music.spelling import C_MAJOR, Key, spell

MOST_PARTS = 500_000
"""Notes and their continuations in all bars: long notes over many bars would fill the memory."""


@dataclass(frozen=True, slots=True)
class Part:
    """What of a note lies in one bar: start and end in steps from the bar's beginning."""

    start: int
    end: int
    note: Note
    begins: bool
    goes_on: bool


Chord = list[Part]
Parts = dict[int, dict[int, list[Part]]]
"""By the number of the bar, and the voice."""


def to_text(score: Score, names: bool = True) -> str:
    """Return a piece as text, which `from_text` makes the same piece of again.

    Velocities come back as those that `notation.DYNAMICS` names. names: whether those of the voices
    are written; a text to learn from is better off without.
    Raises DataError if there are more than MOST_PARTS notes in its bars, or MOST_BARS bars.
    """
    return _Writer(score).text(names)


class _Writer:
    """Writes one score, bar after bar."""

    def __init__(self, score: Score) -> None:
        self._score, self._bars = score, bars(score)
        self._parts = _parts(score, self._bars)
        self._changes: dict[int, list[tuple[int, str]]] = defaultdict(list)
        """Those within each bar, by its beginning."""
        starts = [bar.start for bar in self._bars] or [0]
        for start, said in changes(score):
            self._changes[starts[bisect_right(starts, start) - 1]].append((start, said))
        self._key_starts = [change.start for change in score.keys]
        self._dynamics = [USUAL_DYNAMIC for _ in score.voices]
        self._tied: list[list[Note]] = [[] for _ in score.voices]
        """The notes that go on in the next bar, as they stand in the text."""

    def text(self, names: bool) -> str:
        """Return all of it."""
        score = self._score
        header = [said for start, said in self._changes[0] if start == 0]
        if score.steps != USUAL_STEPS:
            header.append(f"G:{score.steps}")
        voices = voice_field(score.voices, names)
        if voices != USUAL_VOICE:
            header.append(voices)
        written = with_again([self._bar(number, bar) for number, bar in enumerate(self._bars)])
        each = BARS_A_LINE if len(score.voices) == 1 else 1
        lines = ["|".join(written[at : at + each]) + "|" for at in range(0, len(written), each)]
        return "\n".join([" ".join(header), *lines] if header else lines)

    def _bar(self, number: int, bar: Bar) -> str:
        """Return what changes in a bar, and what each voice plays."""
        alone = len(self._score.voices) == 1
        playing = self._parts.get(number, {})
        if not playing and (alone or bar.end - bar.start < bar.full):
            playing = {0: []}  # a rest, which says how long the bar is
        voices = [
            ("" if alone else f"{voice + 1}:") + self._voice_bar(bar, voice, playing[voice])
            for voice in sorted(playing)
        ]
        return self._changed(bar) + " ".join(voices)

    def _changed(self, bar: Bar) -> str:
        """Return the changes in a bar that the header has not said."""
        return "".join(
            f"[{said}@{units(start - bar.start, self._score.steps)}]"
            if start > bar.start
            else f"[{said}]"
            for start, said in self._changes.get(bar.start, [])
            if start
        )

    def _voice_bar(self, bar: Bar, voice: int, parts: list[Part]) -> str:
        """Return a voice's bar: its layers, of which the first fills it."""
        drums = self._score.voices[voice].drums
        key = C_MAJOR if drums else self._key(bar.start)
        beat = beat_length(bar.meter, self._score.steps)
        chords = _chords(parts, self._tied[voice])
        self._tied[voice] = []
        said, until = [], bar.end - bar.start
        for layer in _layers(chords) or [[]]:
            said.append(self._layer(layer, until, beat, voice, key))
            until = 0
        return "&".join(said)

    def _key(self, step: int) -> Key:
        """Return the key that a bar which begins at `step` is written in."""
        known = bisect_right(self._key_starts, step)
        key: Key = self._score.keys[known - 1].value if known else C_MAJOR
        return key

    def _layer(self, layer: list[Chord], until: int, beat: int, voice: int, key: Key) -> str:
        """Return chords one after the other, rests between them, and beats apart."""
        now, said = 0, []

        def add(item: str) -> None:
            said.append(f" {item}" if now and now % beat == 0 else item)

        for chord in layer:
            if chord[0].start > now:
                add("z" + length(chord[0].start - now, self._score.steps))
                now = chord[0].start
            add(self._chord(chord, voice, key))
            now = chord[0].end
        if until > now:
            add("z" + length(until - now, self._score.steps))
        return "".join(said)

    def _chord(self, chord: Chord, voice: int, key: Key) -> str:
        """Return notes that begin and end together, each with its dynamics and its tie."""
        how_long = length(chord[0].end - chord[0].start, self._score.steps)
        if len(chord) == 1:
            return self._mark(chord[0], voice) + self._note(chord[0], how_long, voice, key)
        notes = (self._mark(part, voice) + self._note(part, "", voice, key) for part in chord)
        return f"[{''.join(notes)}]{how_long}"

    def _note(self, part: Part, how_long: str, voice: int, key: Key) -> str:
        if part.goes_on:
            self._tied[voice].append(part.note)
        return spell(part.note.pitch, key) + how_long + "-" * part.goes_on

    def _mark(self, part: Part, voice: int) -> str:
        """Return the dynamics, where a note changes its voice's."""
        mark = dynamic(part.note.velocity)
        if not part.begins or mark == self._dynamics[voice]:
            return ""
        self._dynamics[voice] = mark
        return f"!{mark}!"


def _parts(score: Score, all_bars: list[Bar]) -> Parts:
    """Return what each bar holds."""
    found: Parts = {}
    starts = [bar.start for bar in all_bars]
    count = 0
    for note in score.notes:
        first = bisect_right(starts, note.start) - 1
        for number in range(first, bisect_right(starts, note.end - 1)):
            bar = all_bars[number]
            start, end = max(note.start, bar.start), min(note.end, bar.end)
            part = Part(
                start - bar.start, end - bar.start, note, number == first, note.end > bar.end
            )
            found.setdefault(number, {}).setdefault(note.voice, []).append(part)
            count += 1
            if count > MOST_PARTS:
                raise DataError(f"more than {MOST_PARTS} notes in bars; cut the piece")
    return found


def _chords(parts: list[Part], tied: list[Note]) -> list[Chord]:
    """Return the parts that begin and end together, in the order of the text.

    tied: what goes on from the last bar. The first note of a pitch at a bar's beginning goes on,
    so that where two are, each stands alone, and what goes on comes first, in its order there.
    """
    at_start = Counter(part.note.pitch for part in parts if part.start == 0)
    alone = [part for part in parts if part.start == 0 and at_start[part.note.pitch] > 1]
    order = {id(note): place for place, note in enumerate(tied)}
    alone.sort(key=lambda part: order.get(id(part.note), len(order)))
    together: dict[tuple[int, int], Chord] = {}
    for part in sorted(parts, key=lambda part: (part.start, part.end, part.note.pitch)):
        if part.start or at_start[part.note.pitch] == 1:
            together.setdefault((part.start, part.end), []).append(part)
    return [[part] for part in alone] + list(together.values())


def _layers(chords: list[Chord]) -> list[list[Chord]]:
    """Return the chords in as many layers as sound at once; each goes into the first free one."""
    layers: list[list[Chord]] = []
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    for chord in chords:
        while busy and busy[0][0] <= chord[0].start:
            heappush(free, heappop(busy)[1])
        if not free:
            free.append(len(layers))
            layers.append([])
        layer = heappop(free)
        layers[layer].append(chord)
        heappush(busy, (chord[0].end, layer))
    return layers
