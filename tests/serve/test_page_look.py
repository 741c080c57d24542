"""The page's colours and its strip: what a network makes of the text on the desk."""

import json
import re

import numpy as np
import pytest
from page import PHONE, opacities, page_of, settled

from char_rnn.serve import kept

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
MARKS, HERE = "#layer span", "#look .here-said"
WORDS = "the cat sat. \na dog ran"


@pytest.fixture
def tab(chromium, running):
    with page_of(chromium, running) as tab:
        yield tab


def opaque(shares):
    return np.sign(shares) * np.abs(shares) ** 0.75


def surprise(nats):
    return opaque(np.clip((np.asarray(nats) - 0.5) / 5.5, 0, 1))


def states(model, text, layer=0, of="h", unit=0):
    h, gates = model.states(text, gates=True)
    return (gates | {"h": h})[of][:, layer, 0, unit]


def mode(tab, name):
    tab.locator(f"#look input[value={name}]").check(force=True)


def caret(tab, place):
    tab.focus("#text")
    tab.keyboard.press("Control+Home")
    for _ in range(place):
        tab.keyboard.press("ArrowRight")


def test_surprise_and_entropy(tab, running, small):
    """What is read is only what is new, from wherever the text is still the same."""
    tab.fill("#text", WORDS)
    nats = small.surprisal(WORDS)
    settled(tab, MARKS, surprise(nats))
    share = f"{100 * np.exp(-nats[-1]):.{0 if nats[-1] < np.log(10) else 1}f} %"
    expect(tab.locator(HERE)).to_contain_text(f"n  {nats[-1]:.2f} nats, probability {share}")
    caret(tab, 4)
    expect(tab.locator(HERE)).to_contain_text(f"␣  {nats[3]:.2f} nats")
    tab.keyboard.press("Control+End")
    tab.keyboard.type("d ")
    more = tab.input_value("#text")
    settled(tab, MARKS, surprise(small.surprisal(more)))
    first, *after = [body for path, body in tab.asked if path == "score"]
    assert (first["model"], first["text"]) == ("small", WORDS)
    assert after[0]["id"] and "".join(body["text"] for body in after) == more[len(WORDS) :]
    caret(tab, 0)
    tab.keyboard.type("a")
    settled(tab, MARKS, surprise(small.surprisal("a" + more)))
    mode(tab, "entropy")
    scored = running.ask("POST", "/v1/score", {"model": "small", "text": "a" + more})[2]
    entropy = np.array(json.loads(scored)["entropy"])
    settled(tab, MARKS, -opaque(np.clip(entropy / 4, 0, 1)))
    expect(tab.locator("#look .ticks")).to_have_text("0123≥ 4")
    mode(tab, "none")
    settled(tab, MARKS, [0] * len(entropy))


def test_units(tab, small):
    """Of every layer and part; by keys, buttons, the strip, and by what they follow."""
    tab.fill("#text", WORDS)
    mode(tab, "unit")
    settled(tab, MARKS, opaque(states(small, WORDS)))
    slider = tab.get_by_role("slider", name="Unit").first
    slider.press("ArrowRight")
    settled(tab, MARKS, opaque(states(small, WORDS, unit=1)))
    assert slider.get_attribute("aria-valuetext") == "unit 2 of 24"
    expect(tab.locator("#said")).to_have_text(re.compile("Layer 1, h of unit 2: 0[.]8[12]"))
    tab.locator("#look").get_by_role("button", name="Previous unit").click()
    tab.locator("#look").get_by_role("button", name="Previous unit").click()
    settled(tab, MARKS, opaque(states(small, WORDS, unit=23)))
    layer, part, find = tab.locator("#look select").all()
    layer.select_option("2")
    settled(tab, MARKS, opaque(states(small, WORDS, layer=1, unit=23)))
    part.select_option("z")
    settled(tab, MARKS, opaque(2 * states(small, WORDS, 1, "z", 23) - 1))
    expect(tab.locator("#look .ticks")).to_have_text("0 shut½1 open")
    assert [option.get_attribute("value") for option in part.locator("option").all()] == list(
        "hrzn"
    )
    part.select_option("h")
    settled(tab, MARKS, opaque(states(small, WORDS, layer=1, unit=23)))
    spaces = [char == " " for char in WORDS]
    every = [states(small, WORDS, 1, unit=unit) for unit in range(24)]
    follows = np.abs([np.corrcoef(values, spaces)[0, 1] for values in every])
    for place in (0, 1):
        find.select_option("spaces")
        unit = np.argsort(-follows)[place]
        expect(tab.locator("#look .number")).to_have_text(f"{unit + 1} of 24")
        said = tab.locator("#look details p").text_content().split("Correlation with spaces here: ")
        assert abs(abs(float(said[1][:-1].replace("\u2212", "-"))) - follows[unit]) < 0.02


