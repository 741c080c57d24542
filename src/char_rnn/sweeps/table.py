"""The table of a sweep."""

from char_rnn.sweeps.results import FAILED, PRUNED, RUNNING, Row, Sweep

GAP = "  "


def table(sweep: Sweep) -> str:
    """Return the rows, the best first, and how the best one is repeated."""
    heads = [*sweep.names, "loss", "±", "seeds", "parameters", "seconds", ""]
    cells = [_cells(sweep, row) for row in sweep.rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    lines = [_line(heads, widths), *(_line(row, widths) for row in cells)]
    seeds = "1 seed" if sweep.seeds == 1 else f"{sweep.seeds} seeds"
    lines += ["", f"loss: nats a character on the validation part, the mean of {seeds}"]
    if sweep.seeds > 1:
        lines[-1] += "; ±: their standard deviation"
    for row in sweep.rows:
        lines += [
            f"{_named(sweep, row)}, seed {found.seed}: {found.why}"
            for found in row.outcomes
            if found.why
        ]
    best = sweep.best
    if best is not None and (command := sweep.commands()[sweep.rows.index(best)]):
        lines += ["The best is repeated with:", f"  {command}"]
    return "\n".join(lines)


def _line(cells: list[str], widths: list[int]) -> str:
    return GAP.join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cells(sweep: Sweep, row: Row) -> list[str]:
    point = row.point or {}
    loss, spread, seconds = row.loss, row.spread, row.mean_of("seconds")
    parameters = row.mean_of("parameters")
    return [
        *(shown(point.get(name, "?")) for name in sweep.names),
        "" if loss is None else f"{loss:.4f}",
        "" if spread is None else f"{spread:.4f}",
        f"{len(row.losses)}",
        "" if parameters is None else f"{parameters:,.0f}",
        "" if seconds is None else f"{seconds:,.1f}",
        _state(sweep, row),
    ]


def _state(sweep: Sweep, row: Row) -> str:
    waiting = sweep.seeds - len(row.outcomes)
    counts = {status: row.count(status) for status in (PRUNED, FAILED, RUNNING)}
    counts["waiting"] = waiting
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def shown(value: object) -> str:
    """Return a value as options have it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _named(sweep: Sweep, row: Row) -> str:
    return ", ".join(f"{name} {shown((row.point or {}).get(name, '?'))}" for name in sweep.names)
