"""Music: scores, MIDI files, and a text of them that a character-level network learns.

    run = music.train("tunes/", transpose="C")
    score, = music.generate(run.model, bars=16, key="D dorian")
    open("tune.mid", "wb").write(music.write_midi(score))

A piece is a `Score` of `Note`s on a grid, in `Voice`s, with each `Change` of tempo, meter and key.
`read_midi` and `write_midi` turn it into a file and back, `to_text` and `from_text` into text;
`render` and `save_wav` make it heard, `char_rnn.music.roll` draws it. `demo_scores` are tunes to
learn from without any file.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from char_rnn.music.score import Change, Note, Score, Voice

if TYPE_CHECKING:
    from char_rnn.music.demo import demo_scores as demo_scores
    from char_rnn.music.making import generate as generate
    from char_rnn.music.midi import read_midi as read_midi
    from char_rnn.music.midi import write_midi as write_midi
    from char_rnn.music.synth import render as render
    from char_rnn.music.synth import save_wav as save_wav
    from char_rnn.music.text_reader import from_text as from_text
    from char_rnn.music.text_writer import to_text as to_text
    from char_rnn.music.theory import transpose as transpose
    from char_rnn.music.training import train as train

_HOMES = {
    "demo_scores": "demo",
    "from_text": "text_reader",
    "generate": "making",
    "read_midi": "midi",
    "render": "synth",
    "save_wav": "synth",
    "to_text": "text_writer",
    "train": "training",
    "transpose": "theory",
    "write_midi": "midi",
}

__all__ = [
    "Change",
    "Note",
    "Score",
    "Voice",
    "demo_scores",
    "from_text",
    "generate",
    "read_midi",
    "render",
    "save_wav",
    "to_text",
    "train",
    "transpose",
    "write_midi",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"char_rnn.music.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'char_rnn.music' has no attribute {name!r}")
