"""The page's reading: a text's surprise, its loss beside baselines, where it surprised most."""

import json

import numpy as np
import pytest
from page import PHONE, page_of, settled
from serving import TEXT

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
MARKS, HERE = "#read-map span", "#read-lens .here-said"
LONG = TEXT * 20
DROPPED = """([name, text]) => {
  const dropped = new DataTransfer();
  dropped.items.add(new File([text], name));
  return dropped;
}"""


@pytest.fixture
def tab(chromium, running):
    with page_of(chromium, running, "read") as tab:
        yield tab


def surprise(nats):
    return np.clip((nats - 0.5) / 5.5, 0, 1) ** 0.75


def read(tab, text):
    tab.fill("#read-text", text)
    tab.press("#read-text", "Control+Enter")


def rows(tab):
    """Return what stands in the table of losses: name -> nats."""
    expect(tab.locator("#read-losses")).to_contain_text("uniform")
    cells = [
        row.locator("th, td").all_text_contents() for row in tab.locator("#read-losses tr").all()
    ]
    assert all(abs(float(nats) - float(bits) * np.log(2)) < 0.01 for *_, nats, bits in cells)
    assert [nats for *_, nats, _ in cells] == sorted((nats for *_, nats, _ in cells), key=float)
    return {name: float(nats) for name, _, nats, _ in cells}


def here(tab):
    return tab.evaluate("document.querySelector('#read-map .here').at")


def test_a_text(tab, running, small):
    """Loss beside the baselines, colours, passages; keys walk over all of it."""
    read(tab, LONG)
    nats = small.surprisal(LONG)
    expect(tab.locator("#read-losses")).to_contain_text("lzma")
    found = rows(tab)
    answer = json.loads(running.ask("POST", "/v1/score", {"model": "small", "text": LONG})[2])
    counts = np.unique(list(LONG), return_counts=True)[1] / len(LONG)
    expected = answer["baselines"] | {
        "small, this text": nats.mean(), "frequencies": -(counts * np.log(counts)).sum(),
    }  # fmt: skip
    assert found.keys() == expected.keys()
    assert all(abs(found[name] - expected[name]) < 0.006 for name in found)
    expect(tab.locator("#read-loss")).to_have_text(
        f"{len(LONG):,} characters were predicted: {nats.mean():.3f} nats, "
        f"{nats.mean() / np.log(2):.3f} bits a character."
    )
    settled(tab, MARKS, surprise(nats))
    assert tab.locator(MARKS).count() == len(LONG)
    worst = tab.locator("#read-worst button")
    means = [float(mean) for mean in tab.locator("#read-worst b").all_text_contents()]
    sums = np.convolve(nats, np.ones(60), "valid") / 60
    words = [i for i in range(len(sums)) if i == 0 or LONG[i - 1].isspace()]
    assert means == sorted(means, reverse=True) and abs(means[0] - sums[words].max()) < 0.006
    worst.first.click()
    place = here(tab)
    assert abs(sums[place] - means[0]) < 0.006
    expect(tab.locator(HERE)).to_contain_text(f"  {nats[place]:.2f} nats")
    likely = answer["top"][place]
    names = [c["char"].replace(" ", "␣").replace("\n", "↵") for c in likely]
    assert tab.locator("#read-lens .likely b").all_text_contents() == names
    places = {place}
    tab.keyboard.press("Control+Home")
    for _ in range(20):
        tab.keyboard.press("n")
        places.add(here(tab))
    assert len(places) in (len(means), len(means) + 1)
    between = np.diff(sorted(places))
    assert (between >= 60).all()
    tab.keyboard.press("p")
    assert here(tab) == sorted(places)[-2]
    tab.keyboard.press("ArrowRight")
    assert here(tab) == sorted(places)[-2] + 1
    expect(tab.locator("#said")).to_contain_text("nats")


def test_units_of_it(tab, small):
    read(tab, TEXT)
    tab.locator("#read-lens input[value=unit]").check(force=True)
    h = small.states(TEXT)[:, 0, 0, 0]
    settled(tab, MARKS, np.sign(h) * np.abs(h) ** 0.75)
    expect(tab.locator("#read-lens canvas")).to_be_visible()


def test_to_the_desk_and_back(tab, small):
    """What is known of the text goes along; another model reads it anew."""
    read(tab, TEXT)
    rows(tab)
    assert here(tab) == 0
    for _ in range(6):
        tab.keyboard.press("ArrowRight")
    tab.click("#read-part")
    assert tab.input_value("#text") == TEXT[:7]
    assert tab.evaluate("document.activeElement.id") == "text"
    settled(tab, "#layer span", surprise(small.surprisal(TEXT[:7])))
    tab.click("#tab-read")
    tab.click("#read-desk")
    assert tab.input_value("#text") == TEXT
    assert len([path for path, _ in tab.asked if path == "score"]) == 1
    tab.click("#tab-read")
    tab.select_option("#model", "bytes")
    expect(tab.locator("#read-losses")).to_contain_text("bytes, this text")
    expect(tab.locator("#read-loss")).to_contain_text("bits a byte")
    tab.click("#read-edit")
    assert tab.evaluate("document.activeElement.id") == "read-text"
    tab.click("#read-desks")
    assert tab.locator(MARKS).count() == len(TEXT)


def test_files_and_what_is_unknown(tab, small):
    tab.set_input_files("#read-file", {"name": "a.txt", "mimeType": "text/plain",
                                       "buffer": "the ßß\r\ncat".encode()})  # fmt: skip
    expect(tab.locator("#read-note")).to_contain_text("small has never seen ß U+00DF (2 times).")
    tab.get_by_role("button", name="Read without").click()
    assert abs(rows(tab)["small, this text"] - small.surprisal("the \ncat").mean()) < 0.006
    expect(tab.locator("#read-losses-are")).to_contain_text("fewer than 1,000 characters")
    dropped = tab.evaluate_handle(DROPPED, ["b.txt", "a dog"])
    tab.dispatch_event("#read", "drop", {"dataTransfer": dropped})
    settled(tab, MARKS, surprise(small.surprisal("a dog")))
    dropped = tab.evaluate_handle(DROPPED, ["b.png", "a\0dog"])
    tab.dispatch_event("#read", "drop", {"dataTransfer": dropped})
    expect(tab.locator("#read-note")).to_have_text("b.png is no text.")
    tab.click("#read-edit")
    read(tab, "")
    expect(tab.locator("#read-note")).to_have_text("There is nothing to read yet.")


def test_a_long_text_on_a_phone(chromium, running):
    """One sees how far it is, and can take another instead, although there is no answer yet."""
    with page_of(chromium, running, "read", **PHONE) as tab:
        held = []
        tab.route("**/v1/score", lambda route: route.continue_() if held else held.append(route))
        tab.evaluate("text => { document.querySelector('#read-text').value = text; }", LONG * 2)
        tab.click("#read-go")
        expect(tab.locator("#read-share")).to_be_visible()
        assert tab.locator("#read-share").get_attribute("value") == "0"
        tab.click("#read-edit")
        expect(tab.locator("#read-text")).to_be_visible()
        expect(tab.locator("#read-share")).to_be_hidden()
        read(tab, LONG)
        rows(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") == 360
