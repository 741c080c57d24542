"""The frame of a MIDI file: its header, its tracks, and of each the events that are whole.

mido raises at the first fault and gives nothing. Here a fault ends only the track that it is in,
and what came before it counts. No length is believed: nothing is read past the end of the file.
Source: Standard MIDI Files 1.0 (RP-001).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from char_rnn.errors import CorruptFile

Remarks = list[str]
DATA_BYTES = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
"""How many follow a channel's status, by its upper half."""
SYSTEM_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
META, SYSEX = 0xFF, (0xF0, 0xF7)
END_OF_TRACK = 0x2F
MOST_TRACKS = 2_000
LONGEST_NUMBER = 4
"""Bytes of a number of variable length."""


class Event(NamedTuple):
    """tick: since the track's begin. status: with the channel in its lower half; META.

    kind: of a meta event. data: what follows.
    """

    tick: int
    status: int
    kind: int
    data: bytes


class Header(NamedTuple):
    """type: 0 one track, 1 tracks side by side, 2 one after the other. ticks: in a quarter note."""

    type: int
    ticks: float
    smpte: bool


class Broken(Exception):
    """An event that is not whole, and why; never leaves this file."""


def read_header(data: bytes, name: str) -> Header:
    """Return what the first chunk of a file says; `name` is for errors.

    Raises CorruptFile if it is no MIDI file, or if it does not say how long a tick is.
    """
    if not data:
        raise CorruptFile(f"{name} is empty; a MIDI file begins with MThd")
    if data[:4] != b"MThd":
        begins = data[:12].decode("latin-1")
        raise CorruptFile(f"{name} is no MIDI file: it begins with {begins!r}, not with MThd")
    if len(data) < 14:
        raise CorruptFile(f"{name} is cut off within its header, after {len(data)} bytes")
    kind, division = int.from_bytes(data[8:10]), int.from_bytes(data[12:14])
    if kind > 2:
        raise CorruptFile(f"{name}: MIDI files are of type 0, 1 or 2, not {kind}")
    smpte = division >= 0x8000
    ticks: float = division
    if smpte:  # frames a second, negative, and ticks a frame; a quarter is half a second
        frames = 256 - (division >> 8)
        ticks = (30 if frames == 29 else frames) * (division & 0xFF) / 2
    if not ticks:
        raise CorruptFile(f"{name} has 0 ticks a quarter note, so that nothing has a length")
    return Header(kind, ticks, smpte)


def read_tracks(data: bytes, remarks: Remarks) -> Iterator[Iterator[Event]]:
    """Yield the events of each track of a file; `remarks` is told what is broken, or missing."""
    place, number = 8 + int.from_bytes(data[4:8]), 0
    if data[place : place + 4] != b"MTrk":
        place = _next_track(data, 14)
    while place + 8 <= len(data):
        begin = place + 8
        end = begin + int.from_bytes(data[place + 4 : begin])
        whole = end == len(data) or _is_chunk(data[end : end + 4])
        if not whole:  # the length is wrong, or the file is cut off
            end = _next_track(data, begin)
        if data[place : place + 4] == b"MTrk":
            number += 1
            if number > MOST_TRACKS:
                remarks.append(f"there are more than {MOST_TRACKS} tracks; the others are left out")
                return
            yield _track(data[begin:end], whole, f"track {number}", remarks)
        place = end
    counted = int.from_bytes(data[10:12])
    if number < counted:
        remarks.append(f"its header counts {counted} tracks, and {number} are there: it is cut off")


def _is_chunk(name: bytes) -> bool:
    return re.fullmatch(rb"[A-Za-z ]{4}", name) is not None


def _next_track(data: bytes, place: int) -> int:
    found = data.find(b"MTrk", place)
    return found if found >= 0 else len(data)


def _track(data: bytes, whole: bool, name: str, remarks: Remarks) -> Iterator[Event]:
    """Yield the events of a track's bytes until the first that is not whole.

    whole: whether `data` ends where the track says that it does; then it may lack its end's event.
    """
    place, tick, status = 0, 0, 0
    try:
        while place < len(data):
            delta, place = _number(data, place)
            tick += delta
            event, place = _event(data, place, tick, status)
            if event.status < META:
                status = event.status
            if event.status == META and event.kind == END_OF_TRACK:
                yield event
                return
            yield event
        if not whole:
            raise Broken("it has no end")
    except Broken as broken:
        remarks.append(f"{name} breaks off after {tick} ticks: {broken}; what came before is kept")


def _event(data: bytes, place: int, tick: int, running: int) -> tuple[Event, int]:
    """Return the event at `place`, and the place behind it; running: the status before it."""
    if place >= len(data):
        raise Broken("the file ends within an event")
    status = data[place]
    if status < 0x80:
        if not running:
            raise Broken("data without a status")
        status = running
    else:
        place += 1
    if status == META or status in SYSEX:
        kind = data[place] if status == META and place < len(data) else 0
        size, place = _number(data, place + (status == META))
    else:
        kind = 0
        size = DATA_BYTES.get(status >> 4, SYSTEM_BYTES.get(status, 0))
    if place + size > len(data):
        raise Broken(f"an event of {size} bytes where {max(len(data) - place, 0)} are left")
    found = data[place : place + size] if status not in SYSEX else b""
    if status < 0xF0 and any(byte > 0x7F for byte in found):
        raise Broken("a status where data is due")
    return Event(tick, status, kind, found), place + size


def _number(data: bytes, place: int) -> tuple[int, int]:
    """Return the number of variable length at `place`, and the place behind it."""
    value = 0
    for byte in data[place : place + LONGEST_NUMBER]:
        value = value << 7 | byte & 0x7F
        place += 1
        if byte < 0x80:
            return value, place
    raise Broken("a length or a time that does not end")
