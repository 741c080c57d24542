"""The rolls on a page, in a real browser: seen, played, walked by keys."""

from dataclasses import replace
from itertools import pairwise

import pytest

from char_rnn.analyse.page import style
from char_rnn.errors import UsageError
from char_rnn.music.page import page, page_part
from char_rnn.music.score import Change, Note, Score, Voice

NAME = "A <b>tune</b></script><script>throw 1</script>\x1b\u202e"
TUNE = Score(
    tuple(Note(12 * k, k % 2, 60 + k % 12, 12) for k in range(32)),
    (Voice(0, name="<i>Right</i>\x1b"), Voice(33)),
    tempos=(Change(0, 120), Change(192, 960)),
)  # eight bars: four of 2 s, four of 1/4 s
BEAT = Score(
    tuple(Note(12 * k, 0, (36, 42, 38, 46, 45, 49, 60)[k % 7], 3) for k in range(12)),
    (Voice(drums=True),),
)
LONGER = """() => [...document.querySelectorAll("canvas")].map(c => {
  const pen = c.getContext("2d"), data = pen.getImageData(0, 0, c.width, c.height).data;
  let blue = 0;
  for (let i = 0; i < data.length; i += 4) blue += data[i + 3] > 100 && data[i + 2] > data[i] + 60;
  return blue;
})"""
AT = """() => {
  const cursor = document.querySelector(".cursor").getBoundingClientRect();
  const roll = document.querySelector(".roll").getBoundingClientRect();
  return [cursor.left - roll.left, cursor.top - roll.top];
}"""


def opened(tab, made):
    tab.file.write_text(made, "utf-8")
    tab.goto(tab.file.as_uri())


def bar(tab):
    return tab.locator(".roll").first.get_attribute("aria-valuetext")


def press(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)
    return bar(tab)


def heard(tab):
    """Wait until a bit was heard; return what the first tune's clock then says."""
    tab.wait_for_function(
        "at => document.querySelector('.cursor').style.transform !== at",
        arg=tab.evaluate("document.querySelector('.cursor').style.transform"),
    )
    return tab.locator(".place").first.text_content()


def test_tunes_are_seen_and_their_names_are_inert(tab):
    opened(tab, page([TUNE, BEAT], [NAME, "beat"]))
    assert tab.title() == "2 tunes"
    shown = NAME.replace("\x1b", "⟨U+001B⟩").replace("\u202e", "⟨U+202E⟩")
    assert tab.locator("h2").all_text_contents() == [shown, "beat"]
    assert tab.locator(".voices span").all_text_contents() == ["<i>Right</i>⟨U+001B⟩", "bass"]
    assert tab.locator(".rolls b, .rolls section script, .voices i i").count() == 0
    assert tab.locator(".place").all_text_contents() == ["0:00 / 0:09", "0:00 / 0:06"]
    assert all(blue > 50 for blue in tab.evaluate(LONGER))
    rows = tab.locator("section").first.locator("canvas").count()
    assert rows == (1 if tab.viewport_size["width"] > 400 else 4) or rows == 2
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Resized, it is drawn anew.
    tab.set_viewport_size({"width": 700, "height": 500})
    tab.wait_for_function("document.querySelector('canvas').width > 600")
    tab.emulate_media(color_scheme="light")
    assert all(blue > 50 for blue in tab.evaluate(LONGER))


def test_the_button_plays_and_pauses(tab):
    opened(tab, page([TUNE, BEAT], ["tune", "beat"]))
    first, second = tab.get_by_role("button").all()
    assert first.text_content() == "▶ Play"
    start = tab.evaluate(AT)
    first.click()
    heard(tab)
    assert first.text_content() == "❚❚ Pause" and tab.evaluate(AT)[0] > start[0]
    second.click()  # one at a time
    assert first.text_content() == "▶ Play" and second.text_content() == "❚❚ Pause"
    stopped = tab.evaluate(AT)
    tab.wait_for_timeout(60)
    assert tab.evaluate(AT) == stopped
    second.click()
    assert second.text_content() == "▶ Play"


@pytest.mark.parametrize("tab", [{}], indirect=True)
def test_what_is_heard_are_the_notes(tab):
    """Hand over the notes of the next second, at their times, no earlier than they are due."""
    tab.add_init_script(
        """window.heard = [];
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (when) {
          heard.push([when - window.began, Math.round(this.frequency.value), this.context.state]);
          return start.call(this, when);
        };
        const resume = AudioContext.prototype.resume;
        AudioContext.prototype.resume = function () {
          window.began = this.currentTime;
          window.own = this;
          return resume.call(this);
        };"""
    )
    opened(tab, page([TUNE], ["tune"]))
    tab.locator("button").click()
    tab.wait_for_function("heard.length >= 4")
    played = tab.evaluate("heard")
    assert [hertz for _, hertz, _ in played[:4]] == [262, 277, 294, 311]
    gaps = [b[0] - a[0] for a, b in pairwise(played)]
    assert all(gap == pytest.approx(0.5, abs=1e-3) for gap in gaps)
    assert played[0][0] == pytest.approx(0.06, abs=0.05) and len(played) < 8
    assert tab.evaluate("own.state") == "running"
    tab.locator(".roll").focus()
    tab.evaluate("heard.length = 0")
    assert press(tab, "End") == "bar 8 of 8, 0:09"  # where there is nothing to play
    assert tab.locator("button").text_content() == "▶ Play"
    press(tab, "ArrowLeft", "Space")  # in the last bar, where it goes eight times as fast
    tab.wait_for_function("heard.length >= 4")
    played = tab.evaluate("heard")
    gaps = [b[0] - a[0] for a, b in pairwise(played)]
    assert all(gap == pytest.approx(0.0625, abs=1e-3) for gap in gaps)
    # At its end it stops, and stands at the beginning.
    tab.wait_for_function("document.querySelector('button').textContent === '▶ Play'")
    assert bar(tab) == "bar 1 of 8, 0:00"


