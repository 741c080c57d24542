"""A small additive synthesiser: a score as sound.

A tone is a sum of harmonics, each z^k of one turning and shrinking number z(t): so a tone costs one
sine and a product a harmonic, and high harmonics fade first, as on a string. It is computed once
for each pitch, sound and strength, at the longest that it is needed, and added wherever a note has
it, faded out where the note ends. The rest is piece by piece, so that an hour needs no more memory
than ten seconds.
"""

import io
import math
import wave
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from char_rnn.errors import UsageError
from char_rnn.music.clock import clock, tempo_map
from char_rnn.music.drums import drum
from char_rnn.music.instruments import Sound, sound_of
from char_rnn.music.score import Note, Score
from char_rnn.storage import StrPath, replacing

Array = np.ndarray

RATE = 44_100
TAIL = 0.8
"""Seconds after the end of the last bar in which tones fade; the longest release is shorter."""
CHUNK = 10.0
"""Seconds that are computed at a time."""
KEPT = 10.0
"""Seconds of a tone that are kept; what lasts longer is computed again, piece by piece."""
MOST_SAMPLES = 1 << 26
"""Of all tones that are kept: 256 MB; a string quartet needs a tenth of it."""
MOST_TOGETHER = 128
"""Notes that sound at once, as many as synthesisers have: so no piece takes for ever."""
MOST_HOURS = 3.0
"""Of a piece; a WAV file of 4 GB, the longest there can be, holds 6.7 hours."""
LOUD = 0.6
"""The peak of one note of full strength; at the usual velocity of 80 four together reach 0.95."""
KNEE = 0.8
"""What is louder is pressed towards 1."""
SIDE = 0.4
"""How far to the sides the outer voices stand; 1 is all the way."""


def render(score: Score, rate: int = RATE) -> Array:
    """Return `score` as sound: (N, 2) float32, left and right, within −1 and 1.

    It lasts as long as the score's bars, and `TAIL` more. Where more than `MOST_TOGETHER` notes
    sound, those that began first are let go.
    Raises UsageError if that is more than `MOST_HOURS`.
    """
    return np.concatenate(list(chunks(score, rate)))


def wav(samples: Array, rate: int = RATE) -> bytes:
    """Return `samples`, (N,) or (N, 2) within −1 and 1, as a WAV file of 16 bits."""
    memory = io.BytesIO()
    write_wav(memory, [samples], rate)
    return memory.getvalue()


def write_wav(file: BinaryIO, pieces: Iterable[Array], rate: int = RATE) -> None:
    """Write `pieces` of sound, (n,) or (n, 2) each, one after the other: a WAV file of 16 bits."""
    with wave.open(file, "wb") as out:
        out.setsampwidth(2)
        out.setframerate(rate)
        channels = 0
        for piece in pieces:
            if not channels:
                channels = 1 if piece.ndim == 1 else piece.shape[1]
                out.setnchannels(channels)
            out.writeframes(np.rint(np.clip(piece, -1, 1) * 32_767).astype("<i2").tobytes())
        if not channels:
            out.setnchannels(1)


def save_wav(path: StrPath, scores: Sequence[Score], rate: int = RATE) -> None:
    """Write the sound of `scores`, one after the other, as a WAV file.

    Raises UsageError if they last longer than `MOST_HOURS`, FileError if it cannot be written.
    """
    _check_length(sum(map(_seconds, scores)))
    with replacing(path) as file:
        write_wav(file, (chunk for score in scores for chunk in chunks(score, rate)), rate)


def _seconds(score: Score) -> float:
    return float(tempo_map(score)[1][-1])


def _check_length(seconds: float) -> None:
    if seconds > MOST_HOURS * 3600:
        raise UsageError(
            f"this lasts {seconds / 3600:,.1f} hours; at most {MOST_HOURS:g} can be heard: take a "
            "part of it (--bars A:B)"
        )


class Placed(NamedTuple):
    """A note in time: samples begin to end, then fade; left and right: how loud it is there.

    key: of its tone. fade: samples.
    """

    begin: int
    end: int
    fade: int
    left: float
    right: float
    key: "Key"


class Key(NamedTuple):
    """A tone: one of three strengths.

    pitch: of drums, their number. sound: None of drums.
    """

    pitch: int
    sound: Sound | None
    strength: int


