"""GET /: the page, one file in which nothing asks for anything but this server."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache

import jinja2

from char_rnn.analyse.page import filled
from char_rnn.data.builtin import BUILTIN
from char_rnn.music.page import colours, player, roll_style
from char_rnn.serve.fields import TRAINING

PARTS = (
    "desk",
    "tree",
    "knobs",
    "stream",
    "reading",
    "colour",
    "strip",
    "lens",
    "look",
    "read",
    "next",
    "write",
    "chart",
    "lab",
    "train",
    "watch",
    "compare",
    "roll",
)
"""In the order in which their style and script stand; each may have NAME.html, .css and .js."""
POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Page:
    """The page as it is sent, and its content security policy."""

    html: bytes
    policy: str


@cache
def page() -> Page:
    """Return the page; it holds nothing of any model, which it asks for itself."""
    files = jinja2.Environment(
        loader=jinja2.PackageLoader("char_rnn.serve", "pages"),
        autoescape=False,  # our own files, filled with our own files
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    files.globals["shared"] = filled
    files.globals |= {"builtin": BUILTIN, "settings": TRAINING["properties"]}
    files.globals |= {"colours": colours, "player": player, "rolls": roll_style}
    script, style = (
        _lean(files.get_template(f"page.{kind}").render(parts=PARTS)) for kind in ("js", "css")
    )
    html = _lean(files.get_template("page.html").render(script=script, style=style))
    return Page(html.encode(), POLICY.format(script=_hash(script), style=_hash(style)))


def _lean(text: str) -> str:
    """Return a file without what only its writers need: indentation, comments."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _hash(text: str) -> str:
    """Return what a policy calls the one script or style that may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
