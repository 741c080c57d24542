"""What one more character costs at position n: a step of an LSTM, and attention with a cache.

    python -m benchmarks.attention [--width 256] [--heads 4] [--rounds 15] [--page PAGE]

For docs/course/10-attention-and-gpt.md alone: `char_rnn` has no attention. Both layers read a
vector of the same width and return one, for one stream, in float32 and in plain NumPy with one BLAS
thread. Microseconds are those in which the thread had a core, so that other work on the machine
hardly shows. In each round every position has its turn of both, `STEPS` steps each. Medians over
the rounds, with the quartiles.
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

Array = np.ndarray

POSITIONS = (16, 64, 256, 512, 1024, 2048, 4096)
LONGEST_AT_ONCE = 1024  # positions of one full computation: its scores take heads · n² floats
STEPS = 100


def softmax(scores: Array) -> Array:
    """Return exp(s) / Σ exp(s) along the last axis."""
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Attention:
    """One layer of causal self-attention, forward only (Vaswani et al. 2017, section 3.2).

    q, k, v = W_q x, W_k x, W_v x                  of each position, cut into heads of d = D / heads
    y_t = W_o [ Σ_s≤t softmax_s(q_t · k_s / √d) v_s ]       the heads side by side

    It has no biases and no positions, which would change nothing about its cost.

    weight: (3 D, D), W_q above W_k above W_v. out: (D, D), W_o.
    keys, values: (heads, longest, d), the cache; of it the first `length` positions count.
    """

    def __init__(self, D: int, heads: int, longest: int, rng: np.random.Generator) -> None:
        if D % heads:
            raise ValueError(f"{heads} heads do not divide a width of {D}")
        self.heads, self.d, self.length = heads, D // heads, 0
        scale = 1 / np.sqrt(D)
        self.weight = (scale * rng.standard_normal((3 * D, D))).astype(np.float32)
        self.out = (scale * rng.standard_normal((D, D))).astype(np.float32)
        self.keys, self.values = np.zeros((2, heads, longest, self.d), np.float32)
        self._scale = np.float32(1 / np.sqrt(self.d))

    def step(self, x: Array) -> Array:
        """Read one position, x (D,), add it to the cache, and return y (D,)."""
        q, k, v = (self.weight @ x).reshape(3, self.heads, self.d)
        self.keys[:, self.length], self.values[:, self.length] = k, v
        self.length += 1
        n = self.length
        scores = self.keys[:, :n] @ (q * self._scale)[:, :, None]  # (heads, n, 1)
        weights = softmax(scores[:, :, 0])[:, None]  # (heads, 1, n)
        return self.out @ (weights @ self.values[:, :n]).reshape(-1)

    def at_once(self, x: Array) -> Array:
        """Return y (T, D) of all positions x (T, D) together, as training does; no cache."""
        T = len(x)
        parts = (x @ self.weight.T).reshape(T, 3, self.heads, self.d)
        q, k, v = parts.transpose(1, 2, 0, 3)  # (heads, T, d) each
        scores = q * self._scale @ k.transpose(0, 2, 1)  # (heads, T, T)
        scores += np.triu(np.full((T, T), -np.inf, np.float32), 1)  # nobody looks ahead
        mixed = softmax(scores) @ v  # (heads, T, d)
        return mixed.transpose(1, 0, 2).reshape(T, -1) @ self.out.T

    def held(self, n: int) -> int:
        """Return the bytes that it keeps of `n` positions."""
        return 2 * self.heads * self.d * n * self.keys.itemsize


class LSTM:
    """One LSTM layer, a step at a time; gates i, f, g, o as in char_rnn/model/cells/lstm.py.

    weight: (4 D, 2 D), W beside U. bias: (4 D,). h, c: (D,), all that it keeps.
    """

    def __init__(self, D: int, rng: np.random.Generator) -> None:
        scale = 1 / np.sqrt(2 * D)
        self.weight = (scale * rng.standard_normal((4 * D, 2 * D))).astype(np.float32)
        self.bias = np.zeros(4 * D, np.float32)
        self.h, self.c = np.zeros((2, D), np.float32)

    def step(self, x: Array) -> Array:
        """Read one position, x (D,), and return h (D,)."""
        z = self.weight @ np.concatenate([x, self.h]) + self.bias
        i, f, g, o = z.reshape(4, -1)
        self.c = sigmoid(f) * self.c + sigmoid(i) * np.tanh(g)
        self.h = sigmoid(o) * np.tanh(self.c)
        return self.h

    def held(self) -> int:
        """Return the bytes that it keeps, of however many positions."""
        return self.h.nbytes + self.c.nbytes


def sigmoid(x: Array) -> Array:
    """Return σ(x) = ½ + ½ tanh(x/2)."""
    return np.float32(0.5) + np.float32(0.5) * np.tanh(np.float32(0.5) * x)


def microseconds(call: Callable[[], object], times: int) -> float:
    """Return the microseconds of one `call`, of so many, that this thread had a core."""
    began = time.thread_time()
    for _ in range(times):
        call()
    return 1e6 * (time.thread_time() - began) / times


def measure(
    D: int, heads: int, positions: tuple[int, ...], rounds: int, steps: int = STEPS
) -> list[dict[str, float | list[float]]]:
    """Return, for each position n, bytes and the microseconds of each round.

    lstm: a step. attention: a step that is the n-th. at_once: n positions together, of each; and
    anew: the same, as one pays it for a single further character without a cache.
    """
    rng = np.random.default_rng(0)
    attention, lstm = Attention(D, heads, max(positions), rng), LSTM(D, rng)
    for cache in (attention.keys, attention.values):
        cache[:] = rng.standard_normal(cache.shape)
    x = rng.standard_normal((max(positions), D)).astype(np.float32)

    def nth(n: int) -> None:
        attention.length = n - 1
        attention.step(x[0])

    rows: list[dict[str, float | list[float]]] = [
        {"n": n, "held": attention.held(n), "held_lstm": lstm.held(), "lstm": [], "attention": []}
        | ({"anew": []} if n <= LONGEST_AT_ONCE else {})
        for n in positions
    ]
    for turn in range(rounds + 1):
        for row in rows:
            n = int(row["n"])
            taken = {
                "lstm": microseconds(lambda: lstm.step(x[0]), steps),
                "attention": microseconds(lambda n=n: nth(n), steps),
            }
            if "anew" in row:
                taken["anew"] = microseconds(lambda n=n: attention.at_once(x[:n]), 1)
            for name, value in taken.items():
                if turn:  # the first is not counted
                    row[name].append(value)
    return rows


def spread(values: list[float]) -> str:
    """Return the median, and the quartiles in brackets."""
    low, middle, high = statistics.quantiles(values, n=4)
    digits = 0 if middle >= 1000 else 1 if middle >= 10 else 2
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def table(rows: list[dict[str, float | list[float]]]) -> str:
    """Return the figures in Markdown."""
    lines = [
        "| n | LSTM, µs | attention, µs | ratio | LSTM keeps | attention keeps "
        "| without a cache, µs | at once, µs each |",
        "| ---: |" + " ---: |" * 7,
    ]
    for row in rows:
        ratios = [a / b for a, b in zip(row["attention"], row["lstm"], strict=True)]
        anew = row.get("anew")
        each = spread([value / row["n"] for value in anew]) if anew else ""
        lines.append(
            f"| {row['n']:,} | {spread(row['lstm'])} | {spread(row['attention'])} "
            f"| {spread(ratios)} | {row['held_lstm'] / 1024:,.0f} KiB "
            f"| {row['held'] / 1024:,.0f} KiB | {spread(anew) if anew else ''} | {each} |"
        )
    return "\n".join(lines)


def processor() -> str:
    """Return what the system calls its processor."""
    try:
        names = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(name.partition(": ")[2] for name in names if name.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def put(found: str, page: Path) -> None:
    """Put `found` between the marks in `page`."""
    before, begin, rest = page.read_text("utf-8").partition("<!-- attention -->\n")
    _, end, after = rest.partition("<!-- end of attention -->")
    if not end:
        raise ValueError(f"{page} has no marks <!-- attention --> and <!-- end of attention -->")
    page.write_text(f"{before}{begin}\n{found}\n\n{end}{after}", "utf-8")


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--width", type=int, default=256, help="D, of both layers")
    parser.add_argument("--heads", type=int, default=4, help="heads of the attention")
    parser.add_argument("--rounds", type=int, default=15, help="measured turns of everything")
    parser.add_argument("--page", type=Path, help="put the figures between the marks in this page")
    given = parser.parse_args()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    with threadpool_limits(1):
        rows = measure(given.width, given.heads, POSITIONS, given.rounds)
    where = f"{processor()}, one of {os.cpu_count()} cores{load} at the beginning"
    found = f"{where}; {given.heads} heads, {given.rounds} rounds.\n\n{table(rows)}"
    print(found)
    if given.page:
        put(found, given.page)


if __name__ == "__main__":
    main()