def chunks(score: Score, rate: int = RATE) -> Iterator[Array]:
    """Yield `score` as sound, (n, 2) float32 at a time; see `render`."""
    seconds = _seconds(score)
    _check_length(seconds)
    placed = _placed(score, rate)
    tones = Tones(placed, rate)
    gain = _gain(placed)
    total, size = math.ceil((seconds + TAIL) * rate), int(CHUNK * rate)
    sounding: list[Placed] = []
    upcoming = 0
    for start in range(0, total, size):
        stop = min(start + size, total)
        while upcoming < len(placed) and placed[upcoming].begin < stop:
            sounding.append(placed[upcoming])
            upcoming += 1
        out = np.zeros((2, stop - start), np.float32)
        for note in sounding:
            _add(out, start, note, tones)
        sounding = [note for note in sounding if note.end + note.fade > stop]
        out *= gain
        if stop == total:
            out[:, -min(rate // 50, stop - start) :] *= _falling(min(rate // 50, stop - start))
        yield np.ascontiguousarray(_limited(out).T)


def _placed(score: Score, rate: int) -> list[Placed]:
    """Return the notes in time, as they begin, at the strength of their velocity."""
    notes = score.notes
    starts = np.array([note.start for note in notes])
    ends = starts + np.array([note.length for note in notes])
    at = clock(score)
    begins, stops = (
        np.rint(at(steps) * rate).astype(np.int64).tolist() for steps in (starts, ends)
    )
    sides = _sides(score)
    found = []
    for note, begin, stop in zip(notes, begins, stops, strict=True):
        voice = score.voices[note.voice]
        sound = None if voice.drums else sound_of(voice)
        key = Key(note.pitch, sound, min(note.velocity // 43, 2))
        left, right = sides[note.voice]
        loud = _loudness(note)
        # A drum rings as long as it does, however short its note is.
        fade = int((TAIL if sound is None else sound.release) * rate)
        found.append(Placed(begin, max(stop, begin + 1), fade, loud * left, loud * right, key))
    return _let_go(sorted(found, key=lambda note: note.begin))


def _let_go(placed: list[Placed]) -> list[Placed]:
    """End the notes that began first wherever more than `MOST_TOGETHER` would sound."""
    placed, sounding = [*placed], list[int]()
    for k, note in enumerate(placed):
        if len(sounding) == MOST_TOGETHER:
            sounding = [n for n in sounding if placed[n].end > note.begin]
        if len(sounding) == MOST_TOGETHER:
            first = sounding.pop(0)
            placed[first] = placed[first]._replace(end=note.begin)
        sounding.append(k)
    return [note for note in placed if note.end > note.begin]


def _loudness(note: Note) -> float:
    """Return the peak of a note: with the square of its velocity (about 40 dB over all of them)."""
    return LOUD * (note.velocity / 127) ** 2


def _sides(score: Score) -> dict[int, tuple[float, float]]:
    """Return how much of each voice is left and right: side by side, drums in the middle."""
    found = dict.fromkeys(sorted({note.voice for note in score.notes}), 0.0)
    pitched = [k for k in found if not score.voices[k].drums]
    for place, k in enumerate(pitched):
        if len(pitched) > 1:
            found[k] = SIDE * (2 * place / (len(pitched) - 1) - 1)
    angles = {k: (1 + side) * math.pi / 4 for k, side in found.items()}
    return {
        k: (math.sqrt(2) * math.cos(angle), math.sqrt(2) * math.sin(angle))
        for k, angle in angles.items()
    }


def _gain(placed: list[Placed]) -> float:
    """Return what many voices are multiplied by; it never makes louder: one soft note stays soft.

    Tones that know nothing of each other add up in power: the root of the sum of the squares of
    their peaks is brought to 0.7, and what chance piles up beyond 1 is limited.
    """
    changes = [(note.begin, max(note.left, note.right) ** 2) for note in placed]
    changes += [(note.end, -(max(note.left, note.right) ** 2)) for note in placed]
    loudest = max(np.cumsum([by for _, by in sorted(changes)]), default=0.0)
    return 0.7 / max(math.sqrt(loudest), 0.7)


def _add(out: Array, start: int, note: Placed, tones: "Tones") -> None:
    """Add the part of `note` that falls into `out`, (2, n), which begins at sample `start`."""
    first = max(note.begin, start)
    last = min(note.end + note.fade, start + out.shape[1])
    if last <= first:
        return
    tone = tones.part(note.key, first - note.begin, last - note.begin)
    last = first + len(tone)  # a drum may be over before that
    if note.key.sound is not None and last > note.end:
        held = max(note.end - first, 0)
        falling = _falling(note.fade)[max(first - note.end, 0) :]
        tone = tone.copy()
        tone[held:] *= falling[: len(tone) - held]
    there = slice(first - start, last - start)
    out[0, there] += np.float32(note.left) * tone
    out[1, there] += np.float32(note.right) * tone


class Tones:
    """Tones at full strength, computed when they are first heard; the latest are kept."""

    def __init__(self, placed: list[Placed], rate: int) -> None:
        self._rate = rate
        self._most = int(KEPT * rate)
        self._kept: OrderedDict[Key, Array] = OrderedDict()
        self._size = 0
        self._longest: dict[Key, int] = {}
        for note in placed:
            size = note.end - note.begin + note.fade
            self._longest[note.key] = min(max(size, self._longest.get(note.key, 0)), self._most)

    def part(self, key: Key, first: int, last: int) -> Array:
        """Return the samples `first` to `last` of a tone, float32; of a drum those it has."""
        if key.sound is not None and last > self._longest[key]:
            return tone(key.pitch, key.sound, key.strength, first, last, self._rate)
        if key not in self._kept:
            made = self._made(key)
            self._size += len(made)
            while self._size > MOST_SAMPLES and self._kept:
                self._size -= len(self._kept.popitem(last=False)[1])
            self._kept[key] = made
        self._kept.move_to_end(key)
        return self._kept[key][first:last]

    def _made(self, key: Key) -> Array:
        if key.sound is None:
            return drum(key.pitch, TAIL, self._rate)
        return tone(key.pitch, key.sound, key.strength, 0, self._longest[key], self._rate)


def frequency(pitch: float) -> float:
    """Return the hertz of a MIDI pitch, equally tempered; 69 is the A of 440."""
    return float(440 * 2 ** ((pitch - 69) / 12))


def tone(pitch: int, sound: Sound, strength: int, first: int, last: int, rate: int = RATE) -> Array:
    """Return the samples `first` to `last` of a tone that is held, float32 within −1 and 1.

    strength: 0, 1 or 2; what is struck harder has more of the high harmonics. Those above half the
    rate are left out: they would come back as other tones.
    """
    hertz = frequency(pitch)
    count = min(len(sound.harmonics), math.ceil(rate / 2 / hertz) - 1)
    # Whole turns are taken off in 64 bits, before 32 have to do.
    n = np.arange(first, last)
    turns = ((n * (hertz / rate)) % 1.0).astype(np.float32)
    t = n.astype(np.float32) / np.float32(rate)
    angle = turns * np.float32(2 * math.pi)
    z = np.empty(len(n), np.complex64)
    z.real, z.imag = np.cos(angle), np.sin(angle)
    step = z * np.exp(np.float32(-sound.fading) * t) if sound.fading else z
    out = np.zeros(len(n), np.float32)
    for k, loud in enumerate(sound.harmonics[:count]):
        if k:
            z = z * step
        if loud:
            out += np.float32(loud * (0.75, 0.9, 1.0)[strength] ** k) * z.imag
    out *= _envelope(sound, t) / np.float32(sum(sound.harmonics))
    return out


def _envelope(sound: Sound, t: Array) -> Array:
    """Return how strong a held tone is after `t` seconds: up along half a cosine, then decaying."""
    decayed = np.exp(-t / np.float32(sound.decay))
    envelope: Array = np.float32(sound.sustain) + np.float32(1 - sound.sustain) * decayed
    rising = int(np.searchsorted(t, sound.attack))
    envelope[:rising] *= 0.5 - 0.5 * np.cos(np.float32(math.pi / sound.attack) * t[:rising])
    return envelope


def _falling(size: int) -> Array:
    """Return half a cosine from 1 to 0, (size,) float32."""
    place = (np.arange(size, dtype=np.float32) + 0.5) / np.float32(max(size, 1))
    found: Array = 0.5 + 0.5 * np.cos(np.float32(math.pi) * place)
    return found


def _limited(samples: Array) -> Array:
    """Press what is beyond ±`KNEE` in `samples` smoothly into ±1, in place."""
    beyond = np.abs(samples) > KNEE
    if beyond.any():
        loud = samples[beyond]
        over = (np.abs(loud) - KNEE) / (1 - KNEE)
        samples[beyond] = np.sign(loud) * (KNEE + (1 - KNEE) * np.tanh(over))
    return samples
