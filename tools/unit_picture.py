"""Draw the README's picture: a text, coloured by one unit of the model in the package.

    python tools/unit_picture.py

Of the units of the top layer it takes the one that best follows the place in the line.
"""

from html import escape
from pathlib import Path

import numpy as np

import char_rnn

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "unit.svg"
TEXT = """\
HAMLET:
To be, or not to be, that is the question:
Whether 'tis nobler in the mind to suffer
The slings and arrows of outrageous fortune,
Or to take arms against a sea of troubles
And by opposing end them. To die, to sleep;
No more; and by a sleep to say we end
The heart-ache and the thousand natural shocks
That flesh is heir to.
"""
LETTER, LINE, MARGIN = 11.0, 24, 18
BELOW, ABOVE = np.array([33, 102, 172]), np.array([178, 24, 43])  # blue for −1, red for +1


def place_in_line(text: str) -> np.ndarray:
    """Return how many characters stand before each one in its line, (T,)."""
    return np.array([t - (text.rfind("\n", 0, t) + 1) for t in range(len(text))])


def best_unit(states: np.ndarray, text: str) -> int:
    """Return the unit of `states` (T, H) that correlates best with the place in the line."""
    place = place_in_line(text)
    return int(np.argmax([abs(np.corrcoef(unit, place)[0, 1]) for unit in states.T]))


def colour(value: float) -> str:
    """Return the colour of an activation between −1 and 1; white in the middle."""
    end = ABOVE if value > 0 else BELOW
    red, green, blue = (255 + (end - 255) * min(abs(value), 1) * 0.8).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def draw(text: str, values: np.ndarray, title: str) -> str:
    """Return the text as SVG, each character on the colour of its value."""
    lines = text.splitlines(keepends=True)
    width = MARGIN * 2 + LETTER * max(map(len, lines))
    height = MARGIN * 2 + LINE * len(lines)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" role="img" aria-label="{escape(title)}">',
        f'<rect width="{width:.0f}" height="{height}" fill="#ffffff"/>',
        '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="16" '
        'fill="#111" text-anchor="middle">',
    ]
    t = 0
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            x, y = MARGIN + LETTER * column, MARGIN + LINE * row
            out.append(
                f'<rect x="{x:.1f}" y="{y}" width="{LETTER:.1f}" height="{LINE - 2}" '
                f'fill="{colour(float(values[t]))}"/>'
            )
            if not character.isspace():
                out.append(
                    f'<text x="{x + LETTER / 2:.1f}" y="{y + 16}">{escape(character)}</text>'
                )
            t += 1
    return "\n".join([*out, "</g>", "</svg>", ""])


def main() -> None:
    """Read the text, choose the unit and write the picture."""
    states = char_rnn.CharRNN.load("shakespeare").states(TEXT)[:, -1, 0]  # (T, H)
    unit = best_unit(states, TEXT)
    title = f"Unit {unit} of the top layer: it follows the place in the line"
    PICTURE.write_text(draw(TEXT, states[:, unit], title), "utf-8", newline="\n")
    print(f"{PICTURE.name}: unit {unit}")


if __name__ == "__main__":
    main()
