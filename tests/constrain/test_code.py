"""Code mode: what can become Python, what is taken back, and that what comes out parses."""

import ast
import io
import re
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from char_rnn import CharRNN, Vocabulary
from char_rnn.analyse.code import code_shares, code_table, is_definition, statements
from char_rnn.cli.highlight import write_highlighted
from char_rnn.constrain import code
from char_rnn.constrain.code import CodeWriter
from char_rnn.constrain.statement import (
    Standing,
    Statement,
    begins_statement,
    could_go_on,
    standing,
)
from char_rnn.data.vocabulary import ByteVocabulary
from char_rnn.errors import ConstraintNotMet, UnknownCharacters, UsageError
from char_rnn.generate.choose import Chooser
from char_rnn.model.stepper import Stepper
from char_rnn.sample_config import SampleConfig

LIBRARY = Path(textwrap.__file__).parent
MODULES = ["bisect.py", "textwrap.py", "reprlib.py", "token.py", "contextlib.py"]
GOOD = Standing.COMPLETE
TRIPLE = '"' * 3


def lines_of(name):
    return (LIBRARY / name).read_text("utf-8").splitlines(keepends=True)


# What can become Python.


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "# a\n", "\f\n", "  \fx = 1\n", "x = 1\n", "x = 1; y = 2\n", "def f(): pass\n",
        "def f():\n    return 1\n\n\n", "if x:\n    y\nelse:\n    z\n", "x = '\\d'\n", "1 is 1\n",
        "class A:\n\n    # only\n    x: int\n", "try:\n    a\nfinally:\n    b\n", "x = 'é'\n",
    ],
)  # fmt: skip
def test_what_parses_is_complete(text):
    assert standing(text) is Standing.COMPLETE


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n", "def f(\n", "def f(a,\n      b=(1,\n", "class A:\n    def f(self):\n",
        "@decorated\n", "@decorated\n# why\n\n", "try:\n    a\n", "try:\n    a\nexcept E:\n",
        "if x:\n    y\nelse:\n", "x = [\n", "x = {\n    1: 2,\n\n", "x = (1 +\n", "x = 1 + \\\n",
        f"x = {TRIPLE}a\n", f"def f():\n    r'''a\n\n  b {TRIPLE}\n", "x = 'abc\\\n",
        "async def f():\n",
        "match x:\n", "match x:\n    case 1:\n", "with (a as b,\n", "x = f(\n# a\n", "for x in (\n",
        f"x = f{TRIPLE}a {{b}}\n", "lambda: (\n", "\f\ndef f():\n\f\n",
    ],
)  # fmt: skip
def test_what_can_go_on_is_open(text):
    assert standing(text) is Standing.OPEN


@pytest.mark.parametrize(
    "text",
    [
        "def f(:\n", "def f()\n", "x = \n", "x = 'abc\n", "    x = 1\n", "else:\n", "x = (1 2\n",
        "if x:\n    a\n  b\n", "if x:\n    a\n        b\n", "def f():\nx\n", "f(x) = 1\n",
        "x = )\n",
        "x = (1]\n", "x = '\0'\n", "x = '\ud800'\n", "(" * 300 + "\n", "print 'a'\n", "x = 08\n",
        "match x:\n    y = 1\n", "@decorated\nx = 1\n", "try:\n    a\nx = 1\n", "x = $\n",
        "def f(a=1, b):\n", "x = 1 +\n", "a b\n", "if x:\n\tif y:\n        z\n",
        "x = " + "9" * 5000 + "\n", "x = (a\nreturn (\n",
        "class A:\n    def f(self):\n        (\n    }\n",
    ],
)  # fmt: skip
def test_what_cannot_become_python_is_hopeless(text):
    assert standing(text) is Standing.HOPELESS


def test_warnings_stay_inside():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert standing("x = '\\d' if 1 is 1 else 1or 2\n") is Standing.COMPLETE
    assert not caught


@pytest.mark.parametrize("name", MODULES)
def test_every_line_end_of_the_library_is_a_beginning(name):
    statement, whole = Statement(), ""
    for line in lines_of(name):
        if statement.whole == len(statement.text) and line.strip():
            blanks = line[: len(line) - len(line.lstrip(" "))]
            assert statement.may_stand(blanks) or line.strip().startswith("#"), (statement, line)
            assert all(statement.may_indent(blanks[:k], " ") for k in range(len(blanks)))
        finished, statement = statement.add(line)
        assert statement is not None, line
        whole += finished
        ast.parse(finished)
    assert statement.complete
    assert whole + statement.text == "".join(lines_of(name))


def test_every_line_end_of_a_whole_text_is_a_beginning():
    text = ""
    for line in lines_of("bisect.py"):
        text += line
        assert standing(text) is not Standing.HOPELESS, text


def test_every_character_of_the_library_could_go_on():
    text = "".join(lines_of("reprlib.py"))
    for end in range(1, 3000, 3):
        if text[end - 1] != "\n":
            assert could_go_on(text[:end]), text[:end]


@pytest.mark.parametrize(
    "text", ["x = f'", "x = f'a {b} ", "x = f'{a!", "x = r'\\", "x = '\\t", "x != "]
)
def test_a_seed_that_could_go_on(text):
    assert could_go_on(text)


@pytest.mark.parametrize("text", ["x = )", "def f(a b ", "x y z", "1 2 3", "class (", "x = 'a' b "])
def test_a_seed_that_cannot_go_on(text):
    assert not could_go_on(text)


def parses(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            return False
    return True


def fed(text):
    """Return whether every line of `text` is taken, and the text ends complete."""
    statement = Statement()
    for line in text.splitlines(keepends=True):
        _, statement = statement.add(line)
        if statement is None:
            return False
    return statement.complete


def test_changed_functions_are_refused_when_they_end():
    rng = np.random.default_rng(0)
    units = [s for s, how in statements("".join(lines_of("textwrap.py"))) if is_definition(s)]
    units = [unit for unit in units if len(unit) < 3000]
    assert len(units) > 3
    refused = 0
    for k in range(300):
        text = units[k % len(units)]
        at, extra = int(rng.integers(len(text))), "()[]:'\"= \nx"[int(rng.integers(11))]
        changed = text[:at] + extra + text[at + int(rng.integers(2)) :] + "\nx = 1\n"
        assert fed(changed) == parses(changed), changed
        refused += not parses(changed)
    assert refused > 50


PIECES = [
    "x = 1\n", "def f():\n", "    return (\n", "1)\n", "if x:\n", "    y\n", "else:\n", "\f\n",
    "\n",
    "# a\n", "    # b\n", "@d\n", f"    {TRIPLE}\n", "class A:\n", "try:\n", "finally:\n", "\\\n",
    "\fx\n", "    \fy = 2\n", "\tz\n", "  w\n", "a = 'é' \\\n", "    )\n", "    + 1\n",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9))
def test_statement_by_statement_is_as_good_as_the_whole(lines):
    statement, whole = Statement(), ""
    for line in lines:
        finished, more = statement.add(line)
        if more is None:
            continue  # taken back
        whole, statement = whole + finished, more
    assert parses(whole)
    if statement.complete:
        assert parses(whole + statement.text)


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("x = 1\n", True), ("def f():\n", True), ("\fx\n", True), ("  \fx\n", True), ("@d\n", True),
        ("    x\n", False), ("\n", False), ("# a\n", False), ("else:\n", False), ("\f\n", False),
        ("except E:\n", False), ("finally:\n", False), ("elif x:\n", False), ("else_ = 1\n", True),
        ("\f x\n", False),
    ],
)  # fmt: skip
def test_where_a_statement_begins(line, begins):
    assert begins_statement(line) is begins


