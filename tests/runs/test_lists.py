"""A list is told from prose, verse, code and tunes by how its lines look."""

import random
from pathlib import Path

import pytest

from char_rnn.runs.lists import list_advice

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
PARTS = ["an", "be", "ri", "ka", "lo", "mi", "sa", "to", "el", "da", "vi", "no", "ine", "ia"]
NAMES = ["".join(random.Random(k).choices(PARTS, k=2 + k % 3)) for k in range(300)]


def text(lines):
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (NAMES, "say nothing of one another"),
        (sorted(NAMES), "sorted"),
        (sorted(f"{name} of a long line that is not short at all" * 2 for name in NAMES), "sorted"),
        (["anna", "bert", "cleo", "dora"] * 100, "say nothing of one another"),
    ],
)
def test_a_list_is_seen(lines, why):
    advice = list_advice(text(lines))
    assert why in advice and "--documents lines" in advice and "\n" not in advice


@pytest.mark.parametrize(
    "lines",
    [
        NAMES[:40],  # too few
        [line for name in NAMES for line in (name, "")],  # verses
        ["the sun was slowly going down behind the hills of " + name for name in NAMES],
        [f"    {name}" if k % 3 else f"def {name}():" for k, name in enumerate(NAMES)],
        [f"{name};" for name in NAMES],
        ["same"] * 300,
    ],
)
def test_other_texts_are_none(lines):
    assert list_advice(text(lines)) == ""


@pytest.mark.skipif(not DATA.is_dir(), reason="shared data is not there")
def test_real_texts():
    assert "list" in list_advice((DATA / "names.txt").read_text("utf-8")[:65536])
    assert list_advice((DATA / "shakespeare.txt").read_text("utf-8")[:65536]) == ""


def test_a_chat_in_the_order_of_its_times_is_none():
    times = [f"24.12.23, {k // 60:02}:{k % 60:02}" for k in range(len(NAMES))]
    said = [f"{at} - {name}: how are you?" for at, name in zip(times, NAMES, strict=True)]
    assert list_advice(text(said)) == ""
    assert list_advice(text(f"{name.title()}: hi" for name in NAMES)) == ""
    logged = [
        f"{at} {name} has come to the house, and stays"
        for at, name in zip(times, NAMES, strict=True)
    ]
    assert list_advice(text(logged)) == ""
