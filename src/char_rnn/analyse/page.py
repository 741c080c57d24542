"""A page to look at: one file without anything beside it, whose text is data and never markup."""

import base64
import json
from importlib import resources

import numpy as np

Array = np.ndarray


def page(template: str, data: object) -> str:
    """Return the page of that name in `pages`, with `data` for its script to show."""
    filled = _file(f"{template}.html")
    for name, file in (("STYLE", "page.css"), ("SCRIPT", "walk.js")):
        filled = filled.replace(f"{name}\n", _file(file))
    return filled.replace("DATA", _embedded(data))


def style() -> str:
    """Return the style sheet that our pages share."""
    return _file("page.css")


def packed(numbers: Array, dtype: str) -> str:
    """Return `numbers` as a string: base64 of little-endian `dtype`."""
    return base64.b64encode(numbers.astype(np.dtype(dtype).newbyteorder("<")).tobytes()).decode()


def _file(name: str) -> str:
    return (resources.files("char_rnn.analyse") / "pages" / name).read_text("utf-8")


def _embedded(data: object) -> str:
    """Return `data` as JSON that can stand in a page's `<script type="application/json">`."""
    # "</script" would end the data early, and "<!--" would hide its end.
    return json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