# The writer, with a chooser that follows a script.


class Script:
    """Chooses the characters of `text` one after the other, then those of `forever`."""

    def __init__(self, vocabulary, text, forever="\n"):
        self.ids = [int(i) for i in vocabulary.encode(text)]
        self.forever = [int(i) for i in vocabulary.encode(forever)]
        self.calls = []

    def __call__(self, logits, at, written, allowed=None):
        assert logits.shape[0] == 1 and written.shape == (1, at)
        if not self.ids:
            self.ids = list(self.forever)
        self.calls.append((at, written[0].tolist()))
        return np.array([self.ids.pop(0)])


def model(characters="", cell="gru", bias=(), vocabulary=None):
    """Return a small untrained model; bias: characters and the nats that favour them."""
    vocabulary = vocabulary or Vocabulary(
        characters + "".join(map(chr, range(32, 127))) + "\n\f\té"
    )
    made = CharRNN(
        vocabulary.size,
        8,
        cell,
        rng=np.random.default_rng(3),
        vocabulary=vocabulary,
        init="uniform",
    )
    for text, nats in bias:
        made.parameters["out.bias"][vocabulary.encode(text)] += nats
    return made


def scripted(text, seed="", length=None, forever="\n", effort=2000):
    made = model()
    script = Script(made.vocabulary, text, forever)
    writer = CodeWriter(Stepper(made.parameters), script, made.vocabulary, effort)
    length = len(text) if length is None else length
    return writer, writer.write(seed, length), script


