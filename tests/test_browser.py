"""The pages in a real browser: Chromium driven by Playwright, where both are present."""

from itertools import pairwise

import numpy as np
import pytest

from char_rnn.analyse.features import FEATURES
from char_rnn.analyse.neuron_view import page as neurons_page
from char_rnn.analyse.neuron_view import part as neurons_part
from char_rnn.analyse.neuron_view import view
from char_rnn.analyse.neurons import Follower, Unit
from char_rnn.analyse.overlap import overlaps
from char_rnn.analyse.overlap import page as overlap_page
from char_rnn.analyse.page import style
from char_rnn.analyse.surprise import Expected
from char_rnn.analyse.surprise import page as surprise_page
from char_rnn.data.vocabulary import Vocabulary, code_points
from char_rnn.lab.experiment import Result
from char_rnn.lab.report import report
from char_rnn.music.page import texts_part
from char_rnn.pictures.canvas import Canvas
from char_rnn.pictures.figure import Axis as PictureAxis
from char_rnn.pictures.figure import Drawing, Figure, Line, Panel

LINES = (
    "It was the best of times,\nit was the \x1b[31mworst\u202e of\ttimes,\n\nit was é </script>\n"
)
TEXT = LINES * 12


def surprise(text, more=""):
    """Return a page on which every 25th character surprises, more and more; `more` below it."""
    vocabulary = Vocabulary(text)
    ids = vocabulary.encode(text)
    N, V = len(ids), vocabulary.size
    nats = np.full(N, 0.1)
    nats[::25] = np.linspace(3, 9, len(nats[::25]))
    likely = np.stack([ids, (ids + 1) % V, (ids + 2) % V], axis=1)
    likely[::25, 0] = (ids[::25] + 3) % V
    shares = np.tile(np.float32([0.905, 0.05, 0.00001]), (N, 1))
    return surprise_page(
        "A <b>text</b>", vocabulary.chars, ids, Expected(nats, likely, shares), 1.5, more
    )


def overlap():
    training = TEXT[:150] + "-" * 9 + TEXT[200:290] + "=" + TEXT[20:60]
    sample = "0123\n" + TEXT[20:60] + "4 \x075" + TEXT[200:290] + "6789" + TEXT[70:100]
    found = overlaps([("a\x1b", code_points(sample))], code_points(training))
    return overlap_page("Copied", "book", found)


def neurons(text=TEXT, about="A <b>text</b>"):
    """Return the data of 2 layers of 3 units; 2:3 rises with the place, 1:z:2 opens halfway."""
    N = len(text)
    place = np.linspace(-1, 1, N)
    h = np.full((N, 2, 3), 0.25)
    h[:, 1, 2] = place
    z = np.full((N, 2, 3), 0.5)
    z[:, 0, 1] = place > 0
    score, other = (0.93,) * 3, (0.5,) * 3
    found = [
        Follower(feature, unit, -1, 0.9, score, other, other)
        for feature, unit in zip(FEATURES, (Unit(2, "h", 3), Unit(1, "z", 2)), strict=False)
    ]
    return view(about, text, {"h": h, "z": z}, found)


def opened(tab, made):
    tab.file.write_text(made, "utf-8")
    tab.goto(tab.file.as_uri())


def tip(tab):
    shown = tab.locator("#tip")
    return shown.text_content() if shown.is_visible() else None


def here(tab):
    """Return the number of the mark at the cursor, and whether it can be seen with its tip."""
    at, seen = tab.evaluate(
        """() => {
          const mark = document.querySelector(".here"), tip = document.getElementById("tip");
          const box = mark.getClientRects()[0], over = tip.getBoundingClientRect();
          const inside = b => b.top >= 0 && b.bottom <= innerHeight + 1 && b.left >= 0 &&
            b.right <= innerWidth + 1;
          const gap = Math.max(over.top - box.bottom, box.top - over.bottom);
          const apart = gap > 6 && gap < 10;
          const outline = getComputedStyle(mark).outlineStyle === "solid";
          return [mark.at, inside(box) && inside(over) && apart && outline];
        }"""
    )
    assert seen
    return at


