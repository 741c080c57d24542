"""The page of results: complete, inert, small."""

import re
from html.parser import HTMLParser

from char_rnn.lab.experiment import Result
from char_rnn.lab.report import MOST_ROWS, report
from char_rnn.pictures.canvas import Canvas
from char_rnn.pictures.figure import Axis, Bars, Drawing, Figure, Line, Panel

EVIL = "</script><script>alert(1)</script>@@STYLE@@ \x00&amp;"
VOID = {"meta", "br", "hr", "link"}


def result(name, figure, **more):
    more = {"question": f"Why {name}?", "settings": {"text": "a text", "seeds": 3}} | more
    return Result(figure, {}, "It came out.", "It means little.", name=name, **more)


def figure(points=30):
    x = list(range(points))
    line = Line(x, x, "a line", [v - 1 for v in x], [v + 1 for v in x])
    panels = [
        Panel("Lines", Axis("steps"), Axis("nats"), [line, Line(x[:2], x[:2], "short")]),
        Panel("Bars", Axis("cell", ticks={0: "RNN"}), Axis("share"), [Bars([0], [0.5])]),
    ]
    return Figure("A figure", panels, note="A note.")


class Page(HTMLParser):
    """Collects text and ids, and holds that every element that opens closes."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.links, self.scripts, self.said = [], [], [], 0, []
        self.feed(page)
        assert self.open == ["html"] or self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        self.scripts += tag == "script"
        for name in ("src", "xlink:href"):
            assert name not in found
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


def test_the_page_has_every_experiment_with_all_its_parts():
    drawn = Drawing("A drawing", Canvas(10, 10), "in words")
    results = [result("one", figure()), result("two", drawn, page="<p>by hand</p>")]
    page = Page(report(results))
    text = " ".join(page.said)
    for said in ("Why one?", "Why two?", "It came out.", "It means little.", "in words", "by hand",
                 "A figure", "A note.", "text: a text", "seeds: 3"):  # fmt: skip
        assert said in text
    assert page.links == ["#one", "#two"] and {"one", "two"} <= set(page.ids)
    assert page.scripts == 0
    assert "://" not in report(results).replace("http://www.w3.org/2000/svg", "")


def test_one_experiment_has_a_page_of_its_own():
    page = Page(report([result("one", figure())]))
    assert page.links == [] and "".join(page.said).count("Why one?") == 2  # title and heading


def test_tables_have_the_numbers_of_the_picture():
    page = report([result("one", figure(1000))])
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    assert len(rows) < 3 * MOST_ROWS
    cells = [re.findall(r"<t[dh]>(.*?)</t[dh]>", row) for row in rows]
    assert ["steps", "a line"] in cells and ["steps", "short"] in cells
    assert ["0", "0 (-1 … 1)"] in cells and ["999", "999 (998 … 1000)"] in cells
    assert ["RNN", "0.5"] in cells


def test_what_texts_say_is_text():
    names = Panel(EVIL, Axis(EVIL, ticks={0: EVIL}), Axis(EVIL), [Bars([0], [1], EVIL)])
    evil = Figure(EVIL, [names], note=EVIL)
    made = result("one", evil, question=EVIL, settings={"text": EVIL, "model": EVIL})
    for results in ([made], [made, made]):
        page = Page(report(results))
        assert page.scripts == 0
        assert "<script>alert(1)</script>@@STYLE@@" in "".join(page.said)
