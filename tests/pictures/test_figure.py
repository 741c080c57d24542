"""Figures: what is drawn stays where it belongs, whatever the data are."""

import importlib.util
import math
import sys
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from char_rnn.errors import MissingExtra, UsageError
from char_rnn.pictures.canvas import COLOURS, Canvas, Circle, Path, Text, text_width
from char_rnn.pictures.figure import (
    Axis,
    Bars,
    Drawing,
    Figure,
    Line,
    Panel,
    Rule,
    bars_over_seeds,
    over_seeds,
)
from char_rnn.pictures.layout import PANEL_WIDTH, figure_canvas, panel_canvas
from char_rnn.pictures.ticks import x_scale, y_scale

ODD = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0])
numbers = st.floats(-1e6, 1e6) | st.floats(1e-9, 1e-3) | ODD
labels = st.text(st.sampled_from('abcMW 0.5,‖∂<&\x00"字'), max_size=24)


@st.composite
def panels(draw):
    def data(size):
        return draw(st.lists(numbers, min_size=size, max_size=size))

    size = draw(st.integers(1, 6))
    kind = draw(st.sampled_from([Line, Bars]))
    x = sorted(draw(st.sets(st.integers(0, 50), min_size=size, max_size=size)))
    marks = []
    for _ in range(draw(st.integers(1, 5))):
        band = draw(st.booleans())
        edges = {"low": data(size), "high": data(size)} if band else {}
        marks.append(kind(x, data(size), draw(labels), **edges))
    if draw(st.booleans()):
        marks.append(Rule(draw(st.floats(-100, 100)), "a rule"))
    axes = [
        Axis(draw(labels), log=draw(st.booleans()), low=draw(st.none() | st.floats(0, 1)))
        for _ in range(2)
    ]
    return Panel(draw(labels), *axes, marks)


figures = st.builds(
    Figure, labels, st.lists(panels(), min_size=1, max_size=3), st.integers(1, 3), labels
)


def box(text):
    """Return where a text stands: left, top, right, bottom."""
    width, height = text_width(text.text, text.size, text.bold), text.size
    shift = {"start": 0, "middle": width / 2, "end": width}[text.anchor]
    if text.turned:
        return text.x - height, text.y - width + shift, text.x, text.y + shift
    return text.x - shift, text.y - 0.75 * height, text.x - shift + width, text.y


def points(shape):
    if isinstance(shape, Path):
        return shape.points
    return [(shape.x, shape.y)]


@settings(max_examples=25, deadline=None)
@given(figures)
def test_all_that_is_drawn_is_on_the_paper_and_finite(figure):
    canvas = figure_canvas(figure)
    for shape in canvas.shapes:
        for x, y in points(shape):
            assert -1 <= x <= canvas.width + 1 and -1 <= y <= canvas.height + 1
    for mark in (m for m in canvas.shapes if isinstance(m, Circle)):
        assert math.isfinite(mark.radius)


@settings(max_examples=25, deadline=None)
@given(figures)
def test_as_svg_it_is_well_formed_whatever_it_says(figure):
    root = ET.fromstring(figure.svg())
    said = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    shown = [t.text for t in figure_canvas(figure).shapes if isinstance(t, Text)]
    assert said == ["".join(c if c.isprintable() else "\ufffd" for c in t) or None for t in shown]


@settings(max_examples=25, deadline=None)
@given(figures)
def test_a_chart_has_lines_that_fit(figure):
    lines = figure.chart(78).splitlines()
    titles = {figure.title, figure.note, *(panel.title for panel in figure.panels)}
    assert all(len(line) <= 78 + 60 for line in lines if line not in titles)