def test_a_hopeless_line_is_taken_back():
    writer, pieces, script = scripted(
        "def f(:\ndef f():\n    return )\n    return 1\nx = 2\n", length=30
    )
    assert list(pieces) == ["def f():\n    return 1\n", "x = 2\n\n\n"]
    assert writer.lines_taken_back == 2
    assert writer.characters_taken_back == len("def f(:\n    return )\n")
    assert not writer.gave_up
    at, written = script.calls[8]
    assert at == 0 and written == []
    # What was taken back is neither in the count nor among the ids that the chooser is shown.
    ids = Vocabulary.encode(model().vocabulary, "def f():\n    return 1\nx = 2\n\n\n").tolist()
    assert script.calls[-1] == (len(ids) - 1, ids[:-1])


def test_statements_come_out_when_the_next_one_begins():
    _, pieces, script = scripted("x = 1\n\n# a\ny = 2\nz = 3\n")
    assert next(pieces) == "x = 1\n\n# a\n"
    assert len(script.ids) == len("z = 3\n")
    assert "".join(pieces) == "y = 2\nz = 3\n"


def test_branches_belong_to_what_stands_before():
    text = "if x:\n    y\n# why\nelse:\n    z\n@d\n\ndef f(): pass\n"
    _, pieces, _ = scripted(text)
    assert list(pieces) == ["if x:\n    y\n# why\nelse:\n    z\n", "@d\n\ndef f(): pass\n"]


def test_form_feeds_stand_between_files():
    text = "x = 1\n\f\n\fy = 2\n    \fz = 3\n"
    writer, pieces, _ = scripted(text)
    assert list(pieces) == ["x = 1\n\f\n", "\fy = 2\n", "    \fz = 3\n"]
    assert writer.lines_taken_back == 0


def test_lines_in_front_are_taken_back_where_new_ones_do_not_help():
    failing = "return 1\n", "return 2\n", "return 3\n", "return 4\n"
    writer, pieces, _ = scripted("f(a\n" + "".join(failing) + "f(b)\n", length=4)
    assert list(pieces) == ["f(b)\n"]
    assert writer.lines_taken_back == len(failing) + 1


def test_the_whole_statement_at_worst():
    text = "def f():\n    a\n    b\n    c\n    d\n"
    writer, pieces, _ = scripted(text + "    )\n" * 20, length=60, forever="z\n")
    back_to, begins = writer._back_to, []
    writer._back_to = lambda index: (begins.append(index), back_to(index))
    assert set(pieces) == {"z\n"}
    assert [b for a, b in zip([None, *begins], begins, strict=False) if a != b] == [5, 4, 2, 0]


def test_a_line_without_end_is_taken_back():
    writer, pieces, _ = scripted("x" * code.LONGEST_LINE + "y = 1\n", length=5)
    assert list(pieces) == ["y = 1\n"]
    assert writer.lines_taken_back == 1


def test_a_string_that_stays_open_is_taken_back_to_its_beginning():
    inside = "".join(f"a {k}\n" for k in range(code.MOST_OPEN_LINES))
    text = f"def f():\n    x\n    {TRIPLE}a\n{inside}    y = 1\n"
    writer, pieces, _ = scripted(text, length=20)
    assert list(pieces) == ["def f():\n    x\n    y = 1\n"]
    assert writer.lines_taken_back == 1 + code.MOST_OPEN_LINES


def test_long_blocks_are_not_open_strings():
    body = "".join(f"        a({k})\n" for k in range(2 * code.MOST_OPEN_LINES))
    text = f"def f():\n    try:\n{body}    finally:\n        b\n"
    writer, pieces, _ = scripted(text)
    assert "".join(pieces) == text
    assert writer.lines_taken_back == 0


def test_an_unfinished_end_is_dropped():
    text = "x = 1\ny = 2\ntry:\n" + "    abcd\n" * 60
    assert list(scripted(text, length=14)[1]) == ["x = 1\n", "y = 2\n"]


