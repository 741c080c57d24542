"""Ways to change a MIDI file, a text of pieces and melodies in ABC, by someone who knows them.

As in mutants.py, each yields a name and a function that writes the mutant over the good file.
"""

import re

from mutants import CONTROL

TIMES = [b"\0", b"\x7f", b"\x83\x60", b"\xff\xff\x7f", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff\xff"]
EVENTS = [
    b"\x90\x3c\x40", b"\x80\x3c\x00", b"\x99\x24\x7f", b"\x90\x3c", b"\x3c\x40", b"\xc0\x05",
    b"\xc0", b"\x90\xff\xff", b"\xe0\0\x40", b"\xf0\x03abc", b"\xf7\xff\xff\xff\x7f", b"\xf4",
    b"\xfe", b"\xff\x51\x03\0\0\0", b"\xff\x51\x03\0\0\x01", b"\xff\x51\x03\xff\xff\xff",
    b"\xff\x51\x00", b"\xff\x58\x04\x01\x07\x18\x08", b"\xff\x58\x04\0\xff\0\0",
    b"\xff\x58\x04\xff\0\x18\x08", b"\xff\x59\x02\x80\x09", b"\xff\x59\x02\x07\x01",
    b"\xff\x2f\x00", b"\xff\x00\x02\0\0", b"\xff\x03\x0a" + CONTROL.encode("latin-1")[:10],
    b"\xff\x01\x06K:Ddor", b"\xff\x01\x03K:?", b"\xff\x7f\xff\xff\xff\x7f",
    b"\xff\x03\x04\xff\xfe\xe2\x80",
]  # fmt: skip
DIVISIONS = [0, 1, 24, 25, 0x7FFF, 0x8000, 0xE728, 0xE700, 0xE250, 0xFFFF, 0xFF01]
COUNTS = [0, 1, 2, 3, 7, 64, 0xFFFF]
WORDS = [
    "|", "||", "|:", ":|", "|1", "[2", "::", "[", "]", "[]", "[CEG]", "(", "(3", "(3:2:2",
    "(9:9:9", "-", "--", "z", "z0", "Z4", "Z999", "&", "&&&", "2:", "0:", "9999:", "!ff!", "!",
    "!x!", "^", "__", "=", "c'''''''''''", "C,,,,,,,,,,,,", "c0", "c/", "c//////", "c1/99999",
    "c999999", "c4/0", "c/7", ">", "<<<<", "{g}", '"Am"', '"', "{", "%", "\\", "?", "\n\n", "\n",
    "[K:D]", "[K:H]", "[M:1/128]", "[M:255/1]", "[M:0/4]", "[Q:1e308]", "[Q:0]", "[Q:72@3/2]",
    "[K:G@99]", "K:", "K:C\n", "X:2\n", "M:none\n", "L:1/512\n", "Q:1/4=99999\n", "G:32767",
    "I:0,d0", "V:2\n", "w: la la\n", "é", "\0", "\ud83d", "\u202e", CONTROL, "9" * 5000, "[" * 500,
    "&" * 500, "|" * 2000, "c" * 3000, "X:1\n" * 50,
]  # fmt: skip


def of_midi(path, rng):
    """Yield mutants of a MIDI file: of its header, of its chunks, of events, of bytes."""
    good = path.read_bytes()
    while True:
        data, names = bytearray(good), []
        for _ in range(rng.choice([1, 1, 2, 4])):
            names.append(_changed_midi(data, rng))
        yield "; ".join(names), lambda data=bytes(data): path.write_bytes(data)


def _changed_midi(data, rng):
    """Change something in `data`; return what."""
    place = rng.randrange(len(data) + 1)
    tracks = [found.start() for found in re.finditer(b"MTrk", data)]
    match rng.randrange(11):
        case 0:
            data[12:14] = rng.choice(DIVISIONS).to_bytes(2, "big")
            return f"division {data[12:14].hex()}"
        case 1:
            data[8:10], data[10:12] = bytes([0, rng.randrange(4)]), rng.choice(COUNTS).to_bytes(2)
            return f"type {data[9]}, {data[10:12].hex()} tracks"
        case 2 if tracks:
            at = rng.choice(tracks)
            lie = rng.choice([0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF, len(data)])
            data[at + 4 : at + 8] = lie.to_bytes(4, "big")
            return f"a track of {lie} bytes"
        case 3:
            del data[place:]
            return f"cut at {place}"
        case 4 if tracks:
            at = rng.choice(tracks)
            data += data[at : at + 4000] * rng.choice([1, 3, 64])
            return "tracks repeated"
        case 5 | 6 | 7 if tracks:
            at = rng.choice(tracks) + 8
            event = rng.choice(TIMES) + rng.choice(EVENTS)
            data[at:at] = event * rng.choice([1, 1, 1, 500])
            return f"{event.hex()} put in first"
        case 8:
            event = rng.choice(TIMES) + rng.choice(EVENTS)
            data[place:place] = event
            return f"{event.hex()} put in at {place}"
        case 9:
            size = rng.randrange(1, 9)
            del data[place : place + size]
            return f"{size} bytes taken out at {place}"
    for _ in range(rng.choice([1, 5, 50])):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return "bytes changed"


def of_text(path, rng):
    """Yield mutants of a text: words put in, taken out, repeated; numbers changed; cut."""
    good = path.read_text("utf-8")
    while True:
        text, names = good, []
        for _ in range(rng.choice([1, 1, 2, 5])):
            name, text = _changed_text(text, rng)
            names.append(name)
        data = text.encode("utf-8", "surrogatepass")
        yield "; ".join(names)[:200], lambda data=data: path.write_bytes(data)


def _changed_text(text, rng):
    """Return what was changed, and the text with that change."""
    place, word = rng.randrange(len(text) + 1), rng.choice(WORDS)
    numbers = list(re.finditer(r"\d+", text))
    match rng.randrange(7):
        case 0:
            return f"cut at {place}", text[:place]
        case 1:
            size = rng.randrange(1, 20)
            return f"{size} taken out at {place}", text[:place] + text[place + size :]
        case 2 if len(text) < 10_000:
            part = text[place : place + rng.choice([5, 200])] * rng.choice([1, 9, 100])
            return f"repeated from {place}", text[:place] + part + text[place:]
        case 3 if numbers:
            found, new = rng.choice(numbers), rng.choice(["0", "1", "7", "255", "99999", "9" * 30])
            return f"{found[0][:9]} is {new}", text[: found.start()] + new + text[found.end() :]
        case 4:
            return "carriage returns", text.replace("\n", "\r\n")
    return f"{word[:20]!r} at {place}", text[:place] + word + text[place:]


TUNES = {"tune.mid": of_midi, "tune.txt": of_text, "tune.abc": of_text}