def test_the_strip(tab, small):
    """It has the signs of the states; a click goes to a unit and a character."""
    tab.fill("#text", WORDS)
    mode(tab, "unit")
    settled(tab, MARKS, opaque(states(small, WORDS)))
    canvas = tab.locator("#look canvas")
    tab.wait_for_timeout(50)  # until it is drawn
    pixels = canvas.evaluate(
        """(canvas, [columns, units]) => {
          const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, 128).data;
          return Array.from({ length: columns }, (_, x) => Array.from({ length: units }, (_, u) => {
            const at = canvas.width * Math.floor((u + .5) * 128 / units) + 10 + 9 * x + 4;
            const [red, , blue, alpha] = all.slice(4 * at, 4 * at + 4);
            return alpha < 20 ? 0 : red > blue ? 1 : -1;
          }));
        }""",
        [len(WORDS) - 1, 24],
    )
    expected = small.states(WORDS)[:-1, 0, 0]
    strong = np.abs(expected) > 0.1
    assert strong.mean() > 0.3
    assert (np.array(pixels)[strong] == np.sign(expected)[strong]).all()
    canvas.click(position={"x": 10 + 9 * 2 + 4, "y": 128 * 5.5 / 24})
    expect(tab.locator("#look .number")).to_have_text("6 of 24")
    said = tab.locator(HERE)
    expect(said).to_contain_text("unit 6: ")
    value = said.text_content().split("unit 6: ")[1]
    shown = float(value.replace("\u2212", "-"))
    assert abs(shown - states(small, WORDS, unit=5)[2]) < 0.01
    assert tab.evaluate("document.querySelector('#text').selectionStart") == 3
    assert f"Layer 1, h of unit 6: {value}" in canvas.get_attribute("aria-label")


def test_a_model_of_bytes(tab, running):
    model, text = running.models.get("bytes").model, "aé€b"
    tab.select_option("#model", "bytes")
    tab.fill("#text", text)
    nats = model.surprisal(text)
    settled(tab, MARKS, surprise([nats[0], sum(nats[1:3]), sum(nats[3:6]), nats[6]]))
    mode(tab, "unit")
    settled(tab, MARKS, opaque(states(model, text)[[0, 2, 5, 6]]))


def test_a_character_that_the_model_does_not_know(tab, small):
    tab.fill("#text", "the ßßé")
    expect(tab.locator("#look .bad")).to_have_text(
        "small has never seen ß U+00DF (2 times), é U+00E9."
    )
    tab.fill("#text", WORDS)
    settled(tab, MARKS, surprise(small.surprisal(WORDS)))
    expect(tab.locator("#look .bad")).to_have_count(0)


def test_what_the_server_has_forgotten_is_read_again(chromium, running, small, monkeypatch):
    with page_of(chromium, running, allowed="404 (Not Found)") as tab:
        tab.fill("#text", WORDS)
        settled(tab, MARKS, surprise(small.surprisal(WORDS)))
        monkeypatch.setattr(kept, "SECONDS", -1)
        tab.focus("#text")
        tab.keyboard.press("Control+End")
        tab.keyboard.type("d")
        settled(tab, MARKS, surprise(small.surprisal(WORDS + "d")))


def test_it_goes_along_while_the_network_writes(tab):
    for knob, value in (("length", "150"), ("pace", "2000")):
        tab.fill(f"#knob-{knob}", value)
        tab.press(f"#knob-{knob}", "Tab")
    tab.fill("#text", "the ")
    tab.click("#go")
    expect(tab.locator("#text")).not_to_have_js_property("value", "the ")
    expect(tab.locator("#text")).to_have_js_property("readOnly", False)
    text = tab.input_value("#text")
    expect(tab.locator(HERE)).to_contain_text("nats")
    assert len(opacities(tab, MARKS)) == len(text) > 100


def test_by_keys_on_a_phone(chromium, running):
    with page_of(chromium, running, **PHONE) as tab:
        tab.fill("#text", WORDS)
        tab.locator("#look input[value=surprise]").focus()
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("ArrowRight")
        assert tab.locator("#look input[value=unit]").is_checked()
        assert tab.locator("#look").get_by_role("group", name="Colour the text by").is_visible()
        outline = "input => getComputedStyle(input.nextSibling).outlineStyle"
        assert tab.locator("#look input[value=unit]").evaluate(outline) == "solid"
        names = []
        for _ in range(7):
            tab.keyboard.press("Tab")
            names.append(tab.evaluate(
                "(({ ariaLabel, labels, textContent }) => ariaLabel ?? (labels?.length ? "
                "labels[0].firstChild.data.trim() : textContent))(document.activeElement)"
            ))  # fmt: skip
        assert names == ["Hidden state", "Layer", "its", "Previous unit", "Unit", "Next unit",
                         "Find a unit"]  # fmt: skip
        assert tab.evaluate("document.documentElement.scrollWidth") == 360