def test_not_so_much_of_it_that_too_little_is_left():
    text = "x = 1\ntry:\n" + "    abcd\n" * 60
    writer, pieces, _ = scripted(text, length=30, forever="z = 3\n")
    assert list(pieces) == ["x = 1\n"] + ["z = 3\n"] * 4
    assert writer.characters_taken_back > code.ALLOWANCE


def test_the_end_is_finished_within_the_allowance():
    _, pieces, _ = scripted("x = (\n    1,\n    2,\n)\ny = 1\n", length=8)
    assert list(pieces) == ["x = (\n    1,\n    2,\n)\n"]


def test_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "side_effect.py").write_text("open('imported', 'w')\n")
    text = "import side_effect\nopen('run', 'w')\nraise SystemExit\nexec('1 / 0')\n"
    _, pieces, _ = scripted(text)
    assert "".join(pieces) == text
    assert [path.name for path in tmp_path.iterdir()] == ["side_effect.py"]


# Seed texts.


@pytest.mark.parametrize(
    ("seed", "script", "first"),
    [
        ("def ", "f():\n    x\ny\n", "f():\n    x\n"),
        ("def f(a,", " b b):\n b):\n    x\ny\n", " b):\n    x\n"),
        ("x = 1\nif x:\n", "    y\nz\n", "    y\n"),
        ("x = 1\n", "y\n", "y\n"),
        ("x = 1", "0\ny\n", "0\n"),
        ("el", "se = 1\nf = 1\n", "f = 1\n"),
        ("if x:\n    y\nel", "se:\n    z\nw\n", "se:\n    z\n"),
    ],
)
def test_a_seed_is_the_beginning(seed, script, first):
    _, pieces, _ = scripted(script, seed)
    pieces = list(pieces)
    assert pieces[0].rstrip("\n") + "\n" == first
    assert parses(seed + "".join(pieces))


@pytest.mark.parametrize(
    "seed", ["x = )\n", "x = )", "    x\ny", "def f(:\n    ", "x = 1\nelse:\n"]
)
def test_a_seed_that_is_not_python(seed):
    _, pieces, _ = scripted("x\n", seed)
    with pytest.raises(UsageError, match="cannot be the beginning of Python: line"):
        next(pieces)


def test_a_seed_must_be_known():
    with pytest.raises(UnknownCharacters):
        next(scripted("x\n", "# ж\n")[1])


def test_length_zero():
    assert list(scripted("x\n", length=0)[1]) == []
    assert list(scripted("x\n", "y = 1\n", length=0)[1]) == []
    assert list(scripted(" f(): x\n", "def", length=0)[1]) == [" f(): x\n"]


def test_a_model_without_new_lines():
    made = CharRNN(2, 4, vocabulary=Vocabulary("ab"), rng=np.random.default_rng(0))
    with pytest.raises(UsageError, match="no new line"):
        CodeWriter(Stepper(made.parameters), None, made.vocabulary)


def test_nothing_within_the_effort():
    _, pieces, _ = scripted("", length=20, forever=")\n", effort=100)
    with pytest.raises(ConstraintNotMet, match="no statement that parses"):
        list(pieces)
    # What the seed text holds already is nothing new.
    for begun in ("", "y = (\n"):
        _, pieces, _ = scripted(begun, "x = 1\n", length=20, forever="]\n", effort=100)
        with pytest.raises(ConstraintNotMet):
            list(pieces)


def test_what_came_out_before_the_effort_was_spent_is_kept():
    writer, pieces, _ = scripted("x = 1\ny = 2\n", length=50, forever=")\n", effort=100)
    assert list(pieces) == ["x = 1\n", "y = 2\n"]
    assert writer.gave_up


def test_the_longest_that_parsed_is_kept():
    text = "def f():\n" + "".join(f"    a{k}\n" for k in range(9))
    writer, pieces, _ = scripted(text, length=500, forever="    )\n", effort=2000)
    assert list(pieces) == [text]
    assert writer.gave_up


def test_what_was_taken_back_does_not_come_out_in_the_end():
    text = "def f():\n    a\n    b\n" + "    )\n" * 8 + "x = 1\ny = 2\n"
    writer, pieces, _ = scripted(text, length=500, forever=")\n", effort=2000)
    assert list(pieces) == ["x = 1\n", "y = 2\n"]
    assert writer.gave_up


# The writer, with models.


