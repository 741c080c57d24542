"""What an installed package holds."""

import tomllib
from pathlib import Path

import char_rnn

PACKAGE = Path(char_rnn.__file__).parent


def test_every_file_is_in_the_wheel():
    """Modules lie in packages, and all else is named in `package-data`."""
    project = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["char_rnn"]
    named = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    for path in PACKAGE.rglob("*"):
        if path.is_dir() or "__pycache__" in path.parts:
            continue
        if path.suffix == ".py":
            assert (path.parent / "__init__.py").exists(), f"{path.parent} is no package"
        else:
            assert path in named, f"{path} is not in package-data"
    pages = {path.name for path in named if path.parent.name == "pages"}
    assert {"surprise.html", "overlap.html", "page.css", "walk.js"} <= pages
