"""The course: nothing left out, no dead link, no quotation that drifted, no wrong gradient."""

import re
import shlex
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from char_rnn import CharRNN
from char_rnn.lab import EXPERIMENTS

ROOT = Path(__file__).resolve().parents[1]
COURSE = ROOT / "docs" / "course"
INDEX = COURSE / "README.md"
CHAPTERS = sorted(COURSE.glob("[0-9]*.md"))
PAGES = [INDEX, *CHAPTERS]

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.S | re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r"^!\[(.*)\]\(pictures/([a-z-]+)\.svg\)$", re.M)
MARKER = re.compile(r"\{\{.*?\}\}", re.S)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
each_chapter = pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)


def read(page):
    return page.read_text("utf-8")


def prose(page):
    return FENCE.sub("", read(page))


def fences(page, language):
    """Return the blocks of one language, without the indentation that a list gives them."""
    return [
        re.sub(rf"^ {{{len(indent)}}}", "", body, flags=re.M)
        for indent, name, body in FENCE.findall(read(page))
        if name == language
    ]


def headings(page):
    return re.findall(r"^(#+) (.*?)\s*$", prose(page), re.M)


def anchors(page):
    """Return what the headings are called in a link, as GitHub makes it: a second one gets -1."""
    found = []
    for _, heading in headings(page):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        again = sum(re.sub(r"-\d+$", "", one) == name for one in found)
        found.append(f"{name}-{again}" if again else name)
    return found


def section(page, title):
    """Return what stands under the heading `title`, up to the next one of its level."""
    return re.split(r"^## ", read(page).partition(f"\n## {title}\n")[2], flags=re.M)[0]


def paragraphs(page):
    """Return each paragraph of prose, with the table or the block after it if it announces one."""
    parts = re.split(r"\n\n+", prose(page))
    return [
        part + "\n" + (after if part.endswith(":") else "")
        for part, after in zip(parts, [*parts[1:], ""], strict=True)
    ]


# The links, the parts, the pictures


def test_there_are_ten_chapters_and_the_index_has_them_in_their_order():
    found = re.findall(r"^\| (\d+) \| \[[^\]]+\]\(([^)]+)\)", read(INDEX), re.M)
    assert found == [(str(k), page.name) for k, page in enumerate(CHAPTERS, 1)]
    assert len(CHAPTERS) == 10
    for k, page in enumerate(CHAPTERS, 1):
        assert read(page).startswith(f"# {k}. ")
        goes_on = CHAPTERS[k].name if k < 10 else INDEX.name
        assert f"({goes_on})" in read(page).rpartition("</details>")[2], page.name


@each_page
def test_links_lead_somewhere(page):
    links = [link for link in LINK.findall(prose(page)) if not link.startswith("https://")]
    for link in links:
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert name.startswith("pictures/") or target.is_file(), link
        assert not anchor or anchor in anchors(target), link


@each_page
def test_files_that_are_named_are_there(page):
    for name in re.findall(r"(?<![\w./])((?:[a-z_]+/)+[a-z_]+\.(?:py|md))", prose(page)):
        assert (ROOT / name).is_file(), name


@each_chapter
def test_a_chapter_has_all_its_parts(page):
    titles = [title for marks, title in headings(page) if marks == "##"]
    parts = ["The idea", "The equation", "The code", "The picture", "Three questions"]
    assert [title for title in titles if title in parts] == parts
    assert titles[0] == parts[0] and titles[-1] == parts[-1]
    assert re.search(r"^    \S.*[=→∂]", section(page, "The equation"), re.M)
    assert fences(page, "py"), "it quotes no line of code"
    assert PICTURE.search(section(page, "The picture"))


@each_chapter
def test_there_are_three_questions_with_their_answers_folded_away(page):
    first, *questions = re.split(r"^### ", section(page, "Three questions"), flags=re.M)
    assert first.strip() == "" and len(questions) == 3
    for question in questions:
        title, _, rest = question.partition("\n")
        folded = re.match(
            r"\n<details><summary>Answer</summary>\n\n(.+?)\n\n</details>\n", rest, re.S
        )
        assert title.endswith("?") and folded, title
        assert len(folded[1]) > 200, title
    assert read(page).count("<details>") == read(page).count("</details>") == 3


