"""What a symbol is called where a reader must see it: a space, a line end, half a letter."""

from char_rnn.data.vocabulary import AnyVocabulary

NAMES = {" ": "space", "\n": "line end", "\r": "return", "\t": "tab", "\xa0": "hard space"}
PLAIN = 0x590
"""From this code point on come scripts that run leftwards, wide ones, marks and emoji."""
COMBINING = range(0x300, 0x370)


def name_of(char: str) -> str:
    """Return `char` as it can be seen and printed in one line: itself, a name, or U+1F600."""
    code = ord(char)
    if char in NAMES:
        return NAMES[char]
    if char.isprintable() and code < PLAIN and code not in COMBINING:
        return char
    return f"U+{code:04X}"


def symbol_name(vocabulary: AnyVocabulary, symbol: int) -> str:
    """Return what the id `symbol` is called; of bytes those that are ASCII as their character."""
    if symbol == vocabulary.end:
        return "start"  # it is read where a document starts, and predicted where one ends
    if symbol == vocabulary.rare:
        return "rare"
    if vocabulary.kind == "bytes" and symbol >= 0x80:
        return f"0x{symbol:02X}"
    return name_of(vocabulary.idx_to_char[symbol])
