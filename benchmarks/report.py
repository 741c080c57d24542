"""The figures as tables between the marks in docs/performance.md, and as a picture."""

import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Point = dict[str, Any]

NAMES = {
    "hidden": "hidden size H",
    "batch": "batch B",
    "window": "window T",
    "layers": "layers L",
    "threads": "threads",
}


def training_row(p: Point) -> str:
    """Return one line of the training table."""
    name = p["cell"] + (f", {p['layers']} layers" if p["layers"] > 1 else "")
    return (
        f"| {name} | {p['hidden']} | {p['batch']} | {p['ours']:,.0f} | {p['pytorch']:,.0f} "
        f"| {p['ratio']:.2f} | {p['best_ratio']:.2f} | {100 * p['share']:.0f} % "
        f"| {_given(p, 'jax', ',.0f')} | {_given(p, 'jax_ratio', '.2f')} |"
    )


def large_row(p: Point) -> str:
    """Return one line of the table of large vocabularies."""
    return (
        f"| {p['cell']} | {p['hidden']} | {p['batch']} | {p['window']} | {p['ours']:,.0f} "
        f"| {p['pytorch']:,.0f} | {p['ratio']:.2f} | {p['best_ratio']:.2f} "
        f"| {p['other_ratio']:.2f} | {p['cpu_ratio']:.2f} "
        f"| {p['megabytes']:.0f} MB | {p['pytorch_megabytes']:.0f} MB |"
    )


def generation_row(p: Point) -> str:
    """Return one line of the generation table."""
    return (
        f"| {p['cell']} | {p['hidden']} | {p['ours']:,.0f} | {p['pytorch']:,.0f} "
        f"| {p['ratio']:.1f} | {_given(p, 'one_core', ',.0f')} | {_given(p, 'jax_ratio', '.2f')} "
        f"| {p['many']:,.0f} | {p['many_ratio']:.1f} | {p['many_to_pytorch']:.0f} "
        f"| {_given(p, 'jax_many_ratio', '.2f')} |"
    )


def _given(p: Point, key: str, form: str) -> str:
    """Return a figure, or nothing where it was not measured."""
    return format(p[key], form) if key in p else ""


def beam_row(p: Point) -> str:
    """Return one line of the table of beam search."""
    return f"| {p['model']} | {p['one']:,.0f} | {p['beams']:,.0f} | {p['ratio']:.2f} |"


def table(head: str, rows: Iterable[str]) -> str:
    """Return a table whose columns are numbers, but for the first."""
    return "\n".join([head, "| --- |" + " ---: |" * (head.count("|") - 2), *rows])


def tables(machines: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return the text that stands between each pair of marks: of each machine, after its name."""
    found: dict[str, list[str]] = {}
    for name, figures in machines.items():
        for part, text in _of_one(figures).items():
            found.setdefault(part, []).append(f"**{name}**\n\n{text}")
    return {part: "\n\n".join(texts) for part, texts in found.items()}


def _of_one(figures: dict[str, Any]) -> dict[str, str]:
    """Return the tables of one machine."""
    out = {}
    if points := figures.get("training"):
        grid = [p for p in points if p["layers"] == 1 and p["batch"] > 1]
        mean = statistics.geometric_mean(p["ratio"] for p in grid)
        best = statistics.geometric_mean(p["best_ratio"] for p in grid)
        bound = statistics.median(p["bound"] for p in points)
        head = (
            "| cell | H | B | ours/s | PyTorch/s | ratio | quickest steps | of the bound "
            "| JAX/s | ratio |"
        )
        beside = [p["jax_ratio"] for p in grid if "jax_ratio" in p]
        jax = f" Beside JAX: **{statistics.geometric_mean(beside):.2f}**." if beside else ""
        out["training"] = (
            f"{table(head, map(training_row, points))}\n\n"
            f"Geometric mean over the grid: **{mean:.2f}** by medians, "
            f"{best:.2f} by the quickest.{jax}\n"
            f"The bound: {bound / 1e9:.0f} GF/s of float32 products on these cores."
        )
    if points := figures.get("large"):
        head = (
            "| cell | H | B | T | ours/s | PyTorch/s | ratio | quickest steps "
            "| to the other network | CPU time, one thread | our memory | PyTorch's |"
        )
        out["large"] = table(head, map(large_row, points))
    if points := figures.get("generation"):
        head = (
            "| cell | H | ours/s | PyTorch/s | ratio | one core/s | to JAX's loop | 64 prompts/s "
            "| to our one stream | to PyTorch's | to JAX's 64 |"
        )
        out["generation"] = table(head, map(generation_row, points))
    if points := figures.get("beam"):
        head = "| model | one stream/s | 10 beams/s | time of a character, to one stream |"
        out["beam"] = table(head, map(beam_row, points))
    if found := figures.get("reference"):
        out["reference"] = (
            f"min-char-rnn's way: {found['min_char_rnn']:,.0f} characters a second. "
            f"Ours (B = 64): {found['ours']:,.0f}, **{found['ratio']:.0f} times** as many."
        )
    if points := figures.get("growth"):
        rows = []
        for setting, name in NAMES.items():
            values = sorted({p["value"] for p in points if p["setting"] == setting})
            for value in values:
                row = {
                    p["cell"]: p["speed"]
                    for p in points
                    if (p["setting"], p["value"]) == (setting, value)
                }
                speeds = " | ".join(f"{row[cell]:,.0f}" for cell in ("rnn", "gru", "lstm"))
                rows.append(f"| {name} | {value} | {speeds} |")
        out["growth"] = table("| setting | value | rnn/s | gru/s | lstm/s |", rows)
    return out


def write(machines: dict[str, dict[str, Any]], docs: Path) -> None:
    """Put the tables into docs/performance.md and draw docs/performance.svg, of one machine."""
    page = docs / "performance.md"
    text = page.read_text("utf-8")
    for name, table in tables(machines).items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        text = before + begin + "\n" + table + "\n\n" + end + rest.partition(end)[2]
    page.write_text(text, "utf-8")
    growth = [figures["growth"] for figures in machines.values() if figures.get("growth")]
    if growth:
        _draw(growth[0], docs / "performance.svg")


def _draw(points: list[Point], file: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "char-rnn"
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(NAMES), figsize=(16, 3.4), sharey=True)
    for panel, (setting, name) in zip(panels, NAMES.items(), strict=True):
        for cell in ("rnn", "gru", "lstm"):
            curve = [p for p in points if (p["cell"], p["setting"]) == (cell, setting)]
            panel.plot([p["value"] for p in curve], [p["speed"] for p in curve], "o-", label=cell)
        values = [p["value"] for p in curve]
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        panel.set_xticks(values, [str(value) for value in values], fontsize=8)
        panel.minorticks_off()
        panel.set_xlabel(name)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("characters a second")
    panels[0].legend()
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
