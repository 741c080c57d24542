"""A MIDI file of unknown make as a score, and what is to be said of it."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from math import gcd
from typing import Any

from char_rnn.errors import DataError, UsageError
from char_rnn.music.bars import end_of_bar
from char_rnn.music.events import META, Event, Header, Remarks, read_header, read_tracks
from char_rnn.music.extra import import_mido
from char_rnn.music.midi_writer import DRUMS, MOST_TICKS
from char_rnn.music.score import (
    MOST_NOTES,
    MOST_STEPS,
    MOST_VOICES,
    USUAL_STEPS,
    Change,
    Note,
    Score,
    Voice,
)
from char_rnn.music.spelling import key_of_name
from char_rnn.storage import StrPath, read_bytes
from char_rnn.storage.reading import shown

MOST_BYTES = 8 << 20
MOST_REMARKS = 20
GRIDS = (USUAL_STEPS, 24, 48, 96)
"""Steps a quarter note that are tried, in this order."""
TEMPOS = (3.0, 2000.0)
"""Beats a minute; what lies outside was hardly meant, and is left out."""
TEXT, NAME, TEMPO, METER, KEY = 0x01, 0x03, 0x51, 0x58, 0x59
LONGEST_META = 16
"""Bytes of the meta events that mean something here, names aside."""


def read_midi(
    source: StrPath | bytes, steps: int | None = None, name: str = "the file"
) -> tuple[Score, Remarks]:
    """Return the music of a MIDI file, and what is to be said of it.

    source: a path, or the bytes, which errors call `name`. steps: of the grid in a quarter note,
    onto which beginnings and ends of notes are moved; None takes the coarsest of `GRIDS` on which
    all of them lie, or else 12. A voice is what one channel plays in one track with one instrument.
    A note that is begun again before it ended is two; the first that ends is the one that began
    first. The piece ends with the bar of its last note where the file tells the meter.
    Raises CorruptFile if nothing can be made of it, DataError if it holds no notes, or more than
    MOST_NOTES or MOST_STEPS, FileError if it cannot be read, and MissingExtra without mido.
    """
    import_mido()
    if steps is not None and not 1 <= steps <= MOST_TICKS:
        raise UsageError(f"the grid is {steps}; it must be from 1 to {MOST_TICKS} steps a quarter")
    if not isinstance(source, bytes):
        name, source = shown(source), read_bytes(source, MOST_BYTES)
    if len(source) > MOST_BYTES:
        raise DataError(f"{name} is larger than {MOST_BYTES >> 20} MiB, the most for a MIDI file")
    if source[:4] == b"RIFF" and source[8:12] == b"RMID":
        source = source[20:]
    header, remarks = read_header(source, name), Remarks()
    heard = _Heard(header, name)
    for number, events in enumerate(read_tracks(source, remarks)):
        heard.track(number, events)
    if not heard.notes:
        raise DataError(f"{name}: {'; '.join([*remarks[:3], 'there are no notes in it'])}")
    score = heard.score(steps)
    remarks += heard.remarks
    more = [f"and {len(remarks) - MOST_REMARKS} faults more"] if len(remarks) > MOST_REMARKS else []
    return score, remarks[:MOST_REMARKS] + more


@dataclass(slots=True)
class _Heard:
    """What has been read of a file so far; times are in ticks."""

    header: Header
    name: str
    notes: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    """(start, end, voice, pitch, velocity) each"""
    voices: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """The number of each track, channel and program that plays."""
    called: dict[int, str] = field(default_factory=dict)
    """The name of each track."""
    changes: dict[int, dict[int, Any]] = field(default_factory=lambda: defaultdict(dict))
    """Of TEMPO, METER and KEY, by the tick."""
    programs: dict[int, int] = field(default_factory=dict)
    """The first of each channel, for tracks that name none."""
    remarks: Remarks = field(default_factory=Remarks)
    end: int = 0
    count: int = 0
    odd: int = 0

    def track(self, number: int, events: Any) -> None:
        """Read one track."""
        offset = self.end if self.header.type == 2 else 0
        programs: dict[int, int] = {}
        sounding: dict[tuple[int, int], deque[tuple[int, int, int]]] = defaultdict(deque)
        tick = offset
        for event in events:
            tick = offset + event.tick
            self._check_length(tick)
            channel = event.status & 0xF
            match event.status >> 4, list(event.data[:2]):
                case 0x9, [pitch, velocity] if velocity:
                    program = programs.get(channel, self.programs.get(channel, 0))
                    voice = self.voices.setdefault((number, channel, program), len(self.voices))
                    sounding[channel, pitch].append((tick, voice, velocity))
                    self._count()
                case 0x8 | 0x9, [pitch, _]:
                    if sounding[channel, pitch]:
                        self._ended(sounding[channel, pitch].popleft(), pitch, tick)
                case 0xC, [program]:
                    programs[channel] = program
                    self.programs.setdefault(channel, program)
                case 0xF, _ if event.status == META and event.kind == NAME:
                    self.called.setdefault(number, _decoded(event.data))
                case 0xF, _ if event.status == META:
                    self._meta(tick, event)
        self._hang(sounding, tick, number)
        if len(self.voices) > MOST_VOICES:
            raise DataError(f"{self.name} holds more than {MOST_VOICES} voices")
        self.end = max(self.end, tick)

    def score(self, steps: int | None) -> Score:
        """Return all of it on a grid."""
        ticks = {tick for note in self.notes for tick in note[:2]}
        steps = self._grid(ticks, steps)
        per_quarter = round(2 * self.header.ticks)  # SMPTE counts in halves too
        at = {
            tick: (4 * tick * steps + per_quarter) // (2 * per_quarter)
            for tick in ticks.union(*self.changes.values())
        }
        notes = [
            Note(at[start], voice, pitch, max(at[end] - at[start], 1), velocity)
            for start, end, voice, pitch, velocity in self.notes
        ]
        meters = self._changed(METER, at)
        end = max(note.end for note in notes)
        if end > MOST_STEPS:
            raise DataError(
                f"{self.name} lasts {end} steps of the grid; at most {MOST_STEPS} can be: take a "
                "coarser one (--grid)"
            )
        if meters:
            end = end_of_bar(meters, steps, end)
        if self.odd:
            self.remarks.append(f"{self.odd} of its tempos, meters and keys are none; left out")
        voices = tuple(
            Voice(program, channel == DRUMS, self.called.get(track, ""))
            for track, channel, program in self.voices
        )
        tempos, keys = self._changed(TEMPO, at), self._changed(KEY, at)
        return Score(tuple(notes), voices, steps, tempos, meters, keys, end)

    def _ended(self, begun: tuple[int, int, int], pitch: int, end: int) -> None:
        start, voice, velocity = begun
        self.notes.append((start, end, voice, pitch, velocity))

    def _count(self) -> None:
        self.count += 1
        if self.count > MOST_NOTES:
            raise DataError(f"{self.name} holds more than {MOST_NOTES} notes or changes; split it")

    def _check_length(self, tick: int) -> None:
        quarters = tick / self.header.ticks
        if quarters * USUAL_STEPS > MOST_STEPS:
            raise DataError(
                f"{self.name} lasts {quarters:.0f} quarter notes; at most "
                f"{MOST_STEPS // USUAL_STEPS} can be read: it may be damaged"
            )

    def _hang(self, sounding: Any, tick: int, number: int) -> None:
        left = [(key[1], note) for key, notes in sounding.items() for note in notes]
        for pitch, note in left:
            self._ended(note, pitch, tick)
        if left:
            notes = "1 note hangs" if len(left) == 1 else f"{len(left)} notes hang"
            self.remarks.append(f"track {number + 1}: {notes}; ended where the track ends")

    def _meta(self, tick: int, event: Event) -> None:
        """Read a change of tempo, meter or key; a mode comes in a text after its signature."""
        if event.kind == TEXT and event.data[:2] == b"K:":
            key = key_of_name(_decoded(event.data[2:]))
            if key is not None:
                self.changes[KEY][tick] = key
        elif event.kind in (TEMPO, METER, KEY) and not (self.header.smpte and event.kind == TEMPO):
            value = _meaning(event)
            self._count()
            if value is None:
                self.odd += 1
            else:
                self.changes[event.kind][tick] = value

    def _changed(self, kind: int, at: dict[int, int]) -> tuple[Change, ...]:
        """Return the changes of a kind on the grid, without those into what is there already."""
        by_step = {at[tick]: value for tick, value in sorted(self.changes[kind].items())}
        found: list[Change] = []
        for step, value in by_step.items():
            if not found or found[-1].value != value:
                found.append(Change(step, value))
        return tuple(found)

    def _grid(self, ticks: set[int], asked: int | None) -> int:
        """Return the steps a quarter note to use, and say how far from them the file is."""
        fitting = [grid for grid in GRIDS if self._off(ticks, grid) <= self._allowed(grid)]
        steps = asked or next(iter(fitting), USUAL_STEPS)
        if self.header.smpte:
            self.remarks.append("it counts in frames (SMPTE), not in beats; a quarter is 0.5 s")
        off = self._off(ticks, steps)
        if off > self._allowed(steps):
            per_quarter = round(2 * self.header.ticks)
            finest = per_quarter // gcd(per_quarter, *(2 * tick for tick in ticks))
            fine = next((grid for grid in fitting if grid > steps), finest)
            self.remarks.append(
                f"its notes lie up to {off / self.header.ticks:.3f} quarter notes off a grid of "
                f"{steps} steps; {fine} would be exact (--grid)"
            )
        return steps

    def _off(self, ticks: set[int], grid: int) -> float:
        """Return how many ticks the farthest of `ticks` lies off a grid."""
        quarter = self.header.ticks
        rests = ((tick * grid) % quarter for tick in ticks)
        return max(min(rest, quarter - rest) for rest in rests) / grid

    def _allowed(self, grid: int) -> float:
        """Return the ticks that may be a rounding: one, if a step is much longer than that."""
        return min(1.0, self.header.ticks / grid / 16)


def _decoded(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _meaning(event: Event) -> Any:
    """Return a tempo, a meter or a key as a Change has it; None where there is none like that."""
    if len(event.data) > LONGEST_META:
        return None
    try:
        message = import_mido().MetaMessage.from_bytes(
            [META, event.kind, len(event.data), *event.data]
        )
    except Exception:  # whatever those bytes make mido stumble over
        return None
    if event.kind == TEMPO:
        tempo = _tempo(message.tempo)
        return tempo if tempo and TEMPOS[0] <= tempo <= TEMPOS[1] else None
    if event.kind == METER:
        meter = (message.numerator, message.denominator)
        return meter if meter[0] and meter[1] <= 128 else None
    return key_of_name(message.key)


def _tempo(microseconds: int) -> float | None:
    """Return the beats a minute with the fewest digits that mean this length of a quarter note."""
    if not microseconds:
        return None
    exact = 60e6 / microseconds
    rounded = (float(f"{exact:.{digits}g}") for digits in range(1, 17))
    return next((tempo for tempo in rounded if round(60e6 / tempo) == microseconds), exact)