def test_each_experiment_has_its_picture_once_and_its_command_below_it():
    shown = [name for page in CHAPTERS for _, name in PICTURE.findall(read(page))]
    assert sorted(shown) == sorted(EXPERIMENTS)
    for page in CHAPTERS:
        for alternative, name in PICTURE.findall(read(page)):
            below = read(page).partition(f"(pictures/{name}.svg)")[2]
            command = f"```sh\nchar-rnn lab {name} --out docs/course/pictures\n```"
            assert below.lstrip().startswith(command), name
            assert len(alternative) > 20
    for row in re.findall(r"^\| \d+ \| .*$", read(INDEX), re.M):
        link, names = re.search(r"\(([^)]+)\)", row)[1], row.split("|")[3]
        here = [name for _, name in PICTURE.findall(read(COURSE / link))]
        assert sorted(names.strip().split(", ")) == sorted(here), link


@each_page
def test_the_commands_have_these_options(page):
    lines = [line for block in fences(page, "sh") for line in block.splitlines()]
    inline = re.findall(r"`(char-rnn [^`]+)`", prose(page).replace("\n", " "))
    for command in lines + inline:
        name, *arguments = shlex.split(command)[1:]
        parser = import_module(f"char_rnn.cli.{name}").command
        known = {
            option for parameter in parser.params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }  # fmt: skip
        assert {a for a in arguments if a.startswith("--")} <= known, command
        if name == "lab" and arguments:
            assert arguments[0] in (*EXPERIMENTS, "diagnose"), command


# The code


@each_chapter
def test_quoted_lines_stand_in_their_file(page):
    """A block marked `py` is from the file that was linked last; … stands for lines left out."""
    tokens = re.finditer(
        r"\]\(\.\./\.\./([\w/]+\.py)\)|^( *)```py\n(.*?)^ *```$", read(page), re.S | re.M
    )
    source = None
    for token in tokens:
        if token[1]:
            source = "\n" + (ROOT / token[1]).read_text("utf-8")
            continue
        assert source, "a quotation before any file is named"
        lines = re.sub(rf"^ {{{len(token[2])}}}", "", token[3], flags=re.M)
        for piece in re.split(r"^…\n", lines, flags=re.M):
            assert "\n" + piece in source, piece


@each_chapter
def test_the_blocks_run_in_their_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = fences(page, "python")
    assert blocks, "nothing to run"
    namespace = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page.name}, block {number}", "exec"), namespace)


# The figures


@each_chapter
def test_what_was_measured_says_by_which_command(page):
    command = r"`(?:char-rnn|python|char_rnn\.|--)[^`]+`"
    by = rf"\bmeasured (?:by|with) (?:the block above|{command})"
    for paragraph in paragraphs(page):
        words = " ".join(paragraph.split())
        if re.search(r"\bmeasured\b", words, re.I):
            assert re.search(by, words, re.I), words
        for name in re.findall(r"\{\{lab:([a-z-]+):", words):
            # Alone: what is filled in stands on no other page (the test below).
            assert f"char-rnn lab {name}`" in words and "](../" not in words, words


@each_chapter
def test_figures_from_another_page_stand_there(page):
    """So that nobody renews docs/results.md alone."""
    for paragraph in paragraphs(page):
        others = set(re.findall(r"\]\(\.\./(\w+\.md)", paragraph))
        if "easured" not in paragraph or not others:
            continue
        there = "".join(read(ROOT / "docs" / name) for name in sorted(others))
        words = LINK.sub("", paragraph)  # addresses have numbers, too
        for figure in re.findall(r"(?<![\w.,])\d+(?:,\d{3})+|(?<![\w.,])\d+\.\d{2,}", words):
            assert figure in there, (figure, others)


# What the exercise asks, in a few words each

ASKED = {
    "Learning objectives": [
        "feedforward", "forward pass", "through time", "vanishing and exploding", "clipping",
        "sampling from probabilities", "temperature", "transformers and GPT",
    ],
    "Design questions": ["zeros, random, learned", "Sequence length", "Adagrad", "50.0", "1.5"],
    "Pitfalls": ["Exploding", "Vanishing", "Mode collapse", "Slow", "nonsense"],
    "Interview questions": [
        "vanishing gradient problem", "LSTM solve", "teacher forcing", "transformers",
        "beam search",
    ],
    "Self-assessment: understanding": [
        "feedforward nets", "unrolled", "vanishing and exploding", "RNN, LSTM and GRU",
    ],
    "Self-assessment: implementation": ["shapes", "gradient check", "Clipping", "lowers the loss"],
    "Self-assessment: generation": ["different temperatures", "better with training", "Seed"],
    "Self-assessment: extensions": ["cell state", "beam search", "connection to transformers"],
}  # fmt: skip


