"""Who may import whom, and what importing costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import char_rnn

SOURCE = Path(char_rnn.__file__).parent
GROUND = {
    *("errors", "tables", "config", "storage", "schedules", "settings", "checks", "char_rnn"),
    *("text_config", "sample_config"),
}
BELOW = {"data", "model", "generate", "formats", "reading", "charrnn"}
MAY_IMPORT = {
    "errors": set(),
    "tables": {"errors"},
    "schedules": {"errors"},
    "checks": {"errors", "schedules"},
    "settings": {"errors", "checks"},
    "config": {"errors", "tables", "checks", "settings", "sample_config"},
    "sample_config": {"errors", "checks", "settings"},
    "text_config": {"errors", "checks", "settings"},
    "recipes": {"config"},
    "storage": {"errors"},
    "data": GROUND,
    "model": GROUND,
    "exercise": GROUND | {"data"},
    "generate": GROUND | {"data", "model"},
    "formats": GROUND | {"data", "model"},
    "constrain": GROUND | {"data", "model", "generate"},
    "voice": GROUND | {"data", "model", "generate", "constrain"},
    "reading": GROUND | {"data", "model", "generate"},
    "charrnn": GROUND | {"data", "model", "generate", "voice", "reading", "formats"},
    "scoring": GROUND | BELOW,
    "training": GROUND | BELOW | {"scoring"},
    "pictures": {"errors", "storage"},
    "music": GROUND | BELOW | {"constrain", "scoring", "training", "runs", "analyse", "pictures"},
    "runs": GROUND | BELOW | {"recipes", "scoring", "training", "pictures"},
    "analyse": GROUND
    | BELOW
    | {"constrain", "scoring", "training", "runs", "exercise", "pictures"},
    "lab": GROUND | BELOW | {"scoring", "training", "runs", "analyse", "pictures"},
    "serve": GROUND
    | BELOW
    | {"constrain", "recipes", "scoring", "training", "runs", "analyse", "lab", "pictures"}
    | {"music"},
    "sweeps": GROUND | BELOW | {"recipes", "scoring", "training", "runs", "pictures"},
    "cluster": GROUND | BELOW | {"training"},
    "cli": GROUND
    | BELOW
    | {"recipes", "scoring", "training", "runs", "analyse", "lab", "pictures", "music", "serve"}
    | {"cluster", "sweeps"},
    "__main__": {"cli"},
}


def room(path):
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported(path):
    """Return the rooms that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [node.module]
        for name in names:
            parts = name.split(".")
            if parts[0] == "char_rnn":
                yield parts[1] if len(parts) > 1 else "char_rnn"


@pytest.mark.parametrize(
    "path", [p for p in SOURCE.rglob("*.py") if p != SOURCE / "__init__.py"],
    ids=lambda p: p.relative_to(SOURCE).as_posix(),
)  # fmt: skip
def test_rooms_import_only_what_they_may(path):
    assert set(imported(path)) - {room(path)} <= MAY_IMPORT[room(path)]


def loaded_by(code):
    """Return the top-level modules that `code` loads in a fresh interpreter."""
    script = f"import sys; before = set(sys.modules); {code}; print(*(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    "code",
    [
        "import char_rnn",
        "from char_rnn import *",
        "import char_rnn; char_rnn.Vocabulary('ab')",
        "import char_rnn; char_rnn.train, char_rnn.resume, char_rnn.Run",
    ],
)
def test_importing_loads_numpy_and_the_standard_library(code):
    # cython_runtime: made by the compiled modules of numpy.random
    allowed = {"char_rnn", "numpy", "cython_runtime", *sys.stdlib_module_names}
    extra = {name for name in loaded_by(code) if not name.startswith("_")} - allowed
    assert not extra


def test_help_loads_no_numpy():
    code = "from char_rnn.cli.main import cli; cli(['--help'], standalone_mode=False)"
    assert not {"numpy", "rich", "safetensors"} & loaded_by(code)


PUBLIC = {
    "train", "resume", "Run", "CharRNN", "Trainer", "Corpus", "Vocabulary", "ByteVocabulary",
    "ModelConfig", "TrainConfig", "SampleConfig", "TextConfig", "CharRNNError", "analyse", "lab",
    "music", "cluster", "sweep", "cross_entropy", "register_cell", "register_optimizer",
    # of the exercise
    "clip_gradients", "cross_entropy_loss", "numerical_gradient", "one_hot",
    "sample_with_temperature", "softmax",
}  # fmt: skip


def test_public_names():
    assert set(char_rnn.__all__) == PUBLIC
    for name in char_rnn.__all__:
        assert getattr(char_rnn, name) is not None
    with pytest.raises(AttributeError, match="no_such"):
        _ = char_rnn.no_such
