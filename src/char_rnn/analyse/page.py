"""A page to look at: one file without anything beside it, whose text is data and never markup."""

import base64
import json
import re
from importlib import resources

import numpy as np

Array = np.ndarray

OTHER = re.compile(r"^(\w+\.(?:css|js))\n", re.M)


def page(template: str, data: object, more: str = "") -> str:
    """Return the page of that name in `pages`, with `data` for its script to show.

    more: markup that stands where the page has a place for it.
    """
    before, rest = filled(f"{template}.html").split("DATA")
    return before.replace("MORE\n", more) + embedded(data) + rest


def style() -> str:
    """Return the style sheet that our pages share."""
    return filled("page.css")


def packed(numbers: Array, dtype: str) -> str:
    """Return `numbers` as a string: base64 of little-endian `dtype`."""
    return base64.b64encode(numbers.astype(np.dtype(dtype).newbyteorder("<")).tobytes()).decode()


def filled(name: str) -> str:
    """Return a file of `pages`; in it a line that names another stands for that one."""
    text = (resources.files("char_rnn.analyse") / "pages" / name).read_text("utf-8")
    return OTHER.sub(lambda found: filled(found[1]), text)


def embedded(data: object) -> str:
    """Return `data` as JSON that can stand in a page's `<script type="application/json">`."""
    # "</script" would end the data early, and "<!--" would hide its end.
    return json.dumps(data, ensure_ascii=True).replace("<", "\\u003c")
