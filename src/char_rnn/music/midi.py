"""MIDI files: one of unknown make into a score, and a score into one that any player opens.

`char_rnn.music.events` finds the events, so that what is whole of a broken file is kept; mido knows
what changes of tempo, meter and key mean, and writes.
"""

from char_rnn.music.midi_reader import read_midi
from char_rnn.music.midi_writer import write_midi

__all__ = ["read_midi", "write_midi"]