def test_the_table_says_where_each_question_is_answered():
    table = section(INDEX, "Where each question is answered")
    rows = [row.strip("| ").split(" | ") for row in table.splitlines() if row.startswith("| ")][2:]
    found, group = {}, None
    for asked, *where in rows:
        if not where or not where[0].strip():
            group = found.setdefault(asked.strip("* |"), [])
            continue
        group.append(asked)
        links = LINK.findall(where[0])
        assert links, asked
        for link in links:
            name, _, anchor = link.partition("#")
            assert anchor in anchors(COURSE / name), link
    assert list(found) == list(ASKED)
    for name, words in ASKED.items():
        assert len(found[name]) == len(words), name
        for word, row in zip(words, found[name], strict=True):
            assert word in row, (word, row)
    assert [len(words) for words in ASKED.values()] == [8, 5, 5, 5, 4, 4, 3, 3]


# The derivations of chapter 5 against the engine


@pytest.fixture(scope="module")
def derived():
    """Return the cells of chapter 5, by their names on the page."""
    found = {}
    for block in fences(COURSE / "05-derivation.md", "python"):
        if "numerical_gradient" not in block:
            exec(block, found)
    return SimpleNamespace(**found)


def slabs(arrays, layer):
    """Return the parts of a layer as the page has them, gate by gate: views."""
    found = {}
    for part, name in {"W": "weight_ih", "U": "weight_hh", "b": "bias_ih", "b2": "bias_hh"}.items():
        array = next(a for n, a in arrays.items() if n.startswith(f"rnn.{name}_l{layer}"))
        shape = (-1, H, array.shape[1]) if array.ndim == 2 else (-1, 1, H)
        found[part] = array.reshape(shape)
    return found


T, B, V, H = 4, 3, 7, 5


@pytest.mark.parametrize(
    ("cell", "of_page", "form"),
    [
        ("rnn", "rnn", {}),
        ("lstm", "lstm", {}),
        ("gru", "gru_before", {"reset_after": False}),
        ("gru", "gru_after", {"reset_after": True}),
    ],
)
def test_the_page_derives_what_the_engine_computes(derived, cell, of_page, form):
    """Two layers: that below is right only if dx of that above is."""
    step, step_back = getattr(derived, of_page), getattr(derived, f"{of_page}_back")
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(V, size=(2, T, B))
    model = CharRNN(V, H, cell, 2, dtype="float64", rng=rng, **form)
    model.parameters.flat[:] += 0.3 * rng.standard_normal(model.parameters.flat.size)
    S = 2 if cell == "lstm" else 1
    start = rng.standard_normal((S, 2, B, H))
    model.forward(ids, tuple(start) if S == 2 else start[0])
    _, theirs = model.backward(targets)

    x, kept, p = np.eye(V)[ids], {}, model.parameters
    for k in (0, 1):
        state, hs = tuple(start[:, k]), []
        for t in range(T):
            state, kept[k, t] = step(x[t], state, slabs(p, k))
            hs.append(state[0])
        x = np.stack(hs)
    y = x @ p["out.weight"].T + p["out.bias"]
    probabilities = np.exp(y) / np.exp(y).sum(axis=-1, keepdims=True)

    ours, our_start = p.like(), np.zeros_like(start)
    dy = (probabilities - np.eye(V)[targets]) / targets.size
    ours["out.weight"][:] = dy.reshape(-1, V).T @ x.reshape(-1, H)
    ours["out.bias"][:] = dy.sum(axis=(0, 1))
    dh = dy @ p["out.weight"]
    for k in (1, 0):
        d_state, dx = tuple(np.zeros((S, B, H))), np.empty((T, B, H if k else V))
        for t in reversed(range(T)):
            d_state = (d_state[0] + dh[t], *d_state[1:])
            dx[t], d_state = step_back(d_state, kept[k, t], slabs(p, k), slabs(ours, k))
        our_start[:, k], dh = d_state, dx
    # Measured over ten seeds: 2e-16 at most.
    np.testing.assert_allclose(ours.flat, theirs.flat, rtol=0, atol=1e-14)
    np.testing.assert_allclose(
        our_start, np.reshape(model.state_gradient, start.shape), rtol=0, atol=1e-14
    )


# The last to turn green (until then: -k 'not test_last'): what comes from `char-rnn lab NAME`


@each_chapter
def test_last_no_figure_is_left_to_fill_in(page):
    """Red until every {{lab:NAME:what}} is the figure that `char-rnn lab NAME` gave."""
    assert not MARKER.findall(read(page))


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_last_every_picture_is_drawn(name):
    """Red until `char-rnn lab NAME --out docs/course/pictures` has been run for all of them."""
    assert (COURSE / "pictures" / f"{name}.svg").is_file()