def test_keys_play_and_go_from_bar_to_bar(tab):
    opened(tab, page([TUNE], ["tune"], first=5))
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "BUTTON"
    tab.keyboard.press("Tab")
    assert bar(tab) == "bar 5 of 12, 0:00"
    assert press(tab, "ArrowRight", "ArrowRight") == "bar 7 of 12, 0:04"
    third = tab.evaluate(AT)
    assert press(tab, "ArrowLeft") == "bar 6 of 12, 0:02" and tab.evaluate(AT) != third
    assert press(tab, "ArrowLeft", "ArrowLeft") == "bar 5 of 12, 0:00"
    assert press(tab, "End") == "bar 12 of 12, 0:09" and press(tab, "Home") == "bar 5 of 12, 0:00"
    button = tab.locator("button")
    top = tab.evaluate("scrollY")
    press(tab, "Space")
    heard(tab)
    assert button.text_content() == "❚❚ Pause" and abs(tab.evaluate("scrollY") - top) < 100
    assert press(tab, "ArrowRight") == "bar 6 of 12, 0:02"
    heard(tab)  # and on from there
    press(tab, "Space")
    assert button.text_content() == "▶ Play" and bar(tab) == "bar 6 of 12, 0:02"
    button.focus()
    press(tab, "Space")
    assert button.text_content() == "❚❚ Pause"
    press(tab, "Enter")
    assert button.text_content() == "▶ Play"
    assert press(tab, "Control+ArrowRight") == "bar 6 of 12, 0:02"


@pytest.mark.parametrize("tab", [{}], indirect=True)
def test_a_click_goes_to_its_place(tab):
    opened(tab, page([TUNE], ["tune"]))
    box = tab.locator("canvas").first.bounding_box()
    tab.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + 40)
    number = int(bar(tab).split()[1])
    assert number in (6, 7) and tab.evaluate(AT)[0] == pytest.approx(box["width"] * 0.7, abs=3)


@pytest.mark.parametrize("tab", [{"reduced_motion": "reduce"}], indirect=True)
def test_with_less_motion_the_cursor_goes_from_beat_to_beat(tab):
    opened(tab, page([replace(TUNE, tempos=(Change(0, 480),))], ["tune"]))
    tab.evaluate(
        """() => {
          window.places = new Set();
          const cursor = document.querySelector(".cursor");
          new MutationObserver(() => places.add(cursor.style.transform))
            .observe(cursor, { attributes: true });
        }"""
    )
    tab.locator("button").click()
    tab.wait_for_function("places.size >= 2")
    assert tab.evaluate("places.size") <= 4  # of a beat or two at 60 pictures a second


@pytest.mark.parametrize("tab", [{}], indirect=True)
def test_without_sound_the_page_says_so(tab):
    tab.add_init_script("delete window.AudioContext; delete window.webkitAudioContext;")
    opened(tab, page([BEAT], ["beat"]))
    tab.locator("button").click()
    assert tab.locator(".place").text_content() == "This browser has no sound."
    assert tab.locator("button").is_disabled()


@pytest.mark.parametrize("tab", [{}], indirect=True)
def test_parts_stand_in_one_page_and_odd_pieces_are_drawn(tab):
    odd = [
        Score(()), Score((Note(0, 0, 127, 1), Note(0, 0, 0, 1)), tempos=(Change(0, 1e9),)),
        Score((Note(0, 0, 60, 48 * 600),)),
        Score((Note(0, 0, 60, 3),), meters=(Change(0, (255, 1)),)),
        Score(tuple(Note(0, v, 60, 3) for v in range(70)), (Voice(),) * 70),
    ]  # fmt: skip
    parts = page_part(odd, list("abcde")) + page_part([BEAT], ["beat"])
    body = f"<!doctype html><meta charset=utf-8><style>{style()}</style>{parts}"
    opened(tab, body + "<script>const add = 1, roll = 2, orchestra = 3;</script>")
    assert tab.locator("section").count() == 6 and tab.locator(".keys").count() == 2
    assert tab.locator("h2").nth(2).text_content() == "c: first 512 bars of 600"
    assert "and 58 more" in tab.locator(".voices").text_content()
    for button in tab.get_by_role("button").all():
        button.click()
    tab.wait_for_timeout(100)
    assert tab.get_by_role("button").last.text_content() == "❚❚ Pause"


def test_a_page_takes_a_name_for_each_score():
    with pytest.raises(UsageError, match="1,001 tunes; a page holds 1,000 at most"):
        page([Score(())] * 1001, ["a"] * 1001)
    with pytest.raises(UsageError, match="takes one of each"):
        page_part([TUNE], [])
    made = page([TUNE], ["@@PART@@ <b>"])
    assert made.count("<section") == 0 and "<title>@@PART@@ &lt;b&gt;</title>" in made
