"""Figures for programs: JSON on standard output."""

import json
from collections.abc import Iterable
from typing import Any

import click


def echo_json(report: dict[str, Any]) -> None:
    """Print `report` as strict JSON: what is NaN or infinite is null."""
    from char_rnn.storage.finite import finite

    click.echo(json.dumps(finite(report), ensure_ascii=False, indent=2, allow_nan=False))


def echo_json_lines(rows: Iterable[dict[str, Any]]) -> None:
    """Print each of `rows` as strict JSON in a line of its own."""
    from char_rnn.storage.finite import finite

    for row in rows:
        click.echo(json.dumps(finite(row), ensure_ascii=False, allow_nan=False))
