"""Figures for programs: one JSON object on standard output."""

import json
from typing import Any

import click


def echo_json(report: dict[str, Any]) -> None:
    """Print `report` as strict JSON: what is NaN or infinite is null."""
    from char_rnn.storage.finite import finite

    click.echo(json.dumps(finite(report), ensure_ascii=False, indent=2, allow_nan=False))
