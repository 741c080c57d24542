"""Pictures take names as they are: no formulas, none left out, no control characters."""

import warnings

import pytest

from char_rnn.runs.curves import Curve, Curves

picture = pytest.importorskip("char_rnn.runs.picture")
pytest.importorskip("matplotlib")
NAMES = [r"x$\foo$", "$x_1$", "_hidden", "run[old]", "汉字", "a\x1b[31m\nb"]
SHOWN = [*NAMES[:-1], r"'a\x1b[31m\nb'"]


def curves(name):
    points = Curve([1, 2], [10, 20], [0.1, 0.2], [2.0, 1.0])
    return Curves(name, points, points, points, points)


@pytest.fixture
def figures(monkeypatch):
    made = []
    save = picture.save
    monkeypatch.setattr(picture, "save", lambda fig, path: (made.append(fig), save(fig, path)))
    return made


def test_names_in_a_comparison(tmp_path, figures):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture.plot_comparison([curves(name) for name in NAMES], tmp_path / "a.png")
    legend = figures[0].axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == SHOWN
    handles = [line.get_color() for line in legend.get_lines()]
    assert handles == [f"C{k}" for k in range(len(NAMES))]


@pytest.mark.parametrize(("name", "shown"), list(zip(NAMES, SHOWN, strict=True)))
def test_a_name_as_a_title(tmp_path, figures, name, shown):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture.plot_run(curves(name), tmp_path / "a.svg")
    assert figures[0].axes[0].get_title() == shown
