"""Music as text: what a network learns character by character, and a musician reads and edits.

It is close to ABC, which many read, and has one way to write anything, so that a network meets no
two spellings of the same. Where it differs, it does so to be exact.
"""

from char_rnn.music.notation import pieces
from char_rnn.music.text_reader import from_text
from char_rnn.music.text_writer import to_text

__all__ = ["from_text", "pieces", "to_text"]