def press(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)
    return here(tab)


def test_the_surprise_page_shows_the_text_inert(tab):
    opened(tab, surprise(TEXT))
    assert tab.title() == tab.locator("h1").text_content() == "A <b>text</b>"
    shown = tab.locator("pre").text_content()
    expected = TEXT.replace("\n", "↵\n").replace("\x1b", "⟨U+001B⟩")
    assert shown == expected.replace("\u202e", "⟨U+202E⟩")
    assert tab.locator("pre script").count() == 0
    assert tab.locator(".ticks span").all_text_contents() == ["≤ 0.5", "2", "4", "≥ 6"]


def test_the_surprise_page_is_walked_by_keys(tab):
    opened(tab, surprise(TEXT))
    tab.keyboard.press("Tab")
    assert here(tab) == 0 and tip(tab).splitlines()[0] == "I  4.98 %  3.00 nats"
    assert press(tab, "ArrowRight") == 1 and tip(tab).startswith("t  90.50 %  0.10 nats")
    assert press(tab, "ArrowLeft", "ArrowLeft") == 0
    lines = tip(tab).splitlines()
    assert (
        lines[1] == "expected:" and lines[2].startswith("   90.50 %  ") and len(lines) == 4
    )  # none of 0.00 %
    end = press(tab, "End")
    assert TEXT[end] == "\n" or tab.viewport_size["width"] == 360
    assert press(tab, "ArrowRight") == end + 1 and press(tab, "Home") == end + 1
    down = press(tab, "ArrowUp", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown")
    assert down == end + 4 and press(tab, "ArrowUp") == 3
    assert press(tab, "Control+End") == len(TEXT) - 1
    assert press(tab, "ArrowRight", "ArrowDown") == len(TEXT) - 1
    assert press(tab, "Control+Home", "ArrowUp") == 0
    for _ in range(30):
        press(tab, "ArrowDown")
    assert tab.evaluate("scrollY") > 0
    tab.mouse.wheel(0, -10)
    tab.wait_for_timeout(100)
    here(tab)  # the tip has come along
    tab.keyboard.press("Escape")
    assert tip(tab) is None


def test_pieces_below_the_surprise_page_play_and_leave_its_keys_alone(tab):
    tune = "K:D Q:240\n" + "d2f2 a2f2|" * 4
    opened(tab, surprise(f"{tune}\n\n{tune}\n", texts_part([tune, tune], ["<b>", "second"])))
    assert tab.locator("h2").all_text_contents() == ["<b>", "second"]
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.keyboard.press("Tab")
    assert press(tab, "ArrowRight") == 1
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    roll, button = tab.locator(".roll").first, tab.get_by_role("button").first
    tab.keyboard.press("ArrowRight")
    assert roll.get_attribute("aria-valuetext") == "bar 2 of 4, 0:01"
    stood = tab.evaluate("document.querySelector('.cursor').style.transform")
    tab.keyboard.press("Space")
    tab.wait_for_function(
        "at => document.querySelector('.cursor').style.transform !== at", arg=stood
    )
    assert button.text_content() == "❚❚ Pause"
    assert tab.evaluate("document.querySelector('.here').at") == 1
    tab.get_by_role("button").last.click()
    assert button.text_content() == "▶ Play"
    assert tab.get_by_role("button").last.text_content() == "❚❚ Pause"


@pytest.mark.parametrize("tab", [{}], indirect=True)
def test_up_and_down_keep_their_column(tab):
    opened(tab, surprise("abcdef\n\nuvwxyz\n"))
    tab.keyboard.press("Tab")
    press(tab, "ArrowRight", "ArrowRight", "ArrowRight")
    assert [press(tab, "ArrowDown"), press(tab, "ArrowDown")] == [7, 11]
    assert [press(tab, "ArrowLeft"), press(tab, "ArrowUp"), press(tab, "ArrowUp")] == [10, 7, 2]


def test_n_and_p_go_to_the_most_surprising_places(tab):
    opened(tab, surprise(TEXT))
    tab.keyboard.press("Tab")
    count = -(-len(TEXT) // 100)
    places = list(range(0, len(TEXT), 25))[-count:]
    assert [press(tab, "n") for _ in range(count + 1)] == [*places, places[-1]]
    assert [press(tab, "p") for _ in range(count)] == [*places[-2::-1], places[0]]


def test_the_surprise_page_is_touched_and_pointed_at(tab):
    opened(tab, surprise(TEXT))
    assert tip(tab) is None
    tab.locator(".mark").nth(26).hover()
    assert tip(tab).startswith("i") or tip(tab).startswith("t")
    tab.locator("h1").hover()
    assert tip(tab) is None
    tab.locator(".mark").nth(7).click()
    assert here(tab) == 7 and press(tab, "ArrowRight") == 8
    tab.keyboard.press("Tab")
    assert tip(tab) is None


@pytest.mark.parametrize("tab", [{}], indirect=True)
def test_odd_characters_have_names(tab):
    opened(tab, surprise("a\u0301\u00a0\u200d\t é\x07\n🎉"))
    tab.keyboard.press("Tab")
    tab.keyboard.press("Home")
    said = []
    for _ in range(10):
        said.append(tip(tab).split("  ")[0])
        tab.keyboard.press("ArrowRight")
    assert said == [
        "a", "◌\u0301 U+0301", "U+00A0", "⟨U+200D⟩", "⇥", "␣", "é U+00E9", "⟨U+0007⟩", "↵",
        "🎉 U+1F389",
    ]  # fmt: skip


def test_the_overlap_page_is_walked_from_run_to_run(tab):
    opened(tab, overlap())
    assert tab.locator("h2").text_content() == "a⟨U+001B⟩"
    assert "4 ⟨U+0007⟩5" in tab.locator("pre").text_content()
    assert tab.locator("pre script").count() == 0
    tab.keyboard.press("Tab")
    said = [(press(tab, "Control+Home"), tip(tab)), (press(tab, "ArrowRight"), tip(tab)),
            (press(tab, "ArrowRight"), tip(tab)), (press(tab, "ArrowRight"), tip(tab))]  # fmt: skip
    assert [at for at, _ in said] == [0, 1, 2, 2]
    assert [text.split(" ")[0] for _, text in said] == ["40", "90", "30", "30"]
    assert press(tab, "Control+Home", "n") == 1 and press(tab, "End", "p") == 1
    assert press(tab, "Control+End", "ArrowUp") < 2


def test_what_is_read_can_be_read(tab):
    """Contrast of 4.5 at least, of text on what is behind it."""
    for made in (surprise(TEXT), overlap(), neurons_page(neurons())):
        opened(tab, made)
        tab.keyboard.press("Tab")
        low = tab.evaluate(
            """() => {
              const rgba = value => {
                const [r, g, b, a = 1] = value.match(/[\\d.]+/g).map(Number);
                return [r, g, b, a];
              };
              const over = (top, base) => top.slice(0, 3).map(
                (v, k) => v * top[3] + base[k] * (1 - top[3]));
              const light = rgb => rgb.map(v => v / 255)
                .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
              const shown = ".mark, .cell, .new, p, h1, h2, button, #tip";
              const paper = rgba(getComputedStyle(document.body).backgroundColor);
              const found = [];
              for (const element of document.querySelectorAll(shown)) {
                const style = getComputedStyle(element);
                const behind = light(over(rgba(style.backgroundColor), paper));
                const ink = light(rgba(style.color).slice(0, 3));
                const ratio = (Math.max(ink, behind) + .05) / (Math.min(ink, behind) + .05);
                if (ratio < 4.5) found.push([element.className, element.tagName, ratio]);
              }
              return found;
            }"""
        )
        assert low == []
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def told(tab):
    return tab.locator(".told").text_content()


def flip(tab, *keys):
    """Return which unit and what of it is shown once `keys` are pressed."""
    for key in keys:
        tab.keyboard.press(key)
    pressed = tab.locator("button[aria-pressed=true]")
    assert pressed.count() == 1
    return told(tab).split(" (")[0], pressed.text_content()


def colours(tab):
    """Return the background of the first and the last character: red, green, blue, opacity."""
    return tab.evaluate(
        """() => [...document.querySelectorAll(".cell")].map(
          cell => getComputedStyle(cell).backgroundColor.match(/[\\d.]+/g).map(Number))
          .filter((_, i, all) => i === 0 || i === all.length - 1)
          .map(([r, g, b, a = 1]) => [r, g, b, a])"""
    )


def test_the_neurons_page_is_flipped_through_by_keys(tab):
    opened(tab, neurons_page(neurons()))
    shown = tab.locator("pre").text_content()
    expected = TEXT.replace("\n", "↵\n").replace("\x1b", "⟨U+001B⟩")
    assert shown == expected.replace("\u202e", "⟨U+202E⟩")
    assert tab.locator("pre script, .neurons b").count() == 0
    # Without a key: what follows something best, low first.
    assert told(tab).startswith("Layer 2, unit 3 (1 of 6): its state h. Follows upper case")
    assert "area under the curve 0.93, low there" in told(tab)
    low, high = colours(tab)
    assert low[2] > low[0] and high[0] > high[2] and low[3] == high[3] == 0.8
    assert tab.locator(".ends span").all_text_contents() == ["−1.0", "0.0", "1.0"]
    tab.locator("pre").focus()
    assert flip(tab, "ArrowRight") == ("Layer 1, unit 2", "h")
    assert colours(tab)[0] == colours(tab)[1] and 0.19 < colours(tab)[0][3] < 0.21
    top = 'document.querySelector("pre").getBoundingClientRect().top'
    stood = tab.evaluate(top)
    assert flip(tab, "ArrowDown", "ArrowDown", "ArrowDown") == ("Layer 1, unit 2", "z")
    assert "open (above 0.9) at 50 %" in told(tab) and "Follows vowel" in told(tab)
    assert tab.locator(".ends span").all_text_contents() == ["0.0", "0.5", "1.0"]
    assert flip(tab, "ArrowDown") == ("Layer 1, unit 2", "h")  # and round again
    assert flip(tab, "ArrowUp", "ArrowLeft") == ("Layer 2, unit 3", "z")
    tab.wait_for_timeout(100)
    assert tab.evaluate(top) == pytest.approx(stood, abs=2)  # the text stays where it is
    assert flip(tab, "Home", "ArrowLeft") == flip(tab, "End") != flip(tab, "ArrowRight")


def test_the_neurons_page_by_keys_alone(tab):
    """Its list, its buttons and its text in the order of Tab; the value at a character."""
    opened(tab, neurons_page(neurons()))
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "SELECT"
    tab.locator("select").select_option(index=2)
    assert told(tab).startswith("Layer 1, unit 2 (2 of 6): gate z.")
    tab.keyboard.press("Tab")
    assert flip(tab, "Enter") == ("Layer 2, unit 3", "z")  # the previous unit
    assert tab.locator("select").input_value() == ""
    assert flip(tab, "Tab", "Enter", "Tab", "Space") == ("Layer 1, unit 2", "h")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "PRE"
    flip(tab, "ArrowLeft", "n", "n")
    one = tab.locator(".one")
    assert one.text_content() == "t  −1.00" and tab.locator(".cell.here").count() == 1
    tab.locator(".cell").last.click()
    flip(tab, "p", "n", "n")
    assert one.text_content() == "↵  1.00" and tab.evaluate("scrollY") > 200
    assert tab.evaluate(  # the value stands above the text, also where that has gone up
        """() => {
          const one = document.querySelector(".one").getBoundingClientRect();
          const here = document.querySelector(".here").getBoundingClientRect();
          return one.top >= 0 && one.bottom <= here.top + 3 && here.bottom <= innerHeight;
        }"""
    )
    flip(tab, *"p" * 3)
    assert one.text_content().endswith(f"  {1 - 6 / (len(TEXT) - 1):.2f}")
    tab.locator(".cell").nth(0).hover()
    assert one.text_content() == "I  −1.00"


def test_two_parts_stand_in_one_page(tab):
    parts = [neurons_part(neurons("abc\n", about)) for about in ("one", "two")]
    body = f"<!doctype html><meta charset=utf-8><style>{style()}</style><p>x</p>" + "".join(parts)
    opened(tab, body + "<script>const add = 1, neurons = 2, text = 3;</script>")
    assert tab.locator(".neurons > p:first-of-type").all_text_contents() == ["one", "two"]
    assert tab.locator("pre").count() == 2
    described = tab.evaluate(
        """() => [...document.querySelectorAll("pre")].map(
          pre => document.getElementById(pre.getAttribute("aria-describedby")).parentElement
            === pre.parentElement)"""
    )
    assert described == [True, True]
    tab.locator("pre").nth(1).focus()
    tab.keyboard.press("ArrowRight")
    first, second = (text.split(" (")[0] for text in tab.locator(".told").all_text_contents())
    assert first == "Layer 2, unit 3" and second == "Layer 1, unit 2"


@pytest.mark.parametrize("tab", [{}], indirect=True)
def test_50_000_characters(tab):
    opened(tab, surprise((TEXT * 60)[:50_000]))
    assert tab.locator(".mark").count() == 50_000
    tab.keyboard.press("Tab")
    seen = [press(tab, key) for key in ("End", "ArrowDown", "n", "ArrowDown", "Control+End")]
    assert seen[-1] == 49_999 and all(a < b for a, b in pairwise(seen))


def experiments():
    """Return a page of a figure, a drawing that is wide, and the neurons to flip through."""
    x = list(range(40))
    marks = [Line(x, [v * k for v in x], f"line {k}", x, [v * k + 9 for v in x]) for k in range(5)]
    axes = PictureAxis("steps back, k"), PictureAxis("nats a character")
    figure = Figure("Lines", [Panel(f"Panel {k}", *axes, marks) for k in range(3)], note="Bands.")
    canvas = Canvas(900, 100)
    canvas.text(20, 50, "A drawing </script>")
    part, said = neurons_part(neurons()), "It came out.\nA second line."
    return report(
        [
            Result(figure, {}, said, "It means.", name="one", question="Why <b>one</b>?"),
            Result(Drawing("wide", canvas, "in words"), {}, said, "It means.", name="two"),
            Result(Drawing("wide", canvas, "in words"), {}, said, "It means.", page=part, name="n"),
        ]
    )


def test_the_page_of_experiments_is_read_by_keys_on_any_screen(tab):
    opened(tab, experiments())
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    narrow = tab.viewport_size["width"] == 360
    panels = [box["y"] for box in (p.bounding_box() for p in tab.locator(".panels svg").all())]
    assert len(set(map(round, panels))) == (3 if narrow else 2)  # below each other on a phone
    # Names of ticks, in pixels of the screen.
    size = tab.evaluate(
        """() => { const t = document.querySelector(".panels text");
          return t.getBoundingClientRect().height; }"""
    )
    assert size >= 11
    paper = tab.evaluate('getComputedStyle(document.querySelector(".panels rect")).fill')
    assert paper == ("rgb(21, 23, 26)" if narrow else "rgb(255, 255, 255)")
    reached = []
    for _ in range(30):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.tagName"))
    assert reached[:3] == ["A"] * 3 and {"SUMMARY", "DIV", "SELECT", "PRE"} <= set(reached)
    tab.locator("summary").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("section#one table").first.is_visible()
    tab.locator("a").nth(1).focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate("location.hash") == "#two"
    tab.locator("pre.walk, .neurons pre").first.focus()
    assert flip(tab, "ArrowRight") == ("Layer 1, unit 2", "h")
