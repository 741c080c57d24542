"""The tab on which one writes, in Chromium: going on, branches, the way back, what is expected."""

from itertools import pairwise

import pytest
from page import PHONE, page_of
from serving import until


@pytest.fixture
def tab(chromium, running):
    with page_of(chromium, running) as tab:
        yield tab


def knob(tab, name, value):
    tab.fill(f"#knob-{name}", str(value))
    tab.press(f"#knob-{name}", "Tab")


def begin(tab, text="the cat ", length=30, pace=2000):
    """Put a text on the desk, the caret at its end."""
    knob(tab, "length", length)
    knob(tab, "pace", pace)
    tab.fill("#text", text)
    tab.focus("#text")


def text(tab):
    return tab.input_value("#text")


def wait(tab):
    """Wait until nothing is written any more."""
    tab.wait_for_selector("#stop:disabled")
    tab.wait_for_selector("#go:enabled")


def go_on(tab):
    tab.press("#text", "Control+Enter")
    wait(tab)
    return text(tab)


def bars(tab, name):
    """Return the characters of a list of candidates, as far as they are seen, and their shares."""
    found = tab.locator(f"#{name} button:visible")
    rows = [[span.strip() for span in one.split("\n")] for one in found.all_inner_texts()]
    return [(char, float(share.rstrip(" %"))) for char, share in rows]


def branches(tab):
    return tab.locator("#tree li").all_text_contents()


def asked(tab, path):
    return [body for where, body in tab.asked if where == path]


def test_it_goes_on_as_the_knobs_say(tab):
    begin(tab)
    knob(tab, "temperature", 0.5)
    knob(tab, "min_p", 0.02)
    tab.fill("#seed", "7")
    first = go_on(tab)
    assert len(first) == 38
    assert first.startswith("the cat ")
    assert "30 characters" in tab.text_content("#written")
    (body,) = asked(tab, "completions")
    wanted = {"temperature": 0.5, "min_p": 0.02, "top_p": 1, "max_tokens": 30, "seed": 7}
    assert body.items() >= wanted.items()
    assert body["prompt"] == "\nthe cat "  # begun as its scores begin
    tab.press("#text", "Control+z")
    assert text(tab) == "the cat "
    assert go_on(tab) == first  # the same seed


def test_sliders_are_numbers_too_and_are_kept(tab):
    begin(tab)
    tab.focus("[aria-label='Temperature']")
    tab.keyboard.press("ArrowRight")
    assert tab.input_value("#knob-temperature") == "0.85"
    knob(tab, "temperature", 99)
    assert tab.input_value("#knob-temperature") == "10"
    knob(tab, "length", "")
    assert tab.input_value("#knob-length") == "500"
    tab.reload()
    tab.wait_for_selector("#about:not(:empty)")
    assert tab.input_value("#knob-temperature") == "10"
    assert text(tab) == "the cat "


def test_it_stops_where_one_sees_it(tab, running):
    begin(tab, length=20_000, pace=100)
    tab.press("#text", "Control+Enter")
    until(lambda: len(text(tab)) > 20)
    tab.keyboard.press("Escape")
    wait(tab)
    assert 20 < len(text(tab)) < 10_000
    served = running.models.get("small")
    until(lambda: not served.engine.busy)  # its place is free, though much was left to write
    (last,) = (name for name in branches(tab) if name.startswith("written"))
    assert last[9:20] in text(tab)


def test_a_knob_turned_while_it_writes_counts_from_there(tab):
    begin(tab, length=300, pace=60)
    tab.press("#text", "Control+Enter")
    until(lambda: len(text(tab)) > 15)
    knob(tab, "temperature", 0)
    knob(tab, "pace", 2000)
    wait(tab)
    first, second = asked(tab, "completions")
    assert (first["temperature"], second["temperature"]) == (0.8, 0)
    assert second["prompt"].startswith("\nthe cat ")
    assert len(second["prompt"]) - 1 + second["max_tokens"] == 308 == len(text(tab))


def test_another_character_makes_a_branch_and_the_old_one_stays(tab):
    begin(tab)
    whole = go_on(tab)
    for _ in range(10):
        tab.press("#text", "ArrowLeft")
    at = len(whole) - 11
    tab.wait_for_selector(f"#instead[data-place='{at}']")
    shown = bars(tab, "instead")
    assert all(a[1] >= b[1] for a, b in pairwise(shown))
    names = {" ": "␣", "\n": "↵"}
    assert tab.text_content("#instead-said").endswith(names.get(whole[at], whole[at]))
    place, (char, _) = next(
        (k, found) for k, found in enumerate(shown) if found[0] != names.get(whole[at], whole[at])
    )
    tab.locator("#instead button").nth(place).click()
    wait(tab)
    other = text(tab)
    assert other[:at] == whole[:at]
    assert names.get(other[at], other[at]) == char
    assert len(other) == at + 1 + 30
    assert len(branches(tab)) == 3
    assert branches(tab)[2].startswith(f"{char} instead of ")
    assert tab.get_attribute("#tree li:nth-child(3)", "aria-selected") == "true"
    # Back to the old one by keys, and the new one taken away.
    tab.focus("#tree li:nth-child(3)")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    assert text(tab) == whole
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Delete")
    assert len(branches(tab)) == 2
    assert text(tab) == whole


