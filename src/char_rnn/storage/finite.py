"""Numbers that JSON has a word for."""

import math
from typing import Any


def finite(value: Any) -> Any:
    """Return `value` with None for every NaN and infinity in it, and with lists for tuples."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
