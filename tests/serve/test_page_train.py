"""The page's training, runs, lab and piano roll, in a real browser; the server asks for a key."""

import json
import re

import pytest
from serving import TEXT, Running, a_model

import char_rnn

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
KEY = "a key"
SMALL = {"hidden_size": 8, "layers": 1, "cell": "rnn", "sample_length": 20}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><title>A curve</title></svg>'
PAGE = f"<style>svg{{fill:red}}</style><b>x</b>{SVG}<script>throw 1</script>"
DROPPED = """([name, text]) => {
  const dropped = new DataTransfer();
  dropped.items.add(new File([text], name));
  return dropped;
}"""
TUNE = "M:6/8 K:D\nz5A|d2e f2d|"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder with a run that another process made."""
    folder = tmp_path_factory.mktemp("runs")
    more = {"epochs": None, "iterations": 6, "seq_length": 10, "batch_size": 2, "eval_every": 2}
    char_rnn.train(TEXT * 20, out=folder / "old", progress=False, **SMALL | more)
    return folder


def serving(runs, tmp_path_factory, **settings):
    from char_rnn.serve.models import Models

    file = tmp_path_factory.mktemp("models") / "small.safetensors"
    a_model().save(file)
    models = Models()
    models.add(file)
    return Running(models, runs=runs, minutes=5.0, key=KEY, **settings)


@pytest.fixture(scope="module")
def server(runs, tmp_path_factory):
    found = serving(runs, tmp_path_factory)
    yield found
    found.stop()


@pytest.fixture
def tab(chromium, server):
    """Return a tab that has the key; nothing may stand in its console."""
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    context.add_init_script(f"sessionStorage.setItem('char-rnn key', '{KEY}')")
    tab, said = context.new_page(), []
    tab.set_default_timeout(20_000)
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("console", lambda message: said.append(message.text))
    tab.address = f"http://127.0.0.1:{server.port}/"
    tab.said = said
    yield tab
    context.close()
    assert said == []


def opened(tab, address=None):
    tab.goto((address or tab.address) + "#train")
    expect(tab.locator("#runs-rows tr").first).to_be_visible()


def answer(tab, path, told):
    """Let the page be answered so."""
    tab.route(f"**{path}", lambda route: route.fulfill(json=told))


def status(tab, said):
    expect(tab.locator("#run-status")).to_have_text(said, timeout=20_000)


def walked(tab, plot):
    """Return what stands at each place of a chart, from its beginning on by the arrow keys."""
    plot = tab.locator(f"{plot} .plot")
    plot.focus()
    tab.keyboard.press("Home")
    found = []
    while (place := plot.get_attribute("aria-valuetext")) not in found:
        found.append(place)
        tab.keyboard.press("ArrowRight")
    return found


def test_a_run_from_a_file_to_its_model(tab):
    """What cannot be is said; a run is begun, watched over a reload, stopped, gone on with."""
    opened(tab)
    file = {"name": "Ein Büchlein.txt", "mimeType": "text/plain", "buffer": b"\xff\xfe\xfd"}
    tab.set_input_files("#train-file", file)
    refused = tab.locator("#train-refused")
    expect(refused).to_contain_text("Ein Büchlein.txt is not UTF-8")
    dropped = tab.evaluate_handle(DROPPED, [file["name"], TEXT * 40])
    tab.dispatch_event("#train", "drop", {"dataTransfer": dropped})
    characters = f"{len(TEXT * 40):,} characters, {len(set(TEXT))} different"
    expect(tab.locator("#train-about")).to_have_text("Ein Büchlein.txt: " + characters)
    assert tab.input_value("#train-name") == "Ein-Buchlein"
    for name, value, said in (
        ("name", "old", "There is a run or a model “old”"),
        ("name", "../x", "begins with a letter"),
        ("minutes", "6", "5 minutes at most"),
    ):
        tab.fill(f"#train-{name}", value)
        tab.click("#train-start")
        expect(refused).to_contain_text(said)
        expect(tab.locator(f"#train-{name}")).to_be_focused()
        tab.fill("#train-name", "mine")
    tab.fill("#train-minutes", "3")
    tab.click("#train-settings >> xpath=..")
    for name, value in SMALL.items():
        field = tab.locator(f"[name={name}]")
        field.select_option(value) if name == "cell" else field.fill(str(value))
    tab.click("#train-start")
    status(tab, "running")
    tab.reload()
    status(tab, "running")
    expect(tab.locator("#run-loss .value").first).not_to_have_text("–")
    expect(tab.locator("#run-samples pre").first).to_be_visible()
    tab.click("#run-stop")
    status(tab, "stopped")
    expect(tab.locator("#run-more")).to_be_visible()
    expect(tab.locator("#runs-rows tr").first).to_contain_text("mine")
    tab.set_viewport_size({"width": 360, "height": 740})
    assert tab.evaluate("document.documentElement.scrollWidth") == 360
    expect(tab.locator("#run-write")).to_be_hidden()  # it is not finished


def test_what_the_server_refuses_is_shown_where_it_belongs(tab):
    opened(tab)
    error = {"message": "not that name", "param": "name", "code": "name_taken"}
    tab.route("**/v1/runs", lambda route: route.fulfill(status=409, json={"error": error})
              if route.request.method == "POST" else route.fallback())  # fmt: skip
    tab.select_option("#train-from", "")
    tab.fill("#train-text", TEXT)
    with tab.expect_request(lambda asked: asked.method == "POST") as asked:
        tab.click("#train-start")
    expect(tab.locator("#train-refused")).to_have_text("not that name")
    expect(tab.locator("#train-name")).to_be_focused()
    sent = asked.value.post_data_json
    assert (sent["text"], sent["minutes"], sent["settings"]) == (TEXT, 2, {})
    tab.click("tr[data-name=old] button")
    expect(tab.locator("#run-more")).to_be_visible()
    tab.fill("#run-minutes", "90")
    tab.click("#run-more button")
    expect(tab.locator("#run-said")).to_contain_text("this server trains for 5 at most")
    # The browser says so itself.
    assert re.findall(r"status of (\d+)", " ".join(tab.said)) == ["409", "400"]
    tab.said.clear()


def loss(k, last):
    return "loss", {
        "iteration": 10 * k, "loss": 4 - 3 * k / last, "grad_norm": 1.0, "learning_rate": 0.01,
        "characters": 50 * k, "seconds": k, "elapsed": k, "progress": k / last,
    }  # fmt: skip


def events(told):
    """Return events as the server sends them, numbered from 1: (name, what is told)."""
    lines = "id: {}\nevent: {}\ndata: {}\n\n"
    return [lines.format(k, name, json.dumps(data)) for k, (name, data) in enumerate(told, 1)]


def told_of_models(server):
    return json.loads(
        server.ask("GET", "/v1/models", headers={"authorization": f"Bearer {KEY}"})[2]
    )


def test_a_connection_that_breaks(tab, server):
    """It goes on where it was, and no point is there twice; what is told is shown, as text."""
    run = {"name": "old", "status": "running", "message": None, "created": 1, "loss": None}
    markup = "<b>x</b><script>throw 1</script>\x1b"
    matrix = {
        "name": "out.weight", "shape": [20, 8], "grid": [1, 2], "values": "gX8=", "scale": 0.01,
        "rms": 0.5, "update_rms": 0.001,
    }  # fmt: skip
    sent = events(
        [
            *(loss(k, 6) for k in range(1, 5)),
            ("sample", {"iteration": 40, "loss": 2.0, "text": markup}),
            *(loss(k, 6) for k in range(5, 7)),
            ("sample", {"iteration": 60, "loss": 1.5, "text": "newer"}),
            ("validation", {"iteration": 60, "val_loss": 1.75, "best": True}),
            ("weights", {"iteration": 60, "matrices": [matrix]}),
            ("divergence", {"iteration": 60, "rate_scale": 0.5}),
            ("note", {"message": "a note"}),
        ]
    )
    asked, parts = [], ["".join(sent[:5]), "", "".join(sent[3:])]

    def stream(route):
        asked.append(route.request.headers.get("last-event-id"))
        assert route.request.headers["authorization"] == f"Bearer {KEY}"
        route.fulfill(body=parts.pop(0) if parts else "")
        if not parts:
            run["status"] = "finished"

    tab.route("**/v1/runs/old/events", stream)
    tab.route("**/v1/runs/old", lambda route: route.fulfill(json=run))
    answer(tab, "/v1/runs", {"data": [run], "training": {"minutes": 5}})
    answer(tab, "/v1/runs/old/resume", run)
    answer(tab, "/v1/next", {"id": "x", "candidates": []})
    models = told_of_models(server)
    models["data"].append(models["data"][0] | {"id": "old"})
    answer(tab, "/v1/models", models)
    opened(tab)
    status(tab, "finished")
    assert asked[:3] == [None, "5", "5"]
    places = walked(tab, "#run-loss")
    assert [place.split(":")[0] for place in places] == [f"iteration {10 * k}" for k in range(1, 7)]
    assert places[-1] == "iteration 60: training 1.000, validation 1.750"
    expect(tab.locator("#run-samples pre")).to_have_text(
        ["newer", markup.replace("\x1b", "⟨U+001B⟩")]
    )
    expect(tab.locator("#run-notes li")).to_contain_text(["not finite any more", "a note"])
    expect(tab.locator("#run-loss svg")).to_contain_text("ln V = 3.00")
    matrix = tab.locator("#run-matrices figure")
    expect(matrix).to_contain_text("RMS 0.5 · step 0.002")
    colours = matrix.locator("canvas").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 2, 1).data]"
    )
    assert colours[2] > colours[0] and colours[4] > colours[6]  # below zero blue, above orange
    tab.fill("#run-minutes", "2")
    with tab.expect_request("**/v1/runs/old/resume") as resumed:
        tab.click("#run-more button")
    assert resumed.value.post_data_json == {"minutes": 2.1}
    tab.click("#run-write")
    expect(tab.locator("#write")).to_be_visible()
    assert tab.locator("#model").evaluate("model => model.value") == "old"


def test_thousands_of_points(tab):
    run = {"name": "old", "status": "finished", "message": None, "created": 1, "loss": None}
    sent = "".join(events(loss(k, 9000) for k in range(1, 9001)))
    tab.route("**/v1/runs/old/events", lambda route: route.fulfill(body=sent))
    tab.route("**/v1/runs/old", lambda route: route.fulfill(json=run))
    opened(tab)
    tab.click("tr[data-name=old] button")
    expect(tab.locator("#run-loss .value").first).to_have_text("1.000")
    path = tab.locator("#run-loss .line").first
    assert 300 < path.get_attribute("d").count("L") < 3000
    expect(tab.locator("#run-small .value")).to_have_text(["1", "0.01", "50"])
    tab.locator("#run-loss .plot").hover(position={"x": 300, "y": 50})
    expect(tab.locator("#run-loss .values")).to_contain_text("iteration 2")
    expect(tab.locator("#run-small .values").first).to_contain_text("iteration 2")
    tab.reload()
    expect(tab.locator("#run-loss .value").first).to_have_text("1.000")


def test_runs_are_compared_and_examined(tab, runs):
    opened(tab)
    curves = {"train": [[1, 0.5, 3], [2, 1, 2]], "validation": [[1, 0.5, 3.5], [2, 70, 2.5]]}
    answer(tab, "/v1/runs/mine/curves", curves)
    listed = [{"name": name, "status": "finished", "created": 1} for name in ("mine", "old")]
    answer(tab, "/v1/runs", {"data": listed, "training": {"minutes": 5}})
    tab.reload()
    for name in ("mine", "old"):
        tab.get_by_label(f"Compare {name}").check()
    expect(tab.locator("#compare .end")).to_have_text(["old", "mine"])
    assert "iteration 6: mine 2.500, old" in walked(tab, "#compare")[-1]
    expect(tab.locator("#compare .line.series-1")).to_have_count(1)
    again = tab.get_by_label("Compare mine")
    again.uncheck()
    expect(tab.locator("#compare .end.series-1")).to_have_text(["old"])
    again.check()
    tab.click("text=by time")
    plot = tab.locator("#compare .plot")
    plot.press("End")
    expect(plot).to_have_attribute("aria-valuetext", re.compile("^1:10: old .*, mine 2.500"))

    finding = {"name": "too short", "severity": "hint", "evidence": "It fell.", "remedy": "Go on."}
    told = {"name": "old", "found": "Something.", "means": "Much.", "page": PAGE}
    answer(tab, "/v1/runs/old/diagnose", told | {"findings": [finding]})
    tab.click("tr[data-name=old] button")
    tab.click("#run-diagnose")
    expect(tab.locator(".findings li")).to_have_text("too short (hint): It fell. Go on.")
    picture = tab.locator("#run-answer img")
    expect(picture).to_have_attribute("alt", "A curve")
    assert picture.evaluate("async i => { await i.decode(); return i.naturalWidth; }") == 40
    old = {"name": "old", "status": "stopped", "loss": {"seconds": 90}}
    answer(tab, "/v1/runs/old", old)
    answer(tab, "/v1/runs/old/resume", old)
    tab.click("tr[data-name=old] button")
    status(tab, "stopped")
    expect(tab.locator("#run-minutes")).not_to_have_value("")  # what is proposed, has come
    tab.fill("#run-minutes", "2")
    with tab.expect_request("**/resume") as resumed:
        tab.click("#run-more button")
    assert resumed.value.post_data_json == {"minutes": 3.5}
    answer(tab, "/v1/lab/unroll", told)
    tab.click("#lab > summary")
    expect(tab.locator("#lab-list li")).to_have_count(len(char_rnn.lab.EXPERIMENTS))
    tab.click("text=What happens at each step?")
    expect(tab.locator("#lab-shown .said")).to_have_text("Something.")
    assert tab.locator("#lab-shown img").count() == 1


def test_a_server_that_trains_nothing(tab, runs, tmp_path_factory):
    other = serving(runs, tmp_path_factory, train=False)
    opened(tab, f"http://127.0.0.1:{other.port}/")
    expect(tab.locator("#train-no")).to_be_visible()
    expect(tab.locator("#train-new")).to_be_hidden()
    expect(tab.locator("#lab")).to_be_hidden()
    tab.click("tr[data-name=old] button")
    status(tab, "finished")
    expect(tab.locator("#run-loss .value").first).not_to_have_text("–")
    expect(tab.locator("#run-more")).to_be_hidden()
    tab.close()
    other.stop()


def test_a_roll_grows_and_plays(tab, server):
    models = told_of_models(server)
    models["data"][0]["char_rnn"]["music"] = True
    answer(tab, "/v1/models", models)
    tab.clock.install()
    tab.goto(tab.address)
    tab.fill("#text", TUNE + "A3 ")  # the third bar is not whole
    roll = tab.locator("#music .roll")
    expect(roll).to_have_attribute("aria-valuemax", "2")
    tab.keyboard.press("Alt+P")
    expect(tab.locator("#music .here")).to_be_visible()
    tab.keyboard.press("End")
    tab.keyboard.type("A3|c6|")
    tab.clock.run_for(1000)
    expect(roll).to_have_attribute("aria-valuemax", "4")
    expect(tab.locator("#music button")).to_have_text("❚❚ Pause")
    tab.keyboard.press("Alt+P")
    expect(tab.locator("#music button")).to_have_text("▶ Play")
    tab.fill("#text", "no music|")
    tab.clock.run_for(1000)
    expect(tab.locator("#music-said")).to_contain_text("no piece of music")
