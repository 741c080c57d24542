"""What every experiment keeps to: the same contract, run small, over all of them."""

import json
import re
from pathlib import Path
from textwrap import dedent

import pytest

from char_rnn import lab
from char_rnn.errors import UsageError
from char_rnn.lab import EXPERIMENTS
from char_rnn.lab.experiment import Given
from char_rnn.lab.running import module_of, run, run_all, uses
from char_rnn.pictures.figure import Drawing, Figure

SMALL = {"characters": 5_000, "iterations": 20, "hidden_size": 16}
QUICK = {
    "memory": {"iterations": 20, "windows": (1, 2), "length": 8, "hidden_size": 8},
    "window": {
        "iterations": 5,
        "reaches": (2,),
        "back": (2, 3),
        "length": 6,
        "windows": (5, 10),
        "characters": 6_000,
        "hidden_size": 8,
    },
    "hidden-size": {"sizes": (4, 8), "characters": 6_000, "passage": 6_000},
    "cells": {"characters": 6_000, "parameters": 6_000, "rates": (0.01,)},
    "gradients": {**SMALL, "radii": (0.5, 1.0), "back": 20, "streams": 4},
    "clipping": SMALL,
    "optimisers": {**SMALL, "last": 1},
    "initial-state": {**SMALL, "characters": 10_000, "ahead": 10, "starts": 20},
    "initialisation": {**SMALL, "back": 10, "streams": 4},
    "neurons": {"characters": 2000},
    "temperature": {"temperatures": (0.3, 1.0), "streams": 4, "length": 40, "own_words": 1},
    "teacher-forcing": {
        "characters": 20_000,
        "iterations": 20,
        "hidden_size": 16,
        "length": 50,
        "shares": (0.0, 0.5),
    },
}
"""Sizes at which each takes a second or so."""


@pytest.fixture(scope="module", params=EXPERIMENTS)
def twice(request):
    """Return an experiment's name and two results: of one process, and of two."""
    name = request.param
    seeds = {"seeds": 2} if "seeds" in module_of(name).USES else {}
    return name, *(run(name, processes=n, **seeds, **QUICK.get(name, {})) for n in (1, 2))


def test_the_same_seeds_give_the_same_numbers(twice):
    _, one, two = twice
    assert json.dumps(one.to_dict()["numbers"]) == json.dumps(two.to_dict()["numbers"])
    assert one.numbers and one.found == two.found
    if set(one.measured) == {"seconds"}:  # else the picture shows seconds too
        assert one.figure.svg() == two.figure.svg()


def test_it_says_what_it_asks_and_what_it_found(twice):
    name, result, _ = twice
    module = module_of(name)
    assert module.__doc__.splitlines()[0] == EXPERIMENTS[name] == result.question
    assert set(module.USES) <= {"text", "model", "seeds"}
    for said in (result.found, result.means):
        assert 1 <= said.count(". ") + said.endswith(".") <= 5 and "nan" not in said.split()
    assert result.measured["seconds"] >= 0


def test_its_picture_names_what_it_shows(twice):
    _, result, _ = twice
    picture = result.figure
    assert picture.title and picture.chart().strip()
    assert isinstance(picture, Figure | Drawing)
    for panel in getattr(picture, "panels", ()):
        assert panel.x.label and panel.y.label and panel.title
        assert len(panel.series) <= 6
        for mark in panel.series:
            assert len(mark.x) and (mark.label or len(panel.series) == 1)


def test_it_is_written_as_three_files(twice, tmp_path):
    name, result, _ = twice
    paths = result.save(tmp_path)
    assert [path.name for path in paths][:2] == [f"{name}.json", f"{name}.svg"]
    read = json.loads(paths[0].read_text("utf-8"))
    assert read["numbers"] == result.to_dict()["numbers"] and read["found"] == result.found
    assert paths[1].read_text("utf-8") == result.figure.svg()


def test_mistakes_are_one_line():
    assert lab.run is run and lab.Result is not None
    cases = {
        "unknown experiment 'memry'.*did you mean": {"name": "memry"},
        "the experiment trace takes no text": {"name": "trace", "text": "a\n"},
        "the experiment trace takes no seeds": {"name": "trace", "seeds": 2},
        "seeds is 0; it must be from 1": {"name": "memory", "seeds": 0},
        "seeds is 'x'; it must be a whole number": {"name": "memory", "seeds": "x"},
        "unknown setting of memory 'no'": {"name": "memory", "no": 1},
    }
    for said, arguments in cases.items():
        with pytest.raises(UsageError, match=said):
            run(**arguments)


def test_one_that_fails_does_not_end_the_others():
    found = dict(run_all(names=["trace", "neurons", "unroll"], text="too short\n"))
    assert [isinstance(result, Exception) for result in found.values()] == [False, True, False]


def test_a_text_is_read_no_further_than_it_is_needed(tmp_path):
    (tmp_path / "a.txt").write_text("héllo\n" * 1000, "utf-8")
    given = Given(text=tmp_path / "a.txt")
    assert given.passage(8, least=5) == "héllo\nhé" and given.name_of_text == "a.txt"
    assert len(given.corpus(4000)) == 4000
    with pytest.raises(Exception, match=r"a\.txt has 6,000 characters; .* 7,000 at least"):
        given.passage(10_000, least=7000)
    assert Given().passage(100, 1) == Given(text="python-docs").passage(100, 1)
    corpus = given.corpus(3000)
    assert Given(text=corpus).passage(2500) == given.passage(2500)


def test_the_example_of_the_recipe_is_an_experiment():
    page = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text("utf-8")
    recipe = page.partition("## Add an experiment")[2]
    code = dedent(re.search(r"   ```python\n(.*?)   ```", recipe, re.DOTALL)[1])
    names = {"__name__": "__main__"}
    exec(compile(code, "more_text.py", "exec"), names)
    result = names["run"](Given(seeds=2), sizes=(2_500, 5_000), iterations=5)
    assert len(result.numbers["loss"]) == 2 and result.figure.chart()
    assert all(line in page for line in ("given.each(function, jobs)", "`EXPERIMENTS`", "`QUICK`"))


def test_the_page_names_every_experiment_and_what_it_takes():
    page = (Path(__file__).parents[2] / "docs" / "lab.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE))
    assert list(rows) == list(EXPERIMENTS)
    for name, row in rows.items():
        question, _, takes = row.partition(" | ")
        assert question == EXPERIMENTS[name]
        assert set(uses(name)) == set(re.findall(r"`--(text|model|seeds)`", takes))
