"""What the worker does for the lab: an experiment, or a diagnosis, and the page of it."""

import base64
from pathlib import Path
from typing import Any

from char_rnn.data.given import GivenText, TextName
from char_rnn.lab.diagnose import diagnosed
from char_rnn.lab.experiment import Result
from char_rnn.lab.report import report
from char_rnn.lab.running import run
from char_rnn.storage.finite import finite


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Return what is answered: what came out, and a page that shows it."""
    if job["do"] == "diagnose":
        result = diagnosed(Path(job["folder"]))
        kinds = ("findings", "unseen")
        found = {kind: [_finding(one) for one in result.numbers[kind]] for kind in kinds}
        return _told(result) | {"clean": result.numbers["clean"]} | found
    given: dict[str, Any] = dict(job["given"])
    text: GivenText | None = None
    if "builtin" in given:
        text = TextName(given.pop("builtin"))
    elif "text" in given:
        text = base64.b64decode(given.pop("text"))
    result = run(job["name"], text=text, **given)
    return _told(result) | {"name": result.name, "settings": finite(result.settings)}


def _told(result: Result) -> dict[str, Any]:
    return {
        "question": result.question,
        "found": result.found,
        "means": result.means,
        "page": report([result]),
    }


def _finding(found: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "severity", "evidence", "remedy", "settings")
    told: dict[str, Any] = finite({name: found[name] for name in names})
    return told
