"""The attention layer of the course's last chapter, and what measures it."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import reference

FILE = Path(__file__).resolve().parents[1] / "benchmarks" / "attention.py"


@pytest.fixture(scope="module")
def attention():
    spec = spec_from_file_location("benchmarks_attention", FILE)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("heads", [1, 4])
def test_step_by_step_with_the_cache_is_all_at_once(attention, heads):
    rng = np.random.default_rng(heads)
    layer = attention.Attention(16, heads, 12, rng)
    x = rng.standard_normal((12, 16)).astype(np.float32)
    stepped = np.stack([layer.step(one) for one in x])
    # Measured over ten seeds: 2e-6 at most.
    np.testing.assert_allclose(stepped, layer.at_once(x), atol=1e-5)


def test_it_is_what_its_paper_says(attention):
    """One place after the other, head by head, from the equations."""
    rng = np.random.default_rng(0)
    D, heads, T = 6, 2, 5
    layer = attention.Attention(D, heads, T, rng)
    x = rng.standard_normal((T, D)).astype(np.float32)
    q, k, v = (x @ w.T for w in np.split(layer.weight, 3))
    expected = np.zeros((T, D))
    for t in range(T):
        for head in (slice(0, 3), slice(3, 6)):
            e = np.exp([q[t, head] @ k[s, head] / np.sqrt(3) for s in range(t + 1)])
            expected[t, head] = sum(a * v[s, head] for s, a in enumerate(e / e.sum()))
    np.testing.assert_allclose(layer.at_once(x), expected @ layer.out.T, atol=1e-5)


def test_nobody_looks_ahead(attention):
    rng = np.random.default_rng(0)
    layer = attention.Attention(8, 2, 6, rng)
    x = rng.standard_normal((6, 8)).astype(np.float32)
    moved = x.copy()
    moved[4] += 1
    same = np.isclose(layer.at_once(x), layer.at_once(moved)).all(axis=1)
    assert same.tolist() == [True] * 4 + [False] * 2


def test_the_lstm_beside_it_is_one(attention):
    rng = np.random.default_rng(0)
    D, x = 5, rng.standard_normal((4, 1, 5))
    ours = attention.LSTM(D, rng)
    ours.bias[:] = rng.standard_normal(4 * D)
    zero = np.zeros((1, D))
    theirs = reference.Lstm(ours.weight[:, :D], ours.weight[:, D:], ours.bias, 0 * ours.bias)
    expected, _ = theirs.forward(x, (zero, zero))
    found = [ours.step(one[0].astype(np.float32)) for one in x]
    np.testing.assert_allclose(found, expected[:, 0], atol=1e-6)


def test_the_figures_reach_the_page(attention, tmp_path):
    rows = attention.measure(8, 2, (2, 4), rounds=3, steps=2)
    assert [row["n"] for row in rows] == [2, 4]
    assert all(len(row[name]) == 3 for row in rows for name in ("lstm", "attention", "anew"))
    assert [row["held"] for row in rows] == [2 * 8 * 2 * 4, 2 * 8 * 4 * 4]
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- attention -->\nold\n<!-- end of attention -->\nz\n", "utf-8")
    attention.put(attention.table(rows), page)
    text = page.read_text("utf-8")
    assert "old" not in text and text.count("| n | LSTM") == 1
    assert text.startswith("a\n") and text.endswith("z\n")