def written(made, temperature=1.0, seed="", length=60, rng_seed=0, effort=10_000):
    config = SampleConfig(length, temperature)
    chooser = Chooser(config, made.config.vocab_size, 1, np.random.default_rng(rng_seed))
    writer = CodeWriter(Stepper(made.parameters), chooser, made.vocabulary, effort)
    return writer, "".join(writer.write(seed, length))


TOKENS = [("abx(),=+:'", 3.0), ("\n", 4.0), (" ", 3.0), ("a", 2.0)]


@pytest.mark.parametrize("seed", ["", "def f():\n", "x = (a"])
def test_what_a_model_writes_parses(seed):
    made = model(bias=TOKENS)
    taken_back = 0
    for rng_seed in range(2):
        writer, text = written(made, seed=seed, rng_seed=rng_seed)
        ast.parse(seed + text)
        assert len(text) >= 60 * code.ENOUGH
        taken_back += writer.lines_taken_back
        again, same = written(made, seed=seed, rng_seed=rng_seed)
        assert same == text and again.lines_taken_back == writer.lines_taken_back
    assert taken_back > 5
    assert written(made, seed=seed, rng_seed=7)[1] != text


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_temperature_zero_gets_out_of_its_own_loop(cell):
    made = model(cell=cell, bias=[(")", 7.0), ("\n", 5.0), ("x", 4.0)])
    writer, text = written(made, temperature=0, length=20)
    assert parses(text) and len(text) >= 15
    assert writer.lines_taken_back > 0


def test_indentation_is_never_wrong():
    made = model(bias=[(" ", 4.0), ("x", 3.0), ("\n", 3.0)])
    chooser = Chooser(SampleConfig(100), made.config.vocab_size, 1, np.random.default_rng(0))
    writer = CodeWriter(Stepper(made.parameters), chooser, made.vocabulary)
    draw, seen = writer._draw, set()

    def watched(start):
        ids = draw(start)
        line = made.vocabulary.decode(ids)
        blanks = line[: len(line) - len(line.lstrip(" \t"))]
        if start.indents and len(blanks) < len(line) - 1:
            assert start.statement.may_stand(blanks), (start, line)
            seen.add(len(blanks))
        return ids

    writer._draw = watched
    assert "".join(writer.write("if x:\n", 100))
    assert len(seen) > 2


def test_bytes():
    made = model(vocabulary=ByteVocabulary(), bias=[("ax=#\n'", 6.0), ("é", 5.5)])
    found = ""
    for rng_seed in range(3):
        writer, text = written(made, rng_seed=rng_seed, seed="# é\n")
        ast.parse("# é\n" + text)
        assert writer.lines_taken_back > 0
        found += text
    assert "é" in found and "\ufffd" not in found


# Figures and colours.


def test_statements_of_a_raw_text():
    text = "x = 1\n\ndef f(:\n    y\n@d\nclass A:\n    z\ny = (1,\ndef g():\n    'a\ndef h():\n"
    found = list(statements(text))
    assert "".join(s for s, _ in found) == text
    assert [(s[:5], how.name) for s, how in found] == [
        ("x = 1", "COMPLETE"), ("def f", "HOPELESS"), ("@d\ncl", "COMPLETE"), ("y = (", "HOPELESS"),
        ("def g", "HOPELESS"), ("def h", "OPEN"),
    ]  # fmt: skip
    assert [is_definition(s) for s, _ in found] == [False, True, True, False, True, True]


def test_shares():
    made = model(bias=TOKENS)
    row = code_shares(made, SampleConfig(60), 4, np.random.default_rng(0), "def f():\n")
    assert row.code == row.code_definitions == 1
    assert 0 <= row.raw <= row.raw_uncut < 1
    assert row.drawn > 1 and row.taken_back > 0 and row.short == 0
    table = code_table([row, row]).splitlines()
    assert len(table) == 4 and len({line.count("|") for line in table}) == 1


def test_code_in_a_pipe_is_plain():
    file = io.StringIO()
    write_highlighted("def ", ["f():\n    return '[b]'\n", "x = 1\n"], file)
    assert file.getvalue() == "def f():\n    return '[b]'\nx = 1\n"


def test_code_on_a_terminal_is_coloured(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)
    file = io.StringIO()
    text = "def f():\n    return '[b]' * 2\n\n\nx = " + "1 + " * 60 + "1\n"
    write_highlighted("", [text, "y"], file)
    assert "\x1b[" in file.getvalue()
    assert re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()) == text + "y\n"