def example():
    k = np.arange(1, 41)
    rows = [(0.8 + 0.1 * seed) ** k for seed in range(3)]
    return Figure(
        "Gradients shrink",
        [
            Panel(
                "Over distance, of a network that was trained long enough to need two lines",
                Axis("steps back, k"),
                Axis("norm of the gradient, as it is before training (nats a unit)", log=True),
                [over_seeds(k, rows, f"a long name of series {n}") for n in range(5)]
                + [Line(k, 0.9**k, "theory", dashed=True)],
            ),
            Panel(
                "Accuracy",
                Axis("network", ticks={0: "MLP", 1: "RNN", 2: "LSTM"}),
                Axis("share right"),
                [bars_over_seeds(range(3), np.full((2, 3), 0.7), "lag 1"), Rule(0.25, "chance")],
            ),
            Panel(
                "Loss",
                Axis("characters read"),
                Axis("nats a character", low=1, high=3),
                [Line([0, 1e6], [5, 0.5], "cut at both ends")],
            ),
        ],
        note="Bands: least to most.",
    )


def test_nothing_is_written_over_anything_else():
    texts = [shape for shape in figure_canvas(example()).shapes if isinstance(shape, Text)]
    for one, other in combinations(texts, 2):
        a, b = box(one), box(other)
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, (one.text, other.text)


def test_a_line_ends_where_the_panel_does():
    figure = example()
    paths = [s for s in panel_canvas(figure, 2).shapes if isinstance(s, Path)]
    (x1, y1), (x2, y2) = next(s.points for s in paths if s.colour == "1")
    (left, top), (_, bottom), (right, _) = next(
        s.points for s in paths if s.width == 1.3 and len(s.points) == 3
    )
    assert y1 == pytest.approx(top) and y2 == pytest.approx(bottom)
    # 5 to 0.5 over a million: 3 is reached after 4/9 of it, 1 after 8/9.
    scale = x_scale(figure.panels[2])
    assert (x1 - left) / (right - left) == pytest.approx(scale.place(4e6 / 9))
    assert (x2 - left) / (right - left) == pytest.approx(scale.place(8e6 / 9))


def test_a_chart_names_its_lines_and_its_rules():
    panel = Panel("p", Axis("k"), Axis("share"), [Line([0, 1], [0, 1], "up"), Rule(0.5, "chance")])
    lines = Figure("t", [panel]).chart(40).splitlines()
    assert any(line.endswith("-" * 30) and "|" in line for line in lines)
    assert lines[-1].split() == ["o", "up", "-", "chance"]
    assert sum(" o" in line or line[-1] == "o" for line in lines[3:15]) == 2


def test_the_same_label_has_the_same_colour_everywhere():
    one, two = (
        Panel("", Axis("x"), Axis("y"), [Line([0], [0], name) for name in names])
        for names in ("ab", "bca")
    )
    found = Figure("", [one, two]).colours()
    of = {}
    for mark in (*one.marks, *two.marks):
        of.setdefault(mark.label, set()).add(found[id(mark)])
    assert of == {"a": {0}, "b": {1}, "c": {2}}
    alone = panel_canvas(Figure("", [one, two]), 1)
    assert alone.width == PANEL_WIDTH
    marks = [s.fill for s in alone.shapes if isinstance(s, Circle)]
    assert "0" in marks and "1" not in marks  # the circle is that of the first colour


def test_what_seeds_agree_on():
    line = over_seeds([1, 2], [[1, 5], [3, 6], [2, 9]], "a", dashed=True)
    assert (line.x, line.y, line.low, line.high) == ((1, 2), (2, 6), (1, 5), (3, 9))
    assert line.dashed
    bars = bars_over_seeds([1, 2], [[1, 5], [3, 6]])
    assert isinstance(bars, Bars) and bars.y == (2, 5.5) and bars.high == (3, 6)
    with pytest.raises(UsageError, match=r"shape \(2,\); expected \(seeds, N\)"):
        over_seeds([1, 2], [1, 2], "a")
    with pytest.raises(UsageError, match="y of 'a' has 1 points; x has 2"):
        Line([1, 2], [1], "a")
    assert math.isnan(Line([1], [None]).y[0])


