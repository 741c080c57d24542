"""Whether the texts of a drawing stand apart, on the paper, and within their boxes."""

from itertools import combinations

from char_rnn.pictures.canvas import Path, Text, text_width


def boxes(canvas):
    """Return left, top, right and bottom of every line of text of a drawing, with the text."""
    found = []
    for text in (shape for shape in canvas.shapes if isinstance(shape, Text)):
        width = text_width(text.text, text.size, text.bold)
        left = text.x - {"start": 0, "middle": 0.5, "end": 1}[text.anchor] * width
        found.append(
            (left, text.y - 0.75 * text.size, left + width, text.y + 0.2 * text.size, text)
        )
    return found


def assert_nothing_overlaps(canvas):
    found = boxes(canvas)
    for left, top, right, bottom, text in found:
        assert left >= 0 and right <= canvas.width, text
        assert top >= 0 and bottom <= canvas.height, text
    for a, b in combinations(found, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, (a[4].text, b[4].text)
    for rect in (s for s in canvas.shapes if isinstance(s, Path) and s.fill == "paper"):
        (x1, y1), _, (x2, y2), _ = rect.points
        for left, top, right, bottom, text in found:
            if x1 <= left <= x2 and y1 <= text.y <= y2:
                assert right <= x2 and top >= y1 and bottom <= y2, text.text