def test_only_putting_a_character_writes_nothing(tab):
    begin(tab)
    tab.uncheck("#then-go")
    tab.wait_for_selector("#after button:visible")
    char, _ = bars(tab, "after")[0]
    tab.locator("#after button").first.click()
    assert text(tab) == "the cat " + {"␣": " ", "↵": "\n"}.get(char, char)
    assert asked(tab, "completions") == []


def test_what_is_expected_is_what_is_drawn_from(tab):
    begin(tab, length=10)
    tab.wait_for_selector("#after button:visible")
    before = dict(bars(tab, "after"))
    go_on(tab)
    for _ in range(9):
        tab.press("#text", "ArrowLeft")
    tab.wait_for_selector("#instead[data-place='8']")
    assert dict(bars(tab, "instead")) == before


def test_what_could_stand_there_instead_is_known_of_what_was_typed(tab):
    tab.check("#look input[value=none]", force=True)  # and whatever colours the text
    begin(tab, "the cat")
    until(lambda: bars(tab, "instead"))
    assert tab.text_content("#instead-said") == "Instead of t"


def test_what_comes_next_moves_as_one_types(tab, small):
    begin(tab, "th")
    until(lambda: bars(tab, "after"))
    tab.keyboard.type("e dog")
    logits, _ = small.forward(small.vocabulary.encode("\nthe dog")[:, None])
    likeliest = small.vocabulary.decode(logits[-1, 0].argmax(keepdims=True))

    def right():
        rows = bars(tab, "after")
        return rows and rows[0][0] == {" ": "␣", "\n": "↵"}.get(likeliest, likeliest)

    until(right)
    bodies = asked(tab, "next")
    assert "model" in bodies[0]
    going_on = [body for body in bodies if "id" in body]
    assert going_on, "each reads all that was typed again"
    assert all(len(body["text"]) < 7 for body in going_on)


def test_the_way_back_and_forth(tab):
    begin(tab, "the dog")
    whole = go_on(tab)
    tab.click("#clear")
    assert text(tab) == ""
    tab.keyboard.type("a good one")
    seen = []
    for _ in range(4):
        seen.append(text(tab))
        tab.press("#text", "Control+z")
    assert seen[:3] == ["a good one", "", whole]
    assert text(tab) in ("the dog", "")
    for _ in range(8):
        tab.press("#text", "Control+y")
    assert text(tab) == "a good one"
    # What was written is kept beside what was typed.
    assert any(name.startswith("written") for name in branches(tab))


def test_what_is_typed_into_a_branch_leaves_others_alone(tab):
    begin(tab, "the dog ran")
    whole = go_on(tab)
    tab.keyboard.press("Control+Home")
    tab.keyboard.type("so ")
    assert text(tab) == "so " + whole
    for name, wanted in (("written", whole), ("typed “so", "so " + whole)):
        tab.locator("#tree li", has_text=name).first.click()
        assert text(tab) == wanted
    tab.locator("#tree li").first.click()
    assert text(tab) == "the dog ran"


def test_what_the_model_does_not_know_is_said_before_it_is_asked(tab):
    begin(tab, "the Ж cat")
    tab.press("#text", "Control+Enter")
    assert "Ж" in tab.text_content("#problem-said")
    assert asked(tab, "completions") == []
    assert text(tab) == "the Ж cat"


def test_bytes_are_put_together_to_characters(tab):
    tab.select_option("#model", "bytes")
    begin(tab, "né ", length=60)
    knob(tab, "temperature", 10)
    go_on(tab)
    assert text(tab).startswith("né ")
    assert len(text(tab)) > 20


def test_it_says_when_the_server_has_no_room(chromium, running):
    with page_of(chromium, running, allowed="429") as tab:
        error = {"error": {"message": "too many ask", "code": "overloaded"}}
        tab.route("**/v1/completions", lambda route: route.fulfill(status=429, json=error))
        begin(tab)
        tab.press("#text", "Control+Enter")
        tab.wait_for_selector("#problem:visible")
        assert tab.text_content("#problem-said") == "too many ask"
        wait(tab)
        assert text(tab) == "the cat "
        assert tab.locator("#branches").is_hidden()


def test_it_fits_a_phone(chromium, running):
    with page_of(chromium, running, **PHONE) as tab:
        begin(tab)
        go_on(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360
