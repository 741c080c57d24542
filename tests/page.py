"""The page of a server, in a tab of Chromium."""

import re
from contextlib import contextmanager

from serving import until

PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}


@contextmanager
def page_of(chromium, running, tab="write", allowed=None, **more):
    """Show the page; nothing but `allowed` may stand in its console.

    `tab.asked`: the paths and the bodies of what it asked for.
    """
    context = chromium.new_context(**({"viewport": {"width": 1000, "height": 700}} | more))
    page, said = context.new_page(), []
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    page.asked = []
    page.on("request", lambda asked: asked.post_data and page.asked.append(
        (re.sub(".*/v1/", "", asked.url), asked.post_data_json)))  # fmt: skip
    page.goto(f"http://127.0.0.1:{running.port}/#{tab}")
    page.wait_for_selector("#about:not(:empty)")
    yield page
    context.close()
    assert [one for one in said if allowed is None or allowed not in one] == []


def opacities(page, marks):
    """Return of each mark how strong its colour is, as a share; blue below 0, orange above."""
    found = page.evaluate(
        """marks => Array.from(document.querySelectorAll(marks), mark => mark.style.background)""",
        marks,
    )

    def share(colour):
        name, value = re.search(r"--(low|high)\) / calc\(([\d.]+)", colour).groups()
        return float(value) * (1 if name == "high" else -1)

    return [share(colour) if colour else 0.0 for colour in found]


def settled(page, marks, expected):
    """Wait until the marks have these colours."""
    seen = []

    def right():
        seen[:] = opacities(page, marks)
        close = all(abs(a - b) < 0.03 for a, b in zip(seen, expected, strict=False))
        return len(seen) == len(expected) and close

    try:
        until(right)
    except AssertionError as error:
        raise AssertionError(f"{seen} is not {list(expected)}") from error
