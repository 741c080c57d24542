"""Music as text: what a network learns character by character, and a musician reads and edits.

It is close to ABC, which many read, but says everything in one way only, so that a network meets no
two spellings of the same, and to the step of the grid, so that any score comes back.

    M:6/8 K:D Q:96
    z5A|d2e f2d|[Adf]3 e2c|[K:G]B2c d3-|
    d3 d2A|4|4|d6|

    piece     [first line] bars; between pieces a blank line
    first     fields with a space between them, those that are there: M:6/8 meter, K:Ddor key
              (D, Bb, F#m, Ddor, Emix, …), Q:96 quarters a minute, G:24 steps of the grid in a
              quarter (else 12), I:40"Violin",d0 the program of each voice, d before that of drums
    bar       changes, voices, |   four bars a line; of several voices, one bar a line
    again     a number alone: the bar is written as that so many bars before, 32 at most
    change    [K:G] from this bar on, [M:3/4], [Q:80]; [Q:72@3/2] one and a half eighths later.
              A new meter cuts the bar before it short
    voice     1:layer&layer   with a space between voices; of one voice without the 1:. What is
              silent for the whole bar is left out, but one voice alone has a rest
    layer     items from the bar's beginning; the first layer of a voice fills the bar. A second one
              has what sounds beside it in the same voice
    item      note, chord or rest, then its length; a space before what begins on a beat
    note      ^c', marks: C is middle C, c an octave above, c' two, C, one below; ^ sharp, _ flat,
              = natural, nothing as the key says, for this note alone. Drums have no key
    chord     [CEG] what begins and ends together; the length stands behind it
    rest      z
    length    in eighths: nothing 1, 2, 3/2, / a half, /4, 2/3 (of a triplet)
    tie       - behind a note that goes on in the next bar, as the first note of its pitch there
    dynamics  !f! before a note: from here on in its voice; ppp pp p mp mf f ff fff, at first mf

Why so. A note in the key, of the commonest length, is one character, whatever the key: a tune is
nearly the same text in all keys, one octave break aside. Lengths are fractions of an eighth, not
steps, so that a finer grid does not change the text. Accidentals count for one note, so that
nothing must be remembered. What sounds together stands in one bar, and so near in the text. Bars
are full, beats stand apart, and a line has four bars, so that a network can count. What comes again
is said and not written out (`char_rnn.music.again`). A tune of one voice needs about 40 different
characters, and the jigs of the Nottingham collection 1.1 a note.
What is spelled outside of the key: `char_rnn.music.spelling`.
"""

from char_rnn.music.notation import pieces
from char_rnn.music.text_reader import from_text
from char_rnn.music.text_writer import to_text

__all__ = ["from_text", "pieces", "to_text"]
