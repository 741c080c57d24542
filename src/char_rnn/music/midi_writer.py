"""A score as a MIDI file that any player opens."""

from io import BytesIO
from math import lcm
from typing import Any

from char_rnn.errors import UsageError
from char_rnn.music.events import Remarks
from char_rnn.music.extra import import_mido
from char_rnn.music.score import MODES, Note, Score, Voice
from char_rnn.music.spelling import Key, key_name

DRUMS = 9
CHANNELS = [channel for channel in range(16) if channel != DRUMS]
TICKS, MOST_TICKS = 480, 0x7FFF
"""A quarter note's, and the most that a file can say."""


def write_midi(score: Score, remarks: Remarks | None = None) -> bytes:
    """Return a score as a MIDI file of type 1: tempos, meters and keys, then a track a voice.

    remarks: told where voices had to share channels, of which there are 15 beside that of drums.
    The same score gives the same bytes, and `read_midi` the same score, with these exceptions: a
    voice without notes is left out, a pitch that is begun and ended within a longer note of the
    same pitch and voice changes ends with it, and the end is that of `read_midi`.
    """
    mido = import_mido()
    ticks = _ticks(score.steps)
    file = mido.MidiFile(type=1, ticks_per_beat=ticks, charset="utf-8")
    scale = ticks // score.steps
    end = score.length * scale
    file.tracks.append(_track(mido, _conductor(mido, score, scale), end))
    by_voice: list[list[Note]] = [[] for _ in score.voices]
    for note in score.notes:
        by_voice[note.voice].append(note)
    for number, channel in enumerate(_channels(score.voices, [] if remarks is None else remarks)):
        played = _played(mido, score.voices[number], by_voice[number], channel, scale)
        file.tracks.append(_track(mido, played, end))
    written = BytesIO()
    file.save(file=written)
    return written.getvalue()


Timed = list[tuple[int, Any]]


def _ticks(steps: int) -> int:
    """Return the ticks a quarter note, a multiple of the steps."""
    if steps > MOST_TICKS:
        raise UsageError(f"a MIDI file holds at most {MOST_TICKS} steps a quarter, not {steps}")
    common = lcm(TICKS, steps)
    return common if common <= MOST_TICKS else MOST_TICKS // steps * steps


def _track(mido: Any, timed: Timed, end: int) -> Any:
    """Return messages with their ticks as a track, which counts from one to the next."""
    track, now = mido.MidiTrack(), 0
    for tick, message in [*timed, (end, mido.MetaMessage("end_of_track"))]:
        message.time = tick - now
        track.append(message)
        now = tick
    return track


def _conductor(mido: Any, score: Score, scale: int) -> Timed:
    timed = []
    for change in score.tempos:
        microseconds = min(max(round(60e6 / change.value), 1), 0xFFFFFF)
        timed.append((change.start, mido.MetaMessage("set_tempo", tempo=microseconds)))
    for change in score.meters:
        numerator, denominator = change.value
        meter = {"numerator": numerator, "denominator": denominator}
        timed.append((change.start, mido.MetaMessage("time_signature", **meter)))
    for change in score.keys:
        shown = key_name(_signed(change.value))
        timed.append((change.start, mido.MetaMessage("key_signature", key=shown)))
        if change.value != _signed(change.value):  # a mode that MIDI does not know
            text = "K:" + key_name(change.value)
            timed.append((change.start, mido.MetaMessage("text", text=text)))
    return [(start * scale, message) for start, message in sorted(timed, key=lambda one: one[0])]


def _signed(key: Key) -> Key:
    """Return the major or minor key that has the same signature."""
    tonic, mode = key
    return key if mode == "minor" else ((tonic - MODES[mode]) % 12, "major")


def _played(mido: Any, voice: Voice, notes: list[Note], channel: int, scale: int) -> Timed:
    """Return the messages of one voice; at a tick, ends come before beginnings."""
    timed = []
    for order, note in enumerate(notes):
        timed.append((note.start, 1, order, note.pitch, note.velocity))
        timed.append((note.end, 0, order, note.pitch, 0))
    start = [mido.Message("program_change", channel=channel, program=voice.program)]
    if voice.name:
        start.insert(0, mido.MetaMessage("track_name", name=_encodable(voice.name)))
    messages = [(0, message) for message in start]
    for step, begins, _, pitch, velocity in sorted(timed):
        kind = "note_on" if begins else "note_off"
        message = mido.Message(kind, channel=channel, note=pitch, velocity=velocity)
        messages.append((step * scale, message))
    return messages


def _channels(voices: tuple[Voice, ...], remarks: Remarks) -> list[int]:
    """Return a channel for each voice: its own, or where there are too many, its programme's."""
    pitched = [number for number, voice in enumerate(voices) if not voice.drums]
    if len(pitched) <= len(CHANNELS):
        own = dict(zip(pitched, CHANNELS, strict=False))
        return [own.get(number, DRUMS) for number in range(len(voices))]
    remarks.append(
        f"{len(pitched)} voices share {len(CHANNELS)} channels, those of one instrument first"
    )
    programs = list(dict.fromkeys(voices[number].program for number in pitched))
    return [
        DRUMS if voice.drums else CHANNELS[programs.index(voice.program) % len(CHANNELS)]
        for voice in voices
    ]


def _encodable(name: str) -> str:
    return name.encode("utf-8", "replace").decode("utf-8")
