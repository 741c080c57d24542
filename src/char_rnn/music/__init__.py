"""Music: scores, MIDI files and a text that a character-level network learns."""

from char_rnn.music.score import Change, Note, Score, Voice

__all__ = ["Change", "Note", "Score", "Voice"]
