"""Piano rolls on a page, which the browser plays: nothing beside it, and nothing is asked for."""

from collections.abc import Sequence
from html import escape
from importlib import resources
from typing import Any

import numpy as np

from char_rnn.analyse.page import embedded, filled, packed
from char_rnn.errors import DataError, UsageError
from char_rnn.music.clock import bar_lines, beats, tempo_map
from char_rnn.music.instruments import DRUMS, drum_kind, label, sound_of
from char_rnn.music.roll import shortened
from char_rnn.music.score import Score, Voice
from char_rnn.music.text import from_text
from char_rnn.pictures.canvas import COLOURS, SERIES

MOST_TUNES = 1000
"""On a page; a browser lays out no more in time."""
MOST_BARS = 512
"""Of a piece, on a page: half an hour at a usual tempo."""


def page(scores: Sequence[Score], names: Sequence[str], first: int = 1) -> str:
    """Return a page of its own with the `scores`, each under its name; see `page_part`."""
    title = names[0] if len(names) == 1 else f"{len(names)} tunes"
    title = "".join(c if c.isprintable() else "\ufffd" for c in title)
    parts = {
        "TITLE": escape(title),
        "STYLE": filled("page.css"),
        "PART": page_part(scores, names, first),
    }
    # One pass, so that what a name holds is never taken for a place to fill.
    pieces = _file("roll.html").split("@@")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def page_part(scores: Sequence[Score], names: Sequence[str], first: int = 1) -> str:
    """Return markup that shows and plays `scores` in a page that has page.css and more in it.

    Its script leaves no names behind. Of each piece there are `MOST_BARS` bars at most, and it is
    said. first: the number of their first bar.
    Raises UsageError if there are not as many names as scores, or none, or more than MOST_TUNES.
    """
    if not scores or len(scores) != len(names):
        raise UsageError(f"{len(scores)} scores and {len(names)} names; a page takes one of each")
    if len(scores) > MOST_TUNES:
        raise UsageError(f"{len(scores):,} tunes; a page holds {MOST_TUNES:,} at most: take fewer")
    data = [data_of(score, name, first) for score, name in zip(scores, names, strict=True)]
    return (
        f"<style>\n{colours('.rolls')}{roll_style()}</style>\n"
        f'<div class="rolls"><script type="application/json">{embedded(data)}</script></div>\n'
        f"<script>\n(() => {{\n{filled('text.js')}\n{player()}\n{_file('all.js')}}})();\n</script>"
    )


def player() -> str:
    """Return the script of what shows and plays a piece; it asks for what text.js holds."""
    return _file("sound.js") + _file("roll.js")


def roll_style() -> str:
    """Return the style of what `player` makes in an element of the class `rolls`."""
    return _file("roll.css")


def colours(where: str) -> str:
    """Return the colours of voices and of the grid, for light paper and dark; where: in CSS."""
    names = ["grid", *map(str, range(SERIES))]
    light, dark = (";".join(f"--{n}:{COLOURS[n][k]}" for n in names) for k in (0, 1))
    return f"{where}{{{light}}}\n@media(prefers-color-scheme:dark){{{where}{{{dark}}}}}\n"


def texts_part(texts: Sequence[str], names: Sequence[str]) -> str:
    """Return `page_part` of texts of pieces (text.py), "" if one of them is no piece with notes.

    A text of another kind does not begin as a piece does, which is found out at once.
    """
    try:
        scores = [from_text(text) for text in texts]
    except DataError:
        return ""
    if not (scores and all(score.notes for score in scores)):
        return ""
    return page_part(scores, names)


def _file(name: str) -> str:
    return (resources.files("char_rnn.music") / "pages" / name).read_text("utf-8")


def data_of(score: Score, name: str, first: int = 1) -> dict[str, Any]:
    """Return what roll.js needs of a piece; its notes packed, in the order of their starts."""
    heading, score = shortened(score, name, MOST_BARS)
    notes = score.notes
    table = np.array([(n.start, n.length, n.pitch, n.voice, n.velocity) for n in notes])
    table = table.reshape(-1, 5)
    steps, seconds = tempo_map(score)
    kinds = [
        DRUMS.index(drum_kind(n.pitch)) if score.voices[n.voice].drums else len(DRUMS)
        for n in notes
    ]
    return {
        "name": heading,
        "first": first,
        "quarter": score.steps,
        "bars": packed(np.array(bar_lines(score)), "u4"),
        "beats": packed(np.array(beats(score), np.int64), "u4"),
        "steps": packed(steps, "f8"),
        "seconds": packed(seconds, "f8"),
        "starts": packed(table[:, 0], "u4"),
        "lengths": packed(table[:, 1], "u4"),
        "pitches": packed(table[:, 2], "u1"),
        "voices": packed(table[:, 3], "u2"),
        "velocities": packed(table[:, 4], "u1"),
        "kinds": packed(np.array(kinds, np.int64), "u1"),
        "drums": DRUMS,
        "sounds": [_sound(voice) for voice in score.voices],
    }


def _sound(voice: Voice) -> dict[str, Any]:
    """Return how a voice sounds, as `instruments` has it."""
    sound = sound_of(voice)
    return {
        "label": label(voice),
        "drums": voice.drums,
        "harmonics": sound.harmonics,
        "attack": sound.attack,
        "decay": sound.decay,
        "sustain": sound.sustain,
        "release": sound.release,
    }