@pytest.mark.parametrize(
    ("axis", "values", "expected"),
    [
        (Axis("", low=0, high=1), [], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (Axis("", low=0, high=3000), [], ["0", "500", "1,000", "1,500", "2,000", "2,500", "3,000"]),
        (Axis("", low=-1, high=1), [], ["−1.0", "−0.5", "0.0", "0.5", "1.0"]),
        (Axis("", True, low=1, high=100), [], ["1", "3", "10", "30", "100"]),
        (Axis("", True, low=1e-9, high=1), [], ["10⁻⁸", "10⁻⁶", "0.0001", "0.01", "1"]),
        (Axis("", True, low=2, high=3), [], ["2.0", "2.2", "2.4", "2.6", "2.8", "3.0"]),
        (Axis("", ticks={1: "one", 9: "nine"}), [0, 2], ["one"]),
    ],
)  # fmt: skip
def test_ticks(axis, values, expected):
    panel = Panel("", Axis("x"), axis, [Line(range(len(values)), values)])
    scale = y_scale(panel)
    assert [name for _, name in scale.ticks] == expected
    for at, _ in scale.ticks:
        assert -1e-9 <= scale.place(at) <= 1 + 1e-9


@pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not there")
def test_a_picture_of_dots_is_that_drawing(tmp_path):
    from matplotlib.image import imread

    canvas = Canvas(100, 50)
    canvas.rect(0, 0, 50, 50, "0")
    canvas.rect(50, 0, 50, 50, "#ff0000")
    canvas.circle(25, 25, 10, "paper")
    canvas.text(60, 30, "$x$", colour="paper")
    Drawing("halves", canvas).save(tmp_path / "a.png")
    dots = imread(tmp_path / "a.png")[..., :3]
    assert dots.shape == (100, 200, 3)
    blue = [int(COLOURS["0"][0][k : k + 2], 16) / 255 for k in (1, 3, 5)]
    np.testing.assert_allclose(dots[10, 10], blue, atol=0.01)
    np.testing.assert_allclose(dots[50, 50], [1, 1, 1], atol=0.01)
    np.testing.assert_allclose(dots[10, 190], [1, 0, 0], atol=0.01)
    assert (dots[40:62, 118:150].min(axis=(0, 1)) < 1).any()
    example().save(tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes()[1:4] == b"PNG"


def test_without_matplotlib_there_is_svg_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    example().save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text("utf-8") == example().svg() == example()._repr_html_()
    with pytest.raises(MissingExtra, match=r"pip install 'char-rnn\[plots\]'"):
        example().save(tmp_path / "a.png")
    with pytest.raises(UsageError, match="no picture"):
        example().save(tmp_path / "a.gif")


# What is left of red, green and blue, linear, to who lacks a kind of cones (Machado et al. 2009).
VISION = {
    "all": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
XYZ = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8730]])


def linear(colour):
    channels = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Return CIELAB of linear red, green and blue: 2 is just noticed, 100 is black to white."""
    x = XYZ @ np.clip(rgb, 0, 1)
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("dark", [0, 1])
def test_colours_can_be_told_from_the_paper_and_from_each_other(dark):
    """3 to 1 for lines, 4.5 to 1 for text (WCAG 2.1); series whatever one's colour vision."""
    light = {name: float(linear(pair[dark]) @ XYZ[1]) for name, pair in COLOURS.items()}
    for name, ink in light.items():
        paper = light["paper"]
        contrast = (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)
        if name.isdigit():
            assert contrast >= 3, name
        elif name in ("ink", "faint"):
            assert contrast >= 4.5, name
    series = [linear(pair[dark]) for name, pair in COLOURS.items() if name.isdigit()]
    for seen in VISION.values():
        for one, other in combinations([lab(np.array(seen) @ rgb) for rgb in series], 2):
            assert np.linalg.norm(one - other) >= 20


def test_arrows_end_where_they_point():
    canvas = Canvas(10, 10)
    canvas.arrow(0, 0, 9, 0)
    line, head = canvas.shapes
    assert head.points[0] == (9, 0) and line.points[1][0] == min(x for x, _ in head.points)
    canvas.arrow(1, 1, 1, 1)
    assert len(canvas.shapes) == 2
